"""The largest lagged product of every pair of rows, by Fourier transforms of short segments.

The sum over time of x[t] y[t + k] is cut into segments of S samples: x over a segment, y over the same samples and L more
on either side, both transformed at length M = S + 2 L, so that no lag up to L wraps around (overlap-save). One matrix
product a frequency adds the segments up, for all pairs at once; a cosine part and a sine part lead back, only to the
lags wanted. Because the cosine part E(k) is shared by k and -k and the sine part O(k) changes its sign, the larger of
|r(k)| and |r(-k)| is |E(k)| + |O(k)|. The figures are those of the direct sums but for rounding.

References
----------
Stockham (1966), High-speed convolution and correlation, https://doi.org/10.1145/1464182.1464209
Oppenheim and Schafer (2010), Discrete-Time Signal Processing, section 8.7.3 (overlap-save)
"""

from __future__ import annotations

import math
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from tars_lib.stats.pairs.streamed import accumulated_rounding
from tars_lib.stats.parallel import in_parallel

Floats32 = NDArray[np.float32]

LENGTHS = (16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)
"""Transform lengths that are considered."""

PRODUCT = 2.1
"""What a multiply-add pair of these small products costs, in those of a long one (`tars_lib.stats.pairs.streamed.RESULT`)."""

RESULT = 25.0
"""What it costs to write one coefficient and read it again."""

BACK = 2.8
"""What a multiply-add pair on the way back to the lags costs: the matrices are narrow. The three figures are a least
squares fit to 140 timings on one core (30 to 2000 samples, 1 to 30 lags, transforms of 16 to 256), non-negative and
relative to the time; `benchmarks/pairs.py --calibrate` prints measured beside modelled times."""

PRODUCT_WORK = 262_144
"""Multiply-add pairs up to which OpenBLAS keeps a product in the calling thread (SMP_THRESHOLD_MIN times
GEMM_MULTITHREAD_THRESHOLD in its interface/gemm.c). Above it each of these many small products would wait for all threads
of the machine, which takes ten times as long as the product when one of them is busy."""

SMALLEST_TILE, LARGEST_TILE = 32, 128
"""Rows of a tile. Judgement: below, calls dominate; above, the coefficients leave the cache."""

CHUNK = 128
"""Rows that are transformed at a time."""


def cost(samples: int, lags: int) -> float:
    """Multiply-add pairs for one pair of rows, all signed lags, at the best transform length; infinite where none fits."""
    return min((_cost(samples, lags, length) for length in _possible(lags)), default=math.inf)


class Spectral:
    """Tiles of max over signed lags of |sum_t x[t - lag] y[t]|.

    Parameters
    ----------
    rows : ndarray of float32, shape (N, T)
    lags : int
        Lags -lags..lags, less than T and less than half of the longest of `LENGTHS`.
    length : int, optional
        Transform length M, even and more than twice `lags`; by default the cheapest.

    Attributes
    ----------
    tile : int
        Rows of a tile.
    rounding : float
        Bound on the error of a product of two rows of norm one.
    """

    def __init__(self, rows: Floats32, lags: int, length: int | None = None) -> None:
        samples = rows.shape[1]
        size = length or min(_possible(lags), key=lambda candidate: _cost(samples, lags, candidate))
        step = size - 2 * lags
        blocks = -(-samples // step)
        self._rows, self._length, self._lags = rows, size, lags
        self._half = size // 2 + 1
        self.tile = _tile(2 * blocks)
        self.rounding = _rounding(size, step, blocks)
        angle = 2.0 * np.pi * np.outer(np.arange(size), np.arange(self._half)) / size
        self._forward = np.hstack([np.cos(angle), -np.sin(angle)]).astype(np.float32)
        self._step, self._blocks = step, blocks
        # made where they are first used, which may be in another process only
        self._made: tuple[Floats32, Floats32, Floats32] | None = None
        self._making = Lock()
        back = 2.0 * np.pi * np.outer(np.arange(lags + 1), np.arange(self._half)) / size
        weight = np.full(self._half, 2.0 / size)
        weight[0] = weight[-1] = 1.0 / size
        self._even = (np.cos(back) * weight).astype(np.float32)
        self._odd = (np.sin(back) * weight)[1:, 1:-1].astype(np.float32)

    def __reduce__(self) -> tuple[type[Spectral], tuple[Floats32, int, int]]:
        """Travel as rows: the coefficients take many times their room, and a moment to make."""
        return Spectral, (self._rows, self._lags, self._length)

    def largest(self, start: int, other: int) -> Floats32:
        """The tile of the rows from `start` on against those from `other` on."""
        mine, theirs = slice(start, start + self.tile), slice(other, other + self.tile)
        with self._making:
            if self._made is None:
                self._made = _coefficients(self._rows, self._forward, self._lags, self._step, self._blocks)
        all_lead, all_same, all_cross = self._made
        lead = all_lead[:, mine]
        # the real part of conj(X) Y in every frequency, then the imaginary part where there is one
        same = np.matmul(lead, all_same[:, theirs].transpose(0, 2, 1))
        even = np.matmul(self._even, same.transpose(1, 0, 2))
        np.abs(even, out=even)
        if self._lags:
            cross = np.matmul(lead[1:-1], all_cross[1:-1, theirs].transpose(0, 2, 1))
            odd = np.matmul(self._odd, cross.transpose(1, 0, 2))
            np.abs(odd, out=odd)
            even[:, 1:] += odd
        return np.asarray(even.max(axis=1))


def _possible(lags: int) -> list[int]:
    return [length for length in LENGTHS if length > 2 * lags]


def _cost(samples: int, lags: int, length: int) -> float:
    blocks = -(-samples // (length - 2 * lags))
    half = length // 2 + 1
    back = (lags + 1) * half + lags * (half - 2)
    return length * (2 * blocks * PRODUCT + RESULT) + BACK * back


def _tile(depth: int) -> int:
    side = math.isqrt(PRODUCT_WORK // depth) // 16 * 16
    return min(max(side, SMALLEST_TILE), LARGEST_TILE)


def _rounding(size: int, step: int, blocks: int) -> float:
    """Bound on the error for rows of norm one.

    By Parseval and Cauchy-Schwarz the sum over frequencies and segments of |X| |Y| / M is at most sqrt(c), c the number of
    windows that hold a sample. Products and the way back each err by their gamma times that, and a coefficient by gamma
    times the sum of the window's absolute values, at most sqrt(2 M) times its norm.
    """
    windows = math.ceil(size / step)
    transform = accumulated_rounding(size + 2) * (1.0 + 2.0 * math.sqrt(2.0 * size))
    return math.sqrt(2.0 * windows) * (accumulated_rounding(2 * blocks + 8) + transform)


def _coefficients(
    rows: Floats32, forward: Floats32, lags: int, step: int, blocks: int
) -> tuple[Floats32, Floats32, Floats32]:
    """Operands of the products, shape (M/2 + 1, N, 2 B) each: [Xr Xi], [Yr Yi] and [Yi -Yr]."""
    size, half = forward.shape[0], forward.shape[1] // 2
    shape = (half, len(rows), 2 * blocks)
    lead, same, cross = (np.empty(shape, dtype=np.float32) for _ in range(3))

    def fill(start: int) -> None:
        part = rows[start : start + CHUNK]
        count = len(part)
        padded = np.zeros((count, 2 * lags + blocks * step), dtype=np.float32)
        padded[:, lags : lags + part.shape[1]] = part
        view = np.lib.stride_tricks.sliding_window_view(padded, size, axis=1)[:, ::step]
        windows = np.ascontiguousarray(view).reshape(count * blocks, size)
        inner = windows[:, lags : lags + step] @ forward[lags : lags + step]
        outer = windows @ forward

        def planes(values: Floats32, which: int) -> Floats32:
            return values[:, which * half : (which + 1) * half].reshape(count, blocks, half).transpose(2, 0, 1)

        here = slice(start, start + count)
        lead[:, here, :blocks], lead[:, here, blocks:] = planes(inner, 0), planes(inner, 1)
        same[:, here, :blocks], same[:, here, blocks:] = planes(outer, 0), planes(outer, 1)
        cross[:, here, :blocks] = same[:, here, blocks:]
        np.negative(same[:, here, :blocks], out=cross[:, here, blocks:])

    for _ in in_parallel(fill, range(0, len(rows), CHUNK)):
        pass
    return lead, same, cross
