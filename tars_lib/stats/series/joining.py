"""Which samples of two counts belong together, and what is missing of which?

Samples at one time belong together; so do samples less than half of an interval apart, whose clocks jitter. Where one count
is sampled finer than the other, its samples are summed over each interval of the coarser. What is left stands alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tars_lib.stats.series.spans import spans

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Columns = NDArray[np.int32]
Series = tuple[Columns, Ints, Floats]
"""Column, time and value of each sample, ascending by column and time."""

FINER = 1.5
"""How many times longer the intervals of the coarser count are at least; judgement: below two, above jitter."""
FEWEST = 5
"""Samples from which a count has a pace of its own; judgement."""
_STEADY, _ALMOST = 0.9, 0.7
"""Share of the intervals of the coarser and the finer count that are its usual one, within a tenth. A count that is only
reported when it is not 0 has no pace; judgement."""


@dataclass(frozen=True, slots=True, eq=False)
class Joined:
    """Two counts on one timeline.

    Attributes
    ----------
    column : ndarray of int32, shape (n,)
    time, span : ndarray of int64, shape (n,)
        Ascending by column and time; `span` is for how long the row stands.
    total, part : ndarray of float64, shape (n,)
        NaN where the count is absent.
    open_total, open_part : ndarray of float64, shape (n,)
        Share of the row's span over which the count is not known: 0 where it is whole, 1 where it is absent.
    shifted, summed : ndarray of int64
        Columns whose clocks were aligned, and whose finer count was summed.
    apart : int
        Largest distance between clocks that were aligned.
    """

    column: Columns
    time: Ints
    span: Ints
    total: Floats
    part: Floats
    open_total: Floats
    open_part: Floats
    shifted: Ints
    summed: Ints
    apart: int


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Rows of one column, in any order."""

    time: Ints
    total: Floats
    part: Floats
    open_total: Floats
    open_part: Floats
    apart: int = 0
    is_summed: bool = False


def join(total: Series, part: Series, default: int, *, at_end: bool = False, absent_is_zero: bool = False) -> Joined:
    """Join a total and a part of it.

    Parameters
    ----------
    total, part : tuple of ndarray
        Column, time, value.
    default : int
        Span of a sample that is alone in its column.
    at_end : bool
        Whether a sample stands for the time before its stamp.
    absent_is_zero : bool
        Whether the part is left out where it is 0, so that it has no pace of its own.
    """
    if part[1] is total[1] or (np.array_equal(total[0], part[0]) and np.array_equal(total[1], part[1])):
        whole, none = np.broadcast_to(0.0, total[1].size), np.zeros(0, dtype=np.int64)
        span = spans(total[0], total[1], default, at_end=at_end)
        return Joined(total[0], total[1], span, total[2], part[2], whole, whole, none, none, 0)
    left, right = _at_one_time(total, part)
    alone_left = np.setdiff1d(np.arange(total[1].size), left, assume_unique=True)
    alone_right = np.setdiff1d(np.arange(part[1].size), right, assume_unique=True)
    uneven = np.intersect1d(np.union1d(total[0][alone_left], part[0][alone_right]), np.intersect1d(total[0], part[0]))
    even = ~np.isin(total[0][left], uneven)
    own_left, own_right = (
        alone[~np.isin(series[0][alone], uneven)] for series, alone in ((total, alone_left), (part, alone_right))
    )
    columns = [total[0][left][even], total[0][own_left], part[0][own_right]]
    groups = [
        _Rows(total[1][left][even], total[2][left][even], part[2][right][even], *(np.zeros(int(even.sum())),) * 2),
        _only_total(total[1][own_left], total[2][own_left]),
        _only_part(part[1][own_right], part[2][own_right]),
    ]
    shifted, summed, apart = [], [], 0
    for number in uneven.tolist():
        cut_total, cut_part = (
            slice(*np.searchsorted(series[0], (number, number + 1)).tolist()) for series in (total, part)
        )
        own = (total[1][cut_total], total[2][cut_total], part[1][cut_part], part[2][cut_part])
        rows = _uneven(*own, default, at_end=at_end, may_sum=not absent_is_zero)
        columns.append(np.full(rows.time.size, number, dtype=np.int32))
        groups.append(rows)
        apart = max(apart, rows.apart)
        if rows.is_summed:
            summed.append(number)
        elif rows.apart:
            shifted.append(number)
    column, time = np.concatenate(columns), np.concatenate([group.time for group in groups])
    order = np.lexsort((time, column))
    column, time = column[order], time[order]
    rows = _stacked(groups)
    return Joined(
        column=column,
        time=time,
        span=spans(column, time, default, at_end=at_end),
        total=rows.total[order],
        part=rows.part[order],
        open_total=rows.open_total[order],
        open_part=rows.open_part[order],
        shifted=np.array(shifted, dtype=np.int64),
        summed=np.array(summed, dtype=np.int64),
        apart=apart,
    )


def _at_one_time(total: Series, part: Series) -> tuple[Ints, Ints]:
    """Positions of samples of both at the same column and time."""
    moments, codes = np.unique(np.concatenate([total[1], part[1]]), return_inverse=True)
    left_keys = total[0] * np.int64(moments.size) + codes[: total[1].size]
    right_keys = part[0] * np.int64(moments.size) + codes[total[1].size :]
    _, left, right = np.intersect1d(left_keys, right_keys, assume_unique=True, return_indices=True)
    return left, right


def _only_total(time: Ints, value: Floats) -> _Rows:
    return _Rows(time, value, np.full(time.size, np.nan), np.zeros(time.size), np.ones(time.size))


def _only_part(time: Ints, value: Floats) -> _Rows:
    return _Rows(time, np.full(time.size, np.nan), value, np.ones(time.size), np.zeros(time.size))


def _stacked(groups: list[_Rows], apart: int = 0, *, is_summed: bool = False) -> _Rows:
    return _Rows(
        np.concatenate([group.time for group in groups]),
        np.concatenate([group.total for group in groups]),
        np.concatenate([group.part for group in groups]),
        np.concatenate([group.open_total for group in groups]),
        np.concatenate([group.open_part for group in groups]),
        apart,
        is_summed,
    )


def _uneven(
    total_time: Ints, total: Floats, part_time: Ints, part: Floats, default: int, *, at_end: bool, may_sum: bool
) -> _Rows:
    """Join two counts of one column whose times differ."""
    if _is_finer(part_time, total_time):
        time, sums, open_share, rest = _summed(part_time, part, total_time, at_end=at_end)
        whole = np.isin(total_time, time)
        rows = _Rows(time, total[whole], sums, np.zeros(time.size), open_share)
        return _stacked([rows, _only_part(part_time[rest], part[rest])], is_summed=True)
    if may_sum and _is_finer(total_time, part_time):
        time, sums, open_share, rest = _summed(total_time, total, part_time, at_end=at_end)
        whole = np.isin(part_time, time)
        rows = _Rows(time, sums, part[whole], open_share, np.zeros(time.size))
        return _stacked([rows, _only_total(total_time[rest], total[rest])], is_summed=True)
    left, right, apart = _nearest(total_time, part_time, default)
    alone_left, alone_right = np.ones(total.size, dtype=bool), np.ones(part.size, dtype=bool)
    alone_left[left] = alone_right[right] = False
    rows = _Rows(total_time[left], total[left], part[right], np.zeros(left.size), np.zeros(left.size))
    return _stacked(
        [
            rows,
            _only_total(total_time[alone_left], total[alone_left]),
            _only_part(part_time[alone_right], part[alone_right]),
        ],
        apart,
    )


def _is_finer(fine: Ints, coarse: Ints) -> bool:
    """Return whether one is sampled at a finer pace than the other, and both have a pace."""
    if min(fine.size, coarse.size) < FEWEST:
        return False
    usual = []
    for time, share in ((fine, _ALMOST), (coarse, _STEADY)):
        apart = np.diff(time)
        middle = float(np.median(apart))
        if (np.abs(apart - middle) <= 0.1 * middle).mean() < share:
            return False
        usual.append(middle)
    return usual[1] >= FINER * usual[0]


def _summed(
    fine: Ints, values: Floats, coarse: Ints, *, at_end: bool
) -> tuple[Ints, Floats, Floats, NDArray[np.bool_]]:
    """Sum the finer count over each interval of the coarser.

    Returns the coarser times that are kept, sums, the share of each interval without a finer sample, and which finer samples
    lie in no interval. The interval at the end of the finer count that is not over yet is left out.
    """
    one = np.zeros(coarse.size, dtype=np.int64)
    length = spans(one, coarse, 1, at_end=at_end)
    step = spans(np.zeros(fine.size, dtype=np.int64), fine, 1, at_end=at_end)
    middle = fine - step // 2 if at_end else fine + step // 2
    begin = coarse - length if at_end else coarse
    at = np.searchsorted(begin, middle, side="right") - 1
    inside = (at >= 0) & (middle < begin[at] + length[at])
    sums = np.bincount(at[inside], weights=values[inside], minlength=coarse.size).astype(np.float64)
    known = np.bincount(at[inside], weights=step[inside], minlength=coarse.size) / length
    factor = float(np.median(length)) / float(np.median(step))
    slack = 0.02 if abs(factor - round(factor)) < 0.02 * factor else 1.01 / factor
    open_share = np.where(known >= 1.0 - slack, 0.0, 1.0 - np.minimum(known, 1.0))
    sums = np.where(known > 0, sums, np.nan)
    edge = 0 if at_end else -1
    if at_end:
        unfinished = begin[0] < fine[0] - step[0] < begin[0] + length[0]
    else:
        unfinished = begin[-1] <= fine[-1] < begin[-1] + length[-1] - step[-1]
    kept = np.ones(coarse.size, dtype=bool)
    kept[edge] = not (unfinished and open_share[edge] > 0)
    outside = ~inside
    return coarse[kept], sums[kept], open_share[kept].astype(np.float64), outside


def _nearest(total: Ints, part: Ints, default: int) -> tuple[Ints, Ints, int]:
    """Positions of samples that are each other's nearest and less than half of an interval apart, and how far at most."""
    apart = [np.diff(time) for time in (total, part) if time.size > 1]
    reach = min((float(np.median(gaps)) for gaps in apart), default=default) / 2.0
    right = _closest(part, total)
    left = np.arange(total.size)
    mutual = _closest(total, part)[right] == left
    distance = np.abs(total - part[right])
    taken = mutual & ((distance < reach) | (distance == 0))
    return left[taken], right[taken], int(distance[taken].max(initial=0))


def _closest(among: Ints, to: Ints) -> Ints:
    """Position of the nearest of some times to each of others."""
    after = np.clip(np.searchsorted(among, to), 0, among.size - 1)
    before = np.maximum(after - 1, 0)
    return np.where(np.abs(among[before] - to) <= np.abs(among[after] - to), before, after)
