"""What a leader reads first is what users see; what is over is told in the past; sections end with commands and methods."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from run_samples import RunSamples, told

from tars_lib.engines.queries.impact_text import impact_text, leads
from tars_lib.engines.queries.incident_state import IncidentState, Resolution, incident_state
from tars_lib.pipeline import Run
from tars_lib.reports.blocks.kinds import FigureBlock, KeyFigures, TitleBlock
from tars_lib.workbook.pages import (
    at_risk_monitoring,
    correlation_investigation,
    critical_alerts,
    cross_repo_anomaly,
    incident_report,
    org_risk,
    propagation,
    sla_breach,
)
from tars_lib.workbook.sections import breach_story, outlook, spread
from tars_lib.workbook.sections.state import without_alarm

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"


@pytest.fixture(scope="module")
def demo(samples: RunSamples) -> Run:
    return samples.run("demo")


@pytest.fixture(scope="module")
def resolved(demo: Run) -> IncidentState:
    return incident_state(
        demo.health.history.interval, demo.sla, Resolution(datetime(2026, 11, 2, 16, tzinfo=UTC), "ada", "Rolled back")
    )


def heads(run: Run) -> list[TitleBlock]:
    pages = (
        at_risk_monitoring,
        correlation_investigation,
        critical_alerts,
        incident_report,
        org_risk,
        propagation,
        sla_breach,
    )
    return [*(page.title(run) for page in pages), cross_repo_anomaly.title(run, cross_repo_anomaly.chosen(run))]


def test_every_page_of_a_run_begins_with_what_users_see(demo: Run) -> None:
    impact = impact_text(demo.sla)
    assert impact.startswith("One in six requests to ledger fails")
    for head in heads(demo):
        assert head.headline == impact, head.title
        # what the page itself found follows, and a page whose own finding is absent stays in the run's colour
        assert head.detail, head.title
        assert head.badges[0].tone != "good", head.title


def test_the_start_is_said_once(demo: Run) -> None:
    impact, verdict = leads(demo.sla)
    assert f"{impact} {verdict}".count("2026-11-02 08:00") == 1
    assert verdict.startswith("Availability is breached in ledger (worst) and 3 other services: 99.68%")


def test_the_outlook_says_what_is_breached_already_and_speaks_of_the_others(demo: Run) -> None:
    said = told(outlook.outlook(demo))
    assert "2 SLAs are breached already (both breaches are active as of 2026-11-02 15:00 UTC)" in said
    assert "no other SLA is expected to breach" in said


def test_what_is_resolved_is_told_in_the_past_and_without_alarm(demo: Run, resolved: IncidentState) -> None:
    blocks = [
        *breach_story.overview(demo, resolved),
        *breach_story.breach_stories(demo, resolved),
        *spread.spread(demo, resolved),
        *outlook.outlook(demo, resolved),
        *sla_breach.explain(demo, 3, resolved),
        *sla_breach.tell(demo, resolved),
        incident_report.next_action(demo, "INC-202611021504", resolved),
    ]
    said = told(blocks)
    drawn = b"".join(block.svg for block in blocks if isinstance(block, FigureBlock)).decode()
    for word in ("so far", "still active", "Failing since", "are active", "after containment"):
        assert word not in said + drawn, word
    assert "Failed from 2026-11-02 08:00 UTC, for at least 7 h." in said
    assert "tars report postmortem" in said
    calm = without_alarm(incident_report.key_figures(demo), resolved)
    assert isinstance(calm, KeyFigures)
    assert not [item.label for item in calm.items if item.tone == "critical"]


def test_figures_state_their_finding_above_and_how_to_read_them_below(demo: Run) -> None:
    drawn = [block for block in breach_story.breach_stories(demo) if isinstance(block, FigureBlock)]
    assert [block.title for block in drawn] == [
        "Failed requests of checkout went from 0.0408% to 14.1%",
        "99% of the impact on checkout begins in ledger",
    ]
    assert all("Shaded" in block.caption or "Calls go" in block.caption for block in drawn)


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_commands_and_methods_stand_in_the_last_section(path: Path) -> None:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if "report" in cell["metadata"].get("tags", ())]
    if path.stem == "welcome":
        pytest.skip("a guide to commands")
    assert "next_commands.appendix(" in cells[-1]
    assert not [cell for cell in cells[:-1] if "appendix(" in cell]
