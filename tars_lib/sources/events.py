"""Reads `events.csv`: deploys, configuration changes, incidents, maintenance windows."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tars_lib.errors import InputError, place
from tars_lib.files.limits import MAX_COLUMNS, MAX_EVENT_BYTES, MAX_EVENTS, MAX_TEXT
from tars_lib.files.reading import read_utf8
from tars_lib.model.names import Event
from tars_lib.model.times import read_time

if TYPE_CHECKING:
    from _csv import Reader as _Rows
    from zoneinfo import ZoneInfo

_NEEDED = ("timestamp", "repo", "kind", "title")


def read_events(path: Path, label: str, assume_tz: ZoneInfo | None = None) -> tuple[Event, ...]:
    """Read events, in time order.

    Parameters
    ----------
    path : Path
        CSV with the columns timestamp, repo, kind, title and, optionally, ref and until. An empty repo concerns all.
    label : str
        How messages name the file.
    assume_tz : ZoneInfo, optional
        Zone of times that name none.

    Raises
    ------
    InputError
        If a column is missing, a row has more fields than there are columns or a recurrence rule, a time cannot be
        read, a text is beyond the limits, or `until` is before `timestamp`.
    """
    text = read_utf8(path, label, MAX_EVENT_BYTES)
    rows = csv.reader(io.StringIO(text, newline=""))
    try:
        columns = next(rows, [])
        lacking = [column for column in _NEEDED if column not in columns]
        if lacking:
            found = " ".join(", ".join(columns)[:200].split()) or "nothing"
            raise InputError(
                f"{place(label, row=1)}: column {', '.join(lacking)} is missing; "
                f"needed: {', '.join(_NEEDED)}; found: {found}"
            )
        if len(columns) > MAX_COLUMNS:
            raise InputError(f"{place(label, row=1)}: {len(columns)} columns; up to {MAX_COLUMNS} are allowed")
        events = list(_events(rows, columns, label, assume_tz))
    except csv.Error as error:
        raise InputError(f"{place(label, row=rows.line_num)}: {error}") from error
    return tuple(sorted(events, key=lambda event: (event.timestamp, event.repo or "", event.kind, event.title)))


def _events(rows: _Rows, columns: list[str], label: str, assume_tz: ZoneInfo | None) -> Iterator[Event]:
    before = rows.line_num
    for count, fields in enumerate(rows, start=1):
        # a row with a line end in quotes has several lines; it is named by its first
        line, before = before + 1, rows.line_num
        if count > MAX_EVENTS:
            raise InputError(f"{place(label, row=line)}: more than {MAX_EVENTS} events; up to that many are allowed")
        if len(fields) > len(columns):
            raise InputError(f"{place(label, row=line)}: {len(fields)} fields; row 1 names {len(columns)} columns")
        if fields:
            yield _event(dict(zip(columns, fields, strict=False)), label, line, assume_tz)


def _event(row: dict[str, str], label: str, number: int, assume_tz: ZoneInfo | None) -> Event:
    def text(column: str) -> str | None:
        value = row.get(column, "").strip()
        if len(value) > MAX_TEXT:
            where = place(label, row=number, column=column)
            raise InputError(f"{where}: a text of {len(value)} characters; up to {MAX_TEXT} are allowed")
        return value or None

    kind = text("kind")
    if kind is None:
        raise InputError(f"{place(label, row=number, column='kind')}: empty; a kind such as deploy is needed")
    start = read_time(text("timestamp") or "", place(label, row=number, column="timestamp"), assume_tz)
    if text("rrule") is not None:
        where = place(label, row=number, column="rrule")
        raise InputError(
            f"{where}: an event of this file comes once; what comes again stands in org.yaml, under maintenance"
        )
    ends = text("until")
    until = None if ends is None else read_time(ends, place(label, row=number, column="until"), assume_tz)
    if until is not None and until < start:
        raise InputError(f"{place(label, row=number, column='until')}: {ends} is before the event's timestamp")
    return Event(start, text("repo"), kind.lower(), text("title") or kind, text("ref"), until)
