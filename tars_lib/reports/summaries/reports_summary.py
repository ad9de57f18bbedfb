"""Reports of a run on a build server's page: the verdict, which pages there are, and why one is missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tars_lib.engines.queries.incident_state import IncidentState
from tars_lib.reports.notebooks.execute import NotebookError
from tars_lib.reports.summaries.annotations import Annotation, first_of
from tars_lib.reports.summaries.executive_summary import scorecard_lines
from tars_lib.reports.summaries.job_summary import cut
from tars_lib.text.visible import markdown_text

if TYPE_CHECKING:
    from tars_lib.engines.sla.report import SlaReport
    from tars_lib.reports.notebooks.bulk import Outcome


def reports_summary(sla: SlaReport, state: IncidentState, org: str, run: str, outcomes: Sequence[Outcome]) -> str:
    """Job summary of the reports on one run.

    Parameters
    ----------
    outcomes : sequence of Outcome
        Of this run, in the order in which they are listed.

    Returns
    -------
    str
        Markdown of at most `job_summary.MAX_BYTES`.
    """
    failed = sum(outcome.error is not None for outcome in outcomes)
    count = f"{len(outcomes) - failed} of {len(outcomes)} written" + (f", **{failed} failed**" if failed else "")
    lines = [
        f"## {markdown_text(org)}: reports on {markdown_text(run)}",
        "",
        f"**{markdown_text(state.sentence)}**",
        "",
        "### SLA scorecard",
        "",
        *scorecard_lines(sla),
        "",
        f"### Reports: {count}",
        "",
        "| Report | State | Where |",
        "|---|---|---|",
        *(_row(outcome) for outcome in outcomes),
    ]
    for outcome in outcomes:
        if isinstance(outcome.error, NotebookError) and outcome.error.source:
            lines += ["", f"### {markdown_text(outcome.job.name)} failed in this cell", ""]
            # four spaces keep whatever stands in a cell from being Markdown
            lines += [f"    {line}" for line in outcome.error.source.splitlines()]
    return cut(lines)


def annotate_reports(outcomes: Sequence[Outcome]) -> tuple[Annotation, ...]:
    """Return an error for each report that failed, at most ten, the last of which counts what was left out."""
    failed = [
        Annotation("error", f"Report failed: {outcome.job.name}", (" ".join(str(outcome.error).split()),))
        for outcome in outcomes
        if outcome.error is not None
    ]
    return tuple(first_of(failed, "error"))


def _row(outcome: Outcome) -> str:
    state = ", ".join(sorted(form for form in outcome.files if form != "notebook"))
    if outcome.error is not None:
        state = f"FAILED: {markdown_text(' '.join(str(outcome.error).split()))}"
    return f"| {markdown_text(outcome.job.name)} | {state} | {markdown_text(outcome.job.folder.as_posix())} |"
