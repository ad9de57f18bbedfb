"""Changes of level: found where they were planted, not found in noise."""

from __future__ import annotations

import numpy as np
import pytest

from tars_lib.stats.changes.level_shift import ALPHA, MIN_SEGMENT, level_shifts


def autoregressive(rng: np.random.Generator, n: int, rho: float) -> np.ndarray:
    values = rng.normal(size=n)
    for row in range(1, n):
        values[row] += rho * values[row - 1]
    return values


@pytest.mark.parametrize("planted", [10, 30, 50])
@pytest.mark.parametrize("size", [5.0, -5.0])
def test_a_planted_change_is_found_where_it_is(planted: int, size: float) -> None:
    rng = np.random.default_rng(planted)
    exact = 0
    for _ in range(50):
        values = rng.normal(size=60) + size * (np.arange(60) >= planted)
        found = level_shifts(values)
        assert found
        closest = min(found, key=lambda shift: abs(shift.index - planted))
        exact += closest.index == planted
        assert np.sign(closest.after - closest.before) == np.sign(size)
        assert closest.p_value <= ALPHA
    assert exact >= 45


@pytest.mark.parametrize("n", [10, 30, 90, 180])
def test_white_noise_has_a_change_no_more_often_than_promised(n: int) -> None:
    rng = np.random.default_rng(n)
    assert np.mean([bool(level_shifts(rng.normal(size=n))) for _ in range(800)]) <= 2 * ALPHA


def test_slow_noise_has_few_changes() -> None:
    rng = np.random.default_rng(8)
    assert np.mean([bool(level_shifts(autoregressive(rng, 90, 0.6))) for _ in range(500)]) <= 0.05


@pytest.mark.xfail(
    reason="a second change of level makes the residual look autocorrelated, which hides both", strict=True
)
def test_two_changes_are_found_in_order_with_the_levels_beside_them() -> None:
    rng = np.random.default_rng(9)
    values = np.repeat([10.0, 50.0, 30.0], 30) + rng.normal(size=90)
    first, second = level_shifts(values)
    assert (first.index, second.index) == (30, 60)
    assert (first.before, first.after, second.before, second.after) == pytest.approx((10, 50, 50, 30), abs=0.7)


def test_a_clean_step_is_certain() -> None:
    (shift,) = level_shifts(np.repeat([1.0, 2.0], 10))
    assert (shift.index, shift.before, shift.after, shift.p_value) == (10, 1.0, 2.0, 0.0)


def test_missing_samples_are_skipped_and_the_index_is_that_of_the_full_series() -> None:
    rng = np.random.default_rng(10)
    values = rng.normal(size=80) + 8 * (np.arange(80) >= 40)
    values[rng.permutation(80)[:20]] = np.nan
    values[40] = 8.0
    (shift,) = level_shifts(values)
    assert shift.index == 40


@pytest.mark.parametrize(
    "values",
    [[], [1.0], [1.0] * 50, [0.1] * 50, [np.nan] * 50, list(range(2 * MIN_SEGMENT - 1)), [0.0] * 3 + [9.0] * 3],
)
def test_empty_short_constant_and_missing_series_have_no_change(values: list[float]) -> None:
    assert level_shifts(np.array(values, dtype=float)) == []


def test_a_single_outlier_is_not_a_change_of_level() -> None:
    rng = np.random.default_rng(12)
    values = rng.normal(size=60)
    values[30] = 40.0
    assert level_shifts(values) == []
