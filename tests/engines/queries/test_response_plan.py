"""One plan a run: what is done first, who is notified, and what a record changes about it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from run_samples import RunSamples

from tars_lib.engines.queries.response_plan import ResponsePlan, response_plan, with_record
from tars_lib.pipeline import Run
from tars_lib.playbook.escalation import Escalation, Rung

NOW = datetime(2026, 11, 2, 15, 10, tzinfo=UTC)


def plan_of(run: Run) -> ResponsePlan | None:
    return response_plan(run.org, run.status.exit_code, run.sla, run.alerts, run.correlation, run.temporal)


@pytest.fixture
def plan(samples: RunSamples) -> ResponsePlan:
    found = plan_of(samples.run("demo"))
    assert found is not None
    return found


def test_the_change_that_is_the_strong_cause_is_rolled_back_first(plan: ResponsePlan) -> None:
    assert plan.title == "Contain within 15 minutes: Roll back deploy 'Connection pool rewrite' of ledger"
    assert plan.then == ("Enable circuit breakers (ledger)",)
    assert plan.owner == "finance"


def test_who_is_due_now_stands_before_who_hears_without_progress(plan: ResponsePlan) -> None:
    due = [one.is_due for one in plan.recipients]
    assert due == sorted(due, reverse=True)
    assert {one.who for one in plan.recipients if one.is_due} == {
        "VP Engineering", "Customer Success", "On-call engineer",
    }  # fmt: skip
    assert plan.notify.endswith("Without progress: Team lead after 15 min; Engineering manager after 30 min.")


def test_without_a_breach_the_path_and_then_the_cluster_is_contained(samples: RunSamples) -> None:
    run = samples.run("cascade")
    calm = replace(run.sla, breaches=())
    found = response_plan(run.org, 132, calm, run.alerts, run.correlation, run.temporal)
    assert found is not None
    assert found.clock == "within 15 minutes"
    assert any(action.startswith("Isolate ledger from ") for action in (found.first, *found.then))
    still = replace(run.temporal, propagation_paths=())
    joint = response_plan(run.org, 122, calm, run.alerts, run.correlation, still)
    assert joint is not None
    assert joint.clock == "within 30 minutes"
    assert joint.then[-1].startswith("Freeze deployments to ") or joint.first.startswith("Freeze deployments to ")


def test_a_calm_run_has_no_plan(samples: RunSamples) -> None:
    assert plan_of(samples.run("calm")) is None


def test_a_record_says_what_is_left_by_when_and_who_knows(plan: ResponsePlan) -> None:
    later = Rung("Team lead", NOW + timedelta(minutes=5), "matrix", ("Phone",))
    told = Rung("VP Engineering", NOW, "condition", ("Phone",), (), NOW)
    kept = with_record(plan, Escalation((), (later,), (told,), ()), ("Enable circuit breakers (ledger)",), NOW)
    assert kept.title == "Contain by 2026-11-02 15:10 UTC: Enable circuit breakers (ledger)"
    assert kept.notify == "Without progress: Team lead at 15:15 UTC. Already notified: VP Engineering."
    assert with_record(plan, Escalation((), (), (), ()), (), None).title == f"Contain: {plan.first}"
