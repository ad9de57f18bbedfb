"""Whitening, significance and multiplicity: hand-computed cases and planted truth."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tars_lib.stats.multiplicity import adjusted_p_values, expected_false
from tars_lib.stats.pairs.significance import (
    critical_correlation,
    samples_left,
    sidak,
    sidak_inverse,
    tail_probability,
)
from tars_lib.stats.series.autoregression import unbiased_phi
from tars_lib.stats.series.nuisance_design import nuisance_basis, shown_seasons, trend_degree, without_basis
from tars_lib.stats.series.prewhitening import prediction_errors, whitened_panel
from tars_lib.stats.series.usual_level import without_spikes
from tests.naive import step_up


def ar(phi: float, n: int, columns: int, seed: int) -> np.ndarray:
    shocks = np.random.default_rng(seed).standard_normal((n + 300, columns))
    out = np.zeros_like(shocks)
    for t in range(1, len(out)):
        out[t] = phi * out[t - 1] + shocks[t]
    return out[300:]


def test_a_week_of_any_shape_and_a_line_are_removed_completely():
    day = np.arange(42)
    pattern = np.array([3.0, -1.0, 4.0, 1.0, -5.0, 9.0, 2.0])[day % 7] + 0.3 * day
    left = without_basis(pattern[:, None], nuisance_basis(42, (7,), 1))
    assert np.abs(left).max() < 1e-10


def test_missing_rows_do_not_disturb_the_removal():
    day = np.arange(60)
    pattern = (10.0 * (day % 7 >= 5) - 0.2 * day)[:, None].astype(float)
    pattern[[3, 4, 17, 40], 0] = np.nan
    left = without_basis(pattern, nuisance_basis(60, (7,), 1))
    assert np.isnan(left[[3, 4, 17, 40], 0]).all()
    assert np.nanmax(np.abs(left)) < 1e-5


def test_a_cycle_seen_fewer_than_three_times_is_left_in():
    assert nuisance_basis(20, (7,)).shape == (20, 2)
    assert nuisance_basis(21, (7,)).shape == (21, 8)


def test_walks_are_rarely_taken_for_a_common_curve_and_a_curve_is_seen():
    walks = [trend_degree(ar(1.0, 90, 12, seed), (7,)) for seed in range(20)]
    assert sum(degree == 1 for degree in walks) >= 12
    memory = [trend_degree(ar(0.9, 90, 12, seed), (7,)) for seed in range(20)]
    assert sum(degree == 1 for degree in memory) >= 18
    curve = 10 * np.exp(np.linspace(-3, 0, 90))[:, None]
    assert all(trend_degree(ar(0.0, 90, 12, seed) + curve, (7,)) >= 2 for seed in range(20))


@pytest.mark.parametrize("shape", [np.sin, lambda u: np.log1p(3.2 * u), lambda u: 2 / (1 + np.exp(6 - 2 * u))])
def test_shared_growth_of_any_smooth_shape_is_not_a_relation(shape):
    from tars_lib.engines.relations.frames import correlate

    growth = shape(np.linspace(0.0, 2 * np.pi, 365))[:, None]
    sets = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        values = rng.standard_normal((365, 12)) + growth * rng.uniform(1.0, 6.0, 12)
        sets.append(len(correlate(pd.DataFrame(values))) > 0)
    assert sum(sets) <= 2


@pytest.mark.parametrize("phi", [0.0, 0.5, 0.9])
def test_the_bias_of_detrending_is_undone(phi):
    panel = whitened_panel(ar(phi, 90, 400, 1), (7,))
    assert np.mean(panel.phi) == pytest.approx(phi, abs=0.04)


def test_the_expected_autocorrelation_of_white_noise_maps_to_zero():
    # the mean alone: E[r] is about -1/n, to first order (Kendall 1954)
    assert abs(unbiased_phi(np.array([-1 / 80]), np.full((80, 1), 80**-0.5))[0]) < 0.01


def test_errors_are_those_of_a_walk_through_every_column():
    rng = np.random.default_rng(4)
    levels = rng.standard_normal((40, 12))
    levels[rng.random(levels.shape) < 0.4] = np.nan
    levels[:, 5], levels[:9, 6], levels[:, 7] = np.nan, np.nan, rng.standard_normal(40)
    phi = np.linspace(-0.9, 1.0, 12)
    found = prediction_errors(levels, phi)
    for column, coefficient in enumerate(phi):
        last = None
        for row, value in enumerate(levels[:, column]):
            if np.isnan(value):
                assert np.isnan(found[row, column])
                continue
            if last is None:
                want = value * np.sqrt(1.0 - coefficient**2)
            else:
                gap = row - last
                spread = sum(coefficient ** (2 * step) for step in range(gap))
                want = (value - coefficient**gap * levels[last, column]) / np.sqrt(spread)
            assert found[row, column] == pytest.approx(want, abs=1e-12)
            last = row


def test_errors_across_a_gap_are_scaled_to_one_step():
    errors = prediction_errors(np.array([[2.0], [np.nan], [3.0]]), np.array([0.5]))
    # 3 - 0.25 * 2, over sqrt(1 + 0.25)
    assert errors[2, 0] == pytest.approx(2.5 / np.sqrt(1.25))


def test_innovations_of_walks_have_no_memory_left():
    panel = whitened_panel(ar(1.0, 365, 200, 2), (7,))
    assert abs(panel.autocorrelation[0].mean()) < 0.03


def test_spikes_constants_lines_and_short_columns_are_not_judged():
    rng = np.random.default_rng(3)
    values = rng.standard_normal((90, 6))
    values[:, 1] = 7.0
    values[:, 2] = np.nan
    values[:, 3] = 0.0
    values[50, 3] = 1.0
    values[15:, 4] = np.nan
    values[:, 5] = 0.1 * np.arange(90)
    assert whitened_panel(values, (7,)).usable.tolist() == [True, False, False, False, False, False]


def test_quiet_weekends_leave_fewer_samples_that_count():
    from tars_lib.stats.pairs.lagged_correlation import dense_tests, measured_tests

    noise = np.random.default_rng(15).standard_normal((364, 12))
    quiet = noise * np.where(np.arange(364) % 7 >= 5, 0.2, 1.0)[:, None]
    panel, plain = whitened_panel(quiet, (7,)), whitened_panel(noise, (7,))
    assert (plain.rhythm == 1.0).all()
    assert np.allclose(panel.rhythm.mean(axis=1), np.array([1.38, 1.38, 1.38, 1.38, 1.38, 0.06, 0.06]), atol=0.12)
    dense = dense_tests(panel, 0)
    assert dense.n_effective.mean() == pytest.approx(dense_tests(plain, 0).n_effective.mean() / 1.37, rel=0.05)
    same = measured_tests(panel, dense.first, dense.second, 0)
    assert np.allclose(same.n_effective[~dense.of_levels], dense.n_effective[~dense.of_levels])


def test_the_innovations_of_skewed_noise_are_hardly_skewed():
    skewed = np.exp(np.random.default_rng(9).standard_normal((365, 12)))
    innovations = whitened_panel(skewed, (7,)).innovations
    assert (innovations**3).mean(axis=0).max() < 0.4


def test_an_enormous_offset_changes_nothing_even_with_gaps():
    values = ar(0.5, 120, 8, 12)
    values[np.random.default_rng(13).random(values.shape) < 0.1] = np.nan
    near, far = whitened_panel(values, (7,)), whitened_panel(values + 1e12, (7,))
    assert np.allclose(near.innovations, far.innovations, atol=2e-3, equal_nan=True)
    assert np.allclose(near.phi, far.phi, atol=1e-3)


def test_the_rounding_of_a_line_far_from_zero_is_not_data():
    line = 1e9 + 0.1 * np.arange(90.0)[:, None] * np.ones(3)
    assert not whitened_panel(line, (7,)).usable.any()


def test_deep_weekends_and_steep_growth_are_not_taken_for_spikes():
    day = np.arange(365)
    noise = np.random.default_rng(14).standard_normal(365)
    values = np.column_stack([noise - 40.0 * (day % 7 >= 5), noise + np.exp(5.0 * day / 364) / 5])
    assert (without_spikes(values, (7,)) == values).all()
    values[200, 0] = 900.0
    assert without_spikes(values, (7,))[200, 0] < 15.0


def test_an_infinite_value_counts_as_missing():
    values = np.random.default_rng(3).standard_normal((60, 2))
    values[7, 0] = np.inf
    assert np.isnan(whitened_panel(values).innovations[7, 0])


def test_effective_pairs_match_simulation_at_every_lag():
    basis = nuisance_basis(30, (7,), 1)
    rng = np.random.default_rng(4)
    x, y = (without_basis(rng.standard_normal((30, 20000)), basis) for _ in range(2))
    for lag in (0, 1, 7, 10):
        a, b = x[: 30 - lag], y[lag:]
        r = (a * b).sum(0) / np.sqrt((a**2).sum(0) * (b**2).sum(0))
        assert 1 / r.var() == pytest.approx(samples_left(basis, lag), rel=0.08)


def test_the_tail_agrees_with_students_t():
    from scipy import special

    r, n = 0.62, 31.0
    t = r * np.sqrt((n - 2) / (1 - r * r))
    assert float(tail_probability(r, n)) == pytest.approx(2 * special.stdtr(n - 2, -t), rel=1e-12)
    assert float(tail_probability(0.99, 2.5)) == 1.0


@given(st.floats(1e-12, 0.5), st.floats(5.0, 2000.0))
def test_the_bound_on_r_is_the_inverse_of_the_tail(p_value, n):
    assert float(tail_probability(critical_correlation(p_value, n), n)) == pytest.approx(p_value, rel=1e-6)


@given(st.floats(1e-300, 0.99), st.integers(1, 1000))
def test_sidak_is_the_complement_of_no_test_reaching_it(p_value, tests):
    corrected = float(sidak(p_value, tests))
    assert min(1.0, p_value) <= corrected * (1 + 1e-9)
    assert corrected <= min(1.0, tests * p_value) * (1 + 1e-9)
    if corrected < 0.999:
        assert sidak_inverse(corrected, tests) == pytest.approx(p_value, rel=1e-6)


@given(st.lists(st.floats(0.0, 1.0), max_size=30), st.integers(0, 50), st.sampled_from([0.01, 0.05, 0.3]))
def test_q_values_select_what_the_step_up_procedure_selects(p_values, more, alpha):
    tests = len(p_values) + more
    # the unlisted tests have p = 1
    chosen = adjusted_p_values(np.array(p_values), max(tests, 1)) <= alpha * (1 + 1e-12)
    expected = step_up(p_values, max(tests, 1), alpha)
    assert {row for row in range(len(p_values)) if chosen[row]} >= expected
    strictly = adjusted_p_values(np.array(p_values), max(tests, 1)) <= alpha * (1 - 1e-12)
    assert {row for row in range(len(p_values)) if strictly[row]} <= expected


def test_expected_false_discoveries_are_tests_times_the_largest_p():
    assert expected_false(np.array([1e-5, 2e-4]), 1000) == pytest.approx(0.2)
    assert expected_false(np.zeros(0), 1000) == 0.0


def test_columns_are_whitened_alike_alone_and_among_thousands():
    values = ar(0.7, 400, 1200, 5)
    values[np.random.default_rng(6).random(values.shape) < 0.02] = np.nan
    whole = whitened_panel(values, (7,))
    some = np.array([0, 511, 700, 1199])
    few = whitened_panel(values[:, some], (7,))
    assert whole.basis.shape == few.basis.shape
    for name in ("levels", "innovations", "autocorrelation"):
        assert np.allclose(getattr(whole, name)[:, some], getattr(few, name), rtol=1e-9, atol=1e-12, equal_nan=True)
    assert np.allclose(whole.phi[some], few.phi)


def test_one_hour_at_a_thousand_times_the_usual_rate_relates_no_repos():
    from tars_lib.engines.relations.frames import correlate, lead_lag

    rates = 1e-4 * (1 + 0.1 * np.random.default_rng(8).standard_normal((24 * 28, 8)))
    rates[400, :3] = 0.6
    rates[403, 3:6] = 0.6
    frame = pd.DataFrame(rates, index=pd.date_range("2025-01-01", periods=len(rates), freq="h", tz="UTC"))
    assert len(lead_lag(frame, 7)) == 0
    assert {frozenset(pair) for pair in correlate(frame)[["repo_a", "repo_b"]].to_numpy().tolist()} == set()


def test_skewed_noise_keeps_mean_zero_when_its_tail_is_pulled_in():
    skewed = np.exp(np.random.default_rng(9).standard_normal((365, 12)))
    panel = whitened_panel(skewed, (7,))
    assert np.abs(panel.innovations.mean(axis=0)).max() < 1e-12
    assert np.abs(panel.levels.mean(axis=0)).max() < 1e-12


def test_a_calendar_is_taken_out_of_pairs_only_where_the_panel_hints_at_it():
    week = np.tile([0.0, 0.0, 0.0, 0.0, 0.0, -1.0, -1.0], 13)[:90, None]
    kept = [len(shown_seasons(ar(phi, 90, 12, seed), (7,))) for phi in (0.0, 0.9) for seed in range(30)]
    # at level 0.2 more than 24 of 60 have a probability below 0.1 per mille
    assert sum(kept) <= 24
    assert all(shown_seasons(ar(0.0, 90, 12, seed) + week, (7,)) == (7,) for seed in range(30))
    noise = next(noise for noise in (ar(0.0, 90, 12, seed) for seed in range(10)) if not shown_seasons(noise, (7,)))
    assert whitened_panel(noise, (7,)).basis.shape == (90, 8)
    assert whitened_panel(noise, (7,), only_shown=True).basis.shape == (90, 2)


def test_of_two_cycles_only_the_one_that_is_there_is_shown():
    hours = np.arange(24 * 28)
    noise = np.random.default_rng(1).standard_normal((len(hours), 6))
    day, week = np.sin(2 * np.pi * hours / 24)[:, None], np.sin(2 * np.pi * hours / 168)[:, None]
    assert shown_seasons(noise + day, (24, 168)) == (24,)
    assert 168 in shown_seasons(noise + week, (24, 168))


def test_in_many_columns_every_cycle_goes():
    assert shown_seasons(ar(0.0, 60, 100, 2), (7,)) == (7,)
