"""State of an incident and its next steps: from its run and its record, for every page and every command."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tars_lib.engines.queries.incident_state import IncidentState, Resolution, State, incident_state
from tars_lib.engines.queries.response_plan import ResponsePlan, response_plan, with_record
from tars_lib.errors import TarsError
from tars_lib.files.reading import sha256_of
from tars_lib.incidents.store.journal import RECORD_FILE, read_incident
from tars_lib.incidents.store.record import Action, ActionKind, ActionState, Incident
from tars_lib.incidents.store.register import folders
from tars_lib.incidents.views.case import Case
from tars_lib.incidents.views.clocks import contain_clock, is_running

if TYPE_CHECKING:
    from tars_lib.pipeline import Run


def standing(case: Case) -> IncidentState:
    """Decide where an incident stands by the latest run of its record; without one that can be read, by the record alone."""
    latest = case.incident.after or case.incident.before
    if latest is not None:
        from tars_lib.pipeline import load_run

        try:
            return state_by(load_run(case.folder / latest.path), case)
        except (TarsError, OSError) as error:
            return _by_record_alone(case, f" Its run cannot be read: {error}")
    return _by_record_alone(case)


def state_by(run: Run, case: Case | None) -> IncidentState:
    """Decide the same with the run at hand; no case: there is no record. While something is to be done, the plan says what."""
    resolution = None if case is None else _resolution(case.incident)
    state = incident_state(run.health.history.interval, run.sla, resolution)
    if state.is_settled:
        return state
    plan = response_plan(run.org, run.status.exit_code, run.sla, run.alerts, run.correlation, run.temporal)
    return replace(state, plan=plan if plan is None or case is None else _with_case(plan, case))


def incident_about(run: Run, root: Path) -> Path | None:
    """Return the folder of the newest incident whose record rests on this run; None where none in `root` does."""
    from tars_lib.pipeline import MANIFEST_FILE

    manifest = run.directory / MANIFEST_FILE
    if not root.is_dir() or not manifest.is_file():
        return None
    sha256 = sha256_of(manifest)
    for folder in folders(root):
        try:
            # most records do not name it, and are not worth reading
            if sha256.encode() not in (folder / RECORD_FILE).read_bytes():
                continue
            incident = read_incident(folder)
        except (TarsError, OSError):
            continue
        known = () if incident is None else (incident.before, incident.after)
        if any(reference is not None and reference.manifest_sha256 == sha256 for reference in known):
            return folder
    return None


def stopping(incident: Incident) -> tuple[Action, ...]:
    """Return the actions of the checklist that stop the impact and are not done: begun ones first, then in order."""
    return tuple(
        action
        for state in (ActionState.STARTED, ActionState.SUGGESTED)
        for action in incident.actions
        if action.state is state and action.kind is not ActionKind.MONITORING
    )


def _resolution(incident: Incident) -> Resolution | None:
    ended_at = incident.resolved_at or incident.closed_at
    return None if ended_at is None else Resolution(ended_at, incident.resolved_by, incident.resolution)


def _with_case(plan: ResponsePlan, case: Case) -> ResponsePlan:
    """Return the plan as far as the record has come."""
    clock = contain_clock(case.incident)
    actions = [action.text for action in stopping(case.incident)]
    return with_record(plan, case.escalation, actions, None if clock.stopped_at else clock.due_at)


def _by_record_alone(case: Case, why: str = "") -> IncidentState:
    incident = case.incident
    resolution = _resolution(incident)
    if resolution is not None or not is_running(incident):
        text = f": {incident.resolution.rstrip('.')}" if incident.resolution else ""
        return IncidentState(State.RESOLVED, f"Resolved{text}.{why}")
    state = IncidentState(State.ACTIVE, f"{incident.summary.rstrip('.')}.{why}")
    actions = stopping(incident)
    if not actions:
        return state
    first = actions[0]
    owner = first.owner or first.suggested_owner or "on-call engineer"
    plan = ResponsePlan(first.text, (), first.verify or "", owner, incident.severity, "", ())
    return replace(state, plan=_with_case(plan, case))
