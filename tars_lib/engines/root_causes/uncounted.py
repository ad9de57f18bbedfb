"""How much of a callee is felt in a request of its caller where nobody counts requests?

Harm does not add up then: a call that is made for one request in a hundred may be a hundred times as slow as its caller. Two
things tell how rare a call is. A repo without a value in a sample had no request in it, so that the share of such samples
gives its rate; and what the caller's level owes to the callee's shows in how the two varied together in the past. What a caller
sees of a service beside it is no call of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tars_lib.engines.root_causes.series import travels
from tars_lib.stats.series.robust import Floats, column_median

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

BENEFIT = 1.0
"""Standard errors that are added to an estimate: that a past shows nothing of a call does not say that there is none.
Between a half and two no incident of 26 moves; at 0 many of the simulated ones are lost."""

FEWEST_SAMPLES = 10
"""Samples of the caller below which nothing is estimated; judgement."""


def felt(base: Floats, metric: str, caller: int, callees: Sequence[int]) -> Floats:
    """Felt excess of a caller for each unit of its callees' excess, at most what the past allows.

    Least squares over the past, drawn towards one call a request, or towards the ratio of the rates where gaps tell that a
    callee is called less often; at least 0, plus `BENEFIT` standard errors.

    Parameters
    ----------
    base : ndarray, shape (T, R)
        The past, NaN where missing.
    metric : str
        Gaps are read as "no request" for a metric that travels along calls.
    caller : int
    callees : sequence of K int

    Returns
    -------
    ndarray, shape (K,)

    Examples
    --------
    >>> import numpy as np
    >>> a, b = np.random.default_rng(0).standard_normal((2, 500))
    >>> felt(np.column_stack([0.5 * a + 2.0 * b, a, b]), "latency", 0, [1, 2]).round(1).tolist()
    [0.6, 2.1]
    """
    usual = _calls_by_gaps(base, caller, callees) if travels(metric) else np.ones(len(callees))
    known = np.isfinite(base[:, caller])
    level = base[known, caller]
    if len(level) < FEWEST_SAMPLES or np.ptp(level) == 0.0:
        return usual * (1.0 + BENEFIT)
    unit = float(level.std())
    below = base[known][:, list(callees)]
    # a sample without a call adds nothing to what its caller took
    varied = np.nan_to_num(below - column_median(below)) / unit
    # the prior of each weight has its mean as standard deviation: one row that asks for it
    rows = np.concatenate([varied, np.diag(1.0 / usual)])
    wanted = np.concatenate([(level - np.median(level)) / unit, np.ones(len(callees))])
    error = np.sqrt(np.diag(np.linalg.inv(rows.T @ rows)))
    weights: Floats = _least_squares(rows, wanted) + BENEFIT * error
    return weights


def views(
    callees: Sequence[Sequence[int]], deviates: NDArray[np.bool_], level: Floats, onset: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Which repos look like what one caller sees of a service beside them; shape (R,).

    Such a view calls nobody and is called by one repo, and it deviates with a service that this calls too, at most one sample
    apart. Who waits for an answer waits as long as it takes: a view that is better than the service is none.

    Parameters
    ----------
    callees : sequence of R sequences of positions
    deviates : ndarray of bool, shape (R,)
    level : ndarray, shape (R,)
        During the incident, harm upwards.
    onset : ndarray, shape (R,)
        Samples.

    Examples
    --------
    >>> import numpy as np
    >>> views([[1, 2], [], [3], []], np.ones(4, dtype=bool), np.array([0.5, 0.4, 0.3, 0.1]), np.zeros(4)).tolist()
    [False, True, False, False]
    """
    called_by = np.zeros(len(callees), dtype=np.int64)
    for direct in callees:
        called_by[list(direct)] += 1
    hangs = (called_by == 1) & np.array([not direct for direct in callees])
    result = np.zeros(len(callees), dtype=np.bool_)
    for direct in callees:
        services = [j for j in direct if deviates[j] and not hangs[j]]
        for view in direct:
            if hangs[view] and deviates[view]:
                result[view] = any(level[view] >= level[j] and abs(onset[j] - onset[view]) <= 1 for j in services)
    return result


def _calls_by_gaps(base: Floats, caller: int, callees: Sequence[int]) -> Floats:
    """Calls for each request of the caller, at most 1: the ratio of the rates at which samples with a value come."""
    there = np.isfinite(base).sum(axis=0)
    # at most one sample in n + 2 without a request is assumed where there is none, at least one with a request where all are
    share = (there + 1.0) / (len(base) + 2.0)
    rate = -np.log1p(-share)
    calls: Floats = np.minimum(1.0, rate[list(callees)] / rate[caller])
    return calls


def _least_squares(rows: Floats, wanted: Floats) -> Floats:
    """Weights of at least 0; while one would be negative, the most negative is left out."""
    result = np.zeros(rows.shape[1])
    left = list(range(rows.shape[1]))
    while left:
        found = np.asarray(np.linalg.lstsq(rows[:, left], wanted, rcond=None)[0], dtype=np.float64)
        if found.min() >= 0.0:
            result[left] = found
            break
        left.pop(int(found.argmin()))
    return result
