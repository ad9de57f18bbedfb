"""Files as they arrived, however they were packed: our zip, another tool's zip or tar, half an archive, a folder."""

from __future__ import annotations

import io
import re
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import PurePosixPath

from tars_lib.errors import InputError
from tars_lib.evidence.sealing.bag import DECLARATION_FILE, INFO_FILE, read_info
from tars_lib.evidence.sealing.manifests import PAYLOAD_MANIFEST
from tars_lib.evidence.sealing.stored_zip import (
    END_MARK,
    LOCAL,
    LOCAL_MARK,
    MAX_BYTES,
    MAX_ENTRIES,
    Oddity,
    read_archive,
)

_END_BYTES = 22
_DESCRIBED = 8  # flag bit 3: sizes follow the content, APPNOTE 4.4.4
_DESCRIPTORS = (12, 16, 20, 24)
_WIDE, _WIDE_FIELD = 0xFFFFFFFF, 0x0001  # sizes that stand in the extra field, APPNOTE 4.5.3
_ENCRYPTED = 1
_LITTER = re.compile(
    r"\.ds_store|__macosx|\._.*|icon\r|\.apple(?:double|desktop)|\.localized|\.trashes|\.temporaryitems|\.fseventsd"
    r"|\.(?:spotlight|documentrevisions)-v100|(?:eh)?thumbs\.db|desktop\.ini|\$recycle\.bin|system volume information"
    r"|.*:zone\.identifier|\.directory|\.trash-\d+|\.nfs[0-9a-f]+|lost\+found|@eadir|\.dropbox(?:\.attr|\.cache)?"
    r"|\.~lock\..*#|~\$.*",
    re.IGNORECASE | re.DOTALL,
)
"""Names that systems, synchronised folders and office programs put beside files."""
_WRAPPINGS = (
    (b"\x1f\x8b", "is compressed with gzip"),
    (b"\x28\xb5\x2f\xfd", "is compressed with zstd"),
    (b"7z\xbc\xaf\x27\x1c", "is a 7z archive"),
    (b"Rar!", "is a RAR archive"),
    (b"UEsDB", "is written in base64, as a part of an e-mail is"),
)
_ODDITIES_SHOWN = 50


class Container(StrEnum):
    """Form in which a bundle arrived."""

    AS_WRITTEN = "as written"
    PACKED_ANEW = "packed anew"
    OTHER_ARCHIVE = "other archive"
    FOLDER = "folder"
    CUT_SHORT = "cut short"
    DAMAGED = "damaged or altered"

    @property
    def is_harmless(self) -> bool:
        """Return whether honest handling gives such a container and every file in it can be read."""
        return self not in (Container.CUT_SHORT, Container.DAMAGED)


@dataclass(slots=True)
class Contents:
    """Files by their path in the bag, files of operating systems beside them, and what is odd about the container.

    `beside` are files outside the bag's folder, `doubled` names that stand in the archive more than once.
    """

    container: Container
    files: dict[str, bytes] = field(default_factory=dict)
    litter: tuple[str, ...] = ()
    oddities: tuple[Oddity, ...] = ()
    folder: str = ""
    beside: tuple[str, ...] = ()
    doubled: tuple[str, ...] = ()


def open_container(content: bytes, where: str) -> Contents:
    """Read the bytes of an archive.

    Raise InputError if they are no archive that can be read, or unpack to more than is read.
    """
    if not content.startswith(b"PK") and (tarred := _tar(content, where)) is not None:
        entries, is_whole = tarred
        return _arranged(entries, Container.OTHER_ARCHIVE if is_whole else Container.CUT_SHORT, ())
    _refuse_wrapped(content, where)
    archive = read_archive(content, where)
    ours = [(entry.name, entry.content) for entry in archive.entries]
    if ours and not archive.oddities:
        return _arranged(ours, Container.AS_WRITTEN, ())
    theirs = _zip(content, where)
    oddities = archive.oddities[:_ODDITIES_SHOWN]
    if theirs is not None:
        stray = _stray(content)
        # where two readers see different files, neither can be believed
        is_plain = stray is None and dict(_spelt(_no_folders(theirs))).items() >= dict(_no_folders(ours)).items()
        more = () if stray is None else (Oddity("", stray),)
        return _arranged(theirs, Container.PACKED_ANEW if is_plain else Container.DAMAGED, (*more, *oddities))
    if _is_cut(content):
        return _arranged(_salvaged(content), Container.CUT_SHORT, ())
    return _arranged(ours, Container.DAMAGED, oddities)


def arrange_folder(files: Mapping[str, bytes]) -> Contents:
    """Sort the files of a folder, by their path in it."""
    return _arranged(list(files.items()), Container.FOLDER, ())


def is_litter(path: str) -> bool:
    """Return whether an operating system puts files of this name beside others.

    Examples
    --------
    >>> is_litter("data/.DS_Store"), is_litter("__MACOSX/data/._a.json"), is_litter("data/a.json")
    (True, True, False)
    """
    parts = PurePosixPath(path).parts
    return any(_LITTER.fullmatch(part) for part in parts)


def _arranged(entries: list[tuple[str, bytes]], container: Container, oddities: tuple[Oddity, ...]) -> Contents:
    """Return entries by their path in the bag: it may lie in a folder, under another name, or in none."""
    entries = _no_folders(entries)
    if container is not Container.FOLDER and not any("/" in name for name, _ in entries):
        # some tools for Windows write its separator; no name in a bundle has it
        entries = [(name.replace("\\", "/"), content) for name, content in entries]
    names = [name for name, _ in entries if not is_litter(name)]
    roots = [
        name.rpartition("/")[0]
        for name in names
        if name.rpartition("/")[2].lower() in (DECLARATION_FILE, PAYLOAD_MANIFEST)
    ]
    tops = {name.partition("/")[0] for name in names}
    only = next(iter(tops)) if len(tops) == 1 and all("/" in name for name in names) else ""
    folder = min(roots, key=lambda root: (root.count("/"), root), default=only)
    prefix = f"{folder}/" if folder else ""
    made = Contents(container, oddities=oddities, folder=folder)
    litter, beside, doubled = [], [], []
    for name, content in entries:
        if is_litter(name):
            litter.append(name)
        elif not name.startswith(prefix):
            beside.append(name)
        elif name[len(prefix) :] in made.files:
            doubled.append(name[len(prefix) :])
        else:
            made.files[name[len(prefix) :]] = content
    made.litter, made.beside, made.doubled = tuple(litter), tuple(beside), tuple(doubled)
    named = read_info(made.files.get(INFO_FILE, b"")).get("Tars-Bundle", folder).strip()
    if container is Container.AS_WRITTEN and named != folder:
        why = f"the folder in the archive is {folder!r}, and {INFO_FILE} says {named!r}"
        made.container, made.oddities = Container.PACKED_ANEW, (Oddity("", why),)
    return made


def _spelt(entries: list[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
    """Yield entries by the bytes of their names as Latin-1, which is how the other reader sees the two alphabets of a zip."""
    for name, content in entries:
        for alphabet in ("cp437", "utf-8"):
            with suppress(UnicodeEncodeError):
                yield name.encode(alphabet).decode("latin-1"), content


def _no_folders(entries: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    return [(name.removeprefix("./"), content) for name, content in entries if content or not name.endswith("/")]


def _zip(content: bytes, where: str) -> list[tuple[str, bytes]] | None:
    """Return every entry of a zip of any tool; None where it is damaged."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _refuse_size(sum(info.file_size for info in archive.infolist()), len(archive.infolist()), where)
            if any(info.flag_bits & _ENCRYPTED for info in archive.infolist()):
                raise InputError(f"{where}: its files are encrypted; unpack it and verify the folder")
            entries = []
            for info in archive.infolist():
                with archive.open(info) as file:
                    entries.append((info.filename, file.read(info.file_size + 1)))
            return entries
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError, ValueError):
        return None


def _stray(content: bytes) -> str | None:
    """Say where a zip holds bytes of no entry, or headers that contradict its directory; None where it is plain."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        infos, directory = sorted(archive.infolist(), key=lambda info: info.header_offset), archive.start_dir
    reached = 0
    for info in infos:
        mark, _, flags, method, _, _, crc, packed, size, name_size, extra = LOCAL.unpack_from(
            content, info.header_offset
        )
        begin = info.header_offset + LOCAL.size
        name = content[begin : begin + name_size].decode("utf-8" if flags & 0x800 else "cp437", "replace")
        if packed == size == _WIDE:
            packed, size = _wide_sizes(content[begin + name_size : begin + name_size + extra])
        stated = (crc, packed, size)
        is_told = stated == (info.CRC, info.compress_size, info.file_size) or bool(flags & _DESCRIBED)
        gap = info.header_offset - reached
        if gap and not (gap in _DESCRIPTORS and reached):
            return f"{gap} bytes before {info.filename} belong to no file"
        if (
            mark != LOCAL_MARK
            or name.rstrip("/") != info.orig_filename.rstrip("/")
            or method != info.compress_type
            or (flags ^ info.flag_bits) & _ENCRYPTED
            or not is_told
        ):
            return f"the header of {info.filename} is not what the directory says"
        reached = begin + name_size + extra + info.compress_size
    gap = directory - reached
    if gap and gap not in _DESCRIPTORS:
        return f"{gap} bytes after the last file belong to none"
    end = content.rfind(END_MARK)
    comment = int.from_bytes(content[end + _END_BYTES - 2 : end + _END_BYTES], "little")
    return None if end + _END_BYTES + comment == len(content) else "bytes after its end belong to no file"


def _wide_sizes(extra: bytes) -> tuple[int, int]:
    """Sizes packed and unpacked of a header whose own fields are too narrow for them."""
    offset = 0
    while len(extra) >= offset + 4:
        kind, size = struct.unpack_from("<2H", extra, offset)
        if kind == _WIDE_FIELD and size >= 16 and len(extra) >= offset + 20:
            unpacked, packed = struct.unpack_from("<2Q", extra, offset + 4)
            return packed, unpacked
        offset += 4 + size
    return _WIDE, _WIDE


def _is_cut(content: bytes) -> bool:
    """Return whether the end of a zip is not there, or not whole."""
    end = content.rfind(END_MARK)
    return end < 0 or len(content) < end + _END_BYTES


def _tar(content: bytes, where: str) -> tuple[list[tuple[str, bytes]], bool] | None:
    """Return files of a tar, compressed or not, and whether it is whole; None where it is none."""
    entries: list[tuple[str, bytes]] = []
    earlier: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:*") as archive:
            size = 0
            for member in archive:
                # the second name of a file is packed as a hard link to the first
                twin = earlier.get(member.linkname, b"") if member.islnk() else b""
                size += member.size + len(twin)
                _refuse_size(size, len(entries), where)
                file = archive.extractfile(member) if member.isreg() else None
                # another link or a device has no content; as a file that is in no manifest it is named
                if not member.isdir():
                    entries.append((member.name, twin if file is None else file.read()))
                    earlier[member.name] = entries[-1][1]
            # a tar ends with blocks of zeros; without them it was cut between two files or in the head of one
            assert archive.fileobj is not None  # noqa: S101 - it is open
            archive.fileobj.seek(archive.offset)
            is_whole = archive.fileobj.read(tarfile.BLOCKSIZE) == bytes(tarfile.BLOCKSIZE)
    except (tarfile.TarError, EOFError, zlib.error, OSError):
        is_whole = False
    # a disk image begins with zeros, as a tar ends
    return (entries, is_whole) if entries else None


def _salvaged(content: bytes) -> list[tuple[str, bytes]]:
    """Return entries of our own zip that arrived whole before it was cut."""
    entries: list[tuple[str, bytes]] = []
    offset = 0
    while (
        content[offset : offset + 4] == LOCAL_MARK
        and len(content) >= offset + LOCAL.size
        and len(entries) < MAX_ENTRIES
    ):
        _, _, flags, method, _, _, crc, packed, _, name_size, extra = LOCAL.unpack_from(content, offset)
        begin = offset + LOCAL.size + name_size + extra
        data = content[begin : begin + packed]
        if flags & _DESCRIBED or len(data) < packed:
            break
        name = content[offset + LOCAL.size : offset + LOCAL.size + name_size].decode("latin-1")
        try:
            plain = data if method == 0 else zlib.decompressobj(-15).decompress(data, MAX_BYTES)
        except zlib.error:
            break
        if zlib.crc32(plain) == crc:
            entries.append((name, plain))
        offset = begin + packed
    return entries


def _refuse_wrapped(content: bytes, where: str) -> None:
    """Refuse what holds a bundle and is none, with the way to it."""
    if not content:
        raise InputError(f"{where}: no readable bundle: it is empty")
    for mark, what in _WRAPPINGS:
        if content.startswith(mark):
            raise InputError(f"{where}: no readable bundle: it {what}; unpack it and verify what is in it")
    theirs = _zip(content, where) if content.startswith(b"PK") and not _is_cut(content) else None
    names = [name for name, _ in _no_folders(theirs or []) if not is_litter(name)]
    if len(names) == 1 and names[0].lower().endswith((".zip", ".tar", ".tgz", ".gz", ".xz", ".bz2")):
        raise InputError(f"{where}: an archive in an archive; take {names[0]} out of it and verify that")


def _refuse_size(size: int, count: int, where: str) -> None:
    if size > MAX_BYTES or count > MAX_ENTRIES:
        raise InputError(
            f"{where}: unpacks to {count} files of {size} bytes; up to {MAX_ENTRIES} of {MAX_BYTES} are read"
        )
