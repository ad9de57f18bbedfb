"""Is it spreading: does trouble propagate now, along which path, which repos turned together, and what do they share?"""

from __future__ import annotations

from tars_lib.engines.queries.incident_state import IncidentState
from tars_lib.engines.relations.correlation_report import Cluster
from tars_lib.engines.relations.lead_lag_report import PropagationPath
from tars_lib.model.names import ClusterDirection
from tars_lib.pipeline import Run
from tars_lib.reports.blocks.kinds import Badge, Block, Callout, Column, Table
from tars_lib.text.counts import plural
from tars_lib.text.times import MINUTES
from tars_lib.workbook.parameters.register import state_by
from tars_lib.workbook.sections.labels import listed

MAX_PATHS = 3
MAX_FACTORS = 3
"""Rows of each kind that a leader reads; the engines' own notebooks list all. Judgement."""


def spread(run: Run, state: IncidentState | None = None) -> list[Block]:
    """Tell how trouble spreads, with the paths, clusters and common factors that it rests on; once settled, without alarm."""
    paths = active_paths(run)
    clusters = declining_clusters(run)
    is_settled = (state or state_by(run, None)).is_settled
    title, text, tone, word = _verdict(run, paths, clusters, is_settled=is_settled)
    rows = [row for path in paths[:MAX_PATHS] for row in _path_rows(path)]
    rows += [row for cluster in clusters[:MAX_PATHS] for row in _cluster_rows(cluster, len(run.org.repos))]
    callout = Callout(title, text, tone, word)  # type: ignore[arg-type]
    if not rows:
        return [callout]
    table = Table(
        caption="What supports this",
        columns=(Column("What"), Column("Kind", "badge"), Column("Evidence")),
        rows=tuple(rows),
    )
    return [callout, table]


def active_paths(run: Run) -> tuple[PropagationPath, ...]:
    """Return the paths along which health declines now, most impact first."""
    active = [path for path in run.temporal.propagation_paths if path.is_active and path.is_declining]
    return tuple(sorted(active, key=lambda path: -path.impact_score))


def declining_clusters(run: Run) -> tuple[Cluster, ...]:
    """Return the clusters that are anomalous now and not for the better."""
    return tuple(
        c for c in run.correlation.clusters if c.is_anomalous and c.direction is not ClusterDirection.IMPROVEMENT
    )


def _verdict(
    run: Run, paths: tuple[PropagationPath, ...], clusters: tuple[Cluster, ...], *, is_settled: bool
) -> tuple[str, str, str, str]:
    if paths:
        first = paths[0]
        said = (
            f"{_arrow(first)}: {plural(len(first.path), 'service')} within {_lag(first)}, impact {first.impact_score:.0f} of "
            f"100, confidence {first.confidence:.0%}."
        )
        if is_settled:
            return "It was spreading", said, "neutral", "Spread"
        return "Propagation is active", f"{said} Isolate {first.path[0]} from what calls it.", "critical", "Spreading"
    if clusters:
        cluster = clusters[0]
        together = next((a.message for a in run.temporal.temporal_anomalies if a.is_active), "")
        return (
            f"{plural(len(cluster.deviating), 'service')} declined together; no propagation path "
            f"{'was' if is_settled else 'is'} active",
            f"{together[:1].upper()}{together[1:]}."
            if together
            else f"{listed(cluster.deviating, 6)}{_onset(cluster)}.",
            "neutral" if is_settled else "warning",
            "Together",
        )
    unknown = [reason for reason in (run.temporal.reason, run.correlation.reason) if reason]
    if unknown:
        return "Whether it is spreading is unknown", f"{'; '.join(dict.fromkeys(unknown))}.", "unknown", ""
    tested = run.temporal.pairs_tested
    return (
        "It is not spreading",
        f"No propagation path is active and no cluster of services is abnormal; {plural(tested, 'pair')} of services "
        f"{'was' if tested == 1 else 'were'} tested.",
        "good",
        "No spread",
    )


def _path_rows(path: PropagationPath) -> list[tuple[object, ...]]:
    slas = f"; SLAs hit: {listed(path.affected_slas)}" if path.affected_slas else ""
    began = f"began {path.started_at:{MINUTES}}; " if path.started_at is not None else ""
    declared = "along declared calls" if path.is_declared else "no declared call along it"
    return [
        (
            f"Path {_arrow(path)}",
            Badge("Active", "critical"),
            f"{began}{_lag(path)} from first to last, impact {path.impact_score:.0f} of 100, confidence "
            f"{path.confidence:.0%}, {declared}{slas}",
        )
    ]


def _cluster_rows(cluster: Cluster, repos: int) -> list[tuple[object, ...]]:
    moved = "" if cluster.deviation is None else f"; together {_deviations(cluster.deviation)}"
    rows: list[tuple[object, ...]] = [
        (
            f"Together: {listed(cluster.deviating, 6)}",
            Badge(cluster.direction.value.capitalize(), "critical" if cluster.customer_facing else "warning"),
            f"{len(cluster.deviating)} of {repos} services{_onset(cluster)}{moved}{_calm(cluster)}",
        )
    ]
    rows += [
        (
            f"In common: {factor.factor}",
            Badge(factor.kind.value.replace("_", " ").capitalize(), "info"),
            f"confidence {factor.confidence:.0%}; {'; '.join(factor.evidence[:1])}",
        )
        for factor in cluster.common_factors[:MAX_FACTORS]
    ]
    if not cluster.common_factors:
        rows.append(("In common", Badge("None found", "unknown"), "nothing sets the members apart"))
    return rows


def _arrow(path: PropagationPath) -> str:
    return " → ".join(path.path)


def _lag(path: PropagationPath) -> str:
    words = {"D": "d", "H": "h", "M": "min", "S": "s"}
    text = path.lag_duration.removeprefix("P").removeprefix("T")
    return f"{text[:-1]} {words[text[-1]]}" if text[-1:] in words else f"{plural(path.total_lag, 'sample')}"


def _onset(cluster: Cluster) -> str:
    return "" if cluster.onset is None else f", since {cluster.onset:{MINUTES}}"


def _calm(cluster: Cluster) -> str:
    """Return the members that belong by their correlation and stand where they always did."""
    calm = tuple(repo for repo in cluster.repos if repo not in cluster.deviating)
    return f"; moves with them, but at its usual level: {listed(calm, 2)}" if calm else ""


def _deviations(number: float) -> str:
    size = "more than 100" if abs(number) > 100 else f"{abs(number):.1f}"
    return f"{size} standard deviations {'below' if number < 0 else 'above'} their usual level"
