"""Slow, obviously right twins of the fast statistics: loops over pairs, lags and rows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tars_lib.stats.pairs.significance import samples_left
from tars_lib.stats.series.gaps import DEPTH

if TYPE_CHECKING:
    from tars_lib.stats.series.prewhitening import Panel

Floats = NDArray[np.float64]


def expected_innovations(errors: Floats, phi: float) -> tuple[Floats, Floats]:
    """Expected innovations given the errors seen, and the projection onto what was seen.

    Each error is a combination of the innovations since the last sample seen, with weights of norm one; with A the rows of
    weights the expectation is A' errors, and A' A the projection. Weights more than `DEPTH` samples back are left out.
    """
    n, memory, last = len(errors), max(phi, 0.0), -1
    expected, projection = np.zeros(n), np.zeros((n, n))
    for t in range(n):
        if math.isnan(errors[t]):
            continue
        gap = 1 if last < 0 else t - last
        norm = math.sqrt(sum(memory ** (2 * step) for step in range(gap)))
        weights = np.zeros(n)
        for step in range(min(gap, DEPTH)):
            weights[t - step] = memory**step / norm
        expected += weights * errors[t]
        projection += np.outer(weights, weights)
        last = t
    return expected, projection


def overlap_product(panel: Panel, leader: int, follower: int, lag: int) -> tuple[float, float, float]:
    """Correlation, 1 / its variance, and pairs known, of leader[t - lag] with follower[t]."""
    n = len(panel.innovations)
    x, x_known = expected_innovations(panel.innovations[:, leader], float(panel.phi[leader]))
    y, y_known = expected_innovations(panel.innovations[:, follower], float(panel.phi[follower]))
    early, late = slice(0, n - lag), slice(lag, n)
    counts = float((x_known[early, early] * y_known[late, late]).sum())
    r = float(x[early] @ y[late]) / math.sqrt(float(x[early] @ x[early]) * float(y[late] @ y[late]))
    return r, float(np.trace(x_known[early, early]) * np.trace(y_known[late, late])) / counts, counts


def best_own_lag(panel: Panel, i: int, j: int, max_lag: int) -> tuple[int, int, int, float, float]:
    """leader, follower, lag, r^2 n and correlation of the innovations of columns i and j."""
    best = (i, j, 0, -1.0, 0.0)
    for lag in range(max_lag + 1):
        share = samples_left(panel.basis, lag) / (len(panel.basis) - lag)
        for leader, follower in ((i, j), (j, i)):
            r, full, counts = overlap_product(panel, leader, follower, lag)
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
