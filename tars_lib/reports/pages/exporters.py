"""The exporters that nbconvert knows as `tars-html` and `tars-pdf`.

They are registered in the entry-point group `nbconvert.exporters`, so
`jupyter nbconvert --to tars-pdf out.ipynb` works wherever the package is installed.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from nbconvert.exporters import Exporter
from traitlets import Unicode

from tars_lib.errors import ReportError
from tars_lib.reports.blocks.document import DEFAULT_AUTHOR, Document, read_blocks
from tars_lib.reports.pages.html import render_html
from tars_lib.reports.pages.partial import marked
from tars_lib.reports.pages.pdf import render_pdf

# https://reproducible-builds.org/specs/source-date-epoch/
EPOCH_VARIABLE = "SOURCE_DATE_EPOCH"


class TarsExporter(Exporter):
    """Base of both: reads the blocks of an executed notebook and pins the time of generation.

    The notebook's metadata may hold `tars.generated_at` (ISO 8601 with a zone), `tars.lang`,
    `tars.author` and `tars.partial`: why the evidence is not whole, for the first page.
    """

    generated_at = Unicode(
        "",
        help="Time of generation, ISO 8601 with a zone. Empty: the notebook's metadata `tars.generated_at`, "
        "else SOURCE_DATE_EPOCH, else now.",
    ).tag(config=True)
    suffix: str
    render: Callable[[Document], str | bytes]

    def _file_extension_default(self) -> str:
        return self.suffix

    def from_notebook_node(self, nb: Any, resources: Any = None, **kw: Any) -> tuple[Any, dict[str, Any]]:
        """Render what an executed notebook shows."""
        notebook, resources = super().from_notebook_node(nb, resources, **kw)
        return self.render(self.read_document(notebook)), resources

    def read_document(self, notebook: Any) -> Document:
        """Return the document that a notebook holds.

        Raises
        ------
        ReportError
            The notebook failed, was not executed, shows something that is not a block, or names a time
            without a zone.
        """
        metadata = notebook["metadata"].get("tars", {})
        return Document(
            blocks=marked(read_blocks(notebook), [str(reason) for reason in metadata.get("partial", ())]),
            generated_at=self._time(metadata.get("generated_at", "")),
            lang=str(metadata.get("lang", "en")),
            author=str(metadata.get("author", DEFAULT_AUTHOR)),
        )

    def _time(self, in_metadata: str) -> datetime:
        text = self.generated_at or in_metadata
        if text:
            try:
                return datetime.fromisoformat(text)
            except ValueError as error:
                raise ReportError(f"generated_at: got {text!r}, expected ISO 8601") from error
        epoch = os.environ.get(EPOCH_VARIABLE)
        if epoch is None:
            return datetime.now(UTC)
        try:
            return datetime.fromtimestamp(int(epoch), UTC)
        except (ValueError, OverflowError) as error:
            raise ReportError(f"{EPOCH_VARIABLE}: got {epoch!r}, expected seconds since 1970") from error


class TarsHTMLExporter(TarsExporter):
    """One HTML page that loads nothing and runs nothing; see `tars_lib.reports.pages.html.render_html`."""

    output_mimetype = "text/html"
    suffix = ".html"
    render = staticmethod(render_html)


class TarsPDFExporter(TarsExporter):
    """A tagged PDF, PDF/A-2a and PDF/UA-1; see `tars_lib.reports.pages.pdf.render_pdf`."""

    output_mimetype = "application/pdf"
    suffix = ".pdf"
    render = staticmethod(render_pdf)
