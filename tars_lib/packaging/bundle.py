"""Writes an evidence bundle: gathered, completed, sealed, in one step on disk."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tars_lib.packaging.bag import bundle_name, pack
from tars_lib.packaging.complete import complete
from tars_lib.packaging.gather import Request, gather
from tars_lib.packaging.payload import Payload
from tars_lib.records import write_bytes


@dataclass(frozen=True, slots=True)
class Made:
    """A bundle that was written: its file, its digest, and why it is partial (empty where it is whole)."""

    path: Path
    sha256: str
    partial: tuple[str, ...]


def write_bundle(
    request: Request,
    output_dir: Path,
    name: str | None = None,
    *,
    change: Callable[[Payload], Payload] | None = None,
) -> Made:
    """Write an evidence bundle.

    Parameters
    ----------
    request : Request
    output_dir : Path
        Made if need be; the bundle is there whole or not at all.
    name : str, optional
        Default ``tars-evidence-<incident or run>``.
    change : callable, optional
        What is done to the payload before pages, figures and the index are made of it.

    Raises
    ------
    VerificationError, InputError, ReportError
        If a run or the incident is not whole, or a report failed, and `request.allow_partial` is not set.
    """
    chosen = None if name is None else bundle_name(name)
    payload = gather(request)
    if change is not None:
        payload = change(payload)
    content = seal(complete(payload), chosen or bundle_name(f"tars-evidence-{payload.identifier}"))
    place = output_dir / f"{chosen or bundle_name(f'tars-evidence-{payload.identifier}')}.zip"
    write_bytes(place, content)
    return Made(place, hashlib.sha256(content).hexdigest(), payload.partial)


def seal(payload: Payload, name: str) -> bytes:
    """A completed payload as the bytes of a bundle; equal payloads and names give equal bytes."""
    info = {
        "Source-Organization": "T.A.R.S. incident workbook",
        "External-Identifier": payload.identifier,
        "Tars-Partial": "; ".join(payload.partial) if payload.partial else "no",
    }
    return pack(name, payload.files, info, payload.made_at)
