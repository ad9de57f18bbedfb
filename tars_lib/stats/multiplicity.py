"""Which of many p-values may be called discoveries, and how many of those are expected to be false?

References
----------
Benjamini and Hochberg (1995), Controlling the false discovery rate, https://doi.org/10.1111/j.2517-6161.1995.tb02031.x
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def adjusted_p_values(p_values: Floats, tests: int) -> Floats:
    """Benjamini-Hochberg q-values of the smallest p-values of a family.

    Parameters
    ----------
    p_values : ndarray, shape (K,)
        At least every p-value of the family up to the level that will be used, in any order; the others are taken
        to be larger than all of these.
    tests : int
        Size of the family, at least K.

    Returns
    -------
    ndarray, shape (K,)
        The smallest false discovery rate at which each is still a discovery; at most 1.

    Examples
    --------
    >>> adjusted_p_values(np.array([0.01, 0.04, 0.03]), tests=4).round(4).tolist()
    [0.04, 0.0533, 0.0533]
    """
    order = np.argsort(p_values, kind="stable")
    ratio = p_values[order] * tests / np.arange(1, len(order) + 1)
    q_values = np.empty(len(order))
    q_values[order] = np.minimum(1.0, np.minimum.accumulate(ratio[::-1])[::-1])
    return q_values


def discoveries(p_values: Floats, rate: float = 0.05) -> NDArray[np.bool_]:
    """Say which of many tests are significant while at most `rate` of those named are expected to be false.

    Parameters
    ----------
    p_values : ndarray, shape (m,)
        NaN counts as not tested.
    rate : float
        False-discovery rate.

    Returns
    -------
    ndarray of bool, shape (m,)

    Examples
    --------
    >>> discoveries(np.array([0.001, 0.2, 0.03, np.nan])).tolist()
    [True, False, True, False]
    """
    tested = np.isfinite(p_values)
    named = np.zeros(p_values.shape, dtype=bool)
    named[tested] = adjusted_p_values(p_values[tested], int(tested.sum())) <= rate
    return named


def expected_false(p_values: Floats, tests: int) -> float:
    """Expected number of false ones among discoveries with these p-values, were every null hypothesis true.

    It is `tests` times the largest accepted p-value, and at most alpha times the number of discoveries under
    Benjamini-Hochberg at alpha.

    Examples
    --------
    >>> expected_false(np.array([0.0001, 0.0005]), tests=66)
    0.033
    """
    return float(tests * p_values.max()) if len(p_values) else 0.0
