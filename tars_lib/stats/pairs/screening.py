"""Which of millions of pairs could possibly be significant? A float32 pass that loses none of them.

For every pair the largest weighted correlation over all lags is bounded from above, and nothing else is kept: tiles of
columns are multiplied, lag by lag or frequency by frequency, whichever costs less, and a maximum is taken, so memory is a
few tiles and never pairs x lags. A p-value is a bound on |r| for a given number of samples, so none is computed for the
pairs that stay below it. Each column is scaled once, by the lag at which its overlap has the smallest norm, and what
float32 may have lost is added, so the bound holds for every lag. Missing values are shared out or zero
(`tars_lib.stats.series.gaps`); what a pair shares, trace(P_a P_b), unknown here, is at least c_a + c_b - m, which bounds the
weight from above by less than 1 % up to 10 % missing. Only pairs with a column that misses more than 30 % have their
shared rows counted. What passes is measured again, exactly, by `tars_lib.stats.pairs.lagged_correlation.measured_tests`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tars_lib.stats.pairs import spectral
from tars_lib.stats.pairs import streamed as stream
from tars_lib.stats.pairs.lagged_correlation import Overlap, overlap_of
from tars_lib.stats.pairs.significance import critical_correlation, sidak, sidak_inverse, tail_probability
from tars_lib.stats.scheduler import scheduled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tars_lib.stats.series.gaps import Known
    from tars_lib.stats.series.prewhitening import Panel

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]
Ints = NDArray[np.int64]

MOST_MISSING = 0.3
"""Above this share of missing rows in any window a column's shared rows are counted, not bounded; judgement."""


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


def cheapest(rows: Floats32, lags: int) -> stream.Stream | spectral.Spectral:
    """The form of the all-pairs search that costs less for rows of this length and so many lags.

    Examples
    --------
    >>> rows = np.zeros((4, 365), dtype=np.float32)
    >>> type(cheapest(rows, 0)).__name__, type(cheapest(rows, 14)).__name__
    ('Stream', 'Spectral')
    """
    samples = rows.shape[1]
    if spectral.cost(samples, lags) < stream.cost(samples, lags):
        return spectral.Spectral(rows, lags)
    return stream.Stream(rows, lags)


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
        Called with the share of the work done, after each row of tiles.

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
    size = np.arange(len(panel.innovations), len(panel.innovations) - tests // 2 - 1, -1, dtype=np.float64)
    missing = np.maximum(
        1.0 - overlap.head_count[:, columns] / size[:, None], 1.0 - overlap.tail_count[:, columns] / size[:, None]
    ).max(axis=0)
    order = np.argsort(missing > MOST_MISSING, kind="stable")
    columns, missing = columns[order], missing[order]
    known = int((missing <= MOST_MISSING).sum())
    rows, seen = _rows(overlap.known, columns, counted=known < len(columns))
    searches = []
    if known >= 2:
        searches.append(_bounded(rows[:known], overlap, columns[:known], size, float(missing[:known].max())))
    if known < len(columns):
        searches.append(_counted(rows, seen, overlap, columns, size, known, float(missing.max())))
    first, second, score = [], [], []
    extremes = min(one.least for one in searches), max(one.most for one in searches)
    critical = _critical(sidak_inverse(level, tests), extremes)
    shares = np.cumsum([one.tiles for one in searches]) / sum(one.tiles for one in searches)
    before = 0.0
    for search, until in zip(searches, shares.tolist(), strict=True):

        def report(share: float, before: float = before, until: float = until) -> None:
            if progress is not None:
                progress(before + share * (until - before))

        for found in search.hits(critical, report):
            first.append(found[0])
            second.append(found[1])
            score.append(found[2])
        before = until
    scores = np.concatenate(score)
    kept = _acceptable(scores, level, family, extremes, tests)
    scores = scores[kept]
    # for a given r^2 n the p-value rises, then falls with n: it is smallest at one of the ends
    single = np.minimum(*(tail_probability(np.minimum(scores / np.sqrt(n), 1.0), n) for n in extremes))
    one, two = columns[np.concatenate(first)[kept]], columns[np.concatenate(second)[kept]]
    return Candidates(
        np.minimum(one, two).astype(np.int64), np.maximum(one, two).astype(np.int64), sidak(single, tests)
    )


def _critical(single: float, extremes: tuple[float, float]) -> float:
    """The smallest |r| sqrt(n) whose p-value can be `single`."""
    return min(critical_correlation(single, n) * float(np.sqrt(n)) for n in extremes)


def _acceptable(
    scores: Floats, level: float, family: int | None, extremes: tuple[float, float], tests: int
) -> NDArray[np.intp]:
    """Rows that the step-up procedure could accept, found by comparing magnitudes alone."""
    rows = np.arange(len(scores))
    while family is not None and len(rows):
        critical = _critical(sidak_inverse(min(level * len(rows) / family, level), tests), extremes)
        left = rows[scores[rows] >= critical]
        if len(left) == len(rows):
            break
        rows = left
    return rows


@dataclass(frozen=True)
class _Search:
    """Tiles of the upper triangle, from the column `after` on, and what their figures mean.

    A pair's |r| sqrt(weight) is at most its figure plus `slack`, and its weight lies within `least` and `most`.
    """

    form: stream.Stream | spectral.Spectral
    columns: int
    after: int
    slack: float
    least: float
    most: float

    @property
    def tiles(self) -> int:
        across = -(-self.columns // self.form.tile)
        return across * (across + 1) // 2

    def hits(
        self, critical: float, report: Callable[[float], None]
    ) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp], Floats]]:
        """Row, column and bound of what may reach `critical`, a row of tiles at a time."""
        starts = range(0, self.columns, self.form.tile)
        floor = np.float32(max(critical - self.slack, 0.0) * (1.0 - 2.0 * stream.UNIT_ROUNDOFF))
        done = 0
        rows = [(start, floor) for start in starts]
        for start, parts in zip(starts, scheduled(_row_of_tiles, self, rows), strict=True):
            for row, column, value in parts:
                yield row, column, value.astype(np.float64) + self.slack
            done += len(range(start, self.columns, self.form.tile))
            report(done / self.tiles)

    def row(self, start: int, floor: np.float32) -> list[tuple[NDArray[np.intp], NDArray[np.intp], Floats32]]:
        """Row, column and figure of what reaches a floor in the tiles to the right of one on the diagonal."""
        found = []
        for other in range(start, self.columns, self.form.tile):
            if other + self.form.tile <= self.after:
                continue
            best = self.form.largest(start, other)
            place = np.flatnonzero(best.ravel() >= floor)
            if not len(place):
                continue
            row, column = np.divmod(place, best.shape[1])
            keep = (start + row < other + column) & (other + column >= self.after)
            found.append((start + row[keep], other + column[keep], best.ravel()[place[keep]]))
        return found or [(np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.float32))]


def _row_of_tiles(
    search: _Search, asked: tuple[int, np.float32]
) -> list[tuple[NDArray[np.intp], NDArray[np.intp], Floats32]]:
    return search.row(*asked)


def _rows(known: Known, columns: NDArray[np.intp], counted: bool) -> tuple[Floats, Floats32]:
    seen = known.bands[0][:, columns].T.astype(np.float32) if counted else np.zeros((0, 0), dtype=np.float32)
    return known.values[:, columns].T, seen


def _bounded(rows: Floats, overlap: Overlap, columns: NDArray[np.intp], size: Floats, most: float) -> _Search:
    """Shared rows bounded by c_a + c_b - m: the weight of a pair is the product of one factor a column."""
    effective = size * overlap.share
    root = np.sqrt(effective)[:, None]
    scale = np.zeros(len(columns))
    for norm, count in ((overlap.head_norm, overlap.head_count), (overlap.tail_norm, overlap.tail_count)):
        gone = 1.0 - count[:, columns] / size[:, None]
        # g with g(u)^2 g(v)^2 >= (1 - u)(1 - v) / (1 - u - v), the weight of a pair that shares as little as it can
        factor = root * (1.0 + gone**2 / (2.0 * (1.0 - 2.0 * most)))
        inside = norm[:, columns]
        per_lag = np.divide(np.sqrt(factor), inside, out=np.zeros_like(inside), where=inside > 0.0)
        scale = np.maximum(scale, per_lag.max(axis=0))
    scaled = _scaled(rows, scale)
    form = cheapest(scaled, overlap.lags)
    least, largest = (1.0 - most) * effective.min(), effective.max() * (1.0 + most**2 / (1.0 - 2.0 * most))
    return _Search(form, len(columns), 0, _slack(form.rounding, scaled), float(least), float(largest))


def _counted(
    rows: Floats,
    seen: Floats32,
    overlap: Overlap,
    columns: NDArray[np.intp],
    size: Floats,
    after: int,
    most: float,
) -> _Search:
    """Shared rows counted, lag by lag: for pairs with a column that misses much."""
    scale = np.zeros(len(columns))
    for norm, count in ((overlap.head_norm, overlap.head_count), (overlap.tail_norm, overlap.tail_count)):
        inside = norm[:, columns]
        per_lag = np.sqrt(count[:, columns]) * overlap.share[:, None] ** 0.25
        per_lag = np.divide(per_lag, inside, out=np.zeros_like(inside), where=inside > 0.0)
        scale = np.maximum(scale, per_lag.max(axis=0))
    scaled = _scaled(rows, scale)
    form = stream.Stream(scaled, overlap.lags, seen)
    effective = size * overlap.share
    least, largest = (1.0 - most) * effective.min(), (effective * size).max()
    return _Search(form, len(columns), after, _slack(form.rounding, scaled), float(least), float(largest))


def _scaled(rows: Floats, scale: Floats) -> Floats32:
    out = np.empty(rows.shape, dtype=np.float32)
    np.multiply(rows, scale[:, None], out=out, casting="same_kind")
    return out


def _slack(rounding: float, scaled: Floats32) -> float:
    largest: float = np.einsum("nt,nt->n", scaled, scaled).max()
    return rounding * float(largest)
