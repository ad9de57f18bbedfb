"""Slopes that allow for autocorrelation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tars_lib.stats.changes.trend import MIN_SAMPLES, linear_trends
from tars_lib.stats.multiplicity import discoveries


@given(st.integers(0, 2**32 - 1), st.integers(MIN_SAMPLES, 60))
def test_the_slope_is_that_of_least_squares_on_what_is_there(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(50, 10, (n, 3))
    values[rng.random((n, 3)) < 0.2] = np.nan
    found = linear_trends(values)
    for column in range(3):
        seen = np.isfinite(values[:, column])
        if seen.sum() < MIN_SAMPLES:
            assert np.isnan(found.slope[column])
        else:
            expected = np.polyfit(np.flatnonzero(seen), values[seen, column], 1)[0]
            assert found.slope[column] == pytest.approx(expected, abs=1e-9)
            assert found.low[column] <= found.slope[column] <= found.high[column]


def test_the_interval_of_a_trend_in_white_noise_by_hand() -> None:
    # residuals of alternating sign have no positive autocorrelation, so all ten samples count
    values = (2.0 * np.arange(10) + np.tile([1.0, -1.0], 5))[:, None]
    found = linear_trends(values)
    x = np.arange(10) - 4.5
    slope = float(x @ values[:, 0] / (x @ x))
    residual = values[:, 0] - values.mean() - slope * x
    error = np.sqrt(residual @ residual / 8 / (x @ x))
    assert found.n_effective[0] == 10
    assert found.slope[0] == pytest.approx(slope)
    assert (found.high[0] - found.slope[0]) == pytest.approx(2.306004 * error, rel=1e-6)


@pytest.mark.parametrize("n", [8, 30, 90])
def test_white_noise_is_called_a_trend_no_more_often_than_promised(n: int) -> None:
    rng = np.random.default_rng(n)
    rate = np.mean(linear_trends(rng.normal(size=(n, 4000))).p_value < 0.05)
    assert rate <= 0.06


def test_slow_noise_is_called_a_trend_less_than_half_as_often_as_by_plain_regression() -> None:
    rng = np.random.default_rng(1)
    noise = rng.normal(size=(90, 2000))
    for row in range(1, 90):
        noise[row] += 0.8 * noise[row - 1]
    x = np.arange(90) - 44.5
    slope = x @ noise / (x @ x)
    residual = noise - noise.mean(axis=0) - x[:, None] * slope
    plain = np.abs(slope) / np.sqrt((residual**2).sum(axis=0) / 88 / (x @ x)) > 1.987
    ours = np.mean(linear_trends(noise).p_value < 0.05)
    assert plain.mean() > 0.4
    assert ours < 0.12


@pytest.mark.parametrize("sign", [1, -1])
def test_a_planted_trend_is_found(sign: int) -> None:
    rng = np.random.default_rng(2)
    values = sign * 0.5 * np.arange(30)[:, None] + rng.normal(0, 2, (30, 200))
    found = linear_trends(values)
    assert np.mean(found.p_value < 0.01) > 0.95
    assert np.mean((found.low <= sign * 0.5) & (sign * 0.5 <= found.high)) > 0.85


def test_the_interval_of_a_random_walk_is_wide_and_still_a_number() -> None:
    rng = np.random.default_rng(3)
    found = linear_trends(np.cumsum(rng.normal(size=(30, 500)), axis=0))
    assert np.isfinite(found.low).all()
    assert (found.high - found.low).max() < 1000
    assert np.mean(found.p_value < 0.05) < 0.15


def test_a_constant_has_slope_zero_and_no_significance() -> None:
    found = linear_trends(np.full((20, 2), 0.1))
    assert found.slope == pytest.approx(0, abs=1e-12)
    assert found.p_value.tolist() == [1.0, 1.0]


def test_a_straight_line_is_certain() -> None:
    found = linear_trends(3.0 - 0.5 * np.arange(20.0)[:, None])
    assert (found.slope[0], found.low[0], found.high[0], found.p_value[0]) == pytest.approx((-0.5, -0.5, -0.5, 0.0))


@pytest.mark.parametrize("shape", [(0, 3), (1, 3), (MIN_SAMPLES - 1, 3), (20, 0)])
def test_too_few_samples_say_nothing(shape: tuple[int, int]) -> None:
    found = linear_trends(np.zeros(shape))
    assert found.slope.shape == (shape[1],)
    assert np.isnan(found.slope).all()
    assert np.isnan(found.p_value).all()


def test_a_column_without_data_leaves_its_neighbours_alone() -> None:
    values = np.column_stack([np.arange(20.0), np.full(20, np.nan)])
    found = linear_trends(values)
    assert found.slope[0] == pytest.approx(1.0)
    assert np.isnan(found.slope[1])


@given(st.lists(st.floats(0, 1) | st.just(float("nan")), max_size=40), st.sampled_from([0.01, 0.05, 0.2]))
def test_discoveries_are_those_of_benjamini_and_hochbergs_definition(p_values: list[float], rate: float) -> None:
    tested = sorted(p for p in p_values if p == p)
    passing = [p for rank, p in enumerate(tested, start=1) if p <= rate * rank / len(tested)]
    cut = max(passing, default=-1.0)
    assert discoveries(np.array(p_values, dtype=float), rate).tolist() == [p <= cut for p in p_values]


def test_of_many_null_tests_something_is_named_in_few_runs_only() -> None:
    rng = np.random.default_rng(4)
    runs = [discoveries(rng.random(50)).any() for _ in range(1000)]
    assert np.mean(runs) <= 0.07
