"""Tables for spreadsheets: CSV by RFC 4180 in which no text is ever computed."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime

from tars_lib.text.times import SECONDS
from tars_lib.text.visible import visible

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""A cell that begins so is a formula to a spreadsheet, https://owasp.org/www-community/attacks/CSV_Injection"""

CsvCell = str | float | bool | datetime | None


def csv_text(head: Sequence[str], rows: Iterable[Sequence[CsvCell]]) -> str:
    r"""Return a table as CSV.

    Parameters
    ----------
    rows : iterable of sequence
        Numbers are written unrounded, times in UTC, None as an empty cell.

    Examples
    --------
    >>> csv_text(("repo", "score"), [("=1+1", 0.1), ("web", None)])
    "repo,score\r\n'=1+1,0.1\r\nweb,\r\n"
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(head)
    writer.writerows([_text(cell) for cell in row] for row in rows)
    return out.getvalue()


def csv_cell(text: str) -> str:
    """A text that a spreadsheet shows as it is: what would be a formula begins with an apostrophe, hidden characters show."""
    cell = "\n".join(" ".join(visible(line).split()) for line in text.splitlines())
    return f"'{cell}" if cell.startswith(FORMULA) or text.startswith(FORMULA) else cell


def _text(cell: CsvCell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, datetime):
        return f"{cell:{SECONDS}}"
    return csv_cell(cell) if isinstance(cell, str) else repr(cell)
