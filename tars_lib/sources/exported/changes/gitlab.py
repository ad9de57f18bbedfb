"""Deployments of GitLab: the list of its API.

References
----------
https://docs.gitlab.com/api/deployments/#list-project-deployments
"""

from __future__ import annotations

import re

from tars_lib.errors import InputError
from tars_lib.sources.exported.changes.deployments import Deployment, deploy_events
from tars_lib.sources.exported.fields import WITH_ZONE, Entry, are_all, entries_of, name_at, text_at, time_at
from tars_lib.sources.exported.shapes import Choices, Exported

_LISTS = ("deployments",)
_REPO_URL = re.compile(r"/([^/]+)/-/")


def is_one(document: object) -> bool:
    """Return whether parsed JSON looks like deployments of GitLab."""
    return are_all(
        document,
        _LISTS,
        lambda entry: {"iid", "status", "created_at"} <= set(entry) and isinstance(entry.get("environment"), dict),
    )


def parse(document: object, label: str = "gitlab", choices: Choices | None = None) -> Exported:
    """Read deployments as events of kind deploy, at the time of their begin.

    Raises
    ------
    InputError
        If an entry has no time that can be read, its repo is not told, or it cannot be told which environment is live.
    """
    choices = choices or Choices()
    found = [_deployment(entry, where, choices) for where, entry in entries_of(document, _LISTS, label)]
    events, notes = deploy_events(found, label, choices)
    return Exported(events=events, columns="created_at, status, environment, sha", zone=WITH_ZONE, notes=notes)


def _deployment(entry: Entry, where: str, choices: Choices) -> Deployment:
    begin = time_at(entry, "created_at", where=where, choices=choices)
    if begin is None:
        raise InputError(f"{where}, created_at: no time; one is needed")
    url = _REPO_URL.search(
        text_at(entry, "deployable.web_url", "deployable.pipeline.web_url", "deployable.commit.web_url", where=where)
    )
    named = name_at(entry, choices.repo_from or "project.path", where=where)
    sha, ref = text_at(entry, "sha", where=where), text_at(entry, "ref", where=where)
    tier = text_at(entry, "environment.tier", where=where)
    return Deployment(
        begin,
        choices.repo or named or (url[1] if url else ""),
        name_at(entry, "environment.name", where=where),
        text_at(entry, "status", where=where),
        ref or sha[:7],
        sha[:12],
        tier == "production" if tier else None,
    )
