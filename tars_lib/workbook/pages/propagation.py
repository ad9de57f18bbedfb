"""Propagation containment (132): who leads, which way it travels, where to cut it, and is it getting better?"""

from __future__ import annotations

from tars_lib.engines.queries.incident_state import IncidentState
from tars_lib.engines.relations.lead_lag_report import PropagationPath
from tars_lib.engines.relations.turning_points import unfold
from tars_lib.figures.relations.lead_lag import draw_leads
from tars_lib.figures.relations.turning_points import draw_unfolding
from tars_lib.model.names import ContainmentType, InfluenceClass, Severity, TemporalAnomalyType
from tars_lib.pipeline import Run
from tars_lib.playbook.containment import containment_row
from tars_lib.reports.blocks.kinds import (
    Badge,
    Bar,
    Block,
    Callout,
    Checklist,
    ChecklistItem,
    Column,
    KeyFigure,
    KeyFigures,
    Prose,
    Table,
    TitleBlock,
)
from tars_lib.reports.blocks.view import format_share
from tars_lib.text.counts import plural
from tars_lib.workbook.parameters.register import state_by
from tars_lib.workbook.sections.figure_blocks import figures
from tars_lib.workbook.sections.labels import label_of, listed
from tars_lib.workbook.sections.next_commands import check_again, health_report, next_steps, run_again, settled_steps
from tars_lib.workbook.sections.relations import change_table, lag_words, page_head, since_words, state_badge, way
from tars_lib.workbook.sections.run_facts import facing
from tars_lib.workbook.sections.state import planned_step, settled_step

_MODULE = "python -m analytics.run_org_temporal_intelligence"
_CLASS = {
    InfluenceClass.LEADER: Badge("Leader", "critical"),
    InfluenceClass.BIDIRECTIONAL: Badge("Passes on", "warning"),
}


def title(run: Run, incident_id: str = "", state: IncidentState | None = None) -> TitleBlock:
    """Say what travels where, in a sentence."""
    path = _first(run)
    nothing = "Not judged" if run.temporal.reason is not None else "No propagation"
    began = None if path is None else path.started_at
    return page_head(run, "Propagation", _headline(run), (132, 131), nothing, incident_id, began, state)


def key_figures(run: Run) -> KeyFigures:
    """Return paths, first mover, repos reached, impact and pace."""
    report, path = run.temporal, _first(run)
    active = [path for path in report.propagation_paths if path.is_active]
    tested = f"{report.pairs_tested} pairs tested, {plural(report.leads_found, 'lead')}"
    if path is None:
        dark = report.reason is not None
        return KeyFigures(
            (
                KeyFigure(
                    "Active paths", None if dark else "0", note=report.reason or tested,
                    tone="unknown" if dark else "good", word="" if dark else "None",
                ),
                KeyFigure("Samples looked at", str(report.samples), note=f"every {_step(run)}", word=""),
                KeyFigure(
                    "Simultaneous declines", str(len(_together(run))), note="in the same sample, so without an order",
                    tone="warning" if _together(run) else "good", word="" if _together(run) else "None",
                ),
            )
        )  # fmt: skip
    seen = facing(run, path.path)
    is_bad = path.is_active and path.is_declining
    return KeyFigures(
        (
            KeyFigure(
                "Active paths", f"{len(active)} of {report.paths_found}", note=tested,
                tone="critical" if is_bad else "good", word="Spreading now" if active else "Quiet",
            ),
            KeyFigure(
                "Starts first", label_of(path.path[0]), note=f"influence {_influence(run, path.path[0]):.0f} of 100",
                tone="critical" if is_bad else "neutral", word="Declines" if is_bad else "",
            ),
            KeyFigure(
                "Services on the path", f"{len(path.path)} of {len(run.org.repos)}",
                note=f"customer facing: {listed(seen, 2)}" if seen else "none customer facing",
                tone="critical" if is_bad and seen else "warning" if is_bad else "neutral",
                word="Customers see it" if is_bad and seen else "",
            ),
            KeyFigure(
                "Impact", f"{path.impact_score:.0f}", unit="of 100",
                note=f"confidence in the path {format_share(path.confidence)}",
                tone="critical" if is_bad else "neutral", word=path.severity.value if is_bad else "",
            ),
            KeyFigure("First to last", lag_words(path), note=f"{plural(path.total_lag, 'sample')} of {_step(run)}"),
        )
    )  # fmt: skip


def first_step(run: Run, state: IncidentState | None = None) -> Callout:
    """Say what to do in this minute."""
    state = state or state_by(run, None)
    if (settled := settled_step(state)) is not None:
        return settled
    path = _first(run)
    if path is not None and path.is_active and path.is_declining:
        leader, followers = path.path[0], path.path[1:]
        return planned_step(
            state,
            f"To stop the spread: isolate {label_of(leader)} from {listed(followers, 3)} and freeze deployments to all.",
        )
    together = _together(run)
    if together:
        return Callout(
            "Nothing to isolate: all services failed at the same time",
            "The data cannot show which service failed first. The cross-repo anomaly report says what they share.",
            "warning",
        )
    if run.temporal.reason is not None:
        return Callout("Propagation cannot be judged", f"{run.temporal.reason.capitalize()}.", "unknown")
    return planned_step(state, "No problem is spreading between services.")


def leaders(run: Run) -> Table:
    """Show who moves first: the playbook's first question."""
    scores = {one.repo: one for one in run.health.repository_reports}
    rows = tuple(
        (
            one.repo,
            _CLASS[one.classification],
            Bar(one.influence_score / 100.0, f"{one.influence_score:.0f}"),
            listed(one.leads, 3),
            listed(one.follows, 3) if one.follows else "nobody",
            None if one.repo not in scores else scores[one.repo].score,
        )
        for one in run.temporal.influence_scores
        if one.classification in _CLASS
    )
    return Table(
        caption="Leading services, most influential first",
        columns=(
            Column("Service", "mono"),
            Column("Role", "badge"),
            Column("Influence (of 100)", "bar"),
            Column("Leads"),
            Column("Follows"),
            Column("Health (of 100)", "number", decimals=0),
        ),
        rows=rows[:10],
        note=f"{len(rows) - 10} more also lead." if len(rows) > 10 else "",
        empty=run.temporal.reason or f"No service leads another: {run.temporal.pairs_tested} pairs were tested.",
    )


def paths(run: Run, max_paths: int = 8) -> list[Block]:
    """Show which way it travels: the network in time, the paths, and who turned when."""
    report = run.temporal
    listed_paths = report.propagation_paths[:max_paths]
    rows = tuple(
        (
            way(path),
            state_badge(path),
            lag_words(path),
            Bar(path.impact_score / 100.0, f"{path.impact_score:.0f}", "critical" if path.is_active else "info"),
            Bar(min(path.confidence, 1.0)),
            listed(tuple(run.sla[sla].sla_name for sla in path.affected_slas), 2) if path.affected_slas else "-",
        )
        for path in listed_paths
    )
    more = report.paths_found - len(rows)
    table = Table(
        caption="Propagation paths, active and highest impact first",
        columns=(
            Column("Path"),
            Column("Now", "badge"),
            Column("First to last"),
            Column("Impact (of 100)", "bar"),
            Column("Confidence", "bar"),
            Column("SLAs touched"),
        ),
        rows=rows,
        note=f"{more} more are in temporal-intelligence-report.json." if more > 0 else "",
        empty=report.reason or "No path was found: no problem spreads from one service to another.",
    )
    if not report.leads_found:
        return [Prose((table.empty,))]
    blocks: list[Block] = [*figures(draw_leads(report)), table]
    path = _first(run)
    shown = None
    if path is not None and path.started_at is not None:
        shown = unfold(run.org, path.path, path.started_at, report.as_of)
    return [*blocks, *figures(None if shown is None else draw_unfolding(shown, run.org.changes()))]


def activity(run: Run) -> Table:
    """Tell whether it is travelling now, and what is unusual in how trouble moves."""
    active = [anomaly for anomaly in run.temporal.temporal_anomalies if anomaly.is_active]
    over = len(run.temporal.temporal_anomalies) - len(active)
    rows = tuple(
        (
            anomaly.type.value.replace("_", " ").capitalize(),
            Badge(anomaly.severity.value, "critical" if anomaly.severity is Severity.SEV_1 else "warning"),
            since_words(anomaly.started_at),
            anomaly.message,
        )
        for anomaly in active[:8]
    )
    return Table(
        caption="Is it spreading now?",
        columns=(Column("What"), Column("Severity", "badge"), Column("Since"), Column("Finding")),
        rows=rows,
        note=f"Over by now: {over}, in temporal-intelligence-report.json." if over else "",
        empty="Nothing unusual in how problems spread between services.",
    )


def containment(run: Run) -> list[Block]:
    """Show the playbook's three measures with the repos that they concern, and how to tell that they worked."""
    path = _first(run)
    if path is None or not (path.is_active and path.is_declining):
        return [Prose(("Nothing is spreading now, so there is nothing to isolate.",))]
    leader, followers = path.path[0], path.path[1:]
    teams = {repo.repo: repo.team or "" for repo in run.org.repos}
    others = tuple(caller for caller in _callers(run, leader) if caller not in path.path)
    row = containment_row(ContainmentType.CASCADING_FAILURE)
    clock = "within 15 min" if path.severity is Severity.SEV_1 else ""
    return [
        Checklist(
            (
                ChecklistItem(
                    f"Isolate {label_of(leader)} from its downstream services: {listed(followers, 4)}"
                    + (f"; it is also called by {listed(others, 4)}" if others else "")
                    + f". {row.action} between them.",
                    owner=teams.get(leader, ""), due=clock,
                ),
                ChecklistItem(f"Freeze deployments to {listed(path.path, 6)}.", due=clock),
                ChecklistItem(f"Watch {listed(followers, 6)} closely: checks every 15 minutes instead of hourly.", due=clock),
            ),
            title="Containment strategy",
        ),
        Prose((f"It worked when {row.verify}. To undo: {row.revert[:1].lower()}{row.revert[1:]}.",)),
        change_table(run, path.path, path.started_at),
    ]  # fmt: skip


def monitoring(run: Run, incident_id: str = "", state: IncidentState | None = None) -> Table:
    """Say what to run from now on, and the number to watch."""
    if (left := settled_steps(run, incident_id, state)) is not None:
        return left
    path = _first(run)
    query = f"{_MODULE} --org-report {health_report(run)} --json | jq"
    if path is None:
        return next_steps(
            ("Run the checks again, hourly", run_again(run)),
            ("List the leading services", f"{query} '.influence_scores[] | select(.classification == \"LEADER\")'"),
        )
    again, compare = check_again(run, incident_id)
    return next_steps(
        again,
        (f"Track the impact: {path.impact_score:.0f} in this run, lower is better", compare[1]),
        ("The paths of this run in full", f"{query} '.propagation_paths'"),
    )


def _first(run: Run) -> PropagationPath | None:
    """Return the path that the page is about: the report lists active ones and those with the most impact first."""
    return next(iter(run.temporal.propagation_paths), None)


def _headline(run: Run) -> str:
    path, report = _first(run), run.temporal
    if path is None:
        if report.reason is not None:
            return f"Propagation cannot be judged: {report.reason}."
        together = _together(run)
        found = f"No service leads another ({report.pairs_tested} pairs tested)"
        return f"{found}: {together[0].partition('): ')[0]})." if together else f"{found}; nothing is spreading."
    reach = f"{len(path.path)} of {len(run.org.repos)} services"
    seen = facing(run, path.path)
    customers = f", customers see {listed(seen, 2)}" if seen else ""
    if path.is_active:
        what = "A problem is spreading" if path.is_declining else "A recovery is spreading"
        return (
            f"{what} {way(path)} within {lag_words(path)}: {reach}{customers}; impact {path.impact_score:.0f} of 100."
        )
    known = (
        "1 path is known; it is not active now"
        if report.paths_found == 1
        else f"{report.paths_found} paths are known; none is active now"
    )
    if report.paths_found == 1:
        return f"{known}: {way(path)}."
    return f"{known}; the one with the highest impact: {way(path)}."


def _together(run: Run) -> list[str]:
    """List declines without an order that are still about now, in words."""
    return [
        one.message.rstrip(".") + "."
        for one in run.temporal.temporal_anomalies
        if one.type is TemporalAnomalyType.SYNCHRONISED_LAG and one.is_active and one.severity is Severity.SEV_3
    ]


def _influence(run: Run, repo: str) -> float:
    return next((one.influence_score for one in run.temporal.influence_scores if one.repo == repo), 0.0)


def _callers(run: Run, repo: str) -> tuple[str, ...]:
    return tuple(edge.caller for edge in run.org.dependencies if edge.callee == repo)


def _step(run: Run) -> str:
    from tars_lib.figures.relations.lead_lag import lag_text

    return lag_text(run.temporal.interval)
