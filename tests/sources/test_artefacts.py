"""The per-repo artefacts: dashboard, alerts, trend report."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from org_samples import HEADER, T0, RootBuilder

from tars_lib.errors import InputError
from tars_lib.model.names import ReportedAlert

DASHBOARD, ALERTS, TRENDS = (
    "web/dashboard/health-dashboard.json",
    "web/alerts/alerts.json",
    "web/trends/trend-report.json",
)
BOARD = {"repository_score": 72.5, "scan_timestamp": "2026-01-01T00:00:00Z", "repository_name": "Web shop"}
POINTS = [{"timestamp": "2026-01-01T00:00:00Z", "score": 70}, {"timestamp": "2026-01-02T00:00:00Z", "score": 75.5}]


def test_a_dashboard_alone_makes_a_repo_with_its_score_and_counts(root: RootBuilder) -> None:
    org = root.file(DASHBOARD, BOARD | {"critical_issues": 2, "total_issues": 9}).load()
    assert [(repo.repo, repo.name) for repo in org.repos] == [("web", "Web shop")]
    assert {m: org.history.series(m, "web")[1].tolist() for m in org.history.metrics} == {
        "health_score": [72.5],
        "critical_issues": [2.0],
        "total_issues": [9.0],
    }
    assert org.inputs[0].path == DASHBOARD


def test_overall_health_is_the_score_where_no_repository_score_is_given(root: RootBuilder) -> None:
    board = {"overall_health": 64, "scan_timestamp": "2026-01-01T00:00:00Z"}
    assert root.file(DASHBOARD, board).load().history.value.tolist() == [64.0]


def test_a_traffic_light_is_no_score_and_a_score_in_text_is_refused(root: RootBuilder) -> None:
    light = {"overall_health": "RED", "scan_timestamp": "2026-01-01T00:00:00Z"}
    org = root.file(DASHBOARD, light).load()
    assert org.history.value.size == 0
    assert any("nothing was read" in warning and "overall_health" in warning for warning in org.warnings)
    assert root.file(DASHBOARD, light | {"repository_score": 72}).load().history.value.tolist() == [72.0]
    with pytest.raises(InputError, match=f"^{DASHBOARD}, repository_score: '72.5' is not a number"):
        root.file(DASHBOARD, light | {"repository_score": "72.5"}).load()


def test_the_repository_score_stands_before_overall_health(root: RootBuilder) -> None:
    assert root.file(DASHBOARD, BOARD | {"overall_health": 10}).load().history.value.tolist() == [72.5]


def test_a_score_without_a_scan_timestamp_is_refused(root: RootBuilder) -> None:
    with pytest.raises(
        InputError, match=rf"^{DASHBOARD}: scan_timestamp is missing; a score without a time cannot be used"
    ):
        root.file(DASHBOARD, {"repository_score": 80}).load()


@pytest.mark.parametrize("key", ["history", "data_points", "trend_history"])
def test_the_history_list_is_read_under_each_of_its_three_keys(root: RootBuilder, key: str) -> None:
    org = root.file(TRENDS, {key: POINTS[::-1], "overall_trend": "improving"}).load()
    assert org.history.series("health_score", "web")[1].tolist() == [70.0, 75.5]


def test_dashboard_and_trend_report_join_and_disagreement_is_a_warning(root: RootBuilder) -> None:
    later = BOARD | {"scan_timestamp": "2026-01-03T00:00:00Z"}
    org = root.file(TRENDS, {"history": POINTS}).file(DASHBOARD, later).load()
    assert org.history.value.tolist() == [70.0, 75.5, 72.5]
    org = root.file(DASHBOARD, BOARD).load()
    assert org.history.value.tolist() == [70.0, 75.5]
    assert any("health_score 72.5 differs from the trend report; the trend report is used" in w for w in org.warnings)


def test_alerts_are_kept_in_their_own_words(root: RootBuilder) -> None:
    alerts = [
        {"severity": "critical", "title": "Disk | full", "timestamp": "2026-01-01T01:00:00+01:00"},
        {"severity": "warning", "title": "Slow"},
    ]
    org = root.file(ALERTS, {"alerts": alerts}).load()
    assert org.reported_alerts == (
        ReportedAlert("web", "CRITICAL", "Disk | full", T0),
        ReportedAlert("web", "WARNING", "Slow", None),
    )


def test_artefacts_and_a_tidy_history_are_one_organisation(root: RootBuilder) -> None:
    root.file(DASHBOARD, BOARD).file("history.csv", HEADER + "2026-01-01T00:00:00Z,api,latency,0.5\n")
    assert [repo.repo for repo in root.load().repos] == ["api", "web"]


def test_a_folder_without_artefacts_is_no_repo(root: RootBuilder) -> None:
    root.file(DASHBOARD, BOARD).file("docs/readme.md", "x").file("api/dashboard/other.json", {})
    assert [repo.repo for repo in root.load().repos] == ["web"]


def test_a_bom_and_an_assumed_zone_are_understood(root: RootBuilder) -> None:
    text = '\ufeff{"history": [{"timestamp": "2026-07-01T12:00:00", "score": 50}]}'
    org = root.file(TRENDS, text).load(assume_tz="Europe/Berlin")
    assert org.at(None)[1] == datetime(2026, 7, 1, 10, tzinfo=UTC)


def test_not_a_number_is_a_missing_sample(root: RootBuilder) -> None:
    org = root.file(DASHBOARD, '{"repository_score": NaN, "scan_timestamp": "2026-01-01T00:00:00Z"}').load()
    assert org.history.value.size == 0
    assert not any("differs" in warning for warning in org.warnings)


def test_half_a_surrogate_pair_in_a_name_is_replaced_so_that_reports_can_be_written(root: RootBuilder) -> None:
    board = '{"repository_score": 80, "scan_timestamp": "2026-01-01T00:00:00Z", "repository_name": "x\\ud800"}'
    assert root.file(DASHBOARD, board).load().repos[0].name == "x?"


REFUSED: list[tuple[str, Any, str]] = [
    (
        DASHBOARD,
        BOARD | {"scan_timestamp": "2026-01-01T00:00:00"},
        rf"{DASHBOARD}, scan_timestamp: .* has no time zone",
    ),
    (DASHBOARD, BOARD | {"scan_timestamp": 1767225600}, rf"{DASHBOARD}, scan_timestamp: '1767225600' is not a time"),
    (
        DASHBOARD,
        BOARD | {"repository_score": 300},
        rf"{DASHBOARD}, repository_score.*health_score of web is 300; allowed: 0 to 100",
    ),
    (DASHBOARD, BOARD | {"total_issues": "many"}, rf"{DASHBOARD}, total_issues: 'many' is not a number"),
    (
        DASHBOARD,
        '{"repository_score": Infinity, "scan_timestamp": "2026-01-01T00:00:00Z"}',
        rf"{DASHBOARD}, repository_score.* inf is not",
    ),
    (
        DASHBOARD,
        '{"repository_score": 1' + "0" * 400 + ', "scan_timestamp": "2026-01-01T00:00:00Z"}',
        rf"{DASHBOARD}, .* too large",
    ),
    (DASHBOARD, "{\n 'x': 1}", rf"{DASHBOARD}, row 2: not valid JSON"),
    (DASHBOARD, "[1]", rf"{DASHBOARD}: list at top level; an object is needed"),
    (DASHBOARD, b"\xff\xfe", rf"{DASHBOARD}, row 1: UTF-16 is not allowed; UTF-8 is"),
    (DASHBOARD, "[" * 100_000, rf"{DASHBOARD}"),
    (TRENDS, {"history": {}}, rf"{TRENDS}: history: a list is needed, dict was found"),
    (
        TRENDS,
        {"data_points": [{"score": 5}]},
        rf"{TRENDS}, data_points entry 1: an object with timestamp and score is needed",
    ),
    (
        TRENDS,
        {"history": [*POINTS, {"timestamp": "soon", "score": 5}]},
        rf"{TRENDS}, history entry 3, timestamp: 'soon' is not a time",
    ),
    (
        TRENDS,
        {"history": [{"timestamp": "2026-01-01T00:00:00Z", "score": True}]},
        rf"{TRENDS}, history entry 1, score: 'True' is not a number",
    ),
    (
        TRENDS,
        {"history": [POINTS[0], POINTS[0] | {"score": 1}]},
        rf"{TRENDS}, history entry 2, score.*1 for web.*entry 1, score.*says 70",
    ),
    (ALERTS, {"alerts": "none"}, rf"{ALERTS}: alerts: a list is needed, str was found"),
    (ALERTS, {"alerts": ["x"]}, rf"{ALERTS}, alert 1: an object is needed"),
    (
        ALERTS,
        {"alerts": [{"severity": "low", "title": "a", "timestamp": "x"}]},
        rf"{ALERTS}, alert 1, timestamp: 'x' is not a time",
    ),
]


@pytest.mark.parametrize(("name", "content", "message"), REFUSED)
def test_what_cannot_be_understood_is_refused_by_file_and_entry(
    root: RootBuilder, name: str, content: Any, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        root.file(name, content).load()


def test_critical_alerts_that_are_counted_but_not_listed_are_carried_in_as_one(root: RootBuilder) -> None:
    listed = [{"severity": "critical", "title": "Disk", "timestamp": "2026-01-01T00:00:00Z"}]
    org = root.file(ALERTS, {"total_alerts": 3, "critical_alerts": 3, "alerts": listed}).file(DASHBOARD, BOARD).load()
    assert [(alert.severity, alert.title) for alert in org.reported_alerts] == [
        ("CRITICAL", "Disk"),
        ("CRITICAL", "critical alerts that are counted but not listed: 2"),
    ]


def test_a_count_of_alerts_that_differs_from_the_list_is_a_warning(root: RootBuilder) -> None:
    org = root.file(ALERTS, {"total_alerts": 4, "critical_alerts": 0, "alerts": []}).file(DASHBOARD, BOARD).load()
    assert f"{ALERTS}: total_alerts is 4, 0 are listed" in org.warnings


def test_a_trend_that_cannot_be_tested_is_told_and_not_taken_over(root: RootBuilder) -> None:
    report = {"overall_trend": "declining", "trend_confidence": 0.8, "score_volatility": 2.5, "history": POINTS}
    (warning,) = root.file(TRENDS, report).load().warnings[:1]
    assert warning == (
        f"{TRENDS}: overall_trend is 'declining' (confidence 0.8, volatility 2.5); 2 points are too few to test it, "
        "so it is not taken over"
    )
