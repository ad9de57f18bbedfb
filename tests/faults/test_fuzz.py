"""A short form of `make fuzz`: spoiled roots, kills, and generated texts against every reader."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import command_kills
import judging
import kills
import misreadings
import pytest
import readers
import roots

from tars_lib.errors import InputError
from tars_lib.evidence.sealing.bag import pack

FUZZ = Path(roots.__file__).parent


def test_spoiled_roots_are_accepted_or_refused_with_a_code_and_one_line() -> None:
    outcome = roots.run(150, 5_000, whole_every=15)
    assert outcome.failures == []
    assert sum(outcome.codes.values()) == 150
    # the faults are neither all fatal nor all harmless, so both ways are walked
    refused = sum(outcome.codes[code] for code in (93, 94, 95))
    assert 75 < refused < 145
    assert min(outcome.codes[94], outcome.codes[95]) > 10


def test_the_harness_sees_a_traceback_a_warning_and_a_changed_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(folder: Path, **_: object) -> None:
        raise ZeroDivisionError("deep inside")

    def touch(folder: Path, **_: object) -> None:
        (folder / "left").touch()
        raise InputError("nobody knows where\n" * 12 + "and why")

    for load, found in (
        (crash, ["ZeroDivisionError"]),
        (touch, ["not a few short lines", "names no file", "was written"]),
    ):
        outcome = roots.Outcome()
        folder = tmp_path / found[0] / "org-health"
        folder.parent.mkdir()
        roots.spoil(1, folder)
        monkeypatch.setattr(roots, "load_org", load)
        roots.judge(1, folder, outcome, is_whole=False)
        assert [word in failure for word, failure in zip(found, outcome.failures, strict=True)] == [True] * len(found)


def test_no_mishap_makes_a_value_that_nobody_wrote() -> None:
    every = len(misreadings.SPOILS)
    tally = misreadings.run(every, every)
    assert tally.failures == []
    # many a mishap can be read around, and many cannot
    assert min(tally.codes[code] for code in (0, 94, 95)) >= 6


def test_the_harness_sees_a_value_that_is_another_one_that_is_lost_and_one_that_nobody_wrote(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def halve(sheet: misreadings.Sheet) -> None:
        row = sheet.rows[0]
        row[3] = str(float(row[3]) / 2)

    def lose(sheet: misreadings.Sheet) -> None:
        del sheet.rows[0]

    def add(sheet: misreadings.Sheet) -> None:
        sheet.rows.append([sheet.rows[0][0], "other", *sheet.rows[0][2:]])

    monkeypatch.setattr(misreadings, "SPOILS", {"halve": halve, "lose": lose, "add": add})
    tally = misreadings.run(3)
    assert [failure.partition(" ")[0] for failure in tally.failures] == ["halve", "lose", "add"]


@pytest.mark.skipif(os.name == "nt", reason="links and pipes of POSIX")
def test_a_fault_is_never_written_through_a_link_of_another_one(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("keep")
    for name in ("history.csv", "web"):
        (tmp_path / name).symlink_to(tmp_path / "precious")
    roots.write(tmp_path / "history.csv", b"x")
    roots.write(tmp_path / "web" / "alerts.json", b"x")
    assert (tmp_path / "precious").read_text() == "keep"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_kills_leave_nothing_half_written_that_is_accepted_and_lose_nothing_acknowledged() -> None:
    outcome = kills.run(4, 7)
    assert outcome.failures == []
    assert outcome.kills == {"run": 2, "bundle": 2}


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_killed_commands_leave_nothing_half_done_and_the_next_ones_succeed() -> None:
    tallies = command_kills.run(3, 11, with_runs=False)
    assert {name: tally.failures for name, tally in tallies.items()} == {name: [] for name in tallies}
    assert [tally.kills for tally in tallies.values()] == [1, 1, 1]


def test_the_harness_sees_half_a_bundle_and_one_that_nobody_entered(tmp_path: Path) -> None:
    place, _ = command_kills._incident(tmp_path / "incidents")
    outdir = tmp_path / "bundles"
    outdir.mkdir()
    whole = pack("whole", {"a.txt": b"a"}, {}, datetime(2026, 1, 5, tzinfo=UTC))
    (outdir / "whole.zip").write_bytes(whole)
    (outdir / "half.zip").write_bytes(whole[:-100])
    told = [outdir / "whole.zip", outdir / "gone.zip"]
    torn = judging.torn_bundles(outdir)
    assert torn
    assert all("half a bundle was written" in failure and "whole.zip" not in failure for failure in torn)
    assert judging.not_entered(place, told) == ["whole.zip was acknowledged and its digest is not entered"]
    assert judging.missing(told) == ["gone.zip was acknowledged and is not there"]


@pytest.mark.parametrize("target", readers.TARGETS)
def test_a_reader_accepts_or_refuses_whatever_it_is_given(target: str) -> None:
    readers.explore(target, 25, 3)


@pytest.mark.parametrize("target", readers.WORDS)
def test_the_inputs_that_readers_begin_from_are_sound(target: str) -> None:
    for text in readers.WORDS[target]:
        said = readers.attempt(target, text.encode())
        assert said == "" or target == "playbook.yaml", said


def test_the_harness_prints_its_figure_and_says_so_with_its_code() -> None:
    done = subprocess.run(
        [sys.executable, str(FUZZ / "roots.py"), "--number", "5", "--whole-every", "99"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert done.stdout.startswith("5 spoiled roots: ")
    assert done.stdout.endswith("; 0 failures\n")
