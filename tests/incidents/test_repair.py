"""A published head shows a record that was made anew; a record and a timeline that part are shown and mended, with an entry."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tars_lib.cli.main import cli
from tars_lib.incidents.response.acts import Writer, acknowledge, note
from tars_lib.incidents.response.opening import by_hand, open_incident
from tars_lib.incidents.store.journal import RECORD_FILE, read_entries, read_incident
from tars_lib.incidents.store.record import IncidentStatus
from tars_lib.incidents.store.timeline import TIMELINE_FILE, EntryKind
from tars_lib.incidents.store.verification import verify
from tars_lib.model.names import Severity

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
TEXTS = ["opened by hand: Slow", "one", "two", "acknowledged", "three"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Five entries; the fourth sets fields of the record."""
    monkeypatch.setenv("TARS_INCIDENTS_DIR", str(tmp_path / "incidents"))
    monkeypatch.setenv("TARS_ACTOR", "eve")
    written = open_incident(tmp_path / "incidents", by_hand(Severity.SEV_2, "Slow"), "ada", NOON)
    place = tmp_path / "incidents" / written.incident.incident_id
    writer = Writer(place, "ada", NOON)
    note(writer, "one")
    note(writer, "two")
    acknowledge(writer)
    note(writer, "three")
    return place


def tars(*words: object) -> Result:
    return CliRunner().invoke(cli, ["incident", *map(str, words)])


def lines(folder: Path) -> list[bytes]:
    return (folder / TIMELINE_FILE).read_bytes().splitlines(keepends=True)


def cut(folder: Path) -> None:
    (folder / TIMELINE_FILE).write_bytes(b"".join(lines(folder)[:3]))


def alter(folder: Path) -> None:
    there = lines(folder)
    there[2] = there[2].replace(b"two", b"2wo")
    (folder / TIMELINE_FILE).write_bytes(b"".join(there))


def exchange(folder: Path) -> None:
    there = lines(folder)
    (folder / TIMELINE_FILE).write_bytes(b"".join([*there[:2], there[3], there[2], there[2], there[4]]))


def tear(folder: Path) -> None:
    there = lines(folder)
    (folder / TIMELINE_FILE).write_bytes(b"".join(there[:4]) + there[4][:40])


def lose(folder: Path) -> None:
    (folder / RECORD_FILE).unlink()


def spoil(folder: Path) -> None:
    (folder / RECORD_FILE).write_bytes(b"{")


def contradict(folder: Path) -> None:
    record = json.loads((folder / RECORD_FILE).read_text())
    (folder / RECORD_FILE).write_text(json.dumps({**record, "severity": "SEV-4"}))


@pytest.mark.parametrize(
    ("harm", "kept", "shown"),
    [
        (cut, [0, 1, 2], "up to entry 3"),
        (alter, [0, 1, 3, 4], "rows 3"),
        (exchange, [0, 1, 2, 3, 4], "entries 3, 4, 5"),
        (tear, [0, 1, 2, 3], "rows 5"),
        (lose, [0, 1, 2, 3, 4], "incident.json: missing"),
        (spoil, [0, 1, 2, 3, 4], "altered: "),
        (contradict, [0, 1, 2, 3, 4], "severity"),
    ],
)
def test_a_fork_is_shown_and_mended_with_every_whole_entry_and_nothing_thrown_away(
    folder: Path, harm: Callable[[Path], None], kept: list[int], shown: str
) -> None:
    before = read_entries(folder)
    harm(folder)
    found = {path.name: path.read_bytes() for path in folder.iterdir()}
    looked = tars("repair", folder.name)
    assert (looked.exit_code, shown in " ".join(looked.output.split())) == (1, True), looked.output
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == found
    done = tars("repair", folder.name, "--reason", "the disk lied")
    assert done.exit_code == 0, done.output
    entries = read_entries(folder)
    assert [(one.time, one.actor, one.kind, one.text, one.data) for one in entries[:-1]] == [
        (before[n].time, before[n].actor, before[n].kind, before[n].text, before[n].data) for n in kept
    ]
    assert (entries[-1].kind, entries[-1].actor) == (EntryKind.REPAIRED, "eve")
    assert "record repaired: the disk lied" in entries[-1].text
    incident = read_incident(folder)
    assert incident is not None
    assert incident.status is (IncidentStatus.ACKNOWLEDGED if 3 in kept else IncidentStatus.OPEN)
    for name, aside in (
        (TIMELINE_FILE, "timeline.before-repair-1.jsonl"),
        (RECORD_FILE, "incident.before-repair-1.json"),
    ):
        assert found.get(name) == ((folder / aside).read_bytes() if (folder / aside).exists() else None)
    checked = verify(folder)
    assert (checked.is_intact, "tells of a repair by eve" in checked.notes[0]) == (True, True)
    assert tars("note", folder.name, "later").exit_code == 0
    assert tars("repair", folder.name).output.endswith("nothing is to be mended\n")


def test_what_a_dying_writer_left_and_an_intact_record_are_no_fork(folder: Path) -> None:
    assert tars("repair", folder.name, "--reason", "why not").exit_code == 0
    with (folder / TIMELINE_FILE).open("ab") as file:
        file.write(lines(folder)[4][:30])
    assert tars("repair", folder.name).exit_code == 0
    assert len(read_entries(folder)) == 5


def test_without_its_own_opening_nothing_is_mended(folder: Path, tmp_path: Path) -> None:
    written = (folder / TIMELINE_FILE).read_bytes()
    (folder / TIMELINE_FILE).write_bytes(written.replace(b"Slow", b"Fast", 1))
    done = tars("repair", folder.name, "--reason", "why")
    assert (done.exit_code, "opened it is not as it was written" in done.output) == (1, True)
    other = open_incident(tmp_path / "incidents", by_hand(Severity.SEV_2, "Other"), "ada", NOON).incident.incident_id
    shutil.copy(folder.parent / other / TIMELINE_FILE, folder)
    done = tars("repair", folder.name, "--reason", "why")
    assert (done.exit_code, f"the timeline is that of {other}" in done.output) == (1, True)
    assert not list(folder.glob("*before-repair*"))


def test_a_note_on_an_altered_record_is_told_as_written_since_it_is(folder: Path) -> None:
    alter(folder)
    done = tars("note", folder.name, "four")
    assert (done.exit_code, done.stdout) == (0, "Written: entry 6\n")
    assert f"tars incident repair {folder.name}" in done.stderr
    assert b"four" in lines(folder)[5]


def test_a_published_head_shows_a_chain_that_was_made_anew(folder: Path, tmp_path: Path) -> None:
    published = tmp_path / "ticket.txt"
    published.write_text(f"Noted today:\n  {tars('head', folder.name).stdout}Thanks!\n")
    note(Writer(folder, "ada", NOON), "four")
    for given in (published, published.read_text()):
        assert tars("verify", folder.name, "--head", given).exit_code == 0
    # a whole new chain under the same name, as whoever owns the folder can write it
    shutil.rmtree(folder)
    forged = open_incident(folder.parent, by_hand(Severity.SEV_4, "Nothing"), "ada", NOON)
    assert forged.incident.incident_id == folder.name
    for text in ("one", "two", "three", "four"):
        note(Writer(folder, "ada", NOON), text)
    assert tars("verify", folder.name).exit_code == 0
    done = tars("verify", folder.name, "--head", published)
    assert (done.exit_code, "was published: the record was rewritten" in " ".join(done.output.split())) == (1, True)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{id} entry 6 sha256 " + "0" * 64, "entry 6 was published, and there are 5"),
        ("INC-209901010000 entry 1 sha256 " + "0" * 64, "none of the published heads is of"),
        ("{id} entry 5", "no head in it"),
    ],
)
def test_a_head_that_cannot_be_compared_is_no_success(folder: Path, text: str, told: str) -> None:
    done = tars("verify", folder.name, "--head", text.format(id=folder.name))
    assert (done.exit_code, told in " ".join(done.output.split())) == (1, True), done.output


def test_without_an_id_every_intact_record_has_a_line_and_an_altered_one_is_named(folder: Path) -> None:
    open_incident(folder.parent, by_hand(Severity.SEV_2, "Other"), "ada", NOON)
    (folder.parent / "INC-202605041300").mkdir()
    assert len(tars("head").stdout.splitlines()) == 2
    alter(folder)
    done = tars("head")
    assert (done.exit_code, len(done.stdout.splitlines()), f"{folder}: timeline.jsonl, row 3" in done.stderr) == (
        1,
        1,
        True,
    )


def test_a_clock_that_goes_backwards_moves_no_entry(folder: Path) -> None:
    before = lines(folder)
    note(Writer(folder, "ada", datetime(2020, 1, 1, tzinfo=UTC)), "written before it was opened")
    assert lines(folder)[:5] == before
    assert read_entries(folder)[-1].text == "written before it was opened"
    assert verify(folder).is_intact
    folders = [
        open_incident(folder.parent, by_hand(Severity.SEV_2, "Again"), "ada", NOON).incident.incident_id for _ in "ab"
    ]
    assert folders == [f"{folder.name}-2", f"{folder.name}-3"]
