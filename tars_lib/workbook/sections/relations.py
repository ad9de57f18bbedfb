"""Common ground of the pages on spread and common movement: names, states and changes around an onset in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from tars_lib.engines.queries import changes
from tars_lib.engines.queries.incident_state import IncidentState
from tars_lib.engines.relations.lead_lag_report import PropagationPath
from tars_lib.figures.relations.lead_lag import lag_text
from tars_lib.findings.exit_codes import EXIT_CODES
from tars_lib.model.names import ClusterDirection, Event, Severity
from tars_lib.model.organisation import duration_text
from tars_lib.model.times import read_duration
from tars_lib.pipeline import Run
from tars_lib.playbook.packaged import packaged
from tars_lib.reports.blocks.kinds import Badge, Column, Table, TitleBlock
from tars_lib.text.times import MINUTES
from tars_lib.workbook.parameters.register import state_by
from tars_lib.workbook.sections.labels import label_of, listed
from tars_lib.workbook.sections.title import finding_badges, head, of_code

MAX_CHANGES = 6


def page_head(
    run: Run,
    what: str,
    headline: str,
    codes: tuple[int, ...],
    nothing: str,
    incident_id: str,
    began: datetime | None,
    state: IncidentState | None = None,
) -> TitleBlock:
    """Return the head of a page on one finding: a run may be in trouble for other reasons, so its absence is named as such.

    Parameters
    ----------
    run : Run
    what, headline : str
        Kind of page, and one sentence.
    codes : tuple of int
        Findings that the page is about, gravest first.
    nothing : str
        Badge where the run has none of them.
    incident_id : str
    began : datetime or None
        Onset, for the facts.
    state : IncidentState, optional
        As `head` takes it.
    """
    entry = of_code(run, *codes)
    block = head(run, what, headline, entry, incident_id, state=state)
    facts = block.facts if began is None else (*block.facts, ("Began", since_words(began)))
    unfound = finding_badges(run, None)
    badges = (
        block.badges
        if entry is not None
        else tuple(Badge(nothing, "good") if b in unfound else b for b in block.badges)
    )
    if entry is None and run.sla.breaches and not (state or state_by(run, None)).is_settled:
        # what the page is about is fine, and the run is not
        badges = (*finding_badges(run, EXIT_CODES[run.status.exit_code]), *badges)
    return replace(block, facts=facts, badges=badges)


def way(path: PropagationPath, limit: int = 6) -> str:
    """Return a path as a reader writes it."""
    names = [label_of(repo) for repo in path.path]
    return " → ".join(names if len(names) <= limit else [*names[: limit - 1], "…", names[-1]])


def lag_words(path: PropagationPath) -> str:
    """Say how long the path takes, first to last."""
    return lag_text(path.lag_duration)


def since_words(time: datetime | None) -> str:
    """Return a moment in words; that none is seen is said."""
    return "no change seen" if time is None else f"{time:{MINUTES}}"


def state_badge(path: PropagationPath) -> Badge:
    """Tell if something travels on a path now, and what."""
    if not path.is_active:
        return Badge("Quiet", "neutral")
    return Badge("Active", "critical") if path.is_declining else Badge("Recovering", "good")


def direction_badge(direction: ClusterDirection, *, is_anomalous: bool) -> Badge:
    """Say where a cluster goes now."""
    if not is_anomalous:
        return Badge("At its usual level", "good" if direction is not ClusterDirection.UNKNOWN else "unknown")
    words = {
        ClusterDirection.DECLINE: Badge("Declines", "critical"),
        ClusterDirection.IMPROVEMENT: Badge("Improves", "good"),
    }
    return words.get(direction, Badge("Deviates", "warning"))


def who_hears(severity: Severity) -> str:
    """Say who is told and when, by the escalation matrix."""
    who = [
        f"{name} {'now' if not after else f'after {duration_text(after)}'}"
        for name, after in zip(packaged().severity(severity).escalation, packaged().escalation_after, strict=False)
    ]
    return f"Notify: {', '.join(who)}" + (", the later ones only without progress." if len(who) > 1 else ".")


def changes_before(run: Run, repos: Iterable[str], onset: datetime | None) -> list[Event]:
    """Return the changes of these repos shortly before an onset; the latest first."""
    return changes.changes_before(run.org, repos, onset, read_duration(run.temporal.interval))


def change_table(run: Run, repos: tuple[str, ...], onset: datetime | None) -> Table:
    """Return the changes that may be rolled back, the latest first."""
    changes = changes_before(run, repos, onset)
    rows = tuple(
        (f"{event.timestamp:{MINUTES}}", event.repo or "all", f"{event.kind}: {event.title}", event.ref or "-")
        for event in changes[:MAX_CHANGES]
    )
    why = "No start is visible, so no change can be matched to it."
    if onset is not None:
        why = f"None of {listed(repos, 6)} has a recorded change in the day before {onset:{MINUTES}}."
    return Table(
        caption="Changes shortly before the start, latest first",
        columns=(Column("Time"), Column("Service", "mono"), Column("Change"), Column("Reference")),
        rows=rows,
        note=f"{len(changes) - len(rows)} earlier ones are not shown." if len(changes) > len(rows) else "",
        empty=why,
    )


def rollbacks(events: list[Event]) -> str:
    """Return the changes to roll back, in one line."""
    return "; ".join(
        f"{event.kind} '{label_of(event.title, 60)}' of {label_of(event.repo or 'all services')}"
        + (f" ({event.ref})" if event.ref else "")
        for event in events[:3]
    )
