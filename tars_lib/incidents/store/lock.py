"""One writer at a time in an incident's folder: who holds its lock, and is that one still there?

The operating system keeps the lock and frees it when its holder ends. Beside it stands who took it, so that whoever waits in
vain is told a busy lock from a stale one: a process that the holder had started may keep it, and so may a network file system.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from tars_lib.errors import InputError
from tars_lib.text.times import SECONDS

LOCK_FILE = ".lock"
HOLDER_FILE = ".lock.holder"
"""Who took the lock; there while it is held, and after a kill until the next one takes it."""
PATIENCE = 60.0
"""Seconds to wait for other writers; judgement: a write takes about 10 ms, so thousands may stand in line."""
_POLL = 0.02
_PRIVATE = 0o600
_LONGEST = 1000
_PLAIN = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the incident's lock; the operating system lets go of it when the holder dies.

    Raise InputError if others hold it for longer than `PATIENCE`; the message says who, and whether that process lives.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(folder / LOCK_FILE, mode=_PRIVATE)
    try:
        lock.acquire(timeout=PATIENCE, poll_interval=_POLL)
    except Timeout as error:
        raise InputError(
            f"{folder}: {LOCK_FILE} was held for {PATIENCE:.0f} s; {_holder(folder)}; nothing was written"
        ) from error
    except NotImplementedError as error:
        raise InputError(
            f"{folder}: the file system has no locks; a local folder is needed; nothing was written"
        ) from error
    try:
        _sign(folder)
        yield
    finally:
        # what was done is done: a lock that cannot be given back is freed when this process ends
        with suppress(OSError):
            (folder / HOLDER_FILE).unlink(missing_ok=True)
        with suppress(OSError):
            lock.release()


def _sign(folder: Path) -> None:
    """Note who holds the lock; a full disk does not keep a writer from trying."""
    since = datetime.now(UTC).replace(microsecond=0)
    note = {"pid": os.getpid(), "host": socket.gethostname(), "since": f"{since:{SECONDS}}"}
    with suppress(OSError), os.fdopen(os.open(folder / HOLDER_FILE, _PLAIN, _PRIVATE), "w", encoding="ascii") as file:
        json.dump(note, file)


def _holder(folder: Path) -> str:
    """Say who holds the lock, and whether it is busy or stale, as far as it can be known."""
    try:
        with (folder / HOLDER_FILE).open("rb") as file:
            note = json.loads(file.read(_LONGEST))
        pid, host, since = int(note["pid"]), str(note["host"]), str(note["since"])
    except (OSError, ValueError, KeyError, TypeError):
        return "who holds it is not known; try again"
    who = f"process {pid} took it at {since}"
    if host != socket.gethostname() or sys.platform == "win32":
        return f"{who} on {host[:100]}: busy if it lives there; try again"
    if _lives(pid):
        return f"{who} and lives: busy; try again"
    return (
        f"{who} and has ended: stale, kept by a process that it started or by a network file system; "
        f"where no other `tars` writes there, remove {LOCK_FILE} and try again"
    )


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # another user's
        return True
    return True
