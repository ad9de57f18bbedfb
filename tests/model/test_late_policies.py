"""Policies that come after the history: what they say of its metrics holds as if they had been there."""

from __future__ import annotations

from datetime import timedelta

import pytest
from org_samples import RootBuilder, series

from tars_lib.errors import InputError
from tars_lib.model.slo import RatioPolicy, ThresholdPolicy

HOUR = timedelta(hours=1)


JOBS = RatioPolicy(sla_id="jobs", sla_name="Jobs", sla_type="t", objective=0.9, total="ran", part="failed")
COUNTERS = {"ran": "slo.yaml", "failed": "slo.yaml"}


def test_counters_that_a_later_policy_declares_are_differenced_once(root: RootBuilder) -> None:
    root.file("org.yaml", "metrics: {requests_total: {kind: counter}}")
    root.add(series("web", "ran", [10, 40, 5], step=HOUR) + series("web", "failed", [0, 1, 1], step=HOUR))
    root.add(series("web", "requests_total", [100, 300, 350], step=HOUR))
    org = root.load().judged_by((JOBS,), "later.yaml", counters=COUNTERS)
    assert org.history.series("ran", "web")[1].tolist() == [30, 5]
    assert org.history.series("failed", "web")[1].tolist() == [1, 0]
    assert org.history.series("requests_total", "web")[1].tolist() == [200, 50]
    again = org.judged_by((JOBS,), "later.yaml", counters=COUNTERS)
    assert again.history.value.tolist() == org.history.value.tolist()


def test_a_running_total_that_a_later_policy_counts_is_refused(root: RootBuilder) -> None:
    root.add(series("web", "ran", range(0, 3000, 100), step=HOUR) + series("web", "failed", [0] * 30, step=HOUR))
    with pytest.raises(InputError, match="^ran of web only grows, from 0 to 2,900 in 29 rises: a running total"):
        root.load().judged_by((JOBS,), "later.yaml")


def test_a_share_that_a_later_policy_measures_has_the_range_of_one(root: RootBuilder) -> None:
    policy = ThresholdPolicy(sla_id="a", sla_name="A", sla_type="t", objective=0.9, metric="hits")
    org = root.add(series("web", "hits", [0.9, 60.0], step=HOUR)).load()
    with pytest.raises(InputError, match=r"hits of web is 60 at 2026-01-01T01:00:00Z; allowed: 0 to 1 \(ratio\)"):
        org.judged_by((policy,), "later.yaml")
