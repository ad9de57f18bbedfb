"""Which pairs of columns go together, or lead each other, with the false discovery rate held?

Several panels (the same columns, one panel a metric) may be searched together: a pair's p-value is the smallest over
them, corrected for their number, and Benjamini-Hochberg then runs over the pairs. Few columns are tested densely with
both statistics of `tars_lib.stats.pairs.lagged_correlation`; many are screened first, by their innovations alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tars_lib.stats.multiplicity import adjusted_p_values, expected_false
from tars_lib.stats.pairs.lagged_correlation import PairTests, dense_tests, measured_tests
from tars_lib.stats.pairs.screening import screened_pairs
from tars_lib.stats.pairs.significance import sidak

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tars_lib.stats.series.prewhitening import Panel

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DENSE_COLUMNS = 400
"""Up to so many columns every pair is tested in float64 with both statistics. Judgement: at 400 columns and 365 samples
that took 2.6 s on a busy two-core machine, and the time grows with the square."""


@dataclass(frozen=True)
class Discoveries:
    """Significant pairs, strongest first.

    Attributes
    ----------
    tests : PairTests
        With `p_value` corrected for lags, statistics and panels.
    q_value : ndarray, shape (K,)
        Benjamini-Hochberg over all testable pairs.
    panel : ndarray of int, shape (K,)
        Which panel decided.
    tested : int
        Number of testable pairs.
    expected_false : float
        Expected number of false discoveries among them.
    """

    tests: PairTests
    q_value: Floats
    panel: Ints
    tested: int
    expected_false: float


def discovered_pairs(
    panels: Sequence[Panel],
    max_lag: int,
    alpha: float,
    progress: Callable[[float], None] | None = None,
) -> Discoveries:
    """Pairs whose dependence is significant at false discovery rate `alpha`.

    Parameters
    ----------
    panels : sequence of Panel
        One a metric, all with the same columns; a repo without the metric is an all-NaN column.
    max_lag : int
        0: pairs at the same moment. Otherwise pairs whose best lag is 1..max_lag; a pair whose best lag is 0 counts
        as tested and is not returned.
    alpha : float
        False discovery rate; where nothing is related, the probability of any discovery.
    progress : callable, optional
        Called with the share of the work done.

    Examples
    --------
    >>> from tars_lib.stats.series.prewhitening import whitened_panel
    >>> noise = np.random.default_rng(5).standard_normal((60, 6))
    >>> noise[2:, 3] += 2 * noise[:-2, 0]
    >>> found = discovered_pairs([whitened_panel(noise)], max_lag=7, alpha=0.05)
    >>> found.tests.first.tolist(), found.tests.second.tolist(), found.tests.lag.tolist()
    ([0], [3], [2])
    """
    shared = _panels_of_pairs(panels)
    tested = shared.total
    if shared.columns <= DENSE_COLUMNS:
        tests, panel = _smallest([dense_tests(one, max_lag) for one in panels], shared)
    else:
        first, second = _possible(panels, shared, max_lag, alpha, tested, progress)
        per_panel = []
        for one in panels:
            both = one.usable[first] & one.usable[second]
            per_panel.append(measured_tests(one, first[both], second[both], max_lag))
        tests, panel = _smallest(per_panel, shared)
    if max_lag > 0:
        lagged = np.flatnonzero(tests.lag > 0)
        tests, panel = tests.take(lagged), panel[lagged]
    q_value = adjusted_p_values(tests.p_value, max(tested, 1))
    chosen = np.flatnonzero(q_value <= alpha)
    chosen = chosen[np.lexsort((tests.p_value[chosen], -np.abs(tests.correlation[chosen])))]
    tests = tests.take(chosen)
    return Discoveries(tests, q_value[chosen], panel[chosen], tested, expected_false(tests.p_value, tested))


@dataclass(frozen=True)
class _Shared:
    """In how many panels each pair can be tested."""

    usable: NDArray[np.float32]
    total: int

    @property
    def columns(self) -> int:
        return int(self.usable.any(axis=0).sum())

    def count(self, first: Ints, second: Ints) -> Floats:
        return np.asarray((self.usable[:, first] * self.usable[:, second]).sum(axis=0), dtype=np.float64)


def _panels_of_pairs(panels: Sequence[Panel]) -> _Shared:
    usable = np.array([panel.usable for panel in panels], dtype=np.float32)
    # columns with the same pattern over panels are interchangeable, so pairs are counted by pattern
    patterns, sizes = np.unique(usable, axis=1, return_counts=True)
    meet = (patterns.T @ patterns) > 0
    total = int(sizes @ meet @ sizes - sizes @ np.diag(meet)) // 2
    return _Shared(usable, total)


def _smallest(per_panel: Sequence[PairTests], shared: _Shared) -> tuple[PairTests, Ints]:
    """One row a pair: the panel with the smallest p-value, corrected for the panels tried."""
    merged = PairTests(
        np.concatenate([tests.first for tests in per_panel]),
        np.concatenate([tests.second for tests in per_panel]),
        np.concatenate([tests.lag for tests in per_panel]),
        np.concatenate([tests.correlation for tests in per_panel]),
        np.concatenate([tests.n_effective for tests in per_panel]),
        np.concatenate([tests.p_value for tests in per_panel]),
        np.concatenate([tests.of_levels for tests in per_panel]),
    )
    source = np.repeat(np.arange(len(per_panel)), [len(tests.first) for tests in per_panel])
    rows = _best_rows(merged.first, merged.second, merged.p_value, shared.usable.shape[1])
    best = merged.take(rows)
    corrected = sidak(best.p_value, shared.count(best.first, best.second))
    return (
        PairTests(best.first, best.second, best.lag, best.correlation, best.n_effective, corrected, best.of_levels),
        source[rows].astype(np.int64),
    )


def _best_rows(first: Ints, second: Ints, p_value: Floats, columns: int) -> Ints:
    pair = np.minimum(first, second) * columns + np.maximum(first, second)
    order = np.lexsort((p_value, pair))
    is_new = np.ones(len(order), dtype=bool)
    is_new[1:] = pair[order][1:] != pair[order][:-1]
    return np.asarray(order[is_new], dtype=np.int64)


def _possible(
    panels: Sequence[Panel],
    shared: _Shared,
    max_lag: int,
    alpha: float,
    tested: int,
    progress: Callable[[float], None] | None,
) -> tuple[Ints, Ints]:
    """Pairs that Benjamini-Hochberg may accept: it accepts no fewer when every p-value is replaced by a lower bound."""
    parts = []
    for position, panel in enumerate(panels):

        def report(share: float, position: int = position) -> None:
            if progress is not None:
                progress((position + share) / len(panels))

        family = tested if len(panels) == 1 else None
        parts.append(screened_pairs(panel, max_lag, alpha, family, report))
    first = np.concatenate([part.first for part in parts])
    second = np.concatenate([part.second for part in parts])
    bound = np.concatenate([part.p_bound for part in parts])
    rows = _best_rows(first, second, bound, shared.usable.shape[1])
    first, second = first[rows], second[rows]
    bound = sidak(bound[rows], shared.count(first, second))
    kept = adjusted_p_values(bound, max(tested, 1)) <= alpha
    return first[kept], second[kept]
