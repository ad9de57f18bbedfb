"""Verdicts on SLAs at, just within and just beyond every border of the contract."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from org_samples import DAILY, FIVE_MINUTES, T0, Row, counts, days, org_of, ratio, series, threshold

from tars_lib.engines.sla.report import ComplianceResult
from tars_lib.engines.sla.verdict import judge
from tars_lib.model.metrics import Metric
from tars_lib.model.names import Event, Repo, SlaStatus
from tars_lib.model.slo import AnyPolicy, Window

COMPLIANT, AT_RISK, BREACHED, UNKNOWN = SlaStatus
LAST = T0 + 29 * DAILY


def verdict(rows: list[Row], policy: AnyPolicy, **fields: object) -> ComplianceResult:
    as_of = fields.pop("as_of", None) or max((row[0] for row in rows), default=LAST)
    return judge(org_of(rows, policy, **fields), policy, as_of).result


def spread(total: int, failed: int, samples: int = 30, repo: str = "a") -> list[Row]:
    """`total` requests and `failed` failures over the samples of a month."""
    share, rest = divmod(total, samples)
    bad = [failed // samples + (n < failed % samples) for n in range(samples)]
    return counts(repo, [share + (n < rest) for n in range(samples)], bad)


@pytest.mark.parametrize(
    ("objective", "total", "failed", "status"),
    [
        (0.999, 100_000, 100, AT_RISK),  # the whole budget used is still within it
        (0.999, 100_000, 101, BREACHED),
        (0.999, 100_000, 80, AT_RISK),
        (0.999, 100_000, 79, COMPLIANT),
        (0.99, 100_000, 799, COMPLIANT),
        (0.9, 1000, 80, AT_RISK),
        (0.9, 1000, 79, COMPLIANT),
        (0.9999, 1_000_000, 80, AT_RISK),
        (0.9999, 1_000_000, 79, COMPLIANT),
        (1.0, 100_000, 0, COMPLIANT),
        (1.0, 100_000, 1, BREACHED),
        (0.1, 1000, 900, AT_RISK),
        (0.1, 1000, 901, BREACHED),
    ],
)
def test_a_ratio_at_and_just_beyond_its_borders(objective: float, total: int, failed: int, status: SlaStatus) -> None:
    result = verdict(spread(total, failed), ratio(objective))
    assert result.status is status
    assert result.value == (total - failed) / total


@given(st.integers(1, 9999), st.integers(1, 10**6), st.integers(0, 10**6))
def test_a_ratio_verdict_is_that_of_exact_fractions(tenthousandths: int, total: int, failed: int) -> None:
    objective, failed = tenthousandths / 10_000, min(failed, total)
    if total < 10:
        return
    good, wanted = Fraction(total - failed, total), Fraction(tenthousandths, 10_000)
    used = (1 - good) / (1 - wanted)
    expected = BREACHED if good < wanted else AT_RISK if used >= Fraction(8, 10) else COMPLIANT
    rows = counts("a", [total], [failed])
    assert verdict(rows, ratio(objective, window=days(1))).status is expected


def test_an_objective_of_one_hundred_percent_has_no_budget_to_divide_by() -> None:
    clean = verdict(spread(1000, 0), ratio(1.0)).error_budget
    assert clean is not None
    assert (clean.total, clean.consumed, clean.consumed_share) == (0.0, 0.0, None)
    spent = verdict(spread(1000, 3), ratio(1.0)).error_budget
    assert spent is not None
    assert (spent.total, spent.consumed, spent.remaining, spent.consumed_share) == (
        0.0,
        pytest.approx(3),
        pytest.approx(-3),
        None,
    )


def test_the_error_budget_counts_events() -> None:
    budget = verdict(spread(100_000, 25), ratio(0.999)).error_budget
    assert budget is not None
    assert [budget.total, budget.consumed, budget.remaining, budget.consumed_share] == pytest.approx(
        [100, 25, 75, 0.25]
    )
    assert budget.unit == "events"


@pytest.mark.parametrize(("events", "status"), [(9, UNKNOWN), (10, BREACHED)])
def test_fewer_than_ten_events_are_too_few_to_tell(events: int, status: SlaStatus) -> None:
    result = verdict(counts("a", [1] * events, [1] * events), ratio(0.9, window=days(events)))
    assert result.status is status
    assert result.value == 0.0
    if status is UNKNOWN:
        assert result.reason == "9 events, fewer than 10"
        assert result.error_budget is None


@pytest.mark.parametrize(("samples", "status"), [(2, UNKNOWN), (3, BREACHED)])
def test_fewer_than_three_samples_of_a_metric_are_too_few_to_tell(samples: int, status: SlaStatus) -> None:
    result = verdict(series("a", "latency_p95", [9.0] * samples), threshold(window=days(samples)))
    assert result.status is status


@pytest.mark.parametrize(("silent", "status"), [(50, COMPLIANT), (51, UNKNOWN)])
def test_half_of_the_samples_is_enough_and_a_little_less_is_not(silent: int, status: SlaStatus) -> None:
    rows = series("a", "latency_p95", [0.1] * 300)
    kept = [row for row in rows if not T0 + 200 * DAILY <= row[0] < T0 + (200 + silent) * DAILY]
    result = verdict(kept, threshold(window=days(100)), as_of=T0 + 299 * DAILY)
    assert result.windows[0].coverage == 1 - silent / 100
    assert result.status is status
    if status is UNKNOWN:
        assert result.reason == (
            "samples of a cover 49% of the window: there is no sample between 2026-07-19 00:00 UTC and 2026-09-09 00:00 UTC"
        )


def test_a_repo_that_stopped_reporting_is_never_compliant() -> None:
    rows = counts("a", [1000] * 90, [0] * 90) + counts("b", [1000] * 60, [0] * 60)
    result = verdict(rows, ratio(window=days(30)))
    assert (result.status, result.unknown_repos) == (UNKNOWN, ("b",))
    # b's usual 30,000 requests are in question beside the 30,000 of a
    assert (result.value_low, result.value_high, result.certain) == (0.5, 1.0, False)
    assert result.reason is not None
    assert result.reason.startswith("b has been silent since 2026-03-01 00:00 UTC")


def test_a_breach_elsewhere_outweighs_a_silent_repo() -> None:
    rows = counts("a", [1000] * 90, [100] * 90) + counts("b", [1000] * 60, [0] * 60)
    result = verdict(rows, ratio(window=days(30)))
    assert (result.status, result.affected_repos, result.unknown_repos) == (BREACHED, ("a",), ("b",))


def test_a_repo_with_too_few_events_does_not_hide_a_compliant_rest() -> None:
    result = verdict(counts("a", [1000] * 30, [0] * 30) + counts("idle", [0] * 30, [0] * 30), ratio())
    assert (result.status, result.unknown_repos) == (COMPLIANT, ("idle",))


@pytest.mark.parametrize("metric", ["latency_p95", "lead_time"])
def test_a_metric_that_nobody_reports_is_unknown_and_says_so(metric: str) -> None:
    result = verdict(series("a", "health_score", [90] * 9), threshold(metric))
    assert (result.status, result.value, result.windows, result.error_budget) == (UNKNOWN, None, (), None)
    assert result.reason == f"no service reports {metric}"


def test_half_a_ratio_names_the_count_that_is_lacking() -> None:
    result = verdict(series("a", "requests_total", [90] * 9), ratio())
    assert (result.status, result.reason) == (UNKNOWN, "no service reports requests_failed")


def test_a_policy_for_a_repo_that_does_not_exist_is_unknown_and_names_it() -> None:
    rows = series("a", "latency_p95", [0.1] * 30)
    alone = verdict(rows, threshold(repos=("gost",)))
    assert (alone.status, alone.reason, alone.unknown_repos) == (UNKNOWN, "no such service: gost", ("gost",))
    beside = verdict(rows, threshold(repos=("a", "gost")))
    assert (beside.status, beside.unknown_repos) == (UNKNOWN, ("gost",))
    assert beside.reason == "the rest is compliant, but no such service: gost"


def test_a_named_repo_that_never_reported_is_unknown() -> None:
    rows = series("a", "latency_p95", [0.1] * 30)
    result = verdict(rows, threshold(repos=("a", "b")), repos=[Repo("b", "b")])
    assert (result.status, result.unknown_repos) == (UNKNOWN, ("b",))


@pytest.mark.parametrize(
    ("aggregate", "values", "value", "status"),
    [
        ("mean", [0.4, 0.5, 0.6], 0.5, COMPLIANT),
        ("mean", [0.4, 0.5, 0.7], 1.6 / 3, BREACHED),
        ("median", [0.1, 0.5, 9.0], 0.5, COMPLIANT),
        ("max", [0.1, 0.1, 0.51], 0.51, BREACHED),
        ("last", [9.0, 9.0, 0.5], 0.5, COMPLIANT),
        ("last", [0.1, 0.1, 0.6], 0.6, BREACHED),
    ],
)
def test_each_aggregate_decides(aggregate: str, values: list[float], value: float, status: SlaStatus) -> None:
    result = verdict(series("a", "latency_p95", values), threshold(objective=0.5, aggregate=aggregate, window=days(3)))
    assert (result.status, result.value) == (status, pytest.approx(value))


@pytest.mark.parametrize(("good", "status"), [(94, BREACHED), (95, AT_RISK), (96, AT_RISK), (97, COMPLIANT)])
def test_a_good_share_has_a_budget_of_samples(good: int, status: SlaStatus) -> None:
    policy = threshold(
        "latency", 0.95, aggregate="good_share", threshold=0.3, unit="ratio", higher_is_better=True, window=days(100)
    )
    result = verdict(series("a", "latency", [0.3] * good + [0.4] * (100 - good)), policy)
    assert (result.status, result.value) == (status, good / 100)


@pytest.mark.parametrize(("value", "status"), [(0.4, COMPLIANT), (0.41, AT_RISK), (0.5, AT_RISK), (0.51, BREACHED)])
def test_beyond_the_warning_value_is_at_risk(value: float, status: SlaStatus) -> None:
    assert verdict(series("a", "latency_p95", [value] * 30), threshold(objective=0.5, warning=0.4)).status is status


def test_a_warning_value_below_a_floor_works_the_other_way_round() -> None:
    policy = threshold("health_score", 70, warning=80, higher_is_better=True, unit="score")
    for value, status in ((80, COMPLIANT), (79, AT_RISK), (69, BREACHED)):
        assert verdict(series("a", "health_score", [value] * 30), policy).status is status


@pytest.mark.parametrize(("value", "status"), [(0.11, COMPLIANT), (0.12, AT_RISK), (0.15, AT_RISK), (0.16, BREACHED)])
def test_a_ratio_that_should_be_low_has_a_budget_up_to_its_objective(value: float, status: SlaStatus) -> None:
    policy = threshold("change_failure_rate", 0.15, unit="ratio")
    assert verdict(series("a", "change_failure_rate", [value] * 30), policy).status is status


def test_a_constant_availability_at_its_objective_is_not_breached() -> None:
    policy = threshold("availability", 0.999, unit="ratio", higher_is_better=True)
    assert verdict(series("a", "availability", [0.999] * 30), policy).status is AT_RISK


def test_the_organisation_is_judged_from_summed_counts_and_not_from_averaged_ratios() -> None:
    rows = spread(1_000_000, 100, repo="big") + spread(1000, 2, repo="small")
    result = verdict(rows, ratio(0.999))
    whole = (1_001_000 - 102) / 1_001_000
    assert (result.status, result.scope, result.value) == (BREACHED, "small", 0.998)
    assert result.affected_repos == ("small",)
    both = verdict(rows, ratio(0.9999))
    assert (both.status, both.scope, both.value) == (BREACHED, None, whole)


def test_a_metric_breach_is_that_of_the_worst_repo() -> None:
    rows = [row for repo, v in (("a", 0.6), ("b", 0.9), ("c", 0.1)) for row in series(repo, "latency_p95", [v] * 30)]
    result = verdict(rows, threshold(objective=0.5))
    assert (result.scope, result.value, result.affected_repos) == ("b", pytest.approx(0.9), ("a", "b"))
    assert {r.repo: r.status for r in result.repo_results} == {"a": BREACHED, "b": BREACHED}


def test_a_thirty_minute_window_decides_on_thirty_minutes() -> None:
    rows = series("a", "latency_p95", [0.1] * 1000 + [0.9] * 6, step=FIVE_MINUTES)
    result = verdict(rows, threshold(objective=0.5, window=Window.parse("30m")))
    assert (result.status, result.windows[0].window, result.windows[0].n) == (BREACHED, "30m", 6)
    assert {w.window: w.status for w in result.windows[1:]} == {"7d": UNKNOWN, "30d": UNKNOWN, "90d": UNKNOWN}


def test_other_windows_inform_and_do_not_decide() -> None:
    rows = counts("a", [1000] * 90, [0] * 80 + [10] * 10)
    result = verdict(rows, ratio(0.99, window=days(90)))
    assert result.status is COMPLIANT
    assert {w.window: w.status for w in result.windows} == {"90d": COMPLIANT, "7d": AT_RISK, "30d": COMPLIANT}


def test_a_day_begins_at_the_same_local_time_the_day_before() -> None:
    hour = timedelta(hours=1)
    # in New York clocks go back on 2 November 2025, so its day has 25 hours
    as_of = datetime(2025, 11, 2, 20, tzinfo=UTC)
    rows = series("a", "latency_p95", [0.1] * 100, as_of - 99 * hour, hour)
    lengths = {
        zone: verdict(rows, threshold(window=days(1), time_zone=zone)).windows[0].n
        for zone in ("UTC", "America/New_York")
    }
    assert lengths == {"UTC": 24, "America/New_York": 25}


def test_maintenance_is_listed_and_excused() -> None:
    window = Event(T0 + 10 * DAILY, "a", "maintenance", "Move", None, T0 + 15 * DAILY)
    rows = counts("a", [1000] * 30, [0] * 10 + [999] * 5 + [0] * 15)
    assert verdict(rows, ratio()).status is BREACHED
    result = verdict(rows, ratio(), events=(window,))
    assert (result.status, result.windows[0].coverage, result.windows[0].n) == (COMPLIANT, 1.0, 25_000)
    assert [(e.title, e.samples) for e in result.exclusions] == [("Move", 5)]


def test_maintenance_without_an_end_excuses_nothing() -> None:
    window = Event(T0, "a", "maintenance", "Move")
    assert verdict(counts("a", [1000] * 30, [500] * 30), ratio(), events=(window,)).status is BREACHED


def test_overlapping_maintenance_does_not_make_silence_look_complete() -> None:
    windows = tuple(Event(T0, repo, "maintenance", "Move", None, T0 + 14 * DAILY) for repo in ("a", None))
    rows = [
        row for row in counts("a", [1000] * 60, [0] * 60, T0 - 30 * DAILY) if row[0] < T0 or row[0] >= T0 + 27 * DAILY
    ]
    result = verdict(rows, ratio(), events=windows)
    assert result.status is UNKNOWN
    assert result.windows[0].coverage == pytest.approx(3 / 16)


def test_a_window_that_was_wholly_under_maintenance_is_unknown() -> None:
    window = Event(T0 - DAILY, "a", "maintenance", "Move", None, LAST + DAILY)
    assert verdict(counts("a", [1000] * 30, [0] * 30), ratio(), events=(window,)).status is UNKNOWN


def test_no_data_at_all_is_unknown() -> None:
    result = verdict([], ratio(), repos=[Repo("a", "a")])
    assert (result.status, result.value) == (UNKNOWN, None)


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=40),
    st.sampled_from([0.5, 0.9, 0.999, 1.0]),
)
def test_a_compliant_verdict_always_has_data_enough_and_meets_the_objective(
    samples: list[tuple[int, int]], objective: float
) -> None:
    rows = counts("a", [t for t, _ in samples], [min(t, f) for t, f in samples])
    result = verdict(rows, ratio(objective))
    if result.status in (COMPLIANT, AT_RISK):
        assert result.value is not None
        assert result.value >= objective
        assert result.windows[0].coverage >= 0.5
        assert result.windows[0].n >= 10
    if result.value is not None:
        low, high = result.windows[0].ci_low, result.windows[0].ci_high
        assert low is not None
        assert high is not None
        assert low - 1e-12 <= result.value <= high + 1e-12


@given(st.randoms(use_true_random=False))
@settings(max_examples=25)
def test_losing_samples_never_turns_no_data_into_compliance(random: object) -> None:
    rng = np.random.default_rng(random.getrandbits(32))  # type: ignore[attr-defined]
    rows = counts("a", [100] * 40, [0] * 40)
    kept = [row for row in rows if rng.random() < 0.5]
    if not kept:
        return
    result = verdict(kept, ratio(), as_of=T0 + 39 * DAILY)
    both = {row[0] for row in kept if row[2] == "requests_total"} & {
        row[0] for row in kept if row[2] == "requests_failed"
    }
    arrived = sum(time >= T0 + 10 * DAILY for time in both)
    if arrived == 0:
        assert result.status is UNKNOWN


@pytest.mark.parametrize(
    ("policy", "value", "distance"),
    [
        (ratio(0.99), 0.97, 2.0),
        (ratio(1.0), 0.99, math.inf),
        (ratio(1.0), 1.0, 0.0),
        (threshold(objective=0.5), 1.0, 1.0),
        (threshold("health_score", 80, higher_is_better=True), 60, 0.25),
        (threshold("total_issues", 0), 3, math.inf),
    ],
)
def test_how_far_a_value_is_beyond(policy: AnyPolicy, value: float, distance: float) -> None:
    assert policy.beyond(value) == pytest.approx(distance)


def test_an_sla_in_per_cent_has_the_budget_of_the_same_in_shares() -> None:
    shares = [1.0] * 20 + [0.98] * 10
    policy = threshold("availability", 0.99, unit="ratio", higher_is_better=True)
    of_shares = judge(org_of(series("web", "availability", shares), policy), policy, T0 + 29 * DAILY).result
    metric = {"availability": Metric("availability", "%", True, 0.0, 100.0)}
    policy = threshold("availability", 99.0, unit="%", higher_is_better=True)
    rows = series("web", "availability", [100 * share for share in shares])
    of_hundred = judge(org_of(rows, policy, metrics=metric), policy, T0 + 29 * DAILY).result
    assert of_shares.error_budget is not None
    assert of_hundred.error_budget is not None
    assert of_hundred.error_budget.consumed_share == pytest.approx(2 / 3)
    assert of_hundred.error_budget.consumed_share == pytest.approx(of_shares.error_budget.consumed_share)
    assert of_hundred.error_budget.total == pytest.approx(of_shares.error_budget.total)
    assert [rate.long_rate for rate in of_hundred.burn_rates] == pytest.approx(
        [rate.long_rate for rate in of_shares.burn_rates]
    )


def test_a_level_in_per_cent_has_no_budget() -> None:
    policy = threshold("cpu", 80.0, unit="%", higher_is_better=False)
    metrics = {"cpu": Metric("cpu", "%", False, 0.0, 100.0)}
    result = judge(org_of(series("web", "cpu", [70.0] * 30), policy, metrics=metrics), policy, T0 + 29 * DAILY).result
    assert (result.status, result.error_budget) == (SlaStatus.COMPLIANT, None)
