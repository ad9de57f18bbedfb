"""Groups of repos without chains, and what they have in common."""

from __future__ import annotations

from datetime import timedelta
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from movement_samples import assessed, matrix_org, noise
from org_samples import T0

from tars_lib.engines.relations.clusters import components, majority_groups
from tars_lib.engines.relations.common_factors import common_factors, luck
from tars_lib.engines.relations.pair_evidence import Calls
from tars_lib.model.names import ClusterEvidence, Dependency, Event, FactorKind, Repo

DAY = timedelta(days=1)


def links_of(n, pairs):
    links = np.zeros((n, n), dtype=bool)
    for a, b in pairs:
        links[a, b] = links[b, a] = True
    return links


def test_a_chain_of_links_is_not_one_group():
    chain = links_of(8, [(n, n + 1) for n in range(7)])
    assert max(map(len, majority_groups(chain))) == 2


def test_a_group_with_a_few_links_missing_stays_one_group():
    dense = [(a, b) for b in range(6) for a in range(b) if (a, b) not in {(0, 1), (2, 5)}]
    assert majority_groups(links_of(7, [*dense, (5, 6)])) == [[0, 1, 2, 3, 4, 5]]


@given(
    st.integers(2, 9).flatmap(
        lambda n: st.tuples(st.just(n), st.sets(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1))))
    )
)
def test_every_group_is_linked_by_a_majority_of_its_pairs(drawn):
    n, pairs = drawn
    links = links_of(n, [pair for pair in pairs if pair[0] != pair[1]])
    groups = majority_groups(links)
    assert len({member for group in groups for member in group}) == sum(map(len, groups))
    for group in groups:
        inside = links[np.ix_(group, group)].sum() / 2
        assert inside > 0.5 * len(group) * (len(group) - 1) / 2


def test_components_join_what_any_chain_ties():
    assert components([(3, 4), (1, 2), (2, 3), (8, 9)]) == [[1, 2, 3, 4], [8, 9]]


@given(st.integers(1, 15), st.data())
def test_luck_is_the_hypergeometric_tail(repos, data):
    carriers, members = data.draw(st.integers(0, repos)), data.draw(st.integers(0, repos))
    having = data.draw(st.integers(0, members))
    exact = sum(comb(carriers, k) * comb(repos - carriers, members - k) for k in range(having, members + 1))
    assert luck(repos, carriers, members, having) == pytest.approx(exact / comb(repos, members), abs=1e-12)


def org_with(repos, dependencies=(), events=(), rows=60):
    return matrix_org(
        {"health_score": noise(rows, len(repos), np.random.default_rng(1))},
        repos,
        dependencies=tuple(Dependency(*call) for call in dependencies),
        events=tuple(events),
    )


def factors_of(org, columns, onset=None):
    calls = Calls([repo.repo for repo in org.repos], org.dependencies)
    return common_factors(org, calls, columns, onset, DAY)


def test_a_database_that_only_the_members_use_is_a_factor_and_one_that_all_use_is_not():
    repos = [Repo(f"r{n:02d}", f"r{n:02d}", shares=("net", "db") if n in (2, 5, 7) else ("net",)) for n in range(12)]
    (factor,) = factors_of(org_with(repos), [2, 5, 7])
    assert (factor.kind, factor.factor) == (FactorKind.SHARED_INFRASTRUCTURE, "db")
    assert factor.confidence == pytest.approx(1 - 1 / 220)
    assert "3 of 3 members use db, against 3 of 12 services overall" in factor.evidence


def test_a_common_callee_counts_through_others_and_an_external_one_is_external():
    repos = [Repo(f"r{n:02d}", f"r{n:02d}", external=n == 0) for n in range(14)]
    org = org_with(repos, [("r01", "r00"), ("r02", "r01"), ("r03", "r02")])
    found = factors_of(org, [1, 2, 3])
    assert (found[0].kind, found[0].factor) in [(FactorKind.EXTERNAL, "r00"), (FactorKind.SHARED_DEPENDENCY, "r01")]
    assert {FactorKind.EXTERNAL, FactorKind.SHARED_DEPENDENCY} <= {factor.kind for factor in found}
    assert all(factor.factor in ("r00", "r01", "r02") for factor in found)


def test_random_clusters_have_no_factor():
    rng = np.random.default_rng(2)
    repos = [Repo(f"r{n:02d}", f"r{n:02d}", team=f"t{n % 5}", shares=(f"s{n % 7}",)) for n in range(30)]
    org = org_with(repos, [(f"r{a:02d}", f"r{b:02d}") for a, b in rng.integers(0, 30, (40, 2)) if a != b])
    assert sum(bool(factors_of(org, sorted(rng.permutation(30)[:4].tolist()))) for _ in range(100)) <= 18


def test_a_rare_change_before_the_onset_is_a_factor_and_a_daily_one_is_not():
    repos = [Repo(f"r{n}", f"r{n}") for n in range(5)]
    onset = T0 + 50 * DAY
    deploy = Event(onset - timedelta(hours=5), "r1", "deploy", "pool rewrite", "r1@4")
    (factor,) = factors_of(org_with(repos, events=[deploy]), [1, 2], onset)
    assert factor.kind is FactorKind.CHANGE_EVENT
    assert "5 h before the start" in factor.evidence[0]
    daily = [Event(T0 + n * DAY, "r1", "deploy", f"build {n}") for n in range(51)]
    assert factors_of(org_with(repos, events=daily), [1, 2], onset) == ()
    elsewhere = Event(onset - timedelta(hours=5), "r4", "deploy", "other")
    assert factors_of(org_with(repos, events=[elsewhere]), [1, 2], onset) == ()
    late = Event(onset + 2 * DAY, "r1", "rollback", "undo")
    assert factors_of(org_with(repos, events=[late]), [1, 2], onset) == ()


def test_a_lead_joins_its_repos():
    values = noise(120, 10, np.random.default_rng(3))
    values[3:, 4] += 2.5 * values[:-3, 1]
    _, report, _ = assessed(matrix_org({"health_score": 70 + values}))
    (cluster,) = report.clusters
    assert cluster.repos == ("r001", "r004")
    assert cluster.joined_by == (ClusterEvidence.LEAD_LAG,)
