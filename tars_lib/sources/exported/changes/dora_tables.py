"""Deployments and incidents as tools for DORA's four keys export their tables: DevLake and four-keys.

References
----------
https://devlake.apache.org/docs/DataModels/DevLakeDomainLayerSchema
https://github.com/dora-team/fourkeys/blob/main/METRICS.md
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from tars_lib.errors import InputError
from tars_lib.model.names import PastIncident
from tars_lib.sources.exported.changes.deployments import Deployment, deploy_events
from tars_lib.sources.exported.content import Content
from tars_lib.sources.exported.fields import WITH_ZONE, PlacedEntry, homeless, past_incident
from tars_lib.sources.exported.quantities import NO_VALUES
from tars_lib.sources.exported.shapes import Choices, Exported
from tars_lib.sources.exported.tables import read_table
from tars_lib.text.counts import plural

_DEVLAKE_DEPLOYS = {"environment", "result", "finished_date"}
_DEVLAKE_ISSUES = {"type", "created_date", "resolution_date"}
_KEYS_DEPLOYS = {"deploy_id", "time_created"}
_KEYS_INCIDENTS = {"incident_id", "time_created", "time_resolved"}
_REPOS = ("repo_name", "repo", "service", "repository", "repo_url", "cicd_scope_name")


def is_devlake(content: Content) -> bool:
    """Return whether a table is DevLake's of deployments or issues."""
    columns = set(content.columns)
    return columns >= _DEVLAKE_DEPLOYS or columns >= _DEVLAKE_ISSUES


def is_four_keys(content: Content) -> bool:
    """Return whether a table is the four-keys project's of deployments or incidents."""
    columns = set(content.columns)
    return columns >= _KEYS_DEPLOYS or columns >= _KEYS_INCIDENTS


def read_devlake(content: Content, choices: Choices) -> Exported:
    """Read `cicd_deployments` (or `cicd_deployment_commits`) as events, or incidents among `issues`.

    Raises
    ------
    InputError
        If a row has no time or repo, or its time no zone.
    """
    rows = _rows(content, choices)
    zone = WITH_ZONE if choices.zone is None else f"{choices.zone.key}, as --tz says, where a time names none"
    if set(content.columns) >= _DEVLAKE_DEPLOYS:
        events, notes = deploy_events([_devlake_deployment(row) for row in rows], content.label, choices)
        return Exported(events=events, columns="started_date, environment, result", zone=zone, notes=notes)
    wanted = [row for row in rows if row.text("type").upper() == "INCIDENT"]
    incidents = tuple(_devlake_incident(row) for row in wanted)
    left = len(rows) - len(wanted)
    notes = (f"{content.label}: {plural(left, 'issue')} of other types than INCIDENT left out",) if left else ()
    return Exported(
        incidents=incidents,
        columns="created_date, resolution_date, severity",
        zone=zone,
        notes=(*notes, *homeless(incidents, content.label)),
    )


def read_four_keys(content: Content, choices: Choices) -> Exported:
    """Read the tables `deployments` as events or `incidents`.

    Raises
    ------
    InputError
        If a row has no time, or no repo and none was given.
    """
    rows = _rows(content, choices)
    if set(content.columns) >= _KEYS_INCIDENTS:
        incidents = tuple(_keys_incident(row) for row in rows)
        notes = homeless(incidents, content.label)
        return Exported(incidents=incidents, columns="time_created, time_resolved", zone=WITH_ZONE, notes=notes)
    events, notes = deploy_events([_keys_deployment(row) for row in rows], content.label, choices)
    return Exported(events=events, columns="time_created, deploy_id, main_commit", zone=WITH_ZONE, notes=notes)


def _rows(content: Content, choices: Choices) -> list[PlacedEntry]:
    return [
        replace(row, entry={key: "" if value in NO_VALUES else value for key, value in row.entry.items()})
        for row in read_table(content.text, content.label).entries(choices)
    ]


def _repo(row: PlacedEntry) -> str:
    repo_from = row.choices.repo_from
    if row.choices.repo:
        return row.choices.repo
    if repo_from and repo_from not in row.entry:
        raise InputError(f"{row.where}: --repo-from {repo_from}: no such column; found: {', '.join(row.entry)[:200]}")
    name = row.name(*((repo_from,) if repo_from else _REPOS))
    return name.rstrip("/").removesuffix(".git").rpartition("/")[2] if "://" in name else name


def _time(row: PlacedEntry, *columns: str) -> datetime:
    time = row.time(*columns)
    if time is None:
        raise InputError(f"{row.where}, column {columns[0]}: empty; a time is needed")
    return time


def _devlake_deployment(row: PlacedEntry) -> Deployment:
    time = _time(row, "started_date", "created_date", "finished_date")
    state = row.text("result").lower() or "running"
    what = row.text("ref_name") or row.text("commit_sha")[:7] or row.text("name")
    ref = row.text("commit_sha")[:12] or row.text("id")
    return Deployment(time, _repo(row), row.text("environment").lower(), state, what, ref)


def _keys_deployment(row: PlacedEntry) -> Deployment:
    time, ref = _time(row, "time_created"), row.text("deploy_id")
    return Deployment(time, _repo(row), "", "", row.text("main_commit")[:7] or ref, ref)


def _devlake_incident(row: PlacedEntry) -> PastIncident:
    return past_incident(
        row.where,
        "devlake",
        detected=row.time("created_date"),
        title=row.text("title"),
        ref=row.text("issue_key", "id"),
        repo=row.choices.repo_of(_repo(row)),
        severity=row.text("severity", "priority"),
        resolved=row.time("resolution_date"),
    )


def _keys_incident(row: PlacedEntry) -> PastIncident:
    ref = row.text("incident_id")
    return past_incident(
        row.where,
        "four-keys",
        detected=row.time("time_created"),
        title=row.text("title") or f"Incident {ref}",
        ref=ref,
        repo=row.choices.repo_of(_repo(row)),
        resolved=row.time("time_resolved"),
    )
