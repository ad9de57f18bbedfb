"""The playbook's tables as frozen rows: what each table holds, whichever file it came from.

The rows in force by default stand in `packaged.py`, which is written from `parameters/playbook.yaml`; an organisation's
own come from `tars_lib.playbook.config`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from tars_lib.model.names import CauseType, ContainmentType, Name, Severity


class Condition(Name):
    """Conditions of the table "When to Escalate"."""

    SLA_BREACH = "SLA_BREACH"
    CUSTOMER_IMPACT = "CUSTOMER_IMPACT"
    DATA_LOSS_RISK = "DATA_LOSS_RISK"
    NO_PROGRESS = "NO_PROGRESS"
    REGULATORY_IMPACT = "REGULATORY_IMPACT"


class Repeats(Name):
    """Frequency of a review."""

    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"


class MetricId(Name):
    """The metrics to track."""

    MTTD = "MTTD"
    MTTR = "MTTR"
    RECURRENCE = "RECURRENCE"
    SLA_RECOVERY = "SLA_RECOVERY"


@dataclass(frozen=True, slots=True)
class SeverityRow:
    """A row of the severity table. `respond_within` is None for the next business day; `escalation` is the matrix's row."""

    severity: Severity
    description: str
    respond_within: timedelta | None
    response_time: str
    escalation: tuple[str, ...]
    examples: str = ""


@dataclass(frozen=True, slots=True)
class IncidentType:
    """Type and severity by exit code. `incident_type` is None where the playbook opens no typed incident."""

    code: int
    incident_type: str | None
    severity: Severity


@dataclass(frozen=True, slots=True)
class Branch:
    """One question of the tree.

    `codes` answer it with yes; `path` is the playbook's section that it leads to; `contain_within` is that section's time to
    contain, None where it has none (92: to be responded to within the hour).
    """

    codes: tuple[int, ...]
    question: str
    severity: Severity
    path: str
    contain_within: timedelta | None
    commands: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TriageStep:
    """A step of a triage section: commands to run, then points to go through."""

    title: str
    commands: tuple[str, ...]
    points: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Triage:
    """A section of "Triage by Incident Type"."""

    path: str
    steps: tuple[TriageStep, ...]


@dataclass(frozen=True, slots=True)
class CauseRow:
    """A cause type, the indicator that gives it away and the report section that shows it."""

    cause_type: CauseType
    name: str
    indicator: str
    section: str


@dataclass(frozen=True, slots=True)
class ImpactQuestion:
    """A question on the impact and the report section that answers it."""

    question: str
    section: str


@dataclass(frozen=True, slots=True)
class Containment:
    """A row of the containment table: the kind of cause in words, the action, how it is undone and what shows that it worked.

    `query` is a command line in which `{repo}` stands for the repo, quoted for a POSIX shell.
    """

    containment_type: ContainmentType
    cause: str
    action: str
    revert: str
    verify: str
    owner: str = ""
    query: str = ""


@dataclass(frozen=True, slots=True)
class ActionRow:
    """An operational or monitoring action. `revert` and `verify` are empty where the table has none."""

    action_id: str
    action: str
    when: str
    how: str
    revert: str = ""
    verify: str = ""


@dataclass(frozen=True, slots=True)
class CommunicationRow:
    """A communication action with its audience and the words that it begins with."""

    communication_id: str
    action: str
    audience: str
    template: str


@dataclass(frozen=True, slots=True)
class ConditionRow:
    """A condition that escalates. Empty `contacts`: the next rung of the matrix."""

    condition: Condition
    name: str
    contacts: tuple[str, ...]
    methods: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Review:
    """A row of the review timeline: due `within` that time of the end of the incident, or again and again."""

    review_id: str
    activity: str
    when: str
    participants: str
    within: timedelta | None = None
    repeats: Repeats | None = None


@dataclass(frozen=True, slots=True)
class MetricRow:
    """A metric to track. The value has to be below `below`, or, for a rate, below `below_share`."""

    metric_id: MetricId
    metric: str
    target: str
    how: str
    below: timedelta | None = None
    below_share: float | None = None


@dataclass(frozen=True, slots=True)
class GoldenStep:
    """A stretch of the golden path, in minutes since the incident began, with the blank that the page leaves to fill in.

    `task` says what is to be done then.
    """

    step_id: str
    start: int
    end: int
    title: str
    record: str = ""
    notify: tuple[str, ...] = ()
    task: str = ""


@dataclass(frozen=True, slots=True)
class Playbook:
    """All tables. `sha256` is that of the merged content, in its order; two playbooks that say the same have the same."""

    version: str
    sha256: str
    severities: tuple[SeverityRow, ...]
    incident_types: tuple[IncidentType, ...]
    tree: tuple[Branch, ...]
    otherwise: tuple[Severity, str]
    triage: tuple[Triage, ...]
    cause_types: tuple[CauseRow, ...]
    impact_questions: tuple[ImpactQuestion, ...]
    containment: tuple[Containment, ...]
    operational: tuple[ActionRow, ...]
    monitoring: tuple[ActionRow, ...]
    communication: tuple[CommunicationRow, ...]
    escalation_after: tuple[timedelta, ...]
    escalation_methods: tuple[str, ...]
    no_progress_after: timedelta
    conditions: tuple[ConditionRow, ...]
    reviews: tuple[Review, ...]
    metrics: tuple[MetricRow, ...]
    golden_path: tuple[GoldenStep, ...]

    def severity(self, severity: Severity) -> SeverityRow:
        """Return the row of a severity."""
        return next(row for row in self.severities if row.severity is severity)

    def condition(self, condition: Condition) -> ConditionRow | None:
        """Return the row of a condition; None where the organisation took it away."""
        return next((row for row in self.conditions if row.condition is condition), None)

    def contain_within(self, incident_type: str) -> timedelta | None:
        """Return the time to contain an incident of a type; None where the playbook sets none."""
        codes = {row.code for row in self.incident_types if row.incident_type == incident_type}
        return next((branch.contain_within for branch in self.tree if codes & set(branch.codes)), None)
