"""Alerts and incidents of Opsgenie: the list of its API, with `report` where somebody asked for it.

References
----------
https://docs.opsgenie.com/docs/alert-api
https://docs.opsgenie.com/docs/incident-api
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tars_lib.errors import InputError
from tars_lib.model.names import PastIncident
from tars_lib.sources.exported.content import Content
from tars_lib.sources.exported.fields import (
    WITH_ZONE,
    Entry,
    EntryShape,
    PlacedEntry,
    past_incident,
    unknown_severities,
)
from tars_lib.sources.exported.shapes import NO_CHOICES, Choices, Exported
from tars_lib.sources.exported.tables import read_table
from tars_lib.text.counts import plural
from tars_lib.text.times import SECONDS

SHAPE = EntryShape(("data",), dict.fromkeys(("tinyId", "createdAt", "message"), object))
_TAG = "service:"


def is_report(content: Content) -> bool:
    """Return whether a table is its export of alerts."""
    return {"tinyid", "message", "createdat"} <= {_plain(name) for name in content.columns}


def read_report(content: Content, choices: Choices) -> Exported:
    """Read the export; its times are counts of milliseconds, or texts that name a zone in some settings alone.

    Raises
    ------
    InputError
        As `parse` does, or if a time names no zone and none was chosen.
    """
    rows = read_table(content.text, content.label).entries(choices)
    return _exported([replace(row, entry=_of_row(row.entry)) for row in rows], content.label, choices)


def _plain(name: str) -> str:
    """Return a column without case, blanks and marks: versions of the export write ``TinyId``, ``Tiny ID`` and ``tiny_id``."""
    return "".join(letter for letter in name.lower() if letter.isalnum())


def _of_row(cells: Entry) -> Entry:
    """Return a row as the object that the API gives."""
    row = {_plain(name): cell for name, cell in cells.items() if cell}
    tags = [tag.strip(" []\"'") for tag in re.split(r"[,|;]", row.get("tags", ""))]
    report = {
        key: int(row[name]) if row[name].isdigit() else row[name]
        for key, name in (("ackTime", "acktime"), ("closeTime", "closetime"))
        if name in row
    }
    created = row.get("createdat", "")
    if re.fullmatch(r"1\d{12}", created):
        created = f"{datetime.fromtimestamp(int(created) / 1000, UTC):{SECONDS}}"
    plain: Entry = {key: row[key] for key in ("message", "priority", "status", "entity", "source") if key in row}
    return {
        **plain, "createdAt": created, "tinyId": row.get("tinyid", ""), "tags": tags, "report": report,
        "details": {"service": row.get("service", "")},
    }  # fmt: skip


def parse(document: object, label: str = "opsgenie", choices: Choices = NO_CHOICES) -> Exported:
    """Read alerts as incidents: detected when they were created, the other times by the report of each.

    The repo is the field that `repo_from` names, else `details.service`, else the tag ``service:NAME``, else `entity`.

    Raises
    ------
    InputError
        If an entry has no message or no time that can be read, or no repo is found in any.
    """
    return _exported(SHAPE.records(document, label, choices), label, choices)


def _exported(entries: Sequence[PlacedEntry], label: str, choices: Choices) -> Exported:
    incidents = tuple(_incident(entry) for entry in entries)
    notes = list(unknown_severities([entry.text("priority") for entry in entries], label))
    if incidents and not any(incident.repo for incident in incidents):
        raise InputError(
            f"{label}: no alert names a service: --repo-from FIELD says where it stands (such as source or details.app), "
            "--repo NAME that all are of one"
        )
    endless = sum(
        incident.resolved is None and entry.text("status") in ("closed", "resolved")
        for incident, entry in zip(incidents, entries, strict=True)
    )
    if endless:
        notes.append(
            f"{label}: {plural(endless, 'alert')} closed at a time that is not told: resolved is left empty. The list of "
            "the API has it in report.closeTime"
        )
    return Exported(
        incidents=incidents, columns="createdAt, report.ackTime, report.closeTime, priority",
        zone=WITH_ZONE if choices.zone is None else f"{choices.zone.key} where a time names none",
        notes=tuple(notes),
    )  # fmt: skip


def _incident(entry: PlacedEntry) -> PastIncident:
    begin, impact = entry.time("createdAt"), entry.time("impactStartDate")
    return past_incident(
        entry.where,
        "opsgenie",
        detected=begin,
        title=entry.text("message"),
        ref=entry.text("tinyId", "id"),
        repo=entry.choices.repo or entry.choices.repo_of(_repo(entry)),
        severity=entry.text("priority"),
        # of its incidents; the time of opening where nobody set another one, which says nothing of the harm
        started=impact if impact is not None and begin is not None and impact < begin else None,
        acknowledged=_after(entry, "report.ackTime", begin),
        resolved=_after(entry, "report.closeTime", begin),
    )


def _repo(entry: PlacedEntry) -> str:
    if entry.choices.repo_from:
        return entry.name(entry.choices.repo_from)
    tags = [tag for tag in entry.at("tags") or () if isinstance(tag, str) and tag.startswith(_TAG)]
    tagged = tags[0].removeprefix(_TAG) if tags else ""
    return entry.name("details.service") or tagged or entry.name("entity")


def _after(entry: PlacedEntry, path: str, begin: datetime | None) -> datetime | None:
    """Return a time that is told as milliseconds since the alert was created."""
    value = entry.at(path)
    if value is None or begin is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise InputError(f"{entry.where}, {path}: {str(value)[:60]!r} is not a number of milliseconds since createdAt")
    try:
        return begin + timedelta(milliseconds=value)
    except (OverflowError, ValueError) as error:
        raise InputError(f"{entry.where}, {path}: {str(value)[:60]} ms is longer than the calendar") from error
