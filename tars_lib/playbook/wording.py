"""Facts in words: what is known is said as text, and what is not known is said as unknown."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from tars_lib.playbook.facts import AffectedRepo, BreachedSla, Facts, Status
from tars_lib.visible import visible

UNKNOWN = "unknown"


def line(text: str) -> str:
    """One line of plain text, control and hidden characters shown as code points."""
    return " ".join(visible(text).split())


def time_text(time: datetime | None) -> str:
    """A time in UTC, or unknown."""
    return UNKNOWN if time is None else f"{time.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def length_text(length: timedelta | None) -> str:
    """A duration as `duration_text` says it, or unknown.

    Examples
    --------
    >>> length_text(timedelta(hours=1, minutes=35))
    '1 h 35 min'
    """
    if length is None:
        return UNKNOWN
    from tars_lib.org import duration_text

    return duration_text(length)


def listed(parts: Iterable[str], *, nothing: str) -> str:
    """Parts with commas between them; `nothing` where there are none."""
    return ", ".join(parts) or nothing


def sla_text(sla: BreachedSla) -> str:
    """An SLA as name and id."""
    return line(sla.sla_name) if sla.sla_name in ("", sla.sla_id) else f"{line(sla.sla_name)} ({line(sla.sla_id)})"


def repo_text(repo: AffectedRepo) -> str:
    """A repo by the name that people know it by."""
    return line(repo.name or repo.repo)


def summary_sentences(facts: Facts) -> tuple[str, ...]:
    """What the record says in sentences: what was found (else the title), how it ended, whether containment worked."""
    said = [line(facts.summary) or line(facts.title) or "Untitled"]
    if facts.resolution.strip():
        said.append(f"How it ended: {line(facts.resolution)}")
    if facts.outcome is not None:
        said.append(f"Did containment work? {facts.outcome.verdict.capitalize()}: {line(facts.outcome.text)}")
    return tuple(f"{one.rstrip('.')}." for one in said)


def status_text(facts: Facts) -> str:
    """The word of the escalation template: Investigating, Mitigating or Resolved."""
    if facts.is_over:
        return "Resolved"
    return "Mitigating" if facts.status is Status.MITIGATING else "Investigating"


def freshness_text(facts: Facts) -> str:
    """Up to when data is known.

    Examples
    --------
    >>> from tars_lib.schema import Severity
    >>> time = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)
    >>> freshness_text(Facts("INC-1", "t", Severity.SEV_1, "SLA Breach", Status.OPEN, time, data_until=time))
    'no new data since 2026-01-05 14:30 UTC'
    """
    if facts.data_until is None:
        return "the time of the latest data is unknown"
    return f"no new data since {time_text(facts.data_until)}"


def customer_impact_text(facts: Facts) -> str:
    """The impact on customers, as far as it is known."""
    if facts.customer_impact_text.strip():
        return line(facts.customer_impact_text)
    if facts.customer_impact is None:
        return "Unknown"
    if not facts.customer_impact:
        return "None known"
    facing = [repo_text(repo) for repo in facts.repos if repo.customer_facing]
    return f"Yes, through {listed(facing, nothing='repos that are unknown')}; how many customers is unknown"


def cause_text(facts: Facts) -> str:
    """The first cause with its confidence."""
    if not facts.causes:
        return "Under investigation"
    first = facts.causes[0]
    said = UNKNOWN if first.confidence is None else f"{first.confidence:.0%}"
    if first.confidence is None and first.cause_type is None:
        return f"{line(first.sentence).rstrip('.')} (said by a responder)"
    return f"{line(first.sentence).rstrip('.')} (confidence: {said})"
