"""End of a history: no sample is of the future, and no lone series moves the time of all others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from tars_lib.errors import MAX_FAULTS, listed
from tars_lib.model.history import DAY, History, from_micros, to_micros
from tars_lib.model.samples import AnySamples
from tars_lib.text.counts import plural

AHEAD = timedelta(minutes=10)
"""How far a sample may be ahead of the clock: as in Prometheus, whose `maxAheadTime` allows for clocks that differ
(https://github.com/prometheus/prometheus/blob/main/scrape/scrape.go)."""
FAR = 10
"""Intervals by which a series has to reach beyond all others to be told of; judgement, as is the share below."""
FEW = 0.01
"""Share of the series below which those that reach further do not move the time that is judged at."""
_SAMPLED = 200
"""Series whose intervals are looked at; a median needs no more."""


def ahead_of(samples: AnySamples, clock: datetime) -> str:
    """Say what is wrong with samples that are later than the clock; empty where none is."""
    latest, before, total = to_micros(clock + AHEAD), 0, 0
    if samples.last is None or samples.last <= latest:
        return ""
    faults: list[str] = []
    for part in samples.parts():
        rows = np.flatnonzero(part.time > latest)
        total += int(rows.size)
        faults += [
            f"{samples.where(before + int(row), 'timestamp')}: {_shown(int(part.time[row]))} is later than the clock, "
            f"{_shown(to_micros(clock))}"
            for row in rows[: MAX_FAULTS - len(faults)]
        ]
        before += len(part)
    return f"{listed(faults, total)}; allowed: samples up to now, or --as-of TIME, which leaves out what is later"


def announced(times: Mapping[str, Sequence[datetime]], clock: datetime) -> list[str]:
    """Say what is dated later than the clock: a sentence for each kind of which there is some."""
    late = {what: [time for time in dated if time > clock + AHEAD] for what, dated in times.items()}
    return [
        f"{plural(len(late_times), what)} dated later than the clock, such as {_shown(to_micros(min(late_times)))}"
        for what, late_times in late.items()
        if late_times
    ]


def common_end(history: History) -> tuple[int | None, str]:
    """Time at which a history ends, and a warning where few series reach far beyond all others.

    Returns
    -------
    end : int or None
        Microseconds: the last sample, or, where fewer than 1 % of the series reach more than ten intervals beyond all others,
        the end of those; None without a sample.
    warning : str
        Names the series that reach further, if they are at most half of all; empty where there are none.
    """
    filled, ends = history.latest()
    if not filled.size:
        return None, ""
    order = np.argsort(ends, kind="stable")
    ranked = ends[order]
    last = int(ranked[-1])
    gaps = np.diff(ranked[(ranked.size - 1) // 2 :])
    if not (gaps > 0).any():
        return last, ""
    wide = np.flatnonzero(gaps > FAR * _usual_interval(history, filled))
    if not wide.size:
        return last, ""
    late = int(gaps.size - wide[0])
    others = int(ranked[-1 - late])
    beyond = filled[np.sort(order[-late:])]
    names = ", ".join(" of ".join(history.names_of(series)) for series in beyond[:MAX_FAULTS])
    more = f" and {late - MAX_FAULTS} more" if late > MAX_FAULTS else ""
    moved = late < FEW * ranked.size
    judged = f"judged as of {_shown(others)}, where the others end" if moved else "the others have no sample since then"
    reach = "reaches" if late == 1 else "reach"
    warning = (
        f"{late} of {ranked.size} series alone {reach} beyond {_shown(others)}, up to {_shown(last)}: {names}{more}"
    )
    warning += f"; {judged}"
    return (others if moved else last), warning


def intervals(history: History, metric: str) -> NDArray[np.int64]:
    """Sampling interval of each repo for a metric.

    Returns
    -------
    ndarray of int64, shape (N,)
        Microseconds: the median distance of a repo's samples, or the metric's own with fewer than three of them.
    """
    common = history.interval(metric) or DAY
    steps = np.full(len(history.repos), common, dtype=np.int64)
    if metric not in history.metrics:
        return steps
    first, counts = history.first_series(metric), history.counts(metric)
    for position in np.flatnonzero(counts >= 3).tolist():
        times = history.cut(first + position)[0]
        if times[-1] - times[0] != common * (times.size - 1):
            steps[position] = int(np.median(np.diff(times)))
    return steps


def _usual_interval(history: History, filled: NDArray[np.int64]) -> int:
    """Median over series of the median distance of their samples; a day where no series has two."""
    steps = []
    for series in filled[:: max(filled.size // _SAMPLED, 1)]:
        times = history.cut(series)[0]
        if times.size > 1:
            steps.append(float(np.median(np.diff(times))))
    return int(np.median(steps)) if steps else timedelta(days=1) // timedelta(microseconds=1)


def _shown(micros: int) -> str:
    return f"{from_micros(micros):%Y-%m-%dT%H:%M:%SZ}"
