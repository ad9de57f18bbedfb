"""Scores of repos from their metrics: a reported score, or weighted components, with coverage.

All functions work on all repos at once; arrays have shape (N,) in the order of the history's repos.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from tars_lib.model.clock import intervals
from tars_lib.model.history import History, to_micros
from tars_lib.model.metrics import Metric
from tars_lib.model.names import HealthStatus, RiskTier
from tars_lib.model.organisation import OrgData
from tars_lib.model.sorting import blocks

Floats = NDArray[np.float64]

SCORE = "health_score"
SCORE_SAMPLES = 3
"""A value is the median of this many last samples (decided in the contract of the formats)."""
COVERAGE_SAMPLES = 10
"""Coverage looks at this many last sampling intervals; judgement: long enough not to hang on one lost sample."""
MIN_COVERAGE = 0.5
GREEN, YELLOW, HIGH = 80.0, 60.0, 40.0


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """Present level of one metric in every repo.

    Attributes
    ----------
    value : ndarray, shape (N,)
        Median of the last samples, NaN where there is none.
    coverage : ndarray, shape (N,)
        Share of the last expected samples that arrived, 0-1; 0 where the repo never reported the metric.
    reported : ndarray of bool, shape (N,)
        Whether the repo ever reported the metric.
    """

    value: Floats
    coverage: Floats
    reported: NDArray[np.bool_]


def tier_of(score: float | None) -> RiskTier:
    """Risk tier of a score.

    Examples
    --------
    >>> tier_of(59.99)
    <RiskTier.HIGH: 'HIGH'>
    """
    if score is None:
        return RiskTier.UNKNOWN
    if score >= GREEN:
        return RiskTier.LOW
    if score >= YELLOW:
        return RiskTier.MEDIUM
    return RiskTier.HIGH if score >= HIGH else RiskTier.CRITICAL


def status_of(score: float | None) -> HealthStatus:
    """Traffic light of a score."""
    if score is None:
        return HealthStatus.UNKNOWN
    if score >= GREEN:
        return HealthStatus.GREEN
    return HealthStatus.YELLOW if score >= YELLOW else HealthStatus.RED


def component_score(values: Floats, metric: Metric) -> Floats:
    """0 at the unhealthy bound, 100 at the healthy one, straight in between; NaN stays NaN.

    Raises
    ------
    ValueError
        If the metric has no bounds.

    Examples
    --------
    >>> latency = Metric("latency", "s", False, healthy=0.2, unhealthy=1.0)
    >>> component_score(np.array([0.1, 0.6, 2.0]), latency).round(9).tolist()
    [100.0, 50.0, 0.0]
    """
    if metric.healthy is None or metric.unhealthy is None:
        raise ValueError(f"{metric.metric} has no healthy and unhealthy bounds")
    return np.clip(100.0 * (values - metric.unhealthy) / (metric.healthy - metric.unhealthy), 0.0, 100.0)


def scored_metrics(org: OrgData) -> tuple[Metric, ...]:
    """Return the metrics of the history that make components, the derived error rate included.

    Where availability is reported, an error rate that is merely derived is left out: the two would count one thing twice.
    """
    names = set(org.history.metrics)
    if org.history.has("error_rate") and not names & {"availability", "error_rate"}:
        names.add("error_rate")
    return tuple(metric for metric in map(org.metric, sorted(names)) if metric.is_scored and metric.metric != SCORE)


def level(history: History, metric: str, as_of: datetime) -> Level:
    """Return the present level of a metric, from the last samples of each repo."""
    if metric == "error_rate" and metric not in history.metrics:
        return _derived_error_rate(history, as_of)
    bounds = history.bounds(metric)
    counts, last = np.diff(bounds), bounds[1:]
    if metric not in history.metrics:
        nothing = np.zeros(counts.size)
        return Level(np.full(counts.size, np.nan), nothing, counts > 0)
    recent = np.full((SCORE_SAMPLES, counts.size), np.nan)
    for back in range(SCORE_SAMPLES):
        there = counts > back
        recent[back, there] = history.value[last[there] - 1 - back]
    return Level(_median(recent), _coverage(history, metric, as_of, counts), counts > 0)


def _coverage(history: History, metric: str, as_of: datetime, counts: NDArray[np.int64]) -> Floats:
    end = to_micros(as_of)
    step = np.maximum(intervals(history, metric), 1)
    there = counts > 0
    age = np.zeros(counts.size, dtype=np.int64)
    series = history.first_series(metric) + np.arange(counts.size)
    age[there] = (end - history.time[history.starts[series[there]]]) // step[there] + 1
    expected = np.minimum(age, COVERAGE_SAMPLES)
    begin = end - expected * step
    observed = np.zeros(counts.size, dtype=np.int64)
    for back in range(COVERAGE_SAMPLES):
        more = counts > back
        observed[more] += history.last_times(series[more], back) > begin[more]
    share = np.zeros(counts.size)
    share[there] = np.minimum(observed[there] / expected[there], 1.0)
    return share


def _derived_error_rate(history: History, as_of: datetime) -> Level:
    total, failed = level(history, "requests_total", as_of), level(history, "requests_failed", as_of)
    reported = total.reported & failed.reported
    coverage = np.where(reported, np.minimum(total.coverage, failed.coverage), 0.0)
    value = np.full(reported.size, np.nan)
    for part in blocks(history.bounds("requests_total")):
        grid = history.grid("error_rate", repos=slice(part.start, part.stop - 1))
        if grid is None:
            continue
        for number in np.flatnonzero(reported[part.start : part.stop - 1]):
            seen = grid.values[:, number]
            seen = seen[np.isfinite(seen)][-SCORE_SAMPLES:]
            if seen.size:
                value[part.start + number] = np.median(seen)
    return Level(value, np.where(np.isfinite(value), coverage, 0.0), reported)


def _median(values: Floats) -> Floats:
    """Return the median of columns that hold one to three numbers; NaN for none."""
    count = np.isfinite(values).sum(axis=0)
    ordered = np.sort(values, axis=0)
    middle: Floats = ordered[0].copy()
    two, three = count == 2, count == SCORE_SAMPLES
    middle[two] = (ordered[0, two] + ordered[1, two]) / 2.0
    middle[three] = ordered[1, three]
    return middle
