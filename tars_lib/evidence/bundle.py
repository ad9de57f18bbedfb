"""Makes an evidence bundle and puts it on disk: gathered, completed, sealed, signed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from tars_lib.errors import ConfigError
from tars_lib.evidence.crate import CRATE_FILE, crate_file
from tars_lib.evidence.gather import Request, gather
from tars_lib.evidence.pages import complete
from tars_lib.evidence.payload import Payload
from tars_lib.evidence.redacting import name_unsearched, redact_rest, refuse_remains
from tars_lib.evidence.sealing.bag import pack
from tars_lib.evidence.sealing.names import LONGEST_NAME, bundle_name
from tars_lib.evidence.sealing.signature import GPG_ENDING, MINISIGN_ENDING
from tars_lib.evidence.sealing.timestamp import STAMP_ENDING
from tars_lib.files.atomic import write_bytes
from tars_lib.files.reading import sha256_hex

SIDECARS = (MINISIGN_ENDING, GPG_ENDING, STAMP_ENDING)
"""Endings of what may stand beside a bundle and is over its bytes."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle in memory: its name, its bytes, and why it is partial (empty where it is whole).

    `is_private`: it holds an incident's record, so its file is for the owner alone, as the record itself is. `unsearched`:
    files of a redacted bundle in which no rule could look for what is left.
    """

    name: str
    content: bytes
    partial: tuple[str, ...]
    is_private: bool = False
    unsearched: tuple[str, ...] = ()

    @property
    def file(self) -> str:
        """Return the name of its file."""
        return f"{self.name}.zip"

    @property
    def sha256(self) -> str:
        """Return the digest of its bytes."""
        return sha256_hex(self.content)


def make_bundle(request: Request, name: str | None = None) -> Bundle:
    """Make an evidence bundle; nothing is written.

    Parameters
    ----------
    name : str, optional
        Default ``tars-evidence-<incident or run>``, with ``-redacted`` at its end where `request.redaction` is set.

    Raises
    ------
    ConfigError
        If the name could be a path.
    VerificationError, InputError, ReportError
        If a run or the incident is not whole, or a report failed, and `request.allow_partial` is not set.
    """
    checked_name = None if name is None else bundle_name(name)
    payload = gather(request)
    if request.redaction is not None:
        payload = redact_rest(payload, request.redaction)
    chosen = checked_name or default_name(payload.identifier, is_redacted=request.redaction is not None)
    whole = complete(payload)
    unsearched: tuple[str, ...] = ()
    if request.redaction is not None:
        not_searched = request.redaction.not_searched(whole.files)
        whole, unsearched = name_unsearched(whole, not_searched), tuple(file.path for file in not_searched)
        refuse_remains(whole, chosen, request.redaction)
    return Bundle(chosen, seal(whole, chosen), payload.partial, bool(whole.below("incident")), unsearched)


def default_name(identifier: str, *, is_redacted: bool) -> str:
    """Return the name of a bundle that was given none; a redacted one never has that of the original."""
    ending = "-redacted" if is_redacted else ""
    stem = f"tars-evidence-{identifier}"[: LONGEST_NAME - len(ending)].rstrip("._-")
    return bundle_name(f"{stem}{ending}")


def seal(payload: Payload, name: str) -> bytes:
    """Return a completed payload as the bytes of a bundle; equal payloads and names give equal bytes."""
    info = {
        "Source-Organization": "T.A.R.S. incident workbook",
        "External-Identifier": payload.identifier,
        "Tars-Partial": "; ".join(payload.partial) if payload.partial else "no",
    }
    files = {**payload.files, CRATE_FILE: crate_file(payload, name)}
    return pack(name, files, info, payload.made_at)


def write_bundle(bundle: Bundle, output_dir: Path, signatures: Mapping[str, bytes] | None = None) -> Path:
    """Put a bundle and its signatures and stamp, by their endings, on disk; each file is there whole or not at all.

    What stands there with the same bytes is the same bundle, and keeps the signatures that are not made anew. A signature
    without its bundle is removed once the new one stands: beside it, it would pass for a forgery.

    Raise ConfigError if a file of that name has other bytes: evidence is not overwritten. Nothing is changed then.
    """
    path = output_dir / bundle.file
    try:
        write_bytes(path, bundle.content, is_private=bundle.is_private, only_new=True)
        is_new = True
    except FileExistsError as error:
        # anything there may also have come from somebody else a moment ago
        is_new = False
        if not _holds(path, bundle.content):
            raise ConfigError(
                f"{path}: another bundle stands there, and evidence is not overwritten; "
                f"--bundle-name {_free_name(bundle.name, output_dir)} or another --output-dir keeps both"
            ) from error
    for ending in SIDECARS if is_new else ():
        path.with_name(f"{path.name}{ending}").unlink(missing_ok=True)
    for ending, content in (signatures or {}).items():
        write_bytes(path.with_name(f"{path.name}{ending}"), content)
    return path


def check_place(output_dir: Path) -> None:
    """Refuse a folder that no bundle can be put in, before one is made; no folder is made for that.

    Raise ConfigError if it, or what stands where it is to be made, is no folder or cannot be written to.
    """
    upwards = (output_dir, *output_dir.parents)
    there = next((folder for folder in upwards if folder.exists() or folder.is_symlink()), output_dir)
    if not there.is_dir():
        what = "a link that leads nowhere" if there.is_symlink() and not there.exists() else "no folder"
        raise ConfigError(f"{output_dir}: {there} is {what}; a folder for the bundle is needed")
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        raise ConfigError(f"{output_dir}: {there} cannot be written to: {error.strerror}") from None


def copy_bundle(bundle: Path, content: Mapping[str, bytes], folder: Path, *, is_private: bool) -> list[Path]:
    """Copy a bundle and what stands beside it to a folder, by their names; what is there with the same bytes stays.

    Raise ConfigError if a file of one of these names has other bytes, or is none: evidence is not overwritten. Nothing is
    copied then.
    """
    places = {name: folder / name for name in content}
    for name, target in places.items():
        if os.path.lexists(target) and not _holds(target, content[name]):
            raise ConfigError(
                f"{target}: another file stands there, and evidence is not overwritten; another folder is needed"
            )
    for name, target in places.items():
        if not os.path.lexists(target):
            write_bytes(target, content[name], is_private=is_private and name == bundle.name, only_new=True)
    return list(places.values())


def _holds(path: Path, content: bytes) -> bool:
    """Return whether a regular file has these bytes; a link or a pipe is not read."""
    is_alike = path.is_file() and not path.is_symlink() and path.stat().st_size == len(content)
    return is_alike and path.read_bytes() == content


def _free_name(name: str, output_dir: Path) -> str:
    """Return the name with the first number under which nothing stands."""
    names = (f"{name[: LONGEST_NAME - len(str(number)) - 1]}-{number}" for number in count(2))
    return next(free for free in names if not (output_dir / f"{free}.zip").exists())
