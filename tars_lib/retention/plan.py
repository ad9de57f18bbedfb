"""Plan of retention: what is to become of each thing, and why. Nothing is touched, and no clock is read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tars_lib.retention.policy import Decision, Kind, RetentionPolicy
from tars_lib.retention.register import Archived
from tars_lib.retention.things import Needs, Thing


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a plan. `age_days` is null where the age has not begun; `is_archived`: it stands in the archive already."""

    kind: Kind
    name: str
    place: str
    decision: Decision
    reason: str
    age_days: int | None
    size: int
    is_archived: bool


def plan(
    things: Sequence[Thing], archived: Iterable[Archived], needs: Needs, policy: RetentionPolicy, now: datetime
) -> tuple[Item, ...]:
    """Decide on everything.

    Parameters
    ----------
    archived : iterable of Archived
        What the register says is in the archive.

    Returns
    -------
    tuple of Item
        Things in their order, then the archive.
    """
    return (
        *(_of_thing(thing, needs, policy, now) for thing in things),
        *(_of_archived(item, needs, policy, now) for item in archived),
    )


def _of_thing(thing: Thing, needs: Needs, policy: RetentionPolicy, now: datetime) -> Item:
    age = None if thing.since is None else now - thing.since
    decision, reason = _by_need(thing.names, needs, thing.kind)
    if thing.is_unreadable:
        decision, reason = Decision.REFUSED, thing.open_because
    elif decision is None and age is None:
        decision, reason = Decision.KEEP, thing.open_because
    if decision is None and age is not None:
        decision = policy.terms[thing.kind].decide(age)
        reason = _reason(decision, thing.kind, policy)
    assert decision is not None  # noqa: S101 - one of the three has decided
    return Item(thing.kind, thing.name, str(thing.place), decision, reason, _days(age), thing.size, is_archived=False)


def _of_archived(archived: Archived, needs: Needs, policy: RetentionPolicy, now: datetime) -> Item:
    age = now - archived.since
    decision, reason = _by_need(frozenset(archived.names), needs, archived.kind)
    if decision is None:
        decision = policy.terms[archived.kind].decide(age, is_archived=True)
        reason = _reason(decision, archived.kind, policy)
    return Item(
        archived.kind, archived.name, archived.archive, decision, reason, _days(age), archived.size, is_archived=True
    )


def _by_need(names: frozenset[str], needs: Needs, kind: Kind) -> tuple[Decision | None, str]:
    for name in sorted(names & needs.held.keys()):
        return Decision.HELD, needs.held[name]
    if kind is not Kind.REPORT:
        for name in sorted(names & needs.running.keys()):
            return Decision.NEEDED, needs.running[name]
    return None, ""


def _reason(decision: Decision, kind: Kind, policy: RetentionPolicy) -> str:
    term = policy.terms[kind]
    if decision is Decision.DELETE and term.delete_after is not None:
        return f"older than {term.delete_after.days} days ({policy.label})"
    if decision is Decision.ARCHIVE and term.archive_after is not None:
        return f"older than {term.archive_after.days} days ({policy.label})"
    return ""


def _days(age: timedelta | None) -> int | None:
    return None if age is None else age.days
