"""Acts of responders on an incident, and what is possible in which state.

    OPEN -> ACKNOWLEDGED -> MITIGATING -> RESOLVED -> CLOSED
                 ^---------------------------+----------+   reopen

Each act is one entry of the timeline, decided under the incident's lock, so two responders cannot both be first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from tars_lib.errors import InputError
from tars_lib.incidents.response.checklist import joined, suggested
from tars_lib.incidents.store.journal import Written, write
from tars_lib.incidents.store.record import (
    Action,
    ActionKind,
    ActionState,
    Cause,
    Condition,
    CustomerImpact,
    EffectVerdict,
    Incident,
    IncidentStatus,
)
from tars_lib.incidents.store.timeline import Draft, EntryKind
from tars_lib.model.names import ContainmentType, Severity
from tars_lib.playbook.packaged import packaged
from tars_lib.playbook.tables import Playbook
from tars_lib.text.times import MINUTES

OPEN, ACKNOWLEDGED, MITIGATING = IncidentStatus.OPEN, IncidentStatus.ACKNOWLEDGED, IncidentStatus.MITIGATING
RESOLVED, CLOSED = IncidentStatus.RESOLVED, IncidentStatus.CLOSED

ALLOWED: dict[str, tuple[IncidentStatus, ...]] = {
    "ack": (OPEN,),
    "note": (OPEN, ACKNOWLEDGED, MITIGATING, RESOLVED, CLOSED),
    "record": (OPEN, ACKNOWLEDGED, MITIGATING, RESOLVED),
    "contain": (ACKNOWLEDGED, MITIGATING, RESOLVED),
    "escalate": (OPEN, ACKNOWLEDGED, MITIGATING, RESOLVED),
    "update": (OPEN, ACKNOWLEDGED, MITIGATING, RESOLVED),
    "resolve": (ACKNOWLEDGED, MITIGATING),
    "close": (RESOLVED,),
    "notify": (OPEN, ACKNOWLEDGED, MITIGATING, RESOLVED, CLOSED),
    "action": (OPEN, ACKNOWLEDGED, MITIGATING, RESOLVED, CLOSED),
    "review": (RESOLVED, CLOSED),
    "reopen": (RESOLVED, CLOSED),
    "hold": (OPEN, ACKNOWLEDGED, MITIGATING, RESOLVED, CLOSED),
    "release": (OPEN, ACKNOWLEDGED, MITIGATING, RESOLVED, CLOSED),
}
"""Acts and the states that they are possible in. Notes are always taken: a lesson may come after the end."""


@dataclass(frozen=True, slots=True)
class Writer:
    """Author of an act: who writes, when, into which incident's folder, and by which playbook."""

    folder: Path
    actor: str
    time: datetime
    playbook: Playbook = field(default_factory=packaged)

    def act(self, name: str, make: Callable[[Incident], Draft]) -> Written:
        """Write what `make` returns where the act is possible in the incident's state.

        Raise InputError if it is not; the message says what is.
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
    """Return acts that are possible in a state.

    Examples
    --------
    >>> possible(IncidentStatus.CLOSED)
    ['note', 'notify', 'action', 'review', 'reopen', 'hold', 'release']
    """
    return [name for name, states in ALLOWED.items() if status in states]


def acknowledge(writer: Writer, text: str = "") -> Written:
    """Record that somebody has taken the incident: the respond clock stops."""
    changes = {
        "status": ACKNOWLEDGED,
        "acknowledged_at": writer.time,
        "acknowledged_by": writer.actor,
        "progress_at": writer.time,
    }
    return writer.act("ack", lambda _: Draft(EntryKind.ACKNOWLEDGED, text or "acknowledged", changes))


def note(writer: Writer, text: str) -> Written:
    """Write a text into the timeline, word for word."""
    return writer.act("note", lambda _: Draft(EntryKind.NOTE, text, {}))


def record_fact(
    writer: Writer,
    *,
    cause: str | None = None,
    containment_type: ContainmentType | None = None,
    repo: str | None = None,
    conditions: Sequence[Condition] = (),
    denied: Sequence[Condition] = (),
    severity: Severity | None = None,
    customer_impact: CustomerImpact | None = None,
) -> Written:
    """Record facts that a person found out.

    A cause stated by a person stands before those of the run, which stay. Where its kind is given, the playbook's
    containment row joins the checklist.
    """

    def draft(incident: Incident) -> Draft:
        changes: dict[str, object] = {"progress_at": writer.time}
        sentences = []
        if cause is not None:
            known = Cause(cause, writer.actor, repo=repo, containment_type=containment_type)
            changes["causes"] = (known, *incident.causes)
            sentences.append(f"cause: {cause}")
            if containment_type is not None:
                changes["actions"] = _with_rows(incident, known, writer.playbook)
        if conditions or denied:
            holds = dict.fromkeys([*incident.conditions, *conditions])
            changes["conditions"] = tuple(item for item in holds if item not in denied)
            answered = dict.fromkeys([*incident.denied_conditions, *denied])
            changes["denied_conditions"] = tuple(item for item in answered if item not in conditions)
        if conditions:
            sentences.append(f"conditions: {', '.join(condition.value for condition in conditions)}")
            if Condition.DATA_LOSS_RISK in conditions:
                more = suggested((), incident.severity, incident.affected, conditions, writer.playbook)
                listed = changes.get("actions", incident.actions)
                assert isinstance(listed, tuple)  # noqa: S101 - set above
                changes["actions"] = joined(listed, [item for item in more if item.kind is ActionKind.OPERATIONAL])
        if denied:
            sentences.append(f"not so: {', '.join(condition.value for condition in denied)}")
        if severity is not None:
            changes["severity"] = severity
            sentences.append(f"severity: {incident.severity.value} -> {severity.value}")
        if customer_impact is not None:
            changes["customer_impact"] = customer_impact
            sentences.append(f"customer impact: {customer_impact.value}")
        return Draft(EntryKind.FACT, "; ".join(sentences), changes)

    return writer.act("record", draft)


def start_containment(
    writer: Writer, action_id: str | None = None, text: str | None = None, owner: str | None = None
) -> Written:
    """Begin an action of the checklist, or one of the responder's own.

    Parameters
    ----------
    action_id : str, optional
        Default, where `text` is not given either: the first that nobody has begun.
    """

    def draft(incident: Incident) -> Draft:
        actions = list(incident.actions)
        if text is not None:
            actions.append(Action(f"A{len(actions) + 1}", text, ActionState.SUGGESTED))
            position = len(actions) - 1
        else:
            position = _place(incident, action_id, ActionState.SUGGESTED)
        actions[position] = replace(
            actions[position], state=ActionState.STARTED, owner=owner or writer.actor, started_at=writer.time
        )
        changes = {"actions": tuple(actions), "progress_at": writer.time}
        if incident.status is ACKNOWLEDGED:
            changes |= {"status": MITIGATING, "mitigating_at": writer.time}
        chosen = actions[position]
        return Draft(EntryKind.CONTAINMENT, f"{chosen.action_id} started: {chosen.text}", changes)

    return writer.act("contain", draft)


def finish_containment(writer: Writer, action_id: str | None, *, revert: bool = False) -> Written:
    """Record that an action is done, or was undone. The first one done that is more than watching stops the contain clock."""

    def draft(incident: Incident) -> Draft:
        position = _place(incident, action_id, ActionState.DONE if revert else ActionState.STARTED)
        actions = list(incident.actions)
        chosen = actions[position]
        changes: dict[str, object] = {"progress_at": writer.time}
        if revert:
            actions[position] = replace(chosen, state=ActionState.REVERTED, reverted_at=writer.time)
        else:
            actions[position] = replace(chosen, state=ActionState.DONE, done_at=writer.time)
            if incident.contained_at is None and chosen.kind is not ActionKind.MONITORING:
                changes["contained_at"] = writer.time
        changes["actions"] = tuple(actions)
        outcome = "reverted" if revert else "done"
        return Draft(EntryKind.CONTAINMENT, f"{chosen.action_id} {outcome}: {chosen.text}", changes)

    return writer.act("contain", draft)


def update(writer: Writer, text: str, next_update_at: datetime | None = None, eta: str | None = None) -> Written:
    """Record what stakeholders were told, and when they hear more. `eta` is the end that somebody expects, in words."""
    changes: dict[str, object] = {"updated_at": writer.time, "next_update_at": next_update_at}
    if eta is not None:
        changes["eta"] = eta
    return writer.act("update", lambda _: Draft(EntryKind.UPDATE, text, changes))


def resolve(writer: Writer, text: str | None = None) -> Written:
    """Record that the harm is over; `text` says how it ended, by default in the words of the run after containment.

    Raise InputError if there is no text and no run says that the harm ended.
    """

    def draft(incident: Incident) -> Draft:
        ending = text
        if ending is None:
            effect, run = incident.effect, incident.after
            if effect is None or run is None or effect.verdict not in (EffectVerdict.RECOVERED, EffectVerdict.ENDED):
                raise InputError(
                    f"{incident.incident_id}: no run shows that the impact ended; "
                    f"give TEXT, or `tars incident record {incident.incident_id} --run RUN` first"
                )
            ending = f"{run.run_id}: {effect.verdict.value}: {effect.text}"
        changes = {
            "status": RESOLVED,
            "resolved_at": writer.time,
            "resolved_by": writer.actor,
            "resolution": ending,
            "progress_at": writer.time,
            "next_update_at": None,
        }
        return Draft(EntryKind.RESOLVED, ending, changes)

    return writer.act("resolve", draft)


def close(writer: Writer, text: str = "") -> Written:
    """Record that nothing is left to do but the review."""
    changes = {"status": CLOSED, "closed_at": writer.time}
    return writer.act("close", lambda _: Draft(EntryKind.CLOSED, text or "closed", changes))


def reopen(writer: Writer, text: str) -> Written:
    """Record that it is not over. Who reopens it has it: it is acknowledged, and the contain clock starts anew."""
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
    since = f" (since {done[0]:{MINUTES}}, by {done[1]})" if done[0] is not None else ""
    return (
        f"{incident.incident_id} is {incident.status.value}{since}; `{name}` is possible while it is {needed}; "
        f"possible now: {', '.join(possible(incident.status))}"
    )


def _place(incident: Incident, action_id: str | None, state: ActionState) -> int:
    """Return the index of an action that is in this state; by default the first one."""
    fitting = [n for n, action in enumerate(incident.actions) if action.state is state]
    if action_id is None and fitting:
        return fitting[0]
    for number in fitting:
        if action_id is not None and incident.actions[number].action_id.casefold() == action_id.casefold():
            return number
    listed = ", ".join(f"{action.action_id} {action.state.value}" for action in incident.actions) or "none"
    wanted = f"action {action_id!r} is not {state.value}" if action_id else f"no action is {state.value}"
    raise InputError(f"{incident.incident_id}: {wanted}; the checklist: {listed}; TEXT adds an action of your own")


def _with_rows(incident: Incident, cause: Cause, playbook: Playbook) -> tuple[Action, ...]:
    """Return the checklist with what the playbook says for a cause that a person found."""
    actions = suggested([cause], incident.severity, incident.affected, (), playbook)
    if cause.repo is None and cause.containment_type is not None:
        row = next(row for row in playbook.containment if row.containment_type is cause.containment_type)
        actions = (
            Action(
                "",
                row.action,
                ActionState.SUGGESTED,
                containment_type=row.containment_type,
                revert=row.revert,
                verify=row.verify,
                kind=ActionKind.CONTAINMENT,
                reason=f"{row.cause}: {cause.cause}",
                suggested_owner=row.owner,
            ),
            *actions,
        )
    return joined(incident.actions, actions)
