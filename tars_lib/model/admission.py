"""The one gate through which samples enter a history: what is refused, and how the rest is sorted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from tars_lib.errors import MAX_KEPT, InputError
from tars_lib.files.limits import EARLIEST, LATEST, MAX_MAGNITUDE, MAX_METRICS, MAX_NAME, MAX_REPOS, MAX_SERIES
from tars_lib.model.count_checks import REQUESTS, Groups, settle_counts
from tars_lib.model.history import History, from_micros, to_micros
from tars_lib.model.metrics import COUNTER, Metric, known_metric
from tars_lib.model.samples import Samples
from tars_lib.model.units import unit_in_name

# Up to here sorting the times takes less than loading Arrow's functions, which hash them: 8 ms for 100,000.
_FEW = 100_000
_SOME = 10
"""Fewest samples that tell a scale, most of them above a half; judgement: in a total outage most are 0."""
_EMPTY = 7
"""Quarters of a decade without a value between two scales; judgement: an outage fills what lies between usual and timeout."""
LONG_LATENCY = 100.0
"""A latency of so many seconds was probably meant in milliseconds; judgement, for a note only."""


def admit(samples: Samples, metrics: Mapping[str, Metric], groups: Groups = (), *, is_settled: bool = False) -> History:
    """Check samples and sort them into a history: the gate.

    Rows may come in any order. A missing value is a missing sample. An identical duplicate is dropped and noted. Declared
    counters become increases.

    Parameters
    ----------
    samples : Samples
        As read, from any number of files.
    metrics : mapping of str to Metric
        Definitions that take precedence over the known metrics.
    groups : sequence of tuple of str, optional
        Metrics that SLAs count against each other.
    is_settled : bool
        Whether the samples passed this gate before: counters are increases already.

    Returns
    -------
    History

    Raises
    ------
    InputError
        For a row without repo or metric, a name, value or time beyond the limits, a value outside the metric's range, two
        different values of one series at one time, more failed requests than there were, or a running total that nobody
        declared; the message names file, row, column, value and what is allowed. For more repos or metrics than the
        limits allow.
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
    history = History(repos, names, time, value, offsets, definitions=metrics)
    if not is_settled:
        _refuse_shares_as_scores(samples, source, history)
        notes += _odd_latencies(history)
        history, said = settle_counts(
            history, groups, lambda position: samples.where(int(source[position]), "value") if source.size else ""
        )
        notes += said
    history = replace(history, notes=tuple(notes))
    # increases have no row of their own; the SLA leaves out what it cannot use
    if not {history.metric(name).kind for name in REQUESTS} & {COUNTER}:
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

        def too_large(row: int) -> str:
            allowed = "a finite number" if np.isinf(samples.value[row]) else f"-{MAX_MAGNITUDE:g} to {MAX_MAGNITUDE:g}"
            return f"{samples.where(row, 'value')}: {samples.value[row]:g} is not allowed: {allowed} is"

        raise _refused(np.flatnonzero(huge), too_large)
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
    distinct, rank = _ranked(time)
    key = series * distinct + rank
    cells = n_series * distinct
    if cells <= max(2 * series.size, 1_000_000):
        position = np.full(cells, -1, dtype=np.int64)
        position[key] = np.arange(series.size)
        order = position[position >= 0]
        if order.size == series.size:
            return order
    return np.argsort(key, kind="stable")


def _ranked(time: NDArray[np.int64]) -> tuple[int, NDArray[np.int64]]:
    """How many times there are, and each one's rank among them."""
    if time.size <= _FEW:
        known, rank = np.unique(time, return_inverse=True)
        return known.size, rank.astype(np.int64, copy=False)
    import pyarrow as pa

    # from the buffer: `pa.array` would load pandas to ask whether this is a Series
    given = pa.Array.from_buffers(pa.int64(), time.size, [None, pa.py_buffer(np.ascontiguousarray(time))])
    encoded = given.dictionary_encode()
    distinct = np.from_dlpack(encoded.dictionary)
    order = np.empty(distinct.size, dtype=np.int64)
    order[np.argsort(distinct)] = np.arange(distinct.size)
    return distinct.size, order[np.from_dlpack(encoded.indices)]


def _refuse_conflict(
    samples: Samples, source: NDArray[np.int64], value: NDArray[np.float64], same: NDArray[np.bool_]
) -> None:
    conflict = same & (value[1:] != value[:-1])
    if not conflict.any():
        return
    before = {int(source[at + 1]): int(at) for at in np.flatnonzero(conflict)[:MAX_KEPT]}

    def two_values(second: int) -> str:
        at = before[second]
        return (
            f"{samples.where(second, 'value')}: {value[at + 1]:g} for {samples.repos[samples.repo[second]]}, "
            f"{samples.metrics[samples.metric[second]]} at {_iso(int(samples.time[second]))}, but "
            f"{samples.where(int(source[at]), 'value')} says {value[at]:g}; one value a repo, metric and time is allowed"
            f"{_shown_twice(int(samples.time[second]), samples.zone)}"
        )

    raise _refused(np.array(list(before)), two_values)


def _refused(rows: NDArray[np.int64], say: Callable[[int], str], first: int | None = None) -> InputError:
    """Make the refusal of rows: the message is of the first, or of the one given."""
    kept = np.sort(rows[:MAX_KEPT]).tolist()
    return InputError(say(int(rows[0]) if first is None else first), faults=[say(row) for row in kept], rows=kept)


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
            offset = int(history.offsets[first + position])
            most = {
                int(source[offset + int(in_failed[at])]): float(totals[in_total][at])
                for at in np.flatnonzero(more)[:MAX_KEPT]
            }
            raise _refused(np.array(list(most)), partial(_more_failed, samples, repo, most))


def _more_failed(samples: Samples, repo: str, most: Mapping[int, float], row: int) -> str:
    return (
        f"{samples.where(row, 'value')}: requests_failed of {repo} is {samples.value[row]:g}; "
        f"allowed: up to its requests_total at that time, {most[row]:g}"
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
            is_beyond = part < bound if bound == metric.minimum else part > bound
            rows = source[first + np.flatnonzero(is_beyond)]
            raise _refused(rows, partial(_out_of_range, samples, metric), int(source[first + int(beyond)]))


def _out_of_range(samples: Samples, metric: Metric, row: int) -> str:
    name, found = samples.metrics[samples.metric[row]], float(samples.value[row])
    percent = f". If it is in per cent, org.yaml needs metrics: {{{name}: {{unit: '%'}}}}"
    return (
        f"{samples.where(row, 'value')}: {name} of {samples.repos[samples.repo[row]]} is {found:g}; "
        f"allowed: {metric.allowed} ({metric.unit or 'no unit'})"
        f"{percent if metric.unit == 'ratio' and metric.maximum == 1 < found <= 100 else ''}"
    )


def _refuse_shares_as_scores(samples: Samples, source: NDArray[np.int64], history: History) -> None:
    """A health score of 0.93, or an availability of 0.999 %: everything within 0 to 1, where 100 is best."""
    n = len(history.repos)
    for position, name in enumerate(history.metrics):
        metric = history.metric(name)
        if metric.maximum != 100.0 or not metric.higher_is_better:
            continue
        first, last = int(history.offsets[position * n]), int(history.offsets[(position + 1) * n])
        part = history.value[first:last]
        if part.size < _SOME or part.max() > 1.0 or np.median(part) <= 0.5 or not (part % 1.0).any():
            continue
        row = int(source[first + int(np.argmax(part))])
        instead = (
            "multiply by 100" if metric.unit == "score" else f"org.yaml needs metrics: {{{name}: {{unit: ratio}}}}"
        )
        raise InputError(
            f"{samples.where(row, 'value')}: {name} reaches {part.max():g} of {metric.allowed} ({metric.unit}) and never "
            f"more: if shares from 0 to 1 are meant, {instead}; if not, org.yaml needs its maximum "
            f"(metrics: {{{name}: {{maximum: 1}}}})"
        )


def _odd_latencies(history: History) -> list[str]:
    """Latencies that would last minutes though nobody gave a unit, that lasted no time, or that stand on two scales."""
    said = []
    for name in history.metrics:
        if not name.startswith("latency"):
            continue
        first, n = history.metrics.index(name), len(history.repos)
        bounds = history.offsets[first * n : (first + 1) * n + 1]
        part = history.value[int(bounds[0]) : int(bounds[-1])]
        if not part.size:
            continue
        is_plain = name not in history.definitions and not unit_in_name(name)[1]
        if is_plain and float(np.median(part)) >= LONG_LATENCY:
            said.append(
                f"{name} is read in seconds, and its median is {np.median(part):g} s; "
                f"for milliseconds org.yaml needs metrics: {{{name}: {{unit: ms}}}}"
            )
        zeros = np.diff(np.concatenate(([0], np.cumsum(part == 0)))[bounds - bounds[0]])
        filled = np.flatnonzero((zeros >= _SOME) & (zeros < np.diff(bounds)))
        if filled.size:
            repo = int(filled[np.argmax(zeros[filled])])
            more = f" (and of {filled.size - 1} more services)" if filled.size > 1 else ""
            said.append(
                f"{name} of {history.repos[repo]}{more} is 0 in {zeros[repo]:,} of {bounds[repo + 1] - bounds[repo]:,} "
                "samples: nothing lasts no time, so these look like gaps that were filled; leave the value empty where nothing "
                "was measured"
            )
        said += _two_scales(name, part[part > 0], history.metric(name).unit)
    return said


def _two_scales(name: str, value: NDArray[np.float64], unit: str) -> list[str]:
    """A note where values lie about a thousandfold apart and none lies between, as seconds beside milliseconds do."""
    if value.size < 2 * _SOME:
        return []
    counts, edges = np.histogram(np.log10(value), bins=np.arange(-12.0, 16.0, 0.25))
    there = np.flatnonzero(counts)
    gap = int(np.argmax(np.diff(there))) if there.size > 1 else 0
    if there.size < 2 or there[gap + 1] - there[gap] < _EMPTY:
        return []
    is_low = np.log10(value) < edges[there[gap] + 1]
    low, high = float(np.median(value[is_low])), float(np.median(value[~is_low]))
    if min(int(is_low.sum()), int((~is_low).sum())) < _SOME or not 500 <= high / low <= 2000:
        return []
    return [
        f"{name} has values about {low:g} and values about {high:g} {unit}, and none between: is a part in another unit? "
        "One unit a metric is read; nothing is converted"
    ]


def _iso(micros: int) -> str:
    return from_micros(micros).strftime("%Y-%m-%dT%H:%M:%SZ")
