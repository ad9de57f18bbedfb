"""Is an SLA met? Measured over its own window; UNKNOWN where that cannot be known."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tars_lib.engines.sla.burn_rate import Burns, burn_rates
from tars_lib.engines.sla.forecast import Outlook, Outlooks, forecasts
from tars_lib.engines.sla.report import ComplianceResult, DaysUntilBreach, ErrorBudget, RepoResult, WindowResult
from tars_lib.engines.sla.sli import Known, Measurement, in_scope, measure, read_track, scope_names, shared
from tars_lib.engines.sla.window.missing import MAX_TOLD
from tars_lib.engines.sla.window.scopes import IDLE_TOLD, Judged, ScopeJudge
from tars_lib.engines.sla.window.traffic import collapse_texts, collapses
from tars_lib.model.names import SlaStatus, Trend
from tars_lib.model.organisation import OrgData
from tars_lib.model.slo import AnyPolicy, Track, Window
from tars_lib.text.quantities import days_text

Ints = NDArray[np.int64]

logger = logging.getLogger(__name__)

INFORMING = (Window(days=7), Window(days=30), Window(days=90))
"""Windows that are measured beside the SLA's own."""
_RANK = {SlaStatus.COMPLIANT: 0, SlaStatus.UNKNOWN: 1, SlaStatus.AT_RISK: 2, SlaStatus.BREACHED: 3}


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """An SLA's result with what the breach analysis needs further."""

    result: ComplianceResult
    policy: AnyPolicy
    track: Track | None
    measured: Measurement | None
    breached: tuple[Judged, ...]
    could_be_chance: bool = False


def judge(
    org: OrgData,
    policy: AnyPolicy,
    as_of: datetime,
    windows: tuple[Window, ...] = INFORMING,
    *,
    look_ahead: bool = True,
    known: Known | None = None,
) -> Verdict:
    """Judge one SLA as of a time.

    A ratio is judged over the organisation from summed counts and for each repo alone, a metric for each repo alone; the
    verdict is the worst. A repo that used to report and no longer does makes an otherwise compliant SLA UNKNOWN; one that
    merely has too few events does not. A scope that complies is at risk while a burn-rate pair fires in it or while its
    breach within the period is more likely than not; the latter is left out without `look_ahead`. What policies of the
    same samples share is in `known`; see `shared`.
    """
    track = read_track(org, policy, known)
    scope = np.flatnonzero(in_scope(org, policy, track))
    strangers = tuple(sorted(set(policy.repos) - {repo.repo for repo in org.repos}))
    if track is None or not scope.size:
        lacking = ", ".join(name for name in policy.needs if not org.history.has(name)) or ", ".join(policy.needs)
        reason = f"no service reports {lacking}" if not strangers else f"no such service: {', '.join(strangers)}"
        return Verdict(_unknown(policy, reason, scope_names(org, scope) + strangers), policy, track, None, ())
    measured = measure(org, policy, track, policy.window, as_of, known)
    own = ScopeJudge.of(org, policy, track, measured)
    judged = [own.judge(int(column), scope) for column in scope]
    whole = own.judge(None, scope) if policy.adds_up else None
    repos = len(org.repos)
    lost = collapses(org, policy, track, known) if look_ahead else {}
    burns = burn_rates(policy, track, repos, scope, as_of)
    outlooks = _outlooks(org, policy, track, scope, as_of, known) if look_ahead else None
    urgent = np.zeros(repos + 1, dtype=bool)
    if burns is not None:
        urgent |= burns.candidates()
    if outlooks is not None:
        urgent |= outlooks.likely()
    judged = [_look_ahead(org, policy, j, burns, outlooks) if urgent[j.column or 0] else j for j in judged]
    whole = _look_ahead(org, policy, whole, burns, outlooks) if whole is not None and urgent[-1] else whole
    deciding = _deciding(policy, judged, whole)
    ahead = _outlook(deciding, outlooks)
    status = _overall(judged, whole, strangers)
    informing = []
    for window in windows:
        if window != policy.window:
            beside = ScopeJudge.of(org, policy, track, measure(org, policy, track, window, as_of, known))
            informing.append(_window_result(beside, beside.judge(deciding.column, scope)))
    logger.debug("sla %s: %s, value %s, coverage %.3f", policy.sla_id, status, deciding.value, deciding.coverage)
    busy = scope[measured.idle[scope] < IDLE_TOLD]
    noted = ([whole] if whole is not None else []) + judged
    result = ComplianceResult(
        **_named(policy),
        status=status,
        value=deciding.value,
        scope=None if deciding.column is None else org.repos[deciding.column].repo,
        reason=_reason(status, deciding, judged, strangers),
        windows=(_window_result(own, deciding), *informing),
        error_budget=_budget(policy, deciding),
        burn_rates=() if burns is None else burns.rates(deciding.column),
        trend=ahead.trend,
        breach_probability=ahead.probability,
        days_until_breach=ahead.days,
        forecast_reason=ahead.reason,
        affected_repos=_repos_of(org, judged, SlaStatus.BREACHED),
        unknown_repos=_repos_of(org, judged, SlaStatus.UNKNOWN) + strangers,
        repo_results=tuple(
            RepoResult(
                None if j.column is None else org.repos[j.column].repo, j.status, j.value, j.n, j.coverage, j.reason
            )
            for j in noted
            if j.status is not SlaStatus.COMPLIANT
        ),
        judged_repos=len(judged),
        exclusions=measured.exclusions,
        value_low=deciding.low,
        value_high=deciding.high,
        certain=_is_certain(status, noted),
        missing=(*deciding.missing, *collapse_texts(org, policy, lost, busy, measured.start, measured.end)),
    )
    breached = tuple(j for j in noted if j.status is SlaStatus.BREACHED)
    # whether a service that just meets the objective may have shown the deciding value
    is_chance = deciding.status is SlaStatus.BREACHED and policy.could_be_chance(
        deciding.bad, deciding.n, own.interval(deciding)
    )
    return Verdict(result, policy, track, measured, breached, is_chance)


def _outlooks(
    org: OrgData, policy: AnyPolicy, track: Track, scope: Ints, as_of: datetime, known: Known | None
) -> Outlooks:
    """Outlooks of an SLA; those that differ from it in the objective alone are made with it, as they share most of the work."""

    def rest(other: AnyPolicy) -> tuple[object, ...]:
        return other.window, other.period_days, other.repos, other.unit

    alike = [policy]
    if known is not None and policy.same_samples is not None:
        same = (p for p in org.policies if p.same_samples == policy.same_samples and rest(p) == rest(policy))
        alike = list({p.objective: p for p in (*same, policy)}.values())
    made = shared(
        known, policy, ("outlook", *rest(policy)), lambda: forecasts(alike, track, len(org.repos), scope, as_of)
    )
    return made[policy.objective]


def _look_ahead(
    org: OrgData, policy: AnyPolicy, judged: Judged, burns: Burns | None, outlooks: Outlooks | None
) -> Judged:
    """Return the same verdict, or AT_RISK where a compliant scope burns its budget too fast or is about to breach."""
    if judged.status is not SlaStatus.COMPLIANT:
        return judged
    where = "the organisation" if judged.column is None else f"service {org.repos[judged.column].repo}"
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
    """Forecast the deciding scope: a breach is there already, and nothing is said of what is not known."""
    if outlooks is None:
        return Outlook(Trend.UNKNOWN, None, None, "no forecast was made")
    ahead = outlooks.of(deciding.column)
    if deciding.status is SlaStatus.BREACHED:
        return replace(ahead, probability=1.0, days=DaysUntilBreach(0.0, 0.0, 0.0), reason=None)
    if deciding.status is SlaStatus.UNKNOWN:
        return Outlook(ahead.trend, None, None, deciding.reason)
    return ahead


def _budget(policy: AnyPolicy, deciding: Judged) -> ErrorBudget | None:
    if not policy.is_share or deciding.value is None or deciding.status is SlaStatus.UNKNOWN:
        return None
    allowed, used = policy.allowed, policy.used(deciding.value)
    scale, unit = (float(deciding.n), "events") if policy.adds_up else (1.0, "ratio")
    share = policy.consumed_share(deciding.value)
    return ErrorBudget(allowed * scale, used * scale, (allowed - used) * scale, share, unit)


def _deciding(policy: AnyPolicy, judged: list[Judged], whole: Judged | None) -> Judged:
    """Return the scope whose value is shown: the organisation where it is as bad as the worst repo, else that repo."""

    def badness(j: Judged) -> tuple[int, float, int]:
        return (_RANK[j.status], -float("inf") if j.value is None else policy.beyond(j.value), -(j.column or 0))

    if whole is not None and (len(judged) > 1 or not judged):
        worst = max(judged, key=badness, default=whole)
        is_worse = _RANK[worst.status] > _RANK[whole.status] and worst.status is not SlaStatus.UNKNOWN
        return worst if is_worse else whole
    known = [j for j in judged if j.status is not SlaStatus.UNKNOWN]
    return max(known or judged, key=badness)


def _overall(judged: list[Judged], whole: Judged | None, strangers: tuple[str, ...]) -> SlaStatus:
    statuses = [j.status for j in judged if j.status is not SlaStatus.UNKNOWN or j.takes_part]
    if whole is not None:
        statuses.append(whole.status)
    if strangers:
        statuses.append(SlaStatus.UNKNOWN)
    return max(statuses, key=_RANK.__getitem__, default=SlaStatus.UNKNOWN)


def _is_certain(status: SlaStatus, noted: list[Judged]) -> bool:
    """Return whether every completion of what is missing gives the verdict: a certain breach, or none possible."""
    if status is SlaStatus.BREACHED:
        return any(j.is_certain for j in noted if j.status is SlaStatus.BREACHED)
    return status is not SlaStatus.UNKNOWN and all(j.is_certain for j in noted if j.takes_part)


def _repos_of(org: OrgData, judged: list[Judged], status: SlaStatus) -> tuple[str, ...]:
    return scope_names(org, [j.column for j in judged if j.status is status and j.column is not None])


def _reason(status: SlaStatus, deciding: Judged, judged: list[Judged], strangers: tuple[str, ...]) -> str | None:
    if status is not SlaStatus.UNKNOWN:
        return deciding.reason
    unnamed = [f"no such service: {', '.join(strangers)}"] if strangers else []
    if deciding.status is SlaStatus.UNKNOWN:
        return "; ".join([*unnamed, deciding.reason or "it cannot be judged"])
    unknown = [j.reason for j in judged if j.status is SlaStatus.UNKNOWN and j.takes_part and j.reason]
    more = [f"{len(unknown) - MAX_TOLD} more services are not known"] if len(unknown) > MAX_TOLD else []
    return f"the rest is compliant, but {'; '.join([*unnamed, *unknown[:MAX_TOLD], *more])}"


def _window_result(judge: ScopeJudge, judged: Judged) -> WindowResult:
    measured, between = judge.measured, judge.interval(judged)
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
        value_low=judged.low,
        value_high=judged.high,
        certain=judged.is_certain,
    )


def _named(policy: AnyPolicy) -> dict[str, Any]:
    return {
        "sla_id": policy.sla_id,
        "sla_name": policy.sla_name,
        "sla_type": policy.sla_type,
        "kind": policy.kind,
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
