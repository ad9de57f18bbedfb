"""Course of an SLA's error budget over its window, sample by sample: for those who draw it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from tars_lib.engines.sla.report import ComplianceResult
from tars_lib.engines.sla.sli import in_scope, measure, read_track
from tars_lib.model.organisation import OrgData
from tars_lib.model.slo import Track, summed_by_time

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Spending:
    """The budget of the deciding scope over the SLA's own window.

    Attributes
    ----------
    start, end : datetime
        The window, UTC; `end` is `as_of`.
    times : ndarray of int64, shape (n,)
        Microseconds since the epoch, ascending, each once.
    remaining : ndarray of float64, shape (n,)
        Share of the budget that is left after the samples of each time: from 1 down, negative once overspent. The last
        is 1 less the `consumed_share` of the verdict.
    """

    start: datetime
    end: datetime
    times: NDArray[np.int64]
    remaining: Floats

    @property
    def spent_at(self) -> int | None:
        """Return the time (microseconds) of the first sample after which nothing was left; None where something is."""
        gone = np.flatnonzero(self.remaining < 0)
        return int(self.times[gone[0]]) if gone.size else None


def spending(org: OrgData, result: ComplianceResult, as_of: datetime) -> Spending | None:
    """Return the course of the budget that `result` reports the end of.

    The budget is that of all events in the window, so a straight line from 1 to 0 spends exactly what is allowed.

    Return None for an SLI without a budget, an objective that allows nothing, or a window without samples.
    """
    policy = org.policy(result.sla_id)
    track = None if policy is None else read_track(org, policy)
    if policy is None or track is None or result.error_budget is None:
        return None
    spent = policy.spent(track.part(0, 0))
    if spent is None or spent[2] <= 0:
        return None
    measured = measure(org, policy, track, policy.window, as_of)
    judged = in_scope(org, policy, track)
    if result.scope is not None:
        judged &= np.array([repo.repo == result.scope for repo in org.repos], dtype=bool)

    def kept(place: slice, part: Track) -> tuple[NDArray[np.int64], Floats, Floats]:
        mine, own = measured.keep[place] & judged[part.column], policy.spent(part) or spent
        return part.time[mine], own[0][mine], own[1][mine]

    times, bad, weight = summed_by_time(kept(place, part) for place, part in track.parts())
    total = float(weight.sum())
    if not total > 0:
        return None
    spent_share = np.cumsum(bad) / (spent[2] * total)
    return Spending(measured.start, measured.end, times, 1.0 - spent_share)
