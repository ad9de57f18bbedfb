"""Incidents that other systems kept, as the facts that the playbook's metrics are measured on."""

from __future__ import annotations

from collections.abc import Sequence

from tars_lib.model.names import AlertSeverity, PastIncident, Severity
from tars_lib.playbook.facts import Cause, Facts, Status

_SEVERITY = {
    AlertSeverity.CRITICAL: Severity.SEV_1,
    AlertSeverity.HIGH: Severity.SEV_2,
    AlertSeverity.MEDIUM: Severity.SEV_3,
    AlertSeverity.LOW: Severity.SEV_4,
}
SAME_CAUSE = "of imported incidents, those of one service with one title count as of one cause"
"""What a recurrence is where no root cause was recorded; judgement: alerts of one rule have one title."""


def facts_of_past(incidents: Sequence[PastIncident]) -> tuple[Facts, ...]:
    """Past incidents as facts.

    One without a repo has no cause that could come again. A severity that is not known is taken as SEV-3; no metric looks at
    it.
    """
    return tuple(_facts(one, number) for number, one in enumerate(incidents, start=1))


def _facts(one: PastIncident, number: int) -> Facts:
    status = Status.OPEN if one.acknowledged is None else Status.ACKNOWLEDGED
    cause = Cause(one.title, one.source, repo=one.repo, metric=one.title) if one.repo else None
    return Facts(
        incident_id=f"{one.source or 'incidents.csv'}:{one.ref or number}",
        title=one.title,
        severity=Severity.SEV_3 if one.severity is None else _SEVERITY[one.severity],
        incident_type="past incident",
        status=Status.RESOLVED if one.resolved is not None else status,
        opened_at=one.detected,
        started_at=one.started,
        detected_at=one.detected,
        acknowledged_at=one.acknowledged,
        resolved_at=one.resolved,
        causes=() if cause is None else (cause,),
    )
