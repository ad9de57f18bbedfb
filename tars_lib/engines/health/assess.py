"""How healthy is each repo and the organisation, and where is it going?

A reported score is taken as it is; otherwise metrics with bounds make a weighted score. What was not reported lowers the
coverage and, under one half, makes the verdict UNKNOWN.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from tars_lib.engines.health.report import (
    ChangePoint,
    Component,
    Contribution,
    HealthReport,
    HistoryFile,
    OrgDescription,
    RepositoryReport,
    SloResult,
)
from tars_lib.engines.health.scores import (
    MIN_COVERAGE,
    SCORE,
    YELLOW,
    component_score,
    level,
    scored_metrics,
    status_of,
    tier_of,
)
from tars_lib.engines.report import Stamp, head
from tars_lib.model.history import DAY, Grid, from_micros, to_micros
from tars_lib.model.names import OrgSlo, Repo, RiskTier, Trend
from tars_lib.model.organisation import OrgData, duration_text
from tars_lib.stats.changes.level_shift import level_shifts
from tars_lib.stats.changes.trend import linear_trends
from tars_lib.stats.multiplicity import discoveries
from tars_lib.text.counts import some_of, verb
from tars_lib.text.quantities import value_text
from tars_lib.text.times import MINUTES

logger = logging.getLogger(__name__)
Floats = NDArray[np.float64]

TREND_SAMPLES = 30
"""A trend is that of the last 30 samples: a month of daily ones; judgement."""
SHIFT_SAMPLES = 180
"""Change points are looked for in this many last samples; judgement."""
RISK_SHARE = 0.10
"""Share of repos from which their tier becomes the organisation's (decided in the contract of the formats)."""
_ORDER = (RiskTier.UNKNOWN, RiskTier.LOW, RiskTier.MEDIUM, RiskTier.HIGH, RiskTier.CRITICAL)


@dataclass(frozen=True, slots=True, eq=False)
class _Scores:
    """Scores and coverage of all repos, with the components that made them."""

    score: Floats
    coverage: Floats
    components: tuple[tuple[Component, ...], ...]
    reported: NDArray[np.bool_]


def assess_health(org: OrgData, as_of: datetime, stamp: Stamp) -> HealthReport:
    """Judge the health of an organisation as it was known at a time.

    Returns
    -------
    HealthReport
        `exit_code` 92 for tier HIGH or CRITICAL, 91 for a violated organisation SLO below that, 96 where there is no score
        and no SLA whose metric anybody reports within its window, else 0.
    """
    scores = _score(org, as_of)
    reports = _repository_reports(org, scores)
    known = scores.score[np.isfinite(scores.score)]
    coverage = float(scores.coverage.mean()) if scores.coverage.size else 0.0
    is_known = known.size > 0 and coverage >= MIN_COVERAGE
    aggregate = float(known.mean()) if is_known else None
    tier, reasons = _org_tier(reports, aggregate)
    slos = tuple(_judge_slo(slo, reports, aggregate, coverage) for slo in org.slos)
    at_risk = tier in (RiskTier.HIGH, RiskTier.CRITICAL)
    code = 92 if at_risk else 91 if any(slo.status == "VIOLATED" for slo in slos) else 0
    if code == 0 and aggregate is None and not _may_be_judged(org, as_of):
        code = 96
    if not is_known:
        reasons = (*reasons, f"coverage {coverage:.0%} is under {MIN_COVERAGE:.0%}: the aggregate score is not known")
    logger.debug("health: aggregate %s, tier %s, coverage %.3f", aggregate, tier, coverage)
    ordered = sorted(reports, key=lambda r: (r.score is None, r.score or 0.0, r.repo))
    return HealthReport(
        **head("org-health", stamp, as_of, org.inputs, (*org.warnings, *_warnings(org, reports)), code),
        risk_tier=tier,
        aggregate_score=aggregate,
        coverage=coverage,
        repository_scores={report.repo: report.score for report in reports},
        repository_reports=tuple(ordered),
        threshold=YELLOW,
        below_threshold=tuple(r.repo for r in ordered if r.score is not None and r.score < YELLOW),
        contributions=_contributions(ordered, known.size),
        slo_results=slos,
        reasons=reasons,
        history=describe_history(org),
        org=_describe(org),
        policies=org.policies,
    )


def _may_be_judged(org: OrgData, as_of: datetime) -> bool:
    """Return whether the window of some SLA holds a sample of a metric that it is about."""
    needs = ((need, to_micros(as_of - policy.window.length)) for policy in org.policies for need in policy.needs)
    return any(org.history.has_since(metric, first) for metric, first in needs)


def describe_history(org: OrgData) -> HistoryFile:
    """Return the extent of the history; path and digest are known once it is written."""
    history = org.history
    fullest = max(history.metrics, key=lambda m: (int(history.counts(m).sum()), m), default=None)
    step = None if fullest is None else history.interval(fullest)
    return HistoryFile(
        path=None,
        sha256=None,
        metrics=history.metrics,
        samples=len(history),
        start=None if history.start is None else from_micros(history.start),
        end=None if history.end is None else from_micros(history.end),
        interval=None if step is None else iso_duration(step),
    )


def iso_duration(micros: int) -> str:
    """ISO 8601 duration, in the largest unit that fits without a fraction.

    Examples
    --------
    >>> iso_duration(DAY), iso_duration(DAY // 288), iso_duration(DAY // 8)
    ('P1D', 'PT5M', 'PT3H')
    """
    seconds = micros / 1_000_000
    if micros % DAY == 0:
        return f"P{micros // DAY}D"
    if seconds % 3600 == 0:
        return f"PT{seconds / 3600:.0f}H"
    if seconds % 60 == 0:
        return f"PT{seconds / 60:.0f}M"
    return f"PT{seconds:.6f}".rstrip("0").rstrip(".") + "S"


def _score(org: OrgData, as_of: datetime) -> _Scores:
    n = len(org.repos)
    reported = level(org.history, SCORE, as_of)
    parts = [(metric, level(org.history, metric.metric, as_of)) for metric in scored_metrics(org)]
    weights, points, covered = np.zeros(n), np.zeros(n), np.zeros(n)
    score_weights = np.zeros(n)
    components: list[list[Component]] = [[] for _ in range(n)]
    for metric, present in parts:
        weight = np.where(present.reported, metric.weight, 0.0)
        fresh = present.reported & (present.coverage >= MIN_COVERAGE) & np.isfinite(present.value)
        scored = component_score(present.value, metric)
        weights += weight
        covered += weight * present.coverage
        points += np.where(fresh, weight * scored, 0.0)
        score_weights += np.where(fresh, weight, 0.0)
        for column in np.flatnonzero(present.reported):
            stale = None if fresh[column] else f"{present.coverage[column]:.0%} of its recent samples arrived"
            value = float(present.value[column])
            single = None if stale else float(scored[column])
            share = float(present.coverage[column])
            components[column].append(Component(metric.metric, value, metric.unit, single, metric.weight, share, stale))
    with np.errstate(invalid="ignore", divide="ignore"):
        composed = np.where(score_weights > 0, points / score_weights, np.nan)
        coverage = np.where(weights > 0, covered / weights, 0.0)
        share_scored = np.where(weights > 0, score_weights / weights, 0.0)
    score = np.where(reported.reported, reported.value, np.where(share_scored >= MIN_COVERAGE, composed, np.nan))
    coverage = np.where(reported.reported, reported.coverage, coverage)
    return _Scores(
        np.where(coverage >= MIN_COVERAGE, score, np.nan),
        coverage,
        tuple(tuple(listed) for listed in components),
        reported.reported,
    )


def score_grid(
    org: OrgData, reported: NDArray[np.bool_], *, last: int | None = None, repos: slice = slice(None)
) -> Grid | None:
    """Course of the scores: as reported, or composed on the coarsest of the metrics' grids, cut as by `History.grid`."""
    own = org.history.grid(SCORE, last=last, repos=repos)
    metrics = scored_metrics(org)
    if own is not None and (reported.all() or not metrics):
        return own
    steps = [step for metric in metrics if (step := org.history.interval(metric.metric)) is not None]
    if own is not None:
        steps.append(own.interval)
    if not steps:
        return own
    points: Floats | None = None
    weights: Floats | None = None
    grid: Grid | None = None
    for metric in metrics:
        grid = org.history.grid(metric.metric, max(steps), last=last, repos=repos)
        if grid is None:
            continue
        scored = component_score(grid.values, metric) * metric.weight
        seen = np.where(np.isfinite(scored), metric.weight, 0.0)
        scored = np.where(np.isfinite(scored), scored, 0.0)
        points = scored if points is None else points + scored
        weights = seen if weights is None else weights + seen
    if grid is None or points is None or weights is None:
        return own
    with np.errstate(invalid="ignore", divide="ignore"):
        values = np.where(weights > 0, points / weights, np.nan)
    coarse = org.history.grid(SCORE, max(steps), last=last, repos=repos)
    if coarse is not None:
        values = np.where(reported[repos], coarse.values, values)
    return Grid(grid.times, values, grid.interval)


def _repository_reports(org: OrgData, scores: _Scores) -> list[RepositoryReport]:
    grid = score_grid(org, scores.reported, last=max(TREND_SAMPLES, SHIFT_SAMPLES))
    if grid is None:
        return [_report(org, repo, scores, n, None, None, ()) for n, repo in enumerate(org.repos)]
    trends = linear_trends(grid.values[-TREND_SAMPLES:])
    real = discoveries(trends.p_value)
    per_day = DAY / grid.interval
    reports = []
    for column, repo in enumerate(org.repos):
        slope = None
        if np.isfinite(trends.slope[column]):
            parts = (trends.slope[column], trends.low[column], trends.high[column])
            slope = tuple(float(part) * per_day for part in parts)
        tail = grid.values[-SHIFT_SAMPLES:, column]
        offset = grid.times.size - tail.size
        shifts = tuple(
            ChangePoint(from_micros(int(grid.times[offset + s.index])), s.before, s.after, s.p_value)
            for s in level_shifts(tail)
        )
        reports.append(_report(org, repo, scores, column, slope, bool(real[column]), shifts))
    return reports


def _report(
    org: OrgData,
    repo: Repo,
    scores: _Scores,
    column: int,
    slope: tuple[float, ...] | None,
    is_real: bool | None,
    shifts: tuple[ChangePoint, ...],
) -> RepositoryReport:
    score = float(scores.score[column]) if np.isfinite(scores.score[column]) else None
    coverage = float(scores.coverage[column])
    trend = Trend.UNKNOWN
    if slope is not None and score is not None:
        trend = Trend.STABLE if not is_real else Trend.IMPROVING if slope[0] > 0 else Trend.DECLINING
    components = scores.components[column]
    return RepositoryReport(
        repo=repo.repo,
        name=repo.name,
        team=repo.team,
        tags=repo.tags,
        tier=repo.tier,
        customer_facing=repo.customer_facing,
        score=score,
        status=status_of(score),
        risk_tier=tier_of(score),
        coverage=coverage,
        trend=trend,
        trend_slope_per_day=slope[0] if slope is not None and trend is not Trend.UNKNOWN else None,
        trend_interval=(slope[1], slope[2]) if slope is not None and trend is not Trend.UNKNOWN else None,
        change_points=shifts,
        components=components,
        reasons=_reasons(org, repo.repo, score, coverage, bool(scores.reported[column]), components, shifts),
    )


def _reasons(
    org: OrgData,
    repo: str,
    score: float | None,
    coverage: float,
    is_reported: bool,
    components: tuple[Component, ...],
    shifts: tuple[ChangePoint, ...],
) -> tuple[str, ...]:
    reasons = []
    if score is None and not is_reported and not components:
        unscored = [m for m in org.history.metrics if org.history.series(m, repo)[0].size]
        reasons.append(
            f"none of its metrics ({', '.join(unscored[:6])}) has healthy and unhealthy bounds"
            if unscored
            else "it reports no metric"
        )
    elif score is None:
        reasons.append(f"coverage {coverage:.0%} is under {MIN_COVERAGE:.0%}: the score is not known")
    elif is_reported:
        reasons.append(f"reported score, median of the last {min(3, org.history.series(SCORE, repo)[0].size)} samples")
    for component in sorted(components, key=lambda c: (c.score is None, c.score or 0.0)):
        if component.score is not None and component.score < YELLOW and not is_reported:
            measured = value_text(component.value, component.unit)
            reasons.append(f"{component.metric} {measured} scores {component.score:.0f} of 100")
        elif component.reason is not None:
            reasons.append(f"{component.metric}: {component.reason}")
    if shifts:
        last = shifts[-1]
        reasons.append(f"score went from {last.before:.1f} to {last.after:.1f} at {last.at:{MINUTES}}")
    return tuple(reasons)


def _org_tier(reports: list[RepositoryReport], aggregate: float | None) -> tuple[RiskTier, tuple[str, ...]]:
    grounds: list[tuple[RiskTier, str]] = []
    if aggregate is not None:
        grounds.append((tier_of(aggregate), f"aggregate score {aggregate:.1f}"))
    weak = [r for r in reports if r.risk_tier in (RiskTier.HIGH, RiskTier.CRITICAL)]
    critical = [r for r in weak if r.risk_tier is RiskTier.CRITICAL]
    facing = [r.repo for r in weak if r.customer_facing]
    if weak and (len(weak) >= RISK_SHARE * len(reports) or facing):
        why = f"{len(weak)} of {len(reports)} services {verb(len(weak))} HIGH or CRITICAL"
        grounds.append((RiskTier.HIGH, why + (f", customer facing: {', '.join(facing[:3])}" if facing else "")))
    if critical and len(critical) >= RISK_SHARE * len(reports):
        grounds.append(
            (RiskTier.CRITICAL, f"{len(critical)} of {len(reports)} services {verb(len(critical))} CRITICAL")
        )
    if not grounds:
        return RiskTier.UNKNOWN, ()
    worst = max(grounds, key=lambda entry: _ORDER.index(entry[0]))[0]
    return worst, tuple(why for tier, why in grounds if tier is worst)


def _judge_slo(slo: OrgSlo, reports: list[RepositoryReport], aggregate: float | None, coverage: float) -> SloResult:
    scores = [report.score for report in reports if report.score is not None]
    value: float | None = coverage
    if slo.measure == "aggregate_score":
        value = aggregate
    elif slo.measure == "minimum_score":
        value = min(scores) if scores and coverage >= MIN_COVERAGE else None
    elif slo.measure == "share_green":
        green = sum(report.status.value == "GREEN" for report in reports)
        value = green / len(scores) if scores and coverage >= MIN_COVERAGE else None
    status = "UNKNOWN" if value is None else "MET" if value >= slo.objective else "VIOLATED"
    return SloResult(slo.slo_id, slo.name, slo.measure, slo.objective, value, status)


def _contributions(reports: list[RepositoryReport], known: int) -> tuple[Contribution, ...]:
    taken = [Contribution(r.repo, (100.0 - r.score) / known) for r in reports if r.score is not None]
    return tuple(sorted(taken, key=lambda c: (-c.points, c.repo)))


def _warnings(org: OrgData, reports: list[RepositoryReport]) -> list[str]:
    warnings = []
    unknown = [report.repo for report in reports if report.score is None]
    if unknown:
        warnings.append(f"{len(unknown)} of {len(reports)} services have no known score: {some_of(unknown)}")
    undefined = [m for m in org.history.metrics if org.metric(m).unit == "" and org.metric(m).higher_is_better is None]
    if undefined:
        warnings.append(
            f"metrics without definition in org.yaml (unit and direction unknown): {', '.join(undefined[:5])}"
        )
    return warnings


def data_age(org: OrgData, as_of: datetime, now: datetime) -> str | None:
    """Return a sentence on how old the newest sample is, None while it is younger than three sampling intervals or a day."""
    end = org.history.end
    if end is None:
        return None
    age = max(to_micros(now) - end, 0)
    step = max((org.history.interval(m) or 0 for m in org.history.metrics), default=0)
    if age <= max(3 * step, DAY):
        return None
    return f"the newest sample is {duration_text(timedelta(microseconds=age))} old; judged as of {as_of:{MINUTES}}"


def _describe(org: OrgData) -> OrgDescription:
    return OrgDescription(
        name=org.name,
        repos=org.repos,
        dependencies=org.dependencies,
        events=org.events,
        metrics=org.metrics,
        slos=org.slos,
        stamp_at_end=org.stamp_at_end,
        reported_alerts=org.reported_alerts,
        policies_from=org.policies_from,
        rules=org.rules,
    )
