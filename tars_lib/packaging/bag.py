"""The evidence bundle: a BagIt 1.0 bag (RFC 8493) with sha256 manifests, packed as a zip with reproducible bytes.

https://www.rfc-editor.org/rfc/rfc8493
"""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from tars_lib.errors import ConfigError, InputError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,120}")
_DECLARATION = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
_PAYLOAD = "manifest-sha256.txt"
_TAGS = "tagmanifest-sha256.txt"
# The earliest time that a zip entry can carry; the same for all, so that equal content gives equal bytes.
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Fault:
    """Something in a bundle that is not as its manifests say: what (ALTERED, MISSING, UNLISTED, UNREADABLE) and which file."""

    what: str
    path: str


def bundle_name(name: str) -> str:
    """Check a bundle's name.

    Raises
    ------
    ConfigError
        If it could be a path, or holds anything but letters, digits, dots, dashes and underscores.
    """
    if not _NAME.fullmatch(name) or ".." in name:
        raise ConfigError(f"bundle name {name!r}: letters, digits, dots, dashes and underscores are allowed, up to 121")
    return name


def pack(name: str, payload: Mapping[str, bytes], info: Mapping[str, str], made_at: datetime) -> bytes:
    """Pack files into a bag.

    Parameters
    ----------
    name : str
        The bag's folder inside the zip.
    payload : mapping of str to bytes
        POSIX paths below ``data/`` and what they hold.
    info : mapping of str to str
        Further lines of ``bag-info.txt``.
    made_at : datetime
        UTC; its day is the bagging date.

    Returns
    -------
    bytes
        A zip; the same arguments give the same bytes.
    """
    size = sum(len(content) for content in payload.values())
    lines = {
        **info,
        "Bagging-Date": f"{made_at.astimezone(UTC):%Y-%m-%d}",
        "Payload-Oxum": f"{size}.{len(payload)}",
    }
    tags = {
        "bagit.txt": _DECLARATION.encode(),
        "bag-info.txt": "".join(
            f"{key}: {' '.join(str(value).split())}\n" for key, value in sorted(lines.items())
        ).encode(),
        _PAYLOAD: _manifest({f"data/{path}": content for path, content in payload.items()}),
    }
    tags[_TAGS] = _manifest(tags)
    files = {**tags, **{f"data/{path}": content for path, content in payload.items()}}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for path in sorted(files):
            entry = zipfile.ZipInfo(f"{name}/{path}", _ZIP_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o100644 << 16
            entry.create_system = 3
            archive.writestr(entry, files[path])
    return buffer.getvalue()


def verify(path: Path) -> tuple[Fault, ...]:
    """Compare a bundle with its manifests.

    Returns
    -------
    tuple of Fault
        Empty where every file is what the manifests say and no further file is there.

    Raises
    ------
    InputError
        If the file is not a zip with one bag in it.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            files = {
                PurePosixPath(entry.filename): archive.read(entry) for entry in archive.infolist() if not entry.is_dir()
            }
    except (OSError, zipfile.BadZipFile, EOFError, ValueError, NotImplementedError, RuntimeError) as error:
        raise InputError(f"{path}: no readable bundle: {' '.join(str(error).split())[:200]}") from error
    tops = {place.parts[0] for place in files}
    if len(tops) != 1:
        raise InputError(f"{path}: {len(tops)} folders at the top; a bundle has one")
    inside = {PurePosixPath(*place.parts[1:]).as_posix(): content for place, content in files.items()}
    faults = [Fault("MISSING", name) for name in ("bagit.txt", _PAYLOAD, _TAGS) if name not in inside]
    listed: dict[str, str] = {}
    for manifest in (_PAYLOAD, _TAGS):
        listed |= _read_manifest(inside.get(manifest, b""))
    for name, digest in sorted(listed.items()):
        if name not in inside:
            faults.append(Fault("MISSING", name))
        elif hashlib.sha256(inside[name]).hexdigest() != digest:
            faults.append(Fault("ALTERED", name))
    faults += [Fault("UNLISTED", name) for name in sorted(inside.keys() - listed.keys() - {_TAGS})]
    return tuple(dict.fromkeys(faults))


def _manifest(files: Mapping[str, bytes]) -> bytes:
    """Digest and path of each file; percent, carriage return and line feed in a path are escaped as the RFC says."""
    lines = []
    for path in sorted(files):
        escaped = path.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
        lines.append(f"{hashlib.sha256(files[path]).hexdigest()}  {escaped}\n")
    return "".join(lines).encode()


def _read_manifest(content: bytes) -> dict[str, str]:
    listed = {}
    for line in content.decode("utf-8", "replace").splitlines():
        digest, _, name = line.partition("  ")
        if name:
            listed[name.replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%")] = digest
    return listed
