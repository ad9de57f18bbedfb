"""Deployments, releases, commits and workflow runs of GitHub.

References
----------
https://docs.github.com/en/rest/deployments/deployments
https://docs.github.com/en/rest/releases/releases
https://docs.github.com/en/rest/commits/commits
https://docs.github.com/en/rest/actions/workflow-runs
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tars_lib.errors import ConfigError
from tars_lib.model.names import Event
from tars_lib.sources.exported.changes.code_hosts import read_github
from tars_lib.sources.exported.fields import PlacedEntry
from tars_lib.sources.exported.shapes import Choices, Exported
from tars_lib.sources.pulled.hosts.pages import (
    commit_events,
    entries_in,
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
    from tars_lib.config.pulling.changes import GithubForm

_VERSION = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
_COMMITTED = "commit.committer.date"
_NAME = re.compile(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+")


def read(spec: GithubForm, ask: Ask) -> Pulled:
    """Read what the entry names, of each repository; see `Source.read`."""

    def read_list(name: str, repo: str, listed: str) -> Exported:
        if _NAME.fullmatch(name) is None:
            raise ConfigError(f"sources.yaml: {spec.name}: repos.{name[:60]}: OWNER/NAME: REPO is needed")
        return _READERS[listed](spec, ask, web, name, repo)

    with server(spec, ask, headers=_VERSION) as web:
        return read_lists(spec, ask, read_list)


def _deployments(spec: GithubForm, ask: Ask, web: Web, name: str, repo: str) -> Exported:
    label = f"{spec.label}, deployments of {name}"
    wanted = {} if spec.environment is None else {"environment": spec.environment}
    path = f"/repos/{name}/deployments"
    deployments = []
    for entry in recent(web, path, wanted, label, ask):
        time = PlacedEntry(entry, label).time("created_at")
        number = entry.get("id")
        if time is None or not ask.since <= time < ask.until or not isinstance(number, int):
            continue
        statuses = web.json(f"{path}/{number}/statuses", {"per_page": "100"})
        deployments.append({**entry, "statuses": entries_in(statuses, None, label)})
    environments = () if spec.environment is None else (spec.environment,)
    return read_github(deployments, label, Choices(repo=repo, environments=environments)) if deployments else Exported()


def _releases(spec: GithubForm, ask: Ask, web: Web, name: str, repo: str) -> Exported:
    label = f"{spec.label}, releases of {name}"
    releases = list(recent(web, f"/repos/{name}/releases", {}, label, ask))
    return Exported(events=tuple(release_events(releases, repo, label, "published_at")))


def _commits(spec: GithubForm, ask: Ask, web: Web, name: str, repo: str) -> Exported:
    label = f"{spec.label}, commits of {name}"
    commits = recent(web, f"/repos/{name}/commits", span_of(ask), label, ask, field=_COMMITTED)
    return Exported(
        events=tuple(commit_events(commits, repo, label, time=_COMMITTED, said="commit.message", sha="sha"))
    )


def _runs(spec: GithubForm, ask: Ask, web: Web, name: str, repo: str) -> Exported:
    label = f"{spec.label}, workflow runs of {name}"
    span = f"{ask.since:{SECONDS}}..{ask.until:{SECONDS}}"
    events = []
    path = f"/repos/{name}/actions/runs"
    for entry in recent(web, path, {"created": span}, label, ask, key="workflow_runs"):
        run = PlacedEntry(entry, label)
        time, ended = run.time("run_started_at", "created_at"), run.text("conclusion", "status")
        if time is not None:
            title = f"Workflow {run.text('name') or 'run'}{f', {ended}' if ended else ''}"
            events.append(Event(time, repo, "change", title, run.text("head_sha")[:12] or None))
    return Exported(events=tuple(events))


_READERS = {"deployments": _deployments, "releases": _releases, "commits": _commits, "runs": _runs}
