"""What is usual for a series at each sample, whatever a few samples did? Medians by stretch of time and by calendar phase.

Extremes have to be pulled in before calendar and trend are fitted by least squares, or one spike throws its shadow on
the same hour of every day. But a steep end of growth and a deep weekend are no extremes: they lie far from the median of
the column and close to what is usual there.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tars_lib.stats.series.robust import column_median, without_extremes

if TYPE_CHECKING:
    from collections.abc import Sequence

Floats = NDArray[np.float64]

SAMPLES_PER_STRETCH = 28
"""Samples that share a median of time; judgement: four weeks of days, so that every weekday counts alike."""

MOST_STRETCHES = 12
"""Stretches at most; judgement: a month each in a year."""

MIN_CYCLES = 3
"""A calendar phase has a median of its own where the series holds the cycle at least this often."""


def without_spikes(values: Floats, seasons: Sequence[int] = ()) -> Floats:
    """Values that are extreme for their column and for their place in time are pulled in.

    Parameters
    ----------
    values : ndarray, shape (T, N)
        NaN where missing.
    seasons : sequence of int
        As for `usual_course`.

    Returns
    -------
    ndarray, shape (T, N)
        NaN stays NaN.

    Examples
    --------
    >>> week = np.tile([5.0, 5.1, 5.0, 4.9, 5.0, 0.0, 0.1], 4)[:, None]
    >>> bool((without_spikes(week, (7,)) == week).all())
    True
    """
    pulled = without_extremes(values)
    touched = np.flatnonzero(((pulled != values) & ~np.isnan(values)).any(axis=0))
    if len(touched):
        inside = values[:, touched]
        course = usual_course(inside, seasons)
        rest = inside - course
        calmer = without_extremes(rest)
        pulled[:, touched] = np.where(calmer != rest, course + calmer, inside)
    return pulled


def usual_course(values: Floats, seasons: Sequence[int] = ()) -> Floats:
    """A robust guess of trend plus calendar, for telling extremes and nothing else.

    Parameters
    ----------
    values : ndarray, shape (T, N)
        NaN where missing.
    seasons : sequence of int
        Calendar cycles in samples; the longest that the series holds `MIN_CYCLES` times counts.

    Returns
    -------
    ndarray, shape (T, N)
        NaN only where a column has no value at all.

    Examples
    --------
    >>> week = np.tile([5.0, 5.0, 5.0, 5.0, 5.0, 0.0, 0.0], 4)[:, None]
    >>> week[3] = 900.0
    >>> usual_course(week, (7,))[:7].ravel().tolist()
    [5.0, 5.0, 5.0, 5.0, 5.0, 0.0, 0.0]
    """
    n = len(values)
    course = _stretches(values)
    period = longest_cycle(n, seasons)
    if period > 1:
        rest = values - course
        for phase in range(period):
            usual = column_median(rest[phase::period])
            course[phase::period] += np.where(np.isnan(usual), 0.0, usual)
    return course


def longest_cycle(n: int, seasons: Sequence[int]) -> int:
    """The longest calendar cycle that n samples hold `MIN_CYCLES` times, in samples; 1 where there is none.

    Examples
    --------
    >>> longest_cycle(90, (24, 168)), longest_cycle(90, (7,)), longest_cycle(20, (7,))
    (24, 7, 1)
    """
    return max((season for season in seasons if n >= MIN_CYCLES * season), default=1)


def _stretches(values: Floats) -> Floats:
    """Straight lines through the medians of stretches of time, the first and the last prolonged to the ends."""
    n, columns = values.shape
    whole = column_median(values)
    edges = np.linspace(0, n, int(np.clip(n // SAMPLES_PER_STRETCH, 1, MOST_STRETCHES)) + 1).astype(int)
    if len(edges) < 3:
        return np.repeat(whole[None, :], n, axis=0)
    medians = np.array([column_median(values[low:high]) for low, high in pairwise(edges)])
    for row in range(len(medians)):
        # a stretch without a value repeats the one before it
        medians[row] = np.where(np.isnan(medians[row]), medians[row - 1] if row else whole, medians[row])
    middle = (edges[:-1] + edges[1:] - 1) / 2.0
    place = np.clip(np.searchsorted(middle, np.arange(n)) - 1, 0, len(middle) - 2)
    share = ((np.arange(n) - middle[place]) / (middle[place + 1] - middle[place]))[:, None]
    return np.asarray(medians[place] * (1.0 - share) + medians[place + 1] * share).reshape(n, columns)
