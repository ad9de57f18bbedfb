"""The parts that blocks are made of: badges, bars, cells, causes, entries."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tars_lib.errors import ReportError
from tars_lib.reports.blocks.fields import Checked, Share, excerpt

Tone = Literal["critical", "warning", "good", "info", "unknown", "neutral"]

# The word that stands for a tone where the author gives none: colour is never the only sign (WCAG 1.4.1).
TONE_WORDS: dict[Tone, str] = {
    "critical": "Critical",
    "warning": "Warning",
    "good": "Good",
    "info": "Info",
    "unknown": "Unknown",
    "neutral": "",
}

_LINK = re.compile(r"(https?://[^\s/]|mailto:[^\s@]+@)[^\s]*", re.IGNORECASE)


@dataclass(frozen=True)
class Badge(Checked):
    """A word on a coloured ground: a status, a severity, a tier."""

    text: str
    tone: Tone = "neutral"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.text.strip():
            raise ReportError("Badge.text is empty; a badge says its tone in a word, never by colour alone")


@dataclass(frozen=True)
class Bar(Checked):
    """A share drawn as a bar with its number beside it.

    Attributes
    ----------
    value : float
        0 is empty, 1 is full; above 1 is drawn full and the number tells.
    text : str
        The number as printed; empty: the value as a percentage.
    tone : Tone
        Colour of the bar; its meaning must stand in the text or in another column.
    """

    value: float
    text: str = ""
    tone: Tone = "info"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.value < 0:
            raise ReportError(f"Bar.value: got {self.value}, expected 0 or more")


# What stands in a table cell. None is "unknown".
Cell = str | float | Badge | Bar | None


@dataclass(frozen=True)
class Column(Checked):
    """One column of a table.

    Attributes
    ----------
    label : str
        Heading, unit included.
    kind : {"text", "number", "badge", "bar", "mono"}
        What its cells hold: text and mono take `str`; number takes a number, or a `str` printed as given;
        badge takes `Badge`; bar takes `Bar` or a number. Every kind takes None, printed as "unknown".
    align : {"left", "right", "center"}, optional
        None: right for numbers, else left.
    decimals : int, optional
        Of a number column. None: at least three significant digits.
    """

    label: str
    kind: Literal["text", "number", "badge", "bar", "mono"] = "text"
    align: Literal["left", "right", "center"] | None = None
    decimals: int | None = None


@dataclass(frozen=True)
class KeyFigure(Checked):
    """One number that leadership should remember.

    Attributes
    ----------
    value : str or float, optional
        A number is printed with at least three significant digits; None as "unknown", in that tone.
    unit : str
        Printed after the value.
    note : str
        One short line below: the objective, or why the value is unknown.
    word : str
        The verdict in a word; empty: the tone's own word.
    """

    label: str
    value: str | float | None
    unit: str = ""
    note: str = ""
    tone: Tone = "neutral"
    word: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.value is None and self.tone != "unknown":
            object.__setattr__(self, "tone", "unknown")
            object.__setattr__(self, "word", "")


@dataclass(frozen=True)
class TimelineEntry(Checked):
    """One moment: `time` is printed as given, `word` is the tone in a word (empty: the tone's own)."""

    time: str
    title: str
    text: str = ""
    tone: Tone = "neutral"
    word: str = ""


@dataclass(frozen=True)
class ChecklistItem(Checked):
    """One thing to do: who owns it and until when; empty where nobody said."""

    text: str
    is_done: bool = False
    owner: str = ""
    due: str = ""


@dataclass(frozen=True)
class CandidateCause(Checked):
    """One candidate cause of a breach.

    Attributes
    ----------
    rank : int
        1 is the best.
    confidence : float, optional
        0-1; None: unknown.
    contribution : float, optional
        Share of the harm that it explains, 0-1; None: unknown.
    evidence : sequence of str
        Lines with numbers and units.
    """

    rank: int
    cause: str
    repo: str
    confidence: Share | None = None
    contribution: Share | None = None
    containment: Badge | None = None
    evidence: Sequence[str] = ()


@dataclass(frozen=True)
class Link(Checked):
    """A link to http, https or mailto; any other scheme is refused."""

    text: str
    url: str

    def __post_init__(self) -> None:
        super().__post_init__()
        if not _LINK.fullmatch(self.url):
            raise ReportError(f"Link.url: got {excerpt(self.url)}, expected http://, https:// or mailto:")
