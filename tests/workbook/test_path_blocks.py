"""The pages of the playbook's paths 142, 141 and 92, and leadership's, answer their questions or say that there is nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from run_samples import RunSamples, told

from tars_lib.model.names import SlaStatus
from tars_lib.pipeline import Run
from tars_lib.reports.blocks.kinds import FigureBlock, Table
from tars_lib.workbook.pages import at_risk_monitoring as at_risk
from tars_lib.workbook.pages import executive_summary as executive
from tars_lib.workbook.pages import incident_report as incident
from tars_lib.workbook.pages import org_risk, sla_breach


def test_max_causes_limits_what_is_told(samples: RunSamples) -> None:
    run = samples.run("artefacts")
    breach = run.sla.breaches[0]
    sure = replace(breach, root_causes=tuple(replace(cause, confidence=0.9) for cause in breach.root_causes))
    many = run.with_reports(sla=replace(run.sla, breaches=(sure,)))
    assert "2. payments" not in told(sla_breach.explain(many, 1))
    assert "2. payments" in told(sla_breach.explain(many, 2))


def test_a_cause_that_does_not_stand_out_is_not_recorded_as_known(samples: RunSamples) -> None:
    breach = samples.run("demo").sla.breaches[0]
    weak = replace(breach, root_causes=tuple(replace(cause, confidence=0.3) for cause in breach.root_causes))
    assert sla_breach.primary_cause(weak) == "No clear cause yet; check ledger first (30% confidence)"
    none = replace(breach, root_causes=(), reason="no deviation")
    assert sla_breach.primary_cause(none) == "Unknown: no deviation"
    run = samples.run("demo")
    unsure = run.with_reports(sla=replace(run.sla, breaches=(weak,)))
    assert "[Found]" not in told(sla_breach.contain(unsure))
    (table,) = (block for block in sla_breach.contain(unsure) if isinstance(block, Table))
    assert {row[-1].text for row in table.rows} == {"Not found"}


def test_customers_are_told_where_a_repo_that_they_see_is_hit(samples: RunSamples) -> None:
    assert "Status page: we are investigating (checkout, web)" in told(sla_breach.tell(samples.run("demo")))
    assert "Status page" not in told(sla_breach.tell(samples.run("artefacts")))
    assert "Customers see it at checkout and web; at this rate" in told(sla_breach.impact(samples.run("demo")))
    assert "No customer-facing service is affected." in told(sla_breach.impact(samples.run("artefacts")))


def test_an_sla_at_risk_is_told_with_budget_burn_rate_and_day(samples: RunSamples) -> None:
    run = samples.run("at-risk")
    table = at_risk.at_risk_table(run)
    ((name, measured, share, burning, when),) = table.rows
    assert name == "Availability (web)"
    assert "99.912%" in measured
    assert share.value == pytest.approx(run.sla["availability"].error_budget.consumed_share)  # type: ignore[union-attr]
    assert burning.startswith("none fires")
    assert when == "about 13 days (12 or more)"
    assert "88% of the error budget is used" in told(at_risk.verdict(run, 15))


def test_every_forecast_stands_with_its_reason(samples: RunSamples) -> None:
    run = samples.run("at-risk")
    text = told(at_risk.outlook_section(run))
    for result in run.sla.compliance_results:
        assert result.sla_name in text
        assert (result.forecast_reason or "") in text


def test_check_minutes_changes_what_is_asked_for(samples: RunSamples) -> None:
    run = samples.run("at-risk")
    assert "Run the checks every 15 minutes" in told(at_risk.verdict(run, 15))
    assert "Run the checks every 5 minutes" in told(at_risk.verdict(run, 5))
    assert "*/5 * * * *" in told(at_risk.next_action(run, 5))


def test_max_repos_limits_the_list_and_says_so(samples: RunSamples) -> None:
    table = next(block for block in org_risk.contributors(samples.run("cascade"), 2) if isinstance(block, Table))
    assert [row[0] for row in table.rows] == ["ledger", "payments"]
    assert "The first 2 of 12 are shown." in table.note


def test_a_score_that_is_not_known_is_not_a_low_risk(samples: RunSamples) -> None:
    run = samples.run("calm")
    dark = run.with_reports(health=replace(run.health, aggregate_score=None, coverage=0.2))
    assert org_risk.headline(dark) == "The risk is not known: 20% of the samples expected recently arrived."


def test_an_objective_that_is_met_over_the_longest_window_is_shown_as_met(samples: RunSamples) -> None:
    table = org_risk.objectives(samples.run("cascade"))
    assert [(row[0], row[3]) for row in table.rows] == [("Availability (30d)", "99.931% over 90d, compliant")]
    assert "Every objective that can be judged is met." in told(org_risk.objectives(samples.run("calm")))


def test_leadership_reads_the_narrative_of_the_report_word_for_word(samples: RunSamples) -> None:
    run = samples.run("demo")
    assert " ".join(run.sla.risk_narrative.text.split()) in told(executive.narrative(run)).replace("\u00a0", " ")
    (figure,) = executive.readiness(run)
    assert isinstance(figure, FigureBlock)
    assert "Readiness is 52 of 100, red" in figure.alt
    assert any(isinstance(block, FigureBlock) for block in executive.trends(run))


def everything(run: Run) -> str:
    """All that the four notebooks show of a run."""
    return told(
        [
            sla_breach.title(run), *sla_breach.identify(run), *sla_breach.explain(run, 3), *sla_breach.contain(run),
            *sla_breach.tell(run), *sla_breach.impact(run), sla_breach.next_action(run), at_risk.title(run),
            at_risk.key_figures(run), at_risk.verdict(run, 15), at_risk.at_risk_table(run), *at_risk.budget_section(run),
            *at_risk.outlook_section(run), at_risk.watching(run, 15), at_risk.next_action(run, 15), org_risk.title(run),
            org_risk.key_figures(run), *org_risk.contributors(run, 8), *org_risk.mitigation(run), org_risk.next_action(run),
            executive.title(run), *executive.narrative(run), *executive.trends(run), executive.next_action(run),
        ]
    )  # fmt: skip


def test_calm_is_said_and_nothing_more_than_is_known(samples: RunSamples) -> None:
    text = everything(samples.run("calm"))
    for words in (
        "No SLA is known to be breached", "No SLA is known to be at risk.",
        "Nobody to notify.", "No service with a known score is below 60", "Keep the hourly checks running",
    ):  # fmt: skip
        assert words in text
    assert "No SLA is breached" not in text
    assert "No SLA is at risk" not in text


def test_calm_is_said_plainly_where_all_is_known(samples: RunSamples) -> None:
    run = samples.run("calm")
    known = tuple(result for result in run.sla.compliance_results if result.sla_id != "restore")
    summary = replace(run.sla.summary, unknown=0, total=3)
    text = everything(run.with_reports(sla=replace(run.sla, compliance_results=known, summary=summary)))
    assert "No SLA is breached" in text
    assert "No SLA is at risk." in text
    assert "known to be" not in text.replace("Nothing known to be wrong", "").replace(
        run.sla.risk_narrative.text, ""
    ).replace(run.sla.risk_narrative.headline, "")


def test_an_objective_of_the_organisation_is_told_apart_from_the_slas_that_are_counted(demo: Run) -> None:
    rows = incident.scorecard(demo).rows
    own = [row for row in rows if str(row[0]).startswith("SLO (organisation): ")]
    assert own
    assert len(rows) - len(own) == demo.sla.summary.total
    assert all(row[3] == "n/a" for row in own)


def test_the_headline_names_the_worst_repo_and_counts_the_others(demo: Run) -> None:
    breach = demo.sla.breaches[0]
    others = len(set(breach.repos) - {breach.scope})
    assert others > 0
    assert f"is breached in {breach.scope} (worst) and {others} other services" in demo.sla.risk_narrative.headline


def test_beside_a_breach_the_outlook_is_short(samples: RunSamples) -> None:
    """Where every SLA is breached nothing is forecast, and the breach's own page lists the alerts."""
    run = samples.run("demo")
    breached = [result for result in run.sla.compliance_results if result.status is SlaStatus.BREACHED]
    only = run.with_reports(sla=replace(run.sla, compliance_results=tuple(breached)))
    assert "No forecast: every SLA has missed its objective." in told(at_risk.outlook_section(only))
    assert "Probability of a breach" not in told(at_risk.outlook_section(only))
    assert "Probability of a breach" in told(at_risk.outlook_section(run))
    assert "The first 3 of 6 are shown." in told(at_risk.outlook_section(run))
