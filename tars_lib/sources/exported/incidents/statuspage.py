"""The history of a status page: `/api/v2/incidents.json`, or the list of Statuspage's management API.

References
----------
https://developer.statuspage.io/#tag/incidents
https://metastatuspage.com/api
"""

from __future__ import annotations

from datetime import datetime

from tars_lib.errors import InputError
from tars_lib.model.names import Event, PastIncident
from tars_lib.sources.exported.fields import WITH_ZONE, EntryShape, PlacedEntry, homeless, past_incident
from tars_lib.sources.exported.shapes import NO_CHOICES, Choices, Exported
from tars_lib.text.counts import plural

SHAPE = EntryShape(
    ("incidents", "scheduled_maintenances"), dict.fromkeys(("impact", "name", "created_at", "status"), object)
)
_IMPACT = {"critical": "critical", "major": "high", "minor": "medium", "none": "low", "maintenance": ""}
"""Impacts of a status page as severities; judgement. `minor` is a partial outage there, and no small matter."""


def parse(document: object, label: str = "statuspage", choices: Choices = NO_CHOICES) -> Exported:
    """Read incidents, one for each component that it names; planned maintenance becomes events.

    `started` is kept where somebody set it to before the incident was posted: a page sets it to the time of posting by itself,
    and that says nothing of when the harm began.

    Raises
    ------
    InputError
        If an entry has no name or no time that can be read.
    """
    incidents: list[PastIncident] = []
    events: list[Event] = []
    unset = 0
    for entry in SHAPE.records(document, label, choices):
        repos = _repos(entry)
        if entry.text("scheduled_for"):
            events += _maintenance(entry, repos)
            continue
        of_entry = [_incident(entry, repo) for repo in repos]
        incidents += of_entry
        unset += of_entry[0].started is None
    notes = list(homeless(incidents, label, lacking="a component"))
    if unset:
        notes.append(
            f"{label}: {plural(unset, 'incident')} whose begin nobody set apart from its posting: started is empty"
        )
    return Exported(
        incidents=tuple(incidents),
        events=tuple(events),
        columns="started_at, created_at, resolved_at, impact; repos from components",
        zone=WITH_ZONE,
        notes=tuple(notes),
    )


def _repos(entry: PlacedEntry) -> list[str]:
    if entry.choices.repo:
        return [entry.choices.repo]
    names = [component.name("name") for component in entry.inner("components")]
    return [entry.choices.repo_of(name) for name in dict.fromkeys(names) if name] or [""]


def _incident(entry: PlacedEntry, repo: str) -> PastIncident:
    posted, begin = entry.time("created_at"), entry.time("started_at")
    return past_incident(
        entry.where,
        "statuspage",
        detected=posted,
        title=entry.text("name"),
        ref=entry.text("shortlink", "id"),
        repo=repo,
        severity=_IMPACT.get(entry.text("impact").lower(), ""),
        started=begin if begin is not None and posted is not None and begin < posted else None,
        acknowledged=_acknowledged(entry, posted),
        resolved=entry.time("resolved_at"),
    )


def _acknowledged(entry: PlacedEntry, posted: datetime | None) -> datetime | None:
    """Return when somebody first wrote that they look into it."""
    times = [
        update.time("display_at", "created_at")
        for update in entry.inner("incident_updates")
        if update.text("status").lower() in ("investigating", "identified")
    ]
    return min((time for time in times if time is not None and (posted is None or time >= posted)), default=None)


def _maintenance(entry: PlacedEntry, repos: list[str]) -> list[Event]:
    begin, until = entry.time("scheduled_for"), entry.time("scheduled_until")
    if begin is None or (until is not None and until < begin):
        raise InputError(
            f"{entry.where}: scheduled_for {entry.text('scheduled_for')!r} does not begin before scheduled_until"
        )
    title, ref = entry.text("name") or "maintenance", entry.text("shortlink", "id") or None
    return [Event(begin, repo or None, "maintenance", title, ref, until) for repo in repos]
