"""What is new in a series at each sample, once calendar, trend and its own past are taken out?

Two autocorrelated series that never met correlate strongly. Each series is therefore reduced to its innovations: an
AR(1) is fitted to the levels (differencing first would over-difference noise), the downward bias that fitting trend
and cycles causes is undone, and the one-step prediction error is kept. Across a gap of g samples the prediction is
phi**g times the last value and the error is scaled back to one step, so missing rows cost nothing but themselves.

References
----------
Haugh (1976), Checking the independence of two covariance-stationary time series,
https://doi.org/10.1080/01621459.1976.10480353
Jones (1980), Maximum likelihood fitting of ARMA models to time series with missing observations,
https://doi.org/10.1080/00401706.1980.10486171
Cornish and Fisher (1938), Moments and cumulants in the specification of distributions, https://doi.org/10.2307/1400905
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import special

from tars_lib.stats.parallel import in_parallel
from tars_lib.stats.series.autoregression import expected_lag_one, lag_one, phi_behind
from tars_lib.stats.series.nuisance_design import (
    CURVATURE_COLUMNS,
    nuisance_basis,
    shown_seasons,
    trend_degree,
    without_basis,
)
from tars_lib.stats.series.robust import column_median
from tars_lib.stats.series.usual_level import longest_cycle, without_spikes

if TYPE_CHECKING:
    from collections.abc import Sequence

Floats = NDArray[np.float64]

MIN_SAMPLES = 20
"""Observed samples below which a series is not judged; judgement: 10 are left after lags and calendar."""

MIN_COVERAGE = 0.5
"""Share of rows that must be observed; the project's limit for UNKNOWN."""

CLIP = 2.5
"""Values beyond so many robust sigma are pulled in (Huber), so that one spike is not a relation and skewed latencies
keep the tail of the test near the normal one. Judgement: of normal data 1.2 % is touched, and simulated lognormal
noise (n = 90) had a false edge in 15 to 21 % of sets at 4, in about 7 % at 2.5."""

MOST_SKEWNESS = 1.0
"""Skewness that is taken out at most: beyond, the change would not keep the order of values within `CLIP`; judgement."""

RHYTHM_LEVEL = 0.01
"""Level of the panel test for noise that follows the calendar; judgement. An error costs a little power."""

MIN_MOVING = 0.1
"""Least share of samples that differ from the column's median. Below it a handful of spikes is all there is, and two
unrelated spikes always stand at some lag; judgement."""

BARTLETT_LAGS = 10
"""Lags of the innovations' own autocorrelation that enter the effective sample size; judgement."""

CHUNK_VALUES = 200_000
"""Values that are whitened at a time: 1.6 MB stay in the cache over all steps; judgement."""


@dataclass(frozen=True)
class Panel:
    """Series made comparable.

    Attributes
    ----------
    levels : ndarray, shape (T, N)
        Each column without calendar and trend, spikes pulled in, unit variance. NaN where missing or unusable.
    innovations : ndarray, shape (T, N)
        One-step prediction errors of `levels`, unit variance. NaN as above.
    phi : ndarray, shape (N,)
        AR(1) coefficient; NaN for an unusable column.
    autocorrelation : ndarray, shape (K, N)
        Autocorrelation of the innovations at lags 1..K, 0 for an unusable column.
    rhythm : ndarray, shape (P, N)
        Mean square of the innovations at each phase of the longest calendar cycle, in units of their mean; 1 where
        nothing is known or the panel as a whole shows no rhythm, a single row where the series is too short for a cycle.
    basis : ndarray, shape (T, q)
        What was removed.
    usable : ndarray of bool, shape (N,)
        False for constant, all-missing, too short or spike-only columns.
    """

    levels: Floats
    innovations: Floats
    phi: Floats
    autocorrelation: Floats
    rhythm: Floats
    basis: Floats
    usable: NDArray[np.bool_]


def whitened_panel(values: Floats, seasons: Sequence[int] = (), *, only_shown: bool = False) -> Panel:
    """Remove calendar, trend and own past from every column.

    Parameters
    ----------
    values : ndarray, shape (T, N)
        NaN where missing; infinities count as missing.
    seasons : sequence of int
        Calendar cycles in samples, such as 7 for daily samples.
    only_shown : bool
        Remove only the cycles that the panel gives a hint of (`tars_lib.stats.series.nuisance_design.shown_seasons`).
        Worth it where pairs are all that is looked for: a calendar that is not there costs evidence, most where memory is long.

    Examples
    --------
    >>> walk = np.random.default_rng(3).standard_normal((200, 4)).cumsum(axis=0)
    >>> panel = whitened_panel(walk, seasons=(7,))
    >>> bool((panel.phi > 0.8).all())
    True
    """
    values = np.asarray(values, dtype=np.float64)
    finite = np.isfinite(values)
    if not finite.all():
        values = np.where(finite, values, np.nan)
    n, columns = values.shape
    usable = _enough(values, finite)
    if not usable.all():
        values = np.where(usable, values, np.nan)
    lags = int(np.clip(n // 10, 3, BARTLETT_LAGS))
    panel = Panel(
        np.full((n, columns), np.nan, order="F"),
        np.full((n, columns), np.nan, order="F"),
        np.full(columns, np.nan),
        np.zeros((lags, columns)),
        np.ones((longest_cycle(n, seasons), columns)),
        _basis(values, usable, seasons, only_shown),
        usable.copy(),
    )
    chosen = np.flatnonzero(usable)
    if not len(chosen):
        return panel
    expected = expected_lag_one(panel.basis)
    inside = values if usable.all() else values[:, chosen]
    parts = [slice(start, start + _width(n)) for start in range(0, len(chosen), _width(n))]
    scaled, coarseness = np.empty(inside.shape, order="F"), np.empty(len(chosen))
    for _ in in_parallel(lambda part: _scale(inside[:, part], seasons, scaled[:, part], coarseness[part]), parts):
        pass
    # the least squares fit is one product for all columns, so it stays outside of the workers
    rest = without_basis(scaled, panel.basis)
    for _ in in_parallel(lambda part: _whiten(panel, rest[:, part], chosen[part], expected, coarseness[part]), parts):
        pass
    if not _has_rhythm(panel):
        panel.rhythm[:] = 1.0
    return panel


def _has_rhythm(panel: Panel) -> bool:
    """Return whether the panel as a whole is noisier on some phases of the calendar; else its columns' figures are chance."""
    period, columns = len(panel.rhythm), int(panel.usable.sum())
    if period < 2 or not columns:
        return False
    known = np.count_nonzero(~np.isnan(panel.innovations)) / period
    # the square of a normal value has variance 2
    apart = ((panel.rhythm[:, panel.usable].mean(axis=1) - 1.0) ** 2).sum() * known / 2.0
    return bool(apart > special.chdtri(period - 1, RHYTHM_LEVEL))


def _basis(values: Floats, usable: NDArray[np.bool_], seasons: Sequence[int], only_shown: bool) -> Floats:
    """Constant, trend as far as the panel shows one, and the calendar."""
    chosen = np.flatnonzero(usable)
    if not len(chosen):
        return nuisance_basis(len(values), seasons, 0)
    only_shown &= len(chosen) <= CURVATURE_COLUMNS
    if len(chosen) > CURVATURE_COLUMNS:
        chosen = chosen[np.linspace(0, len(chosen) - 1, CURVATURE_COLUMNS).astype(int)]
    inside = values.T[chosen].T
    calm = without_spikes(inside - _first(inside), seasons)
    shown = shown_seasons(calm, seasons) if only_shown else seasons
    return nuisance_basis(len(values), shown, trend_degree(calm, shown))


def _width(n: int) -> int:
    return max(8, CHUNK_VALUES // max(n, 1))


def _scale(values: Floats, seasons: Sequence[int], out: Floats, coarseness: Floats) -> None:
    """Fill `out` with the columns at unit mean square, extremes pulled in; from here on a column is contiguous.

    A column may stand a million million times farther from zero than it moves, and sums over its gaps would round all of
    that away; differences from its first value are exact. `coarseness` becomes the mean square of a rounding there.
    """
    first = _first(values)
    inside = np.empty(values.shape, order="F")
    np.subtract(values, first, out=inside)
    inside = without_spikes(inside, seasons)
    size = np.sqrt(_mean_square(inside))
    np.divide(inside, size, out=out)
    coarseness[:] = (8.0 * np.finfo(np.float64).eps * np.abs(first) / size) ** 2


def _first(values: Floats) -> Floats:
    """Each column's first value that is known."""
    first = values[0]
    if np.isnan(first).any():
        first = values[(~np.isnan(values)).argmax(axis=0), np.arange(values.shape[1])]
    return np.asarray(first)


def _whiten(panel: Panel, levels: Floats, part: NDArray[np.intp], expected: Floats, coarseness: Floats) -> None:
    """Fill the columns `part` of a panel from what calendar and trend leave of them."""
    # what rounding leaves of a straight line or a pure weekly pattern is not data
    alive = _mean_square(levels) > np.maximum(1e-18, coarseness)
    if not alive.all():
        panel.usable[part[~alive]] = False
        part, levels = part[alive], levels[:, alive]
    if not len(part):
        return
    levels = _unit(_symmetric(_unit(_clipped(levels))))
    phi = phi_behind(lag_one(levels), expected)
    innovations = _unit(_symmetric(_unit(_clipped(prediction_errors(levels, phi)))))
    panel.levels[:, part], panel.innovations[:, part], panel.phi[part] = levels, innovations, phi
    panel.autocorrelation[:, part] = _autocorrelation(innovations, len(panel.autocorrelation))
    panel.rhythm[:, part] = _rhythm(innovations, len(panel.rhythm))


def prediction_errors(levels: Floats, phi: Floats) -> Floats:
    """One-step AR(1) prediction errors; errors over longer gaps are scaled back to one step.

    Parameters
    ----------
    levels : ndarray, shape (T, N)
        Mean zero, NaN where missing.
    phi : ndarray, shape (N,)
        Within (-1, 1].

    Returns
    -------
    ndarray, shape (T, N)
        NaN where `levels` is.

    Examples
    --------
    >>> prediction_errors(np.array([[0.0], [1.0], [np.nan], [1.0]]), np.array([1.0])).ravel().round(3).tolist()
    [0.0, 1.0, nan, 0.0]
    """
    errors = np.empty_like(levels)
    start = np.sqrt(np.maximum(1.0 - phi**2, 0.0))
    errors[0] = levels[0] * start
    np.multiply(phi, levels[:-1], out=errors[1:])
    np.subtract(levels[1:], errors[1:], out=errors[1:])
    observed = ~np.isnan(levels)
    if not observed.all():
        _after_gaps(errors, levels, observed, phi, start)
    return errors


def _after_gaps(errors: Floats, levels: Floats, observed: NDArray[np.bool_], phi: Floats, start: Floats) -> None:
    """Fill the errors of samples that follow a gap, and of each column's first sample."""
    n = len(levels)
    columns = np.flatnonzero(observed.any(axis=0))
    first = observed.argmax(axis=0)[columns]
    errors[first, columns] = levels[first, columns] * start[columns]
    # column after column, so that the distance to the sample before is a difference of positions
    place = np.flatnonzero(observed.T.ravel())
    gap = np.diff(place)
    late = np.flatnonzero(gap > 1)
    column, row = np.divmod(place[late + 1], n)
    gap = gap[late]
    within = gap <= row
    column, row, gap = column[within], row[within], gap[within]
    if not len(gap):
        return
    longest = int(gap.max())
    decay, variance = np.ones((longest + 1, len(phi))), np.zeros((longest + 1, len(phi)))
    for step in range(1, longest + 1):
        decay[step] = decay[step - 1] * phi
        variance[step] = 1.0 + phi**2 * variance[step - 1]
    expected = decay[gap, column] * levels[row - gap, column]
    errors[row, column] = (levels[row, column] - expected) / np.sqrt(variance[gap, column])


def _enough(values: Floats, finite: NDArray[np.bool_]) -> NDArray[np.bool_]:
    n = len(values)
    if n == 0:
        return np.zeros(values.shape[1], dtype=bool)
    counts = finite.sum(axis=0)
    complete = bool(finite.all())
    low = (values if complete else np.where(finite, values, np.inf)).min(axis=0)
    high = (values if complete else np.where(finite, values, -np.inf)).max(axis=0)
    enough = (counts >= max(MIN_SAMPLES, MIN_COVERAGE * n)) & (high > low)
    # a column that hardly moves repeats its last value often; only those are worth a median
    still = np.flatnonzero(enough & ((values[1:] == values[:-1]).sum(axis=0) >= 0.3 * n))
    if len(still):
        same = (values[:, still] == column_median(values[:, still])).sum(axis=0)
        enough[still] = counts[still] - same >= MIN_MOVING * counts[still]
    return np.asarray(enough)


def _mean(values: Floats) -> Floats:
    total = values.sum(axis=0)
    if not np.isnan(total).any():
        return np.asarray(total / len(values))
    missing = np.isnan(values)
    return np.asarray(np.where(missing, 0.0, values).sum(axis=0) / (~missing).sum(axis=0))


def _mean_square(values: Floats) -> Floats:
    power = np.einsum("tn,tn->n", values, values)
    return np.asarray(power / len(values)) if not np.isnan(power).any() else _mean(values**2)


def _unit(values: Floats) -> Floats:
    """`values`, scaled in place."""
    scale = np.sqrt(_mean_square(values))
    values /= np.where(scale > 0.0, scale, 1.0)
    return values


def _clipped(values: Floats) -> Floats:
    sigma = 1.4826 * column_median(np.abs(values))
    spread = np.sqrt(_mean_square(values))
    # more than half of the column is one value: the median says nothing about the rest
    sigma = np.where(sigma > 0.05 * spread, sigma, spread)
    pulled = np.clip(values, -CLIP * sigma, CLIP * sigma)
    # skewed noise loses more on one side; two means that are not zero would look like a correlation
    pulled -= _mean(pulled)
    return np.asarray(pulled)


def _symmetric(values: Floats) -> Floats:
    """`values`, of mean zero and unit mean square, changed in place so that their skewness vanishes to first order.

    The product of two series that are skewed the same way is skewed itself, and its far tail holds more than Student's:
    the first term of Cornish and Fisher's expansion is taken out, x - g (x^2 - 1) / 6 with the skewness g.
    """
    squared = values * values
    cubes = np.einsum("tn,tn->n", squared, values)
    skewness = cubes / len(values) if not np.isnan(cubes).any() else _mean(squared * values)
    squared -= 1.0
    squared *= np.clip(skewness, -MOST_SKEWNESS, MOST_SKEWNESS) / 6.0
    values -= squared
    return values


def _rhythm(innovations: Floats, period: int) -> Floats:
    out = np.ones((period, innovations.shape[1]))
    if period < 2:
        return out
    power, seen = innovations**2, np.full((period, 1), 0.0)
    seen[:, 0] = [len(range(phase, len(power), period)) for phase in range(period)]
    gaps = np.isnan(power)
    if gaps.any():
        seen = seen - np.array([np.count_nonzero(gaps[phase::period], axis=0) for phase in range(period)])
        power[gaps] = 0.0
    total = np.array([power[phase::period].sum(axis=0) for phase in range(period)])
    np.divide(total, seen, out=out, where=seen > 0)
    return np.asarray(out / out.mean(axis=0))


def _autocorrelation(innovations: Floats, lags: int) -> Floats:
    observed = ~np.isnan(innovations)
    complete = bool(observed.all())
    filled = innovations if complete else np.where(observed, innovations, 0.0)
    out = np.empty((lags, innovations.shape[1]))
    for lag in range(1, lags + 1):
        both = (
            len(filled) - lag if complete else np.maximum(np.count_nonzero(observed[lag:] & observed[:-lag], axis=0), 1)
        )
        out[lag - 1] = np.einsum("tn,tn->n", filled[lag:], filled[:-lag]) / both
    return out
