"""From a run with a planted breach to the end of the incident, without typing a fact that the run knows."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from incident_samples import BREAK, START, Runs

from tars_lib.cli.incident.group import incident as group
from tars_lib.cli.incident.text import Reader
from tars_lib.errors import ConfigError, InputError
from tars_lib.incidents.response import acts
from tars_lib.incidents.response.acts import Writer
from tars_lib.incidents.response.escalating import escalate
from tars_lib.incidents.response.observing import record_run
from tars_lib.incidents.response.opening import by_hand, from_run, open_incident
from tars_lib.incidents.store.journal import read_entries
from tars_lib.incidents.store.record import ActionKind, Condition, CustomerImpact, EffectVerdict
from tars_lib.incidents.store.verification import verify
from tars_lib.incidents.views.case import read_case
from tars_lib.incidents.views.golden_path import golden_path, path_of
from tars_lib.incidents.views.run_facts import find_run
from tars_lib.model.names import Severity
from tars_lib.pipeline import load_run
from tars_lib.playbook.packaged import packaged

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
Tars = Callable[..., subprocess.CompletedProcess[str]]


def opened(root: Path, runs: Runs, name: str = "during") -> Writer:
    run = runs.load(name)
    written = open_incident(root, from_run(run), "ada", NOON, run)
    return Writer(root / written.incident.incident_id, "ada", NOON)


def test_everything_that_the_run_knows_is_in_the_record(tmp_path: Path, runs: Runs) -> None:
    run = runs.load("during")
    incident = open_incident(tmp_path, from_run(run), "ada", NOON, run).incident
    assert (incident.severity, incident.incident_type) == (Severity.SEV_1, "SLA Breach")
    assert (incident.title, incident.response_path) == ("SLA Breach: availability", "SLA Breach Response")
    assert incident.summary == run.sla.risk_narrative.headline
    (breach,) = incident.breached_slas
    assert (breach.sla_id, breach.repos, breach.value) == ("availability", ("api", "web"), run.sla.breaches[0].value)
    assert incident.began_at == START + timedelta(hours=BREAK)
    assert incident.affected_repos == ("api", "web")
    assert (incident.customer_impact, incident.customer_repos) == (CustomerImpact.YES, ("web",))
    assert incident.conditions == (Condition.SLA_BREACH, Condition.CUSTOMER_IMPACT)
    assert incident.causes[0].repo == "api"
    assert incident.causes[0].cause == run.sla.breaches[0].root_causes[0].cause
    assert {action.state.value for action in incident.actions} == {"SUGGESTED"}
    assert incident.actions[0].kind is ActionKind.CONTAINMENT
    assert "api" in incident.actions[0].text
    assert incident.exit_codes == tuple(step.exit_code for step in run.status.steps)
    assert incident.before is not None
    assert find_run(incident.before, tmp_path / incident.incident_id) is not None


@pytest.mark.parametrize(
    ("name", "verdict", "text"),
    [
        ("during", EffectVerdict.UNKNOWN, "no new data since 2026-03-26 04:00 UTC"),
        ("still", EffectVerdict.WORSE, "still breached: availability"),
        ("over", EffectVerdict.ENDED, "the impact ended at 2026-03-26 05:00 UTC; still beyond the objective"),
        ("later", EffectVerdict.RECOVERED, "met again: availability"),
    ],
)
def test_a_second_run_says_whether_containment_worked(
    tmp_path: Path, runs: Runs, name: str, verdict: EffectVerdict, text: str
) -> None:
    writer = opened(tmp_path, runs)
    incident = record_run(writer, runs.load(name)).incident
    assert incident.effect is not None
    assert incident.effect.verdict is verdict
    assert incident.effect.text.startswith(text)
    assert (incident.contained_at is not None) is (verdict in (EffectVerdict.ENDED, EffectVerdict.RECOVERED))
    assert incident.after is not None


def test_an_incident_opened_by_hand_gets_its_facts_from_its_first_run(tmp_path: Path, runs: Runs) -> None:
    incident_id = open_incident(tmp_path, by_hand(Severity.SEV_2, "Slow"), "ada", NOON).incident.incident_id
    writer = Writer(tmp_path / incident_id, "ada", NOON)
    acts.record_fact(writer, cause="a full disk", conditions=[Condition.REGULATORY_IMPACT])
    incident = record_run(writer, runs.load("during")).incident
    assert (incident.title, incident.severity, incident.after) == ("Slow", Severity.SEV_2, None)
    assert (incident.incident_type, incident.contain_within_minutes) == ("SLA Breach", 15)
    assert [cause.repo for cause in incident.causes][:2] == [None, "api"]
    assert incident.conditions[0] is Condition.REGULATORY_IMPACT
    assert incident.breached_slas[0].sla_id == "availability"


def test_a_run_in_the_folder_of_an_incident_without_a_record_gives_it_one(tmp_path: Path, runs: Runs) -> None:
    folder = tmp_path / "INC-202601010000"
    place = Path(shutil.copytree(runs.during, folder / runs.during.name))
    run = load_run(place)
    incident = open_incident(tmp_path, from_run(run), "ada", NOON, run).incident
    assert incident.incident_id == folder.name
    assert incident.before is not None
    assert incident.before.path == place.name
    with pytest.raises(InputError, match="was opened at 2026-05-04 12:00 UTC; `tars incident record"):
        open_incident(tmp_path, from_run(run), "ada", NOON, run)
    assert verify(folder).is_intact
    (place / "executive-summary.md").write_text("all is well\n", encoding="utf-8")
    assert [fault.partition(": ")[2] for fault in verify(folder).faults] == ["executive-summary.md altered"]
    shutil.rmtree(place)
    assert (verify(folder).is_intact, len(verify(folder).notes)) == (True, 1)


def test_a_run_that_found_nothing_opens_nothing(runs: Runs) -> None:
    with pytest.raises(ConfigError, match="no incident to open: they say that nothing was found"):
        from_run(runs.load("quiet"))


def test_the_golden_path_resumes_at_the_first_step_that_is_not_done(tmp_path: Path, runs: Runs) -> None:
    writer = opened(tmp_path, runs)
    seen = []

    def look() -> str | None:
        incident = acts.note(writer, "look").incident
        path = golden_path(incident, NOON + timedelta(minutes=9), packaged())
        seen.append(None if path.current is None else path.steps[path.current].name)
        assert path.due == 3
        return path.next_command

    incident_id = writer.folder.name
    assert look() == f"tars incident ack {incident_id}"
    acts.acknowledge(writer)
    assert look() == f"tars incident contain {incident_id} --start A1"
    acts.start_containment(writer)
    assert look() == f"tars incident contain {incident_id} --done A1"
    acts.finish_containment(writer, "A1")
    assert look() == f"tars incident escalate {incident_id}"
    escalate(writer)
    assert look() == f"tars incident update {incident_id}"
    acts.update(writer, "we are on it", NOON + timedelta(minutes=30))
    assert (look() or "").endswith(f"tars incident record {incident_id} --run latest")
    record_run(writer, runs.load("over"))
    assert look() == f"tars incident resolve {incident_id}"
    acts.resolve(writer, "rolled back")
    assert look() == f"tars incident close {incident_id}"
    acts.close(writer)
    assert look() is None
    last = "Escalate & Document"
    assert seen == ["Acknowledge", "Contain", "Contain", last, last, last, None, None, None]


def test_once_somebody_was_told_the_path_names_whom_to_tell_and_only_when_nothing_else_is_open(
    tmp_path: Path, runs: Runs
) -> None:
    writer = opened(tmp_path, runs)
    acts.acknowledge(writer)
    acts.start_containment(writer)
    acts.finish_containment(writer, "A1")
    escalate(writer)

    def following(hours: float = 0) -> str:
        case = read_case(writer.folder, packaged(), writer.time + timedelta(hours=hours))
        return path_of(case).next_command or ""

    incident_id = writer.folder.name
    assert following() == f"tars incident update {incident_id}"
    assert following(9) == f"tars incident escalate {incident_id} --to 'Engineering manager'", "a rule asks for it now"
    acts.update(writer, "we are on it", writer.time + timedelta(minutes=30))
    record_run(writer, runs.load("still"))
    for rung in ("Team lead", "Engineering manager"):
        assert following() == f"tars incident escalate {incident_id} --to '{rung}'"
        escalate(writer, rung)
    assert following() == f"tars incident resolve {incident_id} 'HOW IT ENDED'"


def test_an_end_that_no_run_shows_is_taken_and_said_to_be_unconfirmed(tars: Tars, tmp_path: Path, runs: Runs) -> None:
    said = []
    for record in (None, runs.still, runs.over):
        assert tars("incident", "open", "--from-run", runs.during, "--quiet").returncode == 0
        name = max((tmp_path / "incidents").iterdir(), key=lambda path: path.stat().st_ctime_ns).name
        tars("incident", "ack", name)
        if record is not None:
            assert tars("incident", "record", name, "--run", record).returncode == 0
        done = tars("incident", "resolve", name, "rolled back")
        assert (done.returncode, done.stderr) == (0, "")
        said.append(done.stdout.partition("Not confirmed:")[2].strip())
    assert said[0].startswith("no run after containment shows that the impact ended\n  tars run --root ")
    assert said[1].startswith(f"{runs.load('still').run_id} says ")
    assert re.search(r"^  tars incident record INC-\S+ --run latest$", said[1], re.MULTILINE)
    assert said[2] == ""


def test_without_an_id_the_one_open_incident_is_meant_and_else_the_open_ones_are_listed(
    tars: Tars, tmp_path: Path
) -> None:
    none = tars("incident", "golden")
    assert (none.returncode, none.stderr.count("\n")) == (1, 1)
    assert "no incident is open in incidents" in none.stderr
    tars("incident", "open", "--severity", "SEV-2", "--title", "Slow")
    (first,) = (folder.name for folder in (tmp_path / "incidents").iterdir())
    for command in ("golden", "status", "ics"):
        assert first in tars("incident", command).stdout, command
    assert json.loads(tars("incident", "escalate", "--show", "--json").stdout)["incident_id"] == first
    assert "notified On-call engineer" in tars("incident", "escalate").stdout
    tars("incident", "open", "--severity", "SEV-3", "--title", "Slower")
    (second,) = {folder.name for folder in (tmp_path / "incidents").iterdir()} - {first}
    before = [len(read_entries(tmp_path / "incidents" / name)) for name in (first, second)]
    refused = tars("incident", "escalate")
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert first in refused.stderr
    assert second in refused.stderr
    assert [len(read_entries(tmp_path / "incidents" / name)) for name in (first, second)] == before
    tars("incident", "ack", second)
    tars("incident", "resolve", second, "gone")
    assert first in tars("incident", "status").stdout
    (tmp_path / "incidents" / second / "incident.json").write_text("{", encoding="utf-8")
    assert f"{second} (cannot be read)" in tars("incident", "golden").stderr


def test_from_open_to_close_in_one_session_of_the_command(tars: Tars, tmp_path: Path, runs: Runs) -> None:
    before, over = runs.during, runs.over
    page = tars("incident", "open", "--from-run", before)
    assert page.returncode == 0, page.stderr
    (folder,) = (tmp_path / "incidents").iterdir()
    name = folder.name
    pages = [page.stdout]
    for words in (
        ("golden", name),
        ("ack", name),
        ("note", name, "-"),
        ("contain", name),
        ("contain", name, "--done", "A1"),
        ("escalate", name, "--reason", "SLA breach"),
        ("update", name, "Rolling back", "--next-in", "30m"),
        ("record", name, "--run", over),
        ("resolve", name, "rolled back"),
        ("status", name),
        ("timeline", name),
        ("close", name),
    ):
        done = tars("incident", *words, stdin="\x1b[2Jerrors fall\nsince 12:04" if words[-1] == "-" else None)
        assert (done.returncode, done.stderr) == (0, ""), (words, done.stderr)
        pages.append(done.stdout)
    for text in pages:
        lines = [line for line in text.splitlines() if not line.startswith(("Next:", "  tars ", "  Check:"))]
        assert max(len(line) for line in lines) <= 80, max(lines, key=len)
        assert "\x1b" not in text
    assert "[U+001B][2Jerrors fall since 12:04" in pages[11]
    document = json.loads(tars("incident", "status", name, "--json").stdout)
    assert document["incident"]["status"] == "CLOSED"
    assert document["incident"]["effect"]["verdict"] == "ENDED"
    assert verify(folder).is_intact
    entries = read_entries(folder)
    assert [entry.kind.value for entry in entries][:3] == ["OPENED", "ACKNOWLEDGED", "NOTE"]
    assert entries[2].text == "\x1b[2Jerrors fall\nsince 12:04"


def test_refusals_are_one_line_and_code_1_and_alterations_code_1(tars: Tars, tmp_path: Path) -> None:
    tars("incident", "open", "--severity", "SEV-2", "--title", "Slow", TARS_INCIDENTS_DIR="here")
    (folder,) = (tmp_path / "here").iterdir()
    refused = tars("incident", "close", folder.name, "--incidents-dir", "here")
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert "is OPEN; `close` is possible while it is RESOLVED" in refused.stderr
    said = json.loads(tars("incident", "close", folder.name, "--incidents-dir", "here", "--json").stdout)
    assert said["exit_code"] == 1
    assert tars("incident", "ack", "INC-209912312359").returncode == 1
    assert tars("incident", "open").returncode == 2
    content = (folder / "timeline.jsonl").read_bytes()
    (folder / "timeline.jsonl").write_bytes(content.replace(b"Slow", b"Fast", 1))
    altered = tars("incident", "verify", folder.name, "--incidents-dir", "here")
    assert altered.returncode == 1
    assert "ALTERED  timeline.jsonl, row 1" in altered.stdout


def test_folders_without_a_record_are_listed_and_can_be_adopted(tars: Tars, tmp_path: Path) -> None:
    folder = tmp_path / "incidents" / "INC-202601011200"
    folder.mkdir(parents=True)
    assert "no record, 0 runs" in tars("incident", "list").stdout
    refused = tars("incident", "note", folder.name, "text")
    assert "tars incident open --adopt INC-202601011200" in refused.stderr
    done = tars("incident", "open", "--adopt", folder.name, "--exit-code", 142)
    assert (done.returncode, done.stderr) == (0, "")
    assert tars("incident", "note", folder.name, "text").returncode == 0
    assert [path.name for path in (tmp_path / "incidents").iterdir()] == [folder.name]


def test_two_responders_see_one_record_each_in_their_own_zone(tars: Tars, tmp_path: Path) -> None:
    tars("incident", "open", "--severity", "SEV-1", "--title", "Slow")
    (folder,) = (tmp_path / "incidents").iterdir()
    before = [path.read_bytes() for path in sorted(folder.iterdir())]
    moment = ("--now", "2026-07-01T00:00:00Z")
    pages = {
        zone: tars("incident", "status", folder.name, "--tz", zone, *moment)
        for zone in ("Asia/Kathmandu", "America/St_Johns")
    }
    plain = tars("incident", "status", folder.name, *moment).stdout
    utc = datetime.fromisoformat(json.loads((folder / "incident.json").read_bytes())["opened_at"])
    for zone, page in pages.items():
        local = utc.astimezone(ZoneInfo(zone))
        assert f"Opened:          {local:%Y-%m-%d %H:%M} UTC{local:%z}"[:-2] in page.stdout
    assert f"Opened:          {utc:%Y-%m-%d %H:%M} UTC by ada" in plain
    assert [path.read_bytes() for path in sorted(folder.iterdir())] == before
    assert tars("incident", "status", folder.name, "--tz", "Mars/Olympus").returncode == 1


def test_the_hour_that_daylight_saving_repeats_is_told_apart_by_its_offset() -> None:
    reader = Reader(ZoneInfo("America/St_Johns"))
    first = datetime(2026, 11, 1, 3, 30, tzinfo=UTC)
    assert reader.time(first) == "2026-11-01 01:00 UTC-02:30"
    assert reader.time(first + timedelta(hours=1)) == "2026-11-01 01:00 UTC-03:30"


def test_every_command_has_an_example_and_prints_json(tars: Tars) -> None:
    for name, command in group.commands.items():
        assert command.epilog is not None, name
        assert command.epilog.startswith(f"Example: tars incident {name}")
        options = {option for parameter in command.params for option in parameter.opts}
        assert {"--json", "--incidents-dir"} <= options, name
