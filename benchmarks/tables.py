"""Tables of the benchmarks as text or Markdown, and the head that says where and when they were measured."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import os
import platform
from pathlib import Path

Table = tuple[str, list[list[str]]]
"""A title and rows; the first row is the head."""

VERSIONS = ("numpy", "scipy", "pandas", "statsmodels")


def printed(tables: list[Table], *, markdown: bool) -> str:
    """All tables, aligned for a terminal or in Markdown."""
    return "\n\n".join(_markdown(*table) if markdown else _aligned(*table) for table in tables)


def head() -> str:
    """Machine, versions and date in a line of Markdown."""
    versions = []
    for name in ("tars-incident-workbook", *VERSIONS):
        try:
            versions.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            versions.append(f"{name} not installed")
    today = dt.datetime.now(tz=dt.UTC).date()
    return (
        f"Measured on {today}: {_processor()}, {os.cpu_count()} cores, {platform.system()}, "
        f"Python {platform.python_version()}, {', '.join(versions)}."
    )


def _processor() -> str:
    listing = Path("/proc/cpuinfo")
    if listing.is_file():
        for line in listing.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _aligned(title: str, rows: list[list[str]]) -> str:
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join([title, *lines])


def _markdown(title: str, rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    rule = "|" + "---|" + "---:|" * (len(rows[0]) - 1)
    return "\n".join([f"{title}:", "", lines[0], rule, *lines[1:]])
