"""The history of all metrics in columns; samples enter it through `gate.admit`.

A history is held as sorted columns (series by series, each in time order), not as a frame: a series is a slice, and a matrix
of one metric is built when an engine asks for it. Series sampled at the same times hold them once, so that a sample takes 8
bytes rather than 16. Missing samples are absent; nothing is filled in. Times are microseconds since 1970-01-01 UTC.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tars_lib.errors import InputError
from tars_lib.model.metrics import Metric, known_metric, percent_of
from tars_lib.model.sorting import blocks, slices

if TYPE_CHECKING:
    import pandas as pd

SECOND = 1_000_000
DAY = 86_400 * SECOND
REQUESTS = ("requests_total", "requests_failed")
"""Counts from which `error_rate` is derived where nobody reports it."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# A matrix may hold this many cells, or four for each sample, whichever is more; beyond it the interval is widened.
_MAX_CELLS = 20_000_000
# Differences looked at to find a metric's sampling interval; a median needs no more.
_INTERVAL_SAMPLE = 200_000


def to_micros(time: datetime) -> int:
    """Microseconds since the epoch of an aware datetime.

    Examples
    --------
    >>> to_micros(datetime(1970, 1, 2, tzinfo=UTC)) == DAY
    True
    """
    return (time - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """Aware UTC datetime of microseconds since the epoch."""
    return _EPOCH + timedelta(microseconds=int(micros))


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """One metric as a matrix on an even grid of times.

    Attributes
    ----------
    times : ndarray of int64, shape (T,)
        Microseconds since the epoch, evenly spaced by `interval`.
    values : ndarray of float64, shape (T, N)
        One column a repo in the history's order; NaN where nothing was reported.
    interval : int
        Microseconds between rows.
    """

    times: NDArray[np.int64]
    values: NDArray[np.float64]
    interval: int


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """Sorted columns of all samples.

    Attributes
    ----------
    repos, metrics : tuple of str
        Sorted names.
    time : ndarray of int64, shape (m,)
        Microseconds since the epoch, ascending within a series.
    value : ndarray of float64, shape (n,)
        Finite, in the metric's unit.
    offsets : ndarray of int64, shape (len(metrics) * len(repos) + 1,)
        Values of metric m and repo r are the slice ``offsets[k]:offsets[k + 1]``, k = m * len(repos) + r.
    notes : tuple of str
        What the gate accepted but a reader should know (identical duplicates dropped, empty values).
    definitions : mapping of str to Metric
        Of the user's own, over the known ones.
    starts : ndarray of int64, optional, shape (len(metrics) * len(repos),)
        Where the times of each series begin in `time`; default where its values do. Several may begin at one place.
    """

    repos: tuple[str, ...]
    metrics: tuple[str, ...]
    time: NDArray[np.int64]
    value: NDArray[np.float64]
    offsets: NDArray[np.int64]
    notes: tuple[str, ...] = ()
    definitions: Mapping[str, Metric] = field(default_factory=dict)
    starts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def __post_init__(self) -> None:
        if self.starts.size != self.offsets.size - 1:
            object.__setattr__(self, "starts", self.offsets[:-1])

    def __len__(self) -> int:
        return int(self.value.size)

    def metric(self, name: str) -> Metric:
        """Definition of a metric: the user's own, else the known one."""
        return self.definitions.get(name) or known_metric(name)

    @property
    def start(self) -> int | None:
        """Time of the first sample, None where there is none."""
        filled = np.flatnonzero(np.diff(self.offsets))
        return int(self.time[self.starts[filled]].min()) if filled.size else None

    @property
    def end(self) -> int | None:
        """Time of the last sample, None where there is none."""
        ends = self.latest()[1]
        return int(ends.max()) if ends.size else None

    def latest(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Series (m * len(repos) + r) that have samples, and the time of the last sample of each."""
        filled = np.flatnonzero(np.diff(self.offsets))
        return filled, self.last_times(filled)

    def names_of(self, series: int) -> tuple[str, str]:
        """Metric and repo of a series, m * len(repos) + r."""
        metric, repo = divmod(int(series), len(self.repos))
        return self.metrics[metric], self.repos[repo]

    def has(self, metric: str) -> bool:
        """Return whether anybody reported the metric, or `error_rate` can be derived from the two counts."""
        return metric in self.metrics or (metric == "error_rate" and set(REQUESTS) <= set(self.metrics))

    def has_since(self, metric: str, first: int) -> bool:
        """Whether anybody reported the metric after a time, `error_rate` as in `has`."""
        name = "requests_total" if metric not in self.metrics and self.has(metric) else metric
        filled = np.flatnonzero(self.counts(name))
        return bool(filled.size) and int(self.last_times(self.first_series(name) + filled).max()) > first

    @property
    def failure_scale(self) -> float:
        """Return the factor of an `error_rate` derived from the two counts: 100 where it is declared in per cent."""
        return percent_of(self.metric("error_rate").unit) or 1.0

    def counts(self, metric: str) -> NDArray[np.int64]:
        """Samples of a metric for each repo, shape (N,); zeros for a metric that nobody reports."""
        return np.diff(self.bounds(metric))

    def bounds(self, metric: str) -> NDArray[np.int64]:
        """Return where the samples of a metric begin, repo by repo, and the end of the last, shape (N + 1,).

        Those of a repo are ``value[bounds[i] : bounds[i + 1]]``; zeros for a metric that nobody reports.
        """
        n = len(self.repos)
        if metric not in self.metrics:
            return np.zeros(n + 1, dtype=np.int64)
        first = self.first_series(metric)
        return self.offsets[first : first + n + 1]

    def first_series(self, metric: str) -> int:
        """Position of the series of a metric's first repo."""
        return self.metrics.index(metric) * len(self.repos)

    def times(self, first: int, end: int) -> NDArray[np.int64]:
        """Times of the samples of the series from `first` up to `end`, one after the other; a view where they lie so."""
        starts, sizes = self.starts[first:end], np.diff(self.offsets[first : end + 1])
        starts, sizes = starts[sizes > 0], sizes[sizes > 0]
        if not starts.size:
            return self.time[:0]
        if (starts[1:] == starts[:-1] + sizes[:-1]).all():
            return self.time[int(starts[0]) : int(starts[-1]) + int(sizes[-1])]
        return slices(self.time, starts, sizes)

    def last_times(self, series: NDArray[np.int64], back: int = 0) -> NDArray[np.int64]:
        """Time of the last sample of each series, or of one so many samples before it; all have as many."""
        place: NDArray[np.int64] = self.starts[series] + self.offsets[series + 1] - self.offsets[series] - 1 - back
        return self.time[place]

    def with_own_times(self) -> History:
        """The history with a time for each value, at the same place."""
        return replace(self, time=self.times(0, self.starts.size), starts=self.offsets[:-1])

    def series(self, metric: str, repo: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Times and values of one series, views of the columns; empty where nothing was reported."""
        position = bisect_left(self.repos, repo)
        if position == len(self.repos) or self.repos[position] != repo:
            # those of `over` may stand in any order
            position = self.repos.index(repo) if repo in self.repos else -1
        if metric not in self.metrics or position < 0:
            return self.time[:0], self.value[:0]
        return self.cut(self.first_series(metric) + position)

    def cut(self, series: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Times and values of series m * len(repos) + r, views of the columns."""
        first, end, start = self.offsets[series], self.offsets[series + 1], self.starts[series]
        return self.time[start : start + end - first], self.value[first:end]

    def samples(
        self, metric: str, begin: int = 0, end: int | None = None
    ) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.float64]]:
        """Position of the repo, time and value of all samples of a metric, ascending; empty where nobody reports it.

        `begin` and `end` are the positions between which repos are meant; by default all.
        """
        last = len(self.repos) if end is None else end
        if metric not in self.metrics:
            return np.zeros(0, dtype=np.int32), self.time[:0], self.value[:0]
        first, bounds = self.first_series(metric), self.bounds(metric)[begin : last + 1]
        column = np.repeat(np.arange(begin, last, dtype=np.int32), np.diff(bounds))
        return column, self.times(first + begin, first + last), self.value[int(bounds[0]) : int(bounds[-1])]

    def values_of(self, metric: str) -> NDArray[np.float64]:
        """All values of a metric, a view; which repo each is of say its `bounds`."""
        bounds = self.bounds(metric)
        return self.value[int(bounds[0]) : int(bounds[-1])]

    def have_same_times(self, one: str, other: str) -> bool:
        """Whether two metrics are known to be sampled at the same times in each repo."""
        if not {one, other} <= set(self.metrics) or not np.array_equal(self.counts(one), self.counts(other)):
            return False
        filled = np.flatnonzero(self.counts(one))
        places, of_other = (self.starts[self.first_series(name) + filled] for name in (one, other))
        return np.array_equal(places, of_other)

    def interval(self, metric: str) -> int | None:
        """Sampling interval of a metric: median distance of neighbouring samples, in microseconds.

        None with fewer than two samples in every series. For a derived `error_rate` that of `requests_total`.
        """
        name = "requests_total" if metric == "error_rate" and metric not in self.metrics else metric
        if name not in self.metrics:
            return None
        bounds, first = self.bounds(name), self.first_series(name)
        start = int(bounds[0])
        needed = int(np.searchsorted(bounds, start + _INTERVAL_SAMPLE))
        steps = np.diff(self.times(first, min(first + needed, first + len(self.repos)))[:_INTERVAL_SAMPLE])
        inside = np.ones(steps.size, dtype=bool)
        edges = bounds[1:-1] - start - 1
        inside[edges[(edges >= 0) & (edges < steps.size)]] = False
        steps = steps[inside]
        return int(np.median(steps)) if steps.size else None

    def until(self, as_of: int) -> History:
        """The history as it was known at `as_of` (inclusive)."""
        sizes = np.diff(self.offsets)
        filled = np.flatnonzero(sizes)
        late = filled[self.last_times(filled) > as_of]
        if not late.size:
            return self
        for series in late.tolist():
            sizes[series] = np.searchsorted(self.times(series, series + 1), as_of, side="right")
        offsets = np.concatenate(([0], np.cumsum(sizes)))
        return replace(self, value=slices(self.value, self.offsets[:-1], sizes), offsets=offsets)

    def where(self, keep: NDArray[np.bool_]) -> History:
        """The history of some samples, shape (n,); series keep their times together where they lose only their ends."""
        sizes, starts, own = np.diff(self.offsets), self.starts.copy(), [self.time]
        end = self.time.size
        for series in np.flatnonzero(sizes).tolist():
            mine = keep[self.offsets[series] : self.offsets[series + 1]]
            sizes[series], first = np.count_nonzero(mine), int(np.argmax(mine))
            starts[series] += first
            if not mine[first : first + sizes[series]].all():
                own.append(self.times(series, series + 1)[mine])
                starts[series], end = end, end + own[-1].size
        time = np.concatenate(own) if len(own) > 1 else self.time
        offsets = np.concatenate(([0], np.cumsum(sizes)))
        return replace(self, time=time, value=self.value[keep], offsets=offsets, starts=starts)

    def over(self, repos: tuple[str, ...]) -> History:
        """The history of exactly these repos, in this order; a repo without samples has empty series."""
        if repos == self.repos:
            return self
        position = {name: index for index, name in enumerate(self.repos)}
        counts = np.diff(self.offsets).reshape(len(self.metrics), len(self.repos))
        chosen = [position[name] for name in repos if name in position]
        filled = [index for index, name in enumerate(repos) if name in position]
        wide = np.zeros((len(self.metrics), len(repos)), dtype=np.int64)
        wide[:, filled] = counts[:, chosen]
        offsets = np.concatenate(([0], np.cumsum(wide.ravel()))).astype(np.int64)
        starts, first = np.zeros_like(wide), np.zeros_like(wide)
        starts[:, filled] = self.starts.reshape(counts.shape)[:, chosen]
        first[:, filled] = self.offsets[:-1].reshape(counts.shape)[:, chosen]
        is_all = chosen == list(range(len(self.repos)))
        value = self.value if is_all else slices(self.value, first.ravel(), wide.ravel())
        return replace(self, repos=repos, value=value, offsets=offsets, starts=starts.ravel())

    def grid(
        self, metric: str, interval: int | None = None, *, last: int | None = None, repos: slice = slice(None)
    ) -> Grid | None:
        """Matrix of a metric on an even grid that all metrics share.

        The grid begins at the history's first sample; a sample belongs to the nearest grid time. Where several fall
        together, counts add up and everything else is averaged.

        Parameters
        ----------
        metric : str
            A metric of the history, or `error_rate` where the two counts exist: it is derived for repos that do not
            report it, as failed / total in the unit that is declared, NaN where the total is 0.
        interval : int, optional
            Microseconds; default the metric's own.
        last : int, optional
            Only so many rows at the end; default all.
        repos : slice, optional
            Only these columns; default all.

        Returns
        -------
        Grid or None
            None where nobody reports the metric.
        """
        start, end = self.start, self.end
        if not self.has(metric) or start is None or end is None:
            return None
        step, limit = interval or self.interval(metric) or DAY, max(_MAX_CELLS, 4 * len(self))
        while ((end - start) // step + 1) * len(self.repos) > limit:
            step *= 2
        rows = (end - start + step // 2) // step + 1
        shown = range(max(rows - last, 0) if last is not None else 0, int(rows))
        times = start + step * np.arange(shown.start, rows, dtype=np.int64)
        values = self._matrix(metric, (start, step), shown, repos) if metric in self.metrics else None
        if metric == "error_rate" and set(REQUESTS) <= set(self.metrics):
            total, failed = (self._matrix(name, (start, step), shown, repos) for name in REQUESTS)
            with np.errstate(invalid="ignore", divide="ignore"):
                derived = np.where(total > 0, np.minimum(failed, total) / total * self.failure_scale, np.nan)
            values = derived if values is None else np.where(self.counts(metric)[repos] > 0, values, derived)
        assert values is not None  # noqa: S101 - has() said so
        return Grid(times, values, step)

    def _matrix(self, metric: str, scale: tuple[int, int], shown: range, repos: slice) -> NDArray[np.float64]:
        start, step = scale
        first, end, _ = repos.indices(len(self.repos))
        bounds, rows, series = self.bounds(metric)[first : end + 1], len(shown), self.first_series(metric) + first
        values = np.full((rows, end - first), np.nan)
        # some repos at a time: a matrix is much smaller than the places of all samples in it
        for part in blocks(bounds):
            inner = bounds[part]
            time, value = self.times(series + part.start, series + part.stop - 1), self.value[inner[0] : inner[-1]]
            row = (time - start + step // 2) // step - shown.start
            column = np.repeat(np.arange(inner.size - 1), np.diff(inner))
            if shown.start:
                late = row >= 0
                row, column, value = row[late], column[late], value[late]
            width = inner.size - 1
            cell = column * rows + row
            here = np.full(width * rows, np.nan)
            here[cell] = value
            if (cell[1:] == cell[:-1]).any():
                total = np.bincount(cell, weights=value, minlength=here.size)
                count = np.bincount(cell, minlength=here.size)
                filled = count > 0
                here[filled] = total[filled] if self.metric(metric).is_count else total[filled] / count[filled]
            values[:, part.start : part.stop - 1] = here.reshape(width, rows).T
        return values

    def frame(self, metric: str, interval: int | None = None) -> pd.DataFrame:
        """One metric as a DataFrame: UTC index, one column a repo, NaN where missing.

        Raises
        ------
        InputError
            If nobody reports the metric; the message lists those that are reported.
        """
        import pandas as pd

        grid = self.grid(metric, interval)
        if grid is None:
            raise InputError(f"metric {metric!r} is not reported; reported: {', '.join(self.metrics) or 'none'}")
        index = pd.DatetimeIndex(grid.times.view("datetime64[us]"), tz="UTC", name="timestamp")
        return pd.DataFrame(grid.values, index=index, columns=list(self.repos))

    def tidy(self) -> pd.DataFrame:
        """All samples: columns ``timestamp`` (UTC), ``repo``, ``metric`` (categorical), ``value``."""
        import pandas as pd

        metric, repo = np.divmod(self.series_at(0, len(self)), max(len(self.repos), 1))
        return pd.DataFrame(
            {
                "timestamp": pd.DatetimeIndex(self.times(0, self.starts.size).view("datetime64[us]"), tz="UTC"),
                "repo": pd.Categorical.from_codes(repo, pd.Index(self.repos)),
                "metric": pd.Categorical.from_codes(metric, pd.Index(self.metrics)),
                "value": self.value,
            }
        )

    def series_at(self, first: int, end: int) -> NDArray[np.int64]:
        """Series, m * len(repos) + r, of the samples at the positions from `first` up to `end`."""
        begin = int(np.searchsorted(self.offsets, first, side="right")) - 1
        last = int(np.searchsorted(self.offsets, end))
        bounds = np.clip(self.offsets[begin : last + 1], first, end)
        return np.repeat(np.arange(begin, begin + bounds.size - 1), np.diff(bounds))
