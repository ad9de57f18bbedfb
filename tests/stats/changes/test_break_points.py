"""`lasting_breaks`: which steps and turns it finds, where, and what it must not take for one."""

from __future__ import annotations

import numpy as np
import pytest

from tars_lib.stats.changes.break_points import lasting_breaks
from tars_lib.stats.series.prewhitening import whitened_panel


def memory(shocks, phi):
    out = np.zeros_like(shocks)
    for t in range(1, len(out)):
        out[t] = phi * out[t - 1] + shocks[t]
    return out


def found_in(values, seasons=(7,), alpha=0.01):
    panel = whitened_panel(values, seasons)
    return lasting_breaks(values, panel.phi, panel.basis, alpha)


@pytest.mark.parametrize("phi", [0.0, 0.6])
def test_a_step_near_the_end_is_found_at_its_sample(phi):
    rng = np.random.default_rng(1)
    exact = 0
    for _ in range(10):
        values = memory(rng.standard_normal((290, 6)), phi)[-90:] * np.sqrt(1 - phi**2)
        values[82:, 2] -= 8.0
        exact += [(one.column, one.index, one.size < 0, one.is_ramp) for one in found_in(values)] == [
            (2, 82, True, False)
        ]
    assert exact >= 9


def test_a_dip_that_has_passed_is_two_breaks():
    values = np.random.default_rng(2).standard_normal((120, 4))
    values[60:75, 1] -= 9.0
    assert [(one.index, one.size > 0) for one in found_in(values)] == [(60, False), (75, True)]


def test_a_turn_into_a_decline_is_a_ramp_whose_interval_holds_the_turn():
    """A decline looks like memory: about two in three are found."""
    rng = np.random.default_rng(3)
    found = []
    for _ in range(20):
        values = rng.standard_normal((90, 12))
        values[78:, 0] -= 1.2 * np.arange(1, 13)
        found += [one for one in found_in(values) if one.column == 0]
    assert len(found) >= 10
    assert np.mean([one.low <= 78 <= one.high for one in found]) >= 0.8
    assert np.mean([one.is_ramp for one in found]) >= 0.8
    assert all(one.size < -3.0 for one in found)


def test_a_step_behind_a_gap_stays_one_step():
    values = np.random.default_rng(4).standard_normal((90, 3))
    values[70:, 1] -= 9.0
    values[64:74, 1] = np.nan
    assert [(one.column, one.index) for one in found_in(values)] == [(1, 74)]


@pytest.mark.parametrize("kind", ["white", "ar", "walk", "weekend", "trend"])
def test_noise_memory_calendar_and_trend_are_no_breaks(kind):
    """480 columns: at 2.5 % (nominal 1 %), more than 24 have probability below 0.1 %."""
    rng = np.random.default_rng([5, len(kind)])
    hits = 0
    for _ in range(40):
        shocks = rng.standard_normal((290, 12))
        values = memory(shocks, {"ar": 0.9, "walk": 1.0}.get(kind, 0.0))[-90:]
        if kind == "weekend":
            values -= 5.0 * (np.arange(90) % 7 >= 5)[:, None]
        if kind == "trend":
            values += np.linspace(0.0, 10.0, 90)[:, None]
        hits += len({one.column for one in found_in(values)})
    assert hits <= 24


def test_intervals_of_equal_moments_seldom_exclude_each_other():
    rng = np.random.default_rng(6)
    wrong = pairs = 0
    for _ in range(30):
        values = rng.standard_normal((90, 8))
        values[80:, :4] -= 5.0
        breaks = {one.column: one for one in found_in(values)}
        for a in range(4):
            for b in range(a):
                if a in breaks and b in breaks:
                    pairs += 1
                    wrong += breaks[a].high < breaks[b].low or breaks[b].high < breaks[a].low
    assert pairs > 100
    assert wrong <= 0.1 * pairs


@pytest.mark.parametrize("shape", [(0, 3), (1, 3), (11, 3), (40, 0)])
def test_too_little_gives_nothing(shape):
    values = np.zeros(shape)
    assert lasting_breaks(values, np.zeros(shape[1]), np.ones((shape[0], 1))) == []


def test_constant_and_missing_columns_give_nothing_and_the_input_stays():
    values = np.full((60, 3), 5.0)
    values[:, 1] = np.nan
    before = values.copy()
    assert lasting_breaks(values, np.zeros(3), np.ones((60, 1)) / np.sqrt(60)) == []
    np.testing.assert_array_equal(values, before)


def test_a_stricter_level_finds_no_more():
    values = np.random.default_rng(7).standard_normal((90, 30))
    values[80:, :5] -= 4.0
    assert 0 < len(found_in(values, alpha=1e-9)) < len(found_in(values, alpha=0.05))
