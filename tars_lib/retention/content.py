"""The bytes of a thing, whether they are what its own digests say, and how they are packed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from tars_lib.errors import InputError, TarsError, VerificationError
from tars_lib.evidence.runs import read_run
from tars_lib.evidence.sealing.bag import pack
from tars_lib.evidence.sealing.names import check_path
from tars_lib.evidence.sealing.stored_zip import MAX_BYTES
from tars_lib.evidence.verification import verify as verify_bundle
from tars_lib.evidence.verification import verify_bytes
from tars_lib.files.reading import sha256_hex
from tars_lib.incidents.store.verification import verify as verify_incident
from tars_lib.retention.policy import Kind
from tars_lib.retention.things import Thing, with_sidecars

_FOLDER = {Kind.RUN: "runs", Kind.INCIDENT: "incident", Kind.REPORT: "reports", Kind.BUNDLE: "bundles"}


def read_content(thing: Thing) -> dict[str, bytes]:
    """Return every file of a thing by its path in an archive; an incident's lock and hidden helpers are none of it.

    Raise InputError if there is a link or a device in it, or it is not there any more, and ConfigError if a file has a name
    that an archive does not take.
    """
    if thing.kind is Kind.BUNDLE:
        return {f"bundles/{path.name}": path.read_bytes() for path in with_sidecars(thing.place)}
    # an archive's file is held in memory, so what no archive can hold is not read
    if thing.size > MAX_BYTES:
        raise InputError(f"{thing.place}: {thing.size} bytes; up to {MAX_BYTES} can be archived or deleted at once")
    top = f"{_FOLDER[thing.kind]}/{thing.name}"
    files: dict[str, bytes] = {}
    for path in sorted(thing.place.rglob("*")):
        inside = path.relative_to(thing.place)
        if any(part.startswith(".") for part in inside.parts):
            continue
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise InputError(f"{path}: a link or a device; it is not followed")
        if path.is_file():
            check_path(f"{top}/{inside.as_posix()}")
            files[f"{top}/{inside.as_posix()}"] = path.read_bytes()
    if not files:
        raise InputError(f"{thing.place}: no files in it")
    return files


def fault_of(thing: Thing) -> str:
    """Say why a thing must stay: it is not what its digests say, or cannot be packed; empty where it need not."""
    try:
        read_content(thing)
        if thing.kind is Kind.RUN:
            return "; ".join(read_run(thing.place, thing.name).faults[:3])
        if thing.kind is Kind.INCIDENT:
            runs = sorted(path for path in thing.place.glob("tars-run-*") if path.is_dir())
            faults = [fault for run in runs for fault in read_run(run, run.name).faults]
            return "; ".join([*verify_incident(thing.place).faults, *faults][:3])
        if thing.kind is Kind.BUNDLE:
            return "; ".join(f"{damage.what}: {damage.path}" for damage in verify_bundle(thing.place).faults[:3])
    except (TarsError, OSError) as error:
        return " ".join(str(error).split())
    return ""


def content_digest(content: Mapping[str, bytes]) -> str:
    """Return one digest over all files with their paths."""
    whole = hashlib.sha256()
    for path in sorted(content):
        whole.update(f"{sha256_hex(content[path])}  {path}\n".encode())
    return whole.hexdigest()


def archive_files(thing: Thing, content: Mapping[str, bytes], since: datetime) -> dict[str, bytes]:
    """Return what goes into the archive: a bundle with its signatures as it is, anything else as a bag in a zip."""
    if thing.kind is Kind.BUNDLE:
        return {path.rpartition("/")[2]: data for path, data in content.items()}
    info = {
        "External-Identifier": thing.name,
        "Source-Organization": "T.A.R.S. incident workbook",
        "Tars-Partial": "no",
    }
    return {f"{thing.name}.zip": pack(thing.name, content, info, since)}


def check_archive(folder: Path, written: Mapping[str, bytes]) -> None:
    """Read back what was written to the archive, and verify the bundle among it.

    Raise VerificationError if anything is not what was packed.
    """
    for name, expected in written.items():
        if (folder / name).read_bytes() != expected:
            raise VerificationError(f"{folder / name}: not what was written; the original was kept")
        if name.endswith(".zip"):
            faults = verify_bytes(expected, str(folder / name)).faults
            if faults:
                raise VerificationError(f"{folder / name}: {faults[0].what}: {faults[0].path}; the original was kept")
