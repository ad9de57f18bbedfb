"""Facts on an incident, as the playbook's functions need them: plain, each with its own "unknown".

None is "not known", never "no". Times are aware and in UTC. A register fills this; nothing here reads or writes one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tars_lib.model.names import CauseType, ContainmentType, Name, Severity
from tars_lib.playbook.tables import Condition


class Status(Name):
    """Stage of an incident."""

    OPEN = "OPEN"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    MITIGATING = "MITIGATING"
    RESOLVED = "RESOLVED"
    CLOSED = "CLOSED"


@dataclass(frozen=True, slots=True)
class BreachedSla:
    """A breached SLA as the run reported it; times are None where the onset is unknown or the breach lasts.

    `budget_consumed` is the share of the error budget that was used (1 is all of it), None where there is none.
    """

    sla_id: str
    sla_name: str
    sla_type: str = ""
    value: float | None = None
    objective: float | None = None
    unit: str = ""
    budget_consumed: float | None = None
    severity: Severity | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    could_be_chance: bool = False
    repos: tuple[str, ...] = ()
    customer_facing: bool = False


@dataclass(frozen=True, slots=True)
class AffectedRepo:
    """A repo that the incident touches. `score` is its health score, 0-100; None: unknown."""

    repo: str
    name: str = ""
    team: str | None = None
    customer_facing: bool = False
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Cause:
    """A root cause, as a run found it or a person said it: then `confidence` and `contribution` are None.

    `source` names the run or the person, `sla_id` the breach that it explains, `change` the change that it is laid to; None
    where there is none.
    """

    cause: str
    source: str
    sla_id: str | None = None
    cause_type: CauseType | None = None
    repo: str | None = None
    metric: str | None = None
    confidence: float | None = None
    contribution: float | None = None
    containment_type: ContainmentType | None = None
    change: str | None = None


@dataclass(frozen=True, slots=True)
class TakenAction:
    """An action that was taken or is under way."""

    text: str
    at: datetime | None = None
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """An entry of the timeline; `source` says where it comes from, such as a command, a run or a person."""

    at: datetime
    text: str
    source: str


@dataclass(frozen=True, slots=True)
class ActionItem:
    """Something that is to be done after the incident."""

    text: str
    owner: str | None = None
    due: datetime | None = None
    is_done: bool = False
    item_id: str | None = None


@dataclass(frozen=True, slots=True)
class ToldContact:
    """Someone who was told, named as the escalation matrix names them."""

    contact: str
    at: datetime


@dataclass(frozen=True, slots=True)
class HeldReview:
    """A review that took place; `review_id` is the playbook's key of it."""

    review_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ContainmentOutcome:
    """Outcome of containment by the run after it. `is_known` is False where that cannot tell."""

    verdict: str
    text: str
    is_known: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts known of one incident.

    Attributes
    ----------
    incident_type : str
        Such as "SLA Breach".
    started_at : datetime, optional
        When the harm began.
    detected_at : datetime, optional
        Time of the alert; None: `opened_at` stands for it.
    reopened_at : datetime, optional
        The time to contain counts from here.
    sla_restored_at : datetime, optional
        When every breached SLA was met again.
    progress_at : tuple of datetime
        Times at which progress was recorded; an acknowledgement is none.
    data_until : datetime, optional
        Latest sample that the facts rest on.
    eta : str, optional
        Estimate of the resolution, in words.
    slas, repos, causes : tuple
        Causes best first.
    customer_impact, data_loss_risk, regulatory_impact : bool, optional
        None: not known.
    customer_impact_text : str
        In words, where someone wrote it down.
    condition_since : tuple of (Condition, datetime)
        When a condition became known; those that are not named hold since `opened_at`.
    summary : str
        What a run found, in a sentence or two; empty: nothing beyond the title.
    resolution : str
        How it ended, in the words of who resolved it.
    outcome : Outcome, optional
        Whether containment worked; None: no run after it was recorded.
    """

    incident_id: str
    title: str
    severity: Severity
    incident_type: str
    status: Status
    opened_at: datetime
    started_at: datetime | None = None
    detected_at: datetime | None = None
    acknowledged_at: datetime | None = None
    mitigated_at: datetime | None = None
    resolved_at: datetime | None = None
    closed_at: datetime | None = None
    sla_restored_at: datetime | None = None
    progress_at: tuple[datetime, ...] = ()
    data_until: datetime | None = None
    next_update_at: datetime | None = None
    eta: str | None = None
    slas: tuple[BreachedSla, ...] = ()
    repos: tuple[AffectedRepo, ...] = ()
    causes: tuple[Cause, ...] = ()
    customer_impact: bool | None = None
    data_loss_risk: bool | None = None
    regulatory_impact: bool | None = None
    customer_impact_text: str = ""
    condition_since: tuple[tuple[Condition, datetime], ...] = ()
    actions: tuple[TakenAction, ...] = ()
    timeline: tuple[TimelineRow, ...] = ()
    action_items: tuple[ActionItem, ...] = ()
    told: tuple[ToldContact, ...] = ()
    reviews: tuple[HeldReview, ...] = ()
    reopened_at: datetime | None = None
    summary: str = ""
    resolution: str = ""
    outcome: ContainmentOutcome | None = None

    @property
    def is_over(self) -> bool:
        """Resolved or closed."""
        return self.status in (Status.RESOLVED, Status.CLOSED)
