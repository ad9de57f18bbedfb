"""The incident report tells what was planted: what broke, why, whether it spreads, what warns, whom to tell."""

from __future__ import annotations

from dataclasses import replace

import pytest
from run_samples import RunSamples, told

from tars_lib.model.names import ClusterDirection
from tars_lib.reports.blocks.kinds import CauseList, FigureBlock, Table
from tars_lib.workbook.pages import incident_report as incident
from tars_lib.workbook.parameters.register import state_by
from tars_lib.workbook.sections import breach_story as story
from tars_lib.workbook.sections import outlook as signals
from tars_lib.workbook.sections import spread


def test_an_active_path_is_told_with_lag_impact_and_what_is_hit(samples: RunSamples) -> None:
    text = told(spread.spread(samples.run("cascade")))
    assert (
        "[Spreading] Propagation is active ledger → payments → checkout: 3 services within 2 d, impact 68 of 100"
        in text
    )
    assert "Isolate ledger from what calls it." in text
    assert "SLAs hit: availability" in text
    assert "3 of 12 services, since 2026-03-26 00:00 UTC" in text
    assert "deploy 'Connection pool rewrite' of ledger" in text


def test_repos_that_turn_in_one_sample_are_a_cluster_and_no_path(samples: RunSamples) -> None:
    text = told(spread.spread(samples.run("demo")))
    assert (
        "4 services declined together; no propagation path is active 4 services (ledger, checkout, payments, web)"
        in text
    )
    assert "moves with them, but at its usual level: fraud-check" in text
    assert "the data cannot show which came first" in text
    assert "[Together]" in text


@pytest.mark.parametrize("name", ["calm", "at-risk"])
def test_where_nothing_spreads_the_report_says_so(samples: RunSamples, name: str) -> None:
    blocks = spread.spread(samples.run(name))
    assert len(blocks) == 1
    assert "[No spread] It is not spreading" in told(blocks)
    assert "66 pairs of services were tested" in told(blocks)


def test_what_could_not_be_tested_is_not_called_calm(samples: RunSamples) -> None:
    run = samples.run("calm")
    short = run.with_reports(temporal=replace(run.temporal, reason="too few samples: 3"))
    assert "Whether it is spreading is unknown too few samples: 3." in told(spread.spread(short))


def test_a_path_that_is_over_or_improves_is_not_active(samples: RunSamples) -> None:
    run = samples.run("cascade")
    (path,) = run.temporal.propagation_paths
    for change in ({"is_active": False}, {"is_declining": False}):
        temporal = replace(run.temporal, propagation_paths=(replace(path, **change),))
        assert spread.active_paths(run.with_reports(temporal=temporal)) == ()
    better = tuple(replace(c, direction=ClusterDirection.IMPROVEMENT) for c in run.correlation.clusters)
    assert spread.declining_clusters(run.with_reports(correlation=replace(run.correlation, clusters=better))) == ()


def test_alerts_stand_in_the_order_of_priority_with_the_storm_counted(samples: RunSamples) -> None:
    run = samples.run("demo")
    table = signals.alerts(run)
    # beside a breach, whose own page lists them, the first ones are enough
    assert [row[0] for row in table.rows] == [alert.title for alert in run.alerts.alerts[:3]]
    assert table.note == "11 raised, combined into 6. The first 3 of 6 are shown."
    assert "No alert is raised." in told(signals.alerts(samples.run("calm")))


def test_a_budget_is_drawn_only_where_it_is_at_risk_or_spent(samples: RunSamples) -> None:
    (block,) = signals.budgets(samples.run("demo"))
    assert "overspent, 316%" in block.alt
    (left,) = signals.budgets(samples.run("at-risk"))
    assert "12% of the error budget left" in left.alt
    assert signals.budgets(samples.run("calm")) == []
    assert signals.budgets(samples.run("artefacts")) == []


def test_the_burn_sentence_names_the_fastest_window_that_fires(samples: RunSamples) -> None:
    fires = signals.burn_sentence(samples.run("demo").sla["availability"])
    assert fires == "fires: 167 over 1h and 167 over 1h (threshold 14.4)"
    quiet = signals.burn_sentence(samples.run("at-risk").sla["availability"])
    assert quiet == "none fires; nearest: 0.61 over 3d and 0.556 over 6h (threshold 1)"
    assert signals.burn_sentence(samples.run("demo").sla["checkout-latency"]) == "no budget to burn"


def test_a_second_breach_of_the_same_cause_does_not_repeat_it(samples: RunSamples) -> None:
    run = samples.run("demo")
    first, second = story.breach_story(run, 0), story.breach_story(run, 1)
    assert any(isinstance(block, CauseList) for block in first)
    assert not any(isinstance(block, CauseList) for block in second)
    assert "Same cause as above: ledger, with 88% confidence; it explains 100% of the impact" in told(second)


def test_the_overview_is_two_figures_side_by_side(samples: RunSamples) -> None:
    blocks = story.overview(samples.run("demo"))
    assert [block.width for block in blocks if isinstance(block, FigureBlock)] == ["half", "half"]
    assert story.overview(samples.run("calm")) == []


def test_of_two_rules_that_name_the_vp_the_more_urgent_wins(samples: RunSamples) -> None:
    plan = state_by(samples.run("demo"), None).plan
    assert plan is not None
    rungs = {one.who: one for one in plan.recipients}
    assert (rungs["VP Engineering"].due, rungs["VP Engineering"].rule) == ("now", "condition: SLA breach")
    assert rungs["Team lead"].due == "after 15 min without progress"
    assert rungs["Customer Success"].rule == "condition: Customer impact"
    assert list(rungs)[-1] == "Engineering manager"
    assert state_by(samples.run("calm"), None).plan is None
    text = told(incident.first_step(samples.run("demo")))
    assert (
        "Notify now: VP Engineering, Customer Success, On-call engineer. Without progress: Team lead after 15 min"
        in text
    )


def test_customer_success_is_not_called_where_no_customer_sees_it(samples: RunSamples) -> None:
    plan = state_by(samples.run("artefacts"), None).plan
    assert plan is not None
    who = [one.who for one in plan.recipients]
    assert "Customer Success" not in who
    assert "VP Engineering" in who


@pytest.mark.parametrize(
    ("name", "command"),
    [("demo", "tars report sla_breach"), ("at-risk", "tars report at_risk_monitoring"), ("calm", "tars run --root")],
)
def test_the_next_action_fits_what_was_found(samples: RunSamples, name: str, command: str) -> None:
    table = incident.next_action(samples.run(name), "INC-202611021500")
    assert isinstance(table, Table)
    assert str(table.rows[0][1]).startswith(command)
    if name == "demo":
        assert any("incidents/INC-202611021500" in str(row[1]) for row in table.rows)
