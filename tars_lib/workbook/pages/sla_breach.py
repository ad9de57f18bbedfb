"""SLA Breach Response (exit code 142): the playbook's minutes 2 to 12, with what was found filled in."""

from __future__ import annotations

from collections.abc import Iterable

from tars_lib.engines.queries.impact_text import impact_text
from tars_lib.engines.queries.incident_state import IncidentState
from tars_lib.engines.queries.response_plan import VERIFY, ResponsePlan
from tars_lib.engines.sla.report import Breach, RootCause
from tars_lib.engines.sla.thresholds import STANDS_OUT
from tars_lib.figures.sla.readiness import draw_readiness
from tars_lib.model.names import ContainmentType
from tars_lib.pipeline import Run
from tars_lib.playbook.containment import action_for
from tars_lib.playbook.packaged import packaged
from tars_lib.reports.blocks.kinds import (
    Badge,
    Block,
    Callout,
    Checklist,
    ChecklistItem,
    Column,
    Heading,
    Prose,
    Table,
    TitleBlock,
    Tone,
)
from tars_lib.text.counts import plural
from tars_lib.text.quantities import value_text
from tars_lib.text.times import MINUTES
from tars_lib.workbook.pages.incident_report import measured
from tars_lib.workbook.parameters.register import state_by
from tars_lib.workbook.sections.breach_story import causes_of, overview, same_cause, told_story
from tars_lib.workbook.sections.figure_blocks import figure
from tars_lib.workbook.sections.labels import listed, objective_sign
from tars_lib.workbook.sections.next_commands import (
    check_again,
    health_report,
    next_steps,
    pack_evidence,
    run_again,
    settled_steps,
)
from tars_lib.workbook.sections.run_facts import affected_repos, facing, is_dark, none_is, risk_paragraphs
from tars_lib.workbook.sections.title import breached_since, head, of_code

MAX_BREACHES = 3


def title(run: Run, incident_id: str = "", state: IncidentState | None = None) -> TitleBlock:
    """Show the head of the page; its sentence is that of every other report of the run."""
    state = state or state_by(run, None)
    return head(run, "SLA breach response", None, of_code(run, 142), incident_id, breached_since(run), state)


def identify(run: Run) -> list[Block]:
    """Answer minute 2-5: which SLAs are breached?"""
    heading = Heading("Minute 2-5: which SLAs are breached?")
    if not run.sla.breaches:
        return [heading, _nothing(run)]
    rows = tuple(_breach_row(run, breach) for breach in run.sla.breaches)
    names = tuple(breach.sla_id for breach in run.sla.breaches)
    return [
        heading,
        Table(
            caption=f"Breached: {run.sla.summary.breached} of {plural(run.sla.summary.total, 'SLA')}, most urgent first",
            columns=(
                Column("SLA"),
                Column("Objective", "text", "right"),
                Column("Measured (95%)", "text", "right"),
                Column("Since"),
                Column("Services"),
                Column("Severity", "badge"),
            ),
            rows=rows,
        ),
        Callout(f"Which SLAs breached? {listed(names, 6)}", "", "info", "Record"),
    ]


def explain(run: Run, max_causes: int, state: IncidentState | None = None) -> list[Block]:
    """Answer minute 5-8: what is the root cause of each breach?

    Parameters
    ----------
    run : Run
    max_causes : int
        Causes told a breach; the playbook's command prints three.
    """
    heading = Heading("Minute 5-8: what is the root cause?")
    if not run.sla.breaches:
        return [heading, Prose((f"{none_is(run, 'breached')}, so there is no cause to find.",))]
    blocks: list[Block] = [heading, *overview(run, state)]
    for position, breach in enumerate(run.sla.breaches[:MAX_BREACHES]):
        earlier = [other for other in run.sla.breaches[:position] if same_cause(breach, other)]
        blocks.append(Heading(breach.sla_name, 2))
        if earlier:
            first = breach.root_causes[0]
            told = f"Same cause as {earlier[0].sla_name}: {first.repo} ({first.confidence:.0%} confidence)."
            blocks.append(Prose((told_story(run, breach, state), told)))
        else:
            blocks += [Prose((told_story(run, breach, state),)), causes_of(breach, max_causes)]
    return [*blocks, Callout(f"Primary root cause? {primary_cause(run.sla.breaches[0])}", "", "info", "Record")]


def primary_cause(breach: Breach) -> str:
    """Say what to write down as the primary root cause: never a name that the evidence does not single out."""
    if not breach.root_causes:
        return f"Unknown: {breach.reason}"
    first = breach.root_causes[0]
    if first.confidence < STANDS_OUT:
        return f"No clear cause yet; check {first.repo} first ({first.confidence:.0%} confidence)"
    return f"{first.repo}{f', {first.change}' if first.change else ''} ({first.confidence:.0%} confidence)"


def contain(run: Run, state: IncidentState | None = None) -> list[Block]:
    """Answer minute 8-12 by the playbook's containment table, with the row that the cause calls for."""
    heading = Heading("Minute 8-12: contain")
    if not run.sla.breaches:
        return [
            heading,
            Prose((f"{none_is(run, 'breached')}{'' if is_dark(run) else ', so no containment is needed'}.",)),
        ]
    causes: dict[ContainmentType, RootCause] = {}
    for breach in run.sla.breaches:
        if breach.root_causes and breach.root_causes[0].confidence >= STANDS_OUT:
            causes.setdefault(breach.root_causes[0].containment_type, breach.root_causes[0])
    rows = []
    for row in packaged().containment:
        cause = causes.get(row.containment_type)
        rows.append(
            (
                row.cause,
                row.action if cause is None else action_for(row.containment_type, cause.repo),
                row.verify,
                row.revert,
                Badge("Found", "critical") if cause is not None else Badge("Not found", "neutral"),
            )
        )
    state = state or state_by(run, None)
    return [
        heading,
        Table(
            caption="Containment by type of root cause",
            columns=(
                Column("Root cause type"),
                Column("Action"),
                Column("It worked when"),
                Column("To undo"),
                Column("Here", "badge"),
            ),
            rows=tuple(sorted(rows, key=lambda row: row[-1].text != "Found")),
        ),
        *([] if state.plan is None else [_to_do(_actions(run, state.plan))]),
    ]


def _actions(run: Run, plan: ResponsePlan) -> tuple[str, ...]:
    """List the actions of the plan, the check that shows that they worked, and those of breaches with another cause."""
    first, *rest = run.sla.breaches
    others = (action for breach in rest if not same_cause(first, breach) for action in breach.recommended_actions)
    check = (f"{VERIFY}{plan.verify}",) if plan.verify else ()
    return tuple(dict.fromkeys((plan.first, *plan.then, *check, *others)))


def _to_do(actions: Iterable[str]) -> Checklist:
    return Checklist(tuple(ChecklistItem(action) for action in actions), title="Do, then record as the action taken")


def impact(run: Run, state: IncidentState | None = None) -> list[Block]:
    """Show the business impact: readiness, and the narrative for the board."""
    customers = facing(run, affected_repos(run))
    seen = "" if customers else "No customer-facing service is affected."
    sentences = impact_text(run.sla, is_past=(state or state_by(run, None)).is_settled)
    said = f"{sentences} {seen}".strip() if run.sla.breaches else f"{none_is(run, 'breached')}."
    return [
        Heading("Business impact"),
        Prose((said, *risk_paragraphs(run))),
        figure(draw_readiness(run.sla.executive_readiness)),
    ]


def tell(run: Run, state: IncidentState | None = None) -> list[Block]:
    """Show the immediate actions: whom to tell and when, by the escalation matrix."""
    heading = Heading("Who to notify")
    if not run.sla.breaches:
        return [heading, Prose((f"Nobody to notify. {none_is(run, 'breached')}.",))]
    state = state or state_by(run, None)
    if state.is_settled:
        return [heading, Prose(("No notification is due.",))]
    plan = state.plan
    if plan is None:
        return [heading, Prose(("No notification is due.",))]
    items = [
        ChecklistItem(
            f"{recipient.who}{f', by {recipient.by}' if recipient.by else ''} ({recipient.rule})", due=recipient.due
        )
        for recipient in plan.recipients
    ]
    items += [ChecklistItem(recipient, is_done=True) for recipient in plan.notified]
    customers = facing(run, affected_repos(run))
    if customers:
        items.append(ChecklistItem(f"Status page: we are investigating ({listed(customers)})", due="now"))
    return [
        heading,
        Checklist(
            tuple(items),
            title=f"{plan.severity.value}: respond within {packaged().severity(plan.severity).response_time}",
        ),
    ]


def next_action(run: Run, incident_id: str = "", state: IncidentState | None = None) -> Table:
    """Return the next steps, down to minutes 12-15."""
    if (left := settled_steps(run, incident_id, state)) is not None:
        return left
    if not run.sla.breaches:
        return next_steps(("Keep the hourly checks running", run_again(run)))
    return next_steps(
        ("See the full report as JSON", f"tars sla --org-report {health_report(run)} --json"),
        *check_again(run, incident_id),
        ("Minute 12-15: pack the evidence", pack_evidence(incident_id)[1]),
    )


def _breach_row(run: Run, breach: Breach) -> tuple[object, ...]:
    result = run.sla[breach.sla_id]
    since = "unknown" if breach.started_at is None else f"{breach.started_at:{MINUTES}}"
    where = f" in {breach.scope}" if breach.scope else ""
    chance = " (could be chance)" if breach.could_be_chance else ""
    return (
        f"{breach.sla_name} ({breach.sla_type})",
        f"{objective_sign(result)} {value_text(breach.objective, breach.unit)}",
        f"{measured(result)}{where}{chance}",
        f"{'at or before ' if breach.started_before else ''}{since}{', over' if breach.ended_at else ''}",
        listed(breach.repos, 3) or "the organisation",
        Badge(breach.severity.value, "critical"),
    )


def _nothing(run: Run) -> Callout:
    tone: Tone = "unknown" if is_dark(run) else "good"
    return Callout(none_is(run, "breached"), run.sla.risk_narrative.text, tone)
