"""Will the mean over a rolling window pass a limit, and when?

Three forecasts of the rows to come compete: they are like those of the window now ("as it is now"), like those of the last
days after a shift of the level, or they go on along a damped trend. Each is made again at many times in the series' own
past (rolling origin). A shift or a trend is believed only where it is significant now, and where following those that were
significant before would have been better than "as it is now". What the forecast that is followed missed in the past, path
by path, is added to what it says now: the share of those paths that pass the limit is the probability of a breach, and
where they pass it is its date. No form of the errors is assumed. Each path counts as it was and mirrored; otherwise the one
stretch of luck that a short past holds would be taken for a tendency.

References
----------
Tashman (2000), Out-of-sample tests of forecasting accuracy, https://doi.org/10.1016/S0169-2070(00)00065-0
Lee and Scholtes (2014), Empirical prediction intervals revisited, https://doi.org/10.1016/j.ijforecast.2013.07.018
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tars_lib.stats.forecasting.extrapolation import (
    AS_NOW,
    MIN_TRAIN,
    ROUNDING,
    TREND,
    Answers,
    Series,
    answers,
    as_it_is_now,
    damped,
)
from tars_lib.stats.multiplicity import discoveries
from tars_lib.stats.scheduler import scheduled_columns

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

MIN_PATHS = 5
"""Fewest full paths into the past from which a share can be said; judgement."""
TESTED_SHARE = 0.75
"""Share of the rows after `MIN_TRAIN` that the longest tested horizon takes; judgement: the rest are its origins."""
MAX_ORIGINS = 60
"""Origins tested at most, evenly spread: a long past costs no more than a short one; judgement."""
CALL_LEVEL = 0.01
"""A shift or slope less significant than this is taken as none, in the past and now; judgement."""
FALSE_CALLS = 0.05
"""False-discovery rate of the shifts and slopes of all columns now; the customary level."""
MIN_CALLS = 3
"""Fewest origins in the past at which a shift or slope was significant and can be tested; judgement."""
GAIN = 0.2
"""Share of the squared error of "as it is now" that a shift or trend has to have saved at those; judgement."""
_Found = tuple[Floats, Floats, Floats, Floats, Ints, Floats, Ints]
_CHUNK = 100
"""Columns at a time: bounds the memory, not the result."""


@dataclass(frozen=True, slots=True, eq=False)
class BreachForecasts:
    """Forecasts, column by column; shape (S,) each.

    Attributes
    ----------
    probability : ndarray of float64
        P(the rolling mean passes the limit within `horizon` rows), 0-1; NaN where the past is too short to test.
    value, low, high : ndarray of float64
        Rows until it does: median, 10 % and 90 % of the tested paths. Infinite where that share of them does not pass it.
    method : ndarray of int64
        `AS_NOW`, `SHIFT` or `TREND` of `tars_lib.stats.forecasting.extrapolation`.
    slope : ndarray of float64
        Change a row of a trend that is followed; 0 where none is.
    paths : ndarray of int64
        Full paths into the past that were tested.
    horizon : int
        Rows ahead that the past could test, at most those asked for.
    """

    probability: Floats
    value: Floats
    low: Floats
    high: Floats
    method: Ints
    slope: Floats
    paths: Ints
    horizon: int


def rows_ahead(rows: int, wanted: int) -> int:
    """Rows ahead that a past of `rows` rows can test: the rest of them are the origins.

    Examples
    --------
    >>> rows_ahead(30, 30), rows_ahead(90, 30), rows_ahead(12, 30)
    (16, 30, 3)
    """
    return max(min(wanted, int((rows - MIN_TRAIN) * TESTED_SHARE)), 0)


def forecast_breaches(amount: Floats, weight: Floats, window: int, horizon: int, limit: Floats) -> BreachForecasts:
    """Probability and date at which rolling weighted means pass a limit from below.

    Parameters
    ----------
    amount, weight : ndarray, shape (T, S)
        Rows evenly spaced in time. The mean over some rows is the sum of their amounts over that of their weights; more is
        worse. Weight 0 where nothing was observed.
    window : int
        Rows that the rolling mean spans, at least 1.
    horizon : int
        Rows ahead.
    limit : ndarray, shape (S,)
        The mean may reach it.

    Returns
    -------
    BreachForecasts
        (hits + 1/2) / (paths + 1) is the probability (Jeffreys' rule), so few paths never give 0 or 1.

    Raises
    ------
    ValueError
        If the shapes differ or the window is empty.

    Examples
    --------
    A share of failures that climbs by 0.001 a day and is 0.060 now, over a window of ten days against 0.065:

    >>> share = np.linspace(0.0, 0.06, 61)[:, None]
    >>> found = forecast_breaches(share, np.ones_like(share), 10, 30, np.array([0.065]))
    >>> found.method.tolist() == [TREND], float(found.probability[0]) > 0.9, float(found.value[0])
    (True, True, 10.0)
    """
    return forecasts_of(amount, weight, window, horizon, limit[None])[0]


def forecasts_of(
    amount: Floats, weight: Floats, window: int, horizon: int, limits: Floats
) -> tuple[BreachForecasts, ...]:
    """As `forecast_breaches` for each row of several limits, (L, S): what the past says is asked once.

    Raises
    ------
    ValueError
        As `forecast_breaches`.
    """
    if amount.shape != weight.shape or amount.ndim != 2 or limits.shape[1:] != amount.shape[1:]:
        raise ValueError(
            f"amount {amount.shape}, weight {weight.shape}, limit {limits.shape[1:]}; allowed: (T, S) twice, (S,)"
        )
    if window < 1:
        raise ValueError(f"window is {window}; allowed is 1 or more")
    rows, columns = amount.shape
    ahead = rows_ahead(rows, horizon)
    if ahead < 1 or columns == 0:
        void, none = np.full(columns, np.nan), np.zeros(columns, dtype=np.int64)
        unknown = BreachForecasts(
            void, void + np.inf, void + np.inf, void + np.inf, none, np.zeros(columns), none, ahead
        )
        return (unknown,) * len(limits)
    origins = np.unique(np.linspace(MIN_TRAIN, rows - 1, min(MAX_ORIGINS, rows - MIN_TRAIN)).astype(np.int64))
    is_called = _called(amount, weight, window)
    groups = [np.flatnonzero(is_called.any(axis=0) != is_plain) for is_plain in (True, False)]
    order = [group[first : first + _CHUNK] for group in groups for first in range(0, group.size, _CHUNK)]
    asked = _Asked(amount, weight, window, limits, origins, ahead, is_called)
    parts = list(scheduled_columns(_Asked.tested, asked, order, columns))
    back = np.argsort(np.concatenate(order))
    found = []
    for of_limit in zip(*parts, strict=True):
        probability, value, low, high, method, slope, paths = (
            np.concatenate(each)[back] for each in zip(*of_limit, strict=True)
        )
        found.append(BreachForecasts(probability, value, low, high, np.minimum(method, TREND), slope, paths, ahead))
    return tuple(found)


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """All that the forecasts of some columns depend on."""

    amount: Floats
    weight: Floats
    window: int
    limits: Floats
    origins: Ints
    ahead: int
    is_called: Flags

    def tested(self, place: Ints) -> list[_Found]:
        """Forecasts of columns that are all called, or none of them: then the answer can only be "as it is now"."""
        part, is_called = Series.of(self.amount[:, place], self.weight[:, place]), self.is_called[:, place]
        ends = np.append(self.origins, len(self.amount))
        said = (answers if is_called.any() else as_it_is_now)(part, ends, self.window)
        return _tested(part, self.origins, self.ahead, self.window, self.limits[:, place], said, is_called)


def _called_now(shared: tuple[Floats, Floats, int, int], chunk: slice) -> Floats:
    amount, weight, rows, window = shared
    return answers(Series.of(amount[:, chunk], weight[:, chunk]), np.array([rows]), window).p_value[1:, 0]


def _called(amount: Floats, weight: Floats, window: int) -> Flags:
    """Answers but the first that are significant now, (F - 1, S): judged for false discoveries over all columns."""
    rows, columns = amount.shape
    chunks = [slice(first, first + _CHUNK) for first in range(0, columns, _CHUNK)]
    p_now = np.concatenate(
        list(scheduled_columns(_called_now, (amount, weight, rows, window), chunks, columns)), axis=1
    )
    return np.asarray((p_now <= CALL_LEVEL) & discoveries(p_now.ravel(), FALSE_CALLS).reshape(p_now.shape))


def _tested(
    series: Series, origins: Ints, ahead: int, window: int, limits: Floats, said: Answers, is_called: Flags
) -> list[_Found]:
    """Probability, median, 10 % and 90 % of the row of the breach, answer, slope and number of paths of each column."""
    rows, columns = series.amount.shape
    each = np.arange(columns)
    usual = _usual(series, np.append(origins, rows), window)
    rolling = _missed(series, origins, ahead, window, said, usual[:-1])
    trained = series.seen[origins] >= MIN_TRAIN
    chosen = np.full(columns, AS_NOW, dtype=np.int64)
    if len(said.level) > 1:
        chosen = _choose(rolling, trained, origins + ahead - rows, said.p_value[:, :-1], is_called)
    missed = rolling[chosen, :, :, each]
    paths = said.paths(chosen, ahead)
    arrived = series.seen[np.minimum(origins + ahead, rows)] - series.seen[origins]
    is_path = (trained & (origins[:, None] + ahead <= rows) & (arrived >= ahead / 2)).T
    found = []
    for limit in limits:
        passes = [
            _passing(series, window, path, sign * missed, usual[-1], limit) for path in paths for sign in (1.0, -1.0)
        ]
        found.append((*_summary(passes, is_path), chosen, said.slope[chosen, -1, each], is_path.sum(axis=1)))
    return found


def _usual(series: Series, origins: Ints, window: int) -> Floats:
    """Mean weight of the observed rows of the window before each origin, (O, S)."""
    start = np.maximum(origins - window, 0)
    return np.asarray(
        (series.weights[origins] - series.weights[start]) / np.maximum(series.seen[origins] - series.seen[start], 1.0)
    )


def _within(sums: Floats, window: int) -> Floats:
    """Running sums along axis -2, less what has left the window."""
    inside = sums.copy()
    inside[..., window:, :] -= sums[..., :-window, :]
    return inside


def _missed(series: Series, origins: Ints, ahead: int, window: int, said: Answers, usual: Floats) -> Floats:
    """Return what came less what was said, summed over the window and in usual rows: shape (F, O, H, S).

    A row that was not observed misses nothing. Rows after the last add nothing.
    """
    beyond = np.zeros((ahead, series.amount.shape[1]))
    rows = origins[:, None] + np.arange(ahead)[None, :]
    scale = np.where(usual > 0, usual, 1.0)[:, None, :]
    came, each = (np.concatenate([part, beyond])[rows] / scale for part in (series.amount, series.weight))
    came, counted = (_within(np.cumsum(part, axis=1), window) for part in (came, each))
    missed = came - said.level[:, : origins.size, None, :] * counted
    if said.slope.any():
        sloped = _within(np.cumsum(each * damped(ahead)[None, :, None], axis=1), window)
        missed -= said.slope[:, : origins.size, None, :] * sloped
    return np.asarray(missed)


def _choose(rolling: Floats, trained: Flags, overhang: Ints, p_value: Floats, is_called: Flags) -> Ints:
    """The forecast to follow, (S,): the one that saved most where it was called, "as it is now" unless one saved enough.

    Origins near the end count as far ahead as there are rows.
    """
    ahead = rolling.shape[2]
    inside = np.arange(ahead)[None, :] < ahead - np.maximum(overhang, 0)[:, None]
    tested = inside[:, :, None] & trained[:, None, :]
    loss = np.where(tested, rolling**2, 0.0).sum(axis=2)
    was_called = (p_value[1:] <= CALL_LEVEL) & trained
    own, usual = (loss[1:] * was_called).sum(axis=1), (loss[:1] * was_called).sum(axis=1)
    gain = np.where(usual > 0, 1.0 - own / np.where(usual > 0, usual, 1.0), 0.0)
    is_better = is_called & (was_called.sum(axis=1) >= MIN_CALLS) & (gain >= GAIN)
    gain = np.where(is_better, gain, 0.0)
    return np.where(is_better.any(axis=0), 1 + np.argmax(gain, axis=0), AS_NOW).astype(np.int64)


def _passing(series: Series, window: int, said: Floats, rolling: Floats, usual: Floats, limit: Floats) -> Floats:
    """Row, counted from 1, at which each path's rolling mean passes the limit, infinite where none does: shape (S, O).

    The rows that stay in the window are known; those to come are what is said, (H, S), and what was missed, (S, O, H).
    """
    rows, ahead = len(series.amount), len(said)
    first = np.clip(rows + np.arange(1, ahead + 1) - window, 0, rows)
    new = np.minimum(np.arange(1.0, ahead + 1.0), window)[:, None]
    total = series.weights[-1] - series.weights[first] + usual * new
    stays = series.amounts[-1] - series.amounts[first] + usual * _within(np.cumsum(said, axis=0), window)
    scale = np.maximum(np.abs(limit), np.abs(series.amounts[-1]) / np.maximum(series.weights[-1], 1.0))
    # a value this close to the limit is at it, and equality meets an objective
    allowed = (limit + ROUNDING * scale) * total
    is_beyond = stays.T[:, None, :] + usual[:, None, None] * rolling > allowed.T[:, None, :]
    return np.where(is_beyond.any(axis=2), is_beyond.argmax(axis=2) + 1.0, np.inf)


def _summary(passes: list[Floats], is_path: Flags) -> tuple[Floats, Floats, Floats, Floats]:
    """Probability, and the median, 10 % and 90 % of the row at which a path passes, (S,) each."""
    count = is_path.sum(axis=1)
    is_told = count >= MIN_PATHS
    hits = np.mean([(is_path & np.isfinite(one)).sum(axis=1) for one in passes], axis=0)
    probability = np.where(is_told, (hits + 0.5) / (count + 1.0), np.nan)
    ordered = np.sort(
        np.concatenate([np.where(is_path, one, np.nan) for one in passes], axis=1), axis=1
    )  # NaN sorts last
    both = len(passes) * count
    ranks = (np.maximum(np.ceil(share * both).astype(np.int64) - 1, 0) for share in (0.5, 0.1, 0.9))
    middle, low, high = (np.where(is_told, ordered[np.arange(count.size), rank], np.inf) for rank in ranks)
    return probability, middle, low, high
