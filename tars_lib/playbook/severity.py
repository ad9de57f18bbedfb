"""The playbook's severities: how fast to respond, and how fast to contain each type of incident."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

from tars_lib.schema import Severity


@dataclass(frozen=True, slots=True)
class SeverityRow:
    """A row of the severity table. `respond_within` is None for the next business day."""

    severity: Severity
    description: str
    respond_within: timedelta | None
    response_time: str
    escalation: tuple[str, ...]


_ROWS = (
    SeverityRow(
        Severity.SEV_1,
        "Critical - Business impact",
        timedelta(minutes=15),
        "15 minutes",
        ("On-call engineer", "Team lead", "Engineering manager", "VP Engineering"),
    ),
    SeverityRow(
        Severity.SEV_2,
        "High - Degradation",
        timedelta(hours=1),
        "1 hour",
        ("On-call engineer", "Team lead", "Engineering manager"),
    ),
    SeverityRow(Severity.SEV_3, "Medium - Anomaly", timedelta(hours=4), "4 hours", ("On-call engineer", "Team lead")),
    SeverityRow(Severity.SEV_4, "Low - Informational", None, "Next business day", ("Create ticket",)),
)

SEVERITIES = MappingProxyType({row.severity: row for row in _ROWS})
"""The four severities with response times and the rungs of the escalation matrix (at once, 15 min, 30 min, 1 hour)."""

ESCALATION_AFTER = (timedelta(0), timedelta(minutes=15), timedelta(minutes=30), timedelta(hours=1))
"""When each rung of the escalation matrix is reached without progress."""
