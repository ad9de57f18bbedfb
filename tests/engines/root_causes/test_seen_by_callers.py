"""Harm that changes its form on the way to the target, or that callers alone show, is followed to where it begins."""

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from tars_lib.engines.root_causes.ranking import rank_root_causes

PAST, SAMPLES = 200, 208
TIME = pd.date_range("2025-03-03", periods=SAMPLES, freq="1min", tz="UTC")
CALLS = nx.DiGraph([("web", "cart"), ("web", "search"), ("cart", "store"), ("search", "store"), ("cart", "mail")])
USUAL_S = {"web": 0.2, "cart": 0.1, "search": 0.08, "store": 0.02, "mail": 0.03}
REQUESTS = 400


def ranked(metric, slow=None, failing=None, requests=None, calls=CALLS, counts=True):
    """Causes where latencies are so many times the usual, shares of requests fail, and requests are so many times the usual."""
    rng = np.random.default_rng(5)
    during = np.arange(SAMPLES) >= PAST
    columns = {}
    for repo, usual in USUAL_S.items():
        many = np.where(during, (requests or {}).get(repo, 1.0), 1.0)
        total = rng.poisson(REQUESTS * many)
        share = np.where(during, (failing or {}).get(repo, 1e-4), 1e-4)
        factor = np.where(during, (slow or {}).get(repo, 1.0), 1.0)
        columns[repo, "latency"] = usual * factor * rng.lognormal(0.0, 0.05, SAMPLES)
        failed = rng.binomial(total, share).astype(float)
        of_counts = {"requests_total": total.astype(float), "requests_failed": failed}
        columns |= {
            (repo, name): value for name, value in (of_counts if counts else {"error_rate": failed / total}).items()
        }
    frame = pd.DataFrame(columns, index=TIME)
    frame.columns = pd.MultiIndex.from_tuples(list(columns), names=["repo", "metric"])
    return rank_root_causes(frame[PAST:], frame[:PAST], ("web", metric), calls, TIME[PAST])


def test_slow_callee_for_which_nobody_waits_longer_is_the_cause_of_its_caller_s_failures():
    causes = ranked("availability", slow={"store": 10.0}, failing={"web": 0.2, "cart": 0.3})
    first = causes.iloc[0]
    assert (first["repo"], first["metric"]) == ("store", "latency")
    assert "10x" in first["evidence"][0]
    assert first["evidence"][1].startswith("cart calls it, directly or not, and fails as where nobody waits longer")
    assert 0.5 < first["confidence"] <= 0.75
    assert causes["contribution"].sum() <= 1.0


def test_callee_a_little_slower_leaves_a_failing_caller_in_place():
    first = ranked("availability", slow={"store": 1.8}, failing={"web": 0.2, "cart": 0.3}).iloc[0]
    assert (first["repo"], first["metric"]) == ("cart", "requests_failed")


def test_callee_twice_as_slow_is_the_cause_where_requests_are_counted_and_it_fails_no_more():
    slow, failing = {"store": 2.4}, {"web": 0.2, "cart": 0.3}
    assert ranked("availability", slow, failing).iloc[0]["repo"] == "store"
    assert ranked("availability", slow, failing, calls=None).iloc[0]["repo"] == "store"
    assert ranked("availability", slow, failing | {"store": 0.002}).iloc[0]["repo"] == "cart"
    assert ranked("error_rate", slow, failing, counts=False).iloc[0]["repo"] == "cart"


@pytest.mark.parametrize(("lost", "times", "named"), [(0.0004, 10.0, ["search"]), (0.0004, 1.0, []), (1e-4, 10.0, [])])
def test_few_failures_are_believed_with_a_callee_far_slower_than_ever(lost, times, named):
    # of 3,200 requests three fail, as in 1.6 % of the past
    causes = ranked("availability", slow={"search": times}, failing={"web": lost})
    assert causes["repo"].tolist()[:1] == named


def test_callee_a_little_slower_is_the_cause_where_its_caller_is_slow_with_it():
    # 400 requests a minute wait 0.02 s longer at each, half of which are those of the cart
    first = ranked("availability", slow={"store": 2.0, "cart": 1.2}, failing={"web": 0.2, "cart": 0.3}).iloc[0]
    assert (first["repo"], first["metric"]) == ("store", "latency")


def test_callee_that_a_load_makes_slow_is_no_cause_of_the_failures_of_who_sends_it():
    first = ranked(
        "availability",
        slow={"store": 10.0},
        failing={"web": 0.2, "cart": 0.3},
        requests=dict.fromkeys(USUAL_S, 3.0),
    ).iloc[0]
    assert first["repo"] == "cart"


def test_failing_callee_whose_calls_are_made_again_is_the_cause_of_its_caller_s_waiting():
    first = ranked("latency", slow={"web": 2.0, "cart": 3.0}, failing={"store": 0.2}).iloc[0]
    assert (first["repo"], first["metric"]) == ("store", "requests_failed")
    assert first["evidence"][1].startswith("cart calls it, directly or not, and is slow as where failed calls are made")


@pytest.mark.parametrize(("metric", "harm"), [("latency", "slow"), ("requests_failed", "failing")])
def test_harm_that_several_callers_of_a_repo_share_lies_on_the_way_to_it(metric, harm):
    hurt = {"slow": {"web": 1.4, "cart": 1.5, "search": 1.5}, "failing": {"web": 0.3, "cart": 0.2, "search": 0.2}}[harm]
    first = ranked(metric, **{harm: hurt}).iloc[0]
    assert (first["repo"], first["metric"]) == ("store", metric)
    assert first["evidence"][0].startswith("cart and search began at the same time")
    assert "within its usual range" in first["evidence"][1]
    assert first["confidence"] <= 0.75


def test_caller_that_is_hurt_alone_keeps_the_blame():
    assert ranked("latency", slow={"web": 1.4, "cart": 2.0})["repo"].iloc[0] == "cart"


def test_slow_repo_is_the_cause_of_failures_without_calls_too_unless_it_fails_itself():
    slow, failing = {"store": 10.0, "cart": 1.5}, {"web": 0.2, "cart": 0.3}
    assert ranked("availability", slow=slow, failing=failing, calls=None)["repo"].iloc[0] == "store"
    slow = {"mail": 4.0}
    assert ranked("availability", slow=slow, failing={**failing, "mail": 0.02}, calls=None)["repo"].iloc[0] == "cart"
