"""Reads `incidents.csv`: the incidents of the past that other systems kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tars_lib.errors import MAX_KEPT, InputError, listed, place
from tars_lib.files.csv_cells import csv_cell
from tars_lib.files.json_records import time_text
from tars_lib.files.limits import MAX_EVENT_BYTES, MAX_EVENTS, MAX_TEXT
from tars_lib.files.reading import read_utf8
from tars_lib.model.names import AlertSeverity, PastIncident, read_severity
from tars_lib.model.times import read_time
from tars_lib.sources.csv_additions import with_rows
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
    incidents: list[PastIncident] = []
    faults: list[str] = []
    for line, row in zip(table.lines, table.rows, strict=True):
        try:
            incidents.append(_incident(dict(zip(table.columns, row, strict=True)), label, line, assume_tz))
        except InputError as error:
            faults.append(str(error))
    if faults:
        raise InputError(listed(faults), faults=faults[:MAX_KEPT])
    return tuple(incidents), table.lines


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


def incident_row(incident: PastIncident) -> dict[str, str]:
    """Return an incident as the cells of its row, of which a spreadsheet computes none."""
    times = {
        "detected": incident.detected,
        "started": incident.started,
        "acknowledged": incident.acknowledged,
        "resolved": incident.resolved,
    }
    return {
        "repo": csv_cell(incident.repo or ""),
        "title": csv_cell(incident.title),
        "severity": "" if incident.severity is None else incident.severity.value,
        "source": csv_cell(incident.source),
        "ref": csv_cell(incident.ref or ""),
        **{column: "" if time is None else time_text(time) for column, time in times.items()},
    }


def with_incidents(
    path: Path | None, given: Sequence[PastIncident], label: str, *, is_live: bool = False
) -> tuple[str | None, int, int]:
    """Return the text of an `incidents.csv` that holds further incidents, how many are new, and how many rows were filled in.

    Parameters
    ----------
    path : Path or None
        Of the file; None where there is none yet.

    Returns
    -------
    text : str or None
        None where nothing changes.

    Raises
    ------
    InputError
        If the file cannot be read, or says something else of an incident.
    """
    known, lines = ((), ()) if path is None else read_incidents(path, label)
    text = None if path is None else read_utf8(path, label, MAX_EVENT_BYTES)
    new, filled = merged_incidents(known, lines, given, label, is_live=is_live)
    if not new and not filled:
        return None, 0, 0
    return with_rows(text, COLUMNS, NEEDED, new, label, filled), len(new), len(filled)


def merged_incidents(
    known: Sequence[PastIncident],
    lines: Sequence[int],
    given: Sequence[PastIncident],
    label: str,
    *,
    is_live: bool = False,
) -> tuple[list[dict[str, str]], dict[int, dict[str, str]]]:
    """Return the rows of the incidents that are not there yet, and cells that are known now of those that are, by their line.

    An incident is the same by source, `ref` and repo; without a `ref` by source, repo, time and title.

    Parameters
    ----------
    is_live : bool
        Their system says it now, so it wins; else it may say nothing new of a cell that is filled.

    Raises
    ------
    InputError
        If it says something else than the row that is there, unless `is_live`.
    """
    at = {
        _key(incident_row(incident)): (incident_row(incident), line)
        for incident, line in zip(known, lines, strict=True)
    }
    new: dict[tuple[str, ...], dict[str, str]] = {}
    filled: dict[int, dict[str, str]] = {}
    for incident in given:
        now = incident_row(incident)
        key = _key(now)
        was, line = at.get(key, (new.get(key), None))
        if was is None:
            new[key] = now
            continue
        differing = [column for column in COLUMNS if was[column] and now[column] and was[column] != now[column]]
        if differing and not is_live:
            column = differing[0]
            where = label if line is None else place(label, row=line, column=column)
            raise InputError(
                f"{where}: {was[column]}, but the import says {now[column]} of {incident.source} "
                f"{incident.ref or incident.title}; one of them is meant"
            )
        more = {column: text for column, text in now.items() if text and text != was[column]}
        was |= more
        if more and line is not None:
            filled.setdefault(line, {}).update(more)
    return sorted(new.values(), key=lambda row: (row["detected"], row["repo"], row["title"])), filled


def _key(row: dict[str, str]) -> tuple[str, ...]:
    by = ("source", "ref", "repo") if row["ref"] else ("source", "repo", "detected", "title")
    return tuple(row[column] for column in by)
