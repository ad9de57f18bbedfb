"""Which SLAs and organisation SLOs are violated, which SLAs are about to be? The verdicts are those of the other
reports.

No hysteresis here: a verdict is measured over a whole window already, and two reports of one run must not contradict
each other. An UNKNOWN SLA raises nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from tars_lib.engines.alerts.raised import Raised
from tars_lib.engines.alerts.score_history import Floats, ScoreCourses
from tars_lib.engines.health.report import HealthReport, SloResult
from tars_lib.engines.health.scores import GREEN, MIN_COVERAGE
from tars_lib.engines.sla.report import Breach, ComplianceResult, SlaReport
from tars_lib.engines.sla.sli import in_scope, read_track
from tars_lib.engines.sla.verdict import judge
from tars_lib.model.history import DAY, History, from_micros, to_micros
from tars_lib.model.names import AlertImpact, AlertSeverity, AlertType, Repo, SlaStatus
from tars_lib.model.organisation import OrgData
from tars_lib.model.slo import RatioPolicy, Track, summed_by_time
from tars_lib.playbook.escalation import ALERT_SEVERITY
from tars_lib.text.counts import some_of
from tars_lib.text.quantities import value_text
from tars_lib.text.times import MINUTES

MAX_STEPS_BACK = 30
"""Samples by which the beginning of an at-risk verdict is searched back; judgement: a month of daily ones."""


def violations(org: OrgData, sla: SlaReport) -> Iterator[Raised]:
    """Yield the alerts for breached SLAs, as urgent as the policy says, and for SLAs at risk.

    At risk: HIGH where the SLA has priority 1 or a customer-facing repo is at risk, else MEDIUM. The playbook calls
    at-risk SLAs SEV-2, but what is left of the budget of a minor, internal SLA can wait for the next hour.
    """
    breaches = {breach.sla_id: breach for breach in sla.breaches}
    for result in sla.compliance_results:
        if result.status is SlaStatus.BREACHED and result.sla_id in breaches:
            yield _breached(breaches[result.sla_id], sla.as_of)
        elif result.status is SlaStatus.AT_RISK:
            yield _at_risk(org, result, sla.as_of)


def slo_violations(org: OrgData, health: HealthReport, courses: ScoreCourses) -> Iterator[Raised]:
    """Yield the alerts for violated organisation SLOs: MEDIUM, as their exit code is SEV-3 in the playbook's terms."""
    for slo in health.slo_results:
        if slo.status == "VIOLATED":
            yield _violated(org, slo, health, courses)


def _breached(breach: Breach, as_of: datetime) -> Raised:
    severity = ALERT_SEVERITY[breach.severity]
    why = f"severity_on_breach {breach.severity}"
    if breach.priority == 1 and severity is not AlertSeverity.CRITICAL:
        severity, why = AlertSeverity.CRITICAL, "the SLA has priority 1"
    value, objective = value_text(breach.value, breach.unit), value_text(breach.objective, breach.unit)
    clauses = [f"{breach.sla_name} is {value}, objective {objective}"]
    if breach.started_at is not None:
        clauses.append(f"since {'or before ' if breach.started_before else ''}{breach.started_at:{MINUTES}}")
    if breach.could_be_chance:
        clauses.append("could be chance: the interval includes the objective")
    if breach.root_causes:
        cause = breach.root_causes[0]
        clauses.append(f"most likely cause: {cause.repo} ({cause.confidence:.0%} confidence)")
    return Raised(
        type=AlertType.SLO_VIOLATION,
        source=f"sla:{breach.sla_id}",
        severity=severity,
        title=f"SLA {breach.sla_name} breached",
        message="; ".join(clauses) + ".",
        repos=breach.repos or (breach.target,),
        root=None,
        first_seen=breach.started_at,
        last_seen=as_of,
        why=why,
        metric=breach.target_metric,
        value=breach.value,
        threshold=breach.objective,
        unit=breach.unit,
    )


def _at_risk(org: OrgData, result: ComplianceResult, as_of: datetime) -> Raised:
    repos = tuple(r.repo for r in result.repo_results if r.repo is not None and r.status is SlaStatus.AT_RISK)
    scope = repos or ((result.scope,) if result.scope is not None else _scope(org, result))
    facing = any(repo.customer_facing for repo in org.repos if repo.repo in scope)
    is_high = result.priority == 1 or facing
    since, is_older = _at_risk_since(org, result, as_of)
    value, objective = value_text(result.value, result.unit), value_text(result.objective, result.unit)
    when = f"since {'or before ' if is_older else ''}{since:{MINUTES}}"
    return Raised(
        type=AlertType.SLO_VIOLATION,
        source=f"sla:{result.sla_id}",
        severity=AlertSeverity.HIGH if is_high else AlertSeverity.MEDIUM,
        title=f"SLA {result.sla_name} at risk",
        message=f"{result.sla_name} is {value}, objective {objective}; {result.reason or 'close to it'}; {when}.",
        repos=scope,
        root=None,
        first_seen=since,
        last_seen=as_of,
        why="at risk, "
        + ("priority 1" if result.priority == 1 else "customer facing" if facing else "not yet breached"),
        metric=result.metrics[-1],
        value=result.value,
        threshold=result.objective,
        unit=result.unit,
    )


def _scope(org: OrgData, result: ComplianceResult) -> tuple[str, ...]:
    """Return the repos of an SLA that the organisation as a whole puts at risk: those that report its metrics."""
    policy = next(policy for policy in org.policies if policy.sla_id == result.sla_id)
    if policy.repos:
        return tuple(repo.repo for repo in org.repos if repo.repo in policy.repos)
    counts = np.min([org.history.counts(metric) for metric in policy.needs], axis=0)
    return tuple(repo.repo for repo, n in zip(org.repos, counts, strict=True) if n > 0)


def _at_risk_since(org: OrgData, result: ComplianceResult, as_of: datetime) -> tuple[datetime, bool]:
    """Return the first sample since which the deciding scope has been at risk or in breach; whether it may be older."""
    policy = next(policy for policy in org.policies if policy.sla_id == result.sla_id)
    step = org.history.interval(policy.needs[0])
    if result.scope is not None:
        part = replace(org, repos=(org.repo(result.scope),), history=org.history.over((result.scope,)))
        policy = replace(policy, repos=())
    elif isinstance(policy, RatioPolicy):
        part, policy = _summed(org, policy)
    else:
        return as_of, False
    since = as_of
    for back in range(1, MAX_STEPS_BACK + 1):
        micros = to_micros(as_of) - back * (step or DAY)
        if part.history.start is None or micros < part.history.start:
            return since, False
        then = from_micros(micros)
        verdict = judge(replace(part, history=part.history.until(micros)), policy, then, (), look_ahead=False)
        if verdict.result.status not in (SlaStatus.AT_RISK, SlaStatus.BREACHED):
            return since, False
        since = then
    return since, True


def _summed(org: OrgData, policy: RatioPolicy) -> tuple[OrgData, RatioPolicy]:
    """Return the organisation as one repo with the counts of all that the SLA judges, without maintenance: quick to judge."""
    track = read_track(org, policy)
    if track is None or track.total is None:
        raise ValueError(f"{policy.sla_id}: a verdict needs counts")
    scope = in_scope(org, policy, track)
    times, bad, total = summed_by_time(_told(part, scope) for _, part in track.parts())
    history = History(
        ("all",),
        ("bad", "total"),
        np.concatenate([times, times]),
        np.concatenate([bad, total]),
        np.array([0, times.size, 2 * times.size]),
    )
    whole = OrgData(name=org.name, repos=(Repo("all", "all"),), history=history)
    return whole, replace(policy, total="total", part="bad", part_is_good=False, repos=())


def _told(track: Track, scope: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Time, bad events and events of the samples of a scope that no maintenance excuses."""
    inside = scope[track.column] & ~track.says_nothing
    return track.time[inside], track.value[inside], track.value[:0] if track.total is None else track.total[inside]


def _violated(org: OrgData, slo: SloResult, health: HealthReport, courses: ScoreCourses) -> Raised:
    repos = _responsible(slo, health)
    unit = "score" if slo.measure.endswith("score") else "ratio"
    value, objective = value_text(slo.value, unit), value_text(slo.objective, unit)
    since = _slo_since(org, slo, health, courses)
    message = f"{slo.name}: {slo.measure} is {value}, objective {objective}"
    if since is not None:
        message += f", since {since:{MINUTES}}"
    return Raised(
        type=AlertType.SLO_VIOLATION,
        source=f"slo:{slo.slo_id}",
        severity=AlertSeverity.MEDIUM,
        title=f"Organisation SLO {slo.name} violated",
        message=f"{message}; below it: {some_of(repos) or 'no single repo'}.",
        repos=repos,
        root=None,
        first_seen=since,
        last_seen=health.as_of,
        why="an organisation SLO is violated",
        concern=AlertImpact.DATA_INTEGRITY if slo.measure == "coverage" else AlertImpact.PERFORMANCE,
        metric=slo.measure,
        value=slo.value,
        threshold=slo.objective,
        unit=unit,
    )


def _responsible(slo: SloResult, health: HealthReport) -> tuple[str, ...]:
    reports = health.repository_reports
    if slo.measure == "coverage":
        return tuple(report.repo for report in reports if report.coverage < slo.objective)
    bound = GREEN if slo.measure == "share_green" else slo.objective
    return tuple(report.repo for report in reports if report.score is not None and report.score < bound)


def _slo_since(org: OrgData, slo: SloResult, health: HealthReport, courses: ScoreCourses) -> datetime | None:
    """First time of the stretch without interruption in which the measure was below the objective; None for coverage.

    Each repo counts with its last known score, from its first one on.
    """
    known = {r.repo for r in health.repository_reports if r.score is not None}
    if slo.measure == "coverage" or not known:
        return None
    own = [courses.of(repo.repo) for repo in org.repos if repo.repo in known]
    times = np.unique(np.concatenate([course.times for course in own]))
    columns = []
    for course in own:
        at = np.searchsorted(course.times, times, side="right") - 1
        columns.append(np.where(at >= 0, course.level[np.maximum(at, 0)], np.nan))
    measured = _measure(slo.measure, np.stack(columns, axis=1))
    met = np.flatnonzero(~(measured[:-1] < slo.objective))
    return from_micros(int(times[int(met[-1]) + 1 if met.size else 0]))


def _measure(measure: str, levels: Floats) -> Floats:
    seen = np.isfinite(levels)
    count = seen.sum(axis=1)
    enough = count >= MIN_COVERAGE * levels.shape[1]
    if measure == "minimum_score":
        value = np.where(seen, levels, np.inf).min(axis=1)
    else:
        counted = levels if measure == "aggregate_score" else (levels >= GREEN).astype(np.float64)
        value = np.where(seen, counted, 0.0).sum(axis=1) / np.maximum(count, 1)
    return np.where(enough, value, np.nan)
