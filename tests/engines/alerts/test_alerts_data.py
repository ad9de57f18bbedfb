"""Numbers that cannot be trusted: silence, impossible counts, changed units; and what only looks like it."""

from __future__ import annotations

import numpy as np
import pytest
from alert_samples import alerts_of, day, facing, noise, of_type, scores
from org_samples import FIVE_MINUTES, T0, org_of, ratio, series

from tars_lib.engines.alerts.report import Alert
from tars_lib.model.names import AlertImpact, AlertSeverity, AlertType
from tars_lib.model.organisation import OrgData


def doubts(org: OrgData) -> list[Alert]:
    return of_type(alerts_of(org), AlertType.DATA_INTEGRITY)


@pytest.mark.parametrize(("lost", "expected"), [(2, False), (3, True), (30, True)])
def test_a_repo_that_stopped_reporting_is_told_of_from_three_lost_samples_on(lost: int, expected: bool) -> None:
    found = doubts(scores({"a": [90.0] * (60 - lost), "b": [90.0] * 60}))
    assert bool(found) is expected
    if expected:
        assert (found[0].title, found[0].repos) == ("a: stopped reporting", ("a",))
        assert (found[0].first_seen, found[0].last_seen) == (day(59 - lost), day(59))
        assert (found[0].severity, found[0].impact) == (AlertSeverity.MEDIUM, AlertImpact.DATA_INTEGRITY)


def test_silence_of_a_customer_facing_repo_is_high_and_still_a_matter_of_data() -> None:
    (alert,) = doubts(scores({"web": [90.0] * 40, "b": [90.0] * 60}, repos=[facing("web")]))
    assert (alert.severity, alert.impact) == (AlertSeverity.HIGH, AlertImpact.DATA_INTEGRITY)


def test_one_lost_metric_is_named_while_the_repo_still_reports() -> None:
    rows = series("a", "health_score", [90.0] * 60) + series("a", "latency", [0.2] * 40)
    (alert,) = doubts(org_of(rows))
    assert alert.title == "a: metrics stopped"
    assert "no longer reports latency" in alert.message


@pytest.mark.parametrize(("lost", "expected"), [(3, False), (4, True)])
def test_a_repo_that_often_loses_samples_may_be_silent_for_longer(lost: int, expected: bool) -> None:
    # two of ten samples never arrive, so three in a row are no surprise: 0.2 ** 3 is 8 in 1000
    rows = [row for n, row in enumerate(series("a", "health_score", [90.0] * (60 - lost))) if n % 10 not in (3, 4)]
    assert bool(doubts(org_of(rows + series("b", "health_score", [90.0] * 60)))) is expected


@pytest.mark.parametrize(("lost", "gap", "expected"), [(4, 6, False), (4, 3, True)])
def test_silence_is_news_only_beyond_the_longest_so_far(lost: int, gap: int, expected: bool) -> None:
    rows = [row for n, row in enumerate(series("a", "health_score", [90.0] * (60 - lost))) if not 20 < n < 20 + gap]
    assert bool(doubts(org_of(rows + series("b", "health_score", [90.0] * 60)))) is expected


def test_half_of_the_recent_samples_missing_is_told_of() -> None:
    rows = [row for n, row in enumerate(series("a", "health_score", [90.0] * 60)) if n < 50 or n in (50, 53, 56, 59)]
    (alert,) = doubts(org_of(rows + series("b", "health_score", [90.0] * 60)))
    assert (alert.title, alert.value) == ("a: samples are missing", pytest.approx(0.4))


def test_what_is_recorded_only_when_something_happens_is_never_missing() -> None:
    rng = np.random.default_rng(2)
    rows = series("b", "health_score", [90.0] * 120)
    for n in range(30):
        days = np.unique(np.floor(rng.exponential(6.0, 15).cumsum()))
        rows += [(day(int(at)), f"r{n}", "time_to_restore", 2.0) for at in days[days < 110]]
    assert doubts(org_of(rows)) == []


@pytest.mark.parametrize(("failed", "expected"), [([0] * 9 + [101], True), ([0] * 9 + [100], False)])
def test_more_failures_than_requests_cannot_be(failed: list[int], expected: bool) -> None:
    rows = series("a", "jobs", [100] * 10) + series("a", "jobs_failed", failed)
    found = doubts(org_of(rows, ratio(total="jobs", part="jobs_failed")))
    assert bool(found) is expected
    if expected:
        (alert,) = found
        assert (alert.severity, alert.value, alert.threshold) == (AlertSeverity.HIGH, 101.0, 100.0)
        assert (alert.first_seen, alert.last_seen) == (day(9), day(9))


def test_counts_of_a_policy_of_the_users_own_are_checked_too_and_once() -> None:
    rows = series("a", "jobs", [10.0] * 10) + series("a", "jobs_good", [10.0] * 8 + [12.0] * 2)
    policies = [ratio(sla_id=name, total="jobs", part="jobs_good", part_is_good=True) for name in ("x", "y")]
    (alert,) = doubts(org_of(rows, *policies))
    assert "2 such samples" in alert.message


@pytest.mark.parametrize(("before", "expected"), [(29, True), (30, False)])
def test_an_impossible_count_is_forgotten_when_no_usual_sla_period_holds_it(before: int, expected: bool) -> None:
    failed = [0] * 60
    failed[59 - before] = 200
    rows = series("a", "jobs", [100] * 60) + series("a", "jobs_failed", failed)
    assert bool(doubts(org_of(rows, ratio(total="jobs", part="jobs_failed")))) is expected


@pytest.mark.parametrize("factor", [1000.0, 0.001, 100.0])
def test_a_change_of_unit_is_told_of(factor: float) -> None:
    values = 0.2 * np.exp(0.1 * noise(np.random.default_rng(3), (60,), 0.5))
    (alert,) = doubts(org_of(series("a", "latency", np.where(np.arange(60) < 55, values, factor * values))))
    assert (alert.source, alert.first_seen, alert.metric) == ("unit", day(55), "latency")


@pytest.mark.parametrize("factor", [10.0, 30.0, 300.0])
def test_a_real_slow_down_is_no_change_of_unit(factor: float) -> None:
    values = 0.2 * np.exp(0.1 * noise(np.random.default_rng(3), (60,), 0.5))
    assert doubts(org_of(series("a", "latency", np.where(np.arange(60) < 55, values, factor * values)))) == []


def test_a_series_that_varies_tenfold_by_itself_is_left_alone() -> None:
    values = np.tile([0.05, 0.2, 0.8], 20)
    assert doubts(org_of(series("a", "latency", np.where(np.arange(60) < 55, values, 100.0 * values)))) == []


def test_an_outage_of_varying_depth_is_no_change_of_unit() -> None:
    values = 0.05 * np.exp(0.1 * noise(np.random.default_rng(3), (60,), 0.5))
    values[55:] = [2.0, 9.0, 5.0, 30.0, 5.0]
    assert doubts(org_of(series("a", "latency", values))) == []


def test_traffic_by_day_and_night_is_no_change_of_unit() -> None:
    hours = np.arange(24 * 14)
    traffic = np.exp(3.0 - 3.5 * np.cos(2 * np.pi * hours / 24)) * 50
    assert doubts(org_of(series("a", "requests_total", np.round(traffic) + 1, T0, 12 * FIVE_MINUTES))) == []
