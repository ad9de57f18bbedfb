"""What an SLI measured over a window."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from naive_sli import ratio_value, threshold_value, wilson_by_search, window_rows
from org_samples import DAILY, FIVE_MINUTES, T0, Row, counts, days, org_of, ratio, series, threshold

from tars_lib.engines.sla.sli import Measurement, in_scope, measure, read_track
from tars_lib.model.history import from_micros
from tars_lib.model.names import Event, Repo
from tars_lib.model.slo import AGGREGATES, AnyPolicy, Track, Window

ZONES = ("UTC", "Europe/Berlin", "Asia/Kathmandu")
HOUR = timedelta(hours=1)


def interval_of(
    policy: AnyPolicy, found: Track, measured: Measurement, column: int | None
) -> tuple[float, float] | None:
    mine = measured.keep if column is None else measured.keep & (found.column == column)
    reading = measured.reading
    columns = slice(None) if column is None else slice(column, column + 1)
    return policy.interval(
        float(reading.bad[columns].sum()), float(reading.events[columns].sum()), found.value[mine], (None, None)
    )


def some_rows(draw: st.DrawFn, metrics: tuple[str, ...]) -> list[Row]:
    keys = draw(
        st.lists(
            st.tuples(st.integers(0, 300), st.sampled_from("ab"), st.sampled_from(metrics)),
            unique=True,
            min_size=2,
            max_size=80,
        )
    )
    values = draw(st.lists(st.integers(0, 50), min_size=len(keys), max_size=len(keys)))
    return [(T0 + 7 * n * HOUR, repo, metric, float(v)) for (n, repo, metric), v in zip(keys, values, strict=True)]


@given(st.data(), st.sampled_from(ZONES), st.integers(1, 40), st.booleans())
def test_a_ratio_is_that_of_plain_loops_over_the_rows_of_the_window(
    data: st.DataObject, zone: str, number: int, good: bool
) -> None:
    rows = data.draw(st.composite(some_rows)(("jobs", "jobs_done")))
    policy = ratio(time_zone=zone, window=days(number), part_is_good=good, total="jobs", part="jobs_done")
    as_of = max(row[0] for row in rows)
    org = org_of(rows, policy)
    found = read_track(org, policy)
    if found is None:
        assert len({row[2] for row in rows}) == 1
        return
    if found.notes:
        return  # samples of two times were joined
    measured = measure(org, policy, found, policy.window, as_of)
    inside = window_rows(rows, number, zone, as_of)
    for column, repo in enumerate(org.repos):
        value, events = ratio_value(inside, policy, repo.repo)
        assert measured.reading.events[column] == events
        np.testing.assert_allclose(
            measured.reading.value[column], np.nan if value is None else value, rtol=1e-12, atol=1e-12
        )
    value, events = ratio_value(inside, policy, None)
    assert measured.reading.events.sum() == events


@given(st.data(), st.sampled_from(ZONES), st.integers(1, 40), st.sampled_from(AGGREGATES), st.booleans())
def test_an_aggregate_is_that_of_plain_loops_over_the_rows_of_the_window(
    data: st.DataObject, zone: str, number: int, aggregate: str, higher: bool
) -> None:
    rows = data.draw(st.composite(some_rows)(("latency", "lead_time")))
    extra = (
        {"threshold": 20.0, "threshold_is_floor": higher, "unit": "ratio", "higher_is_better": True}
        if aggregate == "good_share"
        else {}
    )
    policy = threshold(
        "latency",
        **({"time_zone": zone, "window": days(number), "aggregate": aggregate, "higher_is_better": higher} | extra),
    )
    as_of = max(row[0] for row in rows)
    org = org_of(rows, policy)
    found = read_track(org, policy)
    if found is None:
        assert "latency" not in {row[2] for row in rows}
        return
    measured = measure(org, policy, found, policy.window, as_of)
    inside = window_rows(rows, number, zone, as_of)
    for column, repo in enumerate(org.repos):
        mine = found.column == column
        stands = dict(zip(map(from_micros, found.time[mine].tolist()), found.span[mine].tolist(), strict=True))
        expected = threshold_value(inside, policy, repo.repo, stands)
        np.testing.assert_allclose(
            measured.reading.value[column], np.nan if expected is None else expected, rtol=1e-12, atol=1e-12
        )
        assert measured.samples[column] == sum(row[1:3] == (repo.repo, "latency") for row in inside)


@pytest.mark.parametrize(
    ("aggregate", "higher", "value"),
    [("mean", False, 3.0), ("median", False, 2.0), ("max", False, 8.0), ("max", True, 1.0), ("last", False, 1.0)],
)
def test_aggregates_of_five_numbers_by_hand(aggregate: str, higher: bool, value: float) -> None:
    policy = threshold("latency", aggregate=aggregate, higher_is_better=higher)
    org = org_of(series("a", "latency", [2, 8, 2, 2, 1]), policy)
    found = read_track(org, policy)
    assert found is not None
    assert measure(org, policy, found, policy.window, T0 + 4 * DAILY).reading.value.tolist() == [value]


@pytest.mark.parametrize(("floor", "share"), [(False, 0.75), (True, 0.5)])
def test_a_sample_at_the_threshold_is_good(floor: bool, share: float) -> None:
    policy = threshold(
        "latency",
        0.9,
        aggregate="good_share",
        threshold=2.0,
        threshold_is_floor=floor,
        unit="ratio",
        higher_is_better=True,
    )
    org = org_of(series("a", "latency", [1, 2, 3, 1]), policy)
    found = read_track(org, policy)
    assert found is not None
    assert measure(org, policy, found, policy.window, T0 + 3 * DAILY).reading.value.tolist() == [share]


@pytest.mark.parametrize("value", [0.999, 0.7, 0.1, 0.9995, 1 / 3])
def test_the_mean_of_a_constant_is_that_constant(value: float) -> None:
    policy = threshold("availability", value, unit="ratio", higher_is_better=True)
    org = org_of(series("a", "availability", [value] * 30) + series("b", "availability", [value / 3] * 29), policy)
    found = read_track(org, policy)
    assert found is not None
    assert measure(org, policy, found, policy.window, T0 + 29 * DAILY).reading.value.tolist() == [value, value / 3]


def test_minutes_begin_after_the_sample_that_ended_the_window_before() -> None:
    policy = threshold("latency", window=Window(minutes=30))
    org = org_of(series("a", "latency", range(20), step=FIVE_MINUTES), policy)
    found = read_track(org, policy)
    assert found is not None
    measured = measure(org, policy, found, policy.window, T0 + 19 * FIVE_MINUTES)
    assert (measured.samples[0], measured.length[0] / found.step[0], measured.reading.value[0]) == (6, 6.0, 16.5)


@pytest.mark.parametrize(
    ("zone", "as_of", "expected"),
    [
        ("Europe/Berlin", datetime(2026, 3, 29, 21, 0, tzinfo=UTC), 23),
        ("Europe/Berlin", datetime(2026, 10, 25, 22, 0, tzinfo=UTC), 25),
        ("Asia/Kathmandu", datetime(2026, 3, 29, 18, 0, tzinfo=UTC), 24),
        ("UTC", datetime(2026, 3, 29, 23, 0, tzinfo=UTC), 24),
    ],
)
def test_a_whole_local_day_of_hourly_samples_is_complete_even_when_the_clock_changes(
    zone: str, as_of: datetime, expected: int
) -> None:
    policy = threshold("latency", window=days(1), time_zone=zone)
    start = as_of - 100 * HOUR
    org = org_of(series("a", "latency", [1] * 101, start, HOUR), policy)
    found = read_track(org, policy)
    assert found is not None
    measured = measure(org, policy, found, policy.window, as_of)
    assert (int(measured.samples[0]), round(measured.length[0] / found.step[0])) == (expected, expected)
    assert not measured.is_partial


def test_each_repo_is_expected_at_its_own_pace() -> None:
    policy = threshold("latency", window=days(10))
    rows = (
        series("hourly", "latency", [1] * 240, step=HOUR)
        + series("daily", "latency", [1] * 10)
        + series("gappy", "latency", [1] * 5)
    )
    org = org_of(rows, policy)
    found = read_track(org, policy)
    assert found is not None
    measured = measure(org, policy, found, policy.window, T0 + 9 * DAILY + 23 * HOUR)
    coverage = dict(zip(org.history.repos, np.minimum(1 - measured.missing / measured.length, 1), strict=True))
    assert coverage == {"hourly": 1.0, "daily": 1.0, "gappy": 0.5}


def test_a_lost_counter_is_missing_data_and_not_zero_failures() -> None:
    policy = ratio(0.9)
    org = org_of(series("a", "requests_total", [100] * 10) + series("a", "requests_failed", [50] * 5), policy)
    found = read_track(org, policy)
    assert found is not None
    measured = measure(org, policy, found, policy.window, T0 + 9 * DAILY)
    assert (measured.samples[0], measured.reading.events[0], measured.reading.value[0]) == (5, 500.0, 0.5)


def test_good_events_beyond_all_events_count_as_all_good() -> None:
    policy = ratio(total="all", part="good", part_is_good=True)
    org = org_of(series("a", "all", [10, 10]) + series("a", "good", [12, 10]), policy)
    found = read_track(org, policy)
    assert found is not None
    assert measure(org, policy, found, policy.window, T0 + DAILY).reading.value.tolist() == [1.0]


def test_the_error_rate_is_derived_from_the_counts_sample_by_sample() -> None:
    policy = threshold("error_rate", unit="ratio")
    org = org_of(counts("a", [100, 0, 200, 50], [10, 0, 0, 50]), policy)
    found = read_track(org, policy)
    assert found is not None
    assert found.value[~found.says_nothing].tolist() == [0.1, 0.0, 1.0]


def test_a_policy_judges_the_repos_that_it_names_or_all_that_ever_reported() -> None:
    org = org_of(series("a", "latency", [1]) + series("b", "latency", [1]), repos=[Repo("c", "c")])
    for names, scope in (
        ((), [True, True, False]),
        (("b",), [False, True, False]),
        (("c", "zzz"), [False, False, True]),
    ):
        policy = threshold("latency", repos=names)
        assert in_scope(org, policy, read_track(org, policy)).tolist() == scope
    assert read_track(org, threshold("lead_time")) is None


def maintenance(repo: str | None, first: int, last: int) -> Event:
    return Event(T0 + first * DAILY, repo, "maintenance", f"{first}-{last}", None, T0 + last * DAILY)


def test_maintenance_is_listed_and_neither_counted_nor_expected() -> None:
    policy = ratio(window=days(30))
    rows = counts("a", [100] * 30, [0] * 10 + [100] * 5 + [0] * 15) + counts("b", [100] * 30, [0] * 30)
    org = org_of(rows, policy, events=(maintenance("a", 10, 15), maintenance("zzz", 0, 30), maintenance("b", -9, -5)))
    found = read_track(org, policy)
    assert found is not None
    measured = measure(org, policy, found, policy.window, T0 + 29 * DAILY)
    assert measured.reading.value.tolist() == [1.0, 1.0]
    assert measured.samples.tolist() == [25, 30]
    assert (measured.length / found.step).tolist() == [25.0, 30.0]
    assert [(e.repo, e.samples, e.start, e.end) for e in measured.exclusions] == [
        ("a", 5, T0 + 10 * DAILY, T0 + 15 * DAILY)
    ]


def test_overlapping_maintenance_is_excluded_once() -> None:
    policy = ratio(window=days(30))
    org = org_of(
        counts("a", [100] * 30, [0] * 30),
        policy,
        events=(maintenance("a", 5, 15), maintenance(None, 10, 20), maintenance("a", 12, 14)),
    )
    found = read_track(org, policy)
    assert found is not None
    measured = measure(org, policy, found, policy.window, T0 + 29 * DAILY)
    assert (measured.samples[0], measured.length[0] / found.step[0]) == (15, 15.0)


@pytest.mark.parametrize(("good", "events"), [(8, 10), (0, 10), (10, 10), (9990, 10000), (1, 1)])
def test_the_interval_of_a_ratio_is_wilsons(good: float, events: float) -> None:
    policy = ratio()
    org = org_of(counts("a", [events], [events - good]), policy)
    found = read_track(org, policy)
    assert found is not None
    measured = measure(org, policy, found, policy.window, T0)
    for column in (0, None):
        assert interval_of(policy, found, measured, column) == pytest.approx(wilson_by_search(good, events), abs=1e-9)


def test_the_interval_of_independent_means_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(11)
    policy = threshold("latency", window=days(30))
    rows = [row for n in range(400) for row in series(f"r{n:03}", "latency", rng.normal(10, 1, 30))]
    org = org_of(rows, policy)
    found = read_track(org, policy)
    assert found is not None
    measured = measure(org, policy, found, policy.window, T0 + 29 * DAILY)
    between = [interval_of(policy, found, measured, n) for n in range(400)]
    covered = np.mean([low <= 10 <= high for low, high in filter(None, between)])
    assert 0.92 <= covered <= 0.995


def test_the_interval_of_a_median_covers_the_truth_at_least_as_often_as_it_says() -> None:
    rng = np.random.default_rng(12)
    policy = threshold("latency", window=days(30), aggregate="median")
    rows = [row for n in range(400) for row in series(f"r{n:03}", "latency", rng.exponential(1, 30))]
    org = org_of(rows, policy)
    found = read_track(org, policy)
    assert found is not None
    measured = measure(org, policy, found, policy.window, T0 + 29 * DAILY)
    between = [interval_of(policy, found, measured, n) for n in range(400)]
    assert np.mean([low <= np.log(2) <= high for low, high in filter(None, between)]) >= 0.94


@pytest.mark.parametrize("aggregate", ["max", "last"])
def test_a_maximum_and_a_last_value_have_no_interval(aggregate: str) -> None:
    policy = threshold("latency", aggregate=aggregate)
    org = org_of(series("a", "latency", range(9)), policy)
    found = read_track(org, policy)
    assert found is not None
    assert interval_of(policy, found, measure(org, policy, found, policy.window, T0 + 8 * DAILY), 0) is None
