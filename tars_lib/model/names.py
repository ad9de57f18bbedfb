"""Vocabulary of this package: enumerations, and the parts of an organisation.

Every enumeration that carries a verdict has `UNKNOWN`. Values are upper case on output and read in any case.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Self

from tars_lib.errors import InputError
from tars_lib.model.metrics import Metric
from tars_lib.model.recurrence import Recurring


class Name(StrEnum):
    """Base of the enumerations: reads any letter case, and says what is allowed."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a member from text in any letter case.

        Raises
        ------
        InputError
            If the text names no member; the message lists those that exist.

        Examples
        --------
        >>> SlaStatus.parse("breached")
        <SlaStatus.BREACHED: 'BREACHED'>
        """
        try:
            return cls(str(text).strip().upper())
        except ValueError as error:
            allowed = ", ".join(member.value for member in cls)
            raise InputError(f"{text!r} is not a {cls.__name__}; allowed: {allowed}") from error


class HealthStatus(Name):
    """Traffic light of a repo's score: GREEN >= 80, YELLOW >= 60, RED below."""

    GREEN = "GREEN"
    YELLOW = "YELLOW"
    RED = "RED"
    UNKNOWN = "UNKNOWN"


class RiskTier(Name):
    """Risk tier of a score: LOW >= 80, MEDIUM >= 60, HIGH >= 40, CRITICAL below."""

    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"
    CRITICAL = "CRITICAL"
    UNKNOWN = "UNKNOWN"


class Trend(Name):
    """Direction of a series in terms of health, not of the number's sign."""

    IMPROVING = "IMPROVING"
    STABLE = "STABLE"
    DECLINING = "DECLINING"
    UNKNOWN = "UNKNOWN"


class SlaStatus(Name):
    """Verdict on an SLA or on one of its windows."""

    COMPLIANT = "COMPLIANT"
    AT_RISK = "AT_RISK"
    BREACHED = "BREACHED"
    UNKNOWN = "UNKNOWN"


class Severity(Name):
    """Severity of an incident, as the playbook defines it."""

    SEV_1 = "SEV-1"
    SEV_2 = "SEV-2"
    SEV_3 = "SEV-3"
    SEV_4 = "SEV-4"


class ReadinessTier(Name):
    """Executive readiness, as a traffic light."""

    GREEN = "GREEN"
    YELLOW = "YELLOW"
    RED = "RED"
    UNKNOWN = "UNKNOWN"


class CauseType(Name):
    """Kind of finding that a root cause rests on."""

    REPO_DEGRADATION = "REPO_DEGRADATION"
    CORRELATION_CLUSTER = "CORRELATION_CLUSTER"
    PROPAGATION_PATH = "PROPAGATION_PATH"
    ALERT_PATTERN = "ALERT_PATTERN"
    CHANGE_EVENT = "CHANGE_EVENT"


class ContainmentType(Name):
    """The four rows of the playbook's containment table."""

    SINGLE_REPO_DEGRADATION = "SINGLE_REPO_DEGRADATION"
    CASCADING_FAILURE = "CASCADING_FAILURE"
    INFRASTRUCTURE_ISSUE = "INFRASTRUCTURE_ISSUE"
    EXTERNAL_DEPENDENCY = "EXTERNAL_DEPENDENCY"


class AlertType(Name):
    """Kind of trouble that an alert tells of: the playbook's four groups, and data that cannot be trusted."""

    HEALTH_DEGRADATION = "HEALTH_DEGRADATION"
    SLO_VIOLATION = "SLO_VIOLATION"
    TREND_ANOMALY = "TREND_ANOMALY"
    ESCALATION_TIMEOUT = "ESCALATION_TIMEOUT"
    DATA_INTEGRITY = "DATA_INTEGRITY"


class AlertSeverity(Name):
    """Urgency of an alert, most urgent first."""

    CRITICAL = "CRITICAL"
    HIGH = "HIGH"
    MEDIUM = "MEDIUM"
    LOW = "LOW"


# Opsgenie's P1 to P5 (https://docs.opsgenie.com/docs/alert-priority), PagerDuty's severities
# (https://support.pagerduty.com/main/docs/dynamic-notifications), Zabbix's; a page wakes a person, a ticket does not
# (https://sre.google/sre-book/practical-alerting/). Judgement where tools differ.
_WORDS = {
    AlertSeverity.CRITICAL: "CRITICAL CRIT FATAL EMERGENCY BLOCKER DISASTER URGENT PAGE SEV0 SEV1 P0 P1",
    AlertSeverity.HIGH: "HIGH ERROR MAJOR SEV2 P2",
    AlertSeverity.MEDIUM: "MEDIUM WARNING WARN MODERATE AVERAGE TICKET SEV3 P3",
    AlertSeverity.LOW: "LOW INFO INFORMATION INFORMATIONAL NOTICE MINOR NONE DEBUG SEV4 SEV5 P4 P5",
}
_SEVERITIES = {word: severity for severity, spellings in _WORDS.items() for word in spellings.split()}
_BETWEEN = re.compile(r"[-_\s]+")


def read_severity(word: str) -> AlertSeverity | None:
    """Severity that a word of a monitoring tool stands for, None for a word that is not known.

    Examples
    --------
    >>> read_severity("warning"), read_severity("Sev-1"), read_severity("page")
    (<AlertSeverity.MEDIUM: 'MEDIUM'>, <AlertSeverity.CRITICAL: 'CRITICAL'>, <AlertSeverity.CRITICAL: 'CRITICAL'>)
    """
    return _SEVERITIES.get(_BETWEEN.sub("", word.strip().upper()))


class AlertImpact(Name):
    """Whom or what an alert concerns, in the playbook's order of priority."""

    CUSTOMER_FACING = "CUSTOMER_FACING"
    DATA_INTEGRITY = "DATA_INTEGRITY"
    PERFORMANCE = "PERFORMANCE"
    OTHER = "OTHER"


class FactorKind(Name):
    """Kind of thing that the members of a cluster have in common, in the playbook's words."""

    SHARED_DEPENDENCY = "SHARED_DEPENDENCY"
    SHARED_INFRASTRUCTURE = "SHARED_INFRASTRUCTURE"
    SHARED_TEAM = "SHARED_TEAM"
    CHANGE_EVENT = "CHANGE_EVENT"
    EXTERNAL = "EXTERNAL"


class ClusterDirection(Name):
    """Direction of the health of a cluster's members."""

    DECLINE = "DECLINE"
    IMPROVEMENT = "IMPROVEMENT"
    MIXED = "MIXED"
    UNKNOWN = "UNKNOWN"


class ClusterEvidence(Name):
    """Evidence that joins the repos of a cluster."""

    CORRELATION = "CORRELATION"
    LEAD_LAG = "LEAD_LAG"
    JOINT_CHANGE = "JOINT_CHANGE"


class LeadEvidence(Name):
    """Evidence that one repo moves before another: their whole course, or changes in order."""

    LEAD_LAG = "LEAD_LAG"
    CHANGE_ORDER = "CHANGE_ORDER"


class InfluenceClass(Name):
    """Role of a repo: it leads others, follows others, both or neither."""

    LEADER = "LEADER"
    FOLLOWER = "FOLLOWER"
    BIDIRECTIONAL = "BIDIRECTIONAL"
    INDEPENDENT = "INDEPENDENT"


class TemporalAnomalyType(Name):
    """Unusual thing in how trouble travels."""

    RAPID_PROPAGATION = "RAPID_PROPAGATION"
    LEADER_DETERIORATION = "LEADER_DETERIORATION"
    SYSTEMIC_PROPAGATION = "SYSTEMIC_PROPAGATION"
    SYNCHRONISED_LAG = "SYNCHRONISED_LAG"


@dataclass(frozen=True, slots=True)
class Repo:
    """One repo (service) of the organisation, as `org.yaml` or its artefacts describe it.

    `shares` names infrastructure used together with others (a database, a queue); `external` marks what somebody else
    runs; `tier` 1 is the most important, None where nobody said; `quiet` marks one that is expected to have no traffic for a
    time.
    """

    repo: str
    name: str
    team: str | None = None
    tags: tuple[str, ...] = ()
    customer_facing: bool = False
    tier: int | None = None
    external: bool = False
    shares: tuple[str, ...] = ()
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Dependency:
    """A call: `caller` needs `callee`. In files the keys are ``from`` and ``to``."""

    caller: str = field(metadata={"key": "from"})
    callee: str = field(metadata={"key": "to"})


@dataclass(frozen=True, slots=True)
class Event:
    """A change or an announcement: deploy, config, incident, maintenance, ...

    Times are UTC. `until` is None for an event without a duration. `repo` is None where it concerns all.
    """

    timestamp: datetime
    repo: str | None
    kind: str
    title: str
    ref: str | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class PastIncident:
    """An incident that another system kept, as a row of `incidents.csv` holds it.

    Times are UTC. `started` is when the harm began, `detected` when somebody or something noticed, which every incident has;
    the other times are None where the system does not say, `resolved` also while the incident lasts. `repo` is None where it
    is not known or concerns all. `source` names the system, `ref` the incident there.
    """

    detected: datetime
    title: str
    source: str
    ref: str | None = None
    repo: str | None = None
    severity: AlertSeverity | None = None
    started: datetime | None = None
    acknowledged: datetime | None = None
    resolved: datetime | None = None


@dataclass(frozen=True, slots=True)
class ReportedAlert:
    """An alert found in a repo's own artefacts."""

    repo: str
    severity: str
    title: str
    timestamp: datetime | None


COMPARISONS = (">", ">=", "<", "<=")
"""How a rule compares a metric with its threshold."""


@dataclass(frozen=True, slots=True)
class AlertRule:
    """A rule of the user's own, from `alerts.yaml`.

    A repo's metric that compares with `threshold` (in the metric's unit) for `for_minutes` raises an alert; 0: a single
    sample does. `repos` empty: every repo that reports the metric. `title` empty: the rule in words.
    """

    rule_id: str
    metric: str
    comparison: str
    threshold: float
    for_minutes: int = 0
    severity: AlertSeverity = AlertSeverity.MEDIUM
    repos: tuple[str, ...] = ()
    title: str = ""


@dataclass(frozen=True, slots=True)
class OrgSlo:
    """An objective for the organisation's health as a whole.

    `measure` is ``aggregate_score`` (0-100), ``minimum_score`` (0-100), ``share_green`` (0-1) or ``coverage`` (0-1); met while
    the measure is at least `objective`.
    """

    slo_id: str
    measure: str
    objective: float
    name: str = ""


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file that was read, with the digest of what was read."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class OrgConfig:
    """`org.yaml` as read: everything optional."""

    name: str | None = None
    repos: tuple[Repo, ...] = ()
    dependencies: tuple[Dependency, ...] = ()
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    slos: tuple[OrgSlo, ...] = ()
    maintenance: tuple[Recurring, ...] = ()
    operating_hours: tuple[Recurring, ...] = ()
    stamp_at_end: bool = False
