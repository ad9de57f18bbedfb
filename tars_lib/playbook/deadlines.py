"""Deadlines as an iCalendar file (RFC 5545), for any calendar program.

Written here in a few lines: one kind of component with six properties is needed, and a library would be a dependency of
everybody's installation.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from tars_lib.files.reading import sha256_hex
from tars_lib.playbook.documents.postmortem import review_deadlines
from tars_lib.playbook.escalation import escalate
from tars_lib.playbook.facts import Facts
from tars_lib.playbook.packaged import packaged
from tars_lib.playbook.tables import Playbook
from tars_lib.text.visible import visible

# RFC 5545, section 3.1: lines of at most 75 octets; what follows begins with a space.
_OCTETS = 75


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment at which something has to be done. `key` tells the deadlines of one incident apart and stays the same."""

    key: str
    at: datetime
    title: str
    text: str = ""


def deadlines(facts: Facts, now: datetime, playbook: Playbook | None = None) -> tuple[Deadline, ...]:
    """List what is to come or overdue, by time: responding, containing, the next update, rungs, reviews."""
    playbook = playbook or packaged()
    pending = []
    within = playbook.severity(facts.severity).respond_within
    if within is not None and facts.acknowledged_at is None and not facts.is_over:
        pending.append(Deadline("respond", facts.opened_at + within, "respond"))
    contain = playbook.contain_within(facts.incident_type)
    if contain is not None and facts.mitigated_at is None and not facts.is_over:
        pending.append(Deadline("contain", (facts.reopened_at or facts.opened_at) + contain, "contain"))
    if facts.next_update_at is not None and not facts.is_over:
        pending.append(Deadline("update", facts.next_update_at, "next update"))
    escalation = escalate(facts, now, playbook)
    pending += [
        Deadline(f"notify {rung.contact}", rung.due_at, rung.task, rung.rule)
        for rung in (*escalation.due, *escalation.upcoming)
    ]
    pending += [
        Deadline(f"review {due.review_id}", due.due_at, due.activity.lower(), f"participants: {due.participants}")
        for due in review_deadlines(facts, now, playbook)
    ]
    return tuple(sorted(pending, key=lambda deadline: deadline.at))


def calendar(incident_id: str, entries: Iterable[Deadline], stamp: datetime) -> str:
    """Return the text of an .ics file with one event and one alarm a deadline.

    Parameters
    ----------
    stamp : datetime
        When the file is made (DTSTAMP); the same stamp gives the same bytes.

    Returns
    -------
    str
        Lines end with CR LF and have at most 75 octets.
    """
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//T.A.R.S.//incident workbook//EN", "CALSCALE:GREGORIAN"]
    for entry in entries:
        title = _text(f"{incident_id}: {entry.title}")
        uid = sha256_hex(f"{incident_id}\0{entry.key}".encode(errors="surrogatepass"))[:32]
        lines += [
            "BEGIN:VEVENT",
            f"UID:{uid}@tars-incident-workbook",
            f"DTSTAMP:{_time(stamp)}",
            f"DTSTART:{_time(entry.at)}",
            f"SUMMARY:{title}",
            *([f"DESCRIPTION:{_text(entry.text)}"] if entry.text else []),
            "BEGIN:VALARM",
            "ACTION:DISPLAY",
            f"DESCRIPTION:{title}",
            "TRIGGER:PT0S",
            "END:VALARM",
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    return "".join(f"{folded}\r\n" for line in lines for folded in _fold(line))


def _time(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _text(text: str) -> str:
    """Return a TEXT value (section 3.3.11); control characters, which it must not hold, are dropped to visible code points."""
    lines = [visible(line) for line in text.splitlines()]
    escaped = [line.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,") for line in lines]
    return "\\n".join(escaped)


def _fold(line: str) -> list[str]:
    folded, rest = [], line
    while len(rest.encode()) > _OCTETS:
        cut = next(n for n in range(min(_OCTETS, len(rest)), 0, -1) if len(rest[:n].encode()) <= _OCTETS)
        folded.append(rest[:cut])
        rest = f" {rest[cut:]}"
    return [*folded, rest]
