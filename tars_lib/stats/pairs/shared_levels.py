"""How much better does a leader's level explain a follower than the follower's own past does?

A follower that copies a slowly moving leader under noise of its own shows it in its level at once, while whitening
would divide the evidence among many lags. Over the rows that a lag leaves, the follower is explained once by the leader
and once by its own past, and the gain is 1 - RSS(leader) / RSS(own past). Unrelated random walks fail it, however well
they correlate, because the past of each is the better predictor (the idea of the Engle-Granger test).

Calendar and trend are fitted again over just these rows, in leader and follower alike. Fitted once over the whole series,
the leader's rows that a lag cuts off bend the leader's trend and not the follower's, and a follower ten samples late no
longer looks like a copy.

References
----------
Engle and Granger (1987), Co-integration and error correction, https://doi.org/10.2307/1913236
Frisch and Waugh (1933), Partial time regressions as compared with individual trends, https://doi.org/10.2307/1907330
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tars_lib.stats.series.gaps import bridged
from tars_lib.stats.series.nuisance_design import without_basis

if TYPE_CHECKING:
    from tars_lib.stats.series.prewhitening import Panel

Floats = NDArray[np.float64]

NEARLY_ONE = 1.0 - 1e-9
"""Correlations are taken as no larger, so that a series which its past explains without rest divides by no zero."""


@dataclass(frozen=True)
class Gain:
    """Share of each column's series that each row's series, leading, explains at one lag.

    Attributes
    ----------
    gain : ndarray, shape (N, N)
        1 - RSS(leader) / RSS(own past), at least 0.
    correlation : ndarray, shape (N, N)
        Of the levels, without calendar and trend.
    count : ndarray, shape (N,)
        Rows of the follower that count: seen, with a past, less one for each column of calendar and trend; at least 1.
    """

    gain: Floats
    correlation: Floats
    count: Floats


class Levels:
    """The levels of some columns of a panel, ready to be compared lag by lag.

    Examples
    --------
    >>> from tars_lib.stats.series.prewhitening import whitened_panel
    >>> rng = np.random.default_rng(2)
    >>> walk = rng.standard_normal(103).cumsum()
    >>> values = np.column_stack([walk[3:], walk[:-3] + rng.standard_normal(100), rng.standard_normal(100).cumsum()])
    >>> Levels(whitened_panel(values), np.arange(3)).at(3).gain.round(1).tolist()
    [[0.0, 0.5, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    """

    def __init__(self, panel: Panel, columns: NDArray[np.intp]) -> None:
        self._levels, self._basis = panel.levels[:, columns], panel.basis
        # only what explains may be bridged, never what is explained
        self._leading = bridged(self._levels)
        self._past = carried(self._levels, panel.phi[columns])
        self._late = np.where(np.isnan(self._past), np.nan, self._levels)

    def at(self, lag: int) -> Gain:
        """The gain of every ordered pair where the leader precedes the follower by `lag` samples, 0 or more."""
        # powers of time and waves span the same columns wherever they begin, so one basis serves both ends
        basis = np.linalg.qr(self._basis[lag:])[0]
        leader = without_basis(self._leading[: len(self._leading) - lag], basis)
        late = self._late[lag:]
        seen = ~np.isnan(late)
        complete = bool(seen.all())
        follower = without_basis(late, basis)
        past = without_basis(np.where(seen, self._past[lag:], np.nan), basis)
        if not complete:
            follower, past = np.nan_to_num(follower), np.nan_to_num(past)
        own = _correlation((follower * past).sum(axis=0), _power(follower), _power(past))
        power = _power(leader)[:, None] if complete else (leader**2).T @ seen
        correlation = _correlation(leader.T @ follower, power, _power(follower))
        gain = 1.0 - (1.0 - correlation**2) / (1.0 - own**2)
        count = np.maximum(seen.sum(axis=0) - basis.shape[1], 1.0)
        return Gain(np.maximum(gain, 0.0), correlation, count)


def carried(levels: Floats, phi: Floats) -> Floats:
    """Return what an AR(1) expects of each sample from the last one seen before it, `phi ** gap` times that.

    Parameters
    ----------
    levels : ndarray, shape (T, N)
        NaN where missing.
    phi : ndarray, shape (N,)

    Returns
    -------
    ndarray, shape (T, N)
        NaN before and at each column's first value.

    Examples
    --------
    >>> carried(np.array([[2.0], [np.nan], [8.0], [4.0]]), np.array([0.5])).ravel().tolist()
    [nan, 1.0, 0.5, 4.0]
    """
    out = np.empty_like(levels)
    last = np.full(levels.shape[1], np.nan)
    for row, values in enumerate(levels):
        out[row] = last = last * phi
        last = np.where(np.isnan(values), last, values)
    return out


def _power(values: Floats) -> Floats:
    return np.asarray(np.einsum("tn,tn->n", values, values))


def _correlation(product: Floats, one: Floats, two: Floats) -> Floats:
    norm = np.sqrt(one * two)
    r = np.divide(product, norm, out=np.zeros(np.broadcast_shapes(product.shape, norm.shape)), where=norm > 1e-12)
    return np.asarray(np.clip(r, -NEARLY_ONE, NEARLY_ONE))
