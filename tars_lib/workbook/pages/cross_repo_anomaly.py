"""Cross-repo anomaly response (122): which repos deviate together, what do they have in common, what is undone first?"""

from __future__ import annotations

from tars_lib.engines.queries.incident_state import IncidentState
from tars_lib.engines.relations.correlation_report import Cluster
from tars_lib.engines.relations.turning_points import unfold
from tars_lib.figures.relations.matrix import draw_matrix
from tars_lib.figures.relations.turning_points import draw_unfolding
from tars_lib.model.names import ClusterDirection, FactorKind, Severity
from tars_lib.pipeline import Run
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
from tars_lib.workbook.parameters.checks import known_name
from tars_lib.workbook.parameters.register import state_by
from tars_lib.workbook.sections.figure_blocks import figures
from tars_lib.workbook.sections.labels import label_of, listed
from tars_lib.workbook.sections.next_commands import check_again, health_report, next_steps, run_again, settled_steps
from tars_lib.workbook.sections.relations import (
    change_table,
    changes_before,
    direction_badge,
    page_head,
    rollbacks,
    since_words,
)
from tars_lib.workbook.sections.run_facts import facing
from tars_lib.workbook.sections.state import planned_step, settled_step

_MODULE = "python -m analytics.run_org_trend_correlation"
_FACTORS = (
    (FactorKind.SHARED_INFRASTRUCTURE, "Shared infrastructure (database, cache, queue)"),
    (FactorKind.SHARED_DEPENDENCY, "Shared dependency (library, service that they call)"),
    (FactorKind.SHARED_TEAM, "Shared team or deployment pipeline"),
    (FactorKind.EXTERNAL, "External factor (network, cloud, provider)"),
    (FactorKind.CHANGE_EVENT, "A change of a member shortly before"),
)
"""The playbook's four, in its order, and recent changes, which its containment begins with."""
_LARGE = 100.0
"""Standard deviations from which the number says no more than that it is extreme; judgement, as in the report's sentence."""


def chosen(run: Run, cluster_id: str = "") -> Cluster | None:
    """Return the cluster that the page is about: the one named, else the most urgent that deviates now.

    Raises
    ------
    InputError
        If there is no cluster of that id; the message lists those that there are.
    """
    clusters = run.correlation.clusters
    named = known_name(
        "cluster_id", cluster_id, [cluster.cluster_id for cluster in clusters], "this run", "the most urgent"
    )
    return next(
        (cluster for cluster in clusters if (cluster.cluster_id == named if named else cluster.is_anomalous)), None
    )


def title(run: Run, cluster: Cluster | None, incident_id: str = "", state: IncidentState | None = None) -> TitleBlock:
    """Say who deviates, since when, and what they share, in a sentence."""
    nothing = "Not judged" if run.correlation.reason is not None else "No anomaly"
    began = None if cluster is None else cluster.onset
    return page_head(run, "Cross-repo anomaly", _headline(run, cluster), (122,), nothing, incident_id, began, state)


def key_figures(run: Run, cluster: Cluster | None) -> KeyFigures:
    """Return clusters, members, distance from their level, and the best common factor."""
    report = run.correlation
    deviating = [related for related in report.clusters if related.is_anomalous]
    dark = report.reason is not None
    items = [
        KeyFigure(
            "Abnormal clusters", None if dark else f"{len(deviating)} of {len(report.clusters)}",
            note=report.reason or f"{report.correlations_found} of {report.pairs_tested} pairs move together",
            tone="unknown" if dark else "critical" if deviating else "good", word="" if deviating or dark else "None",
        )
    ]  # fmt: skip
    if cluster is None:
        return KeyFigures(tuple(items))
    seen = facing(run, cluster.repos)
    factor = max(cluster.common_factors, key=lambda common: common.confidence, default=None)
    bad = cluster.is_anomalous and cluster.direction is ClusterDirection.DECLINE
    items += [
        KeyFigure(
            "Services in it", f"{len(cluster.repos)} of {len(run.org.repos)}",
            note=f"customer facing: {listed(seen, 2)}" if seen else "none customer facing",
            tone="critical" if bad else "neutral", word=f"{len(cluster.deviating)} decline together" if bad else "",
        ),
        KeyFigure(
            "Distance from usual", _distance(cluster), unit="" if cluster.deviation is None else "SD",
            note=cluster.reason or "standard deviations from their usual level",
            tone="critical" if bad else "neutral", word="Anomalous" if cluster.is_anomalous else "",
        ),
        KeyFigure(
            "In common", None if factor is None else format_share(factor.confidence),
            note="nothing that sets the members apart" if factor is None else factor.factor,
            tone="unknown" if factor is None else "info", word="" if factor is None else _kind_word(factor.kind),
        ),
    ]  # fmt: skip
    return KeyFigures(tuple(items))


def first_step(run: Run, cluster: Cluster | None, state: IncidentState | None = None) -> Callout:
    """Say what to do in this minute."""
    state = state or state_by(run, None)
    if (settled := settled_step(state)) is not None:
        return settled
    if cluster is None:
        if run.correlation.reason is not None:
            return Callout("Joint movement cannot be judged", f"{run.correlation.reason.capitalize()}.", "unknown")
        return planned_step(state, "No group of services is abnormal now.")
    if not cluster.is_anomalous or cluster.direction is not ClusterDirection.DECLINE:
        return planned_step(state, f"{listed(cluster.repos)} are related, but are not declining now.")
    return planned_step(state, f"{listed(cluster.deviating, 6)} declined together since {since_words(cluster.onset)}.")


def members(run: Run, cluster: Cluster | None) -> list[Block]:
    """List the repos, and who turned when."""
    report = run.correlation
    shown = None
    if cluster is not None and cluster.onset is not None:
        shown = unfold(run.org, cluster.repos, cluster.onset, report.as_of)
    table = Table(
        caption="Clusters of services that move or change together, most urgent first",
        columns=(
            Column("Services"),
            Column("Now", "badge"),
            Column("Joined by"),
            Column("Correlation", "number", decimals=2),
            Column("Since, UTC"),
            Column("In common"),
        ),
        rows=tuple(
            (
                # those to act on are named; of the others a few, as names may be long and there may be eight
                listed(one.repos, 5 if one.is_anomalous else 2),
                direction_badge(one.direction, is_anomalous=one.is_anomalous),
                ", ".join(joined.value.replace("_", " ").lower() for joined in one.joined_by),
                one.mean_correlation,
                "-" if one.onset is None else f"{one.onset:%m-%d %H:%M}",
                listed(tuple(factor.factor for factor in one.common_factors), 1) if one.common_factors else "-",
            )
            for one in report.clusters[:8]
        ),
        note=(
            f"In trend-correlation-report.json: {len(report.clusters) - 8} more." if len(report.clusters) > 8 else ""
        ),
        empty=report.reason or f"No related services were found: {report.pairs_tested} pairs were tested.",
    )
    drawn = figures(None if shown is None else draw_unfolding(shown, run.org.changes()))
    return [*drawn, table, *figures(draw_matrix(report))]


def common_factor(cluster: Cluster | None) -> Table:
    """Answer the playbook's four questions: what do most members have that most other repos have not?"""
    rows: list[tuple[object, ...]] = []
    for kind, question in _FACTORS if cluster is not None else ():
        mine = [factor for factor in cluster.common_factors if factor.kind is kind] if cluster is not None else []
        rows += [
            (question, Badge("Found", "warning"), factor.factor, Bar(factor.confidence), "; ".join(factor.evidence))
            for factor in mine
        ]
        if not mine:
            rows.append((question, Badge("None found", "neutral"), "-", "-", "-"))
    return Table(
        caption="The playbook's questions, each answered",
        columns=(
            Column("Question"),
            Column("Answer", "badge"),
            Column("Factor"),
            Column("Confidence", "bar"),
            Column("Evidence"),
        ),
        rows=tuple(rows),
        empty="No group of services is abnormal, so there is no common factor to look for.",
    )


def containment(run: Run, cluster: Cluster | None) -> list[Block]:
    """Show the playbook's three measures with what they concern here."""
    if cluster is None or not cluster.is_anomalous or cluster.direction is not ClusterDirection.DECLINE:
        return [
            Prose(
                (
                    "Whether containment is needed is unknown."
                    if run.correlation.reason
                    else "No joint anomaly to contain.",
                )
            )
        ]
    recent = changes_before(run, cluster.repos, cluster.onset)
    shared = tuple(
        factor.factor for factor in cluster.common_factors if factor.kind is FactorKind.SHARED_INFRASTRUCTURE
    )
    seen = facing(run, cluster.repos)
    clock = "within 30 min" if cluster.severity is Severity.SEV_1 else ""
    return [
        Checklist(
            (
                ChecklistItem(
                    f"Roll back recent changes to members: {rollbacks(recent)}" if recent
                    else "Roll back recent changes to members: none is recorded shortly before the start; ask their teams",
                    due=clock,
                ),
                ChecklistItem(
                    f"Isolate shared infrastructure: {listed(shared, 4)}" if shared
                    else "Isolate shared infrastructure: not applicable, org.yaml names none that the members share",
                    due=clock,
                ),
                ChecklistItem(
                    f"Disable by feature flag what customers see of {listed(seen, 4)}" if seen
                    else "Disable affected functionality by feature flag: no member is marked as customer facing",
                    due=clock,
                ),
            ),
            title="Containment actions",
        ),
        change_table(run, cluster.repos, cluster.onset),
    ]  # fmt: skip


def next_action(run: Run, cluster: Cluster | None, incident_id: str = "", state: IncidentState | None = None) -> Table:
    """Say what to run now."""
    if (left := settled_steps(run, incident_id, state)) is not None:
        return left
    query = f"{_MODULE} --org-report {health_report(run)} --json | jq '.clusters[] | select(.is_anomalous == true)'"
    if cluster is None or not cluster.is_anomalous:
        return next_steps(("Run the checks again, hourly", run_again(run)), ("This run's report", query))
    return next_steps(*check_again(run, incident_id), ("The cluster in full", query))


def _headline(run: Run, cluster: Cluster | None) -> str:
    report = run.correlation
    if cluster is None:
        if report.reason is not None:
            return f"Joint movement of services cannot be judged: {report.reason}."
        found = f"{plural(len(report.clusters), 'cluster')} of related services" if report.clusters else "no cluster"
        return f"No group of services is abnormal now; {found} found in {report.pairs_tested} pairs."
    said = next((one.message for one in report.anomalies if one.cluster_id == cluster.cluster_id), None)
    return f"{said}." if said else f"{listed(cluster.repos, 5)} are related, and are at their usual level now."


def _distance(cluster: Cluster) -> str | None:
    if cluster.deviation is None:
        return None
    size = abs(cluster.deviation)
    return f"{size:.1f}" if size < _LARGE else f"> {_LARGE:.0f}"


def _kind_word(kind: FactorKind) -> str:
    return label_of(kind.value.replace("_", " ").capitalize())
