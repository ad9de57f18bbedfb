"""When did a series take a lasting step, or turn into a decline, allowing for memory, calendar and trend?

`tars_lib.stats.changes.level_shift` asks whether the level differs before and after. Here one question more is answered,
because order between series rests on it: how precisely is the moment known? Each moment is tried with a step and with a
ramp as one further column of a regression with calendar, trend and AR(1) errors; the best is kept if Student's t, corrected
for every moment and shape tried and with the other breaks held constant, exceeds chance. The moments that fit almost as
well make its interval.

References
----------
Chen and Liu (1993), Joint estimation of model parameters and outlier effects in time series,
https://doi.org/10.1080/01621459.1993.10594321
Box and Tiao (1975), Intervention analysis with applications to economic and environmental problems,
https://doi.org/10.1080/01621459.1975.10480264
Siegmund (1988), Confidence sets in change-point problems, https://doi.org/10.2307/1403360
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from scipy import special

from tars_lib.stats.scheduler import scheduled_columns
from tars_lib.stats.series.autoregression import lag_one, unbiased_phi
from tars_lib.stats.series.nuisance_design import without_basis
from tars_lib.stats.series.robust import MAD_TO_SIGMA, column_median

Floats = NDArray[np.float64]
_Group = tuple[float, NDArray[np.intp]]

MIN_BEFORE = 10
"""Fewest samples before a break: less says too little of what was normal; judgement."""
MIN_AFTER = 2
"""Fewest samples from a break on: a single one cannot be told from a spike; judgement."""
MAX_BREAKS = 3
"""Breaks sought in one series; judgement."""
INTERVAL_DROP = 2.5
"""Log-likelihood that a moment may fall short of the best and still belong to the 84 % interval: (1 - exp(-2.5))^2 = 0.84
(Siegmund 1988). Where two such intervals do not overlap, the order of the two is wrong in at most about 5 % of cases, as
for any two equal intervals of that level."""
PHI_STEP = 0.05
"""Memory is rounded up to this, so that series share their regressions; rounding up makes the test stricter."""
MAX_PHI = 0.99
MEMORY_ERRORS = 2.0
"""Standard errors by which the memory is taken larger than estimated. Judgement, from simulated random walks of 30 to 180
samples: 1 to 2 % of them show a break at alpha 0.01 with 2, 2 to 3 % with 1."""
MIN_FREEDOM = 5
MOST_ERROR = 8.0
"""Robust standard deviations to which an error is pulled in: an hour at a thousand times the usual must not hide a lasting
step that came later. Judgement; a step of this size is certain anyway."""
MOST_TAIL = 5.0
"""The same for the errors whose kurtosis is taken: it is to describe the bulk's tails, not one outage; judgement."""
SETTLED = 0.3
"""Length below which a template is taken for one of the breaks already found; judgement."""
RECONSIDER = 0.5
"""Breaks with a p-value up to this are likely: the memory is estimated beside them, and each is judged beside the others;
judgement."""


@dataclass(frozen=True, slots=True)
class Break:
    """A lasting change of one series.

    Attributes
    ----------
    column : int
    index : int
        First sample of the new course.
    low, high : int
        The 84 % interval of `index`.
    size : float
        Height of a step in standard deviations of the one-step prediction error; of a ramp, its height at the last
        sample. Signed.
    p_value : float
        Corrected for every moment and shape tried.
    is_ramp : bool
        A turn into a steady decline or rise instead of a step.
    """

    column: int
    index: int
    low: int
    high: int
    size: float
    p_value: float
    is_ramp: bool


def lasting_breaks(values: Floats, phi: Floats, basis: Floats, alpha: float | Floats = 0.01) -> list[Break]:
    """Steps and turns of every column.

    Parameters
    ----------
    values : ndarray, shape (T, N)
        Evenly spaced; NaN where missing.
    phi : ndarray, shape (N,)
        AR(1) coefficient of each column, as `whitened_panel` estimates it; NaN: the column is left out.
    basis : ndarray, shape (T, q)
        Calendar and trend, which no break may stand for.
    alpha : float or ndarray, shape (N,)
        Chance of naming a break in a column that has none.

    Returns
    -------
    list of Break
        By column, then in time order.

    Examples
    --------
    >>> noise = np.random.default_rng(4).standard_normal((60, 2))
    >>> noise[52:, 1] -= 6.0
    >>> found = lasting_breaks(noise, np.zeros(2), np.ones((60, 1)) / np.sqrt(60))
    >>> [(one.column, one.index, one.is_ramp, one.size < 0) for one in found]
    [(1, 52, False, True)]
    """
    n, columns = values.shape
    usable = np.isfinite(phi) & (np.isfinite(values).sum(axis=0) >= MIN_BEFORE + MIN_AFTER)
    if n < MIN_BEFORE + MIN_AFTER or not usable.any():
        return []
    levels = np.broadcast_to(np.asarray(alpha, dtype=np.float64), (columns,))
    scale = np.abs(np.nan_to_num(values)).max(axis=0)
    # a gap is filled with what came before it, which is only right for what has no level of its own
    filled, seen = _carried(without_basis(values, basis))
    memory = phi.copy()
    # a break looks like memory: it is first sought with the memory that the bulk of the small moves shows, then the memory
    # is estimated again with the likely breaks taken out, and that decides
    bulk = np.where(usable, np.fmin(phi, _bulk_memory(values, basis)), phi)
    sought = _Sought(filled, seen, basis, scale, levels)
    for again in scheduled_columns(_Sought.memories, sought, _by_memory(n, bulk, usable), columns):
        for column, found in again:
            memory[column] = found
    parts = scheduled_columns(_Sought.breaks, sought, _by_memory(n, memory, usable), columns)
    return sorted(chain.from_iterable(parts), key=lambda one: (one.column, one.index))


@dataclass(frozen=True, slots=True, eq=False)
class _Sought:
    """Columns in which breaks are sought, memory by memory: all that the result depends on."""

    filled: Floats
    seen: NDArray[np.bool_]
    basis: Floats
    scale: Floats
    levels: Floats

    def memories(self, group: _Group) -> list[tuple[int, float]]:
        """Columns of a group that may have breaks, and their memory with the likely ones taken out."""
        memory, members = group
        candidates, found = self._candidates(memory, members), []
        for position in np.flatnonzero(candidates.p_value <= RECONSIDER):
            column = int(members[position])
            errors, freedom = candidates.errors[:, position], float(candidates.freedom[position])
            likely = _likely(errors, freedom, candidates.tried)
            series = np.where(self.seen[:, column], self.filled[:, column], np.nan)
            found.append((column, _memory_beside(series, candidates.tried, likely, self.basis)))
        return found

    def breaks(self, group: _Group) -> list[Break]:
        """Breaks of a group's columns."""
        memory, members = group
        candidates = self._candidates(memory, members)
        varies = candidates.power > (1e-9 * np.maximum(self.scale[members], 1e-300)) ** 2
        found: list[Break] = []
        for position in np.flatnonzero((candidates.p_value <= RECONSIDER) & varies):
            column = int(members[position])
            errors, freedom = candidates.errors[:, position], float(candidates.freedom[position])
            level = float(self.levels[column])
            confirmed = _confirmed(column, errors, freedom, level, candidates.tried, len(self.filled))
            found += _at_samples(confirmed, self.seen[:, column])
        return found

    def _candidates(self, memory: float, members: NDArray[np.intp]) -> _Candidates:
        return _candidates(self.filled[:, members], self.seen[:, members], memory, self.basis)


@dataclass(frozen=True, slots=True)
class _Templates:
    """Unit columns (T, K), the moment each stands for, the length that each had, and whether it is a ramp."""

    columns: Floats
    starts: NDArray[np.intp]
    norms: Floats
    ramps: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Candidates:
    """The best template of each of a group's columns, its p-value, and the errors (T, n) that it was sought in."""

    tried: _Templates
    errors: Floats
    power: Floats
    freedom: Floats
    best: NDArray[np.intp]
    p_value: Floats


def _by_memory(n: int, phi: Floats, usable: NDArray[np.bool_]) -> list[_Group]:
    """Columns that share their memory."""
    # the upper end of what the memory may be: an underestimate would take wandering for a break
    high = phi + MEMORY_ERRORS * np.sqrt(np.maximum(1.0 - phi**2, 0.0) / n)
    rounded = np.clip(np.ceil(high / PHI_STEP) * PHI_STEP, 0.0, MAX_PHI)
    return [(float(memory), np.flatnonzero(usable & (rounded == memory))) for memory in np.unique(rounded[usable])]


def _candidates(filled: Floats, seen: NDArray[np.bool_], phi: float, basis: Floats) -> _Candidates:
    directions, weights, _ = np.linalg.svd(_filtered(basis, phi), full_matrices=False)
    directions = directions[:, weights > 1e-9 * weights[0]]
    shapes, starts, ramps = _shapes(len(filled))
    templates = _without(_filtered(shapes, phi), directions)
    norms = np.sqrt((templates**2).sum(axis=0))
    kept = norms > 1e-6
    tried = _Templates(templates[:, kept] / norms[kept], starts[kept], norms[kept], ramps[kept])
    errors = _without(np.where(seen, _filtered(filled, phi), 0.0), directions)
    errors = _without(_bounded(errors, MOST_ERROR), directions)
    freedom = seen.sum(axis=0) - directions.shape[1] - 1.0
    scores = tried.columns.T @ errors
    power = (errors**2).sum(axis=0)
    best = np.abs(scores).argmax(axis=0)
    top = scores[best, np.arange(best.size)]
    p_value = _p_value(top, power, freedom, errors, tried.columns[:, best], tried.starts.size)
    return _Candidates(tried, errors, power, freedom, best, p_value)


def _bulk_memory(values: Floats, basis: Floats) -> Floats:
    """AR(1) coefficient by medians, 1 - (MAD of steps / MAD of levels)^2 / 2, which a few breaks hardly move."""
    levels = without_basis(values, basis)
    centre = column_median(levels)
    spread = column_median(np.abs(levels - centre))
    moves = column_median(np.abs(np.diff(levels, axis=0)))
    ratio = np.where(spread > 0.0, moves / np.where(spread > 0.0, spread, 1.0), 0.0)
    return np.asarray(np.clip(1.0 - 0.5 * ratio**2, 0.0, MAX_PHI))


def _memory_beside(series: Floats, tried: _Templates, likely: Sequence[int], basis: Floats) -> float:
    """AR(1) coefficient with calendar, trend and the likely breaks taken out."""
    since = np.arange(series.size)[:, None] - tried.starts[likely][None, :]
    shapes = np.where(tried.ramps[likely], np.maximum(since + 1.0, 0.0), (since >= 0).astype(np.float64))
    wider = np.linalg.qr(np.column_stack([basis, shapes]))[0]
    rest = without_basis(series[:, None] / max(float(np.nanmax(np.abs(series))), 1e-300), wider)
    is_left = bool(np.nanmax(np.abs(rest)) > 1e-9)
    return float(unbiased_phi(lag_one(rest), wider)[0]) if is_left else 0.0


def _likely(errors: Floats, freedom: float, tried: _Templates) -> list[int]:
    """Templates taken one by one, the best beside those before, while chance would not reach the next one easily."""
    picks: list[int] = []
    columns, left = tried.columns, errors
    alive = np.ones(tried.starts.size, dtype=bool)
    while len(picks) < MAX_BREAKS and freedom >= MIN_FREEDOM:
        scores = np.where(alive, columns.T @ left, 0.0)
        best = int(np.abs(scores).argmax())
        chosen = columns[:, best]
        if _p_one(scores[best], left, chosen, freedom, tried.starts.size) > RECONSIDER:
            break
        picks.append(best)
        power = float(left @ left)
        left = left - scores[best] * chosen
        columns = columns - np.outer(chosen, chosen @ columns)
        length = np.sqrt((columns**2).sum(axis=0))
        # what is nearly the same as the break just taken has nothing left to show
        alive &= (length > SETTLED) & (np.abs(tried.starts - tried.starts[best]) > MIN_AFTER)
        columns = columns / np.where(length > SETTLED, length, 1.0)
        freedom -= 1.0
        if float(left @ left) <= 1e-12 * power:
            break
    return picks


def _confirmed(name: int, errors: Floats, freedom: float, alpha: float, tried: _Templates, n: int) -> list[Break]:
    """Those of the likely breaks that stand beside the others: a dip hides its own beginning until its end is known."""
    picks = _likely(errors, freedom, tried)
    while picks:
        found = [
            _beside(name, errors, freedom, [one for one in picks if one != pick], pick, tried, n) for pick in picks
        ]
        worst = max(range(len(picks)), key=lambda place: found[place].p_value)
        if found[worst].p_value <= alpha:
            return found
        del picks[worst]
    return []


def _at_samples(breaks: list[Break], seen: NDArray[np.bool_]) -> list[Break]:
    """Breaks within a gap moved to its end, where they first show; of two that meet there, the clearer one."""
    best: dict[int, Break] = {}
    for one in sorted(breaks, key=lambda found: found.p_value):
        index = one.index + int(seen[one.index :].argmax())
        best.setdefault(index, replace(one, index=index, high=max(one.high, index)))
    return list(best.values())


def _beside(
    name: int, errors: Floats, freedom: float, others: Sequence[int], pick: int, tried: _Templates, n: int
) -> Break:
    """One break with the others held constant."""
    columns, left = tried.columns, errors
    if others:
        held = np.linalg.qr(columns[:, others])[0]
        columns, left = _without(columns, held), _without(errors, held)
    length = np.sqrt((columns**2).sum(axis=0))
    columns = columns / np.where(length > SETTLED, length, np.inf)
    freedom -= len(others)
    scores = columns.T @ left
    p_value = _p_one(scores[pick], left, columns[:, pick], freedom, tried.starts.size)
    power = float(left @ left)
    low, high = _interval(scores, power, freedom, pick, tried)
    spread = np.sqrt(max(power - scores[pick] ** 2, 1e-12 * power) / max(freedom, 1.0))
    is_ramp, start = bool(tried.ramps[pick]), int(tried.starts[pick])
    size = float(scores[pick] / max(tried.norms[pick] * length[pick], 1e-12) / spread) if spread > 0.0 else 0.0
    return Break(name, start, low, high, size * (n - start if is_ramp else 1), p_value, is_ramp)


def _p_one(score: float, errors: Floats, template: Floats, freedom: float, tried: int) -> float:
    """`_p_value` of one column."""
    power = np.array([float(errors @ errors)])
    return float(_p_value(np.array([score]), power, np.array([freedom]), errors[:, None], template[:, None], tried)[0])


def _p_value(
    score: Floats, power: Floats, freedom: Floats, errors: Floats, template: Floats, tried: int
) -> NDArray[np.float64]:
    """Student's t of the best template, with heavier tails where the rest has them, times the templates tried."""
    rest = np.maximum(power - score**2, 1e-12 * np.maximum(power, 1e-300))
    left = errors - score * template
    seen = np.maximum((errors != 0.0).sum(axis=0), 1)
    # one standard error less, so that a normal series is not charged for what chance does to its kurtosis
    tails = _bounded(left, MOST_TAIL)
    spread = np.maximum((tails**2).sum(axis=0), 1e-300)
    kurtosis = (tails**4).sum(axis=0) * seen / spread**2 - 3.0 - np.sqrt(24.0 / seen)
    # a sum with weights w has the excess kurtosis of its terms times the sum of w^4: what rests on many samples is nearly
    # normal, what rests on one has that one's tails
    kurtosis = kurtosis * (template**4).sum(axis=0)
    # a t distribution of this many degrees of freedom has the excess kurtosis 6 / (freedom - 4)
    heavy = np.where(kurtosis > 6.0 / np.maximum(freedom, 1.0), 4.0 + 6.0 / np.maximum(kurtosis, 1e-9), freedom)
    degrees = np.maximum(np.minimum(heavy, freedom), 1.0)
    t = np.abs(score) / np.sqrt(rest / np.maximum(freedom, 1.0))
    p_one = 2.0 * special.stdtr(degrees, -t)
    return np.asarray(np.where(freedom < MIN_FREEDOM, 1.0, np.minimum(1.0, p_one * tried)), dtype=np.float64)


def _interval(scores: Floats, power: float, freedom: float, best: int, tried: _Templates) -> tuple[int, int]:
    """Moments, of the same shape and next to each other, whose likelihood is almost the best."""
    floor = 1e-12 * power
    lacking = np.log(np.maximum(power - scores**2, floor)) - np.log(max(power - scores[best] ** 2, floor))
    close = (freedom / 2.0 * lacking <= INTERVAL_DROP) & (tried.ramps == tried.ramps[best])
    low = high = best
    while low > 0 and close[low - 1]:
        low -= 1
    while high + 1 < close.size and close[high + 1]:
        high += 1
    return int(tried.starts[low]), int(tried.starts[high])


def _shapes(n: int) -> tuple[Floats, NDArray[np.intp], NDArray[np.bool_]]:
    """Steps and ramps (n, K) with the moment at which each begins. A ramp of `MIN_AFTER` samples is a step."""
    starts = np.arange(MIN_BEFORE, n - MIN_AFTER + 1)
    since = np.arange(n)[:, None] - starts[None, :]
    turns = since[:, : max(starts.size - MIN_AFTER, 0)]
    ramps = np.concatenate([np.zeros(starts.size, dtype=bool), np.ones(turns.shape[1], dtype=bool)])
    both = np.column_stack([(since >= 0).astype(np.float64), np.maximum(turns + 1.0, 0.0)])
    return both, np.concatenate([starts, starts[: turns.shape[1]]]), ramps


def _filtered(values: Floats, phi: float) -> Floats:
    """One-step prediction errors of an AR(1); the first row is scaled to the same variance."""
    out = np.empty_like(values)
    out[0] = values[0] * np.sqrt(1.0 - phi**2)
    out[1:] = values[1:] - phi * values[:-1]
    return out


def _bounded(errors: Floats, reach: float) -> Floats:
    """Errors beyond so many robust standard deviations pulled in; a column whose bulk never moves is left as it is."""
    scale = MAD_TO_SIGMA * column_median(np.abs(errors))
    limit = np.where(scale > 0.0, reach * scale, np.inf)
    return np.asarray(np.clip(errors, -limit, limit))


def _without(values: Floats, directions: Floats) -> Floats:
    return np.asarray(values - directions @ (directions.T @ values))


def _carried(values: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Gaps filled with the last value seen, so that a step across a gap stays one step; and what was seen."""
    seen = np.isfinite(values)
    if seen.all():
        return values, seen
    rows = np.where(seen, np.arange(len(values))[:, None], -1)
    last = np.maximum.accumulate(rows, axis=0)
    first = np.where(seen.any(axis=0), seen.argmax(axis=0), 0)
    source = np.where(last < 0, first[None, :], last)
    return np.nan_to_num(np.take_along_axis(values, source, axis=0)), seen
