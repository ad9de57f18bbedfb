"""Many writers at once, kills at any moment, and alterations: nothing acknowledged is lost, nothing altered stays unseen."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from incident_kills import kill_while_noting, kill_while_opening

from tars_lib.cli.main import cli
from tars_lib.errors import InputError, VerificationError
from tars_lib.files.limits import MAX_TEXT_BYTES
from tars_lib.incidents.response.acts import Writer, acknowledge, note, resolve
from tars_lib.incidents.response.opening import adopt, by_hand, open_incident
from tars_lib.incidents.store import journal
from tars_lib.incidents.store.journal import (
    RECORD_FILE,
    JournalState,
    read_entries,
    read_incident,
    read_state,
    record_text,
)
from tars_lib.incidents.store.lock import LOCK_FILE
from tars_lib.incidents.store.record import Head, IncidentStatus
from tars_lib.incidents.store.timeline import TIMELINE_FILE, Draft, EntryKind, line_of, seal
from tars_lib.incidents.store.verification import RecordVerification, verify
from tars_lib.model.names import Severity

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
NOTES = """
import sys
from pathlib import Path
from tars_lib.incidents.response.acts import Writer, note
from tars_lib.incidents.store.register import now
for number in range(int(sys.argv[3])):
    note(Writer(Path(sys.argv[1]), sys.argv[2], now()), f"{sys.argv[2]} {number}")
    print(f"{sys.argv[2]} {number}", flush=True)
"""


def opened(root: Path, title: str = "Checkout is slow") -> Path:
    written = open_incident(root, by_hand(Severity.SEV_2, title), "ada", NOON)
    return root / written.incident.incident_id


def writer(folder: Path, actor: str = "ada") -> Writer:
    return Writer(folder, actor, NOON)


def start(code: str, *args: object) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", code, *map(str, args)], stdout=subprocess.PIPE, text=True)


def mutated(folder: Path, name: str, at: int, mask: int = 1) -> RecordVerification:
    """What `verify` says with one byte changed; the file is put back."""
    path = folder / name
    written = path.read_bytes()
    path.write_bytes(written[:at] + bytes([written[at] ^ mask]) + written[at + 1 :])
    found = verify(folder)
    path.write_bytes(written)
    return found


@pytest.mark.usefixtures("forked_code")
@pytest.mark.parametrize(("processes", "notes"), [(6, 25), pytest.param(20, 50, marks=pytest.mark.thorough)])
def test_many_processes_with_many_notes_each_leave_all_of_them_in_one_chain(
    tmp_path: Path, processes: int, notes: int
) -> None:
    folder = opened(tmp_path)
    writers = [start(NOTES, folder, f"writer-{number}", notes) for number in range(processes)]
    told = [line for process in writers for line in process.communicate()[0].splitlines()]
    assert [process.returncode for process in writers] == [0] * processes
    entries = read_entries(folder)
    assert len(entries) == processes * notes + 1
    assert sorted(entry.text for entry in entries[1:]) == sorted(told)
    assert verify(folder) == RecordVerification(folder.name, processes * notes + 1, entries[-1].sha256, (), ())


@pytest.mark.usefixtures("forked_code")
@pytest.mark.parametrize("kills", [8, pytest.param(30, marks=pytest.mark.thorough)])
def test_a_kill_at_any_moment_loses_nothing_that_was_acknowledged(tmp_path: Path, kills: int) -> None:
    found = kill_while_noting(tmp_path, kills)
    assert found.is_safe, found
    assert found.told >= kills


@pytest.mark.usefixtures("forked_code")
def test_a_kill_while_incidents_are_opened_leaves_a_register_that_can_be_read_and_adopted(tmp_path: Path) -> None:
    found = kill_while_opening(tmp_path, 3)
    assert found.is_safe, found
    assert found.told >= 3


@pytest.mark.parametrize("cut", [1, 60, 200])
def test_a_line_without_an_end_is_a_killed_writers_and_is_cut_off(tmp_path: Path, cut: int) -> None:
    folder = opened(tmp_path)
    before = (folder / RECORD_FILE).read_bytes()
    note(writer(folder), "never told to anybody")
    timeline = folder / TIMELINE_FILE
    timeline.write_bytes(timeline.read_bytes()[:-cut])
    (folder / RECORD_FILE).write_bytes(before)

    found = verify(folder)
    assert (found.is_intact, len(found.notes)) == (True, 1)
    assert "unfinished write" in found.notes[0]
    note(writer(folder), "next")
    kinds = [entry.kind for entry in read_entries(folder)]
    assert kinds == [EntryKind.OPENED, EntryKind.RECOVERED, EntryKind.NOTE]
    assert verify(folder).notes == ()


def test_a_whole_entry_that_the_record_does_not_know_yet_is_taken_over(tmp_path: Path) -> None:
    folder = opened(tmp_path)
    before = (folder / RECORD_FILE).read_bytes()
    acknowledge(writer(folder))
    (folder / RECORD_FILE).write_bytes(before)

    found = verify(folder)
    assert (found.is_intact, len(found.notes)) == (True, 1)
    note(writer(folder), "next")
    incident = read_incident(folder)
    assert incident is not None
    assert incident.status is IncidentStatus.ACKNOWLEDGED
    assert [entry.kind.value for entry in read_entries(folder)] == ["OPENED", "ACKNOWLEDGED", "RECOVERED", "NOTE"]


def test_an_opening_that_was_killed_half_way_can_be_finished(tmp_path: Path) -> None:
    folder = opened(tmp_path)
    (folder / RECORD_FILE).unlink()
    assert verify(folder).is_intact
    note(writer(folder), "next")
    assert [entry.kind.value for entry in read_entries(folder)] == ["OPENED", "RECOVERED", "NOTE"]

    torn = opened(tmp_path)
    (torn / RECORD_FILE).unlink()
    (torn / TIMELINE_FILE).write_bytes((torn / TIMELINE_FILE).read_bytes()[:100])
    assert read_incident(torn) is None
    adopt(torn, by_hand(Severity.SEV_1, "Again"), "ada", NOON)
    assert [entry.text for entry in read_entries(torn)] == ["opened by hand: Again"]
    assert verify(torn).is_intact


@pytest.mark.parametrize("step", [5, pytest.param(1, marks=pytest.mark.thorough)])
def test_every_single_altered_byte_of_the_timeline_is_found_and_its_row_named(tmp_path: Path, step: int) -> None:
    folder = opened(tmp_path, "zażółć \u202e 'q' \\ \"x\"")
    note(writer(folder), "errors fall since 12:04")
    content = (folder / TIMELINE_FILE).read_bytes()
    for at in range(0, len(content), step):
        found = mutated(folder, TIMELINE_FILE, at)
        row = content[:at].count(b"\n") + 1
        assert not found.is_intact, f"byte {at + 1} {content[at : at + 1]!r}"
        assert f"row {row}" in found.faults[0], (at, found.faults)


@pytest.mark.parametrize("step", [3, pytest.param(1, marks=pytest.mark.thorough)])
def test_every_single_altered_byte_of_the_record_is_found_and_the_byte_or_field_named(
    tmp_path: Path, step: int
) -> None:
    folder = opened(tmp_path)
    note(writer(folder), "one")
    content = (folder / RECORD_FILE).read_bytes()
    start_of_head = content.index(b'"timeline"')
    for at in range(0, len(content), step):
        found = mutated(folder, RECORD_FILE, at)
        assert not found.is_intact, f"byte {at + 1} {content[at : at + 1]!r}"
        assert RECORD_FILE in found.faults[0] or "timeline" in found.faults[0]
        if at < start_of_head and f"byte {at + 1}:" not in found.faults[0]:
            # a byte that is no JSON any more: the reader names row or character
            assert "altered: " in found.faults[0], (at, found.faults)


def test_an_exchanged_value_of_the_record_is_named_by_its_field(tmp_path: Path) -> None:
    folder = opened(tmp_path)
    path = folder / RECORD_FILE
    path.write_text(path.read_text(encoding="utf-8").replace('"SEV-2"', '"SEV-4"'), encoding="utf-8")
    (fault,) = verify(folder).faults
    assert fault.endswith("not what the timeline says: severity")


def test_removed_exchanged_and_forged_entries_are_found(tmp_path: Path) -> None:
    folder = opened(tmp_path)
    for text in ("one", "two", "three"):
        note(writer(folder), text)
    path = folder / TIMELINE_FILE
    lines = path.read_bytes().splitlines(keepends=True)
    for kept in ([0, 1, 3], [0, 2, 1, 3], [0, 1, 2], [1, 2, 3], [0, 1, 2, 3, 3], []):
        path.write_bytes(b"".join(lines[n] for n in kept))
        assert not verify(folder).is_intact, kept
    other = opened(tmp_path)
    for text in ("one", "two", "forged"):
        note(writer(other), text)
    shutil.copy(other / TIMELINE_FILE, path)
    assert not verify(folder).is_intact


def test_nothing_is_written_to_a_timeline_whose_end_was_cut_off(tmp_path: Path) -> None:
    folder = opened(tmp_path)
    note(writer(folder), "one")
    path = folder / TIMELINE_FILE
    path.write_bytes(path.read_bytes()[:-40])
    content = path.read_bytes()
    with pytest.raises(VerificationError, match="the end was cut off"):
        note(writer(folder), "two")
    (folder / RECORD_FILE).unlink()
    path.write_bytes(content + b"\n")
    with pytest.raises(VerificationError, match=r"incident\.json is missing"):
        note(writer(folder), "two")
    assert path.read_bytes() == content + b"\n"


def test_a_record_that_cannot_be_locked_can_still_be_verified(tmp_path: Path) -> None:
    folder = opened(tmp_path)
    (folder / LOCK_FILE).unlink()
    (folder / LOCK_FILE).mkdir()  # as little of a lock as a medium that is read only
    assert verify(folder).is_intact
    with pytest.raises(OSError, match="directory"):
        note(writer(folder), "text")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no permission bits")
def test_records_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    folder = opened(tmp_path)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert modes == dict.fromkeys((RECORD_FILE, TIMELINE_FILE, LOCK_FILE), 0o600)


def test_of_many_responders_exactly_one_is_the_first_to_acknowledge(tmp_path: Path) -> None:
    folder = opened(tmp_path)

    def take(number: int) -> str:
        try:
            acknowledge(writer(folder, f"responder {number}"))
        except InputError as error:
            return str(error)
        return "mine"

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(take, range(8)))
    assert answers.count("mine") == 1
    winner = answers.index("mine")
    assert all(f"by responder {winner}" in answer for answer in answers if answer != "mine")


HOSTILE = (
    "two\nlines\r\nand a tab\t",
    "\x1b[31mred\x1b[0m \x07\x00",
    "$(rm -rf ~); `id`; ' OR 1=1 --",
    "# heading\n```\n<script>alert(1)</script>\n| a | b |",
    "invoice\u202egpj.exe \u2028 \u200b",
    "x" * 10_000,
    "\udc80 a byte that was no UTF-8",
    "नेपाल \U0001f680",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_kept_word_for_word_and_stays_one_line_of_the_file(tmp_path: Path, text: str) -> None:
    folder = opened(tmp_path, text)
    note(Writer(folder, text, NOON), text)
    acknowledge(writer(folder))
    resolve(writer(folder), text)
    entries = read_entries(folder)
    incident = read_incident(folder)
    assert incident is not None
    assert (entries[1].text, entries[1].actor, incident.title, incident.resolution) == (text, text, text, text)
    lines = (folder / TIMELINE_FILE).read_bytes().splitlines()
    assert len(lines) == 4
    assert [json.loads(line)["seq"] for line in lines] == [1, 2, 3, 4]
    assert verify(folder).is_intact


def test_an_entry_that_would_make_the_timeline_too_long_to_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = opened(tmp_path)
    before = (folder / TIMELINE_FILE).read_bytes()
    monkeypatch.setattr(journal, "MAX_TIMELINE_BYTES", len(before) + 1000)
    with pytest.raises(
        InputError, match=r"timeline.jsonl: \d+ bytes, and the entry has \d+; up to .* nothing was written"
    ):
        note(writer(folder), "x" * 1000)
    assert (folder / TIMELINE_FILE).read_bytes() == before
    note(writer(folder), "x" * 100)
    assert verify(folder).is_intact


def with_notes(folder: Path, count: int) -> None:
    """Add notes as writers would, without waiting for the disk each time."""
    state = read_state(folder)
    lines, head = (folder / TIMELINE_FILE).read_bytes(), state.head
    for number in range(count):
        text = f'note "{number}" \\ {"ü" * 50}'
        entry = seal(Draft(EntryKind.NOTE, text, {}), head.count + 1, NOON, "ada", head.sha256)
        lines += line_of(entry)
        head = Head(entry.seq, len(lines), entry.sha256)
    (folder / TIMELINE_FILE).write_bytes(lines)
    (folder / RECORD_FILE).write_text(record_text(JournalState(state.facts, head)), encoding="ascii")


def calls_of_a_note(folder: Path) -> int:
    """Functions that `tars incident note` calls, after a first one has imported them."""
    words = ["incident", "note", folder.name, "it falls", "--incidents-dir", str(folder.parent)]
    made = 0

    def count(*event: object) -> None:
        nonlocal made
        made += event[1] == "call"

    for is_counted in (False, True):
        sys.setprofile(count if is_counted else None)
        try:
            done = CliRunner().invoke(cli, words)
        finally:
            sys.setprofile(None)
        assert done.exit_code == 0, done.output
    return made


def test_a_note_costs_the_same_behind_hundreds_of_others(tmp_path: Path) -> None:
    folder = opened(tmp_path)
    before = calls_of_a_note(folder)
    with_notes(folder, 500)
    # one of them is looked at in one call; to read one takes some hundred
    assert calls_of_a_note(folder) < before + 2 * 500
    assert verify(folder).is_intact


@pytest.mark.parametrize("at", [-10, -100, -200])
def test_an_altered_note_is_told_also_where_notes_are_passed_over(tmp_path: Path, at: int) -> None:
    folder = opened(tmp_path)
    with_notes(folder, 3)
    assert [entry.kind for entry in read_entries(folder, with_notes=False)] == [EntryKind.OPENED]
    path = folder / TIMELINE_FILE
    written = bytearray(path.read_bytes())
    written[at] ^= 1
    path.write_bytes(written)
    with pytest.raises(VerificationError, match="row 4: altered"):
        read_entries(folder, with_notes=False)


@pytest.mark.usefixtures("forked_code")
def test_a_text_without_an_end_and_a_closed_stdin_are_refused_with_one_line(tmp_path: Path) -> None:
    folder = opened(tmp_path)
    words = ["incident", "note", folder.name, "-", "--incidents-dir", str(tmp_path)]
    done = CliRunner().invoke(cli, words, input="x" * (MAX_TEXT_BYTES + 1))
    assert (done.exit_code, f"up to {MAX_TEXT_BYTES} are allowed" in done.stderr) == (1, True)
    code = "import sys; sys.stdin = None; from tars_lib.cli.main import main; main()"
    closed = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False)
    assert (closed.returncode, closed.stderr) == (1, "error: -: stdin is closed; a text on it is needed\n")
    assert len(read_entries(folder)) == 1
