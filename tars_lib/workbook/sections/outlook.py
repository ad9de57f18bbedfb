"""Warnings and outlook: alerts, error budgets with burn rates, forecasts."""

from __future__ import annotations

from tars_lib.engines.queries.incident_state import IncidentState
from tars_lib.engines.sla.budget_course import spending
from tars_lib.engines.sla.report import BurnRate, ComplianceResult
from tars_lib.figures.sla.error_budget import draw_burn_down
from tars_lib.model.names import AlertSeverity, SlaStatus
from tars_lib.pipeline import Run
from tars_lib.reports.blocks.kinds import Badge, Bar, Block, Column, FigureBlock, Prose, Table, Tone
from tars_lib.text.counts import plural
from tars_lib.text.quantities import days_text
from tars_lib.workbook.parameters.register import state_by
from tars_lib.workbook.sections.figure_blocks import figure
from tars_lib.workbook.sections.labels import listed, sla_badge
from tars_lib.workbook.sections.run_facts import since, worst_first

MAX_ALERTS = 5
FEWER = 3
MAX_BUDGETS = 2
"""Rows and figures that a leader looks at; judgement."""
_SEVERITY: dict[AlertSeverity, Tone] = {
    AlertSeverity.CRITICAL: "critical",
    AlertSeverity.HIGH: "critical",
    AlertSeverity.MEDIUM: "warning",
    AlertSeverity.LOW: "info",
}


def budgets(run: Run, limit: int = MAX_BUDGETS) -> list[FigureBlock]:
    """Show how the budgets were spent that are spent most, at least to 80 %."""
    spent = [r for r in worst_first(run) if r.status in (SlaStatus.BREACHED, SlaStatus.AT_RISK)]
    spent = sorted((r for r in spent if _share(r) > 0), key=lambda r: -_share(r))
    drawn = []
    for result in spent[:limit]:
        course = spending(run.org, result, run.sla.as_of)
        if course is not None:
            drawn.append(figure(draw_burn_down(course, result, since(run))))
    return drawn


def alerts(run: Run) -> Table:
    """Show the alerts of most priority, fewer beside a breach, whose own page lists them, and how many were combined."""
    limit = FEWER if run.sla.breaches else MAX_ALERTS
    shown = run.alerts.alerts[:limit]
    rows = tuple(
        (
            alert.title,
            alert.type.value.replace("_", " ").lower().replace("slo", "SLO"),
            alert.impact.value.replace("_", " ").lower(),
            "unknown" if alert.first_seen is None else f"{alert.first_seen:%m-%d %H:%M}",
            Badge(alert.severity.value.capitalize(), _SEVERITY[alert.severity]),
        )
        for alert in shown
    )
    total = len(run.alerts.alerts)
    storm = f"{run.alerts.raised} raised, combined into {total}. " if run.alerts.raised > total else ""
    more = f"The first {limit} of {total} are shown." if total > limit else ""
    return Table(
        caption="Alerts by priority",
        columns=(Column("Alert"), Column("Type"), Column("Impact"), Column("Since, UTC"), Column("Severity", "badge")),
        rows=rows,
        note=f"{storm}{more}".strip(),
        empty="No alert is raised.",
    )


def outlook(run: Run, state: IncidentState | None = None) -> list[Block]:
    """Say what the forecasts say while the incident is not settled; each SLA stands in `forecasts`."""
    text = "" if (state or state_by(run, None)).is_settled else run.sla.executive_readiness.outlook
    return [Prose((f"Outlook: {text}.",))] if text else []


def forecasts(run: Run) -> Table:
    """Return each SLA that is not breached: chance and day of a breach, or why none can be told."""
    rows = []
    for result in worst_first(run):
        if result.status is SlaStatus.BREACHED:
            continue
        days = result.days_until_breach
        when = "-" if days is None else days_text(days.value, days.low, days.high)
        chance = result.breach_probability
        rows.append(
            (
                result.sla_name,
                sla_badge(result.status),
                None if chance is None else Bar(chance, tone="warning" if chance > 0.5 else "info"),
                when,
                result.forecast_reason or "-",
            )
        )
    breached = run.sla.summary.breached
    return Table(
        caption="Forecast: probability of a breach within the period",
        columns=(
            Column("SLA"),
            Column("Verdict", "badge"),
            Column("Probability of a breach", "bar"),
            Column("When"),
            Column("Based on"),
        ),
        rows=tuple(rows),
        note=f"{plural(breached, 'SLA')} already breached {'is' if breached == 1 else 'are'} not listed."
        if breached
        else "",
        empty="No forecast: every SLA has missed its objective." if breached else "No SLA is defined.",
    )


def burn_sentence(result: ComplianceResult) -> str:
    """Name the fastest pair of windows that fires; else say what the pairs say."""
    firing = [rate for rate in result.burn_rates if rate.is_firing]
    if firing:
        return f"fires: {_rates(firing[0])}"
    able = [rate for rate in result.burn_rates if rate.can_fire]
    if able:
        fastest = max(able, key=lambda rate: (rate.long_rate or 0.0) / rate.threshold)
        return f"none fires; nearest: {_rates(fastest)}"
    mute = [rate.reason for rate in result.burn_rates if rate.reason]
    return f"cannot fire: {listed(tuple(dict.fromkeys(mute)), 1)}" if mute else "no budget to burn"


def _rates(rate: BurnRate) -> str:
    said = " and ".join(
        f"{value:.3g} over {window}"
        for value, window in ((rate.long_rate, rate.long_window), (rate.short_rate, rate.short_window))
        if value is not None
    )
    return f"{said or 'no samples'} (threshold {rate.threshold:g})"


def _share(result: ComplianceResult) -> float:
    return 0.0 if result.error_budget is None else result.error_budget.consumed_share or 0.0
