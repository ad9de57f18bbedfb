"""Changing any single option of the incident commands changes what is printed or written.

Each call works on a copy of one register. Times of today, lengths and digests differ from call to call, so they are
compared as such: a time is there or is not.
"""

from __future__ import annotations

import functools
import re
import shlex
import shutil
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from workspaces import cascade

from tars_lib.cli.incident.group import incident as group
from tars_lib.cli.main import cli
from tars_lib.incidents.response import acts
from tars_lib.incidents.response.acts import Writer
from tars_lib.incidents.response.follow_up_acts import add_item
from tars_lib.incidents.response.legal_hold import hold
from tars_lib.incidents.response.opening import by_hand, from_run, open_incident
from tars_lib.model.names import Severity
from tars_lib.pipeline import analyze, load_run, write_run
from tars_lib.pipeline.loading import load_org

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
ID, OVER, NEW = "INC-202605041200", "INC-202605041201", "INC-202605041202"
"""Contained, resolved, and nobody has it yet."""
OWN = """
version: own-1
severities:
  SEV-1: {response_time: five minutes, respond_within: 5m}
escalation:
  matrix: {SEV-1: [Desk, Team lead, Engineering manager, VP Engineering]}
reviews:
  debrief: {activity: Look back, when: soon, within: 1h, participants: All}
  retro: {activity: Retro, when: soon, within: 1h, participants: All}
metrics:
  MTTD: {target: < 9 minutes, below: 9m}
"""
LOCATED = {"--incidents-dir": "--incidents-dir other", "--json": "--json", "--verbose": "", "--quiet": "--quiet"}
COMMON = {**LOCATED, "--tz": "--tz Asia/Kathmandu"}
JUDGED = {**COMMON, "--playbook": "--playbook own.yaml"}
ARCHIVE = {"--archive-dir": "--archive-dir kept"}
NOW = {"--now": "--now 2026-05-04T12:03:00Z"}
CALLS: dict[str, tuple[str, dict[str, str]]] = {
    "incident open": (
        "--from-run {run}",
        {
            "--from-run": "=--from-run {later}",
            "--exit-code": "=--exit-code 102",
            "--severity": "--severity SEV-3",
            "--title": "--title Slow",
            "--adopt": "--adopt INC-202605041300",
            **JUDGED,
        },
    ),
    # a screen of a terminal: tests/cli/test_screens.py
    "incident golden": (NEW, {"--full": "--full", "--live": "--live", **NOW, **JUDGED}),
    "incident ack": (NEW, JUDGED),
    "incident note": (f"{ID} text", JUDGED),
    "incident record": (
        f"{ID} --cause disk",
        {
            "--run": f"={ID} --run {{later}}",
            "--cause": f"={ID} --cause other",
            "--containment-type": "--containment-type EXTERNAL_DEPENDENCY",
            "--repo": "--repo ledger",
            "--condition": "--condition DATA_LOSS_RISK",
            "--no-condition": "--no-condition DATA_LOSS_RISK",
            "--severity": "--severity SEV-2",
            "--customer-impact": "--customer-impact YES",
            **JUDGED,
        },
    ),
    "incident contain": (
        ID,
        {
            "--start": "--start A4",
            "--done": "--done A1",
            "--revert": "--revert A2",
            "--owner": "--owner grace",
            "--show": "--show",
            "--full": f"={ID} --show --full",
            **JUDGED,
        },
    ),
    "incident escalate": (
        ID,
        {
            "--to": "--to Legal",
            "--reason": "--reason why",
            "--show": "--show",
            "--send": "--send",
            "--overdue": "=--overdue",
            **JUDGED,
        },
    ),
    "incident update": (
        f"{ID} text",
        {"--template": f"={ID} --template slack", "--next-in": "--next-in 5d", "--eta": "--eta soon", **JUDGED},
    ),
    "incident ics": (f"{NEW} --output d.ics", {"--output": "--output e.ics", **JUDGED}),
    "incident resolve": (f"{ID} ended", COMMON),
    "incident close": (OVER, COMMON),
    "incident reopen": (f"{OVER} back", JUDGED),
    "incident postmortem": (f"{OVER} --output p.md", {"--output": "--output q.md", **NOW, **JUDGED}),
    "incident action": (f"{ID} add text", {"--owner": "--owner grace", "--due": "--due 2026-06-01", **JUDGED}),
    "incident review": (f"{OVER} retro --playbook own.yaml", {**JUDGED, "--playbook": f"={OVER} retro"}),
    "incident tickets": (
        f"{ID} --output t.md",
        {
            "--from-run": "=--from-run {run} --output t.md",
            "--format": "--format csv",
            "--output": "--output u.md",
            **LOCATED,
        },
    ),
    "incident hold": (f"{NEW} --reason claim", {"--reason": f"={NEW} --reason other", **ARCHIVE, **COMMON}),
    "incident release": (f"{OVER} --reason settled", {"--reason": f"={OVER} --reason other", **ARCHIVE, **COMMON}),
    "incident status": (ID, {"--full": "--full", **NOW, **JUDGED}),
    "incident list": ("--now 2026-05-04T12:08:00Z", {"--open": "--open", "--full": "", "--now": "=", **JUDGED}),
    "incident timeline": (ID, {"--full": "--full", **COMMON}),
    "incident verify": (ID, {"--head": f"--head '{ID} entry 1 sha256 {'0' * 64}'", **LOCATED}),
    "incident head": (ID, LOCATED),
    "incident repair": (ID, {"--reason": "--reason why", **LOCATED}),
    "review": ("", {**NOW, **JUDGED}),
    "metrics": (
        "",
        {"--by-month": "--by-month", "--root": "--root {root}", **NOW, **LOCATED, "--playbook": "--playbook own.yaml"},
    ),
    "watch": (
        "--root {root} --rounds 1",
        {
            "--root": "=--root {small} --rounds 1",
            "--outdir": "--outdir made",
            "--every": "=--root {root} --rounds 1 --every soon",
            "--rounds": "=--root {root} --rounds 2 --every 1s",
            "--incident": f"--incident {ID}",
            "--assume-tz": "--assume-tz Mars/Olympus",
            **LOCATED,
            "--incidents-dir": f"--incident {ID} --incidents-dir other",
        },
    ),
}
"""Command: its base call, and by option what is added; after = stands a call of its own."""
SILENT = {f"incident {name}" for name in ("golden", "status", "list", "timeline", "head")}
"""Commands whose answer is all they say, so that `--quiet` leaves it."""
TODAY = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?Z?|(?<!INC-)\b\d{8}[-T]\d{4,6}Z?")
NEW_ID = r"INC-(?!202605041)\d{12}(-\d+)?"


@pytest.fixture(scope="module")
def register(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two registers with an open, an ended and a new incident, two runs and a playbook."""
    folder = tmp_path_factory.mktemp("register")
    cascade(folder / "root")
    shutil.copytree(folder / "root", folder / "small")
    (folder / "small" / "org.yaml").unlink()
    org = load_org(folder / "root")
    runs = [
        load_run(write_run(analyze(org, time), folder / "runs", timestamp=stamp))
        for time, stamp in (("2026-03-28T00:00:00Z", "20260328-000000"), (None, "20260401-000000"))
    ]
    for name, title in (("incidents", "One"), ("other", "Other")):
        root = folder / name
        for minute in (0, 1):
            open_incident(root, from_run(runs[0], title=title), "ada", NOON.replace(minute=minute), runs[0])
            writer = Writer(root / (ID, OVER)[minute], "ada", NOON.replace(minute=minute))
            acts.acknowledge(writer)
            acts.start_containment(writer, "A1")
            acts.start_containment(writer, "A2")
            acts.finish_containment(writer, "A2")
            acts.note(writer, f"{title} " * 200)
            add_item(writer, f"{title} alert", "grace", NOON)
        acts.resolve(writer, title)
        hold(writer, title)
        if name == "other":
            acts.resolve(Writer(root / ID, "ada", NOON), title)
        open_incident(root, by_hand(Severity.SEV_1, title), "ada", NOON.replace(minute=2))
        if name == "other":
            acts.acknowledge(Writer(root / NEW, "ada", NOON))
        (root / "INC-202605041300").mkdir()
    (folder / "own.yaml").write_text(OWN, encoding="utf-8")
    return folder


def seen(register: Path, place: Path, command: str, arguments: str, monkeypatch: pytest.MonkeyPatch) -> object:
    """Code, output and files of a call, without what differs from call to call."""
    for name in ("incidents", "other"):
        shutil.copytree(register / name, place / name)
    shutil.copy(register / "own.yaml", place)
    for record in place.glob(f"*/{ID}/incident.json") if command == "incident repair" else ():
        record.write_text(record.read_text(encoding="ascii").replace('"ada"', '"eve"'), encoding="ascii")
    monkeypatch.chdir(place)
    words = [
        word.format(
            run=register / "runs" / "tars-run-20260328-000000",
            later=register / "runs" / "tars-run-20260401-000000",
            root=register / "root",
            small=register / "small",
        )
        for word in shlex.split(arguments)
    ]
    done = CliRunner().invoke(cli, [*command.split(), *words])
    files = {
        re.sub(NEW_ID, "INC-NEW", path.relative_to(place).as_posix()): path.read_text(encoding="utf-8")
        for path in sorted(place.rglob("*"))
        if path.is_file() and path.suffix in (".json", ".jsonl", ".md", ".ics") and "tars-run-" not in str(path)
    }
    runs = len(list(place.rglob("status.json")))

    said = [plain(text.replace(str(place), "")) for text in (done.stdout, done.stderr)]
    return done.exit_code, said, {name: plain(text.replace(str(place), "")) for name, text in files.items()}, runs


@functools.lru_cache(maxsize=256)
def plain(text: str) -> str:
    """Without what another moment would have written otherwise; most calls leave most files as they were."""
    text = re.sub(NEW_ID, "INC-NEW", text)
    text = re.sub(r"(?<!INC-)\b[0-9a-f]{12,64}\b", "#", text)
    return re.sub(r"\d+ (d|h|min|s)\b", "N", TODAY.sub("T", text))


@pytest.fixture(scope="module")
def bases() -> dict[tuple[str, str], object]:
    """What calls without the option showed: one of each, since the same call is seen the same."""
    return {}


def test_every_option_of_every_command_is_tried() -> None:
    context = click.Context(cli)
    commands = {f"incident {name}": command for name, command in group.commands.items()}
    commands |= {name: cli.get_command(context, name) for name in ("review", "metrics", "watch")}
    assert set(commands) == set(CALLS)
    for name, command in commands.items():
        named = {one.opts[0] for one in command.params if isinstance(one, click.Option)}
        assert named == set(CALLS[name][1]), name


@pytest.mark.parametrize(("command", "option"), [(name, one) for name, (_, calls) in CALLS.items() for one in calls])
def test_changing_one_option_changes_what_is_seen(
    register: Path,
    bases: dict[tuple[str, str], object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    option: str,
) -> None:
    base, added = CALLS[command][0], CALLS[command][1][option]
    if (option == "--quiet" and command in SILENT) or (command, option) == ("incident list", "--full"):
        # more than a screen of incidents: tests/cli/test_screens.py
        return
    if option == "--verbose":
        # it shows the traceback of a refusal
        refused = {"metrics": "--now never", "review": "--now never", "incident list": "--now never"}
        refused |= {"watch": "--root nowhere", "incident open": "--from-run nowhere"}
        base = refused.get(command, f"INC-209901010000 {' '.join(base.split()[1:])}")
        added = "--verbose"
    if option == "--archive-dir":
        # it is looked into for what is not at hand
        base = f"INC-209901010000 {' '.join(base.split()[1:])}"
    if command == "watch" and option == "--incidents-dir":
        base = f"{base} --incident {ID}"
        added = "--incidents-dir other"
    if command == "review" and option == "--quiet":
        base = "--now 2026-05-04T12:03:00Z"
    changed = added[1:] if added.startswith("=") else f"{base} {added}"
    one, other = tmp_path / "one", tmp_path / "other"
    for place in (one, other):
        place.mkdir()
    if (command, base) not in bases:
        bases[command, base] = seen(register, one, command, base, monkeypatch)
    assert bases[command, base] != seen(register, other, command, changed, monkeypatch)


@pytest.mark.parametrize("command", sorted(set(CALLS) - {"watch"}))
def test_the_same_call_twice_is_seen_the_same(
    register: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """Otherwise the comparisons above would be of no use."""
    places = tmp_path / "one", tmp_path / "two"
    for place in places:
        place.mkdir()
    first, second = (seen(register, place, command, CALLS[command][0], monkeypatch) for place in places)
    assert first == second
