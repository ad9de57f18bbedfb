"""Retention by age: planned first, archived with proof, stopped by a hold, and never in the way of a kill."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from tars_lib.cli.main import cli
from tars_lib.config_retention import read_retention
from tars_lib.errors import ConfigError, InputError, VerificationError
from tars_lib.incidents.acts import Writer, acknowledge, close, resolve
from tars_lib.incidents.holding import hold, release
from tars_lib.incidents.opening import by_hand, from_run, open_incident
from tars_lib.incidents.verification import verify
from tars_lib.packaging.bag import pack
from tars_lib.packaging.verification import verify as verify_bundle
from tars_lib.pipeline import analyze, load_run, write_run
from tars_lib.retention import work
from tars_lib.retention.policy import Decision, Kind
from tars_lib.retention.register import archived, read_lines
from tars_lib.retention.things import Places
from tars_lib.retention.work import Clerk, carry_out, planned
from tars_lib.schema import Severity
from tars_lib.sources.demo import demo_root
from tars_lib.sources.root import load_org

NOW = datetime(2027, 6, 1, tzinfo=UTC)
POLICY = """
run: {archive_after_days: 90, delete_after_days: 400, source: test}
incident: {archive_after_days: 90, source: test}
bundle: {archive_after_days: 90, delete_after_days: 400, source: test}
report: {delete_after_days: 90, source: test}
"""
OPEN, CLOSED = "INC-202701010000", "INC-202701010001"
RUNS = ("tars-run-20270101-000000", "tars-run-20270102-000000", "tars-run-20270520-000000", "tars-run-20260101-000000")
"""Of the open incident, of nobody, young, and older than everything."""


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A house with runs, incidents, a bundle and reports of different ages."""
    house = tmp_path_factory.mktemp("house")
    analysis = analyze(load_org(demo_root()))
    with pytest.MonkeyPatch.context() as patch:
        for run in RUNS:
            time = datetime.strptime(run, "tars-run-%Y%m%d-%H%M%S").replace(tzinfo=UTC)
            patch.setenv("SOURCE_DATE_EPOCH", str(int(time.timestamp())))
            write_run(
                analyze(analysis.org, analysis.as_of) if run == RUNS[0] else analysis, house / "runs", timestamp=run[9:]
            )
            status = house / "runs" / run / "status.json"
            _reseal(house / "runs" / run, status, time)
    first = load_run(house / "runs" / RUNS[0])
    start = datetime(2027, 1, 1, tzinfo=UTC)
    open_incident(house / "incidents", from_run(first), "ada", start, first)
    made = open_incident(house / "incidents", by_hand(Severity.SEV_3, "Slow"), "ada", start + timedelta(minutes=1))
    assert made.incident.incident_id == CLOSED
    writer = Writer(house / "incidents" / CLOSED, "ada", start + timedelta(hours=1))
    acknowledge(writer)
    resolve(writer, "over")
    close(writer, "done")
    for name, day in ((f"incident-evidence-{CLOSED}", start), ("other", datetime(2027, 5, 30, tzinfo=UTC))):
        (house / "bundles").mkdir(exist_ok=True)
        (house / "bundles" / f"{name}.zip").write_bytes(pack(name, {"x.txt": b"evidence"}, {}, day))
    (house / "bundles" / f"incident-evidence-{CLOSED}.zip.minisig").write_bytes(b"signature")
    for run in RUNS[:2]:
        (house / "outputs" / run).mkdir(parents=True)
        page = house / "outputs" / run / "incident_report.html"
        page.write_text("page", encoding="utf-8")
        os.utime(page, (start.timestamp(), start.timestamp()))
    (house / "outputs" / "mine").mkdir()
    (house / "retention.yaml").write_text(POLICY, encoding="utf-8")
    return house


def _reseal(run: Path, status: Path, time: datetime) -> None:
    """One analysis serves for runs of several times."""
    import hashlib

    content = json.loads(status.read_bytes()) | {"generated_at": f"{time:%Y-%m-%dT%H:%M:%SZ}"}
    status.write_text(json.dumps(content), encoding="utf-8")
    manifest = json.loads((run / "manifest.json").read_bytes())
    for entry in manifest["files"]:
        if entry["path"] == "status.json":
            entry["sha256"] = hashlib.sha256(status.read_bytes()).hexdigest()
    (run / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


@pytest.fixture
def house(templates: Path, tmp_path: Path) -> Path:
    shutil.copytree(templates, tmp_path / "house")
    # the record names its run by an absolute path, which is of no account here: names count
    return tmp_path / "house"


def clerk(house: Path, now: datetime = NOW) -> Clerk:
    places = Places(house / "runs", house / "incidents", house / "bundles", house / "outputs", house / "archive")
    return Clerk(places, read_retention(house / "retention.yaml"), "ada", now)


def decisions(items: tuple[work.Item, ...]) -> dict[str, str]:
    return {f"{item.kind.value} {item.name}": item.decision.value for item in items}


EXPECTED = {
    f"INCIDENT {OPEN}": "NEEDED",
    f"INCIDENT {CLOSED}": "ARCHIVE",
    f"RUN {RUNS[0]}": "NEEDED",
    f"RUN {RUNS[1]}": "ARCHIVE",
    f"RUN {RUNS[2]}": "KEEP",
    f"RUN {RUNS[3]}": "DELETE",
    f"BUNDLE incident-evidence-{CLOSED}.zip": "ARCHIVE",
    "BUNDLE other.zip": "KEEP",
    f"REPORT {RUNS[0]}": "DELETE",
    f"REPORT {RUNS[1]}": "DELETE",
}


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def test_a_plan_says_what_each_age_asks_for_and_touches_nothing(house: Path) -> None:
    before = tree(house)
    assert decisions(planned(clerk(house))) == EXPECTED
    assert tree(house) == before


def test_what_is_archived_can_be_verified_and_what_is_gone_is_in_the_register(house: Path) -> None:
    incident, run = tree(house / "incidents" / CLOSED), tree(house / "runs" / RUNS[1])
    assert decisions(carry_out(clerk(house))) == EXPECTED
    assert {path.name for path in (house / "runs").iterdir()} == {RUNS[0], RUNS[2]}
    assert {path.name for path in (house / "incidents").iterdir()} == {OPEN}
    assert {path.name for path in (house / "outputs").iterdir()} == {"mine"}
    assert {path.name for path in (house / "bundles").iterdir()} == {"other.zip"}
    archive = house / "archive"
    for place, kept in (
        (archive / "incidents" / f"{CLOSED}.zip", incident),
        (archive / "runs" / f"{RUNS[1]}.zip", run),
    ):
        assert verify_bundle(place).is_intact
        with zipfile.ZipFile(place) as packed:
            inside = {name.split("/", 4)[4]: packed.read(name) for name in packed.namelist() if "/data/" in name}
        assert inside == {name: content for name, content in kept.items() if name != ".lock"}
    assert (archive / "bundles" / f"incident-evidence-{CLOSED}.zip.minisig").read_bytes() == b"signature"
    if os.name == "posix":
        assert {path.stat().st_mode & 0o777 for path in archive.rglob("*") if path.is_file()} == {0o600}
    lines = read_lines(archive)
    assert {(line.deed.value, line.name) for line in lines} == {
        ("ARCHIVED", CLOSED),
        ("ARCHIVED", RUNS[1]),
        ("ARCHIVED", f"incident-evidence-{CLOSED}.zip"),
        ("DELETED", RUNS[3]),
        ("DELETED", RUNS[0]),
        ("DELETED", RUNS[1]),
    }
    again = carry_out(clerk(house))
    assert {item.decision for item in again} <= {Decision.KEEP, Decision.NEEDED}
    assert read_lines(archive) == lines


def test_an_archived_run_is_deleted_at_its_own_age_unless_it_was_altered(house: Path) -> None:
    carry_out(clerk(house))
    place = house / "archive" / "runs" / f"{RUNS[1]}.zip"
    content = place.read_bytes()
    place.write_bytes(content[:-1])
    late = clerk(house, NOW + timedelta(days=400))
    refused = next(item for item in carry_out(late) if item.name == RUNS[1] and item.kind is Kind.RUN)
    assert (refused.decision, refused.is_archived) == (Decision.REFUSED, True)
    assert "not what the register says" in refused.reason
    place.write_bytes(content)
    carry_out(late)
    assert not place.exists()
    assert [one.name for one in archived(read_lines(house / "archive"))] == [CLOSED]


def test_a_hold_keeps_incident_runs_bundles_and_reports_until_it_is_released(house: Path) -> None:
    writer = Writer(house / "incidents" / CLOSED, "eve", NOW)
    other = Writer(house / "incidents" / OPEN, "eve", NOW)
    hold(writer, "claim 4711")
    hold(other, "claim 4711")
    found = decisions(planned(clerk(house)))
    held = {
        f"INCIDENT {CLOSED}",
        f"INCIDENT {OPEN}",
        f"RUN {RUNS[0]}",
        f"REPORT {RUNS[0]}",
        f"BUNDLE incident-evidence-{CLOSED}.zip",
    }
    assert {name for name, decision in found.items() if decision == "HELD"} == held
    before = {name: tree(house / name) for name in ("incidents", "bundles")}
    carry_out(clerk(house))
    assert {name: tree(house / name) for name in ("incidents", "bundles")} == before
    with pytest.raises(InputError, match="held since 2027-06-01 00:00 UTC by eve"):
        hold(writer, "again")
    release(writer, "settled")
    with pytest.raises(InputError, match="not held"):
        release(writer, "again")
    assert decisions(planned(clerk(house)))[f"INCIDENT {CLOSED}"] == "ARCHIVE"
    assert verify(house / "incidents" / CLOSED).is_intact


def test_a_hold_that_comes_after_the_plan_counts(house: Path) -> None:
    entries = work._planned(clerk(house))
    hold(Writer(house / "incidents" / CLOSED, "eve", NOW), "claim 4711")
    entry = next(entry for entry in entries if entry[0].name == CLOSED)
    done = work._done(clerk(house), *entry)
    assert (done.decision, f"legal hold on {CLOSED} by now" in done.reason) == (Decision.REFUSED, True)
    assert (house / "incidents" / CLOSED / "incident.json").is_file()


@pytest.mark.parametrize(
    ("name", "spoil", "said"),
    [
        (
            RUNS[1],
            lambda place: (place / "status.json").write_text("{}", encoding="utf-8"),
            "status.json.schema_version: missing",
        ),
        (
            RUNS[1],
            lambda place: (place / "executive-summary.md").write_text("", encoding="utf-8"),
            "was altered since the run was written",
        ),
        (RUNS[1], lambda place: (place / "extra.txt").write_text("x", encoding="utf-8"), "is not listed"),
        (RUNS[1], lambda place: (place / "link").symlink_to("/etc/hosts"), "a link or a device"),
        (RUNS[3], lambda place: (place / "org-alerts.json").unlink(), "is missing"),
    ],
)
def test_a_run_that_fails_its_manifest_is_neither_archived_nor_deleted(
    house: Path, name: str, spoil: Callable[[Path], object], said: str
) -> None:
    spoil(house / "runs" / name)
    item = next(item for item in carry_out(clerk(house)) if item.name == name and item.kind is Kind.RUN)
    assert item.decision is Decision.REFUSED
    assert said in item.reason
    assert (house / "runs" / name).is_dir()


def test_an_altered_incident_or_bundle_stays_where_it_is(house: Path) -> None:
    with (house / "incidents" / CLOSED / "incident.json").open("a", encoding="ascii") as file:
        file.write(" ")
    bundle = house / "bundles" / f"incident-evidence-{CLOSED}.zip"
    bundle.write_bytes(bundle.read_bytes().replace(b"evidence", b"evidencE"))
    found = decisions(carry_out(clerk(house)))
    assert found[f"INCIDENT {CLOSED}"] == found[f"BUNDLE {bundle.name}"] == "REFUSED"
    assert bundle.is_file()


def test_an_altered_register_stops_everything(house: Path) -> None:
    carry_out(clerk(house))
    register = house / "archive" / "register.jsonl"
    lines = register.read_bytes().splitlines(keepends=True)
    register.write_bytes(b"".join([lines[0].replace(b'"ada"', b'"eve"'), *lines[1:]]))
    with pytest.raises(VerificationError, match=r"register.jsonl, row 2: altered: it does not follow"):
        planned(clerk(house))


STEPS = ("packed", "registered", "hidden")
KILLED = """
import os, signal, sys
from tars_lib.retention import work
from test_retention import clerk
from pathlib import Path
step = sys.argv[2]
name = {"packed": "check_archive", "registered": "_retire", "hidden": "_remove"}[step]
setattr(work, name, lambda *given: os.kill(os.getpid(), signal.SIGKILL))
work.carry_out(clerk(Path(sys.argv[1])))
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signal here")
@pytest.mark.parametrize("step", STEPS)
def test_a_kill_between_two_steps_loses_nothing_and_the_next_call_finishes(house: Path, step: str) -> None:
    expected = tree(house / "incidents" / CLOSED)
    killed = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(KILLED), str(house), step],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(Path(__file__).parent)])},
        capture_output=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()[-500:]
    carry_out(clerk(house))
    place = house / "archive" / "incidents" / f"{CLOSED}.zip"
    assert verify_bundle(place).is_intact
    with zipfile.ZipFile(place) as packed:
        inside = {name.split("/", 4)[4]: packed.read(name) for name in packed.namelist() if "/data/" in name}
    assert inside == {name: content for name, content in expected.items() if name != ".lock"}
    lines = read_lines(house / "archive")
    assert len({(line.deed, line.kind, line.name) for line in lines}) == len(lines) == 6
    assert not list(house.rglob(".tars-retired-*"))


def test_two_at_once_are_kept_apart(house: Path) -> None:
    from tars_lib.retention.register import locked

    with (
        locked(house / "archive"),
        pytest.raises(InputError, match="another command works on the archive; nothing was done"),
    ):
        carry_out(clerk(house))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("run: {source: x}", "incident: "),
        (
            POLICY.replace(
                "archive_after_days: 90, delete_after_days: 400", "archive_after_days: 90, delete_after_days: 90"
            ),
            "run: delete_after_days is to be more",
        ),
        (
            POLICY.replace("archive_after_days: 90, source", "archive_after_days: 0, source"),
            "incident.archive_after_days",
        ),
        (POLICY + "logs: {source: x}\n", "unknown key; allowed: run, incident, bundle, report"),
        (POLICY.replace("{delete_after_days: 90, source: test}", "{delete_after_days: 90}"), "report.source"),
    ],
)
def test_a_retention_file_that_is_not_whole_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "r.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=said):
        read_retention(tmp_path / "r.yaml")


def test_the_packaged_file_deletes_no_evidence_and_names_the_source_of_each_term() -> None:
    policy = read_retention()
    assert policy.terms[Kind.INCIDENT].delete_after is None
    assert policy.terms[Kind.BUNDLE].delete_after is None
    assert all(term.source.startswith("judgement: ") for term in policy.terms.values())


def call(house: Path, *words: str) -> Result:
    places = [
        "--runs-dir", "runs", "--incidents-dir", "incidents", "--bundles-dir", "bundles", "--reports-dir", "outputs",
        "--policy", "retention.yaml", "--now", "2027-06-01T00:00:00Z",
    ]  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(house)
        return CliRunner().invoke(cli, ["retention", *words[:1], *(places if words[0] != "list" else []), *words[1:]])


def test_the_commands_plan_carry_out_and_list(house: Path) -> None:
    plan = call(house, "plan")
    assert plan.exit_code == 0, plan.output
    assert "This was a plan" in plan.stdout
    assert f"ARCHIVE  run runs/{RUNS[1]}, 150 days: older than 90 days" in plan.stdout
    assert f"NEEDED   incident incidents/{OPEN}: {OPEN} is not closed" in plan.stdout
    assert not (house / "archive").exists()
    done = call(house, "apply", "--json")
    assert done.exit_code == 0
    assert {item["decision"] for item in json.loads(done.stdout)["items"]} == {"KEEP", "NEEDED", "ARCHIVE", "DELETE"}
    shown = call(house, "list", "--archive-dir", "archive")
    assert shown.exit_code == 0
    assert f"archive/incidents/{CLOSED}.zip: archived 2027-06-01" in shown.stdout
    listed = CliRunner().invoke(cli, ["incident", "list", "--incidents-dir", str(house / "incidents")])
    assert f"{CLOSED:20} ARCHIVED 2027-06-01" in listed.stdout
    (house / "archive" / "incidents" / f"{CLOSED}.zip").unlink()
    gone = call(house, "list", "--archive-dir", "archive", "--quiet")
    assert (gone.exit_code, "No such file" in gone.stdout) == (1, True)


CHANGED = {
    "--runs-dir": "none",
    "--incidents-dir": "deep/none",
    "--bundles-dir": "none",
    "--reports-dir": "none",
    "--archive-dir": "other",
    "--policy": "none.yaml",
    "--now": "2027-01-02T00:00:00Z",
    "--json": None,
    "--quiet": None,
}


def test_every_option_of_every_command_changes_what_is_seen(house: Path, tmp_path: Path) -> None:
    context = click.Context(cli)
    group = cli.get_command(context, "retention")
    assert isinstance(group, click.Group)
    for name, command in group.commands.items():
        options = [one.opts[0] for one in command.params if isinstance(one, click.Option)]
        assert set(options) <= {*CHANGED, "--verbose"}
        for option in options:
            seen = []
            for words in ((), (option, CHANGED.get(option))):
                place = Path(shutil.copytree(house, tmp_path / f"{name}{option}{len(words)}"))
                if name == "list" or (name, option) == ("plan", "--archive-dir"):
                    carry_out(clerk(place, NOW - timedelta(days=30)))
                if option == "--verbose":  # it shows the traceback of a refusal
                    (place / "archive").mkdir(exist_ok=True)
                    (place / "archive" / "register.jsonl").write_bytes(b"{}\n")
                done = call(place, name, *(word for word in words if word is not None))
                seen.append((done.exit_code, done.stdout, done.stderr, sorted(tree(place))))
            assert seen[0] != seen[1], f"{name} {option}"


def test_a_refusal_ends_with_one_and_names_the_file(house: Path) -> None:
    (house / "runs" / RUNS[1] / "org-alerts.json").unlink()
    for word in ("plan", "apply"):
        done = call(house, word, "--quiet")
        assert done.exit_code == 1
        assert done.stdout.startswith(f"REFUSED  run runs/{RUNS[1]}")
        assert "org-alerts.json is missing" in done.stdout


def test_the_example_in_the_page_is_a_retention_file(tmp_path: Path) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "retention.md").read_text(encoding="utf-8")
    example = page.partition("<!-- file: retention.yaml -->\n```yaml\n")[2].partition("```")[0]
    (tmp_path / "retention.yaml").write_text(example, encoding="utf-8")
    policy = read_retention(tmp_path / "retention.yaml")
    assert {kind: (term.archive_after, term.delete_after) for kind, term in policy.terms.items()} == {
        Kind.RUN: (timedelta(days=90), timedelta(days=400)),
        Kind.INCIDENT: (timedelta(days=180), None),
        Kind.BUNDLE: (timedelta(days=400), None),
        Kind.REPORT: (None, timedelta(days=90)),
    }
    assert all(f"| {decision.value}" in page or f" {decision.value} |" in page for decision in Decision)


def test_an_archived_incident_is_held_in_the_register_until_it_is_released(house: Path) -> None:
    (house / "retention.yaml").write_text(
        (house / "retention.yaml")
        .read_text()
        .replace("incident: {archive_after_days: 90,", "incident: {archive_after_days: 90, delete_after_days: 200,"),
        encoding="utf-8",
    )
    carry_out(clerk(house))
    words = ("--incidents-dir", str(house / "incidents"), "--reason", "claim 4711")
    late = clerk(house, NOW + timedelta(days=4000))
    runs = {f"{item.kind.value} {item.name}" for item in planned(late) if item.decision is Decision.DELETE}
    done = CliRunner().invoke(cli, ["incident", "hold", CLOSED, *words])
    assert (done.exit_code, "on legal hold in the archive" in done.stdout) == (0, True), done.output
    again = CliRunner().invoke(cli, ["incident", "hold", CLOSED, *words])
    assert (again.exit_code, "held since" in again.stderr) == (1, True)
    listed = call(house, "list", "--archive-dir", "archive")
    assert f"HELD      {CLOSED} (archived) since" in listed.stdout
    assert "claim 4711" in listed.stdout
    held = {f"{item.kind.value} {item.name}" for item in planned(late) if item.decision is Decision.HELD}
    assert f"INCIDENT {CLOSED}" in held
    before = tree(house / "archive" / "incidents")
    carry_out(late)
    assert tree(house / "archive" / "incidents") == before
    done = CliRunner().invoke(cli, ["incident", "release", CLOSED, *words, "--json"])
    assert (done.exit_code, json.loads(done.stdout)["line"]["deed"]) == (0, "RELEASED")
    assert call(house, "list", "--archive-dir", "archive").stdout.count("HELD") == 0
    assert {f"{item.kind.value} {item.name}" for item in planned(late) if item.decision is Decision.HELD} == set()
    assert runs <= {f"{line.kind.value} {line.name}" for line in read_lines(house / "archive")}
    wrong = CliRunner().invoke(cli, ["incident", "release", CLOSED, *words])
    assert (wrong.exit_code, "not held" in wrong.stderr) == (1, True)


def test_holds_of_incidents_at_hand_are_listed(house: Path) -> None:
    hold(Writer(house / "incidents" / OPEN, "eve", NOW), "claim\u202e 4711")
    listed = call(house, "list", "--json")
    (one,) = json.loads(listed.stdout)["holds"]
    assert (one["incident_id"], one["by"], one["is_archived"]) == (OPEN, "eve", False)
    assert "claim[U+202E] 4711" in call(house, "list").stdout
    assert "HELD" not in call(house, "list", "--quiet").stdout


def test_an_incident_in_another_archive_is_held_there_and_a_refusal_says_where_it_was_looked_for(house: Path) -> None:
    carry_out(clerk(house))
    (house / "archive").rename(house / "vault")
    words = ["incident", "hold", CLOSED, "--incidents-dir", str(house / "incidents"), "--reason", "claim 4711"]
    refused = CliRunner().invoke(cli, words)
    assert refused.exit_code == 1
    assert f"no such incident in {house / 'incidents'}" in refused.stderr
    assert f"nor is it in the archive {house / 'archive'}, and --archive-dir names another" in refused.stderr
    done = CliRunner().invoke(cli, [*words, "--archive-dir", str(house / "vault")])
    assert done.exit_code == 0, done.output
    assert f"HELD      {CLOSED} (archived) since" in call(house, "list", "--archive-dir", "vault").stdout
    released = [words[0], "release", *words[2:], "--archive-dir", str(house / "vault")]
    assert CliRunner().invoke(cli, released).exit_code == 0
