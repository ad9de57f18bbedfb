"""Most of the traffic is gone: told by the service's own past, and not of nights, weekends and noise."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from org_samples import T0, counts, org_of, ratio, threshold

from tars_lib.engines.sla.verdict import judge
from tars_lib.engines.sla.window.traffic import collapse_of, lull_of
from tars_lib.model.history import DAY
from tars_lib.model.names import Repo, SlaStatus
from tars_lib.model.slo import Window

HOUR = DAY // 24


def traffic(hours: int, weekend: float = 1.0, seed: int = 1) -> np.ndarray:
    """Requests an hour: 1,000 by day, 100 at night, fewer on two days of seven."""
    hour = np.arange(hours)
    level = 550 + 450 * np.sin(2 * np.pi * hour / 24)
    return np.random.default_rng(seed).poisson(level * np.where(hour // 24 % 7 >= 5, weekend, 1.0)).astype(float)


def test_a_collapse_is_told_by_the_same_hours_of_its_past() -> None:
    total = traffic(240)
    same = [total[240 - 6 - 24 * day : 240 - 24 * day].sum() for day in range(1, 10)]
    total[-6:] = 2.0
    found = collapse_of(HOUR * np.arange(240), total, HOUR)
    assert found is not None
    assert (found.since, found.until, found.events) == (234 * HOUR, 240 * HOUR, 12.0)
    assert sorted(found.past.tolist()) == sorted(same)


def test_of_days_whole_days_are_compared() -> None:
    total = traffic(24 * 30)
    total[24 * 25 :] = 1.0
    found = collapse_of(HOUR * np.arange(total.size), total, HOUR)
    assert found is not None
    assert (found.since, found.events) == (24 * 25 * HOUR, 24.0)
    assert found.past.tolist() == total[: 24 * 25].reshape(-1, 24).sum(axis=1)[::-1].tolist()


def test_a_young_service_is_compared_with_what_it_had() -> None:
    total = np.append(np.full(40, 500.0), [3.0, 2.0, 4.0, 1.0])
    found = collapse_of(HOUR * np.arange(44), total, HOUR)
    assert found is not None
    assert (found.events, found.past.tolist()) == (10.0, [2000.0] * 10)


@pytest.mark.parametrize(
    ("total", "step"),
    [
        (traffic(24 * 12 + 6), HOUR),  # ends at night
        (traffic(24 * 21, weekend=0.05), HOUR),  # ends on a weekend
        (np.append(traffic(240)[:-2], [3.0, 400.0]), HOUR),  # came back
        (np.append(traffic(240), 5.0), HOUR),  # one sample, perhaps unfinished
        (np.tile([2.0, 1.0, 0.0, 3.0], 60), HOUR),  # few events as ever
        (np.append(traffic(240) * 0.01, [0.0] * 4), HOUR),  # too few to miss
        (np.tile(np.repeat([900.0, 10.0], 12), 3), HOUR),  # young, and as low the night before
    ],
)
def test_what_is_usual_is_not_told(total: np.ndarray, step: int) -> None:
    assert collapse_of(step * np.arange(total.size), total, step) is None


def test_noise_is_hardly_ever_told() -> None:
    rng, told = np.random.default_rng(7), 0
    for _ in range(200):
        total = traffic(24 * 8 + int(rng.integers(24)), seed=int(rng.integers(10**6)))
        total = np.floor(total * np.exp(0.3 * rng.normal(size=total.size)))
        told += collapse_of(HOUR * np.arange(total.size), total, HOUR) is not None
    assert told <= 4, "1 % of 200, and as much again"


def test_a_lull_that_is_over_is_told_where_it_fills_the_window() -> None:
    total = traffic(24 * 40)
    total[24 * 20 : 24 * 35] = 1.0
    found = lull_of(HOUR * np.arange(total.size) + HOUR, total)
    assert found is not None
    assert (found.is_over, found.until - found.since) == (True, 15 * DAY)
    rows = counts("web", total, total * 0, step=timedelta(hours=1))
    end = T0 + timedelta(hours=24 * 40 - 1)
    for window, is_told in ((30, True), (3, False)):
        org = org_of(rows, ratio(0.99, window=Window(days=window)))
        told = judge(org, org.policies[0], end, ()).result.missing
        assert any("was gone from" in sentence for sentence in told) is is_told


@pytest.mark.parametrize("quiet", [False, True])
def test_the_verdict_says_so_beside_what_is_met(quiet: bool) -> None:
    total = traffic(240)
    total[-6:] = 2.0
    rows = counts("web", total, total * 0, step=timedelta(hours=1))
    rows += [(time, repo, "latency_p95", 0.1) for time, repo, metric, _ in rows if metric == "requests_total"]
    org = org_of(
        rows,
        ratio(0.99, window=Window(days=7)),
        threshold(window=Window(days=7)),
        repos=[Repo("web", "web", quiet=quiet)],
    )
    for policy in org.policies:
        result = judge(org, policy, T0 + timedelta(hours=239), ()).result
        assert result.status is SlaStatus.COMPLIANT
        said = [sentence for sentence in result.missing if "most of the traffic of web is gone since" in sentence]
        assert len(said) == (not quiet)
        assert quiet or "12 requests_total, against" in said[0]
