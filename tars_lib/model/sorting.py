"""Brings samples into the order of a history, part by part, and finds the rows of those that are refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from tars_lib.errors import InputError
from tars_lib.model.samples import PART_ROWS, AnySamples, Samples

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Number = TypeVar("Number", np.int64, np.float64)

# Up to here sorting the times takes less than loading Arrow's functions, which hash them: 8 ms for 100,000.
_FEW = 100_000


@dataclass(frozen=True, slots=True, eq=False)
class Sorter:
    """Index of where each repo's and metric's samples stand in a history that is metric by metric and repo by repo.

    Attributes
    ----------
    repos, metrics : tuple of str
        Sorted names.
    """

    samples: AnySamples
    repos: tuple[str, ...]
    metrics: tuple[str, ...]
    repo_rank: Ints
    metric_rank: Ints

    @classmethod
    def of(cls, samples: AnySamples) -> Sorter:
        """From the names that the samples have."""
        repos, repo_rank = _sorted_names(samples.repos)
        metrics, metric_rank = _sorted_names(samples.metrics)
        return cls(samples, repos, metrics, repo_rank, metric_rank)

    def columns(self, look_at: Callable[[Samples, int], None]) -> tuple[Ints, Floats, Ints, Ints]:
        """Time, value, offsets and starts of a history; samples of one time stand in the order in which they were read.

        Parameters
        ----------
        look_at : callable
            Told each part, and how many rows stand before it, before it is sorted.

        Raises
        ------
        InputError
            As `look_at` does, or if a part is not what it was when it was looked at first.
        """
        n = len(self.repos) * len(self.metrics)
        sizes = np.zeros(n, dtype=np.int64)
        pairs = self.metric_rank[:, None] * len(self.repos) + self.repo_rank[None, :]
        np.add.at(sizes, pairs.ravel(), self.samples.counts().ravel())
        offsets = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
        axes, value, before = _Axes(offsets), np.empty(offsets[-1]), 0
        for part in self.samples.parts():
            look_at(part, before)
            before += len(part)
            series, order, at, filled_value = self._sorted(part)
            if not filled_value.size:
                continue
            series = series[order]
            first = np.flatnonzero(np.concatenate(([True], series[1:] != series[:-1])))
            lengths, there = np.diff(first, append=series.size), series[first]
            if (axes.filled[there] + lengths > sizes[there]).any():
                raise InputError(f"{part.origins[0].path}: changed while it was read")
            value[np.arange(series.size) + np.repeat(offsets[there] + axes.filled[there] - first, lengths)] = (
                filled_value
            )
            axes.add(there, first, lengths, at)
        axes.sort(value)
        return axes.time, value, offsets, axes.packed()

    def _sorted(self, part: Samples) -> tuple[Ints, Ints, Ints, Floats]:
        """Series of the rows with a value, their order, and times and values in it."""
        repo, metric, time, value = part.repo, part.metric, part.time, part.value
        missing = np.isnan(value)
        if missing.any():
            there = np.flatnonzero(~missing)
            repo, metric, time, value = repo[there], metric[there], time[there], value[there]
        series = self.metric_rank[metric] * len(self.repos) + self.repo_rank[repo]
        order = _order(series, time, len(self.repos) * len(self.metrics))
        return series, order, time[order], value[order]

    def rows(self, series: Ints, times: Ints) -> list[list[int]]:
        """Rows, counted over all parts, of the samples with a value of each series and time."""
        names, instants = np.unique(series), np.unique(times)
        wanted = np.searchsorted(names, series) * instants.size + np.searchsorted(instants, times)
        rows_of: dict[int, list[int]] = {int(cell): [] for cell in wanted}
        cells, before = np.unique(wanted), 0
        for part in self.samples.parts():
            rows = np.flatnonzero(np.isin(part.time, instants) & ~np.isnan(part.value))
            own = self.metric_rank[part.metric[rows]] * len(self.repos) + self.repo_rank[part.repo[rows]]
            here = np.isin(own, names)
            rows, own = rows[here], own[here]
            cell = np.searchsorted(names, own) * instants.size + np.searchsorted(instants, part.time[rows])
            hit = np.isin(cell, cells)
            for number, row in zip(cell[hit].tolist(), rows[hit].tolist(), strict=True):
                rows_of[number].append(before + row)
            before += len(part)
        return [rows_of[int(cell)] for cell in wanted]


def blocks(offsets: Ints) -> Iterator[slice]:
    """Slices of offsets whose series have `PART_ROWS` samples together, or one series, and at least one; with the last end."""
    first = 0
    while first < offsets.size - 1:
        end = int(np.searchsorted(offsets, offsets[first] + PART_ROWS, side="right")) - 1
        end = max(end, first + 1)
        if offsets[end] > offsets[first]:
            yield slice(first, end + 1)
        first = end


def slices(column: NDArray[Number], starts: Ints, sizes: Ints) -> NDArray[Number]:
    """Slices of a column one after the other."""
    parts: list[NDArray[Number]] = [column[:0]]
    for first, size in zip(starts.tolist(), sizes.tolist(), strict=True):
        parts.append(column[first : first + size])
    return np.concatenate(parts)


class _Axes:
    """Times of all series, which grow part by part; those that are equal so far are held by one of their series, the leader.

    Each series has room of its own, which takes no memory before something is written to it.

    Parameters
    ----------
    offsets : ndarray of int64
        Where the room of each series begins, and the end.
    """

    def __init__(self, offsets: Ints) -> None:
        self._offsets = offsets
        self.time = np.empty(offsets[-1], dtype=np.int64)
        self.leader, self.filled = (
            np.zeros(offsets.size - 1, dtype=np.int64),
            np.zeros(offsets.size - 1, dtype=np.int64),
        )

    def add(self, series: Ints, first: Ints, lengths: Ints, time: Ints) -> None:
        """Add to each of some series, ascending, the times that begin at `first`."""
        alike = _alike(first, lengths, time)
        _, before = np.unique(self.leader[series] * (self.filled.max() + 1) + self.filled[series], return_inverse=True)
        _, head, group = np.unique(before * (alike.max() + 1) + alike, return_index=True, return_inverse=True)
        leader = self.leader[series[head]]
        place = np.minimum(np.searchsorted(series, leader), series.size - 1)
        grows = (series[place] == leader) & (group[place] == np.arange(head.size))
        head = np.where(grows, place, head)
        for old, new in zip(leader[~grows].tolist(), series[head[~grows]].tolist(), strict=True):
            self._copy(old, new)
        self.leader[series] = series[head][group]
        is_head = np.zeros(series.size, dtype=np.bool_)
        is_head[head] = True
        target = np.arange(time.size) + np.repeat(self._offsets[series] + self.filled[series] - first, lengths)
        written = np.repeat(is_head, lengths)
        self.time[target[written]] = time[written]
        self.filled[series] += lengths

    def _copy(self, old: int, new: int) -> None:
        """Give a series times of its own: those of its leader up to now."""
        begin, source, size = self._offsets[new], self._offsets[old], self.filled[new]
        self.time[begin : begin + size] = self.time[source : source + size]

    def sort(self, value: Floats) -> None:
        """Sort each series by time, where its parts did not come in the order of time."""
        members = np.flatnonzero(self.filled)
        members = members[np.argsort(self.leader[members], kind="stable")]
        leaders, cuts = np.unique(self.leader[members], return_index=True)
        for number, followers in zip(leaders.tolist(), np.split(members, cuts[1:]), strict=False):
            at = self._of(number, self.time)
            if not (at[1:] < at[:-1]).any():
                continue
            order = np.argsort(at, kind="stable")
            for series in followers.tolist():
                own = order
                if self.filled[series] < order.size:
                    own = order[order < self.filled[series]]
                    self._copy(number, series)
                    self.leader[series] = series
                    mine = self._of(series, self.time)
                    mine[:] = mine[own]
                values = self._of(series, value)
                values[:] = values[own]
            at[:] = at[order]

    def packed(self) -> Ints:
        """Give the room back that nothing was written to; return where the times of each series begin then."""
        starts, end = np.zeros(self.leader.size, dtype=np.int64), 0
        known: dict[int, int] = {}
        for number in np.unique(self.leader[self.filled > 0]).tolist():
            own = self._of(number, self.time)
            # metrics that are read one after the other have leaders of their own
            same = known.setdefault(hash(own.tobytes()), end)
            starts[number] = same
            if same == end or not np.array_equal(self.time[same : same + own.size], own):
                self.time[end : end + own.size] = own
                starts[number], end = end, end + own.size
        self.time.resize(end, refcheck=False)
        return starts[self.leader]

    def _of(self, series: int, column: NDArray[Number]) -> NDArray[Number]:
        begin = self._offsets[series]
        return column[begin : begin + self.filled[series]]


def _alike(first: Ints, lengths: Ints, time: Ints) -> Ints:
    """Number the pieces of a column that begin at `first` so that those with equal numbers are equal."""
    hashed = time.view(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    hashed ^= hashed >> np.uint64(29)
    _, head, number = np.unique(np.add.reduceat(hashed, first), return_index=True, return_inverse=True)
    of_head = np.minimum(np.arange(time.size) - np.repeat(first - first[head[number]], lengths), time.size - 1)
    differs = np.logical_or.reduceat(time != time[of_head], first) | (lengths != lengths[head[number]])
    number[differs] = head.size + np.flatnonzero(differs)
    return number


def _sorted_names(names: Sequence[str]) -> tuple[tuple[str, ...], Ints]:
    ordered = tuple(sorted(set(names)))
    rank = {name: position for position, name in enumerate(ordered)}
    return ordered, np.array([rank[name] for name in names], dtype=np.int64)


def _order(series: NDArray[np.int64], time: NDArray[np.int64], n_series: int) -> NDArray[np.int64]:
    """Permutation that sorts by series and time, stable among equals.

    On a grid that is mostly filled a counting sort is exact and ten times as fast as a comparison sort.
    """
    if series.size == 0:
        return np.zeros(0, dtype=np.int64)
    distinct, rank = _ranked(time)
    key = series * distinct + rank
    if not (key[1:] < key[:-1]).any():
        return np.arange(series.size)
    cells = n_series * distinct
    if cells <= max(2 * series.size, 1_000_000) and series.size < 2**31:
        # half as wide, a third of the time
        position = np.full(cells, -1, dtype=np.int32)
        position[key] = np.arange(series.size, dtype=np.int32)
        order = position[position >= 0]
        if order.size == series.size:
            return order.astype(np.int64)
    return np.argsort(key, kind="stable")


def _ranked(time: NDArray[np.int64]) -> tuple[int, NDArray[np.int64]]:
    """Count the distinct times and rank each one among them."""
    if time.size and (time[1:] >= time[:-1]).all():
        rank = np.zeros(time.size, dtype=np.int64)
        np.cumsum(time[1:] > time[:-1], out=rank[1:])
        return int(rank[-1]) + 1, rank
    if time.size <= _FEW:
        known, rank = np.unique(time, return_inverse=True)
        return known.size, rank.astype(np.int64, copy=False)
    import pyarrow as pa

    # from the buffer: `pa.array` would load pandas to ask whether this is a Series
    column = pa.Array.from_buffers(pa.int64(), time.size, [None, pa.py_buffer(np.ascontiguousarray(time))])
    encoded = column.dictionary_encode()
    distinct = np.from_dlpack(encoded.dictionary)
    order = np.empty(distinct.size, dtype=np.int64)
    order[np.argsort(distinct)] = np.arange(distinct.size)
    return distinct.size, order[np.from_dlpack(encoded.indices)]
