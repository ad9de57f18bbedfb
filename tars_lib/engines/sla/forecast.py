"""Will an SLA be breached within its period, and when?

The samples are gathered into rows of a day (or of one sampling interval, where that is longer), the rows into the mean over
the SLA's own window, which is what the verdict compares with the objective. `tars_lib.stats.forecasting.limit_crossing`
says what it becomes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from tars_lib.engines.sla.report import DaysUntilBreach
from tars_lib.engines.sla.thresholds import LIKELY
from tars_lib.model.history import DAY, to_micros
from tars_lib.model.names import Trend
from tars_lib.model.slo import AnyPolicy, Track
from tars_lib.stats.changes.trend import Trends, linear_trends
from tars_lib.stats.forecasting.extrapolation import AS_NOW, SHIFT
from tars_lib.stats.forecasting.limit_crossing import BreachForecasts, forecasts_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MAX_ROWS = 400
"""Rows of the past that are looked at: a year of days and a month; judgement."""
TREND_ROWS = 28
"""Fewest rows over which the trend is judged, where there are as many; judgement: four weeks of days."""
TREND_LEVEL = 0.05
"""Two-sided level of a trend, the customary one, as in the health report."""
_METHODS = {AS_NOW: "forecast to stay as it is now", SHIFT: "forecast from the level of the last week"}


@dataclass(frozen=True, slots=True)
class Outlook:
    """Future of one scope. `reason` says why something is null, or what the forecast rests on."""

    trend: Trend
    probability: float | None
    days: DaysUntilBreach | None
    reason: str | None

    @property
    def is_likely(self) -> bool:
        """Return whether a breach within the period is more likely than not."""
        return self.probability is not None and self.probability > LIKELY


@dataclass(frozen=True, slots=True, eq=False)
class Outlooks:
    """Outlooks of every repo, and of the whole organisation in the last place; `refusal` says why there are none."""

    trends: Trends
    crossings: BreachForecasts | None
    row_days: float
    period_days: int
    refusal: str | None

    def of(self, column: int | None) -> Outlook:
        """One repo by position; None for the whole organisation."""
        position = -1 if column is None else column
        trend = self._trend(position)
        if self.crossings is None or not np.isfinite(self.crossings.probability[position]):
            return Outlook(trend, None, None, self.refusal or "too little history to test a forecast on")
        probability = float(self.crossings.probability[position])
        rows = [float(part[position]) for part in (self.crossings.value, self.crossings.low, self.crossings.high)]
        return Outlook(trend, probability, self._days(probability, rows), self._basis(position))

    def likely(self) -> NDArray[np.bool_]:
        """Scopes whose breach is more likely than not, (S,)."""
        if self.crossings is None:
            return np.zeros(self.trends.slope.size, dtype=bool)
        with np.errstate(invalid="ignore"):
            return np.asarray(self.crossings.probability > LIKELY)

    def _trend(self, position: int) -> Trend:
        if self.crossings is not None and self.crossings.slope[position] != 0:
            return Trend.DECLINING if self.crossings.slope[position] > 0 else Trend.IMPROVING
        p_value, slope = float(self.trends.p_value[position]), float(self.trends.slope[position])
        if not np.isfinite(p_value):
            return Trend.UNKNOWN
        if p_value > TREND_LEVEL or slope == 0:
            return Trend.STABLE
        return Trend.DECLINING if slope > 0 else Trend.IMPROVING

    def _days(self, probability: float, rows: list[float]) -> DaysUntilBreach | None:
        if probability <= LIKELY or not np.isfinite(rows[0]):
            return None
        value, low, high = (row * self.row_days if np.isfinite(row) else None for row in rows)
        return None if value is None or low is None else DaysUntilBreach(value, low, high)

    def _basis(self, position: int) -> str:
        if self.crossings is None:
            raise ValueError("no forecast")
        method = _METHODS.get(int(self.crossings.method[position]), "forecast by a damped trend")
        ahead = self.crossings.horizon * self.row_days
        basis = f"{method}, tested {self.crossings.paths[position]} times up to {ahead:g} days ahead on past data"
        short = ahead < self.period_days
        return basis + (f"; beyond {ahead:g} days of the {self.period_days} there is no forecast" if short else "")


def forecasts(
    policies: Sequence[AnyPolicy], track: Track, repos: int, scope: Ints, as_of: datetime
) -> dict[float, Outlooks]:
    """Return the outlooks of SLAs in each of their repos and, for a ratio, in all of them together, by objective.

    Parameters
    ----------
    policies : sequence of AnyPolicy
        At least one; they differ in the objective alone.
    track : Track
        Its samples; those in maintenance windows are left out.
    scope : ndarray of int64
        Positions of those that the SLA judges.

    Returns
    -------
    dict of float to Outlooks
        Without forecasts for a window of minutes or hours or of the calendar, and for an SLI that is no mean over it.
    """
    policy = policies[0]
    is_mean = _harm(policy, track.part(0, 0))[3]
    last = to_micros(as_of)
    common = int(np.median(track.step)) if track.step.size else DAY
    row = max(common, DAY) if policy.window.days else common
    judged = np.zeros(repos, dtype=bool)
    judged[scope] = True
    span = int(policy.window.length.total_seconds() * 1e6)
    window = max(round(span / row), 1)
    earliest = track.rows.earliest
    most = min(max(MAX_ROWS, window), max((last - (last if earliest is None else earliest)) // row + 1, 0))
    amounts, weights = _in_rows(policy, track, judged, last, row, most)
    if policy.adds_up:
        for sums in (amounts, weights):
            sums[:, -1] = sums[:, :-1].sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(weights > 0, amounts / weights, np.nan)
    trends = linear_trends(share[-max(window, TREND_ROWS) :])
    refusal = None
    if not policy.window.days:
        refusal = f"a window of {policy.window} cannot forecast {policy.period_days} days ahead; windows of days can"
    elif policy.window.anchor:
        refusal = "a calendar window begins anew with each period; a forecast is made for rolling windows"
    elif not is_mean:
        refusal = "a forecast is made for means and shares, and this SLI is neither"
    if refusal is not None:
        return {alike.objective: Outlooks(trends, None, row / DAY, policy.period_days, refusal) for alike in policies}
    horizon = max(int(policy.period_days * DAY / row), 1)
    # repos out of scope would only dilute the control of false discoveries
    chosen = np.append(scope, repos) if policy.adds_up else scope
    limits = np.array([[_harm(alike, track.part(0, 0))[2]] for alike in policies])
    made = forecasts_of(amounts[:, chosen], weights[:, chosen], window, horizon, np.repeat(limits, chosen.size, axis=1))
    return {
        alike.objective: Outlooks(trends, _spread(of_one, chosen, repos + 1), row / DAY, policy.period_days, None)
        for alike, of_one in zip(policies, made, strict=True)
    }


def _spread(made: BreachForecasts, chosen: Ints, places: int) -> BreachForecasts:
    """Forecasts at the places of their scopes, NaN and 0 elsewhere."""

    def wide(part: Floats, empty: float) -> Floats:
        full = np.full(places, empty)
        full[chosen] = part
        return full

    return BreachForecasts(
        probability=wide(made.probability, np.nan),
        value=wide(made.value, np.inf),
        low=wide(made.low, np.inf),
        high=wide(made.high, np.inf),
        method=wide(made.method.astype(np.float64), AS_NOW).astype(np.int64),
        slope=wide(made.slope, 0.0),
        paths=wide(made.paths.astype(np.float64), 0.0).astype(np.int64),
        horizon=made.horizon,
    )


def _harm(policy: AnyPolicy, track: Track) -> tuple[Floats, Floats, float, bool]:
    """Amount and weight of each sample, (n,) each, more is worse; the limit; whether the SLI is their mean."""
    spent = policy.spent(track)
    if spent is not None:
        return (*spent, True)
    sign = -1.0 if policy.higher_is_better else 1.0
    return sign * track.value, np.ones(track.value.size), sign * policy.objective, policy.is_mean


def _in_rows(
    policy: AnyPolicy, track: Track, judged: NDArray[np.bool_], last: int, row: int, most: int
) -> list[Floats]:
    """Amount and weight summed by row and repo, (T, repos + 1), T at most `most`; the last column is for all repos together."""
    sums = [np.zeros((most, judged.size + 1)) for _ in range(2)]
    rows = 0
    for _, mine in track.parts():
        # a cell holds samples of one repo, all of which are in one part
        column, age = mine.column, (last - mine.time) // row
        counted = judged[column] & ~mine.says_nothing & (age >= 0) & (age < most)
        if not counted.any():
            continue
        first, end = int(column[0]), int(column[-1]) + 1
        rows = max(rows, int(age[counted].max()) + 1)
        cell = (most - 1 - age[counted]) * (end - first) + column[counted] - first
        for part, whole in zip(_harm(policy, mine)[:2], sums, strict=True):
            added = np.bincount(cell, part[counted], most * (end - first))
            whole[:, first:end] = added.reshape(most, end - first)
    return [whole[most - rows :] for whole in sums]
