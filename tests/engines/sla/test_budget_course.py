"""The course of an error budget ends where the verdict says, and goes there by the samples alone."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from org_samples import DAILY, STAMP, T0, counts, days, org_of, ratio, series, threshold

from tars_lib.engines.health.assess import assess_health
from tars_lib.engines.sla.assess import assess_slas
from tars_lib.engines.sla.budget_course import spending
from tars_lib.engines.sla.report import SlaReport
from tars_lib.model.history import to_micros
from tars_lib.model.names import Event
from tars_lib.model.organisation import OrgData


def judged(org: OrgData) -> SlaReport:
    known, as_of = org.at(None)
    return assess_slas(known, as_of, assess_health(known, as_of, STAMP), STAMP)


def test_each_day_takes_its_share_off_the_budget_of_the_window() -> None:
    # 4 days of 1,000 requests and an objective of 99 %: 40 may fail
    org = org_of(counts("api", [1000] * 4, [10, 0, 20, 30]), ratio(0.99, window=days(4)))
    report = judged(org)
    course = spending(org, report["availability"], report.as_of)
    assert course is not None
    assert course.remaining.tolist() == pytest.approx([0.75, 0.75, 0.25, -0.5])
    assert course.times.tolist() == [to_micros(T0 + timedelta(days=day)) for day in range(4)]
    assert course.spent_at == to_micros(T0 + timedelta(days=3))
    budget = report["availability"].error_budget
    assert budget is not None
    assert 1.0 - course.remaining[-1] == pytest.approx(budget.consumed_share)


def test_only_the_repo_that_decided_is_drawn() -> None:
    rows = counts("api", [1000] * 4, [0, 0, 0, 400]) + counts("web", [100_000] * 4, [0] * 4)
    report = judged(org := org_of(rows, ratio(0.99, window=days(4))))
    assert report["availability"].scope == "api"
    course = spending(org, report["availability"], report.as_of)
    assert course is not None
    assert course.remaining.tolist() == pytest.approx([1.0, 1.0, 1.0, -9.0])


def test_two_repos_spend_one_budget_at_each_time() -> None:
    rows = counts("api", [1000] * 3, [0, 5, 5]) + counts("web", [1000] * 3, [0, 5, 5])
    report = judged(org := org_of(rows, ratio(0.99, window=days(3))))
    course = spending(org, report["availability"], report.as_of)
    assert report["availability"].scope is None
    assert course is not None
    assert course.remaining.tolist() == pytest.approx([1.0, 1.0 - 10 / 60, 1.0 - 20 / 60])


def test_maintenance_spends_nothing() -> None:
    start = T0 + timedelta(days=2)
    planned = Event(start, None, "maintenance", "Move", None, start + DAILY)
    rows = counts("api", [1000] * 4, [10, 0, 900, 0])
    report = judged(org := org_of(rows, ratio(0.99, window=days(4)), events=(planned,)))
    course = spending(org, report["availability"], report.as_of)
    assert course is not None
    assert course.remaining[-1] == pytest.approx(1.0 - 10 / 30)


@pytest.mark.parametrize(
    "org",
    [
        org_of(series("api", "latency_p95", np.full(40, 0.2)), threshold()),
        org_of(counts("api", [1000] * 40, [0] * 40), ratio(1.0)),
        org_of(series("api", "health_score", np.full(40, 90.0)), ratio()),
    ],
    ids=["a latency has no budget", "an objective of 100% allows nothing", "no service reports the counts"],
)
def test_where_there_is_no_budget_there_is_no_course(org: OrgData) -> None:
    report = judged(org)
    assert spending(org, report.compliance_results[0], report.as_of) is None
