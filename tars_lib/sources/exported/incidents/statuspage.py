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
)
from tars_lib.sources.exported.shapes import Choices, Exported

_LISTS = ("incidents", "scheduled_maintenances")
_IMPACT = {"critical": "critical", "major": "high", "minor": "medium", "none": "low", "maintenance": ""}
"""Impacts of a status page as severities; judgement. `minor` is a partial outage there, and no small matter."""


def is_one(document: object) -> bool:
    """Return whether parsed JSON looks like the history of a status page."""
    return are_all(document, _LISTS, lambda entry: {"impact", "name", "created_at", "status"} <= set(entry))


def parse(document: object, label: str = "statuspage", choices: Choices | None = None) -> Exported:
    """Read incidents, one for each component that it names; planned maintenance becomes events.

    `started` is kept where somebody set it to before the incident was posted: a page sets it to the time of posting by itself,
    and that says nothing of when the harm began.

    Raises
    ------
    InputError
        If an entry has no name or no time that can be read.
    """
    choices = choices or Choices()
    incidents: list[PastIncident] = []
    events: list[Event] = []
    homeless, unset = 0, 0
    for where, entry in entries_of(document, _LISTS, label):
        repos = _repos(entry, where, choices)
        if text_at(entry, "scheduled_for"):
            events += _maintenance(entry, where, repos, choices)
            continue
        made = [_incident(entry, where, repo, choices) for repo in repos]
        incidents += made
        homeless += made[0].repo is None
        unset += made[0].started is None
    notes = []
    if homeless:
        notes.append(f"{label}: {counted(homeless, 'incident')} without a component: no service is named")
    if unset:
        notes.append(
            f"{label}: {counted(unset, 'incident')} whose begin nobody set apart from its posting: started is empty"
        )
    return Exported(
        incidents=tuple(incidents),
        events=tuple(events),
        columns="started_at, created_at, resolved_at, impact; repos from components",
        zone=WITH_ZONE,
        notes=tuple(notes),
    )


def _repos(entry: Entry, where: str, choices: Choices) -> list[str]:
    if choices.repo:
        return [choices.repo]
    components = at(entry, "components")
    listed = components if isinstance(components, list) else []
    names = [name_at(one, "name", where=where) for one in listed if isinstance(one, dict)]
    return [choices.repo_of(name) for name in dict.fromkeys(names) if name] or [""]


def _incident(entry: Entry, where: str, repo: str, choices: Choices) -> PastIncident:
    posted = time_at(entry, "created_at", where=where, choices=choices)
    begin = time_at(entry, "started_at", where=where, choices=choices)
    return past_incident(
        where=where,
        detected=posted,
        title=text_at(entry, "name", where=where),
        source="statuspage",
        ref=text_at(entry, "shortlink", "id", where=where),
        repo=repo,
        severity=_IMPACT.get(text_at(entry, "impact").lower(), ""),
        started=begin if begin is not None and posted is not None and begin < posted else None,
        acknowledged=_told(entry, ("investigating", "identified"), where, posted, choices),
        resolved=time_at(entry, "resolved_at", where=where, choices=choices),
    )


def _told(
    entry: Entry, statuses: tuple[str, ...], where: str, posted: datetime | None, choices: Choices
) -> datetime | None:
    """Return when somebody first wrote that they look into it."""
    updates = at(entry, "incident_updates")
    times = [
        time_at(one, "display_at", "created_at", where=f"{where}, incident_updates", choices=choices)
        for one in (updates if isinstance(updates, list) else [])
        if isinstance(one, dict) and text_at(one, "status").lower() in statuses
    ]
    known = [time for time in times if time is not None and (posted is None or time >= posted)]
    return min(known) if known else None


def _maintenance(entry: Entry, where: str, repos: list[str], choices: Choices) -> list[Event]:
    begin = time_at(entry, "scheduled_for", where=where, choices=choices)
    until = time_at(entry, "scheduled_until", where=where, choices=choices)
    title = text_at(entry, "name", where=where)
    if begin is None or (until is not None and until < begin):
        raise InputError(
            f"{where}: scheduled_for {text_at(entry, 'scheduled_for')!r} does not begin before scheduled_until"
        )
    ref = text_at(entry, "shortlink", "id", where=where) or None
    return [Event(begin, repo or None, "maintenance", title or "maintenance", ref, until) for repo in repos]
