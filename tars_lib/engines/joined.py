"""Joins what the other engines found to the breaches: clusters, propagation paths and alerts as causes and evidence.

The ranking by own excess along the calls stays first: it is the one that was measured against real incidents. What the other
engines say about the same repo becomes evidence of it; what they say about another becomes a further cause. All after the first
stand in order of confidence.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tars_lib.engines.alerts.report import AlertReport
from tars_lib.engines.relations.correlation_report import Cluster, CorrelationReport
from tars_lib.engines.relations.lead_lag_report import TemporalReport
from tars_lib.engines.sla.report import Breach, RootCause, SlaReport
from tars_lib.model.names import AlertSeverity, CauseType, ContainmentType, FactorKind

MAX_JOINED = 3
"""Further causes that are added to a breach at most; judgement."""
_NOT_CALIBRATED = "confidence as this engine gives it, not calibrated on incidents"
_CONTAINMENT = {
    FactorKind.SHARED_INFRASTRUCTURE: ContainmentType.INFRASTRUCTURE_ISSUE,
    FactorKind.EXTERNAL: ContainmentType.EXTERNAL_DEPENDENCY,
}


def join_upstream(
    sla: SlaReport, alerts: AlertReport, correlation: CorrelationReport, temporal: TemporalReport
) -> SlaReport:
    """The SLA report with causes and evidence of all five types.

    Only clusters that are anomalous, paths that are active and alerts that are critical are joined, and only to a breach whose
    target or affected repos they hold.
    """
    return replace(sla, breaches=tuple(_joined(breach, alerts, correlation, temporal) for breach in sla.breaches))


def _joined(breach: Breach, alerts: AlertReport, correlation: CorrelationReport, temporal: TemporalReport) -> Breach:
    touched = {breach.target, *breach.repos}
    candidates = [
        *_paths(breach, touched, temporal),
        *_clusters(breach, touched, correlation),
        *_alerts(touched, alerts),
    ]
    known = [cause.repo for cause in breach.root_causes]
    causes = [
        replace(cause, evidence=(*cause.evidence, *(_as_evidence(c) for c in candidates if c.repo == cause.repo)))
        for cause in breach.root_causes
    ]
    if breach.unmeasured is not None and not known:
        # a measured repo that moves with it is not named for one that nobody measures
        return breach
    if not known:
        # nothing was explained: what the others say is all there is
        causes = sorted(candidates, key=lambda cause: (-cause.confidence, cause.cause))[:MAX_JOINED]
        return replace(breach, root_causes=tuple(causes))
    further = [c for c in candidates if c.repo not in known and c.cause_type is not CauseType.ALERT_PATTERN]
    # of causes that exclude each other, others have what the best one leaves
    left = 1.0 - breach.root_causes[0].confidence
    others = [replace(c, confidence=min(c.confidence, left)) for c in further[:MAX_JOINED]]
    rest = sorted([*causes[1:], *others], key=lambda cause: -cause.confidence)
    return replace(breach, root_causes=(causes[0], *rest))


def _as_evidence(cause: RootCause) -> str:
    return cause.cause.removeprefix(f"{cause.repo}: ")


def _paths(breach: Breach, touched: set[str], temporal: TemporalReport) -> Iterator[RootCause]:
    for path in temporal.propagation_paths:
        if path.is_active and path.path[0] != breach.target and touched & set(path.path[1:]):
            yield _cause(
                path.path[0],
                f"{path.path[0]}: leads {' -> '.join(path.path)} by {path.total_lag} samples, active now",
                CauseType.PROPAGATION_PATH,
                breach,
                path.confidence,
                ContainmentType.CASCADING_FAILURE,
            )


def _clusters(breach: Breach, touched: set[str], correlation: CorrelationReport) -> Iterator[RootCause]:
    for cluster in correlation.clusters:
        if not cluster.is_anomalous or not touched & set(cluster.repos) or not cluster.common_factors:
            continue
        factor = cluster.common_factors[0]
        repo = factor.factor if factor.factor in cluster.repos else _member(cluster, breach)
        yield _cause(
            repo,
            f"{repo}: declines together with {', '.join(r for r in cluster.repos if r != repo)}; in common: {factor.factor}",
            CauseType.CORRELATION_CLUSTER,
            breach,
            factor.confidence,
            _CONTAINMENT.get(factor.kind, ContainmentType.SINGLE_REPO_DEGRADATION),
        )


def _member(cluster: Cluster, breach: Breach) -> str:
    return breach.target if breach.target in cluster.repos else cluster.repos[0]


def _alerts(touched: set[str], alerts: AlertReport) -> Iterator[RootCause]:
    for alert in alerts.alerts:
        root = alert.root
        if alert.severity is not AlertSeverity.CRITICAL or root is None or not touched & {root, *alert.repos}:
            continue
        if alert.source.startswith("sla:"):
            continue  # the breach itself
        count = max(len(alert.members), 1)
        what = f"{count} critical alerts combined" if count > 1 else "critical alert"
        yield RootCause(
            cause=f"{root}: {what}: {alert.title}",
            cause_type=CauseType.ALERT_PATTERN,
            repo=root,
            metric=alert.metric or "",
            confidence=0.0,
            contribution=0.0,
            evidence=(alert.message, "an alert says that something is wrong, not that it is the cause"),
            containment_type=ContainmentType.SINGLE_REPO_DEGRADATION,
        )


def _cause(
    repo: str, sentence: str, kind: CauseType, breach: Breach, confidence: float, containment: ContainmentType
) -> RootCause:
    return RootCause(
        cause=sentence,
        cause_type=kind,
        repo=repo,
        metric=breach.target_metric,
        confidence=confidence,
        contribution=0.0,
        evidence=(_NOT_CALIBRATED,),
        containment_type=containment,
    )
