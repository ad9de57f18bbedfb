"""How far from its past is a series now, and how often has the past been as far?

The last samples are compared with those just before the onset; the past before the onset, cut into windows of the same
shape, says how often such a distance comes by itself. Wandering is then in the null as it is in the data. Without an
onset the whole past is the reference.

References
----------
Geyer (1992), Practical Markov chain Monte Carlo, https://doi.org/10.1214/ss/1177011137 (the initial positive sequence, by
which overlapping windows are counted)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tars_lib.stats.series.robust import centre_and_scale, column_mean, column_median, tail_probability

Floats = NDArray[np.float64]

NOW = 3
"""Last samples that make the present, as for the health score (decided in the contract of the formats)."""
REFERENCE = 7
"""Samples before the onset whose median is the level that was left: a week of daily ones; judgement."""
MIN_PAST = 10
"""Fewest samples before the onset; judgement, as for a break."""
MAX_PAST = 500
"""Samples of the past that are looked at; judgement."""
LEVEL = 0.01
"""What is rarer than this in its own past is anomalous (decided in the contract of the formats)."""


@dataclass(frozen=True, slots=True)
class Deviation:
    """Distance of the present from the level that was left.

    `size` is in standard deviations of the past, positive upward; NaN where the present or the past is not known.
    `p_value` is two-sided, 1 where nothing is known.
    """

    size: float
    p_value: float

    @property
    def is_anomalous(self) -> bool:
        """Return whether the past reaches this distance in at most 1 % of cases."""
        return self.p_value <= LEVEL


UNKNOWN = Deviation(float("nan"), 1.0)
CALM = Deviation(0.0, 1.0)


def deviation(series: Floats, onset: int | None = None) -> Deviation:
    """Deviation of a series at its end.

    Parameters
    ----------
    series : ndarray, shape (T,)
        Evenly spaced, NaN where missing.
    onset : int, optional
        First sample of what is judged.

    Examples
    --------
    >>> quiet = np.random.default_rng(0).standard_normal(60)
    >>> fallen = quiet - 6.0 * (np.arange(60) >= 52)
    >>> deviation(fallen, 52).is_anomalous, deviation(quiet, 52).is_anomalous
    (True, False)
    """
    n = series.size
    if onset is not None and (onset < MIN_PAST or onset >= n):
        onset = None
    width = NOW if onset is None else min(NOW, n - onset)
    past = series[: n - width] if onset is None else series[:onset]
    past = past[-MAX_PAST:]
    present = column_mean(series[n - width :, None])[0]
    if np.isfinite(past).sum() < MIN_PAST or not np.isfinite(present):
        return UNKNOWN
    if onset is None:
        distance = float(present - column_median(past[:, None])[0])
        null = _moving(past, width, column_mean) - column_median(past[:, None])[0]
    else:
        reference = min(REFERENCE, past.size // 4)
        left = column_median(past[-reference:, None])[0]
        if not np.isfinite(left):
            left = column_median(past[:, None])[0]
        distance = float(present - left)
        # a long incident is not compared at its full distance: half of the past has to remain for the null
        gap = min(n - width - onset, past.size // 2)
        null = _matched(past, reference, gap, width)
    spread = _spread(past, series)
    size = distance / spread if spread > 0.0 else 0.0
    if distance == 0.0 or spread == 0.0:
        return Deviation(size, 1.0)
    seen = null[np.isfinite(null)]
    # autocorrelation of a handful of windows cannot be estimated: never more of them than fit side by side
    few = min(_independent(seen), past.size / (width + 1.0))
    one_sided = tail_probability(np.sign(distance) * null, abs(distance), few)
    return Deviation(size, min(1.0, 2.0 * one_sided))


def standardised(series: Floats, onset: int | None = None) -> Floats:
    """A series in standard deviations of its past, around the past's median.

    Parameters
    ----------
    series : ndarray, shape (T,)
    onset : int, optional
        The past ends here; default all of it.

    Returns
    -------
    ndarray, shape (T,)
        All NaN where the past is not known or never varied.
    """
    past = series if onset is None or onset < MIN_PAST else series[:onset]
    spread = _spread(past, series)
    if not spread > 0.0:
        return np.full(series.size, np.nan)
    return np.asarray((series - column_median(past[:, None])[0]) / spread)


def _spread(past: Floats, whole: Floats) -> float:
    """Robust standard deviation of the past; of the whole series where the past never varied."""
    for part in (past, whole):
        scale = float(centre_and_scale(part[:, None])[1][0])
        if scale > 0.0:
            return scale
    return 0.0


def _moving(values: Floats, width: int, centre: Callable[[Floats], Floats]) -> Floats:
    windows = np.lib.stride_tricks.sliding_window_view(values, width)
    return centre(windows[..., None])[..., 0]


def _matched(past: Floats, reference: int, gap: int, width: int) -> Floats:
    """Every window of the past less the median of `reference` samples that end `gap` samples before it."""
    if past.size < reference + gap + width:
        return np.empty(0)
    before = _moving(past, reference, column_median)
    after = _moving(past, width, column_mean)
    count = past.size - reference - gap - width + 1
    return np.asarray(after[reference + gap : reference + gap + count] - before[:count])


def _independent(null: Floats) -> float:
    """Return how many of overlapping windows are independent: n / (1 + 2 sum of autocorrelations while they are positive)."""
    n = null.size
    centred = null - null.mean() if n else null
    power = float(centred @ centred)
    if n < 4 or power <= 0.0:
        return float(n)
    total = 0.0
    for lag in range(1, n // 2):
        rho = float(centred[lag:] @ centred[:-lag]) / power
        if rho <= 0.0:
            break
        total += rho
    return max(2.0, n / (1.0 + 2.0 * total))
