"""Is a run directory whole, and how is one laid out so that reports on it name no place on this machine?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tars_lib.errors import InputError, TarsError
from tars_lib.evidence.sealing.stored_zip import MAX_BYTES
from tars_lib.files.atomic import write_bytes, write_text
from tars_lib.files.json_records import dumps, read_record
from tars_lib.files.reading import sha256_hex
from tars_lib.pipeline import MANIFEST_FILE, STATUS_FILE, Manifest, ManifestEntry, Run, load_run
from tars_lib.pipeline.writing import embed_history


@dataclass(frozen=True, slots=True, eq=False)
class PackedRun:
    """A run directory as it is packed: its name in the bundle, its bytes, and what is wrong with it.

    `run` is None where the reports cannot be read.
    """

    name: str
    directory: Path
    files: dict[str, bytes]
    faults: tuple[str, ...]
    run: Run | None


def read_run(directory: Path, name: str) -> PackedRun:
    """Read a run directory and compare it with its manifest.

    Raise InputError if it is no folder, or nothing in it can be packed.
    """
    if not directory.is_dir():
        raise InputError(f"{directory}: no such run directory")
    files: dict[str, bytes] = {}
    faults: list[str] = []
    for path in sorted(directory.iterdir()):
        if path.is_symlink() or not path.is_file():
            faults.append(f"{name}: {path.name} is {'a link' if path.is_symlink() else 'no file'} and was not packed")
        elif (size := path.stat().st_size) > MAX_BYTES:
            faults.append(f"{name}: {path.name} has {size} bytes and was not packed; a bundle holds {MAX_BYTES}")
        else:
            files[path.name] = path.read_bytes()
    if not files:
        raise InputError(f"{directory}: no files in it; a run directory that `tars run` wrote is needed")
    faults += _against_manifest(directory, name, files)
    try:
        run = load_run(directory) if not faults else None
    except (TarsError, OSError) as error:
        faults.append(f"{name}: {_without_folder(error, directory)}")
        run = None
    return PackedRun(name, directory, files, tuple(faults), run)


def lay_out(packed: PackedRun, folder: Path) -> Run | None:
    """Copy a run to `folder` and read it there; None where its reports cannot be read.

    The copy of a run that is not whole gets a manifest of what is there, so that what can be read can be reported on, marked
    as partial. It serves the report alone: the bundle holds the run's own manifest.
    """
    for file, content in packed.files.items():
        write_bytes(folder / file, content)
    if packed.run is not None and packed.run.health.history.parts is not None:
        embed_history(packed.run, folder)
    if packed.faults:
        entries = tuple(
            ManifestEntry(file, sha256_hex(content), len(content))
            for file, content in sorted(packed.files.items())
            if file != MANIFEST_FILE
        )
        write_text(folder / MANIFEST_FILE, dumps(Manifest("1.0", packed.name, entries)))
    try:
        return load_run(folder)
    except (TarsError, OSError):
        return None


def _against_manifest(directory: Path, name: str, files: dict[str, bytes]) -> list[str]:
    faults = [f"{name}: {file} is missing" for file in (STATUS_FILE, MANIFEST_FILE) if file not in files]
    if MANIFEST_FILE not in files:
        return faults
    try:
        listed = {entry.path: entry.sha256 for entry in read_record(Manifest, directory / MANIFEST_FILE).files}
    except InputError as error:
        return [*faults, f"{name}: {_without_folder(error, directory)}"]
    for file, digest in sorted(listed.items()):
        if file not in files:
            faults.append(f"{name}: {file} is missing")
        elif sha256_hex(files[file]) != digest:
            faults.append(f"{name}: {file} was altered since the run was written")
    faults += [f"{name}: {file} is not listed in {MANIFEST_FILE}" for file in sorted(files.keys() - listed.keys())]
    return [
        fault for fault in dict.fromkeys(faults) if fault != f"{name}: {MANIFEST_FILE} is not listed in {MANIFEST_FILE}"
    ]


def _without_folder(error: Exception, directory: Path) -> str:
    """Return an error's sentence without the place of the run on this machine."""
    return " ".join(str(error).split()).replace(f"{directory}/", "").replace(str(directory), directory.name)[:300]
