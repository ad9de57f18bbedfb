"""Correlation investigation (121, 131): what moves together, what follows what, why, and is any of it trouble now?"""

from __future__ import annotations

from dataclasses import replace

from tars_lib.engines.queries.incident_state import IncidentState
from tars_lib.figures.relations.lead_lag import draw_leads, lag_text
from tars_lib.figures.relations.matrix import draw_matrix
from tars_lib.model.names import LeadEvidence, Severity
from tars_lib.pipeline import Run
from tars_lib.reports.blocks.kinds import Badge, Block, Callout, Column, KeyFigure, KeyFigures, Prose, Table, TitleBlock
from tars_lib.reports.blocks.view import format_share
from tars_lib.text.counts import plural
from tars_lib.workbook.parameters.checks import known_name
from tars_lib.workbook.parameters.register import state_by
from tars_lib.workbook.sections.figure_blocks import figures
from tars_lib.workbook.sections.labels import label_of, listed
from tars_lib.workbook.sections.next_commands import health_report, next_steps, run_again, run_place, settled_steps
from tars_lib.workbook.sections.relations import direction_badge, page_head, since_words, who_hears
from tars_lib.workbook.sections.state import planned_step, settled_step

_MODULES = "python -m analytics.run_org_"


def narrowed(run: Run, repo: str = "") -> Run:
    """Return the run with the relations of one repo; of all where none is named. Counts of what was tested stay.

    Raises
    ------
    InputError
        If the organisation has no repo of that name.
    """
    if not known_name("repo", repo, [one.repo for one in run.org.repos], run.org.name, "all"):
        return run
    correlation, temporal = run.correlation, run.temporal
    pairs = tuple(pair for pair in correlation.correlations if repo in (pair.repo_a, pair.repo_b))
    leads = tuple(lead for lead in temporal.lead_lag if repo in (lead.leader, lead.follower))
    paths = tuple(path for path in temporal.propagation_paths if repo in path.path)
    return run.with_reports(
        correlation=replace(
            correlation,
            correlations=pairs,
            correlations_found=len(pairs),
            clusters=tuple(cluster for cluster in correlation.clusters if repo in cluster.repos),
            anomalies=tuple(one for one in correlation.anomalies if repo in one.repos),
        ),
        temporal=replace(
            temporal,
            lead_lag=leads,
            leads_found=len(leads),
            propagation_paths=paths,
            paths_found=len(paths),
            temporal_anomalies=tuple(one for one in temporal.temporal_anomalies if repo in one.repos),
        ),
    )


def title(run: Run, incident_id: str = "", state: IncidentState | None = None) -> TitleBlock:
    """Say how much moves together or after each other, and whether any of it is trouble."""
    nothing = "Not judged" if run.correlation.reason is not None else "No correlation"
    return page_head(
        run, "Correlation investigation", _headline(run), (122, 132, 121, 131), nothing, incident_id, None, state
    )


def key_figures(run: Run) -> KeyFigures:
    """Return pairs and leads with what chance alone would give, clusters, and what deviates."""
    correlation, temporal = run.correlation, run.temporal
    dark = correlation.reason is not None
    deviating = _deviating(run)
    return KeyFigures(
        (
            KeyFigure(
                "Pairs that move together", None if dark else f"{correlation.correlations_found} of {correlation.pairs_tested}",
                note=correlation.reason or _by_chance(correlation.expected_false_discoveries),
                tone="unknown" if dark else "neutral",
            ),
            KeyFigure(
                "Leads", None if temporal.reason else str(temporal.leads_found),
                note=temporal.reason or f"up to {plural(temporal.max_lag, 'sample')} of {lag_text(temporal.interval)}; "
                + _by_chance(temporal.expected_false_discoveries),
                tone="unknown" if temporal.reason else "neutral",
            ),
            KeyFigure("Clusters", None if dark else str(len(correlation.clusters)), note="groups of related services"),
            KeyFigure(
                "Abnormal now", None if dark else str(len(deviating)), note="clusters and paths away from their usual level",
                tone="unknown" if dark else "critical" if deviating else "good", word="" if deviating or dark else "None",
            ),
        )
    )  # fmt: skip


def first_step(run: Run, state: IncidentState | None = None) -> Callout:
    """Name the first step: to look into it, or to go to the page that contains it."""
    state = state or state_by(run, None)
    if (settled := settled_step(state)) is not None:
        return settled
    deviating = _deviating(run)
    if deviating:
        return planned_step(state, f"This is more than a correlation: {deviating[0]}.")
    found = run.correlation.correlations_found + run.temporal.leads_found
    if run.correlation.reason is not None:
        return Callout("Relations could not be tested", f"{run.correlation.reason.capitalize()}.", "unknown")
    if not found:
        return Callout("Nothing to investigate", "No pair of services moves together or in sequence.", "good")
    if state.plan is not None and run.sla.breaches:
        return planned_step(state, "No group of services deviates from its usual level.")
    return Callout(
        "Respond within 4 hours: find what they share",
        "No containment needed: services move together, but at their usual level. Confirm or rule out the common "
        f"factors below, and declare calls that are missing in org.yaml. {who_hears(Severity.SEV_3)}",
        "info",
        "SEV-3",
    )


def together(run: Run, max_pairs: int = 8) -> list[Block]:
    """Show what moves together at the same moment."""
    report = run.correlation
    linked = {(edge.caller, edge.callee) for edge in run.org.dependencies}
    rows = tuple(
        (
            f"{label_of(pair.repo_a, 60)} – {label_of(pair.repo_b, 60)}",
            pair.metric,
            f"{pair.coefficient:+.2f}".replace("-", "\N{MINUS SIGN}"),
            "< 0.001" if pair.q_value < 0.001 else f"{pair.q_value:.3f}",
            f"{pair.n_effective:.0f}",
            _tie(linked, pair.repo_a, pair.repo_b),
        )
        for pair in report.correlations[:max_pairs]
    )
    more = report.correlations_found - len(rows)
    table = Table(
        caption="Pairs that move together, strongest first",
        columns=(
            Column("Pair"),
            Column("Metric"),
            Column("Correlation", "text", "right"),
            Column("q-value", "text", "right"),
            Column("Effective samples", "text", "right"),
            Column("Declared"),
        ),
        rows=rows,
        note=f"{more} more are in trend-correlation-report.json." if more > 0 else "",
        empty=report.reason or f"No pair moves together beyond chance: {report.pairs_tested} were tested.",
    )
    return [table, *figures(draw_matrix(report))]


def shared(run: Run) -> Table:
    """List what the clusters have in common: the hypotheses to be looked into."""
    rows = tuple(
        (
            listed(cluster.repos, 3),
            direction_badge(cluster.direction, is_anomalous=cluster.is_anomalous),
            "; ".join(f"{factor.factor} ({format_share(factor.confidence)})" for factor in cluster.common_factors[:3])
            or "none found",
            "; ".join(cluster.common_factors[0].evidence)
            if cluster.common_factors
            else "ask the teams what changed together",
        )
        for cluster in run.correlation.clusters[:5]
    )
    more = len(run.correlation.clusters) - len(rows)
    return Table(
        caption=f"{plural(len(run.correlation.clusters), 'cluster')} of related services, most urgent first",
        columns=(
            Column("Services"),
            Column("Now", "badge"),
            Column("In common (confidence)"),
            Column("Evidence for the first"),
        ),
        rows=rows,
        note=f"{more} more are in trend-correlation-report.json." if more > 0 else "",
        empty="No related services were found, so there is no common factor to look for.",
    )


def in_order(run: Run, max_pairs: int = 8) -> list[Block]:
    """Show who moves before whom."""
    report = run.temporal
    rows = tuple(
        (
            f"{label_of(lead.leader, 60)} → {label_of(lead.follower, 60)}",
            lead.metric,
            lag_text(lead.lag_duration),
            "-" if lead.correlation is None else f"{lead.correlation:+.2f}".replace("-", "\N{MINUS SIGN}"),
            "< 0.001" if lead.q_value < 0.001 else f"{lead.q_value:.3f}",
            "over the whole course" if lead.evidence is LeadEvidence.LEAD_LAG else "changes, one after the other",
            Badge("Direct", "info") if lead.is_direct else Badge("Through others", "neutral"),
        )
        for lead in report.lead_lag[:max_pairs]
    )
    more = report.leads_found - len(rows)
    if not rows:
        said = report.reason or f"No service leads another: {report.pairs_tested} pairs were tested in both directions"
        return [Prose((f"{said}.",))]
    table = Table(
        caption="Leads, strongest first",
        columns=(
            Column("First → follower"),
            Column("Metric"),
            Column("After"),
            Column("Correlation", "text", "right"),
            Column("q-value", "text", "right"),
            Column("Seen"),
            Column("Way", "badge"),
        ),
        rows=rows,
        note=f"{more} more are in temporal-intelligence-report.json." if more > 0 else "",
    )
    return [*figures(draw_leads(report)), table]


def trouble(run: Run) -> Table:
    """Tell whether any of it is a problem now."""
    rows = [
        (
            Badge(anomaly.severity.value, "critical" if anomaly.severity is Severity.SEV_1 else "warning"),
            since_words(anomaly.started_at),
            anomaly.message,
        )
        for anomaly in run.correlation.anomalies
    ]
    rows += [
        (
            Badge(anomaly.severity.value, "warning" if anomaly.is_active else "neutral"),
            since_words(anomaly.started_at),
            anomaly.message,
        )
        for anomaly in run.temporal.temporal_anomalies
        if anomaly.is_active
    ]
    return Table(
        caption="Is any of it a problem now?",
        columns=(Column("Severity", "badge"), Column("Since"), Column("Finding")),
        rows=tuple(rows[:8]),
        note=f"{len(rows) - 8} more are in the reports." if len(rows) > 8 else "",
        empty="No group of services deviates from its usual level.",
    )


def next_action(run: Run, incident_id: str = "", state: IncidentState | None = None) -> Table:
    """Say what to run now; once the incident is settled, what is left."""
    if (left := settled_steps(run, incident_id, state)) is not None:
        return left
    first = []
    if run.correlation.anomalies:
        first.append(("Contain the anomaly first", f"tars report cross_repo_anomaly --run {run_place(run)}"))
    if any(path.is_active for path in run.temporal.propagation_paths):
        first.append(("Contain the propagation first", f"tars report propagation --run {run_place(run)}"))
    report = f"--org-report {health_report(run)} --json | jq"
    return next_steps(
        *first,
        ("The pairs in full", f"{_MODULES}trend_correlation {report} '.correlations'"),
        ("The leads in full", f"{_MODULES}temporal_intelligence {report} '.lead_lag'"),
        ("Run the checks again on the next data", run_again(run)),
    )


def _headline(run: Run) -> str:
    correlation, temporal = run.correlation, run.temporal
    if correlation.reason is not None:
        return f"Relations between services could not be tested: {correlation.reason}."
    deviating = _deviating(run)
    found = f"{correlation.correlations_found} of {correlation.pairs_tested} pairs of services move together"
    if temporal.leads_found:
        found += f", and {temporal.leads_found} move one after the other"
    if not correlation.correlations_found and not temporal.leads_found:
        found = f"No pair of services moves together or in sequence ({correlation.pairs_tested} tested)"
    return f"{found}; {deviating[0][:1].lower()}{deviating[0][1:]}." if deviating else f"{found}; none is abnormal now."


def _deviating(run: Run) -> list[str]:
    """Say what deviates now, without the full stop."""
    said = [
        f"{listed(one.repos, 4)} are abnormal since {since_words(one.started_at)}" for one in run.correlation.anomalies
    ]
    return said + [
        f"a problem is spreading {' → '.join(label_of(repo) for repo in path.path)}"
        for path in run.temporal.propagation_paths
        if path.is_active and path.is_declining
    ]


def _by_chance(expected: float) -> str:
    return f"about {expected:.1f} expected by chance" if expected >= 0.05 else "none expected by chance"


def _tie(linked: set[tuple[str, str]], one: str, other: str) -> str:
    if (one, other) in linked or (other, one) in linked:
        return "one calls the other"
    shared_callees = {callee for caller, callee in linked if caller == one} & {
        c for caller, c in linked if caller == other
    }
    return f"both call {listed(tuple(sorted(shared_callees)), 1)}" if shared_callees else "no"
