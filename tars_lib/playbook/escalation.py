"""Who must be told now, who is next, and which rule says so?

The matrix names a rung for each time since the incident was opened. It runs while the incident is unacknowledged, or
nothing was recorded as progress for `no_progress_after` (30 min on the page); a rung whose time falls into a stretch of
progress is passed over. After each such stretch without progress the next tier is told: the next rung of the severity's
row, and above its end that of SEV-1 (judgement: the page has "next tier" for every severity, and the lower rows end
early). SEV-4 is a ticket and has no tiers. Conditions name their contacts as soon as they are known, whether acknowledged
or not. Where several rules name one contact, the earliest counts; the others are kept beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tars_lib.model.names import AlertSeverity, AlertType, InputFile, Severity
from tars_lib.playbook.facts import Facts, Status
from tars_lib.playbook.packaged import packaged
from tars_lib.playbook.tables import Condition, Playbook
from tars_lib.text.times import MINUTES

# Severity of an alert about an overdue rung (judgement): the next incident severity has the next alert severity.
ALERT_SEVERITY = {
    Severity.SEV_1: AlertSeverity.CRITICAL,
    Severity.SEV_2: AlertSeverity.HIGH,
    Severity.SEV_3: AlertSeverity.MEDIUM,
    Severity.SEV_4: AlertSeverity.LOW,
}


@dataclass(frozen=True, slots=True)
class Rung:
    """Someone to be told.

    Attributes
    ----------
    rule : str
        The rule that fired first.
    also : tuple of str
        Other rules that name the contact, with their times.
    """

    contact: str
    due_at: datetime
    rule: str
    methods: tuple[str, ...]
    also: tuple[str, ...] = ()
    told_at: datetime | None = None

    @property
    def is_task(self) -> bool:
        """The matrix's row for SEV-4 names a task instead of a contact."""
        return self.contact.startswith("Create ")

    @property
    def task(self) -> str:
        """Return what is to be done."""
        if self.is_task:
            return self.contact[:1].lower() + self.contact[1:]
        return f"notify {self.contact} ({' and '.join(self.methods)})" if self.methods else f"notify {self.contact}"


@dataclass(frozen=True, slots=True)
class Escalation:
    """Rungs by what is to be done about them, each in order of time.

    `due` are to be told now; `upcoming` will be if nothing moves; `told` are done. `unknown` are the conditions that nobody
    has answered yet.
    """

    due: tuple[Rung, ...]
    upcoming: tuple[Rung, ...]
    told: tuple[Rung, ...]
    unknown: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Timeout:
    """An overdue rung, as an ESCALATION_TIMEOUT alert needs it. `fingerprint` is the same in every run.

    `contact` was to be told at `first_seen`, by `rule`; `repos` are those of the incident.
    """

    fingerprint: str
    incident_id: str
    contact: str
    rule: str
    type: AlertType
    severity: AlertSeverity
    title: str
    message: str
    first_seen: datetime
    last_seen: datetime
    repos: tuple[str, ...]
    customer_impact: bool | None = None


@dataclass(frozen=True, slots=True)
class Overdue:
    """Overdue rungs of all incidents of a register.

    `inputs` are the records that they come from; `warnings` name what could not be read, because nobody knows what is
    overdue in it.
    """

    rungs: tuple[Timeout, ...] = ()
    inputs: tuple[InputFile, ...] = ()
    warnings: tuple[str, ...] = ()


NOTHING_OVERDUE = Overdue()
"""Where no register is asked."""


def escalate(facts: Facts, now: datetime, playbook: Playbook | None = None) -> Escalation:
    """List who must be told at `now`.

    Returns
    -------
    Escalation
        Empty for a closed incident. Once resolved, the matrix stands still, and conditions that were not told remain due.
    """
    playbook = playbook or packaged()
    if facts.status is Status.CLOSED:
        return Escalation((), (), _told(facts, ()), ())
    calls = sorted([*_conditions(facts, playbook), *_ladder(facts, playbook)], key=lambda rung: rung.due_at)
    merged = _merged(calls, facts)
    open_ = [rung for rung in merged if rung.told_at is None]
    return Escalation(
        due=tuple(rung for rung in open_ if rung.due_at <= now),
        upcoming=tuple(rung for rung in open_ if rung.due_at > now),
        told=_told(facts, merged),
        unknown=tuple(row.condition for row in playbook.conditions if _answer(facts, row.condition) is None),
    )


def timeouts(facts: Facts, now: datetime, playbook: Playbook | None = None) -> tuple[Timeout, ...]:
    """Return the rungs whose time has passed without a word to them; a rung that is due at this instant is not late yet."""
    playbook = playbook or packaged()
    return tuple(
        Timeout(
            fingerprint=f"escalation:{facts.incident_id}:{rung.contact}",
            incident_id=facts.incident_id,
            contact=rung.contact,
            rule=rung.rule,
            type=AlertType.ESCALATION_TIMEOUT,
            severity=ALERT_SEVERITY[facts.severity],
            title=f"{facts.incident_id}: not done: {rung.task}",
            message=f"{rung.task} was due at {rung.due_at:{MINUTES}} ({rung.rule})",
            first_seen=rung.due_at,
            last_seen=now,
            repos=tuple(repo.repo for repo in facts.repos),
            customer_impact=facts.customer_impact,
        )
        for rung in escalate(facts, now, playbook).due
        if rung.due_at < now
    )


def _conditions(facts: Facts, playbook: Playbook) -> Iterator[Rung]:
    since = dict(facts.condition_since)
    for row in playbook.conditions:
        if row.condition is not Condition.NO_PROGRESS and _answer(facts, row.condition):
            for contact in row.contacts:
                yield Rung(contact, since.get(row.condition, facts.opened_at), f"condition: {row.name}", row.methods)


def _answer(facts: Facts, condition: Condition) -> bool | None:
    return {
        Condition.SLA_BREACH: bool(facts.slas),
        Condition.CUSTOMER_IMPACT: facts.customer_impact,
        Condition.DATA_LOSS_RISK: facts.data_loss_risk,
        Condition.REGULATORY_IMPACT: facts.regulatory_impact,
        Condition.NO_PROGRESS: False,
    }[condition]


def _ladder(facts: Facts, playbook: Playbook) -> Iterator[Rung]:
    """Yield the rungs of the matrix and next tiers, in order of time, as they follow from what was recorded."""
    row = playbook.severity(facts.severity).escalation
    # above the end of a row its next tier is that of SEV-1; a SEV-4 is a ticket and has none
    above = () if facts.severity is Severity.SEV_4 else playbook.severity(Severity.SEV_1).escalation[len(row) :]
    tiers = row + above
    end = (facts.resolved_at or facts.closed_at or facts.opened_at) if facts.is_over else None
    matrix = [
        (facts.opened_at + after, rung, f"{facts.severity.value}, {_after(after)}")
        for rung, after in enumerate(playbook.escalation_after[: len(row)])
    ]
    silence = playbook.condition(Condition.NO_PROGRESS)
    ticks = [] if silence is None else [(at, None, silence.name) for at in _ticks(facts, len(tiers), playbook)]
    reached, reached_before, previous = 0, 0, facts.opened_at
    # at one instant the matrix goes first, and "next" means next to what was reached before that instant
    for at, rung, why in sorted([*matrix, *ticks], key=lambda call: (call[0], call[1] is None)):
        if end is not None and at >= end:
            return
        if at != previous:
            reached_before, previous = reached, at
        if rung is not None:
            if rung and not _runs(facts, at, playbook.no_progress_after):
                continue
            yield Rung(row[rung], at, f"matrix: {why}", playbook.escalation_methods)
            reached = max(reached, rung)
        elif silence is not None and (silence.contacts or reached_before + 1 < len(tiers)):
            for contact in silence.contacts or (tiers[reached_before + 1],):
                yield Rung(contact, at, f"condition: {why}", silence.methods)
            reached = max(reached, min(reached_before + 1, len(tiers) - 1))


def _runs(facts: Facts, at: datetime, no_progress_after: timedelta) -> bool:
    is_acknowledged = facts.acknowledged_at is not None and facts.acknowledged_at <= at
    return not is_acknowledged or not any(at - no_progress_after < time <= at for time in facts.progress_at)


def _ticks(facts: Facts, tiers: int, playbook: Playbook) -> Iterator[datetime]:
    """Ends of stretches without progress, up to as many as there are tiers after the last progress."""
    step = playbook.no_progress_after
    times = [facts.opened_at, *sorted(time for time in facts.progress_at if time > facts.opened_at)]
    for here, after in zip(times, [*times[1:], None], strict=True):
        for n in range(1, tiers + 1):
            at = here + n * step
            if after is not None and at >= after:
                break
            yield at


def _merged(calls: Sequence[Rung], facts: Facts) -> list[Rung]:
    told_at = {}
    for entry in sorted(facts.told, key=lambda entry: entry.at, reverse=True):
        told_at[entry.contact.casefold()] = entry.at
    merged = []
    for contact in dict.fromkeys(rung.contact for rung in calls):
        first, *others = [rung for rung in calls if rung.contact == contact]
        also = dict.fromkeys(f"{rung.rule} ({rung.due_at:%H:%M} UTC)" for rung in others if rung.rule != first.rule)
        methods = dict.fromkeys(
            method for rung in (first, *others) if rung.due_at == first.due_at for method in rung.methods
        )
        merged.append(
            Rung(contact, first.due_at, first.rule, tuple(methods), tuple(also), told_at.get(contact.casefold()))
        )
    return merged


def _told(facts: Facts, merged: Sequence[Rung]) -> tuple[Rung, ...]:
    done = [rung for rung in merged if rung.told_at is not None]
    named = {rung.contact.casefold() for rung in done}
    beyond = [
        Rung(entry.contact, entry.at, "notified without a rule", (), (), entry.at)
        for entry in facts.told
        if entry.contact.casefold() not in named
    ]
    return tuple(sorted([*done, *beyond], key=lambda rung: rung.told_at or rung.due_at))


def _after(after: timedelta) -> str:
    minutes = round(after.total_seconds() / 60)
    if not minutes:
        return "initial contact"
    return f"{minutes // 60} hour{'s' if minutes > 60 else ''}" if minutes % 60 == 0 else f"{minutes} min"
