"""Requests that are lost, and loads that begin somewhere, are told from faults of the repos beside them."""

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from tars_lib.engines.root_causes.ranking import rank_root_causes

PAST, DURING = 200, 8
CALLS = {
    ("web", "cart"): 1.0,
    ("web", "search"): 1.0,
    ("cart", "db"): 2.0,
    ("search", "index"): 1.0,
    ("index", "disk"): 1.0,
}
ORDER = ("web", "cart", "search", "db", "index", "disk")
OWN_S = {"web": 0.05, "cart": 0.03, "search": 0.02, "db": 0.01, "index": 0.02, "disk": 0.004}


def system(lost=None, failing_early=None, loaded=None, slowed=(), gives_up=False, seed=0):
    """Six repos; requests to `lost` vanish, `failing_early` fails before it calls, `loaded` gets requests of its own.

    `slowed` grow slow under more requests. Where it `gives_up`, web does not search after cart failed.
    """
    rng = np.random.default_rng(seed)
    rows = PAST + DURING
    now = np.arange(rows) >= PAST
    sent = {repo: np.zeros(rows) for repo in ORDER}
    sent["web"] = rng.poisson(1000, rows).astype(float)
    served, fails, latency = {}, {}, {}
    for repo in ORDER:
        if repo == loaded:
            sent[repo] = sent[repo] * np.where(now, 4.0, 1.0)
        gone = np.where(now & (repo == lost), 0.6, 0.0)
        served[repo] = rng.binomial(sent[repo].astype(int), 1.0 - gone).astype(float)
        fails[repo] = np.where(now & (repo == failing_early), 0.4, 1e-4)
        for (caller, callee), calls in CALLS.items():
            if caller == repo:
                given_up = gives_up * (callee == "search") * (0.4 * (failing_early == "cart") + 0.6 * (lost == "cart"))
                skipped = np.where(now, given_up, 0.0)
                sent[callee] = sent[callee] + rng.poisson(served[repo] * (1.0 - fails[repo]) * (1.0 - skipped) * calls)
    columns = {}
    for repo in reversed(ORDER):
        latency[repo] = OWN_S[repo] * rng.lognormal(0.0, 0.05, rows)
        usual = np.median(served[repo][:PAST])
        if repo in slowed:
            latency[repo] = latency[repo] * np.maximum(1.0, 5.0 * (served[repo] / usual - 1.0))
        for (caller, callee), calls in CALLS.items():
            if caller == repo:
                latency[repo] = latency[repo] + calls * latency[callee]
                missed = np.where(now & (callee == lost), 0.6, 0.0)
                fails[repo] = 1.0 - (1.0 - fails[repo]) * (1.0 - fails[callee]) * (1.0 - missed)
        columns[repo, "latency"] = latency[repo]
        columns[repo, "requests_total"] = served[repo]
        columns[repo, "requests_failed"] = rng.binomial(served[repo].astype(int), fails[repo]).astype(float)
    frame = pd.DataFrame(columns, index=pd.date_range("2024-03-01", periods=rows, freq="5min", tz="UTC"))
    frame.columns = pd.MultiIndex.from_tuples(list(columns), names=["repo", "metric"])
    return frame


def rank(frame, metric):
    return rank_root_causes(frame[PAST:], frame[:PAST], ("web", metric), nx.DiGraph(list(CALLS)), frame.index[PAST])


@pytest.mark.parametrize("repo", ["cart", "search"])
def test_repo_that_requests_do_not_reach_is_named_and_the_missing_requests_are_counted(repo):
    causes = rank(system(lost=repo), "availability")
    first = causes.iloc[0]
    assert (first["repo"], first["metric"]) == (repo, "requests_total")
    missing, expected = (int(word) for word in first["evidence"][0].split()[:4:3])
    assert missing / expected == pytest.approx(0.6, abs=0.03)
    assert expected == pytest.approx(1000 * DURING, rel=0.05)


@pytest.mark.parametrize("repo", ["web", "cart", "index"])
def test_repo_that_fails_before_it_calls_keeps_the_blame_for_the_calls_it_does_not_make(repo):
    causes = rank(system(failing_early=repo), "availability")
    assert causes["repo"].iloc[0] == repo
    assert causes["metric"].iloc[0] == "requests_failed"


def test_callee_that_is_not_called_after_another_failed_is_no_cause():
    frame = system(failing_early="cart", gives_up=True)
    # what web fails by itself must not be laid on the callee that it did not call
    frame.loc[frame.index[PAST] :, ("web", "requests_failed")] += 100.0
    causes = rank(frame, "availability")
    assert causes["repo"].iloc[0] == "cart"
    assert "web" in set(causes["repo"])
    assert "search" not in set(causes["repo"])


def test_what_lost_requests_and_early_failures_explain_alike_stays_with_the_caller_and_names_both_callees_after_it():
    causes = rank(system(lost="cart", gives_up=True), "availability")
    assert causes["repo"].iloc[0] == "web"
    assert set(causes["repo"].iloc[1:3]) == {"cart", "search"}
    assert causes["contribution"].head(3).tolist() == pytest.approx([0.75, 0.125, 0.125], abs=0.05)
    assert causes["confidence"].iloc[1] < 0.1


def test_only_callee_of_an_only_failing_caller_is_named_second():
    causes = rank(system(lost="db"), "availability")
    assert causes["repo"].head(2).tolist() == ["cart", "db"]
    assert causes["contribution"].iloc[1] == pytest.approx(0.25, abs=0.1)


def test_repo_that_went_silent_while_its_caller_fails_is_named():
    frame = system(lost="search")
    frame.loc[frame.index[PAST] :, "search"] = np.nan
    assert rank(frame, "availability")["repo"].iloc[0] == "search"


def test_repo_that_nobody_measures_any_more_is_told_as_unmeasured_and_not_blamed_for_few_failures():
    frame = system()
    failed = frame["web", "requests_failed"].copy()
    failed.iloc[PAST:] = 40.0
    frame["web", "requests_failed"] = failed
    frame.loc[frame.index[PAST] :, "search"] = np.nan
    causes = rank(frame, "availability")
    assert causes.empty
    assert (causes.attrs["unmeasured"].near, causes.attrs["unmeasured"].calls) == ("web", ("search",))


def test_repo_where_a_load_began_is_named_before_those_that_it_slows_down():
    causes = rank(system(loaded="index", slowed=("disk",)), "latency")
    assert causes["repo"].iloc[0] == "index"
    assert any(
        "requests rose 3.8x" in sentence and "the load entered here" in sentence
        for sentence in causes["evidence"].iloc[0]
    )
    assert causes.attrs["unmeasured"] is None
    assert causes["confidence"].iloc[0] > 0.5


def test_load_that_may_have_come_through_a_caller_that_fell_silent_is_given_half():
    frame = system(loaded="index", slowed=("disk",))
    frame.loc[frame.index[PAST] :, "search"] = np.nan
    causes = rank(frame, "latency")
    assert causes["repo"].iloc[0] == "index"
    assert causes["confidence"].iloc[0] == 0.5
    assert causes.attrs["unmeasured"].calls == ("search",)


def test_load_from_outside_is_named_at_the_target_where_it_slows_many_repos_down():
    causes = rank(system(loaded="web", slowed=("cart", "search", "db", "index")), "latency")
    assert causes["repo"].iloc[0] == "web"
    assert causes["contribution"].iloc[0] > 0.9
    assert causes.attrs["unmeasured"] is None


def test_one_repo_that_cannot_bear_a_load_from_outside_is_named_itself():
    causes = rank(system(loaded="web", slowed=("db",)), "latency")
    assert causes["repo"].iloc[0] == "db"
    assert any("from its callers" in sentence for sentence in causes["evidence"].iloc[0])


def test_requests_that_fluctuate_move_nothing():
    for seed in range(10):
        assert "requests_total" not in set(rank(system(failing_early="db", seed=seed), "availability")["metric"])


@pytest.mark.parametrize(("repo", "at_most"), [("cart", 0.75), ("disk", 1.0)])
def test_failing_caller_whose_calls_nobody_counts_may_not_have_reached_its_callees(repo, at_most):
    frame = system(failing_early=repo)
    shares = {
        (name, "availability"): 1.0 - frame[name, "requests_failed"] / frame[name, "requests_total"] for name in ORDER
    }
    causes = rank(pd.DataFrame(shares).rename_axis(columns=["repo", "metric"]), "availability")
    assert causes["repo"].iloc[0] == repo
    assert at_most - 0.25 < causes["confidence"].iloc[0] <= at_most
