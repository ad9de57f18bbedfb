"""What got better and what got worse between two runs?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from tars_lib.engines.alerts.report import AlertReport
from tars_lib.engines.health.report import HealthReport
from tars_lib.engines.relations.lead_lag_report import TemporalReport
from tars_lib.engines.sla.report import SlaReport
from tars_lib.model.names import SlaStatus
from tars_lib.text.quantities import value_text

MIN_POINTS = 1.0
"""Scores that moved by less are not listed; judgement: a point of a hundred is what a reader sees."""
_RANK = {SlaStatus.BREACHED: 0, SlaStatus.AT_RISK: 1, SlaStatus.UNKNOWN: 1, SlaStatus.COMPLIANT: 2}


class Direction(StrEnum):
    """Which way a line changed."""

    BETTER = "BETTER"
    WORSE = "WORSE"
    CHANGED = "CHANGED"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The reports of one run that are compared."""

    health: HealthReport
    alerts: AlertReport
    temporal: TemporalReport
    sla: SlaReport


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is not as it was; numbers are null where they are unknown or there are none."""

    subject: str
    direction: Direction
    before: str
    after: str
    delta: float | None = None


def compare(before: Snapshot, after: Snapshot) -> tuple[Change, ...]:
    """Changes from one run to another, worst first.

    A verdict that became UNKNOWN is a change for the worse where it was COMPLIANT, and no improvement where it was not.
    """
    changes = [
        *_slas(before.sla, after.sla),
        *_scores(before, after),
        *_alerts(before.alerts, after.alerts),
        *_paths(before.temporal, after.temporal),
    ]
    order = {Direction.WORSE: 0, Direction.CHANGED: 1, Direction.BETTER: 2}
    return tuple(sorted(changes, key=lambda change: order[change.direction]))


def _slas(before: SlaReport, after: SlaReport) -> Iterator[Change]:
    old = {result.sla_id: result for result in before.compliance_results}
    new = {result.sla_id: result for result in after.compliance_results}
    for sla_id in sorted(old.keys() | new.keys()):
        one, other = old.get(sla_id), new.get(sla_id)
        if one is None or other is None:
            states = tuple("not judged" if r is None else r.status.value for r in (one, other))
            yield Change(f"SLA {sla_id}", Direction.CHANGED, states[0], states[1])
            continue
        delta = None if one.value is None or other.value is None else other.value - one.value
        texts = tuple(f"{r.status.value} {value_text(r.value, r.unit)}" for r in (one, other))
        if one.status is not other.status:
            gain = _RANK[other.status] - _RANK[one.status]
            unknown = SlaStatus.UNKNOWN in (one.status, other.status)
            better = Direction.CHANGED if unknown else Direction.BETTER
            yield Change(
                f"SLA {sla_id}",
                better if gain > 0 else Direction.WORSE if gain < 0 else Direction.CHANGED,
                texts[0],
                texts[1],
                delta,
            )
        elif delta is not None and texts[0] != texts[1]:
            yield Change(f"SLA {sla_id}", _sense(delta, other.higher_is_better), texts[0], texts[1], delta)


def _scores(before: Snapshot, after: Snapshot) -> Iterator[Change]:
    yield from _score(
        "readiness", before.sla.executive_readiness.readiness_score, after.sla.executive_readiness.readiness_score
    )
    yield from _score("organisation health", before.health.aggregate_score, after.health.aggregate_score)
    old: Mapping[str, float | None] = before.health.repository_scores
    new: Mapping[str, float | None] = after.health.repository_scores
    for repo in sorted(old.keys() | new.keys()):
        yield from _score(f"health of {repo}", old.get(repo), new.get(repo))


def _score(subject: str, before: float | None, after: float | None) -> Iterator[Change]:
    if before is None and after is None:
        return
    texts = tuple("unknown" if score is None else f"{score:.1f}" for score in (before, after))
    if before is None or after is None:
        yield Change(subject, Direction.WORSE if after is None else Direction.CHANGED, texts[0], texts[1])
    elif abs(after - before) >= MIN_POINTS:
        yield Change(subject, _sense(after - before, True), texts[0], texts[1], after - before)


def _alerts(before: AlertReport, after: AlertReport) -> Iterator[Change]:
    old = {alert.fingerprint: alert for alert in before.alerts}
    new = {alert.fingerprint: alert for alert in after.alerts}
    for fingerprint in sorted(new.keys() - old.keys()):
        alert = new[fingerprint]
        yield Change(f"alert {alert.title}", Direction.WORSE, "absent", alert.severity.value)
    for fingerprint in sorted(old.keys() - new.keys()):
        alert = old[fingerprint]
        yield Change(f"alert {alert.title}", Direction.BETTER, alert.severity.value, "cleared")


def _paths(before: TemporalReport, after: TemporalReport) -> Iterator[Change]:
    old = {" -> ".join(path.path): path for path in before.propagation_paths}
    new = {" -> ".join(path.path): path for path in after.propagation_paths}
    for name in sorted(old.keys() | new.keys()):
        one, other = old.get(name), new.get(name)
        impacts = tuple(path.impact_score if path is not None else 0.0 for path in (one, other))
        if one is not None and other is not None and abs(impacts[1] - impacts[0]) < MIN_POINTS:
            continue
        texts = tuple("absent" if path is None else f"impact {path.impact_score:.0f}" for path in (one, other))
        yield Change(
            f"path {name}", _sense(impacts[1] - impacts[0], False), texts[0], texts[1], impacts[1] - impacts[0]
        )


def _sense(delta: float, higher_is_better: bool) -> Direction:
    if delta == 0:
        return Direction.CHANGED
    return Direction.BETTER if (delta > 0) == higher_is_better else Direction.WORSE
