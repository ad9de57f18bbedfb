"""Deployments, releases, commits and pipelines of GitLab.

References
----------
https://docs.gitlab.com/api/deployments/
https://docs.gitlab.com/api/releases/
https://docs.gitlab.com/api/commits/
https://docs.gitlab.com/api/pipelines/
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from tars_lib.model.names import Event
from tars_lib.sources.exported.changes.code_hosts import read_gitlab
from tars_lib.sources.exported.fields import PlacedEntry
from tars_lib.sources.exported.shapes import Choices, Exported
from tars_lib.sources.pulled.hosts.pages import (
    commit_events,
    label_of,
    outlook_of,
    pulled_of,
    recent,
    release_events,
    server,
    span_of,
)
from tars_lib.sources.pulled.protocol import Ask, Pulled, PullOutlook
from tars_lib.sources.pulled.web import Web
from tars_lib.text.times import SECONDS

if TYPE_CHECKING:
    from tars_lib.config.pulling.changes import GitlabForm

_COMMITTED = "committed_date"


def read(spec: GitlabForm, ask: Ask) -> Pulled:
    """Read what the entry names, of each project; see `Source.read`."""
    events: list[Event] = []
    notes: list[str] = []
    total = len(spec.repos) * len(spec.read)
    with server(spec, ask) as web:
        for number, (place, repo) in enumerate(spec.repos.items()):
            for part, what in enumerate(spec.read):
                label = f"{label_of(spec)}, {what} of {place}"
                found = _READERS[what](spec, ask, web, f"/api/v4/projects/{quote(place, safe='')}", repo, label)
                events += found.events
                notes += found.notes
                ask.tell(number * len(spec.read) + part + 1, total)
    asked = {place: ", ".join(spec.read) for place in spec.repos}
    return pulled_of(Exported(events=tuple(events), notes=tuple(notes)), ask, asked)


def look(spec: GitlabForm, ask: Ask) -> PullOutlook:
    """Count the events; see `Source.look`."""
    return outlook_of(read(spec, ask))


def _deployments(spec: GitlabForm, ask: Ask, web: Web, project: str, repo: str, label: str) -> Exported:
    wanted = {"order_by": "created_at", "sort": "desc"}
    if spec.environment is not None:
        wanted["environment"] = spec.environment
    found = list(recent(web, f"{project}/deployments", wanted, label, ask))
    environments = () if spec.environment is None else (spec.environment,)
    return read_gitlab(found, label, Choices(repo=repo, environments=environments)) if found else Exported()


def _releases(spec: GitlabForm, ask: Ask, web: Web, project: str, repo: str, label: str) -> Exported:
    wanted = {"order_by": "released_at", "sort": "desc"}
    found = list(recent(web, f"{project}/releases", wanted, label, ask, field="released_at"))
    return Exported(events=tuple(release_events(found, repo, label, "released_at")))


def _commits(spec: GitlabForm, ask: Ask, web: Web, project: str, repo: str, label: str) -> Exported:
    found = recent(web, f"{project}/repository/commits", span_of(ask), label, ask, field=_COMMITTED)
    return Exported(events=tuple(commit_events(found, repo, label, time=_COMMITTED, said="title", sha="id")))


def _pipelines(spec: GitlabForm, ask: Ask, web: Web, project: str, repo: str, label: str) -> Exported:
    wanted = {"updated_after": f"{ask.since:{SECONDS}}", "order_by": "id", "sort": "desc"}
    events = []
    for entry in recent(web, f"{project}/pipelines", wanted, label, ask):
        pipeline = PlacedEntry(entry, label)
        time = pipeline.time("created_at")
        if time is not None:
            ref, state = pipeline.text("ref"), pipeline.text("status")
            title = f"Pipeline{f' of {ref}' if ref else ''}{f', {state}' if state else ''}"
            events.append(Event(time, repo, "change", title, pipeline.text("sha")[:12] or None))
    return Exported(events=tuple(events))


_READERS = {"deployments": _deployments, "releases": _releases, "commits": _commits, "pipelines": _pipelines}
