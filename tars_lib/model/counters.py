"""Running totals: which counts are some, and how their increases are told.

A counter only grows, but for restarts of the process that keeps it: a value below the one before is a restart, and what was
counted since then is the new value itself. The first sample of a series has no increase.

References
----------
Prometheus, `rate` and `increase`, https://prometheus.io/docs/prometheus/latest/querying/functions/#increase
OpenMetrics 1.0, Counter, https://prometheus.io/docs/specs/om/open_metrics_spec/#counter
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tars_lib.model.history import SECOND, History

Floats = NDArray[np.float64]

FEW_RISES = 8
"""So many rises without a fall are worth a warning: counts in no order do that in 1 of 9! = 362,880 series."""
MANY_RISES = 20
"""So many rises without a fall, and one of the marks below, are a running total; judgement: nearly three weeks of days."""
RESTART_RATE = 2.0
"""After a restart a counter grew at most so many times as fast as ever before; judgement: retries come in a burst."""
RARE_FALL = 0.05
"""What falls to a part of itself in at most so many of its rises may be a sum of running totals; judgement."""
RARE_RESTART = 0.25
"""A counter restarts in at most so many of the steps in which it moves; judgement."""
LONG_RISE = 16 * 3600 * SECOND
"""Traffic that follows the day rises for half of it; what does not fall for so long follows none. Judgement."""
DAILY = 12 * 3600 * SECOND
"""Samples at least this far apart cannot show the course of a day; judgement."""
MUCH_GROWTH, LITTLE_GROWTH = 2.0, 1.05
"""Traffic by the day may grow by 5 to 100 % over weeks without a dip; judgement. Less would be lost in its noise."""
NEVER_FALLS = 1e-6
"""Rate of false alarms where growth is little: the chance that Poisson counts of that level and growth never fall. Real
counts vary at least as much; made-up ones without noise may not."""
OFTEN = 1 / 3
"""A declared counter that falls in so many steps, mostly by less than half, is none; judgement."""


@dataclass(frozen=True, slots=True)
class Growth:
    """Movement of one series of counts.

    Attributes
    ----------
    rises, restarts, falls : int
        Steps upwards; steps down to what can have been counted since a restart; other steps down.
    growth : float
        Largest value over the smallest.
    chance : float
        That Poisson counts of the same level and mean growth would never fall.
    """

    rises: int
    restarts: int
    falls: int
    growth: float
    chance: float

    @property
    def only_grows(self) -> bool:
        """Return whether the series moves, and falls only where a counter would have restarted."""
        return self.rises > 0 and not self.falls and self.restarts <= RARE_RESTART * self.rises


def course_of(value: Floats, time: NDArray[np.int64] | None = None) -> Growth:
    """Steps of one series in time order; `time` says how much each may have counted, else all steps are alike.

    Examples
    --------
    >>> course = course_of(np.array([5.0, 9.0, 12.0, 1.0, 4.0]))
    >>> course.rises, course.restarts, course.falls, course.growth
    (3, 1, 0, 12.0)
    """
    step = np.diff(value)
    up = step[step > 0.0]
    down = step < 0.0
    if not up.size:
        return Growth(0, 0, int(down.sum()), 1.0, 1.0)
    length = np.ones(step.size) if time is None else np.diff(time).astype(np.float64)
    most = RESTART_RATE * float((up / length[step > 0.0]).max())
    back = down & (value[1:] <= most * length) & (value[1:] <= 0.5 * value[:-1])
    least = float(value.min())
    growth = float(value.max()) / least if least > 0.0 else float("inf")
    noise = math.sqrt(2.0 * max(float(value.mean()), 0.0))
    chance = (0.5 * math.erfc(-float(up.mean()) / noise / math.sqrt(2.0))) ** up.size if noise > 0.0 else 1.0
    return Growth(int(up.size), int(back.sum()), int(down.sum() - back.sum()), growth, chance)


def is_running(time: NDArray[np.int64], value: Floats) -> bool | None:
    """Return whether a series of counts is a running total; None where it may be one.

    It is one if it rises at least `MANY_RISES` times, falls only where a counter would have restarted, and either goes on so
    through more than half of a day, or is sampled by the day and grows more than traffic does, or so little that the
    noise of counts would make them fall. A sum of counters falls to a part of itself when one of them restarts: rarely, and
    between it grows for longer than any day.
    """
    course = course_of(value, time)
    if not course.only_grows:
        return _falls_by_parts(course, time, value)
    if course.rises < FEW_RISES:
        return False
    if course.rises < MANY_RISES:
        return None
    is_daily = float(np.median(np.diff(time))) >= DAILY
    if int(time[-1] - time[0]) >= LONG_RISE and not is_daily:
        return True
    is_still = course.growth < LITTLE_GROWTH and course.chance < NEVER_FALLS
    return True if is_still or (is_daily and course.growth >= MUCH_GROWTH) else None


def _falls_by_parts(course: Growth, time: NDArray[np.int64], value: Floats) -> bool:
    """Return whether a series falls rarely, and grows for longer than traffic does between."""
    if course.rises < MANY_RISES or course.restarts + course.falls > RARE_FALL * course.rises:
        return False
    if float(np.median(np.diff(time))) >= DAILY:
        return False
    step = np.diff(value)
    ends = np.append(np.flatnonzero(step < 0.0), step.size)
    starts = np.concatenate(([0], ends[:-1] + 1))
    rises = np.diff(np.concatenate(([0], np.cumsum(step > 0.0)))[np.append(starts, step.size)])
    return bool(((rises >= MANY_RISES) & (time[ends] - time[starts] >= LONG_RISE)).any())


def is_no_counter(value: Floats) -> bool:
    """Return whether a series that was declared a counter falls as often as counts of intervals do."""
    step = np.diff(value)
    down = step < 0.0
    if down.sum() < FEW_RISES or down.sum() < OFTEN * step.size:
        return False
    return float(np.median(value[1:][down] / value[:-1][down])) > 0.5


def _is_part_restart(value: Floats) -> NDArray[np.bool_]:
    """Return whether a step goes down to more than half, (n - 1,)."""
    return np.asarray((value[1:] < value[:-1]) & (value[1:] > 0.5 * value[:-1]), dtype=np.bool_)


def part_restarts(value: Floats) -> int:
    """Count how often a running total falls to more than half of what it was.

    Examples
    --------
    >>> part_restarts(np.array([10.0, 30.0, 20.0, 5.0]))
    1
    """
    return int(_is_part_restart(value).sum())


def series_of(history: History, metric: str) -> Iterator[tuple[str, NDArray[np.int64], Floats]]:
    """Each repo's samples of a metric: repo, times, values."""
    for repo in history.repos:
        time, value = history.series(metric, repo)
        if time.size:
            yield repo, time, value


def as_increases(history: History, metrics: frozenset[str]) -> History:
    """The history with the running totals among its metrics turned into what was added since the sample before.

    Each increase stands at the later of its two times. The first sample of a series is gone, and so is a fall to more than
    half, which is no restart: one of several totals that were added up restarted, and what came since is not known.
    """
    wanted = metrics.intersection(history.metrics)
    if not wanted:
        return history
    value, keep = history.value.copy(), np.ones(len(history), dtype=bool)
    for metric in wanted:
        bounds = history.bounds(metric)
        first, last = int(bounds[0]), int(bounds[-1])
        if first == last:
            continue
        now = history.value[first:last]
        step = np.diff(now, prepend=now[0])
        value[first:last] = np.where(step < 0.0, now, step)
        starts = bounds[:-1][np.diff(bounds) > 0]
        keep[starts] = False
        keep[first + 1 : last] &= ~_is_part_restart(now)
    return replace(history, value=value).where(keep)
