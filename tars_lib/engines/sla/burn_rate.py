"""How fast is the error budget burnt, and is that fast enough to act before it is gone?

Burn rate 1 spends exactly the budget of the period. A pair fires while the rate is beyond its threshold over a long window
(so much was spent) and over a short one (it still goes on), in both by more than counting noise.

References
----------
Beyer et al. (2018), The Site Reliability Workbook, chapter 5,
https://sre.google/workbook/alerting-on-slos/#recommended_parameters_for_an_slo_based_a
Wilson (1927), Probable inference, the law of succession, and statistical inference,
https://doi.org/10.1080/01621459.1927.10502953
McCullagh and Nelder (1989), Generalized Linear Models, section 4.5 (over-dispersion), https://doi.org/10.1201/9780203753736
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from tars_lib.engines.sla.report import BurnRate
from tars_lib.model.history import DAY, SECOND, to_micros
from tars_lib.model.slo import AnyPolicy, Track, summed_by_time
from tars_lib.stats.counts import wilson_interval

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
BASE_DAYS = 30
"""Period that the pairs are given for."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Fires beyond `threshold` over both windows (microseconds, for a period of 30 days)."""

    threshold: float
    long: int
    short: int


PAIRS = (
    Pair(14.4, HOUR, 5 * MINUTE),
    Pair(6.0, 6 * HOUR, 30 * MINUTE),
    Pair(3.0, DAY, 2 * HOUR),
    Pair(1.0, 3 * DAY, 6 * HOUR),
)
"""The workbook's recommended pairs: 2 %, 5 %, 10 % and 10 % of the budget of 30 days in the long window. The pair of one
day stands in the workbook's example of multiple windows and in the windows of https://github.com/slok/sloth."""
MIN_PAST = 8
"""Fewest earlier samples from which over-dispersion is estimated; judgement."""
_MEDIAN_CHI2 = 0.4549364
"""Median of a chi-squared variable with one degree of freedom."""


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """One window in every scope, (S,) each: length in microseconds, bad share (NaN without events), events, samples."""

    length: Ints
    share: Floats
    events: Floats
    samples: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Burns:
    """Burn rates of every repo, and of the whole organisation in the last place.

    Attributes
    ----------
    allowed : float
        Share that may be bad; 0 for an objective of 100 %.
    parts : tuple of (_Part, _Part)
        Long and short window of each of `PAIRS`.
    noise : ndarray, shape (S,)
        How many times the variance between samples exceeds that of counts; 1 where no pair is near firing.
    fewest : int
        Events or samples without which a window says nothing.
    counted : str
        What is counted: events or samples.
    """

    allowed: float
    parts: tuple[tuple[_Part, _Part], ...]
    noise: Floats
    fewest: int
    counted: str

    def rates(self, column: int | None) -> tuple[BurnRate, ...]:
        """Return all pairs in one repo by position; None for the whole organisation."""
        position = -1 if column is None else column
        made = [self._rate(number, position) for number in range(len(PAIRS))]
        lowest = {(rate.long_window, rate.short_window): rate for rate in made}
        return tuple(_merged(rate, lowest[rate.long_window, rate.short_window]) for rate in made)

    def firing(self, column: int | None) -> BurnRate | None:
        """Return the most urgent pair that fires, None where none does."""
        return next((rate for rate in self.rates(column) if rate.is_firing), None)

    def candidates(self) -> NDArray[np.bool_]:
        """Scopes in which some pair is beyond its threshold before counting noise is looked at, (S,)."""
        beyond = np.zeros(self.noise.size, dtype=bool)
        for pair, (long, short) in zip(PAIRS, self.parts, strict=True):
            bound = pair.threshold * self.allowed
            with np.errstate(invalid="ignore"):
                beyond |= (long.share > bound) & (short.share > bound)
        return beyond if self.allowed > 0 else np.zeros_like(beyond)

    def _rate(self, number: int, position: int) -> BurnRate:
        pair, (long, short) = PAIRS[number], self.parts[number]
        reason = self._why_not(pair, long, short, position)
        shares = [float(part.share[position]) for part in (long, short)]
        rates = [share / self.allowed if self.allowed > 0 and np.isfinite(share) else None for share in shares]
        is_firing = reason is None and all(self._is_beyond(pair, part, position) for part in (long, short))
        return BurnRate(
            long_window=window_text(int(long.length[position])),
            short_window=window_text(int(short.length[position])),
            threshold=pair.threshold,
            long_rate=rates[0],
            short_rate=rates[1],
            is_firing=is_firing,
            can_fire=reason is None,
            reason=reason,
        )

    def _why_not(self, pair: Pair, long: _Part, short: _Part, position: int) -> str | None:
        if self.allowed <= 0:
            return "the objective allows no failures, so there is no budget to burn"
        bound = pair.threshold * self.allowed
        if bound > 1:
            return f"even if everything fails the burn rate is {1 / self.allowed:.3g}, not above {pair.threshold:g}"
        for part in (long, short):
            window, n = window_text(int(part.length[position])), float(part.events[position])
            if part.samples[position] == 0:
                return f"no samples in the last {window}"
            if n < self.fewest:
                return f"{n:.0f} {self.counted} in the last {window}, fewer than {self.fewest}"
            if wilson_interval(n, n)[0] <= bound:
                few = f"{n:.0f} {self.counted} in the last {window} are too few"
                return f"{few} to tell a burn rate of {pair.threshold:g} from chance"
        return None

    def _is_beyond(self, pair: Pair, part: _Part, position: int) -> bool:
        share, bound = float(part.share[position]), pair.threshold * self.allowed
        independent = float(part.events[position] / self.noise[position])
        return share > bound and wilson_interval(min(share, 1.0) * independent, independent)[0] > bound


def burn_rates(policy: AnyPolicy, track: Track, repos: int, scope: Ints, as_of: datetime) -> Burns | None:
    """Burn rates of an SLA in each of its repos and, from summed counts, in all of them together.

    Windows are scaled by period / 30 days; one shorter than the sampling interval becomes that interval.

    Parameters
    ----------
    track : Track
        Its samples; those in maintenance windows are left out.
    scope : ndarray of int64
        Positions of those that the SLA judges.

    Returns
    -------
    Burns or None
        None where the SLI is no mean of shares, so that it has no budget that is spent over time.
    """
    spent = policy.spent(track.part(0, 0))
    if spent is None:
        return None
    allowed, last = spent[2], to_micros(as_of)
    judged = np.zeros(repos, dtype=bool)
    judged[scope] = True
    steps = np.append(track.step, int(np.median(track.step)))
    factor = policy.period_days / BASE_DAYS
    reach = max(int(max(pair.long for pair in PAIRS) * factor), int(steps.max()))
    lengths = [np.maximum(int(length * factor), steps) for pair in PAIRS for length in (pair.long, pair.short)]
    sums = np.zeros((len(lengths), 3, repos + 1))
    for _, part in track.parts():
        column, time = part.column, part.time
        near = judged[column] & ~part.says_nothing & (time <= last) & (time > last - reach)
        column, time = column[near], time[near]
        bad, weight, _ = policy.spent(part) or spent
        values = (bad[near], weight[near], np.ones(time.size))
        for length, into in zip(lengths, sums, strict=True):
            own, whole = time > last - length[column], time > last - length[-1]
            for value, total in zip(values, into, strict=True):
                total[:-1] += np.bincount(column[own], value[own], repos)
                total[-1] += value[whole].sum()
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = np.where(sums[:, 1] > 0, sums[:, 0] / sums[:, 1], np.nan)
    made = [_Part(*part) for part in zip(lengths, shares, sums[:, 1], sums[:, 2], strict=True)]
    parts = tuple(zip(made[::2], made[1::2], strict=True))
    burns = Burns(allowed, parts, np.ones(repos + 1), policy.fewest, policy.counted)
    for position in np.flatnonzero(burns.candidates()).tolist():
        burns.noise[position] = _over_dispersion(track, judged, None if position == repos else position, last - reach)
    return burns


def _over_dispersion(track: Track, judged: NDArray[np.bool_], column: int | None, before: int) -> float:
    """Variance of earlier samples of a ratio over that of binomial counts with one rate, 1 or more.

    The median of the squared Pearson residuals over that of chi-squared, so that an old incident does not hide a new one;
    times (1 + r) / (1 - r) for their lag-1 autocorrelation r, as the samples of a window resemble each other.
    """
    if track.total is None:
        return 1.0
    if column is None:
        _, bad, total = summed_by_time(_earlier(part, part.total, before, judged) for _, part in track.parts())
    else:
        mine = track.alone(column)
        _, bad, total = _earlier(mine, mine.total, before, None)
    rate = float(bad.sum() / total.sum()) if total.size else 0.0
    if total.size < MIN_PAST or not 0.0 < rate < 1.0:
        return 1.0
    residual = (bad - total * rate) / np.sqrt(total * rate * (1.0 - rate))
    spread = float(np.median(residual**2)) / _MEDIAN_CHI2
    signs = np.sign(residual - np.median(residual))
    # of a Gaussian AR(1) the signs agree with probability 1/2 + asin(r) / pi, which no outlier changes
    agreed = float((signs[1:] * signs[:-1]).mean())
    r = min(max(float(np.sin(0.5 * np.pi * agreed)), 0.0), 0.9)
    return max(spread, 1.0) * (1.0 + r) / (1.0 - r)


def _earlier(
    track: Track, total: Floats | None, before: int, judged: NDArray[np.bool_] | None
) -> tuple[Ints, Floats, Floats]:
    """Time, bad events and events of the samples up to a time at which some came."""
    if total is None:
        total = np.zeros(len(track.rows))
    time = track.time
    chosen = ~track.says_nothing & (time <= before) & (total > 0)
    if judged is not None:
        chosen &= judged[track.column]
    return time[chosen], track.value[chosen], total[chosen]


def _merged(rate: BurnRate, lowest: BurnRate) -> BurnRate:
    """A pair whose windows have become those of a pair with a lower threshold says nothing of its own."""
    if rate.threshold == lowest.threshold:
        return rate
    return BurnRate(
        long_window=rate.long_window,
        short_window=rate.short_window,
        threshold=rate.threshold,
        long_rate=rate.long_rate,
        short_rate=rate.short_rate,
        is_firing=False,
        can_fire=False,
        reason=f"samples are too far apart: the same windows as the pair at {lowest.threshold:g}, which fires first",
    )


def window_text(length: int) -> str:
    """Return a length in microseconds as in `1d12h`, `5m`, `4m40s`.

    Examples
    --------
    >>> window_text(36 * HOUR), window_text(5 * MINUTE), window_text(280 * SECOND), window_text(0)
    ('1d12h', '5m', '4m40s', '0s')
    """
    parts, rest = [], round(length / SECOND)
    for name, unit in (("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)):
        amount, rest = divmod(rest, unit)
        if amount:
            parts.append(f"{amount}{name}")
    return "".join(parts[:2]) or "0s"
