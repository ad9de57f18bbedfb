"""Files that somebody packed, one in each: gzip, and a zip with one member. What comes out is bounded."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from typing import IO

from tars_lib.errors import InputError

_GZIP, _ZIP, _EMPTY_ZIP = b"\x1f\x8b", b"PK\x03\x04", b"PK\x05\x06"
_OTHERS = (
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"\xd0\xcf\x11\xe0", "an old Office document"),
)
_PARTS_OF_EXCEL = "xl/"
_MEMBERS = 1_000
"""Names that are looked at, of a zip that holds too many anyway."""


def unpacked(content: bytes, label: str, at_most: int) -> bytes:
    """Return what a file holds; its own content where it is not packed.

    Raise InputError if it is packed in another way, damaged, holds several files, needs a password, or more than `at_most`
    bytes come out.
    """
    if content.startswith(_GZIP):
        return _read(gzip.GzipFile(fileobj=io.BytesIO(content)), label, at_most)
    if content.startswith((_ZIP, _EMPTY_ZIP)):
        return _member(content, label, at_most)
    other = next((name for begin, name in _OTHERS if content.startswith(begin)), "")
    if other:
        raise InputError(f"{label}: {other}; plain text, gzip and a zip with one file are allowed")
    return content


def _member(content: bytes, label: str, at_most: int) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            names = [info.filename for info in packed.infolist()[:_MEMBERS]]
            files = [name for name in names if not name.endswith("/") and not name.startswith("__MACOSX/")]
            if any(name.startswith(_PARTS_OF_EXCEL) for name in names):
                raise InputError(f"{label}: an Excel workbook; save the sheet as CSV (UTF-8)")
            if len(files) != 1:
                raise InputError(f"{label}: a zip of {len(files)} files; unpack it and name those to import")
            return _read(packed.open(files[0]), label, at_most)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise InputError(f"{label}: a zip that cannot be read: {str(error)[:100]}") from error


def _read(file: IO[bytes] | gzip.GzipFile, label: str, at_most: int) -> bytes:
    try:
        with file:
            content = file.read(at_most + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile) as error:
        raise InputError(f"{label}: cannot be unpacked, it is damaged or not whole: {str(error)[:100]}") from error
    if len(content) > at_most:
        raise InputError(f"{label}: more than {at_most} bytes once unpacked; up to {at_most} are allowed")
    return bytes(content)
