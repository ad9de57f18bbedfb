"""What a leader's level explains beyond the follower's own past."""

from __future__ import annotations

import numpy as np
import pytest

from tars_lib.stats.pairs.shared_levels import Levels, carried
from tars_lib.stats.series.prewhitening import whitened_panel
from tests.naive import gain_over_past


def walks(seed: int, n: int = 80, columns: int = 5) -> np.ndarray:
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((n, columns)).cumsum(axis=0)
    values[4:, 2] = values[:-4, 0] + rng.standard_normal(n - 4)
    return values


@pytest.mark.parametrize("lag", [0, 1, 4, 11])
@pytest.mark.parametrize("seasons", [(), (7,)])
def test_the_gain_is_that_of_two_regressions(lag, seasons):
    panel = whitened_panel(walks(1), seasons)
    found = Levels(panel, np.arange(5)).at(lag).gain
    for leader in range(5):
        for follower in range(5):
            if leader != follower:
                one = gain_over_past(panel.levels[:, leader], panel.levels[:, follower], panel.basis, lag)
                assert found[leader, follower] == pytest.approx(max(one, 0.0), abs=1e-9)


def test_a_copy_is_told_by_its_lag_however_late_it_comes():
    right = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        walk = rng.standard_normal(100).cumsum()
        values = np.column_stack([walk[10:], walk[:-10] + rng.standard_normal(90)])
        levels = Levels(whitened_panel(values), np.arange(2))
        gains = [levels.at(lag).gain[0, 1] for lag in range(15)]
        right += int(np.argmax(gains)) == 10
    assert right >= 18


def test_gaps_of_the_follower_cost_the_rows_alone():
    values = walks(2, n=200)
    gone = np.random.default_rng(3).random(200) < 0.2
    complete = Levels(whitened_panel(values), np.arange(5)).at(4)
    values[gone, 2] = np.nan
    with_gaps = Levels(whitened_panel(values), np.arange(5)).at(4)
    assert with_gaps.count[2] == complete.count[2] - np.count_nonzero(gone[4:])
    assert with_gaps.gain[0, 2] == pytest.approx(complete.gain[0, 2], abs=0.1)
    assert with_gaps.gain[0, 2] > 0.3


def test_what_an_ar1_expects_fades_over_a_gap():
    levels = np.array([[np.nan], [4.0], [np.nan], [np.nan], [1.0], [2.0]])
    expected = carried(levels, np.array([0.5])).ravel()
    assert np.isnan(expected[:2]).all()
    assert expected[2:].tolist() == [2.0, 1.0, 0.5, 0.5]


def test_a_series_that_its_past_explains_without_rest_needs_no_leader():
    time = np.arange(60)
    growth = 1.05**time
    panel = whitened_panel(np.column_stack([growth, np.random.default_rng(4).standard_normal(60), growth[::-1]]))
    found = Levels(panel, np.flatnonzero(panel.usable)).at(2)
    assert np.isfinite(found.gain).all()
