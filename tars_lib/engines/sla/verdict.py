"""Is an SLA met? Measured over its own window; UNKNOWN where that cannot be known."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np

from tars_lib.engines.sla.burn_rate import Burns, burn_rates
from tars_lib.engines.sla.forecast import Outlook, Outlooks, forecast
from tars_lib.engines.sla.report import ComplianceResult, DaysUntilBreach, ErrorBudget, RepoResult, WindowResult
from tars_lib.engines.sla.sli import Measurement, Track, in_scope, interval_of, measure, scope_names, track
from tars_lib.model.names import SlaStatus, Trend
from tars_lib.model.organisation import OrgData
from tars_lib.model.slo import AnyPolicy, RatioPolicy, ThresholdPolicy, Window
from tars_lib.text.quantities import days_text

logger = logging.getLogger(__name__)

MIN_COVERAGE = 0.5
MIN_EVENTS = 10
MIN_SAMPLES = 3
AT_RISK_SHARE = 0.8
"""The four thresholds are decided in the contract of the formats."""
_BINARY_SLACK = 1e-9
"""An objective such as 0.9 has no exact binary form, so 80 % of its budget may come out a hair below 0.8."""
INFORMING = (Window(days=7), Window(days=30), Window(days=90))
"""Windows that are measured beside the SLA's own."""
_RANK = {SlaStatus.COMPLIANT: 0, SlaStatus.UNKNOWN: 1, SlaStatus.AT_RISK: 2, SlaStatus.BREACHED: 3}


@dataclass(frozen=True, slots=True)
class Judged:
    """One scope (a repo by position, or None for the organisation) over one window."""

    column: int | None
    status: SlaStatus
    value: float | None
    n: int
    coverage: float
    reason: str | None


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """An SLA's result with what the breach analysis needs further."""

    result: ComplianceResult
    policy: AnyPolicy
    found: Track | None
    measured: Measurement | None
    breached: tuple[Judged, ...]


def judge(
    org: OrgData,
    policy: AnyPolicy,
    as_of: datetime,
    windows: tuple[Window, ...] = INFORMING,
    *,
    look_ahead: bool = True,
) -> Verdict:
    """Judge one SLA as of a time.

    A ratio is judged over the organisation from summed counts and for each repo alone, a metric for each repo alone; the
    verdict is the worst. A repo that used to report and no longer does makes an otherwise compliant SLA UNKNOWN; one that
    merely has too few events does not. A scope that complies is at risk while a burn-rate pair fires in it or while its
    breach within the period is more likely than not; the latter is left out without `look_ahead`.
    """
    found = track(org, policy)
    scope = np.flatnonzero(in_scope(org, policy, found))
    unknown_names = tuple(sorted(set(policy.repos) - {repo.repo for repo in org.repos}))
    if found is None or not scope.size:
        lacking = ", ".join(name for name in policy.needs if not org.history.has(name)) or ", ".join(policy.needs)
        reason = f"nobody reports {lacking}" if not unknown_names else f"no such repo: {', '.join(unknown_names)}"
        return Verdict(_unknown(policy, reason, scope_names(org, scope)), policy, found, None, ())
    measured = measure(org, policy, found, policy.window, as_of)
    judged = [_judge_scope(policy, measured, int(column), scope) for column in scope]
    whole = _judge_scope(policy, measured, None, scope) if isinstance(policy, RatioPolicy) else None
    repos = len(org.repos)
    fewest = MIN_EVENTS if isinstance(policy, RatioPolicy) else MIN_SAMPLES
    burns = burn_rates(policy, found, repos, scope, as_of, fewest)
    outlooks = forecast(policy, found, repos, scope, as_of) if look_ahead else None
    urgent = np.zeros(repos + 1, dtype=bool)
    if burns is not None:
        urgent |= burns.candidates()
    if outlooks is not None:
        urgent |= outlooks.likely()
    judged = [_look_ahead(org, policy, j, burns, outlooks) if urgent[j.column or 0] else j for j in judged]
    whole = _look_ahead(org, policy, whole, burns, outlooks) if whole is not None and urgent[-1] else whole
    deciding = _deciding(policy, judged, whole)
    ahead = _outlook(deciding, outlooks)
    status = _overall(judged, whole)
    main = _window_result(policy, found, measured, deciding)
    informing = tuple(
        _inform(org, policy, found, window, as_of, deciding, scope) for window in windows if window != policy.window
    )
    logger.debug("sla %s: %s, value %s, coverage %.3f", policy.sla_id, status, deciding.value, deciding.coverage)
    noted = ([whole] if whole is not None else []) + judged
    result = ComplianceResult(
        **_named(policy),
        status=status,
        value=deciding.value,
        scope=None if deciding.column is None else org.repos[deciding.column].repo,
        reason=_reason(org, status, deciding, judged, unknown_names),
        windows=(main, *informing),
        error_budget=_budget(policy, measured, deciding),
        burn_rates=() if burns is None else burns.rates(deciding.column),
        trend=ahead.trend,
        breach_probability=ahead.probability,
        days_until_breach=ahead.days,
        forecast_reason=ahead.reason,
        affected_repos=scope_names(
            org, [j.column for j in judged if j.status is SlaStatus.BREACHED and j.column is not None]
        ),
        unknown_repos=scope_names(
            org, [j.column for j in judged if j.status is SlaStatus.UNKNOWN and j.column is not None]
        )
        + unknown_names,
        repo_results=tuple(
            RepoResult(
                None if j.column is None else org.repos[j.column].repo,
                j.status,
                j.value,
                j.n,
                j.coverage,
                j.reason,
            )
            for j in noted
            if j.status is not SlaStatus.COMPLIANT
        ),
        judged_repos=len(judged),
        exclusions=measured.exclusions,
    )
    return Verdict(result, policy, found, measured, tuple(j for j in noted if j.status is SlaStatus.BREACHED))


def beyond(policy: AnyPolicy, value: float) -> float:
    """How far a value is beyond the objective, relative to what the objective allows.

    For a ratio the bad share over the allowed bad share, less one; for a metric the distance over the objective. Infinite
    where nothing is allowed.
    """
    if isinstance(policy, RatioPolicy):
        allowed = 1.0 - policy.objective
        return (1.0 - value) / allowed - 1.0 if allowed > 0 else float("inf") if value < 1.0 else 0.0
    distance = policy.objective - value if policy.higher_is_better else value - policy.objective
    if policy.objective == 0:
        return float("inf") if distance > 0 else distance
    return distance / abs(policy.objective)


def _judge_scope(
    policy: AnyPolicy,
    measured: Measurement,
    column: int | None,
    scope: np.ndarray[tuple[int], np.dtype[np.int64]],
) -> Judged:
    columns = scope if column is None else np.array([column])
    samples, expected = int(measured.samples[columns].sum()), float(measured.expected[columns].sum())
    coverage = min(samples / expected, 1.0)
    events = float(measured.events[columns].sum())
    n = round(events)
    bad = float(measured.bad[columns].sum())
    value = ((events - bad) / events if events else float("nan")) if column is None else float(measured.value[column])
    ratio = isinstance(policy, RatioPolicy)
    reason = None
    if samples == 0:
        reason = "no data in the window"
    elif coverage < MIN_COVERAGE:
        reason = f"{coverage:.0%} of the expected samples arrived, under {MIN_COVERAGE:.0%}"
    elif ratio and events < MIN_EVENTS:
        reason = f"{n} events, fewer than {MIN_EVENTS}"
    elif not ratio and samples < MIN_SAMPLES:
        reason = f"{samples} samples, fewer than {MIN_SAMPLES}"
    known = None if not np.isfinite(value) else value
    if reason is not None or known is None:
        return Judged(column, SlaStatus.UNKNOWN, known, n, coverage, reason or "no data in the window")
    if not policy.is_met_by(known):
        return Judged(column, SlaStatus.BREACHED, known, n, coverage, None)
    share = _consumed_share(policy, known)
    if share is not None and share >= AT_RISK_SHARE - _BINARY_SLACK:
        return Judged(column, SlaStatus.AT_RISK, known, n, coverage, f"{share:.0%} of the error budget is used")
    warning = policy.warning if isinstance(policy, ThresholdPolicy) else None
    if warning is not None and (known < warning if policy.higher_is_better else known > warning):
        return Judged(column, SlaStatus.AT_RISK, known, n, coverage, f"beyond the warning value {warning:g}")
    return Judged(column, SlaStatus.COMPLIANT, known, n, coverage, None)


def _look_ahead(
    org: OrgData, policy: AnyPolicy, judged: Judged, burns: Burns | None, outlooks: Outlooks | None
) -> Judged:
    """The same verdict, or AT_RISK where a compliant scope burns its budget too fast or is about to breach."""
    if judged.status is not SlaStatus.COMPLIANT:
        return judged
    where = "the organisation" if judged.column is None else f"repo {org.repos[judged.column].repo}"
    firing = None if burns is None else burns.firing(judged.column)
    if firing is not None and firing.long_rate is not None and firing.short_rate is not None:
        rates = (
            f"{firing.long_rate:.3g} over {firing.long_window} and {firing.short_rate:.3g} over {firing.short_window}"
        )
        reason = f"{where} burns its error budget too fast: rate {rates}, both above {firing.threshold:g}"
        return replace(judged, status=SlaStatus.AT_RISK, reason=reason)
    ahead = None if outlooks is None else outlooks.of(judged.column)
    if ahead is None or ahead.probability is None or not ahead.is_likely:
        return judged
    when = "" if ahead.days is None else f", in {days_text(ahead.days.value, ahead.days.low, ahead.days.high)}"
    reason = (
        f"a breach in {where} within {policy.period_days} days is more likely than not ({ahead.probability:.0%}{when})"
    )
    return replace(judged, status=SlaStatus.AT_RISK, reason=reason)


def _outlook(deciding: Judged, outlooks: Outlooks | None) -> Outlook:
    """What is to come of the deciding scope: a breach is there already, and nothing is said of what is not known."""
    if outlooks is None:
        return Outlook(Trend.UNKNOWN, None, None, "not looked ahead")
    ahead = outlooks.of(deciding.column)
    if deciding.status is SlaStatus.BREACHED:
        return replace(ahead, probability=1.0, days=DaysUntilBreach(0.0, 0.0, 0.0), reason=None)
    if deciding.status is SlaStatus.UNKNOWN:
        return Outlook(ahead.trend, None, None, deciding.reason)
    return ahead


def _is_share(policy: AnyPolicy) -> bool:
    """Whether the SLI is a share with an ideal of 0 or 1, so that what is allowed to be bad is a budget."""
    return isinstance(policy, RatioPolicy) or policy.unit == "ratio"


def _consumed_share(policy: AnyPolicy, value: float) -> float | None:
    if not _is_share(policy):
        return None
    allowed, used = (1.0 - policy.objective, 1.0 - value) if policy.higher_is_better else (policy.objective, value)
    return used / allowed if allowed > 0 else None


def _budget(policy: AnyPolicy, measured: Measurement, deciding: Judged) -> ErrorBudget | None:
    if not _is_share(policy) or deciding.value is None or deciding.status is SlaStatus.UNKNOWN:
        return None
    share = _consumed_share(policy, deciding.value)
    allowed = 1.0 - policy.objective if policy.higher_is_better else policy.objective
    used = 1.0 - deciding.value if policy.higher_is_better else deciding.value
    scale, unit = (float(deciding.n), "events") if isinstance(policy, RatioPolicy) else (1.0, "ratio")
    return ErrorBudget(allowed * scale, used * scale, (allowed - used) * scale, share, unit)


def _deciding(policy: AnyPolicy, judged: list[Judged], whole: Judged | None) -> Judged:
    """The scope whose value is shown: the organisation where it is as bad as the worst repo, else that repo."""

    def badness(j: Judged) -> tuple[int, float, int]:
        return (
            _RANK[j.status],
            -float("inf") if j.value is None else beyond(policy, j.value),
            -(j.column or 0),
        )

    if whole is not None and (len(judged) > 1 or not judged):
        worst = max(judged, key=badness, default=whole)
        is_worse = _RANK[worst.status] > _RANK[whole.status] and worst.status is not SlaStatus.UNKNOWN
        return worst if is_worse else whole
    known = [j for j in judged if j.status is not SlaStatus.UNKNOWN]
    return max(known or judged, key=badness)


def _overall(judged: list[Judged], whole: Judged | None) -> SlaStatus:
    statuses = [j.status for j in judged if j.status is not SlaStatus.UNKNOWN or j.coverage < MIN_COVERAGE]
    if whole is not None:
        statuses.append(whole.status)
    if not statuses:
        return SlaStatus.UNKNOWN
    return max(statuses, key=_RANK.__getitem__)


def _reason(
    org: OrgData, status: SlaStatus, deciding: Judged, judged: list[Judged], strangers: tuple[str, ...]
) -> str | None:
    if status is SlaStatus.UNKNOWN and deciding.status is not SlaStatus.UNKNOWN:
        silent = scope_names(org, [j.column for j in judged if j.coverage < MIN_COVERAGE and j.column is not None])
        return (
            f"the rest complies, but {', '.join(silent[:5])} no longer report{'s' if len(silent) == 1 else ''} enough"
        )
    if strangers:
        return f"no such repo: {', '.join(strangers)}"
    return deciding.reason


def _window_result(policy: AnyPolicy, found: Track, measured: Measurement, judged: Judged) -> WindowResult:
    between = interval_of(policy, found, measured, judged.column) if judged.value is not None else None
    return WindowResult(
        window=str(measured.window),
        start=measured.start,
        end=measured.end,
        value=judged.value,
        ci_low=None if between is None else between[0],
        ci_high=None if between is None else between[1],
        n=judged.n,
        coverage=judged.coverage,
        status=judged.status,
        is_partial=measured.is_partial,
        reason=judged.reason,
    )


def _inform(
    org: OrgData,
    policy: AnyPolicy,
    found: Track,
    window: Window,
    as_of: datetime,
    deciding: Judged,
    scope: np.ndarray[tuple[int], np.dtype[np.int64]],
) -> WindowResult:
    measured = measure(org, policy, found, window, as_of)
    return _window_result(policy, found, measured, _judge_scope(policy, measured, deciding.column, scope))


def _named(policy: AnyPolicy) -> dict[str, Any]:
    return {
        "sla_id": policy.sla_id,
        "sla_name": policy.sla_name,
        "sla_type": policy.sla_type,
        "kind": "ratio" if isinstance(policy, RatioPolicy) else "threshold",
        "objective": policy.objective,
        "unit": policy.unit,
        "higher_is_better": policy.higher_is_better,
        "priority": policy.priority,
        "metrics": policy.needs,
    }


def _unknown(policy: AnyPolicy, reason: str, repos: tuple[str, ...]) -> ComplianceResult:
    return ComplianceResult(
        **_named(policy),
        status=SlaStatus.UNKNOWN,
        value=None,
        scope=None,
        reason=reason,
        windows=(),
        error_budget=None,
        burn_rates=(),
        trend=Trend.UNKNOWN,
        breach_probability=None,
        days_until_breach=None,
        forecast_reason=reason,
        affected_repos=(),
        unknown_repos=repos,
        repo_results=(),
        judged_repos=0,
        exclusions=(),
    )
