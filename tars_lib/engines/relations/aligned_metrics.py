"""How do the repos' metrics move: one matrix a metric on one grid, turned so that up is better?

Metrics without a direction (traffic volume) are left out: that two repos are busy together is no trouble.

References
----------
Bartlett (1947), The use of transformations, https://doi.org/10.2307/3001536
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tars_lib.engines.relations.calendar import CALENDAR_DAYS
from tars_lib.model.history import DAY
from tars_lib.model.metrics import Metric, is_time, percent_of
from tars_lib.model.organisation import OrgData
from tars_lib.model.units import COUNT, RATE, unit_of
from tars_lib.stats.series.prewhitening import MIN_SAMPLES

Floats = NDArray[np.float64]

MAX_ROWS = 2000
"""Last samples that are looked at: a week of 5-minute ones; judgement."""
SAME_STEP = 1.5
"""A metric whose interval is longer than the grid's by more than this factor would be mostly gaps; judgement."""
COVERED = 0.5
"""The grid is the finest that so many repos have a metric for: the project's limit for UNKNOWN."""


@dataclass(frozen=True, slots=True, eq=False)
class Movement:
    """Course of the repos, metric by metric.

    Attributes
    ----------
    repos : tuple of str
        N names, the columns of every matrix.
    metrics : tuple of str
        M names.
    values : tuple of ndarray, shape (T, N) each
        On the scale of `even_noise`, negated where lower is better; NaN where missing.
    times : ndarray of int64, shape (T,)
        Microseconds since the epoch, evenly spaced by `interval`.
    interval : int
        Microseconds.
    seasons : tuple of int
        A day and a week in samples, where they are whole numbers of at least two.
    left_out : tuple of str
        Metrics with a direction that the grid is too fine for.
    """

    repos: tuple[str, ...]
    metrics: tuple[str, ...]
    values: tuple[Floats, ...]
    times: NDArray[np.int64]
    interval: int
    seasons: tuple[int, ...]
    left_out: tuple[str, ...]

    @property
    def rows(self) -> int:
        """Number of samples T."""
        return int(self.times.size)


def movement_of(org: OrgData, max_rows: int = MAX_ROWS) -> Movement:
    """The last samples of every metric that has a direction.

    Parameters
    ----------
    org : OrgData
        As returned by `OrgData.at`.
    max_rows : int
        Last samples kept.

    Returns
    -------
    Movement
        Without metrics, and with T = 0, where no metric has a direction.
    """
    repos = tuple(repo.repo for repo in org.repos)
    steps = _steps(org)
    interval = _shared_step(org, steps)
    chosen = [metric for metric, step in steps.items() if step <= SAME_STEP * interval]
    grids = [(metric, org.history.grid(metric, interval, last=max_rows)) for metric in chosen]
    found = [(metric, grid) for metric, grid in grids if grid is not None]
    if not found:
        return Movement(repos, (), (), np.zeros(0, dtype=np.int64), interval, (), tuple(sorted(steps)))
    last = found[0][1]
    values = tuple(
        (1.0 if org.metric(metric).higher_is_better else -1.0) * even_noise(grid.values, org.metric(metric))
        for metric, grid in found
    )
    return Movement(
        repos,
        tuple(metric for metric, _ in found),
        values,
        last.times,
        last.interval,
        seasons_of_step(last.interval),
        tuple(sorted(set(steps) - set(chosen))),
    )


def even_noise(values: Floats, metric: Metric) -> Floats:
    """Values on the scale on which their noise is about the same at every level.

    An error rate of 10 % scatters a thousand times as much as one of 0.01 %, and latency in proportion to itself; on their
    own scale the noise of an incident would outweigh months of calm.

    Parameters
    ----------
    values : ndarray, shape (T, N)
    metric : Metric
        Shares become arcsin(sqrt(x)), counts and rates sqrt(x), times log(x), whatever their unit; anything else stays.

    Returns
    -------
    ndarray, shape (T, N)
        NaN stays NaN.

    Examples
    --------
    >>> from tars_lib.model.metrics import known_metric
    >>> even_noise(np.array([[0.25, 1.0]]), known_metric("availability")).round(3).tolist()
    [[0.524, 1.571]]
    """
    whole = percent_of(metric.unit)
    if whole and (metric.unit == "ratio" if metric.maximum is None else metric.maximum <= whole):
        return np.asarray(np.arcsin(np.sqrt(np.clip(values / whole, 0.0, 1.0))))
    if unit_of(metric.unit).dimension in (COUNT, RATE) or metric.is_count:
        return np.asarray(np.sqrt(np.maximum(values, 0.0)))
    if is_time(metric.unit):
        positive = values[values > 0.0]
        # a duration of zero is one too short to be measured: half of the shortest that was
        least = 0.5 * float(positive.min()) if positive.size else 1.0
        return np.asarray(np.log(np.maximum(values, least)))
    return values


def seasons_of_step(interval: int) -> tuple[int, ...]:
    """A day and a week in samples of `interval` microseconds, where they are whole numbers of at least two.

    Examples
    --------
    >>> seasons_of_step(DAY), seasons_of_step(DAY // 24), seasons_of_step(5 * DAY)
    ((7,), (24, 168), ())
    """
    lengths = [days * DAY for days in CALENDAR_DAYS]
    return tuple(length // interval for length in lengths if length % interval == 0 and length // interval >= 2)


def _steps(org: OrgData) -> dict[str, int]:
    """Sampling interval of each metric that has a direction and that somebody reports."""
    names: Sequence[str] = sorted({*org.history.metrics, "error_rate"})
    steps = {}
    for metric in names:
        if org.metric(metric).higher_is_better is None or not org.history.has(metric):
            continue
        step = org.history.interval(metric)
        if step is not None:
            steps[metric] = step
    return steps


def _shared_step(org: OrgData, steps: dict[str, int]) -> int:
    reported = {metric: _counts(org, metric) >= MIN_SAMPLES for metric in steps}
    most, chosen = -1, DAY
    for step in sorted(set(steps.values())):
        fine = [reported[metric] for metric, own in steps.items() if own <= SAME_STEP * step]
        covered = int(np.any(fine, axis=0).sum())
        if covered >= COVERED * len(org.repos):
            return step
        if covered > most:
            most, chosen = covered, step
    return chosen


def _counts(org: OrgData, metric: str) -> NDArray[np.int64]:
    if metric == "error_rate":
        return np.maximum(org.history.counts(metric), org.history.counts("requests_total"))
    return org.history.counts(metric)
