"""Which repos move together, do they deviate now, and what do they have in common?

`docs/methods/clusters.md` has the method, its measured error rates and its known failure cases.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np

from tars_lib.engines.relations.clusters import Group, mean_correlation, repo_groups
from tars_lib.engines.relations.common_factors import common_factors
from tars_lib.engines.relations.correlation_report import Cluster, Correlation, CorrelationAnomaly, CorrelationReport
from tars_lib.engines.relations.deviation import CALM, UNKNOWN, Deviation, deviation, standardised
from tars_lib.engines.relations.joint_changes import CHANGE_ROWS
from tars_lib.engines.relations.pair_evidence import MAX_LAG, Evidence, gather_evidence
from tars_lib.engines.report import Stamp, head
from tars_lib.model.names import ClusterDirection, Severity
from tars_lib.model.organisation import OrgData
from tars_lib.stats.changes.break_points import lasting_breaks
from tars_lib.stats.series.autoregression import lag_one, unbiased_phi
from tars_lib.stats.series.nuisance_design import nuisance_basis, without_basis
from tars_lib.text.counts import some_of
from tars_lib.text.times import MINUTES

logger = logging.getLogger(__name__)

CRITICAL_SHARE = 0.2
"""Share of the repos from which an anomalous decline is critical (decided in the contract of the formats)."""
CRITICAL_REPOS = 3
"""...and their number (same)."""
MEMBER_LEVEL = 0.05
"""Level at which a member by itself counts as off its level, beside the joint deviation at 1 %; the project's usual."""
SAME_WAY = 2 / 3
"""A cluster has a direction where at least so many of its members moved that way; judgement."""
LARGE = 100.0
"""Standard deviations from which the number is no longer written out; judgement."""
MOST_LISTED = 10_000
"""Pairs listed, the strongest first; the report says how many there are. Judgement: 3 MB of JSON."""


def assess_correlation(
    org: OrgData, as_of: datetime, stamp: Stamp, evidence: Evidence | None = None
) -> CorrelationReport:
    """Pairs, clusters and anomalies of an organisation.

    Parameters
    ----------
    org : OrgData
        As returned by `OrgData.at`.
    as_of : datetime
        UTC.
    stamp : Stamp
        Clock and version for the report's head.
    evidence : Evidence, optional
        From `gather_evidence` of the same organisation, where the caller has it; default gathered here.

    Returns
    -------
    CorrelationReport
        `exit_code` 122 for an anomalous DECLINE with at least 20 % of the repos, three of them or a customer-facing one;
        121 for any other pair or cluster; else 0.
    """
    found = evidence or gather_evidence(org, MAX_LAG)
    clusters = tuple(sorted((_cluster(org, found, group) for group in repo_groups(found)), key=_urgency))
    listed = _correlations(found)
    count = 0 if found.pairs is None else len(found.pairs.q_value)
    critical = any(_is_critical(org, cluster) for cluster in clusters)
    code = 122 if critical else 121 if count or clusters else 0
    logger.debug("correlation: %d pairs, %d clusters, %s", count, len(clusters), found.reason or "tested")
    return CorrelationReport(
        **head("trend-correlation", stamp, as_of, org.inputs, (*org.warnings, *evidence_warnings(found)), code),
        metrics=found.movement.metrics,
        samples=found.movement.rows,
        pairs_tested=0 if found.pairs is None else found.pairs.tested,
        correlations_found=count,
        correlations=listed,
        expected_false_discoveries=0.0 if found.pairs is None else found.pairs.expected_false,
        clusters=clusters,
        anomalies=tuple(_anomaly(org, cluster) for cluster in clusters if cluster.is_anomalous),
        reason=found.reason,
    )


def evidence_warnings(evidence: Evidence) -> list[str]:
    """Return what a reader should know about the data that was tested."""
    warnings = []
    if evidence.reason is not None:
        warnings.append(f"relations between services could not be tested: {evidence.reason}")
    left_out = evidence.movement.left_out
    if evidence.movement.metrics and left_out:
        warnings.append(f"metrics sampled too rarely to be compared with the others: {', '.join(left_out[:5])}")
    return warnings


def _correlations(evidence: Evidence) -> tuple[Correlation, ...]:
    if evidence.pairs is None:
        return ()
    names, tests = evidence.movement.repos, evidence.pairs.tests
    found = []
    for row in range(min(tests.first.size, MOST_LISTED)):
        first, second = sorted((int(tests.first[row]), int(tests.second[row])))
        metric = int(evidence.pairs.panel[row])
        values = evidence.movement.values[metric]
        found.append(
            Correlation(
                names[first],
                names[second],
                evidence.movement.metrics[metric],
                float(tests.correlation[row]),
                int((np.isfinite(values[:, first]) & np.isfinite(values[:, second])).sum()),
                float(tests.n_effective[row]),
                float(tests.p_value[row]),
                float(evidence.pairs.q_value[row]),
            )
        )
    return tuple(found)


def _cluster(org: OrgData, evidence: Evidence, group: Group) -> Cluster:
    onset = _onset(evidence, group)
    joint = np.column_stack([standardised(_series(evidence, group, column), onset) for column in group.columns])
    known = np.isfinite(joint)
    seen = known.any(axis=1)
    mean = np.where(seen, np.where(known, joint, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1), np.nan)
    whole = deviation(mean, onset)
    own = [_own_deviation(evidence, group, column, onset) for column in group.columns]
    # one member alone may carry the mean: most of them have to stand off their level
    aside = [one.p_value <= MEMBER_LEVEL and one.size * whole.size > 0.0 for one in own]
    now = whole if sum(aside) > 0.5 * len(own) or not whole.is_anomalous else CALM
    names = tuple(evidence.movement.repos[column] for column in group.columns)
    started = None if onset is None else evidence.time(onset)
    step = timedelta(microseconds=evidence.movement.interval)
    direction = _direction(now, own, group)
    is_known = whole is not UNKNOWN
    # where the others left their level, a shared callee that did not is a poorer explanation
    calm = [column for column, is_off in zip(group.columns, aside, strict=True) if now.is_anomalous and not is_off]
    factors = common_factors(
        org, evidence.calls, group.columns, started, step, frozenset(group.changes), frozenset(calm)
    )
    cluster = Cluster(
        cluster_id=f"cluster-{hashlib.sha256(chr(0).join(names).encode()).hexdigest()[:12]}",
        repos=names,
        metrics=tuple(sorted({evidence.movement.metrics[metric] for metric in group.metric.values()})),
        joined_by=tuple(sorted(group.joined_by)),
        mean_correlation=mean_correlation(evidence, group),
        is_anomalous=now.is_anomalous,
        direction=direction,
        onset=started,
        deviation=whole.size if is_known else None,
        deviation_p_value=whole.p_value if is_known else None,
        severity=Severity.SEV_3,
        customer_facing=any(org.repos[column].customer_facing for column in group.columns),
        common_factors=factors,
        reason=None if is_known else "too few recent or past samples to compare",
        deviating=tuple(name for name, is_off in zip(names, aside, strict=True) if now.is_anomalous and is_off),
    )
    return _graded(org, cluster)


def _graded(org: OrgData, cluster: Cluster) -> Cluster:
    severity = Severity.SEV_3
    if cluster.is_anomalous and cluster.direction is ClusterDirection.IMPROVEMENT:
        severity = Severity.SEV_4
    elif _is_critical(org, cluster):
        severity = Severity.SEV_1
    elif cluster.is_anomalous:
        severity = Severity.SEV_2
    return replace(cluster, severity=severity)


def _is_critical(org: OrgData, cluster: Cluster) -> bool:
    if not cluster.is_anomalous or cluster.direction is not ClusterDirection.DECLINE:
        return False
    many = len(cluster.repos) >= min(CRITICAL_REPOS, CRITICAL_SHARE * len(org.repos))
    return many or cluster.customer_facing


def _onset(evidence: Evidence, group: Group) -> int | None:
    """First of the joint changes; else the last change point of the members' mean, which noise of each cancels in."""
    if group.changes:
        return min(change.index for change in group.changes.values())
    own = [standardised(_series(evidence, group, column)) for column in group.columns]
    values = np.column_stack(own)
    known = np.isfinite(values)
    if not known.any():
        return None
    total = np.where(known, values, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    mean = np.where(known.any(axis=1), total, np.nan)[:, None]
    metric = min(group.metric.values())
    mean = without_basis(mean, evidence.panels[metric].basis)
    first = max(evidence.movement.rows - CHANGE_ROWS, 0)
    phi = unbiased_phi(lag_one(mean), evidence.panels[metric].basis)
    basis = evidence.panels[metric].basis if first == 0 else nuisance_basis(evidence.movement.rows - first)
    breaks = lasting_breaks(mean[first:], phi, basis)
    return breaks[-1].index + first if breaks else None


def _own_deviation(evidence: Evidence, group: Group, column: int, onset: int | None) -> Deviation:
    """Deviation of one member; none from a change that was taken back."""
    change = group.changes.get(column)
    if change is not None and change.until is not None:
        return CALM
    return deviation(_series(evidence, group, column), onset)


def _series(evidence: Evidence, group: Group, column: int) -> np.ndarray:
    return evidence.movement.values[group.metric[column]][:, column]


def _direction(now: Deviation, own: list[Deviation], group: Group) -> ClusterDirection:
    """Of the deviation while there is one, else of the joint change; ordinary ups and downs have none."""
    moved = [one.size for one in own if np.isfinite(one.size)]
    if not now.is_anomalous:
        moved = [change.size for change in group.changes.values()]
    if not moved:
        return ClusterDirection.MIXED if np.isfinite(now.size) else ClusterDirection.UNKNOWN
    if sum(size < 0.0 for size in moved) >= SAME_WAY * len(moved):
        return ClusterDirection.DECLINE
    if sum(size > 0.0 for size in moved) >= SAME_WAY * len(moved):
        return ClusterDirection.IMPROVEMENT
    return ClusterDirection.MIXED


def _anomaly(org: OrgData, cluster: Cluster) -> CorrelationAnomaly:
    ways = {"DECLINE": "declined together", "IMPROVEMENT": "improved together"}
    moved = ways.get(cluster.direction, "are off their usual level")
    since = "" if cluster.onset is None else f" since {cluster.onset:{MINUTES}}"
    far = None if cluster.deviation is None else _size(cluster.deviation)
    size = "" if far is None else f", {far} standard deviations from their usual level"
    shared = ""
    if cluster.common_factors:
        first = cluster.common_factors[0]
        kind = first.kind.value.lower().replace("_", " ")
        shared = f"; in common: {first.factor} ({kind}, {first.confidence:.0%} confidence)"
    named = cluster.deviating
    message = f"{len(named)} of {len(org.repos)} services ({some_of(named)}) {moved}{since}{size}{shared}"
    return CorrelationAnomaly(cluster.cluster_id, cluster.severity, named, cluster.direction, cluster.onset, message)


def _size(deviation_: float) -> str:
    # a past that hardly varied makes the multiple large and its digits meaningless
    return f"{abs(deviation_):.1f}" if abs(deviation_) < LARGE else f"more than {LARGE:.0f}"


def _urgency(cluster: Cluster) -> tuple[str, bool, float, str]:
    return cluster.severity.value, not cluster.is_anomalous, cluster.deviation_p_value or 1.0, cluster.cluster_id
