"""What share of each sample does maintenance excuse?

A sample stands for an interval, and is excused by the share of it that maintenance overlaps. A sample much longer than the
maintenance is kept: of a day in which five minutes were planned nobody can say which failures belong to them.
"""

from __future__ import annotations

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
    weight = _weight(planned, track.column, track.time, track.span, is_count=is_count, at_end=track.at_end)
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


def exclusions_of(org: OrgData, track: Track, inside: Bools, first: int, last: int) -> tuple[Exclusion, ...]:
    """Return each maintenance event within a window, with the samples that it excuses and those too long for it."""
    if next(org.maintenance(), None) is None:
        return ()
    keys = [repo.repo for repo in org.repos]
    listed: list[Exclusion] = []
    column, time, span = track.column[inside], track.time[inside], track.span[inside]
    for event, until in org.maintenance():
        begin, finish = to_micros(event.timestamp), to_micros(until)
        reach = int(span.max(initial=0))
        if finish < first - reach or begin > last + reach or (event.repo is not None and event.repo not in keys):
            continue
        stretch = Planned(None if event.repo is None else keys.index(event.repo), begin, finish)
        hit = overlap(stretch, column, time, span, at_end=track.at_end) > 0
        coarse = hit & (span > COARSE * (finish - begin))
        if hit.any() or (finish >= first and begin <= last):
            excused = int((hit & ~coarse).sum())
            listed.append(Exclusion(event.repo, event.timestamp, until, event.title, excused, int(coarse.sum())))
    return tuple(listed)


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
