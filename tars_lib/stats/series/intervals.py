"""How certain are the mean and the median of a series whose samples resemble their neighbours? 95 % intervals.

References
----------
Bartlett (1946), On the theoretical specification and sampling properties of autocorrelated time-series,
https://doi.org/10.2307/2983611
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import scipy
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_CLIP = 2.5
"""Differences beyond so many robust standard deviations are steps of the level, not noise; judgement."""
_MIN_RHO = 12
"""Fewest samples for an autocorrelation; judgement."""


def mean_interval(seen: Floats) -> tuple[float, float]:
    """Student's interval of a mean; noise and its autocorrelation are read from clipped differences of neighbours.

    Differences do not see the level, so a shift within the window is not taken for noise. For an AR(1) with lag-1
    autocorrelation rho, neighbouring differences correlate with -(1 - rho) / 2 and have variance 2 (1 - rho) sigma^2.
    """
    mean, n = float(seen.mean()), seen.size
    steps = np.diff(seen)
    scale = 1.4826 * float(np.median(np.abs(steps))) or float(np.sqrt(np.mean(steps**2)))
    if scale == 0.0:
        return mean, mean
    steps = np.clip(steps, -_CLIP * scale, _CLIP * scale)
    power = float(steps @ steps)
    rho = 1.0 + 2.0 * float(steps[1:] @ steps[:-1]) / power if n >= _MIN_RHO else 0.0
    rho = min(max(rho, 0.0), 0.9)
    variance = power / steps.size / (2.0 * (1.0 - rho))
    independent = max(n * (1.0 - rho) / (1.0 + rho), 3.0)
    half = float(scipy.special.stdtrit(independent - 1.0, 0.975)) * float(np.sqrt(variance / independent))
    return mean - half, mean + half


def median_interval(seen: Floats) -> tuple[float, float]:
    """Order statistics that hold the median with 95 %; the extremes for fewer than six samples."""
    ordered = np.sort(seen)
    low = _median_rank(ordered.size)
    return float(ordered[low]), float(ordered[ordered.size - 1 - low])


@lru_cache(maxsize=256)
def _median_rank(n: int) -> int:
    """Largest rank r, from 0, for which the median lies below the r-th smallest with at most 2.5 %."""
    rank = 0
    while rank + 1 < n // 2 and scipy.special.bdtr(rank + 1, n, 0.5) <= 0.025:
        rank += 1
    return rank
