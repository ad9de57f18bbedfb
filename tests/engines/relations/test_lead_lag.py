"""The temporal engine: influence, impact, anomalies, codes and options."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from movement_samples import INCIDENT, assessed, end_of, incident_org, matrix_org, noise
from org_samples import STAMP, threshold

from tars_lib.engines.health.assess import assess_health
from tars_lib.engines.relations.lead_lag import assess_temporal
from tars_lib.engines.relations.lead_lag_report import TemporalReport
from tars_lib.engines.relations.pair_evidence import gather_evidence
from tars_lib.engines.sla.assess import assess_slas
from tars_lib.errors import ConfigError
from tars_lib.files.json_records import dumps, from_json
from tars_lib.model.names import InfluenceClass, Severity, TemporalAnomalyType


def judged(org, sla=None, correlation=None, max_lag=14):
    return assess_temporal(org, end_of(org), correlation, sla, STAMP, max_lag)


def slas_of(org, objective, repos=()):
    policy = threshold("health_score", objective, sla_id="health", unit="score", higher_is_better=True, repos=repos)
    bound = replace(org, policies=(policy,))
    return assess_slas(bound, end_of(org), assess_health(bound, end_of(org), STAMP), STAMP)


def test_every_repo_has_a_class_and_the_first_to_move_is_the_leader():
    report = judged(incident_org())
    classes = {one.repo: one.classification for one in report.influence_scores}
    assert len(classes) == 12
    assert [repo for repo, kind in classes.items() if kind is InfluenceClass.LEADER] == ["ledger"]
    assert classes["payments"] is InfluenceClass.BIDIRECTIONAL
    assert classes["checkout"] is InfluenceClass.FOLLOWER
    assert classes["z0"] is InfluenceClass.INDEPENDENT
    first = report.influence_scores[0]
    assert (first.repo, first.leads) == ("ledger", ("payments",))
    # payments counts once and checkout, customer facing, three times, of the 13 that the others count
    assert first.influence_score == pytest.approx(100 * 4 / 13, rel=0.05)


def test_impact_is_the_share_of_weighted_repos_and_half_of_it_the_budget_where_slas_are_known():
    org = incident_org()
    alone = judged(org).propagation_paths[0]
    # ledger and payments once, checkout three times, of 11 + 3
    assert alone.impact_score == pytest.approx(100 * 5 / 14)
    assert alone.impact_basis == "REPOS"
    breached = judged(org, slas_of(org, 84.0, ("checkout",))).propagation_paths[0]
    assert breached.impact_basis == "REPOS_AND_SLAS"
    assert breached.affected_slas == ("health",)
    assert breached.impact_score == pytest.approx(0.5 * 100 * 5 / 14 + 50)
    kept = judged(org, slas_of(org, 1.0, ("checkout",))).propagation_paths[0]
    assert kept.affected_slas == ()
    assert kept.impact_score == pytest.approx(0.5 * 100 * 5 / 14)


def test_impact_falls_when_the_incident_has_passed():
    during = judged(incident_org(back=8)).propagation_paths[0]
    org = incident_org(back=16, rows=98)
    grid = org.history.grid("health_score").values.copy()
    for name, lag in zip(INCIDENT, (0, 1, 2), strict=True):
        grid[90 + lag :, [repo.repo for repo in org.repos].index(name)] += 25.0
    later = judged(matrix_org({"health_score": np.clip(grid, 0, 100)}, org.repos, dependencies=org.dependencies))
    after = {path.path: path for path in later.propagation_paths}[INCIDENT]
    assert not after.is_active
    assert after.impact_score == pytest.approx(during.impact_score / 4)


def test_anomalies_name_speed_reach_and_the_leader():
    report = judged(incident_org())
    kinds = {one.type: one for one in report.temporal_anomalies}
    assert set(kinds) == {
        TemporalAnomalyType.RAPID_PROPAGATION,
        TemporalAnomalyType.LEADER_DETERIORATION,
        TemporalAnomalyType.SYSTEMIC_PROPAGATION,
    }
    rapid = kinds[TemporalAnomalyType.RAPID_PROPAGATION]
    assert rapid.message.startswith("ledger -> payments -> checkout: 3 services within 2 samples")
    assert (rapid.is_active, rapid.severity) == (True, Severity.SEV_1)
    assert rapid.started_at.isoformat() == "2026-03-26T00:00:00+00:00"
    assert kinds[TemporalAnomalyType.LEADER_DETERIORATION].repos == ("ledger",)
    slow = judged(incident_org(lags=(0, 3, 7), back=14))
    assert TemporalAnomalyType.RAPID_PROPAGATION not in {one.type for one in slow.temporal_anomalies}


def test_two_repos_that_face_nobody_are_131_and_a_customer_facing_one_132():
    values = 80 + noise(90, 30, np.random.default_rng(2))
    values[-8:, 3] -= 12.0
    values[-6:, 9] -= 12.0
    org = matrix_org({"health_score": values})
    report = judged(org)
    assert (report.propagation_paths[0].path, report.propagation_paths[0].is_active) == (("r003", "r009"), True)
    assert report.exit_code == 131
    facing = tuple(replace(repo, customer_facing=repo.repo == "r009") for repo in org.repos)
    assert judged(replace(org, repos=facing)).exit_code == 132


def test_max_lag_bounds_every_lag_and_must_be_positive():
    org = incident_org(lags=(0, 3, 7), back=14)
    assert max(lead.lag for lead in judged(org).lead_lag) == 7
    short = judged(org, max_lag=4)
    assert {(lead.leader, lead.follower) for lead in short.lead_lag} == {
        ("ledger", "payments"),
        ("payments", "checkout"),
    }
    with pytest.raises(ConfigError, match="max_lag is 0"):
        judged(org, max_lag=0)


def test_the_correlation_report_names_the_clusters_of_a_path():
    org = incident_org()
    _, correlation, _ = assessed(org)
    assert judged(org, correlation=correlation).propagation_paths[0].clusters == (correlation.clusters[0].cluster_id,)
    assert judged(org).propagation_paths[0].clusters == ()


def test_evidence_of_another_max_lag_is_not_used():
    org = incident_org(lags=(0, 3, 7), back=14)
    other = assess_temporal(org, end_of(org), None, None, STAMP, 4, gather_evidence(org, 14))
    assert dumps(other) == dumps(judged(org, max_lag=4))


def test_the_report_survives_json_and_its_frame_holds_every_lead():
    report = judged(incident_org())
    text = dumps(report)
    assert dumps(from_json(TemporalReport, json.loads(text), "report")) == text
    assert len(report.frame) == len(report.lead_lag) == report.leads_found == 3
    assert report.interval == "P1D"
