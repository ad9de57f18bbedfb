"""Tickets that follow from an incident, and SLO targets that were not realistic: as Markdown, CSV and GitHub issues.

Nothing here files a ticket; these are texts and values for a tracker.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from tars_lib.files.csv_cells import csv_text
from tars_lib.files.json_records import Json, to_json
from tars_lib.model.names import Name, Severity
from tars_lib.playbook.documents.postmortem import item_ids
from tars_lib.playbook.facts import AffectedRepo, Facts
from tars_lib.playbook.wording import cause_text, freshness_text, line, listed, repo_text
from tars_lib.text.visible import markdown_text

LOW_HEALTH = 60.0
"""Score below which a repo gets an improvement ticket: the border of RED in the contract."""

# An SLO is called unrealistic where more than half of at least six past windows missed it, and the level that is suggested
# was kept in nine of ten of them: judgement.
_LEAST_WINDOWS = 6
# Six windows of minutes are one bad hour: they have to cover the SLO's period, too. A day of it may be partial.
_LEAST_PERIODS = 0.95
_MISSED_SHARE = 0.5
_KEPT_SHARE = 0.9


class TicketKind(Name):
    """Reason for a ticket."""

    INCIDENT = "INCIDENT"
    IMPROVEMENT = "IMPROVEMENT"
    ACTION_ITEM = "ACTION_ITEM"
    SLO_UPDATE = "SLO_UPDATE"


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket. Texts are plain; `key` is the same whenever the same ticket is made."""

    key: str
    kind: TicketKind
    title: str
    text: str
    owner: str | None = None
    due: datetime | None = None
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SloPast:
    """Past performance of an SLO.

    `values` are the SLI of past whole windows; NaN where it is not known. `window` is their length in words, `periods` how
    many of the SLO's periods lie between the begin of the first and the end of the last.
    """

    sla_id: str
    objective: float
    higher_is_better: bool
    values: tuple[float, ...]
    unit: str = ""
    window: str = ""
    periods: float = 1.0

    @property
    def known(self) -> int:
        """Return the windows that could be judged."""
        return sum(math.isfinite(value) for value in self.values)

    @property
    def lacking(self) -> str | None:
        """Say what is missing before the objective can be doubted; None where there is enough."""
        of = f" of {self.window}" if self.window else ""
        if self.known < _LEAST_WINDOWS:
            return f"{self.known} whole windows{of} could be judged; {_LEAST_WINDOWS} are needed"
        if self.periods < _LEAST_PERIODS:
            return f"windows{of} could be judged over less than one period; a whole one is needed"
        return None


@dataclass(frozen=True, slots=True)
class SloUpdate:
    """A suggested objective. `missed` of `windows` missed the present one."""

    sla_id: str
    objective: float
    suggested: float
    missed: int
    windows: int
    unit: str
    reason: str


def tickets(facts: Facts) -> tuple[Ticket, ...]:
    """Return the incident itself where it is a SEV-4, and its open action items."""
    drafted = []
    if facts.severity is Severity.SEV_4:
        text = (
            f"{line(facts.title)}\nServices: {listed((line(repo.repo) for repo in facts.repos), nothing='none known')}\n"
            f"Cause: {cause_text(facts)}\n{freshness_text(facts)}"
        )
        title = f"{line(facts.incident_id)}: {line(facts.title) or facts.incident_type}"
        drafted.append(Ticket(facts.incident_id, TicketKind.INCIDENT, title, text, labels=("incident", "SEV-4")))
    for key, item in item_ids(facts):
        if not item.is_done:
            text = f"From the postmortem of {line(facts.incident_id)}: {line(facts.title)}"
            labels = ("action-item", facts.severity.value)
            drafted.append(Ticket(key, TicketKind.ACTION_ITEM, line(item.text), text, item.owner, item.due, labels))
    return tuple(drafted)


def improvement_tickets(repos: Iterable[AffectedRepo]) -> tuple[Ticket, ...]:
    """Return a ticket for each repo whose score is known and below the threshold, the lowest first."""
    low = [repo for repo in repos if repo.score is not None and repo.score < LOW_HEALTH]
    return tuple(
        Ticket(
            f"improve:{repo.repo}",
            TicketKind.IMPROVEMENT,
            f"Improve the health of {repo_text(repo)}",
            f"Health score {repo.score:.1f} of 100; {LOW_HEALTH:g} or more is healthy enough."
            + (" Customers use it." if repo.customer_facing else ""),
            repo.team,
            labels=("improvement", *(("customer-facing",) if repo.customer_facing else ())),
        )
        for repo in sorted(low, key=lambda repo: (repo.score, repo.repo))
    )


def slo_updates(pasts: Iterable[SloPast]) -> tuple[SloUpdate, ...]:
    """Objectives that were missed more often than kept, with the level that nine of ten windows kept.

    The level is the order statistic, never an interpolated value, so it was reached in fact. Fewer than six known windows, or
    windows over less than a period, say nothing.
    """
    updates = []
    for past in pasts:
        known = [value for value in past.values if math.isfinite(value)]
        sign = 1 if past.higher_is_better else -1
        missed = sum(sign * value < sign * past.objective for value in known)
        if past.lacking is not None or missed <= _MISSED_SHARE * len(known):
            continue
        best_first = sorted(known, reverse=past.higher_is_better)
        suggested = best_first[math.ceil(_KEPT_SHARE * len(known)) - 1]
        windows = f"windows of {past.window}" if past.window else "windows"
        reason = f"{missed} of {len(known)} {windows} missed {past.objective:g}; nine of ten kept {suggested:g}"
        updates.append(SloUpdate(past.sla_id, past.objective, suggested, missed, len(known), past.unit, reason))
    return tuple(updates)


def slo_tickets(updates: Iterable[SloUpdate]) -> tuple[Ticket, ...]:
    """Return a ticket for each suggested objective: a target is changed by people."""
    return tuple(
        Ticket(
            f"slo:{update.sla_id}",
            TicketKind.SLO_UPDATE,
            f"Review the objective of {line(update.sla_id)}",
            f"{update.reason}. Either the service is improved, "
            + f"or the objective becomes {update.suggested:g} {update.unit}".strip()
            + ".",
            labels=("slo",),
        )
        for update in updates
    )


def as_markdown(rows: Sequence[Ticket]) -> str:
    """Return a checklist in Markdown."""
    if not rows:
        return "No tickets.\n"
    return "".join(
        f"- [ ] **{markdown_text(row.title)}** ({markdown_text(row.key)}; "
        f"owner: {markdown_text(row.owner or '') or 'not assigned'}; "
        f"due: {'not set' if row.due is None else f'{row.due:%Y-%m-%d}'})\n"
        + "".join(f"  {markdown_text(part)}\n" for part in row.text.splitlines())
        for row in rows
    )


def as_csv(rows: Sequence[Ticket]) -> str:
    """RFC 4180 with a head; a cell that a spreadsheet would compute begins with an apostrophe."""
    head = ("key", "kind", "title", "text", "owner", "due", "labels")
    return csv_text(
        head,
        [
            (
                row.key,
                row.kind.value,
                row.title,
                row.text,
                row.owner,
                None if row.due is None else f"{row.due:%Y-%m-%d}",
                " ".join(row.labels),
            )
            for row in rows
        ],
    )


def as_github_issues(rows: Sequence[Ticket]) -> list[Json]:
    """Bodies for GitHub's "create an issue", https://docs.github.com/en/rest/issues/issues#create-an-issue."""
    return [
        to_json(
            {
                "title": row.title[:256],
                "body": "\n".join(markdown_text(part) for part in row.text.splitlines())
                + f"\n\nKey: {markdown_text(row.key)}\nOwner: {markdown_text(row.owner or '') or 'not assigned'}"
                + ("" if row.due is None else f"\nDue: {row.due:%Y-%m-%d}"),
                "labels": row.labels,
            }
        )
        for row in rows
    ]
