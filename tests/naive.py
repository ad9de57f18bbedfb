"""Slow, obviously right twins of the fast statistics: loops over pairs, lags and rows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tars_lib.stats.significance import samples_left

if TYPE_CHECKING:
    from tars_lib.stats.whiten import Panel

Floats = NDArray[np.float64]


def overlap_product(leader: Floats, follower: Floats, lag: int) -> tuple[float, float, int]:
    """Zero-filled correlation, c_a c_b / c, and c, of leader[t - lag] with follower[t]."""
    n = len(leader)
    early = [leader[t - lag] for t in range(lag, n)]
    late = [follower[t] for t in range(lag, n)]
    seen_early = [x for x in early if not math.isnan(x)]
    seen_late = [x for x in late if not math.isnan(x)]
    both = [(x, y) for x, y in zip(early, late, strict=True) if not (math.isnan(x) or math.isnan(y))]
    norm = math.sqrt(sum(x * x for x in seen_early) * sum(y * y for y in seen_late))
    r = sum(x * y for x, y in both) / norm
    return r, len(seen_early) * len(seen_late) / len(both), len(both)


def best_own_lag(panel: Panel, i: int, j: int, max_lag: int) -> tuple[int, int, int, float, float]:
    """leader, follower, lag, r^2 n and correlation of the innovations of columns i and j."""
    best = (i, j, 0, -1.0, 0.0)
    for lag in range(max_lag + 1):
        share = samples_left(panel.basis, lag) / (len(panel.basis) - lag)
        for leader, follower in ((i, j), (j, i)):
            r, full, counts = overlap_product(panel.innovations[:, leader], panel.innovations[:, follower], lag)
            score = r * r * full * share
            if score > best[3]:
                best = (leader, follower, lag, score, r * math.sqrt(full / counts))
    return best


def step_up(p_values: list[float], tests: int, alpha: float) -> set[int]:
    """Benjamini-Hochberg as its authors wrote it: the largest k with p_(k) <= alpha k / m."""
    order = sorted(range(len(p_values)), key=lambda row: p_values[row])
    accepted = 0
    for rank, row in enumerate(order, start=1):
        if p_values[row] <= alpha * rank / tests:
            accepted = rank
    return set(order[:accepted])


def largest_product(x: Floats, y: Floats, lags: int) -> float:
    """The largest |sum x[t - lag] y[t]| over lags -lags..lags, in exact sums."""
    n = len(x)
    sums = [
        math.fsum(float(x[t - lag]) * float(y[t]) for t in range(n) if 0 <= t - lag < n)
        for lag in range(-lags, lags + 1)
    ]
    return max(abs(total) for total in sums)


def gain_over_past(leader: Floats, follower: Floats, basis: Floats, lag: int) -> float:
    """1 - RSS(leader) / RSS(own last value), calendar and trend fitted beside either over the rows of the lag."""
    rows = range(max(lag, 1), len(leader))
    late = np.array([follower[t] for t in rows])
    nuisance = np.array([basis[t] for t in rows])

    def unexplained(by: list[float]) -> float:
        design = np.column_stack([nuisance, by])
        left = late - design @ np.linalg.lstsq(design, late, rcond=None)[0]
        return math.fsum(float(value) ** 2 for value in left)

    return 1.0 - unexplained([leader[t - lag] for t in rows]) / unexplained([follower[t - 1] for t in rows])
