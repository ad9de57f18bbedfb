"""Incidents on a terminal: 80 columns, nothing hidden, times in the reader's zone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

from tars_lib.cli.shared.screen import WIDTH, wrapped
from tars_lib.reports.blocks.lengths import LINE_LIMIT, NAME_LIMIT, visible
from tars_lib.text.times import MINUTES

if TYPE_CHECKING:
    from tars_lib.incidents.store.journal import Written
    from tars_lib.incidents.store.record import Action, Incident
    from tars_lib.incidents.store.timeline import Entry
    from tars_lib.incidents.store.verification import RecordVerification
    from tars_lib.incidents.views.case import Case
    from tars_lib.incidents.views.clocks import Clock
    from tars_lib.incidents.views.golden_path import GoldenPath, GuidedStep
    from tars_lib.playbook.escalation import Escalation
    from tars_lib.playbook.tables import Playbook

_NEXT = 3
"""Rungs shown that are still to come; judgement."""
_LABEL = 16
_NO_BREAK = "\N{NO-BREAK SPACE}"


@dataclass(frozen=True, slots=True)
class Reader:
    """In which zone times are shown. The record holds UTC whatever this is."""

    zone: tzinfo = UTC

    def time(self, time: datetime) -> str:
        """Return a time to the minute, with its offset where it is not UTC, so that a repeated hour is never ambiguous."""
        local = time.astimezone(self.zone)
        if self.zone is UTC:
            return f"{local:{MINUTES}}"
        offset = f"{local:%z}"
        return f"{local:{MINUTES}}{offset[:3]}:{offset[3:5]}"


def status_lines(case: Case, reader: Reader) -> Iterator[str]:
    """Yield everything that a responder who comes new to an incident has to know."""
    incident, now = case.incident, case.time
    from tars_lib.incidents.views.clocks import clocks

    yield from field("Incident", f"{incident.incident_id}  {incident.severity.value}  {incident.status.value}")
    yield from field("Title", visible(incident.title, NAME_LIMIT))
    if incident.summary != incident.title:
        yield from field("Summary", visible(incident.summary, LINE_LIMIT))
    yield from field("Type", f"{incident.incident_type}; go to: {incident.response_path}")
    if incident.began_at is not None:
        yield from field("Impact began", reader.time(incident.began_at))
    yield from field("Opened", f"{reader.time(incident.opened_at)} by {visible(incident.opened_by, NAME_LIMIT)}")
    if incident.acknowledged_at is not None:
        by = visible(incident.acknowledged_by or "unknown", NAME_LIMIT)
        yield from field("Acknowledged", f"{reader.time(incident.acknowledged_at)} by {by}")
    for label, time in (
        ("Contained", incident.contained_at),
        ("Resolved", incident.resolved_at),
        ("Closed", incident.closed_at),
        ("Reopened", incident.reopened_at),
        ("Next update", incident.next_update_at),
    ):
        if time is not None:
            yield from field(label, reader.time(time))
    yield from clock_lines(clocks(incident, case.playbook), now, reader)
    yield from _harm_lines(incident)
    for action in incident.actions:
        who = action.owner or (action.suggested_owner and f"for: {action.suggested_owner}")
        owner = f" ({visible(who, NAME_LIMIT)})" if who else ""
        yield from field(f"{action.action_id} {action.state.value}", f"{visible(action.text, LINE_LIMIT)}{owner}")
    for escalation in incident.escalations:
        reason = f": {visible(escalation.reason, LINE_LIMIT)}" if escalation.reason else ""
        yield from field(
            "Notified", f"{visible(escalation.contact, NAME_LIMIT)} at {reader.time(escalation.at)}{reason}"
        )
    yield from escalation_lines(case.escalation, incident, reader)
    for label, run in (("Run before", incident.before), ("Run after", incident.after)):
        if run is not None:
            yield from field(label, f"{run.run_id}, as of {reader.time(run.as_of)}, exit code {run.exit_code}")
    if incident.effect is not None:
        yield from field("Contained?", f"{incident.effect.verdict.value}: {visible(incident.effect.text, LINE_LIMIT)}")
    if incident.resolution is not None:
        yield from field("Resolution", visible(incident.resolution, LINE_LIMIT))
    for item in incident.action_items:
        owner, due = item.owner or "not assigned", "no date" if item.due is None else f"by {reader.time(item.due)}"
        state = "done" if item.is_done else due
        yield from field("To do", visible(f"{item.item_id}: {item.text} ({owner}; {state})", LINE_LIMIT))
    yield from field("Playbook", _playbook_text(incident, case.playbook))
    yield from field("Timeline", f"{incident.timeline.count} entries, head {incident.timeline.sha256[:12]}")


def _playbook_text(incident: Incident, playbook: Playbook) -> str:
    now = f"{visible(playbook.version, NAME_LIMIT)}, sha256 {playbook.sha256[:12]}"
    if incident.playbook_sha256 == playbook.sha256:
        return f"{now}, as at the opening"
    then = "not recorded" if incident.playbook_sha256 is None else f"sha256 {incident.playbook_sha256[:12]}"
    return f"{now}; at the opening: {then}"


def escalation_lines(
    escalation: Escalation, incident: Incident, reader: Reader, due: str = "Notify now"
) -> Iterator[str]:
    """Yield who must be notified now (`due` is the label) and next, by which rule; conditions that nobody has answered."""
    from tars_lib.incidents.views.golden_path import rung_text

    for rung in escalation.due:
        yield from field(
            "Do now" if rung.is_task else due, visible(f"{rung_text(rung)}, due {reader.time(rung.due_at)}", LINE_LIMIT)
        )
        yield from (line for other in rung.also for line in field("", visible(f"also {other}", LINE_LIMIT)))
    for rung in escalation.upcoming[:_NEXT]:
        yield from field(
            "Do next" if rung.is_task else "Notify next",
            visible(f"{rung_text(rung)}, at {reader.time(rung.due_at)} without progress", LINE_LIMIT),
        )
    if escalation.unknown and incident.status is not type(incident.status).CLOSED:
        names = ", ".join(condition.value for condition in escalation.unknown)
        yield from field("Not answered", f"{names} (record --condition or --no-condition)")


def action_lines(action: Action, incident: Incident, folder: Path) -> Iterator[str]:
    """Yield an action of the checklist with how it is done, undone, and what shows that it worked."""
    from tars_lib.incidents.views.golden_path import query_text

    yield from field(f"{action.action_id} {action.state.value}", visible(action.text, LINE_LIMIT))
    who = action.owner or action.suggested_owner
    for label, text in (
        ("  Who", who),
        ("  How", None if action.how == action.text else action.how),
        ("  Because", action.reason),
        ("  Undo", action.revert),
        ("  Done when", action.verify),
    ):
        if text:
            yield from field(label, visible(text, LINE_LIMIT))
    query = query_text(action, incident, folder)
    if query:
        # a command is not wrapped: it has to work as it is copied
        yield f"{'  Check:':16} {visible(query)}"


def _harm_lines(incident: Incident) -> Iterator[str]:
    from tars_lib.incidents.views.golden_path import confidence_text
    from tars_lib.playbook.wording import distinct

    for breach in incident.breached_slas:
        chance = "; could be chance" if breach.could_be_chance else ""
        name = f"{breach.sla_id} ({breach.sla_type}) in {', '.join(breach.repos)}{chance}"
        yield from field("Breached SLA", visible(name, LINE_LIMIT))
    if incident.affected_repos:
        yield from field("Services", visible(", ".join(incident.affected_repos), LINE_LIMIT))
    customers = f" ({', '.join(incident.customer_repos)})" if incident.customer_repos else ""
    yield from field("Customer impact", visible(f"{incident.customer_impact.value}{customers}", LINE_LIMIT))
    if incident.conditions:
        yield from field("Conditions", ", ".join(condition.value for condition in incident.conditions))
    causes = distinct(incident.causes)
    for cause, also in causes[:3]:
        yield from field("Cause", visible(f"{cause.cause} ({confidence_text(cause)}){also}", LINE_LIMIT))
    if len(causes) > 3:
        yield from field("", f"{len(causes) - 3} more in the record")


def clock_lines(clocks: Sequence[Clock], now: datetime, reader: Reader) -> Iterator[str]:
    """Yield both clocks: how much time is left."""
    for clock in clocks:
        # the rule is not torn apart at the end of a line
        rule = visible(clock.rule).replace(" ", _NO_BREAK)
        lines = field(clock.name.capitalize(), f"{clock_text(clock, now, reader)}  [{rule}]")
        yield from (line.replace(_NO_BREAK, " ") for line in lines)


def clock_text(clock: Clock, now: datetime, reader: Reader) -> str:
    """Return one clock in words."""
    from tars_lib.model.organisation import duration_text

    left = clock.left(now)
    if left is None or clock.due_at is None:
        return "no time set by the playbook" if clock.stopped_at is None else "done"
    if clock.stopped_at is not None:
        taken = duration_text(clock.stopped_at - clock.started_at)
        return f"done after {taken}, {'in time' if left >= timedelta(0) else f'{duration_text(-left)} late'}"
    if left < timedelta(0):
        return f"OVERDUE by {duration_text(-left)}, was due {reader.time(clock.due_at)}"
    return f"{duration_text(left)} left, due {reader.time(clock.due_at)}"


def golden_lines(path: GoldenPath, case: Case, reader: Reader, given_dir: Path | None = None) -> Iterator[str]:
    """Yield the golden path as a page: clocks, five steps, the containment row, the next command."""
    from tars_lib.incidents.views.clocks import clocks
    from tars_lib.incidents.views.golden_path import command_lines, postmortem_command

    incident, now = case.incident, case.time
    yield f"Golden path of {incident.incident_id}: {visible(incident.title, NAME_LIMIT)}"[:WIDTH]
    yield f"{incident.severity.value}, {incident.status.value}, minute {path.minute} since it was opened"
    yield from clock_lines(clocks(incident, case.playbook), now, reader)
    yield ""
    for number, step in enumerate(path.steps):
        yield step_head(step, path, is_current=number == path.current)
        if number == path.current:
            yield from wrapped(step.task, "    Now: ", "    ")
        for line in step.recorded:
            yield from wrapped(visible(line, LINE_LIMIT), "    - ", "      ")
        if number == path.current and step.step_id == "contain" and path.row is not None:
            row = path.row
            for label, text in zip(
                ("Cause", "Playbook", "Undo", "Done when"), (row.cause, row.action, row.revert, row.verify), strict=True
            ):
                yield from wrapped(text, f"    {label + ':':11}", " " * 15)
    yield ""
    if path.next_command is None:
        yield "The incident is closed; nothing left to do here. Its postmortem:"
        yield f"  {postmortem_command(incident, given_dir)}"
    else:
        # a command is not wrapped: it has to work as it is copied
        yield "Next command:"
        yield from (f"  {command}" for command in command_lines(path.next_command))


def step_head(step: GuidedStep, path: GoldenPath, *, is_current: bool) -> str:
    """Return a step's mark, minutes and name, and whether the responders are behind."""
    mark = "[x]" if step.is_done else "[>]" if is_current else "[ ]"
    late = "  behind" if not step.is_done and path.minute >= step.end_minute and path.current is not None else ""
    return f"{mark} Minute {step.start_minute}-{step.end_minute}: {step.name}{late}"


def unconfirmed_lines(incident: Incident, given_dir: Path | None = None) -> Iterator[str]:
    """That no run shows the end of the harm, and the commands that would; nothing where one does."""
    from tars_lib.incidents.views.golden_path import command_lines, confirming_command

    command = confirming_command(incident, given_dir)
    if command is None:
        return
    run, effect = incident.after, incident.effect
    if run is None or effect is None:
        reason = "no run after containment shows that the impact ended"
    else:
        reason = f"{run.run_id} says {effect.verdict.value}: {visible(effect.text, LINE_LIMIT)}"
    yield from field("Not confirmed", reason)
    yield from (f"  {line}" for line in command_lines(command))


def written_lines(written: Written, case: Case, reader: Reader, given_dir: Path | None = None) -> Iterator[str]:
    """Yield what was written just now, how much time is left and what comes next."""
    from tars_lib.incidents.store.record import IncidentStatus
    from tars_lib.incidents.store.timeline import EntryKind
    from tars_lib.incidents.views.clocks import clocks, is_running
    from tars_lib.incidents.views.golden_path import command_lines, path_of, postmortem_command

    incident, entry = written.incident, written.entry
    text = entry.text
    if entry.kind in (EntryKind.UPDATE, EntryKind.NOTIFIED):
        # the whole text was printed just now, or stands in the timeline
        text = entry.text.strip().partition("\n")[0]
    yield from field("Incident", f"{incident.incident_id}  {incident.severity.value}  {incident.status.value}")
    yield from field(f"Entry {entry.seq}", visible(text, LINE_LIMIT))
    yield from field("Written", f"{reader.time(entry.time)} by {visible(entry.actor, NAME_LIMIT)}")
    if is_running(incident):
        yield from clock_lines(clocks(incident, case.playbook), entry.time, reader)
    command = path_of(case, given_dir).next_command
    if command is not None:
        # a command is not wrapped: it has to work as it is copied
        yield from (f"{'Next:':16} {line}" for line in command_lines(command))
    elif incident.status is IncidentStatus.CLOSED and entry.kind is EntryKind.CLOSED:
        yield f"{'Next:':16} {postmortem_command(incident, given_dir)}"


def timeline_lines(entries: Sequence[Entry], reader: Reader, *, is_full: bool) -> Iterator[str]:
    """Yield entries, oldest first; long texts are cut unless `is_full`."""
    for entry in entries:
        who = visible(entry.actor, NAME_LIMIT)
        yield from wrapped(f"{reader.time(entry.time)}  {entry.kind.value}  {who}", f"{entry.seq:>4}  ", " " * 6)
        if is_full:
            for line in entry.text.split("\n"):
                yield from wrapped(visible(line, None), " " * 6, " " * 6)
        else:
            yield from wrapped(visible(_short(entry), LINE_LIMIT), " " * 6, " " * 6)


def _short(entry: Entry) -> str:
    """Return the text of an entry; of a message with a head and a body the head."""
    from tars_lib.incidents.store.timeline import EntryKind

    head, _, rest = entry.text.strip().partition("\n")
    if entry.kind in (EntryKind.UPDATE, EntryKind.NOTIFIED) and rest.strip():
        return f"{head} (and {len(rest.splitlines())} lines more: --full)"
    return entry.text


def verification_lines(verification: RecordVerification, folder: Path) -> Iterator[str]:
    """Outcome of a verification."""
    for fault in verification.faults:
        yield from wrapped(visible(fault), "ALTERED  ", " " * 9)
    for note in verification.notes:
        yield from wrapped(visible(note), "note     ", " " * 9)
    if verification.is_intact and verification.is_redacted:
        yield from wrapped(
            f"{verification.incident_id}: REDACTED copy, {verification.entries} entries; what can be compared fits",
            "",
            "  ",
        )
        yield f"head {verification.head} (of the original)"
    elif verification.is_intact:
        yield from wrapped(f"{verification.incident_id}: intact, {verification.entries} entries", "", "  ")
        yield f"head {verification.head}"
    else:
        yield from wrapped(f"{folder} is not what was written", "", "  ")


def field(label: str, text: str) -> list[str]:
    """Return a label and its text, wrapped under itself."""
    return wrapped(text, f"{label + ':' if label else '':{_LABEL}} ", " " * (_LABEL + 1))
