"""Scores of repos from their metrics."""

from __future__ import annotations

from datetime import timedelta
from statistics import median

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from org_samples import DAILY, T0, counts, history_of, org_of, series

from tars_lib.engines.health.scores import component_score, level, scored_metrics, status_of, tier_of
from tars_lib.model.metrics import Metric
from tars_lib.model.names import HealthStatus, RiskTier


@pytest.mark.parametrize(
    ("score", "tier", "status"),
    [
        (100.0, RiskTier.LOW, HealthStatus.GREEN),
        (80.0, RiskTier.LOW, HealthStatus.GREEN),
        (79.999, RiskTier.MEDIUM, HealthStatus.YELLOW),
        (60.0, RiskTier.MEDIUM, HealthStatus.YELLOW),
        (59.999, RiskTier.HIGH, HealthStatus.RED),
        (40.0, RiskTier.HIGH, HealthStatus.RED),
        (39.999, RiskTier.CRITICAL, HealthStatus.RED),
        (0.0, RiskTier.CRITICAL, HealthStatus.RED),
        (None, RiskTier.UNKNOWN, HealthStatus.UNKNOWN),
    ],
)
def test_tiers_and_lights_change_at_their_borders(score: float | None, tier: RiskTier, status: HealthStatus) -> None:
    assert (tier_of(score), status_of(score)) == (tier, status)


@pytest.mark.parametrize(
    ("metric", "values", "scores"),
    [
        (Metric("x", "s", False, healthy=0.2, unhealthy=1.0), [0.1, 0.2, 0.6, 1.0, 5.0], [100, 100, 50, 0, 0]),
        (
            Metric("x", "ratio", True, healthy=0.999, unhealthy=0.95),
            [1.0, 0.999, 0.9745, 0.95, 0.1],
            [100, 100, 50, 0, 0],
        ),
    ],
)
def test_a_component_is_straight_between_its_bounds(metric: Metric, values: list[float], scores: list[float]) -> None:
    np.testing.assert_allclose(component_score(np.array(values), metric), scores, atol=1e-9)
    assert np.isnan(component_score(np.array([np.nan]), metric)).all()


def test_a_metric_without_bounds_has_no_component() -> None:
    with pytest.raises(ValueError, match="latency has no healthy and unhealthy bounds"):
        component_score(np.zeros(1), Metric("latency"))


@given(st.lists(st.floats(0, 100), min_size=1, max_size=9))
def test_the_present_level_is_the_median_of_the_last_three_samples(values: list[float]) -> None:
    found = level(history_of(series("a", "health_score", values)), "health_score", T0 + len(values) * DAILY)
    assert found.value[0] == pytest.approx(median(values[-3:]))


def test_a_missing_sample_is_not_one_of_the_last_three() -> None:
    found = level(history_of(series("a", "health_score", [10, 20, np.nan, 60, np.nan])), "health_score", T0 + 4 * DAILY)
    assert found.value[0] == 20.0


@pytest.mark.parametrize(("late", "coverage"), [(0, 1.0), (1, 0.9), (5, 0.5), (6, 0.4), (10, 0.0), (99, 0.0)])
def test_coverage_is_the_share_of_the_last_ten_samples_that_arrived(late: int, coverage: float) -> None:
    found = level(history_of(series("a", "health_score", [50] * 40)), "health_score", T0 + (39 + late) * DAILY)
    assert found.coverage[0] == pytest.approx(coverage)


def test_a_young_repo_is_only_expected_since_its_first_sample() -> None:
    rows = series("old", "health_score", [50] * 40) + series("new", "health_score", [50] * 4, T0 + 36 * DAILY)
    assert level(history_of(rows), "health_score", T0 + 39 * DAILY).coverage.tolist() == [1.0, 1.0]


def test_gaps_lower_coverage_at_the_repos_own_pace() -> None:
    rows = [row for n, row in enumerate(series("a", "health_score", [50] * 40)) if n not in (32, 34, 36)]
    rows += series("weekly", "health_score", [50] * 6, step=timedelta(days=7))
    found = level(history_of(rows), "health_score", T0 + 39 * DAILY)
    assert found.coverage.tolist() == pytest.approx([0.7, 1.0])


def test_who_never_reported_has_no_coverage_and_is_not_reported() -> None:
    rows = series("a", "health_score", [50]) + series("b", "latency", [1])
    found = level(history_of(rows), "health_score", T0)
    assert (found.reported.tolist(), found.coverage.tolist()) == ([True, False], [1.0, 0.0])
    assert np.isnan(found.value[1])
    nobody = level(history_of(rows), "lead_time", T0)
    assert not nobody.reported.any()


def test_a_derived_error_rate_is_the_median_of_the_last_three() -> None:
    org = org_of(counts("a", [100] * 5, [9, 9, 1, 3, 2]))
    assert [metric.metric for metric in scored_metrics(org)] == ["error_rate"]
    assert level(org.history, "error_rate", T0 + 4 * DAILY).value[0] == pytest.approx(0.02)


def test_availability_and_a_derived_error_rate_do_not_count_one_thing_twice() -> None:
    org = org_of(counts("a", [100] * 5, [1] * 5) + series("a", "availability", [0.99] * 5))
    assert [metric.metric for metric in scored_metrics(org)] == ["availability"]


@pytest.mark.parametrize("as_of", [T0, T0 + timedelta(days=2)])
def test_counts_of_which_one_came_later_are_no_error_rate_yet(as_of: object) -> None:
    rows = series("a", "requests_total", [100] * 9) + series("a", "requests_failed", [1] * 3, T0 + 6 * DAILY)
    from tars_lib.model.history import to_micros

    history = history_of(rows).until(to_micros(as_of))  # type: ignore[arg-type]
    found = level(history, "error_rate", as_of)  # type: ignore[arg-type]
    assert np.isnan(found.value).all()
    assert found.coverage.tolist() == [0.0]
