"""Why is an SLA breached? Builds the frames around the onset, asks for root causes and joins change events to them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from tars_lib.engines.call_graph import DeclaredCalls
from tars_lib.engines.root_causes.confidence import without_reservation
from tars_lib.engines.root_causes.ranking import RankedCause, rank
from tars_lib.engines.root_causes.recording import Table, recording_of
from tars_lib.engines.root_causes.unmeasured import may_stem_from_below
from tars_lib.engines.sla.onset import Stretch
from tars_lib.engines.sla.report import RootCause, UnmeasuredCause
from tars_lib.model.history import from_micros, to_micros
from tars_lib.model.metrics import is_time, percent_of
from tars_lib.model.names import CauseType, ContainmentType, Event
from tars_lib.model.organisation import OrgData, duration_text
from tars_lib.model.slo import AnyPolicy
from tars_lib.model.units import factor_between
from tars_lib.text.times import MINUTES

MAX_BASELINE = 2016
"""Samples of the past that are looked at: a week of 5-minute ones; judgement."""
LEAD_SAMPLES = 24
"""Samples before the onset that go into the incident frame as the reference just before it; judgement."""
MIN_PAST = 8
"""Fewer samples before the onset say too little of what is normal; judgement, as for a trend."""
MAX_CAUSES = 5
MIN_SHARE = 0.01
"""A candidate with less confidence and less contribution than one in a hundred is no cause worth a line; judgement."""
EVENT_SAMPLES = 3
"""A change is near an onset when it happened at most this many samples, and at least an hour, before it; judgement."""
EVENT_CHANCE = 0.2
"""A repo that changes so often that one in five stretches of that length holds a change: the change is evidence, not the
cause; judgement."""


@dataclass(frozen=True, slots=True)
class Attribution:
    """Causes of one breach, best first; `reason` says why there are none, `unmeasured` where it lies that none is seen."""

    causes: tuple[RootCause, ...]
    unexplained: float
    reason: str | None
    unmeasured: UnmeasuredCause | None = None


def attribute(org: OrgData, policy: AnyPolicy, target: str, stretch: Stretch | None, step: int) -> Attribution:
    """Return the root causes of a breach in one repo.

    Parameters
    ----------
    policy : AnyPolicy
        The breached SLA; its metric is what is explained.
    step : int
        Sampling interval in microseconds.
    """
    if stretch is None:
        return Attribution((), 1.0, "no single sample misses the objective, so there is no start to explain")
    calls = DeclaredCalls((repo.repo for repo in org.repos), org.dependencies) if org.dependencies else None
    metric = "requests_failed" if policy.counts else policy.subject
    table = _table(org, policy, _candidates(org, calls, target), step)
    slack = step // 2
    start = int(np.searchsorted(table.times, to_micros(stretch.start) - slack))
    stop = int(np.searchsorted(table.times, to_micros(stretch.end) + slack))
    reported = _reports(table, target, metric)
    past = np.flatnonzero(reported[:start])
    if past.size < MIN_PAST:
        before = f"before {stretch.start:{MINUTES}}"
        samples = f"{past.size} sample{'s' if past.size != 1 else ''}"
        what = f"with both {' and '.join(policy.counts)} of {target}" if policy.counts else f"of {target}"
        return Attribution((), 1.0, f"too little history {before} to compare with: {samples} {what}")
    if policy.counts and not reported[start:stop].any():
        lacking = " and ".join(
            name
            for name, needed in zip(policy.counts, ("requests_total", "requests_failed"), strict=True)
            if not _sees(table, target, needed)[start:stop].any()
        )
        since = f"since {stretch.start:{MINUTES}}"
        return Attribution(
            (), 1.0, f"{lacking} of {target} is missing {since}, so nothing can be compared with its past"
        )
    # a young repo gives half of its short past to either side
    lead = max(start - LEAD_SAMPLES, int(past[past.size - past.size // 2]))
    row = np.arange(len(table))
    # the past is what the target reported, however long ago
    baseline = table.rows(np.isin(row, past[past < lead][-MAX_BASELINE:]))
    directions = {name: d.higher_is_better for name, d in org.metrics.items() if d.higher_is_better is not None}
    if not policy.counts:
        # the policy says so even where org.yaml does not
        directions[policy.subject] = policy.higher_sample_is_better
    recording = recording_of(table.rows((row >= lead) & (row < stop)), baseline)
    ranking = rank(recording, (target, metric), calls, int(table.times[start]), directions, org.metric(metric).unit)
    unseen = ranking.unmeasured
    hidden = None if unseen is None else UnmeasuredCause(unseen.near, unseen.calls, unseen.contribution)
    if not ranking.causes:
        return Attribution((), 1.0, ranking.reason, hidden)
    began = stretch.start if ranking.onset is None else from_micros(ranking.onset)
    deviating = tuple(cause.repo for cause in ranking.causes if cause.contribution > 0.05)
    worth = [c for c in ranking.causes if c.contribution >= MIN_SHARE or c.confidence >= MIN_SHARE][:MAX_CAUSES]
    causes = tuple(_root_cause(org, cause, target, calls, deviating, began, step) for cause in worth)
    # a change of its own speaks for the repo that is named
    is_lifted = causes[0].confidence > ranking.causes[0].confidence
    return Attribution(causes, ranking.unexplained, None, None if is_lifted else hidden)


def _reports(table: Table, target: str, metric: str) -> NDArray[np.bool_]:
    """Return whether the target reports what is explained in each row, for failures with the total."""
    needed = ("requests_total", "requests_failed") if metric == "requests_failed" else (metric,)
    return np.asarray(np.all([_sees(table, target, name) for name in needed], axis=0))


def _sees(table: Table, target: str, metric: str) -> NDArray[np.bool_]:
    if (target, metric) not in table.labels:
        return np.zeros(len(table), dtype=np.bool_)
    return np.asarray(np.isfinite(table.values[:, table.labels.index((target, metric))]))


def _candidates(org: OrgData, calls: DeclaredCalls | None, target: str) -> Sequence[int]:
    if calls is None:
        return range(len(org.repos))
    reached = calls.distances(target)
    return [position for position, repo in enumerate(org.repos) if repo.repo in reached]


def _table(org: OrgData, policy: AnyPolicy, columns: Sequence[int], step: int) -> Table:
    """Return all metrics of the candidates: one without a direction can change in either."""
    names = {name: name for name in org.history.metrics}
    if not policy.counts:
        names[policy.subject] = policy.subject
    # whatever the SLA counts stands in for requests, so that its failures are what is explained
    names |= dict(zip(("requests_total", "requests_failed"), policy.counts, strict=False))
    target = None if policy.counts else org.metric(policy.subject).unit
    parts: list[np.ndarray[tuple[int, int], np.dtype[np.float64]]] = []
    labels: list[tuple[str, str]] = []
    times = None
    for name, source in names.items():
        grid = org.history.grid(source, step)
        if grid is None:
            continue
        values = grid.values[:, list(columns)]
        if policy.counts_good and name == "requests_failed":
            total = org.history.grid(policy.counts[0], step)
            values = total.values[:, list(columns)] - values if total is not None else values
        values = values * _scale(org, name, target)
        times = grid.times
        seen = np.asarray(np.isfinite(values).any(axis=0))
        parts.append(values[:, seen])
        labels += [
            (org.repos[column].repo, name) for column, there in zip(columns, seen.tolist(), strict=True) if there
        ]
    return Table(np.asarray(times, dtype=np.int64), tuple(labels), np.hstack(parts))


def _scale(org: OrgData, name: str, target: str | None) -> float:
    """Return the factor to the unit of comparison: shares of failures as ratios, latencies in the target's unit."""
    unit = org.metric(name).unit
    if name in ("availability", "error_rate"):
        return 1.0 / (percent_of(unit) or 1.0)
    if target is None or not name.startswith("latency") or not (is_time(unit) and is_time(target)):
        return 1.0
    return float(factor_between(unit, target) or 1)


def _root_cause(
    org: OrgData,
    ranked: RankedCause,
    target: str,
    calls: DeclaredCalls | None,
    deviating: tuple[str, ...],
    onset: datetime,
    step: int,
) -> RootCause:
    repo, metric, evidence, confidence = ranked.repo, ranked.metric, ranked.evidence, ranked.confidence
    sentence = f"{repo}: {evidence[0]}" if evidence else f"{repo}: {metric} deviates"
    kind = CauseType.REPO_DEGRADATION
    near = _change_before(org, repo, onset, step)
    if near is not None:
        event, chance = near
        line = _event_text(event, onset)
        if chance < EVENT_CHANCE:
            kind = CauseType.CHANGE_EVENT
            if repo == target and event.repo == repo and may_stem_from_below(calls, repo, metric):
                # a rare change of its own, just before: no need to look for somebody below it whom nobody measures
                confidence = without_reservation(confidence)
            sentence = f"{repo}: {line}; {evidence[0] if evidence else metric + ' deviates'}"
            evidence = (
                *evidence,
                f"{repo} rarely changes: {_how_often(chance)} of comparable windows include a change",
            )
        else:
            evidence = (
                *evidence,
                f"{line}, but {repo} changes often: {_how_often(chance)} of comparable windows include a change",
            )
    return RootCause(
        cause=sentence,
        cause_type=kind,
        repo=repo,
        metric=metric,
        confidence=confidence,
        contribution=ranked.contribution,
        evidence=evidence,
        change=None if near is None else f"{near[0].kind} '{near[0].title}'",
        containment_type=_containment(org, repo, target, calls, deviating),
    )


def _change_before(org: OrgData, repo: str, onset: datetime, step: int) -> tuple[Event, float] | None:
    """The last change of a repo near the onset, and how often a stretch of that length holds one (Poisson, from its rate)."""
    reach = timedelta(microseconds=max(EVENT_SAMPLES * step, 3_600_000_000))
    # a sample covers the time up to its own stamp or after it: one interval of slack on the late side
    latest = onset + timedelta(microseconds=step)
    changes = [event for event in org.changes() if event.repo in (repo, None)]
    near = [event for event in changes if onset - reach <= event.timestamp < latest]
    start = org.history.start
    if not near or start is None:
        return None
    past = [event for event in changes if event.timestamp < onset - reach]
    length = max((onset - from_micros(start)).total_seconds(), 1.0)
    rate = len(past) / length
    return near[-1], 1.0 - math.exp(-rate * (reach.total_seconds() + step / 1e6))


def _how_often(chance: float) -> str:
    return "under 1%" if chance < 0.01 else f"{100.0 * chance:.0f}%"


def _event_text(event: Event, onset: datetime) -> str:
    ref = f" ({event.ref})" if event.ref else ""
    if event.timestamp <= onset:
        gap = duration_text(onset - event.timestamp)
        when = "at the start" if event.timestamp == onset else f"{gap} before the start"
    else:
        when = f"within {duration_text(event.timestamp - onset)} of the first sample"
    return f"{event.kind} '{event.title}'{ref} at {event.timestamp:{MINUTES}}, {when}"


def _containment(
    org: OrgData, repo: str, target: str, calls: DeclaredCalls | None, deviating: tuple[str, ...]
) -> ContainmentType:
    """Row of the playbook's table: by who runs the cause, what it shares, and how far it has spread along the calls."""
    cause = org.repo(repo)
    if cause.external:
        return ContainmentType.EXTERNAL_DEPENDENCY
    others = [org.repo(name) for name in deviating if name not in (repo, target)]
    if any(set(cause.shares) & set(other.shares) for other in others):
        return ContainmentType.INFRASTRUCTURE_ISSUE
    if calls is not None and calls.distances(target).get(repo, 0) >= 2:
        return ContainmentType.CASCADING_FAILURE
    return ContainmentType.SINGLE_REPO_DEGRADATION
