"""Does a series come in twos or threes close together, as one does that several exporters report, and where do they belong?

The samples of such a group stand for one interval. Left where they are, the usual interval would be the second between them,
and nearly all of the time would seem to be unseen. So each interval is divided among them; the last stays where it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

_FEWEST_GROUPS = 5
_MOST = 3
"""Samples in a group; judgement: of more it is rather that something is sampled for a part of the day."""
_WIDEST = 0.4
"""Width of a group in intervals; beyond it what is left of the interval is within the jitter of even samples."""
_STEADY = 0.7
"""Share of the groups that follow each other at their usual distance, within a tenth; judgement."""
_LONG = 0.7
"""Quantile of the distances that is one between groups, as at least a third are."""
_SHORT = 0.8
"""Mean distances below which one lies within a group: of two groups of two, half of all are."""

_TINY = 0.25
"""The same where only a part of a series comes in groups, as where an exporter was added."""
_TOGETHER = 0.8
"""Share of the groups that follow another one; judgement: a sample that was sent twice here and there makes no pace."""


@dataclass(frozen=True, slots=True, eq=False)
class Twins:
    """A series in groups.

    Attributes
    ----------
    size : int
        Samples in a group.
    apart, interval : int
        Usual distance from the first to the last of a group, and from group to group.
    last : ndarray of int64, shape (g,)
        Position of the last sample of each whole group.
    """

    size: int
    apart: int
    interval: int
    last: Ints

    def even(self, time: Ints) -> Ints:
        """Return the times with each interval divided among its samples, which stay in order."""
        moved, step = time.copy(), self.interval // self.size
        before = np.where(self.last >= self.size, time[self.last - self.size], np.iinfo(np.int64).min)
        # the first group, and one after a late one, may have less room
        has_room = time[self.last] - (self.size - 1) * step > before
        for behind in range(1, self.size):
            at = self.last[has_room] - behind
            moved[at] = time[self.last[has_room]] - behind * step
        return moved

    def are_equal(self, value: NDArray[np.float64]) -> bool:
        """Return whether the samples of each group say the same."""
        return all(np.array_equal(value[self.last - behind], value[self.last]) for behind in range(1, self.size))


def may_be_twins(time: Ints, bounds: Ints) -> Ints:
    """Return which series may come in groups, quickly: of those cut by `bounds`, that have many distances much below the mean.

    Parameters
    ----------
    time : ndarray of int64
        Ascending within each series.
    bounds : ndarray of int64, shape (S + 1,)
        Where the series begin, from 0.
    """
    sizes = np.diff(bounds)
    there = np.flatnonzero(sizes >= 2 * _FEWEST_GROUPS)
    if not there.size:
        return there
    mean = np.zeros(sizes.size)
    mean[there] = (time[bounds[there + 1] - 1] - time[bounds[there]]) / (sizes[there] - 1)
    is_short = np.append(np.diff(time), 0) <= np.repeat(_SHORT * mean, sizes)
    is_tiny = np.append(np.diff(time), 0) <= np.repeat(_TINY * mean, sizes)
    numbers = (np.concatenate(([0], np.cumsum(found))) for found in (is_short, is_tiny))
    short, tiny = (number[bounds[there + 1] - 1] - number[bounds[there]] for number in numbers)
    return there[(short >= 0.4 * sizes[there]) | (tiny >= _FEWEST_GROUPS)]


def twins_of(time: Ints) -> Twins | None:
    """Return the groups of a series; None where it comes one by one, or at no pace.

    Examples
    --------
    >>> minutes = 60 * np.repeat(np.arange(10), 2) + np.tile([0, 1], 10)
    >>> found = twins_of(minutes)
    >>> found.size, found.apart, found.interval, found.even(minutes)[2:6].tolist()
    (2, 1, 60, [31, 61, 91, 121])
    >>> twins_of(60 * np.arange(20)) is None
    True
    """
    gaps = np.diff(time)
    if gaps.size < 2 * _FEWEST_GROUPS - 1:
        return None
    heads = np.flatnonzero(np.concatenate(([True], gaps > np.quantile(gaps, _LONG, method="higher") / 2)))
    sizes = np.diff(np.append(heads, time.size))
    size = int(np.bincount(np.where(sizes > 1, sizes, 0), minlength=2)[1:].argmax()) + 1
    grouped = np.flatnonzero(sizes == size)
    if not 2 <= size <= _MOST or grouped.size < _FEWEST_GROUPS or (np.diff(grouped) == 1).mean() < _TOGETHER:
        return None
    whole = heads[grouped]
    between = np.diff(time[heads])
    interval = int(np.median(between))
    widths = time[whole + size - 1] - time[whole]
    is_steady = (np.abs(between - interval) <= 0.1 * interval).mean() >= _STEADY
    if not is_steady or widths.max() > _WIDEST * interval:
        return None
    return Twins(size, int(np.median(widths)), interval, whole + size - 1)
