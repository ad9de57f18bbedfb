"""Changes that come together: when they are one event, and when they are many."""

from __future__ import annotations

import numpy as np
import pytest
from movement_samples import matrix_org, noise

from tars_lib.engines.relations.aligned_metrics import movement_of
from tars_lib.engines.relations.deviation import deviation
from tars_lib.engines.relations.joint_changes import Change, joint_changes
from tars_lib.engines.relations.pair_evidence import gather_evidence
from tars_lib.model.history import DAY
from tars_lib.model.metrics import Metric
from tars_lib.stats.series.robust import without_extremes


def step(column, index, size=-9.0):
    return Change(column, 0, index, index, index, size, 1e-6, False)


def columns(groups):
    return [[one.column for one in group.members] for group in groups]


def test_three_changes_on_following_days_are_one_event():
    assert columns(joint_changes([step(0, 70), step(4, 71), step(2, 72)], 12, 90, {})) == [[0, 4, 2]]


def test_the_chance_of_a_pair_is_that_of_the_hand_computed_binomial():
    """One other change among 11 repos in 1 sample; elsewhere none, so half a change is taken, in 12 * 79 - 11 samples.

    P(at least one) = 1 - (1 - q)^0.5 with q = 11 / 948; twice for declines and improvements, one run tried.
    """
    (group,) = joint_changes([step(0, 70), step(1, 70)], 12, 90, {})
    assert group.p_value == pytest.approx(2 * (1 - (1 - 11 / 948) ** 0.5))


def test_changes_in_opposite_directions_do_not_join():
    assert joint_changes([step(0, 70), step(1, 70, 9.0)], 12, 90, {}) == ()


def test_repos_that_change_all_the_time_at_random_are_not_joined():
    rng = np.random.default_rng(1)
    joined = 0
    for _ in range(200):
        changes = sorted((step(n, int(rng.integers(10, 88))) for n in range(12)), key=lambda one: one.index)
        joined += bool(joint_changes(changes, 12, 90, {}))
    assert joined <= 20


def test_the_call_graph_shows_a_chain_that_many_other_changes_hide():
    rng = np.random.default_rng(2)
    others = [step(n, int(row)) for n, row in enumerate(rng.integers(12, 168, 30), start=10)]
    changes = sorted([*others, step(0, 100), step(1, 101), step(2, 103)], key=lambda one: one.index)
    assert [0, 1, 2] not in columns(joint_changes(changes, 60, 180, {}))
    downstream = {one.column: frozenset() for one in changes} | {0: frozenset({1, 2}), 1: frozenset({2})}
    assert [0, 1, 2] in columns(joint_changes(changes, 60, 180, downstream))


def test_calm_data_has_no_joint_change():
    rng = np.random.default_rng(3)
    assert (
        sum(
            bool(gather_evidence(matrix_org({"health_score": noise(90, 12, rng, phi)})).groups)
            for phi in [0.0, 1.0] * 15
        )
        <= 1
    )


def test_metrics_are_turned_so_that_up_is_better_and_traffic_is_left_out():
    values = 1.0 + np.random.default_rng(4).random((30, 2))
    org = matrix_org({"availability": values / 10, "latency_p95": values, "requests_total": values, "queue": values})
    movement = movement_of(org)
    assert movement.metrics == ("availability", "latency_p95")
    np.testing.assert_allclose(movement.values[1], -np.log(values))
    assert movement.seasons == (7,)
    named = matrix_org({"queue": values}, metrics={"queue": Metric("queue", "count", False)})
    assert movement_of(named).metrics == ("queue",)


def test_an_error_rate_is_derived_from_counts():
    total = np.full((30, 2), 100.0)
    failed = np.arange(60.0).reshape(30, 2)
    movement = movement_of(matrix_org({"requests_total": total, "requests_failed": failed}))
    assert movement.metrics == ("error_rate",)
    np.testing.assert_allclose(np.sin(movement.values[0]) ** 2, failed / 100.0, atol=1e-12)


def test_a_metric_that_is_sampled_too_rarely_is_named_not_mixed_in():
    hourly = np.random.default_rng(5).random((240, 4))
    daily = np.full((240, 4), np.nan)
    daily[::24] = np.random.default_rng(6).random((10, 4))
    movement = movement_of(matrix_org({"latency": hourly, "health_score": daily}, step=DAY // 24))
    assert movement.metrics == ("latency",)
    assert movement.left_out == ("health_score",)
    assert movement.seasons == (24, 168)


def test_the_last_rows_are_used():
    org = matrix_org({"health_score": np.arange(50.0)[:, None] + [[0.0, 1.0]]})
    assert movement_of(org, 20).values[0][0].tolist() == [30.0, 31.0]


def test_extremes_are_pulled_in_and_ordinary_values_kept():
    values = np.random.default_rng(7).standard_normal((60, 2))
    spiked = values.copy()
    spiked[30, 0] = 1e6
    pulled = without_extremes(spiked)
    assert pulled[30, 0] < 15.0
    np.testing.assert_array_equal(np.delete(pulled, 30, axis=0), np.delete(values, 30, axis=0))


def test_a_huge_incident_long_ago_leaves_no_shadow_on_other_repos():
    """A block at a thousand times the noise, projected on daily cycles, would relate every repo that had one."""
    hours, wrong = 24 * 35, 0
    for seed in range(6):
        values = np.abs(1e-4 * (1 + 0.1 * noise(hours, 8, np.random.default_rng(seed))))
        values[630:634, 2] += 0.6
        values[-7:, 5] += 0.2
        evidence = gather_evidence(matrix_org({"error_rate": values}, step=DAY // 24))
        wrong += len(evidence.leads.q_value) + len(evidence.pairs.q_value)
    assert wrong <= 1


@pytest.mark.parametrize("phi", [0.0, 0.6, 1.0])
def test_the_present_is_seldom_anomalous_in_calm_series(phi):
    """At a true rate of 2 %, more than 17 of 400 have probability below 0.3 %."""
    values = noise(90, 400, np.random.default_rng(8), phi)
    assert sum(deviation(column).is_anomalous for column in values.T) <= 17
    assert sum(deviation(column, 82).is_anomalous for column in values.T) <= 17


def test_a_step_that_stands_is_anomalous_and_one_that_has_passed_is_not():
    values = noise(90, 60, np.random.default_rng(9))
    values[78:] -= 6.0
    assert np.mean([deviation(column, 78).is_anomalous for column in values.T]) > 0.9
    assert all(deviation(column, 78).size < -3.0 for column in values.T)
    values[84:] += 6.0
    assert np.mean([deviation(column, 78).is_anomalous for column in values.T]) < 0.1


@pytest.mark.parametrize("series", [np.zeros(0), np.zeros(40), np.full(40, np.nan), np.arange(5.0)])
def test_where_nothing_can_be_known_nothing_is_anomalous(series):
    assert not deviation(series).is_anomalous
    assert not deviation(series, 3).is_anomalous
