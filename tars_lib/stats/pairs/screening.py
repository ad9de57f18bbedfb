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

import math
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
_Found = tuple[NDArray[np.intp], NDArray[np.intp], Floats32]

MOST_MISSING = 0.3
"""Above this share of missing rows in any window a column's shared rows are counted, not bounded; judgement."""


MOST_KEPT = 1_000_000
"""Pairs for which the first pass has room where a family is tested: beyond, Benjamini-Hochberg must be able to accept as many.
Judgement: 20 MB; of pairs that are not related one in a hundred thousand gets so far."""

MOST_TASKS = 48
"""Tasks that a search is cut into at most; judgement: enough to keep a dozen workers busy to the end."""

BINS = 64
"""Classes in which the pairs below that are counted."""


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
    extremes = min(search.least for search in searches), max(one.most for one in searches)

    def critical_of(count: float) -> float:
        """The figure that a pair needs where so many are accepted."""
        share = 1.0 if family is None else min(count / family, 1.0)
        return _critical(sidak_inverse(level * share, tests), extremes)

    base = critical_of(math.inf if family is None else family)
    is_large = family is not None and family > MOST_KEPT and base > max(one.slack for one in searches)
    edges = np.linspace(base, critical_of(MOST_KEPT), BINS + 1) if is_large else None
    kept_from = base if edges is None else float(edges[-1])
    first, second, scores, counted = _searched(searches, base, kept_from, progress)
    if edges is not None and (lower := _lowest_accepted(edges, counted, len(scores), critical_of)) < kept_from:
        first, second, scores, _ = _searched(searches, lower, lower, progress)
    kept = _acceptable(scores, level, family, extremes, tests)
    scores = scores[kept]
    # for a given r^2 n the p-value rises, then falls with n: it is smallest at one of the ends
    single = np.minimum(*(tail_probability(np.minimum(scores / np.sqrt(n), 1.0), n) for n in extremes))
    one, two = columns[first[kept]], columns[second[kept]]
    return Candidates(
        np.minimum(one, two).astype(np.int64), np.maximum(one, two).astype(np.int64), sidak(single, tests)
    )


def _lowest_accepted(edges: Floats, counted: Ints, kept: int, critical_of: Callable[[float], float]) -> float:
    """The lowest figure that Benjamini-Hochberg could accept, as far as counts in classes can tell.

    A pair whose figure lies in a class is accepted only where as many pairs as its p-value calls for lie at or above the
    lower edge; the largest such number is what the pairs at or above that edge are, so each edge is asked for its own count.
    """
    above = kept + np.cumsum(counted[::-1])[::-1]
    # rounding may put a figure at an edge into the class below, so that class is counted in
    for low, high, count in zip(edges[:-1], edges[1:], np.append(above[:1], above[:-1]), strict=True):
        if critical_of(float(count)) <= high:
            return float(low)
    return float(edges[-1])


def _searched(
    searches: list[_Search], base: float, kept_from: float, progress: Callable[[float], None] | None
) -> tuple[Ints, Ints, Floats, Ints]:
    """Rows, columns and figures of the pairs from one figure on, and how many lie in each class from a lower one up to it."""
    first, second, score = [], [], []
    counted = np.zeros(BINS, dtype=np.int64)
    shares = np.cumsum([one.tiles for one in searches]) / sum(one.tiles for one in searches)
    before = 0.0
    for search, until in zip(searches, shares.tolist(), strict=True):

        def report(share: float, before: float = before, until: float = until) -> None:
            if progress is not None:
                progress(before + share * (until - before))

        for (row, column, value), classes in search.hits(base, kept_from, report):
            counted += classes
            first.append(row)
            second.append(column)
            score.append(value.astype(np.float64) + search.slack)
        before = until
    return np.concatenate(first), np.concatenate(second), np.concatenate(score), counted


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

    def hits(self, base: float, kept_from: float, report: Callable[[float], None]) -> Iterator[tuple[_Found, Ints]]:
        """Yield what may reach `kept_from`, some rows of tiles at a time, and counts of what may reach `base` and not that."""
        floors = self._floor(base), self._floor(kept_from)
        done, tasks = 0, self._tasks()
        asked = [(starts, *floors) for starts in tasks]
        for starts, found in zip(tasks, scheduled(_rows_of_tiles, self, asked), strict=True):
            yield found
            done += sum(map(self._tiles_of, starts))
            report(done / self.tiles)

    def _tiles_of(self, start: int) -> int:
        return -(-(self.columns - start) // self.form.tile)

    def _tasks(self) -> list[list[int]]:
        """Where the rows of tiles begin, some rows together: a task each would cost a cluster more than some of the rows do."""
        tasks: list[list[int]] = []
        held = 0
        for start in range(0, self.columns, self.form.tile):
            if not tasks or held * MOST_TASKS >= self.tiles:
                tasks.append([])
                held = 0
            tasks[-1].append(start)
            held += self._tiles_of(start)
        return tasks

    def _floor(self, critical: float) -> np.float32:
        return np.float32(max(critical - self.slack, 0.0) * (1.0 - 2.0 * stream.UNIT_ROUNDOFF))

    def row(self, start: int, base: np.float32, kept_from: np.float32) -> tuple[list[_Found], Ints]:
        """Row, column and figure of what reaches a floor in the tiles to the right of one on the diagonal.

        Also how many reach only a lower one, in equal classes from that to this.
        """
        found, classes = [], np.zeros(BINS, dtype=np.int64)
        width = float(kept_from - base) / BINS
        for other in range(start, self.columns, self.form.tile):
            if other + self.form.tile <= self.after:
                continue
            best = self.form.largest(start, other)
            place = np.flatnonzero(best.ravel() >= base)
            if not len(place):
                continue
            row, column = np.divmod(place, best.shape[1])
            mine = (start + row < other + column) & (other + column >= self.after)
            value = best.ravel()[place]
            keep = mine & (value >= kept_from)
            if base < kept_from:
                rest = value[mine & ~keep]
                which = np.clip(((rest - base) / width).astype(np.int64), 0, BINS - 1)
                classes += np.bincount(which, minlength=BINS)
            found.append((start + row[keep], other + column[keep], value[keep]))
        return found, classes


def _rows_of_tiles(search: _Search, asked: tuple[list[int], np.float32, np.float32]) -> tuple[_Found, Ints]:
    """What some rows of tiles give, in few arrays: on a cluster each costs a message."""
    starts, base, kept_from = asked
    none, classes = np.zeros(0, dtype=np.intp), np.zeros(BINS, dtype=np.int64)
    found: list[_Found] = [(none, none, np.zeros(0, dtype=np.float32))]
    for start in starts:
        more, counted = search.row(start, base, kept_from)
        found += more
        classes += counted
    first, second, score = zip(*found, strict=True)
    return (np.concatenate(first), np.concatenate(second), np.concatenate(score)), classes


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
