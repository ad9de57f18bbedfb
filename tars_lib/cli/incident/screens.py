"""An incident on one screen: the answer first, then both clocks, what is done and the command that comes next."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from tars_lib.cli.incident.text import Reader, action_lines, clock_lines, field, step_head
from tars_lib.cli.shared.screen import Tone, Toned, toned, wrapped
from tars_lib.reports.blocks.lengths import LINE_LIMIT, NAME_LIMIT, visible

if TYPE_CHECKING:
    from tars_lib.engines.queries.incident_state import IncidentState
    from tars_lib.incidents.views.case import Case
    from tars_lib.incidents.views.golden_path import GoldenPath, GuidedStep
    from tars_lib.playbook.escalation import Escalation

_SOON = timedelta(minutes=5)
"""Time left from which a clock warns; judgement: a third of the shortest."""


def golden_screen(
    path: GoldenPath, case: Case, state: IncidentState, reader: Reader, given_dir: Path | None = None
) -> Iterator[str]:
    """Yield the golden path: what to do now and by which command, where it stands, both clocks, five steps."""
    from tars_lib.incidents.views.golden_path import command_lines, postmortem_command

    yield from _first_lines(path, case, state)
    command = path.next_command or postmortem_command(case.incident, given_dir)
    # a command is not wrapped: it has to work as it is copied
    yield from (f"  {line}" for line in command_lines(command))
    yield ""
    yield from _standing_lines(case, state, path.when, 3)
    yield from _clocks(case, reader)
    yield ""
    for number, step in enumerate(path.steps):
        yield from _step_lines(step, path, case, is_current=number == path.current)


def status_screen(case: Case, state: IncidentState, reader: Reader, next_command: str | None) -> Iterator[str]:
    """Yield what somebody has to know who comes new to an incident: its state, both clocks, the plan, what was done."""
    from tars_lib.engines.sla.thresholds import STANDS_OUT
    from tars_lib.incidents.views.clocks import is_running
    from tars_lib.incidents.views.golden_path import command_lines, confidence_text

    incident = case.incident
    yield from _standing_lines(case, state, incident.incident_type, 4)
    yield ""
    yield from _clocks(case, reader)
    plan = state.plan
    if plan is not None:
        yield from _field("Do first", f"{plan.first} ({plan.owner})", 2)
        if plan.then:
            yield from _field("Then", "; ".join(plan.then), 2)
    if is_running(incident):
        # the record's clocks are about people, so they run whatever the data say
        yield from notify_lines(case.escalation, reader, due_label(state))
    for cause in incident.causes[:1]:
        is_likely = cause.confidence is None or cause.confidence >= STANDS_OUT
        yield from _field(
            "Likely cause" if is_likely else "Check first", f"{cause.cause} ({confidence_text(cause)})", 3
        )
    yield from _field("Services", ", ".join(incident.affected_repos) or "not known", 1)
    for label, time, by in (
        ("Opened", incident.opened_at, incident.opened_by),
        ("Acknowledged", incident.acknowledged_at, incident.acknowledged_by),
        ("Contained", incident.contained_at, None),
    ):
        if time is not None:
            yield from _field(label, f"{reader.time(time)}{f' by {by}' if by else ''}", 1)
    if incident.effect is not None:
        yield from _field("Contained?", f"{incident.effect.verdict.value}: {incident.effect.text}", 2)
    notified = ", ".join(dict.fromkeys(rung.contact for rung in case.escalation.told))
    if notified:
        yield from _field("Notified", notified, 1)
    unknown = case.escalation.unknown
    if unknown and not state.is_settled:
        yield from _field("Not answered", f"{', '.join(unknown)} (record --condition)", 1)
    for line in [] if next_command is None else command_lines(next_command):
        yield f"{'Next:':16} {line}"


def checklist_screen(case: Case) -> Iterator[str]:
    """Yield the actions in a line each, below the one that comes next with how it is done and undone."""
    from tars_lib.incidents.store.record import ActionState
    from tars_lib.incidents.views.golden_path import action_text
    from tars_lib.incidents.views.standing import stopping

    tones = {ActionState.DONE: Tone.GOOD, ActionState.STARTED: Tone.CURRENT}
    following = stopping(case.incident)[:1]
    for action in following:
        first, *rest = action_lines(action, case.incident, case.folder)
        yield Toned(first, Tone.CURRENT)
        yield from (line for line in rest if not line.startswith("  Check:"))
        yield ""
    for action in case.incident.actions:
        if action not in following:
            lines = wrapped(visible(action_text(action), LINE_LIMIT), "", "   ", 1)
            yield from toned(lines, tones[action.state]) if action.state in tones else lines


def due_label(state: IncidentState) -> str:
    """Return the label of those whom the playbook wants notified: no call where the impact is over or the data are old."""
    return "Not notified" if state.is_settled else "Notify now"


def notify_lines(due_rungs: Escalation, reader: Reader, due: str) -> Iterator[str]:
    """Yield who must be notified now and who next, each once."""
    tasks = [rung for rung in due_rungs.due if rung.is_task]
    people = ", ".join(rung.contact for rung in due_rungs.due if not rung.is_task)
    for task in tasks:
        yield from toned(_field("Do now", f"{task.task} [{task.rule}]", 1), Tone.WARNING)
    if people:
        yield from toned(_field(due, people, 2), Tone.WARNING)
    if due_rungs.upcoming:
        later = (f"{rung.contact} at {reader.time(rung.due_at)[11:]}" for rung in due_rungs.upcoming[:3])
        yield from _field("No progress", "; ".join(later), 2)


def _first_lines(path: GoldenPath, case: Case, state: IncidentState) -> Iterator[str]:
    """Yield what to do now, in the words of the plan where the step is the plan's."""
    if path.current is None:
        is_left = path.next_command is not None
        all_done = all(step.is_done for step in path.steps)
        over = "All steps are done." if all_done else f"The incident is {case.incident.status.value.lower()}."
        task = f"{over} Next:" if is_left else "Closed: nothing left to do here. Its postmortem:"
        yield Toned(task, Tone.GOOD)
        return
    step = path.steps[path.current]
    task = step.task if not state.is_settled else f"for the record, {step.name.lower()}"
    if step.step_id == "contain" and state.plan is not None:
        task = f"{state.plan.first} ({state.plan.owner})"
    elif step.step_id == "escalate" and case.escalation.due and not state.is_settled:
        task = f"notify {', '.join(rung.contact for rung in case.escalation.due)}"
    label = "Next" if state.is_settled else "Do now"
    yield from toned(wrapped(visible(task, LINE_LIMIT), f"{label}: ", "  ", 2), Tone.CURRENT)


def _standing_lines(case: Case, state: IncidentState, what: str, most: int) -> Iterator[str]:
    incident = case.incident
    head = f"{incident.incident_id}  {incident.severity.value}  {incident.status.value}  {visible(what, NAME_LIMIT)}"
    tone = Tone.GOOD if state.is_settled or not state.sentence else Tone.BAD
    yield from toned(wrapped(visible(state.sentence, None), "", "", most), tone)
    yield Toned(head[:80], Tone.HEAD)


def _clocks(case: Case, reader: Reader) -> Iterator[str]:
    from tars_lib.incidents.views.clocks import clocks

    for clock in clocks(case.incident, case.playbook):
        lines, left = clock_lines((clock,), case.time, reader), clock.left(case.time)
        if left is None or clock.stopped_at is not None or left >= _SOON:
            yield from lines
        else:
            yield from toned(lines, Tone.BAD if left < timedelta(0) else Tone.WARNING)


def _step_lines(step: GuidedStep, path: GoldenPath, case: Case, *, is_current: bool) -> Iterator[str]:
    head = step_head(step, path, is_current=is_current)
    if not is_current:
        record = visible(step.recorded[0], LINE_LIMIT) if step.is_done and step.recorded else ""
        lines = wrapped(record, f"{head}: ", "  ", 1) if record else [head]
        yield from toned(lines, Tone.GOOD) if step.is_done else lines
        return
    from tars_lib.incidents.views.standing import stopping

    yield Toned(head, Tone.CURRENT)
    for line in step.recorded[:3]:
        yield from wrapped(visible(line, LINE_LIMIT), "    - ", "      ", 1)
    for action in stopping(case.incident)[:1] if step.step_id == "contain" else ():
        for label, text in (("Undo", action.revert), ("Done when", action.verify)):
            if text:
                yield from wrapped(visible(text, LINE_LIMIT), f"    {label}: ", "      ", 1)


def _field(label: str, text: str, most: int) -> list[str]:
    """Return a label and its text, in so many lines."""
    first, *rest = field(label, visible(text, None))
    if len(rest) < most:
        return [first, *rest]
    return wrapped(visible(text, None), f"{label + ':':16} ", " " * 17, most)
