"""Which changes came shortly before an onset, so that they are the first to be rolled back?"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from tars_lib.model.names import Event
from tars_lib.model.organisation import OrgData

REACH = timedelta(days=1)
"""Changes so long before an onset are candidates for a rollback; judgement."""
REACH_SAMPLES = 3
"""...or so many samples, where they are further apart; judgement."""


def changes_before(org: OrgData, repos: Iterable[str], onset: datetime | None, step: timedelta) -> list[Event]:
    """Deploys and other changes of these repos in the day, or the three samples, before an onset; the latest first."""
    if onset is None:
        return []
    first = onset - max(REACH, REACH_SAMPLES * step)
    wanted = set(repos)
    # the onset is known to the sample, so that a change within it may be its cause
    near = [e for e in org.changes() if e.repo in wanted and first <= e.timestamp <= onset + step]
    return sorted(near, key=lambda event: (event.timestamp, event.repo or ""), reverse=True)
