"""The leadership evidence package on one or two pages: executive summary, risk narrative, scorecard, trends."""

from __future__ import annotations

from tars_lib.engines.score_course import score_course
from tars_lib.exit_codes import EXIT_CODES
from tars_lib.figures.readiness import draw_readiness
from tars_lib.figures.scores import MAX_PANELS, draw_scores, weakest_first
from tars_lib.pipeline import Run
from tars_lib.reports.blocks import Block, Callout, Heading, Prose, Table, TitleBlock
from tars_lib.workbook.commands import next_steps, run_place
from tars_lib.workbook.heads import breached_since, head
from tars_lib.workbook.pictures import figure, figures
from tars_lib.workbook.state import since


def title(run: Run, incident_id: str = "") -> TitleBlock:
    """Head of the page."""
    entry = EXIT_CODES[run.status.exit_code]
    return head(run, "Executive summary", run.sla.risk_narrative.headline, entry, incident_id, breached_since(run))


def readiness(run: Run) -> list[Block]:
    """How ready the organisation is to answer for its SLAs, and what takes points off."""
    return [figure(draw_readiness(run.sla.executive_readiness))]


def narrative(run: Run) -> list[Block]:
    """The risk narrative as the report has it, and the outlook."""
    outlook = run.sla.executive_readiness.outlook
    text = f"{outlook[:1].upper()}{outlook[1:]}." if outlook else ""
    return [
        Heading("Risk narrative"),
        Prose((run.sla.risk_narrative.text,)),
        *([Callout("Outlook", text, "info")] if text else []),
    ]


def trends(run: Run) -> list[Block]:
    """Health of the weakest repos over time; says so where no repo has a score."""
    heading = Heading("Trends")
    course = score_course(run.org, run.sla.as_of)
    drawn = None
    if course is not None:
        reports = weakest_first(run.health.repository_reports)[:MAX_PANELS]
        drawn = draw_scores(course, reports, run.org.changes(), since(run))
    if drawn is None:
        return [
            heading,
            Callout("No trend can be shown", "No repo has a score: nothing that is scored was reported.", "unknown"),
        ]
    return [heading, *figures(drawn)]


def next_action(run: Run) -> Table:
    """What leadership asks for next."""
    steps = [("The full report", f"tars report incident_report --run {run_place(run)}")]
    if run.sla.breaches:
        steps.append(("The response, minute by minute", f"tars report sla_breach --run {run_place(run)}"))
    elif run.sla.summary.at_risk:
        steps.append(("What is at risk", f"tars report at_risk_monitoring --run {run_place(run)}"))
    steps.append(("The evidence, verifiable by an outsider", f"tars bundle create --run-dir {run_place(run)}"))
    return next_steps(*steps)
