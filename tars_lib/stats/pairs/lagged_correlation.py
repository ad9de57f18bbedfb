"""At which lag do two series go together most, and could chance have done that?

Two statistics are taken at every lag, because two kinds of influence exist:

* *innovations*: the correlation of what is new in each series (Haugh's test). It finds a shock that travels and
  then lives on in the follower's own memory.
* *levels*: how much better the lagged leader explains the follower than the follower's own past does
  (`tars_lib.stats.pairs.shared_levels`). It finds a follower that copies a slowly moving leader under noise of its own.
  At lag 0, where nobody leads, the other series must beat the past of both.

The best lag is the one with the largest r^2 n; its p-value is corrected for every lag, sign and statistic tried.

References
----------
Haugh (1976), Checking the independence of two covariance-stationary time series,
https://doi.org/10.1080/01621459.1976.10480353
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tars_lib.stats.pairs.shared_levels import Levels
from tars_lib.stats.pairs.significance import (
    autocorrelation_factor,
    rhythm_factor,
    samples_left,
    sidak,
    tail_probability,
)
from tars_lib.stats.series.gaps import Known, shared_out

if TYPE_CHECKING:
    from tars_lib.stats.series.prewhitening import Panel

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MIN_PAIRS = 10.0
"""Effective sample pairs below which a lag is not judged; judgement."""

SPENT_ON_MEMORY = 2.0
"""Samples that the levels are charged for the memory of both series, which is fitted to the same rows. Of 600 sets of 12
walks of 30 samples 3.5 % had a false lead at a charge of one, 2.5 % at two and 0.8 % at four; noisy copies (AR(1) 0.9, 90
samples) were found in 90.6, 90.3 and 89.9 %."""

CHUNK = 2048
"""Pairs whose series are gathered at a time: bounds the memory, 2048 x 365 float64 is 6 MB."""


@dataclass(frozen=True)
class PairTests:
    """One test a pair of columns, at the pair's best lag.

    Attributes
    ----------
    first, second : ndarray of int, shape (K,)
        Column numbers; where `lag` > 0 `first` leads.
    lag : ndarray of int, shape (K,)
        In samples, >= 0.
    correlation : ndarray, shape (K,)
        Of the innovations, or of the levels where they decided.
    n_effective : ndarray, shape (K,)
        Sample pairs that count.
    p_value : ndarray, shape (K,)
        Corrected for the lags, signs and statistics tried.
    of_levels : ndarray of bool, shape (K,)
        True where the levels decided.
    """

    first: Ints
    second: Ints
    lag: Ints
    correlation: Floats
    n_effective: Floats
    p_value: Floats
    of_levels: NDArray[np.bool_]

    def take(self, rows: NDArray[np.generic]) -> PairTests:
        """The tests at `rows` (indices or a mask)."""
        return PairTests(
            self.first[rows],
            self.second[rows],
            self.lag[rows],
            self.correlation[rows],
            self.n_effective[rows],
            self.p_value[rows],
            self.of_levels[rows],
        )


@dataclass(frozen=True)
class Overlap:
    """Part of a panel's innovations that each lag leaves.

    Attributes
    ----------
    known : Known
        The innovations, gaps shared out.
    lags : int
        Largest lag that leaves `MIN_PAIRS` effective pairs, at most the one asked for; -1 where even lag 0 does not.
    head_norm, tail_norm : ndarray, shape (lags + 1, N)
        Root sum of squares of the rows that stay when a column is the earlier (head) or the later (tail) of a pair.
    head_count, tail_count : ndarray, shape (lags + 1, N)
        Rows known among them; a row in a gap counts as far as it is known.
    share : ndarray, shape (lags + 1,)
        Effective pairs per observed pair after calendar and trend were removed.
    """

    known: Known
    lags: int
    head_norm: Floats
    tail_norm: Floats
    head_count: Floats
    tail_count: Floats
    share: Floats


def overlap_of(panel: Panel, max_lag: int) -> Overlap:
    """Norms, counts and effective shares for lags 0..max_lag, each over its own overlap."""
    known = shared_out(panel.innovations, panel.phi)
    values, share_known = known.values, known.bands[0]
    n = len(values)
    left = [samples_left(panel.basis, lag) for lag in range(min(max_lag, n - 2) + 1)]
    lags = -1
    for candidate in left:
        if candidate < MIN_PAIRS:
            break
        lags += 1
    ends = max(lags, 0)
    total, count = np.einsum("tn,tn->n", values, values), np.full(values.shape[1], float(n))
    if not known.complete:
        count = share_known.sum(axis=0)
    head, tail = _heads_and_tails(total, values[:ends] ** 2, values[n - ends :] ** 2, lags)
    head_count, tail_count = _heads_and_tails(count, share_known[:ends], share_known[n - ends :], lags)
    share = np.array([left[lag] / (n - lag) for lag in range(lags + 1)])
    return Overlap(known, lags, np.sqrt(head), np.sqrt(tail), head_count, tail_count, share)


def dense_tests(panel: Panel, max_lag: int) -> PairTests:
    """Both statistics for all pairs of usable columns, in float64.

    Parameters
    ----------
    panel : Panel
        N columns; time and memory grow with N squared.
    max_lag : int
        Lags -max_lag..max_lag are tried; 0 tries the same moment only.

    Returns
    -------
    PairTests
        One row a pair; none where the series are too short.

    Examples
    --------
    >>> from tars_lib.stats.series.prewhitening import whitened_panel
    >>> noise = np.random.default_rng(0).standard_normal((93, 2))
    >>> follower = noise[:-3, 0] + 0.5 * noise[3:, 1]
    >>> tests = dense_tests(whitened_panel(np.column_stack([noise[3:, 0], follower])), max_lag=5)
    >>> int(tests.first[0]), int(tests.second[0]), int(tests.lag[0]), bool(tests.p_value[0] < 1e-9)
    (0, 1, 3, True)
    """
    overlap = overlap_of(panel, max_lag)
    columns = np.flatnonzero(panel.usable)
    upper = np.triu_indices(len(columns), 1)
    if overlap.lags < 0:
        upper = (upper[0][:0], upper[1][:0])
    known, levels = overlap.known.take(columns), Levels(panel, columns)
    inflation = autocorrelation_factor(
        panel.autocorrelation[:, columns][:, :, None], panel.autocorrelation[:, columns][:, None, :]
    )
    tried = 2 * overlap.lags + 1
    best_own, best_level = _Best(len(columns)), _Best(len(columns))
    for lag in range(overlap.lags + 1):
        correlation, counts, full = _products(known, lag)
        share = overlap.share[lag]
        best_own.offer(
            correlation**2 * full * share, lag, correlation * np.sqrt(full / counts), counts * share, full * share
        )
        found = levels.at(lag)
        gain = np.minimum(found.gain, found.gain.T) if max_lag == 0 else found.gain
        counts = np.broadcast_to(found.count, gain.shape)
        best_level.offer(gain * counts, lag, found.correlation, counts, counts)
    own, level = best_own.pairs(upper), best_level.pairs(upper)
    first, second = columns[upper[0]], columns[upper[1]]

    def swell(best: _Found) -> Floats:
        leader, follower = np.where(best.forward, (first, second), (second, first))
        return rhythm_factor(panel.rhythm, leader, follower, best.lag)

    spread, level_spread = inflation[upper] * swell(own), swell(level)
    own_p = tail_probability(np.sqrt(own.score / np.maximum(own.weight, 1.0)), own.weight / spread)
    level_p = tail_probability(
        np.sqrt(level.score / np.maximum(level.weight, 1.0)), level.weight / level_spread - SPENT_ON_MEMORY
    )
    of_levels = level_p < own_p
    p_value = sidak(np.minimum(own_p, level_p), 2 * tried)
    forward = np.where(of_levels, level.forward, own.forward)
    return PairTests(
        np.where(forward, first, second).astype(np.int64),
        np.where(forward, second, first).astype(np.int64),
        np.where(of_levels, level.lag, own.lag),
        np.clip(np.where(of_levels, level.correlation, own.correlation), -1.0, 1.0),
        np.where(of_levels, level.n_effective / level_spread, own.n_effective / spread),
        p_value,
        of_levels,
    )


def measured_tests(panel: Panel, first: Ints, second: Ints, max_lag: int) -> PairTests:
    """The innovations statistic of the given pairs, in float64.

    Parameters
    ----------
    panel : Panel
    first, second : ndarray of int, shape (K,)
        Usable columns, in either order.
    max_lag : int
        As for `dense_tests`; the p-value is corrected for 2 * max_lag + 1 lags.

    Returns
    -------
    PairTests
        In the order given.
    """
    overlap = overlap_of(panel, max_lag)
    columns, position = np.unique(np.concatenate([first, second]), return_inverse=True)
    known = overlap.known
    rows = np.ascontiguousarray(known.values[:, columns].T)
    bands = [] if known.complete else [np.ascontiguousarray(band[:, columns].T) for band in known.bands]
    n, pairs = rows.shape[1], len(first)
    score, weight, counts_best = np.full(pairs, -1.0), np.zeros(pairs), np.ones(pairs)
    lag_best, forward, correlation = np.zeros(pairs, dtype=np.int64), np.ones(pairs, dtype=bool), np.zeros(pairs)
    for start in range(0, pairs, CHUNK):
        part = slice(start, min(start + CHUNK, pairs))
        left, right = position[:pairs][part], position[pairs:][part]
        for lag in range(overlap.lags + 1):
            for leads in (True, False) if lag else (True,):
                a, b = (left, right) if leads else (right, left)
                product = np.einsum("pt,pt->p", rows[a, : n - lag], rows[b, lag:])
                head, tail = columns[a], columns[b]
                both = overlap.head_count[lag, head] * overlap.tail_count[lag, tail]
                counts = np.full(len(a), 0.0 if bands else float(n - lag))
                for depth, band in enumerate(bands):
                    shared = np.einsum("pt,pt->p", band[a, : n - lag], band[b, lag:])
                    counts += 2.0 * shared if depth else shared
                counts = np.maximum(counts, 1.0)
                norm = overlap.head_norm[lag, head] * overlap.tail_norm[lag, tail]
                r = product / np.where(norm > 0.0, norm, np.inf)
                full = both / counts * overlap.share[lag]
                better = r**2 * full > score[part]
                score[part] = np.where(better, r**2 * full, score[part])
                weight[part] = np.where(better, full, weight[part])
                counts_best[part] = np.where(better, counts * overlap.share[lag], counts_best[part])
                correlation[part] = np.where(better, r * both**0.5 / counts, correlation[part])
                lag_best[part] = np.where(better, lag, lag_best[part])
                forward[part] = np.where(better, leads, forward[part])
    leader, follower = np.where(forward, first, second), np.where(forward, second, first)
    spread = autocorrelation_factor(panel.autocorrelation[:, first], panel.autocorrelation[:, second])
    spread *= rhythm_factor(panel.rhythm, leader, follower, lag_best)
    single = tail_probability(np.sqrt(np.maximum(score, 0.0) / np.maximum(weight, 1.0)), weight / spread)
    return PairTests(
        leader,
        follower,
        lag_best,
        np.clip(correlation, -1.0, 1.0),
        counts_best / spread,
        sidak(single, 2 * max(overlap.lags, 0) + 1),
        np.zeros(pairs, dtype=bool),
    )


@dataclass(frozen=True)
class _Found:
    score: Floats
    lag: Ints
    correlation: Floats
    n_effective: Floats
    weight: Floats
    forward: NDArray[np.bool_]


class _Best:
    """Running best over lags of an ordered pair: row leads column."""

    def __init__(self, columns: int) -> None:
        shape = (columns, columns)
        self._score = np.full(shape, -1.0)
        self._lag = np.zeros(shape, dtype=np.int64)
        self._correlation, self._counts, self._weight = np.zeros(shape), np.ones(shape), np.ones(shape)

    def offer(self, score: Floats, lag: int, correlation: Floats, counts: Floats, weight: Floats) -> None:
        better = score > self._score
        self._score[better] = score[better]
        self._lag[better] = lag
        self._correlation[better] = correlation[better]
        self._counts[better] = counts[better]
        self._weight[better] = weight[better]

    def pairs(self, upper: tuple[NDArray[np.intp], NDArray[np.intp]]) -> _Found:
        forward = self._score[upper] >= self._score.T[upper]

        def pick(part: NDArray[np.generic]) -> NDArray[np.generic]:
            return np.where(forward, part[upper], part.T[upper])

        return _Found(
            np.maximum(pick(self._score).astype(np.float64), 0.0),
            pick(self._lag).astype(np.int64),
            pick(self._correlation).astype(np.float64),
            pick(self._counts).astype(np.float64),
            pick(self._weight).astype(np.float64),
            forward,
        )


def _heads_and_tails(total: Floats, early: Floats, late: Floats, lags: int) -> tuple[Floats, Floats]:
    """Column sums without the last and without the first 0..lags rows, from the whole sums and the rows at the ends."""
    head, tail = np.empty((lags + 1, len(total))), np.empty((lags + 1, len(total)))
    head[:1] = tail[:1] = total
    for lag in range(1, lags + 1):
        head[lag] = head[lag - 1] - late[-lag]
        tail[lag] = tail[lag - 1] - early[lag - 1]
    return np.maximum(head, 0.0), np.maximum(tail, 0.0)


def _products(known: Known, lag: int) -> tuple[Floats, Floats, Floats]:
    """Uncentred correlation, pairs known, and 1 / its variance under independence.

    Innovations have mean zero by construction, so nothing is centred. With c = trace(P_a P_b) pairs known of c_a and c_b
    values the statistic has variance c / (c_a c_b); in complete data that is 1 / c and the correlation is the ordinary one.
    """
    rows = len(known.values) - lag
    a, b = known.values[:rows], known.values[lag:]
    norm = np.sqrt((a**2).sum(axis=0))[:, None] * np.sqrt((b**2).sum(axis=0))[None, :]
    if known.complete:
        counts = np.full(norm.shape, float(rows))
        both = counts**2
    else:
        counts = known.bands[0, :rows].T @ known.bands[0, lag:]
        for band in known.bands[1:]:
            counts += 2.0 * band[:rows].T @ band[lag:]
        counts = np.maximum(counts, 1.0)
        both = known.bands[0, :rows].sum(axis=0)[:, None] * known.bands[0, lag:].sum(axis=0)[None, :]
    return a.T @ b / np.where(norm > 0.0, norm, np.inf), counts, both / counts
