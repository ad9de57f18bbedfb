"""Rules of the user's own: threshold, duration, gaps, margin; and the alerts of repos' own artefacts."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pytest
from alert_samples import alerts_of, minutes, of_type, scores
from org_samples import FIVE_MINUTES, T0, counts, org_of, series

from tars_lib.engines.alerts.report import Alert
from tars_lib.model.metrics import Metric
from tars_lib.model.names import AlertImpact, AlertRule, AlertSeverity, AlertType, Repo, ReportedAlert
from tars_lib.model.organisation import OrgData

RULE = AlertRule("queue", "queue", ">", 100.0, 15, AlertSeverity.HIGH, (), "Queue is long")


def fired(org: OrgData) -> list[Alert]:
    return [alert for alert in alerts_of(org).alerts if alert.source.startswith("rule:")]


def queue(values: list[float], rule: AlertRule = RULE, lost: tuple[int, ...] = ()) -> OrgData:
    rows = series("a", "queue", values, step=FIVE_MINUTES)
    return org_of([row for n, row in enumerate(rows) if n not in lost], rules=(rule,))


@pytest.mark.parametrize(
    ("tail", "expected"),
    [
        ([101, 101], False),
        ([101, 101, 101], True),
        ([100, 100, 100, 100], False),
        ([101, 101, 99, 101], False),
        ([101, 101, 101, 99], True),
        ([101, 101, 101, 95], True),
        ([101, 101, 101, 95, 95], False),
        ([101, 101, 101, 95, 96, 95], True),
        ([101, 101, 101, 95, 95, 101, 101], False),
    ],
)
def test_a_rule_fires_after_15_minutes_and_clears_after_two_samples_five_percent_below(
    tail: list[float], expected: bool
) -> None:
    assert bool(fired(queue([50.0] * 20 + tail))) is expected


def test_the_alert_carries_the_rules_words_and_the_time_it_began() -> None:
    (alert,) = fired(queue([50.0] * 20 + [150.0] * 4))
    assert (alert.title, alert.severity, alert.value, alert.threshold) == (
        "Queue is long",
        AlertSeverity.HIGH,
        150.0,
        100.0,
    )
    assert (alert.first_seen, alert.last_seen) == (T0 + 20 * FIVE_MINUTES, T0 + 23 * FIVE_MINUTES)
    assert (alert.type, alert.source, alert.impact) == (AlertType.HEALTH_DEGRADATION, "rule:queue", AlertImpact.OTHER)


def test_missing_samples_neither_hold_nor_clear() -> None:
    values = [50.0] * 20 + [101.0] * 6
    assert not fired(queue(values, lost=(21, 22, 23, 25)))
    assert fired(queue(values, lost=(21, 22, 23)))
    assert fired(queue([50.0] * 20 + [101.0] * 3 + [50.0] * 3, lost=(23, 24)))


def test_a_rule_without_duration_needs_one_sample() -> None:
    assert fired(queue([50.0] * 20 + [101.0], AlertRule("q", "queue", ">", 100.0)))


@pytest.mark.parametrize(
    ("comparison", "value", "expected"),
    [
        (">", 100.0, False),
        (">=", 100.0, True),
        ("<", 100.0, False),
        ("<=", 100.0, True),
        ("<", 99.0, True),
        (">", 101.0, True),
    ],
)
def test_each_comparison_takes_or_leaves_equality(comparison: str, value: float, expected: bool) -> None:
    assert bool(fired(queue([value] * 5, AlertRule("q", "queue", comparison, 100.0)))) is expected


def test_a_rule_for_some_repos_leaves_the_others_alone() -> None:
    rows = series("a", "queue", [200.0] * 9) + series("b", "queue", [200.0] * 9)
    (alert,) = fired(org_of(rows, rules=(AlertRule("q", "queue", ">", 100.0, repos=("b",)),)))
    assert alert.repos == ("b",)


def test_a_rule_that_can_never_fire_is_a_warning() -> None:
    rules = (AlertRule("q", "depth", ">", 1.0), AlertRule("r", "health_score", "<", 1.0, repos=("nope",)))
    report = alerts_of(scores({"a": [90.0] * 5}, rules=rules))
    assert report.exit_code == 0
    assert {"rule q: no service reports depth", "rule r: no such service: nope"} <= set(report.warnings)


def test_a_rule_may_ask_for_the_derived_error_rate_and_for_a_composed_score() -> None:
    rows = counts("a", [100] * 9, [0] * 6 + [20] * 3)
    rules = (AlertRule("e", "error_rate", ">", 0.1, 3 * 1440), AlertRule("s", "health_score", "<", 50.0))
    metric = Metric("error_rate", "ratio", False, 0.0, 1.0, healthy=0.001, unhealthy=0.05)
    assert [alert.source for alert in fired(org_of(rows, rules=rules, metrics={"error_rate": metric}))] == [
        "rule:e",
        "rule:s",
    ]


def carry(*alerts: ReportedAlert, repos: tuple[Repo, ...] = (), as_of: datetime | None = None) -> list[Alert]:
    rows = series("web", "health_score", [90.0] * 5) + series("api", "health_score", [90.0] * 5)
    return list(alerts_of(org_of(rows, repos=repos, reported_alerts=alerts), as_of).alerts)


NOW = T0 + timedelta(days=4)


@pytest.mark.parametrize(
    ("age", "kind", "contact"),
    [
        (0, AlertType.HEALTH_DEGRADATION, None),
        (14, AlertType.HEALTH_DEGRADATION, None),
        (15, AlertType.ESCALATION_TIMEOUT, "Team lead"),
        (30, AlertType.ESCALATION_TIMEOUT, "Engineering manager"),
        (59, AlertType.ESCALATION_TIMEOUT, "Engineering manager"),
        (6000, AlertType.ESCALATION_TIMEOUT, "VP Engineering"),
    ],
)
def test_a_critical_alert_is_overdue_from_the_first_rung_on(age: int, kind: AlertType, contact: str | None) -> None:
    (alert,) = carry(ReportedAlert("web", "CRITICAL", "Disk | <full>", NOW - minutes(age)))
    assert (alert.type, alert.severity, alert.title) == (kind, AlertSeverity.CRITICAL, "Disk | <full>")
    assert alert.first_seen == NOW - minutes(age)
    assert contact is None or f"by now with: {contact}" in alert.message


@pytest.mark.parametrize(
    ("word", "severity"),
    [
        ("FATAL", "CRITICAL"),
        ("ERROR", "HIGH"),
        ("warning", "MEDIUM"),
        ("INFO", "LOW"),
        ("PURPLE", "MEDIUM"),
        ("UNKNOWN", "MEDIUM"),
    ],
)
def test_severities_of_other_tools_are_mapped_and_a_strange_one_says_so(word: str, severity: str) -> None:
    (alert,) = carry(ReportedAlert("web", word, "x", NOW - timedelta(days=1)))
    assert alert.severity == severity
    assert ("is not known, read as MEDIUM" in alert.reason) is (word in ("PURPLE", "UNKNOWN"))


def test_an_alert_after_the_time_that_is_asked_for_is_not_known_yet_and_one_without_time_has_no_age() -> None:
    later, timeless = (
        ReportedAlert("web", "CRITICAL", "y", NOW + minutes(1)),
        ReportedAlert("web", "CRITICAL", "x", None),
    )
    (alert,) = carry(later, timeless, as_of=NOW)
    assert (alert.title, alert.type, alert.first_seen) == ("x", AlertType.HEALTH_DEGRADATION, None)


def test_an_alert_after_the_last_sample_is_raised() -> None:
    (alert,) = carry(ReportedAlert("web", "CRITICAL", "x", NOW + timedelta(hours=6)))
    assert (alert.severity, alert.first_seen, alert.last_seen) == ("CRITICAL", *2 * [NOW + timedelta(hours=6)])


def test_an_alert_listed_twice_is_one_alert_from_its_first_time_on() -> None:
    twice = [ReportedAlert("web", "HIGH", "x", NOW - timedelta(hours=hours)) for hours in (1, 9)]
    (alert,) = carry(*twice)
    assert alert.first_seen == NOW - timedelta(hours=9)
    assert "listed 2 times" in alert.message


def test_a_title_is_kept_verbatim_also_where_many_repos_report_it() -> None:
    rows = [row for n in range(4) for row in series(f"r{n}", "health_score", [90.0] * 5)]
    alerts = tuple(ReportedAlert(f"r{n}", "HIGH", "Queue | down", NOW - minutes(10 * n)) for n in range(4))
    (alert,) = alerts_of(org_of(rows, reported_alerts=alerts)).alerts
    assert (alert.title, alert.repos, len(alert.members)) == ("Queue | down", ("r0", "r1", "r2", "r3"), 4)


def test_noise_below_the_threshold_never_fires() -> None:
    values = 80.0 + np.random.default_rng(0).normal(size=500)
    assert not fired(queue(values.tolist()))


def test_types_of_carried_alerts_are_counted() -> None:
    report = alerts_of(
        org_of(series("web", "health_score", [90.0] * 5), reported_alerts=(ReportedAlert("web", "CRITICAL", "x", T0),))
    )
    assert (report.exit_code, dict(report.groups)) == (102, {"ESCALATION_TIMEOUT": 1})
    assert len(of_type(report, AlertType.ESCALATION_TIMEOUT)) == 1
