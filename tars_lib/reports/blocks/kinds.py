"""Kinds of blocks in a report: one frozen dataclass each, with the JSON that is its truth.

A notebook displays blocks; the exporters read them back from the executed notebook and render each kind with
one template. Data stays data: nothing in a block ever becomes HTML, Markdown or Typst source.
See `docs/decisions/typed-blocks.md`.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from tars_lib.errors import ReportError
from tars_lib.reports.blocks.fields import Checked, checked, excerpt
from tars_lib.reports.blocks.parts import (
    TONE_WORDS,
    Badge,
    Bar,
    CandidateCause,
    Cell,
    ChecklistItem,
    Column,
    KeyFigure,
    Link,
    TimelineEntry,
    Tone,
)

__all__ = [
    "KINDS",
    "MIME_TYPE",
    "TONE_WORDS",
    "Badge",
    "Bar",
    "Block",
    "Callout",
    "CandidateCause",
    "CauseList",
    "Cell",
    "Checklist",
    "ChecklistItem",
    "Column",
    "FigureBlock",
    "Heading",
    "KeyFigure",
    "KeyFigures",
    "Link",
    "PageBreak",
    "Prose",
    "Table",
    "Timeline",
    "TimelineEntry",
    "TitleBlock",
    "Tone",
    "from_json",
    "show",
]

MIME_TYPE = "application/vnd.tars.block+json"

# What each kind of column takes in a cell; None is always taken.
_CELL_HINTS: dict[str, Any] = {
    "text": str,
    "mono": str,
    "number": str | float,
    "badge": Badge,
    "bar": Bar | float | str,
}

# A figure is drawn by an <img> and by Typst, neither of which runs scripts; these could still reach files.
_ACTIVE_SVG = re.compile(
    rb"<!ENTITY|<(?:\w+:)?(?:script|foreignObject|iframe)\b|href\s*=\s*[\"'](?!\s*(?:#|data:image/))|@import",
    re.IGNORECASE,
)


class Block(Checked):
    """Base of all kinds of blocks."""

    kind: ClassVar[str]
    version: ClassVar[int] = 1
    rich_forms: ClassVar[Callable[[Block], Mapping[str, str]]]
    """The forms for people, by MIME type; `tars_lib.reports.display` sets it, since pages are made of blocks."""

    def to_json(self) -> dict[str, Any]:
        """Return the block as JSON: `kind`, `version` and its fields, bytes in base64."""
        fields: dict[str, Any] = _plain_data(self)
        return {"kind": self.kind, "version": self.version} | fields

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return {MIME_TYPE: self.to_json(), **self.rich_forms()}


@dataclass(frozen=True)
class TitleBlock(Block):
    """The head of a report: what happened, in one sentence that says it all.

    Attributes
    ----------
    title, subtitle : str
        The first is also the document's title.
    headline : str
        One sentence, or two.
    detail : str
        What follows it, less heavy.
    badges : sequence of Badge
        Severity, tier, status; mappings `{"text": ..., "tone": ...}` are taken too.
    facts : sequence of (str, str)
        Label and value: incident, window, data as of, ...
    label : str
        A word for the head of every page, such as "Synthetic data" or "Confidential".
    """

    kind: ClassVar[str] = "title"
    title: str
    subtitle: str = ""
    headline: str = ""
    detail: str = ""
    badges: Sequence[Badge] = ()
    facts: Sequence[tuple[str, str]] = ()
    label: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.title.strip():
            raise ReportError("TitleBlock.title is empty; a document needs a title")


@dataclass(frozen=True)
class KeyFigures(Block):
    """A row of up to about five numbers."""

    kind: ClassVar[str] = "key-figures"
    items: Sequence[KeyFigure]


@dataclass(frozen=True)
class Heading(Block):
    """A heading; level 1 opens a section and stands in the PDF's outline, level 2 stands below it."""

    kind: ClassVar[str] = "heading"
    text: str
    level: Literal[1, 2] = 1


@dataclass(frozen=True)
class Prose(Block):
    """Paragraphs of plain text, and links below them."""

    kind: ClassVar[str] = "prose"
    paragraphs: Sequence[str]
    links: Sequence[Link] = ()


@dataclass(frozen=True)
class Callout(Block):
    """A framed remark; `word` is the tone in a word (empty: the tone's own)."""

    kind: ClassVar[str] = "callout"
    title: str
    text: str = ""
    tone: Tone = "info"
    word: str = ""


@dataclass(frozen=True)
class Table(Block):
    """A table of typed columns.

    Attributes
    ----------
    caption : str
        Says what the table shows; required, screen readers announce it.
    columns : sequence of Column
        At least one.
    rows : sequence of rows
        A row has one cell a column; see `Column.kind` for what each takes.
    note : str
        Small print below.
    empty : str
        Printed in place of rows where there are none: says why. Required then.
    """

    kind: ClassVar[str] = "table"
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]] = ()
    note: str = ""
    empty: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.columns:
            raise ReportError(f"Table {excerpt(self.caption)}: a table needs at least one column")
        if not self.caption.strip():
            raise ReportError("Table.caption is empty; it says what the table shows")
        if not self.rows and not self.empty.strip():
            raise ReportError(f"Table {excerpt(self.caption)} has no rows; `empty` must say why")
        rows = tuple(self._checked_row(row, f"Table.rows[{index}]") for index, row in enumerate(self.rows))
        object.__setattr__(self, "rows", rows)

    def _checked_row(self, row: Sequence[Any], where: str) -> tuple[Cell, ...]:
        if len(row) != len(self.columns):
            raise ReportError(f"{where}: got {len(row)} cells, expected {len(self.columns)}, one a column")
        return tuple(
            checked(cell, _CELL_HINTS[column.kind] | None, f"{where}, column {excerpt(column.label)}")
            for cell, column in zip(row, self.columns, strict=True)
        )


@dataclass(frozen=True)
class FigureBlock(Block):
    """A picture, once as vector and once as pixels.

    Attributes
    ----------
    svg, png : bytes
        The same picture; the SVG must not refer to anything outside itself.
    alt : str
        What the picture shows, for those who do not see it; required.
    caption : str
        How to read it.
    title : str
        What the reader should conclude from it; stands above.
    width : {"full", "half"}
        Two half figures in a row stand side by side.
    narrow : bytes
        SVG of the same picture for a screen as narrow as a phone's; empty: the same one.
    is_wide : bool
        A narrow screen scrolls it sideways in place of making it small.
    """

    kind: ClassVar[str] = "figure"
    svg: bytes
    png: bytes
    alt: str
    caption: str = ""
    width: Literal["full", "half"] = "full"
    narrow: bytes = b""
    is_wide: bool = False
    title: str = ""

    def __post_init__(self) -> None:
        for name in ("svg", "png", "narrow"):
            value = getattr(self, name)
            if isinstance(value, str):
                object.__setattr__(self, name, _decoded(value, f"FigureBlock.{name}"))
        super().__post_init__()
        if not self.alt.strip():
            raise ReportError("FigureBlock.alt is empty; it tells those who do not see the picture")
        if not self.png.startswith(b"\x89PNG\r\n\x1a\n"):
            raise ReportError(f"FigureBlock.png: got {excerpt(self.png)}, expected a PNG file")
        for name, content in (("svg", self.svg), ("narrow", self.narrow)):
            if name == "narrow" and not content:
                continue
            if b"<svg" not in content[:4096]:
                raise ReportError(f"FigureBlock.{name}: got {excerpt(content)}, expected an SVG document")
            active = _ACTIVE_SVG.search(content)
            if active:
                raise ReportError(
                    f"FigureBlock.{name}: got {excerpt(active.group())}, expected no script or outside reference"
                )


@dataclass(frozen=True)
class Timeline(Block):
    """Events in the order given; `empty` says why where there are no entries."""

    kind: ClassVar[str] = "timeline"
    entries: Sequence[TimelineEntry]
    title: str = ""
    empty: str = "Nothing was recorded."


@dataclass(frozen=True)
class Checklist(Block):
    """Tasks, by whom and until when; `empty` says why where there is nothing."""

    kind: ClassVar[str] = "checklist"
    items: Sequence[ChecklistItem]
    title: str = ""
    empty: str = "Nothing to do."


@dataclass(frozen=True)
class CauseList(Block):
    """Candidate causes of a breach, best first.

    Attributes
    ----------
    causes : sequence of CandidateCause
        May be empty: `empty` then says why no cause is claimed.
    unexplained : float, optional
        Share of the harm that no cause explains, 0-1; None: unknown.
    title, note, empty : str
        Caption above, small print below, and what is printed where there are no causes.
    """

    kind: ClassVar[str] = "cause-list"
    causes: Sequence[CandidateCause]
    unexplained: float | None = None
    title: str = ""
    note: str = ""
    empty: str = "Cause unknown: the evidence does not single one out."

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.unexplained is not None and not 0 <= self.unexplained <= 1:
            raise ReportError(f"CauseList.unexplained: got {self.unexplained}, expected 0 to 1")


@dataclass(frozen=True)
class PageBreak(Block):
    """A hint that a new printed page should begin; screens do not show it."""

    kind: ClassVar[str] = "page-break"


KINDS: dict[str, type[Block]] = {
    block.kind: block
    for block in (
        TitleBlock,
        KeyFigures,
        Heading,
        Prose,
        Callout,
        Table,
        FigureBlock,
        Timeline,
        Checklist,
        CauseList,
        PageBreak,
    )
}


def from_json(document: object) -> Block:
    """Read a block back from the JSON that `Block.to_json` gave.

    Raises
    ------
    ReportError
        The kind, version or a field is unknown, or a value is not allowed; the message names it.

    Examples
    --------
    >>> from_json({"kind": "heading", "version": 1, "text": "Trends"})
    Heading(text='Trends', level=1)
    """
    if not isinstance(document, Mapping):
        raise ReportError(f"a block is a JSON object, got {excerpt(document)}")
    fields = dict(document)
    kind, version = fields.pop("kind", None), fields.pop("version", None)
    cls = KINDS.get(kind) if isinstance(kind, str) else None
    if cls is None:
        raise ReportError(f"unknown kind of block {excerpt(kind)}; allowed: {', '.join(KINDS)}")
    if version != cls.version or isinstance(version, bool):
        raise ReportError(f"block {kind!r}: unknown version {excerpt(version)}; allowed: {cls.version}")
    return cls.from_fields(fields, f"block {kind!r}")


def show(blocks: Iterable[Block]) -> None:
    """Display several blocks from one notebook cell, in order."""
    from IPython.display import display

    for block in blocks:
        display(block)  # type: ignore[no-untyped-call]


def _plain_data(value: Any) -> Any:
    if isinstance(value, Checked):
        return {field.name: _plain_data(getattr(value, field.name)) for field in dataclasses.fields(value)}  # type: ignore[arg-type]
    if isinstance(value, tuple):
        return [_plain_data(entry) for entry in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return value


def _decoded(text: str, where: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ReportError(f"{where}: got {excerpt(text)}, expected bytes or their base64 form") from error
