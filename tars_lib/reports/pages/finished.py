"""Executed notebooks as bytes: what they show, and their exports, without a file or a kernel."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from tars_lib.errors import ReportError
from tars_lib.reports.blocks.document import read_blocks
from tars_lib.reports.blocks.kinds import FigureBlock


def render(notebook: bytes, formats: Iterable[str]) -> dict[str, bytes]:
    """Export an executed notebook of format 4, as JSON; see `rendered`."""
    return rendered(_read(notebook), formats)


def rendered(node: Any, formats: Iterable[str]) -> dict[str, bytes]:
    """Export an executed notebook, as nbformat reads it, as "html" or "pdf".

    Raises
    ------
    ReportError
        A format is unknown, or the notebook failed, was not executed or shows something that is not a block.
    """
    from tars_lib.reports.pages.exporters import TarsHTMLExporter, TarsPDFExporter

    exporters: dict[str, Any] = {"html": TarsHTMLExporter, "pdf": TarsPDFExporter}
    contents = {}
    for form in dict.fromkeys(formats):
        if form not in exporters:
            raise ReportError(f"unknown format {form!r}; allowed: {', '.join(exporters)}")
        content, _ = exporters[form]().from_notebook_node(node)
        contents[form] = content if isinstance(content, bytes) else content.encode()
    return contents


def figure_blocks(notebook: bytes) -> tuple[FigureBlock, ...]:
    """Return the figures that an executed notebook reports, in order."""
    return tuple(block for block in read_blocks(_read(notebook)) if isinstance(block, FigureBlock))


def mark_partial(notebook: bytes, reasons: Sequence[str]) -> bytes:
    """Return the notebook with a note that every export puts on its first page; see `tars_lib.reports.pages.partial`."""
    content = json.loads(notebook)
    content["metadata"].setdefault("tars", {})["partial"] = list(reasons)
    return f"{json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False)}\n".encode()


def _read(notebook: bytes) -> Any:
    import nbformat

    # nbformat carries no types
    untyped: Any = nbformat
    return untyped.reads(notebook.decode("utf-8"), as_version=4)
