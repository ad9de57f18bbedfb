"""Content of `trend-correlation-report.json`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from tars_lib.engines.report import Report
from tars_lib.model.names import ClusterDirection, ClusterEvidence, FactorKind, Severity

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Correlation:
    """Two repos that move together at the same moment.

    `coefficient` (-1..1) is that of what is new in each, in terms of health: positive where both improve together. `p_value`
    is corrected for the metrics tried, `q_value` for the pairs; `n` counts the samples in which both were seen,
    `n_effective` those that count.
    """

    repo_a: str
    repo_b: str
    metric: str
    coefficient: float
    n: int
    n_effective: float
    p_value: float
    q_value: float


@dataclass(frozen=True, slots=True)
class CommonFactor:
    """Something that most members of a cluster have in common and most other repos have not.

    `factor` names it; `confidence` (0-1) is the share of members that have it, times one less the chance of so many by
    luck.
    """

    factor: str
    kind: FactorKind
    confidence: float
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cluster:
    """Repos that belong together.

    `mean_correlation` is that of the members' innovations at the same moment, null where it cannot be known.
    `deviation` is how far the members stand from the level that they left, jointly, in standard deviations of their own
    past (negative: worse); `deviation_p_value` how often that past was as far; both null with a `reason` where that cannot
    be known. `is_anomalous`: at most 1 %, and more than half of the members stand off their own level. `onset` is the
    first change that belongs to it, null where none is seen. `metrics` are those that the members were compared in.
    `deviating` are the members that stand off their own level the way in which all do jointly, empty unless `is_anomalous`:
    a member may belong by its correlation and be where it always was.
    """

    cluster_id: str
    repos: tuple[str, ...]
    metrics: tuple[str, ...]
    joined_by: tuple[ClusterEvidence, ...]
    mean_correlation: float | None
    is_anomalous: bool
    direction: ClusterDirection
    onset: datetime | None
    deviation: float | None
    deviation_p_value: float | None
    severity: Severity
    customer_facing: bool
    common_factors: tuple[CommonFactor, ...]
    reason: str | None = None
    deviating: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CorrelationAnomaly:
    """A cluster that deviates now, in one sentence."""

    cluster_id: str
    severity: Severity
    repos: tuple[str, ...]
    direction: ClusterDirection
    started_at: datetime | None
    message: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class CorrelationReport(Report):
    """Pairs, clusters and what is unusual now.

    `correlations` holds the strongest of the `correlations_found`. `reason` says why nothing could be tested.
    """

    metrics: tuple[str, ...]
    samples: int
    pairs_tested: int
    correlations_found: int
    correlations: tuple[Correlation, ...]
    expected_false_discoveries: float
    clusters: tuple[Cluster, ...]
    anomalies: tuple[CorrelationAnomaly, ...]
    reason: str | None

    @property
    def frame(self) -> pd.DataFrame:
        """One row a pair: repo_a, repo_b, metric, coefficient, n, n_effective, p_value, q_value."""
        import pandas as pd

        columns = ("repo_a", "repo_b", "metric", "coefficient", "n", "n_effective", "p_value", "q_value")
        rows = [tuple(getattr(pair, name) for name in columns) for pair in self.correlations]
        return pd.DataFrame(rows, columns=list(columns))
