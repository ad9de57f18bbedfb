"""Outlooks of SLAs: declines found before they breach, calm organisations left alone, and what cannot be said."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from org_samples import DAILY, T0, Row, counts, days, org_of, ratio, series, threshold

from tars_lib.engines.sla.report import ComplianceResult
from tars_lib.engines.sla.verdict import judge
from tars_lib.files.json_records import from_json, to_json
from tars_lib.model.names import Event, SlaStatus, Trend
from tars_lib.model.slo import AnyPolicy, Window

Floats = np.ndarray[Any, np.dtype[np.float64]]


def verdict(rows: list[Row], *policies: AnyPolicy, **fields: Any) -> ComplianceResult:
    as_of = fields.pop("as_of", None) or max(row[0] for row in rows)
    return judge(org_of(rows, *policies, **fields), policies[0], as_of, ()).result


def noise(rows: int, phi: float, seed: int) -> Floats:
    """AR(1) noise with unit variance."""
    steps = np.random.default_rng(seed).normal(size=rows + 50) * np.sqrt(1.0 - phi**2)
    made = np.zeros(rows + 50)
    for row in range(1, rows + 50):
        made[row] = phi * made[row - 1] + steps[row]
    return made[50:]


def calm(rows: int, phi: float, seed: int) -> list[Row]:
    """Half of the budget is used, and the latency is two of its standard deviations from its objective."""
    rng = np.random.default_rng(seed + 1000)
    total = rng.poisson(20_000, rows)
    share = 0.0005 * np.exp(0.25 * noise(rows, phi, seed) - 0.03)
    failed = rng.binomial(total, share)
    return counts("web", total, failed) + series("web", "latency_p95", 0.4 + 0.05 * noise(rows, phi, seed + 5000))


def declining(rows: int, lead: int, seed: int, in_days: int = 14) -> list[Row]:
    """A latency of 0.3 s that began to climb `lead` days ago so that the mean of 30 days passes 0.5 s `in_days` on."""
    climb = np.maximum(np.arange(rows + in_days) - (rows - lead), 0.0)
    slope = 0.2 / climb[-30:].mean()
    return series("web", "latency_p95", 0.3 + 0.04 * noise(rows, 0.3, seed) + slope * climb[:rows])


@pytest.mark.parametrize("phi", [0.0, 0.5])
@pytest.mark.parametrize("rows", [30, 60, 120])
def test_a_calm_organisation_is_not_at_risk(rows: int, phi: float) -> None:
    policies = (ratio(), threshold())
    risky = 0
    for seed in range(40):
        made = calm(rows, phi, seed)
        risky += any(verdict(made, policy).status is not SlaStatus.COMPLIANT for policy in policies)
    assert risky <= 2


@pytest.mark.parametrize(("rows", "lead"), [(60, 40), (60, 25), (90, 40), (120, 40)])
def test_a_slow_decline_is_at_risk_two_weeks_before_it_breaches(rows: int, lead: int) -> None:
    results = [verdict(declining(rows, lead, seed), threshold()) for seed in range(20)]
    risky = [result for result in results if result.status is SlaStatus.AT_RISK]
    assert len(risky) >= 15
    assert np.mean([result.trend is Trend.DECLINING for result in risky]) >= 0.9
    told = [result.days_until_breach for result in risky if result.days_until_breach is not None]
    assert 9 <= np.median([one.value for one in told]) <= 19
    assert risky[0].reason is not None
    assert risky[0].reason.startswith("a breach in service web within 30 days is more likely than not (")


@pytest.mark.parametrize("number", [60, pytest.param(200, marks=pytest.mark.thorough)])
def test_few_of_many_calm_organisations_are_at_risk(number: int) -> None:
    risky = 0
    for seed in range(number):
        rows = [
            (time, name, metric, value)
            for place, name in enumerate("abc")
            for time, _, metric, value in calm(60, 0.5, 10 * seed + place)
        ]
        org = org_of(rows, ratio(), threshold())
        as_of = max(row[0] for row in rows)
        found = [judge(org, policy, as_of, ()).result.status for policy in org.policies]
        risky += any(status is not SlaStatus.COMPLIANT for status in found)
    assert risky <= number / 20


def test_a_steady_decline_is_at_risk_days_before_it_is_breached_and_the_range_of_days_holds_the_day() -> None:
    held, ahead = [], []
    for seed in range(12):
        climb = 0.3 + 0.007 * np.maximum(np.arange(110) - 40.0, 0.0) + 0.03 * noise(110, 0.3, seed)
        rows = series("web", "latency_p95", climb)
        org = org_of(rows, threshold())
        results = []
        for day in range(62, 110):
            results.append((day, judge(org, threshold(), rows[day][0], ()).result))
            if results[-1][1].status is SlaStatus.BREACHED:
                break
        breached = results[-1][0]
        assert results[-1][1].status is SlaStatus.BREACHED
        risky = [(day, result) for day, result in results[:-1] if result.status is SlaStatus.AT_RISK]
        ahead.append(breached - risky[0][0] if risky else 0)
        for day, result in risky:
            told = result.days_until_breach
            assert told is not None
            held.append(told.low <= breached - day and (told.high is None or breached - day <= told.high))
    assert sorted(ahead)[1] >= 5
    assert np.mean(held) >= 0.75


def test_an_error_budget_that_is_eaten_slowly_is_seen_before_four_fifths_are_gone() -> None:
    rng = np.random.default_rng(2)
    total = rng.poisson(200_000, 80)
    share = 0.0002 + np.maximum(np.arange(80) - 45.0, 0.0) * 0.00003
    result = verdict(counts("web", total, rng.binomial(total, share)), ratio(period_days=30))
    assert result.error_budget is not None
    assert result.error_budget.consumed_share is not None
    assert result.error_budget.consumed_share < 0.8
    assert result.status is SlaStatus.AT_RISK


def test_a_breach_is_certain_and_there_already() -> None:
    result = verdict(series("web", "latency_p95", [0.9] * 60), threshold())
    assert (result.status, result.breach_probability, result.forecast_reason) == (SlaStatus.BREACHED, 1.0, None)
    assert result.days_until_breach is not None
    assert (result.days_until_breach.value, result.days_until_breach.low, result.days_until_breach.high) == (0, 0, 0)


def test_what_is_not_likely_has_no_date_and_says_what_it_rests_on() -> None:
    result = verdict(calm(90, 0.0, 1), threshold())
    assert result.breach_probability is not None
    assert result.breach_probability < 0.1
    assert result.days_until_breach is None
    assert result.forecast_reason == "forecast to stay as it is now, tested 39 times up to 30 days ahead on past data"


def test_a_past_too_short_for_the_period_says_how_far_it_sees() -> None:
    result = verdict(calm(30, 0.0, 1), threshold())
    assert result.breach_probability is not None
    assert result.forecast_reason is not None
    assert result.forecast_reason.endswith("; beyond 16 days of the 30 there is no forecast")


@pytest.mark.parametrize("rows", [3, 5, 9])
def test_hardly_any_past_gives_null_and_a_reason(rows: int) -> None:
    result = verdict(series("web", "latency_p95", [0.1] * rows), threshold(window=days(rows)))
    assert result.status is SlaStatus.COMPLIANT
    assert (result.breach_probability, result.days_until_breach) == (None, None)
    assert result.forecast_reason == "too little history to test a forecast on"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"window": Window.parse("6h")}, "a window of 6h cannot forecast 30 days ahead; windows of days can"),
        ({"aggregate": "max"}, "a forecast is made for means and shares, and this SLI is neither"),
        ({"aggregate": "median"}, "a forecast is made for means and shares, and this SLI is neither"),
        (
            {"window": Window.aligned("1M", "2026-01-01T00:00:00")},
            "a calendar window begins anew with each period; a forecast is made for rolling windows",
        ),
    ],
)
def test_what_cannot_be_forecast_is_null_with_the_reason(fields: dict[str, Any], reason: str) -> None:
    rows = series("web", "latency_p95", [0.1] * 24 * 59, step=timedelta(hours=1))
    result = verdict(rows, threshold(**fields))
    assert result.status is SlaStatus.COMPLIANT
    assert (result.breach_probability, result.days_until_breach, result.forecast_reason) == (None, None, reason)


def test_an_unknown_sla_is_not_forecast() -> None:
    silent = verdict(series("web", "latency_p95", [0.1] * 60), threshold(), as_of=T0 + 120 * DAILY)
    assert silent.status is SlaStatus.UNKNOWN
    assert silent.breach_probability is None
    assert (silent.forecast_reason or "").startswith("no data in the window: web has been silent since 2026-03-01")
    missing = verdict(series("web", "health_score", [90.0] * 60), threshold())
    assert (missing.trend, missing.breach_probability) == (Trend.UNKNOWN, None)
    assert missing.forecast_reason == "no service reports latency_p95"


@pytest.mark.parametrize(
    ("metric", "objective", "start", "slope", "trend"),
    [
        ("latency_p95", 9.0, 0.1, 0.01, Trend.DECLINING),
        ("latency_p95", 9.0, 2.0, -0.01, Trend.IMPROVING),
        ("health_score", 10.0, 60.0, 0.3, Trend.IMPROVING),
        ("health_score", 10.0, 90.0, -0.3, Trend.DECLINING),
        ("health_score", 10.0, 90.0, 0.0, Trend.STABLE),
    ],
)
def test_a_trend_is_told_in_terms_of_health(
    metric: str, objective: float, start: float, slope: float, trend: Trend
) -> None:
    rows = series("web", metric, start + slope * np.arange(40.0))
    policy = threshold(metric, objective, higher_is_better=metric == "health_score", unit="score")
    assert verdict(rows, policy).trend is trend


def test_a_score_that_falls_towards_its_floor_is_at_risk() -> None:
    rows = series("web", "health_score", 90.0 - 0.5 * np.maximum(np.arange(60) - 25.0, 0.0) + noise(60, 0.0, 3))
    result = verdict(rows, threshold("health_score", 75, higher_is_better=True, unit="score"))
    assert result.status is SlaStatus.AT_RISK


def test_hourly_samples_are_seen_as_days() -> None:
    rng = np.random.default_rng(4)
    climb = 0.3 + 0.006 * np.maximum(np.arange(24 * 60) / 24 - 20.0, 0.0)
    rhythm = 0.1 * np.sin(2 * np.pi * np.arange(24 * 60) / 24)
    rows = series("web", "latency_p95", climb + rhythm + 0.02 * rng.normal(size=24 * 60), step=timedelta(hours=1))
    result = verdict(rows, threshold())
    assert result.status is SlaStatus.AT_RISK
    assert result.days_until_breach is not None
    assert 5 <= result.days_until_breach.value <= 20


def test_the_declining_repo_decides_though_another_is_worse_now() -> None:
    rows = [
        *declining(60, 40, 1),
        *((time, "steady", metric, 0.45) for time, _, metric, _ in declining(60, 40, 1)),
    ]
    result = verdict(rows, threshold())
    assert (result.status, result.scope) == (SlaStatus.AT_RISK, "web")


def test_a_repo_out_of_scope_does_not_matter() -> None:
    rows = declining(60, 40, 1) + series("other", "latency_p95", 0.1 + 0.001 * noise(60, 0.0, 2))
    assert verdict(rows, threshold(repos=("other",))).status is SlaStatus.COMPLIANT


def test_maintenance_is_no_decline() -> None:
    values = 0.3 + 0.01 * noise(60, 0.0, 3)
    values[-10:] += np.linspace(0.0, 0.5, 10)
    rows = series("web", "latency_p95", values)
    window = Event(T0 + 50 * DAILY, "web", "maintenance", "Move", None, T0 + 61 * DAILY)
    assert verdict(rows, threshold(), events=(window,)).breach_probability < 0.1  # type: ignore[operator]


def test_without_looking_ahead_nothing_is_forecast() -> None:
    rows = declining(60, 40, 1)
    org = org_of(rows, threshold())
    result = judge(org, threshold(), rows[-1][0], (), look_ahead=False).result
    assert (result.status, result.breach_probability) == (SlaStatus.COMPLIANT, None)


def test_the_result_reads_back_from_json() -> None:
    for rows in (declining(60, 40, 1), calm(60, 0.0, 1), series("web", "latency_p95", [0.9] * 60)):
        result = verdict(rows, threshold())
        assert from_json(ComplianceResult, to_json(result), "report") == result
