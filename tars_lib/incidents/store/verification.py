"""Is an incident's record what was written? Names every entry, byte and field that is not.

Four things are compared: each entry with its digest and its canonical line, each with the one before it, the end with the
head in `incident.json`, and `incident.json` with what the entries add up to. The runs that the record rests on are compared
with their digests.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tars_lib.errors import InputError, VerificationError
from tars_lib.files.json_records import read_json
from tars_lib.files.limits import MAX_JSON_BYTES, MAX_TIMELINE_BYTES
from tars_lib.files.reading import read_whole, sha256_of
from tars_lib.incidents.store.journal import (
    RECORD_FILE,
    JournalState,
    facts_in,
    incident_of,
    is_copy,
    read_state,
    record_text,
    split_lines,
)
from tars_lib.incidents.store.lock import locked
from tars_lib.incidents.store.record import Head, Incident, RunReference
from tars_lib.incidents.store.timeline import (
    GENESIS,
    TIMELINE_FILE,
    Entry,
    EntryKind,
    follow,
    is_redacted,
    parse_copy,
    parse_line,
)
from tars_lib.text.times import MINUTES

_MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class RecordVerification:
    """Outcome. `faults`: something was altered. `notes`: what a dying writer, a moved run or redaction explains."""

    incident_id: str
    entries: int
    head: str
    faults: tuple[str, ...]
    notes: tuple[str, ...]
    is_redacted: bool = False

    @property
    def is_intact(self) -> bool:
        """Return whether everything is as it was written."""
        return not self.faults


@dataclass(frozen=True, slots=True)
class RecordFiles:
    """Both files as they are (`record` None: there is none), what the record says, and what makes it unreadable."""

    timeline: bytes
    record: bytes | None
    state: JournalState
    faults: tuple[str, ...]


def verify(folder: Path, *, with_runs: bool = True) -> RecordVerification:
    """Compare an incident with its digests; nothing is changed.

    Parameters
    ----------
    with_runs : bool
        Compare the runs that the record rests on as well.

    Raises
    ------
    InputError
        If the folder holds neither record nor timeline, or cannot be read.
    """
    return judge(folder, read_files(folder), with_runs=with_runs)


def read_files(folder: Path, *, is_locked: bool = False) -> RecordFiles:
    """Read both files of an incident, as one writer left them.

    Raise InputError if the folder holds neither, or one cannot be read.
    """
    record, timeline = folder / RECORD_FILE, folder / TIMELINE_FILE
    if not record.exists() and not timeline.exists():
        raise InputError(f"{folder}: no {RECORD_FILE} and no {TIMELINE_FILE} in it; there is nothing to verify")
    if is_locked:
        return _read(folder)
    try:
        with locked(folder):
            return _read(folder)
    except OSError:
        # a medium that takes no lock takes no writer either
        return _read(folder)


def judge(folder: Path, files: RecordFiles, *, with_runs: bool) -> RecordVerification:
    """Compare what was read with its digests."""
    written, text, state = files.timeline, files.record, files.state
    if is_copy(state):
        return _copy(folder.name, written, state)
    faults = list(files.faults)
    entries, ends, bad = _entries(written, state.head.bytes)
    faults += bad
    notes = [
        f"entry {entry.seq} tells of a repair by {entry.actor} at {entry.time:{MINUTES}}; read it first"
        for entry in entries
        if entry.kind is EntryKind.REPAIRED
    ]
    _, torn = split_lines(written)
    if torn and (text is None or len(written) - len(torn) >= state.head.bytes):
        notes.append(
            f"{TIMELINE_FILE}: {len(torn)} bytes of an unfinished write at the end; the next write cuts them off"
        )
    if text is None and (len(entries) > 1 or not entries):
        faults.append(f"{RECORD_FILE}: missing, and {TIMELINE_FILE} holds {len(entries)} whole entries")
    if text is not None and not faults:
        faults += _head(state.head, entries, ends, len(written))
    if text is not None and not faults:
        faults += _record(text, state.head, entries[: state.head.count])
    extra = len(entries) - state.head.count
    if extra > 0 and not faults:
        notes.append(f"{extra} whole entries are not yet entered in the record; the next write takes them over")
    if with_runs and state.facts is not None and not faults:
        for where, what, is_fault in _runs(incident_of(state, folder), folder):
            (faults if is_fault else notes).append(f"{where}: {what}")
    return RecordVerification(folder.name, len(entries), state.head.sha256, tuple(faults), tuple(notes))


def _copy(incident_id: str, written: bytes, state: JournalState) -> RecordVerification:
    """Judge a redacted copy: what can still be compared is the links, the head, and entries that held nothing to remove."""
    lines, torn = split_lines(written)
    faults: list[str] = []
    previous, altered = GENESIS, 0
    for row, line in enumerate(lines, 1):
        where = f"{TIMELINE_FILE}, row {row}"
        try:
            entry = parse_copy(line, where)
            follow(entry, row - 1, previous, where)
        except VerificationError as error:
            faults.append(str(error))
            break
        previous = entry.sha256
        altered += is_redacted(line)
    if not faults and (torn or len(written) != state.head.bytes or len(lines) != state.head.count):
        faults.append(f"{TIMELINE_FILE}: {len(lines)} entries where {RECORD_FILE} says {state.head.count}")
    if not faults and previous != state.head.sha256:
        faults.append(f"{RECORD_FILE}.timeline: does not name the end of entry {state.head.count}")
    notes = [
        f"redacted: {altered} of {len(lines)} entries; the chain of the original cannot be checked on this copy but for its "
        f"head {state.head.sha256}, its links, and the entries that were not redacted",
        f"{RECORD_FILE} was not compared with the entries; redaction-report.json has the digests of both originals",
    ]
    return RecordVerification(incident_id, len(lines), state.head.sha256, tuple(faults), tuple(notes), is_redacted=True)


def _read(folder: Path) -> RecordFiles:
    record, timeline = folder / RECORD_FILE, folder / TIMELINE_FILE
    written = read_whole(timeline, str(timeline), MAX_TIMELINE_BYTES) if timeline.exists() else b""
    text = read_whole(record, str(record), MAX_JSON_BYTES) if record.exists() else None
    try:
        return RecordFiles(written, text, read_state(folder), ())
    except InputError as error:
        return RecordFiles(written, text, JournalState(None, Head(0, 0, GENESIS)), (f"altered: {error}",))


def _entries(written: bytes, head_bytes: int) -> tuple[list[Entry], list[int], list[str]]:
    """Return whole entries with the byte that each ends at, and what is wrong with the first bad one."""
    lines, torn = split_lines(written)
    entries: list[Entry] = []
    ends: list[int] = []
    start, previous = 0, GENESIS
    for row, line in enumerate(lines, 1):
        end = start + len(line)
        where = f"{TIMELINE_FILE}, row {row}, bytes {start + 1} to {end}"
        try:
            entry = parse_line(line, where)
            follow(entry, len(entries), previous, where)
        except VerificationError as error:
            return entries, ends, [str(error)]
        entries.append(entry)
        ends.append(end)
        start, previous = end, entry.sha256
    if torn and start < head_bytes:
        where = f"{TIMELINE_FILE}, row {len(lines) + 1}, bytes {start + 1} to {start + len(torn)}"
        return entries, ends, [f"{where}: altered: the line does not end where {RECORD_FILE} says"]
    return entries, ends, []


def _head(head: Head, entries: list[Entry], ends: list[int], size: int) -> list[str]:
    if not 0 < head.count <= len(entries):
        return [
            f"{TIMELINE_FILE}: {len(entries)} whole entries in {size} bytes where {RECORD_FILE} says {head.count}: "
            "the end was cut off, or the record's head altered"
        ]
    last = entries[head.count - 1]
    if (last.sha256, ends[head.count - 1]) != (head.sha256, head.bytes):
        return [
            f"{RECORD_FILE}.timeline: does not name the end of entry {head.count}: that entry or the head was altered"
        ]
    return []


def _record(text: bytes, head: Head, entries: list[Entry]) -> list[str]:
    facts = facts_in(entries)
    expected = record_text(JournalState(facts, head)).encode("ascii")
    if text == expected:
        return []
    difference = next((n for n, pair in enumerate(zip(text, expected, strict=False)) if pair[0] != pair[1]), None)
    byte = min(len(text), len(expected)) if difference is None else difference
    row = text[:byte].count(b"\n") + 1
    stated = {key: value for key, value in json.loads(text).items() if key != "timeline"}
    fields = sorted(key for key in stated.keys() | facts.keys() if stated.get(key) != facts.get(key))
    named = f"; not what the timeline says: {', '.join(fields)}" if fields else ""
    return [f"{RECORD_FILE}, row {row}, byte {byte + 1}: altered{named}"]


def _runs(incident: Incident, folder: Path) -> Iterator[tuple[str, str, bool]]:
    """Say what is wrong with the runs of the record, and whether it is a fault: a run that was moved is none."""
    for name, run in (("before", incident.before), ("after", incident.after)):
        if run is not None:
            yield from _run(name, run, folder / run.path)


def _run(name: str, run: RunReference, folder: Path) -> Iterator[tuple[str, str, bool]]:
    where = f"{name} ({run.run_id})"
    manifest = folder / _MANIFEST
    if not manifest.is_file():
        yield where, f"not at {run.path} any more, so it was not checked", False
        return
    if sha256_of(manifest) != run.manifest_sha256:
        yield where, f"{_MANIFEST} altered since it was recorded", True
        return
    # the manifest is what was recorded, so its form is known
    for entry in read_json(manifest)["files"]:
        path = folder / str(entry["path"])
        if not path.is_file():
            yield where, f"{path.name} missing", True
        elif sha256_of(path) != entry["sha256"]:
            yield where, f"{path.name} altered", True
