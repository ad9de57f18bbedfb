"""Did several repos change closer together than chance would have it, and in which order?

A change is a lasting step or turn of one repo's metric. Most repos hardly ever change, so two or three changes within a
few samples are evidence that each alone is not. The null: changes come at a constant rate in all repos, each on its own,
and that rate is the one seen outside the group. `docs/methods/clusters.md` has the method and what was measured.

References
----------
Naus (1965), The distribution of the size of the maximum cluster of points on a line,
https://doi.org/10.1080/01621459.1965.10480810
Gelman et al. (2013), Bayesian Data Analysis, 3rd ed., section 2.6 (the negative binomial as the predictive
distribution of a count whose rate was estimated), http://www.stat.columbia.edu/~gelman/book/
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import special

from tars_lib.engines.relations.aligned_metrics import Movement
from tars_lib.stats.changes.break_points import MIN_AFTER, MIN_BEFORE, Break, lasting_breaks
from tars_lib.stats.series.nuisance_design import nuisance_basis, without_basis
from tars_lib.stats.series.prewhitening import Panel
from tars_lib.stats.series.robust import without_extremes

Floats = NDArray[np.float64]

CHANGE_ROWS = 400
"""Last samples in which changes are sought: a year of daily ones; judgement."""
CHANGE_ALPHA = 0.01
"""Chance that a repo without any change shows one, over its metrics and all moments; judgement, strict because many repos
are searched."""
JOINT_ALPHA = 0.05
"""Chance that changes which have nothing to do with each other are called joint; the project's usual level."""
SAME_CHANGE = 3
"""Changes of one repo's metrics so many samples apart are one change; judgement."""
TAKEN_BACK = 0.5
"""A change the other way of at least this share of the size ends a change; judgement."""
MAX_SPAN = 14
"""Most samples from the first to the last change of a group: the default of the largest lag."""
MAX_TRACED = 300
"""Up to so many changes, those downstream of each are also looked at alone; judgement: more are a storm that shows
without the call graph."""
PRIOR_CHANGES = 0.5
"""Changes added to those seen outside a group (the prior of Jeffreys), so that none seen is not a rate of zero."""


@dataclass(frozen=True, slots=True)
class Change:
    """A lasting change of one repo.

    `column` and `metric` are positions in the movement; `index`, `low` and `high` rows of it (the first new sample and its
    84 % interval); `size` in standard deviations of the one-step prediction error, positive where health improved;
    `until` the row of the change that took it back, None while it stands.
    """

    column: int
    metric: int
    index: int
    low: int
    high: int
    size: float
    p_value: float
    is_ramp: bool
    until: int | None = None


@dataclass(frozen=True, slots=True)
class JointChange:
    """Changes in one direction that belong together: members in time order, `p_value` over all groups tried."""

    members: tuple[Change, ...]
    p_value: float
    is_declared: bool

    @property
    def is_decline(self) -> bool:
        """Return whether health went down."""
        return self.members[0].size < 0.0


def metric_changes(movement: Movement, panels: Sequence[Panel], level: float = CHANGE_ALPHA) -> tuple[Change, ...]:
    """Lasting changes of every metric of every repo, the clearest first.

    Parameters
    ----------
    movement : Movement
    panels : sequence of Panel
        One a metric of the movement.
    level : float
        Chance that a repo without any change shows one.
    """
    tested = np.sum([np.isfinite(panel.phi) for panel in panels], axis=0)
    alpha = level / np.maximum(tested, 1)
    first = max(movement.rows - CHANGE_ROWS, 0)
    found: list[Change] = []
    for metric, (panel, values) in enumerate(zip(panels, movement.values, strict=True)):
        series, basis = values, panel.basis
        if first > 0:
            # a week is longer than the stretch that is searched, so calendar and trend are taken out of the whole first
            usual = without_extremes(values)
            series = (values - usual + without_basis(usual, panel.basis))[first:]
            basis = nuisance_basis(movement.rows - first)
        found += [_change(one, metric, first) for one in lasting_breaks(series, panel.phi, basis, alpha)]
    return tuple(sorted(found, key=lambda one: (one.p_value, one.index, one.metric, one.column)))


def repo_changes(changes: Sequence[Change]) -> tuple[Change, ...]:
    """Changes of each repo in time order; where several metrics show one, the clearest speaks for it.

    A change back, of at least half the size and the other way, is the end of the one before and none of its own.

    Parameters
    ----------
    changes : sequence of Change
        The clearest first.

    Examples
    --------
    >>> dip = [Change(0, 0, 40, 40, 40, -8.0, 1e-9, False), Change(0, 0, 45, 45, 45, 7.0, 1e-8, False)]
    >>> [(one.index, one.until) for one in repo_changes(dip)]
    [(40, 45)]
    """
    kept: dict[int, list[Change]] = {}
    for one in changes:
        mine = kept.setdefault(one.column, [])
        if all(abs(one.index - other.index) > SAME_CHANGE or one.size * other.size < 0.0 for other in mine):
            mine.append(one)
    found = [one for mine in kept.values() for one in _ended(sorted(mine, key=lambda one: one.index))]
    return tuple(sorted(found, key=lambda one: (one.index, one.column)))


def _ended(changes: Sequence[Change]) -> list[Change]:
    found: list[Change] = []
    for change in changes:
        last = found[-1] if found else None
        takes_back = last is not None and last.until is None and change.size * last.size < 0.0
        if last is not None and takes_back and abs(change.size) >= TAKEN_BACK * abs(last.size):
            found[-1] = replace(last, until=change.index)
        else:
            found.append(change)
    return found


def joint_changes(
    changes: Sequence[Change], repos: int, rows: int, downstream: Mapping[int, frozenset[int]]
) -> tuple[JointChange, ...]:
    """Groups of changes that are closer together than chance, the clearest first.

    Parameters
    ----------
    changes : sequence of Change
        In time order, each repo at most once within `SAME_CHANGE` samples.
    repos : int
        Number of repos that could have changed.
    rows : int
        Samples in which changes were sought.
    downstream : mapping of int to frozenset of int
        Column -> columns that call it, directly or through others.

    Examples
    --------
    >>> def step(column, index):
    ...     return Change(column, 0, index, index, index, -9.0, 1e-6, False)
    >>> three = [step(0, 70), step(1, 71), step(2, 72)]
    >>> [[one.column for one in group.members] for group in joint_changes(three, 12, 90, {})]
    [[0, 1, 2]]
    >>> joint_changes([step(0, 20), step(1, 50), step(2, 72)], 12, 90, {})
    ()
    """
    places = max(min(rows, CHANGE_ROWS) - MIN_BEFORE - MIN_AFTER + 1, 1)
    groups: list[JointChange] = []
    for sign in (-1.0, 1.0):
        left = [change for change in changes if change.size * sign > 0.0]
        while len(left) > 1:
            best = _clearest(left, repos, places, downstream)
            if best is None or best.p_value > JOINT_ALPHA:
                break
            groups.append(best)
            left = [one for one in left if one not in best.members]
    return tuple(sorted(groups, key=lambda group: (group.p_value, group.members[0].index)))


def without_changes(values: Floats, basis: Floats, changes: Sequence[Change]) -> Floats:
    """One metric without its steps and turns.

    Parameters
    ----------
    values : ndarray, shape (T, N)
    basis : ndarray, shape (T, q)
        Calendar and trend, which are fitted beside the changes, and stay.
    changes : sequence of Change
        Of this metric.

    Returns
    -------
    ndarray, shape (T, N)
        A copy; NaN stays NaN.
    """
    out = values.copy()
    rows = np.arange(len(values))
    of_column: dict[int, list[Change]] = {}
    for one in changes:
        of_column.setdefault(one.column, []).append(one)
    for column, mine in of_column.items():
        since = rows[:, None] - np.array([one.index for one in mine])[None, :]
        ramps = np.array([one.is_ramp for one in mine])
        shapes = np.where(ramps, np.maximum(since + 1.0, 0.0), (since >= 0).astype(np.float64))
        seen = np.isfinite(values[:, column])
        design = np.column_stack([basis, shapes])
        if int(seen.sum()) > design.shape[1]:
            fit = np.linalg.lstsq(design[seen], values[seen, column], rcond=None)[0]
            out[:, column] -= shapes @ fit[basis.shape[1] :]
    return out


def _clearest(
    left: Sequence[Change], repos: int, places: int, downstream: Mapping[int, frozenset[int]]
) -> JointChange | None:
    tried: list[tuple[float, int, tuple[Change, ...], bool]] = []
    starts = {one.index: one for one in reversed(left)}
    for start in starts.values():
        near = [one for one in left if start.index <= one.index <= start.index + MAX_SPAN]
        tried += _runs(start, near, len(left), repos, repos, places, is_declared=False)
    if downstream and len(left) <= MAX_TRACED:
        for start in left:
            below = downstream.get(start.column, frozenset())
            near = [one for one in left if one.column in below and start.index <= one.index <= start.index + MAX_SPAN]
            if near:
                tried += _runs(start, [start, *near], len(left), repos, len(below) + 1, places, is_declared=True)
    if not tried:
        return None
    p_value, _, members, is_declared = min(tried, key=lambda run: (run[0], -len(run[2]), run[1]))
    # declines and improvements are two families
    return JointChange(members, min(1.0, 2.0 * p_value * len(tried)), is_declared)


def _runs(
    start: Change, near: Sequence[Change], total: int, repos: int, among: int, places: int, *, is_declared: bool
) -> list[tuple[float, int, tuple[Change, ...], bool]]:
    """Every run of changes that begins at `start`, with the chance of so many others among `among` repos."""
    found = []
    for end in sorted({one.index for one in near}):
        members = _one_a_repo([one for one in near if one.index <= end])
        others = len(members) - 1
        if others < 1:
            continue
        inside = (among - 1) * (end - start.index + 1)
        outside = max(repos * places - inside, 1)
        seen_elsewhere = max(total - len(members), 0) + PRIOR_CHANGES
        chance = float(special.betainc(others, seen_elsewhere, inside / (inside + outside)))
        found.append((chance, start.index, members, is_declared))
    return found


def _one_a_repo(changes: Sequence[Change]) -> tuple[Change, ...]:
    first: dict[int, Change] = {}
    for change in changes:
        first.setdefault(change.column, change)
    return tuple(first.values())


def _change(one: Break, metric: int, first: int) -> Change:
    return Change(
        one.column,
        metric,
        one.index + first,
        one.low + first,
        one.high + first,
        one.size,
        one.p_value,
        one.is_ramp,
    )
