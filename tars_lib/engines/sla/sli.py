"""What an SLI measured over a window: for each repo alone and, for ratios, for the whole organisation.

Arrays have shape (N,) in the order of the history's repos. Maintenance windows are left out of both the samples and the
number that was expected.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import special

from tars_lib.engines.sla.report import Exclusion
from tars_lib.model.history import DAY, History, to_micros
from tars_lib.model.metrics import Metric
from tars_lib.model.organisation import OrgData, intervals
from tars_lib.model.slo import AnyPolicy, RatioPolicy, ThresholdPolicy, Window
from tars_lib.model.times import read_zone
from tars_lib.stats.counts import wilson_interval

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_CLIP = 2.5
"""Differences beyond so many robust standard deviations are steps of the level, not noise; judgement."""
_MIN_RHO = 12
"""Fewest samples for an autocorrelation; judgement."""


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """All samples of what a policy measures.

    Attributes
    ----------
    column : ndarray of int64, shape (n,)
        Position of the repo, ascending.
    time : ndarray of int64, shape (n,)
        Microseconds since the epoch, ascending within a repo.
    value : ndarray of float64, shape (n,)
        The metric; for a ratio the bad events.
    total : ndarray of float64 or None, shape (n,)
        All events of a ratio.
    step : ndarray of int64, shape (N,)
        Sampling interval of each repo.
    planned : ndarray of bool, shape (n,)
        Whether the sample lies in a maintenance window.
    impossible : int
        Samples left out because they counted more of a part than of all.
    metric : Metric or None
        Definition of what a threshold SLA measures.
    """

    column: Ints
    time: Ints
    value: Floats
    total: Floats | None
    step: Ints
    planned: NDArray[np.bool_]
    impossible: int = 0
    metric: Metric | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Measurement:
    """One window of a track. `value` is NaN where nothing was observed; `events` are counted for ratios, else samples."""

    window: Window
    start: datetime
    end: datetime
    is_partial: bool
    value: Floats
    bad: Floats
    events: Floats
    samples: Ints
    expected: Floats
    exclusions: tuple[Exclusion, ...]
    keep: NDArray[np.bool_]


def track(org: OrgData, policy: AnyPolicy) -> Track | None:
    """Samples of a policy's metric; None where nobody reports it.

    For a ratio only times at which a repo reported both counts are used: a lost counter is missing data, not zero failures.
    """
    history = org.history
    if isinstance(policy, RatioPolicy):
        total, part = _samples(history, policy.total), _samples(history, policy.part)
        if total is None or part is None:
            return None
        column, time, events, found = _pair(total, part)
        possible = found <= events
        column, time, events, found = column[possible], time[possible], events[possible], found[possible]
        bad = events - found if policy.part_is_good else found
        planned = _planned(org, column, time)
        lost = int((~possible).sum())
        return Track(column, time, bad, events, intervals(history, policy.total), planned, lost)
    if policy.metric == "error_rate" and policy.metric not in history.metrics and history.has("error_rate"):
        total, part = _samples(history, "requests_total"), _samples(history, "requests_failed")
        if total is None or part is None:
            return None
        column, time, events, found = _pair(total, part)
        busy = events > 0
        rate = np.minimum(found[busy], events[busy]) / events[busy] * history.failure_scale
        column, time = column[busy], time[busy]
        planned, step = _planned(org, column, time), intervals(history, "requests_total")
        return Track(column, time, rate, None, step, planned, metric=org.metric(policy.metric))
    single = _samples(history, policy.metric)
    if single is None:
        return None
    column, time, value = single
    planned, step = _planned(org, column, time), intervals(history, policy.metric)
    return Track(column, time, value, None, step, planned, metric=org.metric(policy.metric))


def in_scope(org: OrgData, policy: AnyPolicy, found: Track | None) -> NDArray[np.bool_]:
    """Which repos a policy judges: those that it names, else all that ever reported the metric."""
    if policy.repos:
        return np.array([repo.repo in policy.repos for repo in org.repos], dtype=bool)
    scope = np.zeros(len(org.repos), dtype=bool)
    if found is not None:
        scope[found.column] = True
    return scope


def measure(org: OrgData, policy: AnyPolicy, found: Track, window: Window, as_of: datetime) -> Measurement:
    """Measure a policy's SLI over a window that ends at `as_of`."""
    n = len(org.repos)
    common = int(np.median(found.step)) if found.step.size else DAY
    start, end, is_partial = window.span(as_of, read_zone(policy.time_zone), timedelta(microseconds=common))
    first, last = to_micros(start), to_micros(end)
    inside = (found.time >= first if window.days else found.time > first) & (found.time <= last)
    keep, lost, exclusions = _without_maintenance(org, found, inside, first, last)
    slots = (last - first) / found.step
    expected = np.maximum(np.floor(slots) + (1 if window.days else 0) - lost / found.step, 1.0)
    column = found.column[keep]
    samples = np.bincount(column, minlength=n).astype(np.int64)
    if found.total is not None:
        bad = np.bincount(column, weights=found.value[keep], minlength=n).astype(np.float64)
        events = np.bincount(column, weights=found.total[keep], minlength=n).astype(np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            # good / all, not 1 - bad / all: exact where the objective is met with no event to spare
            value = np.where(events > 0, (events - bad) / events, np.nan)
        return Measurement(window, start, end, is_partial, value, bad, events, samples, expected, exclusions, keep)
    values = _aggregate(policy, column, found.value[keep], n)
    events = samples.astype(np.float64)
    bad = np.full(n, np.nan)
    return Measurement(window, start, end, is_partial, values, bad, events, samples, expected, exclusions, keep)


def interval_of(
    policy: AnyPolicy, found: Track, measured: Measurement, column: int | None
) -> tuple[float, float] | None:
    """95 % interval of the value of one repo, or of the whole organisation for a ratio; None where there is none.

    Wilson's for ratios and shares; Student's for a mean, with the number of independent samples reduced by Bartlett's
    formula for the lag-1 autocorrelation; order statistics for a median. A maximum and a last value have none.
    """
    if isinstance(policy, RatioPolicy):
        bad = measured.bad.sum() if column is None else measured.bad[column]
        events = measured.events.sum() if column is None else measured.events[column]
        return wilson_interval(float(events - bad), float(events)) if events > 0 else None
    if column is None:
        return None
    seen = found.value[measured.keep & (found.column == column)]
    if seen.size < 3:
        return None
    if policy.aggregate == "good_share":
        return wilson_interval(float(_is_good(policy, seen).sum()), float(seen.size))
    if policy.aggregate == "mean":
        low, high = _mean_interval(seen)
        return (low, high) if found.metric is None else _within(found.metric, low, high)
    if policy.aggregate == "median":
        return _median_interval(seen)
    return None


def _is_good(policy: ThresholdPolicy, values: Floats) -> NDArray[np.bool_]:
    if policy.threshold is None:
        raise ValueError(f"{policy.sla_id}: good_share needs a threshold")
    return values >= policy.threshold if policy.threshold_is_floor else values <= policy.threshold


def _samples(history: History, metric: str) -> tuple[Ints, Ints, Floats] | None:
    if metric not in history.metrics:
        return None
    n = len(history.repos)
    first = history.metrics.index(metric) * n
    bounds = history.offsets[first : first + n + 1]
    span = slice(int(bounds[0]), int(bounds[-1]))
    return np.repeat(np.arange(n, dtype=np.int64), np.diff(bounds)), history.time[span], history.value[span]


def _pair(one: tuple[Ints, Ints, Floats], other: tuple[Ints, Ints, Floats]) -> tuple[Ints, Ints, Floats, Floats]:
    """Samples of two metrics at the same repo and time."""
    if np.array_equal(one[0], other[0]) and np.array_equal(one[1], other[1]):
        return one[0], one[1], one[2], other[2]
    moments, codes = np.unique(np.concatenate([one[1], other[1]]), return_inverse=True)
    left_keys = one[0] * moments.size + codes[: one[1].size]
    right_keys = other[0] * moments.size + codes[one[1].size :]
    _, left, right = np.intersect1d(left_keys, right_keys, assume_unique=True, return_indices=True)
    return one[0][left], one[1][left], one[2][left], other[2][right]


def _planned(org: OrgData, column: Ints, time: Ints) -> NDArray[np.bool_]:
    planned = np.zeros(time.size, dtype=bool)
    keys = [repo.repo for repo in org.repos]
    for event, until in org.maintenance():
        inside = (time >= to_micros(event.timestamp)) & (time < to_micros(until))
        if event.repo is not None:
            inside &= column == (keys.index(event.repo) if event.repo in keys else -1)
        planned |= inside
    return planned


def _without_maintenance(
    org: OrgData, found: Track, inside: NDArray[np.bool_], first: int, last: int
) -> tuple[NDArray[np.bool_], Floats, tuple[Exclusion, ...]]:
    spans: list[list[tuple[int, int]]] = [[] for _ in org.repos]
    listed: list[Exclusion] = []
    keys = [repo.repo for repo in org.repos]
    for event, until in org.maintenance():
        begin, finish = max(to_micros(event.timestamp), first), min(to_micros(until), last)
        if finish < begin or (event.repo is not None and event.repo not in keys):
            continue
        hit = inside & (found.time >= begin) & (found.time < to_micros(until))
        columns = range(len(keys)) if event.repo is None else (keys.index(event.repo),)
        if event.repo is not None:
            hit &= found.column == columns[0]
        for column in columns:
            spans[column].append((begin, finish))
        listed.append(Exclusion(event.repo, event.timestamp, until, event.title, int(hit.sum())))
    lost = np.array([_covered(parts) for parts in spans], dtype=np.float64)
    return inside & ~found.planned, lost, tuple(listed)


def _covered(spans: list[tuple[int, int]]) -> int:
    """Length of the union: windows may overlap, and time is excluded once."""
    length, reached = 0, None
    for begin, finish in sorted(spans):
        start = begin if reached is None else max(begin, reached)
        length += max(finish - start, 0)
        reached = finish if reached is None else max(reached, finish)
    return length


def _aggregate(policy: ThresholdPolicy | RatioPolicy, column: Ints, values: Floats, n: int) -> Floats:
    if not isinstance(policy, ThresholdPolicy):
        raise TypeError(type(policy).__name__)
    result = np.full(n, np.nan)
    count = np.bincount(column, minlength=n)
    there = count > 0
    if policy.aggregate in ("mean", "good_share"):
        taken = values if policy.aggregate == "mean" else _is_good(policy, values).astype(np.float64)
        # summed as distances from the first sample, so that the mean of a constant is that constant
        origin = np.zeros(n)
        origin[column[::-1]] = taken[::-1]
        moved = np.bincount(column, weights=taken - origin[column], minlength=n)
        result[there] = origin[there] + moved[there] / count[there]
        return result
    bounds = np.concatenate(([0], np.cumsum(count)))
    for position in np.flatnonzero(there):
        part = values[bounds[position] : bounds[position + 1]]
        if policy.aggregate == "median":
            result[position] = np.median(part)
        elif policy.aggregate == "last":
            result[position] = part[-1]
        else:
            result[position] = part.min() if policy.higher_is_better else part.max()
    return result


def _within(metric: Metric, low: float, high: float) -> tuple[float, float]:
    """An interval cut to the values that the metric can have."""
    if metric.minimum is not None:
        low = max(low, metric.minimum)
    if metric.maximum is not None:
        high = min(high, metric.maximum)
    return low, high


def _mean_interval(seen: Floats) -> tuple[float, float]:
    """Student's interval of a mean; noise and its autocorrelation are read from clipped differences of neighbours.

    Differences do not see the level, so a shift within the window is not taken for noise. For an AR(1) with lag-1
    autocorrelation rho, neighbouring differences correlate with -(1 - rho) / 2 and have variance 2 (1 - rho) sigma^2.
    """
    mean, n = float(seen.mean()), seen.size
    steps = np.diff(seen)
    scale = 1.4826 * float(np.median(np.abs(steps))) or float(np.sqrt(np.mean(steps**2)))
    if scale == 0.0:
        return mean, mean
    steps = np.clip(steps, -_CLIP * scale, _CLIP * scale)
    power = float(steps @ steps)
    rho = 1.0 + 2.0 * float(steps[1:] @ steps[:-1]) / power if n >= _MIN_RHO else 0.0
    rho = min(max(rho, 0.0), 0.9)
    variance = power / steps.size / (2.0 * (1.0 - rho))
    independent = max(n * (1.0 - rho) / (1.0 + rho), 3.0)
    half = float(special.stdtrit(independent - 1.0, 0.975)) * float(np.sqrt(variance / independent))
    return mean - half, mean + half


def _median_interval(seen: Floats) -> tuple[float, float]:
    """Order statistics that hold the median with 95 %; the extremes for fewer than six samples."""
    ordered = np.sort(seen)
    low = _median_rank(ordered.size)
    return float(ordered[low]), float(ordered[ordered.size - 1 - low])


@lru_cache(maxsize=256)
def _median_rank(n: int) -> int:
    """Largest rank r, from 0, for which the median lies below the r-th smallest with at most 2.5 %."""
    rank = 0
    while rank + 1 < n // 2 and special.bdtr(rank + 1, n, 0.5) <= 0.025:
        rank += 1
    return rank


def scope_names(org: OrgData, columns: Sequence[int] | Ints) -> tuple[str, ...]:
    """Names of the repos at these positions."""
    return tuple(org.repos[int(column)].repo for column in columns)
