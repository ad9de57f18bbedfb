"""Write files and folders whole or not at all: what is being written has a name of its own until it is complete."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

PARTIAL = ".partial"
"""How the name of everything ends that is not whole yet."""
LEFTOVER_SECONDS = 86_400.0
"""Age at which what is not whole never will be; judgement: a writer works for seconds, and clocks may differ by hours."""
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
SAFE = getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
"""Flags of a file that is written where it stands: a link is not followed and a pipe not waited for, where the system can."""
_IN_THE_WAY = (errno.EEXIST, errno.ENOTDIR, errno.ELOOP)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text so that the file is there whole or not at all.

    Raise OSError if the folder cannot be written to.
    """
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes, *, is_private: bool = False, only_new: bool = False) -> None:
    """Write a file beside its place, flush it to disk and rename it into place.

    A link that stands in its place is replaced and not followed. Leftovers of a writer that died a day ago are removed.

    Parameters
    ----------
    is_private : bool
        For the owner alone (0600) where the system has modes; else as the umask says.
    only_new : bool
        Replace nothing: of two writers of one name, the second is refused.

    Raises
    ------
    FileExistsError
        If `only_new`, and something has the name.
    OSError
        If it cannot be written; it names `path`, and nothing is left behind.
    """
    with _staged(path, content, is_private=is_private) as temporary:
        if only_new:
            _claim(temporary, path)
        else:
            rename(temporary, path)


def append(path: Path, content: bytes, at: int) -> None:
    """Write at the end of a private file, and to disk; what stands beyond `at` is cut off first."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | SAFE, 0o600)
    with os.fdopen(handle, "wb", buffering=0) as file:
        file.truncate(at)
        file.seek(at)
        rest = memoryview(content)
        while rest:
            rest = rest[file.write(rest) :]
        os.fsync(file.fileno())


def write_together(files: Mapping[Path, bytes | Path]) -> None:
    """Write files that belong together: all are on disk before the first gets its name, so a full disk leaves the old ones.

    Parameters
    ----------
    files : mapping of Path to bytes or Path
        Content, or a file of `staged_file` that holds it. They get their names in this order.

    Raises
    ------
    OSError
        If one cannot be written; it names that one, and no file is replaced unless a rename itself failed.
    """
    with ExitStack() as stack:
        staged: list[tuple[Path, Path]] = []
        for path, content in files.items():
            if isinstance(content, Path):
                _flush_file(content)
                staged.append((content, path))
            else:
                staged.append((stack.enter_context(_staged(path, content)), path))
        for temporary, path in staged:
            rename(temporary, path)


@contextmanager
def staged_file(path: Path) -> Iterator[Path]:
    """A name beside a file's place for a writer that fills it piece by piece; removed unless it was renamed into place.

    Leftovers of a writer that died a day ago are removed.

    Raise OSError if the folder cannot be written to.
    """
    make_folder(path.parent)
    stem = f".{path.name[:50]}."
    temporary = path.parent / f"{stem}{secrets.token_hex(8)}{PARTIAL}"
    os.close(os.open(temporary, _NEW, 0o666))
    try:
        for old in leftovers(path.parent, stem, temporary.lstat().st_mtime):
            old.unlink(missing_ok=True)
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def _flush_file(path: Path) -> None:
    handle = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _staged(path: Path, content: bytes, *, is_private: bool = False) -> Iterator[Path]:
    """A file beside its place, on disk; inside it is renamed into place, after that the name is brought to disk."""
    if not path.name:  # an empty text, such as that of a variable that is not set, is the path of this folder
        raise IsADirectoryError(errno.EISDIR, "a folder is there; a file is needed", str(path))
    make_folder(path.parent)
    stem = f".{path.name[:50]}."
    temporary = path.parent / f"{stem}{secrets.token_hex(8)}{PARTIAL}"
    try:
        handle = os.open(temporary, _NEW, 0o600 if is_private else 0o666)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            made_at = os.fstat(file.fileno()).st_mtime
        yield temporary
    except OSError as error:
        temporary.unlink(missing_ok=True)
        if error.filename not in (
            None,
            str(temporary),
            temporary,
        ):  # of another file that is written together with this
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    flush_folder(path.parent)
    for old in leftovers(path.parent, stem, made_at):
        old.unlink(missing_ok=True)


def rename(temporary: Path, path: Path) -> None:
    """Give a file its name, in place of whatever has it; after an error look which file has it now.

    A rename may be done and be reported as failed: a network file system asks again where an answer was lost.

    Raise OSError if it was not renamed.
    """
    about = temporary.lstat()
    try:
        temporary.replace(path)
    except OSError:
        if os.path.lexists(temporary) or not _is_same(about, path):
            raise


def _is_same(about: os.stat_result, path: Path) -> bool:
    try:
        return os.path.samestat(about, path.lstat())
    except OSError:
        return False


def _claim(temporary: Path, path: Path) -> None:
    """Rename a file unless something else has the name."""
    about = temporary.lstat()
    try:
        # one step that never replaces; a rename does, but for Windows
        os.link(temporary, path)
    except OSError as error:
        if not _is_same(about, path):
            if isinstance(error, FileExistsError):
                raise
            if os.path.lexists(path):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from error
            rename(temporary, path)  # a file system without hard links
            return
    temporary.unlink()


@contextmanager
def staged_folder(parent: Path, stem: str) -> Iterator[Path]:
    """Make a folder to be filled beside its place; what is not renamed into place inside is removed.

    Leftovers of a writer that died a day ago are removed.

    Parameters
    ----------
    stem : str
        How the folder's hidden name begins, with its leading dot.

    Raises
    ------
    OSError
        If `parent` cannot be written to.
    """
    make_folder(parent)
    staged = parent / f"{stem}{secrets.token_hex(8)}{PARTIAL}"
    staged.mkdir()
    for old in leftovers(parent, stem, staged.lstat().st_mtime):
        shutil.rmtree(old, ignore_errors=True)
    try:
        yield staged
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def replace_folder(staged: Path, target: Path) -> None:
    """Put a finished folder into place; what stands there is moved aside first and removed last.

    Raise OSError if it cannot be renamed; what stood there stands there again.
    """
    aside = staged.with_suffix(".old")
    is_replaced = target.exists()
    if is_replaced:
        target.rename(aside)
    try:
        staged.rename(target)
    except OSError:
        if is_replaced:
            aside.rename(target)
        raise
    flush_folder(target.parent)
    if is_replaced:
        shutil.rmtree(aside, ignore_errors=True)


def make_folder(folder: Path) -> None:
    """Make a folder for output, with those above it, unless it is there.

    Raise OSError if it cannot be made; where something else has its name, or that of one above it, the message says what.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        if error.errno not in _IN_THE_WAY:
            raise
        there = next((parent for parent in (folder, *folder.parents) if os.path.lexists(parent)), folder)
        what = "a link that leads nowhere" if there.is_symlink() and not there.exists() else "no folder"
        where = "" if there == folder else f"{there} is "
        raise OSError(error.errno, f"{where}{what}, where a folder is needed", str(folder)) from error


def flush_folder(folder: Path) -> None:
    """Bring the names in a folder to disk, where the system can: a rename is durable then."""
    try:
        handle = os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
    except OSError:  # Windows opens no folders
        return
    try:
        os.fsync(handle)
    except OSError:  # a file system that has no such thing
        return
    finally:
        os.close(handle)


def leftovers(folder: Path, stem: str, now: float) -> list[Path]:
    """List what a writer that died left in a folder: hidden names that begin with `stem`, a day older than `now`.

    Parameters
    ----------
    now : float
        Time of a file that was just written, in seconds: the file system's own clock.
    """
    left = []
    with os.scandir(folder) as there:
        for entry in there:
            if entry.name.startswith(stem) and entry.name.endswith(PARTIAL):
                with suppress(FileNotFoundError):  # somebody else was faster
                    if now - entry.stat(follow_symlinks=False).st_mtime > LEFTOVER_SECONDS:
                        left.append(Path(entry.path))
    return left
