"""Reading files that other people made: only regular files, only up to a size, and only from inside their root.

A pipe or device would block or never end, a link can lead to a file that the report must not hold, and a folder may
stand where a file belongs. Each is refused with the file's name and what was found there.
"""

from __future__ import annotations

import codecs
import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from typing import Any

from tars_lib.errors import InputError, TarsError
from tars_lib.files.limits import MAX_JSON_BYTES, MAX_JSON_DEPTH
from tars_lib.files.unpacking import unpacked

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
# a text in JSON, with its escapes
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_HALF = re.compile(r"\\u[dD][89a-fA-F]")
_ONE_KIND = bytes.maketrans(b"{}", b"[]")
_NO_BRACKET = bytes(byte for byte in range(256) if byte not in b"[]{}")


def is_there(path: Path, label: str, refuse: type[TarsError] = InputError) -> bool:
    """Return whether anything has this name, a link that leads nowhere included.

    Raise `refuse` if the folders on the way may not be looked into.
    """
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError) as error:
        raise refuse(f"{label}: cannot be read: {_why(error)}") from error
    return True


def inside(path: Path, root: Path, label: str, refuse: type[TarsError] = InputError) -> Path:
    """Return the path, once it is known that it does not lead out of the root over a link.

    Parameters
    ----------
    root : Path
        May be a link itself: it was named by the user.

    Raises
    ------
    TarsError
        Of the type `refuse`, if a link on the way leads elsewhere, nowhere or in a circle.
    """
    try:
        leads_to = path.resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as error:
        raise refuse(f"{label}: a link that leads nowhere; a file is needed") from error
    if not leads_to.is_relative_to(real(root)):
        raise refuse(f"{label}: a link leads out of the root; a file inside it is needed, a copy for instance")
    return path


def real(path: Path) -> Path:
    """Return where a path leads, also if a link leads nowhere or in a circle: `Path.resolve` may refuse a circle."""
    return Path(os.path.realpath(path))


def open_regular(path: Path, label: str, at_most: int, refuse: type[TarsError] = InputError) -> BufferedReader:
    """Open a regular file of at most `at_most` bytes for reading; a pipe is not waited for.

    Raise `refuse` if it is anything else, larger, or cannot be opened.
    """
    try:
        # looked at before it is opened, because opening a device can move it, and after, because names can change
        _refuse_kind(path.stat().st_mode, label, refuse)
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (OSError, ValueError) as error:
        raise refuse(f"{label}: cannot be read: {_why(error)}") from error
    about = os.fstat(handle)
    try:
        _refuse_kind(about.st_mode, label, refuse)
        if about.st_size > at_most:
            raise refuse(f"{label}: {about.st_size} bytes; up to {at_most} are allowed")
    except TarsError:
        os.close(handle)
        raise
    return os.fdopen(handle, "rb")


def read_whole(path: Path, label: str, at_most: int, refuse: type[TarsError] = InputError) -> bytes:
    """Return the content of a regular file.

    Raise `refuse` as `open_regular` does, or if it grew beyond `at_most` while it was read.
    """
    with open_regular(path, label, at_most, refuse) as file:
        try:
            content = file.read(at_most + 1)
        except OSError as error:
            raise refuse(f"{label}: cannot be read: {_why(error)}") from error
    if len(content) > at_most:
        raise refuse(f"{label}: more than {at_most} bytes; up to {at_most} are allowed")
    return content


def read_utf8(path: Path, label: str, at_most: int, refuse: type[TarsError] = InputError) -> str:
    """Return the text of a regular file in UTF-8, with or without a byte-order mark.

    Raise `refuse` as `read_whole` does, or if it is not UTF-8; the message names the row.
    """
    content = read_whole(path, label, at_most, refuse)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise refuse(f"{label}, row {row_of(content, error.start)}: {not_utf8(content, error)}") from error


def read_exported(path: Path, label: str, at_most: int) -> str:
    """Text of a file that another program wrote: in UTF-8, or in UTF-16 with a mark at its begin, as spreadsheets save it.

    A packed file is unpacked. Lines that end with a carriage return alone end with a line feed.

    Raises
    ------
    InputError
        As `read_utf8` and `unpacked` do.
    """
    content = unpacked(read_whole(path, label, at_most), label, at_most)
    is_wide = content[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    try:
        text = content.decode("utf-16" if is_wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        if is_wide:
            raise InputError(f"{label}: begins as UTF-16 and is none; save it as UTF-8") from error
        raise InputError(f"{label}, row {row_of(content, error.start)}: {not_utf8(content, error)}") from error
    if "\0" in text:
        raise InputError(f"{label}: characters U+0000, as in UTF-16 without a mark or in no text; save it as UTF-8")
    return text if "\n" in text else text.replace("\r", "\n")


def read_json(path: Path, label: str, refuse: type[TarsError] = InputError) -> Any:
    """Return the content of a JSON file.

    Raise `refuse` as `read_utf8` does, or if it is not JSON, or nested too deep; the message names the row.
    """
    return parse_json(read_utf8(path, label, MAX_JSON_BYTES, refuse), label, refuse)


def sha256_of(path: Path) -> str:
    """Return the digest of a file, read in pieces: whatever somebody put in its place takes no memory."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_hex(content: bytes) -> str:
    """Return the digest of bytes, as manifests write it."""
    return hashlib.sha256(content).hexdigest()


def parse_json(text: str, label: str, refuse: type[TarsError] = InputError) -> Any:
    """Return the values of JSON text.

    Raise `refuse` if it is not JSON, nested too deep, or a key stands twice in one object: readers differ in which of the
    two they keep.
    """
    too_deep = f"{label}: nested deeper than {MAX_JSON_DEPTH} levels"
    # brackets inside texts may make it look deeper than it is, so a suspect is looked at again without them
    if _is_deep(text) and _is_deep(_QUOTED.sub("", text)):
        raise refuse(too_deep)
    try:
        return json.loads(text, object_pairs_hook=_distinct_keys)
    except json.JSONDecodeError as error:
        raise refuse(f"{label}, row {error.lineno}: not valid JSON: {error.msg}") from error
    except RecursionError as error:
        raise refuse(too_deep) from error
    except ValueError as error:
        raise refuse(f"{label}: cannot be read: {_why(error)}") from error


def _distinct_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build an object, once no key stands twice in it."""
    built = dict(pairs)
    if len(built) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                values = json.dumps([item for name, item in pairs if name == key], ensure_ascii=False)[1:-1][:80]
                raise ValueError(f"key {key[:60]!r} stands twice in one object, as {values}; one of them is meant")
            seen.add(key)
    return built


def refuse_halves(content: Any, text: str, label: str) -> None:
    """Refuse halves of surrogate pairs, which JSON may escape and UTF-8 cannot carry.

    Raise InputError if a text in `content`, the values of the JSON text `text`, has one.
    """
    if _HALF.search(text) is None:
        return
    try:
        json.dumps(content, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise InputError(f"{label}: half of a surrogate pair is not allowed; whole characters are") from error


def _is_deep(text: str) -> bool:
    """Return whether brackets nest deeper than is allowed: each pass takes the innermost pairs away."""
    pairs = text.encode("utf-8", "replace").translate(_ONE_KIND, _NO_BRACKET)
    for _ in range(MAX_JSON_DEPTH):
        before, pairs = len(pairs), pairs.replace(b"[]", b"")
        if len(pairs) == before:
            return False
    return b"[]" in pairs


def row_of(content: bytes, byte: int) -> int:
    """Return the row, from 1, in which a byte stands."""
    return content.count(b"\n", 0, byte) + 1


def not_utf8(content: bytes, error: UnicodeDecodeError) -> str:
    """Say what is wrong with bytes that are no UTF-8."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "UTF-16 is not allowed; UTF-8 is"
    return f"{content[error.start : error.start + 8]!r} is not UTF-8 text; UTF-8 is allowed"


def entries(folder: Path, label: str, at_most: int, refuse: type[TarsError] = InputError) -> Iterator[Path]:
    """Yield entries of a folder by name. Raise `refuse` if there are more than `at_most` or the folder cannot be read."""
    names = []
    try:
        with os.scandir(folder) as scan:
            for entry in scan:
                names.append(entry.name)
                if len(names) > at_most:
                    break
    except OSError as error:
        raise refuse(f"{label}: cannot be read: {_why(error)}") from error
    if len(names) > at_most:
        raise refuse(f"{label}: more than {at_most} entries in the folder; up to {at_most} are allowed")
    return (folder / name for name in sorted(names))


def _refuse_kind(mode: int, label: str, refuse: type[TarsError]) -> None:
    if not stat.S_ISREG(mode):
        kind = next((name for is_kind, name in _KINDS if is_kind(mode)), "something else")
        raise refuse(f"{label}: {kind} is there; a file is needed")


def _why(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or " ".join(str(error).split())[:200]
