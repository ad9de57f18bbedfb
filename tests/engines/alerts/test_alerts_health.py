"""Degraded health, declines and drift: severities by tier, hysteresis, when it began, and what is left alone."""

from __future__ import annotations

import numpy as np
import pytest
from alert_samples import alerts_of, day, facing, of_type, scores
from org_samples import org_of, ratio, series

from tars_lib.model.metrics import Metric
from tars_lib.model.names import AlertSeverity, AlertType, OrgSlo

STEADY = [90.0, 91.0, 89.0, 90.5, 89.5] * 8


@pytest.mark.parametrize(
    ("score", "customer", "severity"),
    [
        (39.9, False, AlertSeverity.CRITICAL),
        (40.0, False, AlertSeverity.HIGH),
        (40.0, True, AlertSeverity.CRITICAL),
        (59.9, True, AlertSeverity.CRITICAL),
        (59.9, False, AlertSeverity.HIGH),
        (60.0, True, None),
        (79.9, False, None),
    ],
)
def test_severity_follows_the_tier_and_whether_customers_face_it(
    score: float, customer: bool, severity: AlertSeverity | None
) -> None:
    repos = [facing("web")] if customer else []
    report = alerts_of(scores({"web": [score] * 10}, repos=repos))
    assert [alert.severity for alert in of_type(report, AlertType.HEALTH_DEGRADATION)] == (
        [severity] if severity else []
    )
    assert report.exit_code == (0 if severity is None else 102 if severity is AlertSeverity.CRITICAL else 101)


def test_a_yellow_repo_is_told_of_only_where_it_fell_there() -> None:
    always = alerts_of(scores({"a": np.array(STEADY) - 18.0}))
    fell = alerts_of(scores({"a": STEADY + [value - 18.0 for value in STEADY[:10]]}))
    assert always.alerts == ()
    (alert,) = of_type(fell, AlertType.HEALTH_DEGRADATION)
    assert (alert.severity, alert.threshold) == (AlertSeverity.MEDIUM, 80.0)
    assert "level went from 90.0 to 72.0 at 2026-02-10" in alert.message


def test_a_score_at_the_threshold_does_not_flap() -> None:
    values = [90.0] * 20 + [59.5, 60.5] * 10
    org = scores({"a": values})
    told = [of_type(alerts_of(org, day(n)), AlertType.HEALTH_DEGRADATION) for n in range(24, 40)]
    assert all(len(alerts) == 1 for alerts in told)
    assert len({(alerts[0].alert_id, alerts[0].severity) for alerts in told}) == 1


def test_two_samples_clear_of_the_threshold_end_the_alert() -> None:
    org = scores({"a": [90.0] * 10 + [50.0] * 6 + [61.5] * 6 + [62.0] * 4})
    held = [bool(of_type(alerts_of(org, day(n)), AlertType.HEALTH_DEGRADATION)) for n in (9, 15, 21, 23, 24)]
    high = [
        any(
            alert.severity is AlertSeverity.HIGH
            for alert in of_type(alerts_of(org, day(n)), AlertType.HEALTH_DEGRADATION)
        )
        for n in (15, 21, 23, 24)
    ]
    assert held[:4] == [False, True, True, True]
    assert high == [True, True, True, False]


def test_the_alert_tells_when_it_is_held_though_the_score_is_back() -> None:
    report = alerts_of(scores({"a": [90.0] * 10 + [50.0] * 6 + [61.0] * 6}))
    (alert,) = of_type(report, AlertType.HEALTH_DEGRADATION)
    assert "cleared by two samples at 62 or more" in alert.message
    assert "held, now MEDIUM" in alert.reason
    # the median of three falls with the second low sample and comes back with the second high one
    assert (alert.first_seen, alert.last_seen) == (day(11), day(16))


def test_fingerprint_and_beginning_stay_while_it_gets_worse() -> None:
    org = scores({"a": [90.0] * 20 + [55.0] * 10 + [30.0] * 10})
    early, late = (of_type(alerts_of(org, day(n)), AlertType.HEALTH_DEGRADATION)[0] for n in (25, 39))
    assert (early.severity, late.severity) == (AlertSeverity.HIGH, AlertSeverity.CRITICAL)
    assert (early.fingerprint, early.alert_id, early.first_seen) == (late.fingerprint, late.alert_id, late.first_seen)


def test_an_unknown_score_raises_no_alert_about_health() -> None:
    org = org_of(series("a", "health_score", [30.0] * 20) + series("b", "health_score", [90.0] * 40))
    report = alerts_of(org)
    assert of_type(report, AlertType.HEALTH_DEGRADATION) == []
    assert [alert.repos for alert in of_type(report, AlertType.DATA_INTEGRITY)] == [("a",)]


def test_a_composed_score_is_followed_like_a_reported_one() -> None:
    metric = Metric("latency", "s", False, 0.0, healthy=0.2, unhealthy=1.0)
    rows = series("a", "latency", [0.2] * 30 + [0.95] * 10)
    (alert,) = of_type(alerts_of(org_of(rows, metrics={"latency": metric})), AlertType.HEALTH_DEGRADATION)
    assert alert.severity is AlertSeverity.CRITICAL
    assert alert.value == pytest.approx(6.25)
    assert alert.first_seen == day(31)


def test_a_composed_score_counts_a_metric_whose_last_samples_are_late() -> None:
    metrics = {name: Metric(name, "s", False, 0.0, healthy=0.2, unhealthy=1.0) for name in ("latency", "latency_p95")}
    rows = series("a", "latency", [0.2] * 37 + [2.0] * 3) + series("a", "latency_p95", [0.2] * 37)
    (alert,) = of_type(alerts_of(org_of(rows, metrics=metrics)), AlertType.HEALTH_DEGRADATION)
    assert (alert.value, alert.severity) == (pytest.approx(50.0), AlertSeverity.HIGH)


@pytest.mark.parametrize(("customer", "severity"), [(True, AlertSeverity.HIGH), (False, AlertSeverity.MEDIUM)])
def test_a_decline_out_of_green_is_an_anomaly_before_the_score_is_bad(customer: bool, severity: AlertSeverity) -> None:
    values = np.array(STEADY) - 0.35 * np.maximum(np.arange(40) - 10, 0)
    report = alerts_of(scores({"web": values}, repos=[facing("web")] if customer else []))
    (alert,) = of_type(report, AlertType.TREND_ANOMALY)
    assert alert.severity is severity
    assert alert.first_seen is not None
    assert abs((alert.first_seen - day(10)).days) <= 5


@pytest.mark.parametrize(("after", "expected"), [(14, 1), (35, 0)])
def test_a_change_of_level_is_news_for_two_weeks(after: int, expected: int) -> None:
    org = scores({"a": STEADY + [value - 12.0 for value in STEADY[:after]]})
    assert len(of_type(alerts_of(org), AlertType.TREND_ANOMALY)) == expected


def test_an_improvement_is_neither_alert_nor_finding() -> None:
    report = alerts_of(scores({"a": [value - 5.0 for value in STEADY] + STEADY[:12]}))
    assert (report.alerts, report.findings) == ((), ())


def test_a_small_step_within_green_is_a_finding_without_a_code() -> None:
    report = alerts_of(scores({"a": STEADY + [value - 4.0 for value in STEADY[:12]]}))
    assert (report.exit_code, report.alerts) == (0, ())
    (finding,) = report.findings
    assert (finding.severity, finding.repo, finding.since) == ("SEV-4", "a", day(40))
    assert (finding.before, finding.after) == (pytest.approx(90.0), pytest.approx(86.0, abs=0.1))


def test_drift_is_left_out_where_the_repo_has_an_alert() -> None:
    rows = series("a", "health_score", STEADY + [value - 4.0 for value in STEADY[:12]])
    rows += [(day(n), "a", "jobs", 10.0) for n in range(52)]
    rows += [(day(n), "a", "jobs_done", 11.0 if n == 51 else 10.0) for n in range(52)]
    report = alerts_of(org_of(rows, ratio(total="jobs", part="jobs_done", part_is_good=True)))
    assert (report.exit_code, report.findings) == (101, ())


@pytest.mark.parametrize(
    ("measure", "objective", "violated"),
    [
        ("aggregate_score", 80.0, True),
        ("minimum_score", 70.0, True),
        ("share_green", 0.6, True),
        ("minimum_score", 60.0, False),
    ],
)
def test_a_violated_organisation_slo_is_dated_by_its_own_measure(
    measure: str, objective: float, violated: bool
) -> None:
    org = scores(
        {"a": [90.0] * 20 + [65.0] * 10, "b": [90.0] * 30}, slos=(OrgSlo("floor", measure, objective, "Floor"),)
    )
    found = [alert for alert in alerts_of(org).alerts if alert.source == "slo:floor"]
    assert bool(found) is violated
    if violated:
        assert (found[0].severity, found[0].first_seen, found[0].repos) == (AlertSeverity.MEDIUM, day(21), ("a",))
