"""How strongly does a series remember its last value, once calendar and trend were fitted and removed?

Fitting a trend and cycles to a series takes part of its memory away and biases the lag-1 autocorrelation downward,
the more the shorter the series. The expectation of that estimate is computed for a grid of AR(1) coefficients and
the very columns that were removed, and inverted.

References
----------
Kendall (1954), Note on bias in the estimation of autocorrelation, https://doi.org/10.1093/biomet/41.3-4.403
Andrews (1993), Exactly median-unbiased estimation of first order autoregressive/unit root models (the same idea
with medians), https://doi.org/10.2307/2951781
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_banded

Floats = NDArray[np.float64]

PHI_GRID = np.array(
    [-0.9, -0.6, -0.3, 0.0, 0.2, 0.4, 0.6, 0.7, 0.8, 0.85, 0.9, 0.94, 0.97, 0.985, 0.999], dtype=np.float64
)
"""Where the expectation is computed; finer where it bends."""


def lag_one(levels: Floats) -> Floats:
    """Lag-1 autocorrelation of each column, mean zero assumed, over the neighbouring rows that are both seen.

    Parameters
    ----------
    levels : ndarray, shape (T, N)
        NaN where missing.

    Returns
    -------
    ndarray, shape (N,)
        0 for a column without variance.
    """
    power = np.einsum("tn,tn->n", levels, levels)
    if not np.isnan(power).any():
        power *= max(len(levels) - 1, 1) / max(len(levels), 1)
        return np.asarray(np.einsum("tn,tn->n", levels[1:], levels[:-1]) / np.where(power > 0.0, power, np.inf))
    observed = ~np.isnan(levels)
    filled = np.where(observed, levels, 0.0)
    both = np.maximum((observed[1:] & observed[:-1]).sum(axis=0), 1)
    power = np.einsum("tn,tn->n", filled, filled) / np.maximum(observed.sum(axis=0), 1)
    return np.asarray(np.einsum("tn,tn->n", filled[1:], filled[:-1]) / both / np.where(power > 0.0, power, np.inf))


def unbiased_phi(raw: Floats, basis: Floats) -> Floats:
    """AR(1) coefficient whose expected lag-1 autocorrelation, after `basis` was removed, is `raw`.

    Parameters
    ----------
    raw : ndarray, shape (N,)
        From `lag_one`.
    basis : ndarray, shape (T, q)
        Orthonormal columns that were removed.

    Returns
    -------
    ndarray, shape (N,)
        Within [-0.9, 0.999].

    Examples
    --------
    >>> constant = np.full((50, 1), 50**-0.5)
    >>> unbiased_phi(np.array([-0.02, 0.8]), constant).round(2).tolist()
    [0.0, 0.85]
    """
    return phi_behind(raw, expected_lag_one(basis))


def phi_behind(raw: Floats, expected: Floats) -> Floats:
    """The same for many columns in parts, from `expected_lag_one`."""
    return np.asarray(np.interp(raw, expected, PHI_GRID))


def expected_lag_one(basis: Floats) -> Floats:
    """Expected lag-1 autocorrelation at every coefficient of `PHI_GRID` after `basis` was removed, made to rise.

    Parameters
    ----------
    basis : ndarray, shape (T, q)
        Orthonormal columns.

    Returns
    -------
    ndarray, shape (len(PHI_GRID),)
    """
    # series of one length and calendar share a basis, and the solves take longer than its digest
    digest = hashlib.sha256(basis.tobytes("A")).digest()
    known = _EXPECTED.get(key := (digest, basis.shape, basis.strides))
    if known is None:
        if len(_EXPECTED) >= _KEPT:
            _EXPECTED.clear()
        known = _EXPECTED[key] = _expected_lag_one(basis)
    return known.copy()


_EXPECTED: dict[tuple[bytes, tuple[int, ...], tuple[int, ...]], Floats] = {}
_KEPT = 256
"""Bases whose numbers a process keeps."""


def _expected_lag_one(basis: Floats) -> Floats:
    n = len(basis)
    expected = np.empty(len(PHI_GRID))
    for position, phi in enumerate(PHI_GRID):
        # the inverse covariance of an AR(1) is tridiagonal, so its covariance is applied by a banded solve
        bands = np.empty((3, n))
        bands[0], bands[2] = -phi, -phi
        bands[1] = 1.0 + phi * phi
        bands[1, 0] = bands[1, -1] = 1.0
        applied = solve_banded((1, 1), bands, basis)
        inner = basis @ (basis.T @ applied)
        level = 1.0 / (1.0 - phi * phi)
        power = n * level - 2.0 * (basis * applied).sum() + (inner * basis).sum()
        product = (n - 1) * level * phi + (inner[1:] * basis[:-1]).sum()
        product -= (basis[1:] * applied[:-1]).sum() + (basis[:-1] * applied[1:]).sum()
        expected[position] = product / power * n / (n - 1)
    return np.asarray(np.maximum.accumulate(expected))
