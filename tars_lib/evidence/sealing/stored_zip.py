"""A zip of which every byte follows from the names and contents in it, so that any other byte is an alteration.

Entries stand in order of their names, stored without compression: what a compressor writes differs between its versions, and
two streams may unpack to the same content. No comments, no extra fields, no times, one kind of entry. Layout after
https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, sections 4.3.7, 4.3.12 and 4.3.16.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tars_lib.errors import InputError

MAX_BYTES = 1 << 30
"""Largest archive that is written or read: it is held in memory; judgement. Well below the 4 GiB of a plain zip."""
MAX_ENTRIES = 20_000
"""Judgement; a plain zip counts up to 65,535."""

LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
LOCAL_MARK, _CENTRAL_MARK, END_MARK = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_NEEDED, _MADE_BY = 20, (3 << 8) | 20
_DATE = 0x21
"""1980-01-01, the first day that an entry can carry."""
_ATTRIBUTES = 0o100644 << 16


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the archive."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes of an archive: where they begin and end, what they are, and of which entry (empty: of none)."""

    start: int
    end: int
    what: str
    name: str


@dataclass(frozen=True, slots=True)
class Oddity:
    """Bytes that this module would not have written: of which entry (empty: the archive's), and what is odd."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Archive:
    """Readable content of an archive, and what is not as it was written."""

    entries: tuple[Entry, ...]
    oddities: tuple[Oddity, ...]


def write_archive(entries: Sequence[Entry]) -> bytes:
    """Return the archive of these entries. Raise InputError if they are too many or too large."""
    size = sum(len(entry.content) for entry in entries)
    if len(entries) > MAX_ENTRIES or size > MAX_BYTES:
        raise InputError(
            f"bundle: {len(entries)} files of {size} bytes; up to {MAX_ENTRIES} files of {MAX_BYTES} bytes are allowed"
        )
    return _written(sorted(entries, key=lambda entry: entry.name))[0]


def read_archive(content: bytes, where: str) -> Archive:
    """Read an archive and compare every byte with what would have been written.

    Nothing is unpacked: a compressed entry is refused, so sizes are bounded by the file.

    Raise InputError if it is no archive at all.
    """
    entries = _by_local_headers(content)
    if entries is None:
        entries = _by_central_directory(content)
    if entries is None:
        if not any(mark in content for mark in (LOCAL_MARK, _CENTRAL_MARK, END_MARK)):
            raise InputError(f"{where}: no readable bundle: it is no zip file")
        return Archive((), (Oddity("", _unreadable(content)),))
    oddities = [*_names(entries)]
    written, spans = _written(entries)
    if written != content:
        oddities += _differences(content, written, spans)
    return Archive(tuple(entries), tuple(oddities))


def _written(entries: Sequence[Entry]) -> tuple[bytes, list[Span]]:
    parts: list[bytes] = []
    spans: list[Span] = []
    central: list[tuple[bytes, str]] = []
    offset = 0

    def add(part: bytes, what: str, name: str) -> None:
        nonlocal offset
        parts.append(part)
        spans.append(Span(offset, offset + len(part), what, name))
        offset += len(part)

    for entry in entries:
        name, size, checksum = entry.name.encode("latin-1"), len(entry.content), zlib.crc32(entry.content)
        common = (0, 0, 0, _DATE, checksum, size, size, len(name), 0)
        record = _CENTRAL.pack(_CENTRAL_MARK, _MADE_BY, _NEEDED, *common[:-1], 0, 0, 0, 0, _ATTRIBUTES, offset)
        central.append((record + name, entry.name))
        add(LOCAL.pack(LOCAL_MARK, _NEEDED, *common) + name, "local header", entry.name)
        add(entry.content, "content", entry.name)
    begin = offset
    for part, shown in central:
        add(part, "directory record", shown)
    end = _END.pack(END_MARK, 0, 0, len(central) & 0xFFFF, len(central) & 0xFFFF, offset - begin, begin, 0)
    add(end, "end record", "")
    return b"".join(parts), spans


def _by_local_headers(content: bytes) -> list[Entry] | None:
    """Return entries from the front; None where the headers do not lead to the directory."""
    entries: list[Entry] = []
    offset = 0
    while content[offset : offset + 4] == LOCAL_MARK and len(content) >= offset + LOCAL.size:
        _, _, flags, method, _, _, _, packed, size, name_size, extra = LOCAL.unpack_from(content, offset)
        begin = offset + LOCAL.size + name_size + extra
        if flags or method or packed != size or begin + size > len(content) or len(entries) >= MAX_ENTRIES:
            return None
        name = content[offset + LOCAL.size : offset + LOCAL.size + name_size].decode("latin-1")
        entries.append(Entry(name, content[begin : begin + size]))
        offset = begin + size
    return entries if content[offset : offset + 4] == _CENTRAL_MARK else None


def _by_central_directory(content: bytes) -> list[Entry] | None:
    """Return entries by the directory at the end; None where it does not lead to them."""
    last = content.rfind(END_MARK)
    if last < 0 or len(content) < last + _END.size:
        return None
    _, _, _, _, count, size, begin, _ = _END.unpack_from(content, last)
    # bytes put before the archive move everything by their number
    shift = max(last - size - begin, 0)
    offset = begin + shift
    entries: list[Entry] = []
    for _ in range(count):
        if content[offset : offset + 4] != _CENTRAL_MARK or len(content) < offset + _CENTRAL.size:
            return None
        fields = _CENTRAL.unpack_from(content, offset)
        method, packed, name_size, extra, comment, at = fields[4], fields[8], *fields[10:13], fields[16]
        name = content[offset + _CENTRAL.size : offset + _CENTRAL.size + name_size].decode("latin-1")
        data = at + shift + LOCAL.size + name_size
        if method or data + packed > len(content) or len(entries) >= MAX_ENTRIES:
            return None
        # a local header may have an extra field that the directory has not
        more = LOCAL.unpack_from(content, at + shift)[-1]
        bodies = [content[begin : begin + packed] for begin in (data, data + more)]
        entries.append(Entry(name, next((body for body in bodies if zlib.crc32(body) == fields[7]), bodies[0])))
        offset += _CENTRAL.size + name_size + extra + comment
    return entries or None


def _unreadable(content: bytes) -> str:
    """Say why no entries could be read."""
    last = content.rfind(END_MARK)
    if last >= 0 and len(content) >= last + _END.size:
        begin = _END.unpack_from(content, last)[6]
        if content[begin : begin + 4] == _CENTRAL_MARK and len(content) >= begin + _CENTRAL.size:
            method = _CENTRAL.unpack_from(content, begin)[4]
            if method:
                return (
                    f"its entries are compressed (method {method}), and a bundle's are not: it was packed anew by another "
                    "tool; unpack it and verify the folder"
                )
    return "neither its headers nor its directory can be followed"


def _names(entries: Sequence[Entry]) -> Iterator[Oddity]:
    seen: set[str] = set()
    for entry in entries:
        if entry.name in seen:
            yield Oddity(entry.name, "stands in the archive more than once")
        seen.add(entry.name)
    names = [entry.name for entry in entries]
    if names != sorted(names):
        late = next(name for name, after in pairwise(names) if after < name)
        yield Oddity(late, "entries are not in the order of their names")


def _differences(content: bytes, written: bytes, spans: Sequence[Span]) -> Iterator[Oddity]:
    """Say where an archive is not what its entries give; beyond a change of length only the first place can be told."""
    for span in spans:
        ours, theirs = written[span.start : span.end], content[span.start : span.end]
        if ours == theirs:
            continue
        byte = next((n for n, pair in enumerate(zip(ours, theirs, strict=False)) if pair[0] != pair[1]), len(theirs))
        yield Oddity(span.name, f"{span.what} of the archive altered at byte {span.start + byte + 1}")
        if len(content) != len(written):
            break
    if len(content) != len(written):
        more = len(content) - len(written)
        yield Oddity(
            "", f"the archive is {abs(more)} bytes {'longer' if more > 0 else 'shorter'} than its entries make it"
        )
