"""What share of each sample does maintenance excuse?

A sample stands for an interval, and is excused by the share of it that maintenance overlaps. A sample much longer than the
maintenance is kept: of a day in which five minutes were planned nobody can say which failures belong to them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tars_lib.engines.sla.report import Exclusion
from tars_lib.model.history import to_micros
from tars_lib.model.organisation import OrgData
from tars_lib.model.slo import Track

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Columns = NDArray[np.int32]
Bools = NDArray[np.bool_]

COARSE = 4.0
"""Samples so many times longer than the maintenance are kept; judgement: less than a quarter of one is planned."""
_WHOLE = 0.999
"""Share from which a sample is excused as a whole: clocks differ by seconds; judgement."""


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
    is_count = track.total is not None
    weight = np.concatenate(
        [
            np.ones(0),
            *(
                _weight(planned, part.column, part.time, part.span, is_count=is_count, at_end=track.at_end)
                for _, part in track.parts()
            ),
        ]
    )
    half = track.half
    of_half = (
        np.ones(0)
        if half is None
        else _weight(planned, half.column, half.time, half.span, is_count=is_count, at_end=track.at_end)
    )
    return track.excused(weight, of_half)


def _weight(planned: list[Planned], column: Columns, time: Ints, span: Ints, *, is_count: bool, at_end: bool) -> Floats:
    """Return the share of each sample that no maintenance excuses."""
    excused = np.zeros(time.size)
    for stretch in planned:
        lap = overlap(stretch, column, time, span, at_end=at_end)
        excused += np.where(span > COARSE * (stretch.finish - stretch.begin), 0, lap)
    share = np.minimum(excused / np.maximum(span, 1), 1.0)
    # a metric is no amount that could be divided: it was taken within the maintenance, or not
    return np.where(share >= (_WHOLE if is_count else 0.5), 0.0, 1.0 - share)


def overlap(stretch: Planned, column: Columns, time: Ints, span: Ints, *, at_end: bool) -> Ints:
    """Return how much of each sample lies in the stretch, microseconds."""
    begin = time - span if at_end else time
    lap = np.maximum(np.minimum(begin + span, stretch.finish) - np.maximum(begin, stretch.begin), 0)
    return lap if stretch.column is None else np.where(column == stretch.column, lap, 0)


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
    for _, part in track.parts():
        there = inside(part.time)
        column, time, span = part.column[there], part.time[there], part.span[there]
        reach = int(span.max(initial=0))
        for at, stretch in enumerate(stretches):
            if stretch.finish < first - reach or stretch.begin > last + reach:
                continue
            hit = overlap(stretch, column, time, span, at_end=track.at_end) > 0
            is_coarse = span > COARSE * (stretch.finish - stretch.begin)
            excused[at] += np.count_nonzero(hit & ~is_coarse)
            coarse[at] += np.count_nonzero(hit & is_coarse)
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
