"""Burn rates: windows, borders of firing, and calm organisations in which nothing fires."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from org_samples import DAILY, FIVE_MINUTES, T0, Row, counts, days, org_of, ratio, series, threshold

from tars_lib.engines.sla.burn_rate import PAIRS, burn_rates
from tars_lib.engines.sla.report import BurnRate, ComplianceResult
from tars_lib.engines.sla.sli import in_scope, read_track
from tars_lib.engines.sla.verdict import judge
from tars_lib.model.history import from_micros, to_micros
from tars_lib.model.names import Event, SlaStatus
from tars_lib.model.slo import AnyPolicy, Window

HOUR = timedelta(hours=1)
MONTH = 12 * 24 * 30
"""Samples of 5 minutes in 30 days."""


def verdict(rows: list[Row], policy: AnyPolicy, **fields: Any) -> ComplianceResult:
    as_of = fields.pop("as_of", None) or max(row[0] for row in rows)
    return judge(org_of(rows, policy, **fields), policy, as_of, ()).result


def outage(bad: int, of: int, last: int, quiet: int = 0, samples: int = MONTH) -> list[Row]:
    """`bad` failures `of` requests in the `last` samples of 5 minutes but the `quiet` ones at the very end."""
    failed = [0] * (samples - last - quiet) + [bad] * last + [0] * quiet
    return counts("web", [of] * samples, failed, step=FIVE_MINUTES)


def windows(rates: tuple[BurnRate, ...]) -> list[tuple[str, str, float]]:
    return [(rate.long_window, rate.short_window, rate.threshold) for rate in rates]


def test_the_windows_of_thirty_days_are_those_of_the_workbook() -> None:
    rates = verdict(outage(0, 1000, 1), ratio()).burn_rates
    assert windows(rates) == [("1h", "5m", 14.4), ("6h", "30m", 6.0), ("1d", "2h", 3.0), ("3d", "6h", 1.0)]
    assert all(rate.can_fire and not rate.is_firing and rate.long_rate == 0.0 for rate in rates)
    # 2 %, 5 %, 10 % and 10 % of the budget of 30 days
    assert [pair.threshold * pair.long / to_micros_of(30) for pair in PAIRS] == pytest.approx([0.02, 0.05, 0.1, 0.1])


def to_micros_of(number: int) -> int:
    return to_micros(T0 + number * DAILY) - to_micros(T0)


def test_windows_scale_with_the_period() -> None:
    rates = verdict(outage(0, 1000, 1), ratio(window=days(7), period_days=7)).burn_rates
    assert windows(rates) == [
        ("14m", "5m", 14.4),
        ("1h24m", "7m", 6.0),
        ("5h36m", "28m", 3.0),
        ("16h48m", "1h24m", 1.0),
    ]


def test_a_window_shorter_than_the_sampling_interval_becomes_it_and_pairs_that_fall_together_are_marked() -> None:
    rates = verdict(counts("web", [1000] * 60, [0] * 60), ratio()).burn_rates
    assert windows(rates) == [("1d", "1d", 14.4), ("1d", "1d", 6.0), ("1d", "1d", 3.0), ("3d", "1d", 1.0)]
    assert [rate.can_fire for rate in rates] == [False, False, True, True]
    assert rates[0].reason == "samples are too far apart: the same windows as the pair at 3, which fires first"


@pytest.mark.parametrize(
    ("objective", "can_fire"),
    [
        (0.999, [True, True, True, True]),
        (0.95, [True, True, True, True]),
        (0.93, [False, True, True, True]),
        (0.9, [False, True, True, True]),
        (0.8, [False, False, True, True]),
        (0.5, [False, False, False, True]),
    ],
)
def test_a_pair_that_even_a_total_outage_does_not_reach_cannot_fire(objective: float, can_fire: list[bool]) -> None:
    rates = verdict(outage(1000, 1000, 12), ratio(objective)).burn_rates
    assert [rate.can_fire for rate in rates] == can_fire
    for rate, pair in zip(rates, PAIRS, strict=True):
        assert rate.can_fire == (pair.threshold * (1.0 - objective) <= 1.0)
        assert rate.can_fire or (rate.reason is not None and rate.reason.startswith("even if everything fails"))


@pytest.mark.parametrize("failed", [0, 1])
def test_an_objective_of_one_hundred_percent_has_no_budget_to_burn(failed: int) -> None:
    rates = verdict(outage(failed, 1000, 12), ratio(1.0)).burn_rates
    assert {(rate.long_rate, rate.is_firing, rate.can_fire) for rate in rates} == {(None, False, False)}
    assert {rate.reason for rate in rates} == {"the objective allows no failures, so there is no budget to burn"}


def test_rates_are_unrounded_fractions_of_what_is_allowed() -> None:
    rates = verdict(outage(7, 1000, 6), ratio()).burn_rates
    allowed = 1.0 - 0.999
    assert [rate.long_rate for rate in rates] == [
        pytest.approx(42 / (samples * 1000) / allowed, rel=1e-12) for samples in (12, 72, 288, 864)
    ]
    assert [rate.short_rate for rate in rates] == [
        pytest.approx(7 * min(samples, 6) / (samples * 1000) / allowed, rel=1e-12) for samples in (1, 6, 24, 72)
    ]


def test_a_fast_burn_puts_a_compliant_sla_at_risk_and_names_repo_and_pair() -> None:
    # 3 % failed for an hour: a burn rate of 30, and 4 % of the budget of the month
    result = verdict(outage(300, 10_000, 12), ratio())
    assert result.error_budget is not None
    assert result.error_budget.consumed_share == pytest.approx(12 * 300 / (MONTH * 10_000) / 0.001)
    assert result.status is SlaStatus.AT_RISK
    assert (
        result.reason == "service web burns its error budget too fast: rate 30 over 1h and 30 over 5m, both above 14.4"
    )
    assert result.burn_rates[0].is_firing


def test_a_burn_that_is_over_does_not_fire() -> None:
    result = verdict(outage(300, 10_000, 12, quiet=3), ratio())
    first = result.burn_rates[0]
    assert first.long_rate is not None
    assert first.long_rate > 14.4
    assert (first.short_rate, first.is_firing, first.can_fire) == (0.0, False, True)


def test_a_burn_at_its_threshold_does_not_fire_and_one_clearly_beyond_does() -> None:
    for failed, fires in ((1440, False), (1445, False), (1600, True)):
        rates = verdict(outage(failed, 100_000, 12), ratio()).burn_rates
        assert rates[0].is_firing is fires


@pytest.mark.parametrize(("requests", "failed", "fires"), [(10, 1, False), (100, 3, False), (100, 40, True)])
def test_a_few_events_do_not_fire_by_chance(requests: int, failed: int, fires: bool) -> None:
    result = verdict(outage(failed, requests, 1), ratio())
    assert result.burn_rates[0].short_rate == pytest.approx(failed / requests / 0.001)
    assert any(rate.is_firing for rate in result.burn_rates) is fires


@pytest.mark.parametrize(("requests", "reason"), [(1, "1 events in the last 5m, fewer than 10"), (0, "fewer than 10")])
def test_a_window_with_too_few_events_cannot_fire(requests: int, reason: str) -> None:
    first = verdict(outage(0, requests, 1), ratio()).burn_rates[0]
    assert not first.can_fire
    assert first.reason is not None
    assert reason in first.reason


def test_events_that_could_not_be_told_from_chance_even_if_all_failed_cannot_fire() -> None:
    first = verdict(outage(0, 10, 1), ratio(0.94)).burn_rates[0]
    assert first.reason == "10 events in the last 5m are too few to tell a burn rate of 14.4 from chance"


def test_a_window_without_samples_says_so() -> None:
    rows = outage(0, 1000, 1)
    rates = verdict(rows, ratio(), as_of=rows[-1][0] + 3 * HOUR).burn_rates
    assert (rates[0].long_rate, rates[0].reason) == (None, "no samples in the last 1h")
    assert (rates[1].short_rate, rates[1].reason) == (None, "no samples in the last 30m")
    assert rates[3].can_fire


def test_a_small_repo_fires_though_the_organisation_does_not() -> None:
    big = counts("big", [1_000_000] * MONTH, [0] * MONTH, step=FIVE_MINUTES)
    small = counts("small", [1000] * MONTH, [0] * (MONTH - 12) + [100] * 12, step=FIVE_MINUTES)
    result = verdict(big + small, ratio())
    assert (result.status, result.scope) == (SlaStatus.AT_RISK, "small")
    assert [(r.repo, r.status) for r in result.repo_results] == [("small", SlaStatus.AT_RISK)]


def test_the_whole_organisation_fires_from_summed_counts() -> None:
    # each repo alone has too few events in 5 minutes to tell
    rows = [
        row
        for n in range(40)
        for row in counts(f"r{n:02}", [9] * MONTH, [0] * (MONTH - 12) + [1] * 12, step=FIVE_MINUTES)
    ]
    result = verdict(rows, ratio())
    assert (result.status, result.scope) == (SlaStatus.AT_RISK, None)
    assert result.reason is not None
    assert result.reason.startswith("the organisation burns its error budget too fast")


def test_maintenance_burns_nothing() -> None:
    rows = outage(300, 10_000, 12)
    last = rows[-1][0]
    assert verdict(
        rows, ratio(), events=(Event(last - HOUR, "web", "maintenance", "Move", None, last + HOUR),)
    ).status is (SlaStatus.COMPLIANT)


def test_an_sla_that_is_no_share_has_no_burn_rates() -> None:
    rows = series("web", "latency_p95", [0.1] * 40) + series("web", "availability", [0.9999] * 40)
    assert verdict(rows, threshold()).burn_rates == ()
    worst = threshold("availability", 0.99, unit="ratio", higher_is_better=True, aggregate="max")
    assert verdict(rows, worst).burn_rates == ()


def test_good_shares_and_ratios_that_are_metrics_burn_samples() -> None:
    slow = series("web", "latency_p95", [0.1] * (MONTH - 12) + [0.9] * 12, step=FIVE_MINUTES)
    policy = threshold("latency_p95", 0.99, aggregate="good_share", threshold=0.5, unit="ratio", higher_is_better=True)
    result = verdict(slow, policy)
    # one sample of 5 minutes is too few for the shortest window
    assert [rate.can_fire for rate in result.burn_rates] == [False, True, True, True]
    assert result.burn_rates[1].long_rate == pytest.approx(12 / 72 / 0.01)
    assert result.status is SlaStatus.AT_RISK
    rate = threshold("error_rate", 0.01, unit="ratio")
    found = verdict(series("web", "error_rate", [0.001] * (MONTH - 72) + [0.2] * 72, step=FIVE_MINUTES), rate)
    assert found.burn_rates[1].long_rate == pytest.approx(20.0)


def slow_rate(rows: list[Row], repo: str | None, length: timedelta, as_of: datetime, allowed: float) -> float | None:
    """Burn rate by a loop over rows."""
    bad = total = 0.0
    for time, name, metric, value in rows:
        if repo in (None, name) and as_of - length < time <= as_of:
            bad += value if metric == "requests_failed" else 0.0
            total += value if metric == "requests_total" else 0.0
    return bad / total / allowed if total else None


@pytest.mark.parametrize("seed", range(6))
def test_rates_agree_with_a_loop_over_rows(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows: list[Row] = []
    for name in ("a", "b", "c"):
        kept = rng.random(400) < 0.8
        total = rng.poisson(200, 400)
        made = counts(name, total.tolist(), rng.binomial(total, 0.01).tolist(), step=HOUR)
        rows += [row for place, row in enumerate(made) if kept[place % 400]]
    policy = ratio(0.99)
    org = org_of(rows, policy)
    found = read_track(org, policy)
    assert found is not None
    as_of = T0 + 390 * HOUR
    burns = burn_rates(policy, found, 3, np.flatnonzero(in_scope(org, policy, found)), as_of)
    assert burns is not None
    for column, repo in ((0, "a"), (1, "b"), (2, "c"), (None, None)):
        for rate, pair in zip(burns.rates(column), PAIRS, strict=True):
            for said, length in ((rate.long_rate, pair.long), (rate.short_rate, pair.short)):
                span = max(from_micros(length) - from_micros(0), HOUR)
                wanted = slow_rate(rows, repo, span, as_of, 1.0 - 0.99)
                assert said == (None if wanted is None else pytest.approx(wanted))


@pytest.mark.parametrize("step", [DAILY, HOUR])
def test_bursty_failures_of_a_calm_service_do_not_fire(step: timedelta) -> None:
    fired = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        share = 0.0005 * np.exp(0.5 * rng.normal(size=120) - 0.125)
        total = rng.poisson(200_000, 120)
        result = verdict(counts("web", total.tolist(), rng.binomial(total, share).tolist(), step=step), ratio())
        fired += any(rate.is_firing for rate in result.burn_rates)
    assert fired <= 2


def test_a_repo_that_fell_silent_keeps_its_verdict_and_nothing_fires() -> None:
    rows = outage(300, 10_000, 12)
    result = verdict(rows, ratio(window=Window.parse("30m")), as_of=rows[-1][0] + 2 * DAILY)
    assert result.status is SlaStatus.UNKNOWN
    assert not any(rate.is_firing for rate in result.burn_rates[:3])


def test_every_pair_that_cannot_fire_says_why() -> None:
    for objective in (1.0, 0.999, 0.9, 0.5):
        for requests in (0, 3, 1000):
            for rate in verdict(outage(0, requests, 1, samples=2000), ratio(objective)).burn_rates:
                assert rate.can_fire is (rate.reason is None), asdict(rate)
