"""The blameless postmortem: the playbook's template, filled from the record, in its order."""

from __future__ import annotations

from datetime import timedelta

from tars_lib.engines.queries.impact_text import impact_text
from tars_lib.engines.queries.incident_state import State
from tars_lib.engines.sla.readiness import breach_headline
from tars_lib.incidents.views.case import Case
from tars_lib.pipeline import Run
from tars_lib.playbook.documents.postmortem import (
    TO_DISCUSS,
    budget_text,
    clocks_kept,
    duration_line,
    impact,
    item_ids,
    overdue_items,
    review_deadlines,
    summary_lines,
    unconfirmed,
)
from tars_lib.playbook.facts import BreachedSla, TimelineRow
from tars_lib.playbook.metrics import lengths
from tars_lib.playbook.tables import MetricId
from tars_lib.playbook.wording import causes_considered, customer_impact_text, length_text, listed, time_text
from tars_lib.reports.blocks.kinds import (
    Badge,
    Bar,
    Block,
    Callout,
    Column,
    Heading,
    KeyFigure,
    KeyFigures,
    Prose,
    Table,
    Timeline,
    TimelineEntry,
    TitleBlock,
    Tone,
)
from tars_lib.text.quantities import value_text
from tars_lib.text.times import MINUTES
from tars_lib.workbook.pages.golden_path import open_command, where_option
from tars_lib.workbook.parameters.register import Register, state_by
from tars_lib.workbook.sections.breach_story import courses_of, overview
from tars_lib.workbook.sections.incident_title import case_badges, case_head, no_case_head
from tars_lib.workbook.sections.next_commands import next_steps, run_place
from tars_lib.workbook.sections.state import state_badge

_MAX_ENTRIES = 40
"""Entries of the timeline that a page shows; the whole of it is in the record. Judgement: a page and a half."""
_MAX_CAUSES = 5
"""Causes that the page shows; judgement."""


def title(run: Run, register: Register, case: Case | None) -> TitleBlock:
    """Show the head of the page: what happened, how long, what it cost."""
    if case is None:
        said = (
            f"No incident in {register.root} is over yet: nothing to review."
            if register.is_there
            else f"There is no incident register at {register.root}: nothing to review."
        )
        return no_case_head(run, register, "Postmortem", said)
    cost = impact(case.facts)
    name = case.facts.title.rstrip(".")
    state = state_by(run, case)
    if cost.duration is None:
        is_old = state.state is State.STALE
        lasts = "Whether it ended is unknown: the data are old" if is_old else "It is still active"
        said = f"{name}. {lasts}; this is what is known so far."
    else:
        at_least = "" if cost.is_from_start else "at least "
        lasted = f"{at_least}{length_text(cost.duration)}"
        said = f"{name}. The impact lasted {lasted}; the incident is {case.facts.status.value.lower()}."
    felt = impact_text(run.sla, is_past=state.is_settled)
    badges = (*(() if case.facts.is_over else state_badge(state)), *case_badges(case))
    return case_head(run, case, "Incident postmortem", felt or said, badges, said if felt else "")


def costs(case: Case | None) -> list[Block]:
    """Show what it cost, in four numbers."""
    if case is None:
        return []
    facts, cost = case.facts, impact(case.facts)
    spent = [share for _, share in cost.budget_consumed if share is not None]
    detect, end = (_measured(case, metric) for metric in (MetricId.MTTD, MetricId.MTTR))
    facing = [repo.repo for repo in facts.repos if repo.customer_facing]
    return [
        KeyFigures(
            (
                KeyFigure(
                    "Duration of impact", None if cost.duration is None else length_text(cost.duration),
                    note=f"since {time_text(facts.started_at)}" if cost.is_from_start else "at least; the start is unknown",
                    tone="warning" if unconfirmed(facts) else "neutral",
                    word="No data on its end" if unconfirmed(facts) else "",
                ),
                KeyFigure("Time to detect", detect, note="alert - start of impact"),
                KeyFigure("Time to resolve", end, note="resolution - alert"),
                KeyFigure(
                    "Error budget used", f"{max(spent):.0%}" if spent else None,
                    note="of the worst-hit SLA" if spent else "no budget, or not known",
                    tone="critical" if spent and max(spent) > 1 else "warning" if spent else "unknown",
                    word="Overspent" if spent and max(spent) > 1 else "Spent" if spent else "",
                ),
                KeyFigure("Services affected", f"{len(cost.repos)}", note=f"customer facing: {listed(facing, nothing='none')}"),
            )
        )
    ]  # fmt: skip


def summary(run: Run, case: Case | None) -> list[Block]:
    """Say what happened, in the words of the record."""
    if case is None:
        return [
            Callout(
                "Nothing to review",
                "A postmortem is filled from the record of an incident that is over; there is none.",
                "info",
            )
        ]
    lines = summary_lines(case.facts)
    if (case.facts.is_over or state_by(run, case).is_settled) and run.sla.breaches:
        # the record has the sentence of the run as it was then
        past = breach_headline(run.sla.breaches, is_past=True)
        lines = [line.replace(run.sla.risk_narrative.headline, past) for line in lines]
    return [Heading("Summary"), Prose(tuple(lines))]


def timeline(case: Case | None) -> list[Block]:
    """List what happened when, each line with where it comes from."""
    if case is None:
        return []
    rows = sorted(case.facts.timeline, key=lambda row: row.at)
    shown = rows[:_MAX_ENTRIES]
    more = len(rows) - len(shown)
    return [
        Heading("Timeline"),
        Timeline(
            tuple(
                TimelineEntry(f"{row.at:%m-%d %H:%M} UTC", row.text, f"source: {row.source}", _tone(case, row))
                for row in shown
            ),
            title=f"{len(rows)} entries" + (f", the first {_MAX_ENTRIES} shown" if more > 0 else ""),
        ),
    ]


def root_cause(run: Run, case: Case | None) -> list[Block]:
    """Show the cause that the record holds first, its confidence, what else was considered, and the figures that show it."""
    if case is None:
        return []
    said = Prose(tuple(f"{considered}." for considered in causes_considered(case.facts)[:_MAX_CAUSES]))
    return [Heading("Root cause"), said, *overview(run, state_by(run, case)), *courses_of(run, 0)]


def effects(case: Case | None) -> list[Block]:
    """Show the duration, SLAs with what they measured, error budgets, repos, customers."""
    if case is None:
        return []
    facts, cost = case.facts, impact(case.facts)
    rows = tuple(
        (
            sla.sla_name or sla.sla_id,
            "unknown" if sla.value is None else value_text(sla.value, sla.unit),
            "unknown" if sla.objective is None else value_text(sla.objective, sla.unit),
            _spent(sla),
        )
        for sla in facts.slas
    )
    return [
        Heading("Impact"),
        Prose((
            f"Duration: {duration_line(facts)}.",
            f"Services affected: {listed(cost.repos, nothing='none known')}.",
            f"Customers affected: {customer_impact_text(facts)}.",
        )),
        Table(
            caption=f"SLAs breached: {len(rows)}",
            columns=(
                Column("SLA"),
                Column("Measured", "text", "right"),
                Column("Objective", "text", "right"),
                Column("Budget used", "bar"),
            ),
            rows=rows,
            empty="No SLA is known to have been breached.",
        ),
    ]  # fmt: skip


def lessons(case: Case | None) -> list[Block]:
    """Say what went well and what did not, by the clocks; the rest is the meeting's."""
    if case is None:
        return []
    well, late = clocks_kept(case.facts, case.playbook)
    return [
        Heading("What went well"),
        Prose((*(f"{text}." for text in well), f"{TO_DISCUSS}.")),
        Heading("What could be improved"),
        Prose((*(f"{text}." for text in late), f"{TO_DISCUSS}.")),
    ]


def items(case: Case | None) -> list[Block]:
    """Show action items with owner, date and state."""
    if case is None:
        return []
    late = {key for key, _ in overdue_items(case.facts, case.time)}
    rows = tuple(
        (
            key,
            item.text,
            item.owner or "nobody yet",
            "not set" if item.due is None else time_text(item.due)[:10],
            Badge("Done", "good")
            if item.is_done
            else Badge("Overdue", "critical")
            if key in late
            else Badge("Open", "warning"),
        )
        for key, item in item_ids(case.facts)
    )
    return [
        Heading("Action items"),
        Table(
            caption=f"Action items: {sum(not item.is_done for _, item in item_ids(case.facts))} open, {len(late)} overdue",
            columns=(Column("ID", "mono"), Column("Action"), Column("Owner"), Column("Due date"), Column("Status", "badge")),
            rows=rows,
            empty="None is recorded yet.",
        ),
        Heading("Lessons learned"),
        Prose((f"{TO_DISCUSS}.",)),
    ]  # fmt: skip


def reviews(case: Case | None) -> list[Block]:
    """Show reviews that are still to be held, with what is overdue."""
    if case is None:
        return []
    due = review_deadlines(case.facts, case.time, case.playbook)
    return [
        Table(
            caption="Reviews to be held",
            columns=(Column("Review"), Column("Until"), Column("Participants"), Column("State", "badge")),
            rows=tuple(
                (row.activity, f"{row.due_at:{MINUTES}}", row.participants,
                 Badge("Overdue", "critical") if row.is_overdue else Badge("Pending", "info"))
                for row in due
            ),
            empty="All were held." if case.facts.is_over else "None is due before the incident is resolved.",
        )
    ]  # fmt: skip


def next_action(run: Run, register: Register, case: Case | None) -> Table:
    """Say what follows: action items, the meeting, its record, the trend."""
    where = where_option(register)
    if case is None:
        return next_steps(
            ("See whether an incident needs a response", f"tars report golden_path --run {run_place(run)}"),
            ("Open an incident from this run", open_command(run, register)),
        )
    name = case.incident.incident_id
    steps = []
    if not case.facts.is_over:
        steps.append(("Finish the response", f"tars incident golden {name}{where}"))
    steps += [
        ("Add an action item", f"tars incident action {name} add 'WHAT TO DO' --owner WHO --due 14d{where}"),
        ("The template as a file to edit", f"tars incident postmortem {name} --output postmortem.md{where}"),
    ]
    due = review_deadlines(case.facts, case.time, case.playbook)
    steps += [
        (f"Once held, record: {row.activity.lower()}", f"tars incident review {name} {row.review_id}{where}")
        for row in due[:1]
    ]
    steps.append(("See whether it recurs", f"tars report trend_review --run {run_place(run)}"))
    return next_steps(*steps)


def _measured(case: Case, metric: MetricId) -> str | None:
    """Return how much this incident adds to a metric; None where it adds none."""
    known = lengths(metric, [case.facts], case.time).known
    return length_text(timedelta(minutes=known[0][1])) if known else None


def _spent(sla: BreachedSla) -> Bar | str:
    share = sla.budget_consumed
    if share is None:
        return budget_text(sla)
    return Bar(max(share, 0.0), f"{share:.0%}", "critical" if share > 1 else "warning" if share >= 0.8 else "info")


def _tone(case: Case, row: TimelineRow) -> Tone:
    facts = case.facts
    if row.at == facts.started_at and row.text == "Impact began":
        return "critical"
    if row.at in (facts.resolved_at, facts.closed_at):
        return "good"
    return "info" if row.at in facts.progress_at else "neutral"
