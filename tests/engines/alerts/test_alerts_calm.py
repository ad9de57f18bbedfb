"""In noise there is nothing to find; what is planted into it is found."""

from __future__ import annotations

import numpy as np
import pytest
from alert_samples import alerts_of, calm_org, day, of_type

from tars_lib.model.names import AlertType


@pytest.mark.parametrize(
    ("repos", "days", "phi", "seeds"),
    [
        (12, 120, 0.5, 40),
        *(
            pytest.param(*kind, 100, marks=pytest.mark.thorough)
            for kind in ((12, 120, 0.5), (50, 30, 0.5), (12, 30, 0.5), (50, 120, 0.5), (12, 120, 0.0), (50, 30, 0.0))
        ),
    ],
)
def test_a_calm_organisation_gives_0_in_at_least_95_of_100_seeds(repos: int, days: int, phi: float, seeds: int) -> None:
    codes = [alerts_of(calm_org(seed, repos, days, phi)).exit_code for seed in range(seeds)]
    assert codes.count(0) >= 0.95 * seeds


@pytest.mark.parametrize("seed", range(20))
def test_a_drop_planted_in_noise_is_found_and_dated(seed: int) -> None:
    shape = np.where(np.arange(60) < 50, 90.0, 35.0) + np.random.default_rng(seed).normal(size=60)
    report = alerts_of(calm_org(seed, planted={3: shape}))
    (alert,) = of_type(report, AlertType.HEALTH_DEGRADATION)
    assert (alert.repos, alert.severity, report.exit_code) == (("repo-03",), "CRITICAL", 102)
    assert alert.first_seen is not None
    assert abs((alert.first_seen - day(50)).days) <= 2


@pytest.mark.parametrize("seed", range(20))
def test_a_decline_planted_in_noise_is_found(seed: int) -> None:
    shape = 94.0 - 0.6 * np.maximum(np.arange(60) - 30, 0) + np.random.default_rng(seed).normal(size=60)
    report = alerts_of(calm_org(seed, planted={3: shape}))
    assert [alert.repos for alert in of_type(report, AlertType.TREND_ANOMALY)] == [("repo-03",)]


@pytest.mark.parametrize("seed", range(20))
def test_a_slow_drift_within_green_is_a_finding_without_a_code(seed: int) -> None:
    shape = 97.0 - 0.2 * np.maximum(np.arange(60) - 30, 0) + 0.5 * np.random.default_rng(seed).normal(size=60)
    report = alerts_of(calm_org(seed, planted={3: shape}))
    assert (report.exit_code, report.alerts) == (0, ())
    assert [(finding.repo, finding.severity) for finding in report.findings if finding.repo == "repo-03"] == [
        ("repo-03", "SEV-4")
    ]
