"""What a decline has to be before it is told of: not chance among so many repos, out of the noise, and no trifle."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from alert_samples import alerts_of, calm_org, day, scores
from org_samples import STAMP

from tars_lib.engines.alerts.score_history import ScoreCourses
from tars_lib.engines.alerts.trend import Decline, find_declines
from tars_lib.engines.health.assess import assess_health
from tars_lib.engines.health.report import ChangePoint
from tars_lib.model.names import Trend


def decline(values: list[float], others: int = 0, **fields: Any) -> Decline | None:
    """What is found in repo `a` among others that are steady, where health says of it what `fields` say."""
    org = scores({"a": values} | {f"r{n}": [90.0] * len(values) for n in range(others)})
    health = assess_health(org, org.at(None)[1], STAMP)
    reports = tuple(replace(r, **fields) if r.repo == "a" else r for r in health.repository_reports)
    return find_declines(replace(health, repository_reports=reports), ScoreCourses(org)).get("a")


def step(at: int, before: float, after: float, p_value: float = 1e-9) -> tuple[ChangePoint, ...]:
    return (ChangePoint(day(at), before, after, p_value),)


def wave(n: int, spread: float) -> list[float]:
    """Alternates around 0; its median absolute deviation and its standard deviation are both `spread`."""
    return [spread, -spread] * (n // 2)


@pytest.mark.parametrize(("p_value", "expected"), [(0.004, True), (0.0045, False)])
def test_a_change_of_level_has_to_stand_against_the_number_of_repos(p_value: float, expected: bool) -> None:
    values = [90.0] * 30 + [85.0] * 10
    found = decline(values, 11, change_points=step(30, 90.0, 85.0, p_value), trend=Trend.STABLE)
    assert (found is not None) is expected


@pytest.mark.parametrize(("loss", "expected"), [(5.3, True), (5.1, False)])
def test_a_change_of_level_has_to_be_three_and_a_half_sigmas(loss: float, expected: bool) -> None:
    # the deviation 1.0 makes a sigma of 1.4826, and three and a half of them 5.19
    values = [90.0 + w for w in wave(30, 1.0)] + [90.0 - loss + w for w in wave(10, 1.0)]
    found = decline(values, change_points=step(30, 90.0, 90.0 - loss), trend=Trend.STABLE)
    assert (found is not None) is expected


@pytest.mark.parametrize(("loss", "expected"), [(2.0, True), (1.9, False), (-5.0, False)])
def test_a_loss_under_two_points_is_not_worth_a_line(loss: float, expected: bool) -> None:
    values = [90.0] * 30 + [90.0 - loss] * 10
    found = decline(values, change_points=step(30, 90.0, 90.0 - loss), trend=Trend.STABLE)
    assert (found is not None) is expected


@pytest.mark.parametrize(
    ("flat_end", "spread", "expected"),
    [(-0.10, 1.0, True), (-0.10, 1.5, False), (-0.068, 0.1, False), (-0.070, 0.1, True)],
)
def test_a_trend_has_to_lose_two_points_and_two_sigmas_at_the_flat_end_of_its_interval(
    flat_end: float, spread: float, expected: bool
) -> None:
    # 29 days: 0.10 a day are 2.9 points, 0.070 are 2.03 and 0.068 are 1.97
    values = [90.0 - 0.15 * n + w for n, w in enumerate(wave(30, spread))]
    fields = {"trend": Trend.DECLINING, "trend_slope_per_day": -0.15, "trend_interval": (-0.2, flat_end)}
    assert (decline(values, change_points=(), **fields) is not None) is expected


@pytest.mark.parametrize(
    ("before", "after", "matters"), [(90.0, 80.5, False), (90.5, 80.5, True), (84.0, 79.5, True), (95.0, 90.0, False)]
)
def test_a_loss_matters_where_it_ends_below_green_or_is_ten_points(before: float, after: float, matters: bool) -> None:
    found = decline([before] * 30 + [after] * 10, change_points=step(30, before, after), trend=Trend.STABLE)
    assert found is not None
    assert found.matters is matters


def test_an_old_step_gives_way_to_a_trend_that_goes_on() -> None:
    fields = {"trend": Trend.DECLINING, "trend_slope_per_day": -0.5, "trend_interval": (-0.6, -0.4)}
    values = [95.0 - 0.5 * max(n - 10, 0) for n in range(40)]
    old = decline(values, change_points=step(20, 95.0, 85.0), **fields)
    new = decline([95.0] * 30 + [85.0] * 10, change_points=step(30, 95.0, 85.0), **fields)
    assert old is not None
    assert new is not None
    assert (old.shift, old.is_recent, old.since) == (None, True, day(10))
    assert (new.shift is not None, new.is_recent, new.since) == (True, True, day(30))


@pytest.mark.parametrize(("seeds", "most"), [(10, 1), pytest.param(100, 5, marks=pytest.mark.thorough)])
def test_noise_seldom_drifts(seeds: int, most: int) -> None:
    found = sum(bool(alerts_of(calm_org(seed, 50, 30, 0.5)).findings) for seed in range(seeds))
    assert found <= most


def test_a_constant_score_neither_declines_nor_drifts() -> None:
    assert decline(np.full(40, 90.0).tolist()) is None
