"""What does a breach mean for the people who use the service: how many of their requests fail, and who of them sees it?"""

from __future__ import annotations

import math
from collections.abc import Iterable

from tars_lib.engines.sla.onset import Stretch
from tars_lib.engines.sla.report import UserImpact
from tars_lib.engines.sla.sli_course import levels
from tars_lib.model.history import to_micros
from tars_lib.model.organisation import OrgData
from tars_lib.model.slo import AnyPolicy, Track


def impact_of(
    org: OrgData, policy: AnyPolicy, track: Track, stretch: Stretch | None, service: str, breached: Iterable[str]
) -> UserImpact | None:
    """Count what failed in one service from the start of a breach to its last sample.

    Return None without a start.
    """
    if stretch is None:
        return None
    column = next(position for position, repo in enumerate(org.repos) if repo.repo == service)
    mine = track.alone(column)
    times, onset, until = mine.time, to_micros(stretch.start), to_micros(stretch.end)
    since = (times >= onset) & (times <= until)
    failed = requests = None
    before = during = math.nan
    if policy.adds_up and mine.total is not None:
        failed = round(float(mine.value[since].sum()))
        requests = round(float(mine.total[since].sum()))
    else:
        before, during = levels(times, policy.course(mine), onset, until)
    facing = {repo.repo for repo in org.repos if repo.customer_facing}
    return UserImpact(
        repo=service,
        metric=policy.subject,
        failed=failed,
        requests=requests,
        before=None if math.isnan(before) else before,
        during=None if math.isnan(during) else during,
        unit=policy.unit,
        customers=tuple(repo for repo in dict.fromkeys((*breached, service)) if repo in facing),
    )
