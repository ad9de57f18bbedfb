"""Running totals: increases by hand, restarts, and what is refused, told or left alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import pytest
from org_samples import DAILY, T0, Row, counts, history_of, series

from tars_lib.errors import ConfigError, InputError
from tars_lib.model.counters import course_of, is_no_counter, is_running
from tars_lib.model.history import DAY
from tars_lib.model.metrics import Metric, known_metric
from tars_lib.model.slo import RatioPolicy, definitions_with

HOUR = timedelta(hours=1)
COUNTERS = {name: Metric(name, "count", minimum=0.0, kind="counter") for name in ("requests_total", "requests_failed")}


def increases(values: Sequence[float], rows: Sequence[Row] = ()) -> list[float]:
    history = history_of([*series("web", "requests_total", values, step=HOUR), *rows], COUNTERS)
    return history.series("requests_total", "web")[1].tolist()


def test_the_first_sample_of_a_counter_is_absent_and_each_other_is_what_was_added() -> None:
    history = history_of(counts("web", [100, 130, 130, 190], [1, 1, 2, 5], step=HOUR), COUNTERS)
    times, total = history.series("requests_total", "web")
    assert total.tolist() == [30, 0, 60]
    assert history.series("requests_failed", "web")[1].tolist() == [0, 1, 3]
    assert times[0] == history_of(series("web", "x", [1], T0 + HOUR)).start


def test_after_each_of_two_restarts_the_new_value_is_the_increase() -> None:
    # 100 -> 130 -> restart, 20 -> 50 -> restart, 0 -> 10
    assert increases([100, 130, 20, 50, 0, 10]) == [30, 20, 30, 0, 10]


def test_a_gap_of_a_counter_loses_no_event() -> None:
    rows = [
        row for n, row in enumerate(series("web", "requests_total", range(0, 1000, 100), step=HOUR)) if n not in (4, 5)
    ]
    times, value = history_of(rows, COUNTERS).series("requests_total", "web")
    assert value.tolist() == [100, 100, 100, 300, 100, 100, 100]
    assert value.sum() == 900
    assert np.diff(times).max() == DAY // 8


def test_repos_with_one_sample_or_none_of_a_counter_have_no_increase() -> None:
    one = series("api", "requests_total", [7], step=HOUR)
    history = history_of([*series("web", "requests_total", [1, 3], step=HOUR), *one], COUNTERS)
    assert history.counts("requests_total").tolist() == [0, 1]
    assert history.series("requests_total", "web")[1].tolist() == [2]


def test_a_history_of_a_run_holds_increases_and_is_not_told_apart_again() -> None:
    from org_samples import samples_of

    from tars_lib.model.admission import admit

    once = history_of(series("web", "requests_total", [5, 9, 20], step=HOUR), COUNTERS)
    again = admit(samples_of(series("web", "requests_total", [4, 11], T0 + HOUR, HOUR)), COUNTERS, is_settled=True)
    assert again.value.tolist() == once.value.tolist() == [4, 11]


@pytest.mark.parametrize(
    ("values", "step"),
    [
        (1_000_000 + 100 * np.arange(96), HOUR / 4),
        (np.concatenate([1_000_000 + 100 * np.arange(60), 100 * np.arange(36)]), HOUR / 4),
        (np.concatenate([400 * np.arange(24)] * 4), 2 * HOUR),
        (5_000 * np.arange(1, 31), DAILY),
        (1_000_000 + 100 * np.arange(30), DAILY),
    ],
    ids=["from a million", "one restart", "restarts every other day", "daily from nothing", "daily from a million"],
)
def test_an_undeclared_running_total_is_refused_with_the_line_to_add(values: np.ndarray, step: timedelta) -> None:
    rows = counts("web", values.tolist(), (values // 1000).tolist(), step=step)
    with pytest.raises(InputError, match=r"running total.*requests_total: \{kind: counter\}") as refused:
        history_of(rows)
    assert re.match(
        r"history.csv, row \d+, column value: requests_\w+ of web only grows, from [\d,]+ to", str(refused.value)
    )
    declared = known_metric("requests_total"), known_metric("requests_failed")
    settled = {m.metric: Metric(m.metric, "count", minimum=0.0, kind="count") for m in declared}
    assert len(history_of(rows, settled)) == 2 * values.size


def test_a_restart_within_a_gap_is_one() -> None:
    """Down for five hours and up for five, at 100 an hour: 500 after 4,000, where no step was above 100 before."""
    value = np.array([*range(1000, 4100, 100), *range(500, 1600, 100)], dtype=float)
    hours = np.array([*range(31), *range(41, 52)])
    assert is_running(hours * DAY // 24, value)
    assert course_of(value, hours * DAY // 24).restarts == 1
    assert (course_of(value).restarts, course_of(value).falls) == (0, 1)


def test_a_sum_of_counters_of_which_one_restarts_is_a_running_total_and_its_fall_is_not_known() -> None:
    total = [*range(1000, 61_000, 1000), *range(33_000, 93_000, 1000)]
    rows = counts("web", total, [3] * 120, step=HOUR)
    with pytest.raises(InputError, match=r"requests_total of web only grows but for 1 fall, from 1,000 to 92,000"):
        history_of([row for row in rows if row[2] == "requests_total"])
    history = history_of(rows, {"requests_total": COUNTERS["requests_total"]})
    assert history.counts("requests_total").tolist() == [118]
    assert set(history.series("requests_total", "web")[1].tolist()) == {1000.0}
    assert any("falls to more than half of itself once" in note for note in history.notes)


def test_failures_that_only_grow_beside_a_total_that_never_moves_are_told() -> None:
    (note,) = history_of(counts("web", [1000] * 96, range(96), step=HOUR / 4)).notes
    assert note.startswith("requests_failed never falls in web: if it is a running total")


def test_a_restart_of_one_count_alone_is_no_excess_of_failures() -> None:
    total = [*range(1000, 31_000, 1000), *range(100, 1100, 100)]
    failed = list(range(50, 90))
    with pytest.raises(
        InputError, match="requests_failed of web only grows, from 50 to 89 in 39 rises: a running total"
    ):
        history_of(counts("web", total, failed, step=HOUR))
    assert history_of(counts("web", total, failed, step=HOUR), COUNTERS).counts("requests_failed").tolist() == [39]


def test_failures_that_only_grow_beside_a_declared_counter_are_refused() -> None:
    rows = counts("web", range(1000, 1030), [0] * 20 + [3] * 10, step=HOUR)
    with pytest.raises(InputError, match=r"requests_failed of web only grows.*requests_failed: \{kind: counter\}"):
        history_of(rows, {"requests_total": COUNTERS["requests_total"]})


def noisy(seed: int, size: int, mean: float = 400.0) -> list[float]:
    return np.random.default_rng(seed).poisson(mean, size).astype(float).tolist()


def test_a_repo_that_reports_counts_of_intervals_beside_totals_is_named() -> None:
    rows = series("web", "requests_total", 10_000 + 50 * np.arange(96), step=HOUR / 4)
    mixed = [*rows, *series("api", "requests_total", noisy(1, 96), step=HOUR / 4)]
    with pytest.raises(InputError, match=r"requests_total of web only grows.*api falls in \d+ of 95 steps"):
        history_of(mixed)
    with pytest.raises(InputError, match=r"requests_total of api is declared a counter, but falls in \d+ of 95 steps"):
        history_of(mixed, COUNTERS)


@pytest.mark.parametrize(
    "values",
    [
        [0.0] * 200,
        [7.0] * 200,
        [10, 20, 30, 40, 50, 60],
        [0.0] * 150 + [5.0] * 50,
        noisy(2, 300, 0.05),
        noisy(3, 300, 5.0),
        noisy(4, 300, 1e6),
        [0, 3, 0, 0, 5, 0] * 40,
    ],
    ids=["zero", "constant", "six rises", "one rise", "rare", "small", "large", "bursts"],
)
def test_counts_that_are_no_totals_pass_in_silence(values: list[float]) -> None:
    history = history_of(series("web", "requests_total", values, step=HOUR / 4))
    assert not history.notes
    assert len(history) == len(values)


def test_days_that_grow_by_a_third_are_told_and_not_refused() -> None:
    history = history_of(series("web", "requests_total", 1000 + 10 * np.arange(30)))
    assert history.value.tolist() == (1000 + 10 * np.arange(30)).tolist()
    assert history.notes == (
        "requests_total never falls in web: if it is a running total, org.yaml needs metrics: "
        "{requests_total: {kind: counter}}; kind: count ends this warning",
    )


def test_failures_that_grow_by_the_day_are_a_trend_while_the_total_is_not_one() -> None:
    assert not history_of(counts("web", [1000] * 40, range(40))).notes
    assert not history_of(counts("web", noisy(6, 40), range(40))).notes


def test_a_total_that_grows_beside_failures_that_vary_is_told() -> None:
    history = history_of(counts("web", 1000 + 10 * np.arange(72), noisy(7, 72, 5.0), step=HOUR))
    assert [note[:36] for note in history.notes] == ["requests_total never falls in web: i"]


def test_no_traffic_that_follows_the_day_is_taken_for_a_running_total() -> None:
    """2,000 stretches of 16 to 48 hours of Poisson counts with a daily course: no alarm, where 1 in 1,000 would show."""
    rng = np.random.default_rng(20)
    alarms = 0
    for _ in range(2000):
        minutes = int(rng.choice([5, 15, 60]))
        size = int(rng.integers(16 * 60 // minutes, 48 * 60 // minutes))
        time = (np.arange(size) + int(rng.integers(0, 1440 // minutes))) * minutes
        level = 10.0 ** rng.uniform(0, 7) * (1.2 + np.sin(2 * np.pi * time / 1440))
        alarms += bool(is_running(time * 60_000_000, rng.poisson(level).astype(float)))
    assert alarms == 0


def test_days_that_grow_with_the_noise_of_counts_are_no_running_totals() -> None:
    rng = np.random.default_rng(21)
    time = np.arange(60) * DAY
    seen = [is_running(time, rng.poisson(10_000 * 1.005 ** np.arange(60)).astype(float)) for _ in range(500)]
    assert not any(seen)


def test_a_counter_that_often_restarts_stays_one() -> None:
    assert not is_no_counter(np.array([5, 9, 2, 6, 1, 4, 8, 1, 5, 2, 7, 1, 3, 9, 2, 6, 1, 5, 2, 8], dtype=float))
    assert is_no_counter(np.array(noisy(5, 60)))


def test_fractions_in_a_count_are_told_with_their_row() -> None:
    history = history_of(counts("web", [0.5] * 3, [0.25, 0, 0]))
    assert [note.split(": ")[0] for note in history.notes] == [
        "history.csv, row 5, column value", "history.csv, row 2, column value"
    ]  # fmt: skip
    assert "requests_total holds fractions, such as 0.5" in history.notes[1]


@pytest.mark.parametrize("metric", ["requests_total", "jobs_total"])
def test_negative_counts_are_refused(metric: str) -> None:
    with pytest.raises(InputError, match=f"row 3, column value: {metric} of web is -1; allowed: 0 or more"):
        history_of(series("web", metric, [5, -1]))


JOBS = RatioPolicy(sla_id="jobs", sla_name="Jobs", sla_type="t", objective=0.9, total="ran", part="failed")


def test_a_policys_document_declares_its_counts() -> None:
    declared = definitions_with({}, [JOBS], {"ran": "slo.yaml", "failed": "slo.yaml"})
    assert {name: metric.kind for name, metric in declared.items()} == {"ran": "counter", "failed": "counter"}
    assert definitions_with({}, [JOBS])["ran"].minimum == 0.0


@pytest.mark.parametrize(("kind", "counters"), [("gauge", {}), ("count", {"ran": "slo.yaml"})])
def test_a_policy_that_contradicts_org_yaml_on_a_kind_is_refused(kind: str, counters: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match=f"jobs: ran is used as a count.*kind: {kind}"):
        definitions_with({"ran": Metric("ran", kind=kind)}, [JOBS], counters)
