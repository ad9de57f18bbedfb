"""Slow, obviously right twins of the input and SLA arithmetic: plain loops over rows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from statistics import median
from zoneinfo import ZoneInfo

from org_samples import Row

from tars_lib.model.slo import RatioPolicy, ThresholdPolicy


def window_rows(rows: Sequence[Row], days: int, zone: str, as_of: datetime) -> list[Row]:
    """Rows after the same local time `days` before, up to and including `as_of`."""
    local = as_of.astimezone(ZoneInfo(zone))
    start = (local - timedelta(days=days)).astimezone(UTC)
    return [row for row in rows if start < row[0] <= as_of]


def ratio_value(rows: Sequence[Row], policy: RatioPolicy, repo: str | None) -> tuple[float | None, float]:
    """Share of good events, and how many there were, over times that have both counts."""
    found: dict[tuple[str, datetime], dict[str, float]] = {}
    for time, name, metric, value in rows:
        if repo in (None, name):
            found.setdefault((name, time), {})[metric] = value
    good = events = 0.0
    for both in found.values():
        if policy.total in both and policy.part in both:
            total = both[policy.total]
            part = both[policy.part]
            if part > total:
                continue  # impossible, so left out
            events += total
            good += part if policy.part_is_good else total - part
    return (good / events if events else None), events


def threshold_value(
    rows: Sequence[Row], policy: ThresholdPolicy, repo: str, stands: Mapping[datetime, float]
) -> float | None:
    """The aggregate of one repo, whose samples stand for so long."""
    mine = [row for row in sorted(rows) if row[1] == repo and row[2] == policy.metric]
    values = [row[3] for row in mine]
    if not values:
        return None
    if policy.aggregate == "good_share":
        assert policy.threshold is not None
        good = [v >= policy.threshold if policy.threshold_is_floor else v <= policy.threshold for v in values]
        return sum(good) / len(good)
    if policy.aggregate == "mean":
        return sum(stands[row[0]] * row[3] for row in mine) / sum(stands[row[0]] for row in mine)
    worst = min if policy.higher_is_better else max
    return {"median": median, "max": worst, "last": lambda v: v[-1]}[policy.aggregate](values)


def wilson_by_search(good: float, events: float, z: float = 1.959963984540054) -> tuple[float, float]:
    """Shares that lie exactly z standard errors from what was observed, found by bisection."""
    share = good / events

    def outside(p: float) -> bool:
        return abs(share - p) > z * math.sqrt(p * (1.0 - p) / events)

    def bisect(outer: float, inner: float) -> float:
        if not outside(outer):
            return outer
        for _ in range(200):
            middle = (outer + inner) / 2.0
            outer, inner = (middle, inner) if outside(middle) else (outer, middle)
        return inner

    return bisect(0.0, share), bisect(1.0, share)


def best_run(values: Sequence[float]) -> float:
    """Largest sum of any contiguous run."""
    return max(sum(values[first : last + 1]) for first in range(len(values)) for last in range(first, len(values)))
