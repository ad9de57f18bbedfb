"""Custody: each act is an entry with who, when and digest, in the incident's timeline or beside the bundle."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
from pathlib import Path

import pytest
from bundle_samples import NOON, EvidenceFolder
from click.testing import CliRunner, Result
from run_samples import RunSamples

from tars_lib.cli.main import cli
from tars_lib.evidence.sealing.custody import LOG_FILE, Log, disagreement, enter, superseded
from tars_lib.incidents.store.record import CustodyAct, CustodyEvent
from tars_lib.incidents.store.verification import verify as verify_incident


def tars(*words: object) -> Result:
    return CliRunner().invoke(cli, [str(word) for word in words])


@pytest.fixture
def beside(samples: RunSamples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bundle of a run without an incident."""
    run = Path(shutil.copytree(samples.run("calm").directory, tmp_path / "tars-run-20260105-143000"))
    (run / "org-alerts.json").unlink()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TARS_ACTOR", "ada")
    made = tars("bundle", "create", "--run-dir", run, "--allow-partial", "--bundle-name", "b")
    assert made.exit_code == 0, made.output
    return Path(made.stdout.strip())


@pytest.fixture
def in_incident(evidence: EvidenceFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """A bundle of an incident whose runs cannot be read, and the incident."""
    folder = Path(shutil.copytree(evidence.folder, tmp_path / "work"))
    incident = folder / "incidents" / evidence.incident.name
    shutil.rmtree(incident / evidence.after.name)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("TARS_ACTOR", "ada")
    record = json.loads((incident / "incident.json").read_text())
    (Path(record["before"]["path"])).is_absolute()
    run = folder / "runs" / evidence.before.name
    (run / "org-alerts.json").unlink()
    made = tars("bundle", "create", "--incident", incident.name, "--before", run, "--allow-partial")
    assert made.exit_code == 0, made.output
    return Path(made.stdout.strip()), incident


def entries(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="ascii").splitlines()]


def told(file: Path) -> list[dict[str, str]]:
    done = tars("bundle", "log", file, "--json")
    assert done.exit_code == 0, done.output
    found: list[dict[str, str]] = json.loads(done.stdout)["events"]
    return found


def test_without_an_incident_acts_are_chained_beside_the_bundle(beside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TARS_ACTOR", "eve")
    assert tars("bundle", "verify", beside).exit_code == 0
    assert tars("bundle", "transfer", beside, "--to", "Legal").exit_code == 0
    assert tars("bundle", "export", beside, "--output", "out").exit_code == 0
    assert Path("out/b.zip").read_bytes() == beside.read_bytes()
    digest = hashlib.sha256(beside.read_bytes()).hexdigest()
    events = told(beside)
    assert [(event["act"], event["by"], event["to"]) for event in events] == [
        ("CREATED", "ada", None),
        ("VERIFIED", "eve", None),
        ("TRANSFERRED", "eve", "Legal"),
        ("EXPORTED", "eve", "out"),
    ]
    assert {event["sha256"] for event in events} == {digest}
    chain = entries(beside.parent / "custody.jsonl")
    assert [entry["previous"] for entry in chain[1:]] == [entry["sha256"] for entry in chain[:-1]]


def test_of_an_incident_acts_stand_in_its_timeline(in_incident: tuple[Path, Path]) -> None:
    file, incident = in_incident
    assert tars("bundle", "verify", file).exit_code == 0
    assert tars("bundle", "transfer", file, "--to", "Audit").exit_code == 0
    kinds = [entry["kind"] for entry in entries(incident / "timeline.jsonl")]
    assert kinds[-3:] == ["CUSTODY"] * 3
    assert not (file.parent / "custody.jsonl").exists()
    assert verify_incident(incident, with_runs=False).is_intact
    assert [event["act"] for event in told(file)] == ["CREATED", "VERIFIED", "TRANSFERRED"]
    of_incident = json.loads(tars("bundle", "log", "--incident", incident.name, "--json").stdout)["events"]
    assert of_incident == told(file)
    file.unlink()
    assert [event["act"] for event in of_incident] == ["CREATED", "VERIFIED", "TRANSFERRED"]


def test_a_bundle_that_was_exchanged_for_another_intact_one_is_told_by_its_record(beside: Path) -> None:
    made = tars("bundle", "create", "--run-dir", "tars-run-20260105-143000", "--allow-partial", "--bundle-name", "c")
    other = Path(made.stdout.strip())
    other.replace(beside)
    done = tars("bundle", "verify", beside)
    assert done.exit_code == 1
    assert "another file of that name" in done.stdout


def test_an_exchanged_bundle_is_not_handed_on_and_never_becomes_the_recorded_one(beside: Path) -> None:
    genuine = beside.read_bytes()
    made = tars("bundle", "create", "--run-dir", "tars-run-20260105-143000", "--allow-partial", "--bundle-name", "c")
    Path(made.stdout.strip()).replace(beside)
    for words in (("transfer", beside, "--to", "Legal"), ("export", beside, "--output", "out")):
        done = tars("bundle", *words)
        assert done.exit_code == 1
        assert "another file of that name; nothing was entered" in done.stderr
    assert not Path("out").exists()
    assert [event["act"] for event in told(beside)] == ["CREATED"]
    assert tars("bundle", "verify", beside).exit_code == 1
    beside.write_bytes(genuine)
    assert tars("bundle", "verify", beside).exit_code == 0


def test_acts_beside_a_copy_are_held_to_the_first_of_them(beside: Path, tmp_path: Path) -> None:
    copy = tmp_path / "mail" / "b.zip"
    copy.parent.mkdir()
    copy.write_bytes(beside.read_bytes())
    assert tars("bundle", "transfer", copy, "--to", "Legal").exit_code == 0
    made = tars("bundle", "create", "--run-dir", "tars-run-20260105-143000", "--allow-partial", "--bundle-name", "c")
    Path(made.stdout.strip()).replace(copy)
    assert tars("bundle", "transfer", copy, "--to", "Audit").exit_code == 1


def test_an_earlier_bundle_of_the_same_name_is_genuine_and_called_earlier() -> None:
    def event(act: CustodyAct, sha256: str) -> CustodyEvent:
        return CustodyEvent(act, "b.zip", sha256, NOON, "ada", "")

    record = [event(CustodyAct.CREATED, "1"), event(CustodyAct.CREATED, "2"), event(CustodyAct.EXPORTED, "3")]
    assert [disagreement(record, "b.zip", digest) is None for digest in "123"] == [True, True, False]
    assert [superseded(record, "b.zip", digest) is None for digest in "123"] == [False, True, True]
    assert (superseded(record, "b.zip", "1") or "").startswith("an earlier bundle of that name; 2 was made at 2026")


def test_an_altered_bundle_is_not_handed_on(beside: Path) -> None:
    content = bytearray(beside.read_bytes())
    content[len(content) // 2] ^= 1
    beside.write_bytes(content)
    for words in (("transfer", beside, "--to", "Legal"), ("export", beside, "--output", "out")):
        done = tars("bundle", *words)
        assert done.exit_code == 1
        assert "nothing was entered" in done.stderr
    assert not Path("out").exists()
    assert [event["act"] for event in told(beside)] == ["CREATED"]
    assert tars("bundle", "verify", beside).exit_code == 1
    assert "fault" in told(beside)[-1]["outcome"]


@pytest.mark.parametrize("row", [0, 1])
def test_an_altered_or_removed_entry_is_named(beside: Path, row: int) -> None:
    tars("bundle", "verify", beside)
    tars("bundle", "verify", beside)
    place = beside.parent / "custody.jsonl"
    lines = place.read_bytes().splitlines(keepends=True)
    for spoiled in (
        [*lines[:row], lines[row].replace(b"ada", b"eve"), *lines[row + 1 :]],
        [*lines[:row], *lines[row + 1 :]],
    ):
        place.write_bytes(b"".join(spoiled))
        for words in (("log", beside), ("transfer", beside, "--to", "Legal")):
            done = tars("bundle", *words)
            assert done.exit_code == 1
            assert f"row {row + 1}" in done.stderr
        assert tars("bundle", "verify", beside).exit_code == 1


def test_lines_cut_off_at_the_end_and_a_record_that_is_gone_are_seen(beside: Path) -> None:
    place, noted = beside.parent / "custody.jsonl", beside.parent / ".custody.head"
    before = noted.read_bytes()
    tars("bundle", "transfer", beside, "--to", "Legal")
    whole = place.read_bytes()
    first, last = whole.splitlines(keepends=True)
    head = json.loads(tars("bundle", "log", beside, "--json").stdout)["head"]
    assert f"head: entry 2, {head}\n" in tars("bundle", "log", beside).stdout
    assert (json.loads(last)["sha256"], noted.read_bytes()) == (head, f"2 {head}\n".encode())
    for left in (first, b"", None):
        place.unlink() if left is None else place.write_bytes(left)
        for words in (("log", beside), ("transfer", beside, "--to", "Legal"), ("verify", beside)):
            done = tars("bundle", *words)
            assert (done.exit_code, "names another end (entry 2)" in done.output) == (1, True), words
        assert (place.read_bytes() if left is not None else None) == left
    # a writer that was killed before it noted the end left an older one, and whoever notes it anew sees a whole record
    place.write_bytes(whole)
    noted.write_bytes(before)
    assert tars("bundle", "verify", beside).exit_code == 0
    assert noted.read_bytes().startswith(b"3 ")


def test_a_file_from_elsewhere_is_verified_without_leaving_a_trace(beside: Path, tmp_path: Path) -> None:
    place = tmp_path / "mail" / "b.zip"
    place.parent.mkdir()
    place.write_bytes(beside.read_bytes())
    done = tars("bundle", "verify", place, "--json")
    assert done.exit_code == 0
    document = json.loads(done.stdout)
    assert (document["is_intact"], document["is_signed"]) == (True, False)
    assert document["sha256"] == hashlib.sha256(place.read_bytes()).hexdigest()
    assert [path.name for path in place.parent.iterdir()] == ["b.zip"]
    tars("bundle", "verify", beside, "--no-record")
    assert len(told(beside)) == 1


def test_a_file_that_is_gone_has_its_log_and_one_that_never_was_is_refused(beside: Path) -> None:
    beside.unlink()
    assert [event["act"] for event in told(beside)] == ["CREATED"]
    done = tars("bundle", "log", beside.with_name("nope.zip"))
    assert done.exit_code == 1
    assert "nope.zip: no such file, and nothing is entered on one of that name" in done.stderr


def test_a_receiver_is_confirmed_on_one_line(beside: Path) -> None:
    done = tars("bundle", "transfer", beside, "--to", "Legal\nb.zip: intact\x1b[2J")
    assert done.exit_code == 0
    assert done.stdout.startswith("b.zip: handed over to Legal b.zip: intact[U+001B][2J; entered in ")
    assert done.stdout.count("\n") == 1


def test_wrong_usage_is_refused(beside: Path) -> None:
    assert tars("bundle", "log").exit_code == 2
    assert tars("bundle", "log", beside, "--incident", "INC-202601051200").exit_code == 2
    assert tars("bundle", "transfer", beside, "--to", " ").exit_code == 1
    assert tars("bundle", "export", beside, "--output", beside.parent).exit_code == 1


@pytest.mark.skipif(os.name != "posix", reason="no modes")
def test_copies_of_an_incident_are_for_the_owner_alone_as_its_record_is(in_incident: tuple[Path, Path]) -> None:
    file, incident = in_incident
    assert tars("bundle", "export", file, "--output", "out").exit_code == 0
    for path in (incident / "incident.json", file, Path("out") / file.name):
        assert path.stat().st_mode & 0o777 == 0o600, path


@pytest.mark.skipif(os.name != "posix", reason="no modes")
def test_the_record_of_custody_is_never_open_to_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modes = []

    def watched(handle: int) -> None:
        modes.append(os.fstat(handle).st_mode)

    monkeypatch.setattr("os.fsync", watched)
    for number in range(2):
        enter(Log(None, tmp_path / LOG_FILE), CustodyEvent(CustodyAct.CREATED, "b.zip", str(number), NOON, "ada", ""))
    files = [mode & 0o777 for mode in modes if stat.S_ISREG(mode)]
    assert files == [0o600] * 4
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_an_altered_timeline_is_packed_as_partial_alone_and_entered_beside_the_bundle(
    in_incident: tuple[Path, Path],
) -> None:
    _, incident = in_incident
    timeline = incident / "timeline.jsonl"
    timeline.write_bytes(timeline.read_bytes().replace(b"rolled back", b"rolled over"))
    run = Path("runs") / "tars-run-20260105-143000"
    words = ("bundle", "create", "--incident", incident.name, "--before", run, "--bundle-name", "c")
    assert tars(*words).exit_code == 1
    made = tars(*words, "--allow-partial")
    assert made.exit_code == 0, made.output
    assert "timeline.jsonl, row 4" in made.stderr
    place = Path(made.stdout.strip())
    assert [entry["kind"] for entry in entries(place.parent / "custody.jsonl")] == ["CUSTODY"]
    done = tars("bundle", "verify", place, "--no-record")
    assert done.exit_code == 0, "it says of itself that it is partial"
    assert "PARTIAL" in done.stdout
    assert "note: data/incident" in done.stdout
