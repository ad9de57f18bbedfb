"""Writing to an incident: many writers at once, and a kill at any moment.

Order of a write, under the folder's lock: the entry goes to the end of `timeline.jsonl` and to disk, then `incident.json` with
the new head is written beside, flushed and renamed. The timeline is the truth and the record follows from it, so a
writer that dies leaves one of three things, and the next writer puts it right:

- nothing, or a line without an end: it is cut off. Nobody was told that it is there.
- a whole entry beyond the head: it is taken over into the record.
- a folder without a record: it has none yet.

Bytes before the head are never a dying writer's. If they are missing, the timeline was altered, and writing is refused.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tars_lib.errors import InputError, VerificationError
from tars_lib.files.atomic import SAFE, append, flush_folder, rename
from tars_lib.files.json_records import dumps, from_json
from tars_lib.files.limits import MAX_TIMELINE_BYTES
from tars_lib.files.reading import is_there, open_regular, read_json, read_whole
from tars_lib.incidents.store.lock import locked
from tars_lib.incidents.store.record import Head, Incident
from tars_lib.incidents.store.timeline import (
    GENESIS,
    TIMELINE_FILE,
    Draft,
    Entry,
    EntryKind,
    follow,
    is_intact_note,
    line_of,
    parse_copy,
    parse_line,
    seal,
)

RECORD_FILE = "incident.json"
REDACTED_FROM = "redacted_from"
"""Key of `incident.json` that a redacted copy has: digests of the record and the timeline that it was made from."""
_NEW_FILE = ".incident.json.new"

Facts = dict[str, Any]
"""Fields of `incident.json` but `timeline`, as JSON values."""


@dataclass(frozen=True, slots=True)
class JournalState:
    """Content of a folder: the record's fields (None: no record) and the head of its timeline."""

    facts: Facts | None
    head: Head


@dataclass(frozen=True, slots=True)
class Written:
    """An entry that is on disk, and the record after it."""

    incident: Incident
    entry: Entry


def write(folder: Path, make: Callable[[Incident | None], Draft], actor: str, time: datetime) -> Written:
    """Add an entry and bring the record up to date; both are on disk when this returns.

    Parameters
    ----------
    make : callable
        Given the record as it stands (None: there is none), returns the entry to write; it raises to refuse.

    Raises
    ------
    VerificationError
        If the timeline was altered; nothing is written.
    InputError
        If the record cannot be read, or whatever `make` raises.
    """
    with locked(folder):
        # what a dying writer left is put right, and said; where not even the opening was whole, there is nothing to say it in
        state, repairs = settle(folder)
        for repair in repairs if state.facts is not None else ():
            state, _ = _add(folder, state, Draft(EntryKind.RECOVERED, repair, {}), actor, time)
        draft = make(None if state.facts is None else incident_of(state, folder))
        state, entry = _add(folder, state, draft, actor, time)
        return Written(incident_of(state, folder), entry)


def _add(folder: Path, state: JournalState, draft: Draft, actor: str, time: datetime) -> tuple[JournalState, Entry]:
    entry = seal(draft, state.head.count + 1, time, actor, state.head.sha256)
    line = line_of(entry)
    if state.head.bytes + len(line) > MAX_TIMELINE_BYTES:
        # what is longer could be written, and then nobody could read it
        raise InputError(
            f"{folder / TIMELINE_FILE}: {state.head.bytes} bytes, and the entry has {len(line)}; "
            f"up to {MAX_TIMELINE_BYTES} are allowed; nothing was written"
        )
    after = JournalState((state.facts or {}) | dict(entry.data), _grown(state.head, line, entry))
    incident_of(after, folder)  # refuses before anything is written
    try:
        # what a dying writer left beyond the settled timeline is cut off first
        append(folder / TIMELINE_FILE, line, state.head.bytes)
        _replace_record(folder, after)
    except OSError as error:
        if not _is_entered(folder, after):
            # what the caller is told was not written must not be found later: the next writer would take it for a dying one's
            why = error.strerror or error
            if not _take_back(folder, state.head.bytes):
                raise InputError(f"{folder}: it is not known whether the entry was written: {why}") from error
            raise InputError(f"{folder}: the entry was not written: {why}") from error
    flush_folder(folder)
    return after, entry


def settle(folder: Path) -> tuple[JournalState, list[str]]:
    """Return the state that the timeline implies, and sentences that say what a dying writer left behind.

    Nothing is changed on disk: the next write cuts and takes over what is reported here.

    Raise VerificationError if something is not as it was written and no dying writer explains it, and InputError if the
    record cannot be read.
    """
    state = read_state(folder)
    if is_copy(state):
        raise VerificationError(f"{folder}: a redacted copy of the incident; nothing can be added to it")
    path = folder / TIMELINE_FILE
    size = path.stat().st_size if path.exists() else 0
    if size < state.head.bytes:
        raise VerificationError(
            f"{path}: {size} bytes where {RECORD_FILE} says {state.head.bytes}: the end was cut off; nothing was written"
        )
    if size == state.head.bytes:
        return state, []
    with open_regular(path, str(path), MAX_TIMELINE_BYTES) as file:
        file.seek(state.head.bytes)
        rest = file.read()
    whole, torn = split_lines(rest)
    if state.facts is None and len(whole) > 1:
        raise VerificationError(
            f"{folder}: {RECORD_FILE} is missing, but {TIMELINE_FILE} holds {len(whole)} entries; nothing was written"
        )
    repairs = []
    for line in whole:
        where = f"{path}, row {state.head.count + 1}"
        entry = parse_line(line, where)
        follow(entry, state.head.count, state.head.sha256, where)
        state = JournalState((state.facts or {}) | dict(entry.data), _grown(state.head, line, entry))
        repairs.append(f"entry {entry.seq} was written, but not yet entered in the record; it is taken over")
    if torn:
        repairs.append(f"{len(torn)} bytes of an unfinished write were cut off")
    return state, repairs


def read_state(folder: Path) -> JournalState:
    """Return the record as `incident.json` has it. Raise InputError if the file cannot be read."""
    path = folder / RECORD_FILE
    if not is_there(path, str(path)):
        return JournalState(None, Head(0, 0, GENESIS))
    content = read_json(path, str(path))
    if not isinstance(content, dict) or not isinstance(content.get("timeline"), dict):
        raise InputError(f"{path}: no record of an incident; `timeline` is missing")
    head = from_json(Head, content.pop("timeline"), f"{path}.timeline")
    return JournalState(content, head)


def read_incident(folder: Path) -> Incident | None:
    """Return the record; None where there is none. Raise InputError if it cannot be read."""
    state = read_state(folder)
    return None if state.facts is None else incident_of(state, folder)


def read_entries(folder: Path, *, with_notes: bool = True) -> list[Entry]:
    """Return the entries up to the head, oldest first; those of a redacted copy as they stand in it.

    Without notes, which are compared with their digests all the same, a record of thousands is read as fast as one of ten.

    Raise VerificationError if one was altered.
    """
    state = read_state(folder)
    path = folder / TIMELINE_FILE
    content = read_whole(path, str(path), MAX_TIMELINE_BYTES)[: state.head.bytes] if path.exists() else b""
    lines, _ = split_lines(content)
    parse = parse_copy if is_copy(state) else parse_line
    return [
        parse(line, f"{path}, row {row}") for row, line in enumerate(lines, 1) if with_notes or not is_intact_note(line)
    ]


def is_copy(state: JournalState) -> bool:
    """Return whether this is the redacted copy of an incident, as a bundle holds it; nothing is written to one."""
    return state.facts is not None and state.facts.get(REDACTED_FROM) is not None


def record_text(state: JournalState) -> str:
    """`incident.json` as it is written."""
    return dumps({**(state.facts or {}), "timeline": state.head}, ensure_ascii=True)


def incident_of(state: JournalState, folder: Path) -> Incident:
    """Return the record as a dataclass."""
    content: Mapping[str, object] = json.loads(record_text(state))
    return from_json(Incident, content, str(folder / RECORD_FILE))


def split_lines(content: bytes) -> tuple[list[bytes], bytes]:
    r"""Return whole lines with their newline, and what stands after the last one.

    Examples
    --------
    >>> split_lines(b"one\ntwo\nthr")
    ([b'one\n', b'two\n'], b'thr')
    """
    end = content.rfind(b"\n") + 1
    return [line + b"\n" for line in content[:end].split(b"\n")[:-1]], content[end:]


def facts_in(entries: Iterable[Entry]) -> Facts:
    """Return the fields of the record that entries set, later ones in place of earlier."""
    facts: Facts = {}
    for entry in entries:
        facts |= entry.data
    return facts


def _grown(head: Head, line: bytes, entry: Entry) -> Head:
    return Head(head.count + 1, head.bytes + len(line), entry.sha256)


def _is_entered(folder: Path, after: JournalState) -> bool:
    """Return whether the record on disk has the new head: over a network a rename may succeed and be reported as failed.

    Cutting the entry off then would leave a record that speaks of more than there is.

    Raise InputError if the record cannot be read, so that nobody knows; the entry stays, and the next writer settles it.
    """
    try:
        return read_state(folder).head == after.head
    except InputError as error:
        raise InputError(f"{folder}: it is not known whether the entry was written: {error}") from error


def _take_back(folder: Path, at: int) -> bool:
    """Cut off an entry whose record could not be written, and look whether it is gone."""
    with suppress(OSError):
        (folder / _NEW_FILE).unlink(missing_ok=True)
    path = folder / TIMELINE_FILE
    with suppress(OSError):
        handle = os.open(path, os.O_WRONLY | SAFE)
        try:
            if os.fstat(handle).st_size > at:
                os.ftruncate(handle, at)
                os.fsync(handle)
        finally:
            os.close(handle)
    try:
        about = path.lstat()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    # a link or a folder in its place was not written to
    return not stat.S_ISREG(about.st_mode) or about.st_size <= at


def _replace_record(folder: Path, state: JournalState) -> None:
    """Replace `incident.json` in one step. The name beside is fixed: the lock's holder alone writes it."""
    new_file = folder / _NEW_FILE
    handle = os.open(new_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | SAFE, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(record_text(state).encode("ascii"))
        file.flush()
        os.fsync(file.fileno())
    rename(new_file, folder / RECORD_FILE)
