"""Deployments of GitHub and GitLab: the lists of their APIs, with the state of each where `statuses` or a latest one was added.

References
----------
https://docs.github.com/en/rest/deployments/deployments
https://docs.github.com/en/graphql/reference/objects#deployment
https://docs.gitlab.com/api/deployments/#list-project-deployments
"""

from __future__ import annotations

import re
from datetime import datetime

from tars_lib.errors import InputError
from tars_lib.sources.exported.changes.deployments import Deployment, deploy_events
from tars_lib.sources.exported.fields import WITH_ZONE, EntryShape, PlacedEntry
from tars_lib.sources.exported.shapes import NO_CHOICES, Choices, Exported

GITHUB = EntryShape(("deployments", "nodes"), {"environment": str, "created_at": object, "sha": object})
GITLAB = EntryShape(("deployments",), {"environment": dict, "iid": object, "status": object, "created_at": object})
_GITHUB_REPO = re.compile(r"/repos/[^/]+/([^/?#]+)")
_GITLAB_REPO = re.compile(r"/([^/]+)/-/")


def read_github(document: object, label: str = "github", choices: Choices = NO_CHOICES) -> Exported:
    """Read deployments as events of kind deploy, at the time of their begin.

    Raises
    ------
    InputError
        If an entry has no time that can be read, its repo is not told, or it cannot be told which environment is live.
    """
    deployments = [_of_github(entry) for entry in GITHUB.records(document, label, choices)]
    events, notes = deploy_events(deployments, label, choices)
    if deployments and not any(deployment.state for deployment in deployments):
        notes = (*notes, f"{label}: the file has no states, so failed deployments are among the events")
    return Exported(events=events, columns="created_at, environment, sha", zone=WITH_ZONE, notes=notes)


def read_gitlab(document: object, label: str = "gitlab", choices: Choices = NO_CHOICES) -> Exported:
    """As `read_github`, for GitLab."""
    deployments = [_of_gitlab(entry) for entry in GITLAB.records(document, label, choices)]
    events, notes = deploy_events(deployments, label, choices)
    return Exported(events=events, columns="created_at, status, environment, sha", zone=WITH_ZONE, notes=notes)


def _of_github(entry: PlacedEntry) -> Deployment:
    begin = _begin(entry)
    repo = _repo(entry, "repository.name", _GITHUB_REPO.search(entry.text("repository_url", "url")))
    sha, ref = entry.text("sha"), entry.text("ref")
    is_live = entry.at("production_environment") is True or None
    what = ref if ref and ref != sha else sha[:7]
    return Deployment(begin, repo, entry.name("environment"), _state(entry), what, sha[:12], is_live)


def _of_gitlab(entry: PlacedEntry) -> Deployment:
    begin = _begin(entry)
    url = entry.text("deployable.web_url", "deployable.pipeline.web_url", "deployable.commit.web_url")
    repo = _repo(entry, "project.path", _GITLAB_REPO.search(url))
    sha, ref, tier = entry.text("sha"), entry.text("ref"), entry.text("environment.tier")
    is_live = tier == "production" if tier else None
    return Deployment(
        begin, repo, entry.name("environment.name"), entry.text("status"), ref or sha[:7], sha[:12], is_live
    )


def _begin(entry: PlacedEntry) -> datetime:
    begin = entry.time("created_at")
    if begin is None:
        raise InputError(f"{entry.where}, created_at: no time; one is needed")
    return begin


def _repo(entry: PlacedEntry, field: str, in_url: re.Match[str] | None) -> str:
    named = entry.name(entry.choices.repo_from or field)
    return entry.choices.repo or named or (in_url[1] if in_url else "")


def _state(entry: PlacedEntry) -> str:
    """Return the newest state; `inactive` says that a later deployment took the place of one that had succeeded."""
    timed = [(status.time("created_at"), status.text("state")) for status in entry.inner("statuses")]
    known = sorted((time, state) for time, state in timed if time is not None)
    return known[-1][1] if known else entry.text("latest_status.state", "state")
