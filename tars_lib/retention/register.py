"""The archive's register: one line for everything that was archived, deleted, held or released, each bound to the one before.

The register is written before the original goes, so whatever it does not name is still where it was.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from tars_lib.errors import InputError, VerificationError
from tars_lib.files.atomic import append, make_folder
from tars_lib.files.json_records import dumps, from_json
from tars_lib.files.limits import MAX_TIMELINE_BYTES
from tars_lib.files.reading import is_there, read_whole, sha256_hex, sha256_of
from tars_lib.model.names import Name
from tars_lib.retention.policy import Kind

REGISTER_FILE = "register.jsonl"
LOCK_FILE = ".lock"
_START = "0" * 64


class Deed(Name):
    """Deed on a thing. A legal hold on what is in the archive stands here; any other in the incident's timeline."""

    ARCHIVED = "ARCHIVED"
    DELETED = "DELETED"
    HELD = "HELD"
    RELEASED = "RELEASED"


@dataclass(frozen=True, slots=True)
class RegisterLine:
    """One line. `archive` is the file below the archive's folder, null where nothing was kept; `content_sha256` is over all
    files of the thing with their paths, `sha256` that of the archive's file. `previous` is the digest of the line before.
    """

    time: datetime
    actor: str
    deed: Deed
    kind: Kind
    name: str
    source: str
    since: datetime
    names: tuple[str, ...]
    archive: str | None
    sha256: str | None
    content_sha256: str
    size: int
    reason: str
    previous: str = _START


@dataclass(frozen=True, slots=True)
class Archived:
    """Something in the archive: what it was, since when its age counts, and the file that holds it."""

    kind: Kind
    name: str
    source: str
    since: datetime
    names: tuple[str, ...]
    archive: str
    sha256: str
    content_sha256: str
    size: int
    archived_at: datetime


def archive_of(incidents: Path) -> Path:
    """Return the archive of a register of incidents: the folder ``archive`` beside it."""
    return incidents.parent / "archive"


def fault_in(archive: Path, item: Archived) -> str:
    """Say what is wrong with an archived file; empty where it is what the register says."""
    try:
        digest = sha256_of(archive / item.archive)
    except OSError as error:
        return f"{archive / item.archive}: {error.strerror}"
    return "" if digest == item.sha256 else f"{archive / item.archive}: not what the register says"


def read_lines(archive: Path) -> list[RegisterLine]:
    """Return all lines, oldest first; what a killed writer left without an end is not one.

    Raise VerificationError if a line was altered; the message names the row.
    """
    return [line for line, _ in _read(archive / REGISTER_FILE)[0]]


def archived(lines: list[RegisterLine]) -> list[Archived]:
    """List what is in the archive now, in the order in which it came."""
    by_file: dict[str, Archived] = {}
    for line in lines:
        if line.deed is Deed.ARCHIVED and line.archive is not None and line.sha256 is not None:
            by_file[line.archive] = Archived(
                line.kind,
                line.name,
                line.source,
                line.since,
                line.names,
                line.archive,
                line.sha256,
                line.content_sha256,
                line.size,
                line.time,
            )
        elif line.deed is Deed.DELETED and line.archive is not None:
            by_file.pop(line.archive, None)
    return list(by_file.values())


def add(archive: Path, line: RegisterLine) -> None:
    """Write a line to the end, and to disk; the caller holds the lock.

    Raise OSError if it cannot be written; it names the register, and half a line that is left is cut off by the next.
    """
    path = archive / REGISTER_FILE
    known, size = _read(path)
    previous = sha256_hex(known[-1][1]) if known else _START
    content = dumps(replace(line, previous=previous), indent=None, ensure_ascii=True).encode("ascii")
    try:
        append(path, content, size)
    except OSError as error:  # a full disk does not say of which file
        raise OSError(error.errno, f"the line was not written: {error.strerror}", str(path)) from error


@contextmanager
def locked(archive: Path) -> Iterator[None]:
    """Be the only one who archives and deletes. Raise InputError if somebody else is at it."""
    from filelock import FileLock, Timeout

    make_folder(archive)
    lock = FileLock(archive / LOCK_FILE, mode=0o600)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise InputError(f"{archive}: another command works on the archive; nothing was done") from error
    try:
        yield
    finally:
        lock.release()


def _read(path: Path) -> tuple[list[tuple[RegisterLine, bytes]], int]:
    """Return lines with their bytes, and where the last whole one ends."""
    if not is_there(path, str(path)):
        return [], 0
    content = read_whole(path, str(path), MAX_TIMELINE_BYTES)
    end = content.rfind(b"\n") + 1
    entries: list[tuple[RegisterLine, bytes]] = []
    previous = _START
    for row, raw in enumerate(content[:end].splitlines(keepends=True), 1):
        try:
            line = from_json(RegisterLine, json.loads(raw), f"{path}, row {row}")
        except (ValueError, RecursionError, InputError) as error:
            raise VerificationError(f"{path}, row {row}: altered: {' '.join(str(error).split())[:160]}") from error
        if line.previous != previous:
            raise VerificationError(f"{path}, row {row}: altered: it does not follow the row before it")
        previous = sha256_hex(raw)
        entries.append((line, raw))
    return entries, end
