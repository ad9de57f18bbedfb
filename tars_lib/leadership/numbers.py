"""The numbers of a run as tables: unrounded, the same as in its JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tars_lib.files.csv_cells import CsvCell, csv_text
from tars_lib.model.names import Name
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
    """Return all tables, in the order in which leadership asks."""
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
    for result in run.sla.compliance_results:
        window = result.windows[0] if result.windows else None
        rows.append(
            (
                *_fields(result, "sla_id", "sla_name", "status", "value"),
                *((None, None) if window is None else (window.ci_low, window.ci_high)),
                result.objective, result.unit, None if window is None else window.window,
                None if result.error_budget is None else result.error_budget.consumed_share,
                "; ".join(result.affected_repos),
            )
        )  # fmt: skip
    about = "Every SLA: measured with its 95% interval, objective, error budget, verdict"
    return Numbers("scorecard", about, head, rows)


def _breaches(run: Run) -> Numbers:
    names = (
        "breach_id", "sla_id", "severity", "started_at", "ended_at", "value", "objective", "unit", "could_be_chance",
        "target", "unexplained", "repos",
    )  # fmt: skip
    rows = [_fields(breach, *names) for breach in run.sla.breaches]
    return Numbers("breaches", "Breaches, the most severe first", names, rows)


def _causes(run: Run) -> Numbers:
    names = ("repo", "metric", "confidence", "contribution", "cause_type", "containment_type", "cause")
    rows = [
        (*_fields(breach, "breach_id", "sla_id"), rank, *_fields(cause, *names))
        for breach in run.sla.breaches
        for rank, cause in enumerate(breach.root_causes, start=1)
    ]
    about = "Root causes of each breach, best first, with confidence and share of the impact"
    return Numbers("causes", about, ("breach_id", "sla_id", "rank", *names), rows)


def _repos(run: Run) -> Numbers:
    names = ("repo", "team", "customer_facing", "score", "status", "risk_tier", "trend", "trend_slope_per_day")
    rows = [_fields(report, *names) for report in run.health.repository_reports]
    return Numbers("repos", "Health of every service, the lowest score first", names, rows)


def _readiness(run: Run) -> Numbers:
    names = ("component", "score", "weight", "explanation")
    rows = [_fields(part, *names) for part in run.sla.executive_readiness.components]
    return Numbers("readiness", "What executive readiness is made of", names, rows)


def _fields(row: object, *names: str) -> tuple[CsvCell, ...]:
    """Return fields of a row of a report as cells: a name by its value, several names in one cell."""
    values = (getattr(row, name) for name in names)
    return tuple(
        value.value if isinstance(value, Name) else "; ".join(value) if isinstance(value, tuple) else value
        for value in values
    )
