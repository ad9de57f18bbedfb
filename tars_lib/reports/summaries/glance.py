"""A run at a glance, as the blocks of every report: what a cell shows that ends with an analysis or a run."""

from __future__ import annotations

from tars_lib.engines.alerts.report import AlertReport
from tars_lib.engines.health.report import HealthReport
from tars_lib.engines.health.risk_text import risk_text
from tars_lib.engines.queries.incident_state import incident_state
from tars_lib.engines.sla.report import SlaReport
from tars_lib.findings.exit_codes import EXIT_CODES
from tars_lib.model.names import SlaStatus
from tars_lib.reports.blocks.kinds import Badge, Block, Callout, Column, Prose, Table, Tone
from tars_lib.text.counts import plural
from tars_lib.text.quantities import value_text
from tars_lib.text.times import MINUTES

_TONES: dict[SlaStatus, Tone] = {
    SlaStatus.BREACHED: "critical",
    SlaStatus.AT_RISK: "warning",
    SlaStatus.COMPLIANT: "good",
    SlaStatus.UNKNOWN: "unknown",
}


def glance(health: HealthReport, alerts: AlertReport, sla: SlaReport, exit_code: int) -> tuple[Block, ...]:
    """Verdict, scorecard and how to ask on."""
    entry = EXIT_CODES[exit_code]
    severity = "" if entry.severity is None else f", {entry.severity.value}"
    readiness = sla.executive_readiness
    verdict = (
        f"{health.org.name} as of {sla.as_of:{MINUTES}}: {entry.finding.replace('_', ' ')} (exit code "
        f"{exit_code}{severity}). Readiness {readiness.tier.value}, {readiness.readiness_score:.0f} of 100; health "
        f"{risk_text(health)}; {plural(len(alerts.alerts), 'alert')}."
    )
    rows = tuple(
        (
            row.sla_id,
            Badge(row.status.value.replace("_", " ").capitalize(), _TONES[row.status]),
            value_text(row.value, row.unit),
            value_text(row.objective, row.unit),
            f"{row.affected_repos}",
        )
        for row in sla.scorecard
    )
    columns = (
        Column("SLA", "mono"),
        Column("Verdict", "badge"),
        Column("Measured"),
        Column("Objective"),
        Column("Services that breach it"),
    )
    stands = incident_state(health.history.interval, sla)
    tone: Tone = "neutral" if stands.is_settled else "critical" if sla.breaches else "warning" if exit_code else "info"
    return (
        Callout(stands.headline, f"{stands.detail} {verdict}".strip(), tone),
        Table("SLA scorecard", columns, rows, empty="No SLA is defined."),
        Prose((f"Next: {', '.join(_asks(sla))}.",)),
    )


def _asks(sla: SlaReport) -> tuple[str, ...]:
    """Return what to type next at an analysis or a run, with names that are there."""
    first = [f"tars_lib.why(_.sla, {result.sla_id!r})" for result in sla.compliance_results[:1]]
    return (*first, ".health.frame", ".sla.frame", ".alerts.frame", ".org.repo(name)")
