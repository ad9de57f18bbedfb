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
    read_lists,
    recent,
    release_events,
    server,
    span_of,
)
from tars_lib.sources.pulled.protocol import Ask, Pulled
from tars_lib.sources.pulled.web import Web
from tars_lib.text.times import SECONDS

if TYPE_CHECKING:
    from tars_lib.config.pulling.changes import GitlabForm

_COMMITTED = "committed_date"


def read(spec: GitlabForm, ask: Ask) -> Pulled:
    """Read what the entry names, of each project; see `Source.read`."""

    def read_list(name: str, repo: str, listed: str) -> Exported:
        project, label = f"/api/v4/projects/{quote(name, safe='')}", f"{spec.label}, {listed} of {name}"
        return _READERS[listed](spec, ask, web, project, repo, label)

    with server(spec, ask) as web:
        return read_lists(spec, ask, read_list)


def _deployments(spec: GitlabForm, ask: Ask, web: Web, project: str, repo: str, label: str) -> Exported:
    wanted = {"order_by": "created_at", "sort": "desc"}
    if spec.environment is not None:
        wanted["environment"] = spec.environment
    deployments = list(recent(web, f"{project}/deployments", wanted, label, ask))
    environments = () if spec.environment is None else (spec.environment,)
    return read_gitlab(deployments, label, Choices(repo=repo, environments=environments)) if deployments else Exported()


def _releases(spec: GitlabForm, ask: Ask, web: Web, project: str, repo: str, label: str) -> Exported:
    wanted = {"order_by": "released_at", "sort": "desc"}
    releases = list(recent(web, f"{project}/releases", wanted, label, ask, field="released_at"))
    return Exported(events=tuple(release_events(releases, repo, label, "released_at")))


def _commits(spec: GitlabForm, ask: Ask, web: Web, project: str, repo: str, label: str) -> Exported:
    commits = recent(web, f"{project}/repository/commits", span_of(ask), label, ask, field=_COMMITTED)
    return Exported(events=tuple(commit_events(commits, repo, label, time=_COMMITTED, said="title", sha="id")))


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
