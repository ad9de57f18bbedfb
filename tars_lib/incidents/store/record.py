"""Record of one incident: the content of `incident.json`.

Every field was set by an entry of the timeline, so the file is what the timeline says, and can be made anew from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tars_lib.model.names import ContainmentType, Name, Severity
from tars_lib.playbook.facts import ActionItem, AffectedRepo, BreachedSla, Cause, HeldReview
from tars_lib.playbook.facts import Status as IncidentStatus
from tars_lib.playbook.tables import Condition

__all__ = [
    "SCHEMA_VERSION", "Action", "ActionItem", "ActionKind", "ActionState", "AffectedRepo", "BreachedSla", "Cause",
    "Condition", "CustodyAct", "CustodyEvent", "CustomerImpact", "Effect", "EffectVerdict", "EscalationRecord",
    "Head", "HeldReview", "Incident", "IncidentStatus", "RunReference",
]  # fmt: skip

SCHEMA_VERSION = "1.0"


class ActionState(Name):
    """Stage of a containment action. SUGGESTED: the playbook names it, and nobody has begun."""

    SUGGESTED = "SUGGESTED"
    STARTED = "STARTED"
    DONE = "DONE"
    REVERTED = "REVERTED"


class ActionKind(Name):
    """Purpose of an action. MONITORING watches the harm and stops no clock; OWN is a responder's own."""

    CONTAINMENT = "CONTAINMENT"
    OPERATIONAL = "OPERATIONAL"
    MONITORING = "MONITORING"
    OWN = "OWN"


class CustomerImpact(Name):
    """Answer to whether a customer-facing repo is affected."""

    YES = "YES"
    NO = "NO"
    UNKNOWN = "UNKNOWN"


class EffectVerdict(Name):
    """Verdict of the run after containment, compared with the one before.

    RECOVERED: the breached SLAs are met again. ENDED: still beyond the objective over their window, but the harm has stopped.
    """

    RECOVERED = "RECOVERED"
    ENDED = "ENDED"
    IMPROVED = "IMPROVED"
    UNCHANGED = "UNCHANGED"
    WORSE = "WORSE"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class RunReference:
    """A run directory that the record rests on.

    `path` is relative to the incident's folder where the run stands in it, absolute otherwise; `manifest_sha256` is the digest
    of its `manifest.json`, which in turn lists every file; `generated_at` is when the run said what it found, `root` the
    org-health folder as it was named to it.
    """

    run_id: str
    path: str
    manifest_sha256: str
    as_of: datetime
    exit_code: int
    finding: str
    generated_at: datetime | None = None
    root: str | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """A containment action of the checklist; nothing acts on its own. `revert` undoes it, `verify` shows that it worked.

    `query` is the command that shows it, `how` the way to do it, `reason` what suggests it.
    `suggested_owner` is the playbook's, `owner` who began it.
    """

    action_id: str
    text: str
    state: ActionState
    containment_type: ContainmentType | None = None
    owner: str | None = None
    revert: str | None = None
    verify: str | None = None
    started_at: datetime | None = None
    done_at: datetime | None = None
    reverted_at: datetime | None = None
    kind: ActionKind = ActionKind.OWN
    how: str | None = None
    reason: str | None = None
    query: str | None = None
    suggested_owner: str | None = None


@dataclass(frozen=True, slots=True)
class EscalationRecord:
    """Somebody was told. `reason`: the rule, or the words of who told; `receipt` what a channel said."""

    contact: str
    at: datetime
    by: str
    reason: str
    receipt: str = ""


@dataclass(frozen=True, slots=True)
class Effect:
    """Success of containment, with counts of what got better and worse between the two runs."""

    verdict: EffectVerdict
    text: str
    better: int
    worse: int
    changes: tuple[str, ...]


class CustodyAct(Name):
    """Act on an evidence bundle."""

    CREATED = "CREATED"
    EXPORTED = "EXPORTED"
    VERIFIED = "VERIFIED"
    TRANSFERRED = "TRANSFERRED"


@dataclass(frozen=True, slots=True)
class CustodyEvent:
    """Something happened to an evidence bundle.

    `bundle` is the file's name, `sha256` its digest at that time, `to` where or to whom it went, `outcome` what was found
    or how it was signed.
    """

    act: CustodyAct
    bundle: str
    sha256: str
    at: datetime
    by: str
    outcome: str
    to: str | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """End of the timeline: number of entries, bytes up to and with the last one, and its digest."""

    count: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Incident:
    """`incident.json`.

    Times are UTC and null where it has not happened. `began_at` is the earliest onset of a breached SLA. `progress_at` is the
    last time that something was found, done or decided; notes, updates and escalations are no progress. `exit_codes` are those
    of the run's steps, or given by hand. After `reopened_at` the contain clock starts anew.
    `denied_conditions` are those that somebody answered with no; what is in neither list is not known. `playbook_sha256` is
    the playbook in force when the incident was opened. `eta` is in words. `custody`: what happened to bundles of it. `held_at`
    is set while a legal hold lasts.
    """

    schema_version: str
    incident_id: str
    title: str
    summary: str
    severity: Severity
    incident_type: str
    response_path: str
    status: IncidentStatus
    opened_at: datetime
    opened_by: str
    exit_codes: tuple[int, ...]
    breached_slas: tuple[BreachedSla, ...]
    causes: tuple[Cause, ...]
    affected_repos: tuple[str, ...]
    customer_impact: CustomerImpact
    customer_repos: tuple[str, ...]
    conditions: tuple[Condition, ...]
    actions: tuple[Action, ...]
    escalations: tuple[EscalationRecord, ...]
    progress_at: datetime
    timeline: Head
    contain_within_minutes: int | None = None
    readiness_score: float | None = None
    readiness_tier: str | None = None
    began_at: datetime | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    mitigating_at: datetime | None = None
    contained_at: datetime | None = None
    resolved_at: datetime | None = None
    resolved_by: str | None = None
    resolution: str | None = None
    closed_at: datetime | None = None
    reopened_at: datetime | None = None
    updated_at: datetime | None = None
    next_update_at: datetime | None = None
    before: RunReference | None = None
    after: RunReference | None = None
    effect: Effect | None = None
    denied_conditions: tuple[Condition, ...] = ()
    affected: tuple[AffectedRepo, ...] = ()
    action_items: tuple[ActionItem, ...] = ()
    reviews: tuple[HeldReview, ...] = ()
    eta: str | None = None
    playbook_version: str | None = None
    playbook_sha256: str | None = None
    custody: tuple[CustodyEvent, ...] = ()
    held_at: datetime | None = None
    held_by: str | None = None
    held_reason: str | None = None
