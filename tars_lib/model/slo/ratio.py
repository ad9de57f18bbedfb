"""Ratio SLAs: good events out of all events, from counts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tars_lib.model.clock import intervals
from tars_lib.model.history import DAY, History
from tars_lib.model.slo.policy import Policy
from tars_lib.model.slo.rows import Rows, repo_blocks
from tars_lib.model.slo.slices import in_slices
from tars_lib.model.slo.track import Half, Observation, Track, Traffic
from tars_lib.stats.counts import could_be_chance, wilson_interval
from tars_lib.stats.series.joining import Joined, join
from tars_lib.stats.series.spans import BLOCK, series_blocks

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Totals = tuple[NDArray[np.int32], Ints, Ints, Floats]
"""Column, time, span and total of each sample."""

_NIGHTS_SEEN = 3
"""Days of known traffic from which on the least of it bounds what was not seen; judgement: two nights, whatever is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RatioPolicy(Policy):
    """At least `objective` of all events are good.

    Attributes
    ----------
    total : str
        Metric that counts all events.
    part : str
        Metric that counts the bad events, or the good ones where `part_is_good`.
    part_is_good : bool
    missing_is_zero : bool
        For exporters that omit empty series: an absent part is 0 while the repo reports the total.
    """

    total: str
    part: str
    part_is_good: bool = False
    missing_is_zero: bool = False

    kind: ClassVar[str] = "ratio"
    counted: ClassVar[str] = "events"
    fewest: ClassVar[int] = 10
    adds_up: ClassVar[bool] = True

    @property
    def needs(self) -> tuple[str, ...]:
        """Metrics without which the SLA cannot be judged."""
        return (self.total, self.part)

    @property
    def same_samples(self) -> tuple[object, ...] | None:
        """Return a key equal for policies that judge the same samples; None where slices depend on more."""
        if self.slices is not None:
            return None
        return self.total, self.part, self.part_is_good, self.missing_is_zero

    @property
    def counts(self) -> tuple[str, ...]:
        """The total and its part."""
        return (self.total, self.part)

    @property
    def counts_good(self) -> bool:
        """Return whether the part is that of the good events."""
        return self.part_is_good

    @property
    def subject(self) -> str:
        """Metric that a breach is about."""
        return self.part

    @property
    def is_share(self) -> bool:
        """Always: what may be bad is a budget of events."""
        return True

    @property
    def is_mean(self) -> bool:
        """Return whether the value is a mean over the window."""
        return True

    def beyond(self, value: float) -> float:
        """Bad share over the allowed bad share, less one; infinite where nothing is allowed."""
        if self.allowed > 0:
            return (1.0 - value) / self.allowed - 1.0
        return math.inf if value < 1.0 else 0.0

    def track(self, history: History, *, at_end: bool = False) -> Track | None:
        """Return the samples at which a repo reported both counts, and what is half reported.

        Parameters
        ----------
        history : History
        at_end : bool
            Whether a sample stands for the time before its stamp.

        Returns
        -------
        Track or None
            None where nobody reports one of the counts.
        """
        samples = self._at_the_same_times(history, at_end=at_end) or self._joined(history, at_end=at_end)
        if samples is None or self.slices is None or samples.total is None:
            return samples
        return in_slices(samples, self.slices, samples.total - samples.value, samples.total, self.sla_id)

    def _at_the_same_times(self, history: History, *, at_end: bool) -> Track | None:
        """Return the samples without a copy where each time has both counts and no part exceeds its total; else None."""
        total, part = history.values_of(self.total), history.values_of(self.part)
        blocks = range(0, total.size, BLOCK)
        if not (
            total.size
            and history.have_same_times(self.total, self.part)
            and all((part[first : first + BLOCK] <= total[first : first + BLOCK]).all() for first in blocks)
        ):
            return None
        rows = Rows.of_metric(history, self.total)
        span = rows.spans(history.interval(self.total) or DAY, at_end=at_end)
        samples = self._samples(rows, (total, part), span, intervals(history, self.total))
        seen = ((mine.column, mine.time, mine.span, total[place]) for place, mine in samples.parts())
        return replace(samples, traffic=_traffic(seen, Traffic.unknown(len(history.repos))))

    def _samples(self, rows: Rows, counts: tuple[Floats, Floats], span: Ints, step: Ints) -> Track:
        total, part = counts
        return Track(
            rows=rows,
            span=span,
            raw=total - part if self.part_is_good else part,
            raw_total=total,
            step=step,
        )

    def _joined(self, history: History, *, at_end: bool) -> Track | None:
        """Return the samples at which both counts are known, and what is half reported."""
        counts = [history.counts(name) for name in (self.total, self.part)]
        seen = [int(count.sum()) for count in counts]
        if not seen[0] or not (seen[1] or self.missing_is_zero):
            return None
        common, n = history.interval(self.total) or DAY, len(history.repos)
        kept = _Kept(seen[0] if self.missing_is_zero else min(seen), n)
        for first, end in repo_blocks(np.concatenate(([0], np.cumsum(counts[0] + counts[1])))):
            total, part = (history.samples(name, first, end) for name in (self.total, self.part))
            if not total[1].size + part[1].size:
                continue
            rows = join(total, part, common, at_end=at_end, absent_is_zero=self.missing_is_zero)
            counted, open_part = rows.part, rows.open_part
            if self.missing_is_zero:
                counted, open_part = np.where(np.isnan(counted), 0.0, counted), np.zeros(counted.size)
            whole = (rows.open_total == 0) & (open_part == 0)
            possible = whole & (counted <= rows.total)
            traffic = _traffic(_known(rows), kept.traffic)
            kept.add(rows, counted, possible, self._half(rows, counted, open_part, traffic, ~possible))
            kept.impossible += int((whole & ~possible).sum())
        step, summed = intervals(history, self.total), np.concatenate(kept.summed)
        step[summed] = np.maximum(step, intervals(history, self.part))[summed]
        notes, noted = self._notes(kept)
        return replace(
            self._samples(kept.rows, kept.counts, kept.span, step),
            half=Half.together(kept.halves),
            traffic=kept.traffic,
            impossible=kept.impossible,
            notes=notes,
            noted=noted,
        )

    def _half(self, rows: Joined, counted: Floats, open_part: Floats, traffic: Traffic, chosen: Bools) -> Half:
        """Bad and all events in the worst and the best completion of what is half reported."""
        column, span = rows.column[chosen], rows.span[chosen].astype(np.float64)
        open_total, missing = rows.open_total[chosen], open_part[chosen]
        is_impossible = (open_total == 0) & (missing == 0)
        part = np.where(is_impossible, 0.0, np.nan_to_num(counted[chosen]))
        missing = np.where(is_impossible, 1.0, missing)
        known = np.nan_to_num(rows.total[chosen])
        with np.errstate(invalid="ignore"):
            more = np.where(open_total > 0, open_total * span * traffic.most[column], 0.0)
        fewest = np.maximum(known, part)
        most = np.maximum(known + more, part)
        unknown = np.minimum(missing * known, np.maximum(known - part, 0.0))
        lacks_total = open_total > 0
        if self.part_is_good:
            worst = np.where(lacks_total, most - part, known - part), np.where(lacks_total, most, known)
            best = np.where(lacks_total, fewest - part, known - part - unknown), np.where(lacks_total, fewest, known)
        else:
            worst = np.where(lacks_total, part, part + unknown), np.where(lacks_total, fewest, known)
            best = part, np.where(lacks_total, most, known)
        return Half(
            column=column,
            time=rows.time[chosen],
            span=rows.span[chosen],
            weight=np.ones(column.size),
            worst_bad=worst[0],
            worst_total=worst[1],
            best_bad=best[0],
            best_total=best[1],
            shortfall=np.where(lacks_total, known + open_total * span * traffic.least[column] - fewest, 0.0),
            short_is_bad=self.part_is_good,
            in_question=np.where(lacks_total, most, unknown),
            lacks=np.where(is_impossible, -1, np.where(lacks_total, 0, 1)),
            names=self.needs,
        )

    def _notes(self, kept: _Kept) -> tuple[tuple[str, ...], tuple[Ints, ...]]:
        """Say how samples of the two counts were brought together."""
        notes, noted = [], []
        shifted, summed = np.concatenate(kept.shifted), np.concatenate(kept.summed)
        if shifted.size:
            notes.append(
                f"{self.total} and {self.part} of {{}} are stamped up to {kept.apart / 1e6:g} s apart and are joined"
            )
            noted.append(shifted)
        if summed.size:
            notes.append(
                f"{self.total} and {self.part} of {{}} are sampled at different intervals: the finer is summed over each "
                "interval of the coarser"
            )
            noted.append(summed)
        return tuple(notes), tuple(noted)

    def read(self, track: Track, keep: Bools, n: int) -> Observation:
        """Return the share of good events over the kept samples, for each of `n` repos."""
        if track.total is None:
            raise ValueError(f"{self.sla_id}: a ratio needs totals")
        column = track.column[keep]
        bad, events = (
            np.bincount(column, weights=counts[keep], minlength=n).astype(np.float64)
            for counts in (track.value, track.total)
        )
        with np.errstate(invalid="ignore", divide="ignore"):
            # good / all, not 1 - bad / all: exact where the objective is met with no event to spare
            return Observation(np.where(events > 0, (events - bad) / events, np.nan), bad, events)

    def bounds(
        self,
        track: Track,
        keep: Bools,
        reading: Observation,
        missing: Floats,
        limits: tuple[float | None, float | None],
    ) -> None:
        """Return nothing: events add up, so each scope is bounded by the sums of its events."""

    def interval(
        self, bad: float, events: float, seen: Floats, limits: tuple[float | None, float | None]
    ) -> tuple[float, float] | None:
        """Return Wilson's 95 % interval of the value; None without an event."""
        del seen, limits
        return wilson_interval(events - bad, events) if events > 0 else None

    def could_be_chance(self, bad: float, events: float, between: tuple[float, float] | None) -> bool:
        """Return whether a service that just meets the objective may have shown so many bad events."""
        del between
        return could_be_chance(bad, events, self.allowed)

    def spent(self, track: Track) -> tuple[Floats, Floats, float] | None:
        """Return what each sample spends of the budget: bad events and events, (n,) each, and the share that may be bad."""
        if track.total is None:
            raise ValueError(f"{self.sla_id}: a ratio needs totals")
        return track.value, track.total, self.allowed

    def excess(self, track: Track) -> Floats:
        """Return the bad events of each sample less those that the objective allows, (n,)."""
        if track.total is None:
            raise ValueError(f"{self.sla_id}: a ratio needs totals")
        return track.value - self.allowed * track.total

    def course(self, track: Track) -> Floats:
        """Return the share of bad events of each sample, (n,); NaN without an event."""
        if track.total is None:
            raise ValueError(f"{self.sla_id}: a ratio needs totals")
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(track.total > 0, track.value / track.total, np.nan)


class _Kept:
    """Samples of two counts that are kept, repos after repos, so that little else is held on the way.

    Parameters
    ----------
    most : int
        Samples at most.
    n : int
        Repos.
    """

    def __init__(self, most: int, n: int) -> None:
        self.traffic = Traffic.unknown(n)
        self.halves: list[Half] = []
        self.shifted: list[Ints] = []
        self.summed: list[Ints] = []
        self.apart = self.impossible = 0
        self._size, self._of_repo, self._spans = 0, np.zeros(n, dtype=np.int64), list[Ints]()
        # room takes no memory before something is written to it
        self._time, self._total, self._part = np.empty(most, dtype=np.int64), np.empty(most), np.empty(most)

    def add(self, rows: Joined, part: Floats, chosen: Bools, half: Half) -> None:
        """Add the chosen rows of some repos, and what is half reported of them."""
        column, place = rows.column[chosen], slice(self._size, self._size + int(chosen.sum()))
        self._time[place], self._total[place], self._part[place] = rows.time[chosen], rows.total[chosen], part[chosen]
        self._of_repo += np.bincount(column, minlength=self._of_repo.size)
        self._size, span = place.stop, rows.span[chosen]
        self._spans.append(np.broadcast_to(span[0], span.size) if span.size and (span == span[0]).all() else span)
        self.halves.append(half)
        self.shifted.append(rows.shifted)
        self.summed.append(rows.summed)
        self.apart = max(self.apart, rows.apart)

    @property
    def rows(self) -> Rows:
        """Repo and time of each."""
        bounds = np.concatenate(([0], np.cumsum(self._of_repo)))
        return Rows(bounds, self._time[: self._size], bounds[:-1])

    @property
    def counts(self) -> tuple[Floats, Floats]:
        """Total and part of each."""
        return self._total[: self._size], self._part[: self._size]

    @property
    def span(self) -> Ints:
        """For how long each stands, held once where that is the same for all."""
        filled = [span for span in self._spans if span.size]
        if filled and all(span.strides == (0,) and span[0] == filled[0][0] for span in filled):
            return np.broadcast_to(filled[0][0], self._size)
        return np.concatenate(self._spans)


def _known(rows: Joined) -> Iterator[Totals]:
    """Return the times at which the total is whole."""
    for block in series_blocks(rows.column):
        known = rows.open_total[block] == 0
        yield rows.column[block][known], rows.time[block][known], rows.span[block][known], rows.total[block][known]


def _traffic(parts: Iterable[Totals], usual: Traffic) -> Traffic:
    """Fill in usual events of each repo in a unit of time, from totals, of whole series at a time; return what was filled."""
    for part in parts:
        lasts = part[2] > 0
        if lasts.any():
            _add_traffic(usual, *(part if lasts.all() else (values[lasts] for values in part)))
    return usual


def _add_traffic(usual: Traffic, column: NDArray[np.int32], time: Ints, span: Ints, total: Floats) -> None:
    """Fill in the usual events of the repos whose samples these are."""
    rate = total / span
    first = np.flatnonzero(np.concatenate(([True], column[1:] != column[:-1])))
    there = column[first]
    # nights that were not seen may be quieter than all that was
    has_nights = np.add.reduceat(span, first) >= _NIGHTS_SEEN * DAY
    usual.least[there] = np.where(has_nights, np.minimum.reduceat(rate, first), 0.0)
    usual.most[there] = np.maximum.reduceat(rate, first)
    day = time // DAY
    starts = np.flatnonzero(np.concatenate(([True], (column[1:] != column[:-1]) | (day[1:] != day[:-1]))))
    covered = np.add.reduceat(span, starts)
    rates = np.add.reduceat(total, starts) / covered
    of_day = column[starts]
    # a day of which little is known says nothing of days; where there is no other, the mean of all that is known does
    busy = np.where(covered >= DAY / 2, rates, 0.0)
    first_day = np.flatnonzero(np.concatenate(([True], of_day[1:] != of_day[:-1])))
    mean = np.add.reduceat(total, first) / np.add.reduceat(span, first)
    usual.busiest[there] = np.maximum(np.maximum.reduceat(busy, first_day), mean)
