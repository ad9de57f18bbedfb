"""Deployments of GitHub: the list of its API, with the state of each where `statuses` or a latest status was added.

References
----------
https://docs.github.com/en/rest/deployments/deployments
https://docs.github.com/en/graphql/reference/objects#deployment
"""

from __future__ import annotations

import re

from tars_lib.errors import InputError
from tars_lib.sources.exported.changes.deployments import Deployment, deploy_events
from tars_lib.sources.exported.fields import WITH_ZONE, Entry, are_all, at, entries_of, name_at, text_at, time_at
from tars_lib.sources.exported.shapes import Choices, Exported

_LISTS = ("deployments", "nodes")
_REPO_URL = re.compile(r"/repos/[^/]+/([^/?#]+)")


def is_one(document: object) -> bool:
    """Return whether parsed JSON looks like deployments of GitHub."""
    return are_all(
        document,
        _LISTS,
        lambda entry: {"environment", "created_at", "sha"} <= set(entry) and isinstance(entry.get("environment"), str),
    )


def parse(document: object, label: str = "github", choices: Choices | None = None) -> Exported:
    """Read deployments as events of kind deploy, at the time of their begin.

    Raises
    ------
    InputError
        If an entry has no time that can be read, its repo is not told, or it cannot be told which environment is live.
    """
    choices = choices or Choices()
    found = [_deployment(entry, where, choices) for where, entry in entries_of(document, _LISTS, label)]
    events, notes = deploy_events(found, label, choices)
    if found and not any(one.state for one in found):
        notes = (*notes, f"{label}: the file has no states, so failed deployments are among the events")
    return Exported(events=events, columns="created_at, environment, sha", zone=WITH_ZONE, notes=notes)


def _deployment(entry: Entry, where: str, choices: Choices) -> Deployment:
    begin = time_at(entry, "created_at", where=where, choices=choices)
    if begin is None:
        raise InputError(f"{where}, created_at: no time; one is needed")
    url = _REPO_URL.search(text_at(entry, "repository_url", "url", where=where))
    sha, ref = text_at(entry, "sha", where=where), text_at(entry, "ref", where=where)
    is_live = at(entry, "production_environment")
    return Deployment(
        begin,
        choices.repo or name_at(entry, choices.repo_from or "repository.name", where=where) or (url[1] if url else ""),
        name_at(entry, "environment", where=where),
        _state(entry, where, choices),
        ref if ref and ref != sha else sha[:7],
        sha[:12],
        is_live if is_live is True else None,
    )


def _state(entry: Entry, where: str, choices: Choices) -> str:
    """The newest state; `inactive` says that a later deployment took the place of one that had succeeded."""
    statuses = at(entry, "statuses")
    if isinstance(statuses, list):
        timed = [
            (time_at(one, "created_at", where=f"{where}, statuses", choices=choices), text_at(one, "state"))
            for one in statuses
            if isinstance(one, dict)
        ]
        known = sorted((time, state) for time, state in timed if time is not None)
        if known:
            return known[-1][1]
    return text_at(entry, "latest_status.state", "state", where=where)
