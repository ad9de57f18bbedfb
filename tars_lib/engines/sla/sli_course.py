"""The course of a breached SLI around its onset, for those who draw or list it: one series a repo, in the SLA's unit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from tars_lib.engines.sla.report import Breach
from tars_lib.engines.sla.sli import read_track
from tars_lib.model.history import DAY, from_micros, to_micros
from tars_lib.model.organisation import OrgData
from tars_lib.model.slo import Half

Floats = NDArray[np.float64]

BEFORE = 3
"""The course begins this many lengths of the incident before its onset; judgement: enough to see the level it left."""
MIN_BEFORE = 24
"""...and at least this many samples; judgement."""
MAX_LEVEL = 288
"""Samples before the onset whose median is the level before: a day of 5-minute ones; judgement."""


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """One repo's SLI around an onset.

    `times` (n,) microseconds, `values` (n,) in `unit`: for a ratio the share of bad events. `before` and `during` are medians
    on either side of the onset, NaN where there are no samples. At `half_times` (h,) one of two counts is absent, and the share
    lies between `half_low` and `half_high`.
    """

    repo: str
    times: NDArray[np.int64]
    values: Floats
    before: float
    during: float
    half_times: NDArray[np.int64]
    half_low: Floats
    half_high: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Courses:
    """The SLI of all repos that report it, cut to the time around the onset; `scope` are those that the SLA judges."""

    onset: datetime
    end: datetime
    as_of: datetime
    unit: str
    limit: float
    metric: str
    lower_is_better: bool
    by_repo: dict[str, Course]
    scope: frozenset[str]


def courses(org: OrgData, breach: Breach, as_of: datetime) -> Courses | None:
    """Return the course of the breached SLI in every repo.

    Return None where the breach has no onset or its policy is not in the organisation.
    """
    policy = org.policy(breach.sla_id)
    track = None if policy is None else read_track(org, policy)
    if policy is None or track is None or breach.started_at is None:
        return None
    end = breach.ended_at or as_of
    step = int(np.median(track.step)) if track.step.size else DAY
    lead = max(BEFORE * (end - breach.started_at), timedelta(microseconds=MIN_BEFORE * step))
    first, onset = to_micros(breach.started_at - lead), to_micros(breach.started_at)
    last, until = to_micros(as_of), to_micros(end)
    by_repo = {}
    half, seen = track.half, track.rows.counts > 0
    if half is not None:
        seen[half.column] = True
    for column in np.flatnonzero(seen).tolist():
        mine = track.alone(column)
        times, series = mine.time, policy.course(mine)
        shown = (times >= first) & (times <= last)
        repo = org.repos[column].repo
        before, during = levels(times, series, onset, until)
        half_times, low, high = _half_shares(half, column, first, last)
        by_repo[repo] = Course(repo, times[shown], series[shown], before, during, half_times, low, high)
    counted = policy.adds_up
    return Courses(
        onset=from_micros(onset),
        end=end,
        as_of=as_of,
        unit="share of failures" if counted else policy.unit,
        limit=policy.allowed if counted else policy.objective,
        metric="failed share" if counted else policy.subject,
        lower_is_better=counted or not policy.higher_is_better,
        by_repo=by_repo,
        scope=frozenset(policy.repos or by_repo),
    )


def _half_shares(half: Half | None, column: int, first: int, last: int) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Times at which a repo reports one of two counts, and the share of bad events in the best and the worst completion."""
    if half is None:
        return np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros(0)
    mine = (half.column == column) & (half.time >= first) & (half.time <= last)
    with np.errstate(invalid="ignore", divide="ignore"):
        low, high = half.best_bad[mine] / half.best_total[mine], half.worst_bad[mine] / half.worst_total[mine]
    # without an event in a completion, it may be anything
    return half.time[mine], np.where(np.isfinite(low), low, 0.0), np.where(np.isfinite(high), high, 1.0)


def levels(times: NDArray[np.int64], values: Floats, onset: int, until: int) -> tuple[float, float]:
    """Medians before an onset and since, NaN where there are no samples; times in microseconds."""
    return _median(values[times < onset][-MAX_LEVEL:]), _median(values[(times >= onset) & (times <= until)])


def _median(values: Floats) -> float:
    seen = values[np.isfinite(values)]
    return float(np.median(seen)) if seen.size else float("nan")
