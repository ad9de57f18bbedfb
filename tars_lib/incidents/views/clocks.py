"""The two clocks of an incident: respond by severity, contain by type.

Both are the playbook's: response times of its severity table, and the "Time to Contain" of the section that the decision
tree leads to (142 and 132: 15 min; 122 and 102: 30 min). Other types have no time to contain.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from tars_lib.incidents.store.record import Incident, IncidentStatus
from tars_lib.playbook.tables import Playbook

_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Clock:
    """One clock: `due_at` is None where the playbook sets no time, `stopped_at` None while it runs."""

    name: str
    rule: str
    started_at: datetime
    due_at: datetime | None
    stopped_at: datetime | None

    def left(self, now: datetime) -> timedelta | None:
        """Return the time left, negative when overdue: at `now`, or when the clock was stopped. None: no time is set."""
        return None if self.due_at is None else self.due_at - (self.stopped_at or now)


def clocks(incident: Incident, playbook: Playbook) -> tuple[Clock, Clock]:
    """Return both clocks: respond and contain."""
    return respond_clock(incident, playbook), contain_clock(incident)


def respond_clock(incident: Incident, playbook: Playbook) -> Clock:
    """Run from the opening to the first acknowledgement."""
    row = playbook.severity(incident.severity)
    opened = incident.opened_at
    due = next_business_day(opened) if row.respond_within is None else opened + row.respond_within
    rule = f"{incident.severity.value}: {row.response_time}"
    return Clock("respond", rule, opened, due, incident.acknowledged_at)


def contain_clock(incident: Incident) -> Clock:
    """Run from the opening, or from where the incident was reopened, until it is contained or resolved."""
    started = incident.reopened_at or incident.opened_at
    within = incident.contain_within_minutes
    ends = [time for time in (incident.contained_at, incident.resolved_at) if time is not None]
    if within is None:
        return Clock("contain", incident.incident_type, started, None, min(ends, default=None))
    rule = f"{incident.incident_type}: {within} min"
    return Clock("contain", rule, started, started + timedelta(minutes=within), min(ends, default=None))


def next_business_day(start: datetime) -> datetime:
    """End of the next day from Monday to Friday, in UTC; judgement: holidays and local hours are not known.

    Examples
    --------
    >>> next_business_day(datetime(2026, 1, 2, 14, tzinfo=UTC)).isoformat()  # a Friday
    '2026-01-06T00:00:00+00:00'
    """
    day = start.astimezone(UTC).date() + timedelta(days=1)
    while day.weekday() >= _SATURDAY:
        day += timedelta(days=1)
    return datetime.combine(day + timedelta(days=1), time(), UTC)


def is_running(incident: Incident) -> bool:
    """Return whether anybody still has to do something about the harm."""
    return incident.status not in (IncidentStatus.RESOLVED, IncidentStatus.CLOSED)


def is_late(incident: Incident, now: datetime, playbook: Playbook) -> bool:
    """Return whether one of the clocks runs and is overdue."""
    lefts = [clock.left(now) for clock in clocks(incident, playbook) if clock.stopped_at is None]
    return is_running(incident) and any(left is not None and left < timedelta(0) for left in lefts)


def rungs_left(incident: Incident, playbook: Playbook) -> list[str]:
    """Return rungs of the severity's row of the matrix that were not told yet; letter case does not matter.

    Who acknowledged the incident is its initial contact, so the first rung needs no telling after that.
    """
    contacted = {escalation.contact.casefold() for escalation in incident.escalations}
    rungs = playbook.severity(incident.severity).escalation
    rest = rungs if incident.acknowledged_at is None or len(rungs) == 1 else rungs[1:]
    return [rung for rung in rest if rung.casefold() not in contacted]
