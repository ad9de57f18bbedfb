"""Changing any single option of a command changes some output."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from workspaces import cascade

from tars_lib.cli.bundle.create import bundle
from tars_lib.cli.data.export import export
from tars_lib.cli.incident.group import incident
from tars_lib.cli.main import SHORT, cli
from tars_lib.cli.retention import retention
from tars_lib.incidents.response.opening import by_hand, open_incident
from tars_lib.model.names import Severity
from tars_lib.pipeline import analyze, write_run
from tars_lib.pipeline.loading import load_org

NAIVE_LEGACY = (
    '{"repositories": [{"repository_name": "web", "trend_history": ['
    + ", ".join(f'{{"timestamp": "2026-01-{day:02d}T12:00:00", "score": {90 - day}}}' for day in range(1, 29))
    + "]}]}"
)
LATER = "--as-of 2026-03-20T00:00:00Z"
ENGINE = {
    "--output": "--output made.json",
    "--json": "--json",
    "--summary-only": "--json --summary-only",
    "--as-of": LATER,
    "--exit-zero": "--exit-zero",
    "--exit-policy": "--exit-policy {lenient}",
    "--verbose": "--verbose",
    "--quiet": "--quiet",
}
"""Option: what is added; `--summary-only` is tried beside `--json`."""
BESIDE = {
    "--summary-only": "--json",
    "--trend-correlation-report": "--json",
    "--temporal-intelligence-report": "--json",
    "--alerts-report": "--json",
    "--window": "--json",
    "--max-lag": "--json",
    "--legacy-exit-codes": LATER,
    "--assume-tz": "--org-report {legacy}",
}
"""Option: what stands in both calls."""
OF_REPORTS = {
    "--org-report": "--org-report {other}",
    "--assume-tz": "--assume-tz Asia/Kathmandu",
    **ENGINE,
}
TREE: dict[str, dict[str, str]] = {
    "health": {
        "--root-dir": "--root-dir {small}",
        "--config": "--config {org}",
        "--repos": "--repos ledger,checkout",
        "--assume-tz": "--assume-tz Asia/Kathmandu",
        "--legacy-exit-codes": "--legacy-exit-codes",
        **ENGINE,
    },
    "alerts": {
        "--legacy-exit-codes": "--legacy-exit-codes",
        "--incidents-dir": "--incidents-dir {incidents}",
        **OF_REPORTS,
    },
    "correlation": {"--legacy-exit-codes": "--legacy-exit-codes", **OF_REPORTS},
    "temporal": {
        "--trend-correlation-report": "--trend-correlation-report {correlation}",
        "--max-lag": "--max-lag 1",
        "--legacy-exit-codes": "--legacy-exit-codes",
        **OF_REPORTS,
    },
    "sla": {
        "--alerts-report": "--alerts-report {alerts}",
        "--trend-correlation-report": "--trend-correlation-report {correlation}",
        "--temporal-intelligence-report": "--temporal-intelligence-report {temporal}",
        "--sla-policy": "--sla-policy {policies}",
        "--window": "--window 3",
        "--github-summary": "--github-summary made.md",
        "--junit": "--junit made.xml",
        "--legacy-exit-codes": "--legacy-exit-codes",
        **OF_REPORTS,
    },
    "run": {
        "--root": "--root {small}",
        "--pull": "--pull",
        "--outdir": "--outdir elsewhere",
        "--timestamp": "--timestamp 20260501-000000",
        "--sla-policy": "--sla-policy {policies}",
        "--as-of": LATER,
        "--assume-tz": "--assume-tz Asia/Kathmandu",
        "--incidents-dir": "--incidents-dir {incidents}",
        "--print-paths": "--print-paths",
        "--dry-run": "--dry-run",
        "--exit-zero": "--exit-zero",
        "--exit-policy": "--exit-policy {lenient}",
        "--github-summary": "--github-summary made.md",
        "--junit": "--junit made.xml",
        "--verbose": "--verbose",
        "--quiet": "--quiet",
        "--scheduler": "--scheduler fast",
        "--history": "--history reference",
    },
    "init": {
        "--root": "--root {small}",
        "--assume-tz": "--assume-tz Asia/Kathmandu",
        "--dry-run": "--dry-run",
        "--verbose": "--verbose",
        "--quiet": "--quiet",
    },
    "classify": {
        "--exit-code": "--exit-code 142",
        "--run": "=--run {run}",
        "--full": "--full",
        "--playbook": "--playbook {own}",
        "--incidents-dir": "--incidents-dir {ours}",
        "--json": "--json",
        "--verbose": "{broken} --verbose",
        "--quiet": "--quiet",
    },
    "diff": {"--json": "--json", "--verbose": "{broken} --verbose", "--quiet": ""},
    "validate": {
        "--sla-policy": "--sla-policy {broken}",
        "--assume-tz": "--assume-tz Asia/Kathmandu",
        "--format": "--format json",
        "--output": "--output made.txt",
        "--verbose": "--verbose",
        "--quiet": "--quiet",
    },
}
"""Command: option: the call that differs. Its base call stands in `BASE`."""
BASE = {
    "health": "--root-dir {root}",
    **dict.fromkeys(("alerts", "correlation", "temporal", "sla"), "--org-report {report}"),
    "run": "--root {root} --timestamp 20260401-143000",
    "init": "--root {root}",
    "classify": "--exit-code 131",
    "diff": "{run} {later}",
    "validate": "{naive}",
}
ELSEWHERE = {
    # packing, signing and custody: tests/evidence/test_bundle_options.py
    **{f"bundle {name}": set() for name in bundle.commands},
    # tests/cli/test_import_options.py
    "import": set(),
    "report": set(),
    "package": set(),
    "demo": set(),
    "completion": set(),
    # tests/cli/test_export.py
    **{f"export {name}": set() for name in export.commands},
    "notify": set(),
    "playbook show": set(),
    # tests/retention/test_retention.py
    **{f"retention {name}": set() for name in retention.commands},
    # what they print holds the present time: tests/contract/test_incident_options.py
    "metrics": set(),
    # what it writes holds the present time: tests/cli/test_pull.py
    "pull": set(),
    "review": set(),
    "watch": set(),
    **{f"incident {name}": set() for name in incident.commands},
    # those of `tars incident` without that word
    **{name: set() for name in SHORT},
}
"""Commands that start a kernel or need a server: tried one by one below, or in the tests of reports and commands."""
"""What says nothing on a good day: `--verbose` shows the traceback of a refusal, `--quiet` silences hints."""


STARTS_A_KERNEL = {"run": {"--html"}}
"""Options tried in tests/docs/test_page_commands.py, by the page on imports, and in tests/cli/test_newcomer.py."""


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Roots, reports, runs and files that the calls name."""
    folder = tmp_path_factory.mktemp("options")
    found = {
        name: folder / name for name in ("root", "small", "legacy", "org", "policies", "broken", "naive", "lenient")
    }
    cascade(found["root"])
    shutil.copytree(found["root"], found["small"])
    (found["small"] / "org.yaml").unlink()
    found["legacy"].write_text(NAIVE_LEGACY, encoding="utf-8")
    found["org"].write_text("name: Other\nrepos: {ledger: {customer_facing: true}}\n", encoding="utf-8")
    policy = (found["root"] / "sla-policies.yaml").read_text(encoding="utf-8").replace("0.999", "0.99")
    found["policies"].write_text(policy, encoding="utf-8")
    found["broken"].write_text("{", encoding="utf-8")
    found["lenient"].write_text("fail_on: {}\n", encoding="utf-8")
    shutil.copytree(found["root"], found["naive"])
    history = found["naive"] / "history.csv"
    history.write_text(history.read_text(encoding="utf-8").replace("Z,", ",").replace("+00:00,", ","), encoding="utf-8")
    org = load_org(found["root"])
    found["run"] = write_run(analyze(org), folder / "runs", timestamp="20260401-143000")
    found["later"] = write_run(analyze(org, "2026-03-27T00:00:00Z"), folder / "runs", timestamp="20260401-153000")
    found["report"], found["other"] = (run / "org-health-report.json" for run in (found["run"], found["later"]))
    for name, file in (("alerts", "org-alerts"), ("correlation", "trend-correlation-report")):
        found[name] = found["later"] / f"{file}.json"
    found["temporal"] = found["later"] / "temporal-intelligence-report.json"
    found["own"], found["ours"] = folder / "own.yaml", folder / "ours"
    found["ours"].mkdir()
    for place in (found["own"], found["ours"] / ".playbook.yaml"):
        place.write_text("exit_codes: {131: {severity: SEV-2}}\n", encoding="utf-8")
    found["incidents"] = folder / "incidents"
    open_incident(found["incidents"], by_hand(Severity.SEV_1, "Slow"), "ada", datetime(2026, 4, 1, tzinfo=UTC))
    return found


Outcome = tuple[int, str, str, dict[str, str]]


@pytest.fixture
def call(places: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Outcome]:
    """Run a command in a folder of its own; everything that a user could see of it."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1780000000")
    number = iter(range(9))

    def invoke(command: str, arguments: str) -> Outcome:
        folder = tmp_path / str(next(number))
        folder.mkdir()
        monkeypatch.chdir(folder)
        words = [word.format(**places) for word in arguments.split()]
        done = CliRunner().invoke(cli, [*command.split(), *words])
        files = {
            path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        said = done.stderr.replace(str(folder), "")
        return done.exit_code, done.stdout.replace(str(folder), ""), said, files

    return invoke


@pytest.fixture(scope="module")
def bases() -> dict[tuple[str, str], Outcome]:
    """What calls without the option showed, each made once."""
    return {}


@pytest.fixture
def without(
    call: Callable[[str, str], Outcome], bases: dict[tuple[str, str], Outcome]
) -> Callable[[str, str], Outcome]:
    """Run a command without the option, unless another test has."""

    def once(command: str, arguments: str) -> Outcome:
        if (command, arguments) not in bases:
            bases[command, arguments] = call(command, arguments)
            assert bases[command, arguments] == call(command, arguments), "a comparison is of no use with what varies"
        return bases[command, arguments]

    return once


def commands(group: click.Group = cli, prefix: str = "") -> dict[str, click.Command]:
    """Every command by its words."""
    found: dict[str, click.Command] = {}
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        found |= commands(command, f"{name} ") if isinstance(command, click.Group) else {prefix + name: command}
    return found


def options(command: click.Command) -> set[str]:
    """Options that its help shows; the predecessor's `--fail-on-*` are accepted and change nothing."""
    return {
        parameter.opts[0]
        for parameter in command.params
        if isinstance(parameter, click.Option) and not parameter.hidden
    }


def test_every_option_of_every_command_is_tried() -> None:
    known = commands()
    for name, command in known.items():
        if name in ELSEWHERE:
            continue
        assert options(command) == set(TREE[name]) | STARTS_A_KERNEL.get(name, set()), name
    assert set(known) == {*TREE, *ELSEWHERE}


TRIED = [(command, option) for command, changes in TREE.items() for option in changes]
SILENT = {("diff", "--quiet")}
"""`--quiet` leaves errors and the answer; this command says nothing else on a good day."""


@pytest.mark.parametrize(("command", "option"), [pair for pair in TRIED if pair not in SILENT])
def test_changing_one_option_changes_what_is_seen(
    call: Callable[[str, str], Outcome], without: Callable[[str, str], Outcome], command: str, option: str
) -> None:
    base, added = BASE[command], TREE[command][option]
    beside = BESIDE.get(option, "") if command not in ("run", "health", "init", "validate") else ""
    if command == "health" and option in ("--summary-only", "--legacy-exit-codes"):
        beside = BESIDE[option]
    if option == "--assume-tz" and command in ("run", "health", "init"):
        base = base.replace("{root}", "{naive}")
    elif option == "--assume-tz" and command != "validate":
        base = ""
    elif added.startswith("="):
        assert without(command, base) != call(command, added[1:])
        return
    elif option in ("--org-report", "--root", "--root-dir") or (command, option) == ("run", "--timestamp"):
        # a second value would win over the first, so the first gives way
        kept = base.split()
        at = kept.index(option)
        before, after = base, " ".join([*kept[:at], *kept[at + 2 :], added])
        assert without(command, before) != call(command, after)
        return
    if "{broken}" in added and option == "--verbose":
        base = base if command == "classify" else "{broken} {broken}" if command == "diff" else "{broken}"
        beside = "{broken}" if command == "classify" else ""
        added = "--verbose"
    assert without(command, f"{base} {beside}") != call(
        command, f"{base} {added} {beside if option != '--summary-only' else ''}"
    )
