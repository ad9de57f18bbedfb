"""Blocks as PDF, set by Typst with the fonts that travel with the package.

The template is static and reads one JSON file; the compiler sees a private folder with that file, the
template and the figures, and nothing else. The result is PDF/A-2a (ISO 19005-2, level A) and PDF/UA-1 (ISO
14289-1). See `docs/decisions/pdf-with-typst.md`.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import shutil
from collections import Counter
from datetime import UTC
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tars_lib.errors import ReportError
from tars_lib.files.scratch import scratch
from tars_lib.reports.blocks import palette
from tars_lib.reports.blocks.lengths import NAME_LIMIT, breakable, visible
from tars_lib.reports.blocks.view import views
from tars_lib.reports.pages.glyphs import FONTS, MONO_FAMILY, TEXT_FAMILY, drawable

if TYPE_CHECKING:
    import typst
    from typst import PDFStandard

    from tars_lib.reports.blocks.document import Document

TEMPLATE = Path(__file__).parents[1] / "templates" / "report.typ"

STANDARDS: list[PDFStandard] = ["a-2a", "ua-1"]

# Characters of the title in the head of each page (judgement: half a line).
_RUNNING_TITLE = 90

# How much of the space between blocks is tried, in order, until every page is well filled; and how far down the last page
# and the ones before it the document has to reach for that. Judgement: tighter than 0.5 looks crowded, wider than 1.4 torn
# apart, half a page is worth turning for, and a fifth of a page is what one keeps free for a figure that does not fit.
_ROOMS = (1.0, 0.8, 0.65, 0.5, 1.2, 1.4)
_LAST_PAGE = 0.5
_PAGE = 0.8

# A column whose longest text stays below this keeps its natural width (judgement, in characters).
_NATURAL_WIDTH = 22

# Characters of the facts below a title that stand in one line, and of the least of them (judgement).
_LINE_WIDTH = 88
_FACT_WIDTH = 12

# Characters that a table holds in a row, that a weighted column needs at least, and that a bar takes (judgement).
_TABLE_WIDTH = 100
_NARROWEST = 14
_BAR_WIDTH = 9


def render_pdf(document: Document) -> bytes:
    """Set a document as PDF.

    Returns
    -------
    bytes
        The same for the same document: the timestamp is the document's own.

    Raises
    ------
    ReportError
        Typst refused; its message is passed on.
    """
    import typst

    fonts = sorted(FONTS.glob("*.[ot]tf"))
    if not fonts:
        raise ReportError(f"no fonts in {FONTS}; the installation is incomplete")
    with scratch("pdf") as root:
        content = _content(document, root)
        (root / "report.json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
        shutil.copyfile(TEMPLATE, root / "report.typ")
        try:
            pdf = _fitted(root).compile(
                format="pdf",
                pdf_standards=STANDARDS,
                # Typst takes whole seconds
                timestamp=document.generated_at.astimezone(UTC).replace(microsecond=0),
            )
        except typst.TypstError as error:
            raise ReportError(f"the PDF could not be set: {error.diagnostic or error}") from error
    if not isinstance(pdf, bytes):
        raise ReportError(f"Typst returned {type(pdf).__name__}, expected one PDF")
    return pdf


def _fitted(root: Path) -> typst.Compiler:
    """The first room at which every page is well filled and no row stands alone, or a page is saved; else the best one."""
    import typst

    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[FONTS])
    tried: list[tuple[tuple[int, int, float], typst.Compiler]] = []
    for room in _ROOMS:
        compiler = typst.Compiler(
            input=root / "report.typ",
            root=root,
            font_paths=fonts,
            ignore_system_fonts=True,
            sys_inputs={"room": f"{room}"},
            package_path=root / "packages",
            package_cache_path=root / "packages",
        )
        faults = _faults(json.loads(compiler.query("<at>", field="value")))
        tried.append((faults, compiler))
        pages, lonely, empty = faults
        if pages == 1 or (not lonely and not empty and pages <= tried[0][0][0]):
            return compiler
    return min(tried, key=lambda trial: trial[0])[1]


def _faults(marks: list[dict[str, Any]]) -> tuple[int, int, float]:
    """Rate how badly a document falls on its pages: pages, rows that stand alone, and what of pages is empty.

    Examples
    --------
    >>> end = {"of": None, "row": 0, "rows": 0}
    >>> row = {"of": "SLAs", "share": 0.9, "rows": 3}
    >>> _faults([row | {"page": 1, "row": 0}, row | {"page": 1, "row": 1}, row | {"page": 2, "row": 2}])
    (2, 1, 0.0)
    >>> _faults([{**end, "page": 1, "share": 0.5}, {**end, "page": 2, "share": 0.5}])
    (2, 0, 0.3)
    """
    depth: dict[int, float] = {}
    lonely = 0
    for (_, name), group in groupby(marks, lambda mark: (mark["rows"], mark["of"])):
        rows = Counter[int]()
        for mark in group:
            depth[mark["page"]] = max(depth.get(mark["page"], 0.0), mark["share"])
            rows[mark["page"]] += 1
        if name is not None and len(rows) > 1:
            lonely += sum(number == 1 for number in rows.values())
            # what goes on overleaf has filled its page
            depth |= dict.fromkeys(sorted(rows)[:-1], 1.0)
    last = max(depth)
    empty = sum(max(_PAGE - depth.get(page, 1.0), 0.0) for page in range(1, last)) + max(_LAST_PAGE - depth[last], 0.0)
    return last, lonely, round(empty, 3)


def _content(document: Document, root: Path) -> dict[str, Any]:
    """Return what the template reads, and write its figures into the folder."""
    lang, _, region = document.lang.partition("-")
    title = _drawn(document.head.title, NAME_LIMIT)
    content = views(document.blocks, lambda text, limit: breakable(_drawn(text, limit)))
    for view in content:
        if view["kind"] == "table":
            _weigh_columns(view)
        if view["kind"] == "title":
            view["is_in_line"] = sum(max(len(value), _FACT_WIDTH) for _, value in view["facts"]) < _LINE_WIDTH
        for figure in view.get("figures", ()):
            figure["file"] = f"figure-{figure['number']}.svg"
            figure.pop("narrow")
            figure["alt"] = figure["alt"].replace("\u200b", "")
            (root / figure["file"]).write_bytes(base64.b64decode(figure.pop("svg")))
    return {
        "title": title,
        "running_title": breakable(title if len(title) <= _RUNNING_TITLE else title[:_RUNNING_TITLE] + "…"),
        "author": _drawn(document.author, NAME_LIMIT),
        "lang": lang.lower(),
        "region": region.lower() or None,
        "label": content[0]["label"],
        "generated": document.generated,
        "text_family": TEXT_FAMILY,
        "mono_family": MONO_FAMILY,
        "ink": palette.INK,
        "muted": palette.MUTED,
        "rule": palette.RULE,
        "link": palette.LINK,
        "tones": {name: dataclasses.asdict(tone) for name, tone in palette.TONES.items()},
        "views": content,
    }


def _drawn(text: str, limit: int | None) -> str:
    return visible(text, limit, drawable())


def _weigh_columns(view: dict[str, Any]) -> None:
    """Give each column its share of the table's free width; None keeps the natural width."""
    columns = view["columns"]
    lengths = []
    for index, column in enumerate(columns):
        cells = [len(row[index]["text"]) for row in view["rows"]]
        # A heading may wrap at its words, so it counts half.
        longest = max([*cells, len(column["label"]) // 2])
        lengths.append(longest + (_BAR_WIDTH if column["kind"] == "bar" else 0))
    natural = [length + 2 for length in lengths if length <= _NATURAL_WIDTH]
    is_narrow = len(natural) < len(columns) or not view["rows"]
    free = _TABLE_WIDTH - _NARROWEST * (len(columns) - len(natural))
    for column, length in zip(columns, lengths, strict=True):
        keeps = length <= _NATURAL_WIDTH and sum(natural) <= free and bool(view["rows"])
        column["weight"] = None if keeps else min(max(length, 4), 90) ** 0.7
    if not is_narrow and sum(natural) <= free:
        textual = [column for column in columns if column["kind"] in ("text", "mono")]
        (textual or columns)[0]["weight"] = 1
