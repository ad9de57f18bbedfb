"""The fast searches agree with loops, and the screen loses nothing."""

from __future__ import annotations

import numpy as np
import pytest

import tars_lib.stats.pairs.discovery as discovery
import tars_lib.stats.pairs.streamed as stream
from tars_lib.stats.pairs import screening
from tars_lib.stats.pairs.discovery import discovered_pairs
from tars_lib.stats.pairs.lagged_correlation import dense_tests, measured_tests
from tars_lib.stats.pairs.screening import _searched, screened_pairs
from tars_lib.stats.series.prewhitening import whitened_panel
from tests.naive import best_own_lag


def panel_of(seed: int, columns: int, missing: float, n: int = 60):
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((n, columns))
    values[:, : columns // 2] = values[:, : columns // 2].cumsum(axis=0)
    values[3:, 1] += 2 * values[:-3, 0]
    values[rng.random(values.shape) < missing] = np.nan
    return whitened_panel(values, (7,))


@pytest.mark.parametrize("missing", [0.0, 0.1, 0.25])
@pytest.mark.parametrize("max_lag", [0, 5])
def test_the_measured_best_lag_is_the_one_that_loops_find(missing, max_lag):
    panel = panel_of(1, 8, missing)
    first, second = np.triu_indices(8, 1)
    tests = measured_tests(panel, first.astype(np.int64), second.astype(np.int64), max_lag)
    for row, (i, j) in enumerate(zip(first, second, strict=True)):
        leader, follower, lag, _, correlation = best_own_lag(panel, int(i), int(j), max_lag)
        assert int(tests.lag[row]) == lag
        assert tests.correlation[row] == pytest.approx(correlation, rel=1e-9)
        if lag:
            assert (int(tests.first[row]), int(tests.second[row])) == (leader, follower)


@pytest.mark.parametrize("missing", [0.0, 0.1])
def test_dense_and_measured_innovations_are_the_same_numbers(missing):
    panel = panel_of(2, 8, missing)
    dense = dense_tests(panel, 5)
    own = dense.take(~dense.of_levels)
    assert len(own.first)
    measured = measured_tests(panel, own.first, own.second, 5)
    assert np.allclose(measured.correlation, own.correlation, rtol=1e-9)
    assert np.allclose(measured.n_effective, own.n_effective, rtol=1e-9)
    # the dense search tries two statistics
    assert np.allclose(1 - (1 - measured.p_value) ** 2, own.p_value, rtol=1e-6, atol=1e-14)


@pytest.mark.parametrize("missing", [0.0, 0.05, 0.2, 0.4])
@pytest.mark.parametrize("max_lag", [0, 7])
def test_the_screen_loses_no_pair_and_bounds_every_p_value_from_below(missing, max_lag, monkeypatch):
    monkeypatch.setattr(stream, "TILE", 7)
    panel = panel_of(3, 30, missing)
    usable = np.flatnonzero(panel.usable)
    first, second = (usable[part].astype(np.int64) for part in np.triu_indices(len(usable), 1))
    exact = measured_tests(panel, first, second, max_lag).p_value
    kept = screened_pairs(panel, max_lag, 0.3)
    bound = {(i, j): p for i, j, p in zip(kept.first, kept.second, kept.p_bound, strict=True)}
    assert len(bound) == len(kept.first)
    for i, j, p_value in zip(first, second, exact, strict=True):
        if p_value <= 0.3:
            assert bound[i, j] <= p_value * (1 + 1e-9)


@pytest.mark.parametrize("missing", [0.0, 0.1])
def test_screening_then_measuring_discovers_what_measuring_everything_does(missing, monkeypatch):
    panel = panel_of(4, 40, missing, n=90)
    monkeypatch.setattr(discovery, "DENSE_COLUMNS", 10)
    fast = discovered_pairs([panel], 7, 0.2)

    def everything(panels, shared, max_lag, alpha, tested, progress):
        first, second = np.triu_indices(40, 1)
        return first.astype(np.int64), second.astype(np.int64)

    monkeypatch.setattr(discovery, "_possible", everything)
    slow = discovered_pairs([panel], 7, 0.2)
    assert len(slow.q_value) >= 1
    assert fast.tests.first.tolist() == slow.tests.first.tolist()
    assert fast.tests.lag.tolist() == slow.tests.lag.tolist()
    assert fast.q_value == pytest.approx(slow.q_value)


def test_progress_reaches_the_end(monkeypatch):
    monkeypatch.setattr(discovery, "DENSE_COLUMNS", 10)
    shares = []
    discovered_pairs([panel_of(5, 30, 0.0)], 3, 0.05, shares.append)
    assert shares[-1] == pytest.approx(1.0)
    assert shares == sorted(shares)


def test_a_pair_seen_on_one_of_several_metrics_is_found_and_the_metric_named():
    rng = np.random.default_rng(6)
    noise, related = rng.standard_normal((90, 6)), rng.standard_normal((90, 6))
    related[2:, 4] += 1.5 * related[:-2, 1]
    found = discovered_pairs([whitened_panel(noise), whitened_panel(related)], 5, 0.05)
    assert (found.tests.first[0], found.tests.second[0], found.panel[0]) == (1, 4, 1)
    single = discovered_pairs([whitened_panel(related)], 5, 0.05)
    assert found.tests.p_value[0] == pytest.approx(1 - (1 - single.tests.p_value[0]) ** 2, rel=1e-6, abs=1e-15)


def test_only_pairs_that_share_a_metric_are_counted():
    values = np.random.default_rng(7).standard_normal((60, 4))
    left, right = values.copy(), values.copy()
    left[:, 2:] = np.nan
    right[:, :2] = np.nan
    assert discovered_pairs([whitened_panel(left), whitened_panel(right)], 3, 0.05).tested == 2


@pytest.mark.parametrize("related", [0, 3, 30])
def test_with_little_room_the_same_pairs_are_kept(related: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(related)
    values = rng.standard_normal((120, 90))
    values[:, :related] += 0.8 * rng.standard_normal((120, 1))
    panel = whitened_panel(values)
    whole = screened_pairs(panel, 4, 0.2, 90 * 89 // 2)
    searches = []
    monkeypatch.setattr(screening, "MOST_KEPT", 20)
    monkeypatch.setattr(screening, "_searched", lambda *given: searches.append(given) or _searched(*given))
    kept = screened_pairs(panel, 4, 0.2, 90 * 89 // 2)
    assert set(zip(kept.first.tolist(), kept.second.tolist(), kept.p_bound.tolist(), strict=True)) == set(
        zip(whole.first.tolist(), whole.second.tolist(), whole.p_bound.tolist(), strict=True)
    )
    # room for 20 is enough unless more are accepted, and then what was left out is searched for
    assert len(searches) == (2 if len(whole.first) > 20 else 1)
