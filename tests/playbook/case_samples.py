"""An incident whose facts are all known, to be altered by the tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tars_lib.model.names import CauseType, ContainmentType, Severity
from tars_lib.playbook.facts import (
    ActionItem,
    AffectedRepo,
    BreachedSla,
    Cause,
    Facts,
    Status,
    TakenAction,
    TimelineRow,
)

OPENED = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script> **b** [x](http://e) `$(rm -rf /)` | a\nb\r\x1b[31m \u202egpj.exe"


def at(minutes: float) -> datetime:
    """A time, in minutes since the sample incident was opened."""
    return OPENED + timedelta(minutes=minutes)


CAUSE = Cause(
    "api: error rate 4x its own past",
    "tars-run-20260105-143000",
    cause_type=CauseType.REPO_DEGRADATION,
    repo="api",
    metric="error_rate",
    confidence=0.82,
    containment_type=ContainmentType.SINGLE_REPO_DEGRADATION,
)
BARE = Facts("INC-202601051430", "Checkout fails", Severity.SEV_1, "SLA Breach", Status.OPEN, OPENED)
FULL = Facts(
    incident_id="INC-202601051430",
    title="Checkout fails",
    severity=Severity.SEV_1,
    incident_type="SLA Breach",
    status=Status.RESOLVED,
    opened_at=OPENED,
    started_at=at(-20),
    detected_at=at(-4),
    acknowledged_at=at(2),
    mitigated_at=at(12),
    resolved_at=at(95),
    sla_restored_at=at(80),
    progress_at=(at(8), at(12), at(40), at(60), at(85)),
    data_until=at(90),
    slas=(BreachedSla("availability", "Availability", "availability", 0.9951, 0.999, "ratio", 1.6),),
    repos=(AffectedRepo("web", "Web shop", "storefront", True, 55.0), AffectedRepo("api", "API", "core", False, 48.0)),
    causes=(CAUSE,),
    customer_impact=True,
    data_loss_risk=False,
    regulatory_impact=False,
    actions=(TakenAction("Freeze deployments to api", at(10), "core"),),
    timeline=(
        TimelineRow(at(2), "Acknowledged", "register"),
        TimelineRow(at(-20), "availability left its objective", "run tars-run-20260105-143000"),
    ),
    action_items=(ActionItem("Add a canary", "core", at(14 * 1440)), ActionItem("Test the breaker")),
)
