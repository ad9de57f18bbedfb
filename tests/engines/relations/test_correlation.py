"""The correlation engine: calm stays calm, a planted cluster is named with its factor, and the codes follow the rules."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from movement_samples import INCIDENT, assessed, end_of, incident_org, matrix_org, noise
from org_samples import STAMP

from tars_lib.engines.relations.correlation import assess_correlation
from tars_lib.engines.relations.correlation_report import CorrelationReport
from tars_lib.engines.relations.frames import correlate
from tars_lib.engines.relations.pair_evidence import gather_evidence
from tars_lib.files.json_records import dumps, from_json
from tars_lib.model.names import ClusterDirection, ClusterEvidence, FactorKind, Repo, Severity


@pytest.mark.parametrize(
    ("days", "phi"),
    [
        pytest.param(days, phi, marks=() if (days, phi) == (30, 1.0) else pytest.mark.thorough)
        for phi in (0.0, 1.0)
        for days in (30, 90, 365)
    ],
)
def test_calm_organisations_give_0_from_both_engines(days, phi):
    """40 sets: at a true rate of 5 %, more than 6 findings have probability below 2 %; measured are 0 to 2.5 %."""
    rng = np.random.default_rng([days, int(phi)])
    found = np.zeros(2)
    for _ in range(40):
        _, correlation, temporal = assessed(matrix_org({"health_score": 70 + noise(days, 12, rng, phi)}))
        found += [correlation.exit_code > 0, temporal.exit_code > 0]
    assert max(found) <= 6


def planted(seed, drop=7.0):
    rng = np.random.default_rng(seed)
    values = noise(90, 12, rng)
    values[:, 5:9] += 1.3 * rng.standard_normal(90)[:, None]
    values[-6:, 5:9] -= drop
    shares = [("db", "net") if 5 <= n <= 8 else ("net",) for n in range(12)]
    repos = [Repo(f"r{n:03d}", f"r{n:03d}", team=f"t{n % 4}", shares=shares[n]) for n in range(12)]
    return matrix_org({"health_score": 70 + values}, repos)


def test_a_planted_cluster_is_found_whole_with_its_shared_database_and_onset():
    right = 0
    for seed in range(10):
        org = planted(seed)
        evidence, report, _ = assessed(org)
        cluster = report.clusters[0]
        right += (
            report.exit_code == 122
            and cluster.repos == ("r005", "r006", "r007", "r008")
            and cluster.is_anomalous
            and cluster.direction is ClusterDirection.DECLINE
            and cluster.onset == evidence.time(84)
            and [factor.factor for factor in cluster.common_factors] == ["db"]
            and cluster.common_factors[0].kind is FactorKind.SHARED_INFRASTRUCTURE
            and cluster.severity is Severity.SEV_1
            and 0.4 < cluster.mean_correlation < 0.9
        )
    assert right >= 8


def test_a_correlated_cluster_that_stands_where_it_always_did_is_not_anomalous():
    reports = [assessed(planted(seed, drop=0.0))[1] for seed in range(10)]
    assert all(report.exit_code == 121 for report in reports)
    assert sum(cluster.is_anomalous for report in reports for cluster in report.clusters) <= 1
    assert not any(cluster.deviating for report in reports for cluster in report.clusters if not cluster.is_anomalous)


def test_an_improvement_is_no_critical_anomaly():
    report = assessed(planted(1, drop=-7.0))[1]
    assert report.exit_code == 121
    assert report.clusters[0].direction is ClusterDirection.IMPROVEMENT
    assert report.clusters[0].severity is Severity.SEV_4


def test_one_incident_in_order_is_a_cluster_by_joint_change():
    _, report, _ = assessed(incident_org())
    (cluster,) = report.clusters
    assert set(cluster.repos) == set(INCIDENT)
    assert set(cluster.deviating) == set(INCIDENT)
    assert ClusterEvidence.JOINT_CHANGE in cluster.joined_by
    assert cluster.customer_facing
    assert cluster.common_factors[0].factor == "ledger"
    assert report.exit_code == 122
    (anomaly,) = report.anomalies
    assert "3 of 12 services (checkout, ledger, payments) declined together since 2026-03-26" in anomaly.message


def test_two_repos_of_many_that_face_nobody_are_not_critical_and_a_customer_facing_one_is():
    values = noise(90, 40, np.random.default_rng(4))
    values[-6:, 3:5] -= 12.0
    org = matrix_org({"health_score": 70 + values})
    assert assessed(org)[1].exit_code == 121
    facing = tuple(replace(repo, customer_facing=repo.repo == "r004") for repo in org.repos)
    assert assessed(replace(org, repos=facing))[1].exit_code == 122


def test_pairs_are_those_of_correlate():
    org = planted(3, drop=0.0)
    report = assessed(org)[1]
    frame = correlate(org.frame("health_score"))
    assert report.correlations_found == len(frame) == len(report.frame)
    mine = report.frame.set_index(["repo_a", "repo_b"])["coefficient"]
    pd.testing.assert_series_equal(
        mine.sort_index(),
        frame.set_index(["repo_a", "repo_b"])["correlation"].sort_index(),
        check_names=False,
        rtol=1e-9,
    )
    assert report.expected_false_discoveries == pytest.approx(frame.attrs["expected_false_discoveries"])


def test_a_pair_names_the_metric_that_shows_it_and_lower_latency_counts_as_better():
    rng = np.random.default_rng(5)
    health, latency = 70 + noise(90, 8, rng), 5 + 0.2 * noise(90, 8, rng)
    latency[:, 6] += 2.0 * (latency[:, 2] - 5)
    report = assessed(matrix_org({"health_score": health, "latency_p95": latency}))[1]
    (pair,) = report.correlations
    assert (pair.repo_a, pair.repo_b, pair.metric, pair.n) == ("r002", "r006", "latency_p95", 90)
    assert pair.coefficient > 0.8


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (70 + np.random.default_rng(6).random((12, 4)), "12 samples are too few"),
        (np.full((60, 4), 70.0), "0 of 4 services vary enough"),
        (70 + np.random.default_rng(6).random((60, 1)), "1 of 1 services vary enough"),
    ],
)
def test_a_refusal_says_why(values, reason):
    _, correlation, temporal = assessed(matrix_org({"health_score": values}))
    for report in (correlation, temporal):
        assert report.exit_code == 0
        assert reason in report.reason
        assert any(reason in warning for warning in report.warnings)
    assert correlation.clusters == ()
    assert temporal.propagation_paths == ()


def test_only_traffic_is_refused():
    report = assessed(matrix_org({"requests_total": np.random.default_rng(7).random((60, 3))}))[1]
    assert report.reason.startswith("no metric with a direction")


def test_gaps_change_neither_the_cluster_nor_its_onset():
    values = np.random.default_rng(8)
    org = incident_org()
    grid = org.history.grid("health_score")
    holes = grid.values.copy()
    holes[values.random(holes.shape) < 0.05] = np.nan
    report = assessed(matrix_org({"health_score": holes}, org.repos, dependencies=org.dependencies))[1]
    assert set(report.clusters[0].repos) == set(INCIDENT)


def test_the_report_survives_json_and_evidence_given_equals_evidence_gathered():
    org = incident_org()
    report = assessed(org)[1]
    text = dumps(report)
    assert dumps(from_json(CorrelationReport, json.loads(text), "report")) == text
    assert dumps(assess_correlation(org, end_of(org), STAMP)) == text
    assert dumps(assess_correlation(org, end_of(org), STAMP, gather_evidence(org))) == text


def test_a_past_incident_is_not_anomalous_because_one_of_its_repos_is_in_trouble_again():
    values = 70 + noise(120, 12, np.random.default_rng(9))
    values[60:66, 2:5] -= 12.0
    values[-6:, 4:9] -= 12.0
    report = assessed(matrix_org({"health_score": values}))[1]
    now = {cluster.repos: cluster.is_anomalous for cluster in report.clusters}
    assert now == {
        ("r002", "r003", "r004"): False,
        ("r004", "r005", "r006", "r007", "r008"): True,
    }
