"""What is known about a series where it was not seen?

Two answers are needed. A leader's level in a gap is guessed by a straight line. The innovations of a gap are shared out:
after a gap the error of the prediction is a sum of the innovations of all samples since the last one seen,
d = e[t] + phi e[t-1] + ... + phi^(g-1) e[t-g+1], and the best guess of each, given d, is its share of it (the Kalman
smoother's answer for an AR(1)). Left as one value at the end of the gap, it would meet one innovation of another series
where it holds several, and a shock that travelled would be half lost.

With e white, the shared-out innovations of a column are P e, where P projects onto what was seen. Of two unrelated series
the sum of products then has variance trace(P_x P_y), which takes the place of the number of rows that both show.

References
----------
Jones (1980), Maximum likelihood fitting of ARMA models to time series with missing observations,
https://doi.org/10.1080/00401706.1980.10486171
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

DEPTH = 4
"""Samples over which the error after a gap is shared out at most; judgement: longer gaps tell little about each sample,
and each further one costs a product of the size of the data."""


@dataclass(frozen=True)
class Known:
    """Innovations with gaps shared out.

    Attributes
    ----------
    values : ndarray, shape (T, N)
        Innovations, expected ones in gaps; 0 where nothing is known.
    bands : ndarray, shape (K, T, N)
        `bands[k, t]` is the element (t, t - k) of the column's projection P; `bands[0]` is the share that is known of each
        sample, 0..1. K is 1 where no column has a gap that is shared out.
    complete : bool
        Nothing is missing.
    """

    values: Floats
    bands: Floats
    complete: bool

    def take(self, columns: NDArray[np.intp]) -> Known:
        """Some of the columns."""
        return Known(self.values[:, columns], self.bands[:, :, columns], self.complete)


def shared_out(innovations: Floats, phi: Floats) -> Known:
    """Share the error after each gap out over the samples of the gap.

    Parameters
    ----------
    innovations : ndarray, shape (T, N)
        One-step errors; after a gap the error of the longer prediction, scaled to one step. NaN where missing.
    phi : ndarray, shape (N,)
        AR(1) coefficients; below 0 or NaN counts as 0, which shares nothing out.

    Examples
    --------
    >>> errors = np.array([[1.0], [np.nan], [2.0]])
    >>> known = shared_out(errors, np.array([1.0]))
    >>> known.values.ravel().round(2).tolist(), known.bands[0].ravel().round(2).tolist()
    ([1.0, 1.41, 1.41], [1.0, 0.5, 0.5])
    """
    seen = ~np.isnan(innovations)
    if seen.all():
        return Known(innovations, np.broadcast_to(1.0, (1, *innovations.shape)), complete=True)
    values = np.where(seen, innovations, 0.0)
    n = len(values)
    memory = np.maximum(np.nan_to_num(phi), 0.0)
    # column after column, so that the distance to the sample before is a difference of positions
    place = np.flatnonzero(seen.T.ravel())
    gap = np.diff(place)
    late = np.flatnonzero(gap > 1)
    column, row = np.divmod(place[late + 1], n)
    gap = gap[late]
    within = (gap <= row) & (memory[column] > 0.0)
    column, row, gap = column[within], row[within], gap[within]
    depth = int(min(gap.max(initial=1), DEPTH))
    bands = np.zeros((depth, *values.shape))
    bands[0] = seen
    decay = memory[column]
    # (1 - phi^2g) / (1 - phi^2), the sum of the squared weights, also where phi is 1
    squares = np.ones(len(gap))
    for step in range(1, int(gap.max(initial=1))):
        squares += np.where(step < gap, decay ** (2 * step), 0.0)
    error = values[row, column]
    weights = np.array([np.where(step < gap, decay**step, 0.0) for step in range(depth)]) / np.sqrt(squares)
    for step in range(depth):
        inside = step < gap
        at, of = row[inside] - step, column[inside]
        values[at, of] = weights[step, inside] * error[inside]
        for band in range(depth - step):
            bands[band, at, of] = weights[step, inside] * weights[step + band, inside]
    return Known(values, bands, complete=False)


def bridged(levels: Floats) -> Floats:
    """Gaps bridged by straight lines, and by the nearest value at the ends.

    Only for what explains or is held constant, never for what is explained: a test of y on x is as valid on any x that
    was made without looking at y.

    Parameters
    ----------
    levels : ndarray, shape (T, N)

    Returns
    -------
    ndarray, shape (T, N)
        NaN only in columns without a value; `levels` itself where nothing is missing.

    Examples
    --------
    >>> bridged(np.array([[0.0], [np.nan], [3.0], [np.nan]])).ravel().tolist()
    [0.0, 1.5, 3.0, 3.0]
    """
    gaps = np.isnan(levels)
    if not gaps.any():
        return levels
    out = levels.copy()
    rows = np.arange(len(levels))
    for column in np.flatnonzero(gaps.any(axis=0) & ~gaps.all(axis=0)):
        hole = gaps[:, column]
        out[hole, column] = np.interp(rows[hole], rows[~hole], levels[~hole, column])
    return out
