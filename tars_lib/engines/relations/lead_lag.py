"""Who leads whom, on which paths does trouble travel, and is it travelling now?

`docs/methods/propagation.md` has the method, the definition of the impact score and the known failure cases.
"""

from __future__ import annotations

import hashlib
import heapq
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from tars_lib.engines.health.assess import iso_duration
from tars_lib.engines.relations.correlation import CRITICAL_REPOS, CRITICAL_SHARE, evidence_warnings
from tars_lib.engines.relations.correlation_report import CorrelationReport
from tars_lib.engines.relations.lead_lag_report import Influence, Lead, PropagationPath, TemporalAnomaly, TemporalReport
from tars_lib.engines.relations.pair_evidence import MAX_LAG, Evidence, gather_evidence
from tars_lib.engines.relations.propagation import Tie, Way, all_ties, is_synchronised, spreading_ways
from tars_lib.engines.report import Stamp, head
from tars_lib.engines.sla.report import SlaReport
from tars_lib.errors import ConfigError
from tars_lib.model.names import InfluenceClass, Severity, SlaStatus, TemporalAnomalyType
from tars_lib.model.organisation import OrgData
from tars_lib.text.counts import some_of
from tars_lib.text.times import MINUTES

logger = logging.getLogger(__name__)

FACING_WEIGHT = 3.0
"""A customer-facing repo counts as three; judgement."""
EXPOSED = 0.25
"""A repo on a path that stands at its level counts as a quarter of one that has left it; judgement."""
AT_RISK_BUDGET = 0.8
"""Budget taken for used in an SLA at risk that has none to measure: its limit (decided in the contract of the formats)."""
MOST_LISTED = 10_000
"""Leads listed, the strongest first; the report says how many there are; judgement, as for correlations."""
MOST_PATHS = 50
"""Paths listed, by activity and impact; the report says how many there are; judgement."""
LEAST_CONFIDENCE = 0.01
"""Ways whose confidence falls below this reach nobody; judgement."""


def assess_temporal(
    org: OrgData,
    as_of: datetime,
    correlation: CorrelationReport | None,
    sla: SlaReport | None,
    stamp: Stamp,
    max_lag: int = MAX_LAG,
    evidence: Evidence | None = None,
) -> TemporalReport:
    """Leads, influence, paths and temporal anomalies of an organisation.

    Parameters
    ----------
    org : OrgData
        As returned by `OrgData.at`.
    as_of : datetime
        UTC.
    correlation : CorrelationReport or None
        Its anomalous clusters are named on the paths that they share repos with.
    sla : SlaReport or None
        Budgets for the impact score; without it repos alone count.
    stamp : Stamp
        Clock and version for the report's head.
    max_lag : int
        Largest lag in samples, at least 1.
    evidence : Evidence, optional
        From `gather_evidence` of the same organisation; used where its largest lag is `max_lag`.

    Returns
    -------
    TemporalReport
        `exit_code` 132 for an active path whose leader declines with at least three repos or a customer-facing one; 131 for
        any other lead; else 0.

    Raises
    ------
    ConfigError
        If `max_lag` is less than 1.
    """
    if max_lag < 1:
        raise ConfigError(f"max_lag is {max_lag}; it must be a whole number of samples, at least 1")
    found = evidence if evidence is not None and evidence.max_lag == max_lag else gather_evidence(org, max_lag)
    ties = all_ties(found)
    ways = spreading_ways(found, ties)
    burden = _burden(org, sla)
    paths = sorted((_path(org, found, way, correlation, burden) for way in ways), key=_rank)
    influence = _influence(org, ties)
    anomalies = (*_spreading(org, ways, found), *_deteriorating(found, ways, influence), *_synchronised(found))
    critical = any(path.severity is Severity.SEV_1 for path in paths)
    code = 132 if critical else 131 if ties else 0
    logger.debug("temporal: %d ties, %d paths, %s", len(ties), len(paths), found.reason or "tested")
    return TemporalReport(
        **head("temporal-intelligence", stamp, as_of, org.inputs, (*org.warnings, *evidence_warnings(found)), code),
        metrics=found.movement.metrics,
        samples=found.movement.rows,
        interval=iso_duration(found.movement.interval),
        max_lag=max_lag,
        pairs_tested=0 if found.leads is None else found.leads.tested,
        leads_found=len(ties),
        lead_lag=tuple(_lead(found, tie) for tie in ties[:MOST_LISTED]),
        expected_false_discoveries=0.0 if found.leads is None else found.leads.expected_false,
        influence_scores=influence,
        paths_found=len(paths),
        propagation_paths=tuple(paths[:MOST_PATHS]),
        temporal_anomalies=tuple(sorted(anomalies, key=lambda one: (one.severity.value, one.type.value, one.repos))),
        reason=found.reason,
    )


def _lead(evidence: Evidence, tie: Tie) -> Lead:
    names = evidence.movement.repos
    return Lead(
        names[tie.leader],
        names[tie.follower],
        evidence.movement.metrics[tie.metric],
        tie.lag,
        iso_duration(tie.lag * evidence.movement.interval),
        tie.evidence,
        tie.correlation,
        tie.n_effective,
        tie.p_value,
        tie.q_value,
        tie.is_direct,
        tie.is_declared,
    )


@dataclass(frozen=True, slots=True)
class _Burden:
    """Share of each SLA's budget that is used, with the repos that it concerns; None where no SLA was judged."""

    slas: tuple[tuple[str, float, frozenset[str]], ...] | None

    def of(self, repos: frozenset[str]) -> tuple[float, tuple[str, ...]]:
        """The largest share used among the SLAs that these repos are affected in, and those SLAs."""
        hit = [(used, sla_id) for sla_id, used, affected in self.slas or () if affected & repos]
        return max((used for used, _ in hit), default=0.0), tuple(sorted(sla_id for _, sla_id in hit))


def _burden(org: OrgData, sla: SlaReport | None) -> _Burden:
    if sla is None:
        return _Burden(None)
    found = []
    for result in sla.compliance_results:
        if result.status not in (SlaStatus.BREACHED, SlaStatus.AT_RISK):
            continue
        share = None if result.error_budget is None else result.error_budget.consumed_share
        if result.status is SlaStatus.BREACHED:
            share = 1.0
        affected = result.affected_repos or tuple(repo.repo for repo in org.repos)
        found.append((result.sla_id, float(np.clip(AT_RISK_BUDGET if share is None else share, 0.0, 1.0)), affected))
    return _Burden(tuple((sla_id, used, frozenset(affected)) for sla_id, used, affected in found))


def _weight(org: OrgData, column: int) -> float:
    return FACING_WEIGHT if org.repos[column].customer_facing else 1.0


def _path(
    org: OrgData, evidence: Evidence, way: Way, correlation: CorrelationReport | None, burden: _Burden
) -> PropagationPath:
    names = tuple(evidence.movement.repos[column] for column in way.columns)
    total = sum(_weight(org, column) for column in range(len(org.repos)))
    reached = sum(
        _weight(org, column) * (1.0 if state.is_anomalous else EXPOSED)
        for column, state in zip(way.columns, way.deviations, strict=True)
    )
    used, slas = burden.of(frozenset(names))
    repos = 100.0 * reached / total
    facing = any(org.repos[column].customer_facing for column in way.columns)
    is_critical = way.is_active and way.is_declining and (len(names) >= CRITICAL_REPOS or facing)
    onset = way.ties[0].leader_onset
    identity = "\0".join(names)
    return PropagationPath(
        path_id=f"path-{hashlib.sha256(identity.encode()).hexdigest()[:12]}",
        path=names,
        total_lag=way.total_lag,
        lag_duration=iso_duration(way.total_lag * evidence.movement.interval),
        impact_score=repos if burden.slas is None else 0.5 * repos + 0.5 * 100.0 * used,
        impact_basis="REPOS" if burden.slas is None else "REPOS_AND_SLAS",
        confidence=way.confidence,
        is_active=way.is_active,
        is_declining=way.is_declining,
        is_declared=all(tie.is_declared for tie in way.ties),
        customer_facing=facing,
        severity=Severity.SEV_1 if is_critical else Severity.SEV_2 if _is_trouble(way) else Severity.SEV_3,
        started_at=None if onset is None else evidence.time(onset),
        affected_slas=slas,
        clusters=_clusters(names, correlation),
    )


def _is_trouble(way: Way) -> bool:
    return way.is_active and way.is_declining


def _clusters(names: tuple[str, ...], correlation: CorrelationReport | None) -> tuple[str, ...]:
    if correlation is None:
        return ()
    return tuple(
        cluster.cluster_id
        for cluster in correlation.clusters
        if cluster.is_anomalous and len({*cluster.repos} & {*names}) >= 2
    )


def _rank(path: PropagationPath) -> tuple[object, ...]:
    return (
        not path.is_active,
        path.severity.value,
        -path.impact_score,
        not path.is_declared,
        -path.confidence,
        path.path,
    )


def _influence(org: OrgData, ties: Sequence[Tie]) -> tuple[Influence, ...]:
    """Influence of every repo, most influential first."""
    leads: dict[int, dict[int, float]] = {}
    follows: dict[int, set[int]] = {}
    for tie in ties:
        if tie.is_direct:
            out = leads.setdefault(tie.leader, {})
            out[tie.follower] = max(out.get(tie.follower, 0.0), tie.confidence)
            follows.setdefault(tie.follower, set()).add(tie.leader)
    names = [repo.repo for repo in org.repos]
    total = sum(_weight(org, column) for column in range(len(names)))
    found = []
    for column, name in enumerate(names):
        out, sources = leads.get(column, {}), follows.get(column, set())
        kind = InfluenceClass.INDEPENDENT
        if out:
            kind = InfluenceClass.BIDIRECTIONAL if sources else InfluenceClass.LEADER
        elif sources:
            kind = InfluenceClass.FOLLOWER
        others = total - _weight(org, column)
        reach = sum(_weight(org, other) * sure for other, sure in _reach(column, leads).items())
        found.append(
            Influence(
                name,
                100.0 * reach / others if others > 0.0 else 0.0,
                kind,
                tuple(sorted(names[other] for other in out)),
                tuple(sorted(names[other] for other in sources)),
            )
        )
    return tuple(sorted(found, key=lambda one: (-one.influence_score, one.repo)))


def _reach(source: int, leads: dict[int, dict[int, float]]) -> dict[int, float]:
    """Confidence of the surest way to every repo downstream."""
    sure: dict[int, float] = {}
    pending = [(-1.0, source)]
    while pending:
        negative, column = heapq.heappop(pending)
        if column in sure:
            continue
        sure[column] = -negative
        for other, confidence in leads.get(column, {}).items():
            if other not in sure and -negative * confidence >= LEAST_CONFIDENCE:
                heapq.heappush(pending, (negative * confidence, other))
    del sure[source]
    return sure


def _spreading(org: OrgData, ways: Sequence[Way], evidence: Evidence) -> list[TemporalAnomaly]:
    """Active paths that take one sample a step, and active paths that together reach a good part of all repos."""
    found = []
    active = [way for way in ways if way.is_active]
    for way in active:
        if len(way.ties) > 1 and way.total_lag == len(way.ties):
            names = _names(evidence, way.columns)
            message = (
                f"{' -> '.join(names)}: {len(names)} services within {way.total_lag} samples, one sample per step"
                f" ({iso_duration(way.total_lag * evidence.movement.interval)})"
            )
            found.append(_anomaly(TemporalAnomalyType.RAPID_PROPAGATION, way, names, evidence, message))
    for leader in sorted({way.columns[0] for way in active}):
        mine = [way for way in active if way.columns[0] == leader]
        columns = tuple(dict.fromkeys(column for way in mine for column in way.columns))
        if len(columns) >= max(CRITICAL_REPOS, CRITICAL_SHARE * len(org.repos)):
            names = _names(evidence, columns)
            reached = f"{len(names)} of {len(org.repos)} services"
            message = f"trouble that began in {names[0]} has reached {reached}: {some_of(names)}"
            found.append(_anomaly(TemporalAnomalyType.SYSTEMIC_PROPAGATION, mine[0], names, evidence, message))
    return found


def _deteriorating(evidence: Evidence, ways: Sequence[Way], influence: Sequence[Influence]) -> list[TemporalAnomaly]:
    """Leaders whose health stands below its level now, whether or not their followers have followed."""
    kinds = {one.repo: one for one in influence}
    found: dict[str, TemporalAnomaly] = {}
    for way in ways:
        leader, state = way.columns[0], way.deviations[0]
        name = evidence.movement.repos[leader]
        if name in found or not (state.is_anomalous and way.is_declining):
            continue
        led = kinds[name].leads
        metric = evidence.movement.metrics[way.ties[0].metric]
        message = (
            f"{name} leads {some_of(led)} and is getting worse: {metric} is {abs(state.size):.1f} standard deviations"
            " worse than before it changed"
        )
        found[name] = _anomaly(TemporalAnomalyType.LEADER_DETERIORATION, way, (name,), evidence, message)
    return list(found.values())


def _synchronised(evidence: Evidence) -> list[TemporalAnomaly]:
    """Changes that came together without an order that the samples could show."""
    found = []
    for group in evidence.groups:
        if not is_synchronised(group):
            continue
        names = tuple(evidence.movement.repos[member.column] for member in group.members)
        span = max(member.index for member in group.members) - min(member.index for member in group.members)
        started = evidence.time(group.members[0].index)
        moved = "declined" if group.is_decline else "improved"
        how = "in the same sample" if span == 0 else f"within {span + 1} samples"
        message = (
            f"{len(names)} services ({some_of(names)}) {moved} {how} ({started:{MINUTES}}):"
            " at this sampling interval the data cannot show which came first"
        )
        is_now = evidence.movement.rows - group.members[0].index <= evidence.max_lag
        severity = Severity.SEV_3 if group.is_decline and is_now else Severity.SEV_4
        found.append(TemporalAnomaly(TemporalAnomalyType.SYNCHRONISED_LAG, severity, names, started, is_now, message))
    return found


def _anomaly(
    kind: TemporalAnomalyType, way: Way, names: tuple[str, ...], evidence: Evidence, message: str
) -> TemporalAnomaly:
    onset = way.ties[0].leader_onset
    severity = Severity.SEV_3
    if way.is_declining:
        severity = Severity.SEV_1 if way.is_active and len(way.columns) >= CRITICAL_REPOS else Severity.SEV_2
    started = None if onset is None else evidence.time(onset)
    return TemporalAnomaly(kind, severity, names, started, way.is_active, message)


def _names(evidence: Evidence, columns: Sequence[int]) -> tuple[str, ...]:
    return tuple(evidence.movement.repos[column] for column in columns)
