"""Has a service lost most of its traffic? Then what it promises may be met by the few requests that still come.

A sample is low where it has at most a fifth of what its own past has at the same hour. The stretch of low samples that lasts
to the end is compared with the same hours of each day before it began (with whole days, where it is a day or longer): it must
be far below the least of them, and beyond their spread by Student's t at 1 %, Sidak-corrected for the number of services.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from scipy import special

from tars_lib.engines.sla.window.maintenance import without_maintenance
from tars_lib.engines.sla.window.missing import MAX_TOLD
from tars_lib.engines.sla.window.scopes import IDLE_TOLD
from tars_lib.model.history import DAY, from_micros, to_micros
from tars_lib.model.organisation import OrgData, duration_text
from tars_lib.model.slo import AnyPolicy, Track
from tars_lib.model.slo.rows import Rows
from tars_lib.model.slo.threshold import TOTAL
from tars_lib.stats.pairs.significance import sidak
from tars_lib.text.times import MINUTES

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LOST = 0.8
"""Share of the traffic that is lost from which it is told; judgement: what is left says little of the rest."""
YOUNG_LOST = 0.95
"""The same of a service without so many days that its hours can be compared; judgement: nights have less too."""
DAYS = 28
"""Days of the past that say what is usual at an hour; judgement: four of each weekday."""
USUAL = 0.75
"""Quantile of them that is usual: the low ones may be of the same trouble; judgement."""
FEWEST = 3
"""Low samples (two, by the day), and days of the past, from which anything is said; judgement."""
EVENTS = 30.0
"""Events that usually come in the stretch; with fewer, few are no surprise. Judgement."""
BELOW = 0.5
"""Of the least of the past; judgement: a quieter day is not told."""
SAME_HOURS = ("", "in the same hours before that", "days")
DAILY = (" a day", "a day before that", "days")
BEFORE = ("", "in as long a time before that", "such times, at whatever hour")
_ALPHA = 0.01
_NOISE = 0.1
"""Least spread of the past, in logarithms; judgement: a few days alike do not show that all are."""


@dataclass(frozen=True, slots=True, eq=False)
class Collapse:
    """A stretch with little traffic.

    Attributes
    ----------
    events : float
        In the stretch, by the day where days are compared.
    past : ndarray of float64
        Those of each stretch of the past.
    compared : tuple of str
        What the events are of, what they are compared with, and what each stretch is, for a sentence.
    """

    since: int
    until: int
    events: float
    past: Floats
    compared: tuple[str, str, str]
    is_over: bool = False


def collapse_of(time: Ints, total: Floats, step: int, services: int = 1) -> Collapse | None:
    """Return the stretch at the end of one series of counts in which most of its traffic is lost; None where there is none."""
    fewest = FEWEST if step < DAY else 2
    if step > DAY or time.size < fewest + FEWEST or total[-fewest:].max() > (1.0 - LOST) * total.max():
        return None
    is_young = time[-1] - time[0] < (FEWEST + 1) * DAY and step < DAY
    lost = YOUNG_LOST if is_young else LOST
    first = _onset(total) if is_young else _first_low(time, total, step, fewest)
    if time.size - first < fewest:
        return None
    length = int(time[-1] - time[first]) + step
    is_daily = length >= DAY and not is_young
    now = float(total[first:].sum()) * (DAY / length if is_daily else 1.0)
    if is_young:
        past = _stretches_before(total, first)
    else:
        past = _days_before(time, total, first) if is_daily else _same_hours(time, total, first, length)
    if not _is_lost(now, past, lost, services):
        return None
    compared = DAILY if is_daily else BEFORE if is_young else SAME_HOURS
    return Collapse(int(time[first]), int(time[-1]) + step, now, past, compared)


def lull_of(time: Ints, total: Floats, services: int = 1) -> Collapse | None:
    """Return the longest stretch of days, over by the end of a series, in which most of its traffic was lost.

    Parameters are those of `collapse_of`.
    """
    if time.size <= FEWEST or time[-1] - time[0] <= (FEWEST + 2) * DAY:
        return None
    back = (int(time[-1]) - time) // DAY
    days: Floats = np.bincount(back, weights=total)[::-1].astype(np.float64)
    if days.min() > (1.0 - LOST) * days.max():
        return None
    low = days <= (1.0 - LOST) * float(np.quantile(days, USUAL))
    edges = np.flatnonzero(np.diff(np.concatenate(([False], low, [False]))))
    begins, ends = edges[::2], edges[1::2]
    if not begins.size:
        return None
    longest = int(np.argmax(ends - begins))
    begin, end = int(begins[longest]), int(ends[longest])
    # a first day may be a part of one, and days without a sample say nothing of traffic
    seen = np.bincount(back, minlength=days.size)[::-1] > 0
    now, past = float(days[begin:end].mean()), days[1:begin][seen[1:begin]]
    if end - begin < FEWEST or not seen[begin:end].all() or not _is_lost(now, past, LOST, services):
        return None
    first = int(time[-1]) - DAY * (days.size - begin)
    return Collapse(first, first + DAY * (end - begin), now, past, DAILY, is_over=True)


def _is_lost(now: float, past: Floats, lost: float, services: int) -> bool:
    """Return whether so few events are far below all stretches of the past, and beyond their spread."""
    if past.size < FEWEST:
        return False
    usual, least = float(np.median(past)), float(past.min())
    if usual < EVENTS or now > (1.0 - lost) * usual or now > BELOW * least:
        return False
    logs = np.log((past + 0.5) / (usual + 0.5))
    spread = max(float(logs.std(ddof=1)), usual**-0.5, _NOISE) * (1.0 + 1.0 / past.size) ** 0.5
    chance = float(special.stdtr(past.size - 1.0, np.log((now + 0.5) / (usual + 0.5)) / spread))
    return float(sidak(np.array(chance), services)) < _ALPHA


def _onset(total: Floats) -> int:
    """Find where the low samples at the end begin, by the usual one of all."""
    low = total <= (1.0 - YOUNG_LOST) * float(np.quantile(total, USUAL))
    return total.size - int(np.argmin(np.append(low[::-1], False)))


def _stretches_before(total: Floats, first: int) -> Floats:
    """Return the events of each stretch as long as the one that begins at a sample, before it."""
    length = total.size - first
    return np.asarray(total[first % length : first].reshape(-1, length).sum(axis=1), dtype=np.float64)


def _first_low(time: Ints, total: Floats, step: int, fewest: int) -> int:
    """Find where the low samples at the end begin, by what is usual at their hours."""
    low = fewest
    if not _are_low(time, total, time.size - low, step):
        return time.size
    while low < time.size and _are_low(time, total, max(time.size - 2 * low, 0), step):
        low = min(2 * low, time.size)
    first = time.size - low
    more = _low(time, total, np.arange(max(time.size - 2 * low, 0), first), step)
    return first - int(np.argmin(np.append(more[::-1], False)))


def _are_low(time: Ints, total: Floats, first: int, step: int) -> bool:
    return bool(_low(time, total, np.arange(first, time.size), step).all())


def _low(time: Ints, total: Floats, rows: Ints, step: int) -> NDArray[np.bool_]:
    """Return whether samples have at most a fifth of what is usual at their hour; false where no past says what is."""
    wanted = time[rows][:, None] - DAY * np.arange(1, DAYS + 1)
    near = np.clip(np.searchsorted(time, wanted - step // 2), 0, time.size - 1)
    then = np.where(np.abs(time[near] - wanted) <= step // 2, total[near], np.nan)
    count = np.isfinite(then).sum(axis=1)
    rank = np.maximum(np.ceil(USUAL * count).astype(np.int64) - 1, 0)
    usual = np.take_along_axis(np.sort(then, axis=1), rank[:, None], axis=1)[:, 0]
    return np.asarray((count > 0) & (usual > 0) & (total[rows] <= (1.0 - LOST) * usual))


def _days_before(time: Ints, total: Floats, first: int) -> Floats:
    """Return the events of each whole day before a sample; of a day of which a part is missing nothing is known."""
    back = (int(time[first]) - 1 - time[:first]) // DAY
    count = np.bincount(back, minlength=1)
    return np.asarray(np.bincount(back, weights=total[:first])[count >= 0.8 * count.max()], dtype=np.float64)


def _same_hours(time: Ints, total: Floats, first: int, length: int) -> Floats:
    """Return the events of the same hours of each day before a stretch."""
    begin = int(time[first]) - DAY * np.arange(1, int(time[first] - time[0]) // DAY + 1)
    edges = np.searchsorted(time, np.stack((begin, begin + length)) - (time[-1] - time[-2]) // 2)
    sums = np.concatenate(([0.0], np.cumsum(total)))
    whole = edges[1] - edges[0] >= 0.8 * (time.size - first)
    return np.asarray((sums[edges[1]] - sums[edges[0]])[whole], dtype=np.float64)


def collapses(
    org: OrgData, policy: AnyPolicy, track: Track, known: MutableMapping[object, Any] | None = None
) -> Mapping[int, Collapse]:
    """Return which repos by position lost most of the traffic that an SLA is about: its own total, else the requests."""
    shared = ("collapses", policy.same_samples if policy.adds_up else TOTAL)
    is_shared = known is not None and shared[1] is not None
    if known is not None and is_shared and shared in known:
        return cast("Mapping[int, Collapse]", known[shared])
    traffic = track if track.raw_total is not None else _requests(org, track)
    by_column: dict[int, Collapse] = {}
    for (first, end), (_, part) in (
        zip(traffic.rows.blocks(), traffic.parts(), strict=True) if traffic is not None else ()
    ):
        total, is_whole = part.total, part.weight >= 1.0
        for number in (first + np.flatnonzero(part.rows.counts[first:end])).tolist():
            if total is None or org.repos[number].quiet:
                continue
            mine = part.of(number)
            step, services = int(part.step[number]), len(org.repos)
            series = part.rows.of_repo(number)[is_whole[mine]], total[mine][is_whole[mine]]
            lost = collapse_of(*series, step, services) or lull_of(*series, services)
            if lost is not None:
                by_column[number] = lost
    if known is not None and is_shared:
        known[shared] = by_column
    return by_column


def _requests(org: OrgData, track: Track) -> Track | None:
    rows, value = Rows.of_metric(org.history, TOTAL), org.history.values_of(TOTAL)
    if not len(rows):
        return None
    common = org.history.interval(TOTAL) or DAY
    stands = rows.spans(common, at_end=track.at_end)
    samples = Track(rows, stands, value, value, np.full(len(org.repos), common), at_end=track.at_end)
    return without_maintenance(org, samples)


def collapse_texts(
    org: OrgData, policy: AnyPolicy, lost: Mapping[int, Collapse], columns: Ints, start: datetime, end: datetime
) -> Iterator[str]:
    """Yield the sentences on the services of an SLA that lost most of their traffic, by the numbers of their own past.

    What is over is told where it is as much of the window as time without traffic has to be.
    """
    first, least = to_micros(start), IDLE_TOLD * (to_micros(end) - to_micros(start))
    hit = [
        number
        for number in columns.tolist()
        if number in lost
        and lost[number].until - max(lost[number].since, first) > (least if lost[number].is_over else 0)
    ]
    name = policy.needs[0] if policy.adds_up else TOTAL
    for number in hit[:MAX_TOLD]:
        seen = lost[number]
        what, when, each = seen.compared
        lasted = duration_text(timedelta(microseconds=seen.until - seen.since))
        began, ended = (f"{from_micros(time):{MINUTES}}" for time in (seen.since, seen.until))
        gone = f"was gone from {began} to {ended}" if seen.is_over else f"is gone since {began} ({lasted})"
        yield (
            f"most of the traffic of {org.repos[number].repo} {gone}: {seen.events:,.0f} {name}{what}, against "
            f"{np.median(seen.past):,.0f} {when} (at least {seen.past.min():,.0f} in each of {seen.past.size} {each}); "
            "the verdict is on those that still came"
        )
    if len(hit) > MAX_TOLD:
        yield f"most of the traffic of {len(hit) - MAX_TOLD} more services is gone too"
