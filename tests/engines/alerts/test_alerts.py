"""The report as a whole: SLAs, storms, order, identity over runs, bytes."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from alert_samples import alerts_of, calm_org, day, facing, noise, of_type, scores
from org_samples import FIVE_MINUTES, STAMP, RootBuilder, counts, days, org_of, ratio, series, threshold

from tars_lib.engines.alerts.assess import assess_alerts
from tars_lib.engines.alerts.report import Alert, AlertReport
from tars_lib.files.json_records import dumps, from_json
from tars_lib.model.names import (
    AlertImpact,
    AlertSeverity,
    AlertType,
    Dependency,
    OrgSlo,
    Repo,
    ReportedAlert,
    Severity,
)
from tars_lib.model.organisation import OrgData
from tars_lib.pipeline import HEALTH_FILE, analyze, write_run
from tars_lib.pipeline.health_report import load_report
from tars_lib.pipeline.loading import load_org
from tars_lib.sources.demo import demo_root


def violations(org: OrgData) -> list[Alert]:
    return of_type(alerts_of(org), AlertType.SLO_VIOLATION)


@pytest.mark.parametrize(
    ("severity", "priority", "expected"),
    [
        (Severity.SEV_1, 3, AlertSeverity.CRITICAL),
        (Severity.SEV_2, 3, AlertSeverity.HIGH),
        (Severity.SEV_3, 3, AlertSeverity.MEDIUM),
        (Severity.SEV_4, 3, AlertSeverity.LOW),
        (Severity.SEV_4, 1, AlertSeverity.CRITICAL),
    ],
)
def test_a_breached_sla_is_as_urgent_as_its_policy_says(
    severity: Severity, priority: int, expected: AlertSeverity
) -> None:
    policy = ratio(severity_on_breach=severity, priority=priority)
    org = org_of(counts("a", [1000] * 40, [0] * 30 + [100] * 10), policy)
    (alert,) = violations(org)
    assert (alert.severity, alert.source, alert.repos) == (expected, "sla:availability", ("a",))
    assert (alert.metric, alert.threshold, alert.first_seen) == ("requests_failed", 0.999, day(30))
    # 30 days to the 40th sample hold 30,000 requests, of which 1,000 failed
    assert alert.value == pytest.approx(29 / 30)


@pytest.mark.parametrize(("failed", "status"), [(7, None), (8, "at risk"), (10, "at risk"), (11, "breached")])
def test_an_sla_is_told_of_from_four_fifths_of_its_budget_on(failed: int, status: str | None) -> None:
    org = org_of(counts("a", [1000] * 10, [failed] + [0] * 9), ratio(0.999, window=days(10)))
    found = violations(org)
    assert [alert.title for alert in found] == ([f"SLA Availability {status}"] if status else [])


@pytest.mark.parametrize(
    ("priority", "customer", "expected"),
    [(1, False, AlertSeverity.HIGH), (3, True, AlertSeverity.HIGH), (3, False, AlertSeverity.MEDIUM)],
)
def test_an_sla_at_risk_is_high_where_it_is_important_or_customers_face_it(
    priority: int, customer: bool, expected: AlertSeverity
) -> None:
    repos = [facing("a")] if customer else []
    org = org_of(
        counts("a", [1000] * 10, [0] * 7 + [9, 0, 0]), ratio(0.999, priority=priority, window=days(10)), repos=repos
    )
    (alert,) = violations(org)
    assert (alert.severity, alert.first_seen, alert.last_seen) == (expected, day(7), day(9))


def test_the_search_for_the_beginning_of_a_risk_ends_after_a_month() -> None:
    org = org_of(counts("a", [1000] * 60, [0] * 10 + [9] + [0] * 49), ratio(0.9999, window=days(60)))
    (alert,) = violations(org)
    assert alert.title == "SLA Availability breached"
    org = org_of(counts("a", [1000] * 60, [0] * 10 + [53] + [0] * 49), ratio(0.999, window=days(60)))
    (alert,) = violations(org)
    assert (alert.title, alert.first_seen) == ("SLA Availability at risk", day(29))
    assert "since or before" in alert.message


def test_the_risk_of_the_whole_organisation_is_dated_from_its_summed_counts() -> None:
    # 3 of 6,000 requests failed by day 2 and 18 of 20,000 in the end, 0.09 %, but in no repo more than it may
    rows = counts("a", [1000] * 10, [0] * 6 + [3, 3, 3, 0]) + counts("b", [1000] * 10, [0] * 6 + [3, 3, 3, 0])
    (alert,) = violations(org_of(rows, ratio(0.999, window=days(10))))
    assert (alert.title, alert.repos) == ("SLA Availability at risk", ("a", "b"))
    assert alert.first_seen is not None
    assert day(6) <= alert.first_seen <= day(8)


def test_a_risk_that_only_the_forecast_sees_begins_now() -> None:
    climb = [0.3 + 0.006 * max(n - 20, 0) + 0.005 * (-1) ** n for n in range(60)]
    (alert,) = violations(org_of(series("a", "latency_p95", climb), threshold()))
    assert (alert.title, alert.first_seen) == ("SLA latency_p95 at risk", day(59))
    assert "more likely than not" in alert.message


def test_an_unknown_sla_raises_no_alert_and_stays_a_warning() -> None:
    report = alerts_of(scores({"a": [90.0] * 10}, ratio()))
    assert (report.exit_code, report.alerts) == (0, ())
    assert any("SLA availability is UNKNOWN" in warning for warning in report.warnings)


def shop(slow: int = 40) -> OrgData:
    """Five callers of `db`, one of which customers face; `db` degrades at sample `slow`, and everybody with it."""
    rng = np.random.default_rng(4)
    rows = []
    for n, name in enumerate(("a", "b", "c", "d", "db")):
        own = 95.0 + noise(rng, (60,), 0.3)
        rows += series(name, "health_score", np.where(np.arange(60) < slow, own, own - 40.0 - 5.0 * n))
        failed = np.where(np.arange(60) < slow, 1, 400)
        rows += counts(name, [10_000] * 60, failed)
    graph = tuple(Dependency(name, "db") for name in "abcd")
    return org_of(rows, ratio(0.99), repos=[facing("a")], dependencies=graph)


def test_what_one_cause_degrades_is_one_alert_with_all_members() -> None:
    report = alerts_of(shop())
    (alert,) = of_type(report, AlertType.HEALTH_DEGRADATION)
    assert alert.repos == ("a", "b", "c", "d", "db")
    assert alert.members[0].repo == "db"
    assert (alert.root, alert.severity, alert.impact) == ("db", AlertSeverity.CRITICAL, AlertImpact.CUSTOMER_FACING)
    assert "5 alerts combined" in alert.message
    assert report.raised > len(report.alerts)


def test_a_storm_keeps_fingerprint_and_beginning_in_later_runs() -> None:
    org = shop()
    early, late = (of_type(alerts_of(org, day(n)), AlertType.HEALTH_DEGRADATION)[0] for n in (48, 59))
    assert (early.fingerprint, early.alert_id, early.repos) == (late.fingerprint, late.alert_id, late.repos)


def test_a_repo_that_degraded_before_the_cause_is_not_explained_by_it() -> None:
    org = shop()
    rows = [row for row in _rows(org) if row[1:3] != ("d", "health_score")]
    rows += series("d", "health_score", [95.0] * 20 + [45.0] * 40)
    earlier = org_of(rows, *org.policies, repos=org.repos, dependencies=org.dependencies)
    found = of_type(alerts_of(earlier), AlertType.HEALTH_DEGRADATION)
    assert sorted(alert.repos for alert in found) == [("a", "b", "c", "db"), ("d",)]


def test_a_repo_that_does_not_call_the_cause_is_not_explained_by_it() -> None:
    org = shop()
    rows = _rows(org) + series("island", "health_score", [95.0] * 40 + [45.0] * 20)
    wider = org_of(rows, *org.policies, repos=org.repos, dependencies=org.dependencies)
    found = of_type(alerts_of(wider), AlertType.HEALTH_DEGRADATION)
    assert sorted(alert.repos for alert in found) == [("a", "b", "c", "d", "db"), ("island",)]


def test_without_a_cause_the_same_onset_in_three_repos_is_a_storm_and_in_two_it_is_not() -> None:
    falls = [90.0] * 30 + [50.0] * 10
    steady = [90.0] * 40
    two = alerts_of(scores({"a": falls, "b": falls, "c": steady}))
    assert [alert.repos for alert in of_type(two, AlertType.HEALTH_DEGRADATION)] == [("a",), ("b",)]
    three = alerts_of(scores({"a": falls, "b": falls, "c": falls, "d": steady}))
    (alert,) = of_type(three, AlertType.HEALTH_DEGRADATION)
    assert (alert.repos, alert.root) == (("a", "b", "c"), "a")
    assert [(member.repo, member.severity) for member in alert.members] == [(name, "HIGH") for name in "abc"]
    assert "3 alerts combined" in alert.message


def test_onsets_far_apart_are_separate_troubles() -> None:
    org = scores({name: [90.0] * at + [50.0] * (60 - at) for name, at in (("a", 20), ("b", 30), ("c", 40), ("d", 50))})
    assert len(of_type(alerts_of(org), AlertType.HEALTH_DEGRADATION)) == 4


def test_a_chain_of_onsets_is_no_common_one() -> None:
    org = scores({f"r{n}": [90.0] * (20 + 2 * n) + [50.0] * (40 - 2 * n) for n in range(6)})
    found = of_type(alerts_of(org), AlertType.HEALTH_DEGRADATION)
    assert max(len(alert.repos) for alert in found) < 6


def test_no_alert_is_lost_in_compression() -> None:
    for seed in range(5):
        rng = np.random.default_rng(seed)
        org = scores({f"r{n}": np.where(np.arange(60) < rng.integers(20, 50), 90.0, 45.0) for n in range(12)})
        found = of_type(alerts_of(org), AlertType.HEALTH_DEGRADATION)
        assert sorted(repo for alert in found for repo in alert.repos) == sorted(f"r{n}" for n in range(12))


def test_a_storm_is_named_by_the_repo_that_the_others_call() -> None:
    graph = (Dependency("a", "z"), Dependency("b", "z"))
    falls = [90.0] * 30 + [50.0] * 10
    org = scores({"a": falls, "b": falls, "z": falls}, dependencies=graph)
    (alert,) = of_type(alerts_of(org), AlertType.HEALTH_DEGRADATION)
    assert alert.root == "z"


def mixed() -> OrgData:
    rows = series("web", "health_score", [90.0] * 40 + [75.0] * 10)
    rows += series("quiet", "health_score", [90.0] * 40)
    rows += series("worker", "health_score", [30.0] * 50)
    rows += series("batch", "health_score", [55.0] * 50)
    alerts = (ReportedAlert("batch", "LOW", "Certificate expires soon", day(48)),)
    return org_of(rows, repos=[facing("web")], reported_alerts=alerts)


def test_of_two_alerts_that_are_alike_the_lower_tier_comes_first() -> None:
    rows = [row for repo in ("a", "b") for row in counts(repo, [1000] * 40, [0] * 30 + [100] * 10)]
    policies = (ratio(sla_id="first", repos=("a",)), ratio(sla_id="second", repos=("b",)))
    orders = [
        [
            alert.repos
            for alert in violations(org_of(rows, *policies, repos=(Repo("a", "a"), Repo("b", "b", tier=tier))))
        ]
        for tier in (None, 1)
    ]
    assert orders == [[("a",), ("b",)], [("b",), ("a",)]]


def test_alerts_come_in_the_playbooks_order_with_the_reason() -> None:
    report = alerts_of(mixed())
    assert [alert.priority for alert in report.alerts] == list(range(1, len(report.alerts) + 1))
    ranks = [list(AlertImpact).index(alert.impact) for alert in report.alerts]
    assert ranks == sorted(ranks)
    for impact in AlertImpact:
        severities = [list(AlertSeverity).index(alert.severity) for alert in report.alerts if alert.impact is impact]
        assert severities == sorted(severities)
    assert [alert.impact for alert in report.alerts if alert.repos == ("quiet",)] == [AlertImpact.DATA_INTEGRITY]
    assert report.alerts[-1].title == "Certificate expires soon"
    assert "customer facing (web)" in report.alerts[0].reason
    assert sum(report.groups.values()) == sum(report.severities.values()) == len(report.alerts)


def test_exit_code_is_102_with_a_critical_alert_101_with_any_other_and_0_without() -> None:
    assert alerts_of(scores({"a": [30.0] * 10})).exit_code == 102
    assert alerts_of(scores({"a": [50.0] * 10})).exit_code == 101
    assert alerts_of(scores({"a": [90.0] * 10})).exit_code == 0
    assert alerts_of(scores({"a": [30.0] * 10})).finding == "CRITICAL_ALERTS"


def test_fingerprints_are_unique_and_the_same_in_a_later_run() -> None:
    early, late = alerts_of(mixed(), day(48)), alerts_of(mixed(), day(49))
    prints = [alert.fingerprint for alert in late.alerts]
    assert len(set(prints)) == len(prints)
    assert {alert.fingerprint: alert.alert_id for alert in early.alerts} == {
        alert.fingerprint: alert.alert_id for alert in late.alerts
    }


def test_the_same_input_gives_the_same_bytes_and_reads_back_equal() -> None:
    one, two = alerts_of(mixed()), alerts_of(mixed())
    assert dumps(one) == dumps(two)
    assert from_json(AlertReport, json.loads(dumps(one)), "org-alerts.json") == one


def test_the_table_has_a_row_for_each_alert() -> None:
    report = alerts_of(mixed())
    frame = report.frame
    assert list(frame.index) == [alert.priority for alert in report.alerts]
    assert list(frame["severity"]) == [alert.severity for alert in report.alerts]
    assert list(alerts_of(scores({"a": [90.0] * 10})).frame.columns) == list(frame.columns)


def test_nothing_that_came_later_changes_what_was_told() -> None:
    org = mixed()
    cut = org_of([row for row in _rows(org) if row[0] <= day(45)], repos=org.repos, reported_alerts=org.reported_alerts)
    then = alerts_of(org, day(45))
    assert then.alerts == alerts_of(cut, day(45)).alerts


def _rows(org: OrgData) -> list[tuple[datetime, str, str, float]]:
    tidy = org.tidy()
    return list(zip(tidy["timestamp"].dt.to_pydatetime(), tidy["repo"], tidy["metric"], tidy["value"], strict=True))


@pytest.mark.parametrize(
    "org",
    [
        org_of(series("a", "health_score", [50.0])),
        org_of(series("a", "queue", [1.0])),
        org_of(series("a", "health_score", [90.0] * 3), repos=[Repo("never", "never")]),
        org_of(series("a", "health_score", [90.0] * 30) + series("b", "health_score", [90.0] * 3, step=FIVE_MINUTES)),
        org_of(series("a", "latency_p95", [0.0] * 30), threshold()),
        calm_org(1, repos=1, days=2),
    ],
)
def test_little_or_odd_data_is_no_error(org: OrgData) -> None:
    assert alerts_of(org).exit_code in (0, 101)


def test_the_report_alone_is_enough_for_a_later_run(root: RootBuilder, tmp_path: Path) -> None:
    root.add(series("a", "queue", [1.0] * 20 + [9.0] * 5) + series("a", "health_score", [90.0] * 25))
    root.file(
        "alerts.yaml", "rules: [{rule_id: q, metric: queue, comparison: '>', threshold: 5, for: 2d, severity: low}]"
    )
    analysis = root.analyze()
    folder = write_run(analysis, tmp_path)
    org, health = load_report(folder / HEALTH_FILE)
    assert org.rules == analysis.org.rules != ()
    first = assess_alerts(analysis.org, analysis.as_of, analysis.health, analysis.sla, STAMP)
    again = assess_alerts(org, health.as_of, health, analyze(org, health.as_of).sla, STAMP)
    assert [alert.source for alert in first.alerts] == ["rule:q"]
    assert again.alerts == first.alerts


def test_the_demo_names_the_planted_repo_the_breach_and_the_silence() -> None:
    report = alerts_of(load_org(demo_root()))
    assert report.exit_code == 102
    assert {alert.source for alert in report.alerts} >= {"sla:availability", "silence", "health", "slo:fleet-health"}
    (degraded,) = of_type(report, AlertType.HEALTH_DEGRADATION)
    assert (degraded.root, "ledger" in degraded.repos) == ("ledger", True)
    (silent,) = of_type(report, AlertType.DATA_INTEGRITY)
    assert silent.repos == ("recommendations",)


def test_an_sla_breach_of_the_whole_organisation_carries_its_cause_in_the_message() -> None:
    (alert,) = [alert for alert in alerts_of(load_org(demo_root())).alerts if alert.source == "sla:availability"]
    assert "most likely cause: ledger" in alert.message
    assert alert.last_seen is not None
    assert alert.first_seen is not None
    assert alert.last_seen - alert.first_seen == timedelta(hours=7)


def test_a_slo_on_coverage_is_a_matter_of_data() -> None:
    rows = series("a", "health_score", [90.0] * 30) + series("b", "health_score", [90.0] * 20)
    org = org_of(rows, slos=(OrgSlo("seen", "coverage", 0.9, "Seen"),))
    (alert,) = [alert for alert in alerts_of(org).alerts if alert.source == "slo:seen"]
    assert (alert.impact, alert.repos, alert.first_seen) == (AlertImpact.DATA_INTEGRITY, ("b",), None)
