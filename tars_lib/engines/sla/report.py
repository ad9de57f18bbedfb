"""Content of `sla-intelligence-report.json`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from tars_lib.engines.report import Report
from tars_lib.errors import UnknownNameError
from tars_lib.model.names import CauseType, ContainmentType, ReadinessTier, Severity, SlaStatus, Trend
from tars_lib.text.sentences import Told

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class WindowResult:
    """An SLI over one window.

    `value`, `ci_low` and `ci_high` (95 %) are in the SLA's unit, null with a `reason` where they cannot be known. `n` counts
    events for a ratio and samples for a metric. `coverage` is the share of the window that lies within one usual interval of a
    sample. `value_low` and `value_high` are the value over all completions of what is missing, null where nothing bounds it;
    `certain`: both lie on one side of the objective. `is_partial`: further samples of the calendar period are still to come.
    """

    window: str
    start: datetime
    end: datetime
    value: float | None
    ci_low: float | None
    ci_high: float | None
    n: int
    coverage: float
    status: SlaStatus
    is_partial: bool
    reason: str | None = None
    value_low: float | None = None
    value_high: float | None = None
    certain: bool = False


@dataclass(frozen=True, slots=True)
class ErrorBudget:
    """Allowance within the deciding window, in `unit`: events, or the metric's own ratio.

    `remaining` is negative once overspent. `consumed_share` is consumed / total, null where the total is 0 (an objective of
    100 % has no budget: any failure breaches it).
    """

    total: float
    consumed: float
    remaining: float
    consumed_share: float | None
    unit: str


@dataclass(frozen=True, slots=True)
class BurnRate:
    """Speed at which the budget burns over a pair of windows; 1 spends exactly the budget of the period.

    `is_firing`: both rates are beyond `threshold` by more than counting noise. `can_fire`: they could be, for this objective
    and these samples; otherwise `reason` says why not. A rate is null without samples or without a budget.
    """

    long_window: str
    short_window: str
    threshold: float
    long_rate: float | None
    short_rate: float | None
    is_firing: bool
    can_fire: bool
    reason: str | None


@dataclass(frozen=True, slots=True)
class DaysUntilBreach:
    """Days until the SLA is breached: median, and 10 % and 90 % of the tested paths; `high` null where it is out of sight."""

    value: float
    low: float
    high: float | None


@dataclass(frozen=True, slots=True)
class RepoResult:
    """One repo alone against the SLA; only those that are not compliant are listed. `repo` null: the whole organisation."""

    repo: str | None
    status: SlaStatus
    value: float | None
    n: int
    coverage: float
    reason: str | None


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A maintenance window: samples that it excuses, by share, and those too long to leave out, which were kept."""

    repo: str | None
    start: datetime
    end: datetime
    title: str
    samples: int
    kept_samples: int = 0


@dataclass(frozen=True, slots=True)
class ComplianceResult:
    """Verdict on one SLA: the worst of the organisation's and of each repo's; `value` is that of the deciding scope.

    `scope` names what decided: a repo, or null for the whole organisation. `windows[0]` is the SLA's own window, which
    decides; the others inform. `burn_rates`, `trend` and the forecast are those of that scope. `burn_rates` is empty where
    the SLI is no share that adds up. `breach_probability` is that of a breach within the SLA's period, as far ahead as the
    past could test (`forecast_reason`); null where it could not. `days_until_breach` is null unless a breach is likely.
    `value_low` and `value_high` bound the value of that scope over all completions of what is missing, which `missing` tells;
    `certain`: every completion gives this verdict.
    """

    sla_id: str
    sla_name: str
    sla_type: str
    kind: str
    status: SlaStatus
    objective: float
    unit: str
    higher_is_better: bool
    priority: int
    value: float | None
    scope: str | None
    reason: str | None
    windows: tuple[WindowResult, ...]
    error_budget: ErrorBudget | None
    burn_rates: tuple[BurnRate, ...]
    trend: Trend
    breach_probability: float | None
    days_until_breach: DaysUntilBreach | None
    forecast_reason: str | None
    affected_repos: tuple[str, ...]
    unknown_repos: tuple[str, ...]
    repo_results: tuple[RepoResult, ...]
    judged_repos: int
    exclusions: tuple[Exclusion, ...]
    metrics: tuple[str, ...]
    value_low: float | None = None
    value_high: float | None = None
    certain: bool = False
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RootCause:
    """One cause of a breach. `cause` is one sentence that begins with the repo.

    `confidence` (0-1) is calibrated: of the causes given 0.8 about 80 % are right. `contribution` (0-1) is the share of the
    target's deviation that the cause explains. `change` names the change of the repo just before the onset, if there was one.
    """

    cause: str
    cause_type: CauseType
    repo: str
    metric: str
    confidence: float
    contribution: float
    evidence: tuple[str, ...]
    containment_type: ContainmentType
    change: str | None = None


@dataclass(frozen=True, slots=True)
class UnmeasuredCause:
    """A cause outside what is measured: `near` calls it, `calls` are the places to instrument.

    `contribution` (0-1) is the share of the target's deviation that lies there or at the callers.
    """

    near: str
    calls: tuple[str, ...]
    contribution: float


@dataclass(frozen=True, slots=True)
class UserImpact:
    """Effect of a breach on users of the service with the worst value, from its start to its end or that of the data.

    `failed` of `requests` events were bad, less planned maintenance; null where the SLA does not count events. Else `before`
    and `during` are medians of `metric` before and since the start, null where there are no samples. `customers` are the
    customer-facing repos that miss the SLA.
    """

    repo: str
    metric: str
    failed: int | None
    requests: int | None
    before: float | None
    during: float | None
    unit: str
    customers: tuple[str, ...]

    @property
    def share(self) -> float | None:
        """Return the share of the requests that failed; None where none was counted."""
        return None if self.failed is None or not self.requests else self.failed / self.requests


@dataclass(frozen=True, slots=True)
class Breach:
    """A breached SLA, when it began, what it hit and why.

    `started_at` is the first sample of the stretch in which the budget was burnt; `started_before` says that the stretch
    reaches back to where the search began. `target` is the repo whose deviation was explained. `could_be_chance`: the
    interval of the value includes the objective. `scope` is the repo whose value it is, null for the whole
    organisation. `unexplained` is the share of the deviation that no cause explains; `reason`
    says why there is no cause. `unmeasured` names the place where the cause lies if it is none of the measured repos. `impact`
    is what users see; null without a start.
    """

    breach_id: str
    sla_id: str
    sla_name: str
    sla_type: str
    severity: Severity
    priority: int
    started_at: datetime | None
    started_before: bool
    ended_at: datetime | None
    value: float | None
    objective: float
    unit: str
    could_be_chance: bool
    scope: str | None
    repos: tuple[str, ...]
    target: str
    target_metric: str
    customer_facing: bool
    root_causes: tuple[RootCause, ...]
    unexplained: float
    reason: str | None
    recommended_actions: tuple[str, ...]
    unmeasured: UnmeasuredCause | None = None
    impact: UserImpact | None = None

    @property
    def is_weighed(self) -> bool:
        """Return whether the causes' share of the impact was measured: not where another kind of metric led to them."""
        return not self.root_causes or self.root_causes[0].contribution > 0.0


@dataclass(frozen=True, slots=True)
class ReadinessComponent:
    """A part of the readiness score: 0-100 with its weight; null where it cannot be known, which counts as 0."""

    component: str
    score: float | None
    weight: float
    explanation: str


@dataclass(frozen=True, slots=True)
class ExecutiveReadiness:
    """Readiness of the organisation to answer for its SLAs.

    `readiness_score` 0-100 counts what is unknown as 0, so missing data never raises it; `unknown_share` is its weight.
    """

    readiness_score: float
    tier: ReadinessTier
    components: tuple[ReadinessComponent, ...]
    unknown_share: float
    outlook: str


@dataclass(frozen=True, slots=True)
class ScorecardRow:
    """One SLA in a line."""

    sla_id: str
    sla_name: str
    status: SlaStatus
    value: float | None
    objective: float
    unit: str
    budget_consumed: float | None
    affected_repos: int


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence and the fields of this report that it was made from."""

    text: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RiskNarrative:
    """The board-ready summary."""

    headline: str
    text: str
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class SlaSummary:
    """Number of SLAs by verdict."""

    total: int
    compliant: int
    at_risk: int
    breached: int
    unknown: int


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SlaReport(Report):
    """Verdicts, breaches with causes, readiness."""

    compliance_results: tuple[ComplianceResult, ...]
    breaches: tuple[Breach, ...]
    executive_readiness: ExecutiveReadiness
    scorecard: tuple[ScorecardRow, ...]
    risk_narrative: RiskNarrative
    summary: SlaSummary
    policies_from: str

    def __getitem__(self, sla_id: str) -> ComplianceResult:
        """Verdict on one SLA by its id; `tars_lib.why` explains it.

        Raises
        ------
        UnknownNameError
            If there is no such SLA; the message lists those that there are.
        """
        for result in self.compliance_results:
            if result.sla_id == sla_id:
                return result
        there = ", ".join(result.sla_id for result in self.compliance_results) or "none"
        raise UnknownNameError(f"SLA {sla_id!r} is not in this report; there are: {there}")

    def _ipython_key_completions_(self) -> list[str]:
        return [result.sla_id for result in self.compliance_results]

    def told(self) -> Told:
        """Headline, risk narrative, and how to ask on."""
        first = self.compliance_results[0].sla_id if self.compliance_results else None
        ask = (
            None
            if first is None
            else f"Next: .frame is the scorecard, tars_lib.why(report, {first!r}) explains one SLA."
        )
        return Told.of((*(sentence.text for sentence in self.risk_narrative.sentences), ask or ""))

    @property
    def frame(self) -> pd.DataFrame:
        """One row an SLA: status, value, objective, unit, coverage; index `sla_id`."""
        import pandas as pd

        columns = ("sla_name", "sla_type", "status", "value", "objective", "unit")
        rows = [
            {
                "sla_id": r.sla_id,
                **{name: getattr(r, name) for name in columns},
                "coverage": r.windows[0].coverage if r.windows else 0.0,
            }
            for r in self.compliance_results
        ]
        return pd.DataFrame(rows, columns=["sla_id", *columns, "coverage"]).set_index("sla_id")
