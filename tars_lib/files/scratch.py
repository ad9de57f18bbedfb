"""Private folders in the system's temporary folder: all are named in one way, and what a process that died left is swept.

Each is ``tars-<use>-<random>``, for its owner alone, and holds a lock for as long as its process lives, so that another
process, also one of another container on the same machine, can tell a folder in use from a leftover.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal, get_args

Use = Literal["evidence", "kernel", "package", "pdf", "sign", "store", "verify"]
LOCK_FILE = "in-use.lock"
SETTLING_SECONDS = 60.0
"""How long a folder may stand without content: its owner has made it and not locked it yet; judgement."""
_CONTENT = "content"
"""Made once the lock is held; before, nobody else may try the lock, which would keep the owner from taking it."""
_NAME = re.compile(rf"tars-(?:{'|'.join(get_args(Use))})-[a-z0-9_]{{8}}")


@contextmanager
def scratch(use: Use) -> Iterator[Path]:
    """Make an empty folder for one use, and remove it at the end; leftovers of processes that died go first.

    Raises
    ------
    OSError
        If there is no folder for temporary files that can be written to.
    """
    from filelock import FileLock

    _sweep()
    folder = Path(tempfile.mkdtemp(prefix=f"tars-{use}-")).resolve()
    lock = FileLock(folder / LOCK_FILE)
    try:
        lock.acquire(timeout=0)
        content = folder / _CONTENT
        content.mkdir(mode=0o700)
        yield content
    finally:
        lock.release()
        shutil.rmtree(folder, ignore_errors=True)


def _sweep() -> None:
    """Remove this user's folders whose process is gone."""
    with suppress(OSError), os.scandir(tempfile.gettempdir()) as there:
        names = [entry.path for entry in there if _NAME.fullmatch(entry.name) and _is_ours(entry)]
        for path in names:
            if _is_left(Path(path)):
                shutil.rmtree(path, ignore_errors=True)


def _is_ours(entry: os.DirEntry[str]) -> bool:
    """Return whether it is a folder of this user's, and no link to one."""
    try:
        about = entry.stat(follow_symlinks=False)
        is_owned = not hasattr(os, "getuid") or about.st_uid == os.getuid()
        return is_owned and entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _is_left(folder: Path) -> bool:
    """Return whether nobody holds the folder's lock."""
    from filelock import FileLock, Timeout

    try:
        if not (folder / _CONTENT).is_dir():
            return time.time() - folder.stat().st_mtime > SETTLING_SECONDS
        lock = FileLock(folder / LOCK_FILE)
        lock.acquire(timeout=0)
        lock.release()
    except (Timeout, OSError):
        return False
    return True
