"""The golden path: the playbook's fifteen minutes for one incident, each with what is done, recorded and to be typed."""

from __future__ import annotations

from datetime import timedelta

from tars_lib.engines.queries.impact_text import impact_text
from tars_lib.figures.incidents.escalation import ClockBar, draw_escalation
from tars_lib.findings.exit_codes import EXIT_CODES, ExitCode
from tars_lib.incidents.views.case import Case
from tars_lib.incidents.views.clocks import Clock, contain_clock, is_running, respond_clock
from tars_lib.incidents.views.golden_path import GoldenPath, GuidedStep, confidence_text, path_of
from tars_lib.model.names import Severity
from tars_lib.pipeline import Run
from tars_lib.playbook.escalation import Rung
from tars_lib.playbook.pages import PAGE_OF
from tars_lib.playbook.wording import length_text
from tars_lib.reports.blocks.kinds import (
    Badge,
    Block,
    Callout,
    Checklist,
    ChecklistItem,
    Column,
    Heading,
    KeyFigure,
    KeyFigures,
    Prose,
    Table,
    TitleBlock,
    Tone,
)
from tars_lib.text.times import MINUTES
from tars_lib.workbook.parameters.register import Register, state_by
from tars_lib.workbook.sections.figure_blocks import figure
from tars_lib.workbook.sections.incident_title import case_badges, case_head, no_case_head
from tars_lib.workbook.sections.labels import label_of
from tars_lib.workbook.sections.next_commands import next_steps, run_again, run_place
from tars_lib.workbook.sections.run_facts import none_is
from tars_lib.workbook.sections.state import state_badge
from tars_lib.workbook.sections.title import finding_name

_RECORDED = 180
"""Characters of the record a step; the rest is in `tars incident golden`. Judgement: five lines of a column."""


def title(run: Run, register: Register, case: Case | None) -> TitleBlock:
    """Show the head of the page: which incident, which minute, what comes now."""
    if case is None:
        return no_case_head(run, register, "Golden path", _nothing(register))
    path = walk(register, case)
    state = state_by(run, case)
    felt = impact_text(run.sla, is_past=state.is_settled)
    if state.is_settled and path.current is not None:
        return case_head(
            run, case, "Golden path", state.headline, (*state_badge(state), *case_badges(case)), state.detail
        )
    return case_head(run, case, "Golden path", _headline(case, path), case_badges(case), felt)


def walk(register: Register, case: Case) -> GoldenPath:
    """Show the path as `tars incident golden` has it."""
    return path_of(case, register.given_dir)


def clocks(run: Run, register: Register, case: Case | None) -> KeyFigures:
    """Show the time left on both clocks, the minute, the steps that are done, the next update."""
    if case is None:
        steps = register.playbook.golden_path
        last = max((step.end for step in steps), default=0)
        return KeyFigures(
            (
                KeyFigure("Incident", "none", note="open in the register", tone="neutral"),
                KeyFigure("Time allowed", f"{last}", unit="min", note=f"{len(steps)} steps", tone="neutral"),
            )
        )
    incident, path = case.incident, walk(register, case)
    done = sum(step.is_done for step in path.steps)
    return KeyFigures(
        (
            *(_clock_figure(clock, case) for clock in (respond_clock(incident, case.playbook), contain_clock(incident))),
            KeyFigure(
                "Open for", length_text((incident.resolved_at or incident.closed_at or case.time) - incident.opened_at),
                note=f"opened {incident.opened_at:{MINUTES}}",
            ),
            KeyFigure(
                "Steps done", f"{done} of {len(path.steps)}", note=_behind(path),
                tone="good" if done == len(path.steps) else "warning" if _behind(path) else "info",
                word="All" if done == len(path.steps) else "Behind" if _behind(path) else "In progress",
            ),
            _update_figure(case),
        )
    )  # fmt: skip


def now_do(run: Run, register: Register, case: Case | None) -> list[Block]:
    """Say what to do in this minute, with the command that does it."""
    if case is None:
        entry = EXIT_CODES[run.status.exit_code]
        if entry.severity is None:
            return [
                Callout(
                    "No immediate response needed", f"The run found nothing: {none_is(run, 'breached')}.", "good", "Now"
                )
            ]
        found = f"The run found: {finding_name(entry).lower().replace('sla', 'SLA')} ({entry.code}, {entry.severity.value})."
        if not is_urgent(entry):
            within = register.playbook.severity(entry.severity).response_time
            return [
                Callout("No immediate response needed", f"{found} Investigate; response time: {within}.", "info", "Now")
            ]
        return [
            Callout(
                "Open the incident to start the clocks",
                f"{found} {open_command(run, register)}",
                "critical" if entry.severity.value == "SEV-1" else "warning",
                "Do now",
            )
        ]
    path = walk(register, case)
    if path.current is None:
        text = "" if path.next_command is None else path.next_command
        state = case.incident.status.value.lower()
        done = sum(step.is_done for step in path.steps)
        count = "all steps are done" if done == len(path.steps) else f"{done} of {len(path.steps)} steps are on record"
        return [Callout(f"The incident is {state}: {count}", text, "good", "Now")]
    step = path.steps[path.current]
    stands = state_by(run, case)
    if stands.is_settled:
        return [
            Callout(stands.headline, f"For the record, {step.name.lower()}: {path.next_command}", "neutral", "Next")
        ]
    return [
        Callout(
            f"Minute {step.start_minute}-{step.end_minute}, {step.name}: {step.task}",
            path.next_command or "",
            "critical" if path.minute >= step.end_minute else "warning",
            "Behind: do now" if path.minute >= step.end_minute else "Do now",
        )
    ]


def escalation_clock(case: Case | None) -> list[Block]:
    """Show the clocks and the people to be told, over the time since the opening."""
    if case is None:
        return []
    incident = case.incident
    bars = [
        ClockBar(clock.name.capitalize(), clock.started_at, clock.due_at, clock.stopped_at)
        for clock in (respond_clock(incident, case.playbook), contain_clock(incident))
    ]
    ended = incident.resolved_at or incident.closed_at
    return [figure(draw_escalation(case.escalation, bars, incident.opened_at, case.time, ended))]


def minutes(register: Register, case: Case | None) -> Table:
    """Show the five steps: minutes, what is asked, what the record holds, and whether it is enough."""
    columns = (Column("Minute"), Column("Step and question"), Column("Recorded"), Column("State", "badge"))
    if case is None:
        return Table(
            caption="The fifteen minutes in the playbook",
            columns=columns,
            rows=tuple(
                (
                    f"{row.start}-{row.end} min",
                    f"{row.title}: {row.task or row.record}",
                    "-",
                    Badge("Not started", "neutral"),
                )
                for row in register.playbook.golden_path
            ),
        )
    path = walk(register, case)
    return Table(
        caption="The fifteen minutes: what to do, and what is recorded",
        columns=columns,
        rows=tuple(
            (
                f"{step.start_minute}-{step.end_minute} min",
                f"{step.name}: {step.task}",
                _recorded(step),
                step_state(path, number),
            )
            for number, step in enumerate(path.steps)
        ),
        note="Read from the incident record: whoever acts, on any machine, continues from here.",
    )


def contain(register: Register, case: Case | None) -> list[Block]:
    """Show the playbook's containment row for the cause that the record holds."""
    if case is None:
        return []
    heading = Heading("Minute 8-12: contain")
    row = walk(register, case).row
    if row is None:
        return [
            heading,
            Prose(("No cause of a known type is recorded yet, so no row of the containment table applies.",)),
        ]
    cause = next(
        cause
        for cause in case.incident.causes
        if cause.containment_type is row.containment_type and cause.confidence != 0
    )
    done = [
        ChecklistItem(
            action.text,
            is_done=action.done_at is not None,
            owner=action.owner or (action.suggested_owner or ""),
            due=f"{action.state.value.lower()}"
            + (f" {action.done_at or action.started_at:%H:%M} UTC" if action.started_at else ""),
        )
        for action in case.incident.actions
    ]
    return [
        heading,
        Prose((f"{cause.cause} ({confidence_text(cause)}).",)),
        Table(
            caption="The playbook's row for this cause",
            columns=(Column("Cause"), Column("Containment"), Column("Who"), Column("Undo"), Column("It worked when")),
            rows=(
                (
                    row.cause,
                    f"{row.action}{f' ({cause.repo})' if cause.repo else ''}",
                    row.owner or "-",
                    row.revert,
                    row.verify,
                ),
            ),
            note="T.A.R.S. changes nothing itself: act, then record it.",
        ),
        *([Checklist(tuple(done), "Actions")] if done else []),
    ]


def tell(case: Case | None) -> list[Block]:
    """Show whom to tell, by which rule, until when, and who has been told."""
    if case is None:
        return []
    escalation = case.escalation
    late, now = Badge("Overdue", "critical"), Badge("Now", "critical")
    states = [
        *((rung, late if case.time > rung.due_at else now) for rung in escalation.due),
        *((rung, Badge("Without progress", "neutral")) for rung in escalation.upcoming),
        *((rung, Badge("Notified", "good")) for rung in escalation.told),
    ]
    rows = [(_named(rung), f"{rung.told_at or rung.due_at:{MINUTES}}", rung.rule, state) for rung, state in states]
    asked = ", ".join(condition.value.replace("_", " ").lower() for condition in escalation.unknown)
    return [
        Heading("Minute 12-15: escalate and document"),
        Table(
            caption=(
                f"Notify: {len(escalation.due)} now, {len(escalation.upcoming)} later without progress; "
                f"{len(escalation.told)} notified"
            ),
            columns=(Column("Who"), Column("When"), Column("Rule"), Column("State", "badge")),
            rows=tuple(rows),
            note=f"Not answered yet: {asked}." if asked else "",
            empty="Nobody to notify.",
        ),
    ]


def next_action(run: Run, register: Register, case: Case | None) -> Table:
    """Name the command for what is missing, and those that follow."""
    if case is None:
        entry = EXIT_CODES[run.status.exit_code]
        if not is_urgent(entry):
            page = PAGE_OF.get(entry.code)
            look = [("Investigate the finding", f"tars report {page} --run {run_place(run)}")] if page else []
            return next_steps(*look, ("Keep the hourly checks running", run_again(run)))
        return next_steps(
            ("Open the incident", open_command(run, register)),
            ("Then follow the fifteen minutes", f"tars report golden_path --run {run_place(run)}"),
        )
    path = walk(register, case)
    name, where = case.incident.incident_id, where_option(register)
    steps = [
        ("Now" if path.current is not None else "Next", line) for line in (path.next_command or "").split("; ") if line
    ]
    if path.next_command is None:
        steps.append(("Write the postmortem", f"tars incident postmortem {name}{where}"))
    steps.append(("Show these steps in a terminal", f"tars incident golden {name}{where}"))
    steps.append(("Who was notified of what, and when", f"tars incident timeline {name}{where}"))
    return next_steps(*steps)


def open_command(run: Run, register: Register) -> str:
    """Return the command that opens an incident from the run."""
    return f"tars incident open --from-run {run_place(run)}{where_option(register)}"


def where_option(register: Register) -> str:
    """Return `--incidents-dir` where commands need it, with a space before it."""
    import shlex

    return "" if register.given_dir is None else f" --incidents-dir {shlex.quote(register.given_dir.as_posix())}"


def is_urgent(entry: ExitCode) -> bool:
    """Return whether the playbook wants an answer within the hour."""
    return entry.severity in (Severity.SEV_1, Severity.SEV_2)


def _nothing(register: Register) -> str:
    if not register.is_there:
        return f"There is no incident register at {register.root}: no incident was opened, and no clock is running."
    return f"No incident is open in {register.root}: no clock is running."


def _headline(case: Case, path: GoldenPath) -> str:
    incident = case.incident
    if path.current is None:
        end = incident.resolved_at or incident.closed_at
        after = f" after {length_text(end - incident.opened_at)}" if end is not None else ""
        return f"{incident.title.rstrip('.')}: {incident.status.value.lower()}{after}; no step is left."
    step = path.steps[path.current]
    contain = contain_clock(incident)
    left = contain.left(case.time)
    time = ""
    if left is not None and contain.stopped_at is None:
        over = left < timedelta(0)
        time = f", {length_text(abs(left))} {'over the limit' if over else 'left'} to contain"
    elif contain.stopped_at is not None:
        time = ", already contained"
    return f"{path.when.capitalize()}: {step.name.lower()} is due now{time}. {incident.title.rstrip('.')}."


def _clock_figure(clock: Clock, case: Case) -> KeyFigure:
    name = f"{clock.name.capitalize()} clock"
    left = clock.left(case.time)
    if left is None:
        return KeyFigure(name, "no time set", note=clock.rule, tone="neutral")
    is_late = left < timedelta(0)
    if clock.stopped_at is not None:
        return KeyFigure(
            name, length_text(clock.stopped_at - clock.started_at), note=clock.rule,
            tone="critical" if is_late else "good", word=f"{length_text(-left)} late" if is_late else "In time",
        )  # fmt: skip
    tone: Tone = "critical" if is_late else "warning"
    return KeyFigure(name, length_text(abs(left)), note=clock.rule, tone=tone, word="Overdue" if is_late else "Left")


def _update_figure(case: Case) -> KeyFigure:
    at = case.incident.next_update_at
    if at is None:
        is_missing = is_running(case.incident)
        return KeyFigure(
            "Next update", "not set", tone="warning" if is_missing else "neutral", word="Missing" if is_missing else ""
        )
    is_late = is_running(case.incident) and at < case.time
    tone: Tone = "warning" if is_late else "neutral"
    return KeyFigure("Next update", f"{at:%H:%M}", "UTC", f"{at:%Y-%m-%d}", tone, "Overdue" if is_late else "")


def _behind(path: GoldenPath) -> str:
    if path.current is None:
        return ""
    late = [step.name for step in path.steps if not step.is_done and path.minute >= step.end_minute]
    return f"behind: {late[0].lower()}" if late else ""


def _recorded(step: GuidedStep) -> str:
    lines: list[str] = []
    for line in step.recorded:
        short = label_of(line, 120)
        if lines and sum(map(len, lines)) + len(short) > _RECORDED:
            break
        lines.append(short)
    more = len(step.recorded) - len(lines)
    return "; ".join([*lines, *([f"{more} more in the record"] if more > 0 else [])]) or "nothing yet"


def step_state(path: GoldenPath, number: int) -> Badge:
    """Say if a step is done, comes now, is late or is to come."""
    step = path.steps[number]
    if step.is_done:
        return Badge("Done", "good")
    if path.current is None:
        return Badge("Skipped", "neutral")
    if path.minute >= step.end_minute:
        return Badge("Behind", "critical")
    return Badge("Now", "warning") if number == path.current else Badge("Pending", "neutral")


def _named(rung: Rung) -> str:
    return f"{rung.contact} ({' and '.join(rung.methods)})" if rung.methods else rung.contact
