"""The one gate through which samples enter a history: what is refused, and how the rest is sorted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from tars_lib.errors import MAX_KEPT, InputError
from tars_lib.files.limits import EARLIEST, LATEST, MAX_MAGNITUDE, MAX_NAME
from tars_lib.model.count_checks import Groups, settle_counts
from tars_lib.model.exporters import align_exporters
from tars_lib.model.history import REQUESTS, History, from_micros, to_micros
from tars_lib.model.metrics import COUNTER, Metric
from tars_lib.model.samples import PART_ROWS, AnySamples, Samples, refuse_many
from tars_lib.model.sorting import Sorter, blocks
from tars_lib.model.units import unit_in_name
from tars_lib.text.times import SECONDS

_SOME = 10
"""Fewest samples that tell a scale, most of them above a half; judgement: in a total outage most are 0."""
_EMPTY = 7
"""Quarters of a decade without a value between two scales; judgement: an outage fills what lies between usual and timeout."""
_LARGEST = (2.0**31 - 1, 2.0**31, 2.0**32 - 1, 2.0**63, 2.0**64)
_NOTHING = (-1.0, -99.0, -999.0, -9999.0)
"""What files write where nothing was measured."""
LONG_LATENCY = 100.0
"""A latency of so many seconds was probably meant in milliseconds; judgement, for a note only."""


def admit(
    samples: AnySamples, metrics: Mapping[str, Metric], groups: Groups = (), *, is_settled: bool = False
) -> History:
    """Check samples and sort them into a history: the gate.

    Rows may come in any order. A missing value is a missing sample. An identical duplicate is dropped and noted. Declared
    counters become increases. What several exporters report of one series is aligned.

    Parameters
    ----------
    samples : Samples or Parted
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
    refuse_many(len(set(samples.repos)), len(set(samples.metrics)))
    sorter = Sorter.of(samples)
    missing = 0

    def look_at(part: Samples, before: int) -> None:
        nonlocal missing
        _refuse_nameless(part, before, samples.where)
        _refuse_huge(part, before, samples.where)
        missing += int(np.isnan(part.value).sum())

    time, value, offsets, starts = sorter.columns(look_at)
    gate = _Gate(
        sorter, History(sorter.repos, sorter.metrics, time, value, offsets, definitions=metrics, starts=starts)
    )
    notes = list(samples.notes)
    history = gate.without_duplicates()
    if dropped := len(gate.history) - len(history):
        notes.append(f"{dropped} identical duplicate samples were dropped")
        gate = _Gate(sorter, history)
    if missing:
        notes.append(f"{missing} rows have no value and count as missing samples")
    gate.refuse_out_of_range()
    if not is_settled:
        gate.refuse_shares_as_scores()
        notes += _odd_latencies(history) + _odd_numbers(history)
        history, of_counts = settle_counts(history, groups, gate.where)
        notes += of_counts
    # increases have no row of their own; the SLA leaves out what it cannot use
    if not {history.metric(name).kind for name in REQUESTS} & {COUNTER}:
        gate.refuse_more_failed()
    if not is_settled:
        # last, as rows are found by their times
        history, of_counts = align_exporters(history, (REQUESTS, *groups))
        notes += of_counts
    return replace(history, notes=tuple(notes))


@dataclass(frozen=True, slots=True)
class _Gate:
    """Refusals of the gate in a sorted history, with the rows that they stand in."""

    sorter: Sorter
    history: History

    def where(self, position: int) -> str:
        """File, row and column of the sample at a position of the history."""
        return self.sorter.samples.where(self._rows([position])[0][0], "value")

    def without_duplicates(self) -> History:
        """The history with one sample a time; two different values of one time are refused."""
        if not (self.history.time[1:] == self.history.time[:-1]).any():
            return self.history
        history, filled = self.history.with_own_times(), 0
        time, value, offsets = history.time, history.value, history.offsets
        sizes = np.diff(offsets)
        for part_of in blocks(offsets):
            bounds = offsets[part_of]
            first, end = int(bounds[0]), int(bounds[-1])
            same, inner = time[first + 1 : end] == time[first : end - 1], bounds[1:-1] - first - 1
            same[inner[(inner >= 0) & (inner < same.size)]] = False
            if same.any():
                same_cell = value[first:end]
                conflict = same & (same_cell[1:] != same_cell[:-1])
                if conflict.any():
                    self._refuse_conflict((first + 1 + np.flatnonzero(conflict)[:MAX_KEPT]).tolist())
                single = first + np.flatnonzero(np.concatenate(([True], ~same)))
                doubled = np.searchsorted(offsets, first + 1 + np.flatnonzero(same), side="right") - 1
                np.subtract.at(sizes, doubled, 1)
            elif filled == first:
                filled = end
                continue
            else:
                single = np.arange(first, end)
            time[filled : filled + single.size], value[filled : filled + single.size] = time[single], value[single]
            filled += single.size
        if filled == time.size:
            return self.history
        shorter = np.concatenate(([0], np.cumsum(sizes)))
        return replace(history, time=time[:filled], value=value[:filled], offsets=shorter, starts=shorter[:-1])

    def _refuse_conflict(self, positions: list[int]) -> None:
        """Refuse the samples at the positions, which differ from the one before them at the same time."""
        where, messages = self.sorter.samples.where, {}
        for at, rows in zip(positions, self._rows(positions), strict=True):
            repo, metric, micros, value = self._sample(at)
            series = self._series(at)
            times = self.history.cut(series)[0]
            rank = at - int(self.history.offsets[series]) - int(np.searchsorted(times, micros))
            messages[rows[rank]] = (
                f"{where(rows[rank], 'value')}: {value:.15g} for {repo}, {metric} at {_iso(micros)}, but "
                f"{where(rows[rank - 1], 'value')} says {self.history.value[at - 1]:.15g}; one value for a service, metric "
                f"and time is allowed{_shown_twice(micros, self.sorter.samples.zone)}"
            )
        raise _refused(list(messages), messages.__getitem__)

    def refuse_more_failed(self) -> None:
        """Failed requests are among the requests, so a sample with more of them is a fault of the measurement."""
        history = self.history
        if not set(REQUESTS) <= set(history.metrics):
            return
        bounds = history.bounds("requests_failed")
        for number, repo in enumerate(history.repos):
            times, totals = history.series("requests_total", repo)
            failed_at, failed = history.series("requests_failed", repo)
            _, in_total, in_failed = np.intersect1d(times, failed_at, assume_unique=True, return_indices=True)
            more = np.flatnonzero(failed[in_failed] > totals[in_total])
            if more.size:
                most = {int(bounds[number] + in_failed[at]): float(totals[in_total[at]]) for at in more[:MAX_KEPT]}
                raise self._refused(list(most), partial(self._more_failed, most))

    def _more_failed(self, most: Mapping[int, float], position: int) -> str:
        repo, _, _, failed = self._sample(position)
        return f"requests_failed of {repo} is {failed:g}; allowed: up to its requests_total at that time, {most[position]:g}"

    def refuse_out_of_range(self) -> None:
        """Refuse values beyond the range of their metric."""
        for name in self.history.metrics:
            metric = self.history.metric(name)
            first, part = int(self.history.bounds(name)[0]), self.history.values_of(name)
            if not part.size:
                continue
            for bound, beyond in ((metric.minimum, np.argmin(part)), (metric.maximum, np.argmax(part))):
                extreme = float(part[beyond])
                if bound is None or (extreme >= bound if bound == metric.minimum else extreme <= bound):
                    continue
                is_beyond = part < bound if bound == metric.minimum else part > bound
                positions = (first + np.flatnonzero(is_beyond)[:MAX_KEPT]).tolist()
                raise self._refused(positions, partial(self._out_of_range, metric), first + int(beyond))

    def _out_of_range(self, metric: Metric, position: int) -> str:
        repo, name, _, value = self._sample(position)
        percent = f". If it is in per cent, org.yaml needs metrics: {{{name}: {{unit: '%'}}}}"
        return (
            f"{name} of {repo} is {value:g}; allowed: {metric.allowed} ({metric.unit or 'no unit'})"
            f"{percent if metric.unit == 'ratio' and metric.maximum == 1 < value <= 100 else ''}"
        )

    def refuse_shares_as_scores(self) -> None:
        """Refuse a health score of 0.93, or an availability of 0.999 %: all within 0 to 1, where 100 is best."""
        for name in self.history.metrics:
            metric = self.history.metric(name)
            if metric.maximum != 100.0 or not metric.higher_is_better:
                continue
            first, part = int(self.history.bounds(name)[0]), self.history.values_of(name)
            if part.size < _SOME or part.max() > 1.0 or np.median(part) <= 0.5 or not (part % 1.0).any():
                continue
            instead = (
                "multiply by 100" if metric.unit == "score" else f"org.yaml needs metrics: {{{name}: {{unit: ratio}}}}"
            )
            raise InputError(
                f"{self.where(first + int(np.argmax(part)))}: {name} reaches {part.max():g} of {metric.allowed} "
                f"({metric.unit}) and never more: if shares from 0 to 1 are meant, {instead}; if not, org.yaml needs its "
                f"maximum (metrics: {{{name}: {{maximum: 1}}}})"
            )

    def _series(self, position: int) -> int:
        return int(np.searchsorted(self.history.offsets, position, side="right")) - 1

    def _sample(self, position: int) -> tuple[str, str, int, float]:
        """Repo, metric, time and value of the sample at a position."""
        metric, repo = self.history.names_of(self._series(position))
        return repo, metric, self._time(position), float(self.history.value[position])

    def _time(self, position: int) -> int:
        series = self._series(position)
        return int(self.history.time[self.history.starts[series] + position - self.history.offsets[series]])

    def _rows(self, positions: Sequence[int]) -> list[list[int]]:
        """Rows of the samples at the positions; more than one where a time stands in several rows."""
        series = np.array([self._series(position) for position in positions], dtype=np.int64)
        return self.sorter.rows(series, np.array([self._time(position) for position in positions], dtype=np.int64))

    def _refused(self, positions: list[int], say: Callable[[int], str], first: int | None = None) -> InputError:
        """Make the refusal of positions: the message is of the first, or of the one given."""
        described = [positions[0] if first is None else first, *positions]
        rows, where = [rows[0] for rows in self._rows(described)], self.sorter.samples.where
        messages = {row: f"{where(row, 'value')}: {say(at)}" for row, at in zip(rows, described, strict=True)}
        return _refused(rows[1:], messages.__getitem__, rows[0])


def _refuse_nameless(part: Samples, before: int, where: Callable[[int, str], str]) -> None:
    for column, codes in (("repo", part.repo), ("metric", part.metric)):
        nameless = codes < 0
        if nameless.any():
            raise InputError(
                f"{where(before + int(np.argmax(nameless)), column)}: empty; every sample needs a {column}"
            )


def _refuse_huge(part: Samples, before: int, where: Callable[[int, str], str]) -> None:
    for column, codes, names in (("repo", part.repo, part.repos), ("metric", part.metric, part.metrics)):
        for position, name in enumerate(names):
            if len(name) > MAX_NAME and (codes == position).any():
                at = where(before + int(np.argmax(codes == position)), column)
                raise InputError(f"{at}: a name of {len(name)} characters; up to {MAX_NAME} are allowed")
    # a comparison with NaN is false, so that a missing value passes
    huge = np.flatnonzero(np.abs(part.value) > MAX_MAGNITUDE)
    if huge.size:

        def too_large(row: int) -> str:
            value = part.value[row - before]
            allowed = "a finite number" if np.isinf(value) else f"-{MAX_MAGNITUDE:g} to {MAX_MAGNITUDE:g}"
            return f"{where(row, 'value')}: {value:g} is not allowed: {allowed} is"

        raise _refused((before + huge[:MAX_KEPT]).tolist(), too_large)
    strange = (part.time < to_micros(EARLIEST)) | (part.time > to_micros(LATEST))
    if strange.any():
        row = int(np.argmax(strange))
        raise InputError(
            f"{where(before + row, 'timestamp')}: {_time_shown(int(part.time[row]))} is not allowed: a time from "
            f"{EARLIEST.year} to the end of {LATEST.year - 1} is"
        )


def _time_shown(micros: int) -> str:
    try:
        return _iso(micros)
    except OverflowError:
        return f"{micros} microseconds since 1970"


def _refused(rows: list[int], say: Callable[[int], str], first: int | None = None) -> InputError:
    """Make the refusal of rows: the message is of the first, or of the one given."""
    ordered = sorted(rows)
    return InputError(say(rows[0] if first is None else first), faults=[say(row) for row in ordered], rows=ordered)


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


def _odd_latencies(history: History) -> list[str]:
    """Latencies that would last minutes though nobody gave a unit, that lasted no time, or that stand on two scales."""
    notes = []
    for name in history.metrics:
        if not name.startswith("latency"):
            continue
        bounds, part = history.bounds(name), history.values_of(name)
        if not part.size:
            continue
        is_plain = name not in history.definitions and not unit_in_name(name)[1]
        # counted first, as the median takes a copy
        are_long = is_plain and 2 * np.count_nonzero(part >= LONG_LATENCY) >= part.size
        if are_long and float(np.median(part)) >= LONG_LATENCY:
            notes.append(
                f"{name} is read in seconds, and its median is {np.median(part):g} s; "
                f"for milliseconds org.yaml needs metrics: {{{name}: {{unit: ms}}}}"
            )
        zeros = np.array([np.count_nonzero(history.value[first:end] == 0) for first, end in pairwise(bounds.tolist())])
        filled = np.flatnonzero(zeros >= _SOME)
        if filled.size:
            repo = int(filled[np.argmax(zeros[filled])])
            more = f" (and of {filled.size - 1} more services)" if filled.size > 1 else ""
            notes.append(
                f"{name} of {history.repos[repo]}{more} is 0 in {zeros[repo]:,} of {bounds[repo + 1] - bounds[repo]:,} "
                "samples: nothing lasts no time, so these look like gaps that were filled; leave the value empty where nothing "
                "was measured"
            )
        notes += _two_scales(name, part, history.metric(name).unit)
    return notes


def _odd_numbers(history: History) -> list[str]:
    """Numbers that stand for no measurement, and percentages that look like shares."""
    notes = []
    for name in history.metrics:
        part = history.values_of(name)
        if part.size < _SOME:
            continue
        below = _among(part, lambda values: values < 0)
        is_one = 0 < below.size < part.size and float(below[0]) in _NOTHING and (below == below[0]).all()
        if is_one and history.metric(name).minimum is None:
            notes.append(
                f"{name} is {below[0]:g} in {below.size:,} of {part.size:,} samples and never negative otherwise: where that "
                "stands for no measurement, leave the value empty; it is read as a number"
            )
        largest = _among(part, lambda values: np.isin(np.abs(values), _LARGEST))
        if 0 < largest.size < part.size:
            notes.append(
                f"{name} is {largest[0]:.0f} in {largest.size:,} of {part.size:,} samples, the largest number that some types "
                "hold: where that stands for no measurement, leave the value empty; it is read as a number"
            )
        metric = history.metric(name)
        if metric.unit == "%" and metric.maximum is None and part.max() <= 1.0 and float(np.median(part)) > 0.5:
            notes.append(
                f"{name} reaches {part.max():g} % and never more: if shares from 0 to 1 are meant, org.yaml needs metrics: "
                f"{{{name}: {{unit: ratio}}}}"
            )
    return notes


def _among(
    values: NDArray[np.float64], is_one: Callable[[NDArray[np.float64]], NDArray[np.bool_]]
) -> NDArray[np.float64]:
    """Those of the values that a rule picks, which sees some at a time."""
    parts = (values[first : first + PART_ROWS] for first in range(0, values.size, PART_ROWS))
    return np.concatenate([values[:0], *(part[is_one(part)] for part in parts)])


def _two_scales(name: str, values: NDArray[np.float64], unit: str) -> list[str]:
    """A note where values lie about a thousandfold apart and none lies between, as seconds beside milliseconds do."""
    bins = np.arange(-12.0, 16.0, 0.25)
    counts = np.zeros(bins.size - 1, dtype=np.int64)
    for first in range(0, values.size, PART_ROWS):
        part = values[first : first + PART_ROWS]
        counts += np.histogram(np.log10(part[part > 0]), bins=bins)[0]
    there = np.flatnonzero(counts)
    gap = int(np.argmax(np.diff(there))) if there.size > 1 else 0
    if there.size < 2 or there[gap + 1] - there[gap] < _EMPTY:
        return []
    edge = 10.0 ** bins[there[gap] + 1]
    both = _among(values, lambda part: (part > 0) & (part < edge)), _among(values, lambda part: part >= edge)
    low, high = (float(np.median(some)) for some in both)
    if min(some.size for some in both) < _SOME or not 500 <= high / low <= 2000:
        return []
    return [
        f"{name} has values about {low:g} and values about {high:g} {unit}, and none between: is a part in another unit? "
        "One unit a metric is read; nothing is converted"
    ]


def _iso(micros: int) -> str:
    return from_micros(micros).strftime(SECONDS)
