"""Alerts that repos' own artefacts hold: carried in, and told of as overdue where nobody can have answered in time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from tars_lib.engines.alerts.raised import SEVERITY_ORDER, Raised
from tars_lib.model.names import AlertImpact, AlertSeverity, AlertType, ReportedAlert, Severity, read_severity
from tars_lib.model.organisation import OrgData, duration_text
from tars_lib.playbook.packaged import packaged
from tars_lib.text.times import MINUTES

UNTITLED = "alert without a title"


@dataclass(frozen=True, slots=True)
class _Carried:
    """Alerts of one repo with one title: one occurrence, however often the artefact lists it."""

    repo: str
    title: str
    alerts: tuple[ReportedAlert, ...]


def carried(org: OrgData, as_of: datetime) -> Iterator[Raised]:
    """Yield the alerts of the artefacts that `OrgData.at` left: those that were known at its time.

    A CRITICAL one that has been open for longer than the first rung of the playbook's escalation matrix (15 minutes) is
    an ESCALATION_TIMEOUT, in place of itself; any other is a HEALTH_DEGRADATION of its repo. One without a time has no
    age.
    """
    groups: dict[tuple[str, str], list[ReportedAlert]] = {}
    for alert in org.reported_alerts:
        groups.setdefault((alert.repo, alert.title), []).append(alert)
    for (repo, title), alerts in sorted(groups.items()):
        yield _raise(_Carried(repo, title, tuple(alerts)), as_of)


def _raise(group: _Carried, as_of: datetime) -> Raised:
    read = [(read_severity(alert.severity), alert) for alert in group.alerts]
    severity = min((known or AlertSeverity.MEDIUM for known, _ in read), key=SEVERITY_ORDER.index)
    why = f"the artefact says {group.alerts[0].severity}" if len(group.alerts) == 1 else f"the artefact says {severity}"
    strange = sorted({alert.severity for known, alert in read if known is None})
    if strange and severity is AlertSeverity.MEDIUM:
        why = f"severity {', '.join(strange)} is not known, read as MEDIUM"
    # only critical alerts escalate: the clock starts with the first of them
    times = sorted(
        alert.timestamp
        for known, alert in read
        if alert.timestamp is not None and (known or AlertSeverity.MEDIUM) is severity
    )
    first = times[0] if times else None
    often = f", listed {len(group.alerts)} times" if len(group.alerts) > 1 else ""
    opened = "at an unknown time" if first is None else f"{first:{MINUTES}}"
    message = f"{group.repo}: {group.title or UNTITLED}; found in its artefacts, opened {opened}{often}"
    kind = AlertType.HEALTH_DEGRADATION
    if severity is AlertSeverity.CRITICAL and first is not None and as_of - first >= packaged().escalation_after[1]:
        kind = AlertType.ESCALATION_TIMEOUT
        rung = max(n for n, after in enumerate(packaged().escalation_after) if as_of - first >= after)
        contact = packaged().severity(Severity.SEV_1).escalation[rung]
        message += f"; still critical after {duration_text(as_of - first)}, so by now with: {contact}"
        why += f", open for longer than {duration_text(packaged().escalation_after[rung])}"
    return Raised(
        type=kind,
        source="artefact",
        severity=severity,
        title=group.title or UNTITLED,
        message=message + ".",
        repos=(group.repo,),
        root=group.repo,
        first_seen=first,
        last_seen=as_of if first is None else max(as_of, first),
        why=why,
        concern=AlertImpact.OTHER,
        key=group.title,
    )
