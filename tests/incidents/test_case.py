"""A record becomes facts without guesses, and the playbook in force judges them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from incident_samples import BREAK, DURING, LATER, START, Runs
from loopback import http_server
from workspaces import cascade

from tars_lib.errors import ConfigError, InputError
from tars_lib.incidents.response import acts
from tars_lib.incidents.response.acts import Writer
from tars_lib.incidents.response.escalating import escalate
from tars_lib.incidents.response.follow_up_acts import add_item, finish_item, hold_review
from tars_lib.incidents.response.messages import text_for
from tars_lib.incidents.response.observing import record_run
from tars_lib.incidents.response.opening import by_hand, from_run, open_incident
from tars_lib.incidents.store.journal import read_entries
from tars_lib.incidents.store.playbook_in_force import playbook_in_force
from tars_lib.incidents.store.record import ActionKind, Condition
from tars_lib.incidents.views.all_cases import read_cases
from tars_lib.incidents.views.case import case_of, read_case
from tars_lib.incidents.views.clocks import respond_clock
from tars_lib.incidents.views.golden_path import golden_path, path_of
from tars_lib.incidents.views.standing import standing
from tars_lib.model.names import ContainmentType, Severity
from tars_lib.pipeline import analyze, load_run, write_run
from tars_lib.pipeline.loading import load_org
from tars_lib.playbook import escalation as rules
from tars_lib.playbook.config import read_playbook
from tars_lib.playbook.facts import Facts
from tars_lib.playbook.metrics import fingerprint
from tars_lib.playbook.packaged import packaged

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
Tars = Callable[..., subprocess.CompletedProcess[str]]


def opened(root: Path, runs: Runs) -> Writer:
    run = runs.load("during")
    written = open_incident(root, from_run(run), "ada", NOON, run)
    return Writer(root / written.incident.incident_id, "ada", NOON)


def at(writer: Writer, minutes: float) -> Writer:
    return Writer(writer.folder, writer.actor, NOON + timedelta(minutes=minutes), writer.playbook)


def facts(writer: Writer) -> Facts:
    return read_case(writer.folder, writer.playbook, writer.time).facts


def test_facts_hold_what_the_run_knew_and_none_for_what_nobody_knows(tmp_path: Path, runs: Runs) -> None:
    found = facts(opened(tmp_path, runs))
    assert (found.started_at, found.data_until) == (START + timedelta(hours=BREAK), DURING)
    assert [repo.repo for repo in found.repos] == ["api", "web"]
    assert [repo.customer_facing for repo in found.repos] == [False, True]
    assert found.slas[0].budget_consumed is not None
    assert found.slas[0].budget_consumed > 1
    assert found.customer_impact is True
    assert (found.data_loss_risk, found.regulatory_impact) == (None, None)
    assert (found.eta, found.next_update_at, found.sla_restored_at, found.mitigated_at) == (None, None, None, None)
    assert all(cause.confidence != 0 for cause in found.causes)
    by_hand_only = open_incident(tmp_path, by_hand(Severity.SEV_2, "Slow"), "ada", NOON).incident
    bare = case_of(tmp_path / by_hand_only.incident_id, by_hand_only, packaged())
    assert (bare.customer_impact, bare.started_at, bare.detected_at, bare.slas) == (None, None, None, ())


def test_a_condition_is_known_from_when_it_was_said_and_can_be_answered_with_no(tmp_path: Path, runs: Runs) -> None:
    writer = opened(tmp_path, runs)
    acts.record_fact(at(writer, 7), conditions=[Condition.DATA_LOSS_RISK], denied=[Condition.REGULATORY_IMPACT])
    found = facts(writer)
    assert (found.data_loss_risk, found.regulatory_impact) == (True, False)
    assert dict(found.condition_since)[Condition.DATA_LOSS_RISK] == NOON + timedelta(minutes=7)
    due = {rung.contact: rung.due_at for rung in rules.escalate(found, NOON + timedelta(minutes=8)).due}
    assert due["Security team"] == NOON + timedelta(minutes=7)
    assert not rules.escalate(found, NOON).unknown
    acts.record_fact(at(writer, 9), denied=[Condition.DATA_LOSS_RISK], conditions=[Condition.REGULATORY_IMPACT])
    found = facts(writer)
    assert (found.data_loss_risk, found.regulatory_impact) == (False, True)


def test_an_acknowledgement_a_note_and_a_run_without_effect_are_no_progress(tmp_path: Path, runs: Runs) -> None:
    writer = opened(tmp_path, runs)
    acts.acknowledge(at(writer, 1))
    acts.note(at(writer, 2), "looking")
    record_run(at(writer, 3), runs.load("still"))
    assert facts(writer).progress_at == ()
    acts.start_containment(at(writer, 4))
    assert facts(writer).progress_at == (NOON + timedelta(minutes=4),)


def test_escalation_records_everybody_due_with_the_rule_and_then_the_next_rung(tmp_path: Path, runs: Runs) -> None:
    writer = opened(tmp_path, runs)
    acts.acknowledge(writer)
    first = escalate(writer).incident.escalations
    assert {(one.contact, one.reason) for one in first} == {
        ("VP Engineering", "condition: SLA breach"),
        ("Customer Success", "condition: Customer impact"),
    }
    assert escalate(writer, reason="page").incident.escalations[-1].contact == "Team lead"
    case = read_case(writer.folder, packaged(), NOON + timedelta(hours=2))
    assert {rung.contact for rung in case.escalation.due} == {"Engineering manager"}
    path = path_of(case)
    assert any("to be notified now: Engineering manager by Phone" in line for line in path.steps[4].recorded)


def test_a_title_is_not_passed_off_as_the_summary_of_an_sla_report(tmp_path: Path, runs: Runs) -> None:
    by_title = open_incident(tmp_path, by_hand(Severity.SEV_2, "Checkout is slow"), "ada", NOON).incident
    texts = [
        text_for(read_case(folder, packaged(), NOON), "email", None).body.partition("from SLA report:\n")[2]
        for folder in (tmp_path / by_title.incident_id, opened(tmp_path, runs).folder)
    ]
    assert texts[0].startswith("UNKNOWN: no SLA report is on record.\n")
    case = read_case(opened(tmp_path / "told", runs).folder, packaged(), NOON)
    assert texts[1].startswith(standing(case).sentence)


def test_an_informational_incident_asks_for_a_ticket_and_tells_nobody(tars: Tars, tmp_path: Path) -> None:
    tars("incident", "open", "--severity", "SEV-4", "--title", "Drift")
    (folder,) = (tmp_path / "incidents").iterdir()
    assert (
        "Do now:          create ticket [matrix: SEV-4, initial contact]"
        in tars("incident", "status", folder.name).stdout
    )
    assert "done: Create ticket: matrix: SEV-4" in tars("incident", "escalate", folder.name).stdout
    assert "**INC-" in tars("incident", "tickets", folder.name).stdout
    assert "Do now" not in tars("incident", "status", folder.name).stdout


def test_the_sla_is_restored_where_a_run_shows_it_and_no_later_one_denies_it(tmp_path: Path, runs: Runs) -> None:
    writer = opened(tmp_path, runs)
    record_run(at(writer, 5), runs.load("later"))
    assert facts(writer).sla_restored_at == LATER
    record_run(at(writer, 6), runs.load("still"))
    assert facts(writer).sla_restored_at is None


def test_what_is_hit_only_in_a_later_run_joins_the_record_and_calls_for_customers(tmp_path: Path) -> None:
    org = load_org(cascade(tmp_path / "org-health"))
    runs = [load_run(write_run(analyze(org, time), tmp_path / "runs")) for time in ("2026-03-28T00:00:00Z", None)]
    incident = open_incident(tmp_path, from_run(runs[0]), "ada", NOON, runs[0]).incident
    assert (incident.affected_repos, incident.customer_impact.value) == (("ledger", "payments"), "NO")
    writer = Writer(tmp_path / incident.incident_id, "ada", NOON + timedelta(minutes=5))
    written = record_run(writer, runs[1])
    later = written.incident
    assert later.affected_repos == ("ledger", "payments", "checkout")
    assert (later.customer_impact.value, later.customer_repos) == ("YES", ("checkout",))
    assert written.entry.text.endswith("; newly hit: checkout")
    found = read_case(writer.folder, packaged(), writer.time)
    due = {rung.contact: rung.due_at for rung in found.escalation.due}
    assert due["Customer Success"] == writer.time
    assert [repo.repo for repo in found.facts.repos] == ["ledger", "payments", "checkout"]


def test_watching_the_harm_does_not_stop_the_contain_clock(tmp_path: Path, runs: Runs) -> None:
    writer = opened(tmp_path, runs)
    acts.acknowledge(writer)
    incident = read_case(writer.folder, packaged(), NOON).incident
    watching = next(one for one in incident.actions if one.kind is ActionKind.MONITORING)
    acts.start_containment(writer, watching.action_id)
    assert acts.finish_containment(writer, watching.action_id).incident.contained_at is None
    acts.start_containment(writer, "A1")
    assert acts.finish_containment(writer, "A1").incident.contained_at == NOON


def test_a_cause_in_words_alone_has_no_fingerprint_and_one_with_its_kind_has(tmp_path: Path) -> None:
    written = open_incident(tmp_path, by_hand(Severity.SEV_2, "Slow"), "ada", NOON)
    writer = Writer(tmp_path / written.incident.incident_id, "ada", NOON)
    acts.record_fact(writer, cause="a full disk")
    assert fingerprint(facts(writer)) is None
    kind = ContainmentType.INFRASTRUCTURE_ISSUE
    incident = acts.record_fact(writer, cause="the log of debug", containment_type=kind).incident
    assert fingerprint(facts(writer)) is not None
    assert incident.actions[0].text == "Contact infrastructure team"
    assert incident.actions[0].reason == "Infrastructure issue: the log of debug"


def test_action_items_and_reviews_are_kept_and_refused_with_what_there_is(tmp_path: Path, runs: Runs) -> None:
    writer = opened(tmp_path, runs)
    name = writer.folder.name
    add_item(writer, "Alert on the queue", "grace", NOON)
    add_item(writer, "Drill", None, None)
    assert finish_item(writer, f"{name}-ai2").incident.action_items[1].is_done
    with pytest.raises(InputError, match=f"{name}-AI2 is done already"):
        finish_item(writer, "AI2")
    with pytest.raises(InputError, match=f"there are: {name}-AI1, {name}-AI2"):
        finish_item(writer, "AI9")
    with pytest.raises(InputError, match="review 'party' is not in the playbook; allowed: debrief, postmortem"):
        hold_review(writer, "party")


def test_an_organisations_playbook_decides_clocks_path_and_checklist(tmp_path: Path, runs: Runs) -> None:
    own = tmp_path / ".playbook.yaml"
    own.write_text(
        "severities: {SEV-1: {response_time: 5 minutes, respond_within: 5m}}\n"
        "escalation: {matrix: {SEV-1: [Desk, Duty manager]}}\n"
        "golden_path: {contain: {start: 3, end: 6, title: Stop it, task: Do it now}}\n"
        "containment: {SINGLE_REPO_DEGRADATION: {action: Pull the plug of that repo}}\n",
        encoding="utf-8",
    )
    playbook = playbook_in_force(tmp_path)
    assert playbook == read_playbook(own).playbook
    assert playbook_in_force(tmp_path / "elsewhere") is packaged()
    run = runs.load("during")
    incident = open_incident(tmp_path, from_run(run, playbook=playbook), "ada", NOON, run).incident
    assert incident.playbook_sha256 == playbook.sha256
    assert incident.playbook_sha256 != packaged().sha256
    assert respond_clock(incident, playbook).due_at == NOON + timedelta(minutes=5)
    assert incident.actions[0].text == "Pull the plug of api"
    step = golden_path(incident, NOON, playbook).steps[3]
    assert (step.name, step.start_minute, step.end_minute, step.task) == ("Stop it", 3, 6, "Do it now")
    own.write_text("golden_path: {party: {start: 0, end: 1, title: Party}}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"golden_path\.party: not a step of the path"):
        playbook_in_force(tmp_path)


def test_records_that_cannot_be_read_are_named_and_count_as_overdue(tars: Tars, tmp_path: Path, runs: Runs) -> None:
    writer = opened(tmp_path / "incidents", runs)
    late = tars("incident", "escalate", "--overdue")
    assert late.returncode == 1
    assert "not done: notify VP Engineering (Phone and Email)" in " ".join(late.stdout.split())
    assert tars("review").returncode == 0
    (writer.folder / "incident.json").write_text("{", encoding="utf-8")
    found = read_cases(tmp_path / "incidents", packaged())
    assert (found.cases, [name for name, _ in found.unreadable]) == ((), [writer.folder.name])
    for words in (("review",), ("incident", "escalate", "--overdue")):
        page = tars(*words)
        assert (page.returncode, "cannot be read" in page.stdout) == (1, True)


def test_a_message_of_the_record_is_sent_and_its_receipt_kept_without_the_secret(
    tars: Tars, tmp_path: Path, runs: Runs
) -> None:
    writer = opened(tmp_path / "incidents", runs)
    acts.acknowledge(writer)
    with http_server() as server:
        url = f"pagerduty://s3cr3t-key@any?endpoint=http://127.0.0.1:{server.port}/"
        done = tars("notify", "--incident", writer.folder.name, "--to", "Team lead", "--send", TARS_NOTIFY_URLS=url)
    assert (done.returncode, done.stderr) == (0, "")
    body = json.loads(server.received[0])
    assert body["dedup_key"] == writer.folder.name
    assert "api" in body["payload"]["custom_details"]["text"]
    sent, told = read_entries(writer.folder)[-2:]
    assert sent.text.startswith("channel 1 pagerduty: sent\n\n[SEV-1]")
    incident = read_case(writer.folder, packaged(), NOON).incident
    assert (incident.escalations[-1].contact, told.kind.value) == ("Team lead", "ESCALATED")
    assert incident.escalations[-1].receipt == "channel 1 pagerduty: sent"
    assert incident.next_update_at is not None
    with http_server(403) as server:
        url = f"pagerduty://s3cr3t-key@any?endpoint=http://127.0.0.1:{server.port}/"
        failed = tars("notify", "--incident", writer.folder.name, "--to", "Legal", "--send", TARS_NOTIFY_URLS=url)
    assert failed.returncode == 105
    assert read_entries(writer.folder)[-1].text.startswith("channel 1 pagerduty: FAILED: refused with HTTP status 403")
    assert "s3cr3t" not in (writer.folder / "timeline.jsonl").read_text(encoding="utf-8")


def test_a_watch_says_what_changed_keeps_it_and_ends(tars: Tars, tmp_path: Path, runs: Runs) -> None:
    writer = opened(tmp_path / "incidents", runs)
    root = runs.during.parent.parent / "org-health"
    words = ("watch", "--root", str(root), "--rounds", "2", "--every", "1s", "--incident", writer.folder.name)
    done = tars(*words)
    # nobody acknowledged an incident of the past, so its escalation is overdue in every run
    assert (done.returncode, done.stderr) == (102, ""), "the code is that of the last run"
    assert "BETTER  SLA availability: BREACHED" in done.stdout
    assert done.stdout.count("round ") == 2
    assert "no new data since the last run" in done.stdout
    assert len(list((tmp_path / "reports" / "runs").iterdir())) == 2
    first, second = read_entries(writer.folder)[-2:]
    assert (first.kind.value, second.kind.value) == ("RUN", "NOTE")
    assert "recorded as after: RECOVERED" in first.text
    assert facts(writer).sla_restored_at == START + timedelta(hours=659)
    acts.acknowledge(writer)
    acts.resolve(writer)
    acts.close(writer)
    ended = tars(*words)
    assert "is closed; the watch ends" in ended.stderr
    assert len(list((tmp_path / "reports" / "runs").iterdir())) == 2
    assert tars("watch", "--root", "nowhere", "--rounds", "1").returncode == 95
