"""Sentences on what is missing, of whom, since when."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tars_lib.engines.sla.sli import Measurement, scope_names
from tars_lib.model.history import from_micros, to_micros
from tars_lib.model.organisation import OrgData
from tars_lib.model.slo import AnyPolicy, Track
from tars_lib.text.quantities import value_text
from tars_lib.text.times import MINUTES

Ints = NDArray[np.int64]

MAX_TOLD = 3
"""Repos told of in one sentence; judgement: as many as are read."""


def half_text(
    org: OrgData,
    policy: AnyPolicy,
    track: Track,
    measured: Measurement,
    columns: Ints,
    in_question: float,
    ends: tuple[float, float],
) -> str:
    """Return which count of which repo is absent, since when, and what that leaves open."""
    parts, half = [], track.half
    if half is not None and measured.half_keep.any():
        mine = measured.half_keep & np.isin(half.column, columns)
        times = half.time[mine]
        groups = {(int(number), int(lacks)) for number, lacks in zip(half.column[mine], half.lacks[mine], strict=True)}
        for number, lacks in sorted(groups)[:MAX_TOLD]:
            hit = times[(half.column[mine] == number) & (half.lacks[mine] == lacks)]
            repo = org.repos[number].repo
            of = int(measured.samples[number]) + int((half.column[mine] == number).sum())
            since = f"{hit.size} of {of} times, first at {from_micros(int(hit.min())):{MINUTES}}"
            if lacks < 0:
                parts.append(f"{half.names[-1]} of {repo} exceeds {half.names[0]} {since}")
            else:
                parts.append(f"{half.names[lacks]} of {repo} is missing {since}")
        if len(groups) > MAX_TOLD:
            parts.append(f"{len(groups) - MAX_TOLD} more are incomplete")
    silent = columns[measured.missing[columns] > 0.5 * np.maximum(measured.length[columns], 1.0)]
    if silent.size and columns.size > 1:
        parts.append(coverage_text(org, policy, track, measured, silent))
    between = f"the value lies between {value_text(ends[0], policy.unit)} and {value_text(ends[1], policy.unit)}"
    share = f"{in_question:.1%} of the events are" if policy.adds_up else f"{in_question:.1%} of the window is"
    share = "any number of events is" if in_question >= 1.0 and policy.adds_up else share
    return f"{'; '.join(parts)}; {share} in question, so {between}"


def coverage_text(org: OrgData, policy: AnyPolicy, track: Track, measured: Measurement, columns: Ints) -> str:
    """Return how much of the window was not seen, of whom, and since when."""
    blind = [int(number) for number in columns if measured.missing[number] > 0] or [int(number) for number in columns]
    blind.sort(key=lambda number: -float(measured.missing[number]) / max(float(measured.length[number]), 1.0))
    silences = [_silence(org, policy, track, measured, number) for number in blind[:MAX_TOLD]]
    more = f"; {len(blind) - MAX_TOLD} more services are incomplete" if len(blind) > MAX_TOLD else ""
    return "; ".join(silences) + more


def _silence(org: OrgData, policy: AnyPolicy, track: Track, measured: Measurement, number: int) -> str:
    repo, length = org.repos[number].repo, float(measured.length[number])
    covered = 1.0 - float(measured.missing[number]) / length if length > 0 else 0.0
    times, span = track.rows.of_repo(number), track.span[track.of(number)]
    if track.half is not None:
        half = track.half.column == number
        times, span = np.append(times, track.half.time[half]), np.append(span, track.half.span[half])
        order = np.argsort(times, kind="stable")
        times, span = times[order], span[order]
    name = " and ".join(policy.needs)
    first, last = to_micros(measured.start), to_micros(measured.end)
    if length <= 0:
        return f"maintenance covers the whole window of {repo}"
    if not times.size and policy.slices is not None and all(org.history.counts(need)[number] for need in policy.needs):
        return f"no slice of {policy.slices.minutes:,} min of {repo} was seen by half"
    if not times.size:
        return f"{repo} has never reported {name}"
    if int(times[-1]) <= first:
        return (
            f"{repo} has been silent since {from_micros(int(times[-1])):{MINUTES}}: no sample of {name} in the window"
        )
    if not ((times >= first) & (times <= last)).any():
        return f"{repo} has no sample of {name} in the window"
    when = _widest_gap(times, span, first, last, at_end=track.at_end)
    return f"samples of {repo} cover {covered:.0%} of the window{f': {when}' if when else ''}"


def _widest_gap(times: Ints, span: Ints, first: int, last: int, *, at_end: bool) -> str:
    """Locate the longest time of a window for which no sample stands; empty where there is none."""
    begin, finish = (times - span, times) if at_end else (times, times + span)
    edges = np.clip(np.concatenate((finish, [first])), first, last)[np.r_[-1, 0 : times.size]]
    gaps = np.clip(np.append(begin, last), first, last) - edges
    widest = int(np.argmax(gaps))
    if gaps[widest] <= 0:
        return ""
    if widest == times.size:
        return f"it has been silent since {from_micros(int(times[-1])):{MINUTES}}"
    if widest == 0:
        return f"its first sample is from {from_micros(int(times[0])):{MINUTES}}"
    earlier, later = (from_micros(int(time)) for time in times[widest - 1 : widest + 1])
    return f"there is no sample between {earlier:{MINUTES}} and {later:{MINUTES}}"


def idle_text(org: OrgData, policy: AnyPolicy, columns: Ints, idle: float) -> str:
    """Return who had no traffic for how much of the window."""
    names, total = scope_names(org, columns[:MAX_TOLD]), policy.needs[0] if policy.adds_up else "requests_total"
    who = ", ".join(names) + (", ..." if columns.size > MAX_TOLD else "")
    return (
        f"{who} had no traffic in {idle:.0%} of the window ({total} is 0), which does not show that it works; "
        "set quiet: true in org.yaml where that is expected"
    )
