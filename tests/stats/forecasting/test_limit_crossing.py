"""Forecasts of a rolling mean: against a slow twin, on planted declines, on noise."""

from __future__ import annotations

import numpy as np
import pytest

from tars_lib.stats.forecasting.extrapolation import AS_NOW, MIN_TRAIN, SHIFT, TREND
from tars_lib.stats.forecasting.limit_crossing import (
    MAX_ORIGINS,
    MIN_PATHS,
    BreachForecasts,
    Floats,
    forecast_breaches,
    forecasts_of,
    rows_ahead,
)

WINDOW, HORIZON = 30, 30


def noise(rows: int, columns: int, phi: float, seed: int) -> Floats:
    """AR(1) noise with unit variance."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(size=(rows + 50, columns)) * np.sqrt(1.0 - phi**2)
    made = np.zeros_like(steps)
    for row in range(1, len(steps)):
        made[row] = phi * made[row - 1] + steps[row]
    return made[50:]


def alone(column: Floats, limit: float, window: int = WINDOW, horizon: int = HORIZON) -> BreachForecasts:
    values = column[:, None]
    return forecast_breaches(values, np.ones_like(values), window, horizon, np.array([limit]))


def slow_probability(values: list[float], window: int, horizon: int, limit: float) -> float:
    """ "As it is now", by loops over every origin, path and row."""
    n = len(values)
    ahead = rows_ahead(n, horizon)

    def said(origin: int) -> float:
        known = values[max(origin - window, 0) : origin]
        return sum(known) / len(known)

    hits, paths = 0.0, 0
    for origin in range(MIN_TRAIN, n - ahead + 1):
        paths += 1
        missed = [values[origin + h] - said(origin) for h in range(ahead)]
        for sign in (1.0, -1.0):
            future = [*values, *(said(n) + sign * miss for miss in missed)]
            means = []
            for h in range(1, ahead + 1):
                inside = future[max(n + h - window, 0) : n + h]
                means.append(sum(inside) / len(inside))
            hits += 0.5 * any(mean > limit + 1e-9 for mean in means)
    return (hits + 0.5) / (paths + 1.0)


@pytest.mark.parametrize("seed", range(12))
def test_as_it_is_now_agrees_with_its_slow_twin(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=int(rng.integers(20, 45)))
    window, horizon = int(rng.integers(1, 40)), int(rng.integers(1, 20))
    limit = float(rng.normal(0.3, 0.3))
    found = alone(values, limit, window, horizon)
    assert len(values) - MIN_TRAIN <= MAX_ORIGINS
    if found.method[0] == AS_NOW:
        assert found.probability[0] == pytest.approx(slow_probability(values.tolist(), window, horizon, limit))


def test_a_straight_line_is_followed_to_the_day_on_which_the_window_passes_the_limit() -> None:
    line = np.linspace(0.0, 0.06, 61)
    found = alone(line, 0.065, window=10)
    assert found.method[0] == TREND
    # the mean of the last ten rows passes 0.065 when the line stands at 0.0695, ten rows on
    assert found.value[0] == 10.0
    assert found.low[0] <= 10.0 <= found.high[0]
    assert found.probability[0] > 0.9


def shifted(age: int, seed: int) -> Floats:
    """A level that rose from 0 to 1 so many rows ago and has stayed there."""
    values = 0.1 * noise(90, 1, 0.3, seed)[:, 0]
    values[-age:] += 1.0
    return values


def test_a_level_that_has_shifted_is_expected_to_stay() -> None:
    found = [alone(shifted(20, seed), 0.8) for seed in range(30)]
    assert np.mean([one.method[0] == SHIFT for one in found]) > 0.5
    assert all(one.probability[0] > 0.5 for one in found)
    # 24 of the window's 30 rows have to be at the new level, 20 are
    assert 4 <= np.median([one.value[0] for one in found]) <= 8


@pytest.mark.parametrize("age", [8, 13, 20, 30])
def test_a_step_is_not_drawn_out_into_a_trend(age: int) -> None:
    likely = [alone(shifted(age, seed), 1.3).probability[0] > 0.5 for seed in range(30)]
    assert np.mean(likely) <= 0.1


@pytest.mark.parametrize("phi", [0.0, 0.5])
@pytest.mark.parametrize("rows", [30, 60, 120])
def test_noise_is_not_told_to_breach(rows: int, phi: float) -> None:
    values = noise(rows, 100, phi, rows)
    likely = [alone(values[:, seed], 1.5).probability[0] > 0.5 for seed in range(100)]
    assert np.mean(likely) <= 0.05


@pytest.mark.parametrize("phi", [0.0, 0.5])
def test_noise_in_many_columns_is_not_told_to_breach(phi: float) -> None:
    values = noise(90, 200, phi, 8)
    found = forecast_breaches(values, np.ones_like(values), WINDOW, HORIZON, np.full(200, 1.5))
    assert (found.probability > 0.5).mean() <= 0.02
    assert (found.method != AS_NOW).mean() <= 0.05


@pytest.mark.parametrize(("phi", "share"), [(0.0, 0.9), (0.5, 0.7)])
def test_a_slow_decline_is_found_before_it_breaches(phi: float, share: float) -> None:
    values = noise(60, 50, phi, 3)
    values += 0.156 * np.maximum(np.arange(60) - 20.0, 0.0)[:, None]
    found = [alone(values[:, seed], 6.0) for seed in range(50)]
    # without noise the window passes the limit fourteen rows on
    assert np.mean([one.probability[0] > 0.5 for one in found]) >= share
    days = [one.value[0] for one in found if np.isfinite(one.value[0])]
    assert 11 <= np.median(days) <= 18


def test_a_decline_among_calm_columns_is_found_and_they_are_not() -> None:
    values = noise(90, 100, 0.3, 6)
    values[:, 17] += 0.156 * np.maximum(np.arange(90) - 50.0, 0.0)
    found = forecast_breaches(values, np.ones_like(values), WINDOW, HORIZON, np.full(100, 6.0))
    assert np.flatnonzero(found.probability > 0.5).tolist() == [17]


@pytest.mark.parametrize("level", [0.0, 0.001, 0.37])
def test_a_constant_at_its_limit_meets_it(level: float) -> None:
    found = alone(np.full(60, level), level)
    assert found.probability[0] == pytest.approx(0.5 / (found.paths[0] + 1))
    assert np.isinf(found.value[0])


@pytest.mark.parametrize("rows", [0, 1, MIN_TRAIN, MIN_TRAIN + 3])
def test_too_short_a_past_gives_no_probability(rows: int) -> None:
    found = alone(noise(rows, 1, 0.0, 1)[:, 0], 0.0)
    assert np.isnan(found.probability).all()
    assert found.paths[0] < MIN_PATHS


def test_a_column_without_samples_gives_no_probability_and_disturbs_none() -> None:
    values = noise(60, 1, 0.0, 2)
    amount, weight = np.hstack([values, 0 * values]), np.hstack([np.ones((60, 1)), np.zeros((60, 1))])
    both = forecast_breaches(amount, weight, WINDOW, HORIZON, np.full(2, 0.2))
    assert both.probability[0] == alone(values[:, 0], 0.2).probability[0]
    assert np.isnan(both.probability[1])


def test_several_limits_at_once_are_each_limit_alone() -> None:
    values = np.cumsum(noise(70, 5, 0.3, 3), axis=0)
    weight = np.ones_like(values)
    limits = np.array([[0.5] * 5, [2.0] * 5, [4.0, 1.0, 0.0, 9.0, 2.0]])
    together = forecasts_of(values, weight, WINDOW, HORIZON, limits)
    for found, limit in zip(together, limits, strict=True):
        single = forecast_breaches(values, weight, WINDOW, HORIZON, limit)
        assert [getattr(found, name).tolist() for name in ("probability", "value", "method", "paths")] == [
            getattr(single, name).tolist() for name in ("probability", "value", "method", "paths")
        ]
    assert together[0].probability.tolist() != together[1].probability.tolist()


def test_no_column_at_all_gives_empty_arrays() -> None:
    found = forecast_breaches(np.zeros((60, 0)), np.zeros((60, 0)), WINDOW, HORIZON, np.zeros(0))
    assert found.probability.shape == (0,)


def test_the_unit_of_the_weights_does_not_matter() -> None:
    rng = np.random.default_rng(5)
    weight = rng.integers(50, 150, (70, 3)).astype(np.float64)
    amount = weight * (0.4 + 0.1 * rng.normal(size=(70, 3)))
    one, other = (forecast_breaches(k * amount, k * weight, WINDOW, HORIZON, np.full(3, 0.42)) for k in (1.0, 1000.0))
    assert one.probability.tolist() == other.probability.tolist()


def test_gaps_leave_a_decline_visible() -> None:
    values = noise(90, 1, 0.0, 7)
    values += 0.156 * np.maximum(np.arange(90) - 50.0, 0.0)[:, None]
    weight = np.ones_like(values)
    weight[np.random.default_rng(1).random(90) < 0.2] = 0.0
    found = forecast_breaches(values * weight, weight, WINDOW, HORIZON, np.array([6.0]))
    assert found.probability[0] > 0.5


def test_more_columns_than_a_chunk_holds_change_nothing_but_what_is_called() -> None:
    values = noise(60, 250, 0.0, 11)
    whole = forecast_breaches(values, np.ones_like(values), WINDOW, HORIZON, np.full(250, 0.1))
    for column in (0, 99, 100, 249):
        single = alone(values[:, column], 0.1)
        if single.method[0] == whole.method[column]:
            assert single.probability[0] == whole.probability[column]


def test_a_wider_window_or_a_nearer_limit_changes_the_probability() -> None:
    values = noise(80, 1, 0.5, 9)[:, 0]
    near, far, narrow = alone(values, 0.3), alone(values, 0.6), alone(values, 0.3, window=5)
    assert far.probability[0] < near.probability[0] < narrow.probability[0]


@pytest.mark.parametrize(
    ("amount", "weight", "window", "limit"),
    [((5, 2), (5, 1), 3, 2), ((5, 2), (5, 2), 3, 1), ((5,), (5,), 3, 0), ((5, 2), (5, 2), 0, 2)],
)
def test_arrays_that_do_not_fit_are_refused(
    amount: tuple[int, ...], weight: tuple[int, ...], window: int, limit: int
) -> None:
    with pytest.raises(ValueError, match="allowed"):
        forecast_breaches(np.ones(amount), np.ones(weight), window, 3, np.ones(limit))
