"""The postmortem: the page's template filled from the facts, and the reviews that follow it with what is overdue."""

from __future__ import annotations

import calendar
import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from tars_lib.files.json_records import to_json
from tars_lib.playbook.facts import ActionItem, BreachedSla, Facts
from tars_lib.playbook.metrics import lengths
from tars_lib.playbook.packaged import packaged
from tars_lib.playbook.tables import MetricId, Playbook, Repeats, Review
from tars_lib.playbook.wording import (
    UNKNOWN,
    causes_considered,
    customer_impact_text,
    impact_end,
    length_text,
    line,
    listed,
    sla_text,
    summary_sentences,
    time_text,
)
from tars_lib.text.visible import markdown_text, visible

_DONE = {MetricId.MTTD: "Detected", MetricId.MTTR: "Resolved", MetricId.SLA_RECOVERY: "SLA met again"}
TO_DISCUSS = "To be discussed in the postmortem meeting"


@dataclass(frozen=True, slots=True)
class Impact:
    """Cost of the incident, from its facts alone.

    Attributes
    ----------
    duration : timedelta or None
        From the start of the impact (else the opening) to its end as the data have it, else to the resolution; None while it
        lasts.
    is_from_start : bool
        The start of the harm is known; otherwise the duration is a lower bound.
    budget_consumed : tuple of (str, float or None)
        SLA and share of its error budget; None where it has none or it is unknown.
    """

    duration: timedelta | None
    is_from_start: bool
    budget_consumed: tuple[tuple[str, float | None], ...]
    slas: tuple[str, ...]
    repos: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReviewDue:
    """A review with its time; `when` is the playbook's rule in words.

    `is_overdue` at the moment of asking; one that is due at this instant is not.
    """

    incident_id: str
    review_id: str
    activity: str
    participants: str
    due_at: datetime
    is_overdue: bool
    when: str = ""


def impact(facts: Facts) -> Impact:
    """Compute the impact."""
    end = impact_end(facts) or facts.resolved_at or facts.closed_at
    start = facts.started_at or facts.opened_at
    return Impact(
        duration=None if end is None else end - start,
        is_from_start=facts.started_at is not None,
        budget_consumed=tuple((sla.sla_id, sla.budget_consumed) for sla in facts.slas),
        slas=tuple(sla.sla_id for sla in facts.slas),
        repos=tuple(repo.repo for repo in facts.repos),
    )


def item_ids(facts: Facts) -> tuple[tuple[str, ActionItem], ...]:
    """Action items with their ids; one without an id gets the next free number of its incident."""
    taken = {item.item_id for item in facts.action_items if item.item_id}
    numbers = (f"{facts.incident_id}-{n}" for n in range(1, 2 * len(facts.action_items) + 1))
    free = (number for number in numbers if number not in taken)
    return tuple((item.item_id or next(free), item) for item in facts.action_items)


def postmortem(facts: Facts, now: datetime, playbook: Playbook | None = None) -> str:
    """Return the page's template in Markdown, with a head in YAML (JSON values, which YAML reads).

    Parameters
    ----------
    now : datetime
        Aware; decides what is overdue.
    """
    playbook = playbook or packaged()
    cost = impact(facts)
    first, *considered = causes_considered(facts)
    well, late = clocks_kept(facts, playbook)
    lines = [
        *_head(facts, cost, playbook),
        "",
        f"# Incident Postmortem: {markdown_text(facts.incident_id)}",
        "",
        "## Summary",
        *(markdown_text(sentence) for sentence in summary_lines(facts)),
        "",
        "## Timeline",
        "| Time (UTC) | Event | Source |",
        "|------------|-------|--------|",
        *_timeline(facts),
        "",
        "## Root Cause",
        markdown_text(first),
        *(f"- {markdown_text(cause)}" for cause in considered),
        "",
        "## Impact",
        f"- Duration: {duration_line(facts)}",
        f"- SLAs breached: {markdown_text(listed(map(sla_text, facts.slas), nothing='none known'))}",
        *(f"- Error budget of {markdown_text(sla.sla_id)}: {budget_text(sla)}" for sla in facts.slas),
        f"- Services affected: {markdown_text(listed(cost.repos, nothing='none known'))}",
        f"- Customers affected: {markdown_text(customer_impact_text(facts))}",
        "",
        "## What Went Well",
        *_numbered(well),
        "",
        "## What Could Be Improved",
        *_numbered(late),
        "",
        "## Action Items",
        "| ID | Action | Owner | Due Date | Status |",
        "|----|--------|-------|----------|--------|",
        *_items(facts, now),
        "",
        "## Lessons Learned",
        f"{TO_DISCUSS}.",
        "",
        "## Reviews",
        *_reviews(facts, now, playbook),
    ]
    return "\n".join(lines) + "\n"


def summary_lines(facts: Facts) -> list[str]:
    """Return what was found, severity and type; then how it ended and whether containment worked, where recorded."""
    first, *after = summary_sentences(facts)
    return [f"{first} {facts.severity.value}, {line(facts.incident_type)}.", *after]


def budget_text(sla: BreachedSla) -> str:
    """Say how much of an error budget was used; n/a where an SLA has none, since what is no share has no budget."""
    if sla.budget_consumed is not None:
        return f"{sla.budget_consumed:.0%} consumed"
    return UNKNOWN if sla.unit in ("", "ratio") else "n/a"


def duration_line(facts: Facts) -> str:
    """Say how long it lasted, from when that is counted, and whether data shows that it ended then."""
    cost = impact(facts)
    if cost.duration is None:
        return "not over yet"
    hours = f"{cost.duration.total_seconds() / 3600:.1f} hours ({length_text(cost.duration)})"
    began = time_text(facts.started_at)
    said = f"{hours}, since {began}" if cost.is_from_start else f"at least {hours}; when it began is unknown"
    return f"{said}; {unconfirmed(facts)}" if unconfirmed(facts) else said


def unconfirmed(facts: Facts) -> str:
    """Say why the end of the harm is only what people say; empty where data shows it, or nobody has looked."""
    if facts.outcome is None or facts.outcome.is_known or impact_end(facts) is not None:
        return ""
    if facts.data_until is None:
        return "no data shows that it ended then"
    return f"no data after {time_text(facts.data_until)} shows that it ended then"


def review_deadlines(facts: Facts, now: datetime, playbook: Playbook | None = None) -> tuple[ReviewDue, ...]:
    """Reviews that are still to be held, in order of time; none before the incident is over.

    Reviews with a deadline count from the resolution. A weekly review comes back while action items are open, a monthly one
    once after each incident; both count from the last one held.
    """
    playbook = playbook or packaged()
    end = facts.resolved_at or facts.closed_at
    if end is None:
        return ()
    due = []
    for row in playbook.reviews:
        times = [review.at for review in facts.reviews if review.review_id == row.review_id and review.at >= end]
        at = _due_at(row, end, max(times, default=None), facts)
        if at is not None:
            due.append(
                ReviewDue(facts.incident_id, row.review_id, row.activity, row.participants, at, at < now, row.when)
            )
    return tuple(sorted(due, key=lambda review: review.due_at))


def overdue_items(facts: Facts, now: datetime) -> tuple[tuple[str, ActionItem], ...]:
    """Open action items whose due date has passed, with their ids."""
    return tuple(
        (key, item) for key, item in item_ids(facts) if not item.is_done and item.due is not None and item.due < now
    )


def clocks_kept(facts: Facts, playbook: Playbook) -> tuple[list[str], list[str]]:
    """State in a sentence each which of the two clocks and of the metrics' targets were kept, and which were not, as recorded.

    The targets are set for means; held against one incident they say what it adds to them.
    """
    within = playbook.severity(facts.severity).respond_within
    well: list[str] = []
    late: list[str] = []
    if within is not None and facts.acknowledged_at is not None:
        took = facts.acknowledged_at - facts.opened_at
        (well if took <= within else late).append(
            f"Acknowledged after {length_text(took)}; {length_text(within)} are allowed"
        )
    contain = playbook.contain_within(facts.incident_type)
    if contain is not None and facts.mitigated_at is not None:
        took = facts.mitigated_at - (facts.reopened_at or facts.opened_at)
        (well if took <= contain else late).append(
            f"Contained after {length_text(took)}; {length_text(contain)} are allowed"
        )
    for row in playbook.metrics:
        if row.below is None or row.metric_id not in _DONE:
            continue
        for _, minutes in lengths(row.metric_id, [facts], facts.opened_at).known:
            took = timedelta(minutes=minutes)
            (well if took < row.below else late).append(
                f"{_DONE[row.metric_id]} after {length_text(took)}; the target is under {length_text(row.below)}"
            )
    return well, late


def _due_at(row: Review, end: datetime, last: datetime | None, facts: Facts) -> datetime | None:
    if row.within is not None:
        return None if last is not None else end + row.within
    if row.repeats is Repeats.WEEKLY:
        is_open = any(not item.is_done for item in facts.action_items)
        return (last or end) + timedelta(days=7) if is_open else None
    return None if last is not None else _month_later(end)


def _month_later(time: datetime) -> datetime:
    """Return the same day of the next month, or its last one."""
    year, month = (time.year + 1, 1) if time.month == 12 else (time.year, time.month + 1)
    return time.replace(year=year, month=month, day=min(time.day, calendar.monthrange(year, month)[1]))


def _head(facts: Facts, cost: Impact, playbook: Playbook) -> list[str]:
    values = {
        "incident_id": facts.incident_id,
        "title": facts.title,
        "severity": facts.severity,
        "type": facts.incident_type,
        "status": facts.status,
        "started_at": facts.started_at,
        "opened_at": facts.opened_at,
        "acknowledged_at": facts.acknowledged_at,
        "resolved_at": facts.resolved_at,
        "duration_minutes": None if cost.duration is None else round(cost.duration.total_seconds() / 60),
        "slas": cost.slas,
        "repos": cost.repos,
        "playbook_version": playbook.version,
        "playbook_sha256": playbook.sha256,
    }
    return ["---", *(f"{key}: {_yaml(to_json(value))}" for key, value in values.items()), "---"]


def _yaml(value: object) -> str:
    """Return a value in YAML's flow style, which JSON is; what YAML does not allow in a text is shown as a code point."""
    if isinstance(value, str):
        return json.dumps(visible(value), ensure_ascii=False)
    if isinstance(value, list):
        return f"[{', '.join(_yaml(item) for item in value)}]"
    return json.dumps(value)


def _timeline(facts: Facts) -> list[str]:
    rows = sorted(facts.timeline, key=lambda row: row.at)
    if not rows:
        return [f"| {UNKNOWN} | Nothing was recorded | - |"]
    return [
        f"| {time_text(row.at).removesuffix(' UTC')} | {markdown_text(row.text)} | {markdown_text(row.source) or UNKNOWN} |"
        for row in rows
    ]


def _numbered(texts: list[str]) -> list[str]:
    """Number what the clocks say; praise and blame are the meeting's."""
    return [f"{n}. {text}" for n, text in enumerate([*texts, TO_DISCUSS], start=1)]


def _items(facts: Facts, now: datetime) -> list[str]:
    overdue = {key for key, _ in overdue_items(facts, now)}
    rows = []
    for key, item in item_ids(facts):
        status = "Done" if item.is_done else "Overdue" if key in overdue else "Open"
        due = "not set" if item.due is None else time_text(item.due)[:10]
        owner = markdown_text(item.owner or "") or "not assigned"
        rows.append(f"| {markdown_text(key)} | {markdown_text(item.text)} | {owner} | {due} | {status} |")
    return rows or ["| - | None recorded | - | - | - |"]


def _reviews(facts: Facts, now: datetime, playbook: Playbook) -> list[str]:
    due = review_deadlines(facts, now, playbook)
    if not due:
        return ["None is due: all were held." if facts.is_over else "None is due before the incident is resolved."]
    return [
        f"- {row.activity}: {'overdue since' if row.is_overdue else 'by'} {time_text(row.due_at)} "
        f"({row.when}; {row.participants})"
        for row in due
    ]
