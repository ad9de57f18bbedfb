"""The history of all metrics in columns; samples enter it through `gate.admit`.

A history is held as sorted columns (series by series, each in time order), not as a frame: 9 million samples take
150 MB, a series is a slice, and a matrix of one metric is built when an engine asks for it. Missing samples are absent;
nothing is filled in. Times are microseconds since 1970-01-01 UTC.
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
from tars_lib.model.sorting import blocks

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
    time : ndarray of int64, shape (n,)
        Microseconds since the epoch, ascending within a series.
    value : ndarray of float64, shape (n,)
        Finite, in the metric's unit.
    offsets : ndarray of int64, shape (len(metrics) * len(repos) + 1,)
        Series of metric m and repo r is the slice ``offsets[k]:offsets[k + 1]``, k = m * len(repos) + r.
    notes : tuple of str
        What the gate accepted but a reader should know (identical duplicates dropped, empty values).
    definitions : mapping of str to Metric
        Of the user's own, over the known ones.
    """

    repos: tuple[str, ...]
    metrics: tuple[str, ...]
    time: NDArray[np.int64]
    value: NDArray[np.float64]
    offsets: NDArray[np.int64]
    notes: tuple[str, ...] = ()
    definitions: Mapping[str, Metric] = field(default_factory=dict)

    def __len__(self) -> int:
        return int(self.time.size)

    def metric(self, name: str) -> Metric:
        """Definition of a metric: the user's own, else the known one."""
        return self.definitions.get(name) or known_metric(name)

    @property
    def start(self) -> int | None:
        """Time of the first sample, None where there is none."""
        filled = np.flatnonzero(np.diff(self.offsets))
        return int(self.time[self.offsets[filled]].min()) if filled.size else None

    @property
    def end(self) -> int | None:
        """Time of the last sample, None where there is none."""
        ends = self.last_times()[1]
        return int(ends.max()) if ends.size else None

    def last_times(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Series (m * len(repos) + r) that have samples, and the time of the last sample of each."""
        filled = np.flatnonzero(np.diff(self.offsets))
        return filled, self.time[self.offsets[filled + 1] - 1]

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
        ends = self.bounds(name)[1:][self.counts(name) > 0]
        return bool(ends.size) and int(self.time[ends - 1].max()) > first

    @property
    def failure_scale(self) -> float:
        """Return the factor of an `error_rate` derived from the two counts: 100 where it is declared in per cent."""
        return percent_of(self.metric("error_rate").unit) or 1.0

    def counts(self, metric: str) -> NDArray[np.int64]:
        """Samples of a metric for each repo, shape (N,); zeros for a metric that nobody reports."""
        return np.diff(self.bounds(metric))

    def bounds(self, metric: str) -> NDArray[np.int64]:
        """Return where the samples of a metric begin, repo by repo, and the end of the last, shape (N + 1,).

        Those of a repo are ``time[bounds[i] : bounds[i + 1]]``; zeros for a metric that nobody reports.
        """
        n = len(self.repos)
        if metric not in self.metrics:
            return np.zeros(n + 1, dtype=np.int64)
        first = self.metrics.index(metric) * n
        return self.offsets[first : first + n + 1]

    def series(self, metric: str, repo: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Times and values of one series, views of the columns; empty where nothing was reported."""
        position = bisect_left(self.repos, repo)
        if position == len(self.repos) or self.repos[position] != repo:
            # those of `over` may stand in any order
            position = self.repos.index(repo) if repo in self.repos else -1
        if metric not in self.metrics or position < 0:
            return self.time[:0], self.value[:0]
        return self.cut(self.metrics.index(metric) * len(self.repos) + position)

    def cut(self, series: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Times and values of series m * len(repos) + r, views of the columns."""
        span = slice(int(self.offsets[series]), int(self.offsets[series + 1]))
        return self.time[span], self.value[span]

    def samples(self, metric: str) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """Position of the repo, time and value of all samples of a metric, ascending; empty where nobody reports it."""
        bounds = self.bounds(metric)
        repo = np.repeat(np.arange(len(self.repos), dtype=np.int64), np.diff(bounds))
        return repo, self.time[int(bounds[0]) : int(bounds[-1])], self.values_of(metric)

    def values_of(self, metric: str) -> NDArray[np.float64]:
        """All values of a metric, a view; which repo each is of say its `bounds`."""
        bounds = self.bounds(metric)
        return self.value[int(bounds[0]) : int(bounds[-1])]

    def interval(self, metric: str) -> int | None:
        """Sampling interval of a metric: median distance of neighbouring samples, in microseconds.

        None with fewer than two samples in every series. For a derived `error_rate` that of `requests_total`.
        """
        name = "requests_total" if metric == "error_rate" and metric not in self.metrics else metric
        if name not in self.metrics:
            return None
        bounds = self.bounds(name)
        start, stop = int(bounds[0]), int(bounds[-1])
        stop = min(stop, start + _INTERVAL_SAMPLE)
        steps = np.diff(self.time[start:stop])
        inside = np.ones(steps.size, dtype=bool)
        edges = bounds[1:-1] - start - 1
        inside[edges[(edges >= 0) & (edges < steps.size)]] = False
        steps = steps[inside]
        return int(np.median(steps)) if steps.size else None

    def until(self, as_of: int) -> History:
        """The history as it was known at `as_of` (inclusive)."""
        known = self.time <= as_of
        return self if known.all() else self.where(known)

    def where(self, chosen: NDArray[np.bool_]) -> History:
        """The history of the chosen samples alone, (n,)."""
        before = np.concatenate(([0], np.cumsum(chosen)))
        return replace(self, time=self.time[chosen], value=self.value[chosen], offsets=before[self.offsets])

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
        if chosen == list(range(len(self.repos))):
            return replace(self, repos=repos, offsets=offsets)
        starts = self.offsets[:-1].reshape(counts.shape)
        first = np.zeros_like(wide)
        first[:, filled] = starts[:, chosen]
        rows = np.arange(int(offsets[-1])) + np.repeat(first.ravel() - offsets[:-1], wide.ravel())
        return replace(self, repos=repos, time=self.time[rows], value=self.value[rows], offsets=offsets)

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
        if not self.has(metric) or self.start is None or self.end is None:
            return None
        step = self._step(interval or self.interval(metric) or DAY)
        rows = (self.end - self.start + step // 2) // step + 1
        shown = range(max(rows - last, 0) if last is not None else 0, int(rows))
        times = self.start + step * np.arange(shown.start, rows, dtype=np.int64)
        values = self._matrix(metric, step, shown, repos) if metric in self.metrics else None
        if metric == "error_rate" and set(REQUESTS) <= set(self.metrics):
            total, failed = (self._matrix(name, step, shown, repos) for name in REQUESTS)
            with np.errstate(invalid="ignore", divide="ignore"):
                derived = np.where(total > 0, np.minimum(failed, total) / total * self.failure_scale, np.nan)
            values = derived if values is None else np.where(self.counts(metric)[repos] > 0, values, derived)
        assert values is not None  # noqa: S101 - has() said so
        return Grid(times, values, step)

    def _step(self, interval: int) -> int:
        assert self.start is not None  # noqa: S101 - callers checked
        assert self.end is not None  # noqa: S101 - callers checked
        limit = max(_MAX_CELLS, 4 * len(self))
        span = self.end - self.start
        while (span // interval + 1) * len(self.repos) > limit:
            interval *= 2
        return interval

    def _matrix(self, metric: str, step: int, shown: range, repos: slice) -> NDArray[np.float64]:
        start = self.start
        assert start is not None  # noqa: S101 - callers checked
        first, end, _ = repos.indices(len(self.repos))
        bounds, rows = self.bounds(metric)[first : end + 1], len(shown)
        values = np.full((rows, end - first), np.nan)
        # some repos at a time: a matrix is much smaller than the places of all samples in it
        for part in blocks(bounds):
            inner = bounds[part]
            time, value = (column[int(inner[0]) : int(inner[-1])] for column in (self.time, self.value))
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

        repo, metric = (codes.astype(np.int64) for codes in self.codes())
        return pd.DataFrame(
            {
                "timestamp": pd.DatetimeIndex(self.time.view("datetime64[us]"), tz="UTC"),
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

    def codes(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Position of each sample's repo and metric in `repos` and `metrics`."""
        n = len(self.repos)
        series = np.repeat(np.arange(n * len(self.metrics)), np.diff(self.offsets))
        return (series % n).astype(np.int32), (series // n).astype(np.int32)


def intervals(history: History, metric: str) -> NDArray[np.int64]:
    """Sampling interval of each repo for a metric.

    Returns
    -------
    ndarray of int64, shape (N,)
        Microseconds: the median distance of a repo's samples, or the metric's own with fewer than three of them.
    """
    common = history.interval(metric) or DAY
    steps = np.full(len(history.repos), common, dtype=np.int64)
    if metric not in history.metrics:
        return steps
    bounds = history.bounds(metric)
    for position in np.flatnonzero(np.diff(bounds) >= 3):
        times = history.time[bounds[position] : bounds[position + 1]]
        if times[-1] - times[0] != common * (times.size - 1):
            steps[position] = int(np.median(np.diff(times)))
    return steps
