"""In noise there is nothing to find; what is planted into it is found."""

from __future__ import annotations

import numpy as np
import pytest
from alert_samples import alerts_of, calm_org, calm_rows, of_type
from org_samples import org_of, series

from tars_lib.schema import AlertType
from tars_lib.sources.root import default_policies


@pytest.mark.parametrize(("repos", "days", "seeds"), [(12, 30, 100), (12, 120, 100), (50, 30, 100), (50, 120, 100)])
@pytest.mark.parametrize("phi", [0.0, 0.5])
def test_a_calm_organisation_gives_0_in_at_least_95_of_100_seeds(repos: int, days: int, seeds: int, phi: float) -> None:
    codes = [alerts_of(calm_org(seed, repos, days, phi)).exit_code for seed in range(seeds)]
    assert codes.count(0) >= 0.95 * seeds


@pytest.mark.parametrize("seed", range(10))
def test_a_drop_planted_in_noise_is_found_and_dated(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = [row for row in calm_rows(seed, 12, 60, 0.5) if row[1:3] != ("repo-03", "health_score")]
    rows += series(
        "repo-03", "health_score", np.concatenate([np.full(50, 90.0), np.full(10, 35.0)]) + rng.normal(size=60)
    )
    report = alerts_of(org_of(rows, *default_policies()))
    (alert,) = of_type(report, AlertType.HEALTH_DEGRADATION)
    assert (alert.repos, alert.severity, report.exit_code) == (("repo-03",), "CRITICAL", 102)
    assert abs((alert.first_seen - rows[50][0]).days) <= 2  # type: ignore[operator]


@pytest.mark.parametrize("seed", range(10))
def test_a_decline_planted_in_noise_is_found(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = [row for row in calm_rows(seed, 12, 60, 0.5) if row[1:3] != ("repo-03", "health_score")]
    rows += series("repo-03", "health_score", 94.0 - 0.6 * np.maximum(np.arange(60) - 30, 0) + rng.normal(size=60))
    report = alerts_of(org_of(rows, *default_policies()))
    anomalies = of_type(report, AlertType.TREND_ANOMALY)
    assert [alert.repos for alert in anomalies] == [("repo-03",)]
