"""What the pages on propagation, anomalies, alerts and correlations say: the planted truth, and calm where there is none."""

from __future__ import annotations

import functools
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from contract.workspaces import cascade

import tars_lib as tars
from tars_lib.engines.alerts.report import Alert
from tars_lib.errors import InputError
from tars_lib.pipeline import Run, load_run, write_run
from tars_lib.reports.blocks.document import Document
from tars_lib.reports.blocks.kinds import Block, Checklist, Table
from tars_lib.reports.blocks.plain_text import plain_text
from tars_lib.reports.pages.html import render_html
from tars_lib.reports.pages.pdf import render_pdf
from tars_lib.workbook.pages import correlation_investigation as investigation
from tars_lib.workbook.pages import critical_alerts, cross_repo_anomaly, propagation


def said(*blocks: Block) -> str:
    """What a reader of the blocks reads."""
    return " ".join(" ".join(plain_text(block) for block in blocks).replace("\u200b", "").split())


@functools.cache  # figures are drawn once a run
def propagation_page(run: Run) -> list[Block]:
    return [
        propagation.title(run),
        propagation.key_figures(run),
        propagation.first_step(run),
        propagation.leaders(run),
        *propagation.paths(run),
        propagation.activity(run),
        *propagation.containment(run),
        propagation.monitoring(run),
    ]


@functools.cache  # figures are drawn once a run
def anomaly_page(run: Run, cluster_id: str = "") -> list[Block]:
    cluster = cross_repo_anomaly.chosen(run, cluster_id)
    return [
        cross_repo_anomaly.title(run, cluster),
        cross_repo_anomaly.key_figures(run, cluster),
        cross_repo_anomaly.first_step(run, cluster),
        *cross_repo_anomaly.members(run, cluster),
        cross_repo_anomaly.common_factor(cluster),
        *cross_repo_anomaly.containment(run, cluster),
        cross_repo_anomaly.next_action(run, cluster),
    ]


@functools.cache  # figures are drawn once a run
def alerts_page(run: Run) -> list[Block]:
    return [
        critical_alerts.title(run),
        critical_alerts.key_figures(run),
        critical_alerts.first_step(run),
        critical_alerts.critical_list(run),
        *critical_alerts.groups(run),
        *critical_alerts.priorities(run),
        critical_alerts.next_action(run),
    ]


@functools.cache  # figures are drawn once a run
def investigation_page(run: Run) -> list[Block]:
    return [
        investigation.title(run),
        investigation.key_figures(run),
        investigation.first_step(run),
        *investigation.together(run),
        investigation.shared(run),
        *investigation.in_order(run),
        investigation.trouble(run),
        investigation.next_action(run),
    ]


PAGES = (propagation_page, anomaly_page, alerts_page, investigation_page)


def table(blocks: list[Block], caption: str) -> Table:
    return next(block for block in blocks if isinstance(block, Table) and block.caption.startswith(caption))


def test_propagation_names_the_planted_path_its_leader_and_the_change_to_undo(spread: Run) -> None:
    text = said(*propagation_page(spread))
    assert (
        "A problem is spreading ledger → payments → checkout within 2 d: 3 of 12 services, customers see checkout"
        in text
    )
    assert "Contain within 15 minutes: Roll back deploy 'Connection pool rewrite' of ledger" in text
    assert "isolate ledger from payments, checkout" in text
    assert "Enable circuit breakers" in text


def test_propagation_lists_leaders_with_their_scores(spread: Run) -> None:
    rows = propagation.leaders(spread).rows
    influence = {one.repo: one.influence_score for one in spread.temporal.influence_scores}
    assert [row[0] for row in rows] == ["ledger", "payments"]
    assert [row[2].text for row in rows] == [f"{influence[repo]:.0f}" for repo in ("ledger", "payments")]  # type: ignore[union-attr]


def test_propagation_answers_whether_it_is_active_and_what_number_to_watch(spread: Run) -> None:
    assert len(propagation.activity(spread).rows) == sum(one.is_active for one in spread.temporal.temporal_anomalies)
    steps = said(propagation.monitoring(spread, "INC-202601051430"))
    assert f"Track the impact: {spread.temporal.propagation_paths[0].impact_score:.0f}" in steps
    assert "./incidents/INC-202601051430" in steps


def test_containment_names_every_repo_of_the_path(spread: Run) -> None:
    checklist = next(block for block in propagation.containment(spread) if isinstance(block, Checklist))
    texts = [item.text for item in checklist.items]
    assert "Isolate ledger" in texts[0]
    assert texts[1] == "Freeze deployments to ledger, payments, checkout."
    assert texts[2].startswith("Watch payments, checkout closely")


def test_every_question_about_a_common_factor_is_answered(demo: Run) -> None:
    rows = cross_repo_anomaly.common_factor(cross_repo_anomaly.chosen(demo)).rows
    questions = [str(row[0]).partition(" (")[0] for row in rows]
    assert list(dict.fromkeys(questions)) == [
        "Shared infrastructure",
        "Shared dependency",
        "Shared team or deployment pipeline",
        "External factor",
        "A change of a member shortly before",
    ]
    assert {row[1].text for row in rows} == {"Found", "None found"}  # type: ignore[union-attr]


def test_a_cluster_is_chosen_by_its_id_and_a_wrong_id_names_those_that_there_are(demo: Run) -> None:
    quiet = next(one for one in demo.correlation.clusters if not one.is_anomalous)
    text = said(*anomaly_page(demo, quiet.cluster_id))
    assert "are related" in text
    assert "are related, but are not declining now" in text
    with pytest.raises(InputError, match=f"cluster_id 'x'.*allowed: {demo.correlation.clusters[0].cluster_id}"):
        cross_repo_anomaly.chosen(demo, "x")


def test_critical_alerts_come_in_the_reports_order_with_measured_value_and_limit(demo: Run) -> None:
    found = [alert for alert in demo.alerts.alerts if alert.severity == "CRITICAL"]
    rows = critical_alerts.critical_list(demo).rows
    assert [row[0] for row in rows] == [f"{alert.priority}. {alert.title}" for alert in found]
    assert rows[0][3:5] == ("99.68%", "99.9%")
    assert (
        f"{len(found)} of {len(demo.alerts.alerts)} alerts are critical; the first of them: SLA Availability"
        in said(critical_alerts.title(demo))
    )


def test_all_groups_of_the_playbook_are_counted_before_and_after_compression(demo: Run) -> None:
    rows = table(critical_alerts.groups(demo), "Alerts by group").rows
    assert [row[0] for row in rows][:4] == [
        "Health degradation",
        "SLO violation",
        "Trend anomaly",
        "Escalation timeout",
    ]
    assert sum(int(str(row[1])) for row in rows) == demo.alerts.raised
    assert sum(int(str(row[2])) for row in rows) == len(demo.alerts.alerts)


def test_long_tables_say_how_many_rows_are_left_out(demo: Run) -> None:
    many: tuple[Alert, ...] = tuple(replace(demo.alerts.alerts[0], priority=n) for n in range(1, 41))
    run = demo.with_reports(alerts=replace(demo.alerts, alerts=many, raised=40))
    assert "28 more are in org-alerts.json" in said(critical_alerts.critical_list(run, 12))


def test_alerts_none_of_which_is_critical_are_still_listed(demo: Run) -> None:
    mild = tuple(alert for alert in demo.alerts.alerts if alert.severity != "CRITICAL")
    run = demo.with_reports(alerts=replace(demo.alerts, alerts=mild, raised=len(mild)))
    text = said(*alerts_page(run))
    assert "None of 3 alerts is critical" in text
    assert "Nothing critical" in text
    assert mild[0].title in text


def test_the_investigation_tells_relations_from_trouble(spread: Run, calm: Run) -> None:
    assert "checkout, ledger, payments are abnormal since 2026-03-26 00:00 UTC" in said(investigation.title(spread))
    assert "tars report cross_repo_anomaly --run" in said(investigation.next_action(spread))
    quiet = said(*investigation_page(calm))
    assert "16 of 66 pairs of services move together; none is abnormal now" in quiet
    assert "Respond within 4 hours" in quiet
    assert "cross_repo_anomaly" not in quiet


def test_the_investigation_of_one_repo_shows_its_relations_alone(calm: Run) -> None:
    run = investigation.narrowed(calm, "search")
    rows = table(investigation.together(run), "Pairs").rows
    assert rows
    assert all("search" in str(row[0]) for row in rows)
    assert len(rows) == run.correlation.correlations_found < calm.correlation.correlations_found
    with pytest.raises(InputError, match="repo 'nobody'.*an empty text means all"):
        investigation.narrowed(calm, "nobody")


@pytest.mark.parametrize("page", PAGES)
def test_a_calm_run_says_that_nothing_is_to_be_contained(page: object, calm: Run) -> None:
    text = said(*page(calm))  # type: ignore[operator]
    assert "Contain within" not in text
    assert any(word in text for word in ("No containment needed", "Nothing to triage"))


@pytest.mark.parametrize("page", PAGES)
def test_what_could_not_be_tested_is_unknown_and_never_calm(page: object, calm: Run) -> None:
    reason = "fewer than 20 samples"
    dark = calm.with_reports(
        correlation=replace(
            calm.correlation, reason=reason, correlations=(), correlations_found=0, clusters=(), exit_code=0
        ),
        temporal=replace(calm.temporal, reason=reason),
    )
    if page is alerts_page:
        assert "What cannot be judged raises no alert" in said(*alerts_page(dark))
        return
    text = said(*page(dark))  # type: ignore[operator]
    assert reason in text
    assert "Unknown" in text
    assert "No containment needed" not in text


@pytest.mark.parametrize("page", PAGES)
def test_every_page_ends_with_commands(page: object, spread: Run, demo: Run, calm: Run) -> None:
    for run in (spread, demo, calm):
        last = page(run)[-1]  # type: ignore[operator]
        assert isinstance(last, Table)
        assert all(str(row[1]).startswith(("tars ", "python -m analytics.")) for row in last.rows)
        assert last.rows


def test_hostile_names_stay_text_on_every_page(tmp_path: Path) -> None:
    root = cascade(tmp_path / "org-health")
    names = {"ledger": "<script>alert(1)</script>", "payments": "#read(1)\u202e"}
    for path in root.iterdir():
        text = path.read_text(encoding="utf-8")
        for name, hostile in names.items():
            text = text.replace(name, f"'{hostile}'" if path.suffix == ".yaml" else hostile)
        path.write_text(text, encoding="utf-8")
    run = load_run(write_run(tars.analyze(tars.load_org(root)), tmp_path / "reports"))
    assert run.temporal.propagation_paths[0].path[0] == names["ledger"]
    for page in PAGES:
        document = Document(tuple(page(run)), datetime(2026, 6, 1, tzinfo=UTC))
        html = render_html(document)
        assert "<script" not in html
        assert "&lt;script&gt;alert" in html.replace("\u200b", "")
        assert "\u202e" not in html
        assert render_pdf(document).startswith(b"%PDF-")
