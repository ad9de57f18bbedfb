"""Is a bundle what was packed? Names every file that is altered, missing, added or renamed, and every odd byte of the zip."""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath

from tars_lib.errors import ConfigError, InputError, TarsError
from tars_lib.evidence.containers import Container, Contents, arrange_folder, open_container
from tars_lib.evidence.sealing.bag import CARRIED, DECLARATION, DECLARATION_FILE, INFO_FILE, read_info
from tars_lib.evidence.sealing.manifests import PAYLOAD_MANIFEST, TAG_MANIFEST, Listing, read_manifest
from tars_lib.evidence.sealing.names import check_path
from tars_lib.evidence.sealing.stored_zip import MAX_BYTES, MAX_ENTRIES, Entry, write_archive
from tars_lib.files.reading import read_whole, sha256_hex
from tars_lib.files.scratch import scratch
from tars_lib.incidents.store.journal import RECORD_FILE, split_lines
from tars_lib.incidents.store.register import is_incident_id
from tars_lib.incidents.store.timeline import TIMELINE_FILE
from tars_lib.incidents.store.verification import verify as verify_incident
from tars_lib.pipeline import MANIFEST_FILE

REDACTION_FILE = "data/redaction-report.json"
_CONVERTED = "its line endings were converted; its words are as they were packed"
_ASK = "ask for the zip as it was written if its own bytes matter"
_TWIN = "has the content of"
_NO_NAME = "no name that a bundle's file can have"
_RUNS = {".py", ".pyc", ".pyd", ".pyi", ".pth", ".so"}
_REQUIRED = (DECLARATION_FILE, INFO_FILE, PAYLOAD_MANIFEST, TAG_MANIFEST, *CARRIED)


class FaultKind(StrEnum):
    """Fault of a file of a bundle, or of the zip around it."""

    ALTERED = "ALTERED"
    MISSING = "MISSING"
    UNLISTED = "UNLISTED"
    RENAMED = "RENAMED"
    MALFORMED = "MALFORMED"
    BROKEN_CHAIN = "BROKEN_CHAIN"
    IMPORTABLE = "IMPORTABLE"


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is not as it was packed: which file (empty: the archive as a whole), and how it shows."""

    what: FaultKind
    path: str
    why: str


@dataclass(frozen=True, slots=True)
class Verification:
    """Findings on a bundle.

    Attributes
    ----------
    sha256 : str or None
        Digest of the archive as it arrived; None for a folder.
    files, listed : int
        Files of the bundle that are there, and that its manifests list or every bundle has.
    content_faults, container_faults : tuple of Fault
        Of the files, and of what they are packed in.
    notes : tuple of str
        No faults.
    causes : tuple of str
        What is likely to have happened, a sentence each.
    original : bytes or None
        The archive as it was written, made anew from its files where they are all as they were; None where they are not.
    timelines : mapping of str to tuple of str
        By incident the digests of the entries that its timeline in the bundle holds, the first first.
    """

    sha256: str | None
    files: int
    listed: int
    identifier: str | None
    partial: str | None
    content_faults: tuple[Fault, ...]
    container_faults: tuple[Fault, ...]
    notes: tuple[str, ...]
    container: Container
    causes: tuple[str, ...]
    original: bytes | None
    timelines: Mapping[str, tuple[str, ...]]

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Faults of both kinds."""
        return (*self.container_faults, *self.content_faults)

    @property
    def spoiled(self) -> int:
        """Return the files that are not as they were packed; one that was renamed is one."""
        return len({fault.path for fault in self.content_faults if not fault.why.startswith(_TWIN)})

    @property
    def is_intact(self) -> bool:
        """Return whether nothing is wrong. A partial bundle may be intact: it says of itself that it is partial."""
        return not self.faults

    @property
    def content_is_intact(self) -> bool:
        """Return whether every file is as it was packed, in a container that honest handling gives."""
        return not self.content_faults and self.container.is_harmless


def verify(path: Path) -> Verification:
    """Compare a bundle with its manifests, and what is in it with its own digests; nothing is fetched or changed.

    Parameters
    ----------
    path : Path
        The zip, an archive of another tool with the same files, or the folder that it was unpacked to.

    Raises
    ------
    InputError
        If it is neither, or larger than what is read.
    """
    if path.is_dir():
        files, faults = _folder(path)
        return _verified(arrange_folder(files), faults, None)
    return verify_bytes(read_whole(path, f"{path}: no readable bundle", 2 * MAX_BYTES), str(path))


def verify_bytes(content: bytes, where: str = "bundle") -> Verification:
    """Compare the bytes of an archive in the same way. Raise InputError if they are none that can be read."""
    return _verified(open_container(content, where), [], content)


def _verified(contents: Contents, faults: list[Fault], content: bytes | None) -> Verification:
    files = contents.files
    info = read_info(files.get(INFO_FILE, b""))
    partial = info.get("Tars-Partial", "no").strip()
    faults += [Fault(FaultKind.MALFORMED, path, _NO_NAME) for path in sorted(files) if not _is_path(path)]
    faults += [Fault(FaultKind.MALFORMED, path, "stands in the archive more than once") for path in contents.doubled]
    for path in contents.beside:
        is_named = _is_path(path)
        why = "beside the bundle's folder" if is_named else _NO_NAME
        faults.append(Fault(FaultKind.UNLISTED if is_named else FaultKind.MALFORMED, path, why))
    faults += [*_importable(files), *_sealed(files, is_cut=contents.container is Container.CUT_SHORT)]
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
    prefix = f"{contents.folder}/" if contents.folder else ""
    around = [Fault(FaultKind.ALTERED, odd.name.removeprefix(prefix), odd.why) for odd in contents.oddities]
    around += [Fault(FaultKind.UNLISTED, path, "a file of an operating system") for path in contents.litter]
    named = info.get("Tars-Bundle", contents.folder).strip()
    if contents.container is not Container.FOLDER and named != contents.folder:
        why = f"the folder in the archive is {contents.folder!r}, and {INFO_FILE} says {named!r}"
        around.append(Fault(FaultKind.RENAMED, "", why))
    if not around and contents.container not in (Container.AS_WRITTEN, Container.FOLDER):
        around.append(Fault(FaultKind.ALTERED, "", contents.container.value))
    listed = {path for name in (PAYLOAD_MANIFEST, TAG_MANIFEST) for path in _listing(files, name).digests} | set(
        _REQUIRED
    )
    is_text = content is not None and content.count(b"\n") == content.count(b"\r\n") > 0
    original = None
    if content is not None and not faults and contents.container.is_harmless:
        is_ours = contents.container is Container.AS_WRITTEN
        original = content if is_ours else write_archive([Entry(f"{named}/{path}", files[path]) for path in files])
    return Verification(
        sha256=None if content is None else sha256_hex(content),
        files=len(files),
        listed=len(listed),
        identifier=info.get("External-Identifier"),
        partial=None if partial == "no" else partial,
        content_faults=tuple(dict.fromkeys(faults)),
        container_faults=tuple(dict.fromkeys(around)),
        notes=tuple(notes),
        container=contents.container,
        causes=tuple(_causes(contents, faults, named, is_text=is_text)),
        original=original,
        timelines={
            PurePosixPath(path).parts[2]: _digests(content)
            for path, content in files.items()
            if PurePosixPath(path).match(f"data/incident/*/{TIMELINE_FILE}")
        },
    )


def _digests(timeline: bytes) -> tuple[str, ...]:
    """Return the digests that the entries of a timeline state; a line that is none has none."""
    digests = []
    for line in split_lines(timeline)[0]:
        try:
            digests.append(str(json.loads(line)["sha256"]))
        except (ValueError, KeyError, TypeError, RecursionError):
            digests.append("")
    return tuple(digests)


def _causes(contents: Contents, faults: Iterable[Fault], named: str, *, is_text: bool) -> Iterator[str]:
    """List likely causes, worst first; `is_text`: each line feed of the archive follows a carriage return."""
    if any(_CONVERTED in fault.why for fault in faults):
        yield "a tool converted line endings, as some transfers and editors do; fetch the zip as a binary file"
    if contents.container is Container.CUT_SHORT:
        yield "a download or a copy broke off; fetch the bundle again"
    if contents.container is Container.DAMAGED and is_text:
        yield "the archive was transferred as text, which converts what looks like line endings; fetch it as a binary file"
    elif contents.container is Container.DAMAGED:
        yield "the archive was damaged, or written by something that is no usual zip tool; ask for the bundle again"
    if contents.container is Container.PACKED_ANEW:
        where = f" under the name {contents.folder}" if contents.folder else " without their folder"
        yield f"another tool packed the files again{'' if contents.folder == named else where}; {_ASK}"
    if contents.container is Container.OTHER_ARCHIVE:
        yield f"the files were packed with tar; {_ASK}"
    if any(
        fault.what is FaultKind.RENAMED and fault.why.lower().endswith(f" as {fault.path.lower()}") for fault in faults
    ):
        yield "a file system or a tool that does not tell capitals apart changed names"
    if contents.litter:
        yield "an operating system put files of its own there, such as .DS_Store or Thumbs.db; they are no part of the bundle"


def _importable(files: Mapping[str, bytes]) -> Iterator[Fault]:
    """Name files that a Python started in the bundle's folder could run; a bundle has one, its own check."""
    for path in sorted(files):
        if path.lower() != "verify.py" and PurePosixPath(path).suffix.lower() in _RUNS:
            yield Fault(
                FaultKind.IMPORTABLE, path, "Python would run it from that folder, and no bundle of this tool has it"
            )


def _listing(files: Mapping[str, bytes], name: str) -> Listing:
    """Return a manifest, read also where a tool converted all its line endings or put a byte order mark before it."""
    written = name if name in files else next((path for path in files if path.lower() == name), name)
    content = files.get(written, b"").removeprefix(BOM_UTF8)
    if content and content.count(b"\r\n") == content.count(b"\n"):
        content = content.replace(b"\r\n", b"\n")
    return read_manifest(content, of_payload=name == PAYLOAD_MANIFEST)


def _sealed(files: Mapping[str, bytes], *, is_cut: bool) -> Iterator[Fault]:
    """Compare files with manifests; of an archive that was cut short nothing is said that the lost part would have to show."""
    if not files:
        yield Fault(FaultKind.MALFORMED, "", "no file of a bundle could be read")
        return
    listed: dict[str, tuple[str, str]] = {}
    for name in (PAYLOAD_MANIFEST, TAG_MANIFEST):
        listing = _listing(files, name)
        for fault in listing.faults:
            yield Fault(FaultKind.MALFORMED, name, fault)
        listed |= {path: (digest, name) for path, digest in listing.digests.items()}
        if files.get(name, b"").startswith(BOM_UTF8):
            yield Fault(
                FaultKind.MALFORMED, name, "a byte order mark before its first row, as some editors put it there"
            )
        if listing.digests and b"\r" in files.get(name, b""):
            yield Fault(FaultKind.MALFORMED, name, f"a carriage return in its rows: {_CONVERTED}")
    missing = sorted((listed.keys() | set(_REQUIRED)) - files.keys())
    extra = sorted(files.keys() - listed.keys() - {TAG_MANIFEST})
    digests = {path: sha256_hex(files[path]) for path in [*extra, *sorted(listed.keys() & files.keys())]}
    for path in missing:
        digest = listed[path][0] if path in listed else ""
        twin = next((other for other in extra if digests[other] == digest), None)
        if twin is None and path in _REQUIRED:
            twin = next((other for other in extra if other.lower() == path.lower()), None)
        if twin is None:
            why = f"listed in {listed[path][1]}, and not there" if path in listed else "every bundle has it"
            yield Fault(FaultKind.MISSING, path, why)
        else:
            extra.remove(twin)
            said = f"listed in {listed[path][1]}, and" if path in listed else "every bundle has it, and it"
            yield Fault(FaultKind.RENAMED, path, f"{said} stands there as {twin}")
            if digest:
                yield Fault(FaultKind.UNLISTED, twin, f"{_TWIN} {path}")
    if is_cut and not {PAYLOAD_MANIFEST, TAG_MANIFEST} <= files.keys():
        extra = []
    for path in extra:
        yield Fault(FaultKind.UNLISTED, path, "in no manifest")
    for path in sorted(listed.keys() & files.keys()):
        digest, name = listed[path]
        if digests[path] != digest:
            plain = files[path].replace(b"\r\n", b"\n")
            is_converted = plain != files[path] and sha256_hex(plain) == digest
            why = (
                _CONVERTED if is_converted else f"does not match its line in {name}: the file or that line was altered"
            )
            yield Fault(FaultKind.ALTERED, path, why)
    if files.get(DECLARATION_FILE, DECLARATION) != DECLARATION:
        yield Fault(FaultKind.ALTERED, DECLARATION_FILE, "not the declaration of a BagIt 1.0 bag in UTF-8")
    data = [content for path, content in files.items() if path.startswith("data/")]
    oxum = f"{sum(map(len, data))}.{len(data)}"
    said = read_info(files.get(INFO_FILE, b"")).get("Payload-Oxum", oxum)
    # of files that were added or lost, the lines above speak
    if said != oxum and {path for path in listed if path.startswith("data/")} == {
        path for path in files if path.startswith("data/")
    }:
        yield Fault(FaultKind.ALTERED, INFO_FILE, f"says {said} bytes.files below data/, and there are {oxum}")


def _chains(files: Mapping[str, bytes], notes: list[str]) -> Iterator[Fault]:
    """Compare each incident's record and timeline with their own digests."""
    for name in sorted({PurePosixPath(path).parts[2] for path in files if path.startswith("data/incident/")}):
        prefix = f"data/incident/{name}/"
        if not is_incident_id(name) or not {f"{prefix}{RECORD_FILE}", f"{prefix}{TIMELINE_FILE}"} <= files.keys():
            yield Fault(FaultKind.MISSING, prefix, f"{RECORD_FILE} and {TIMELINE_FILE} of an incident are needed")
            continue
        with scratch("verify") as scratch_folder:
            folder = scratch_folder / name
            folder.mkdir()
            for file in (RECORD_FILE, TIMELINE_FILE):
                (folder / file).write_bytes(files[f"{prefix}{file}"])
            try:
                checked = verify_incident(folder, with_runs=False)
            except TarsError as error:
                yield Fault(
                    FaultKind.BROKEN_CHAIN, prefix, " ".join(str(error).replace(str(scratch_folder), "").split())[:300]
                )
                continue
        for fault in checked.faults:
            file = RECORD_FILE if fault.startswith(RECORD_FILE) else TIMELINE_FILE
            yield Fault(FaultKind.BROKEN_CHAIN, f"{prefix}{file}", fault.replace(str(scratch_folder), ""))
        notes += [f"{prefix}: {note}" for note in checked.notes]


def _runs(files: Mapping[str, bytes]) -> Iterator[Fault]:
    """Compare each run with its own manifest."""
    for path in sorted(files):
        file_path = PurePosixPath(path)
        if file_path.parts[:2] != ("data", "runs") or len(file_path.parts) != 4 or file_path.name != MANIFEST_FILE:
            continue
        try:
            entries = [(str(entry["path"]), str(entry["sha256"])) for entry in json.loads(files[path])["files"]]
        except (ValueError, KeyError, TypeError, RecursionError):
            yield Fault(FaultKind.ALTERED, path, "no manifest of a run")
            continue
        for file, digest in entries:
            there = files.get(str(file_path.parent / file))
            if there is None or sha256_hex(there) != digest:
                what = FaultKind.MISSING if there is None else FaultKind.ALTERED
                yield Fault(what, str(file_path.parent / file), "not what the run's own manifest says")


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
    if not any(PurePosixPath(name).name.lower() in (DECLARATION_FILE, PAYLOAD_MANIFEST) for name in files):
        raise InputError(f"{folder}: no bundle: it has neither {DECLARATION_FILE} nor {PAYLOAD_MANIFEST}")
    return files, faults


def _is_path(name: str) -> bool:
    try:
        check_path(name)
    except ConfigError:
        return False
    return True
