"""The leadership evidence package on one or two pages: executive summary, risk narrative, scorecard, trends."""

from __future__ import annotations

from collections import Counter

from tars_lib.engines.health.score_course import score_course
from tars_lib.engines.queries.incident_state import IncidentState
from tars_lib.figures.health.scores import MAX_PANELS, draw_scores, weakest_first
from tars_lib.figures.sla.readiness import draw_readiness
from tars_lib.findings.exit_codes import EXIT_CODES
from tars_lib.incidents.store.record import ActionState
from tars_lib.incidents.store.register import is_incident_id
from tars_lib.incidents.views.case import Case
from tars_lib.pipeline import Run
from tars_lib.reports.blocks.kinds import Block, Callout, Heading, Prose, Table, TitleBlock
from tars_lib.text.times import MINUTES
from tars_lib.workbook.parameters.register import Register, case_to_respond, state_by
from tars_lib.workbook.sections.doubts import doubts
from tars_lib.workbook.sections.figure_blocks import figure, figures
from tars_lib.workbook.sections.labels import listed
from tars_lib.workbook.sections.next_commands import next_steps, run_place
from tars_lib.workbook.sections.run_facts import risk_paragraphs, since
from tars_lib.workbook.sections.state import settled_step
from tars_lib.workbook.sections.title import breached_since, head


def title(run: Run, incident_id: str = "", state: IncidentState | None = None) -> TitleBlock:
    """Show the head of the page."""
    entry, state = EXIT_CODES[run.status.exit_code], state or state_by(run, None)
    return head(run, "Executive summary", None, entry, incident_id, breached_since(run), state)


def readiness(run: Run) -> list[Block]:
    """Show how ready the organisation is to answer for its SLAs, and what takes points off."""
    return [figure(draw_readiness(run.sla.executive_readiness))]


def narrative(run: Run, state: IncidentState | None = None) -> list[Block]:
    """Show the risk narrative as the report has it, the outlook until it is settled, and what the verdicts leave open."""
    outlook = "" if (state or state_by(run, None)).is_settled else run.sla.executive_readiness.outlook
    text = f"{outlook[:1].upper()}{outlook[1:]}." if outlook else ""
    return [
        Heading("Risk narrative"),
        Prose(risk_paragraphs(run)),
        *([Callout("Outlook", text, "info")] if text else []),
        *doubts(run),
    ]


def case_of(register: Register, incident_id: str) -> Case | None:
    """Return the incident that the page is about; None where none is named, or it is kept elsewhere than in a register at hand.

    Raises
    ------
    InputError
        If there is a register, the id has its form, and it is not in it.
    """
    is_kept_here = is_incident_id(incident_id) or (register.root / incident_id).is_dir()
    if not incident_id or not register.is_there or not is_kept_here:
        return None
    return case_to_respond(register, incident_id)


def response(run: Run, case: Case | None, incident_id: str = "", state: IncidentState | None = None) -> list[Block]:
    """Say how the response stands; without an incident what to do first, and who does it."""
    if case is None:
        settled = settled_step(state or state_by(run, None))
        if settled is not None:
            return [settled]
        plan = (state or state_by(run, None)).plan
        if incident_id or plan is None:
            return []
        return [
            Callout(plan.title, f"Owner: {plan.owner}. No incident is open for it yet. {plan.text}", "warning", "To do")
        ]
    incident, facts = case.incident, case.facts
    states = Counter(action.state for action in incident.actions)
    done, begun = states[ActionState.DONE], states[ActionState.STARTED]
    parts = [
        f"{incident.status.value.capitalize()}",
        f"actions: {done} done, {begun} under way, {states[ActionState.SUGGESTED]} not started",
        f"notified: {listed(tuple(dict.fromkeys(recipient.contact for recipient in case.escalation.told)), 6) or 'nobody yet'}",
    ]
    if not facts.is_over:
        parts.append(
            "next update: none promised yet"
            if facts.next_update_at is None
            else f"next update: {facts.next_update_at:{MINUTES}}"
        )
    worked = "not checked yet" if facts.outcome is None else f"{facts.outcome.verdict.lower()}, {facts.outcome.text}"
    parts.append(f"containment: {worked}")
    return [
        Callout(
            "Response", f"{'; '.join(parts)}.", "good" if facts.is_over else "info", "Done" if facts.is_over else "Open"
        )
    ]


def trends(run: Run) -> list[Block]:
    """Show the health of the weakest repos over time, and say so where no repo has a score."""
    heading = Heading("Trends")
    course = score_course(run.org, run.sla.as_of)
    drawn = None
    if course is not None:
        reports = weakest_first(run.health.repository_reports)[:MAX_PANELS]
        drawn = draw_scores(course, reports, run.org.changes(), since(run))
    if drawn is None:
        return [
            heading,
            Callout("No trend to show", "No service has a score: no scored metric was reported.", "unknown"),
        ]
    return [heading, *figures(drawn)]


def next_action(run: Run) -> Table:
    """Say what leadership asks for next."""
    steps = [("The full report", f"tars report incident_report --run {run_place(run)}")]
    if run.sla.breaches:
        steps.append(("The response, minute by minute", f"tars report sla_breach --run {run_place(run)}"))
    elif run.sla.summary.at_risk:
        steps.append(("What is at risk", f"tars report at_risk_monitoring --run {run_place(run)}"))
    steps.append(("Evidence that outsiders can verify", f"tars bundle create --run-dir {run_place(run)}"))
    return next_steps(*steps)
