"""Slow, obviously right twins of the input and SLA arithmetic: plain loops over rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from statistics import fmean, median
from zoneinfo import ZoneInfo

from org_samples import Row

from tars_lib.model.slo import RatioPolicy, ThresholdPolicy


def window_rows(rows: Sequence[Row], days: int, zone: str, as_of: datetime) -> list[Row]:
    """Rows of the last `days` local calendar days up to and including `as_of`."""
    last = as_of.astimezone(ZoneInfo(zone)).date()
    wanted = {last - timedelta(days=back) for back in range(days)}
    return [row for row in rows if row[0] <= as_of and row[0].astimezone(ZoneInfo(zone)).date() in wanted]


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


def threshold_value(rows: Sequence[Row], policy: ThresholdPolicy, repo: str) -> float | None:
    """The aggregate of one repo."""
    values = [row[3] for row in sorted(rows) if row[1] == repo and row[2] == policy.metric]
    if not values:
        return None
    if policy.aggregate == "good_share":
        assert policy.threshold is not None
        good = [v >= policy.threshold if policy.threshold_is_floor else v <= policy.threshold for v in values]
        return sum(good) / len(good)
    worst = min if policy.higher_is_better else max
    return {"mean": fmean, "median": median, "max": worst, "last": lambda v: v[-1]}[policy.aggregate](values)


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
