"""Paths: order from changes, direct ties only, active or past."""

from __future__ import annotations

import numpy as np
import pytest
from movement_samples import INCIDENT, assessed, incident_org, matrix_org, noise

from tars_lib.model.names import Dependency, LeadEvidence, Repo, TemporalAnomalyType


@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize("back", [5, 6, 12])
def test_one_incident_becomes_an_active_path_in_order(declared, back):
    right = 0
    for seed in range(8):
        _, _, report = assessed(incident_org(back=back, declared=declared, seed=seed))
        path = report.propagation_paths[0] if report.propagation_paths else None
        right += (
            path is not None
            and path.path == INCIDENT
            and path.is_active
            and path.total_lag == 2
            and report.exit_code == 132
        )
    assert right >= 7


def test_wider_lags_are_kept():
    _, _, report = assessed(incident_org(lags=(0, 3, 7), back=14))
    path = report.propagation_paths[0]
    assert (path.path, path.total_lag, path.lag_duration) == (INCIDENT, 7, "P7D")
    leads = {(lead.leader, lead.follower): lead for lead in report.lead_lag}
    assert leads["ledger", "payments"].lag == 3
    assert leads["ledger", "payments"].evidence is LeadEvidence.CHANGE_ORDER
    assert leads["ledger", "payments"].is_declared
    assert not leads["ledger", "checkout"].is_direct


@pytest.mark.parametrize("repos", [3, pytest.param(17, marks=pytest.mark.thorough)])
def test_where_all_change_at_once_no_order_is_invented(repos):
    invented = named = 0
    for seed in range(15):
        values = noise(100, 30, np.random.default_rng([seed, repos]))
        values[-6:, 2 : 2 + repos] -= 9.0
        members = {f"r{n:03d}" for n in range(2, 2 + repos)}
        _, _, report = assessed(matrix_org({"health_score": 70 + values}))
        invented += any({lead.leader, lead.follower} <= members for lead in report.lead_lag)
        named += any(one.type is TemporalAnomalyType.SYNCHRONISED_LAG for one in report.temporal_anomalies)
    assert invented <= 1
    assert named >= 14


def test_an_incident_that_has_passed_is_a_past_path_without_the_critical_code():
    values = 85 + 2 * noise(90, 12, np.random.default_rng(3))
    for column, lag in ((0, 0), (1, 1), (2, 2)):
        values[50 + lag : 60 + lag, column] -= 25.0
    _, correlation, report = assessed(matrix_org({"health_score": values}))
    assert any(path.path == ("r000", "r001", "r002") for path in report.propagation_paths)
    assert not any(path.is_active for path in report.propagation_paths)
    assert report.exit_code == 131
    assert correlation.exit_code == 121


def test_an_improvement_that_travels_is_not_critical():
    _, _, report = assessed(incident_org(size=-12.0))
    assert report.propagation_paths[0].path == INCIDENT
    assert report.propagation_paths[0].is_active
    assert not report.propagation_paths[0].is_declining
    assert report.exit_code == 131


def test_declared_calls_decide_between_leaders_that_changed_together():
    names = ["api", "db", "web", *(f"x{n}" for n in range(9))]
    values = 80 + noise(90, 12, np.random.default_rng(4))
    values[-8:, :2] -= 15.0
    values[-6:, 2] -= 15.0
    repos = [Repo(name, name) for name in names]
    _, _, free = assessed(matrix_org({"health_score": values}, repos))
    assert {lead.leader for lead in free.lead_lag if lead.follower == "web" and lead.is_direct} == {"api", "db"}
    _, _, bound = assessed(matrix_org({"health_score": values}, repos, dependencies=(Dependency("web", "db"),)))
    assert {lead.leader for lead in bound.lead_lag if lead.follower == "web" and lead.is_direct} == {"db"}
    path = next(path for path in bound.propagation_paths if path.path == ("db", "web"))
    assert path.is_declared
    assert path.confidence > max(path.confidence for path in free.propagation_paths)


def leading(seed, rows=90):
    rng = np.random.default_rng(seed)
    values = noise(rows + 60, 10, rng, 0.5)
    for leader, follower, lag in ((0, 1, 3), (1, 2, 2)):
        values[lag:, follower] = values[:-lag, leader] + values[:, leader].std() * rng.standard_normal(rows + 60 - lag)
    return 70 + values[-rows:]


def test_leads_over_the_whole_course_make_a_path_through_direct_edges_only():
    right = shortcuts = 0
    for seed in range(15):
        _, _, report = assessed(matrix_org({"health_score": leading(seed)}))
        right += any(path.path == ("r000", "r001", "r002") and path.total_lag == 5 for path in report.propagation_paths)
        shortcuts += any(path.path == ("r000", "r002") for path in report.propagation_paths)
    assert right >= 13
    assert shortcuts <= 1


def test_a_follower_that_goes_the_other_way_is_a_lead_but_no_path():
    values = noise(90, 6, np.random.default_rng(5))
    values[2:, 3] -= 2.5 * values[:-2, 1]
    _, _, report = assessed(matrix_org({"health_score": 70 + values}))
    (lead,) = report.lead_lag
    assert (lead.leader, lead.follower, lead.lag) == ("r001", "r003", 2)
    assert lead.correlation < -0.7
    assert report.propagation_paths == ()
    assert report.exit_code == 131


def test_circles_end():
    rng = np.random.default_rng(6)
    values = rng.standard_normal((400, 3))
    for t in range(3, 400):
        values[t] += 0.6 * values[t - 1, [2, 0, 1]]
    _, _, report = assessed(matrix_org({"health_score": 70 + values[-200:]}))
    assert report.propagation_paths
    assert all(len(set(path.path)) == len(path.path) for path in report.propagation_paths)
