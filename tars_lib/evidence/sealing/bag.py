"""The seal: a BagIt 1.0 bag (RFC 8493) with sha256 manifests, packed as a zip with reproducible bytes.

https://www.rfc-editor.org/rfc/rfc8493
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from tars_lib.evidence.sealing.manifests import PAYLOAD_MANIFEST, TAG_MANIFEST, manifest
from tars_lib.evidence.sealing.names import bundle_name
from tars_lib.evidence.sealing.stored_zip import Entry, write_archive

DECLARATION_FILE = "bagit.txt"
DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
INFO_FILE = "bag-info.txt"
CARRIED = ("verify.py", "WHAT_THIS_PROVES.md")
"""Files that every bundle carries beside its evidence, for a reader who has nothing else."""


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

    Raises
    ------
    InputError
        If it is too large.
    """
    data = {f"data/{path}": content for path, content in payload.items()}
    size = sum(len(content) for content in data.values())
    lines = {
        **info,
        "Bagging-Date": f"{made_at.astimezone(UTC):%Y-%m-%d}",
        "Payload-Oxum": f"{size}.{len(data)}",
        "Tars-Bundle": bundle_name(name),
    }
    tags = {
        DECLARATION_FILE: DECLARATION,
        INFO_FILE: "".join(f"{key}: {' '.join(str(value).split())}\n" for key, value in sorted(lines.items())).encode(),
        PAYLOAD_MANIFEST: manifest(data),
        **carried(),
    }
    files = {**data, **tags, TAG_MANIFEST: manifest(tags)}
    return write_archive([Entry(f"{name}/{path}", content) for path, content in files.items()])


def carried() -> dict[str, bytes]:
    """Return the files that every bundle carries."""
    folder = Path(__file__).parents[1] / "carried"
    return {name: (folder / name).read_bytes().replace(b"\r\n", b"\n") for name in CARRIED}


def read_info(content: bytes) -> dict[str, str]:
    """Return the lines of ``bag-info.txt``; of a label that stands twice the first."""
    info: dict[str, str] = {}
    for line in content.decode("utf-8", "replace").splitlines():
        label, _, value = line.partition(": ")
        info.setdefault(label, value)
    return info
