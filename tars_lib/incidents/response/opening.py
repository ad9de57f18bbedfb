"""Opening an incident: from a run, from exit codes, or by hand. Every fact that the run knows is filled in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from tars_lib.errors import ConfigError, InputError
from tars_lib.incidents.response.checklist import joined, planned, suggested
from tars_lib.incidents.store.journal import RECORD_FILE, Written, write
from tars_lib.incidents.store.record import SCHEMA_VERSION, ActionKind, CustomerImpact, Incident, IncidentStatus
from tars_lib.incidents.store.register import is_incident_id, new_folder
from tars_lib.incidents.store.timeline import Draft, EntryKind
from tars_lib.model.names import Severity
from tars_lib.playbook.decision_tree import Classification, classify
from tars_lib.playbook.packaged import packaged
from tars_lib.playbook.tables import Playbook
from tars_lib.text.times import MINUTES

if TYPE_CHECKING:
    from tars_lib.pipeline import Run

MANUAL_TYPE = "Manual Escalation"
"""Incident type where a person opens it: the playbook's "Manual escalation from on-call engineer"."""


@dataclass(frozen=True, slots=True)
class Opening:
    """Request to open. `severity` and `title` are what the caller insists on; `facts` what a run knows
    and which playbook was in force.
    """

    codes: tuple[int, ...]
    severity: Severity
    title: str
    incident_type: str
    response_path: str
    contain_within: timedelta | None
    facts: dict[str, object] = field(default_factory=dict)


def by_hand(severity: Severity, title: str, playbook: Playbook | None = None) -> Opening:
    """Return an incident that a person declares."""
    playbook = playbook or packaged()
    return Opening((), severity, title, MANUAL_TYPE, playbook.otherwise[1], None, _of(playbook))


def from_codes(
    codes: Sequence[int], severity: Severity | None = None, title: str | None = None, playbook: Playbook | None = None
) -> Opening:
    """Return an incident that exit codes name.

    Raise ConfigError if the codes say that nothing was found, or may be a shell's own, and no severity is given.
    """
    playbook = playbook or packaged()
    origin = "exit codes " + ", ".join(map(str, codes))
    return replace(_classified(classify(codes, playbook=playbook), severity, title, origin), facts=_of(playbook))


def from_run(
    run: Run, severity: Severity | None = None, title: str | None = None, playbook: Playbook | None = None
) -> Opening:
    """Return an incident that a run found. Raise ConfigError if the run found nothing and no severity is given."""
    playbook = playbook or packaged()
    from tars_lib.engines.queries.response_plan import response_plan
    from tars_lib.engines.sla.readiness import lasting
    from tars_lib.engines.sla.thresholds import STANDS_OUT
    from tars_lib.incidents.views.run_facts import facts_of

    classification = classify([step.exit_code for step in run.status.steps], are_ours=True, playbook=playbook)
    facts = facts_of(run)
    slas = ", ".join(dict.fromkeys(breach.sla_id for breach in run.sla.breaches))
    named = title or (f"{classification.incident_type}: {slas}" if slas else None)
    opening = _classified(classification, severity, named, f"run {run.run_id}")
    last = {breach.sla_id for breach in lasting(run.sla.breaches)}
    causes = [cause for cause in facts.causes if cause.sla_id in last and (cause.confidence or 0.0) >= STANDS_OUT]
    actions = suggested(causes, opening.severity, facts.affected, facts.conditions, playbook)
    if all(action.kind is ActionKind.MONITORING for action in actions):
        # no clear cause of a breach says what to do, but the plan of the run does
        plan = response_plan(run.org, run.status.exit_code, run.sla, run.alerts, run.correlation, run.temporal)
        actions = joined(planned(plan), actions)
    return replace(opening, facts=facts.changes() | {"actions": actions} | _of(playbook))


def open_incident(root: Path, opening: Opening, actor: str, time: datetime, run: Run | None = None) -> Written:
    """Make the incident's folder, its record and the first entry.

    A run that stands in the folder of an incident without a record, where the playbook's pipeline put it, gives that folder
    its record. Otherwise a new folder is made.

    Raise InputError if that folder has a record already.
    """
    around = None if run is None else run.directory.resolve().parent
    is_adoptable = around is not None and is_incident_id(around.name) and around.parent == root.resolve()
    return adopt(around if around is not None and is_adoptable else new_folder(root, time), opening, actor, time, run)


def adopt(folder: Path, opening: Opening, actor: str, time: datetime, run: Run | None = None) -> Written:
    """Give a folder its record. Raise InputError if it has one already."""
    text = f"opened by hand: {opening.title}" if not opening.codes else f"opened: {opening.title}"
    before = None
    if run is not None:
        from tars_lib.incidents.views.run_facts import reference

        before = reference(run, folder)
        text = f"opened from {run.run_id}: {opening.title}"
    fields: dict[str, object] = {
        "schema_version": SCHEMA_VERSION,
        "incident_id": folder.name,
        "title": opening.title,
        "summary": opening.title,
        "severity": opening.severity,
        "incident_type": opening.incident_type,
        "response_path": opening.response_path,
        "status": IncidentStatus.OPEN,
        "opened_at": time,
        "opened_by": actor,
        "exit_codes": opening.codes,
        "breached_slas": (),
        "causes": (),
        "affected_repos": (),
        "customer_impact": CustomerImpact.UNKNOWN,
        "customer_repos": (),
        "conditions": (),
        "actions": (),
        "escalations": (),
        "progress_at": time,
        "contain_within_minutes": minutes_of(opening.contain_within),
        "before": before,
    } | opening.facts

    def draft(incident: Incident | None) -> Draft:
        if incident is not None:
            raise InputError(
                f"{folder / RECORD_FILE}: {incident.incident_id} was opened at "
                f"{incident.opened_at:{MINUTES}}; `tars incident record {incident.incident_id} --run RUN` adds a run"
            )
        return Draft(EntryKind.OPENED, text, fields)

    return write(folder, draft, actor, time)


def _of(playbook: Playbook) -> dict[str, object]:
    """Return the playbook in force, as the record names it."""
    return {"playbook_version": playbook.version, "playbook_sha256": playbook.sha256}


def minutes_of(span: timedelta | None) -> int | None:
    """Return a time to contain as the record has it."""
    return None if span is None else round(span / timedelta(minutes=1))


def _classified(classification: Classification, severity: Severity | None, title: str | None, what: str) -> Opening:
    chosen = severity or classification.severity
    if chosen is None:
        reason = "; ".join(classification.notes) or "they say that nothing was found"
        raise ConfigError(f"{what}: no incident to open: {reason}; --severity SEV-N --title TEXT opens one by hand")
    return Opening(
        classification.codes,
        chosen,
        title or classification.incident_type,
        classification.incident_type,
        classification.path,
        classification.contain_within,
    )
