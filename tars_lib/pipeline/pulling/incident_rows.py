"""Incidents of sources among the rows of `incidents.csv`: new ones are added, known ones say what their system says now."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tars_lib.files.csv_cells import csv_cell
from tars_lib.files.limits import MAX_EVENT_BYTES
from tars_lib.files.reading import is_there, read_utf8
from tars_lib.model.names import PastIncident
from tars_lib.sources.csv_additions import with_rows
from tars_lib.sources.past_incidents import COLUMNS, NEEDED, incident_row, read_incidents

NAME = "incidents.csv"
_TEXTS = ("repo", "title", "source", "ref")


def with_incidents(path: Path, incidents: Sequence[PastIncident]) -> bytes:
    """The content of `incidents.csv` with what a source says.

    Parameters
    ----------
    path : Path
        Of the file; it need not be there.
    incidents : sequence of PastIncident
        The same incident is one of the same system, reference, repo and time. What the system leaves empty stays as it is.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    known: dict[tuple[object, ...], int] = {}
    text = None
    if is_there(path, NAME):
        rows, lines = read_incidents(path, NAME)
        known = {_key(one): line for one, line in zip(rows, lines, strict=True)}
        text = read_utf8(path, NAME, MAX_EVENT_BYTES)
    given = {
        _key(one): _cells(one) for one in sorted(incidents, key=lambda one: (one.detected, one.repo or "", one.title))
    }
    replaced = {known[key]: {k: v for k, v in row.items() if v} for key, row in given.items() if key in known}
    new = [row for key, row in given.items() if key not in known]
    return with_rows(text, COLUMNS, NEEDED, new, NAME, replaced).encode("utf-8")


def _cells(one: PastIncident) -> dict[str, str]:
    row = incident_row(one)
    return row | {name: csv_cell(row[name]) for name in _TEXTS}


def _key(one: PastIncident) -> tuple[object, ...]:
    # an alert that fires again keeps its fingerprint, so the time belongs to the key
    return (one.source, one.ref or one.title, one.repo or "", one.detected)
