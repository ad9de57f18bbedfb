"""The story of each breach: what broke, why, where the harm sits, what happened when, how to contain it."""

from __future__ import annotations

from datetime import timedelta

from tars_lib.engines.queries.incident_state import IncidentState
from tars_lib.engines.sla.report import Breach, RootCause
from tars_lib.engines.sla.sli_course import Courses, courses
from tars_lib.figures.health.trends import draw_trends, moved_text
from tars_lib.figures.sla.breaches import draw_breach_timeline
from tars_lib.figures.sla.causes import draw_causes
from tars_lib.figures.sla.harm import draw_harm
from tars_lib.model.names import CauseType
from tars_lib.model.organisation import duration_text
from tars_lib.pipeline import Run
from tars_lib.playbook.containment import action_for, containment_row
from tars_lib.reports.blocks.kinds import (
    Badge,
    Block,
    Callout,
    CandidateCause,
    CauseList,
    Column,
    Heading,
    Prose,
    Table,
    Timeline,
    TimelineEntry,
)
from tars_lib.text.counts import plural, unexplained_text
from tars_lib.text.quantities import value_text
from tars_lib.text.times import MINUTES
from tars_lib.workbook.parameters.register import state_by
from tars_lib.workbook.sections.figure_blocks import figure, figures
from tars_lib.workbook.sections.labels import listed
from tars_lib.workbook.sections.run_facts import is_dark, none_is

MAX_BREACHES = 3
"""Breaches that are told in full; the scorecard lists all. Judgement: a leader reads two to four pages."""
MIN_CONFIDENCE = 0.05
"""Causes below it are named in a line, not told; judgement."""


def overview(run: Run, state: IncidentState | None = None) -> list[Block]:
    """Show when each SLA was breached, and the ranking of the first one's causes, side by side."""
    if not run.sla.breaches:
        return []
    state = state or state_by(run, None)
    times = draw_breach_timeline(run.sla.breaches, run.org.changes(), run.sla.as_of, is_settled=state.is_settled)
    return [*figures(times, draw_causes(run.sla.breaches[0]))]


def breach_story(run: Run, position: int, state: IncidentState | None = None) -> list[Block]:
    """Show what broke and why, for one breach: a sentence, the causes, the trends, the place of the harm.

    Returns nothing for a position at which there is no breach; the first one says so while something is at risk or unknown.
    """
    if position >= len(run.sla.breaches):
        is_calm = not is_dark(run) and not run.sla.summary.at_risk
        if position or is_calm:
            return []
        return [
            Heading("What was found"),
            Callout(none_is(run, "breached"), run.sla.risk_narrative.text, "unknown" if is_dark(run) else "good"),
        ]
    breach = run.sla.breaches[position]
    shown = _courses(run, breach)
    is_told = any(same_cause(breach, other) for other in run.sla.breaches[:position])
    blocks: list[Block] = [Heading(f"What broke and why: {breach.sla_name}")]
    if is_told:
        moved = "" if shown is None else f" {moved_text(shown, breach)} (medians before and since the start)."
        return [*blocks, Prose((told_story(run, breach, state) + moved, _same_as_above(breach)))]
    blocks += [Prose((told_story(run, breach, state),)), causes_of(breach)]
    if shown is None:
        return blocks
    blocks.append(figure(draw_trends(shown, breach, run.org.changes())))
    harm = draw_harm(shown, breach, run.org.graph) if run.org.dependencies else None
    return [*blocks, figure(harm)] if harm is not None else blocks


def courses_of(run: Run, position: int) -> list[Block]:
    """Show the SLI of a breach in its target, its cause and the other affected services; nothing without a course."""
    if position >= len(run.sla.breaches):
        return []
    breach = run.sla.breaches[position]
    shown = _courses(run, breach)
    return [] if shown is None else [figure(draw_trends(shown, breach, run.org.changes()))]


def breach_stories(run: Run, state: IncidentState | None = None) -> list[Block]:
    """Tell the stories of the first breaches, and how many more there are."""
    blocks = [block for position in range(MAX_BREACHES) for block in breach_story(run, position, state)]
    more = len(run.sla.breaches) - MAX_BREACHES
    if more > 0:
        names = listed(tuple(breach.sla_name for breach in run.sla.breaches[MAX_BREACHES:]))
        blocks.append(Callout(plural(more, "further breach", "further breaches"), names, "warning"))
    return blocks


def told_story(run: Run, breach: Breach, state: IncidentState | None = None) -> str:
    """Say what was measured against what, since when, where; in the past once the incident is settled."""
    result = run.sla[breach.sla_id]
    named = next((policy.repos for policy in run.org.policies if policy.sla_id == breach.sla_id), ())
    scope = result.scope or (f"{listed(named)} together" if named else "the whole organisation")
    window = result.windows[0].window
    parts = [
        f"Over {window}, {scope} measured {value_text(breach.value, breach.unit)} against an objective of "
        f"{value_text(breach.objective, breach.unit)}."
    ]
    if breach.started_at is not None:
        is_settled = (state or state_by(run, None)).is_settled
        lasted = duration_text((breach.ended_at or run.sla.as_of) - breach.started_at)
        began = f"{breach.started_at:{MINUTES}}{' or earlier' if breach.started_before else ''}"
        parts.append(
            f"Failed from {began}, for {'' if breach.ended_at else 'at least '}{lasted}."
            if breach.ended_at or is_settled
            else f"Failing since {began}, {lasted} so far."
        )
    if breach.repos:
        parts.append(f"Affected: {listed(breach.repos, 6)}.")
    if breach.could_be_chance:
        parts.append("The 95% interval includes the objective: over this window alone it could be chance.")
    return " ".join(parts)


def causes_of(breach: Breach, limit: int = 5) -> CauseList:
    """Return the root causes of a breach, best first, at most `limit` told, with what is unexplained."""
    told = [
        cause for cause in breach.root_causes if cause is breach.root_causes[0] or cause.confidence >= MIN_CONFIDENCE
    ][:limit]
    rest = tuple(cause.repo for cause in breach.root_causes if cause not in told)
    also = f"Also abnormal, but less likely causes: {listed(rest)}. " if rest else ""
    causes = tuple(
        CandidateCause(
            rank,
            cause.cause,
            cause.repo,
            cause.confidence,
            cause.contribution if breach.is_weighed else None,
            _containment_badge(cause),
            cause.evidence[1:5],
        )
        for rank, cause in enumerate(told, start=1)
    )
    return CauseList(
        causes,
        unexplained=breach.unexplained if causes and breach.is_weighed else None,
        title="Root causes, best first" if len(told) > 1 else "",
        note=also.strip(),
        empty=f"Cause unknown: {breach.reason}." if breach.reason else "Cause unknown.",
    )


def same_cause(one: Breach, other: Breach) -> bool:
    """Return whether two breaches have the same repo as their best cause."""
    return bool(one.root_causes and other.root_causes) and one.root_causes[0].repo == other.root_causes[0].repo


def timeline(run: Run) -> list[Block]:
    """Draw changes before the onset, the onsets, and the time of the data; nothing where there is no more than that."""
    entries: list[tuple[object, TimelineEntry]] = []
    starts = [breach.started_at for breach in run.sla.breaches if breach.started_at is not None]
    first = min(starts, default=run.sla.as_of)
    reach = first - max(3 * (run.sla.as_of - first), timedelta(hours=6))
    for event in run.org.events:
        if reach <= event.timestamp <= run.sla.as_of:
            who = event.repo or "all services"
            text = f"{who}" + (f", {event.ref}" if event.ref else "")
            entries.append(
                (
                    event.timestamp,
                    TimelineEntry(
                        f"{event.timestamp:%m-%d %H:%M}", f"{event.kind}: {event.title}", text, "info", "Change"
                    ),
                )
            )
    for breach in run.sla.breaches:
        if breach.started_at is not None:
            value = f"in {listed(breach.repos) or 'the organisation as a whole'}"
            title_ = (
                f"{breach.sla_name} breached"
                if not breach.started_before
                else f"{breach.sla_name} was breaching already"
            )
            entries.append(
                (
                    breach.started_at,
                    TimelineEntry(f"{breach.started_at:%m-%d %H:%M}", title_, value, "critical", "Breach"),
                )
            )
        if breach.ended_at is not None:
            entries.append(
                (
                    breach.ended_at,
                    TimelineEntry(
                        f"{breach.ended_at:%m-%d %H:%M}",
                        f"{breach.sla_name}: last sample beyond the objective",
                        "",
                        "good",
                        "Over",
                    ),
                )
            )
    entries.append(
        (
            run.sla.as_of,
            TimelineEntry(f"{run.sla.as_of:%m-%d %H:%M}", "Last sample of this report", "", "neutral", "Data"),
        )
    )
    ordered = [entry for _, entry in sorted(entries, key=lambda pair: str(pair[0]))]
    return [Heading("Timeline, UTC"), Timeline(tuple(ordered[-12:]))] if len(ordered) > 1 else []


def actions(run: Run) -> list[Block]:
    """List how to contain, verify and undo: a row a cause found; nothing without a breach."""
    if not run.sla.breaches:
        return []
    rows = []
    seen = set()
    for breach in run.sla.breaches:
        cause = breach.root_causes[0] if breach.root_causes else None
        if cause is None or (cause.repo, cause.containment_type) in seen:
            continue
        seen.add((cause.repo, cause.containment_type))
        row = containment_row(cause.containment_type)
        first = f"Roll back {cause.change} of {cause.repo}; " if _is_change(cause) else ""
        back = first + action_for(cause.containment_type, cause.repo)
        rows.append((row.cause, back, row.verify, row.revert))
    return [
        Heading("How to contain it"),
        Table(
            caption="What stops it, by the playbook's table",
            columns=(Column("Cause type"), Column("Action"), Column("It worked when"), Column("To undo")),
            rows=tuple(rows),
            empty="Cause unknown: find it by hand, and freeze deployments to the affected services meanwhile.",
        ),
    ]


def _courses(run: Run, breach: Breach) -> Courses | None:
    """Return the courses around a breach; None where its target has none."""
    shown = courses(run.org, breach, run.sla.as_of)
    return shown if shown is not None and breach.target in shown.by_repo else None


def _same_as_above(breach: Breach) -> str:
    first = breach.root_causes[0]
    said = f"Same cause as above: {first.repo}, with {first.confidence:.0%} confidence"
    if not breach.is_weighed:
        return f"{said}. {unexplained_text(None)}."
    return (
        f"{said}; it explains {first.contribution:.0%} of the impact here, and {breach.unexplained:.0%} is unexplained."
    )


def _containment_badge(cause: RootCause) -> Badge:
    return Badge(containment_row(cause.containment_type).cause, "info")


def _is_change(cause: RootCause) -> bool:
    return cause.change is not None and cause.cause_type is CauseType.CHANGE_EVENT
