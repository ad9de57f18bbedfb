"""Measurement of an SLI over a window, for each repo alone, and how much of the window is missing.

Arrays have shape (N,) in the order of the history's repos.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from tars_lib.engines.sla.report import Exclusion
from tars_lib.engines.sla.window.maintenance import exclusions_of, planned_time, without_maintenance
from tars_lib.model.history import DAY, to_micros
from tars_lib.model.metrics import COUNTER
from tars_lib.model.organisation import OrgData
from tars_lib.model.slo import AnyPolicy, Observation, Track, Window
from tars_lib.model.slo.threshold import FAILED, RATE, TOTAL
from tars_lib.model.times import read_zone
from tars_lib.stats.scheduler import scheduled_columns

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Known = dict[object, Any]
Result = TypeVar("Result")

_WHOLE = 0.5
"""Missing time below so many intervals is none: a sample may be late by half of one; judgement."""


_HABIT, _HABIT_ALIKE, _NIGHTS_ALIKE = 3, 1 / 2, 1 / 3
"""A stretch without traffic is a habit where so many others are at least half as long (four weekends a month), or, within a
day, one other at least a third as long: the data may begin within a night; judgement."""


@dataclass(frozen=True, slots=True, eq=False)
class Measurement:
    """One window of a track.

    Attributes
    ----------
    reading : Observation
        Of the samples that were kept.
    samples : ndarray of int64
        How many those are.
    length, missing : ndarray of float64
        Microseconds that were to be seen, maintenance left out, and of those the ones without any sample.
    uncounted : ndarray of float64
        Missing time, and that at the begin of the window for which a sample before it stands, whose value does not count.
    unseen : ndarray of float64
        Events that usually come in the time that is missing; 0 for an SLI without events.
    half : ndarray of float64
        Microseconds of the seen time at which one of two counts is absent.
    idle : ndarray of float64
        Share of the seen time in which no event came although some usually do.
    busy : ndarray of bool
        Repos whose past has an event.
    keep : ndarray of bool, shape (n,)
        Samples of the track.
    half_keep : ndarray of bool, shape (h,)
        Half reported times of the track.
    """

    window: Window
    start: datetime
    end: datetime
    is_partial: bool
    reading: Observation
    samples: Ints
    length: Floats
    missing: Floats
    uncounted: Floats
    unseen: Floats
    half: Floats
    idle: Floats
    busy: Bools
    exclusions: tuple[Exclusion, ...]
    keep: Bools
    half_keep: Bools


def shared(known: Known | None, policy: AnyPolicy, what: tuple[object, ...], make: Callable[[], Result]) -> Result:
    """Return what is made of a policy's samples, made once for all policies that count the same ones.

    Parameters
    ----------
    known : dict or None
        What was made before, which is filled; nothing is shared without it.
    what : tuple
        Everything that the result depends on beside the samples.
    """
    if known is None or policy.same_samples is None:
        return make()
    key = (*policy.same_samples, *what)
    if key not in known:
        known[key] = make()
    return cast("Result", known[key])


def read_track(org: OrgData, policy: AnyPolicy, known: Known | None = None) -> Track | None:
    """Return the samples of a policy's metric, less what maintenance excuses; None where nobody reports it."""
    return shared(known, policy, ("track",), lambda: _track(org, policy))


def _track(org: OrgData, policy: AnyPolicy) -> Track | None:
    at_end = org.stamp_at_end or _counts_increases(org, policy)
    track = policy.track(org.history, at_end=at_end)
    return None if track is None else without_maintenance(org, replace(track, at_end=at_end))


def _counts_increases(org: OrgData, policy: AnyPolicy) -> bool:
    """Return whether only increases of running totals are counted: each stands for the time since the sample before."""
    names = policy.needs
    if not policy.adds_up:
        names = (TOTAL, FAILED) if policy.subject == RATE and RATE not in org.history.metrics else names
    return all(org.metric(name).kind == COUNTER for name in names)


def in_scope(org: OrgData, policy: AnyPolicy, track: Track | None) -> Bools:
    """Return which repos a policy judges: those that it names, else all that ever reported the metric or half of it."""
    if policy.repos:
        return np.array([repo.repo in policy.repos for repo in org.repos], dtype=bool)
    if track is None:
        return np.zeros(len(org.repos), dtype=bool)
    scope: Bools = track.rows.counts > 0
    if track.half is not None:
        scope[track.half.column] = True
    return scope


def measure(
    org: OrgData, policy: AnyPolicy, track: Track, window: Window, as_of: datetime, known: Known | None = None
) -> Measurement:
    """Measure a policy's SLI over a window that ends at `as_of`; see `shared`."""
    made = (window, policy.time_zone)
    return shared(known, policy, made, lambda: _measured(org, policy, track, window, as_of))


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is measured in each part of a track: a policy over a window."""

    policy: AnyPolicy
    first: int
    last: int
    holds_start: bool

    def inside(self, time: Ints) -> Bools:
        """Return whether times lie in the window."""
        return (time >= self.first if self.holds_start else time > self.first) & (time <= self.last)


def _measured(org: OrgData, policy: AnyPolicy, track: Track, window: Window, as_of: datetime) -> Measurement:
    n = len(org.repos)
    common = int(np.median(track.step)) if track.step.size else DAY
    start, end, is_partial = window.span(as_of, read_zone(policy.time_zone), timedelta(microseconds=common))
    first, last = to_micros(start), to_micros(end)
    holds_start = bool(window.anchor) and not track.at_end
    asked = _Asked(policy, first, last, holds_start)
    repos = list(track.rows.blocks())
    parts = list(scheduled_columns(_of_part, asked, [(part, track.part(*part)) for part in repos], n))
    by_repo = np.concatenate([np.zeros((11, 0)), *(part[0] for part in parts)], axis=1)
    value, bad, events, counted, seen, excused, short, long, half_time, idle, busy = by_repo
    keep, half_keep = (np.concatenate([np.zeros(0, dtype=bool), *(part[at] for part in parts)]) for at in (1, 2))
    slots = (last - first) // track.step * track.step + track.step if holds_start else last - first
    length = np.full(n, slots, dtype=np.float64)
    # maintenance in which nothing was reported is planned too; what lies in samples that are too long for it was seen
    blind = np.maximum(length - seen - excused, 0.0)
    planned = excused + np.minimum(np.maximum(planned_time(org, first, last) - excused, 0.0), blind)
    length = np.maximum(length - planned, 0.0)
    missing = np.clip(length - seen, 0.0, None)
    uncounted = missing.copy()
    for number in np.flatnonzero(missing > 0) if not track.at_end else ():
        missing[number] = max(missing[number] - _lead(track, int(number), first, last), 0.0)
    for time in (missing, uncounted):
        time[time < _WHOLE * np.minimum(track.step, slots)] = 0.0
    return Measurement(
        window=window,
        start=start,
        end=end,
        is_partial=is_partial,
        reading=Observation(value, bad, events),
        samples=counted.astype(np.int64),
        length=length,
        missing=missing,
        unseen=_unseen(track, short, long, uncounted),
        uncounted=uncounted,
        half=half_time,
        idle=idle,
        busy=busy > 0,
        exclusions=exclusions_of(org, track, asked.inside, first, last),
        keep=keep,
        half_keep=half_keep,
    )


def _of_part(asked: _Asked, item: tuple[tuple[int, int], Track]) -> tuple[Floats, Bools, Bools]:
    """Measure the repos of a part, each by its own samples alone: eleven numbers of each, and which samples were kept."""
    (begin, end), part = item
    n, column, time = part.step.size, part.column, part.time
    inside, half, busy = asked.inside(time), part.half, part.busy
    keep = inside & ~part.says_nothing
    within = half_keep = np.zeros(0, dtype=bool)
    half_time: Floats = np.zeros(n)
    if half is not None and half.time.size:
        within = asked.inside(half.time)
        half_keep = within & (half.weight > 0)
        half_time += np.bincount(half.column[within], weights=(half.span * half.weight)[within], minlength=n)
    reading = asked.policy.read(part, keep, n)
    by_repo = (
        reading.value,
        reading.bad,
        reading.events,
        np.bincount(column[keep], minlength=n),
        *_course(part, column[inside], time[inside], inside, within),
        half_time,
        np.zeros(n) if busy is None else _idle(part, column, busy, inside & ~part.planned),
        np.zeros(n) if busy is None else np.bincount(column[busy], minlength=n),
    )
    return np.stack([numbers[begin:end] for numbers in by_repo]), keep, half_keep


def _lead(track: Track, number: int, first: int, last: int) -> int:
    """Measure how much longer samples stand for a window than those within it say: the one before may reach into it.

    The last one within it stands for time after it instead, so that samples at one pace come to the same either way.
    """
    time, span = track.rows.of_repo(number), track.span[track.of(number)]
    begin, end = np.searchsorted(time, (first, last), side="right").tolist()
    if not 0 < begin < end:
        return 0
    lead = min(int(time[begin - 1] + span[begin - 1]), int(time[begin])) - first
    return max(max(lead, 0) - max(int(time[end - 1] + span[end - 1]) - last, 0), 0)


def _course(
    track: Track, column: NDArray[np.int32], time: Ints, inside: Bools, within: Bools
) -> tuple[Floats, Floats, Floats, Floats]:
    """Time that was seen, that maintenance excuses, and in gaps below a day and above, of each repo, (N,) each."""
    n, span, weight = track.step.size, track.span[inside], track.weight[inside]
    if track.half is not None and within.any():
        half = track.half.where(within)
        column, time = np.append(column, half.column), np.append(time, half.time)
        span, weight = np.append(span, half.span), np.append(weight, half.weight)
        order = np.lexsort((time, column))
        column, time, span, weight = column[order], time[order], span[order], weight[order]
    same = column[1:] == column[:-1]
    stood = span[1:] if track.at_end else span[:-1]
    gaps = np.where(same, np.maximum(time[1:] - time[:-1] - stood, 0), 0).astype(np.float64)
    is_short = gaps < DAY
    of_samples, of_gaps = (span * weight, span * (1.0 - weight)), (gaps * is_short, gaps * ~is_short)
    seen, excused = (np.bincount(column, weights=part, minlength=n).astype(np.float64) for part in of_samples)
    short, long = (np.bincount(column[:-1], weights=part, minlength=n).astype(np.float64) for part in of_gaps)
    return seen, excused, short, long


def _unseen(track: Track, short: Floats, long: Floats, missing: Floats) -> Floats:
    """Events that usually come in the time that is missing: in gaps of days those of the busiest day, else of any sample."""
    if track.traffic is None:
        return np.zeros(missing.size)
    short, long = np.minimum(short, missing), np.minimum(long, missing)
    rest = np.maximum(missing - short - long, 0.0)
    short, long = np.where(rest < DAY, short + rest, short), np.where(rest < DAY, long, long + rest)
    with np.errstate(invalid="ignore"):
        by_part = (
            np.where(part > 0, part * rate, 0.0)
            for part, rate in ((short, track.traffic.most), (long, track.traffic.busiest))
        )
        return np.asarray(sum(by_part), dtype=np.float64)


def _idle(track: Track, column: NDArray[np.int32], busy: Bools, keep: Bools) -> Floats:
    """Share of the seen time of each repo in which no event came although some usually do."""
    n, idle, span = track.step.size, np.zeros(track.step.size), track.span.astype(np.float64)
    empty, seen = (np.bincount(column[part], weights=span[part], minlength=n) for part in (keep & ~busy, keep))
    for number in np.flatnonzero(empty > 0).tolist():
        mine = track.of(number)
        idle[number] = (span[mine] * _unusual(busy[mine], span[mine]))[keep[mine]].sum() / seen[number]
    return idle


def _unusual(busy: Bools, span: Floats) -> Bools:
    """Return which samples without traffic belong to a stretch that is no habit: nights and weekends come again."""
    start = np.flatnonzero(np.concatenate(([True], busy[1:] != busy[:-1])))
    length = np.add.reduceat(span, start)
    quiet = ~busy[start]
    ordered = np.sort(length[quiet])
    # other stretches that are nearly as long; each finds itself among them
    alike = ordered.size - np.searchsorted(ordered, length * _NIGHTS_ALIKE) - 1
    often = ordered.size - np.searchsorted(ordered, length * _HABIT_ALIKE) - 1
    is_habit = (length < DAY) & (alike >= 1) | (often >= _HABIT)
    return np.repeat(quiet & ~is_habit, np.diff(np.append(start, busy.size)))


def scope_names(org: OrgData, columns: Sequence[int] | Ints) -> tuple[str, ...]:
    """Return the names of the repos at these positions."""
    return tuple(org.repos[int(column)].repo for column in columns)
