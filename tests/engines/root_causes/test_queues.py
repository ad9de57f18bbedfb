"""What does not travel along calls, as the age of a queue, is followed along latency, failures and requests of its owner."""

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from tars_lib.engines.root_causes.ranking import rank_root_causes

PAST, SAMPLES = 200, 212
TIME = pd.date_range("2025-03-03", periods=SAMPLES, freq="1min", tz="UTC")
CALLS = nx.DiGraph([("shop", "mailer"), ("mailer", "smtp"), ("mailer", "templates")])


def rank(slow=0.0, failing=0.0, load=1.0, aging=300.0):
    """The shop sends messages to the mailer, which ages because of what it calls or of what is sent."""
    rng = np.random.default_rng(3)
    since = np.arange(SAMPLES) >= PAST
    columns = {}
    latency = {"smtp": 0.05 + slow * since, "templates": np.full(SAMPLES, 0.01), "shop": np.full(SAMPLES, 0.1)}
    latency["mailer"] = 0.02 + latency["smtp"] + latency["templates"]
    for repo, level in latency.items():
        total = rng.poisson(400 * (np.where(since, load, 1.0) if repo == "shop" else 1.0), SAMPLES)
        broken = failing * since * (repo in ("smtp", "mailer"))
        columns[repo, "latency"] = level * (1.0 + 0.02 * rng.standard_normal(SAMPLES))
        columns[repo, "requests_total"] = total
        columns[repo, "requests_failed"] = rng.binomial(total, broken)
    columns["mailer", "queue_age"] = 1.0 + 0.1 * rng.standard_normal(SAMPLES) + aging * since
    frame = pd.DataFrame(columns, index=TIME)
    frame = frame.set_axis(pd.MultiIndex.from_tuples(frame.columns, names=["repo", "metric"]), axis=1)
    target, directions = ("mailer", "queue_age"), {"queue_age": False}
    return rank_root_causes(frame[PAST:], frame[:PAST], target, CALLS, TIME[PAST], higher_is_better=directions)


@pytest.mark.parametrize(
    ("trouble", "repo", "told"),
    [
        ({"slow": 0.5}, "smtp", "followed along latency of mailer"),
        ({"failing": 0.4}, "smtp", "followed along requests_failed of mailer"),
        ({"load": 4.0}, "shop", "requests_total went from"),
        ({}, "mailer", "queue_age went from"),
    ],
)
def test_age_of_a_queue_is_followed_along_the_work_of_its_consumer(trouble, repo, told):
    first = rank(**trouble).iloc[0]
    assert first.repo == repo
    assert any(line.startswith(told) for line in first.evidence)


def test_a_queue_that_does_not_age_has_no_cause_whatever_its_consumer_calls():
    assert rank(slow=0.5, aging=0.0).empty


@pytest.mark.parametrize(("felt", "named"), [(1.0, ["mailer"]), (0.02, [])])
def test_who_does_not_wait_for_a_callee_does_not_suffer_from_it(felt, named):
    """The shop is a little slow, the mailer very much so: either the shop makes few calls of it, or it does not wait."""
    rng = np.random.default_rng(5)
    since = np.arange(SAMPLES) >= PAST
    frame = pd.DataFrame(index=TIME)
    mailer = 0.05 + 0.5 * since
    for repo, level, requests in (("shop", 0.1 + 0.003 * since, 10_000.0 * felt), ("mailer", mailer, 80.0)):
        frame[repo, "latency"] = level * (1.0 + 0.05 * rng.standard_normal(SAMPLES))
        frame[repo, "requests_total"] = rng.poisson(requests, SAMPLES)
    frame.columns = pd.MultiIndex.from_tuples(frame.columns, names=["repo", "metric"])
    causes = rank_root_causes(frame[PAST:], frame[:PAST], ("shop", "latency"), CALLS, TIME[PAST])
    assert causes.repo.tolist()[:1] == named


@pytest.mark.parametrize(("slow", "named"), [(0.5, ["smtp"]), (0.0, [])])
def test_a_queue_that_ages_nearly_as_never_is_believed_with_trouble_in_the_work_of_its_consumer(slow, named):
    assert rank(slow=slow, aging=0.14)["repo"].tolist()[:1] == named
