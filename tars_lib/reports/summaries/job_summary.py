"""The summary of a run on a build server's page, as Markdown: what the build does, what was found, what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tars_lib.engines.queries.incident_state import IncidentState
from tars_lib.engines.sla.report import SlaReport
from tars_lib.findings.exit_codes import EXIT_CODES, highest
from tars_lib.findings.exit_policy import BuildDecision
from tars_lib.playbook.decision_tree import Classification, classify
from tars_lib.reports.summaries.executive_summary import breach_lines, scorecard_lines
from tars_lib.text.times import MINUTES
from tars_lib.text.visible import markdown_text

if TYPE_CHECKING:
    from datetime import timedelta

MAX_BYTES = 1_000_000
"""GitHub refuses a summary of more than 1 MiB, whole:
https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#adding-a-job-summary"""
_WARNINGS = 20
"""Warnings that are listed; judgement: the reports have all of them."""


def job_summary(
    sla: SlaReport,
    state: IncidentState,
    org: str,
    codes: Mapping[str, int],
    decision: BuildDecision,
    run: str | None = None,
) -> str:
    """Return the summary of what one command judged.

    Parameters
    ----------
    decision : Decision
        What the exit policy makes of them.

    Returns
    -------
    str
        Markdown of at most `MAX_BYTES`, with a final newline; what does not fit is cut at the end of a line, and says so.
    """
    code = highest(tuple(codes.values()))
    told = classify([code], are_ours=True)
    lines = [
        f"## {markdown_text(org)}",
        "",
        f"**{markdown_text(state.sentence)}**",
        "",
        "| | |",
        "|---|---|",
        f"| Build | {_build(decision)} |",
        *([f"| Left to pass | {markdown_text(', '.join(decision.passed))} |"] if decision.passed else []),
        f"| Finding | {_finding(code, told, state)} |",
        *([f"| Go to | {markdown_text(told.path)} |"] if code else []),
        f"| Readiness | {sla.executive_readiness.tier.value}, {sla.executive_readiness.readiness_score:.0f} of 100 |",
        f"| Data as of | {sla.as_of:{MINUTES}} |",
        *([f"| Run | {markdown_text(run)} |"] if run else []),
        "",
        "### SLA scorecard",
        "",
        *scorecard_lines(sla),
    ]
    for breach in sla.breaches:
        lines += ["", f"### Breach: {markdown_text(breach.sla_name)}", "", *breach_lines(breach, state)]
    if len(codes) > 1:
        lines += ["", "### Engines", "", "| Engine | Code | Finding |", "|---|---|---|"]
        lines += [f"| {engine} | {code} | {EXIT_CODES[code].finding} |" for engine, code in codes.items()]
    if sla.warnings:
        lines += ["", "### Data quality", ""]
        lines += [f"- {markdown_text(warning)}" for warning in sla.warnings[:_WARNINGS]]
        if len(sla.warnings) > _WARNINGS:
            lines.append(f"- {len(sla.warnings) - _WARNINGS} more in the report")
    return cut(lines)


def failure_summary(command: str, sentence: str) -> str:
    """Return the summary of a command that judged nothing."""
    return (
        f"## {markdown_text(command)}\n\n**Nothing was judged: {markdown_text(sentence)}**\n\nThis is no all-clear.\n"
    )


def _build(decision: BuildDecision) -> str:
    if decision.code == 0:
        return "passes (0)"
    # the two codes of SLAs are told by the SLAs that gave them
    because = [f"SLA {name}" for name in decision.failing_slas]
    because += [EXIT_CODES[code].finding for code in decision.failing_codes if EXIT_CODES[code].source != "sla"]
    return f"fails ({decision.code}): {markdown_text(', '.join(because))}"


def _finding(code: int, told: Classification, state: IncidentState) -> str:
    if code == 0:
        return "nothing found"
    severity = "" if told.severity is None else f", {told.severity.value}"
    # clocks run while there is something to contain
    respond = "" if state.is_settled or not severity else f", respond within {told.respond_within}"
    contain = (
        "" if state.is_settled or told.contain_within is None else f", contain within {_minutes(told.contain_within)}"
    )
    named = f"{markdown_text(EXIT_CODES[code].finding)} ({code}), {markdown_text(told.incident_type)}"
    return f"{named}{severity}{respond}{contain}"


def _minutes(span: timedelta) -> str:
    return f"{round(span.total_seconds() / 60)} minutes"


def cut(lines: list[str]) -> str:
    """Return the lines as a text that GitHub takes: at most `MAX_BYTES`, cut at the end of a line; it says so then."""
    whole = "\n".join(lines) + "\n"
    if len(whole.encode("utf-8")) <= MAX_BYTES:
        return whole
    note = "\n**Cut here: the summary is longer than GitHub takes. The reports have everything.**\n"
    room, kept = MAX_BYTES - len(note.encode("utf-8")), []
    for line in lines:
        room -= len(line.encode("utf-8")) + 1
        if room < 0:
            break
        kept.append(line)
    return "\n".join(kept) + "\n" + note
