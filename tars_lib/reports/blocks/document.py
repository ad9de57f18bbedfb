"""An executed notebook as a document: its blocks in order, and what a file says about itself.

Only cells tagged `report` speak, and only in blocks; anything else in them is refused by name, as is a
notebook that failed or was never run.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tars_lib.errors import ReportError
from tars_lib.reports.blocks.kinds import MIME_TYPE, Block, TitleBlock, from_json
from tars_lib.text.times import MINUTES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

REPORT_TAG = "report"
_OWN_TAG = "skip-execution"
"""What nbclient, and so papermill and nbconvert, does not run."""

DEFAULT_AUTHOR = "T.A.R.S. incident workbook"


@dataclass(frozen=True)
class Document:
    """Content that an exporter renders.

    Attributes
    ----------
    blocks : tuple of Block
        The first is the only `TitleBlock`.
    generated_at : datetime
        With a time zone; printed in UTC, to the minute, and pinned into the PDF's metadata.
    lang : str
        BCP 47 tag of the text's language.
    author : str
        Who stands in the metadata and in the footer.
    """

    blocks: tuple[Block, ...]
    generated_at: datetime
    lang: str = "en"
    author: str = DEFAULT_AUTHOR

    def __post_init__(self) -> None:
        titles = [index for index, block in enumerate(self.blocks) if isinstance(block, TitleBlock)]
        if titles != [0]:
            shown = f"{len(titles)} of {len(self.blocks)} blocks"
            raise ReportError(f"a report begins with its one TitleBlock; TitleBlock found in {shown}")
        if self.generated_at.tzinfo is None:
            raise ReportError(f"generated_at: got {self.generated_at.isoformat()}, expected a time with a zone")

    @property
    def head(self) -> TitleBlock:
        """Return the title block."""
        head = self.blocks[0]
        assert isinstance(head, TitleBlock)  # noqa: S101 - __post_init__ refuses anything else
        return head

    @property
    def generated(self) -> str:
        """Return the time of generation as pages print it."""
        return self.generated_at.astimezone(UTC).strftime(MINUTES)


def read_blocks(notebook: Mapping[str, Any]) -> tuple[Block, ...]:
    """Read the blocks of an executed notebook.

    Parameters
    ----------
    notebook : mapping
        A notebook of format 4, as nbformat reads it.

    Returns
    -------
    tuple of Block
        In the order of the cells tagged `report` and of their outputs.

    Raises
    ------
    ReportError
        A cell failed or was not executed, a report cell shows something else than blocks, or no cell is
        tagged.
    """
    cells = list(notebook["cells"])
    _refuse_unfinished(cells)
    reported = [(number, cell) for number, cell in enumerate(cells, start=1) if is_reported(cell)]
    if not reported:
        raise ReportError(f"none of the notebook's {len(cells)} cells is tagged {REPORT_TAG!r}")
    return tuple(block for number, cell in reported for block in _cell_blocks(cell, _name(number, cell)))


def is_reported(cell: Mapping[str, Any]) -> bool:
    """Say whether a cell is tagged for the report."""
    return REPORT_TAG in cell["metadata"].get("tags", ())


def _refuse_unfinished(cells: list[Mapping[str, Any]]) -> None:
    for number, cell in enumerate(cells, start=1):
        if cell["cell_type"] != "code":
            continue
        for output in cell["outputs"]:
            if output["output_type"] == "error":
                failure = f"{output['ename']}: {output['evalue']}"
                raise ReportError(f"{_name(number, cell)} failed ({failure}); a failed notebook is not exported")
        if cell["metadata"].get("papermill", {}).get("exception"):
            raise ReportError(f"{_name(number, cell)} failed; a failed notebook is not exported")
    for number, cell in enumerate(cells, start=1):
        # the analyst's own cells are left out when a report is made
        is_own = _OWN_TAG in cell["metadata"].get("tags", ()) and not is_reported(cell)
        is_due = cell["cell_type"] == "code" and cell["source"].strip() and not is_own
        if is_due and cell["execution_count"] is None:
            raise ReportError(f"{_name(number, cell)} has not been executed; run the notebook first")


def _cell_blocks(cell: Mapping[str, Any], name: str) -> Iterator[Block]:
    if cell["cell_type"] != "code":
        raise ReportError(f"{name} is tagged {REPORT_TAG!r} but is no code cell; text is shown with a Prose block")
    for output in cell["outputs"]:
        if output["output_type"] == "stream":
            raise ReportError(f"{name} writes to {output['name']}; a report cell shows blocks only")
        data = output.get("data", {})
        if MIME_TYPE not in data:
            raise ReportError(f"{name} shows {', '.join(data) or 'nothing'}; a report cell shows blocks only")
        try:
            yield from_json(data[MIME_TYPE])
        except ReportError as error:
            raise ReportError(f"{name}: {error}") from error


def _name(number: int, cell: Mapping[str, Any]) -> str:
    first_line = cell["source"].strip().partition("\n")[0]
    shown = first_line if len(first_line) <= 60 else first_line[:60] + "..."
    return f"cell {number} ({shown!r})"
