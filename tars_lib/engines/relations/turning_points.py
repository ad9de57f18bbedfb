"""Way of trouble through some repos, for those who draw or list it: who turned when, from which level to which.

The moments are those of the engines' own search for lasting changes (`joint_change`), so a drawing and a report agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from tars_lib.engines.relations.aligned_metrics import Movement, movement_of
from tars_lib.engines.relations.joint_changes import MAX_SPAN, SAME_CHANGE, Change, metric_changes, repo_changes
from tars_lib.model.history import from_micros, to_micros
from tars_lib.model.organisation import OrgData
from tars_lib.stats.series.prewhitening import whitened_panel

Floats = NDArray[np.float64]

LEVEL = 288
"""Samples before the turn whose median is the level before: a day of 5-minute ones; judgement, as for a breach's course."""
BEFORE = 3
"""The course begins this many lengths of the trouble before it; judgement: enough to see the level that was left."""
MIN_BEFORE = 12
"""...and at least this many samples; judgement."""


@dataclass(frozen=True, slots=True, eq=False)
class Turn:
    """One repo's course around its lasting change.

    `at` is the first new sample and `earliest` and `latest` its 84 % interval; all three null where the repo shows no lasting
    change near the onset. `before` and `after` are medians on either side in the metric's `unit`, NaN where there are no
    samples. `until` is when the change was taken back, null while it stands. `times` (n,) microseconds, `values` (n,) in
    `unit`, NaN where missing.
    """

    repo: str
    metric: str
    unit: str
    is_worse: bool
    at: datetime | None
    earliest: datetime | None
    latest: datetime | None
    until: datetime | None
    before: float
    after: float
    times: NDArray[np.int64]
    values: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Unfolding:
    """Turns in time order, repos without one last; `step` is the sampling interval, within which no order can be told."""

    turns: tuple[Turn, ...]
    step: timedelta
    as_of: datetime

    @property
    def turned(self) -> tuple[Turn, ...]:
        """Those that have a moment."""
        return tuple(turn for turn in self.turns if turn.at is not None)


def unfold(org: OrgData, repos: Sequence[str], onset: datetime, as_of: datetime) -> Unfolding | None:
    """Return who turned when.

    Parameters
    ----------
    org : OrgData
    repos : sequence of str
        Of a path or a cluster, in the order in which those without a change are listed.
    onset : datetime
        UTC; each repo's change nearest to it, at most `MAX_SPAN` samples away, is its turn.
    as_of : datetime
        UTC, the end of the courses.

    Returns
    -------
    Unfolding or None
        None where none of the repos has a metric with a direction or none turned.
    """
    known, _ = org.at(as_of)
    whole = movement_of(known)
    columns = [whole.repos.index(repo) for repo in dict.fromkeys(repos) if repo in whole.repos]
    if not whole.metrics or not columns:
        return None
    movement = replace(whole, repos=tuple(whole.repos[c] for c in columns), values=_taken(whole, columns))
    panels = tuple(whitened_panel(values, movement.seasons) for values in movement.values)
    row = int(np.searchsorted(movement.times, to_micros(onset) - movement.interval // 2))
    nearest: dict[int, Change] = {}
    for change in repo_changes(metric_changes(movement, panels)):
        # the onset is the first of a group: what came clearly before it belongs to something else
        if not -SAME_CHANGE <= change.index - row <= MAX_SPAN:
            continue
        best = nearest.get(change.column)
        if best is None or abs(change.index - row) < abs(best.index - row):
            nearest[change.column] = change
    if not nearest:
        return None
    first = min(change.index for change in nearest.values())
    lead = max(BEFORE * (movement.rows - first), MIN_BEFORE)
    begin = max(first - lead, 0)
    grids = {metric: _levels(known, metric, movement) for metric in movement.metrics}
    common = next(iter(nearest.values())).metric
    turns = [
        _turn(known, movement, grids, (column, columns[column]), nearest.get(column), common, begin)
        for column in range(len(columns))
    ]
    latest = datetime.max.replace(tzinfo=as_of.tzinfo)
    turns.sort(key=lambda turn: turn.at or latest)
    return Unfolding(tuple(turns), timedelta(microseconds=movement.interval), as_of)


def _taken(movement: Movement, columns: list[int]) -> tuple[Floats, ...]:
    return tuple(values[:, columns] for values in movement.values)


def _levels(org: OrgData, metric: str, movement: Movement) -> Floats:
    """The metric in its own unit on the movement's rows, shape (T, N)."""
    grid = org.history.grid(metric, movement.interval, last=movement.rows)
    assert grid is not None  # noqa: S101 - the movement has the metric
    return grid.values


def _turn(
    org: OrgData,
    movement: Movement,
    grids: dict[str, Floats],
    place: tuple[int, int],
    change: Change | None,
    common: int,
    begin: int,
) -> Turn:
    column, whole_column = place
    metric = movement.metrics[common if change is None else change.metric]
    values = grids[metric][:, whole_column]
    if change is None and not np.isfinite(values[begin:]).any():
        # a repo that does not report the common metric is shown in one that it has
        metric = next((m for m, grid in grids.items() if np.isfinite(grid[begin:, whole_column]).any()), metric)
        values = grids[metric][:, whole_column]

    def time(row: int) -> datetime:
        return from_micros(int(movement.times[min(row, movement.rows - 1)]))

    turned = movement.rows if change is None else change.index
    end = movement.rows if change is None or change.until is None else change.until
    return Turn(
        movement.repos[column],
        metric,
        org.metric(metric).unit,
        change is not None and change.size < 0.0,
        None if change is None else time(change.index),
        None if change is None else time(change.low),
        None if change is None else time(change.high),
        None if change is None or change.until is None else time(change.until),
        _median(values[max(turned - LEVEL, 0) : turned]),
        _median(values[turned:end]),
        movement.times[begin:],
        values[begin:],
    )


def _median(values: Floats) -> float:
    seen = values[np.isfinite(values)]
    return float(np.median(seen)) if seen.size else float("nan")
