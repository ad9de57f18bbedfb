"""What do all series share by the calendar alone: which trend and which weekly or daily cycle is taken out first?

Weekends and a common drift make independent series look related. They are removed by least squares: a constant, a
polynomial trend, and the Fourier harmonics of each calendar cycle. A straight line always goes. A cycle goes where
the panel as a whole gives the least hint of it (a chi-square test over the columns, with autocorrelated errors), a
curved trend only where the panel clearly shows one and most columns are bent the same way, because each column that is
removed takes variation along that could have been evidence.

References
----------
Frisch and Waugh (1933), Partial time regressions as compared with individual trends, https://doi.org/10.2307/1907330
Cochrane and Orcutt (1949), Application of least squares regression to relationships containing autocorrelated
error terms, https://doi.org/10.1080/01621459.1949.10483290
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import special

from tars_lib.stats.series.autoregression import lag_one, unbiased_phi

if TYPE_CHECKING:
    from collections.abc import Sequence

Floats = NDArray[np.float64]

MIN_CYCLES = 3
"""A cycle is removed where the series holds it at least this often; judgement."""

MIN_HARMONICS = 3
"""Harmonics of a cycle that are always removed; three describe a week of days completely."""

SAMPLES_PER_HARMONIC = 40
"""Longer series may spend one more harmonic on every so many samples; judgement."""

MAX_DEGREE = 7
"""Highest power of time; judgement, from simulated growth: a cubic leaves so much of a logarithm or a take-over of users
that one in eight sets of unrelated repos had a false edge (n = 365), the seventh power leaves nothing that is found."""

MAX_DEGREE_OF_ONE = 3
"""Highest power that a single repo's curve can ask for; judgement: a cubic follows one bend either way."""

SAMPLES_PER_POWER = 7
"""Shorter series may spend one more power only on every so many samples; judgement."""

SEASON_LEVEL = 0.2
"""Level of the panel test for a calendar cycle; judgement, and a wide one: a cycle too weak to be noticed there raises the
correlation of 12 columns by less than 0.02 at 90 samples, a fifth of its standard deviation."""

CURVATURE_LEVEL = 0.01
"""Level of the panel test for a curved trend; judgement. An error costs power, never validity."""

COHERENCE = 6.63
"""(sum of t)^2 / (sum of t^2) from which a power bends the repos alike: the chi-square limit of one degree of freedom at
1 %, as for unrelated curves the signs are as good as tossed. The chi-square test over the columns alone is not enough,
because a wandering series, whose memory is never known exactly, is easily taken for a curve."""

MEDIAN_SIZE = 2.71
"""Median squared t-value from which on a coherent bend counts: half of the repos show it at 10 %; judgement."""

CURVATURE_SIZE = 12.0
"""Mean squared t-value from which a power counts even where its signs differ; judgement, from simulated random walks."""

CURVATURE_SIZE_FEW = 6.0
"""The same for fewer than `COHERENT_COLUMNS` columns, whose signs tell nothing. Two series whose curves have t-values of
this size share no more correlation than 6 / n."""

COHERENT_COLUMNS = 8
"""Columns from which signs can tell: the coherence is at most their number."""

CURVATURE_COLUMNS = 64
"""Columns used for that test, evenly spaced; the test is decisive long before."""

MIN_DEGREES = 8
"""Degrees of freedom that a panel test must leave; judgement."""

RIDGE = 1e-9
"""Relative ridge that keeps a column solvable when one phase of a cycle was never observed."""


def nuisance_basis(n: int, seasons: Sequence[int] = (), degree: int = 1) -> Floats:
    """Orthonormal columns that span constant, trend and calendar cycles.

    Parameters
    ----------
    n : int
        Number of samples T.
    seasons : sequence of int
        Cycle lengths in samples. A cycle that the series holds fewer than `MIN_CYCLES` times is left out.
    degree : int
        Highest power of time, 0 for a constant only.

    Returns
    -------
    ndarray, shape (n, q)
        The trend's columns come last, in order of their power.

    Examples
    --------
    >>> nuisance_basis(30, seasons=(7,)).shape
    (30, 8)
    """
    return np.linalg.qr(_design(n, seasons, degree))[0]


def without_basis(values: Floats, basis: Floats) -> Floats:
    """Residuals of each column after least squares on `basis`, over the column's own observed rows.

    Parameters
    ----------
    values : ndarray, shape (T, N)
        NaN where missing.
    basis : ndarray, shape (T, q)

    Returns
    -------
    ndarray, shape (T, N)
        NaN stays NaN.
    """
    fitted = _fitted(values, basis)
    return np.subtract(values, fitted, out=fitted)


def shown_seasons(values: Floats, seasons: Sequence[int] = ()) -> tuple[int, ...]:
    """The calendar cycles that the panel may hold, each tested beside the others and the powers of time.

    Parameters
    ----------
    values : ndarray, shape (T, N)
        NaN where missing; no column may be constant.
    seasons : sequence of int
        Cycle lengths in samples.

    Returns
    -------
    tuple of int
        In the order given. A cycle that too few samples are left to test is kept, and so is every cycle of more than
        `CURVATURE_COLUMNS` columns, where a cycle that a few of them share could go unnoticed.

    Examples
    --------
    >>> noise = np.random.default_rng(1).standard_normal((60, 5))
    >>> week = np.tile([0.0, 0.0, 0.0, 0.0, 0.0, -3.0, -3.0], 9)[:60, None]
    >>> shown_seasons(noise, (7,)), shown_seasons(noise + week, (7,))
    ((), (7,))
    """
    n, columns = values.shape
    powers = _powers(n, max(1, min(MAX_DEGREE, n // SAMPLES_PER_POWER)))
    shown = list(seasons)
    for season in sorted(seasons, reverse=True):
        others = _harmonics(n, [one for one in shown if one != season])
        own = _harmonics(n, [*(one for one in shown if one != season), season])[len(others) :]
        design = np.column_stack([np.ones(n), *others, *powers, *own])
        left = _degrees_left(design)
        if not own or left < MIN_DEGREES or columns > CURVATURE_COLUMNS:
            continue
        size = float((_last_t_values(values, design, len(own)) ** 2).sum())
        if size < special.chdtri(len(own) * columns, SEASON_LEVEL) * left / (left - 2):
            shown.remove(season)
    return tuple(shown)


def trend_degree(values: Floats, seasons: Sequence[int] = ()) -> int:
    """The lowest power of time (at least 1) beyond which the panel shows no common curvature.

    Each column is filtered with its own first-order autocorrelation, so that a slowly wandering series is not taken
    for a curve; the squared t-values of the higher powers are summed over the columns.

    Parameters
    ----------
    values : ndarray, shape (T, N)
        NaN where missing; no column may be constant.
    seasons : sequence of int
        Cycle lengths in samples.

    Examples
    --------
    >>> noise = np.random.default_rng(1).standard_normal((60, 5))
    >>> trend_degree(noise), trend_degree(noise + np.linspace(0.0, 4.0, 60)[:, None] ** 2)
    (1, 2)
    """
    n, columns = values.shape
    if columns > CURVATURE_COLUMNS:
        values = values[:, np.linspace(0, columns - 1, CURVATURE_COLUMNS).astype(int)]
    most = min(MAX_DEGREE, n // SAMPLES_PER_POWER)
    if most < 2:
        return 1
    design = _design(n, seasons, most)
    degrees_left = _degrees_left(design)
    if degrees_left < MIN_DEGREES:
        return 1
    return _highest(_last_t_values(values, design, most - 1), degrees_left)


def _degrees_left(design: Floats) -> int:
    return len(design) - 1 - int(design.shape[1])


def _last_t_values(values: Floats, design: Floats, tested: int) -> Floats:
    """t-values of the last columns of a design, each beyond the columns before it, shape (tested, N).

    Each column of values is filtered with its own first-order autocorrelation, and the design with it.
    """
    basis = np.linalg.qr(design)[0]
    fitted = _fitted(values, basis)
    missing = np.isnan(values)
    filled = np.where(missing, fitted, values) if missing.any() else values
    noise = filled - fitted
    last = design[:, -tested:]
    t_values = np.zeros((tested, noise.shape[1]))
    for phi, members in _by_autocorrelation(noise, basis):
        directions = np.linalg.qr(design[1:] - phi * design[:-1])[0]
        series = filled[1:, members] - phi * filled[:-1, members]
        loadings = directions.T @ series
        left = np.einsum("tn,tn->n", series, series) - (loadings**2).sum(axis=0)
        # a direction comes with either sign, which must be the same in every group
        towards = np.sign((directions[:, -tested:] * (last[1:] - phi * last[:-1])).sum(axis=0))
        spread = np.sqrt(np.where(left > 0.0, left, np.inf) / _degrees_left(design))
        t_values[:, members] = towards[:, None] * loadings[-tested:] / spread
    return t_values


def _highest(t_values: Floats, degrees_left: int) -> int:
    """The highest power that the panel shows, from the t-values of the powers from 2 on, shape (powers, N)."""
    columns = t_values.shape[1]
    squared = t_values**2
    bends = squared.sum(axis=1)
    chance = special.chdtri(columns, CURVATURE_LEVEL) * degrees_left / (degrees_left - 2)
    few = columns < COHERENT_COLUMNS
    size = CURVATURE_SIZE_FEW if few else CURVATURE_SIZE
    # an incident that a few repos share at the end of the series is no curve of the panel, however clear it is in them
    typical = np.median(squared, axis=1)
    coherent = (t_values.sum(axis=1) ** 2 >= COHERENCE * bends) & (typical >= MEDIAN_SIZE) & (not few)
    # one repo's step must not cost the others a power each
    common = (np.arange(len(bends)) + 2 <= MAX_DEGREE_OF_ONE) | ((typical >= size) & (not few))
    shown = np.flatnonzero((bends > chance) & (coherent | ((bends > size * columns) & common)))
    return 2 + int(shown[-1]) if len(shown) else 1


def _design(n: int, seasons: Sequence[int], degree: int) -> Floats:
    return np.column_stack([np.ones(n), *_harmonics(n, seasons), *_powers(n, degree)])


def _powers(n: int, degree: int) -> list[Floats]:
    scaled = 2.0 * np.arange(n, dtype=np.float64) / max(n - 1, 1) - 1.0
    return [scaled**power for power in range(1, degree + 1)]


def _harmonics(n: int, seasons: Sequence[int]) -> list[Floats]:
    time = np.arange(n, dtype=np.float64)
    columns: list[Floats] = []
    frequencies: set[float] = set()
    for period in seasons:
        if n < MIN_CYCLES * period:
            continue
        for harmonic in range(1, min(period // 2, max(MIN_HARMONICS, n // SAMPLES_PER_HARMONIC)) + 1):
            frequency = harmonic / period
            if any(abs(frequency - known) < 1e-9 for known in frequencies):
                continue
            frequencies.add(frequency)
            columns.append(np.cos(2.0 * np.pi * frequency * time))
            if 2 * harmonic != period:
                columns.append(np.sin(2.0 * np.pi * frequency * time))
    return columns


def _fitted(values: Floats, basis: Floats) -> Floats:
    # laid out as the values are: a difference across layouts costs several times as much
    fitted = np.empty_like(values)
    np.matmul(basis, _slopes(values, basis), out=fitted)
    return fitted


def _slopes(values: Floats, basis: Floats) -> Floats:
    observed = ~np.isnan(values)
    if observed.all():
        return np.asarray(basis.T @ values)
    q = basis.shape[1]
    products = (basis[:, :, None] * basis[:, None, :]).reshape(len(basis), q * q)
    gram = (observed.T.astype(np.float64) @ products).reshape(-1, q, q) + RIDGE * np.eye(q)
    moments = np.where(observed, values, 0.0).T @ basis
    return np.asarray(np.linalg.solve(gram, moments[:, :, None])[:, :, 0].T)


def _by_autocorrelation(noise: Floats, basis: Floats) -> list[tuple[float, NDArray[np.intp]]]:
    """Columns grouped by their AR(1) coefficient, rounded; a unit root would leave no constant to fit."""
    rounded = np.minimum(np.round(unbiased_phi(lag_one(noise), basis) / 0.03) * 0.03, 0.99)
    return [(float(value), np.flatnonzero(rounded == value)) for value in np.unique(rounded)]
