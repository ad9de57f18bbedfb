"""How far is a short window above its own past, and how often does the past do the same?

A window of `k` samples is compared with a reference just before it, and the distance is judged against all
windows of the same shape in the baseline ("matched windows"). Drift, autocorrelation and skewed noise are
then in the null as they are in the data, and nothing has to be assumed about them. Beyond the observed range
the null is continued by a generalised Pareto tail (peaks over threshold).

References
----------
Pickands (1975), Statistical inference using extreme order statistics, https://doi.org/10.1214/aos/1176343003
Hosking and Wallis (1987), Parameter and quantile estimation for the generalized Pareto distribution,
https://doi.org/10.1080/00401706.1987.10488243
Siffer et al. (2017), Anomaly detection in streams with extreme value theory,
https://doi.org/10.1145/3097983.3098144
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]

MAD_TO_SIGMA = 1.4826
"""Makes the median absolute deviation estimate sigma for normal data: 1 / Phi^-1(3/4)."""

TAIL_SHARE = 0.1
"""Share of the null beyond the tail's threshold; judgement, as in the common 90th percentile rule."""

MIN_TAIL_WINDOWS = 40
"""Fewer matched windows than this leave under four points in the tail: Student's t is used instead;
judgement."""

WINDOW_VALUES = 200_000
"""Values of overlapping windows that are held at a time: 1.6 MB stay in the cache; judgement."""

MAX_WINDOWS = 600
"""Matched windows used at most: enough for the tail, and a long past costs no more than a short one;
judgement."""

SMALLEST = 1e-300
"""P-values below this are this: their logarithm stays finite."""

EXTREME = 6.0
"""Robust standard deviations beyond which a value says no more than that it is extreme. Judgement: normal data never
get there, and a steady trend or a random walk does not either, being its own scale."""

LONG = 16_384
"""Values from which a median is worth a partition by column; below, the calls cost more than the sort. Judgement."""

MAX_SHAPE = 0.5
"""Largest tail shape accepted; at 0.5 and above the variance is infinite and moment estimates break down."""


def centre_and_scale(values: Floats) -> tuple[Floats, Floats]:
    """Median and MAD-based sigma of each column.

    Parameters
    ----------
    values : ndarray, shape (T, R)
        NaN is ignored.

    Returns
    -------
    centre, scale : ndarray, shape (R,)
        NaN for a column without a finite value. Where more than half of a column is one value the MAD is 0;
        the standard deviation then stands in, so the scale is 0 only for a constant column.

    Examples
    --------
    >>> import numpy as np
    >>> centre, scale = centre_and_scale(np.array([[1.0], [2.0], [3.0], [4.0], [100.0]]))
    >>> float(centre[0]), round(float(scale[0]), 4)
    (3.0, 1.4826)
    """
    centre = column_median(values)
    scale = MAD_TO_SIGMA * column_median(np.abs(values - centre))
    known = np.isfinite(values)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, values, 0.0).sum(axis=0) / count
    spread = np.sqrt(np.where(known, (values - mean) ** 2, 0.0).sum(axis=0) / count)
    return centre, np.where(scale == 0.0, spread, scale)


def column_median(values: Floats) -> Floats:
    """Median of each column without the NaNs; NaN, silently, for a column that has nothing else.

    Parameters
    ----------
    values : ndarray, shape (..., T, R)

    Returns
    -------
    ndarray, shape (..., R)

    Examples
    --------
    >>> import numpy as np
    >>> column_median(np.array([[1.0, np.nan], [3.0, np.nan], [np.nan, np.nan]]))
    array([ 2., nan])
    """
    if values.shape[-2] == 0:
        return np.full((*values.shape[:-2], values.shape[-1]), np.nan)
    if values.ndim == 2 and values.size >= LONG:
        return _partitioned_median(values)
    ordered = np.sort(values, axis=-2)  # NaN sorts last
    count = np.isfinite(ordered).sum(axis=-2)
    low = np.maximum((count - 1) // 2, 0)[..., None, :]
    high = np.minimum(count // 2, values.shape[-2] - 1)[..., None, :]
    middle = (np.take_along_axis(ordered, low, -2) + np.take_along_axis(ordered, high, -2)) / 2.0
    result: Floats = np.where(count > 0, middle[..., 0, :], np.nan)
    return result


def _partitioned_median(values: Floats) -> Floats:
    """The same order statistics, without sorting the rest: columns of one count share a call."""
    count = np.count_nonzero(np.isfinite(values), axis=0)
    result = np.full(values.shape[1], np.nan)
    rows = values.T
    for known in np.unique(count[count > 0]).tolist():
        alike = count == known
        part = np.array(rows if alike.all() else rows[alike], order="C")
        middle = known // 2
        # one place at a time: only that has a vectorised path in numpy
        part.partition(middle, axis=1)
        high = part[:, middle]
        result[alike] = high if known % 2 else (part[:, :middle].max(axis=1) + high) / 2.0
    return result


def column_mean(values: Floats) -> Floats:
    """Mean of each column without the NaNs; NaN, silently, for a column that has nothing else.

    Parameters
    ----------
    values : ndarray, shape (..., T, R)

    Returns
    -------
    ndarray, shape (..., R)
    """
    known = np.isfinite(values)
    count = known.sum(axis=-2)
    total = np.where(known, values, 0.0).sum(axis=-2)
    result: Floats = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return result


def without_extremes(values: Floats) -> Floats:
    """Values beyond `EXTREME` robust standard deviations of their column pulled in to there.

    Calendar and trend are fitted by least squares; one hour at a thousand times the usual error rate would put its shadow
    on that hour of every day, in every repo that it hit.

    Parameters
    ----------
    values : ndarray, shape (T, N)

    Returns
    -------
    ndarray, shape (T, N)
        NaN stays NaN; a column that hardly varies is left as it is.

    Examples
    --------
    >>> import numpy as np
    >>> without_extremes(np.array([[1.0], [2.0], [3.0], [4.0], [900.0]])).ravel().round(1).tolist()
    [1.0, 2.0, 3.0, 4.0, 11.9]
    """
    centre = column_median(values)
    distance = np.abs(values - centre)
    wide = np.flatnonzero(~_surely_within_reach(distance))
    if not len(wide):
        return values.copy(order="K")
    every = len(wide) == values.shape[1]
    scale = MAD_TO_SIGMA * column_median(distance if every else distance[:, wide])
    reach = np.where(scale > 0.0, EXTREME * scale, np.inf)
    low, high = centre[wide] - reach, centre[wide] + reach
    if every:
        return np.asarray(np.clip(values, low, high))
    pulled = values.copy(order="K")
    pulled[:, wide] = np.clip(values[:, wide], low, high)
    return pulled


def _surely_within_reach(distance: Floats) -> NDArray[np.bool_]:
    """Columns without an extreme, told without their median absolute deviation.

    Where fewer than half of the distances lie within d, their median is more than d; with d so large that the farthest
    value is within reach then, nothing has to be pulled in.
    """
    if not len(distance):
        return np.zeros(distance.shape[1], dtype=bool)
    farthest, known = distance.max(axis=0), np.full(distance.shape[1], len(distance))
    if np.isnan(farthest).any():
        farthest, known = np.fmax.reduce(distance, axis=0), known - np.count_nonzero(np.isnan(distance), axis=0)
    # rounding of the product and of the two limits is far below the margin
    enough = farthest * ((1.0 + 1e-9) / (EXTREME * MAD_TO_SIGMA))
    near = np.count_nonzero(distance <= enough, axis=0)
    return np.asarray(2 * near < known - 1)


def reference_level(local: Floats, baseline: Floats) -> Floats:
    """Return what a column was like just before: the median of the local samples and, as one further sample, its
    baseline.

    With two local samples this picks the middle of three: a level that has drifted since the baseline is
    followed, and a local sample that the incident has touched already is outvoted.

    Parameters
    ----------
    local : ndarray, shape (..., m, R)
        Samples just before the window; m may be 0.
    baseline : ndarray, shape (R,)
        Baseline median; NaN where there is none.

    Returns
    -------
    ndarray, shape (..., R)
        NaN where neither is known.

    Examples
    --------
    >>> import numpy as np
    >>> reference_level(np.array([[0.20], [0.90]]), np.array([0.25]))
    array([0.25])
    """
    extra = np.broadcast_to(baseline, (*local.shape[:-2], 1, local.shape[-1]))
    return column_median(np.concatenate([local, extra], axis=-2))


def matched_excess(baseline: Floats, k: int, m: int) -> Floats:
    """Excess of every window of `k` samples in the baseline over the `m` samples before it.

    Parameters
    ----------
    baseline : ndarray, shape (T, R)
        Evenly spaced; NaN where missing.
    k, m : int
        Length of the window (at least 1) and of the local reference (may be 0).

    Returns
    -------
    ndarray, shape (n, R)
        Mean of the window minus `reference_level`; NaN where a window holds nothing. n is T - k - m + 1, at
        least 0 and at most 600: a longer past is sampled evenly.

    Examples
    --------
    >>> import numpy as np
    >>> matched_excess(np.array([[1.0], [1.0], [4.0], [1.0]]), k=1, m=1).ravel()
    array([ 0. ,  3. , -1.5])
    """
    n = baseline.shape[0] - k - m + 1
    if n <= 0:
        return np.empty((0, baseline.shape[1]))
    starts = np.linspace(0, n - 1, min(n, MAX_WINDOWS)).astype(np.intp)
    excess = np.empty((len(starts), baseline.shape[1]))
    # some columns at a time: the samples before all windows are m times as many as the windows
    width = max(1, WINDOW_VALUES // (len(starts) * (m + 1)))
    for part in (slice(first, first + width) for first in range(0, baseline.shape[1], width)):
        own = baseline[:, part]
        before = _windows(own, m)[starts] if m else np.empty((len(starts), 0, own.shape[1]))
        excess[:, part] = _window_means(own, k)[starts + m] - reference_level(before, column_median(own))
    return excess


def _window_means(values: Floats, length: int) -> Floats:
    """Mean without NaN of all windows of a length, by running sums; shape (T - length + 1, R)."""
    known = np.isfinite(values)
    ahead = np.zeros((1, values.shape[1]))
    sums = np.concatenate([ahead, np.cumsum(np.where(known, values, 0.0), axis=0)])
    counts = np.concatenate([ahead, np.cumsum(known, axis=0)])
    count = counts[length:] - counts[:-length]
    means: Floats = np.where(count > 0, (sums[length:] - sums[:-length]) / np.maximum(count, 1), np.nan)
    return means


def _windows(values: Floats, length: int) -> Floats:
    """All windows of a length: a view of shape (T - length + 1, length, R)."""
    return np.moveaxis(np.lib.stride_tricks.sliding_window_view(values, length, axis=0), -1, -2)


def tail_probability(null: Floats, observed: float, independent: float | None = None) -> float:
    """Return how often the past would show at least this excess.

    Up to the 90th percentile u of the null it is the share of windows that reach `observed`. Beyond, the
    generalised Pareto tail continues it, 0.1 (1 + shape y / sigma)^(-1/shape) with y = observed - u and the
    moment estimates of Hosking and Wallis, but it is never less than Student's t on median and MAD gives:
    overlapping windows hold less than their number says, and the t knows how few they are. Below 40 windows, and
    where the windows end at one value that many share, the t alone.

    Parameters
    ----------
    null : ndarray, shape (n,)
        Excess of matched windows; NaN is ignored.
    observed : float
    independent : float, optional
        How many of the n overlapping windows are independent; default n.

    Returns
    -------
    float
        In (0, 1]; 1.0 where `observed` is NaN or there is no null. A constant null cannot say more than one
        over the number of independent windows plus one.

    Examples
    --------
    >>> import numpy as np
    >>> null = np.linspace(-1.0, 1.0, 201)
    >>> round(tail_probability(null, 0.0), 3)
    0.505
    >>> tail_probability(null, 2.0) < 0.01
    True
    """
    null = null[np.isfinite(null)]
    n = null.size
    if n == 0 or not np.isfinite(observed):
        return 1.0
    few = float(n) if independent is None else min(float(n), independent)
    share = share_reaching(int(np.count_nonzero(null >= observed)), n, few)
    centre, scale = centre_and_scale(null[:, None])
    if scale[0] <= 1e-9 * max(abs(float(centre[0])), abs(observed)):
        return share
    freedom = max(2.0, few - 1.0)
    z = (observed - float(centre[0])) / float(scale[0]) / np.sqrt(1.0 + 1.0 / (freedom + 1.0))
    student = max(float(special.stdtr(freedom, -z)), SMALLEST)
    if n < MIN_TAIL_WINDOWS:
        return student
    threshold = float(np.quantile(null, 1.0 - TAIL_SHARE))
    excess = null[null > threshold] - threshold
    if observed > threshold and excess.size == 0:
        # a tenth of the windows or more share the largest value: the null ends there, and has no tail to continue
        return student
    if observed <= threshold or excess.size < 3:
        return share
    mean, variance = float(excess.mean()), float(excess.var())
    shape = 0.0 if variance == 0.0 else float(np.clip(0.5 * (1.0 - mean**2 / variance), 0.0, MAX_SHAPE))
    y = (observed - threshold) / (mean * (1.0 - shape))
    tail = np.exp(-y) if shape < 1e-6 else (1.0 + shape * y) ** (-1.0 / shape)
    return max(TAIL_SHARE * float(tail), student)


def share_reaching(hits: int, n: int, independent: float) -> float:
    """Share of windows that reach a level, the observed one counted in: (1 + h) / (1 + i).

    h is the number of hits that as many independent windows would have.

    Examples
    --------
    >>> share_reaching(10, 100, 100.0), share_reaching(0, 100, 9.0)
    (0.10891089108910891, 0.1)
    """
    return (1.0 + hits / max(n, 1) * independent) / (1.0 + independent)
