"""Plan of response: what is done first, by whom, by when, who is notified; one a run, quoted by every page.

Decided from the playbook, the causes found and, where there is one, the record of the incident. Where a change is the strong
cause, it is rolled back first; whoever was notified is not to be notified again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tars_lib.engines.alerts.report import AlertReport
from tars_lib.engines.queries.changes import changes_before
from tars_lib.engines.relations.correlation_report import CorrelationReport
from tars_lib.engines.relations.lead_lag_report import TemporalReport
from tars_lib.engines.sla.readiness import lasting
from tars_lib.engines.sla.report import SlaReport
from tars_lib.model.names import AlertSeverity, ClusterDirection, FactorKind, Severity
from tars_lib.model.organisation import OrgData, duration_text
from tars_lib.model.times import read_duration
from tars_lib.playbook.decision_tree import classify
from tars_lib.playbook.escalation import Escalation, Rung, escalate
from tars_lib.playbook.facts import BreachedSla, Facts, Status
from tars_lib.text.counts import and_more
from tars_lib.text.times import MINUTES

VERIFY = "Verify: "
"""What the check after the actions begins with, in `recommended_actions`."""
_IDLE = " without progress"


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody to notify, by which way and which rule, and when in words: "now", or "after 15 min without progress"."""

    who: str
    by: str
    rule: str
    due: str

    @property
    def is_due(self) -> bool:
        """Return whether it is due now."""
        return self.due == "now"


@dataclass(frozen=True, slots=True)
class ResponsePlan:
    """The response to what a run found.

    Attributes
    ----------
    verify : str
        What shows that they worked; empty where the playbook has nothing.
    clock : str
        Until when it is to be contained, in words: "within 15 minutes", "by 15:19 UTC"; empty where no time is set.
    recipients : tuple of Recipient
        Due ones first.
    notified : tuple of str
        Whom the record names as notified already.
    """

    first: str
    then: tuple[str, ...]
    verify: str
    owner: str
    severity: Severity
    clock: str
    recipients: tuple[Recipient, ...]
    notified: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Clock and first action: "Contain within 15 minutes: Roll back deploy 'x' of web"."""
        return f"Contain{f' {self.clock}' if self.clock else ''}: {self.first}"

    @property
    def notify(self) -> str:
        """Return who is notified now, who later, and who was."""
        now = ", ".join(recipient.who for recipient in self.recipients if recipient.is_due)
        later = "; ".join(
            f"{later.who} {later.due.removesuffix(_IDLE)}" for later in self.recipients if not later.is_due
        )
        sentences = [f"Notify now: {now}." if now else "", f"Without progress: {later}." if later else ""]
        sentences.append(f"Already notified: {', '.join(self.notified)}." if self.notified else "")
        return " ".join(filter(None, sentences))

    @property
    def text(self) -> str:
        """Return all but the title."""
        then = f"Then: {'; '.join(self.then)}. " if self.then else ""
        return f"{then}{self.notify}".strip()


def response_plan(
    org: OrgData,
    exit_code: int,
    sla: SlaReport,
    alerts: AlertReport,
    correlation: CorrelationReport,
    temporal: TemporalReport,
) -> ResponsePlan | None:
    """Decide the response to the finding that stands highest.

    Return None where nothing is to be contained.
    """
    actions = (
        _of_breach(sla) or _of_path(org, temporal) or _of_cluster(org, correlation, temporal) or _of_alerts(alerts)
    )
    if not actions:
        return None
    finding = classify([exit_code], are_ours=True)
    severity = min((breach.severity for breach in sla.breaches), default=finding.severity)
    if severity is None:
        return None
    doing = [action for action in actions if not action.startswith(VERIFY)]
    verify = next((action.removeprefix(VERIFY) for action in actions if action.startswith(VERIFY)), "")
    within = finding.contain_within
    return ResponsePlan(
        first=doing[0],
        then=tuple(doing[1:]),
        verify=verify,
        owner=_owner(org, sla),
        severity=severity,
        clock="" if within is None else f"within {round(within / timedelta(minutes=1))} minutes",
        recipients=_without_record(org, sla, severity, finding.incident_type),
    )


def with_record(
    plan: ResponsePlan, escalation: Escalation, actions: Sequence[str], due_at: datetime | None
) -> ResponsePlan:
    """Return the same plan as far as a record has come: what is still to be done, by when, and who is still to be notified.

    Parameters
    ----------
    actions : sequence of str
        Those of its checklist that stop the impact and are not done, begun ones first; empty: the plan's own stay.
    due_at : datetime or None
        When it is to be contained; None where it is, or no time is set.
    """
    return replace(
        plan,
        first=actions[0] if actions else plan.first,
        then=tuple(actions[1:3]) if actions else plan.then,
        clock="" if due_at is None else f"by {due_at:{MINUTES}}",
        recipients=(
            *(_recipient(rung, "now") for rung in escalation.due),
            *(_recipient(rung, f"at {rung.due_at:%H:%M} UTC{_IDLE}") for rung in escalation.upcoming),
        ),
        notified=tuple(dict.fromkeys(rung.contact for rung in escalation.told)),
    )


def _of_breach(sla: SlaReport) -> list[str]:
    return list(lasting(sla.breaches)[0].recommended_actions) if sla.breaches else []


def _of_path(org: OrgData, temporal: TemporalReport) -> list[str]:
    path = next((path for path in temporal.propagation_paths if path.is_active and path.is_declining), None)
    if path is None:
        return []
    step = read_duration(temporal.interval)
    back = [
        f"Roll back {event.kind} '{event.title}' of {event.repo}"
        for event in changes_before(org, path.path[:1], path.started_at, step)[:1]
    ]
    return [
        *back,
        f"Isolate {path.path[0]} from {and_more(path.path[1:])}",
        f"Freeze deployments to {and_more(path.path)}",
    ]


def _of_cluster(org: OrgData, correlation: CorrelationReport, temporal: TemporalReport) -> list[str]:
    anomalous = (cluster for cluster in correlation.clusters if cluster.is_anomalous)
    cluster = next((cluster for cluster in anomalous if cluster.direction is ClusterDirection.DECLINE), None)
    if cluster is None:
        return []
    step = read_duration(temporal.interval)
    back = [
        f"Roll back {event.kind} '{event.title}' of {event.repo}"
        for event in changes_before(org, cluster.repos, cluster.onset, step)[:1]
    ]
    shared = [
        f"Isolate {factor.factor}"
        for factor in cluster.common_factors
        if factor.kind is FactorKind.SHARED_INFRASTRUCTURE
    ][:1]
    return [*back, *shared, f"Freeze deployments to {and_more(cluster.repos)}"]


def _of_alerts(alerts: AlertReport) -> list[str]:
    return [f"Triage {alert.title}" for alert in alerts.alerts if alert.severity is AlertSeverity.CRITICAL][:1]


def _owner(org: OrgData, sla: SlaReport) -> str:
    """Return the team of the service that the first action is about; who is on call where it has none."""
    breach = lasting(sla.breaches)[0] if sla.breaches else None
    causes = () if breach is None else breach.root_causes
    name = causes[0].repo if causes else next(iter(() if breach is None else breach.repos), "")
    return next((repo.team for repo in org.repos if repo.repo == name), None) or "on-call engineer"


def _without_record(org: OrgData, sla: SlaReport, severity: Severity, incident_type: str) -> tuple[Recipient, ...]:
    """Return the escalation counted from the end of the data."""
    opened = sla.as_of
    affected = {repo for breach in sla.breaches for repo in breach.repos}
    facts = Facts(
        incident_id="",
        title=sla.risk_narrative.headline,
        severity=severity,
        incident_type=incident_type,
        status=Status.OPEN,
        opened_at=opened,
        slas=tuple(BreachedSla(breach.sla_id, breach.sla_id) for breach in sla.breaches),
        customer_impact=any(repo.customer_facing and repo.repo in affected for repo in org.repos),
    )
    escalation = escalate(facts, opened)
    return (
        *(_recipient(rung, "now") for rung in escalation.due),
        *(_recipient(rung, f"after {duration_text(rung.due_at - opened)}{_IDLE}") for rung in escalation.upcoming),
    )


def _recipient(rung: Rung, due: str) -> Recipient:
    return Recipient(rung.contact, " and ".join(rung.methods), rung.rule, due)
