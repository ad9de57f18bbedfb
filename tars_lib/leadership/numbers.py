"""The numbers of a run as tables: unrounded, the same as in its JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tars_lib.files.csv_cells import CsvCell, csv_text
from tars_lib.pipeline import Run


@dataclass(frozen=True, slots=True)
class Numbers:
    """A table of the package: file name, what it holds, head and rows."""

    name: str
    about: str
    head: tuple[str, ...]
    rows: Sequence[Sequence[CsvCell]]

    @property
    def content(self) -> bytes:
        """CSV in UTF-8 with the mark by which spreadsheets know that."""
        return csv_text(self.head, self.rows).encode("utf-8-sig")


def numbers_of(run: Run) -> tuple[Numbers, ...]:
    """All tables, in the order in which leadership asks."""
    return (_summary(run), _scorecard(run), _breaches(run), _causes(run), _repos(run), _readiness(run))


def _summary(run: Run) -> Numbers:
    sla, health = run.sla, run.health
    readiness = sla.executive_readiness
    rows: list[tuple[CsvCell, ...]] = [
        ("run", run.run_id, ""),
        ("as_of", sla.as_of, "UTC"),
        ("exit_code", run.status.exit_code, ""),
        ("finding", run.status.finding, ""),
        ("severity", run.status.severity, ""),
        ("readiness_score", readiness.readiness_score, "points of 100"),
        ("readiness_tier", readiness.tier.value, ""),
        ("readiness_unknown_share", readiness.unknown_share, "ratio"),
        ("aggregate_score", health.aggregate_score, "points of 100"),
        ("risk_tier", health.risk_tier.value, ""),
        ("coverage", health.coverage, "ratio"),
        ("slas", sla.summary.total, "count"),
        ("slas_breached", sla.summary.breached, "count"),
        ("slas_at_risk", sla.summary.at_risk, "count"),
        ("slas_unknown", sla.summary.unknown, "count"),
    ]
    return Numbers("summary", "Score, tier and counts of the run", ("key", "value", "unit"), rows)


def _scorecard(run: Run) -> Numbers:
    head = (
        "sla_id", "sla_name", "status", "value", "ci_low", "ci_high", "objective", "unit", "window", "budget_consumed_share",
        "affected_repos",
    )  # fmt: skip
    rows = []
    for one in run.sla.compliance_results:
        window = one.windows[0] if one.windows else None
        rows.append(
            (
                one.sla_id, one.sla_name, one.status.value, one.value,
                None if window is None else window.ci_low, None if window is None else window.ci_high,
                one.objective, one.unit, None if window is None else window.window,
                None if one.error_budget is None else one.error_budget.consumed_share, "; ".join(one.affected_repos),
            )
        )  # fmt: skip
    return Numbers(
        "scorecard", "Every SLA: measured with its 95% interval, objective, error budget, verdict", head, rows
    )


def _breaches(run: Run) -> Numbers:
    head = (
        "breach_id", "sla_id", "severity", "started_at", "ended_at", "value", "objective", "unit", "could_be_chance",
        "target", "unexplained", "repos",
    )  # fmt: skip
    rows = [
        (
            one.breach_id, one.sla_id, one.severity.value, one.started_at, one.ended_at, one.value, one.objective, one.unit,
            one.could_be_chance, one.target, one.unexplained, "; ".join(one.repos),
        )
        for one in run.sla.breaches
    ]  # fmt: skip
    return Numbers("breaches", "Breaches, the most severe first", head, rows)


def _causes(run: Run) -> Numbers:
    head = (
        "breach_id",
        "sla_id",
        "rank",
        "repo",
        "metric",
        "confidence",
        "contribution",
        "cause_type",
        "containment_type",
        "cause",
    )
    rows = [
        (
            breach.breach_id, breach.sla_id, rank, cause.repo, cause.metric, cause.confidence, cause.contribution,
            cause.cause_type.value, cause.containment_type.value, cause.cause,
        )
        for breach in run.sla.breaches
        for rank, cause in enumerate(breach.root_causes, start=1)
    ]  # fmt: skip
    return Numbers(
        "causes", "Root causes of each breach, best first, with confidence and share of the impact", head, rows
    )


def _repos(run: Run) -> Numbers:
    head = ("repo", "team", "customer_facing", "score", "status", "risk_tier", "trend", "trend_slope_per_day")
    rows = [
        (
            one.repo, one.team, one.customer_facing, one.score, one.status.value, one.risk_tier.value, one.trend.value,
            one.trend_slope_per_day,
        )
        for one in run.health.repository_reports
    ]  # fmt: skip
    return Numbers("repos", "Health of every service, the lowest score first", head, rows)


def _readiness(run: Run) -> Numbers:
    rows = [
        (part.component, part.score, part.weight, part.explanation) for part in run.sla.executive_readiness.components
    ]
    return Numbers(
        "readiness", "What executive readiness is made of", ("component", "score", "weight", "explanation"), rows
    )
