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
    PlacedEntry,
    homeless,
    past_incident,
    records_of,
    unknown_severities,
)
from tars_lib.sources.exported.shapes import NO_CHOICES, Choices, Exported
from tars_lib.sources.exported.tables import read_table
from tars_lib.text.counts import plural

_LISTS = ("incidents", "data")
_CREATED = ("created_at", "created_on")
_ENDED = ("resolved_at", "resolved_on")
_SEVERITY = ("priority.summary", "priority.name", "priority_name", "priority", "urgency")
_REPO = ("service.summary", "service.name", "service_name")


def is_one(document: object) -> bool:
    """Return whether parsed JSON looks like incidents of PagerDuty."""
    try:
        entries = records_of(document, _LISTS, "")
    except InputError:
        return False
    return _are_known({name for entry in entries for name in entry.entry})


def is_report(content: Content) -> bool:
    """Return whether a table is its report of incidents."""
    return _are_known(set(content.columns))


def _are_known(names: set[str]) -> bool:
    return "incident_number" in names and bool(names & set(_CREATED)) and bool(names & {"service", "service_name"})


def read_report(content: Content, choices: Choices) -> Exported:
    """Read the report; its times are in the zone of the account, and name it only in some settings.

    Raises
    ------
    InputError
        As `parse` does, or if a time names no zone and none was chosen.
    """
    return _exported(read_table(content.text, content.label).entries(choices), content.label, choices)


def parse(document: object, label: str = "pagerduty", choices: Choices = NO_CHOICES) -> Exported:
    """Read incidents: detected when they were created, by PagerDuty's own times of acknowledgement and resolution.

    Raises
    ------
    InputError
        If an entry has no title or no time that can be read.
    """
    return _exported(records_of(document, _LISTS, label, choices), label, choices)


def _exported(entries: Sequence[PlacedEntry], label: str, choices: Choices) -> Exported:
    incidents = tuple(_incident(entry) for entry in entries)
    notes = list(unknown_severities([entry.text(*_SEVERITY) for entry in entries], label))
    notes += homeless(incidents, label)
    guessed = sum(
        incident.resolved is not None and not entry.text(*_ENDED)
        for incident, entry in zip(incidents, entries, strict=True)
    )
    if guessed:
        notes.append(
            f"{label}: {plural(guessed, 'resolved incident')} without resolved_at: last_status_change_at is taken, which is "
            "when the status became resolved"
        )
    return Exported(
        incidents=incidents,
        columns="created, acknowledgements, resolved; repo from the service",
        zone="as each time says" if choices.zone is None else f"{choices.zone.key} where a time names none",
        notes=tuple(notes),
    )


def _incident(entry: PlacedEntry) -> PastIncident:
    begin, end, choices = entry.time(*_CREATED), entry.time(*_ENDED), entry.choices
    if end is None and entry.text("status").lower() == "resolved":
        end = entry.time("last_status_change_at")
    return past_incident(
        entry.where,
        "pagerduty",
        detected=begin,
        title=entry.text("title", "description", "summary"),
        ref=entry.text("id", "incident_number"),
        repo=choices.repo or choices.repo_of(entry.name(*((choices.repo_from,) if choices.repo_from else _REPO))),
        severity=entry.text(*_SEVERITY),
        acknowledged=_acknowledged(entry, begin),
        resolved=end,
    )


def _acknowledged(entry: PlacedEntry, begin: datetime | None) -> datetime | None:
    times = [time for given in entry.inner("acknowledgements") if (time := given.time("at")) is not None]
    seconds = "" if times else entry.text("seconds_to_first_ack")
    if not seconds or begin is None:
        return min(times, default=None)
    try:
        return begin + timedelta(seconds=float(seconds))
    except (ValueError, OverflowError) as error:
        raise InputError(f"{entry.where}, seconds_to_first_ack: {seconds[:60]!r} is not a number of seconds") from error
