"""How unlikely is a correlation of two unrelated series, given how many independent samples it really rests on?

The calendar and trend that were removed, the samples lost to the lag, and what is left of autocorrelation all reduce
the number of samples that count. The tail is Student's, exact for normal data, through the incomplete beta function.

References
----------
Bartlett (1935), Some aspects of the time-correlation problem, https://doi.org/10.2307/2342284
Bretherton et al. (1999), The effective number of spatial degrees of freedom of a time-varying field,
https://doi.org/10.1175/1520-0442(1999)012%3C1990:TENOSD%3E2.0.CO;2
Sidak (1967), Rectangular confidence regions for the means of multivariate normal distributions,
https://doi.org/10.1080/01621459.1967.10482935
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

Floats = NDArray[np.float64]


def samples_left(basis: Floats, lag: int) -> float:
    """Effective number of sample pairs at `lag` after `basis` was projected out of two white series.

    With P = I - QQ', the lagged sum of products of Px and Py has variance m - |Q1|^2 - |Q2|^2 + |Q1'Q2|^2, where Q1
    and Q2 are the rows of Q that overlap and m their number; the norms are m - |Q1|^2 and m - |Q2|^2.

    Parameters
    ----------
    basis : ndarray, shape (T, q)
        Orthonormal columns Q.
    lag : int
        0 <= lag < T.

    Examples
    --------
    >>> constant = np.full((25, 1), 0.2)
    >>> round(samples_left(constant, 0), 6)
    24.0
    """
    early, late = basis[: len(basis) - lag], basis[lag:]
    m = len(early)
    first, second = (early**2).sum(), (late**2).sum()
    variance = m - first - second + ((early.T @ late) ** 2).sum()
    return float((m - first) * (m - second) / variance) if variance > 0 else 0.0


def autocorrelation_factor(first: Floats, second: Floats) -> Floats:
    """Bartlett's variance inflation 1 + 2 sum_k rho_1(k) rho_2(k), at least 1.

    Parameters
    ----------
    first, second : ndarray, shape (K, ...)
        Autocorrelations at lags 1..K of the two series of each pair.

    Returns
    -------
    ndarray
        The effective sample size is the sample size divided by it.
    """
    return np.asarray(np.maximum(1.0, 1.0 + 2.0 * (first * second).sum(axis=0)))


def rhythm_factor(
    rhythm: Floats, leader: NDArray[np.int64], follower: NDArray[np.int64], lag: NDArray[np.int64]
) -> Floats:
    """Variance inflation of a pair whose noise swells and shrinks with the calendar together, at least 1.

    The product of two unrelated series has variance mean(v_i[t - lag] v_j[t]), not the product of the mean variances;
    quiet weekends in both leave fewer samples that count.

    Parameters
    ----------
    rhythm : ndarray, shape (P, N)
        Variance by phase, mean 1.
    leader, follower, lag : ndarray of int, shape (K,)

    Returns
    -------
    ndarray, shape (K,)

    Examples
    --------
    >>> weekend = np.array([[1.4], [1.4], [1.4], [1.4], [1.4], [0.0], [0.0]])
    >>> rhythm_factor(weekend, np.array([0, 0]), np.array([0, 0]), np.array([0, 3])).round(2).tolist()
    [1.4, 1.0]
    """
    period = len(rhythm)
    total = np.zeros(len(lag))
    if period > 1:
        for phase in range(period):
            total += rhythm[phase, leader] * rhythm[(phase + lag) % period, follower]
    return np.asarray(np.maximum(1.0, total / period))


def tail_probability(correlation: ArrayLike, n_effective: ArrayLike) -> Floats:
    """Two-sided probability of a correlation at least this large between unrelated series.

    Parameters
    ----------
    correlation : array_like
        Within [-1, 1].
    n_effective : array_like
        Effective samples; two degrees of freedom are spent on the means and the autoregressions. Below 3 the answer
        is 1.

    Examples
    --------
    >>> round(float(tail_probability(0.5, 18.0)), 4)
    0.0346
    """
    squared = np.square(np.asarray(correlation, dtype=np.float64))
    freedom = np.asarray(n_effective, dtype=np.float64) - 2.0
    tail = special.betainc(np.maximum(freedom, 1.0) / 2.0, 0.5, np.clip(1.0 - squared, 0.0, 1.0))
    return np.asarray(np.where(freedom >= 1.0, tail, 1.0))


def critical_correlation(p_value: float, n_effective: float) -> float:
    """The correlation whose `tail_probability` is `p_value`.

    Examples
    --------
    >>> round(critical_correlation(tail_probability(0.5, 18.0).item(), 18.0), 6)
    0.5
    """
    freedom = n_effective - 2.0
    if freedom < 1.0:
        return 1.0
    return float(np.sqrt(1.0 - special.betaincinv(freedom / 2.0, 0.5, p_value)))


def sidak(p_value: ArrayLike, tests: ArrayLike) -> Floats:
    """Probability that the smallest of `tests` independent p-values is at most `p_value`.

    Examples
    --------
    >>> round(float(sidak(0.01, 29)), 4)
    0.2528
    """
    inner = np.log1p(-np.minimum(np.asarray(p_value, dtype=np.float64), 1.0 - 1e-16))
    return np.asarray(-np.expm1(np.asarray(tests, dtype=np.float64) * inner))


def sidak_inverse(p_value: float, tests: int) -> float:
    """The single-test level at which the best of `tests` has level `p_value`.

    Examples
    --------
    >>> round(float(sidak(sidak_inverse(0.05, 29), 29)), 12)
    0.05
    """
    return float(-np.expm1(np.log1p(-p_value) / tests))
