"""Legal holds: at hand, after the plan, and in the archive."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from retention_samples import CLOSED, NOW, OPEN, RUNS, call, clerk, decisions, tree

from tars_lib.cli.main import cli
from tars_lib.errors import InputError
from tars_lib.incidents.response.acts import Writer
from tars_lib.incidents.response.legal_hold import hold, release
from tars_lib.incidents.store.verification import verify
from tars_lib.retention import work
from tars_lib.retention.policy import Decision
from tars_lib.retention.register import read_lines
from tars_lib.retention.work import carry_out, planned


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
