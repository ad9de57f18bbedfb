"""Makes an evidence bundle and puts it on disk: gathered, completed, sealed, signed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tars_lib.packaging.bag import bundle_name, pack
from tars_lib.packaging.complete import complete
from tars_lib.packaging.gather import Request, gather
from tars_lib.packaging.payload import Payload
from tars_lib.packaging.redacting import redact_rest, refuse_remains
from tars_lib.packaging.signature import GPG_ENDING, MINISIGN_ENDING
from tars_lib.records import write_bytes


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle in memory: its name, its bytes, and why it is partial (empty where it is whole)."""

    name: str
    content: bytes
    partial: tuple[str, ...]

    @property
    def file(self) -> str:
        """Name of its file."""
        return f"{self.name}.zip"

    @property
    def sha256(self) -> str:
        """Digest of its bytes."""
        return hashlib.sha256(self.content).hexdigest()


def make_bundle(
    request: Request, name: str | None = None, *, change: Callable[[Payload], Payload] | None = None
) -> Bundle:
    """Make an evidence bundle; nothing is written.

    Parameters
    ----------
    request : Request
        See `tars_lib.packaging.choice.choose`.
    name : str, optional
        Default ``tars-evidence-<incident or run>``.
    change : callable, optional
        What is done to the payload before pages, figures and the index are made of it.

    Raises
    ------
    ConfigError
        If the name could be a path.
    VerificationError, InputError, ReportError
        If a run or the incident is not whole, or a report failed, and `request.allow_partial` is not set.
    """
    given = None if name is None else bundle_name(name)
    payload = gather(request)
    if change is not None:
        payload = change(payload)
    if request.redaction is not None:
        payload = redact_rest(payload, request.redaction)
    chosen = given or bundle_name(f"tars-evidence-{payload.identifier}")
    whole = complete(payload)
    if request.redaction is not None:
        refuse_remains(whole, chosen, request.redaction)
    return Bundle(chosen, seal(whole, chosen), payload.partial)


def seal(payload: Payload, name: str) -> bytes:
    """A completed payload as the bytes of a bundle; equal payloads and names give equal bytes."""
    info = {
        "Source-Organization": "T.A.R.S. incident workbook",
        "External-Identifier": payload.identifier,
        "Tars-Partial": "; ".join(payload.partial) if payload.partial else "no",
    }
    return pack(name, payload.files, info, payload.made_at)


def write_bundle(bundle: Bundle, output_dir: Path, signatures: Mapping[str, bytes] | None = None) -> Path:
    """Put a bundle and its signatures, by their endings, on disk; each file is there whole or not at all.

    A signature of an earlier bundle of that name is removed first: beside the new one it would pass for a forgery.
    """
    place = output_dir / bundle.file
    for ending in (MINISIGN_ENDING, GPG_ENDING):
        place.with_name(f"{place.name}{ending}").unlink(missing_ok=True)
    write_bytes(place, bundle.content)
    for ending, content in (signatures or {}).items():
        write_bytes(place.with_name(f"{place.name}{ending}"), content)
    return place
