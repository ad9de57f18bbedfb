"""Reads `events.csv`: deploys, configuration changes, incidents, maintenance windows."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tars_lib.errors import MAX_FAULTS, MAX_KEPT, InputError, listed, place
from tars_lib.files.csv_cells import csv_cell
from tars_lib.files.json_records import time_text
from tars_lib.files.limits import MAX_EVENT_BYTES, MAX_EVENTS, MAX_TEXT
from tars_lib.files.reading import read_utf8
from tars_lib.model.names import Event
from tars_lib.model.organisation import MAINTENANCE
from tars_lib.model.times import BeyondCalendarError, read_time
from tars_lib.sources.csv_rows import TableHead, open_quote, read_head, row_after, rows_of, swallows

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

NEEDED = ("timestamp", "repo", "kind", "title")


def read_events(path: Path, label: str, assume_tz: ZoneInfo | None = None) -> tuple[tuple[Event, ...], tuple[str, ...]]:
    """Read events, in time order.

    Parameters
    ----------
    path : Path
        CSV with the columns timestamp, repo, kind, title and, optionally, ref and until. An empty repo concerns all.

    Returns
    -------
    notes : tuple of str
        What was read in a particular way, and the rows that were left out because no calendar has their time.

    Raises
    ------
    InputError
        If a column is missing, a quote is not closed, a row has more fields than there are columns or a recurrence rule, a time
        cannot be read, a text is beyond the limits, or `until` is before `timestamp`; up to ten rows are named.
    """
    text = read_utf8(path, label, MAX_EVENT_BYTES)
    head = read_head((line.encode() for line in io.StringIO(text, newline="")), label, NEEDED)
    events: list[Event] = []
    faults: list[str] = []
    beyond: list[str] = []
    last = head.line
    try:
        for count, (line, fields) in enumerate(rows_of(io.StringIO(text, newline=""), head), start=1):
            last = line
            if count > MAX_EVENTS:
                raise InputError(
                    f"{place(label, row=line)}: more than {MAX_EVENTS} events; up to that many are allowed"
                )
            try:
                _refuse_shape(fields, head, label, line)
                events.append(_event(dict(zip(head.columns, fields, strict=False)), label, line, assume_tz))
            except BeyondCalendarError as error:
                beyond.append(str(error))
            except InputError as error:
                faults.append(str(error))
    except csv.Error as error:
        faults.append(f"{label}, {open_quote(row_after(io.StringIO(text, newline=''), head, last), error)}")
    if faults:
        raise InputError(listed(faults), faults=faults[:MAX_KEPT])
    notes = [*head.notes, *(f"{fault}; the event is left out" for fault in beyond[:MAX_FAULTS])]
    if len(beyond) > MAX_FAULTS:
        notes.append(f"{label}: {len(beyond) - MAX_FAULTS} more events are left out because of their times")
    once = dict.fromkeys(events)
    if len(once) < len(events):
        notes.append(f"{label}: {len(events) - len(once)} events stand there more than once, and count once")
    events = list(once)
    events.sort(key=lambda event: (event.timestamp, event.repo or "", event.kind, event.title))
    return tuple(events), tuple(notes)


def _refuse_shape(fields: list[str], head: TableHead, label: str, line: int) -> None:
    if len(fields) > len(head.columns):
        raise InputError(
            f"{place(label, row=line)}: {len(fields)} fields; row {head.line} names {len(head.columns)} columns"
        )
    if any(swallows(field, head) for field in fields):
        raise InputError(f"{place(label, row=line)}: a quote that opens in this row swallows the rows after it")


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


def windows_that_exclude_nothing(events: Sequence[Event], label: str) -> list[str]:
    """Return what a reader should know of maintenance that has no end, and of a kind that only looks like maintenance."""
    said = []
    endless = sum(event.kind == MAINTENANCE and event.until is None for event in events)
    if endless:
        said.append(f"{label}: {endless} maintenance events have no end (until) and exclude nothing")
    odd = sorted(
        {event.kind for event in events if event.until is not None and event.kind.startswith(("maint", "planned"))}
    )
    if odd := [kind for kind in odd if kind != MAINTENANCE]:
        said.append(f"{label}: kind {', '.join(map(repr, odd[:3]))} excludes nothing; kind {MAINTENANCE} does")
    return said


def event_row(event: Event) -> dict[str, str]:
    """Return an event as the cells of its row, of which a spreadsheet computes none."""
    return {
        "timestamp": time_text(event.timestamp),
        "repo": csv_cell(event.repo or ""),
        "kind": csv_cell(event.kind),
        "title": csv_cell(event.title),
        "ref": csv_cell(event.ref or ""),
        "until": "" if event.until is None else time_text(event.until),
    }
