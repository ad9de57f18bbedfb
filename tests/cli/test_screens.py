"""What a responder sees fits a terminal of 24 rows and 80 columns, answers in its first line, and quotes the one plan."""

from __future__ import annotations

import io
import os
import re
import select
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from loopback import http_server

from tars_lib.cli.main import GROUPS, SHORT, cli, commands
from tars_lib.cli.shared.screen import ROWS, WIDTH, Tone, Toned, say
from tars_lib.cli.shared.terminal import ShownStream
from tars_lib.engines.queries.response_plan import response_plan
from tars_lib.engines.steps import STEPS
from tars_lib.incidents.response import acts
from tars_lib.incidents.response.acts import Writer
from tars_lib.incidents.response.opening import by_hand, from_run, open_incident
from tars_lib.incidents.store.journal import read_entries
from tars_lib.incidents.store.register import now
from tars_lib.incidents.views.case import read_case
from tars_lib.incidents.views.standing import standing, state_by
from tars_lib.model.names import Severity
from tars_lib.pipeline import Run, analyze, load_run, write_run
from tars_lib.pipeline.loading import load_org
from tars_lib.playbook.packaged import packaged
from tars_lib.sources.demo import demo_root

AT_NIGHT = "1793633400"
"""Half an hour after the demo's last sample: 2026-11-02 15:30 UTC."""
SCREENS = (
    "golden",
    "status",
    "incident list",
    "incident timeline",
    "contain --show",
    "escalate --show",
    "classify --exit-code 142 --exit-code 122",
    "classify --run {run}",
)


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The run of the planted incident, made while it happens."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOURCE_DATE_EPOCH", AT_NIGHT)
        return load_run(write_run(analyze(load_org(demo_root())), tmp_path_factory.mktemp("night")))


@pytest.fixture
def here(night: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the incident of that run, which nobody has acknowledged; the incident's folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TARS_ACTOR", "ada")
    monkeypatch.delenv("TARS_INCIDENTS_DIR", raising=False)
    monkeypatch.delenv("TARS_NOTIFY_URLS", raising=False)
    opened = open_incident(Path("incidents"), from_run(night), "ada", now(), night)
    return tmp_path / "incidents" / opened.incident.incident_id


def tars(line: str, code: int = 0) -> str:
    done: Result = CliRunner().invoke(cli, shlex.split(line))
    assert done.exit_code == code, done.output
    return done.stdout if code == 0 else done.stderr


def fits(page: str) -> None:
    lines = page.splitlines()
    assert len(lines) <= ROWS, page
    # a command has to work as it is copied
    assert [line for line in lines if len(line) > WIDTH and not re.search(r"tars |Check:", line)] == []


STAGES: dict[str, tuple[str, ...]] = {
    "opened": (),
    "acknowledged": ("ack",),
    "begun": ("ack", "contain"),
    "contained": ("ack", "contain", "contain --done A1"),
    "told": ("ack", "contain", "contain --done A1", "escalate", "incident update 'all is being done'"),
    "resolved": ("ack", "contain", "contain --done A1", "resolve 'rolled back'"),
}


@pytest.mark.parametrize("stage", STAGES)
def test_every_screen_fits_and_quotes_the_one_plan(here: Path, night: Run, stage: str) -> None:
    for line in STAGES[stage]:
        fits(tars(line))
    case = read_case(here, packaged(), now())
    plan = state_by(night, case).plan
    assert standing(case).plan == plan
    name = f" {here.name}" if stage == "resolved" else ""
    pages = {
        line: tars(line.format(run=night.directory) if "classify" in line else f"{line}{name}")
        for line in SCREENS
        if "incident" not in line
    }
    pages |= {line: tars(f"{line}{name if 'timeline' in line else ''}") for line in SCREENS if "incident" in line}
    for page in pages.values():
        fits(page)
    if stage == "resolved":
        assert plan is None
        assert pages["status"].startswith("Resolved at ")
        assert not any("Do now" in page or "Do first" in page for line, page in pages.items() if "classify" not in line)
        return
    assert plan is not None
    assert f"Do first:        {plan.first}" in pages["status"]
    for one in plan.recipients:
        assert (one.who in pages["status"]) == (one.who in plan.notify)
    if stage in ("acknowledged", "begun"):
        assert pages["golden"].startswith(f"Do now: {plan.first} ({plan.owner})\n  tars incident contain {here.name} ")
    assert pages["status"].startswith("One in six requests to ledger fails: 5,855 of 35,452")


def test_the_checklist_of_a_finding_without_a_breach_is_the_plan(night: Run) -> None:
    spreading = night.with_reports(sla=replace(night.sla, breaches=()))
    plan = response_plan(spreading.org, 122, spreading.sla, spreading.alerts, spreading.correlation, spreading.temporal)
    assert plan is not None
    actions = from_run(spreading, Severity.SEV_1).facts["actions"]
    assert isinstance(actions, tuple)
    first, second = actions[:2]
    assert (first.text, second.text) == (plan.first, plan.then[0])
    assert first.suggested_owner == plan.owner


def test_escalate_says_in_capitals_that_nobody_was_contacted(here: Path) -> None:
    said = tars("escalate")
    assert said.startswith("RECORDED ONLY: NOBODY HAS BEEN CONTACTED. Call or write to VP Engineering")
    assert "TARS_NOTIFY_URLS names them" in tars("escalate --send", 1)
    assert len(read_entries(here)) == 2, "what could not be sent is not recorded"


def test_escalate_sends_first_and_keeps_the_receipt(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with http_server() as server:
        url = f"pagerduty://s3cr3t@a?endpoint=http://127.0.0.1:{server.port}/"
        monkeypatch.setenv("TARS_NOTIFY_URLS", url)
        said = tars("escalate --send")
    assert " ".join(said.split()).startswith(
        "SENT, AND RECORDED FOR VP Engineering, Customer Success, On-call engineer: channel 1 pagerduty"
    )
    assert len(server.received) == 1
    assert [entry.kind.value for entry in read_entries(here)] == ["OPENED", "NOTIFIED", "ESCALATED"]
    # the server is gone: nobody is recorded as notified, and the attempt is
    assert "all 1 channels failed" in tars("escalate --send", 1)
    assert [entry.kind.value for entry in read_entries(here)][3:] == ["NOTIFIED"]
    assert "s3cr3t" not in (here / "timeline.jsonl").read_text(encoding="utf-8")


def test_without_an_id_the_one_open_incident_is_meant_and_a_mistyped_id_is_no_text(here: Path) -> None:
    assert "ACKNOWLEDGED" in tars("ack 'on it'")
    tars("note 'error rate falls'")
    assert "is no incident id" in tars("note INC-2026 text", 1)
    assert "is no incident id" in tars("ack INC-2026", 1)
    assert "Missing argument 'TEXT'" in tars(f"note {here.name}", 2)
    tars("incident action add 'Alert on the pool' --owner grace")
    tars("resolve 'rolled back'")
    assert "no incident is open" in tars("note late", 1)
    tars("incident reopen 'errors are back'")
    tars("resolve 'rolled back again'")
    tars("incident close")
    said = [entry.text for entry in read_entries(here)]
    assert [text for text in said if text in ("error rate falls", "errors are back", "rolled back again")] == [
        "error rate falls",
        "errors are back",
        "rolled back again",
    ]
    for _ in range(2):
        open_incident(Path("incidents"), by_hand(Severity.SEV_1, "Slow"), "ada", now())
    assert "which incident is meant? Open: INC-" in tars("ack", 1)


def test_what_has_no_room_is_counted_and_full_shows_it(here: Path) -> None:
    writer = Writer(here, "ada", now(), packaged())
    for number in range(30):
        acts.note(writer, f"look {number}")
        open_incident(Path("incidents"), by_hand(Severity.SEV_1, f"Slow {number}"), "ada", now())
    short, full = tars("incident list"), tars("incident list --full")
    fits(short)
    assert short.splitlines()[-1] == f"{62 - ROWS + 1} more lines: --full"
    assert len(full.splitlines()) == 62
    short = tars(f"incident timeline {here.name}")
    fits(short)
    assert re.match(r"\d+ earlier entries: --full\n", short)
    assert short.rstrip().endswith("look 29"), "the latest are shown"
    assert "look 0\n" in tars(f"incident timeline {here.name} --full")


def test_help_groups_every_command_by_the_question_that_it_answers() -> None:
    grouped = [name for names in GROUPS.values() for name in names]
    assert sorted([*grouped, *STEPS]) == sorted(commands())
    assert set(SHORT) <= set(GROUPS["Respond: what do I do now?"])
    short, full = tars("--help"), tars("--full")
    fits(short)
    for page in (short, full):
        assert [line for line in page.splitlines() if line in GROUPS] == list(GROUPS)
        assert set(commands()) <= set(re.findall(r"[a-z]+", page))
    assert all(text in full for text in commands().values())


@pytest.mark.parametrize(
    ("variables", "is_coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_a_terminal_has_colours_unless_it_wants_none_and_names_stay_text(
    variables: dict[str, str], is_coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in ({"TERM": "xterm"} | variables).items():
        monkeypatch.setenv(name, value)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", ShownStream(terminal))
    say([Toned("evil \x1b[31m", Tone.BAD), "plain"])
    expected = "\x1b[1;31mevil [U+001B][31m\x1b[0m\nplain\n" if is_coloured else "evil [U+001B][31m\nplain\n"
    assert terminal.getvalue() == expected


@pytest.fixture
def tmux(here: Path) -> Iterator[list[str]]:
    """A terminal of 24 rows and 80 columns in the folder of the incident."""
    environment = {**os.environ, "PS1": "$ ", "PYTHONPATH": str(Path(__file__).resolve().parents[2]), "NO_COLOR": ""}
    # the name of a socket has room for a hundred characters
    with tempfile.TemporaryDirectory() as short:
        socket = ["tmux", "-f", os.devnull, "-S", str(Path(short) / "tmux")]
        start = [*socket, "new-session", "-d", "-x", "80", "-y", "24", "bash --norc"]
        subprocess.run(start, check=True, env=environment)
        yield socket
        subprocess.run([*socket, "kill-server"], check=False)


@pytest.mark.skipif(shutil.which("tmux") is None or os.name == "nt", reason="looks at a terminal by tmux")
def test_a_terminal_shows_each_screen_from_its_first_line_on(here: Path, night: Run, tmux: list[str]) -> None:
    command = f"{shlex.quote(sys.executable)} -m tars_lib.cli.main"
    root = shlex.quote(str(demo_root()))
    for line, first in (
        ("golden", "Do now: Take the incident and notify the team."),
        ("status", "One in six requests to ledger fails: 5,855 of 35,452"),
        (f"classify --run {night.directory}", "One in six requests to ledger fails: 5,855 of 35,452"),
        (f"run --root {root} --outdir runs", "As of 2026-11-02 15:00 UTC, "),
    ):
        subprocess.run([*tmux, "send-keys", f"clear; {command} {line} 2>/dev/null; echo code $?", "Enter"], check=True)
        shown = ""
        until = time.monotonic() + 60
        while not re.search(r"^code \d+$", shown, re.MULTILINE) and time.monotonic() < until:
            time.sleep(0.1)
            shown = subprocess.run([*tmux, "capture-pane", "-p"], check=True, capture_output=True, text=True).stdout
        assert shown.startswith(first), shown
        # tmux breaks what does not fit in the middle of a word, and the last column is full
        full = [text for text in shown.splitlines() if len(text) == WIDTH and "tars" not in text]
        assert all(text.split()[-1].strip("…,.:;()'") in " ".join(tars("status --full").split()) for text in full)


@pytest.mark.skipif(os.name == "nt", reason="drives a terminal of Unix")
def test_the_live_screen_records_by_its_keys_and_ends(here: Path) -> None:
    import pty

    assert "a terminal is needed" in tars("golden --live", 1)
    main, other = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    words = [sys.executable, "-m", "tars_lib.cli.main", "golden", "--live"]
    live = subprocess.Popen(words, stdin=other, stdout=other, stderr=other, env=environment)
    os.close(other)
    seen = ""

    def wait(text: str) -> None:
        nonlocal seen
        until = time.monotonic() + 60
        while text not in seen:
            assert time.monotonic() < until, seen
            if select.select([main], [], [], 0.2)[0]:
                seen += os.read(main, 65536).decode(errors="replace")
        seen = seen.partition(text)[2]

    wait("q quit")
    for keys, answer in (
        ("d", "Acknowledged."),
        ("n", "Note: "),
        ("pool is exhausted\n", "Noted."),
        ("d", "A1 has begun"),
        ("e", "NOBODY HAS BEEN CONTACTED"),
        ("d", "A1 is done."),
        ("q", "\x1b[?1049l"),
    ):
        os.write(main, keys.encode())
        wait(answer)
    assert live.wait(timeout=30) == 0
    os.close(main)
    kinds = [entry.kind.value for entry in read_entries(here)]
    assert kinds[:3] == ["OPENED", "ACKNOWLEDGED", "NOTE"]
    assert "pool is exhausted" in [entry.text.strip() for entry in read_entries(here)]
    assert len(kinds) == 6
