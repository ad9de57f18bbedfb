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
    return tuple(_facts(incident, number) for number, incident in enumerate(incidents, start=1))


def _facts(incident: PastIncident, number: int) -> Facts:
    status = Status.OPEN if incident.acknowledged is None else Status.ACKNOWLEDGED
    cause = Cause(incident.title, incident.source, repo=incident.repo, metric=incident.title) if incident.repo else None
    return Facts(
        incident_id=f"{incident.source or 'incidents.csv'}:{incident.ref or number}",
        title=incident.title,
        severity=Severity.SEV_3 if incident.severity is None else _SEVERITY[incident.severity],
        incident_type="past incident",
        status=Status.RESOLVED if incident.resolved is not None else status,
        opened_at=incident.detected,
        started_at=incident.started,
        detected_at=incident.detected,
        acknowledged_at=incident.acknowledged,
        resolved_at=incident.resolved,
        causes=() if cause is None else (cause,),
    )
