"""Deployments and incidents as tools for DORA's four keys export their tables: DevLake and four-keys.

References
----------
https://devlake.apache.org/docs/DataModels/DevLakeDomainLayerSchema
https://github.com/dora-team/fourkeys/blob/main/METRICS.md
"""

from __future__ import annotations

from collections.abc import Sequence

from tars_lib.errors import InputError
from tars_lib.model.names import PastIncident
from tars_lib.sources.exported.changes.deployments import Deployment, deploy_events
from tars_lib.sources.exported.content import Content
from tars_lib.sources.exported.fields import Entry, counted, homeless, name_at, past_incident, text_at, time_at
from tars_lib.sources.exported.quantities import NO_VALUES
from tars_lib.sources.exported.shapes import Choices, Exported
from tars_lib.sources.exported.tables import read_table

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
    rows = _rows(content)
    zone = "as each time says" if choices.zone is None else f"{choices.zone.key}, as --tz says, where a time names none"
    if set(content.columns) >= _DEVLAKE_DEPLOYS:
        found = [_devlake_deployment(entry, where, choices) for where, entry in rows]
        events, notes = deploy_events(found, content.label, choices)
        return Exported(events=events, columns="started_date, environment, result", zone=zone, notes=notes)
    wanted = [(where, entry) for where, entry in rows if text_at(entry, "type").upper() == "INCIDENT"]
    incidents = tuple(_devlake_incident(entry, where, choices) for where, entry in wanted)
    left = len(rows) - len(wanted)
    notes = (f"{content.label}: {counted(left, 'issue')} of other types than INCIDENT left out",) if left else ()
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
    rows = _rows(content)
    if set(content.columns) >= _KEYS_INCIDENTS:
        incidents = tuple(_keys_incident(entry, where, choices) for where, entry in rows)
        return Exported(
            incidents=incidents,
            columns="time_created, time_resolved",
            zone="as each time says",
            notes=homeless(incidents, content.label),
        )
    found = []
    for where, entry in rows:
        at = time_at(entry, "time_created", where=where, choices=choices)
        if at is None:
            raise InputError(f"{where}, column time_created: empty; a time is needed")
        what = text_at(entry, "main_commit")[:7] or text_at(entry, "deploy_id")
        found.append(
            Deployment(at, _repo(entry, where, choices), "", "", what, text_at(entry, "deploy_id", where=where))
        )
    events, notes = deploy_events(found, content.label, choices)
    return Exported(
        events=events, columns="time_created, deploy_id, main_commit", zone="as each time says", notes=notes
    )


def _rows(content: Content) -> Sequence[tuple[str, Entry]]:
    table = read_table(content.text, content.label)
    return [
        (where, {key: "" if value in NO_VALUES else value for key, value in row.items()})
        for where, row in table.entries()
    ]


def _repo(entry: Entry, where: str, choices: Choices) -> str:
    if choices.repo:
        return choices.repo
    if choices.repo_from and choices.repo_from not in entry:
        raise InputError(f"{where}: --repo-from {choices.repo_from}: no such column; found: {', '.join(entry)[:200]}")
    name = name_at(entry, *((choices.repo_from,) if choices.repo_from else _REPOS), where=where)
    return name.rstrip("/").removesuffix(".git").rpartition("/")[2] if "://" in name else name


def _devlake_deployment(entry: Entry, where: str, choices: Choices) -> Deployment:
    at = time_at(entry, "started_date", "created_date", "finished_date", where=where, choices=choices)
    if at is None:
        raise InputError(f"{where}, column started_date: empty; a time is needed")
    state = text_at(entry, "result").lower() or "running"
    what = text_at(entry, "ref_name") or text_at(entry, "commit_sha")[:7] or text_at(entry, "name")
    ref = text_at(entry, "commit_sha")[:12] or text_at(entry, "id")
    return Deployment(at, _repo(entry, where, choices), text_at(entry, "environment").lower(), state, what, ref)


def _devlake_incident(entry: Entry, where: str, choices: Choices) -> PastIncident:
    return past_incident(
        where=where,
        detected=time_at(entry, "created_date", where=where, choices=choices),
        title=text_at(entry, "title", where=where),
        source="devlake",
        ref=text_at(entry, "issue_key", "id", where=where),
        repo=choices.repo_of(_repo(entry, where, choices)),
        severity=text_at(entry, "severity", "priority", where=where),
        resolved=time_at(entry, "resolution_date", where=where, choices=choices),
    )


def _keys_incident(entry: Entry, where: str, choices: Choices) -> PastIncident:
    ref = text_at(entry, "incident_id", where=where)
    return past_incident(
        where=where,
        detected=time_at(entry, "time_created", where=where, choices=choices),
        title=text_at(entry, "title", where=where) or f"Incident {ref}",
        source="four-keys",
        ref=ref,
        repo=choices.repo_of(_repo(entry, where, choices)),
        resolved=time_at(entry, "time_resolved", where=where, choices=choices),
    )
