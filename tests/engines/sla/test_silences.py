"""What looks like compliance and is silence: rates without requests, half a rate, increases, uneven samples."""

from __future__ import annotations

from datetime import timedelta

import pytest
from org_samples import DAILY, STAMP, T0, Row, counts, days, org_of, ratio, series, threshold

from tars_lib.engines.health.assess import assess_health
from tars_lib.engines.sla.assess import assess_slas
from tars_lib.engines.sla.report import ComplianceResult, SlaReport
from tars_lib.model.metrics import Metric
from tars_lib.model.names import Event, SlaStatus
from tars_lib.model.slo import AnyPolicy, Window
from tars_lib.model.slo.slices import Slices

COMPLIANT, BREACHED, UNKNOWN = SlaStatus.COMPLIANT, SlaStatus.BREACHED, SlaStatus.UNKNOWN
HOUR, QUARTER = timedelta(hours=1), timedelta(minutes=15)
ERRORS = threshold("error_rate", 0.01, unit="ratio", window=days(1))


def judged(rows: list[Row], policy: AnyPolicy, **fields: object) -> SlaReport:
    org, as_of = org_of(rows, policy, **fields).at(None)
    return assess_slas(org, as_of, assess_health(org, as_of, STAMP), STAMP)


def result_of(rows: list[Row], policy: AnyPolicy, **fields: object) -> ComplianceResult:
    return judged(rows, policy, **fields).compliance_results[0]


def test_a_derived_error_rate_is_half_reported_where_one_count_is_absent() -> None:
    rows = series("web", "requests_total", [1000] * 96, step=QUARTER)
    found = result_of(rows + series("web", "requests_failed", [1] * 76, step=QUARTER), ERRORS)
    assert (found.status, found.value) == (UNKNOWN, pytest.approx(0.001))
    # of 96 quarter hours 76 are at 0.001 and 20 at anything from 0 to 1
    assert (found.value_low, found.value_high) == (
        pytest.approx(0.001 * 76 / 96), pytest.approx((0.001 * 76 + 20) / 96),
    )  # fmt: skip
    assert "requests_failed of web is missing 20 of 96 times" in str(found.reason)
    assert "20.8% of the window is in question" in str(found.reason)


def test_a_repo_without_failures_is_named_where_the_error_rate_is_derived() -> None:
    rows = counts("web", [1000] * 96, [1] * 96, step=QUARTER) + series("api", "requests_total", [9] * 96, step=QUARTER)
    found = result_of(rows, ERRORS)
    assert (found.status, found.unknown_repos) == (UNKNOWN, ("api",))
    assert "requests_failed of api is missing 96 of 96 times" in str(found.reason)


@pytest.mark.parametrize("metric", ["requests_failed", "error_rate"])
def test_an_error_rate_of_no_request_is_no_evidence(metric: str) -> None:
    rows = series("web", "requests_total", [1000] * 10 + [0] * 20) + series("web", metric, [0] * 30)
    found = result_of(rows, threshold("error_rate", 0.01, unit="ratio"))
    assert found.status is UNKNOWN
    assert str(found.reason).startswith("web had no traffic in 67% of the window (requests_total is 0)")


def test_a_repo_without_traffic_in_the_whole_window_is_not_merely_one_with_few_events() -> None:
    rows = counts("web", [100] * 200, [0] * 200, step=HOUR) + counts(
        "api", [100] * 190 + [0] * 10, [0] * 200, step=HOUR
    )
    found = result_of(rows, ratio(0.99, window=Window(minutes=360)))
    assert (found.status, found.unknown_repos) == (UNKNOWN, ("api",))
    assert "api had no traffic in 100% of the window" in str(found.reason)


def test_slices_without_an_event_are_no_traffic_and_not_silence() -> None:
    rows = counts("web", [1000] * 10 + [0] * 20, [0] * 30)
    found = result_of(rows, ratio(0.9, slices=Slices(1440, 0.99)))
    assert (found.status, found.windows[0].coverage) == (UNKNOWN, 1.0)
    assert "web had no traffic in 67% of the window" in str(found.reason)


def test_failures_whose_totals_are_lost_are_no_chance_and_date_the_breach() -> None:
    total = series("web", "requests_total", [1000] * 40, step=QUARTER)
    total += series("web", "requests_total", [1000] * 46, T0 + 50 * QUARTER, QUARTER)
    failed = series("web", "requests_failed", [1] * 40 + [1000] * 10 + [1] * 46, step=QUARTER)
    report = judged(total + failed, ratio(0.99, window=days(1)))
    found, breach = report.compliance_results[0], report.breaches[0]
    # at best the ten times had as many requests as ever, 1,000 each, and all failed
    assert (found.status, found.certain) == (BREACHED, True)
    assert found.value == pytest.approx(1 - (86 + 10_000) / 96_000)
    assert (breach.could_be_chance, breach.started_at) == (False, T0 + 40 * QUARTER)


def test_a_coarse_sample_before_the_window_stands_for_its_begin() -> None:
    rows = series("web", "latency_p95", [0.2] * 30) + series(
        "web", "latency_p95", [0.2] * 60, T0 + 30 * DAILY, HOUR / 60
    )
    (window, *_) = result_of(rows, threshold(window=days(30))).windows
    assert window.coverage == 1.0
    gone = [row for row in rows if not T0 + 10 * DAILY <= row[0] < T0 + 20 * DAILY]
    found = result_of(gone, threshold(window=days(30)))
    assert found.missing == (
        "samples of web cover 67% of the window: there is no sample between 2026-01-10 00:00 UTC and 2026-01-21 00:00 UTC",
    )


@pytest.mark.parametrize(("begin", "value"), [(79, 1.0), (80, 1 - 50 / 9500)])
def test_an_increase_is_excused_by_the_maintenance_before_its_stamp(begin: int, value: float) -> None:
    total, failed = [100 * n for n in range(97)], [0] * 80 + [50] * 17
    maintenance = Event(T0 + begin * QUARTER, None, "maintenance", "x", None, T0 + (begin + 1) * QUARTER)
    counters = {
        name: Metric(name, "count", minimum=0.0, kind="counter") for name in ("requests_total", "requests_failed")
    }
    rows = counts("web", total, failed, step=QUARTER)
    found = result_of(rows, ratio(0.9, window=days(1)), metrics=counters, events=(maintenance,))
    assert found.value == pytest.approx(value)
    assert found.exclusions[0].samples == 1


def test_a_repo_without_the_rate_that_others_report_is_judged_by_its_counts() -> None:
    rows = series("web", "error_rate", [0.001] * 96, step=QUARTER) + counts(
        "api", [1000] * 96, [500] * 96, step=QUARTER
    )
    found = result_of(rows, ERRORS)
    assert (found.status, found.scope, found.value, found.judged_repos) == (BREACHED, "api", 0.5, 2)
    lost = [row for row in rows if row[2] != "requests_failed"]
    assert result_of(lost, ERRORS).status is COMPLIANT  # without a single failure nobody can derive a rate


def test_a_source_that_repeats_its_last_answer_is_told() -> None:
    moving = [0.2 + 0.01 * (n * 7 % 11) for n in range(48)]
    for values, said in (
        (moving + [0.21] * 48, "is 0.21 in each of the last 48 samples, since 2026-01-01 12:00 UTC, and moved before"),
        (moving + [0.21] * 15, ""),
        ([0.21] * 96, ""),
    ):
        told = judged(series("web", "latency_p95", values, step=QUARTER), threshold(window=days(1))).warnings
        assert [said in text for text in told if "repeat its last answer" in text] == ([True] if said else [])


def test_a_share_of_samples_that_is_another_one_of_time_is_told() -> None:
    rows = series("web", "latency_p95", [2.0] * 23, step=HOUR)
    rows += series("web", "latency_p95", [0.1] * 60, T0 + 23 * HOUR, HOUR / 60)
    policy = threshold("latency_p95", 0.5, aggregate="good_share", threshold=0.5, higher_is_better=True, unit="ratio")
    told = [text for text in judged(rows, policy).warnings if "sampled more closely" in text]
    assert told == [
        "SLA latency_p95: 72.3% of the samples of web are good, which is 4.2% of the time: it is sampled more closely at some "
        "times, and samples are judged"
    ]


def test_maintenance_of_most_of_a_window_is_told_beside_the_verdict() -> None:
    event = Event(T0 + 10 * QUARTER, "web", "maintenance", "x", None, T0 + timedelta(days=900))
    report = judged(counts("web", [1000] * 96, [1] * 96, step=QUARTER), ratio(0.99, window=days(1)), events=(event,))
    assert report.compliance_results[0].status is COMPLIANT
    assert (
        "SLA availability: maintenance excuses 90% of the window of web: the verdict is on the rest" in report.warnings
    )
