"""The text of PDFs that several tests look at, each read once: pypdf takes longer for it than typst to write it."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import pypdf


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page: its text, and where its lines of text stand, in points from its bottom."""

    text: str
    heights: tuple[float, ...]


def sheets(pdf: Path) -> tuple[Sheet, ...]:
    """The pages of a file as it is now."""
    return _sheets(pdf, pdf.stat().st_mtime_ns)


@functools.lru_cache(maxsize=64)
def _sheets(pdf: Path, written: int) -> tuple[Sheet, ...]:
    return tuple(map(_sheet, pypdf.PdfReader(pdf).pages))


def _sheet(page: pypdf.PageObject) -> Sheet:
    heights: list[float] = []

    def look(text: str, cm: list[float], tm: list[float], font: object, size: float) -> None:
        if text.strip():
            heights.append(tm[4] * cm[1] + tm[5] * cm[3] + cm[5])

    return Sheet(page.extract_text(visitor_text=look), tuple(heights))
