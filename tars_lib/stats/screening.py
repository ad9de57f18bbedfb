"""Which of millions of pairs could possibly be significant? A float32 pass that loses none of them.

For every pair the largest weighted correlation over all lags is kept, and nothing else: blocks of columns are
multiplied lag by lag (one matrix product each), magnitude and lag number are packed into one integer, and a running
maximum is taken, so memory is a few blocks and never pairs x lags. A p-value is a bound on |r| for a given number of
samples, so none is computed for the pairs that stay below it. Missing values count as zero; the number of rows that
a pair shares, unknown here, is at least c_a + c_b - m, which bounds the weight from above by less than 1 % up to
10 % missing. What passes is measured again, exactly, by `tars_lib.stats.lag.measured_tests`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tars_lib.stats.lag import Overlap, overlap_of
from tars_lib.stats.significance import critical_correlation, sidak, sidak_inverse, tail_probability

if TYPE_CHECKING:
    from collections.abc import Callable

    from tars_lib.stats.whiten import Panel

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]
Ints = NDArray[np.int64]

BLOCK = 1024
"""Columns a block: large enough for the product to dominate, 4 MB a block of products; judgement, the timings that
were tried (256 to 1024) were taken on a loaded machine and do not decide it."""

MOST_MISSING = 0.3
"""Above this share of missing rows in any window the shared rows are counted, not bounded; judgement."""

ROUNDING = 1.0 + 2e-4
"""What float32 sums and the bits given to the lag number may take off a product, as a factor; judgement, tested."""


@dataclass(frozen=True)
class Candidates:
    """Pairs that may be significant.

    Attributes
    ----------
    first, second : ndarray of int, shape (K,)
        Columns, first < second.
    p_bound : ndarray, shape (K,)
        A lower bound of the pair's p-value.
    """

    first: Ints
    second: Ints
    p_bound: Floats


def screened_pairs(
    panel: Panel,
    max_lag: int,
    level: float,
    family: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> Candidates:
    """Every pair whose innovations statistic may have a p-value of at most `level`, and possibly others.

    Parameters
    ----------
    panel : Panel
        T x N.
    max_lag : int
        Lags -max_lag..max_lag.
    level : float
        Between 0 and 1, for the pair (already corrected for lags).
    family : int, optional
        Where given, only pairs are kept that Benjamini-Hochberg at `level` over so many tests could accept: if K pairs
        reach a level, no more than K are accepted, so none above level * K / family is, and so on until K stays.
    progress : callable, optional
        Called with the share of the work done, after each block.

    Returns
    -------
    Candidates
    """
    overlap = overlap_of(panel, max_lag)
    columns = np.flatnonzero(panel.usable)
    if overlap.lags < 0 or len(columns) < 2:
        none = np.zeros(0, dtype=np.int64)
        return Candidates(none, none, np.zeros(0))
    tests = 2 * overlap.lags + 1
    blocks = _Blocks(panel, overlap, columns)
    smallest, largest = blocks.weights
    single = sidak_inverse(level, tests)
    critical = min(critical_correlation(single, n) * np.sqrt(n) for n in (*smallest, *largest))
    floor = np.array([critical / ROUNDING], dtype=np.float32).view(np.int32)[0] & ~blocks.lag_bits
    first, second, packed = [], [], []
    starts = range(0, len(columns), BLOCK)
    total, done = len(starts) * (len(starts) + 1) // 2, 0
    for start in starts:
        blocks.lead(start)
        for other in range(start, len(columns), BLOCK):
            best = blocks.best(other)
            hits = np.flatnonzero(best.ravel() >= floor)
            row, column = np.divmod(hits, best.shape[1])
            if other == start:
                keep = row < column
                hits, row, column = hits[keep], row[keep], column[keep]
            first.append(columns[start + row])
            second.append(columns[other + column])
            packed.append(best.ravel()[hits])
            done += 1
            if progress is not None:
                progress(done / total)
    bits = np.concatenate(packed)
    extremes = float(smallest.min()), float(largest.max())
    rows = _acceptable(bits, blocks.lag_bits, level, family, extremes, tests)
    score = (bits[rows] & ~blocks.lag_bits).view(np.float32).astype(np.float64) * ROUNDING
    # for a given r^2 n the p-value rises, then falls with n: it is smallest at one of the ends
    single_bound = np.minimum(
        *(tail_probability(np.minimum(score / np.sqrt(samples), 1.0), samples) for samples in extremes)
    )
    p_bound = sidak(single_bound, tests)
    return Candidates(
        np.concatenate(first)[rows].astype(np.int64), np.concatenate(second)[rows].astype(np.int64), p_bound
    )


def _acceptable(
    bits: NDArray[np.int32],
    lag_bits: np.int32,
    level: float,
    family: int | None,
    extremes: tuple[float, float],
    tests: int,
) -> NDArray[np.intp]:
    """Rows that the step-up procedure could accept, found by comparing magnitudes alone."""
    rows = np.arange(len(bits))
    while family is not None and len(rows):
        reachable = sidak_inverse(min(level * len(rows) / family, level), tests)
        critical = min(critical_correlation(reachable, n) * np.sqrt(n) for n in extremes) / ROUNDING
        floor = np.array([critical], dtype=np.float32).view(np.int32)[0] & ~lag_bits
        left = rows[bits[rows] >= floor]
        if len(left) == len(rows):
            break
        rows = left
    return rows


class _Blocks:
    """Scaled float32 operands, products and the running maximum of one pair of blocks at a time."""

    def __init__(self, panel: Panel, overlap: Overlap, columns: NDArray[np.intp]) -> None:
        self._rows = np.ascontiguousarray(panel.innovations[:, columns].T, dtype=np.float32)
        missing = np.isnan(self._rows)
        self._rows[missing] = 0.0
        self._lags = overlap.lags
        n = self._rows.shape[1]
        self.lag_bits = np.int32((1 << max(1, (2 * self._lags + 1).bit_length())) - 1)
        self._size = np.array([n - lag for lag in range(self._lags + 1)], dtype=np.float64)
        self._head, head_share = _scale(overlap.head_norm, overlap.head_count, columns, self._size)
        self._tail, tail_share = _scale(overlap.tail_norm, overlap.tail_count, columns, self._size)
        most = max(float(head_share.max()), float(tail_share.max()))
        self._seen: Floats32 | None = None
        effective = self._size * overlap.share
        if most <= MOST_MISSING:
            self._head *= _slack(head_share, most)
            self._tail *= _slack(tail_share, most)
            self.weights = (1.0 - most) * effective, effective * (1.0 + most**2 / (1.0 - 2.0 * most))
        else:
            self._seen = (~missing).astype(np.float32)
            # the weight is c_a c_b share / c; what `effective` holds beyond `share` is taken out here
            self._head *= np.sqrt(overlap.head_count[:, columns] / self._size[:, None])
            self._tail *= np.sqrt(overlap.tail_count[:, columns])
            self.weights = (1.0 - most) * effective, effective * self._size
        self._head *= np.sqrt(effective)[:, None]
        self._start = 0
        self._lead_head: list[Floats32] = []
        self._lead_tail: list[Floats32] = []

    def lead(self, start: int) -> None:
        """Prepare the row block that begins at `start`."""
        self._start = start
        self._lead_head = [self._early(start, lag) for lag in range(self._lags + 1)]
        self._lead_tail = [self._late(start, lag) for lag in range(self._lags + 1)]

    def best(self, other: int) -> NDArray[np.int32]:
        """Packed maximum over signed lags for the row block against the block at `other`."""
        shape = len(self._lead_head[0]), min(BLOCK, len(self._rows) - other)
        best = np.zeros(shape, dtype=np.int32)
        product = np.empty(shape, dtype=np.float32)
        same = other == self._start
        for lag in range(self._lags + 1):
            late = self._lead_tail[lag] if same else self._late(other, lag)
            self._offer(best, product, self._lead_head[lag], late, lag, lag, other)
            if lag and not same:
                early = self._early(other, lag)
                self._offer(best, product, self._lead_tail[lag], early, -lag, self._lags + lag, other)
        if same:
            best = np.maximum(best, best.T)
        return best

    def _early(self, start: int, lag: int) -> Floats32:
        part = slice(start, start + BLOCK)
        scale = self._head[lag, part].astype(np.float32)
        return np.asarray(self._rows[part, : self._rows.shape[1] - lag] * scale[:, None])

    def _late(self, start: int, lag: int) -> Floats32:
        part = slice(start, start + BLOCK)
        return np.asarray(self._rows[part, lag:] * self._tail[lag, part].astype(np.float32)[:, None])

    def _offer(
        self,
        best: NDArray[np.int32],
        product: Floats32,
        rows: Floats32,
        others: Floats32,
        signed_lag: int,
        code: int,
        other: int,
    ) -> None:
        np.matmul(rows, others.T, out=product)
        if self._seen is not None:
            product /= self._shared_root(signed_lag, other, product.shape)
        bits = product.view(np.int32)
        np.bitwise_and(bits, np.int32(0x7FFFFFFF) & ~self.lag_bits, out=bits)
        np.bitwise_or(bits, np.int32(code), out=bits)
        np.maximum(best, bits, out=best)

    def _shared_root(self, signed_lag: int, other: int, shape: tuple[int, ...]) -> Floats32:
        """Root of the share of a window's rows in which both series of a pair are seen."""
        seen = self._seen
        if seen is None:
            return np.ones(shape, dtype=np.float32)
        lag, n = abs(signed_lag), seen.shape[1]
        mine, theirs = seen[self._start : self._start + shape[0]], seen[other : other + shape[1]]
        early, late = (mine[:, : n - lag], theirs[:, lag:])
        if signed_lag < 0:
            early, late = mine[:, lag:], theirs[:, : n - lag]
        return np.asarray(np.sqrt(np.maximum(early @ late.T, np.float32(1.0))))


def _scale(norm: Floats, count: Floats, columns: NDArray[np.intp], size: Floats) -> tuple[Floats, Floats]:
    norm = norm[:, columns]
    scale = np.divide(1.0, norm, out=np.zeros_like(norm), where=norm > 0.0)
    return scale, 1.0 - count[:, columns] / size[:, None]


def _slack(missing: Floats, most: float) -> Floats:
    """G with g(u)^2 g(v)^2 >= (1 - u)(1 - v) / (1 - u - v), the weight of a pair that shares as little as it can."""
    return np.asarray(np.sqrt(1.0 + missing**2 / (2.0 * (1.0 - 2.0 * most))))
