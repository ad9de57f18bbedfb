"""Content of `temporal-intelligence-report.json`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from tars_lib.engines.report import Report
from tars_lib.model.names import InfluenceClass, LeadEvidence, Severity, TemporalAnomalyType

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Lead:
    """A repo whose movements come `lag` samples before another's.

    `evidence` LEAD_LAG: over their whole course; `correlation` (-1..1) is in terms of health and `n_effective` counts the
    samples it rests on. CHANGE_ORDER: both changed for good, one after the other, closer together than chance; there is no
    correlation then and both are null. `p_value` and `q_value` are corrected for all that was tried. `is_direct` is false
    where other leads explain this one. `is_declared`: the follower calls the leader. `metric` is the leader's.
    """

    leader: str
    follower: str
    metric: str
    lag: int
    lag_duration: str
    evidence: LeadEvidence
    correlation: float | None
    n_effective: float | None
    p_value: float
    q_value: float
    is_direct: bool
    is_declared: bool


@dataclass(frozen=True, slots=True)
class Influence:
    """Share of the organisation that a repo leads.

    `influence_score` (0-100) is the share of the other repos, customer-facing ones counted three times, that its direct leads
    reach, each weighted with the confidence of the way there. `leads` and `follows` name the repos directly tied to it.
    """

    repo: str
    influence_score: float
    classification: InfluenceClass
    leads: tuple[str, ...]
    follows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PropagationPath:
    """A way that trouble takes, from the repo that moves first.

    `total_lag` is in samples. `impact_score` (0-100) is defined in `docs/methods/propagation.md`; `impact_basis` says whether
    the SLAs entered it (``REPOS`` or ``REPOS_AND_SLAS``), `affected_slas` which. `confidence` (0-1) is the product of those of
    the leads. `is_active`: the leader has left its level within the total lag, and its followers stand off theirs in
    the same direction now. `is_declining`: the leader's health goes down. `started_at` is the leader's change, null where none
    is seen. `clusters` are anomalous clusters that share two repos with the path.
    """

    path_id: str
    path: tuple[str, ...]
    total_lag: int
    lag_duration: str
    impact_score: float
    impact_basis: str
    confidence: float
    is_active: bool
    is_declining: bool
    is_declared: bool
    customer_facing: bool
    severity: Severity
    started_at: datetime | None
    affected_slas: tuple[str, ...]
    clusters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TemporalAnomaly:
    """Something unusual in how trouble travels, in one sentence."""

    type: TemporalAnomalyType
    severity: Severity
    repos: tuple[str, ...]
    started_at: datetime | None
    is_active: bool
    message: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class TemporalReport(Report):
    """Leads, influence, paths and what is unusual.

    `lead_lag` holds the strongest of the `leads_found`, and `propagation_paths` those with the most impact of the
    `paths_found`. `reason` says why nothing could be tested.
    """

    metrics: tuple[str, ...]
    samples: int
    interval: str
    max_lag: int
    pairs_tested: int
    leads_found: int
    lead_lag: tuple[Lead, ...]
    expected_false_discoveries: float
    influence_scores: tuple[Influence, ...]
    paths_found: int
    propagation_paths: tuple[PropagationPath, ...]
    temporal_anomalies: tuple[TemporalAnomaly, ...]
    reason: str | None

    @property
    def frame(self) -> pd.DataFrame:
        """One row a lead: leader, follower, metric, lag, evidence, correlation, n_effective, p_value, q_value, is_direct."""
        import pandas as pd

        columns = (
            "leader",
            "follower",
            "metric",
            "lag",
            "evidence",
            "correlation",
            "n_effective",
            "p_value",
            "q_value",
            "is_direct",
        )
        rows = [tuple(getattr(lead, name) for name in columns) for lead in self.lead_lag]
        return pd.DataFrame(rows, columns=list(columns))
