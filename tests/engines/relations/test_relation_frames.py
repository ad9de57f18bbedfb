"""`correlate` and `lead_lag`: what they find, what they must not find, and what they refuse."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tars_lib.engines.relations.frames import EDGE_COLUMNS, PAIR_COLUMNS, correlate, lead_lag, seasons_of
from tars_lib.errors import InputError


def frame_of(values, freq="D"):
    index = pd.date_range("2025-01-01", periods=len(values), freq=freq, tz="UTC")
    return pd.DataFrame(values, index=index, columns=[f"r{i}" for i in range(values.shape[1])])


def memory(shocks, phi):
    out = np.zeros_like(shocks)
    for t in range(1, len(out)):
        out[t] = phi * out[t - 1] + shocks[t]
    return out


def null_values(kind, n, rng):
    shocks = rng.standard_normal((n + 200, 12))
    day = np.arange(n)
    if kind == "ar":
        return memory(shocks, 0.9)[-n:]
    if kind == "walk":
        return memory(shocks, 1.0)[-n:]
    if kind == "incident":
        since = day[:, None] - rng.integers(5, n - 15, 12)
        return shocks[-n:] + 5.0 * ((since >= 0) & (since < rng.integers(5, 20, 12)))
    extra = {"white": 0.0 * day, "weekend": -5.0 * (day % 7 >= 5), "trend": np.linspace(0, 10, n)}[kind]
    return shocks[-n:] + extra[:, None]


@pytest.mark.parametrize(
    ("kind", "missing"),
    [
        pytest.param(kind, missing, marks=() if (kind, missing) == ("weekend", 0.1) else pytest.mark.thorough)
        for missing in (0.0, 0.1)
        for kind in ("white", "ar", "walk", "weekend", "trend", "incident")
    ],
)
def test_unrelated_repos_give_no_edges(kind, missing):
    """40 sets at n = 30 and 90: at a true rate of 5 %, more than 7 errors have probability below 0.2 %."""
    rng = np.random.default_rng([1, len(kind), int(10 * missing)])
    lagged = same = 0
    for round_ in range(40):
        values = null_values(kind, 30 if round_ % 2 else 90, rng)
        values[rng.random(values.shape) < missing] = np.nan
        frame = frame_of(values)
        lagged += len(lead_lag(frame)) > 0
        same += len(correlate(frame)) > 0
    assert lagged <= 7
    assert same <= 7


def test_a_step_of_each_at_a_time_of_its_own_is_no_relation():
    rng = np.random.default_rng(0)
    values = rng.standard_normal((90, 12)) + 10.0 * (np.arange(90)[:, None] >= rng.integers(5, 85, 12))
    assert lead_lag(frame_of(values)).empty
    assert correlate(frame_of(values)).empty


def test_series_that_changed_together_are_found_with_their_changes():
    values = np.random.default_rng(3).standard_normal((90, 12))
    for place, start in enumerate((60, 62, 65)):
        values[start:, place] += 6.0
    edges = lead_lag(frame_of(values))
    assert ("r0", "r1", 2) in {(one.leader, one.follower, one.lag) for one in edges.itertuples()}
    pairs = {(one.repo_a, one.repo_b) for one in correlate(frame_of(values)).itertuples()}
    assert pairs | set(zip(edges.leader, edges.follower, strict=True)) <= {("r0", "r1"), ("r0", "r2"), ("r1", "r2")}


def chain(rng, phi):
    levels = memory(rng.standard_normal((390, 8)), phi)
    for leader, follower, lag in ((0, 1, 3), (1, 2, 2), (3, 4, 1), (3, 5, 6)):
        levels[lag:, follower] = levels[:-lag, leader] + levels[:, leader].std() * rng.standard_normal(390 - lag)
    return frame_of(levels[-90:])


@pytest.mark.parametrize("phi", [0.0, 0.5])
def test_planted_leaders_are_found_as_direct_and_shortcuts_are_not(phi):
    rng = np.random.default_rng(8)
    found = shortcuts = 0
    for _ in range(20):
        edges = lead_lag(chain(rng, phi)).set_index(["leader", "follower"])
        direct = edges[edges["is_direct"]]["lag"].to_dict()
        for pair, lag in {("r0", "r1"): 3, ("r1", "r2"): 2, ("r3", "r4"): 1, ("r3", "r5"): 6}.items():
            found += direct.get(pair) == lag
        shortcuts += ("r0", "r2") in direct
        shortcuts += ("r4", "r5") in direct
    assert found >= 72
    assert shortcuts <= 4


def test_a_mediator_with_gaps_still_explains_the_shortcut():
    shortcuts = 0
    for seed in range(15):
        rng = np.random.default_rng(seed)
        values = rng.standard_normal((300, 4))
        values[3:, 1] += 1.5 * values[:-3, 0]
        values[2:, 2] += 1.5 * values[:-2, 1]
        values[rng.random(300) < 0.3, 1] = np.nan
        edges = lead_lag(frame_of(values)).set_index(["leader", "follower"])["is_direct"].to_dict()
        assert edges["r0", "r1"]
        assert edges["r1", "r2"]
        shortcuts += edges["r0", "r2"]
    assert shortcuts <= 2


def test_shocks_that_live_on_in_walks_are_found():
    rng = np.random.default_rng(9)
    shocks = rng.standard_normal((90, 12))
    shocks[4:, 5] += shocks[:-4, 2]
    edges = lead_lag(frame_of(shocks.cumsum(axis=0)))
    assert edges[["leader", "follower", "lag"]].to_numpy().tolist()[0] == ["r2", "r5", 4]


def test_a_pair_at_the_same_moment_belongs_to_correlate():
    values = np.random.default_rng(10).standard_normal((90, 5))
    values[:, 3] += 2 * values[:, 1]
    assert correlate(frame_of(values))[["repo_a", "repo_b"]].to_numpy().tolist() == [["r1", "r3"]]
    assert lead_lag(frame_of(values)).empty


def test_the_columns_and_attributes_are_those_of_the_contract():
    values = np.random.default_rng(11).standard_normal((90, 4))
    values[2:, 3] += 2 * values[:-2, 0]
    values[:, 2] -= 3 * values[:, 1]
    edges, pairs = lead_lag(frame_of(values)), correlate(frame_of(values))
    assert tuple(edges.columns) == EDGE_COLUMNS
    assert tuple(pairs.columns) == PAIR_COLUMNS
    assert edges["lag"].dtype == np.int64
    assert edges["is_direct"].dtype == np.bool_
    assert pairs["correlation"].iloc[0] < -0.8
    for out in (edges, pairs):
        assert out.attrs["n"] == 90
        assert 0 < out.attrs["expected_false_discoveries"] <= 0.05 * len(out)
        assert "reason" not in out.attrs
        assert out["correlation"].abs().is_monotonic_decreasing
        assert (out["p_value"] <= out["q_value"]).all()


@pytest.mark.parametrize("rows", [0, 1, 19])
def test_too_few_samples_are_refused_with_the_reason(rows):
    frame = frame_of(np.random.default_rng(12).standard_normal((rows, 3)))
    for out, columns in ((lead_lag(frame), EDGE_COLUMNS), (correlate(frame), PAIR_COLUMNS)):
        assert out.empty
        assert tuple(out.columns) == columns
        assert str(rows) in out.attrs["reason"]
        assert out.attrs["expected_false_discoveries"] == 0.0


def test_constant_and_missing_columns_never_appear():
    values = np.random.default_rng(13).standard_normal((60, 4))
    values[:, 1] = 3.0
    values[:, 2] = np.nan
    assert "1 of 4" in lead_lag(frame_of(values[:, [1, 2, 2, 0]].copy())).attrs["reason"]
    values[:, 3] = values[:, 0]
    assert correlate(frame_of(values))[["repo_a", "repo_b"]].to_numpy().tolist() == [["r0", "r3"]]


def test_rows_may_come_in_any_order_and_the_frame_is_left_alone():
    values = np.random.default_rng(14).standard_normal((80, 4))
    values[3:, 2] += 2 * values[:-3, 0]
    frame = frame_of(values)
    shuffled = frame.sample(frac=1.0, random_state=1)
    before = shuffled.copy()
    pd.testing.assert_frame_equal(lead_lag(shuffled), lead_lag(frame))
    pd.testing.assert_frame_equal(shuffled, before)


def test_a_plain_index_counts_rows_as_days():
    values = np.random.default_rng(15).standard_normal((80, 4)) - 6.0 * (np.arange(80) % 7 >= 5)[:, None]
    values[3:, 2] += 2 * values[:-3, 0]
    plain = pd.DataFrame(values, columns=list("abcd"))
    assert lead_lag(plain)[["leader", "follower", "lag"]].to_numpy().tolist() == [["a", "c", 3]]
    assert correlate(plain).empty


def test_times_in_another_zone_give_the_same_edges():
    values = np.random.default_rng(16).standard_normal((80, 4))
    values[3:, 2] += 2 * values[:-3, 0]
    frame = frame_of(values)
    pd.testing.assert_frame_equal(lead_lag(frame.tz_convert("Asia/Tokyo")), lead_lag(frame))


@pytest.mark.parametrize(
    ("freq", "seasons"), [("D", (7,)), ("h", (24, 168)), ("5min", (288, 2016)), ("W", ()), ("7h", (24,))]
)
def test_cycles_follow_the_step(freq, seasons):
    assert seasons_of(pd.date_range("2025-01-01", periods=50, freq=freq, tz="UTC")) == seasons


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda frame: frame.tz_localize(None), "zone"),
        (lambda frame: pd.concat([frame, frame.iloc[[5]]]), "more than once"),
        (lambda frame: frame.rename(columns={"r1": "r0"}), "more than once"),
        (lambda frame: frame.astype(object).replace(frame.iloc[3, 1], "high"), "no number"),
    ],
)
def test_frames_that_cannot_be_judged_are_refused(change, says):
    frame = change(frame_of(np.random.default_rng(17).standard_normal((40, 3))))
    for function in (lead_lag, correlate):
        with pytest.raises(InputError, match=says):
            function(frame)


@pytest.mark.parametrize("options", [{"alpha": 0.0}, {"alpha": 1.0}, {"max_lag": 0}, {"max_lag": 2.5}])
def test_options_out_of_range_are_refused(options):
    with pytest.raises(InputError):
        lead_lag(frame_of(np.random.default_rng(18).standard_normal((40, 3))), **options)


def test_each_option_changes_what_is_found():
    values = np.random.default_rng(19).standard_normal((90, 6))
    values[9:, 2] += 0.5 * values[:-9, 0]
    frame = frame_of(values)
    assert len(lead_lag(frame, alpha=0.9)) > len(lead_lag(frame, alpha=1e-6))
    values[9:, 2] += values[:-9, 0]
    assert len(lead_lag(frame_of(values), max_lag=9)) == 1
    assert lead_lag(frame_of(values), max_lag=8).empty
