"""Is a series rising or falling, and by how much?

Least squares with the number of independent samples reduced for the autocorrelation of the residuals, so that slow noise is
not called a trend.

References
----------
Santer et al. (2000), Statistical significance of trends and trend differences in layer-average atmospheric temperature time
series, https://doi.org/10.1029/1999JD901105
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]

MIN_SAMPLES = 8
"""Fewest samples for a trend; judgement: below it the autocorrelation cannot be estimated."""


@dataclass(frozen=True, slots=True, eq=False)
class Trends:
    """Slopes of the columns of a matrix, shape (N,) each; NaN where there are too few samples.

    `slope`, `low` and `high` are per row; `p_value` is two-sided; `n_effective` is the number of independent samples.
    """

    slope: Floats
    low: Floats
    high: Floats
    p_value: Floats
    n_effective: Floats


def linear_trends(values: Floats, confidence: float = 0.95) -> Trends:
    """Slope of each column with its interval.

    Parameters
    ----------
    values : ndarray, shape (T, N)
        Rows evenly spaced in time, NaN where missing.
    confidence : float
        Coverage of the interval.

    Returns
    -------
    Trends
        NaN for columns with fewer than `MIN_SAMPLES` samples. A column that does not vary has slope 0 and p-value 1.

    Examples
    --------
    >>> rows = np.arange(10.0)[:, None]
    >>> float(linear_trends(2.0 * rows).slope[0])
    2.0
    """
    seen = np.isfinite(values)
    n = seen.sum(axis=0).astype(np.float64)
    time = np.where(seen, np.arange(values.shape[0], dtype=np.float64)[:, None], 0.0)
    y = np.where(seen, values, 0.0)
    enough = n >= MIN_SAMPLES
    with np.errstate(invalid="ignore", divide="ignore"):
        centred_time = np.where(seen, time - time.sum(axis=0) / n, 0.0)
        centred = np.where(seen, y - y.sum(axis=0) / n, 0.0)
        spread = (centred_time**2).sum(axis=0)
        slope = (centred_time * centred).sum(axis=0) / spread
        residual = np.where(seen, centred - slope * centred_time, 0.0)
        both = seen[1:] & seen[:-1]
        power = (residual**2).sum(axis=0)
        # Lag-1 autocorrelation over neighbours that both exist, corrected for its bias -(1 + 4 rho) / n (Kendall 1954)
        rho = (residual[1:] * residual[:-1] * both).sum(axis=0) / np.maximum(both.sum(axis=0), 1) / (power / n)
        rho = np.clip((rho * n + 1.0) / np.maximum(n - 4.0, 1.0), 0.0, 0.98)
        # one degree of freedom at least: below it Student's quantile is no number a reader could use
        n_effective = np.maximum(n * (1.0 - rho) / (1.0 + rho), 3.0)
        error = np.sqrt(power / (n_effective - 2.0) / spread)
        quantile = special.stdtrit(n_effective - 2.0, 0.5 + confidence / 2.0)
        p_value = 2.0 * special.stdtr(n_effective - 2.0, -np.abs(slope) / error)
    scale = np.sqrt((y**2).sum(axis=0))
    flat = enough & (power <= (1e-12 * scale) ** 2)
    moves = flat & (np.abs(slope) > 1e-12 * scale)
    p_value = np.where(flat, np.where(moves, 0.0, 1.0), p_value)
    error = np.where(flat, 0.0, error)
    quantile = np.where(flat, 0.0, quantile)
    void = ~enough
    half = quantile * error
    parts = (slope, slope - half, slope + half, p_value, n_effective)
    return Trends(*(np.where(void, np.nan, part) for part in parts))
