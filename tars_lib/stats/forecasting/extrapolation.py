"""What do the next rows of a series look like? Three answers, each with how surely it can be told from the first.

"As it is now": like those of the window. A shift: like those of the last days, where they differ from the weeks before. A
damped trend: along the line through the last weeks, where it has a slope. `tars_lib.stats.forecasting.limit_crossing`
tests which to follow.

References
----------
Gardner and McKenzie (1985), Forecasting trends in time series (damped trends), https://doi.org/10.1287/mnsc.31.10.1237
Kendall (1954), Note on bias in the estimation of autocorrelation, https://doi.org/10.1093/biomet/41.3-4.403
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

AS_NOW, SHIFT, TREND = 0, 1, 2
"""Places of the answers; each length that a trend is fitted to has a place of its own, from 2 on."""
MIN_TRAIN = 8
"""Fewest rows that an answer is made from; judgement: a trend needs 8 samples, and two more tell how it errs."""
FIT_ROWS = (14, 28, 56)
"""Rows that a trend is fitted to, judgement: with daily rows whole weeks, so that
week-ends do not tilt it; two weeks see a decline that has begun, eight a slow one."""
RECENT_ROWS = 7
"""Rows of the level after a shift; judgement: with daily rows one week."""
DAMPING = 0.98
"""What is left of the slope a row later: the upper end of the usual 0.8 to 0.98 (Hyndman and Athanasopoulos,
Forecasting, section 8.2, https://otexts.com/fpp3/holt.html), as a row is short against the horizon."""
STEP_EDGE = 6.0
"""Variances of a row by which a step has to explain more than a line before the line is no trend: the step chooses its
place freely; judgement. At 0 about half of the slow declines in strong noise are taken for steps."""
MAX_RHO = 0.9
"""Largest autocorrelation of noise that is believed; judgement: a slope that sets in looks like one near 1, and would hide
behind it. With 0.98 a steep decline of 25 days is missed in 4 of 10 cases, with 0.9 in 2."""
ROUNDING = 1e-9
"""Relative rounding of running sums."""
_POINTS = (-(1.5**0.5), 0.0, 1.5**0.5)
"""Three equally likely points with the mean and variance of a standard normal variable."""


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Columns with their running sums, which begin with a row of zeros: shape (T + 1, S)."""

    amount: Floats
    weight: Floats
    share: Floats
    amounts: Floats
    weights: Floats
    seen: Floats

    @classmethod
    def of(cls, amount: Floats, weight: Floats) -> Series:
        """Make it from the amounts and weights of rows evenly spaced in time, (T, S) each."""
        start = np.zeros((1, amount.shape[1]))
        sums = (np.concatenate([start, np.cumsum(part, axis=0)]) for part in (amount, weight, weight > 0))
        with np.errstate(invalid="ignore", divide="ignore"):
            share = np.where(weight > 0, amount / weight, np.nan)
        return cls(amount, weight, share, *sums)

    def mean(self, origins: Ints, length: int, instead: Floats | float) -> Floats:
        """Weighted mean of the `length` rows before each origin, (O, S)."""
        first = np.maximum(origins - length, 0)
        total = self.weights[origins] - self.weights[first]
        amount = self.amounts[origins] - self.amounts[first]
        return np.asarray(np.where(total > 0, amount / np.where(total > 0, total, 1.0), instead))

    def before(self, origins: Ints, length: int) -> Floats:
        """Values of the `length` rows before each origin, NaN where there is none: (length, O, S)."""
        padded = np.concatenate([np.full((length, self.share.shape[1]), np.nan), self.share])
        return np.asarray(padded[origins[None, :] + np.arange(length)[:, None]])


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """Forecasts of the rows to come at each origin: shape (F, O, S) each, F answers in the order of their places.

    `error` is the standard error of a shift's level or of a trend's slope. "As it is now" has none beyond what it missed in
    the past, and a p-value of 0: it is always said.
    """

    level: Floats
    slope: Floats
    error: Floats
    p_value: Floats

    def paths(self, chosen: Ints, ahead: int) -> list[Floats]:
        """Return what the chosen answers say at the last origin, row by row, at points of their own error: (H, S) each."""
        each = np.arange(chosen.size)
        gone = damped(ahead)[:, None]
        said = self.level[chosen, -1, each] + self.slope[chosen, -1, each] * gone
        doubt = self.error[chosen, -1, each]
        if not doubt.any():
            return [said]
        return [said + point * doubt * np.where(chosen >= TREND, gone, 1.0) for point in _POINTS]


def as_it_is_now(series: Series, origins: Ints, window: int) -> Answers:
    """The first answer alone: the mean of the window before each origin."""
    now = series.mean(origins, window, series.mean(origins, len(series.amount), 0.0))[None]
    nothing = np.zeros_like(now)
    return Answers(now, nothing, nothing, nothing)


def answers(series: Series, origins: Ints, window: int) -> Answers:
    """All answers at each origin."""
    first = as_it_is_now(series, origins, window)
    now, zero = first.level[0], first.slope[0]
    noise, freedom = _noise(series, origins)
    recent = series.mean(origins, RECENT_ROWS, now)
    shift = (recent, zero, *_step(series.before(origins, 5 * RECENT_ROWS), noise, freedom))
    lines = (_line(series.before(origins, length), noise, freedom) for length in FIT_ROWS)
    parts = zip((now, zero, zero, zero), shift, *lines, strict=True)
    return Answers(*(np.stack(part) for part in parts))


def damped(ahead: int) -> Floats:
    """Return how many slopes a damped trend has gone after 1, 2, ... rows, (H,)."""
    return np.cumsum(DAMPING ** np.arange(1.0, ahead + 1.0))


def _noise(series: Series, origins: Ints) -> tuple[Floats, Floats]:
    """Standard deviation that one independent row would have, and its degrees of freedom: (O, S) each.

    For an AR(1) with lag-1 autocorrelation r the variance of x[t] - x[t-1] is 2 s^2 (1 - r), that of x[t] - x[t-2] is
    2 s^2 (1 - r^2), so their ratio less one is r: differences know the noise whether or not the level moves. A mean over n
    rows then has the variance s^2 (1 + r) / (1 - r) / n.
    """
    share = series.share
    start = np.zeros((1, share.shape[1]))
    variances, counts = [], []
    for lag in (1, 2):
        step = np.full_like(share, np.nan)
        step[lag:] = share[lag:] - share[:-lag]
        known = np.isfinite(step)
        step = np.where(known, step, 0.0)
        count, total, square = (
            np.concatenate([start, np.cumsum(part, axis=0)])[origins] for part in (known, step, step**2)
        )
        counts.append(np.maximum(count, 1.0))
        variances.append(np.maximum(square / counts[-1] - (total / counts[-1]) ** 2, 0.0))
    near, far = variances
    raw = far / np.where(near > 0, near, np.inf) - 1.0
    # its bias in short series, as of other estimates of r (Kendall 1954, https://doi.org/10.1093/biomet/41.3-4.403)
    rho = np.clip(raw + (1.0 + 4.0 * raw) / counts[0], 0.0, MAX_RHO)
    return np.sqrt(near / 2.0 / (1.0 - rho) * (1.0 + rho) / (1.0 - rho)), np.maximum(counts[0] / 2.0, 1.0)


def _line(values: Floats, noise: Floats, freedom: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """End, slope, its error and p-value of the lines through (L, O, S) values, (O, S) each; p 1 under 8 values."""
    known = np.isfinite(values)
    count = known.sum(axis=0)
    safe = np.maximum(count, 1)
    time = np.arange(len(values), dtype=np.float64)[:, None, None]
    centre = (known * time).sum(axis=0) / safe
    mean = np.where(known, values, 0.0).sum(axis=0) / safe
    away = np.where(known, time - centre, 0.0)
    spread = np.maximum((away**2).sum(axis=0), 1.0)
    slope = (away * np.where(known, values, 0.0)).sum(axis=0) / spread
    error = noise / np.sqrt(spread)
    is_line = slope**2 * spread + STEP_EDGE * noise**2 >= _step_power(np.where(known, values - mean, 0.0), known)
    p_value = np.where((count >= MIN_TRAIN) & is_line, _two_sided(slope, error, freedom), 1.0)
    return mean + slope * (len(values) - 1 - centre), slope, error, p_value


def _step_power(centred: Floats, known: Flags) -> Floats:
    """Sum of squares that the best single step explains of (L, O, S) values around their mean, (O, S).

    A line through a step is steep as well; what a step explains better is no trend, and must not be drawn out.
    """
    sums, before = np.cumsum(centred, axis=0)[:-1], np.cumsum(known, axis=0)[:-1]
    after = known.sum(axis=0) - before
    return np.asarray((sums**2 * (1.0 / np.maximum(before, 1) + 1.0 / np.maximum(after, 1))).max(axis=0))


def _step(values: Floats, noise: Floats, freedom: Floats) -> tuple[Floats, Floats]:
    """Error of the mean of the last `RECENT_ROWS` rows of (L, O, S) values, and p-value of its distance from those before."""
    known = np.isfinite(values)
    filled = np.where(known, values, 0.0)
    parts = (slice(None, -RECENT_ROWS), slice(-RECENT_ROWS, None))
    counts = [known[part].sum(axis=0) for part in parts]
    means = [filled[part].sum(axis=0) / np.maximum(count, 1) for part, count in zip(parts, counts, strict=True)]
    error = noise * np.sqrt(sum(1.0 / np.maximum(count, 1) for count in counts))
    p_value = _two_sided(means[1] - means[0], error, freedom)
    is_told = (counts[0] >= MIN_TRAIN) & (counts[1] >= RECENT_ROWS / 2)
    return noise / np.sqrt(np.maximum(counts[1], 1)), np.where(is_told, p_value, 1.0)


def _two_sided(distance: Floats, error: Floats, freedom: Floats) -> Floats:
    """Student's p-value; where there is no error at all, 0 for a distance beyond rounding and 1 for none."""
    with np.errstate(invalid="ignore", divide="ignore"):
        p_value = 2.0 * special.stdtr(freedom, -np.abs(distance) / error)
    return np.where(error > 0, p_value, np.where(np.abs(distance) > ROUNDING, 0.0, 1.0))
