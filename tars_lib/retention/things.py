"""Inventory: runs, incidents, bundles and reports, their ages, and the incidents and runs that they belong to."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tars_lib.errors import TarsError
from tars_lib.evidence.sealing.bag import INFO_FILE, read_info
from tars_lib.files.json_records import read_record
from tars_lib.incidents.store.journal import RECORD_FILE, read_incident
from tars_lib.incidents.store.record import IncidentStatus
from tars_lib.incidents.store.register import folders
from tars_lib.incidents.store.timeline import TIMELINE_FILE
from tars_lib.pipeline import STATUS_FILE, RunStatus
from tars_lib.retention.policy import Kind

_NAMED = re.compile(r"tars-run-\d{8}-\d{6}(?:-\d+)?|INC-\d{12}(?:-\d+)?")
SIDECARS = (".minisig", ".asc", ".tsr", ".sha256")
"""Endings of files that belong to the bundle beside them."""


@dataclass(frozen=True, slots=True)
class Places:
    """Folders that retention looks into, and the archive."""

    runs: Path
    incidents: Path
    bundles: Path
    reports: Path
    archive: Path


@dataclass(frozen=True, slots=True)
class Thing:
    """Something that is kept.

    `since` is when its age begins; None: it has not begun, and `open_because` says why. `names` are the incidents and runs that
    it is or speaks of. `size` in bytes. `is_unreadable`: its age cannot be known.
    """

    kind: Kind
    name: str
    place: Path
    since: datetime | None
    names: frozenset[str]
    size: int
    open_because: str = ""
    is_unreadable: bool = False


@dataclass(frozen=True, slots=True)
class Needs:
    """Names that must stay, each with the reason: of held incidents, and of those that are not closed or cannot be read."""

    held: Mapping[str, str]
    running: Mapping[str, str]


def things(places: Places) -> tuple[list[Thing], Needs]:
    """Return everything in the places, and what incidents need."""
    incident_things, needs = incidents(places.incidents)
    return [*incident_things, *_runs(places.runs), *_bundles(places.bundles), *_reports(places.reports)], needs


def incidents(root: Path) -> tuple[list[Thing], Needs]:
    """Return the incidents alone, and what they need."""
    on_hold: dict[str, str] = {}
    running: dict[str, str] = {}
    records: list[Thing] = []
    for folder in folders(root):
        thing, is_held = _incident(folder)
        records.append(thing)
        if is_held:
            on_hold |= dict.fromkeys(thing.names, f"legal hold on {folder.name}")
        if thing.since is None:
            why = "cannot be read" if thing.is_unreadable else "is not closed"
            running |= dict.fromkeys(thing.names, f"{folder.name} {why}")
    return records, Needs(on_hold, running)


def _incident(folder: Path) -> tuple[Thing, bool]:
    """Return an incident, and whether it is held."""
    named = {folder.name, *(path.name for path in folder.iterdir() if _NAMED.fullmatch(path.name))}
    for file in (RECORD_FILE, TIMELINE_FILE):
        # read as bytes, so that a record that is not whole still keeps its runs
        path = folder / file
        named |= set(_NAMED.findall(path.read_bytes().decode("latin-1"))) if path.is_file() else set()
    since, reason = None, ""
    try:
        incident = read_incident(folder)
    except TarsError as error:
        return _thing(Kind.INCIDENT, folder, None, frozenset(named), str(error), is_unreadable=True), False
    if incident is None:
        reason = "it has no record yet"
    elif incident.status is not IncidentStatus.CLOSED:
        reason = f"it is {incident.status.value}"
    else:
        since = incident.closed_at
    is_held = incident is not None and incident.held_at is not None
    return _thing(Kind.INCIDENT, folder, since, frozenset(named), reason), is_held


def _runs(runs_dir: Path) -> Iterator[Thing]:
    for folder in _folders(runs_dir, "tars-run-*"):
        try:
            since, reason = read_record(RunStatus, folder / STATUS_FILE).generated_at, ""
        except TarsError as error:
            since, reason = None, str(error)
        yield _thing(Kind.RUN, folder, since, frozenset({folder.name}), reason, is_unreadable=since is None)


def _bundles(bundles_dir: Path) -> Iterator[Thing]:
    for path in sorted(bundles_dir.glob("*.zip")) if bundles_dir.is_dir() else ():
        if path.is_symlink() or not path.is_file():
            continue
        try:
            with zipfile.ZipFile(path) as archive:
                listed = archive.namelist()
                info = next((name for name in listed if name.count("/") == 1 and name.endswith(f"/{INFO_FILE}")), None)
                if info is None or archive.getinfo(info).file_size > 1_000_000:
                    continue  # some other zip
                lines = read_info(archive.read(info))
            since, reason = datetime.strptime(lines.get("Bagging-Date", ""), "%Y-%m-%d").replace(tzinfo=UTC), ""
        except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError, RuntimeError):
            listed, since, reason = [], None, f"{path}: no readable bundle"
        names = frozenset(_NAMED.findall(" ".join([path.name, *listed])))
        size = sum(file.stat().st_size for file in with_sidecars(path))
        yield Thing(Kind.BUNDLE, path.name, path, since, names, size, reason, is_unreadable=since is None)


def _reports(reports_dir: Path) -> Iterator[Thing]:
    """Yield folders that `tars report` names after a run or an incident; whatever else is there is none of ours."""
    for folder in [*_folders(reports_dir, "tars-run-*"), *_folders(reports_dir, "INC-*")]:
        if _NAMED.fullmatch(folder.name) is None:
            continue
        times = [path.stat().st_mtime for path in folder.rglob("*") if path.is_file()]
        since = datetime.fromtimestamp(max(times), UTC) if times else None
        yield _thing(Kind.REPORT, folder, since, frozenset({folder.name}), "" if times else "it is empty")


def with_sidecars(bundle: Path) -> list[Path]:
    """Return a bundle and the files that belong to it."""
    beside = [bundle.with_name(f"{bundle.name}{ending}") for ending in SIDECARS]
    return [bundle, *(path for path in beside if path.is_file() and not path.is_symlink())]


def _folders(parent: Path, pattern: str) -> list[Path]:
    matches = parent.glob(pattern) if parent.is_dir() else ()
    return sorted(path for path in matches if path.is_dir() and not path.is_symlink())


def _thing(
    kind: Kind, folder: Path, since: datetime | None, names: frozenset[str], reason: str, *, is_unreadable: bool = False
) -> Thing:
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return Thing(kind, folder.name, folder, since, names, size, reason, is_unreadable)
