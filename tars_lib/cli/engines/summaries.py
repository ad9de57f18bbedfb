"""Short texts for people: what each engine's `--summary-only` prints."""

from __future__ import annotations

from tars_lib.engines.alerts.report import AlertReport
from tars_lib.engines.queries.incident_state import IncidentState
from tars_lib.engines.relations.correlation_report import CorrelationReport
from tars_lib.engines.relations.lead_lag_report import TemporalReport
from tars_lib.engines.sla.report import SlaReport
from tars_lib.text.quantities import value_text
from tars_lib.text.times import MINUTES

MAX_LINES = 10


def sla_lines(report: SlaReport, state: IncidentState) -> list[str]:
    """Return the verdicts, breaches with their causes and, while there is something to contain, the actions; readiness."""
    readiness = report.executive_readiness
    lines = [state.sentence, f"As of {report.as_of:{MINUTES}}", ""]
    for result in report.compliance_results:
        value, objective = value_text(result.value, result.unit), value_text(result.objective, result.unit)
        sign = ">=" if result.higher_is_better else "<="
        why = f" ({result.reason})" if result.reason else ""
        lines.append(f"{result.status.value:9}  {result.sla_id}: {value}, objective {sign} {objective}{why}")
        lines += [f"{'':9}  {sentence}" for sentence in result.missing]
    for breach in report.breaches:
        lines += ["", f"BREACHED: {breach.sla_id} - {breach.sla_type}, {breach.severity.value}"]
        lines += [f"  Cause: {cause.cause} ({cause.confidence:.0%} confidence)" for cause in breach.root_causes[:3]]
        if not breach.root_causes:
            lines.append(f"  Cause unknown: {breach.reason}")
        lines += [] if state.is_settled else [f"  Do: {action}" for action in breach.recommended_actions]
    unknown = f", {readiness.unknown_share:.0%} unknown" if readiness.unknown_share else ""
    lines += ["", f"Executive readiness: {readiness.tier.value}, {readiness.readiness_score:.0f} of 100{unknown}"]
    return lines


def alert_lines(report: AlertReport) -> list[str]:
    """Return the alerts in order of priority."""
    counted = ", ".join(f"{count} {name.lower()}" for name, count in sorted(report.severities.items())) or "none"
    lines = [f"Alerts as of {report.as_of:{MINUTES}}: {counted}"]
    lines += [f"  {alert.severity.value:8}  {alert.type.value}: {alert.title}" for alert in report.alerts[:MAX_LINES]]
    if len(report.alerts) > MAX_LINES:
        lines.append(f"  and {len(report.alerts) - MAX_LINES} more")
    lines += [f"  SEV-4     drift: {finding.title}" for finding in report.findings[:MAX_LINES]]
    return lines


def correlation_lines(report: CorrelationReport) -> list[str]:
    """Significant pairs and clusters."""
    lines = [
        f"Correlation as of {report.as_of:{MINUTES}}: {report.correlations_found} significant pairs, "
        f"{report.expected_false_discoveries:.1f} expected to be false, {len(report.clusters)} clusters"
    ]
    for cluster in report.clusters[:MAX_LINES]:
        state = "ANOMALOUS" if cluster.is_anomalous else "ordinary"
        factors = "; ".join(factor.factor for factor in cluster.common_factors[:2]) or "no common factor found"
        lines.append(f"  {state:9}  {cluster.direction.value}: {', '.join(cluster.repos[:6])} ({factors})")
    return lines


def temporal_lines(report: TemporalReport) -> list[str]:
    """Leaders, paths, anomalies."""
    lines = [
        f"Lead-lag as of {report.as_of:{MINUTES}}: {len(report.lead_lag)} significant pairs, "
        f"{report.expected_false_discoveries:.1f} expected to be false, {len(report.propagation_paths)} paths"
    ]
    for path in report.propagation_paths[:MAX_LINES]:
        state = "ACTIVE" if path.is_active else "past"
        lines.append(f"  {state:6}  {' -> '.join(path.path)}, impact {path.impact_score:.0f} of 100")
    lines += [f"  {anomaly.severity.value}  {anomaly.message}" for anomaly in report.temporal_anomalies[:MAX_LINES]]
    return lines
