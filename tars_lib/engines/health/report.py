"""Content of `org-health-report.json`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from tars_lib.engines.report import Report
from tars_lib.model.metrics import Metric
from tars_lib.model.names import (
    AlertRule,
    Dependency,
    Event,
    HealthStatus,
    InputFile,
    OrgSlo,
    Repo,
    ReportedAlert,
    RiskTier,
    Trend,
)
from tars_lib.model.slo import AnyPolicy

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Component:
    """One metric's part in a repo's score. `score` is null with a `reason` where it cannot be known."""

    metric: str
    value: float | None
    unit: str
    score: float | None
    weight: float
    coverage: float
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ChangePoint:
    """A change of the level of a repo's score; `at` is the first sample of the new level."""

    at: datetime
    before: float
    after: float
    p_value: float


@dataclass(frozen=True, slots=True)
class RepositoryReport:
    """Health of one repo.

    `trend_slope_per_day` is in points a day, `trend_interval` its 95 % interval; both null where the trend is UNKNOWN.
    `coverage` is the share of the recently expected samples that arrived, weighted over components.
    """

    repo: str
    name: str
    team: str | None
    tags: tuple[str, ...]
    tier: int | None
    customer_facing: bool
    score: float | None
    status: HealthStatus
    risk_tier: RiskTier
    coverage: float
    trend: Trend
    trend_slope_per_day: float | None
    trend_interval: tuple[float, float] | None
    change_points: tuple[ChangePoint, ...]
    components: tuple[Component, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Contribution:
    """Points that a repo takes off the aggregate score: (100 - score) / number of scored repos."""

    repo: str
    points: float


@dataclass(frozen=True, slots=True)
class SloResult:
    """Verdict on an organisation SLO: status MET, VIOLATED or UNKNOWN."""

    slo_id: str
    name: str
    measure: str
    objective: float
    value: float | None
    status: str


@dataclass(frozen=True, slots=True)
class HistoryParts:
    """The files of the root that hold the samples, where the report refers to them instead of a copy.

    `root` is the way there from the folder of the report. The files are read in this order, times that name no zone in
    `zone`, and the names in `repos` and `metrics` under the names that they are given there.
    """

    root: str
    files: tuple[InputFile, ...]
    zone: str | None
    repos: Mapping[str, str]
    metrics: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class HistoryFile:
    """The Parquet file beside the report that holds the samples, or the files of the root that do.

    `interval` is ISO 8601, of the metric with most samples.
    """

    path: str | None
    sha256: str | None
    metrics: tuple[str, ...]
    samples: int
    start: datetime | None
    end: datetime | None
    interval: str | None
    parts: HistoryParts | None = None


@dataclass(frozen=True, slots=True)
class OrgDescription:
    """The organisation as read from the root, so that later engines need nothing else."""

    name: str
    repos: tuple[Repo, ...]
    dependencies: tuple[Dependency, ...]
    events: tuple[Event, ...]
    metrics: Mapping[str, Metric]
    slos: tuple[OrgSlo, ...]
    reported_alerts: tuple[ReportedAlert, ...]
    policies_from: str
    rules: tuple[AlertRule, ...] = ()
    stamp_at_end: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class HealthReport(Report):
    """Health of the organisation; `repository_reports` ascending by score, unknown ones last."""

    risk_tier: RiskTier
    aggregate_score: float | None
    coverage: float
    repository_scores: Mapping[str, float | None]
    repository_reports: tuple[RepositoryReport, ...]
    threshold: float
    below_threshold: tuple[str, ...]
    contributions: tuple[Contribution, ...]
    slo_results: tuple[SloResult, ...]
    reasons: tuple[str, ...]
    history: HistoryFile
    org: OrgDescription
    policies: tuple[AnyPolicy, ...]

    @property
    def frame(self) -> pd.DataFrame:
        """One row a repo: score, status, risk_tier, coverage, trend, trend_slope_per_day; index `repo`."""
        import pandas as pd

        columns = ("score", "status", "risk_tier", "coverage", "trend", "trend_slope_per_day")
        rows = [{name: getattr(r, name) for name in ("repo", *columns)} for r in self.repository_reports]
        return pd.DataFrame(rows, columns=["repo", *columns]).set_index("repo")
