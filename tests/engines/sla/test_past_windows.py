"""The past of an SLA, window by window, and what it says of the objective."""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from naive_sli import ratio_value, window_rows
from org_samples import DAILY, FIVE_MINUTES, T0, counts, org_of, ratio, series, threshold

from tars_lib.engines.sla.past_windows import MAX_WINDOWS, past_windows
from tars_lib.model.slo import AnyPolicy, Window
from tars_lib.playbook.documents.tickets import SloPast, slo_updates


def past_of(rows: list[tuple[datetime, str, str, float]], policy: AnyPolicy, as_of: datetime | None = None) -> SloPast:
    org, judged_at = org_of(rows, policy).at(as_of)
    (found,) = past_windows(org, judged_at)
    return found


def test_values_are_those_of_a_plain_loop_over_whole_windows() -> None:
    rng = np.random.default_rng(1)
    total = rng.poisson(1000, 100)
    rows = counts("a", total, rng.binomial(total, 0.01))
    policy = ratio(0.995, window=Window(days=7), period_days=7)
    found = past_of(rows, policy)
    ends = [T0 + (99 - 7 * back) * DAILY for back in range(14)][::-1]
    expected = [ratio_value(window_rows(rows, 7, "UTC", end), policy, None)[0] for end in ends]
    assert found.values == pytest.approx(expected)
    assert (found.window, found.known) == ("7d", 14)


def test_the_worst_repo_stands_for_a_missed_window_and_the_organisation_for_a_kept_one() -> None:
    calm, bad = [10.0] * 60, [1.0] * 30 + [200.0] * 30
    rows = counts("a", [10_000] * 60, calm) + counts("b", [1000] * 60, bad)
    first, second = past_of(rows, ratio(0.99, window=Window(days=30), period_days=30)).values
    assert first == pytest.approx(1 - 330 / 330_000)
    assert second == pytest.approx(0.8)


def test_a_repo_that_came_later_does_not_make_the_time_before_it_unknown() -> None:
    rows = counts("a", [1000] * 60, [1] * 60) + counts("b", [1000] * 30, [1] * 30, T0 + 30 * DAILY)
    found = past_of(rows, ratio(0.9, window=Window(days=10), period_days=10))
    assert (found.known, len(found.values)) == (6, 6)


def test_a_window_without_data_is_neither_kept_nor_missed() -> None:
    rows = counts("a", [1000] * 60, [100] * 60)
    gap = [row for row in rows if not T0 + 20 * DAILY <= row[0] < T0 + 30 * DAILY]
    found = past_of(gap, ratio(0.99, window=Window(days=10), period_days=10))
    assert [math.isnan(value) for value in found.values] == [False, False, True, False, False, False]
    assert slo_updates([found]) == ()
    assert found.lacking == "5 whole windows of 10d could be judged; 6 are needed"
    (whole,) = slo_updates([past_of(rows, ratio(0.99, window=Window(days=10), period_days=10))])
    assert (whole.missed, whole.windows, whole.suggested) == (6, 6, pytest.approx(0.9))
    assert whole.reason == "6 of 6 windows of 10d missed 0.99; nine of ten kept 0.9"


def test_the_day_and_the_calendar_period_that_are_not_over_are_left_out() -> None:
    hourly = series("a", "latency_p95", [0.1] * (24 * 10 + 6), step=timedelta(hours=1))
    assert past_of(hourly, threshold(window=Window(days=1), period_days=1)).known == 10
    daily = series("a", "latency_p95", [0.1] * 100)
    monthly = threshold(window=Window.aligned("1M", "2026-01-01T00:00:00"))
    assert past_of(daily, monthly).values == (0.1, 0.1, 0.1)  # January to March; ten days of April


def test_local_days_stay_whole_where_daylight_saving_shifts_them() -> None:
    rows = series(
        "a", "latency_p95", np.tile(np.arange(24.0), 60), datetime(2026, 3, 1, tzinfo=UTC), timedelta(hours=1)
    )
    policy = threshold(
        objective=5.0, window=Window(days=1), period_days=1, time_zone="America/St_Johns", aggregate="max"
    )
    found = past_of(rows, policy)
    assert set(found.values) == {23.0}
    assert found.known == 60


def test_short_windows_are_thinned_over_the_whole_history_and_an_hour_of_them_says_nothing() -> None:
    policy = threshold(objective=0.5, window=Window(minutes=15), period_days=30)
    bad = series("a", "latency_p95", [0.9] * (12 * 24 * 31), step=FIVE_MINUTES)
    began = time.process_time()
    found = past_of(bad, policy)
    assert time.process_time() - began < 5
    assert 30 < found.known <= MAX_WINDOWS
    assert [update.suggested for update in slo_updates([found])] == [0.9]
    hour = past_of(bad[: 12 * 3], policy)
    assert hour.known >= 6
    assert slo_updates([hour]) == ()
    assert hour.lacking is not None
    assert "less than one period" in hour.lacking


def test_what_nobody_reports_or_was_not_there_yet_has_no_past() -> None:
    rows = series("a", "latency_p95", [0.1] * 20)
    assert past_of(rows, ratio()).values == ()
    assert past_of(rows, threshold()).values == ()
