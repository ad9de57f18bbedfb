"""Windows are judged against windows of the same shape; noise stays noise, shifts are found."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tars_lib.stats.series import robust

MATRICES = hnp.arrays(
    float,
    st.tuples(st.integers(1, 12), st.integers(1, 4)),
    elements=st.one_of(st.floats(-100, 100), st.just(np.nan)),
)


@given(MATRICES)
def test_column_median_and_mean_equal_numpy_on_what_is_known(values):
    for j in range(values.shape[1]):
        known = values[np.isfinite(values[:, j]), j]
        if known.size == 0:
            assert np.isnan(robust.column_median(values)[j])
            assert np.isnan(robust.column_mean(values)[j])
        else:
            assert robust.column_median(values)[j] == pytest.approx(np.median(known))
            assert robust.column_mean(values)[j] == pytest.approx(known.mean())


@given(MATRICES, st.integers(1, 3), st.integers(0, 3))
def test_matched_excess_equals_a_loop(values, k, m):
    got = robust.matched_excess(values, k, m)
    n = max(len(values) - k - m + 1, 0)
    assert got.shape == (n, values.shape[1])
    centre = robust.column_median(values)
    for i in range(n):
        before, window = values[i : i + m], values[i + m : i + m + k]
        want = robust.column_mean(window) - robust.column_median(np.vstack([before, centre[None, :]]))
        np.testing.assert_allclose(got[i], want, atol=1e-9)


def test_columns_that_are_looked_at_in_parts_are_each_as_alone():
    values = np.random.default_rng(3).standard_normal((700, 250))
    assert robust.WINDOW_VALUES // (robust.MAX_WINDOWS * 3) < 250
    together = robust.matched_excess(values, 2, 2)
    for column in (0, 110, 111, 249):
        assert together[:, column].tolist() == robust.matched_excess(values[:, [column]], 2, 2)[:, 0].tolist()


def test_a_long_past_is_sampled_evenly():
    assert robust.matched_excess(np.arange(5000.0)[:, None], 2, 2).shape == (robust.MAX_WINDOWS, 1)


def test_scale_of_a_mostly_constant_column_is_its_standard_deviation():
    values = np.array([1.0, 1.0, 1.0, 1.0, 6.0])[:, None]
    assert robust.centre_and_scale(values)[1][0] == pytest.approx(2.0)
    assert robust.centre_and_scale(np.ones((5, 1)))[1][0] == 0.0


def test_reference_follows_drift_and_outvotes_a_touched_sample():
    assert robust.reference_level(np.array([[2.0], [2.1]]), np.array([1.0]))[0] == 2.0
    assert robust.reference_level(np.array([[1.0], [9.0]]), np.array([1.1]))[0] == 1.1
    assert robust.reference_level(np.empty((0, 1)), np.array([1.1]))[0] == 1.1


@pytest.mark.parametrize("draw", ["normal", "lognormal", "t"])
def test_tail_probability_is_calibrated_or_careful(draw):
    rng = np.random.default_rng(11)
    sample = {
        "normal": lambda: rng.normal(size=501),
        "lognormal": lambda: rng.lognormal(size=501),
        "t": lambda: rng.standard_t(3, size=501),
    }[draw]
    p = np.array([robust.tail_probability(x[:500], float(x[500])) for x in (sample() for _ in range(2000))])
    assert (p <= 0.01).mean() <= 0.02
    assert (p <= 0.001).mean() <= 0.004
    assert (p <= 0.5).mean() == pytest.approx(0.5, abs=0.05)


def test_tail_probability_falls_with_distance_and_rises_with_spread():
    null = np.random.default_rng(0).normal(size=400)
    near, far = robust.tail_probability(null, 3.0), robust.tail_probability(null, 8.0)
    assert far < near < 0.01
    assert robust.tail_probability(10.0 * null, 8.0) > 0.1


def test_tail_probability_of_few_windows_is_a_t_and_of_none_is_one():
    null = np.array([-1.0, 0.0, 1.0])
    assert 0.01 < robust.tail_probability(null, 5.0) < 0.1
    assert robust.tail_probability(np.array([]), 5.0) == 1.0
    assert robust.tail_probability(null, np.nan) == 1.0


def test_a_constant_null_says_no_more_than_its_size():
    assert robust.tail_probability(np.zeros(9), 1.0) == pytest.approx(0.1)


@pytest.mark.parametrize("samples", [200, 201])
def test_medians_of_long_tables_are_those_of_each_column(samples):
    rng = np.random.default_rng(samples)
    values = np.round(rng.standard_normal((samples, 120)), 1)
    values[rng.random(values.shape) < 0.1] = np.nan
    values[:, :60] = rng.standard_normal((samples, 60))
    values[:, 100] = np.nan
    assert values.size >= robust.LONG
    for laid_out in (values, np.asfortranarray(values)):
        found = robust.column_median(laid_out)
        assert np.isnan(found[100])
        kept = np.delete(np.arange(120), 100)
        np.testing.assert_array_equal(found[kept], np.nanmedian(values[:, kept], axis=0))


@pytest.mark.parametrize("share_missing", [0.0, 0.2])
def test_extremes_are_those_beyond_six_robust_deviations_whatever_could_be_skipped(share_missing):
    rng = np.random.default_rng(9)
    values = rng.standard_normal((91, 300))
    values[:, 50:100] = np.exp(2.0 * values[:, 50:100])
    values[:, 100:150] *= np.where(rng.random((91, 50)) < 0.03, 100.0, 1.0)
    values[:, 150:200] = np.where(rng.random((91, 50)) < 0.7, 1.0, values[:, 150:200])
    values[:, 200:250] = 1e9 + rng.integers(-9, 10, (91, 50))
    values[rng.random(values.shape) < share_missing] = np.nan
    centre = np.nanmedian(values, axis=0)
    scale = 1.4826 * np.nanmedian(np.abs(values - centre), axis=0)
    reach = np.where(scale > 0.0, 6.0 * scale, np.inf)
    found = robust.without_extremes(values)
    np.testing.assert_array_equal(found, np.clip(values, centre - reach, centre + reach))
    touched = (found != values) & ~np.isnan(values)
    assert touched[:, 50:150].any()
    assert not touched[:, 200:250].any()
