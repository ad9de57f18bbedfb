"""When a breach began."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from naive_sli import best_run
from org_samples import DAILY, FIVE_MINUTES, T0, Row, counts, days, org_of, ratio, series, threshold

from tars_lib.engines.sla.onset import Stretch, burning_stretch, excess_series, largest_sum
from tars_lib.engines.sla.sli import measure, read_track
from tars_lib.model.names import Event
from tars_lib.model.slo import AnyPolicy, Window


def stretch(
    rows: list[Row], policy: AnyPolicy, column: int | None = 0, as_of: datetime | None = None, **fields: object
) -> Stretch | None:
    org = org_of(rows, policy, **fields)
    found = read_track(org, policy)
    assert found is not None
    end = as_of or max(row[0] for row in rows)
    return burning_stretch(policy, found, measure(org, policy, found, policy.window, end), column)


@given(st.lists(st.integers(-9, 9), min_size=1, max_size=25))
def test_the_run_has_the_largest_sum_and_no_idle_ends(values: list[int]) -> None:
    first, last = largest_sum(np.array(values, dtype=float))
    assert 0 <= first <= last < len(values)
    assert sum(values[first : last + 1]) == best_run(values)
    if max(values) > 0:
        assert values[first] > 0
        assert values[last] > 0


@pytest.mark.parametrize("objective", [1.0, 0.999, 0.99])
@pytest.mark.parametrize("planted", [35, 50, 58])
def test_a_ratio_breach_began_where_failures_were_planted(objective: float, planted: int) -> None:
    rows = counts("a", [1000] * 60, [0] * planted + [200] * (60 - planted))
    found = stretch(rows, ratio(objective))
    assert found == Stretch(T0 + planted * DAILY, T0 + 59 * DAILY, began_before=False, is_over=False)


@pytest.mark.parametrize("seed", range(5))
def test_the_planted_onset_is_found_in_noise(seed: int) -> None:
    rng = np.random.default_rng(seed)
    level = np.where(np.arange(300) < 280, 0.2, 0.9) + rng.normal(0, 0.03, 300)
    rows = series("a", "latency_p95", np.abs(level), step=FIVE_MINUTES)
    found = stretch(rows, threshold(window=Window(minutes=30)))
    assert found is not None
    assert found.start == T0 + 280 * FIVE_MINUTES


def test_single_failures_long_before_are_not_the_beginning() -> None:
    failed = np.zeros(60)
    failed[[10, 20, 31]] = 2
    failed[50:] = 100
    found = stretch(counts("a", [1000] * 60, failed), ratio(0.999))
    assert found is not None
    assert found.start == T0 + 50 * DAILY


def test_a_breach_that_is_over_says_when_it_ended() -> None:
    found = stretch(counts("a", [1000] * 60, [0] * 40 + [200] * 5 + [0] * 15), ratio(0.999))
    assert found == Stretch(T0 + 40 * DAILY, T0 + 44 * DAILY, began_before=False, is_over=True)


def test_a_breach_older_than_its_window_is_dated_at_its_beginning() -> None:
    found = stretch(counts("a", [1000] * 90, [0] * 40 + [200] * 50), ratio(0.999, window=days(7)))
    assert found == Stretch(T0 + 40 * DAILY, T0 + 89 * DAILY, began_before=False, is_over=False)


def test_an_incident_that_was_over_before_the_window_is_not_the_beginning() -> None:
    failed = [0] * 20 + [900] * 5 + [0] * 60 + [20] * 5
    found = stretch(counts("a", [1000] * 90, failed), ratio(0.99, window=days(7)))
    assert found is not None
    assert found.start == T0 + 85 * DAILY


def test_a_series_that_was_always_beyond_began_before() -> None:
    found = stretch(series("a", "latency_p95", [2.0] * 5), threshold())
    assert found is not None
    assert found.began_before
    assert found.start == T0


def test_failures_under_maintenance_are_not_the_beginning() -> None:
    window = Event(T0 + 40 * DAILY, "a", "maintenance", "Move", None, T0 + 45 * DAILY)
    failed = [0] * 40 + [900] * 5 + [0] * 10 + [20] * 5
    found = stretch(counts("a", [1000] * 60, failed), ratio(0.999), events=(window,))
    assert found is not None
    assert found.start == T0 + 55 * DAILY
    # also where the maintenance lies before the window, but inside the search
    failed = [0] * 20 + [900] * 5 + [0] * 30 + [20] * 5
    earlier = Event(T0 + 20 * DAILY, None, "maintenance", "Move", None, T0 + 25 * DAILY)
    found = stretch(counts("a", [1000] * 60, failed), ratio(0.999, window=days(20)), events=(earlier,))
    assert found is not None
    assert found.start == T0 + 55 * DAILY


def test_nothing_beyond_the_objective_has_no_beginning() -> None:
    assert stretch(counts("a", [1000] * 30, [1] * 30), ratio(0.999)) is None
    assert stretch(series("a", "latency_p95", [0.5] * 30), threshold()) is None


def test_what_came_after_as_of_is_not_looked_at() -> None:
    rows = counts("a", [1000] * 60, [0] * 30 + [50] * 5 + [0] * 10 + [999] * 15)
    found = stretch(rows, ratio(0.999), as_of=T0 + 40 * DAILY)
    assert found is not None
    assert (found.start, found.end) == (T0 + 30 * DAILY, T0 + 34 * DAILY)


def test_the_organisations_excess_is_the_sum_over_repos_at_each_time() -> None:
    policy = ratio(0.9)
    org = org_of(counts("a", [100, 100], [0, 30]) + counts("b", [100], [20]), policy)
    found = read_track(org, policy)
    assert found is not None
    times, excess = excess_series(policy, found, None)
    assert times.size == 2
    np.testing.assert_allclose(excess, [-10 + 10, 20], atol=1e-9)


@pytest.mark.parametrize(("floor", "expected"), [(False, [-0.1, -0.1, 0.9]), (True, [0.9, -0.1, -0.1])])
def test_the_excess_of_a_good_share_is_each_bad_sample_less_what_is_allowed(floor: bool, expected: list[float]) -> None:
    policy = threshold(
        "x", 0.9, aggregate="good_share", threshold=2.0, threshold_is_floor=floor, unit="ratio", higher_is_better=True
    )
    found = read_track(org_of(series("a", "x", [1, 2, 3]), policy), policy)
    assert found is not None
    np.testing.assert_allclose(excess_series(policy, found, 0)[1], expected)


def test_two_zones_give_one_onset() -> None:
    rows = series("a", "latency_p95", [0.1] * 200 + [0.9] * 40, step=timedelta(hours=1))
    starts = {
        stretch(rows, threshold(window=days(3), time_zone=zone)).start  # type: ignore[union-attr]
        for zone in ("UTC", "Asia/Kathmandu", "America/St_Johns")
    }
    assert starts == {T0 + timedelta(hours=200)}


def test_a_short_dip_within_a_breach_is_not_its_beginning() -> None:
    load = np.full(120, 1.3)
    load[60:] = 100.0
    for dip in (69, 80, 91, 102, 113):
        load[dip : dip + 2] = 55.0
    found = stretch(series("db", "cpu", load, step=FIVE_MINUTES), threshold("cpu", 90.0, window=Window(minutes=150)))
    assert found is not None
    assert found.start == T0 + 60 * FIVE_MINUTES


def test_an_earlier_breach_behind_a_long_calm_is_another_one() -> None:
    load = np.full(120, 1.3)
    load[60:80] = load[90:] = 100.0
    load[80:90] = 1.3
    found = stretch(
        series("db", "cpu", load[:100], step=FIVE_MINUTES), threshold("cpu", 90.0, window=Window(minutes=50))
    )
    assert found is not None
    assert found.start == T0 + 90 * FIVE_MINUTES
