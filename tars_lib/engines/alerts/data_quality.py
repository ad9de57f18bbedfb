"""Can the numbers be trusted? Repos that stopped reporting, counts that cannot be, values whose unit changed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from tars_lib.engines.alerts.raised import Raised
from tars_lib.engines.health.scores import COVERAGE_SAMPLES, MIN_COVERAGE, level
from tars_lib.model.clock import intervals
from tars_lib.model.history import DAY, from_micros, to_micros
from tars_lib.model.names import AlertImpact, AlertSeverity, AlertType, Repo
from tars_lib.model.organisation import OrgData, duration_text
from tars_lib.stats.counts import wilson_interval
from tars_lib.stats.series.robust import MAD_TO_SIGMA
from tars_lib.text.quantities import value_text
from tars_lib.text.times import MINUTES

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MIN_SAMPLES = 8
"""Fewest samples from which a rhythm of reporting, or a usual level, can be told; judgement."""
REGULAR_SHARE = 0.55
"""Share of distances between samples that are about the usual one, as the lower end of its 95 % interval, in a metric
that is sampled; judgement: of events at random times 35 % are, of samples of which a quarter is lost 75 %."""
MIN_LOST = 3
"""Fewest samples in a row that have to be missing; judgement: late delivery loses one or two."""
CHANCE = 0.01
"""Chance that any repo of the organisation is silent for so long by its usual rate of losses; judgement."""
IMPOSSIBLE_DAYS = 30
"""An impossible count is told of for as long as it distorts an SLA of the usual period (30 days)."""
UNIT_FACTORS = (100.0, 1000.0, 3600.0, 1e6)
"""Factors between units that are mistaken for each other: percent and ratio, milli- and whole, hours and seconds,
micro-."""
UNIT_TOLERANCE = math.log(1.25)
"""How far, as a logarithm, the change of level may be from such a factor; judgement."""
MAX_LOG_SPREAD = 0.35
"""Largest spread of the logarithm before the change; judgement: the smallest factor is then 13 standard deviations."""
RECENT_SAMPLES = 14
"""A change of unit is told of for this many samples, after which the new unit is the usual one; judgement."""


@dataclass(frozen=True, slots=True)
class _Silence:
    """One metric of one repo that no longer arrives, or only in part."""

    metric: str
    since: int
    is_silent: bool
    coverage: float


def doubts(org: OrgData, as_of: datetime) -> Iterator[Raised]:
    """Yield the alerts of type DATA_INTEGRITY."""
    yield from _silences(org, as_of)
    yield from _impossible_counts(org, as_of)
    yield from _changed_units(org)


def _silences(org: OrgData, as_of: datetime) -> Iterator[Raised]:
    """Yield the repos of which regularly sampled metrics stopped, or of which under half of the recent samples arrived.

    A metric has stopped when more samples in a row are missing than ever before, at least `MIN_LOST`, and so many that
    the usual rate of losses would do it in one organisation out of a hundred.
    """
    silences: dict[str, list[_Silence]] = {}
    usual = {metric: intervals(org.history, metric) for metric in org.history.metrics}
    end = to_micros(as_of)
    for metric, steps in usual.items():
        coverage = level(org.history, metric, as_of).coverage
        for column, repo in enumerate(org.repos):
            times, _ = org.history.series(metric, repo.repo)
            step = int(steps[column])
            is_late = times.size > 0 and end - int(times[-1]) >= MIN_LOST * step
            if not (is_late or coverage[column] < MIN_COVERAGE) or not _is_regular(times, step):
                continue
            silent = _has_stopped(times, step, end, len(org.repos))
            if silent or coverage[column] < MIN_COVERAGE:
                silence = _Silence(metric, int(times[-1]), silent, float(coverage[column]))
                silences.setdefault(repo.repo, []).append(silence)
    for repo in org.repos:
        if repo.repo in silences:
            yield _silence(repo, silences[repo.repo], _regular_metrics(org, repo.repo, usual), as_of)


def _regular_metrics(org: OrgData, repo: str, usual: Mapping[str, Ints]) -> int:
    """Return the number of metrics that a repo reports regularly."""
    column = org.history.repos.index(repo)
    return sum(_is_regular(org.history.series(metric, repo)[0], int(steps[column])) for metric, steps in usual.items())


def _is_regular(times: Ints, step: int) -> bool:
    if times.size < MIN_SAMPLES:
        return False
    gaps = np.diff(times)
    usual = np.count_nonzero((gaps >= step / 2) & (gaps <= 1.5 * step))
    return wilson_interval(float(usual), float(gaps.size))[0] >= REGULAR_SHARE


def _has_stopped(times: Ints, step: int, end: int, repos: int) -> bool:
    gaps = np.rint(np.diff(times) / step)
    lost = float(np.maximum(gaps - 1, 0).sum())
    rate = (lost + 1.0) / (lost + times.size + 2.0)
    by_chance = math.log(CHANCE / repos) / math.log(rate)
    missing = (end - int(times[-1])) // step
    return missing >= max(MIN_LOST, float(gaps.max()), by_chance)


def _silence(repo: Repo, silences: list[_Silence], regular: int, as_of: datetime) -> Raised:
    stopped = [silence for silence in silences if silence.is_silent]
    is_whole = len(stopped) == regular
    since = min(silence.since for silence in (stopped or silences))
    last = max(silence.since for silence in silences)
    names = ", ".join(silence.metric for silence in (stopped or silences)[:5])
    worst = min(silences, key=lambda s: (s.coverage, s.metric))
    if is_whole:
        age = duration_text(as_of - from_micros(last))
        title = f"{repo.repo}: stopped reporting"
        message = f"nothing from {repo.repo} for {age}; last sample {from_micros(last):{MINUTES}} ({names})"
    elif stopped:
        title = f"{repo.repo}: metrics stopped"
        message = f"{repo.repo} no longer reports {names}; last sample {from_micros(since):{MINUTES}}"
    else:
        title = f"{repo.repo}: samples are missing"
        message = f"{worst.coverage:.0%} of the last {COVERAGE_SAMPLES} samples of {worst.metric} arrived"
    return Raised(
        type=AlertType.DATA_INTEGRITY,
        source="silence",
        severity=AlertSeverity.HIGH if repo.customer_facing else AlertSeverity.MEDIUM,
        title=title,
        message=f"{message}; its state since then is unknown.",
        repos=(repo.repo,),
        root=repo.repo,
        first_seen=from_micros(since),
        last_seen=as_of,
        why="blind to a customer-facing service" if repo.customer_facing else "blind to an internal service",
        concern=AlertImpact.DATA_INTEGRITY,
        metric="coverage",
        value=worst.coverage,
        threshold=MIN_COVERAGE,
        unit="ratio",
    )


def _impossible_counts(org: OrgData, as_of: datetime) -> Iterator[Raised]:
    """More failed (or good) events than events, while such a sample is young enough to distort an SLA."""
    # requests_total and requests_failed never come so far: the gate refuses them
    pairs = {policy.counts for policy in org.policies if policy.counts}
    oldest = to_micros(as_of) - IMPOSSIBLE_DAYS * DAY
    for total, part in sorted(pairs):
        for repo in org.repos:
            times, events = _since(oldest, *org.history.series(total, repo.repo))
            part_times, counted = _since(oldest, *org.history.series(part, repo.repo))
            same, left, right = np.intersect1d(times, part_times, assume_unique=True, return_indices=True)
            wrong = counted[right] > events[left]
            if not wrong.any():
                continue
            at = np.flatnonzero(wrong)
            first, last = from_micros(int(same[at[0]])), from_micros(int(same[at[-1]]))
            value, limit = float(counted[right][at[-1]]), float(events[left][at[-1]])
            yield Raised(
                type=AlertType.DATA_INTEGRITY,
                source="counts",
                severity=AlertSeverity.HIGH,
                title=f"{repo.repo}: more {part} than {total}",
                message=(
                    f"{repo.repo}: {part} {value:.6g} of {total} {limit:.6g} at {last:{MINUTES}}, "
                    f"{at.size} such samples in {IMPOSSIBLE_DAYS} days; SLAs built on them are in doubt."
                ),
                repos=(repo.repo,),
                root=repo.repo,
                first_seen=first,
                last_seen=last,
                why="SLA verdicts rest on impossible counts",
                concern=AlertImpact.DATA_INTEGRITY,
                metric=part,
                value=value,
                threshold=limit,
                unit="count",
                key=total,
            )


def _since(oldest: int, times: Ints, values: Floats) -> tuple[Ints, Floats]:
    first = int(np.searchsorted(times, oldest, side="right"))
    return times[first:], values[first:]


def _changed_units(org: OrgData) -> Iterator[Raised]:
    """Yield the series that jump by just the factor between two units, stay there, and vary by as much in proportion as
    before.
    """
    for metric in org.history.metrics:
        unit = org.metric(metric).unit
        if unit == "count":
            continue  # a count has no other unit; failures that rise a hundredfold are an incident
        for repo in org.repos:
            times, values = org.history.series(metric, repo.repo)
            tail = values[-2 * RECENT_SAMPLES - MIN_SAMPLES :]
            cut = _unit_change(tail)
            if cut is None:
                continue
            at = from_micros(int(times[times.size - tail.size + cut]))
            before, after = float(np.median(tail[:cut])), float(np.median(tail[cut:]))
            yield Raised(
                type=AlertType.DATA_INTEGRITY,
                source="unit",
                severity=AlertSeverity.MEDIUM,
                title=f"{repo.repo}: {metric} changed its scale",
                message=(
                    f"{repo.repo}: {metric} went from {value_text(before, unit)} to {value_text(after, unit)} at "
                    f"{at:{MINUTES}}, a factor of {max(after / before, before / after):.4g}, and varies as "
                    "before in proportion: it looks like a change of unit, not of what is measured."
                ),
                repos=(repo.repo,),
                root=repo.repo,
                first_seen=at,
                last_seen=from_micros(int(times[-1])),
                why="a value that was reported in another unit makes verdicts wrong",
                concern=AlertImpact.DATA_INTEGRITY,
                metric=metric,
                value=after,
                threshold=before,
                unit=unit,
            )


def _unit_change(values: Floats) -> int | None:
    """Return the first sample in the new unit, None where the unit did not change lately.

    Examples
    --------
    >>> seconds = 0.2 + 0.01 * np.sin(np.arange(20.0))
    >>> _unit_change(np.concatenate([seconds, 1000.0 * seconds[:4]]))
    20
    """
    if values.size < MIN_SAMPLES + 2 or (values <= 0).any():
        return None
    logs = np.log(values)
    steps = np.diff(logs)
    cut = int(np.argmax(np.abs(steps))) + 1
    if abs(steps[cut - 1]) < math.log(UNIT_FACTORS[0]) - 2.0 * UNIT_TOLERANCE - MAX_LOG_SPREAD:
        return None
    after, before = logs[cut:], logs[:cut]
    if cut < MIN_SAMPLES or not 2 <= after.size <= RECENT_SAMPLES:
        return None
    spread = MAD_TO_SIGMA * float(np.median(np.abs(before - np.median(before))))
    if max(spread, float(np.abs(np.diff(before)).max()) / 3.0) > MAX_LOG_SPREAD:
        return None
    change = abs(float(np.median(after) - np.median(before)))
    nearest = min(abs(change - math.log(factor)) for factor in UNIT_FACTORS)
    if nearest > UNIT_TOLERANCE:
        return None
    return cut if float(np.abs(after - np.median(after)).max()) <= max(4.0 * spread, UNIT_TOLERANCE) else None
