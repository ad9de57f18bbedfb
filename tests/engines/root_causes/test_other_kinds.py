"""Where only the target reports latency, other metrics lead to a repo if their change is no chance, and are hints otherwise."""

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from tars_lib.engines.root_causes.ranking import rank_root_causes

PAST, SAMPLES = 200, 206
TIME = pd.date_range("2025-03-03", periods=SAMPLES, freq="5min", tz="UTC")
CALLS = nx.DiGraph([("web", "api"), ("api", "db"), ("web", "mail")])


def system(cpu=(), slow=0.5, memory=0.0):
    """Web waits for the others, of which nobody knows how long they take; the last six samples are slow."""
    rng = np.random.default_rng(4)
    during = np.arange(SAMPLES) >= PAST
    columns = {("web", "latency"): 0.4 + 0.01 * rng.standard_normal(SAMPLES) + slow * during}
    for repo in ("api", "db", "mail"):
        factor = 1.0 + 2.0 * during * (repo in cpu)
        columns[repo, "cpu"] = (0.2 + 0.01 * rng.standard_normal(SAMPLES)) * factor
        columns[repo, "memory"] = 5e8 + 1e6 * (rng.standard_normal(SAMPLES) + memory * during * (repo == "db"))
    frame = pd.DataFrame(columns, index=TIME)
    return frame.set_axis(pd.MultiIndex.from_tuples(frame.columns, names=["repo", "metric"]), axis=1)


def rank(frame, calls=CALLS):
    return rank_root_causes(frame[PAST:], frame[:PAST], ("web", "latency"), calls, TIME[PAST])


@pytest.mark.parametrize("calls", [CALLS, None])
def test_processor_leads_to_a_repo_without_latency_and_explains_nothing_of_it(calls):
    causes = rank(system(cpu=["db"]), calls)
    first = causes.iloc[0]
    assert (first.repo, first.metric, first.contribution) == ("db", "cpu", 0.0)
    assert first.confidence == pytest.approx(0.6)
    assert causes.attrs["unexplained"] == 1.0
    assert first.evidence[0].startswith("cpu went from 0.2")
    assert first.evidence[1].startswith("latency is not reported there")


@pytest.mark.parametrize(
    ("metric", "usual", "more", "told"),
    [
        ("error_logs", 0.0, 20.0, "error_logs went from 0 to 20.0, never anything else before"),
        ("span_query", 1.0, 0.5, "span_query went"),
    ],
)
def test_logs_and_spans_are_metrics_like_any_other(metric, usual, more, told):
    frame = system()[[("web", "latency")]].copy()
    rng = np.random.default_rng(6)
    for repo in ("api", "db", "mail"):
        noise = 0.01 * rng.standard_normal(SAMPLES) * usual
        frame[repo, metric] = usual + noise + more * (repo == "db") * (np.arange(SAMPLES) >= PAST)
    first = rank(frame).iloc[0]
    assert (first.repo, first.metric) == ("db", metric)
    assert first.evidence[0].startswith(told)


@pytest.mark.parametrize(
    ("changed", "calls", "confidence"),
    [
        (["db", "mail"], CALLS, [0.5, 0.5]),
        (["db", "api"], CALLS, [0.6, 0.2]),
        (["db", "api"], None, [0.5, 0.5]),
        (["db", "api"], nx.DiGraph([*CALLS.edges, ("db", "api")]), [0.5, 0.5]),
    ],
    ids=["side by side", "who waits comes after", "no calls", "each calls the other"],
)
def test_equal_changes_share_the_claim_unless_one_waits_for_the_other(changed, calls, confidence):
    causes = rank(system(cpu=changed), calls)
    assert set(causes.repo) == set(changed)
    assert causes.confidence.tolist() == pytest.approx(confidence)
    if confidence[0] > confidence[1]:
        assert causes.repo.tolist() == changed
        assert [any("may only wait" in line for line in lines) for lines in causes.evidence] == [False, True]


@pytest.mark.parametrize("counted", ["web", "db", None])
def test_what_fewer_requests_bring_along_is_no_change_of_its_own(counted):
    frame = system()
    rng = np.random.default_rng(7)
    requests = 300.0 - 200.0 * (np.arange(SAMPLES) >= PAST)
    frame["db", "cpu"] = 0.002 * requests * (1.0 + 0.02 * rng.standard_normal(SAMPLES))
    if counted:
        frame[counted, "requests_total"] = rng.poisson(requests).astype(float)
    assert rank(frame).empty is (counted is not None)


@pytest.mark.parametrize(("more", "named"), [(3.0, ["db", "web"]), (300.0, ["web"])])
def test_target_that_changed_alike_is_taken_to_wait_unless_calls_tell(more, named):
    frame = system(cpu=["db"])
    rng = np.random.default_rng(8)
    frame["web", "threads"] = 10.0 + 0.5 * rng.standard_normal(SAMPLES) + 10.0 * more * (np.arange(SAMPLES) >= PAST)
    causes = rank(frame, None)
    assert causes.repo.tolist() == named


def test_what_hardly_ever_moved_does_not_come_first_because_it_moves():
    frame = system(cpu=["db"])
    frame["mail", "memory"] = np.where(np.arange(SAMPLES) >= PAST, 5.01e8, 5e8)
    causes = rank(frame)
    assert causes.repo.tolist() == ["db", "mail"]
    assert "never anything else before" in causes.evidence[1][0]


def test_what_chance_may_show_is_a_hint_and_no_claim():
    causes = rank(system(memory=1.5))
    assert causes.empty
    assert "hints, not claims: db (memory went from" in causes.attrs["reason"]
    assert "hints" not in rank(system()).attrs["reason"]
    # without calls the target is named for want of others, with the same hints beside it
    (evidence,) = rank(system(memory=1.5), None).evidence
    assert evidence[-1].startswith("hints, not claims: db (memory went from")


def test_caller_of_a_repo_that_nobody_sees_is_not_claimed():
    calls = nx.DiGraph([*CALLS.edges, ("db", "disk")])
    causes = rank(system(cpu=["db"]), calls)
    assert causes.empty
    assert causes.attrs["unmeasured"].near == "web"
    assert "hints, not claims: db (cpu went from" in causes.attrs["reason"]


def test_change_elsewhere_is_nothing_where_the_target_is_well():
    assert rank(system(cpu=["db"], slow=0.0)).empty


def test_target_that_nobody_else_could_have_shown_is_named_with_half_the_confidence():
    assert rank(system(), None)[["repo", "confidence"]].values.tolist() == [["web", 0.5]]
