"""Threshold SLAs: an aggregate of a metric over the window stays within the objective."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tars_lib.model.clock import intervals
from tars_lib.model.history import DAY, History
from tars_lib.model.slo.policy import Policy
from tars_lib.model.slo.rows import Rows
from tars_lib.model.slo.slices import in_slices
from tars_lib.model.slo.track import Bounds, Half, Observation, Track
from tars_lib.stats.counts import could_be_chance, wilson_interval
from tars_lib.stats.series.intervals import mean_interval, median_interval
from tars_lib.stats.series.joining import join

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

RATE, TOTAL, FAILED = "error_rate", "requests_total", "requests_failed"
"""The rate that is derived from two counts where nobody reports it, and those."""
AGGREGATES = ("mean", "median", "max", "last", "good_share")


@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdPolicy(Policy):
    """The aggregate of a metric is within the objective.

    Attributes
    ----------
    metric : str
        What is measured.
    aggregate : str
        One of `AGGREGATES`. ``max`` is the worst sample: the smallest where higher is better.
    threshold : float or None
        For ``good_share``: a sample is good while it is within this value; the objective is then a share of samples.
    threshold_is_floor : bool
        For ``good_share``: a good sample is at or above the threshold.
    warning : float or None
        Value beyond which the SLA is at risk though it is met (the predecessor's `warning_threshold`).
    """

    metric: str
    aggregate: str = "mean"
    threshold: float | None = None
    threshold_is_floor: bool = False
    warning: float | None = None

    kind: ClassVar[str] = "threshold"

    @property
    def needs(self) -> tuple[str, ...]:
        """Metrics without which the SLA cannot be judged."""
        return (self.metric,)

    @property
    def subject(self) -> str:
        """Metric that a breach is about."""
        return self.metric

    @property
    def higher_sample_is_better(self) -> bool:
        """Return whether more of the metric is better."""
        return self.higher_is_better if self.is_level else self.threshold_is_floor

    @property
    def limit(self) -> float | None:
        """Value that the metric's own samples are held against."""
        return self.objective if self.is_level else self.threshold

    @property
    def is_level(self) -> bool:
        """Return whether the objective is a value of the metric, and no share of samples."""
        return self.aggregate != "good_share"

    @property
    def is_mean(self) -> bool:
        """Return whether the value is a mean over the window."""
        return self.aggregate in ("mean", "good_share")

    def warns_at(self, value: float) -> str | None:
        """Return why a value that meets the objective is at risk all the same."""
        if self.warning is None or not (value < self.warning if self.higher_is_better else value > self.warning):
            return None
        return f"beyond the warning value {self.warning:g}"

    def track(self, history: History, *, at_end: bool = False) -> Track | None:
        """Return the samples of the metric; `error_rate` is derived where only the two counts are reported.

        Returns
        -------
        Track or None
            None where nobody reports it.
        """
        name = self.metric
        rows, value = Rows.of_metric(history, name), history.values_of(name)
        samples = Track(rows, rows.spans(history.interval(name) or DAY), value, None, intervals(history, name))
        if name == RATE and TOTAL in history.metrics:
            samples = replace(samples, empty=_without_traffic(history, samples.column, samples.time))
            if FAILED in history.metrics:
                samples = _with_derived(samples, _derived_rate(history, at_end=at_end))
        if not len(samples.rows) and (samples.half is None or not samples.half.time.size):
            return None
        if self.slices is None:
            return samples
        busy = ~samples.says_nothing
        span, value = samples.span[busy], samples.value[busy]
        rows = Rows.of(samples.column[busy], samples.time[busy], samples.step.size)
        samples = replace(samples, rows=rows, span=span, raw=value, empty=None)
        if self.aggregate == "good_share":
            return in_slices(samples, self.slices, self._is_within(value), np.ones(span.size), self.sla_id)
        return in_slices(samples, self.slices, value * span, span.astype(np.float64), self.sla_id)

    def read(self, track: Track, keep: Bools, n: int) -> Observation:
        """Return the aggregate of the kept samples, for each of `n` repos: means over time, shares over samples."""
        column, values = track.column[keep], track.value[keep]
        count = np.bincount(column, minlength=n)
        there = count > 0
        result, bad = np.full(n, np.nan), np.full(n, np.nan)
        if self.aggregate == "good_share":
            good = np.bincount(column, weights=self._is_good(values), minlength=n)
            result[there] = good[there] / count[there]
            bad = count - good
        elif self.aggregate == "mean":
            weight = track.span[keep] * track.weight[keep]
            weight /= weight.max(initial=0.0) or 1.0
            # summed as distances from the first sample, so that the mean of a constant is that constant
            origin = np.zeros(n)
            origin[column[::-1]] = values[::-1]
            moved = np.bincount(column, weights=weight * (values - origin[column]), minlength=n)
            heavy = np.bincount(column, weights=weight, minlength=n)
            result[there] = origin[there] + moved[there] / heavy[there]
        else:
            bounds = np.concatenate(([0], np.cumsum(count)))
            for position in np.flatnonzero(there):
                result[position] = self._pick(values[bounds[position] : bounds[position + 1]])
        return Observation(result, bad, count.astype(np.float64))

    def share_of_time(self, track: Track, keep: Bools, n: int) -> Floats | None:
        """Return for which share of the time the kept samples are good, for each repo; None where samples are not shared out.

        A share of samples is another one where the repo is sampled more closely at some times.
        """
        if self.aggregate != "good_share":
            return None
        heavy, good = np.zeros(n), np.zeros(n)
        for place, part in track.parts():
            kept = keep[place]
            column, weight = part.column[kept], part.span[kept] * part.weight[kept]
            heavy += np.bincount(column, weights=weight, minlength=n)
            good += np.bincount(column, weights=weight * self._is_good(part.value[kept]), minlength=n)
        with np.errstate(invalid="ignore"):
            return good / heavy

    def _pick(self, values: Floats) -> float:
        if self.aggregate == "median":
            return float(np.median(values))
        if self.aggregate == "last":
            return float(values[-1])
        return float(values.min() if self.higher_is_better else values.max())

    def bounds(
        self,
        track: Track,
        keep: Bools,
        reading: Observation,
        missing: Floats,
        limits: tuple[float | None, float | None],
    ) -> Bounds:
        """Return the aggregate over all values that the metric may have had where it was not seen, for each repo.

        Parameters
        ----------
        track : Track
        keep : ndarray of bool, shape (n,)
        reading : Observation
            Of the kept samples.
        missing : ndarray, shape (N,)
            Share of the window that was not seen.
        limits : tuple of float or None
            Smallest and largest value of the metric.
        """
        floor = -np.inf if limits[0] is None else limits[0]
        roof = np.inf if limits[1] is None else limits[1]
        if self.aggregate == "good_share":
            floor, roof = 0.0, 1.0
        value, gaps = reading.value, missing > 0
        seen = np.isfinite(value)
        low, high = np.where(gaps, floor, value), np.where(gaps, roof, value)
        if self.aggregate in ("mean", "good_share"):
            for side, limit in ((low, floor), (high, roof)):
                if np.isfinite(limit):
                    side[:] = np.where(gaps & seen, (1.0 - missing) * value + missing * limit, side)
        elif self.aggregate == "max":
            # the worst sample that was seen stays the worst, or is surpassed
            worst = high if self.higher_is_better else low
            worst[gaps & seen] = value[gaps & seen]
        elif self.aggregate == "median":
            self._median_bounds(track, keep, missing, low, high)
        return Bounds(np.where(seen, low, floor), np.where(seen, high, roof))

    def _median_bounds(self, track: Track, keep: Bools, missing: Floats, low: Floats, high: Floats) -> None:
        for number in np.flatnonzero((missing > 0) & (missing < 0.5)):
            mine = track.of(int(number))
            ordered = np.sort(track.value[mine][keep[mine]])
            if not ordered.size:
                continue
            # all that is missing lies below the lowest, or above the highest, sample
            share = missing[number]
            ranks = (0.5 - share) / (1.0 - share), 0.5 / (1.0 - share)
            places = [min(max(rank * ordered.size, 0.0), ordered.size - 1.0) for rank in ranks]
            low[number] = ordered[max(int(np.floor(places[0])) - 1, 0)]
            high[number] = ordered[int(np.ceil(places[1]))]

    def interval(
        self, bad: float, events: float, seen: Floats, limits: tuple[float | None, float | None]
    ) -> tuple[float, float] | None:
        """Return the 95 % interval of the value; None where there is none.

        Wilson's for a share of samples; Student's for a mean, with the number of independent samples reduced by Bartlett's
        formula for the lag-1 autocorrelation; order statistics for a median. A maximum and a last value have none.
        """
        if seen.size < self.fewest:
            return None
        if self.aggregate == "good_share":
            return wilson_interval(events - bad, events)
        if self.aggregate == "mean":
            low, high = mean_interval(seen)
            return low if limits[0] is None else max(low, limits[0]), high if limits[1] is None else min(
                high, limits[1]
            )
        return median_interval(seen) if self.aggregate == "median" else None

    def could_be_chance(self, bad: float, events: float, between: tuple[float, float] | None) -> bool:
        """Return whether a service that just meets the objective may have shown such a value."""
        if self.aggregate == "good_share":
            return could_be_chance(bad, events, self.allowed)
        return between is not None and between[0] <= self.objective <= between[1]

    def spent(self, track: Track) -> tuple[Floats, Floats, float] | None:
        """Return what each sample spends of the budget: bad amount and weight, (n,) each, and the share that may be bad.

        None for an SLI that is no mean of shares: a latency has no budget, and a maximum does not add up.
        """
        ones = np.broadcast_to(1.0, track.value.size)
        if self.aggregate == "good_share":
            return 1.0 - self._is_good(track.value), ones, self.allowed
        if not self.is_share or self.aggregate != "mean":
            return None
        bad = self.whole - track.value if self.higher_is_better else track.value
        return bad / self.whole, ones, self.allowed

    def excess(self, track: Track) -> Floats:
        """Return how far each sample is beyond the objective, (n,); for a share of samples a bad one less those allowed."""
        if self.aggregate == "good_share":
            return 1.0 - self._is_good(track.value) - self.allowed
        return self.objective - track.value if self.higher_is_better else track.value - self.objective

    def course(self, track: Track) -> Floats:
        """Return the metric itself, (n,); NaN where it says nothing."""
        return track.value if track.empty is None else np.where(track.empty, np.nan, track.value)

    def _is_good(self, values: Floats) -> Floats:
        """Return 1 for each good sample, or slice, and 0 for each bad one."""
        return values if self.slices is not None else self._is_within(values)

    def _is_within(self, values: Floats) -> Floats:
        if self.threshold is None:
            raise ValueError(f"{self.sla_id}: good_share needs a threshold")
        good = values >= self.threshold if self.threshold_is_floor else values <= self.threshold
        return good.astype(np.float64)


def _with_derived(reported: Track, derived: Track) -> Track:
    """The reported rate, and the derived one of the repos that report none."""
    is_reported, of_derived = reported.rows.counts > 0, derived.column
    other, half = ~is_reported[of_derived], derived.half
    if half is not None:
        half = half.where(~is_reported[half.column])
    empty, idle = (
        np.zeros(len(part.rows), dtype=np.bool_) if part.empty is None else part.empty for part in (reported, derived)
    )
    column = np.concatenate((reported.column, of_derived[other]))
    time = np.concatenate((reported.time, derived.time[other]))
    order = np.lexsort((time, column))
    return Track(
        Rows.of(column[order], time[order], reported.step.size),
        np.concatenate((reported.span, derived.span[other]))[order],
        np.concatenate((reported.value, derived.value[other]))[order],
        None,
        np.where(is_reported, reported.step, derived.step),
        half=half,
        empty=np.concatenate((empty, idle[other]))[order],
    )


def _derived_rate(history: History, *, at_end: bool) -> Track:
    """The failures of each sample over its requests; where one of the two counts is absent, it is half reported."""
    names = (TOTAL, FAILED)
    total, failed = (history.samples(name) for name in names)
    rows = join(total, failed, history.interval(TOTAL) or DAY, at_end=at_end)
    whole = (rows.open_total == 0) & (rows.open_part == 0)
    half = ~whole & ~(rows.total <= 0)
    busy = rows.total[whole] > 0
    value = np.zeros(busy.size)
    value[busy] = (
        np.minimum(rows.part[whole], rows.total[whole])[busy] / rows.total[whole][busy] * history.failure_scale
    )
    none = np.zeros(int(half.sum()))
    return Track(
        Rows.of(rows.column[whole], rows.time[whole], len(history.repos)),
        rows.span[whole],
        value,
        None,
        intervals(history, TOTAL),
        half=Half(
            rows.column[half], rows.time[half], rows.span[half], np.ones(none.size), none, none, none, none, none,
            short_is_bad=False, in_question=rows.span[half].astype(np.float64),
            lacks=np.where(rows.open_total[half] > 0, 0, 1), names=names,
        ),
        empty=~busy,
    )  # fmt: skip


def _without_traffic(history: History, column: NDArray[np.int32], time: Ints) -> NDArray[np.bool_]:
    """Return whether a repo says at the time of a sample that no request came."""
    of, at, total = history.samples(TOTAL)
    idle = total <= 0
    of, at = of[idle], at[idle]
    moments = np.unique(at)
    if not moments.size:
        return np.zeros(time.size, dtype=np.bool_)
    nearest = np.minimum(np.searchsorted(moments, time), moments.size - 1)
    keys = of * np.int64(moments.size) + np.searchsorted(moments, at)
    wanted = column * np.int64(moments.size) + nearest
    return np.asarray(np.isin(wanted, keys) & (moments[nearest] == time), dtype=np.bool_)
