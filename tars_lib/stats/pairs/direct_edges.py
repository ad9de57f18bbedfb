"""Does one series lead another itself, or do other discovered pairs explain it?

With A -> B -> C, A also leads C at the summed lag; two followers of one leader lead each other at the difference of
their lags. Each discovered edge is therefore tested again with the series that could explain it held constant: the
mediators and the common leaders whose own discovered lags add up to the edge's lag. The test is the F-test of a
regression of the follower on its past, on those series, and on the leader (a lagged partial correlation with one
extra lag each, which covers shared memory as well as noisy copies).

References
----------
Granger (1969), Investigating causal relations by econometric models, https://doi.org/10.2307/1912791
Runge et al. (2019), Detecting and quantifying causal associations in large nonlinear time series datasets,
https://doi.org/10.1126/sciadv.aau4996
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import special

from tars_lib.stats.series.gaps import bridged

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tars_lib.stats.pairs.discovery import Discoveries
    from tars_lib.stats.series.prewhitening import Panel

Floats = NDArray[np.float64]

DIRECT_LEVEL = 0.002
"""Level at which the leader must still matter once its explanations are held constant. Shortcuts may be called direct
in 5 % of cases; judgement leaves most of that to gaps and measurement noise, which hold an explanation only partly
constant."""

LAG_TOLERANCE = 1
"""Samples by which lags may fail to add up; judgement: an estimated lag is off by one where memory is long."""

MIN_EXPLAINED = 20
"""Degrees of freedom that rows with complete explanations must leave to be used alone; judgement."""

MOST_EXPLANATIONS = 5
"""Series held constant at once, the strongest first; judgement: each costs two of the samples."""


def direct_edges(panels: Sequence[Panel], edges: Discoveries, same_moment: Discoveries) -> NDArray[np.bool_]:
    """Return whether each lagged edge stands when the others are held constant.

    Parameters
    ----------
    panels : sequence of Panel
        The panels that were searched.
    edges : Discoveries
        With lags of 1 and more.
    same_moment : Discoveries
        Pairs at lag 0: a leader's twin explains as well as the leader.

    Returns
    -------
    ndarray of bool, shape (K,)
    """
    links = _links(edges, same_moment)
    tests = edges.tests
    direct = np.ones(len(tests.first), dtype=bool)
    filled: dict[int, Floats] = {}
    for row in range(len(direct)):
        leader, follower, lag = int(tests.first[row]), int(tests.second[row]), int(tests.lag[row])
        held = _explanations(links, leader, follower, lag)
        if not held:
            continue
        position = int(edges.panel[row])
        if position not in filled:
            filled[position] = bridged(panels[position].levels)
        held = [(series, shift) for series, shift in held if panels[position].usable[series]]
        p_value = _partial_p(panels[position].levels, filled[position], leader, follower, lag, held)
        direct[row] = p_value <= DIRECT_LEVEL
    return direct


def _links(edges: Discoveries, same_moment: Discoveries) -> dict[int, dict[int, tuple[int, float]]]:
    """Series -> {another: (lag by which the other precedes it, |correlation|)}, lag negative where it follows."""
    links: dict[int, dict[int, tuple[int, float]]] = defaultdict(dict)
    for found in (same_moment, edges):
        tests = found.tests
        for first, second, lag, strength in zip(
            tests.first.tolist(),
            tests.second.tolist(),
            tests.lag.tolist(),
            np.abs(tests.correlation).tolist(),
            strict=True,
        ):
            links[second][first] = (lag, strength)
            links[first][second] = (-lag, strength)
    return links


def _explanations(
    links: dict[int, dict[int, tuple[int, float]]], leader: int, follower: int, lag: int
) -> list[tuple[int, int]]:
    """(series, shift): what precedes the follower by `shift` and stands between or before both."""
    found: list[tuple[float, int, int]] = []
    for series in links[leader].keys() & links[follower].keys():
        before_leader, to_leader = links[leader][series]
        shift, to_follower = links[follower][series]
        # a series that only follows both is a common effect: holding it constant would create dependence
        if shift < 1 or abs(shift - before_leader - lag) > LAG_TOLERANCE:
            continue
        found.append((-min(to_leader, to_follower), series, shift))
    return [(series, shift) for _, series, shift in sorted(found)[:MOST_EXPLANATIONS]]


def _partial_p(
    levels: Floats, filled: Floats, leader: int, follower: int, lag: int, held: list[tuple[int, int]]
) -> float:
    depth = max([lag, *(shift for _, shift in held)]) + 1
    n = len(levels)
    if not held:
        return 0.0

    def back(series: int, shift: int) -> Floats:
        return filled[depth - shift : n - shift, series]

    known = [np.ones(n - depth), back(follower, 1)]
    for series, shift in held:
        known += [back(series, shift), back(series, shift + 1)]
    base = np.column_stack(known)
    more = np.column_stack([*known, back(leader, lag), back(leader, lag + 1)])
    seen = ~np.isnan(levels[depth:, follower]) & ~np.isnan(levels[depth - lag : n - lag, leader])
    # an explanation that was bridged is only partly held constant, so its rows are left out where enough others are
    explained = seen.copy()
    for series, shift in held:
        explained &= ~np.isnan(levels[depth - shift : n - shift, series])
    if explained.sum() >= MIN_EXPLAINED + more.shape[1]:
        seen = explained
    target = levels[depth:, follower][seen]
    freedom = int(seen.sum()) - more.shape[1]
    if freedom < 5:
        return 1.0
    without, with_leader = _residual(base[seen], target), _residual(more[seen], target)
    if with_leader <= 1e-12 * max(without, 1e-300):
        return 0.0 if without > 1e-12 * float(target @ target) else 1.0
    statistic = max(without - with_leader, 0.0) / 2.0 / (with_leader / freedom)
    return float(special.fdtrc(2.0, freedom, statistic))


def _residual(design: Floats, target: Floats) -> float:
    slopes = np.linalg.lstsq(design, target, rcond=None)[0]
    left = target - design @ slopes
    return float(left @ left)
