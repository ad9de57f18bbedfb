"""Rules of the user's own: which metrics are beyond their thresholds, for long enough?"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from tars_lib.engines.alerts.persistence import hold, sample_credit
from tars_lib.engines.alerts.raised import Raised
from tars_lib.engines.alerts.score_history import ScoreCourses
from tars_lib.engines.health.scores import SCORE
from tars_lib.model.clock import intervals
from tars_lib.model.history import Grid, from_micros
from tars_lib.model.names import AlertImpact, AlertRule, AlertType
from tars_lib.model.organisation import OrgData, duration_text
from tars_lib.model.samples import PART_ROWS
from tars_lib.text.quantities import value_text
from tars_lib.text.times import MINUTES

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MARGIN = 0.05
"""Share of the threshold by which a metric has to be back to clear a rule's alert; judgement."""
_COMPARE = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}
_MINUTE = 60_000_000


def firing(org: OrgData, courses: ScoreCourses) -> Iterator[Raised]:
    """Yield the alerts of the user's rules, one a rule and repo."""
    for rule in org.rules:
        for part in _parts(org, rule):
            derived = org.history.grid("error_rate", repos=part) if _is_derived(org, rule) else None
            for column in range(part.start, part.stop):
                repo = org.repos[column].repo
                if rule.repos and repo not in rule.repos:
                    continue
                times, values, step = _series(org, rule.metric, column, courses, derived, column - part.start)
                if times.size:
                    raised = _judge(org, rule, repo, times, values, step)
                    if raised is not None:
                        yield raised


def _parts(org: OrgData, rule: AlertRule) -> Iterator[slice]:
    """Services that are looked at together: a derived error rate of all would be as large as their history."""
    n, width = len(org.repos), len(org.repos)
    if _is_derived(org, rule):
        width = PART_ROWS * n // max(int(org.history.counts("requests_total").sum()), 1)
    for first in range(0, n, max(width, 1)):
        yield slice(first, min(first + max(width, 1), n))


def rule_warnings(org: OrgData) -> Iterable[str]:
    """Rules that can never fire: their metric is not reported, or their repos do not exist."""
    names = {repo.repo for repo in org.repos}
    for rule in org.rules:
        strangers = sorted(set(rule.repos) - names)
        if strangers:
            yield f"rule {rule.rule_id}: no such service: {', '.join(strangers[:5])}"
        if not org.history.has(rule.metric) and rule.metric != SCORE:
            yield f"rule {rule.rule_id}: no service reports {rule.metric}"


def _is_derived(org: OrgData, rule: AlertRule) -> bool:
    return rule.metric == "error_rate" and rule.metric not in org.history.metrics and org.history.has("error_rate")


def _series(
    org: OrgData, metric: str, column: int, courses: ScoreCourses, derived: Grid | None, derived_column: int
) -> tuple[Ints, Floats, int]:
    """Times, values and sampling interval; the score may be composed and the error rate derived, in `derived_column`."""
    repo = org.repos[column].repo
    if metric == "error_rate" and derived is not None:
        values = derived.values[:, derived_column]
        seen = np.isfinite(values)
        return derived.times[seen], values[seen], derived.interval
    if metric == SCORE and not org.history.counts(SCORE)[column]:
        course = courses.of(repo)
        step = int(np.median(np.diff(course.times))) if course.times.size > 1 else 0
        known = np.isfinite(course.level)
        return course.times[known], course.level[known], step
    times, values = org.history.series(metric, repo)
    return times, values, int(intervals(org.history, metric)[column])


def _judge(org: OrgData, rule: AlertRule, repo: str, times: Ints, values: Floats, step: int) -> Raised | None:
    beyond = np.asarray(_COMPARE[rule.comparison](values, rule.threshold))
    margin = MARGIN * abs(rule.threshold)
    is_upper = rule.comparison.startswith(">")
    clear = values <= rule.threshold - margin if is_upper else values >= rule.threshold + margin
    occurrence = hold(beyond, clear & ~beyond, sample_credit(times, step), rule.for_minutes * _MINUTE)
    if occurrence is None:
        return None
    unit = org.metric(rule.metric).unit
    first, last = from_micros(int(times[occurrence.first])), from_micros(int(times[occurrence.last]))
    value, limit = value_text(float(values[-1]), unit), value_text(rule.threshold, unit)
    length = "" if not rule.for_minutes else f" for {duration_text(timedelta(minutes=rule.for_minutes))}"
    message = f"{repo}: {rule.metric} is {value}, rule {rule.rule_id}: {rule.comparison} {limit}{length}"
    message += f"; since {first:{MINUTES}}"
    if occurrence.is_clearing:
        message += f"; not beyond it since {last:{MINUTES}}, but not clear of it either"
    return Raised(
        type=AlertType.HEALTH_DEGRADATION,
        source=f"rule:{rule.rule_id}",
        severity=rule.severity,
        title=rule.title or f"{repo}: {rule.metric} {rule.comparison} {limit}{length}",
        message=message + ".",
        repos=(repo,),
        root=repo,
        first_seen=first,
        last_seen=last,
        why=f"rule {rule.rule_id} of alerts.yaml says so",
        concern=AlertImpact.OTHER if org.metric(rule.metric).higher_is_better is None else AlertImpact.PERFORMANCE,
        metric=rule.metric,
        value=float(values[-1]),
        threshold=rule.threshold,
        unit=unit,
    )
