"""Incidents of PagerDuty: the list of its API, the raw data of its analytics, or the CSV of its incidents report.

References
----------
https://developer.pagerduty.com/api-reference/9d0b4b12e36f9-list-incidents
https://developer.pagerduty.com/api-reference/analytics-raw-incidents
https://support.pagerduty.com/main/docs/analytics-incidents
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from tars_lib.errors import InputError
from tars_lib.model.names import PastIncident
from tars_lib.sources.exported.content import Content
from tars_lib.sources.exported.fields import (
    Entry,
    at,
    counted,
    entries_of,
    homeless,
    name_at,
    past_incident,
    text_at,
    time_at,
    unknown_severities,
)
from tars_lib.sources.exported.shapes import Choices, Exported
from tars_lib.sources.exported.tables import read_table

_LISTS = ("incidents", "data")
_CREATED = ("created_at", "created_on")
_ENDED = ("resolved_at", "resolved_on")
_SEVERITY = ("priority.summary", "priority.name", "priority_name", "priority", "urgency")
_REPO = ("service.summary", "service.name", "service_name")


def is_one(document: object) -> bool:
    """Return whether parsed JSON looks like incidents of PagerDuty."""
    try:
        found = entries_of(document, _LISTS, "")
    except InputError:
        return False
    return bool(found) and is_table([name for _, entry in found for name in entry])


def is_table(columns: Sequence[str]) -> bool:
    """Return whether names of columns are those of its report."""
    names = set(columns)
    return "incident_number" in names and bool(names & set(_CREATED)) and bool(names & {"service", "service_name"})


def is_report(content: Content) -> bool:
    """Return whether a table is its report of incidents."""
    return is_table(content.columns)


def read_report(content: Content, choices: Choices) -> Exported:
    """Read the report; its times are in the zone of the account, and name it only in some settings.

    Raises
    ------
    InputError
        As `parse` does, or if a time names no zone and none was chosen.
    """
    return of_entries(list(read_table(content.text, content.label).entries()), content.label, choices)


def parse(document: object, label: str = "pagerduty", choices: Choices | None = None) -> Exported:
    """Read incidents: detected when they were created, by PagerDuty's own times of acknowledgement and resolution.

    Raises
    ------
    InputError
        If an entry has no title or no time that can be read.
    """
    return of_entries(entries_of(document, _LISTS, label), label, choices or Choices())


def of_entries(found: Sequence[tuple[str, Entry]], label: str, choices: Choices) -> Exported:
    """Read incidents of objects, or rows of a table, each with its place.

    Raises
    ------
    InputError
        As `parse` does.
    """
    incidents = tuple(_incident(entry, where, choices) for where, entry in found)
    notes = list(unknown_severities([text_at(entry, *_SEVERITY) for _, entry in found], label))
    notes += homeless(incidents, label)
    guessed = sum(
        one.resolved is not None and not text_at(entry, *_ENDED)
        for one, (_, entry) in zip(incidents, found, strict=True)
    )
    if guessed:
        notes.append(
            f"{label}: {counted(guessed, 'resolved incident')} without resolved_at: last_status_change_at is taken, which is "
            "when the status became resolved"
        )
    return Exported(
        incidents=incidents,
        columns="created, acknowledgements, resolved; repo from the service",
        zone="as each time says" if choices.zone is None else f"{choices.zone.key} where a time names none",
        notes=tuple(notes),
    )


def _incident(entry: Entry, where: str, choices: Choices) -> PastIncident:
    begin = time_at(entry, *_CREATED, where=where, choices=choices)
    end = time_at(entry, *_ENDED, where=where, choices=choices)
    if end is None and text_at(entry, "status").lower() == "resolved":
        end = time_at(entry, "last_status_change_at", where=where, choices=choices)
    return past_incident(
        where=where,
        detected=begin,
        title=text_at(entry, "title", "description", "summary", where=where),
        source="pagerduty",
        ref=text_at(entry, "id", "incident_number", where=where),
        repo=choices.repo or choices.repo_of(name_at(entry, *_named(choices), where=where)),
        severity=text_at(entry, *_SEVERITY, where=where),
        acknowledged=_acknowledged(entry, begin, where, choices),
        resolved=end,
    )


def _named(choices: Choices) -> tuple[str, ...]:
    return (choices.repo_from,) if choices.repo_from else _REPO


def _acknowledged(entry: Entry, begin: datetime | None, where: str, choices: Choices) -> datetime | None:
    times = [
        time_at(one, "at", where=f"{where}, acknowledgements", choices=choices)
        for one in at(entry, "acknowledgements") or ()
        if isinstance(one, dict)
    ]
    known = [time for time in times if time is not None]
    if known:
        return min(known)
    seconds = text_at(entry, "seconds_to_first_ack", where=where)
    if not seconds or begin is None:
        return None
    try:
        return begin + timedelta(seconds=float(seconds))
    except (ValueError, OverflowError) as error:
        raise InputError(f"{where}, seconds_to_first_ack: {seconds[:60]!r} is not a number of seconds") from error
