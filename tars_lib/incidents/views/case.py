"""An incident's record and timeline as the facts that the playbook's functions judge.

Nothing is guessed: what neither says is None. A cause that explains nothing (confidence 0) is no fact.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tars_lib.errors import InputError
from tars_lib.incidents.store.journal import read_entries, read_incident
from tars_lib.incidents.store.record import ActionState, Condition, CustomerImpact, EffectVerdict, Incident
from tars_lib.incidents.store.timeline import Entry, EntryKind
from tars_lib.model.times import read_time
from tars_lib.playbook.escalation import Escalation, escalate
from tars_lib.playbook.facts import ContainmentOutcome, Facts, TakenAction, TimelineRow, ToldContact
from tars_lib.playbook.tables import Playbook

_NO_PROGRESS = (EntryKind.OPENED, EntryKind.ACKNOWLEDGED)
_UNDONE = {ActionState.REVERTED: " (undone again)"}


@dataclass(frozen=True, slots=True)
class Case:
    """An incident with all that judges it at one time."""

    folder: Path
    incident: Incident
    facts: Facts
    playbook: Playbook
    time: datetime

    @property
    def escalation(self) -> Escalation:
        """List who must be told, by the rules."""
        return escalate(self.facts, self.time, self.playbook)


def read_case(folder: Path, playbook: Playbook, time: datetime, *, with_notes: bool = True) -> Case:
    """Read an incident's folder, `with_notes` in its timeline or, for what does not show that, without.

    Raise InputError if it has no record yet, and VerificationError if its timeline was altered.
    """
    incident = read_incident(folder)
    if incident is None:
        raise InputError(f"{folder}: no record in it yet; `tars incident open --adopt {folder.name}` makes one")
    return Case(folder, incident, case_of(folder, incident, playbook, with_notes=with_notes), playbook, time)


def case_of(folder: Path, incident: Incident, playbook: Playbook, *, with_notes: bool = True) -> Facts:
    """Collect what is known of the incident in a folder; see `read_case`.

    Its timeline, oldest first, says when there was progress, and since when a condition is known; who acknowledged is the
    first rung of the playbook's matrix. Raise VerificationError if its timeline was altered.
    """
    entries = read_entries(folder, with_notes=with_notes)
    latest = incident.after or incident.before
    detected = None if incident.before is None else incident.before.generated_at
    return Facts(
        incident_id=incident.incident_id,
        title=incident.title,
        severity=incident.severity,
        incident_type=incident.incident_type,
        status=incident.status,
        opened_at=incident.opened_at,
        started_at=incident.began_at,
        # a run that was made later than the opening did not raise the alert
        detected_at=None if detected is None else min(detected, incident.opened_at),
        acknowledged_at=incident.acknowledged_at,
        mitigated_at=incident.contained_at,
        resolved_at=incident.resolved_at,
        closed_at=incident.closed_at,
        reopened_at=incident.reopened_at,
        sla_restored_at=_restored(entries) if incident.breached_slas else None,
        progress_at=tuple(
            entry.time for entry in entries if "progress_at" in entry.data and entry.kind not in _NO_PROGRESS
        ),
        data_until=None if latest is None else latest.as_of,
        next_update_at=incident.next_update_at,
        eta=incident.eta,
        slas=incident.breached_slas,
        repos=incident.affected,
        causes=tuple(cause for cause in incident.causes if cause.confidence != 0),
        customer_impact=_customers(incident),
        data_loss_risk=_answer(incident, Condition.DATA_LOSS_RISK),
        regulatory_impact=_answer(incident, Condition.REGULATORY_IMPACT),
        condition_since=tuple(_since(entries).items()),
        actions=tuple(
            TakenAction(f"{action.text}{_UNDONE.get(action.state, '')}", action.started_at, action.owner)
            for action in incident.actions
            if action.state is not ActionState.SUGGESTED
        ),
        timeline=tuple(_rows(incident, entries)),
        action_items=incident.action_items,
        told=tuple(_told(incident, playbook)),
        reviews=incident.reviews,
        summary="" if incident.summary == incident.title else incident.summary,
        resolution=incident.resolution or "",
        outcome=None
        if incident.effect is None
        else ContainmentOutcome(
            incident.effect.verdict.value, incident.effect.text, incident.effect.verdict is not EffectVerdict.UNKNOWN
        ),
    )


def _restored(entries: Sequence[Entry]) -> datetime | None:
    """Return the time of the data in which every breached SLA was met again, and stayed so in every later run."""
    restored = None
    for entry in entries:
        effect, after = entry.data.get("effect"), entry.data.get("after")
        if isinstance(effect, Mapping) and isinstance(after, Mapping):
            if effect["verdict"] != EffectVerdict.RECOVERED.value:
                restored = None
            elif restored is None:
                restored = read_time(str(after["as_of"]), "after.as_of")
    return restored


def _answer(incident: Incident, condition: Condition) -> bool | None:
    if condition in incident.conditions:
        return True
    return False if condition in incident.denied_conditions else None


def _customers(incident: Incident) -> bool | None:
    answer = _answer(incident, Condition.CUSTOMER_IMPACT)
    if answer is not None:
        return answer
    return {CustomerImpact.YES: True, CustomerImpact.NO: False, CustomerImpact.UNKNOWN: None}[incident.customer_impact]


def _since(entries: Sequence[Entry]) -> dict[Condition, datetime]:
    since: dict[Condition, datetime] = {}
    for entry in entries:
        for name in entry.data.get("conditions") or ():
            since.setdefault(Condition(name), entry.time)
        if entry.data.get("customer_impact") == CustomerImpact.YES.value:
            since.setdefault(Condition.CUSTOMER_IMPACT, entry.time)
    return since


def _told(incident: Incident, playbook: Playbook) -> Iterator[ToldContact]:
    row = playbook.severity(incident.severity).escalation
    if incident.acknowledged_at is not None and len(row) > 1:
        yield ToldContact(row[0], incident.acknowledged_at)
    for escalation in incident.escalations:
        yield ToldContact(escalation.contact, escalation.at)


def _rows(incident: Incident, entries: Sequence[Entry]) -> Iterator[TimelineRow]:
    if incident.began_at is not None and incident.before is not None:
        yield TimelineRow(incident.began_at, "Impact began", incident.before.run_id)
    for entry in entries:
        yield TimelineRow(entry.time, _said(entry), f"entry {entry.seq}, {entry.actor}")


def _said(entry: Entry) -> str:
    """Return an entry as a table shows it: of a whole message the first line."""
    if entry.kind not in (EntryKind.UPDATE, EntryKind.NOTIFIED):
        return entry.text
    first, _, rest = entry.text.strip().partition("\n")
    what = "stakeholders were notified" if entry.kind is EntryKind.UPDATE else "a message went to channels"
    return f"{what}: {first}{' (whole text in the entry)' if rest.strip() else ''}"
