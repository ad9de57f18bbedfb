"""What share of each sample does maintenance excuse?

A sample stands for an interval, and is excused by the share of it that maintenance overlaps. A sample much longer than the
maintenance is kept: of a day in which five minutes were planned nobody can say which failures belong to them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tars_lib.engines.sla.report import Exclusion
from tars_lib.model.history import SECOND, to_micros
from tars_lib.model.organisation import OrgData
from tars_lib.model.slo import Excused, Track

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Columns = NDArray[np.int32]
Bools = NDArray[np.bool_]

COARSE = 4.0
"""Samples so many times longer than the maintenance are kept; judgement: less than a quarter of one is planned."""
_WHOLE = 0.999
"""Share from which a sample is excused as a whole: clocks differ by seconds; judgement."""


_TOGETHER = 50
"""Stretches that are looked up at once, so that what is computed on the way stays small; judgement."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A stretch of maintenance of one repo by position, or of all (None)."""

    column: int | None
    begin: int
    finish: int


def planned_of(org: OrgData) -> list[Planned]:
    """Return all maintenance, overlapping stretches of one repo joined."""
    position = {repo.repo: number for number, repo in enumerate(org.repos)}
    by_column: dict[int | None, list[tuple[int, int]]] = {}
    for event, until in org.maintenance():
        if event.repo is None or event.repo in position:
            column = None if event.repo is None else position[event.repo]
            by_column.setdefault(column, []).append((to_micros(event.timestamp), to_micros(until)))
    return [Planned(column, *stretch) for column, stretches in by_column.items() for stretch in _joined(stretches)]


def without_maintenance(org: OrgData, track: Track) -> Track:
    """Return the track less what maintenance excuses."""
    planned = planned_of(org)
    if not planned:
        return track
    is_count, at_end = track.raw_total is not None, track.at_end
    pieces = [
        (part.start + at, left)
        for part, mine in track.parts()
        for at, left in (_excused(planned, mine.column, mine.time, mine.span, is_count=is_count, at_end=at_end),)
    ]
    at = np.concatenate([np.zeros(0, dtype=np.int64), *(at for at, _ in pieces)])
    left = np.concatenate([np.zeros(0), *(left for _, left in pieces)])
    half = track.half
    if half is not None:
        spared = _excused(planned, half.column, half.time, half.span, is_count=is_count, at_end=at_end)
        half = replace(half, weight=np.ones(half.time.size))
        half.weight[spared[0]] = spared[1]
    return replace(track, excused=Excused(at, left) if at.size else None, half=half)


def _excused(
    planned: Sequence[Planned], column: Columns, time: Ints, span: Ints, *, is_count: bool, at_end: bool
) -> tuple[Ints, Floats]:
    """Return the samples of which maintenance excuses a part, by position, and the share of each that it does not."""
    # what is too short for any sample is not looked up
    least = int(span.min(initial=np.iinfo(np.int64).max))
    planned = [stretch for stretch in planned if COARSE * (stretch.finish - stretch.begin) >= least]
    at, which, lap = laps(planned, column, time, span, at_end=at_end)
    length = np.array([stretch.finish - stretch.begin for stretch in planned])
    fits = span[at] <= COARSE * length[which]
    at, place = np.unique(at[fits], return_inverse=True)
    share = np.minimum(np.bincount(place, lap[fits], at.size) / np.maximum(span[at], 1), 1.0)
    # a metric is no amount that could be divided: it was taken within the maintenance, or not
    return at, np.where(share >= (_WHOLE if is_count else 0.5), 0.0, 1.0 - share)


def laps(
    planned: Sequence[Planned], column: Columns, time: Ints, span: Ints, *, at_end: bool
) -> tuple[Ints, Ints, Ints]:
    """Find the samples that lie in stretches of maintenance.

    Parameters
    ----------
    planned : sequence of Planned
    column, time, span : ndarray of integers, shape (n,)
        Samples, ascending by column and time.
    at_end : bool
        Whether a sample stands for the time before its stamp.

    Returns
    -------
    at, which, lap : ndarray of int64, shape (k,)
        Position of a sample, that of a stretch, and how much of the one lies in the other, more than 0 microseconds.
    """
    none = np.zeros(0, dtype=np.int64)
    found = [(none, none, none)]
    for first in range(0, len(planned) if time.size else 0, _TOGETHER):
        at, which, lap = _laps(planned[first : first + _TOGETHER], column, time, span, at_end=at_end)
        found.append((at, which + first, lap))
    at, which, lap = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return at, which, lap


def _laps(
    planned: Sequence[Planned], column: Columns, time: Ints, span: Ints, *, at_end: bool
) -> tuple[Ints, Ints, Ints]:
    """The same of some samples and a few stretches."""
    none = np.zeros(0, dtype=np.int64)
    there, firsts = np.unique(column, return_index=True)
    there = there.astype(np.int64)
    pairs = [(there, number) for number, stretch in enumerate(planned) if stretch.column is None]
    own = [number for number, stretch in enumerate(planned) if stretch.column is not None]
    columns = np.array([planned[number].column for number in own], dtype=np.int64)
    known = np.isin(columns, there)
    of_column = np.concatenate([none, *(every for every, _ in pairs), columns[known]])
    which = np.concatenate(
        [none, *(np.full(every.size, number) for every, number in pairs), np.array(own, dtype=np.int64)[known]]
    )
    begin = np.array([planned[number].begin for number in range(len(planned))])[which]
    finish = np.array([planned[number].finish for number in range(len(planned))])[which]
    # in whole seconds a column and a time make one number, and all stretches are looked up at once
    second, reach = time // SECOND, (np.maximum.reduceat(span, firsts) // SECOND + 2)[np.searchsorted(there, of_column)]
    origin, width = int(second.min()), int(second.max() - second.min()) + 2
    keys = column * np.int64(width) + (second - origin)
    from_second, to_second = (
        of_column * width + np.clip(bound - origin, -1, width - 1)
        for bound in (begin // SECOND - reach, finish // SECOND + reach)
    )
    low, high = np.searchsorted(keys, from_second), np.searchsorted(keys, to_second, side="right")
    sizes = np.maximum(high - low, 0)
    which, begin, finish = (np.repeat(values, sizes) for values in (which, begin, finish))
    at = np.arange(which.size) + np.repeat(low - np.cumsum(sizes) + sizes, sizes)
    start = time[at] - span[at] if at_end else time[at]
    lap = np.minimum(start + span[at], finish) - np.maximum(start, begin)
    hit = lap > 0
    return at[hit], which[hit], lap[hit]


def exclusions_of(
    org: OrgData, track: Track, inside: Callable[[Ints], Bools], first: int, last: int
) -> tuple[Exclusion, ...]:
    """Return each maintenance event within a window, with the samples that it excuses and those too long for it."""
    keys = [repo.repo for repo in org.repos]
    events = [(event, until) for event, until in org.maintenance() if event.repo is None or event.repo in keys]
    if not events:
        return ()
    stretches = [
        Planned(None if event.repo is None else keys.index(event.repo), to_micros(event.timestamp), to_micros(until))
        for event, until in events
    ]
    excused, coarse = (np.zeros(len(events), dtype=np.int64) for _ in range(2))
    length = np.array([stretch.finish - stretch.begin for stretch in stretches])
    for _, part in track.parts():
        there = inside(part.time)
        span = part.span[there]
        at, which, _ = laps(stretches, part.column[there], part.time[there], span, at_end=track.at_end)
        is_coarse = span[at] > COARSE * length[which]
        excused += np.bincount(which[~is_coarse], minlength=length.size)
        coarse += np.bincount(which[is_coarse], minlength=length.size)
    return tuple(
        Exclusion(event.repo, event.timestamp, until, event.title, int(excused[at]), int(coarse[at]))
        for at, (event, until) in enumerate(events)
        if excused[at] or coarse[at] or (stretches[at].finish >= first and stretches[at].begin <= last)
    )


def planned_time(org: OrgData, first: int, last: int) -> Floats:
    """Return how much of a window is maintenance in each repo, microseconds, (N,)."""
    stretches: list[list[tuple[int, int]]] = [[] for _ in org.repos]
    for stretch in planned_of(org):
        begin, finish = max(stretch.begin, first), min(stretch.finish, last)
        for column in range(len(org.repos)) if stretch.column is None else (stretch.column,):
            if finish > begin:
                stretches[column].append((begin, finish))
    return np.array([sum(finish - begin for begin, finish in _joined(mine)) for mine in stretches], dtype=np.float64)


def _joined(stretches: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Union of stretches: windows may overlap, and time is excused once."""
    joined: list[tuple[int, int]] = []
    for begin, finish in sorted(stretches):
        if joined and begin <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], finish)
        else:
            joined.append((begin, finish))
    return joined
