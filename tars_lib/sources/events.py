"""Reads `events.csv`: deploys, configuration changes, incidents, maintenance windows."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

from tars_lib.errors import InputError, place
from tars_lib.schema import Event
from tars_lib.times import read_time

if TYPE_CHECKING:
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
        If a column is missing, a time cannot be read, or `until` is before `timestamp`.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            lacking = [column for column in _NEEDED if column not in (rows.fieldnames or ())]
            if lacking:
                found = ", ".join(rows.fieldnames or ()) or "nothing"
                raise InputError(
                    f"{place(label, row=1)}: column {', '.join(lacking)} is missing; "
                    f"needed: {', '.join(_NEEDED)}; found: {found}"
                )
            events = [_event(row, label, rows.line_num, assume_tz) for row in rows]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{label}: cannot be read: {error}") from error
    return tuple(sorted(events, key=lambda event: (event.timestamp, event.repo or "", event.kind, event.title)))


def _event(row: dict[str, str | None], label: str, number: int, assume_tz: ZoneInfo | None) -> Event:
    def text(column: str) -> str | None:
        value = row.get(column)
        return value.strip() or None if isinstance(value, str) else None

    kind = text("kind")
    if kind is None:
        raise InputError(f"{place(label, row=number, column='kind')}: empty; a kind such as deploy is needed")
    start = read_time(text("timestamp") or "", place(label, row=number, column="timestamp"), assume_tz)
    ends = text("until")
    until = None if ends is None else read_time(ends, place(label, row=number, column="until"), assume_tz)
    if until is not None and until < start:
        raise InputError(f"{place(label, row=number, column='until')}: {ends} is before the event's timestamp")
    return Event(start, text("repo"), kind.lower(), text("title") or kind, text("ref"), until)
