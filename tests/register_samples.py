"""Registers of incidents whose course is known, written by the acts of responders at planted times."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from tars_lib.incidents.response.acts import (
    Writer,
    acknowledge,
    close,
    finish_containment,
    note,
    resolve,
    start_containment,
    update,
)
from tars_lib.incidents.response.escalating import escalate
from tars_lib.incidents.response.follow_up_acts import add_item, hold_review
from tars_lib.incidents.response.observing import record_run
from tars_lib.incidents.response.opening import by_hand, from_run, open_incident
from tars_lib.model.names import Severity
from tars_lib.pipeline import Run

DELAY = timedelta(minutes=4)
"""From the run's data to the opening."""


def opened(root: Path, run: Run, time: datetime | None = None) -> Writer:
    """An incident from a run, opened four minutes after its data unless a time is given; a writer at its opening."""
    at = time or run.sla.as_of + DELAY
    written = open_incident(root, from_run(run), "ada", at, run)
    return Writer(root / written.incident.incident_id, "ada", at)


def later(writer: Writer, minutes: float) -> Writer:
    """The same responder, so many minutes after the writer's time."""
    return Writer(writer.folder, writer.actor, writer.time + timedelta(minutes=minutes), writer.playbook)


def begun(root: Path, run: Run) -> Writer:
    """Acknowledged after 3 minutes, those due told after 5, the first action begun after 9; nothing is done yet."""
    first = opened(root, run)
    acknowledge(later(first, 3))
    escalate(later(first, 5))
    start_containment(later(first, 9))
    return first


def walked(root: Path, run: Run) -> Writer:
    """The same, contained after 12 minutes, told and resolved after 95, with one action item and the debrief held."""
    first = begun(root, run)
    finish_containment(later(first, 12), "A1")
    note(later(first, 20), "The pool is back to 50 connections")
    update(later(first, 30), "We are mitigating", first.time + timedelta(minutes=60))
    escalate(later(first, 31), "Team lead")
    resolve(later(first, 95), "The deploy was rolled back")
    add_item(later(first, 120), "Alert on pool size", "grace", first.time + timedelta(days=7))
    hold_review(later(first, 300), "debrief")
    return first


COURSES = ((3, 30, 90), (4, 60, 150), (6, 90, None), (12, 360, 700), (45, 1800, None))
"""Minutes from the harm to the alert, from the alert to the resolution, and from the harm until the SLA is met again."""


def planted(run: Run, began: datetime, said: datetime) -> Run:
    """The run with its harm and its alert at other times."""
    breaches = tuple(replace(breach, started_at=began) for breach in run.sla.breaches)
    shifted = run.with_reports(sla=replace(run.sla, breaches=breaches))
    return replace(shifted, status=replace(run.status, generated_at=said))


def history(root: Path, run: Run, calm: Run) -> tuple[Writer, ...]:
    """Seven incidents: five from the run, 20 days apart, with the lengths of `COURSES`, one by hand, and one under way."""
    start = run.sla.as_of
    found = []
    for number, (detect, repair, recover) in enumerate(COURSES):
        began = start + timedelta(days=20 * number)
        alert = began + timedelta(minutes=detect)
        first = opened(root, planted(run, began, alert), alert)
        acknowledge(later(first, 2))
        if recover is not None:
            over = began + timedelta(minutes=recover)
            record_run(Writer(first.folder, "ada", over), replace(calm, status=replace(calm.status, as_of=over)))
        resolve(later(first, repair), "rolled back")
        close(later(first, repair + 30))
        found.append(first)
    moment = start + timedelta(days=95)
    by = open_incident(root, by_hand(Severity.SEV_3, "Drift in mail"), "ada", moment)
    found.append(Writer(root / by.incident.incident_id, "ada", moment))
    acknowledge(later(found[-1], 10))
    resolve(later(found[-1], 45), "no action needed")
    last = start + timedelta(days=100)
    found.append(opened(root, planted(run, last - timedelta(minutes=5), last), last))
    acknowledge(later(found[-1], 2))
    return tuple(found)
