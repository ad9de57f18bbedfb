"""The largest lagged product of every pair of rows, one matrix product a lag.

For few lags or short series nothing is cheaper. `tars_lib.stats.pairs.spectral` answers the same question for many lags.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats32 = NDArray[np.float32]

TILE = 512
"""Rows of a tile: the product dominates, and 1 MB of results stays in the cache; judgement."""

RESULT = 30.0
"""What it costs to write, compare and keep one result, in multiply-add pairs of a long product. Fitted on one core, where
such a pair took 0.026 ns; `benchmarks/pairs.py --calibrate` prints measured beside modelled times."""

UNIT_ROUNDOFF = 2.0**-24
"""Of float32."""


def cost(samples: int, lags: int) -> float:
    """Multiply-add pairs for one pair of rows, all signed lags."""
    return (2 * lags + 1) * (samples + RESULT)


def accumulated_rounding(terms: int) -> float:
    """Largest relative rounding error of a float32 sum of so many products, in any order of summation.

    Higham (2002), Accuracy and Stability of Numerical Algorithms, section 3.1: gamma_n = n u / (1 - n u),
    https://doi.org/10.1137/1.9780898718027

    Examples
    --------
    >>> bool(0.9e-5 < accumulated_rounding(160) < 1.0e-5)
    True
    """
    share = terms * UNIT_ROUNDOFF
    return share / (1.0 - share)


class Stream:
    """Tiles of max over signed lags of |sum_t x[t - lag] y[t]|.

    Parameters
    ----------
    rows : ndarray of float32, shape (N, T)
    lags : int
        Lags -lags..lags, less than T.
    seen : ndarray of float32, shape (N, T), optional
        1 where a value was observed. Where given, each product is divided by the root of the number of samples that
        both rows share at that lag.

    Attributes
    ----------
    tile : int
        Rows of a tile.
    rounding : float
        Bound on the error of a product of two rows of norm one.
    """

    def __init__(self, rows: Floats32, lags: int, seen: Floats32 | None = None) -> None:
        self._rows, self._lags, self._seen = rows, lags, seen
        self.tile = TILE
        self.rounding = accumulated_rounding(rows.shape[1] + 8)

    def largest(self, start: int, other: int) -> Floats32:
        """The tile of the rows from `start` on against those from `other` on."""
        mine, theirs = self._rows[start : start + self.tile], self._rows[other : other + self.tile]
        n = mine.shape[1]
        best = self._product((start, mine), (other, theirs), 0, 0)
        if not self._lags:
            return best
        product = np.empty_like(best)
        for lag in range(1, self._lags + 1):
            self._product((start, mine[:, : n - lag]), (other, theirs[:, lag:]), lag, 0, product)
            np.maximum(best, product, out=best)
            if start != other:
                self._product((start, mine[:, lag:]), (other, theirs[:, : n - lag]), 0, lag, product)
                np.maximum(best, product, out=best)
        return np.maximum(best, best.T) if start == other else best

    def _product(
        self,
        one: tuple[int, Floats32],
        two: tuple[int, Floats32],
        later: int,
        earlier: int,
        out: Floats32 | None = None,
    ) -> Floats32:
        product: Floats32 = np.matmul(one[1], two[1].T, out=out)
        np.abs(product, out=product)
        if self._seen is not None:
            n = one[1].shape[1]
            first = self._seen[one[0] : one[0] + self.tile, earlier : earlier + n]
            second = self._seen[two[0] : two[0] + self.tile, later : later + n]
            product /= np.sqrt(np.maximum(first @ second.T, np.float32(1.0)))
        return product
