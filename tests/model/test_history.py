"""The gate that samples pass, and the grid that engines read."""

from __future__ import annotations

import math
from collections import defaultdict
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from org_samples import DAILY, FIVE_MINUTES, T0, Row, counts, history_of, samples_of, series

from tars_lib.errors import InputError
from tars_lib.model import history, sorting
from tars_lib.model.admission import admit
from tars_lib.model.history import DAY, History, from_micros, to_micros
from tars_lib.model.metrics import Metric

SCORES = ("health_score", "latency_p95", "lead_time")


def held(history: History) -> dict[tuple[str, str], list[tuple[int, float]]]:
    return {
        (metric, repo): list(zip(*(part.tolist() for part in history.series(metric, repo)), strict=True))
        for metric in history.metrics
        for repo in history.repos
    }


rows_of_any_order = st.lists(
    st.tuples(st.integers(0, 40), st.sampled_from("abc"), st.sampled_from(SCORES)), unique=True, min_size=1, max_size=60
).flatmap(
    lambda keys: st.lists(st.floats(0, 100), min_size=len(keys), max_size=len(keys)).map(
        lambda values: [(T0 + t * DAILY, repo, metric, v) for (t, repo, metric), v in zip(keys, values, strict=True)]
    )
)


@given(rows_of_any_order, st.randoms())
def test_the_order_of_rows_does_not_matter(rows: list[Row], random: object) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert held(history_of(shuffled)) == held(history_of(sorted(rows)))


@given(rows_of_any_order)
def test_the_history_holds_exactly_the_rows(rows: list[Row]) -> None:
    expected: dict[tuple[str, str], list[tuple[int, float]]] = defaultdict(list)
    for time, repo, metric, value in sorted(rows):
        expected[metric, repo].append((to_micros(time), value))
    found = history_of(rows)
    assert {key: points for key, points in held(found).items() if points} == expected
    assert len(found) == len(rows)


@given(rows_of_any_order)
def test_counting_sort_and_comparison_sort_give_one_order(rows: list[Row]) -> None:
    samples = samples_of(rows)
    codes = samples.metric.astype(np.int64) * 3 + samples.repo
    # many series that do not exist make the table too sparse for the counting sort
    sparse = sorting._order(codes, samples.time, 10**9)
    assert sorting._order(codes, samples.time, 9).tolist() == sparse.tolist()


@given(rows_of_any_order)
def test_many_times_are_ranked_as_few_are(rows: list[Row]) -> None:
    time = samples_of(rows).time
    few, rank = sorting._ranked(time)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sorting, "_FEW", -1)
        many, hashed = sorting._ranked(time)
    assert (few, rank.tolist()) == (many, hashed.tolist())


def test_equal_times_keep_the_order_of_the_file_so_that_the_later_row_is_the_offender() -> None:
    rows = [*series("a", "health_score", [1, 2, 3]), (T0, "a", "health_score", 5.0)]
    with pytest.raises(
        InputError,
        match=r"history.csv, row 5, column value: 5 for a, health_score at 2026-01-01T00:00:00Z, "
        r"but history.csv, row 2, column value says 1; one value for a service, metric and time is allowed",
    ):
        history_of(rows)


def test_an_identical_duplicate_is_dropped_and_noted() -> None:
    rows = series("a", "health_score", [1, 2, 3])
    found = history_of([*rows, rows[1], rows[1]])
    assert len(found) == 3
    assert found.notes == ("2 identical duplicate samples were dropped",)


def test_an_empty_value_is_a_missing_sample_and_noted() -> None:
    found = history_of(series("a", "health_score", [1, math.nan, 3]))
    assert found.value.tolist() == [1.0, 3.0]
    assert found.notes == ("1 rows have no value and count as missing samples",)
    grid = found.grid("health_score", DAY)
    assert grid is not None
    np.testing.assert_array_equal(grid.values[:, 0], [1.0, np.nan, 3.0])


def test_a_missing_value_does_not_conflict_with_a_value_of_the_same_time() -> None:
    found = history_of([(T0, "a", "health_score", math.nan), (T0, "a", "health_score", 4.0)])
    assert found.value.tolist() == [4.0]


@pytest.mark.parametrize("value", [math.inf, -math.inf])
def test_infinity_is_refused_where_it_stands(value: float) -> None:
    with pytest.raises(
        InputError, match=rf"history.csv, row 3, column value: {value} is not allowed: a finite number is"
    ):
        history_of([(T0, "a", "x", 1.0), (T0 + DAILY, "a", "x", value)])


@pytest.mark.parametrize(
    ("metric", "value", "allowed"),
    [
        ("health_score", 100.5, r"0 to 100 \(score\)"),
        ("health_score", -0.5, r"0 to 100 \(score\)"),
        ("availability", 99.9, r"0 to 1 \(ratio\)"),
        ("error_rate", 1.0001, r"0 to 1 \(ratio\)"),
        ("requests_total", -1, r"0 or more \(count\)"),
        ("latency_p95", -0.001, r"0 or more \(s\)"),
        ("lead_time", -2, r"0 or more \(h\)"),
        ("change_failure_rate", 15, r"0 to 1 \(ratio\)"),
    ],
)
def test_a_value_outside_its_units_range_is_refused_where_it_stands(metric: str, value: float, allowed: str) -> None:
    rows = [(T0, "b", metric, 0.5), (T0, "a", metric, value), (T0 + DAILY, "a", metric, 0.5)]
    with pytest.raises(InputError, match=rf"history.csv, row 3, column value: {metric} of a is .*; allowed: {allowed}"):
        history_of(rows)


@pytest.mark.parametrize(
    ("metric", "value"), [("health_score", 100), ("health_score", 0), ("availability", 1), ("latency", 0)]
)
def test_the_bounds_themselves_are_allowed(metric: str, value: float) -> None:
    assert history_of([(T0, "a", metric, value)]).value.tolist() == [value]


def test_a_range_of_the_users_own_replaces_the_known_one() -> None:
    own = {"health_score": Metric("health_score", "score", True, -10.0, 10.0)}
    assert history_of([(T0, "a", "health_score", -5.0)], own).value.tolist() == [-5.0]
    with pytest.raises(InputError, match="allowed: -10 to 10"):
        history_of([(T0, "a", "health_score", 50.0)], own)


def test_a_row_is_named_by_the_file_it_came_from() -> None:
    first, second = samples_of(series("a", "x", [1, 2])), samples_of(series("b", "x", [3, math.inf]))
    from tars_lib.model.samples import merge

    both = merge([first, second])
    assert both.where(3, "value") == "history.csv, row 3, column value"
    with pytest.raises(IndexError):
        both.where(4, "value")


def test_a_grid_keeps_gaps_and_repos_without_data_as_nan() -> None:
    rows = [row for row in series("a", "health_score", range(10)) if row[3] not in (4, 5)]
    found = history_of([*rows, (T0, "b", "lead_time", 1.0)])
    grid = found.grid("health_score")
    assert grid is not None
    assert grid.interval == DAY
    np.testing.assert_array_equal(grid.values[:, 0], [0, 1, 2, 3, np.nan, np.nan, 6, 7, 8, 9])
    assert np.isnan(grid.values[:, 1]).all()


def test_jittered_times_fall_on_the_nearest_grid_time() -> None:
    rng = np.random.default_rng(5)
    late = rng.uniform(-100, 100, 50)
    late[[0, -1]] = 0
    rows = [(T0 + n * FIVE_MINUTES + timedelta(seconds=float(s)), "a", "latency", float(n)) for n, s in enumerate(late)]
    grid = history_of(rows).grid("latency", int(FIVE_MINUTES / timedelta(microseconds=1)))
    assert grid is not None
    assert grid.values[:, 0].tolist() == list(range(50))


def test_several_samples_in_a_slot_add_up_for_requests_and_average_for_the_rest() -> None:
    hourly = timedelta(hours=1)
    rows = counts("a", [10] * 48, [1] * 48, step=hourly) + series("a", "latency", [1.0, 3.0] * 24, step=hourly)
    found = history_of(rows)
    day = {metric: grid for metric in found.metrics if (grid := found.grid(metric, DAY)) is not None}
    # a grid time collects what is nearest: half a day at the beginning, a whole day after it
    assert day["requests_total"].values[:, 0].tolist() == [120.0, 240.0, 120.0]
    assert day["latency"].values[:, 0].tolist() == [2.0, 2.0, 2.0]
    assert day["requests_failed"].values[:, 0].tolist() == [12.0, 24.0, 12.0]


@given(rows_of_any_order, st.integers(1, 5))
def test_the_grid_is_the_mean_of_the_samples_nearest_to_each_time(rows: list[Row], width: int) -> None:
    found = history_of(rows)
    begin = min(row[0] for row in rows)
    for metric in found.metrics:
        grid = found.grid(metric, width * DAY)
        assert grid is not None
        slots: dict[tuple[int, str], list[float]] = defaultdict(list)
        for time, repo, name, value in rows:
            if name == metric:
                slots[((time - begin) + width * DAILY / 2) // (width * DAILY), repo].append(value)
        expected = np.full(grid.values.shape, np.nan)
        for (slot, repo), values in slots.items():
            expected[slot, found.repos.index(repo)] = sum(values) / len(values)
        np.testing.assert_allclose(grid.values, expected, rtol=1e-12, atol=1e-300)


def test_all_metrics_share_one_grid() -> None:
    rows = series("a", "health_score", [1, 2, 3]) + series("a", "lead_time", [4, 5], start=T0 + DAILY)
    found = history_of(rows)
    one, other = found.grid("health_score"), found.grid("lead_time")
    assert one is not None
    assert other is not None
    assert one.times.tolist() == other.times.tolist()
    assert np.isnan(other.values[0, 0])


def test_a_grid_that_would_not_fit_in_memory_is_widened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "_MAX_CELLS", 100)
    rows = series("a", "latency", [1, 1, 1], step=timedelta(seconds=1)) + series(
        "a", "latency", [1], start=T0 + 9 * DAILY
    )
    grid = history_of(rows).grid("latency")
    assert grid is not None
    assert grid.values.size <= 101
    assert grid.times[-1] >= to_micros(T0 + 9 * DAILY) - grid.interval


def test_error_rate_is_derived_where_both_counts_exist_and_nan_without_traffic() -> None:
    grid = history_of(counts("a", [100, 0, 50], [1, 0, 50])).grid("error_rate")
    assert grid is not None
    np.testing.assert_array_equal(grid.values[:, 0], [0.01, np.nan, 1.0])


def test_a_reported_error_rate_stands_before_a_derived_one() -> None:
    rows = (
        counts("a", [100] * 3, [50] * 3) + counts("b", [100] * 3, [50] * 3) + series("a", "error_rate", [0.1, 0.2, 0.3])
    )
    grid = history_of(rows).grid("error_rate")
    assert grid is not None
    assert grid.values.tolist() == [[0.1, 0.5], [0.2, 0.5], [0.3, 0.5]]


def test_more_failures_than_requests_are_refused_where_they_stand() -> None:
    rows = counts("b", [10, 10], [10, 5]) + counts("a", [10, 10, 10], [10, 5, 11])
    allowed = "allowed: up to its requests_total at that time, 10"
    with pytest.raises(InputError, match=f"history.csv, row 11, column value: requests_failed of a is 11; {allowed}"):
        history_of(rows)


def test_one_count_alone_derives_no_error_rate() -> None:
    rows = series("a", "error_rate", [0.1, 0.2]) + series("a", "requests_failed", [1, 2])
    grid = history_of(rows).grid("error_rate")
    assert grid is not None
    assert grid.values[:, 0].tolist() == [0.1, 0.2]
    assert not history_of(series("a", "requests_failed", [1])).has("error_rate")


def test_counts_that_came_later_leave_the_earlier_error_rate_unknown() -> None:
    rows = series("a", "requests_total", [100] * 9) + series("a", "requests_failed", [1] * 3, start=T0 + 6 * DAILY)
    grid = history_of(rows).until(to_micros(T0 + 3 * DAILY)).grid("error_rate")
    assert grid is not None
    assert np.isnan(grid.values).all()


def test_until_keeps_what_was_known_and_includes_the_moment_itself() -> None:
    found = history_of(series("a", "health_score", range(10)) + series("b", "lead_time", range(4)))
    cut = found.until(to_micros(T0 + 2 * DAILY))
    assert held(cut) == {
        key: [p for p in points if p[0] <= to_micros(T0 + 2 * DAILY)] for key, points in held(found).items()
    }
    assert found.until(to_micros(T0 + 50 * DAILY)) is found
    assert len(found.until(to_micros(T0) - 1)) == 0


@given(rows_of_any_order, st.permutations(["a", "b", "c", "silent"]), st.integers(0, 4))
def test_over_selects_and_orders_repos_and_keeps_their_series(rows: list[Row], order: list[str], number: int) -> None:
    found = history_of(rows)
    chosen = tuple(order[:number])
    over = found.over(chosen)
    assert over.repos == chosen
    before = held(found)
    assert held(over) == {(m, r): before.get((m, r), []) for m in found.metrics for r in chosen}


def test_a_history_without_samples_answers_every_question() -> None:
    empty = history_of([])
    assert (len(empty), empty.start, empty.end, empty.grid("health_score"), empty.interval("x")) == (
        0,
        None,
        None,
        None,
        None,
    )
    assert empty.over(("a", "b")).counts("x").tolist() == [0, 0]
    assert empty.over(("a",)).tidy().empty


def test_one_sample_is_a_grid_of_one_row() -> None:
    grid = history_of([(T0, "a", "health_score", 5.0)]).grid("health_score")
    assert grid is not None
    assert grid.values.tolist() == [[5.0]]


def test_the_interval_is_the_median_distance_within_series() -> None:
    rows = series("a", "x", range(5), step=timedelta(hours=1)) + series(
        "b", "x", range(5), T0 + 90 * DAILY, timedelta(hours=1)
    )
    assert history_of(rows).interval("x") == DAY // 24
    assert history_of([(T0, "a", "x", 1.0), (T0 + DAILY, "b", "x", 1.0)]).interval("x") is None


def test_a_frame_has_a_utc_index_and_a_column_a_repo() -> None:
    found = history_of(series("b", "lead_time", [1, 2]) + series("a", "lead_time", [3]))
    frame = found.frame("lead_time")
    assert list(frame.columns) == ["a", "b"]
    assert str(frame.index.tz) == "UTC"
    assert frame.index[0] == T0
    with pytest.raises(InputError, match="metric 'x' is not reported; reported: lead_time"):
        found.frame("x")


def test_tidy_gives_back_every_sample() -> None:
    rows = series("b", "lead_time", [1, 2]) + series("a", "health_score", [3])
    tidy = history_of(rows).tidy()
    found = {(t.to_pydatetime(), r, m, v) for t, r, m, v in tidy.itertuples(index=False)}
    assert found == set(rows)


@given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)))  # noqa: DTZ001
def test_microseconds_hold_any_time_exactly(time: datetime) -> None:
    aware = time.replace(tzinfo=UTC)
    assert from_micros(to_micros(aware)) == aware


def test_the_callers_columns_are_not_changed() -> None:
    samples = samples_of([(T0 + DAILY, "b", "x", 2.0), (T0, "a", "x", 1.0), (T0, "a", "x", 1.0)])
    before = [part.copy() for part in (samples.repo, samples.metric, samples.time, samples.value)]
    admit(samples, {})
    for part, was in zip((samples.repo, samples.metric, samples.time, samples.value), before, strict=True):
        np.testing.assert_array_equal(part, was)
