"""Alerts and incidents of Opsgenie: the list of its API, with `report` where somebody asked for it.

References
----------
https://docs.opsgenie.com/docs/alert-api
https://docs.opsgenie.com/docs/incident-api
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from tars_lib.errors import InputError
from tars_lib.model.names import PastIncident
from tars_lib.sources.exported.content import Content
from tars_lib.sources.exported.fields import (
    WITH_ZONE,
    Entry,
    are_all,
    at,
    counted,
    entries_of,
    name_at,
    past_incident,
    text_at,
    time_at,
    unknown_severities,
)
from tars_lib.sources.exported.shapes import Choices, Exported
from tars_lib.sources.exported.tables import read_table
from tars_lib.text.times import SECONDS

_LISTS = ("data",)
_TAG = "service:"


def is_one(document: object) -> bool:
    """Return whether parsed JSON looks like alerts of Opsgenie."""
    return are_all(document, _LISTS, lambda entry: {"tinyId", "createdAt", "message"} <= set(entry))


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
    rows = read_table(content.text, content.label).entries()
    found = [(where, _of_row({_plain(name): cell for name, cell in row.items() if cell})) for where, row in rows]
    return of_entries(found, content.label, choices)


def _plain(name: str) -> str:
    """A column without case, blanks and marks: versions of the export write ``TinyId``, ``Tiny ID`` and ``tiny_id``."""
    return "".join(letter for letter in name.lower() if letter.isalnum())


def _of_row(row: dict[str, str]) -> Entry:
    """A row as the object that the API gives."""
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


def parse(document: object, label: str = "opsgenie", choices: Choices | None = None) -> Exported:
    """Read alerts as incidents: detected when they were created, the other times by the report of each.

    The repo is the field that `repo_from` names, else `details.service`, else the tag ``service:NAME``, else `entity`.

    Raises
    ------
    InputError
        If an entry has no message or no time that can be read, or no repo is found in any.
    """
    return of_entries(entries_of(document, _LISTS, label), label, choices or Choices())


def of_entries(found: Sequence[tuple[str, Entry]], label: str, choices: Choices) -> Exported:
    """Read alerts of objects, or rows of a table, each with its place.

    Raises
    ------
    InputError
        As `parse` does.
    """
    incidents = tuple(_incident(entry, where, choices) for where, entry in found)
    notes = list(unknown_severities([text_at(entry, "priority") for _, entry in found], label))
    if incidents and not any(one.repo for one in incidents):
        raise InputError(
            f"{label}: no alert names a service: --repo-from FIELD says where it stands (such as source or details.app), "
            "--repo NAME that all are of one"
        )
    endless = sum(
        one.resolved is None and text_at(entry, "status") in ("closed", "resolved")
        for one, (_, entry) in zip(incidents, found, strict=True)
    )
    if endless:
        notes.append(
            f"{label}: {counted(endless, 'alert')} closed at a time that is not told: resolved is left empty. The list of "
            "the API has it in report.closeTime"
        )
    return Exported(
        incidents=incidents, columns="createdAt, report.ackTime, report.closeTime, priority",
        zone=WITH_ZONE if choices.zone is None else f"{choices.zone.key} where a time names none",
        notes=tuple(notes),
    )  # fmt: skip


def _incident(entry: Entry, where: str, choices: Choices) -> PastIncident:
    begin = time_at(entry, "createdAt", where=where, choices=choices)
    impact = time_at(entry, "impactStartDate", where=where, choices=choices)
    return past_incident(
        where=where,
        detected=begin,
        title=text_at(entry, "message", where=where),
        source="opsgenie",
        ref=text_at(entry, "tinyId", "id", where=where),
        repo=choices.repo or choices.repo_of(_repo(entry, where, choices)),
        severity=text_at(entry, "priority", where=where),
        # of its incidents; the time of opening where nobody set another one, which says nothing of the harm
        started=impact if impact is not None and begin is not None and impact < begin else None,
        acknowledged=_after(entry, "report.ackTime", begin, where),
        resolved=_after(entry, "report.closeTime", begin, where),
    )


def _repo(entry: Entry, where: str, choices: Choices) -> str:
    if choices.repo_from:
        return name_at(entry, choices.repo_from, where=where)
    tags = [tag for tag in at(entry, "tags") or () if isinstance(tag, str) and tag.startswith(_TAG)]
    tagged = tags[0].removeprefix(_TAG) if tags else ""
    return name_at(entry, "details.service", where=where) or tagged or name_at(entry, "entity", where=where)


def _after(entry: Entry, path: str, begin: datetime | None, where: str) -> datetime | None:
    """A time that is told as milliseconds since the alert was created."""
    value = at(entry, path)
    if value is None or begin is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise InputError(f"{where}, {path}: {str(value)[:60]!r} is not a number of milliseconds since createdAt")
    try:
        return begin + timedelta(milliseconds=value)
    except (OverflowError, ValueError) as error:
        raise InputError(f"{where}, {path}: {str(value)[:60]} ms is longer than the calendar") from error
