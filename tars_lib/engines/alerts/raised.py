"""An alert as its detector raises it, before storms are compressed and priorities are given; and how it becomes one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from tars_lib.engines.alerts.report import Alert, AlertMember, OverdueRung
from tars_lib.files.json_records import time_text
from tars_lib.files.reading import sha256_hex
from tars_lib.model.names import AlertImpact, AlertSeverity, AlertType, Repo

SEVERITY_ORDER = tuple(AlertSeverity)
IMPACT_ORDER = tuple(AlertImpact)
NEVER = datetime.max.replace(tzinfo=UTC)
_SAID = "the incident's record says so"
_WHY_IMPACT = {
    AlertImpact.CUSTOMER_FACING: "customer facing ({})",
    AlertImpact.DATA_INTEGRITY: "the numbers themselves are in doubt",
    AlertImpact.PERFORMANCE: "performance of an internal service",
    AlertImpact.OTHER: "no sign that customers, data or performance are affected",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """One alert of one detector.

    `why` explains the severity. `concern` is the impact where no customer-facing repo is among `repos`. `key` tells
    apart what one source raises more than once for one repo, such as the title of an artefact's alert.
    """

    type: AlertType
    source: str
    severity: AlertSeverity
    title: str
    message: str
    repos: tuple[str, ...]
    root: str | None
    first_seen: datetime | None
    last_seen: datetime | None
    why: str
    concern: AlertImpact = AlertImpact.PERFORMANCE
    metric: str | None = None
    value: float | None = None
    threshold: float | None = None
    unit: str = ""
    key: str = ""
    members: tuple[AlertMember, ...] = ()
    escalation: OverdueRung | None = None

    @property
    def fingerprint(self) -> str:
        """Stable over runs: from type, source, metric, key and root."""
        parts = (self.type.value, self.source, self.metric or "", self.key, self.root or "")
        return sha256_hex("\0".join(parts).encode())[:16]

    @property
    def member(self) -> AlertMember:
        """Return what it is as a line of a compressed alert."""
        return AlertMember(self.root or "", self.severity, self.value, self.first_seen)


def publish(raised: Iterable[Raised], repos: tuple[Repo, ...]) -> tuple[Alert, ...]:
    """Give impact and priority: customer facing, data integrity, performance, other; then severity, tier, age and name."""
    facing = {repo.repo for repo in repos if repo.customer_facing}
    tiers = {repo.repo: repo.tier for repo in repos if repo.tier is not None}
    judged = [(alert, _impact(alert, facing)) for alert in raised]
    judged.sort(key=lambda entry: _rank(entry[0], entry[1], tiers))
    return tuple(_alert(alert, impact, n, facing) for n, (alert, impact) in enumerate(judged, start=1))


def _impact(alert: Raised, facing: set[str]) -> AlertImpact:
    if alert.concern is not AlertImpact.DATA_INTEGRITY and facing.intersection(alert.repos):
        return AlertImpact.CUSTOMER_FACING
    return alert.concern


def _rank(alert: Raised, impact: AlertImpact, tiers: Mapping[str, int]) -> tuple[int, int, float, datetime, str, str]:
    return (
        IMPACT_ORDER.index(impact),
        SEVERITY_ORDER.index(alert.severity),
        min((tiers[repo] for repo in alert.repos if repo in tiers), default=math.inf),
        alert.first_seen or NEVER,
        alert.root or alert.source,
        alert.fingerprint,
    )


def _alert(alert: Raised, impact: AlertImpact, priority: int, facing: set[str]) -> Alert:
    began = "" if alert.first_seen is None else time_text(alert.first_seen)
    identity = sha256_hex(f"{alert.fingerprint}\0{began}".encode())[:12]
    named = ", ".join(sorted(facing.intersection(alert.repos))[:3])
    return Alert(
        alert_id=f"alert-{identity}",
        fingerprint=alert.fingerprint,
        type=alert.type,
        source=alert.source,
        severity=alert.severity,
        title=alert.title,
        message=alert.message,
        repos=tuple(sorted(alert.repos)),
        root=alert.root,
        metric=alert.metric,
        value=alert.value,
        threshold=alert.threshold,
        unit=alert.unit,
        first_seen=alert.first_seen,
        last_seen=alert.last_seen,
        impact=impact,
        priority=priority,
        reason=f"{alert.severity}: {alert.why}; priority {priority}: {_WHY_IMPACT[impact].format(named or _SAID)}",
        members=alert.members,
        escalation=alert.escalation,
    )
