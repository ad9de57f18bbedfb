"""Policies on the same counts share what is measured, and a repo without a gap is judged by a shorter way: same verdicts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from org_samples import DAILY, T0, counts, days, org_of, ratio

from tars_lib.engines.sla.sli import Known, measure, read_track
from tars_lib.engines.sla.verdict import judge
from tars_lib.engines.sla.window.scopes import ScopeJudge
from tars_lib.model.names import Repo
from tars_lib.model.organisation import OrgData
from tars_lib.model.slo import RatioPolicy

AS_OF = T0 + 69 * DAILY
OBJECTIVES = (0.9, 0.98, 0.99, 0.995, 0.9975)


@pytest.fixture(scope="module")
def org() -> OrgData:
    """Nine repos of which every third lacks samples, one has few events and one is idle for a fortnight."""
    rng = np.random.default_rng(5)
    rows = []
    for number in range(9):
        total = rng.poisson(400 if number != 4 else 0.2, 70)
        if number == 7:
            total[-14:] = 0
        failed = rng.binomial(total, 0.002 * (1 + number) * (1 + 2 * (np.arange(70) > 60)))
        mine = counts(f"r{number}", total.tolist(), failed.tolist())
        rows += [row for row in mine if number % 3 or rng.random() > 0.2]
    policies = [ratio(objective, sla_id=f"p{objective}", window=days(28)) for objective in OBJECTIVES]
    return org_of(rows, *policies, ratio(0.99, sla_id="week", window=days(7)), repos=[Repo("r2", "r2", quiet=True)])


def test_what_policies_share_changes_no_verdict(org: OrgData) -> None:
    known: Known = {}
    together = [judge(org, policy, AS_OF, known=known).result for policy in org.policies]
    alone = [judge(org, policy, AS_OF).result for policy in org.policies]
    assert together == alone
    assert len({result.status for result in alone}) > 1
    # one track, one look at its traffic, four windows (two of them inform alone), two outlooks: not one of each for each policy
    assert len(known) == 1 + 1 + 4 + 2


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_a_repo_without_a_gap_is_judged_as_any_other(org: OrgData, objective: float) -> None:
    policy = next(one for one in org.policies if one.objective == objective and isinstance(one, RatioPolicy))
    found = read_track(org, policy)
    assert found is not None
    short = ScopeJudge.of(org, policy, found, measure(org, policy, found, policy.window, AS_OF))
    long = replace(short, is_plain=np.zeros_like(short.is_plain))
    scope = np.arange(len(org.repos))
    assert 3 < short.is_plain.sum() < scope.size
    assert [short.judge(column, scope) for column in scope] == [long.judge(column, scope) for column in scope]
