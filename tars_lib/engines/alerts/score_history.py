"""The course of each repo's score up to now, in the same terms as the score itself, and when a decline began."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tars_lib.engines.health.assess import score_grid
from tars_lib.engines.health.scores import COVERAGE_SAMPLES, MIN_COVERAGE, SCORE, component_score, scored_metrics
from tars_lib.model.history import Grid
from tars_lib.model.metrics import Metric
from tars_lib.model.organisation import OrgData
from tars_lib.model.sorting import blocks

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MIN_FLAT = 4
"""Fewest samples after the hinge of a broken line; judgement, as for the segments of a change point."""


@dataclass(frozen=True, slots=True, eq=False)
class RepoCourse:
    """Score of one repo: times (n,) in microseconds, `raw` samples (n,), and `level` (n,), what the score was then.

    The level is made like the score itself, from medians of the last three samples; NaN where it was not known.
    """

    times: Ints
    raw: Floats
    level: Floats


class ScoreCourses:
    """Courses of an organisation's repos, made when they are asked for.

    A reported score is taken at the times at which it was reported; a composed one on the coarsest grid of its metrics.
    """

    def __init__(self, org: OrgData) -> None:
        self._org = org
        self._reported = org.history.counts(SCORE) > 0
        self._columns = {repo.repo: column for column, repo in enumerate(org.repos)}
        self._composed: Grid | None = None
        self._made: dict[str, RepoCourse] = {}
        self._parts: tuple[tuple[Metric, Grid], ...] = ()
        # some repos are composed at a time, as many as have a block of samples together
        sizes = np.diff(org.history.offsets).reshape(len(org.history.metrics), len(org.repos)).sum(axis=0)
        self._blocks = [slice(part.start, part.stop - 1) for part in blocks(np.concatenate(([0], np.cumsum(sizes))))]
        self._here = slice(0, 0)

    def of(self, repo: str) -> RepoCourse:
        """Return the course of one repo; empty where it has no score."""
        if repo not in self._made:
            self._made[repo] = self._make(repo)
        return self._made[repo]

    def _make(self, repo: str) -> RepoCourse:
        column = self._columns[repo]
        if self._reported[column]:
            times, values = self._org.history.series(SCORE, repo)
            return RepoCourse(times, values, trailing_median(values))
        if not self._here.start <= column < self._here.stop:
            self._compose(column)
        if self._composed is None:
            return RepoCourse(np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros(0))
        column -= self._here.start
        values = self._composed.values[:, column]
        seen = np.isfinite(values)
        level = self._composed_level(self._composed, column)
        return RepoCourse(self._composed.times[seen], values[seen], level[seen])

    def _compose(self, column: int) -> None:
        self._here = next(
            (part for part in self._blocks if part.start <= column < part.stop), slice(column, column + 1)
        )
        self._composed = score_grid(self._org, self._reported, repos=self._here)
        if self._composed is not None:
            step, grid = self._composed.interval, self._org.history.grid
            parts = [(metric, grid(metric.metric, step, repos=self._here)) for metric in scored_metrics(self._org)]
            self._parts = tuple((metric, grid) for metric, grid in parts if grid is not None)

    def _composed_level(self, composed: Grid, column: int) -> Floats:
        """Weighted components of one repo at each time, shape (T,): one whose last samples are late still counts."""
        points, fresh_weight, weight = (np.zeros(composed.times.size) for _ in range(3))
        for metric, grid in self._parts:
            if not np.isfinite(grid.values[:, column]).any():
                continue
            value, coverage = _carried_on(grid.values[:, column])
            fresh = coverage >= MIN_COVERAGE
            weight += np.where(np.isfinite(value), metric.weight, 0.0)
            fresh_weight += np.where(fresh, metric.weight, 0.0)
            points += np.where(fresh, metric.weight * component_score(value, metric), 0.0)
        known = (weight > 0) & (fresh_weight >= MIN_COVERAGE * weight) & (fresh_weight > 0)
        return np.where(known, points / np.maximum(fresh_weight, 1e-300), np.nan)


def _carried_on(values: Floats) -> tuple[Floats, Floats]:
    """Median of the last three samples at each time, share of the last ten that arrived; NaN and 0 before the first."""
    seen = np.isfinite(values)
    count = np.cumsum(seen)
    level = np.full(values.size, np.nan)
    level[count > 0] = trailing_median(values[seen])[count[count > 0] - 1]
    age = np.maximum(np.arange(1, values.size + 1) - int(np.argmax(seen)), 1)
    before = np.concatenate([np.zeros(min(COVERAGE_SAMPLES, values.size), dtype=np.int64), count[:-COVERAGE_SAMPLES]])
    return level, (count - before) / np.minimum(age, COVERAGE_SAMPLES)


def trailing_median(values: Floats) -> Floats:
    """Return the median of each sample and the two before it (fewer at the start), shape (n,): what the score is at that time.

    Examples
    --------
    >>> trailing_median(np.array([90.0, 80.0, 10.0, 70.0])).tolist()
    [90.0, 85.0, 80.0, 70.0]
    """
    if values.size < 3:
        return np.array([float(np.median(values[: n + 1])) for n in range(values.size)])
    windows = np.sort(np.stack([values[:-2], values[1:-1], values[2:]]), axis=0)[1]
    return np.concatenate([[values[0], (values[0] + values[1]) / 2.0], windows])


def hinge(values: Floats) -> int:
    """Return where a series that was level began to move: the bend of the best broken line, flat before and straight after.

    Least squares over all bends (Hinkley 1969, Inference about the intersection in two-phase regression,
    https://doi.org/10.1093/biomet/56.3.495), with the first part held flat.

    Returns
    -------
    int
        Position of the last level sample; 0 where the series moves from its start or is too short to tell.

    Examples
    --------
    >>> hinge(np.concatenate([np.full(20, 90.0), 90.0 - np.arange(1.0, 11.0)]))
    19
    """
    n = values.size
    if n <= 2 * MIN_FLAT:
        return 0
    bends = np.arange(0, n - MIN_FLAT)
    ramps = np.maximum(np.arange(n)[None, :] - bends[:, None], 0).astype(np.float64)
    ramps -= ramps.mean(axis=1, keepdims=True)
    centred = values - values.mean()
    explained = (ramps @ centred) ** 2 / (ramps**2).sum(axis=1)
    return int(bends[np.argmax(explained)])
