"""Events of sources among the rows of `events.csv`: those of one source and range are replaced, all others stay."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from tars_lib.errors import InputError
from tars_lib.files.limits import MAX_EVENT_BYTES
from tars_lib.files.reading import is_there, read_utf8
from tars_lib.model.names import Event
from tars_lib.model.times import read_time
from tars_lib.pipeline.pulling.ranges import Range
from tars_lib.sources.csv_additions import table_text
from tars_lib.sources.csv_rows import read_head, rows_of
from tars_lib.sources.events import event_row

NAME = "events.csv"
COLUMNS = ("timestamp", "repo", "kind", "title", "ref", "until", "source")


def with_events(path: Path, events: Sequence[Event], source: str, pulled: Range) -> bytes:
    """Return the content of `events.csv` with what a source says of a range.

    Parameters
    ----------
    path : Path
        Of the file; it need not be there.
    source : str
        Stands in the column `source` of its rows.
    pulled : Range
        Rows of this source in it are replaced.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    columns, rows, separator = _there(path)
    at = {name: position for position, name in enumerate(columns)}

    def cell(row: Sequence[str], name: str) -> str:
        return row[at[name]].strip() if name in at and at[name] < len(row) else ""

    kept = [row for row in rows if cell(row, "source") != source or not _inside(cell(row, "timestamp"), pulled)]
    known = {tuple(cell(row, name) for name in ("timestamp", "repo", "kind", "ref")) for row in kept}
    added = []
    for event in sorted(events, key=lambda event: (event.timestamp, event.repo or "", event.kind, event.title)):
        values = {**event_row(event), "source": source}
        key = tuple(values[name] for name in ("timestamp", "repo", "kind", "ref"))
        if key not in known:
            known.add(key)
            added.append([values.get(name, "") for name in columns])
    return table_text([columns, *kept, *added], separator).encode("utf-8")


def _there(path: Path) -> tuple[list[str], list[list[str]], str]:
    """Return the columns, rows and separator of the file as it is, with every column that is needed."""
    if not is_there(path, NAME):
        return list(COLUMNS), [], ","
    text = read_utf8(path, NAME, MAX_EVENT_BYTES)
    head = read_head((line.encode() for line in io.StringIO(text, newline="")), NAME, COLUMNS[:4])
    columns = [*head.columns, *(name for name in COLUMNS[4:] if name not in head.columns)]
    try:
        rows = [fields for _, fields in rows_of(io.StringIO(text, newline=""), head)]
    except csv.Error as error:
        raise InputError(f"{NAME}: cannot be read: {error}") from error
    return columns, [row + [""] * (len(columns) - len(row)) for row in rows], head.separator


def _inside(text: str, pulled: Range) -> bool:
    try:
        return pulled.since <= read_time(text, NAME) < pulled.until
    except InputError:
        return False
