"""The playbook's golden path: fifteen minutes in five steps, what is done and what comes next.

The steps are read off the record, so the path resumes wherever the responders stopped, in any order, from any machine.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tars_lib.incidents.acts import rungs_left
from tars_lib.incidents.clocks import is_running
from tars_lib.incidents.record import ActionState, Cause, CustomerImpact, Incident, IncidentStatus
from tars_lib.incidents.register import DEFAULT_DIR
from tars_lib.playbook.containment import CONTAINMENT, Containment

_VP = "VP Engineering"


@dataclass(frozen=True, slots=True)
class Step:
    """One step: minutes from the opening, what to do, what the record holds, and the command that does what is missing.

    `next_command` is None where nothing is missing.
    """

    name: str
    start_minute: int
    end_minute: int
    task: str
    recorded: tuple[str, ...]
    next_command: str | None

    @property
    def is_done(self) -> bool:
        """Whether the record holds what the step asks for."""
        return self.next_command is None


@dataclass(frozen=True, slots=True)
class GoldenPath:
    """The five steps; `current` is the index of the first that is not done, None at the end.

    `minute` is the minutes since the opening, `due` the index of the step that the playbook would be at by now, None after
    minute 15. `row` is the containment row for the first cause whose kind is known.
    """

    steps: tuple[Step, ...]
    current: int | None
    minute: int
    due: int | None
    row: Containment | None
    next_command: str | None


def golden_path(incident: Incident, now: datetime, incidents_dir: Path | None = None) -> GoldenPath:
    """Where the responders are on the path.

    Parameters
    ----------
    incident : Incident
    now : datetime
        Aware.
    incidents_dir : Path, optional
        Where it lives, if commands have to say so.
    """
    tars = _Commands(incident.incident_id, incidents_dir)
    steps = (
        _acknowledge(incident, tars),
        _identify(incident, tars),
        _root_cause(incident, tars),
        _contain(incident, tars),
        _escalate(incident, tars),
    )
    minute = max(0, int((now - incident.opened_at).total_seconds() // 60))
    current = next((n for n, step in enumerate(steps) if not step.is_done), None)
    if not is_running(incident):
        current = None
    due = next((n for n, step in enumerate(steps) if minute < step.end_minute), None)
    command = _afterwards(incident, tars) if current is None else steps[current].next_command
    return GoldenPath(steps, current, minute, due, containment_row(incident), command)


def containment_row(incident: Incident) -> Containment | None:
    """Row of the playbook's containment table for the first cause whose kind is known."""
    for cause in incident.causes:
        if cause.containment_type is not None and cause.confidence != 0:
            return CONTAINMENT[cause.containment_type]
    return None


def confidence_text(cause: Cause) -> str:
    """How sure a cause is, in words."""
    if cause.confidence is None:
        return f"said by {cause.source}"
    return f"confidence {cause.confidence:.0%}" if cause.confidence > 0 else "seen, but it explains nothing"


@dataclass(frozen=True, slots=True)
class _Commands:
    """Command lines as they are to be typed."""

    incident_id: str
    incidents_dir: Path | None

    def __call__(self, act: str, *words: str) -> str:
        where = (
            ()
            if self.incidents_dir in (None, DEFAULT_DIR)
            else ("--incidents-dir", shlex.quote(str(self.incidents_dir)))
        )
        return " ".join(["tars incident", act, self.incident_id, *words, *where])

    @property
    def folder(self) -> str:
        """The incident's folder, quoted for a shell."""
        return shlex.quote(str((self.incidents_dir or DEFAULT_DIR) / self.incident_id))


def _acknowledge(incident: Incident, tars: _Commands) -> Step:
    if incident.acknowledged_at is not None:
        recorded = (f"acknowledged by {incident.acknowledged_by}",)
        return Step("Acknowledge", 0, 2, "Take the incident and tell the team.", recorded, None)
    return Step("Acknowledge", 0, 2, "Take the incident and tell the team.", (), tars("ack"))


def _identify(incident: Incident, tars: _Commands) -> Step:
    task = "Which SLAs are breached, which repos and customers are hit?"
    recorded = [
        f"{'could be chance: ' if breach.could_be_chance else ''}{breach.sla_id} ({breach.sla_type}) is breached in "
        f"{', '.join(breach.repos)}"
        for breach in incident.breached_slas
    ]
    if incident.before is not None and not recorded:
        recorded = [f"no SLA is breached; finding {incident.before.finding} ({incident.before.exit_code})"]
    if incident.affected_repos:
        recorded.append(f"repos: {', '.join(incident.affected_repos)}")
        customers = ", ".join(incident.customer_repos)
        recorded.append(f"customer impact: {incident.customer_impact.value}{f' ({customers})' if customers else ''}")
    if incident.before is not None:
        return Step("Identify breach", 2, 5, task, tuple(recorded), None)
    command = f"tars run --root ./org-health --outdir {tars.folder}; {tars('record', '--run', 'latest')}"
    return Step("Identify breach", 2, 5, task, tuple(recorded), command)


def _root_cause(incident: Incident, tars: _Commands) -> Step:
    task = "What caused it?"
    recorded = tuple(f"{cause.cause} ({confidence_text(cause)})" for cause in incident.causes[:3])
    if any(cause.confidence != 0 for cause in incident.causes):
        return Step("Root cause", 5, 8, task, recorded, None)
    found = ("the run can name no cause", *recorded) if incident.before is not None else ()
    return Step("Root cause", 5, 8, task, found, tars("record", "--cause", "'WHAT YOU FOUND'"))


def _contain(incident: Incident, tars: _Commands) -> Step:
    task = "Stop the harm. Nothing acts on its own: do it, then record it."
    recorded = tuple(
        f"{action.action_id} {action.state.value}: {action.text}{f' ({action.owner})' if action.owner else ''}"
        for action in incident.actions
    )
    states = {action.state for action in incident.actions}
    if incident.contained_at is not None:
        return Step("Contain", 8, 12, task, recorded, None)
    if ActionState.STARTED in states:
        started = next(action.action_id for action in incident.actions if action.state is ActionState.STARTED)
        return Step("Contain", 8, 12, task, recorded, tars("contain", "--done", started))
    if ActionState.SUGGESTED in states:
        first = next(action.action_id for action in incident.actions if action.state is ActionState.SUGGESTED)
        return Step("Contain", 8, 12, task, recorded, tars("contain", "--start", first))
    return Step("Contain", 8, 12, task, recorded, tars("contain", "'WHAT YOU DO'"))


def _escalate(incident: Incident, tars: _Commands) -> Step:
    task = "Tell those who must know, say when the next update comes, keep the evidence."
    recorded = [f"told {one.contact}" for one in incident.escalations]
    if incident.next_update_at is not None:
        recorded.append(f"next update at {incident.next_update_at:%Y-%m-%d %H:%M} UTC")
    if incident.after is not None:
        effect = f": {incident.effect.verdict.value}, {incident.effect.text}" if incident.effect else ""
        recorded.append(f"run after containment {incident.after.run_id}{effect}")
    # the page's "Notify" list: VP Engineering if customer-facing
    spared = set() if incident.customer_impact is CustomerImpact.YES else {_VP}
    missing = [rung for rung in rungs_left(incident) if rung not in spared]
    if missing:
        recorded.append(f"not told yet: {', '.join(missing)}")
    command = None
    if missing:
        command = tars("escalate")
    elif incident.updated_at is None:
        command = tars("update", "'WHAT STAKEHOLDERS ARE TOLD'", "--next-in", "30m")
    elif incident.after is None:
        command = f"tars run --root ./org-health --outdir {tars.folder}; {tars('record', '--run', 'latest')}"
    return Step("Escalate and document", 12, 15, task, tuple(recorded), command)


def _afterwards(incident: Incident, tars: _Commands) -> str | None:
    if incident.status is IncidentStatus.CLOSED:
        return None
    if incident.status is IncidentStatus.RESOLVED:
        return tars("close")
    return tars("resolve", "'HOW IT ENDED'")
