"""At-Risk Monitoring (exit code 141): what may be breached next, how soon, and how to watch it."""

from __future__ import annotations

from tars_lib.engines.queries.incident_state import IncidentState
from tars_lib.engines.sla.report import ComplianceResult
from tars_lib.model.names import SlaStatus
from tars_lib.pipeline import Run
from tars_lib.reports.blocks.kinds import (
    Bar,
    Block,
    Callout,
    Column,
    Heading,
    KeyFigure,
    KeyFigures,
    Prose,
    Table,
    TitleBlock,
    Tone,
)
from tars_lib.text.counts import plural
from tars_lib.text.quantities import days_text, value_text
from tars_lib.workbook.pages.incident_report import measured
from tars_lib.workbook.parameters.register import state_by
from tars_lib.workbook.sections.labels import objective_sign
from tars_lib.workbook.sections.next_commands import health_report, next_steps, run_again, run_place, settled_steps
from tars_lib.workbook.sections.outlook import alerts, budgets, burn_sentence, forecasts
from tars_lib.workbook.sections.run_facts import is_dark, none_is, worst_first
from tars_lib.workbook.sections.state import settled_step
from tars_lib.workbook.sections.title import head, of_code


def at_risk(run: Run) -> list[ComplianceResult]:
    """Return the SLAs at risk, by priority."""
    return [result for result in worst_first(run) if result.status is SlaStatus.AT_RISK]


def title(run: Run, incident_id: str = "", state: IncidentState | None = None) -> TitleBlock:
    """Show the head of the page: what is at risk, and what is to be expected."""
    return head(run, "At-risk monitoring", None, of_code(run, 141, 142), incident_id, state=state)


def key_figures(run: Run) -> KeyFigures:
    """Count how many are at risk, and show the nearest breach and how much of the budget is left."""
    risky = at_risk(run)
    soonest = min((r.days_until_breach.value for r in risky if r.days_until_breach is not None), default=None)
    shares = [
        r.error_budget.consumed_share for r in risky if r.error_budget and r.error_budget.consumed_share is not None
    ]
    firing = sum(rate.is_firing for result in risky for rate in result.burn_rates)
    known = [r for r in run.sla.compliance_results if r.breach_probability is not None]
    summary = run.sla.summary
    return KeyFigures(
        (
            KeyFigure(
                "SLAs at risk", f"{len(risky)} of {summary.total}",
                note=f"{summary.breached} breached, {summary.unknown} unknown",
                tone="warning" if risky else "good" if not is_dark(run) else "unknown", word="" if risky else "None found",
            ),
            KeyFigure(
                "Nearest breach", "none likely" if soonest is None else f"{soonest:.0f}",
                unit="" if soonest is None else "days",
                note=f"forecast for {len(known)} of {summary.total}", tone="warning" if soonest is not None else "neutral",
            ),
            KeyFigure(
                "Budget used, most", "n/a" if not shares else f"{max(shares):.0%}", note="of an SLA at risk",
                tone="warning" if shares and max(shares) >= 0.8 else "neutral",
            ),
            KeyFigure(
                "Burn-rate windows firing", f"{firing}", note="of SLAs at risk", tone="warning" if firing else "neutral",
            ),
        )
    )  # fmt: skip


def verdict(run: Run, check_minutes: int, state: IncidentState | None = None) -> Callout:
    """Say what to do now."""
    state = state or state_by(run, None)
    if (settled := settled_step(state)) is not None:
        return settled
    if run.sla.breaches:
        return Callout(
            "An SLA is breached: handle that first",
            f"Go to the SLA breach response: tars report sla_breach --run {run_place(run)}",
            "critical",
        )
    risky = at_risk(run)
    if risky:
        return Callout(
            f"Run the checks every {check_minutes} minutes until it recovers",
            f"{'; '.join(f'{r.sla_name}: {r.reason}' for r in risky)}. Respond within 1 hour.",
            "warning",
            "Do now",
        )
    tone: Tone = "unknown" if is_dark(run) else "good"
    return Callout(none_is(run, "at risk"), run.sla.risk_narrative.text, tone)


def at_risk_table(run: Run) -> Table:
    """Return each SLA at risk: how far from its objective, how much of the budget, how fast, and when."""
    rows = []
    for result in at_risk(run):
        days = result.days_until_breach
        share = None if result.error_budget is None else result.error_budget.consumed_share
        rows.append(
            (
                f"{result.sla_name} ({result.scope or 'all services'})",
                f"{measured(result)}, objective {objective_sign(result)} {value_text(result.objective, result.unit)}",
                "n/a" if share is None else Bar(max(share, 0.0), tone="warning"),
                burn_sentence(result),
                "not likely" if days is None else days_text(days.value, days.low, days.high),
            )
        )
    return Table(
        caption="SLAs at risk, by priority",
        columns=(
            Column("SLA (where)"),
            Column("Measured (95%)"),
            Column("Budget used", "bar"),
            Column("Burn rate"),
            Column("Breach in"),
        ),
        rows=tuple(rows),
        empty=f"{none_is(run, 'at risk')}.",
    )


def budget_section(run: Run) -> list[Block]:
    """Show how the budgets at risk were spent."""
    drawn = budgets(run)
    return [Heading("How fast the error budget is burning"), *drawn] if drawn else []


def outlook_section(run: Run) -> list[Block]:
    """Show forecasts of all SLAs, and the alerts that are there already."""
    is_open = any(result.status is not SlaStatus.BREACHED for result in run.sla.compliance_results)
    # where all are breached there is nothing to forecast, and the breach's own page lists the alerts
    told = (
        [forecasts(run)]
        if is_open or not run.sla.breaches
        else [Prose(("No forecast: every SLA has missed its objective.",))]
    )
    return [Heading("Outlook"), *told, alerts(run)]


def watching(run: Run, check_minutes: int) -> Table:
    """Return the playbook's monitoring escalation, with what calls for each row here."""
    risky = at_risk(run)
    rows = (
        (
            "Increase check frequency",
            f"Run the checks every {check_minutes} min instead of hourly",
            f"{plural(len(risky), 'SLA')} at risk" if risky else "not needed",
        ),
        ("Enable verbose logging", "Set TARS_LOG_LEVEL=DEBUG", "where a verdict is unclear"),
        (
            "Add custom alerts",
            "A rule in alerts.yaml of the root",
            "; ".join(f"{m} of {r.scope or 'any service'}" for r in risky for m in r.metrics[-1:]) or "not needed",
        ),
        ("Enable tracing", "Distributed tracing of the services at risk", "where latency is at risk"),
    )
    return Table(
        caption="Monitoring escalation, by the playbook's table",
        columns=(Column("Action"), Column("How"), Column("Here")),
        rows=rows,
    )


def next_action(run: Run, check_minutes: int, incident_id: str = "", state: IncidentState | None = None) -> Table:
    """Name the next step: watch closely, look deeper, or carry on; once the incident is settled, what is left."""
    if (left := settled_steps(run, incident_id, state)) is not None:
        return left
    if run.sla.breaches:
        return next_steps(("Go to the SLA breach response", f"tars report sla_breach --run {run_place(run)}"))
    if not at_risk(run):
        return next_steps(("Keep the hourly checks running", run_again(run)))
    return next_steps(
        (
            f"Run the checks again in {check_minutes} minutes, and keep going (cron: */{check_minutes} * * * *)",
            run_again(run),
        ),
        ("See what changed since this run", f"tars diff {run_place(run)} './reports/runs/tars-run-*'"),
        ("See the full report as JSON", f"tars sla --org-report {health_report(run)} --json"),
    )
