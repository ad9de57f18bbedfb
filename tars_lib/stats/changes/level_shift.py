"""When did the level of a series change?

Binary segmentation: the split with the largest difference of means, measured in standard errors that allow for
autocorrelation, is kept if it exceeds what the best of all splits reaches by chance; then each side is searched.

References
----------
Scott and Knott (1974), A cluster analysis method for grouping means in the analysis of variance,
https://doi.org/10.2307/2529204
Lund et al. (2007), Changepoint detection in periodic and autocorrelated time series, https://doi.org/10.1175/JCLI4291.1
(why the standard error has to allow for autocorrelation)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]

MIN_SEGMENT = 4
"""Fewest samples on either side of a change; judgement."""
ALPHA = 0.01
"""Chance of a change point in a series that has none; judgement, strict because many series are searched."""
_MAX_SHIFTS = 5


@dataclass(frozen=True, slots=True)
class Shift:
    """A change of level: the sample `index` is the first of the new level."""

    index: int
    before: float
    after: float
    p_value: float


def level_shifts(values: Floats, alpha: float = ALPHA) -> list[Shift]:
    """Change points of one series, in time order.

    Parameters
    ----------
    values : ndarray, shape (T,)
        Evenly spaced; NaN where missing (skipped).
    alpha : float
        Chance of naming a change in a series without one, over all splits.

    Returns
    -------
    list of Shift
        Levels are means of the segments on either side. Empty for a constant or short series.

    Examples
    --------
    >>> quiet = np.tile([1.0, -1.0, 0.5, -0.5], 5)
    >>> [shift.index for shift in level_shifts(np.concatenate([quiet, quiet + 30.0]))]
    [20]
    """
    where = np.flatnonzero(np.isfinite(values))
    y = values[where].astype(np.float64)
    cuts: dict[int, float] = {}
    pending = [(0, y.size)]
    while pending and len(cuts) < _MAX_SHIFTS:
        first, last = pending.pop(0)
        found = _best_split(y[first:last])
        if found is None or found[1] > alpha:
            continue
        cut = first + found[0]
        cuts[cut] = found[1]
        pending += [(first, cut), (cut, last)]
    bounds = [0, *sorted(cuts), y.size]
    return [
        Shift(int(where[cut]), float(y[before:cut].mean()), float(y[cut:after].mean()), cuts[cut])
        for before, cut, after in zip(bounds, bounds[1:], bounds[2:], strict=False)
    ]


def _best_split(y: Floats) -> tuple[int, float] | None:
    """Position of the largest shift and its p-value, None where the stretch is too short or constant."""
    n = y.size
    if n < 2 * MIN_SEGMENT:
        return None
    sums = np.cumsum(y)
    left = np.arange(MIN_SEGMENT, n - MIN_SEGMENT + 1)
    right = n - left
    gap = (sums[-1] - sums[left - 1]) / right - sums[left - 1] / left
    weight = left * right / n
    best = int(np.argmax(weight * gap**2))
    cut = int(left[best])
    residual = np.concatenate([y[:cut] - y[:cut].mean(), y[cut:] - y[cut:].mean()])
    power = float(residual @ residual)
    total = float(((y - y.mean()) ** 2).sum())
    if total <= 1e-20 * float(y @ y) or total == 0.0:
        return None
    if power <= 1e-12 * total:
        return cut, 0.0
    rho = float(residual[1:] @ residual[:-1]) / power
    # bias of the lag-1 autocorrelation, -(1 + 4 rho) / n (Kendall 1954)
    rho = min(max((rho * n + 1.0) / (n - 4.0), 0.0), 0.98)
    n_effective = n * (1.0 - rho) / (1.0 + rho)
    if n_effective <= 3.0:
        return None
    # in standard errors of n_effective independent samples, with the residual variance of that many
    error = np.sqrt(power / (n_effective - 2.0) / weight[best])
    p_one = 2.0 * float(special.stdtr(n_effective - 2.0, -abs(gap[best]) / error))
    return cut, min(1.0, p_one * left.size)
