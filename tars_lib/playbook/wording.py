"""Facts in words: what is known is said as text, and what is not known is said as unknown."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from tars_lib.playbook.facts import AffectedRepo, BreachedSla, Cause, Facts, Status
from tars_lib.text.times import MINUTES
from tars_lib.text.visible import visible

UNKNOWN = "unknown"
_VERDICT = re.compile(r"\b(is|are) (breached|at risk)\b")


def line(text: str) -> str:
    """One line of plain text, control and hidden characters shown as code points."""
    return " ".join(visible(text).split())


def time_text(time: datetime | None) -> str:
    """Return a time in UTC, or unknown."""
    return UNKNOWN if time is None else f"{time.astimezone(UTC):{MINUTES}}"


def length_text(length: timedelta | None) -> str:
    """Return a duration as `duration_text` says it, or unknown.

    Examples
    --------
    >>> length_text(timedelta(hours=1, minutes=35))
    '1 h 35 min'
    """
    if length is None:
        return UNKNOWN
    from tars_lib.model.organisation import duration_text

    return duration_text(length)


def listed(parts: Iterable[str], *, nothing: str) -> str:
    """Return the parts with commas between them; `nothing` where there are none."""
    return ", ".join(parts) or nothing


def sla_text(sla: BreachedSla) -> str:
    """Return an SLA as name and id."""
    return line(sla.sla_name) if sla.sla_name in ("", sla.sla_id) else f"{line(sla.sla_name)} ({line(sla.sla_id)})"


def repo_text(repo: AffectedRepo) -> str:
    """Return a repo by the name that people know it by."""
    return line(repo.name or repo.repo)


def summary_sentences(facts: Facts) -> tuple[str, ...]:
    """Summarise the record: what was found (else the title), how it ended, whether containment worked."""
    sentences = [line(found_text(facts)) or line(facts.title) or "Untitled"]
    if facts.resolution.strip():
        sentences.append(f"How it ended: {line(facts.resolution)}")
    if facts.outcome is not None:
        sentences.append(f"After containment: {facts.outcome.verdict.lower()}; {line(facts.outcome.text)}")
    return tuple(f"{sentence.rstrip('.')}." for sentence in sentences)


def impact_end(facts: Facts) -> datetime | None:
    """When the last breach ended, by the data; None while one lasts, or where no breach is known."""
    ends = [sla.ended_at for sla in facts.slas if sla.ended_at is not None]
    return max(ends) if ends and len(ends) == len(facts.slas) else None


def found_text(facts: Facts) -> str:
    """Say what was found, in the past once the incident is over.

    Examples
    --------
    >>> from tars_lib.model.names import Severity
    >>> time = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)
    >>> over = Facts("INC-1", "t", Severity.SEV_1, "SLA Breach", Status.CLOSED, time, summary="Search is breached in web.")
    >>> found_text(over)
    'Search was breached in web.'
    """
    if not facts.is_over and impact_end(facts) is None:
        return facts.summary
    return _VERDICT.sub(lambda hit: f"{'was' if hit[1] == 'is' else 'were'} {hit[2]}", facts.summary)


def status_text(facts: Facts) -> str:
    """Return the word of the escalation template: Investigating, Mitigating or Resolved."""
    if facts.is_over:
        return "Resolved"
    return "Mitigating" if facts.status is Status.MITIGATING else "Investigating"


def freshness_text(facts: Facts) -> str:
    """Up to when data is known.

    Examples
    --------
    >>> from tars_lib.model.names import Severity
    >>> time = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)
    >>> freshness_text(Facts("INC-1", "t", Severity.SEV_1, "SLA Breach", Status.OPEN, time, data_until=time))
    'no new data since 2026-01-05 14:30 UTC'
    """
    if facts.data_until is None:
        return "the time of the latest data is unknown"
    return f"no new data since {time_text(facts.data_until)}"


def customer_impact_text(facts: Facts) -> str:
    """Return the impact on customers, as far as it is known."""
    if facts.customer_impact_text.strip():
        return line(facts.customer_impact_text)
    if facts.customer_impact is None:
        return "Unknown"
    if not facts.customer_impact:
        return "None known"
    facing = [repo_text(repo) for repo in facts.repos if repo.customer_facing]
    return f"Yes, through {listed(facing, nothing='services that are unknown')}; how many customers is unknown"


def distinct(causes: Iterable[Cause]) -> list[tuple[Cause, str]]:
    """Return the causes without those that only say again, for another SLA, that the same change of the same repo is to blame.

    Returns
    -------
    list of (cause, str)
        In the given order, each with "; also explains <SLAs>", which is empty where it explains no other SLA. Without a
        change the same metric of the repo is the same cause; one that a person said, and one that explains nothing
        (confidence 0), stands for itself.
    """
    named: list[tuple[Cause, list[str]]] = []
    positions: dict[tuple[str, str | None, str | None], int] = {}
    for cause in causes:
        if cause.repo is not None and cause.confidence:
            key = (cause.repo, cause.change, None if cause.change else cause.metric)
            position = positions.setdefault(key, len(named))
            if position < len(named):
                first, others = named[position]
                if cause.sla_id is not None and cause.sla_id not in (first.sla_id, *others):
                    others.append(cause.sla_id)
                continue
        named.append((cause, []))
    return [(cause, f"; also explains {', '.join(others)}" if others else "") for cause, others in named]


def cause_text(facts: Facts) -> str:
    """Return the first cause with its confidence."""
    return one_cause(facts.causes[0]) if facts.causes else "Under investigation"


def one_cause(cause: Cause) -> str:
    """Return a cause with its confidence."""
    sentence = line(cause.cause).rstrip(".")
    if cause.confidence is None and cause.cause_type is None:
        return f"{sentence} (said by a responder)"
    share = UNKNOWN if cause.confidence is None else f"{cause.confidence:.0%}"
    return f"{sentence} (confidence: {'below 1%' if share == '0%' else share})"


def causes_considered(facts: Facts) -> list[str]:
    """Return the cause that is held, with what else it explains, then the other ones that were considered."""
    first, *others = [f"{one_cause(cause)}{also}" for cause, also in distinct(facts.causes)] or [cause_text(facts)]
    return [first, *(f"Also considered: {other}" for other in others)]
