"""How did each SLA do in the past, window by window?

The judge is asked again as of the end of every whole window before now, with what was known then: the same rules, the same
coverage, the same scopes. A window that it cannot tell is NaN, never kept and never missed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime, timedelta

import numpy as np

from tars_lib.engines.sla.sli import read_track
from tars_lib.engines.sla.verdict import Verdict, judge
from tars_lib.model.history import from_micros
from tars_lib.model.names import SlaStatus
from tars_lib.model.organisation import OrgData
from tars_lib.model.slo import AnyPolicy
from tars_lib.model.times import read_zone
from tars_lib.playbook.documents.tickets import SloPast

MAX_WINDOWS = 60
"""Windows judged for one SLA. Of a window of minutes there are thousands, of which every so many-th is taken; judgement."""
_INSTANT = timedelta(microseconds=1)


def past_windows(org: OrgData, as_of: datetime) -> tuple[SloPast, ...]:
    """Return the SLI of every SLA over its past whole windows.

    Parameters
    ----------
    as_of : datetime
        UTC. A day or a calendar period that is not over yet is left out.

    Returns
    -------
    tuple of SloPast
        In the order of the policies. Values are oldest first; where the SLA was missed the value is that of the worst scope (a
        repo, or the organisation), so a level that it reached was reached everywhere. NaN where the window could not be judged.
    """
    return tuple(_past(org, policy, as_of) for policy in org.policies)


def _past(org: OrgData, policy: AnyPolicy, as_of: datetime) -> SloPast:
    ends = _ends(org, policy, as_of)
    values = [_value(judge(org.at(end)[0], policy, end, (), look_ahead=False)) for end in ends]
    span = ends[-1] - ends[0] + policy.window.length if ends else timedelta()
    return SloPast(
        policy.sla_id,
        policy.objective,
        policy.higher_is_better,
        tuple(values),
        policy.unit,
        str(policy.window),
        span / timedelta(days=policy.period_days),
    )


def _value(verdict: Verdict) -> float:
    result = verdict.result
    if result.status is SlaStatus.UNKNOWN or result.value is None:
        return math.nan
    missed = [judged.value for judged in verdict.breached if judged.value is not None]
    return max(missed, key=verdict.policy.beyond) if missed else result.value


def _ends(org: OrgData, policy: AnyPolicy, as_of: datetime) -> list[datetime]:
    """Ends of the whole windows that the history holds, oldest first; thinned evenly where there are many."""
    track = read_track(org, policy)
    earliest = None if track is None else track.rows.earliest
    if track is None or earliest is None:
        return []
    step = timedelta(microseconds=int(np.median(track.step)))
    # a sample stands for the time up to the next one, so a window may begin just before the first
    first = from_micros(earliest) - step
    ends = list(_walk(policy, first, as_of, step))
    return ends[:: math.ceil(len(ends) / MAX_WINDOWS) or 1][::-1]


def _walk(policy: AnyPolicy, first: datetime, as_of: datetime, step: timedelta) -> Iterator[datetime]:
    window, zone = policy.window, read_zone(policy.time_zone)
    end = as_of
    start, _, is_partial = window.span(end, zone, step)
    if is_partial:
        # the present calendar period is not over
        end = start - _INSTANT
        start = window.span(end, zone, step)[0]
    # a rolling window does not hold its start, a calendar window does
    while start > first or (start == first and not window.anchor):
        yield end
        end = start - _INSTANT if window.anchor else start
        start = window.span(end, zone, step)[0]
