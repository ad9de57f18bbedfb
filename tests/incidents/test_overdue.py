"""Overdue escalations become alerts of a run that is asked to look, and of no other."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from incident_samples import OVER, START, Runs

from tars_lib.cli.main import cli
from tars_lib.incidents.response import acts
from tars_lib.incidents.response.acts import Writer
from tars_lib.incidents.response.observing import record_run
from tars_lib.incidents.response.opening import by_hand, from_run, open_incident
from tars_lib.incidents.store.journal import RECORD_FILE
from tars_lib.incidents.store.record import EffectVerdict
from tars_lib.incidents.views.overdue import overdue_in
from tars_lib.incidents.views.run_facts import effect_of
from tars_lib.model.names import AlertImpact, AlertType, Severity
from tars_lib.pipeline import Run, analyze, load_run, write_run
from tars_lib.pipeline.loading import load_org

OPENED = datetime(2026, 5, 4, 12, tzinfo=UTC)
CALM = f"{START + timedelta(hours=590):%Y-%m-%dT%H:%M:%SZ}"


@pytest.fixture
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TARS_INCIDENTS_DIR", raising=False)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(int(OPENED.timestamp()) + 40 * 60))
    return tmp_path / "incidents"


def org_of(runs: Runs) -> Path:
    return runs.quiet.parents[1] / "org-health"


def tars(*words: object) -> Result:
    return CliRunner().invoke(cli, [str(word) for word in words])


def escalations(run: Run) -> list[str]:
    return [alert.escalation.contact for alert in run.alerts.alerts if alert.escalation is not None]


def test_a_run_that_is_asked_says_who_was_not_told_of_which_incident_and_since_when(at_home: Path, runs: Runs) -> None:
    run = runs.load("during")
    name = open_incident(at_home, from_run(run), "ada", OPENED, run).incident.incident_id
    words = ("run", "--root", org_of(runs), "--as-of", CALM)

    alone = tars(*words, "--outdir", "alone")
    assert alone.exit_code == 0, alone.output
    done = tars(*words, "--outdir", "asked", "--incidents-dir", at_home)
    assert done.exit_code == 102, done.output
    assert f"tars incident escalate --overdue --incidents-dir {at_home}" in done.stdout

    (place,) = Path("asked").iterdir()
    found = load_run(place)
    rungs = {alert.escalation.contact: alert for alert in found.alerts.alerts if alert.escalation is not None}
    everybody = ("On-call engineer", "VP Engineering", "Customer Success", "Team lead", "Engineering manager")
    assert sorted(rungs) == sorted(everybody)
    assert list(rungs)[3:] == ["Team lead", "Engineering manager"], "the longest overdue first"
    alert = rungs["Team lead"]
    assert alert.escalation is not None
    assert (alert.escalation.incident_id, alert.escalation.due_at) == (name, OPENED + timedelta(minutes=15))
    assert alert.escalation.rule == "matrix: SEV-1, 15 min"
    assert (alert.type, alert.severity.value, alert.impact) == (
        AlertType.ESCALATION_TIMEOUT,
        "CRITICAL",
        AlertImpact.CUSTOMER_FACING,
    )
    assert (alert.source, alert.repos, alert.root) == (f"incident:{name}", ("api", "web"), None)
    assert alert.message.endswith("late by 25 min.")
    record = f"{name}/{RECORD_FILE}"
    digest = hashlib.sha256((at_home / record).read_bytes()).hexdigest()
    assert [file.sha256 for file in found.alerts.inputs if file.path == record] == [digest]
    assert found.status.exit_code == 102
    assert escalations(load_run(next(Path("alone").iterdir()))) == []


def test_alerts_of_a_report_are_the_same_as_those_of_the_run_and_of_the_same_bytes_at_the_same_time(
    at_home: Path, runs: Runs
) -> None:
    open_incident(at_home, by_hand(Severity.SEV_2, "Slow"), "ada", OPENED)
    report = runs.quiet / "org-health-report.json"
    words = ("alerts", "--org-report", report, "--json")
    asked = tars(*words, "--incidents-dir", at_home)
    again = tars(*words, "--incidents-dir", at_home)
    assert asked.stdout == again.stdout
    document = json.loads(asked.stdout)
    rungs = [alert["escalation"]["contact"] for alert in document["alerts"] if alert["escalation"]]
    assert rungs == ["On-call engineer", "Team lead", "Engineering manager"]
    assert (asked.exit_code, {alert["severity"] for alert in document["alerts"]}) == (101, {"HIGH"})
    assert tars(*words).exit_code == 0


@pytest.mark.parametrize(
    ("severity", "alert", "code"),
    [("SEV-1", "CRITICAL", 102), ("SEV-2", "HIGH", 101), ("SEV-3", "MEDIUM", 101), ("SEV-4", "LOW", 101)],
)
def test_an_alert_has_the_severity_of_its_incident(
    at_home: Path, runs: Runs, severity: str, alert: str, code: int
) -> None:
    open_incident(at_home, by_hand(Severity.parse(severity), "Slow"), "ada", OPENED)
    analysis = analyze(load_org(org_of(runs)), CALM, overdue=overdue_in(at_home, OPENED + timedelta(minutes=20)))
    assert {one.severity.value for one in analysis.alerts.alerts} == {alert}
    assert (analysis.alerts.exit_code, analysis.exit_code) == (code, code)


def test_a_rung_that_was_told_or_is_due_just_now_is_no_alert(at_home: Path, runs: Runs) -> None:
    written = open_incident(at_home, by_hand(Severity.SEV_3, "Slow"), "ada", OPENED)
    folder = at_home / written.incident.incident_id
    quarter = OPENED + timedelta(minutes=15)
    assert [rung.contact for rung in overdue_in(at_home, quarter).rungs] == ["On-call engineer"]
    acts.acknowledge(Writer(folder, "ada", OPENED + timedelta(minutes=14)))
    assert overdue_in(at_home, quarter).rungs == ()
    acts.resolve(Writer(folder, "ada", OPENED + timedelta(minutes=20)), "over")
    acts.close(Writer(folder, "ada", OPENED + timedelta(minutes=21)))
    assert overdue_in(at_home, OPENED + timedelta(days=1)).rungs == ()


def test_a_record_that_cannot_be_read_and_a_folder_that_is_not_there_are_warnings(at_home: Path, runs: Runs) -> None:
    written = open_incident(at_home, by_hand(Severity.SEV_1, "Slow"), "ada", OPENED)
    (at_home / written.incident.incident_id / RECORD_FILE).write_text("{", encoding="utf-8")
    org = load_org(org_of(runs))
    for place, said in ((at_home, written.incident.incident_id), (at_home / "nowhere", "no such folder")):
        found = analyze(org, CALM, overdue=overdue_in(place, OPENED))
        assert found.alerts.alerts == ()
        assert any(said in warning for warning in found.alerts.warnings)


def test_lateness_says_nothing_about_containment(at_home: Path, runs: Runs) -> None:
    """An organisation in which nothing is found any more has recovered, whoever is still to be notified."""
    written = open_incident(at_home, by_hand(Severity.SEV_1, "Slow"), "ada", OPENED)
    folder = at_home / written.incident.incident_id
    record_run(Writer(folder, "ada", OPENED), runs.load("quiet"))
    org, late = load_org(org_of(runs)), overdue_in(at_home, OPENED + timedelta(hours=1))
    after = load_run(write_run(analyze(org, "2026-03-25T20:00:00Z", overdue=late), folder))
    assert after.status.exit_code == 102
    incident = record_run(Writer(folder, "ada", OPENED), after).incident
    assert incident.effect is not None
    assert incident.effect.verdict is EffectVerdict.RECOVERED
    assert "102" not in incident.effect.text
    assert incident.effect.worse == effect_of(incident, runs.load("quiet"), after).worse == 0


def test_a_watch_looks_into_the_register_where_there_is_one(at_home: Path, runs: Runs) -> None:
    words = ("watch", "--root", org_of(runs), "--rounds", 1, "--json")
    calm = json.loads(tars(*words).stdout)["rounds"][0]
    open_incident(at_home, by_hand(Severity.SEV_1, "Slow"), "ada", OPENED)
    told = json.loads(tars(*words).stdout)["rounds"][0]
    lines = [change["subject"] for change in told["changes"]]
    assert any("not done: notify Team lead" in line for line in lines)
    assert calm["as_of"] == told["as_of"] > f"{OVER:%Y}"
    assert told["exit_code"] == 102 != calm["exit_code"]
