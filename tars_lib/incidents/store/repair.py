"""Repair of a record and a timeline that part: they become one again without anything being thrown away.

A file system that lies about what it did, a synchronised folder, or somebody's editor can leave a record that its timeline
does not add up to. Mending keeps every entry that is as it was written: those that are chained from the first on stay, later
ones are entered again behind them, with digests of their own. Both files as they were found stay beside, and an entry says what
was done and why, so that no reader takes a mended record for one that was never touched.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tars_lib.errors import InputError, VerificationError
from tars_lib.files.atomic import write_bytes
from tars_lib.files.reading import sha256_hex
from tars_lib.incidents.store.journal import (
    RECORD_FILE,
    JournalState,
    Written,
    facts_in,
    incident_of,
    is_copy,
    record_text,
    split_lines,
)
from tars_lib.incidents.store.lock import locked
from tars_lib.incidents.store.record import Head
from tars_lib.incidents.store.timeline import GENESIS, TIMELINE_FILE, Draft, Entry, EntryKind, line_of, parse_line, seal
from tars_lib.incidents.store.verification import RecordFiles, judge, read_files


@dataclass(frozen=True, slots=True)
class Fork:
    """Point at which the two files part.

    Attributes
    ----------
    faults : tuple of str
        What is wrong, as `verify` says it.
    kept : tuple of Entry
        Entries that are as they were written and chained from the first on.
    loose : tuple of Entry
        Entries that are as they were written and follow no other any more, in the order in which they were written.
    lost : tuple of int
        Rows of the timeline that are no entry as it was written.
    said : Head or None
        The end of the timeline as the record has it; None where it cannot be read.
    """

    faults: tuple[str, ...]
    kept: tuple[Entry, ...]
    loose: tuple[Entry, ...]
    lost: tuple[int, ...]
    said: Head | None


def find_fork(folder: Path) -> Fork | None:
    """Look where record and timeline part; None where they do not, or where the next write puts it right.

    Raise InputError if the folder holds neither file, and VerificationError if it is a redacted copy.
    """
    return _fork(folder, read_files(folder))


def mend(folder: Path, reason: str, actor: str, time: datetime) -> Written | None:
    """Make the two files one again; None where nothing is to be mended.

    Raise VerificationError if what is left has no opening of this incident, so that no record can be made of it.
    """
    with locked(folder):
        files = read_files(folder, is_locked=True)
        fork = _fork(folder, files)
        if fork is None:
            return None
        entries = [*fork.kept]
        for entry in fork.loose:
            draft = Draft(entry.kind, entry.text, entry.data)
            entries.append(seal(draft, len(entries) + 1, entry.time, entry.actor, _last(entries)))
        _state(folder, entries)
        aside = _set_aside(folder, files)
        draft_of_repair = Draft(
            EntryKind.REPAIRED, "; ".join([f"record repaired: {reason}", *describe(fork), *aside]), {}
        )
        entries.append(seal(draft_of_repair, len(entries) + 1, time, actor, _last(entries)))
        state = _state(folder, entries)
        write_bytes(folder / TIMELINE_FILE, b"".join(line_of(entry) for entry in entries), is_private=True)
        write_bytes(folder / RECORD_FILE, record_text(state).encode("ascii"), is_private=True)
        return Written(incident_of(state, folder), entries[-1])


def describe(fork: Fork) -> Iterator[str]:
    """Yield a fork in words, a sentence each."""
    yield fork.faults[0]
    ending = f"entry {len(fork.kept)}" if fork.kept else "the beginning"
    yield f"chained and as they were written: up to {ending}"
    if fork.lost:
        yield f"no entries as they were written: rows {', '.join(map(str, fork.lost))}"
    if fork.loose:
        numbers = ", ".join(str(entry.seq) for entry in fork.loose)
        begin = len(fork.kept) + 1
        yield f"written, but not chained to these: entries {numbers}; entered again from {begin} on"
    if fork.said is not None:
        yield f"{RECORD_FILE} says that entry {fork.said.count} is the last, with the digest {fork.said.sha256}"


def _fork(folder: Path, files: RecordFiles) -> Fork | None:
    if is_copy(files.state):
        raise VerificationError(f"{folder}: a redacted copy of the incident; the original is what can be mended")
    faults = judge(folder, files, with_runs=False).faults
    if not faults:
        return None
    chained: list[Entry] = []
    loose: dict[str, Entry] = {}
    lost: list[int] = []
    lines, torn = split_lines(files.timeline)
    for row, line in enumerate([*lines, *([torn] if torn else [])], 1):
        try:
            entry = parse_line(line, f"{TIMELINE_FILE}, row {row}")
        except VerificationError:
            lost.append(row)
            continue
        if not loose and not lost and (entry.seq, entry.previous) == (len(chained) + 1, _last(chained)):
            chained.append(entry)
        elif all(entry.sha256 != known.sha256 for known in chained):
            loose.setdefault(entry.sha256, entry)
    ordered = sorted(loose.values(), key=lambda entry: entry.seq)
    stated_head = files.state.head if files.state.facts is not None else None
    return Fork(faults, tuple(chained), tuple(ordered), tuple(lost), stated_head)


def _last(entries: list[Entry]) -> str:
    return entries[-1].sha256 if entries else GENESIS


def _state(folder: Path, entries: list[Entry]) -> JournalState:
    size = sum(len(line_of(entry)) for entry in entries)
    state = JournalState(facts_in(entries), Head(len(entries), size, _last(entries)))
    try:
        name = incident_of(state, folder).incident_id
    except InputError as error:
        raise VerificationError(
            f"{folder}: the entry that opened it is not as it was written, so no record can be made of the others; "
            "take both files from a bundle or a backup"
        ) from error
    if name != folder.name:
        raise VerificationError(f"{folder}: the timeline is that of {name}; nothing was mended")
    return state


def _set_aside(folder: Path, files: RecordFiles) -> list[str]:
    """Keep both files as they were found, under the first free number."""
    number = 1
    while any((folder / name).exists() for name in _aside(number)):
        number += 1
    sentences = []
    for name, content in zip(_aside(number), (files.timeline, files.record), strict=True):
        if content is not None:
            write_bytes(folder / name, content, is_private=True, only_new=True)
            sentences.append(f"{name} is what was found, sha256 {sha256_hex(content)}")
    return sentences


def _aside(number: int) -> tuple[str, str]:
    return f"timeline.before-repair-{number}.jsonl", f"incident.before-repair-{number}.json"
