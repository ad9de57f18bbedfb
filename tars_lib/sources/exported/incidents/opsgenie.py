"""Alerts and incidents of Opsgenie: the list of its API, with `report` where somebody asked for it.

References
----------
https://docs.opsgenie.com/docs/alert-api
https://docs.opsgenie.com/docs/incident-api
"""

from __future__ import annotations

from datetime import datetime, timedelta

from tars_lib.errors import InputError
from tars_lib.model.names import PastIncident
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

_LISTS = ("data",)
_TAG = "service:"


def is_one(document: object) -> bool:
    """Whether parsed JSON looks like alerts of Opsgenie."""
    return are_all(document, _LISTS, lambda entry: {"tinyId", "createdAt", "message"} <= set(entry))


def parse(document: object, label: str = "opsgenie", choices: Choices | None = None) -> Exported:
    """Read alerts as incidents: detected when they were created, the other times by the report of each.

    The repo is the field that `repo_from` names, else `details.service`, else the tag ``service:NAME``, else `entity`.

    Raises
    ------
    InputError
        If an entry has no message or no time that can be read, or no repo is found in any.
    """
    choices = choices or Choices()
    found = entries_of(document, _LISTS, label)
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
        incidents=incidents, columns="createdAt, report.ackTime, report.closeTime, priority", zone=WITH_ZONE,
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
