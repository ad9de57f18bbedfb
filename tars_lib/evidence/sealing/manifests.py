"""Manifests of a bag: digest, two spaces, path, line feed; sorted, each path once. Anything else was not written by us."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from tars_lib.errors import ConfigError
from tars_lib.evidence.sealing.names import check_path
from tars_lib.files.reading import sha256_hex

PAYLOAD_MANIFEST = "manifest-sha256.txt"
TAG_MANIFEST = "tagmanifest-sha256.txt"
_LINE = re.compile(r"([0-9a-f]{64})  (\S+)")


@dataclass(frozen=True, slots=True)
class Listing:
    """Content of a manifest, path to digest, and what is wrong with its form."""

    digests: Mapping[str, str]
    faults: tuple[str, ...]


def manifest(files: Mapping[str, bytes]) -> bytes:
    """Digest and path of each file, as ``sha256sum -c`` reads it; paths need no escape, since `check_path` admits none."""
    return "".join(f"{sha256_hex(files[path])}  {path}\n" for path in sorted(files)).encode("ascii")


def read_manifest(content: bytes, *, of_payload: bool) -> Listing:
    """Read a manifest strictly; a line of another form is a fault and lists nothing."""
    digests: dict[str, str] = {}
    faults: list[str] = []
    previous = ""
    lines = content.decode("latin-1").split("\n")
    if lines.pop():
        faults.append(f"row {len(lines) + 1}: no line feed at the end")
    for row, line in enumerate(lines, 1):
        match = _LINE.fullmatch(line)
        if match is None or not line.isascii():
            faults.append(f"row {row}: {_odd(line)}")
            continue
        digest, path = match.groups()
        wrong = _wrong_place(path, of_payload=of_payload)
        if wrong:
            faults.append(f"row {row}: {wrong}")
        elif path in digests:
            faults.append(f"row {row}: {path} is listed twice")
        else:
            if path < previous:
                faults.append(f"row {row}: {path} is not in order")
            digests[path] = digest
            previous = path
    return Listing(digests, tuple(faults))


def _odd(line: str) -> str:
    if "\r" in line:
        return "a carriage return"
    if not line.isascii():
        return "a character that is not ASCII"
    digest, _, rest = line.partition("  ")
    if not rest or rest != rest.strip():
        return "not of the form digest, two spaces, path"
    if digest != digest.lower():
        return "a digest in upper case"
    return f"a digest of {len(digest)} characters that is not 64 hexadecimal digits"


def _wrong_place(path: str, *, of_payload: bool) -> str:
    try:
        check_path(path)
    except ConfigError:
        return f"{path[:200]!r} is no path of a bundle"
    if path.startswith("data/") != of_payload or path == TAG_MANIFEST:
        return f"{path} does not belong in this manifest"
    return ""
