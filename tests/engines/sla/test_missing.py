"""What is missing is bounded, and told: never compliant, and never a breach hidden."""

from __future__ import annotations

from datetime import timedelta

import pytest
from org_samples import DAILY, STAMP, T0, Row, counts, days, org_of, ratio, series, threshold

from tars_lib.engines.health.assess import assess_health
from tars_lib.engines.sla.assess import assess_slas
from tars_lib.engines.sla.report import ComplianceResult, SlaReport
from tars_lib.engines.sla.verdict import judge
from tars_lib.model.names import Event, ReadinessTier, Repo, SlaStatus
from tars_lib.model.slo import AnyPolicy

COMPLIANT, AT_RISK, BREACHED, UNKNOWN = SlaStatus
QUARTER, HOUR = timedelta(minutes=15), timedelta(hours=1)
GOOD = {"total": "requests_total", "part": "requests_ok", "part_is_good": True}


def verdict(rows: list[Row], policy: AnyPolicy, **fields: object) -> ComplianceResult:
    as_of = fields.pop("as_of", None) or max(row[0] for row in rows)
    return judge(org_of(rows, policy, **fields), policy, as_of).result


def report(rows: list[Row], *policies: AnyPolicy, **fields: object) -> SlaReport:
    as_of = max(row[0] for row in rows)
    org = org_of(rows, *policies, **fields)
    return assess_slas(org, as_of, assess_health(org, as_of, STAMP), STAMP)


def totals_and_good(good: list[float | None], total: float = 1000) -> list[Row]:
    rows = series("web", "requests_total", [total] * len(good), step=QUARTER)
    return rows + [(T0 + n * QUARTER, "web", "requests_ok", v) for n, v in enumerate(good) if v is not None]


def test_successes_that_are_absent_may_be_none_or_all() -> None:
    result = verdict(totals_and_good([1000] * 86 + [None] * 10), ratio(0.99, window=days(1), **GOOD))
    assert (result.status, result.value_low, result.value_high) == (UNKNOWN, 86 / 96, 1.0)
    assert result.reason == (
        "requests_ok of web is missing 10 of 96 times, first at 2026-01-01 21:30 UTC; 10.4% of the events are in "
        "question, so the value lies between 89.6% and 100%"
    )


def test_a_breach_that_nothing_missing_can_undo_is_certain() -> None:
    result = verdict(totals_and_good([800] * 86 + [None] * 10), ratio(0.99, window=days(1), **GOOD))
    assert (result.status, result.certain, result.value) == (BREACHED, True, 0.8)
    assert result.value_high == pytest.approx((86 * 800 + 10 * 1000) / 96_000)


def test_a_trifle_in_question_is_told_and_does_not_decide() -> None:
    result = verdict(totals_and_good([1000] * 95 + [None]), ratio(0.995, window=days(1), **GOOD))
    assert (result.status, result.value, result.certain) == (COMPLIANT, 1.0, False)
    assert result.value_low == pytest.approx(95 / 96)
    assert result.missing[0].startswith("requests_ok of web is missing 1 of 96 times")


@pytest.mark.parametrize(("zero", "status", "value"), [(True, COMPLIANT, 1 - 40 / 9600), (False, UNKNOWN, 0.9)])
def test_an_exporter_that_omits_zeros_is_declared(zero: bool, status: SlaStatus, value: float) -> None:
    rows = series("web", "requests_total", [100] * 96, step=QUARTER)
    rows += series("web", "requests_failed", [10] * 4, step=QUARTER)
    result = verdict(rows, ratio(0.99, window=days(1), missing_is_zero=zero))
    assert (result.status, result.value) == (status, pytest.approx(value))


def test_a_repo_without_totals_is_not_known_and_is_named() -> None:
    rows = counts("api", [1000] * 30, [0] * 30) + series("web", "requests_failed", [0] * 30)
    result = verdict(rows, ratio(0.999))
    assert (result.status, result.unknown_repos) == (UNKNOWN, ("web",))
    assert "requests_total of web is missing 30 of 30 times" in (result.reason or "")


def test_a_total_outage_of_a_young_service_is_breached() -> None:
    # 12 of 30 days at 250 an hour; the 18 missing ones may have brought 108,000 good requests
    rows = counts("web", [250] * 288, [0] * 276 + [250] * 12, step=HOUR)
    result = verdict(rows, ratio(0.999))
    assert (result.status, result.certain, result.windows[0].coverage) == (BREACHED, True, pytest.approx(0.4))
    assert result.value_high == pytest.approx(1 - 3000 / 180_000)
    assert result.value_low == pytest.approx(69_000 / 180_000)


def test_a_declared_range_makes_a_mean_certain() -> None:
    rows = series("web", "availability", [0.2] * 6)
    policy = threshold("availability", 0.95, unit="ratio", higher_is_better=True, window=days(15))
    result = verdict(rows, policy)
    assert (result.status, result.certain) == (BREACHED, True)
    assert (result.value_low, result.value_high) == (pytest.approx(0.08), pytest.approx(0.68))


def test_a_worst_sample_beyond_the_limit_stays_so_and_one_within_says_nothing() -> None:
    policy = threshold(objective=2, aggregate="max", window=days(20))
    beyond = verdict(series("a", "latency_p95", [1, 1, 9, 1, 1, 1]), policy)
    assert (beyond.status, beyond.certain, beyond.value_low, beyond.value_high) == (BREACHED, True, 9.0, None)
    assert verdict(series("a", "latency_p95", [1] * 6), policy).status is UNKNOWN


def test_clocks_that_jitter_and_counts_at_two_paces_are_joined_and_told() -> None:
    minute = timedelta(minutes=1)
    late = series("web", "requests_failed", [1] * 96, T0 + timedelta(seconds=3), QUARTER)
    rows = series("web", "requests_total", [100] * 96, step=QUARTER) + late
    policy = ratio(0.98, window=days(1))
    found = report(rows, policy)
    assert (found["availability"].status, found["availability"].value) == (COMPLIANT, 0.99)
    assert any("stamped up to 3 s apart" in warning for warning in found.warnings)
    finer = series("web", "requests_total", [100] * 96, step=QUARTER) + series(
        "web", "requests_failed", [1] * 480, step=3 * minute
    )
    found = report(finer, policy)
    assert (found["availability"].status, found["availability"].value) == (BREACHED, 0.95)
    assert any("different intervals" in warning for warning in found.warnings)


def test_means_are_weighted_by_time() -> None:
    slow = series("a", "latency_p95", [0.2] * 24, step=timedelta(minutes=30))
    rows = slow + series("a", "latency_p95", [1.5] * 120, T0 + 12 * HOUR, timedelta(minutes=6))
    result = verdict(rows, threshold(objective=1.0, window=days(1)))
    # the 6-minute samples end at 23:54, so the first of the half-hourly ones stands for 6 minutes less
    assert (result.status, result.value) == (COMPLIANT, pytest.approx(0.85, abs=0.003))


def test_maintenance_excuses_counts_by_its_share_and_never_a_sample_much_longer_than_it() -> None:
    half_an_hour = Event(T0 + 10 * HOUR, "web", "maintenance", "move", None, T0 + 10.5 * HOUR)
    rows = counts("web", [100] * 24, [0] * 10 + [100] + [0] * 13, step=HOUR)
    result = verdict(rows, ratio(0.9, window=days(1)), events=(half_an_hour,))
    assert result.value == pytest.approx(1 - 50 / 2350)
    minutes = Event(T0 + 5 * DAILY, None, "maintenance", "switch", None, T0 + 5 * DAILY + timedelta(minutes=5))
    found = report(counts("web", [1000] * 30, [0] * 5 + [100] + [0] * 24), ratio(0.999), events=(minutes,))
    assert found["availability"].status is BREACHED
    assert any("too coarse to exclude maintenance 'switch'" in warning for warning in found.warnings)


def test_a_stamp_at_the_end_moves_what_maintenance_excuses() -> None:
    event = Event(T0 + 10 * HOUR, "web", "maintenance", "move", None, T0 + 11 * HOUR)
    rows = counts("web", [100] * 24, [0] * 10 + [100] + [0] * 13, step=HOUR)
    policy = ratio(0.99, window=days(1))
    assert verdict(rows, policy, events=(event,)).status is COMPLIANT
    assert verdict(rows, policy, events=(event,), stamp_at_end=True).status is BREACHED


@pytest.mark.parametrize(("quiet", "status"), [(False, UNKNOWN), (True, COMPLIANT)])
def test_no_traffic_is_no_evidence_unless_it_is_expected(quiet: bool, status: SlaStatus) -> None:
    rows = counts("web", [1000] * 40 + [0] * 20, [0] * 60)
    result = verdict(rows, ratio(window=days(30)), repos=[Repo("web", "web", quiet=quiet)])
    assert result.status is status
    if status is UNKNOWN:
        assert (result.reason or "").startswith("web had no traffic in 67% of the window")


def test_nights_without_traffic_are_a_habit() -> None:
    day = [0] * 14 + [100] * 10
    result = verdict(counts("web", day * 7, [0] * 168, step=HOUR), ratio(window=days(7)))
    assert (result.status, result.missing) == (COMPLIANT, ())


def test_a_customer_facing_repo_that_reports_nothing_is_told_and_keeps_the_tier_from_green() -> None:
    rows = counts("api", [10_000] * 30, [0] * 30) + series("api", "health_score", [95] * 30)
    found = report(rows, ratio(), repos=[Repo("web", "Web shop", customer_facing=True)])
    assert found["availability"].status is COMPLIANT
    assert found.executive_readiness.tier is not ReadinessTier.GREEN
    assert found.risk_narrative.headline == "All SLAs that can be judged are met, but web reports nothing."
    quiet = report(rows, ratio(), repos=[Repo("web", "Web shop", customer_facing=True, quiet=True)])
    assert quiet.risk_narrative.headline == "The SLA is met."


def test_where_nothing_can_be_judged_the_code_says_so() -> None:
    rows = series("web", "lines_of_code", [1] * 30)
    assert report(rows, ratio()).exit_code == 96
    assert report(rows + counts("web", [1000] * 30, [0] * 30), ratio()).exit_code == 0


def test_exactly_the_objective_is_met_and_one_failure_in_ten_could_be_chance() -> None:
    policy = threshold(
        "lat", 0.93, aggregate="good_share", threshold=0.5, unit="ratio", higher_is_better=True, window=days(5)
    )
    met = verdict(series("a", "lat", [0.1] * 93 + [0.9] * 7, step=HOUR), policy)
    assert (met.status, met.value) == (AT_RISK, 0.93)
    found = report(counts("a", [1] * 10, [0] * 9 + [1], step=2 * HOUR), ratio(0.99, window=days(1)))
    assert [breach.could_be_chance for breach in found.breaches] == [True]


def test_a_part_that_is_left_out_where_it_is_zero_has_no_pace_of_its_own() -> None:
    rows = series("web", "requests_total", [100.0] * 24 * 8, step=timedelta(hours=1))
    rows += series("web", "requests_failed", [30.0] * 8, start=T0 + timedelta(hours=3))
    org = org_of(rows, ratio(0.9, missing_is_zero=True, window=days(7)))
    result = judge(org, org.policies[0], T0 + timedelta(hours=24 * 8 - 1), ()).result
    assert (result.value, result.windows[0].coverage, result.certain) == (1.0 - 7 * 30 / (7 * 2400), 1.0, True)
