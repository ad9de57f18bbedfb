"""Health of repos and of the organisation."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from org_samples import DAILY, STAMP, T0, Row, counts, days, history_of, org_of, ratio, series

from tars_lib.engines.health.assess import assess_health, data_age, iso_duration
from tars_lib.engines.health.report import HealthReport, RepositoryReport
from tars_lib.model.history import DAY, SECOND
from tars_lib.model.metrics import Metric
from tars_lib.model.names import HealthStatus, OrgSlo, Repo, RiskTier, Trend

BOUNDED = {
    "fast": Metric("fast", "s", False, healthy=0.0, unhealthy=100.0, weight=3.0),
    "sure": Metric("sure", "s", True, healthy=100.0, unhealthy=0.0, weight=1.0),
}


def health(rows: list[Row], **fields: Any) -> HealthReport:
    as_of = fields.pop("as_of", None)
    known, time = org_of(rows, **fields).at(as_of)
    return assess_health(known, time, STAMP)


def scored(*scores: float, facing: tuple[int, ...] = (), **fields: Any) -> HealthReport:
    """One repo a score, reported for ten days."""
    names = [f"r{n:02}" for n in range(len(scores))]
    rows = [
        row for name, score in zip(names, scores, strict=True) for row in series(name, "health_score", [score] * 10)
    ]
    repos = [Repo(name, name, customer_facing=n in facing) for n, name in enumerate(names)]
    return health(rows, repos=repos, **fields)


def of(report: HealthReport, repo: str) -> RepositoryReport:
    return next(entry for entry in report.repository_reports if entry.repo == repo)


def test_the_score_is_the_median_of_the_last_three_samples() -> None:
    report = health(series("a", "health_score", [90, 90, 90, 10, 70, 80]))
    assert report.repository_scores == {"a": 70.0}
    assert "reported score, median of the last 3 samples" in of(report, "a").reasons


def test_without_a_reported_score_it_is_the_weighted_mean_of_the_components() -> None:
    report = health(series("a", "fast", [60] * 9) + series("a", "sure", [80] * 9), metrics=BOUNDED)
    assert report.repository_scores["a"] == pytest.approx((3 * 40 + 1 * 80) / 4)
    parts = {c.metric: (c.value, c.score, c.weight, c.coverage) for c in of(report, "a").components}
    assert parts == {"fast": (60.0, pytest.approx(40.0), 3.0, 1.0), "sure": (80.0, pytest.approx(80.0), 1.0, 1.0)}
    assert "fast 60 s scores 40 of 100" in of(report, "a").reasons


def test_a_reported_score_stands_before_components() -> None:
    report = health(series("a", "health_score", [55] * 9) + series("a", "fast", [0] * 9), metrics=BOUNDED)
    assert report.repository_scores["a"] == 55.0


def test_a_component_that_went_silent_is_left_out_and_named() -> None:
    report = health(series("a", "sure", [80] * 40) + series("a", "fast", [60] * 5), metrics=BOUNDED)
    # three quarters of the weight are silent: too little is known for a score
    assert report.repository_scores["a"] is None
    fast = next(c for c in of(report, "a").components if c.metric == "fast")
    assert (fast.score, fast.reason) == (None, "0% of its recent samples arrived")
    light = {"fast": BOUNDED["fast"], "sure": Metric("sure", "s", True, healthy=100.0, unhealthy=0.0, weight=9.0)}
    report = health(series("a", "sure", [80] * 40) + series("a", "fast", [60] * 5), metrics=light)
    assert report.repository_scores["a"] == pytest.approx(80.0)
    assert of(report, "a").coverage == pytest.approx(0.75)


def test_a_repo_without_data_is_unknown_with_a_reason_and_never_zero() -> None:
    rows = series("a", "health_score", [90] * 9) + series("b", "latency", [1] * 9)
    report = health(rows, repos=[Repo("silent", "silent")])
    assert report.repository_scores == {"a": 90.0, "b": None, "silent": None}
    assert of(report, "silent").reasons == ("it reports no metric",)
    assert of(report, "b").reasons == ("none of its metrics (latency) has healthy and unhealthy bounds",)
    assert {(r.status, r.risk_tier, r.trend) for r in report.repository_reports[1:]} == {
        (HealthStatus.UNKNOWN, RiskTier.UNKNOWN, Trend.UNKNOWN)
    }
    assert "2 of 3 services have no known score: b, silent" in report.warnings


@pytest.mark.parametrize(("silent", "is_known"), [(1, True), (2, False)])
def test_under_half_coverage_the_organisation_is_unknown(silent: int, is_known: bool) -> None:
    report = scored(90.0)
    rows = series("a", "health_score", [90.0] * 9)
    report = health(rows, repos=[Repo(f"s{n}", "s") for n in range(silent)])
    assert report.coverage == pytest.approx(1 / (1 + silent))
    assert (report.aggregate_score == 90.0) is is_known
    assert report.risk_tier is (RiskTier.LOW if is_known else RiskTier.UNKNOWN)
    assert report.exit_code == (0 if is_known else 96)
    if not is_known:
        assert "coverage 33% is under 50%: the aggregate score is not known" in report.reasons


@pytest.mark.parametrize(("late", "is_known"), [(5, True), (6, False)])
def test_a_repo_under_half_coverage_has_no_score(late: int, is_known: bool) -> None:
    report = health(series("a", "health_score", [90] * 40), as_of=T0 + (39 + late) * DAILY)
    assert (report.repository_scores["a"] is not None) is is_known


def test_reports_ascend_by_score_with_the_unknown_last() -> None:
    report = scored(70, 30, 90)
    assert [r.repo for r in report.repository_reports] == ["r01", "r00", "r02"]
    report = health(
        series("b", "health_score", [0] * 9) + series("c", "health_score", [50] * 9), repos=[Repo("a", "a")]
    )
    assert [r.repo for r in report.repository_reports] == ["b", "c", "a"]
    assert report.below_threshold == ("b", "c")


@pytest.mark.parametrize(
    ("scores", "facing", "tier", "code"),
    [
        ([90] * 10, (), RiskTier.LOW, 0),
        ([70] * 10, (), RiskTier.MEDIUM, 0),
        ([50] * 10, (), RiskTier.HIGH, 92),
        ([30] * 10, (), RiskTier.CRITICAL, 92),
        ([50] + [95] * 9, (), RiskTier.HIGH, 92),
        ([50] + [95] * 10, (), RiskTier.LOW, 0),
        ([50] + [95] * 10, (0,), RiskTier.HIGH, 92),
        ([50] + [95] * 10, (1,), RiskTier.LOW, 0),
        ([30] + [95] * 9, (), RiskTier.CRITICAL, 92),
        ([30] + [95] * 10, (), RiskTier.LOW, 0),
        ([30] + [95] * 10, (0,), RiskTier.HIGH, 92),
        ([50, 30] + [95] * 18, (), RiskTier.HIGH, 92),
        ([30, 30] + [95] * 18, (), RiskTier.CRITICAL, 92),
    ],
)
def test_the_organisations_tier_by_the_contracts_rules(
    scores: list[float], facing: tuple[int, ...], tier: RiskTier, code: int
) -> None:
    report = scored(*scores, facing=facing)
    assert (report.risk_tier, report.exit_code) == (tier, code)
    assert report.reasons


@given(st.lists(st.sampled_from([10.0, 45.0, 65.0, 85.0]), min_size=1, max_size=60))
def test_the_ten_percent_rule_is_exact_for_any_number_of_repos(scores: list[float]) -> None:
    report = scored(*scores)
    weak, critical = sum(s < 60 for s in scores), sum(s < 40 for s in scores)
    mean = sum(scores) / len(scores)
    order = [RiskTier.LOW, RiskTier.MEDIUM, RiskTier.HIGH, RiskTier.CRITICAL]
    own = (
        order[0]
        if mean >= 80 - 1e-9
        else order[1]
        if mean >= 60 - 1e-9
        else order[2]
        if mean >= 40 - 1e-9
        else order[3]
    )
    expected = max(
        own,
        RiskTier.HIGH if weak and 10 * weak >= len(scores) else own,
        RiskTier.CRITICAL if critical and 10 * critical >= len(scores) else own,
        key=order.index,
    )
    assert report.risk_tier is expected


@given(st.lists(st.floats(0, 100), min_size=1, max_size=20), st.integers(0, 5))
def test_contributions_add_up_to_what_is_missing_from_the_aggregate(scores: list[float], silent: int) -> None:
    rows = [row for n, s in enumerate(scores) for row in series(f"r{n:02}", "health_score", [s] * 9)]
    report = health(rows, repos=[Repo(f"s{n}", "s") for n in range(min(silent, len(scores)))])
    assert report.aggregate_score is not None
    assert sum(c.points for c in report.contributions) == pytest.approx(100 - report.aggregate_score, abs=1e-9)
    assert [c.points for c in report.contributions] == sorted((c.points for c in report.contributions), reverse=True)


@pytest.mark.parametrize(
    ("slo", "code", "status"),
    [
        (OrgSlo("s", "aggregate_score", 75.0), 0, "MET"),
        (OrgSlo("s", "aggregate_score", 75.1), 91, "VIOLATED"),
        (OrgSlo("s", "minimum_score", 65.0), 0, "MET"),
        (OrgSlo("s", "minimum_score", 66.0), 91, "VIOLATED"),
        (OrgSlo("s", "share_green", 0.5), 0, "MET"),
        (OrgSlo("s", "share_green", 0.6), 91, "VIOLATED"),
        (OrgSlo("s", "coverage", 1.0), 0, "MET"),
    ],
)
def test_a_violated_objective_of_the_organisation_is_91(slo: OrgSlo, code: int, status: str) -> None:
    report = scored(65, 85, slos=(slo,))
    assert (report.exit_code, report.slo_results[0].status) == (code, status)


def test_high_risk_outranks_a_violated_objective() -> None:
    report = scored(50, 50, slos=(OrgSlo("s", "aggregate_score", 90.0),))
    assert (report.exit_code, report.finding) == (92, "HIGH_ORG_RISK")


def test_an_objective_that_cannot_be_measured_is_unknown_and_no_finding() -> None:
    slos = tuple(OrgSlo(m, m, 50.0) for m in ("aggregate_score", "minimum_score", "share_green"))
    report = health(series("a", "latency", [1] * 9), slos=slos)
    assert [s.status for s in report.slo_results] == ["UNKNOWN"] * 3
    assert report.exit_code == 96


@pytest.mark.parametrize(("slope", "trend"), [(1.0, Trend.IMPROVING), (-1.0, Trend.DECLINING)])
def test_a_planted_trend_is_named_with_its_slope_per_day(slope: float, trend: Trend) -> None:
    rng = np.random.default_rng(1)
    rows = series("a", "health_score", 50 + slope * np.arange(30) + rng.normal(0, 1, 30))
    found = of(health(rows), "a")
    assert found.trend is trend
    assert found.trend_slope_per_day == pytest.approx(slope, abs=0.1)
    assert found.trend_interval is not None
    assert found.trend_interval[0] < slope < found.trend_interval[1]


def test_a_slope_is_per_day_whatever_the_interval() -> None:
    hourly = series("a", "health_score", np.linspace(90, 80, 30), step=timedelta(hours=1))
    assert of(health(hourly), "a").trend_slope_per_day == pytest.approx(-10 / 29 * 24)


def test_noise_is_called_stable() -> None:
    rng = np.random.default_rng(2)
    wrong = 0
    for _ in range(60):
        rows = [row for n in range(5) for row in series(f"r{n}", "health_score", 70 + rng.normal(0, 3, 60))]
        wrong += any(r.trend is not Trend.STABLE for r in health(rows).repository_reports)
    assert wrong <= 6


def test_a_composed_score_has_a_trend_too() -> None:
    rows = series("a", "fast", np.arange(30.0)) + series("a", "sure", [100] * 30)
    found = of(health(rows, metrics=BOUNDED), "a")
    assert (found.trend, found.trend_slope_per_day) == (Trend.DECLINING, pytest.approx(-0.75))


def test_a_change_point_is_dated_where_it_was_planted() -> None:
    rng = np.random.default_rng(3)
    rows = series("a", "health_score", np.repeat([90.0, 60.0], [40, 20]) + rng.normal(0, 2, 60))
    (point,) = of(health(rows), "a").change_points
    assert point.at == T0 + 40 * DAILY
    assert (point.before, point.after) == pytest.approx((90, 60), abs=1.5)
    assert any("score went from" in reason for reason in of(health(rows), "a").reasons)


@pytest.mark.parametrize("values", [[70.0], [70.0] * 60, [70.0] * 3])
def test_one_few_and_constant_samples_have_no_trend_and_no_change(values: list[float]) -> None:
    found = of(health(series("a", "health_score", values)), "a")
    assert found.trend in (Trend.UNKNOWN, Trend.STABLE)
    assert (found.trend is Trend.UNKNOWN) is (len(values) < 8)
    assert found.change_points == ()


def test_what_came_after_as_of_is_not_known() -> None:
    rows = series("a", "health_score", [90] * 20 + [10] * 20)
    assert health(rows, as_of=T0 + 19 * DAILY).repository_scores == {"a": 90.0}
    assert health(rows).repository_scores == {"a": 10.0}


def test_order_zone_and_duplicates_of_rows_do_not_matter() -> None:
    from zoneinfo import ZoneInfo

    rows = counts("a", [1000] * 40, range(40)) + series("b", "health_score", range(40))
    moved = [(time.astimezone(ZoneInfo("Asia/Kathmandu")), *rest) for time, *rest in rows[::-1]]
    assert health(rows) == health([*moved, *moved[:5]])  # type: ignore[list-item]


def test_an_empty_organisation_is_unknown_throughout() -> None:
    org = org_of([], repos=[Repo("a", "a")])
    report = assess_health(org, T0, STAMP)
    assert (report.aggregate_score, report.risk_tier, report.coverage, report.exit_code) == (
        None,
        RiskTier.UNKNOWN,
        0.0,
        96,
    )
    assert report.history.start is None


def test_metrics_without_a_definition_are_a_warning() -> None:
    report = health(series("a", "health_score", [90] * 9) + series("a", "queue_depth", [1] * 9))
    assert "metrics without definition in org.yaml (unit and direction unknown): queue_depth" in report.warnings


def test_the_extent_of_the_history_is_described() -> None:
    found = health(series("a", "health_score", [90] * 9) + series("b", "latency", [1])).history
    assert (found.samples, found.metrics, found.start, found.end, found.interval) == (
        10, ("health_score", "latency"), T0, T0 + 8 * DAILY, "P1D"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("micros", "text"),
    [
        (7 * DAY, "P7D"),
        (DAY + DAY // 24, "PT25H"),
        (90 * SECOND, "PT90S"),
        (SECOND // 2, "PT0.5S"),
        (1_234_567 * SECOND, "PT1234567S"),
        (14 * DAY + SECOND, "PT1209601S"),
    ],
)
def test_a_duration_is_iso_8601_without_an_exponent(micros: int, text: str) -> None:
    assert iso_duration(micros) == text


def test_old_data_is_a_sentence_and_fresh_data_is_none() -> None:
    org = org_of(series("a", "health_score", [90] * 9))
    last = T0 + 8 * DAILY
    assert data_age(org, last, last + 3 * DAILY) is None
    assert data_age(org, last, last + 4 * DAILY) == "the newest sample is 4 d old; judged as of 2026-01-09 00:00 UTC"
    assert data_age(org_of([], repos=[Repo("a", "a")]), last, last) is None


def test_the_frame_has_a_row_a_repo() -> None:
    frame = scored(70, 30).frame
    assert list(frame.index) == ["r01", "r00"]
    assert frame.loc["r00", "score"] == 70.0


def test_a_report_has_the_same_id_for_the_same_input_only() -> None:
    assert scored(70).report_id == scored(70).report_id
    assert (
        health(series("a", "health_score", [70] * 9)).report_id
        != health(series("a", "health_score", [70] * 8)).report_id
    )
    assert len(history_of([])) == 0


@pytest.mark.parametrize(("later", "code"), [(0, 0), (5, 0), (400, 96)])
def test_where_nothing_can_be_judged_any_more_the_code_says_so(later: int, code: int) -> None:
    org = org_of(counts("a", [100.0] * 10, [0.0] * 10), ratio(0.99, window=days(7)))
    known, time = org.at(T0 + (9 + later) * DAILY)
    assert assess_health(known, time, STAMP).exit_code == code
