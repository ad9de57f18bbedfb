"""Where nobody counts requests a rare call is no cause, and earlier incidents are not chance."""

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from tars_lib.engines.root_causes.ranking import rank_root_causes
from tars_lib.engines.root_causes.telemetry import _felt_at
from tars_lib.engines.root_causes.uncounted import felt, views

SAMPLES, FIRST = 204, 200
CALLS = nx.DiGraph([("web", "api"), ("web", "view")])


def application(seed=0, rare=0.05, slow=0.04):
    """The target calls one repo for each request; a view of that call is seen for a few of them, eight times as slow."""
    rng = np.random.default_rng(seed)
    during = np.arange(SAMPLES) >= FIRST
    api = 0.02 * rng.lognormal(0.0, 0.1, SAMPLES) + slow * during
    view = 0.05 * rng.lognormal(0.0, 0.3, SAMPLES) + 8.0 * slow * during
    web = 0.05 * rng.lognormal(0.0, 0.05, SAMPLES) + api + rare * view
    columns = {("web", "latency"): web, ("api", "latency"): api, ("view", "latency"): view}
    time = pd.date_range("2024-03-01", periods=SAMPLES, freq="5min", tz="UTC")
    frame = pd.DataFrame(columns, index=time)
    return frame.set_axis(pd.MultiIndex.from_tuples(frame.columns, names=["repo", "metric"]), axis=1)


def rank(frame, first=FIRST, metric="latency", calls=CALLS):
    began = frame.index[FIRST]
    return rank_root_causes(frame[first:], frame[:first], ("web", metric), calls, began)


def test_a_rare_call_that_is_far_slower_is_not_the_cause():
    causes = rank(application())
    assert causes["repo"].tolist()[:2] == ["api", "view"]


def test_a_call_that_hardly_ever_happens_is_told_by_its_gaps():
    frame = application(seed=1, rare=0.0)
    past = np.arange(SAMPLES) < FIRST
    # two samples with a call in two hundred: too few to see anything in how they varied
    frame.loc[past & (np.arange(SAMPLES) % 100 != 7), ("view", "latency")] = np.nan
    assert rank(frame)["repo"].iloc[0] == "api"


@pytest.mark.parametrize(("calls", "first"), [(CALLS, "view"), (nx.compose(CALLS, nx.DiGraph([("api", "db")])), "api")])
def test_what_a_caller_sees_of_a_service_is_no_cause_beside_it(calls, first):
    # the past of the caller follows the view, and hardly the service; without what it calls nothing tells one from the other
    frame = application(seed=3, rare=1.0, slow=0.004)
    frame["db", "latency"] = np.random.default_rng(4).lognormal(-5.0, 0.1, SAMPLES)
    causes = rank(frame, calls=calls)
    assert causes["repo"].iloc[0] == first


@pytest.mark.parametrize(
    ("changed", "is_view"),
    [
        ({}, True),
        ({"onset": np.array([0, 1, 0, 0])}, True),
        ({"onset": np.array([0, 2, 0, 0])}, False),
        # quicker than the answer that it would be waiting for
        ({"level": np.array([0.5, 0.2, 0.3, 0.1])}, False),
        ({"deviates": np.array([True, True, False, True])}, False),
        ({"callees": [[1, 2], [], [], []]}, False),
        ({"callees": [[1, 2], [], [1, 3], []]}, False),
    ],
)
def test_a_view_hangs_on_one_caller_and_follows_a_service(changed, is_view):
    usual = {
        "callees": [[1, 2], [], [3], []],
        "deviates": np.ones(4, dtype=bool),
        "level": np.array([0.5, 0.4, 0.3, 0.1]),
        "onset": np.zeros(4, dtype=int),
    }
    assert views(**{**usual, **changed}).tolist() == [False, is_view, False, False]


def test_what_the_past_cannot_tell_is_not_held_against_a_callee():
    rng = np.random.default_rng(2)
    base = np.column_stack([rng.standard_normal(300), np.zeros(300), rng.standard_normal(300)])
    constant, unrelated = felt(base, "latency", 0, [1, 2])
    assert constant > 1.0
    assert 0.0 < unrelated < 0.3


def test_bursts_that_the_target_feels_are_incidents_and_those_that_it_does_not_are_noise():
    rng = np.random.default_rng(3)
    level = rng.standard_normal(300)
    extreme = np.zeros(300, dtype=bool)
    for start in range(20, 300, 30):
        extreme[start : start + 3] = True
    assert not _felt_at(level, extreme, 5).any()
    level[extreme] += 3.0
    assert _felt_at(level, extreme, 5).tolist() == extreme.tolist()
    # one burst, however long, is one event
    once = np.arange(300) < 40
    level[once] = 5.0
    assert not _felt_at(level, once, 5).any()


def test_incidents_in_the_past_do_not_pass_for_chance():
    rng = np.random.default_rng(4)
    web = 0.08 + 0.01 * rng.standard_normal(SAMPLES)
    api = 0.02 + 0.001 * rng.standard_normal(SAMPLES)
    starts = [*range(10, FIRST - 10, 30), FIRST]
    for start in starts:
        web[start : start + 4] += 0.015
        api[start : start + 4] += 0.015
    frame = application()
    frame["web", "latency"], frame["api", "latency"] = web, api
    causes = rank(frame.drop(columns="view", level="repo"))
    assert causes["repo"].tolist()[:1] == ["api"]
