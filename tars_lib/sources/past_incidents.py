"""Reads `incidents.csv`: the incidents of the past that other systems kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tars_lib.errors import MAX_FAULTS, InputError, listed, place
from tars_lib.files.json_records import time_text
from tars_lib.files.limits import MAX_EVENT_BYTES, MAX_EVENTS, MAX_TEXT
from tars_lib.files.reading import read_utf8
from tars_lib.model.names import AlertSeverity, PastIncident
from tars_lib.model.severities import read_severity
from tars_lib.model.times import read_time
from tars_lib.sources.csv_rows import refuse_columns
from tars_lib.sources.exported.tables import read_table

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

NEEDED = ("detected", "title")
COLUMNS = ("detected", "repo", "title", "severity", "started", "acknowledged", "resolved", "source", "ref")
_TIMES = ("started", "acknowledged", "resolved")


def read_incidents(
    path: Path, label: str, assume_tz: ZoneInfo | None = None
) -> tuple[tuple[PastIncident, ...], tuple[int, ...]]:
    """Read past incidents, as they stand in the file, and the line of each.

    Parameters
    ----------
    path : Path
        CSV with the columns detected and title and, optionally, those of `COLUMNS`.
    label : str
        How messages name the file.
    assume_tz : ZoneInfo, optional
        Zone of times that name none.

    Raises
    ------
    InputError
        If a column is missing, a time or severity cannot be read, or an incident ends before it is detected or begins after
        that; up to ten rows are named.
    """
    table = read_table(read_utf8(path, label, MAX_EVENT_BYTES), label)
    refuse_columns(table.columns, label, NEEDED)
    if len(table.rows) > MAX_EVENTS:
        raise InputError(f"{label}: {len(table.rows)} incidents; up to {MAX_EVENTS} are allowed")
    found: list[PastIncident] = []
    faults: list[str] = []
    for line, row in zip(table.lines, table.rows, strict=True):
        try:
            found.append(_incident(dict(zip(table.columns, row, strict=True)), label, line, assume_tz))
        except InputError as error:
            faults.append(str(error))
    if faults:
        raise InputError(listed(faults[:MAX_FAULTS], len(faults)))
    return tuple(found), table.lines


def _incident(row: dict[str, str], label: str, line: int, zone: ZoneInfo | None) -> PastIncident:
    def time(column: str) -> datetime | None:
        text = row.get(column, "")
        return read_time(text, place(label, row=line, column=column), zone) if text else None

    for column, text in row.items():
        if len(text) > MAX_TEXT:
            where = place(label, row=line, column=column)
            raise InputError(f"{where}: a text of {len(text)} characters; up to {MAX_TEXT} are allowed")
    detected = time("detected")
    for column in NEEDED:
        if not row[column]:
            raise InputError(f"{place(label, row=line, column=column)}: empty; it is needed")
    assert detected is not None  # noqa: S101 - just looked at
    started, acknowledged, resolved = (time(column) for column in _TIMES)
    if started is not None and started > detected:
        raise InputError(f"{place(label, row=line, column='started')}: {row['started']} is after detected")
    for column, moment in (("acknowledged", acknowledged), ("resolved", resolved)):
        if moment is not None and moment < detected:
            raise InputError(f"{place(label, row=line, column=column)}: {row[column]} is before detected")
    word = row.get("severity", "")
    severity = read_severity(word) if word else None
    if word and severity is None:
        allowed = ", ".join(member.value for member in AlertSeverity)
        raise InputError(
            f"{place(label, row=line, column='severity')}: {word[:60]!r} is not known; allowed: {allowed}, or nothing"
        )
    return PastIncident(
        detected,
        row["title"],
        row.get("source", ""),
        row.get("ref") or None,
        row.get("repo") or None,
        severity,
        started,
        acknowledged,
        resolved,
    )


def incident_row(one: PastIncident) -> dict[str, str]:
    """An incident as the cells of its row."""
    times = {
        "detected": one.detected,
        "started": one.started,
        "acknowledged": one.acknowledged,
        "resolved": one.resolved,
    }
    return {
        "repo": one.repo or "",
        "title": one.title,
        "severity": "" if one.severity is None else one.severity.value,
        "source": one.source,
        "ref": one.ref or "",
        **{column: "" if time is None else time_text(time) for column, time in times.items()},
    }


def merged_incidents(
    known: Sequence[PastIncident], lines: Sequence[int], given: Sequence[PastIncident], label: str
) -> tuple[list[PastIncident], dict[int, dict[str, str]]]:
    """What is new among incidents: those that are not there yet, and what is known now of those that are, by their line.

    An incident is the same by source, `ref` and repo; without a `ref` by source, repo, time and title.

    Raises
    ------
    InputError
        If it says something else than the row that is there.
    """
    at = {_key(one): position for position, one in enumerate(known)}
    new: dict[tuple[object, ...], PastIncident] = {}
    filled: dict[int, dict[str, str]] = {}
    for one in given:
        key = _key(one)
        position = at.get(key)
        before = new.get(key) if position is None else known[position]
        if before is None:
            new[key] = one
            continue
        was, now = incident_row(before), incident_row(one)
        differing = [column for column in COLUMNS if was[column] and now[column] and was[column] != now[column]]
        if differing:
            column = differing[0]
            where = label if position is None else place(label, row=lines[position], column=column)
            raise InputError(
                f"{where}: {was[column]}, but the import says {now[column]} of {one.source} {one.ref or one.title}; "
                "one of them is meant"
            )
        more = {column: text for column, text in now.items() if text and not was[column]}
        if more and position is not None:
            filled.setdefault(lines[position], {}).update(more)
        elif more:
            new[key] = one
    return sorted(new.values(), key=lambda one: (one.detected, one.repo or "", one.title)), filled


def _key(one: PastIncident) -> tuple[object, ...]:
    repo = one.repo or ""
    return (one.source, one.ref, repo) if one.ref else (one.source, repo, one.detected, one.title)
