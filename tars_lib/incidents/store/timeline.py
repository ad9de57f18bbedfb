"""The timeline's entries: one canonical JSON line each, bound to the one before it by its digest.

An entry's `sha256` is that of its own line without the key `sha256`; `previous` is the digest of the entry before. A changed
byte breaks the entry that holds it, a removed or exchanged entry breaks the one after it, and the end is kept outside, in
`incident.json`. This is the linked list of Haber and Stornetta, "How to time-stamp a digital document" (1991),
https://doi.org/10.1007/BF00196791. It shows an alteration to whoever holds one later digest; it cannot stop someone who
rewrites every entry and the record as well.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from tars_lib.errors import InputError, VerificationError
from tars_lib.files.json_records import dumps, from_json, to_json
from tars_lib.model.names import Name

TIMELINE_FILE = "timeline.jsonl"
GENESIS = "0" * 64
"""`previous` of the first entry."""
_NOTE = re.compile(
    rb'\{"actor": "[^"\\]*(?:\\.[^"\\]*)*", "data": \{\}, "kind": "NOTE", "previous": "[0-9a-f]{64}", "seq": [0-9]+, '
    rb'(?P<own>"sha256": "(?P<digest>[0-9a-f]{64})", )"text": "[^"\\]*(?:\\.[^"\\]*)*", "time": "[0-9T:.-]+Z"\}\n'
)


class EntryKind(Name):
    """Subject of an entry."""

    OPENED = "OPENED"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    NOTE = "NOTE"
    FACT = "FACT"
    RUN = "RUN"
    CONTAINMENT = "CONTAINMENT"
    ESCALATED = "ESCALATED"
    UPDATE = "UPDATE"
    NOTIFIED = "NOTIFIED"
    ACTION_ITEM = "ACTION_ITEM"
    REVIEW = "REVIEW"
    RESOLVED = "RESOLVED"
    CLOSED = "CLOSED"
    REOPENED = "REOPENED"
    RECOVERED = "RECOVERED"
    REPAIRED = "REPAIRED"
    HELD = "HELD"
    RELEASED = "RELEASED"
    CUSTODY = "CUSTODY"


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry that is to be written: `data` holds the fields of the record that it sets."""

    kind: EntryKind
    text: str
    data: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of `timeline.jsonl`. `text` is verbatim; `data` holds the fields of `incident.json` that the entry set."""

    seq: int
    time: datetime
    actor: str
    kind: EntryKind
    text: str
    data: Mapping[str, Any]
    previous: str
    sha256: str = ""


def seal(draft: Draft, seq: int, time: datetime, actor: str, previous: str) -> Entry:
    """Make an entry of a draft: its place in the chain and its digest."""
    content = to_json(draft.data)
    assert isinstance(content, dict)  # noqa: S101 - a mapping becomes an object
    entry = Entry(seq, time, actor, draft.kind, draft.text, content, previous)
    return replace(entry, sha256=digest(entry))


def digest(entry: Entry) -> str:
    """Return the digest of everything in an entry but the digest itself."""
    content = to_json(entry)
    assert isinstance(content, dict)  # noqa: S101 - a dataclass becomes an object
    del content["sha256"]
    return hashlib.sha256(dumps(content, indent=None, ensure_ascii=True).encode("ascii")).hexdigest()


def line_of(entry: Entry) -> bytes:
    """Return the entry's line: sorted keys, ASCII, a final newline, so that no character can end a line or be lost."""
    return dumps(entry, indent=None, ensure_ascii=True).encode("ascii")


def parse_line(line: bytes, where: str) -> Entry:
    """Read an entry back and check it against its digest.

    Raises
    ------
    VerificationError
        If it is not the line that was written.
    """
    try:
        entry = from_json(Entry, json.loads(line), where)
    except (ValueError, RecursionError, InputError) as error:
        raise VerificationError(f"{where}: altered: {' '.join(str(error).split())[:160]}") from error
    if digest(entry) != entry.sha256:
        raise VerificationError(f"{where}: altered: entry {entry.seq} does not match its sha256")
    written = line_of(entry)
    if written != line:
        difference = next(
            (n for n, pair in enumerate(zip(line, written, strict=False)) if pair[0] != pair[1]), len(written)
        )
        raise VerificationError(f"{where}: altered: not as it was written from byte {difference + 1} of the row on")
    return entry


def is_intact_note(line: bytes) -> bool:
    """Return whether a line is a note that matches its digest, without the cost of `parse_line`.

    A note sets no field of the record. Other lines, and notes that were altered, are for `parse_line`.
    """
    match = _NOTE.fullmatch(line)
    if match is None:
        return False
    begin, end = match.span("own")
    return hashlib.sha256(line[:begin] + line[end:]).hexdigest().encode("ascii") == match["digest"]


def is_redacted(line: bytes) -> bool:
    """Return whether a line says that redaction altered it; only the copy in a bundle may."""
    try:
        content = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(content, dict) and isinstance(content.get("redacted"), list)


def parse_copy(line: bytes, where: str) -> Entry:
    """Read an entry of a redacted copy: one that redaction altered keeps the digest of its original, so it has none of its own.

    Raise VerificationError if it is no entry, or one that redaction did not alter is not the line that was written.
    """
    if not is_redacted(line):
        return parse_line(line, where)
    try:
        return from_json(Entry, json.loads(line), where)
    except InputError as error:
        raise VerificationError(f"{where}: altered: {' '.join(str(error).split())[:160]}") from error


def follow(entry: Entry, count: int, previous: str, where: str) -> None:
    """Check that an entry follows `count` others, the last of which has the digest `previous`.

    Raise VerificationError if it does not.
    """
    if entry.seq != count + 1:
        raise VerificationError(f"{where}: entry {entry.seq} stands where entry {count + 1} belongs")
    if entry.previous != previous:
        raise VerificationError(
            f"{where}: entry {entry.seq} does not follow the entry before it; one of them was altered"
        )
