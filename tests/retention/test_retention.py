"""Retention by age: planned first, archived with proof, stopped by a hold, and never in the way of a kill."""

from __future__ import annotations

import functools
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from retention_samples import CLOSED, NOW, OPEN, POLICY, RUNS, call, clerk, decisions, tree

from tars_lib.cli.main import cli
from tars_lib.errors import ConfigError, InputError, VerificationError
from tars_lib.evidence.sealing.stored_zip import MAX_BYTES
from tars_lib.evidence.verification import verify as verify_bundle
from tars_lib.retention.config import read_retention
from tars_lib.retention.policy import Decision, Kind
from tars_lib.retention.register import archived, read_lines
from tars_lib.retention.work import carry_out, planned

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
from retention_samples import clerk
from pathlib import Path
step = sys.argv[2]
name = {"packed": "check_archive", "registered": "_retire", "hidden": "_remove"}[step]
setattr(work, name, lambda *given: os.kill(os.getpid(), signal.SIGKILL))
work.carry_out(clerk(Path(sys.argv[1])))
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signal here")
@pytest.mark.usefixtures("forked_code")
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

    @functools.cache
    def seen(name: str, words: tuple[str, ...], *, is_carried_out: bool, is_spoiled: bool) -> object:
        place = Path(shutil.copytree(house, tmp_path / str(next(number))))
        if is_carried_out:
            carry_out(clerk(place, NOW - timedelta(days=30)))
        if is_spoiled:
            (place / "archive").mkdir(exist_ok=True)
            (place / "archive" / "register.jsonl").write_bytes(b"{}\n")
        done = call(place, name, *words)
        said = (text.replace(str(place), "") for text in (done.stdout, done.stderr))
        return done.exit_code, *said, sorted(tree(place))

    number = itertools.count()
    for name, command in group.commands.items():
        options = [one.opts[0] for one in command.params if isinstance(one, click.Option)]
        assert set(options) <= {*CHANGED, "--verbose"}
        for option in options:
            words = tuple(word for word in (option, CHANGED.get(option)) if word is not None)
            around = {
                "is_carried_out": name == "list" or (name, option) == ("plan", "--archive-dir"),
                "is_spoiled": option == "--verbose",  # it shows the traceback of a refusal
            }
            assert seen(name, (), **around) != seen(name, words, **around), f"{name} {option}"


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


def test_what_no_archive_can_hold_is_refused_and_stays(house: Path) -> None:
    with (house / "outputs" / RUNS[1] / "core").open("wb") as file:
        file.truncate(100 * MAX_BYTES)
    (item,) = [one for one in carry_out(clerk(house)) if one.name == RUNS[1] and one.kind is Kind.REPORT]
    assert (item.decision, "can be archived or deleted at once" in item.reason) == (Decision.REFUSED, True)
    assert (house / "outputs" / RUNS[1] / "core").is_file()
