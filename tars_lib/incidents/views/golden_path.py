"""The playbook's golden path: fifteen minutes in five steps, what is done and what comes next.

The steps are read off the record, so the path resumes wherever the responders stopped, in any order, from any machine.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from tars_lib.incidents.store.record import (
    Action,
    ActionState,
    Cause,
    CustomerImpact,
    EffectVerdict,
    Incident,
    IncidentStatus,
)
from tars_lib.incidents.store.register import DEFAULT_DIR
from tars_lib.incidents.views.case import Case
from tars_lib.incidents.views.clocks import is_running, rungs_left
from tars_lib.incidents.views.standing import stopping
from tars_lib.pipeline import HEALTH_FILE
from tars_lib.playbook.escalation import Rung
from tars_lib.playbook.tables import Containment, GoldenStep, Playbook
from tars_lib.playbook.wording import distinct, length_text
from tars_lib.text.times import MINUTES

_HARM_OVER = (EffectVerdict.RECOVERED, EffectVerdict.ENDED)
DEFAULT_ROOT = "./org-health"
"""The org-health folder where no run of the incident names one: that of the playbook's page."""


@dataclass(frozen=True, slots=True)
class GuidedStep:
    """One step: minutes from the opening, what to do, what the record holds, and the command that does what is missing.

    `next_command` is None where nothing is missing.
    """

    step_id: str
    name: str
    start_minute: int
    end_minute: int
    task: str
    recorded: tuple[str, ...]
    next_command: str | None

    @property
    def is_done(self) -> bool:
        """Return whether the record holds what the step asks for."""
        return self.next_command is None


@dataclass(frozen=True, slots=True)
class GoldenPath:
    """The five steps; `current` is the index of the first that is not done, None at the end.

    `minute` is the minutes since the opening, `due` the index of the step that the playbook would be at by now, None after
    minute 15. `row` is the containment row for the first cause whose kind is known.
    """

    steps: tuple[GuidedStep, ...]
    current: int | None
    minute: int
    due: int | None
    row: Containment | None
    next_command: str | None

    @property
    def when(self) -> str:
        """Return the time since the opening in words: "minute 14", after two hours "4 h 10 min in"."""
        return f"minute {self.minute}" if self.minute < 120 else f"{length_text(timedelta(minutes=self.minute))} in"


def golden_path(
    incident: Incident, now: datetime, playbook: Playbook, due: Sequence[Rung] = (), incidents_dir: Path | None = None
) -> GoldenPath:
    """Find where the responders are on the path.

    Parameters
    ----------
    due : sequence of Rung
        Who must be told now by its rules.
    incidents_dir : Path, optional
        Where it lives, if commands have to say so.
    """
    tars = _commands(incident, incidents_dir)
    readers: dict[str, Callable[[GoldenStep], GuidedStep]] = {
        "acknowledge": lambda row: _acknowledge(incident, row, tars),
        "identify": lambda row: _identify(incident, row, tars),
        "root-cause": lambda row: _root_cause(incident, row, tars),
        "contain": lambda row: _contain(incident, row, tars),
        "escalate": lambda row: _escalate(incident, row, tars, playbook, due),
    }
    steps = tuple(readers[row.step_id](row) for row in playbook.golden_path)
    minute = max(0, int((now - incident.opened_at).total_seconds() // 60))
    current = next((n for n, step in enumerate(steps) if not step.is_done), None)
    if not is_running(incident):
        current = None
    due_step = next((n for n, step in enumerate(steps) if minute < step.end_minute), None)
    command = _afterwards(incident, tars) if current is None else steps[current].next_command
    return GoldenPath(steps, current, minute, due_step, containment_row(incident, playbook), command)


def path_of(case: Case, incidents_dir: Path | None = None) -> GoldenPath:
    """Find where the responders of a case are, by the playbook in force and whom it wants told by now."""
    return golden_path(case.incident, case.time, case.playbook, case.escalation.due, incidents_dir)


def postmortem_command(incident: Incident, incidents_dir: Path | None = None) -> str:
    """Return the command that is left once an incident is closed."""
    return _commands(incident, incidents_dir)("postmortem")


def confirming_command(incident: Incident, incidents_dir: Path | None = None) -> str | None:
    """Return the command that shows whether the harm ended; None where the latest run after containment says that it did."""
    if incident.effect is not None and incident.effect.verdict in _HARM_OVER:
        return None
    return _commands(incident, incidents_dir).new_run


def query_text(action: Action, incident: Incident, folder: Path) -> str | None:
    """The command that shows whether an action worked, with the folder and the report that the incident's latest run names.

    Parameters
    ----------
    action : Action
        Its `query` names the places of the playbook's page.
    """
    latest = incident.after or incident.before
    if action.query is None or latest is None:
        return action.query
    report = shlex.quote(os.path.relpath(folder / latest.path / HEALTH_FILE))
    query = action.query.replace(f"--org-report ./{HEALTH_FILE} ", f"--org-report {report} ")
    return query.replace(f"--root-dir {DEFAULT_ROOT} ", f"--root-dir {root_typed(latest.root)} ")


def command_lines(command: str) -> list[str]:
    """Return a next command as lines to be copied one by one."""
    run, then, record = command.rpartition("; tars incident record ")
    return [run, then.removeprefix("; ") + record] if run else [command]


def root_typed(root: str | None) -> str:
    """Return the org-health folder for a command line; a name that begins with a dash is no option."""
    named = root or DEFAULT_ROOT
    return shlex.quote(f"./{named}" if named.startswith("-") else named)


def containment_row(incident: Incident, playbook: Playbook) -> Containment | None:
    """Return the row of the playbook's containment table for the first cause whose kind is known."""
    for cause in incident.causes:
        if cause.containment_type is not None and cause.confidence != 0:
            return next(row for row in playbook.containment if row.containment_type is cause.containment_type)
    return None


def confidence_text(cause: Cause) -> str:
    """Say how sure a cause is."""
    if cause.confidence is None:
        return f"said by {cause.source}"
    return f"confidence {cause.confidence:.0%}" if cause.confidence > 0 else "seen, but explains none of the impact"


def action_text(action: Action) -> str:
    """Return an action of the checklist with who does it, or whom the playbook names for it."""
    who = action.owner or (action.suggested_owner and f"for: {action.suggested_owner}")
    return f"{action.action_id} {action.state.value}: {action.text}{f' ({who})' if who else ''}"


def rung_text(rung: Rung) -> str:
    """Say who is to be notified, how, and by which rule."""
    if rung.is_task:
        return f"{rung.task} [{rung.rule}]"
    how = f" by {' and '.join(rung.methods)}" if rung.methods else ""
    return f"{rung.contact}{how} [{rung.rule}]"


@dataclass(frozen=True, slots=True)
class _Commands:
    """Command lines as they are to be typed."""

    incident_id: str
    incidents_dir: Path | None
    root: str

    def __call__(self, act: str, *words: str) -> str:
        where = (
            ()
            if self.incidents_dir in (None, DEFAULT_DIR)
            else ("--incidents-dir", shlex.quote(str(self.incidents_dir)))
        )
        return " ".join(["tars incident", act, self.incident_id, *words, *where])

    @property
    def new_run(self) -> str:
        """Return the command for a run into the incident's folder, and for its entry in the record."""
        return f"tars run --root {self.root} --outdir {self.folder}; {self('record', '--run', 'latest')}"

    @property
    def folder(self) -> str:
        """Return the incident's folder, quoted for a shell."""
        return shlex.quote(str((self.incidents_dir or DEFAULT_DIR) / self.incident_id))


def _commands(incident: Incident, incidents_dir: Path | None) -> _Commands:
    latest = incident.after or incident.before
    return _Commands(incident.incident_id, incidents_dir, root_typed(None if latest is None else latest.root))


def _acknowledge(incident: Incident, row: GoldenStep, tars: _Commands) -> GuidedStep:
    if incident.acknowledged_at is not None:
        return _step(row, (f"acknowledged by {incident.acknowledged_by}",), None)
    return _step(row, (), tars("ack"))


def _identify(incident: Incident, row: GoldenStep, tars: _Commands) -> GuidedStep:
    recorded = [
        f"{'could be chance: ' if breach.could_be_chance else ''}{breach.sla_id} ({breach.sla_type}) is breached in "
        f"{', '.join(breach.repos)}"
        for breach in incident.breached_slas
    ]
    if incident.before is not None and not recorded:
        recorded = [f"no SLA is breached; finding {incident.before.finding} ({incident.before.exit_code})"]
    if incident.affected_repos:
        recorded.append(f"services: {', '.join(incident.affected_repos)}")
        customers = ", ".join(incident.customer_repos)
        recorded.append(f"customer impact: {incident.customer_impact.value}{f' ({customers})' if customers else ''}")
    return _step(row, recorded, None if incident.before is not None else tars.new_run)


def _root_cause(incident: Incident, row: GoldenStep, tars: _Commands) -> GuidedStep:
    recorded = [f"{cause.cause} ({confidence_text(cause)}){also}" for cause, also in distinct(incident.causes)[:3]]
    if any(cause.confidence != 0 for cause in incident.causes):
        return _step(row, recorded, None)
    evidence = ["the run names no cause", *recorded] if incident.before is not None else []
    return _step(row, evidence, tars("record", "--cause", "'WHAT YOU FOUND'"))


def _contain(incident: Incident, row: GoldenStep, tars: _Commands) -> GuidedStep:
    recorded = [action_text(action) for action in incident.actions]
    if incident.contained_at is not None:
        return _step(row, recorded, None)
    for action in stopping(incident)[:1]:
        option = "--done" if action.state is ActionState.STARTED else "--start"
        return _step(row, recorded, tars("contain", option, action.action_id))
    return _step(row, recorded, tars("contain", "'WHAT YOU DO'"))


def _escalate(
    incident: Incident, row: GoldenStep, tars: _Commands, playbook: Playbook, due: Sequence[Rung]
) -> GuidedStep:
    recorded = [f"notified {escalation.contact}" for escalation in incident.escalations]
    if incident.next_update_at is not None:
        recorded.append(f"next update at {incident.next_update_at:{MINUTES}}")
    if incident.after is not None:
        effect = f": {incident.effect.verdict.value}, {incident.effect.text}" if incident.effect else ""
        recorded.append(f"run after containment {incident.after.run_id}{effect}")
    recorded += [f"{'to be done' if rung.is_task else 'to be notified'} now: {rung_text(rung)}" for rung in due]
    due_contacts = [rung.contact for rung in due]
    spared = {contact.casefold() for contact in due_contacts} | set(_spared(row, incident))
    missing = [rung for rung in rungs_left(incident, playbook) if rung.casefold() not in spared]
    if missing:
        recorded.append(f"not notified yet: {', '.join(missing)}")
    # whom no rule names any more holds nobody up once the harm is over
    is_over = incident.effect is not None and incident.effect.verdict in _HARM_OVER
    waiting = due_contacts or ([] if is_over else missing)
    command = None
    if waiting and not incident.escalations:
        command = tars("escalate")
    elif due_contacts:
        command = tars("escalate", "--to", shlex.quote(due_contacts[0]))
    elif incident.updated_at is None:
        command = tars("update")
    elif incident.after is None:
        command = tars.new_run
    elif waiting:
        # no rule asks for them yet: what stakeholders hear, and whether it worked, comes first
        command = tars("escalate", "--to", shlex.quote(waiting[0]))
    return _step(row, recorded, command)


def _spared(row: GoldenStep, incident: Incident) -> Iterator[str]:
    """Yield the names of those who need not hear: the page's "(if customer-facing)", where no customer is known to be hit."""
    for entry in row.notify:
        name, _, condition = entry.partition(" (")
        if condition.startswith("if customer") and incident.customer_impact is not CustomerImpact.YES:
            yield name.casefold()


def _step(row: GoldenStep, recorded: Iterable[str], command: str | None) -> GuidedStep:
    return GuidedStep(
        row.step_id, row.title, row.start, row.end, row.task or row.record or row.title, tuple(recorded), command
    )


def _afterwards(incident: Incident, tars: _Commands) -> str | None:
    if incident.status is IncidentStatus.CLOSED:
        return None
    if incident.status is IncidentStatus.RESOLVED:
        return tars("close")
    if incident.effect is not None and incident.effect.verdict in _HARM_OVER:
        return tars("resolve")
    return tars("resolve", "'HOW IT ENDED'")
