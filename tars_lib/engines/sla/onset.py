"""When did a breach begin, and where did it hurt most?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from tars_lib.engines.sla.sli import Measurement
from tars_lib.model.history import from_micros, to_micros
from tars_lib.model.slo import AnyPolicy, Track

Floats = NDArray[np.float64]
CHANCE = 0.05
"""Chance of a lull at which a breach is no longer called over; judgement: the usual level."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """The stretch of samples in which the budget was burnt; `began_before`: it reaches back to the first sample there is."""

    start: datetime
    end: datetime
    began_before: bool
    is_over: bool


def burning_stretch(policy: AnyPolicy, track: Track, measured: Measurement, column: int | None) -> Stretch | None:
    """Find the stretch that did the most harm: the contiguous run with the largest sum of excess over the objective.

    It is looked for in the deciding window and followed back, also beyond it, so that a breach older than its window or
    interrupted for a while is dated too. For a ratio a sample's excess is its bad events less those that the
    objective allows; for a metric its distance beyond the objective (largest-sum contiguous run: Kadane's algorithm).

    Parameters
    ----------
    policy, track, measured
        The SLA, its samples and the deciding window.
    column : int or None
        Repo by position; None for the whole organisation.

    Returns
    -------
    Stretch or None
        None where no sample is beyond the objective.
    """
    track = track.alone(column)
    times, excess = excess_series(policy, track, column)
    known = times <= to_micros(measured.end)
    times, excess = times[known], excess[known]
    opening = int(np.searchsorted(times, to_micros(measured.start)))
    if not (excess[opening:] > 0).any():
        return None
    first, final = (opening + position for position in largest_sum(excess[opening:]))
    first -= _still_beyond(excess[:first], longest=(final + 1 - first) // 2)
    first += _quiet_head(excess[first : final + 1])
    return Stretch(
        from_micros(int(times[first])),
        from_micros(int(times[final])),
        began_before=first == 0,
        is_over=final < times.size - 1
        and bool((excess[final + 1 :] <= 0).all())
        and _could_have_shown(policy, track, column, int(times[first]), int(times[final]), to_micros(measured.end)),
    )


def _could_have_shown(policy: AnyPolicy, track: Track, column: int | None, first: int, final: int, end: int) -> bool:
    """Return whether enough events came since to show a failure, had it lasted: one good request ends no outage.

    With the share p that failed in the breach, n good events in a row have the chance (1 - p)^n while it lasts. A metric
    without counts has no n: its first sample within the objective counts.
    """
    if not policy.adds_up:
        return True
    events = bad = after = 0.0
    for _, part in track.alone(column).parts():
        time, total = part.time, part.total
        if total is None:
            return True
        judged = ~part.says_nothing if column is None else np.ones(time.size, dtype=bool)
        during = judged & (time >= first) & (time <= final)
        events, bad = events + float(total[during].sum()), bad + float(part.value[during].sum())
        after += float(total[judged & (time > final) & (time <= end)].sum())
    share = bad / events if events > 0 else 0.0
    return share <= 0.0 or share >= 1.0 or (1.0 - share) ** after <= CHANCE


def excess_series(policy: AnyPolicy, track: Track, column: int | None) -> tuple[NDArray[np.int64], Floats]:
    """Measure how far each sample is beyond the objective: times (n,) and excess (n,), positive where it is beyond.

    Samples in maintenance windows are left out, as in the verdict.
    """
    mine = track.alone(column)
    chosen = ~mine.says_nothing if column is None else ~mine.planned
    times, excess = mine.time[chosen], policy.excess(mine)[chosen]
    half = mine.half
    if half is not None and half.time.size and policy.adds_up:
        # what is bad in every completion is harm, though one of the two counts is absent
        harm = (half.best_bad - policy.allowed * half.best_total) * half.weight
        surely = harm > 0
        times, excess = np.concatenate((times, half.time[surely])), np.concatenate((excess, harm[surely]))
        order = np.argsort(times, kind="stable")
        times, excess = times[order], excess[order]
    if column is not None:
        return times, excess
    moments, which = np.unique(times, return_inverse=True)
    return moments, np.bincount(which, weights=excess, minlength=moments.size).astype(np.float64)


def _quiet_head(run: Floats) -> int:
    """Count the samples at the head of a run that are noise before the harm proper.

    A run with the largest sum also takes in whatever little lies beyond the objective just before it. Against half of the
    run's own mean harm only the harm proper still counts; a break within it counts as no harm, however good it was.
    """
    harm = np.maximum(run, 0.0)
    return largest_sum(harm - 0.5 * float(harm.mean()))[0] if run.size else 0


def _still_beyond(earlier: Floats, longest: int) -> int:
    """Count the samples just before a run that belong to its breach: while most of them are beyond, however far.

    Counting samples instead of amounts keeps a large incident of long ago out of it, and so does a break of more than
    `longest` samples: half of the run itself (judgement), so that short dips part nothing.
    """
    beyond = earlier[::-1] > 0
    steps = np.cumsum(np.where(beyond, 1, -1))
    quiet = np.arange(1, beyond.size + 1) - np.maximum.accumulate(np.where(beyond, np.arange(1, beyond.size + 1), 0))
    broken = np.flatnonzero(quiet > longest)
    steps = steps[: int(broken[0])] if broken.size else steps
    best = int(np.argmax(steps)) if steps.size else 0
    return best + 1 if steps.size and steps[best] > 0 else 0


def largest_sum(values: Floats) -> tuple[int, int]:
    """Return the first and last position of the contiguous run with the largest sum.

    Examples
    --------
    >>> largest_sum(np.array([-1.0, 2.0, 3.0, -4.0, 1.0]))
    (1, 2)
    >>> largest_sum(np.array([0.0, 0.0, 3.0, 0.0]))
    (2, 2)
    """
    sums = np.concatenate(([0.0], np.cumsum(values)))
    lowest = np.minimum.accumulate(sums[:-1])
    final = int(np.argmax(sums[1:] - lowest))
    # the last of equal minima: samples that add nothing are not part of the run
    first = final - int(np.argmin(sums[: final + 1][::-1]))
    return first, final
