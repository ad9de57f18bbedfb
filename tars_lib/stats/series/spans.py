"""For how long does each sample of a series stand, and where is nothing known?

A sample stands until the next one, unless that is further away than one and a half of the usual intervals around it: then
something is missing, and the sample stands for one usual interval. The usual interval is that of the neighbourhood, so a
series may be sampled finer in one week than in the next.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Columns = NDArray[np.int32] | NDArray[np.int64]

NEIGHBOURS = 16
"""Intervals looked at on either side; judgement: of 16 with half of all samples lost at random, fewer than 4 are whole
with a chance of 1 %."""
USUAL = 0.25
"""Quantile of the intervals around a sample that is the usual one; judgement: below a half, since what is missing only ever
makes intervals longer."""
JITTER = 1.5
"""Usual intervals within which the next sample follows without anything missing: it may be late by half of one."""
FEWEST = 4
"""Intervals on one side from which they say what is usual there; judgement."""
_NEVER = np.iinfo(np.int64).max
_ROWS = 100_000
BLOCK = 1_000_000
"""Samples that are looked at together, so that what is computed on the way stays small beside them; judgement."""


def series_blocks(column: Columns) -> Iterator[slice]:
    """Slices of whole series, of about `BLOCK` samples or one series each.

    Parameters
    ----------
    column : ndarray of integers, shape (n,)
        Ascending.
    """
    first = 0
    while first < column.size:
        end = min(first + BLOCK, column.size) - 1
        end = int(np.searchsorted(column, column[end], side="right"))
        yield slice(first, end)
        first = end


def spans(column: Columns, time: Ints, default: int, *, at_end: bool = False) -> Ints:
    """Return for how long each sample stands.

    Parameters
    ----------
    column, time : ndarray of integers, shape (n,)
        Series and time of each sample, ascending by both; times in any unit.
    default : int
        Span of a sample that is alone in its series.
    at_end : bool
        Whether a sample stands for the time since the one before it.

    Returns
    -------
    ndarray of int64, shape (n,)
        In the unit of `time`; read only, as a span that all share is held once.

    Examples
    --------
    Every hour, two hours lost, then every third hour:

    >>> time = np.array([0, 1, 2, 3, 6, 7, 8, 9, 10, 13, 16, 19, 22])
    >>> spans(np.zeros(13, dtype=np.int64), time, 24).tolist()
    [1, 1, 1, 1, 1, 1, 1, 1, 3, 3, 3, 3, 3]
    """
    if at_end:
        return spans(-column[::-1], -time[::-1], default)[::-1]
    common, stands = np.int64(default), None
    for block in series_blocks(column):
        own = _spans(column[block], time[block], default)
        if stands is None:
            common = common if block.start else own[0]
            if (own == common).all():
                continue
            stands = np.full(time.size, common)
        stands[block] = own
    return np.broadcast_to(common, time.size) if stands is None else stands


def _spans(column: Columns, time: Ints, default: int) -> Ints:
    apart = np.diff(time)
    inside = column[1:] == column[:-1]
    first = np.flatnonzero(np.concatenate(([True], ~inside)))
    last = np.concatenate((first[1:], [time.size])) - 1
    series = np.repeat(np.arange(first.size), last - first + 1)
    shortest = np.minimum.reduceat(np.append(np.where(inside, apart, _NEVER), _NEVER), first)
    stands = np.append(apart, 0)
    is_end = np.zeros(time.size, dtype=bool)
    is_end[last] = True
    stands[last] = default
    asked = np.flatnonzero(is_end & (first[series] != last[series]) | ~is_end & (stands > JITTER * shortest[series]))
    for begin in range(0, asked.size, _ROWS):
        chosen = asked[begin : begin + _ROWS]
        usual = _usual(apart, chosen, first[series[chosen]], last[series[chosen]], is_end[chosen])
        within = ~is_end[chosen] & (stands[chosen] <= JITTER * usual)
        stands[chosen] = np.where(within, stands[chosen], usual)
    return stands


def _usual(apart: Ints, chosen: Ints, first: Ints, last: Ints, is_end: NDArray[np.bool_]) -> Ints:
    """Usual interval at samples: the larger of those before and after, as the pace may change right there."""
    reach = np.arange(NEIGHBOURS)
    # near an end of the series the side is filled up with what lies on the other
    before = np.maximum(chosen - 1, np.minimum(first + FEWEST, last) - 1)[:, None] - reach
    after = np.minimum(chosen, np.maximum(last - FEWEST, first))[:, None] + reach
    sides = []
    for at, valid in ((before, (before >= first[:, None]) & ~is_end[:, None]), (after, after < last[:, None])):
        around = np.where(valid, apart[np.clip(at, 0, apart.size - 1)], _NEVER)
        count = valid.sum(axis=1)
        rank = np.maximum(np.ceil(count * USUAL).astype(np.int64) - 1, 0)
        value = np.take_along_axis(np.sort(around, axis=1), rank[:, None], axis=1)[:, 0]
        sides.append(np.where(count > 0, value, 0))
    return np.maximum(*sides)
