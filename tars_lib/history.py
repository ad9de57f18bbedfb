"""The history of all metrics in columns, and the one gate through which samples enter it.

A history is held as sorted columns (series by series, each in time order), not as a frame: 9 million samples take
150 MB, a series is a slice, and a matrix of one metric is built when an engine asks for it. Missing samples are absent;
nothing is filled in. Times are microseconds since 1970-01-01 UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from tars_lib.errors import InputError, place
from tars_lib.limits import EARLIEST, LATEST, MAX_MAGNITUDE, MAX_METRICS, MAX_NAME, MAX_REPOS, MAX_SERIES
from tars_lib.schema import Metric, known_metric

if TYPE_CHECKING:
    import pandas as pd

SECOND = 1_000_000
DAY = 86_400 * SECOND
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


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a run of samples came from: `count` rows of `path`, the first of which is its row `first_row`; 0: `path` says all.

    `line_of` gives the line of a row that is counted from 0, where blank lines or line ends inside quotes set the two apart.
    """

    path: str
    count: int
    first_row: int = 2
    line_of: Callable[[int], int] | None = None

    def where(self, row: int, column: str) -> str:
        """File, row and column of the sample at position `row`, counted from 0."""
        if not self.first_row:
            return self.path
        line = self.first_row + row if self.line_of is None else self.line_of(row)
        return place(self.path, row=line, column=column)


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Samples as a source reads them, before the gate.

    Attributes
    ----------
    repo, metric : ndarray of int32, shape (n,)
        Positions in `repos` and `metrics`; negative where the file had none.
    time : ndarray of int64, shape (n,)
        Microseconds since the epoch, UTC.
    value : ndarray of float64, shape (n,)
        NaN where the file had none.
    notes : tuple of str
        What was read in a particular way.
    zone : ZoneInfo or None
        That was assumed for times that name none.
    """

    repos: tuple[str, ...]
    metrics: tuple[str, ...]
    repo: NDArray[np.int32]
    metric: NDArray[np.int32]
    time: NDArray[np.int64]
    value: NDArray[np.float64]
    origins: tuple[Origin, ...]
    notes: tuple[str, ...] = ()
    zone: ZoneInfo | None = None

    def where(self, row: int, column: str) -> str:
        """File, row and column of the sample at position `row`."""
        for origin in self.origins:
            if row < origin.count:
                return origin.where(row, column)
            row -= origin.count
        raise IndexError(row)


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
    """

    repos: tuple[str, ...]
    metrics: tuple[str, ...]
    time: NDArray[np.int64]
    value: NDArray[np.float64]
    offsets: NDArray[np.int64]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return int(self.time.size)

    @property
    def start(self) -> int | None:
        """Time of the first sample, None where there is none."""
        return int(self.time.min()) if self.time.size else None

    @property
    def end(self) -> int | None:
        """Time of the last sample, None where there is none."""
        return int(self.time.max()) if self.time.size else None

    def has(self, metric: str) -> bool:
        """Whether anybody reported the metric, or `error_rate` can be derived from the two counts."""
        if metric in self.metrics:
            return True
        return metric == "error_rate" and {"requests_total", "requests_failed"} <= set(self.metrics)

    def counts(self, metric: str) -> NDArray[np.int64]:
        """Samples of a metric for each repo, shape (N,); zeros for a metric that nobody reports."""
        n = len(self.repos)
        if metric not in self.metrics:
            return np.zeros(n, dtype=np.int64)
        first = self.metrics.index(metric) * n
        return np.diff(self.offsets[first : first + n + 1])

    def series(self, metric: str, repo: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Times and values of one series, views of the columns; empty where nothing was reported."""
        if metric not in self.metrics or repo not in self.repos:
            return self.time[:0], self.value[:0]
        k = self.metrics.index(metric) * len(self.repos) + self.repos.index(repo)
        span = slice(int(self.offsets[k]), int(self.offsets[k + 1]))
        return self.time[span], self.value[span]

    def interval(self, metric: str) -> int | None:
        """Sampling interval of a metric: median distance of neighbouring samples, in microseconds.

        None with fewer than two samples in every series. For a derived `error_rate` that of `requests_total`.
        """
        name = "requests_total" if metric == "error_rate" and metric not in self.metrics else metric
        if name not in self.metrics:
            return None
        n = len(self.repos)
        first = self.metrics.index(name) * n
        bounds = self.offsets[first : first + n + 1]
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
        keep = self.time <= as_of
        if keep.all():
            return self
        kept = np.concatenate(([0], np.cumsum(keep)))
        return replace(self, time=self.time[keep], value=self.value[keep], offsets=kept[self.offsets])

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

    def grid(self, metric: str, interval: int | None = None) -> Grid | None:
        """Matrix of a metric on an even grid that all metrics share.

        The grid begins at the history's first sample; a sample belongs to the nearest grid time. Where several fall
        together, request counts add up and everything else is averaged.

        Parameters
        ----------
        metric : str
            A metric of the history, or `error_rate` where the two counts exist: it is derived for repos that do not
            report it, as failed / total, NaN where the total is 0.
        interval : int, optional
            Microseconds; default the metric's own.

        Returns
        -------
        Grid or None
            None where nobody reports the metric.
        """
        if not self.has(metric) or self.start is None or self.end is None:
            return None
        step = self._step(interval or self.interval(metric) or DAY)
        rows = (self.end - self.start + step // 2) // step + 1
        times = self.start + step * np.arange(rows, dtype=np.int64)
        values = self._matrix(metric, step, int(rows)) if metric in self.metrics else None
        if metric == "error_rate" and {"requests_total", "requests_failed"} <= set(self.metrics):
            total = self._matrix("requests_total", step, int(rows))
            failed = self._matrix("requests_failed", step, int(rows))
            with np.errstate(invalid="ignore", divide="ignore"):
                derived = np.where(total > 0, np.minimum(failed, total) / total, np.nan)
            values = derived if values is None else np.where(self.counts(metric) > 0, values, derived)
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

    def _matrix(self, metric: str, step: int, rows: int) -> NDArray[np.float64]:
        n = len(self.repos)
        first = self.metrics.index(metric) * n
        bounds = self.offsets[first : first + n + 1]
        span = slice(int(bounds[0]), int(bounds[-1]))
        column = np.repeat(np.arange(n, dtype=np.int64), np.diff(bounds))
        assert self.start is not None  # noqa: S101 - callers checked
        row = (self.time[span] - self.start + step // 2) // step
        cell = row * n + column
        values = np.full(rows * n, np.nan)
        values[cell] = self.value[span]
        crowded = cell[1:] == cell[:-1]
        if crowded.any():
            total = np.bincount(cell, weights=self.value[span], minlength=rows * n)
            count = np.bincount(cell, minlength=rows * n)
            filled = count > 0
            values[filled] = total[filled] if known_metric(metric).is_count else total[filled] / count[filled]
        return values.reshape(rows, n)

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

    def codes(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Position of each sample's repo and metric in `repos` and `metrics`."""
        n = len(self.repos)
        series = np.repeat(np.arange(n * len(self.metrics)), np.diff(self.offsets))
        return (series % n).astype(np.int32), (series // n).astype(np.int32)


def admit(samples: Samples, metrics: Mapping[str, Metric]) -> History:
    """Check samples and sort them into a history: the gate.

    Rows may come in any order. A missing value is a missing sample. An identical duplicate is dropped and noted.

    Parameters
    ----------
    samples : Samples
        As read, from any number of files.
    metrics : mapping of str to Metric
        Definitions that take precedence over the known metrics.

    Returns
    -------
    History

    Raises
    ------
    InputError
        For a row without repo or metric, a name, value or time beyond the limits, a value outside the metric's range, two
        different values of one series at one time, or more failed requests than there were; the message names file, row,
        column, value and what is allowed. For more repos or metrics than the limits allow.
    """
    _refuse_nameless(samples)
    _refuse_huge(samples)
    repos, repo_rank = _sorted_names(samples.repos)
    names, metric_rank = _sorted_names(samples.metrics)
    _refuse_many(repos, names)
    missing = np.isnan(samples.value)
    kept = np.flatnonzero(~missing) if missing.any() else None
    repo, metric, time, value = samples.repo, samples.metric, samples.time, samples.value
    if kept is not None:
        repo, metric, time, value = repo[kept], metric[kept], time[kept], value[kept]
    series = metric_rank[metric] * len(repos) + repo_rank[repo]
    order = _order(series, time, len(repos) * len(names))
    series, time, value = series[order], time[order], value[order]

    source = order if kept is None else kept[order]
    same = (series[1:] == series[:-1]) & (time[1:] == time[:-1])
    notes = list(samples.notes)
    if same.any():
        _refuse_conflict(samples, source, value, same)
        single = np.concatenate(([True], ~same))
        series, time, value, source = series[single], time[single], value[single], source[single]
        notes.append(f"{int(same.sum())} identical duplicate samples were dropped")
    if kept is not None:
        notes.append(f"{int(missing.sum())} rows have no value and count as missing samples")
    counts = np.bincount(series, minlength=len(repos) * len(names))
    offsets = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
    _refuse_out_of_range(samples, source, value, offsets, names, metrics)
    history = History(repos, names, time, value, offsets, tuple(notes))
    _refuse_more_failed(samples, source, history)
    return history


def _refuse_nameless(samples: Samples) -> None:
    for column, codes in (("repo", samples.repo), ("metric", samples.metric)):
        nameless = codes < 0
        if nameless.any():
            where = samples.where(int(np.argmax(nameless)), column)
            raise InputError(f"{where}: empty; every sample needs a {column}")


def _refuse_huge(samples: Samples) -> None:
    for column, codes, names in (("repo", samples.repo, samples.repos), ("metric", samples.metric, samples.metrics)):
        for position, name in enumerate(names):
            if len(name) > MAX_NAME and (codes == position).any():
                where = samples.where(int(np.argmax(codes == position)), column)
                raise InputError(f"{where}: a name of {len(name)} characters; up to {MAX_NAME} are allowed")
    # a comparison with NaN is false, so that a missing value passes
    huge = np.abs(samples.value) > MAX_MAGNITUDE
    if huge.any():
        row = int(np.argmax(huge))
        allowed = "a finite number" if np.isinf(samples.value[row]) else f"-{MAX_MAGNITUDE:g} to {MAX_MAGNITUDE:g}"
        raise InputError(f"{samples.where(row, 'value')}: {samples.value[row]:g} is not allowed: {allowed} is")
    strange = (samples.time < to_micros(EARLIEST)) | (samples.time > to_micros(LATEST))
    if strange.any():
        row = int(np.argmax(strange))
        raise InputError(
            f"{samples.where(row, 'timestamp')}: {_time_shown(int(samples.time[row]))} is not allowed: a time from "
            f"{EARLIEST.year} to the end of {LATEST.year - 1} is"
        )


def _time_shown(micros: int) -> str:
    try:
        return _iso(micros)
    except OverflowError:
        return f"{micros} microseconds since 1970"


def _refuse_many(repos: tuple[str, ...], metrics: tuple[str, ...]) -> None:
    for count, most, what in (
        (len(repos), MAX_REPOS, "repos"),
        (len(metrics), MAX_METRICS, "metrics"),
        (len(repos) * len(metrics), MAX_SERIES, "series (repos times metrics)"),
    ):
        if count > most:
            raise InputError(f"history: {count} {what}; up to {most} are allowed")


def _sorted_names(names: Sequence[str]) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    ordered = tuple(sorted(set(names)))
    rank = {name: position for position, name in enumerate(ordered)}
    return ordered, np.array([rank[name] for name in names], dtype=np.int64)


def _order(series: NDArray[np.int64], time: NDArray[np.int64], n_series: int) -> NDArray[np.int64]:
    """Permutation that sorts by series and time, stable among equals.

    On a grid that is mostly filled a counting sort is exact and ten times as fast as a comparison sort.
    """
    if series.size == 0:
        return np.zeros(0, dtype=np.int64)
    import pyarrow as pa

    # from the buffer: `pa.array` would load pandas to ask whether this is a Series
    given = pa.Array.from_buffers(pa.int64(), time.size, [None, pa.py_buffer(np.ascontiguousarray(time))])
    encoded = given.dictionary_encode()
    distinct = np.from_dlpack(encoded.dictionary)
    rank = np.empty(distinct.size, dtype=np.int64)
    rank[np.argsort(distinct)] = np.arange(distinct.size)
    key = series * distinct.size + rank[np.from_dlpack(encoded.indices)]
    cells = n_series * distinct.size
    if cells <= max(2 * series.size, 1_000_000):
        position = np.full(cells, -1, dtype=np.int64)
        position[key] = np.arange(series.size)
        order = position[position >= 0]
        if order.size == series.size:
            return order
    return np.argsort(key, kind="stable")


def _refuse_conflict(
    samples: Samples, source: NDArray[np.int64], value: NDArray[np.float64], same: NDArray[np.bool_]
) -> None:
    conflict = same & (value[1:] != value[:-1])
    if conflict.any():
        at = int(np.argmax(conflict))
        first, second = int(source[at]), int(source[at + 1])
        raise InputError(
            f"{samples.where(second, 'value')}: {value[at + 1]:g} for {samples.repos[samples.repo[second]]}, "
            f"{samples.metrics[samples.metric[second]]} at {_iso(int(samples.time[second]))}, but "
            f"{samples.where(first, 'value')} says {value[at]:g}; one value a repo, metric and time is allowed"
            f"{_shown_twice(int(samples.time[second]), samples.zone)}"
        )


def _shown_twice(micros: int, zone: ZoneInfo | None) -> str:
    """The reason for a conflict where the clocks went back and one local time stands for two instants."""
    if zone is None:
        return ""
    local = from_micros(micros).astimezone(zone)
    if local.utcoffset() == local.replace(fold=1 - local.fold).utcoffset():
        return ""
    return (
        f". {zone.key} had {local:%Y-%m-%d %H:%M} twice, because its clocks went back: add offsets to the times of that "
        f"hour, such as {local.replace(fold=0).isoformat(timespec='minutes')} for its first pass"
    )


def _refuse_more_failed(samples: Samples, source: NDArray[np.int64], history: History) -> None:
    """Failed requests are among the requests, so a sample with more of them is a fault of the measurement."""
    if not {"requests_total", "requests_failed"} <= set(history.metrics):
        return
    first = history.metrics.index("requests_failed") * len(history.repos)
    for position, repo in enumerate(history.repos):
        times, totals = history.series("requests_total", repo)
        failed_at, failed = history.series("requests_failed", repo)
        _, in_total, in_failed = np.intersect1d(times, failed_at, assume_unique=True, return_indices=True)
        more = failed[in_failed] > totals[in_total]
        if more.any():
            at = int(np.argmax(more))
            row = int(source[int(history.offsets[first + position]) + int(in_failed[at])])
            raise InputError(
                f"{samples.where(row, 'value')}: requests_failed of {repo} is {failed[in_failed][at]:g}; "
                f"allowed: up to its requests_total at that time, {totals[in_total][at]:g}"
            )


def _refuse_out_of_range(
    samples: Samples,
    source: NDArray[np.int64],
    value: NDArray[np.float64],
    offsets: NDArray[np.int64],
    names: tuple[str, ...],
    metrics: Mapping[str, Metric],
) -> None:
    n = (offsets.size - 1) // max(len(names), 1)
    for position, name in enumerate(names):
        metric = metrics.get(name) or known_metric(name)
        first, last = int(offsets[position * n]), int(offsets[(position + 1) * n])
        part = value[first:last]
        if not part.size:
            continue
        for bound, beyond in ((metric.minimum, np.argmin(part)), (metric.maximum, np.argmax(part))):
            found = float(part[beyond])
            if bound is None or (found >= bound if bound == metric.minimum else found <= bound):
                continue
            row = int(source[first + int(beyond)])
            if metric.minimum is None:
                allowed = f"up to {metric.maximum:g}"
            elif metric.maximum is None:
                allowed = f"{metric.minimum:g} or more"
            else:
                allowed = f"{metric.minimum:g} to {metric.maximum:g}"
            raise InputError(
                f"{samples.where(row, 'value')}: {name} of {samples.repos[samples.repo[row]]} is {found:g}; "
                f"allowed: {allowed} ({metric.unit or 'no unit'})"
            )


def _iso(micros: int) -> str:
    return from_micros(micros).strftime("%Y-%m-%dT%H:%M:%SZ")
