"""The executive summary of a run as Markdown: verdict first, then scorecard, breaches and what is not known."""

from __future__ import annotations

from tars_lib.engines.health.report import HealthReport
from tars_lib.engines.health.risk_text import risk_text
from tars_lib.engines.queries.incident_state import IncidentState, incident_state
from tars_lib.engines.sla.report import Breach, SlaReport
from tars_lib.text.counts import unexplained_text
from tars_lib.text.quantities import value_text
from tars_lib.text.times import MINUTES
from tars_lib.text.visible import markdown_text


def executive_summary(health: HealthReport, sla: SlaReport) -> str:
    """Executive summary of one run.

    Returns
    -------
    str
        Markdown, UTF-8 text with a final newline.
    """
    readiness, state = sla.executive_readiness, incident_state(health.history.interval, sla)
    lines = [
        f"# Executive summary: {markdown_text(health.org.name)}",
        "",
        f"**{markdown_text(state.sentence)}**",
        "",
        f"- Executive readiness: {readiness.tier.value}, {readiness.readiness_score:.0f} of 100"
        f" ({readiness.unknown_share:.0%} unknown)",
        f"- Organisation health: {risk_text(health)}; coverage {health.coverage:.0%}",
        f"- Data as of: {sla.as_of:{MINUTES}}",
        f"- Finding: {sla.finding if sla.exit_code else health.finding}",
        "",
        "## SLA scorecard",
        "",
        *scorecard_lines(sla),
    ]
    lines += [
        f"| {markdown_text(slo.name)} | {slo.status} | {'unknown' if slo.value is None else f'{slo.value:.3g}'} "
        f"| {slo.objective:g} | - | - |"
        for slo in health.slo_results
    ]
    lines += ["", f"Breached: {sla.summary.breached}. At risk: {sla.summary.at_risk}. Unknown: {sla.summary.unknown}."]
    lines += ["", "## Risk narrative", ""]
    lines += [f"- {markdown_text(sentence.text)}" for sentence in sla.risk_narrative.sentences]
    for breach in sla.breaches:
        lines += ["", f"## Breach: {markdown_text(breach.sla_name)}", "", *breach_lines(breach, state)]
    if sla.warnings:
        lines += ["", "## Data quality", ""]
        lines += [f"- {markdown_text(warning)}" for warning in dict.fromkeys((*health.warnings, *sla.warnings))]
    return "\n".join(lines) + "\n"


def scorecard_lines(sla: SlaReport) -> list[str]:
    """Table of the SLAs, a row each."""
    lines = ["| SLA | Status | Measured | Objective | Budget used | Services affected |", "|---|---|---|---|---|---|"]
    for row in sla.scorecard:
        used = "-" if row.budget_consumed is None else f"{row.budget_consumed:.0%}"
        lines.append(
            f"| {markdown_text(row.sla_name)} | {row.status.value.replace('_', ' ')} | {value_text(row.value, row.unit)} "
            f"| {value_text(row.objective, row.unit)} | {used} | {row.affected_repos} |"
        )
    return lines


def breach_lines(breach: Breach, state: IncidentState) -> list[str]:
    """Causes of a breach, what they leave unexplained and, while there is something to contain, what to do; a list."""
    lines = [f"- {markdown_text(cause.cause)} ({cause.confidence:.0%} confidence)" for cause in breach.root_causes]
    if not breach.root_causes:
        lines.append(f"- Cause unknown: {markdown_text(breach.reason or '')}")
    lines.append(f"- {unexplained_text(breach.unexplained if breach.is_weighed else None)}")
    actions = () if state.is_settled else breach.recommended_actions
    return lines + [f"- Do: {markdown_text(action)}" for action in actions]
