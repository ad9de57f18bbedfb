"""Is a bundle what was packed? Names every file that is altered, missing, added or renamed, and every odd byte of the zip."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath

from tars_lib.errors import ConfigError, InputError, TarsError
from tars_lib.evidence.sealing.bag import CARRIED, DECLARATION, DECLARATION_FILE, INFO_FILE, read_info
from tars_lib.evidence.sealing.manifests import PAYLOAD_MANIFEST, TAG_MANIFEST, read_manifest
from tars_lib.evidence.sealing.names import check_path
from tars_lib.evidence.sealing.stored_zip import MAX_BYTES, MAX_ENTRIES, read_archive
from tars_lib.files.reading import read_whole
from tars_lib.files.scratch import scratch
from tars_lib.incidents.store.journal import RECORD_FILE
from tars_lib.incidents.store.register import is_incident_id
from tars_lib.incidents.store.timeline import TIMELINE_FILE
from tars_lib.incidents.store.verification import verify as verify_incident
from tars_lib.pipeline import MANIFEST_FILE

REDACTION_FILE = "data/redaction-report.json"
_REQUIRED = (DECLARATION_FILE, INFO_FILE, PAYLOAD_MANIFEST, TAG_MANIFEST, *CARRIED)


class FaultKind(StrEnum):
    """What is wrong with a file of a bundle, or with the zip around it."""

    ALTERED = "ALTERED"
    MISSING = "MISSING"
    UNLISTED = "UNLISTED"
    RENAMED = "RENAMED"
    MALFORMED = "MALFORMED"
    BROKEN_CHAIN = "BROKEN_CHAIN"


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is not as it was packed: which file (empty: the archive as a whole), and how it shows."""

    what: FaultKind
    path: str
    why: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found. `sha256` is the digest of the zip, null for a folder; `notes` are no faults."""

    sha256: str | None
    files: int
    identifier: str | None
    partial: str | None
    faults: tuple[Fault, ...]
    notes: tuple[str, ...]

    @property
    def is_intact(self) -> bool:
        """Whether nothing is wrong. A partial bundle may be intact: it says of itself that it is partial."""
        return not self.faults


def verify(path: Path) -> Verification:
    """Compare a bundle with its manifests, and what is in it with its own digests; nothing is fetched or changed.

    Parameters
    ----------
    path : Path
        The zip, or the folder that it was unpacked to.

    Raises
    ------
    InputError
        If it is neither, or larger than what is read.
    """
    if path.is_dir():
        files, faults = _folder(path)
        return _verified(files, faults, None)
    return verify_bytes(read_whole(path, f"{path}: no readable bundle", 2 * MAX_BYTES), str(path))


def verify_bytes(content: bytes, where: str = "bundle") -> Verification:
    """The same for the bytes of a zip.

    Raises
    ------
    InputError
        If they are no zip at all.
    """
    archive = read_archive(content, where)
    faults = [Fault(FaultKind.ALTERED, _inside(one.name), one.why) for one in archive.oddities]
    tops = sorted({entry.name.partition("/")[0] for entry in archive.entries})
    files: dict[str, bytes] = {}
    for entry in archive.entries:
        inside = _inside(entry.name)
        if not _is_path(entry.name) or not inside:
            faults.append(Fault(FaultKind.MALFORMED, inside or entry.name, "no name that a bundle's file can have"))
        files.setdefault(inside or entry.name, entry.content)
    if len(tops) > 1:
        faults.append(Fault(FaultKind.ALTERED, "", f"{len(tops)} folders at the top where a bundle has one"))
    named = read_info(files.get(INFO_FILE, b"")).get("Tars-Bundle")
    if len(tops) == 1 and named is not None and named != tops[0]:
        faults.append(
            Fault(FaultKind.RENAMED, "", f"the folder in the archive is {tops[0]!r}, and {INFO_FILE} says {named!r}")
        )
    return _verified(files, faults, hashlib.sha256(content).hexdigest())


def _verified(files: Mapping[str, bytes], faults: list[Fault], sha256: str | None) -> Verification:
    info = read_info(files.get(INFO_FILE, b""))
    partial = info.get("Tars-Partial", "no")
    faults = [*faults, *_sealed(files)]
    notes: list[str] = []
    if REDACTION_FILE in files:
        notes.append(
            f"redacted: {REDACTION_FILE} says what was replaced and which files were not searched, and has the digests of the "
            "originals"
        )
    if files:
        for fault in (*_chains(files, notes), *_runs(files)):
            # what was wrong when it was packed, the bundle says itself
            (faults.append(fault) if partial == "no" else notes.append(f"{fault.path}: {fault.why}"))
    return Verification(
        sha256=sha256,
        files=len(files),
        identifier=info.get("External-Identifier"),
        partial=None if partial == "no" else partial,
        faults=tuple(dict.fromkeys(faults)),
        notes=tuple(notes),
    )


def _sealed(files: Mapping[str, bytes]) -> Iterator[Fault]:
    """Files against manifests."""
    listed: dict[str, tuple[str, str]] = {}
    for name in (PAYLOAD_MANIFEST, TAG_MANIFEST):
        listing = read_manifest(files.get(name, b""), of_payload=name == PAYLOAD_MANIFEST)
        for fault in listing.faults:
            yield Fault(FaultKind.MALFORMED, name, fault)
        listed |= {path: (digest, name) for path, digest in listing.digests.items()}
    missing = sorted((listed.keys() | set(_REQUIRED)) - files.keys())
    extra = sorted(files.keys() - listed.keys() - {TAG_MANIFEST})
    digests = {
        path: hashlib.sha256(files[path]).hexdigest() for path in [*extra, *sorted(listed.keys() & files.keys())]
    }
    for path in missing:
        digest = listed[path][0] if path in listed else ""
        twin = next((other for other in extra if digests[other] == digest), None)
        if twin is None:
            why = f"listed in {listed[path][1]}, and not there" if path in listed else "every bundle has it"
            yield Fault(FaultKind.MISSING, path, why)
        else:
            extra.remove(twin)
            yield Fault(FaultKind.RENAMED, path, f"listed in {listed[path][1]}, and stands there as {twin}")
            yield Fault(FaultKind.UNLISTED, twin, f"has the content of {path}")
    for path in extra:
        yield Fault(FaultKind.UNLISTED, path, "in no manifest")
    for path in sorted(listed.keys() & files.keys()):
        digest, name = listed[path]
        if digests[path] != digest:
            yield Fault(
                FaultKind.ALTERED, path, f"does not match its line in {name}: the file or that line was altered"
            )
    if files.get(DECLARATION_FILE, DECLARATION) != DECLARATION:
        yield Fault(FaultKind.ALTERED, DECLARATION_FILE, "not the declaration of a BagIt 1.0 bag in UTF-8")
    data = [content for path, content in files.items() if path.startswith("data/")]
    oxum = f"{sum(map(len, data))}.{len(data)}"
    said = read_info(files.get(INFO_FILE, b"")).get("Payload-Oxum", oxum)
    if said != oxum:
        yield Fault(FaultKind.ALTERED, INFO_FILE, f"says {said} bytes.files below data/, and there are {oxum}")


def _chains(files: Mapping[str, bytes], notes: list[str]) -> Iterator[Fault]:
    """Each incident's record and timeline against their own digests."""
    for name in sorted({PurePosixPath(path).parts[2] for path in files if path.startswith("data/incident/")}):
        prefix = f"data/incident/{name}/"
        if not is_incident_id(name) or not {f"{prefix}{RECORD_FILE}", f"{prefix}{TIMELINE_FILE}"} <= files.keys():
            yield Fault(FaultKind.MISSING, prefix, f"{RECORD_FILE} and {TIMELINE_FILE} of an incident are needed")
            continue
        with scratch("verify") as place:
            folder = place / name
            folder.mkdir()
            for file in (RECORD_FILE, TIMELINE_FILE):
                (folder / file).write_bytes(files[f"{prefix}{file}"])
            try:
                checked = verify_incident(folder, with_runs=False)
            except TarsError as error:
                yield Fault(FaultKind.BROKEN_CHAIN, prefix, " ".join(str(error).replace(str(place), "").split())[:300])
                continue
        for fault in checked.faults:
            file = RECORD_FILE if fault.startswith(RECORD_FILE) else TIMELINE_FILE
            yield Fault(FaultKind.BROKEN_CHAIN, f"{prefix}{file}", fault.replace(str(place), ""))
        notes += [f"{prefix}: {note}" for note in checked.notes]


def _runs(files: Mapping[str, bytes]) -> Iterator[Fault]:
    """Each run against its own manifest."""
    for path in sorted(files):
        place = PurePosixPath(path)
        if place.parts[:2] != ("data", "runs") or len(place.parts) != 4 or place.name != MANIFEST_FILE:
            continue
        try:
            entries = [(str(entry["path"]), str(entry["sha256"])) for entry in json.loads(files[path])["files"]]
        except (ValueError, KeyError, TypeError, RecursionError):
            yield Fault(FaultKind.ALTERED, path, "no manifest of a run")
            continue
        for file, digest in entries:
            there = files.get(str(place.parent / file))
            if there is None or hashlib.sha256(there).hexdigest() != digest:
                what = FaultKind.MISSING if there is None else FaultKind.ALTERED
                yield Fault(what, str(place.parent / file), "not what the run's own manifest says")


def _folder(folder: Path) -> tuple[dict[str, bytes], list[Fault]]:
    files: dict[str, bytes] = {}
    faults: list[Fault] = []
    size = 0
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            faults.append(Fault(FaultKind.UNLISTED, name, "a link or a device; it was not followed"))
            continue
        if not path.is_file():
            continue
        size += path.stat().st_size
        if size > MAX_BYTES or len(files) >= MAX_ENTRIES:
            raise InputError(f"{folder}: more than {MAX_ENTRIES} files or {MAX_BYTES} bytes; that many are read")
        files[name] = path.read_bytes()
    if DECLARATION_FILE not in files and PAYLOAD_MANIFEST not in files:
        raise InputError(f"{folder}: no bundle: it has neither {DECLARATION_FILE} nor {PAYLOAD_MANIFEST}")
    return files, faults


def _inside(name: str) -> str:
    """Path of an entry in the bag's folder."""
    return name.partition("/")[2]


def _is_path(name: str) -> bool:
    try:
        check_path(name)
    except ConfigError:
        return False
    return True
