"""The course of one metric of one repo over a stretch of time, for those who draw it: with the objectives that bound it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from tars_lib.errors import InputError, UnknownNameError
from tars_lib.model.history import from_micros, to_micros
from tars_lib.model.names import Event
from tars_lib.model.organisation import OrgData

Floats = NDArray[np.float64]

GAP = 1.5
"""Samples further apart than so many intervals are not joined: in between something is missing. Judgement."""


@dataclass(frozen=True, slots=True, eq=False)
class MetricCourse:
    """One metric of one repo.

    Attributes
    ----------
    times : ndarray of int64, shape (n,)
        Microseconds since the epoch, within the stretch.
    values : ndarray of float64, shape (n,)
        In `unit`; NaN where samples are missing.
    event : Event or None
        What the levels are told apart by.
    before, after : float
        Medians on either side of the event, NaN without an event or without samples there.
    limits : tuple of (str, float)
        Name and objective of each SLA that bounds a sample of this metric in this repo.
    """

    repo: str
    metric: str
    unit: str
    start: datetime
    end: datetime
    times: NDArray[np.int64]
    values: Floats
    event: Event | None
    before: float
    after: float
    limits: tuple[tuple[str, float], ...]

    @property
    def seen(self) -> Floats:
        """Return the values that were reported."""
        return self.values[np.isfinite(self.values)]


def metric_course(
    org: OrgData, repo: str, metric: str, start: datetime, end: datetime, event: Event | None = None
) -> MetricCourse:
    """Return the course of a metric from `start` to `end`, both included.

    Parameters
    ----------
    repo, metric : str
        `error_rate` is derived from the two counts where nobody reports it.
    event : Event, optional
        Medians before and after it are taken within the stretch.

    Raises
    ------
    UnknownNameError
        If nobody reports the metric, or there is no such repo; the message lists what there is.
    InputError
        If the stretch has no length.
    """
    named = org.repo(repo).repo
    if not org.history.has(metric):
        there = ", ".join(org.history.metrics) or "none"
        raise UnknownNameError(f"metric {metric!r} is not reported in {org.name}; reported: {there}")
    if end <= start:
        raise InputError(f"window: ends at {end.isoformat()}, not after its start {start.isoformat()}")
    times, values = _series(org, metric, named)
    inside = (times >= to_micros(start)) & (times <= to_micros(end))
    times, values = times[inside], values[inside]
    before = after = float("nan")
    if event is not None:
        is_past = times < to_micros(event.timestamp)
        before, after = _median(values[is_past]), _median(values[~is_past])
    times, values = _with_gaps(times, values)
    return MetricCourse(
        repo=named,
        metric=metric,
        unit=org.metric(metric).unit,
        start=start,
        end=end,
        times=times,
        values=values,
        event=event,
        before=before,
        after=after,
        limits=tuple(_limits(org, metric, named)),
    )


def window_of(org: OrgData, length: timedelta | None, event: Event | None) -> tuple[datetime, datetime]:
    """Return a stretch of that length around an event, as far as the data go, else at their end; None: all of them.

    Raises
    ------
    InputError
        If the organisation has no sample.
    """
    _, last = org.at(None)
    first = from_micros(org.history.start or 0)
    if length is None:
        return first, last
    if event is None:
        return last - length, last
    end = min(event.timestamp + length / 2, last)
    return end - length, end


def _series(org: OrgData, metric: str, repo: str) -> tuple[NDArray[np.int64], Floats]:
    if metric in org.history.metrics:
        return org.history.series(metric, repo)
    grid = org.history.grid(metric)
    if grid is None:
        return np.zeros(0, dtype=np.int64), np.zeros(0)
    values = grid.values[:, org.history.repos.index(repo)]
    there = np.isfinite(values)
    return grid.times[there], values[there]


def _with_gaps(times: NDArray[np.int64], values: Floats) -> tuple[NDArray[np.int64], Floats]:
    """Return the same with a NaN in the middle of each gap, so that a line breaks there."""
    if times.size < 3:
        return times, values
    steps = np.diff(times)
    wide = np.flatnonzero(steps > GAP * np.median(steps))
    middle = times[wide] + steps[wide] // 2
    return np.insert(times, wide + 1, middle), np.insert(values, wide + 1, np.nan)


def _median(values: Floats) -> float:
    return float(np.median(values)) if values.size else float("nan")


def _limits(org: OrgData, metric: str, repo: str) -> list[tuple[str, float]]:
    return [
        (policy.sla_name, policy.limit)
        for policy in org.policies
        if policy.limit is not None and policy.subject == metric and (not policy.repos or repo in policy.repos)
    ]
