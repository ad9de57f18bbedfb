"""What responders do to an incident, and what is possible in which state.

    OPEN -> ACKNOWLEDGED -> MITIGATING -> RESOLVED -> CLOSED
                 ^---------------------------+----------+   reopen

Each act is one entry of the timeline, decided under the incident's lock, so two responders cannot both be first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from tars_lib.errors import InputError
from tars_lib.incidents.journal import Written, write
from tars_lib.incidents.record import (
    Action,
    ActionState,
    Cause,
    Condition,
    CustomerImpact,
    Escalation,
    Incident,
    IncidentStatus,
)
from tars_lib.incidents.timeline import Draft, EntryKind
from tars_lib.playbook.containment import CONTAINMENT, action_for
from tars_lib.playbook.severity import SEVERITIES
from tars_lib.schema import ContainmentType, Severity

OPEN, ACKNOWLEDGED, MITIGATING = IncidentStatus.OPEN, IncidentStatus.ACKNOWLEDGED, IncidentStatus.MITIGATING
RESOLVED, CLOSED = IncidentStatus.RESOLVED, IncidentStatus.CLOSED

ALLOWED: dict[str, tuple[IncidentStatus, ...]] = {
    "ack": (OPEN,),
    "note": (OPEN, ACKNOWLEDGED, MITIGATING, RESOLVED, CLOSED),
    "record": (OPEN, ACKNOWLEDGED, MITIGATING, RESOLVED),
    "contain": (ACKNOWLEDGED, MITIGATING, RESOLVED),
    "escalate": (OPEN, ACKNOWLEDGED, MITIGATING),
    "update": (OPEN, ACKNOWLEDGED, MITIGATING, RESOLVED),
    "resolve": (ACKNOWLEDGED, MITIGATING),
    "close": (RESOLVED,),
    "reopen": (RESOLVED, CLOSED),
}
"""Acts and the states that they are possible in. Notes are always taken: a lesson may come after the end."""


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes, when, and into which incident's folder."""

    folder: Path
    actor: str
    time: datetime

    def act(self, name: str, make: Callable[[Incident], Draft]) -> Written:
        """Write what `make` returns where the act is possible in the incident's state.

        Raises
        ------
        InputError
            If it is not; the message says what is.
        """

        def draft(incident: Incident | None) -> Draft:
            if incident is None:
                raise InputError(
                    f"{self.folder.name}: the folder has no record yet; "
                    f"`tars incident open --adopt {self.folder.name}` makes one"
                )
            if incident.status not in ALLOWED[name]:
                raise InputError(_refusal(name, incident))
            return make(incident)

        return write(self.folder, draft, self.actor, self.time)


def possible(status: IncidentStatus) -> list[str]:
    """Acts that are possible in a state.

    Examples
    --------
    >>> possible(IncidentStatus.CLOSED)
    ['note', 'reopen']
    """
    return [name for name, states in ALLOWED.items() if status in states]


def acknowledge(writer: Writer, text: str = "") -> Written:
    """Somebody has taken the incident: the respond clock stops."""
    changes = {
        "status": ACKNOWLEDGED,
        "acknowledged_at": writer.time,
        "acknowledged_by": writer.actor,
        "progress_at": writer.time,
    }
    return writer.act("ack", lambda _: Draft(EntryKind.ACKNOWLEDGED, text or "acknowledged", changes))


def note(writer: Writer, text: str) -> Written:
    """Text for the timeline, word for word."""
    return writer.act("note", lambda _: Draft(EntryKind.NOTE, text, {}))


def record_fact(
    writer: Writer,
    *,
    cause: str | None = None,
    containment_type: ContainmentType | None = None,
    repo: str | None = None,
    conditions: Sequence[Condition] = (),
    severity: Severity | None = None,
    customer_impact: CustomerImpact | None = None,
) -> Written:
    """Facts that a person found out.

    A cause stated by a person stands before those of the run, which stay. Where its kind is given, the playbook's
    containment row joins the checklist.
    """

    def draft(incident: Incident) -> Draft:
        changes: dict[str, object] = {"progress_at": writer.time}
        said = []
        if cause is not None:
            known = Cause(cause, writer.actor, repo=repo, containment_type=containment_type)
            changes["causes"] = (known, *incident.causes)
            said.append(f"cause: {cause}")
            if containment_type is not None:
                actions = _with_row(incident.actions, containment_type, repo)
                changes["actions"] = actions
        if conditions:
            changes["conditions"] = tuple(dict.fromkeys([*incident.conditions, *conditions]))
            said.append(f"conditions: {', '.join(condition.value for condition in conditions)}")
        if severity is not None:
            changes["severity"] = severity
            said.append(f"severity: {incident.severity.value} -> {severity.value}")
        if customer_impact is not None:
            changes["customer_impact"] = customer_impact
            said.append(f"customer impact: {customer_impact.value}")
        return Draft(EntryKind.FACT, "; ".join(said), changes)

    return writer.act("record", draft)


def start_containment(
    writer: Writer, action_id: str | None = None, text: str | None = None, owner: str | None = None
) -> Written:
    """Begin an action of the checklist, or one of the responder's own.

    Parameters
    ----------
    writer : Writer
    action_id : str, optional
        Default, where `text` is not given either: the first that nobody has begun.
    text : str, optional
        A new action.
    owner : str, optional
        Default the writer.
    """

    def draft(incident: Incident) -> Draft:
        actions = list(incident.actions)
        if text is not None:
            actions.append(Action(f"A{len(actions) + 1}", text, ActionState.SUGGESTED))
            place = len(actions) - 1
        else:
            place = _place(incident, action_id, ActionState.SUGGESTED)
        actions[place] = replace(
            actions[place], state=ActionState.STARTED, owner=owner or writer.actor, started_at=writer.time
        )
        changes = {"actions": tuple(actions), "progress_at": writer.time}
        if incident.status is ACKNOWLEDGED:
            changes |= {"status": MITIGATING, "mitigating_at": writer.time}
        chosen = actions[place]
        return Draft(EntryKind.CONTAINMENT, f"{chosen.action_id} started: {chosen.text}", changes)

    return writer.act("contain", draft)


def finish_containment(writer: Writer, action_id: str | None, *, revert: bool = False) -> Written:
    """An action is done, or was undone again. The first one done stops the contain clock."""

    def draft(incident: Incident) -> Draft:
        place = _place(incident, action_id, ActionState.DONE if revert else ActionState.STARTED)
        actions = list(incident.actions)
        chosen = actions[place]
        changes: dict[str, object] = {"progress_at": writer.time}
        if revert:
            actions[place] = replace(chosen, state=ActionState.REVERTED, reverted_at=writer.time)
        else:
            actions[place] = replace(chosen, state=ActionState.DONE, done_at=writer.time)
            if incident.contained_at is None:
                changes["contained_at"] = writer.time
        changes["actions"] = tuple(actions)
        said = "reverted" if revert else "done"
        return Draft(EntryKind.CONTAINMENT, f"{chosen.action_id} {said}: {chosen.text}", changes)

    return writer.act("contain", draft)


def escalate(writer: Writer, contact: str | None = None, reason: str = "") -> Written:
    """Somebody was told; by default the next rung of the matrix that nobody has told yet.

    Raises
    ------
    InputError
        If every rung was told and no contact is given.
    """

    def draft(incident: Incident) -> Draft:
        chosen = contact or next_rung(incident)
        if chosen is None:
            rungs = ", ".join(SEVERITIES[incident.severity].escalation)
            raise InputError(
                f"{incident.incident_id}: every rung of {incident.severity.value} was told ({rungs}); "
                "--to WHO names somebody else"
            )
        told = Escalation(chosen, writer.time, writer.actor, reason)
        text = f"told {chosen}: {reason}" if reason else f"told {chosen}"
        return Draft(EntryKind.ESCALATED, text, {"escalations": (*incident.escalations, told)})

    return writer.act("escalate", draft)


def next_rung(incident: Incident) -> str | None:
    """The first rung of the severity's row of the matrix that was not told yet; None: all were."""
    return next(iter(rungs_left(incident)), None)


def rungs_left(incident: Incident) -> list[str]:
    """Rungs of the severity's row of the matrix that were not told yet; letter case does not matter.

    Who acknowledged the incident is its initial contact, so the first rung needs no telling after that.
    """
    told = {escalation.contact.casefold() for escalation in incident.escalations}
    rungs = SEVERITIES[incident.severity].escalation
    rest = rungs if incident.acknowledged_at is None or len(rungs) == 1 else rungs[1:]
    return [rung for rung in rest if rung.casefold() not in told]


def update(writer: Writer, text: str, next_update_at: datetime | None = None) -> Written:
    """What stakeholders were told, and when they hear more."""
    changes = {"updated_at": writer.time, "next_update_at": next_update_at}
    return writer.act("update", lambda _: Draft(EntryKind.UPDATE, text, changes))


def resolve(writer: Writer, text: str) -> Written:
    """The harm is over; `text` says how it ended."""
    changes = {
        "status": RESOLVED,
        "resolved_at": writer.time,
        "resolved_by": writer.actor,
        "resolution": text,
        "progress_at": writer.time,
        "next_update_at": None,
    }
    return writer.act("resolve", lambda _: Draft(EntryKind.RESOLVED, text, changes))


def close(writer: Writer, text: str = "") -> Written:
    """Nothing is left to do but the review."""
    changes = {"status": CLOSED, "closed_at": writer.time}
    return writer.act("close", lambda _: Draft(EntryKind.CLOSED, text or "closed", changes))


def reopen(writer: Writer, text: str) -> Written:
    """It is not over. Who reopens it has it: it is acknowledged, and the contain clock starts anew."""
    changes = {
        "status": ACKNOWLEDGED,
        "reopened_at": writer.time,
        "progress_at": writer.time,
        **dict.fromkeys(("mitigating_at", "contained_at", "resolved_at", "resolved_by", "resolution", "closed_at")),
    }
    return writer.act("reopen", lambda _: Draft(EntryKind.REOPENED, text, changes))


def _refusal(name: str, incident: Incident) -> str:
    needed = " or ".join(status.value for status in ALLOWED[name])
    done = {
        "ack": (incident.acknowledged_at, incident.acknowledged_by),
        "resolve": (incident.resolved_at, incident.resolved_by),
    }.get(name, (None, None))
    since = f" (since {done[0]:%Y-%m-%d %H:%M} UTC, by {done[1]})" if done[0] is not None else ""
    return (
        f"{incident.incident_id} is {incident.status.value}{since}; `{name}` is possible while it is {needed}; "
        f"possible now: {', '.join(possible(incident.status))}"
    )


def _place(incident: Incident, action_id: str | None, state: ActionState) -> int:
    """Index of an action that is in this state; by default the first one."""
    fitting = [n for n, action in enumerate(incident.actions) if action.state is state]
    if action_id is None and fitting:
        return fitting[0]
    for number in fitting:
        if action_id is not None and incident.actions[number].action_id.casefold() == action_id.casefold():
            return number
    listed = ", ".join(f"{action.action_id} {action.state.value}" for action in incident.actions) or "none"
    wanted = f"action {action_id!r} is not {state.value}" if action_id else f"no action is {state.value}"
    raise InputError(f"{incident.incident_id}: {wanted}; the checklist: {listed}; TEXT adds an action of your own")


def _with_row(actions: Sequence[Action], kind: ContainmentType, repo: str | None) -> tuple[Action, ...]:
    row = CONTAINMENT[kind]
    text = row.action if repo is None else action_for(kind, repo)
    if any(action.text == text for action in actions):
        return tuple(actions)
    new = Action(
        f"A{len(actions) + 1}",
        text,
        ActionState.SUGGESTED,
        containment_type=kind,
        revert=row.revert,
        verify=row.verify,
    )
    return (*actions, new)
