"""What stands after a kill: is each run and bundle whole, and is everything there that was acknowledged?

Shared by `fuzz/kills.py`, whose writers die, and `fuzz/command_kills.py`, whose commands do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from tars_lib.errors import TarsError
from tars_lib.evidence.verification import verify as verify_bundle
from tars_lib.incidents.store.journal import read_incident
from tars_lib.incidents.store.record import CustodyAct
from tars_lib.incidents.store.verification import verify
from tars_lib.pipeline import load_run


def leftovers(folder: Path) -> int:
    """Number of hidden things in a folder: what a killed writer left, and nothing reads."""
    return sum(path.name.startswith(".") for path in _entries(folder))


def torn_runs(outdir: Path) -> list[str]:
    """What has a run's name and is no whole run."""
    failures = []
    for path in _entries(outdir):
        if path.name.startswith("."):
            continue
        try:
            load_run(path)
        except TarsError as error:
            failures.append(f"half a run was accepted: {error}")
    return failures


def torn_bundles(outdir: Path) -> list[str]:
    """What has a bundle's name and is not intact; each is read anew."""
    failures = []
    for path in _entries(outdir):
        if path.name.startswith("."):
            failures += [f"{path.name}: a leftover has a bundle's ending"] if path.suffix == ".zip" else []
            continue
        try:
            failures += [f"{path.name}: half a bundle was written: {one}" for one in verify_bundle(path).faults]
        except TarsError as error:
            failures.append(f"half a bundle was written: {error}")
    return failures


def missing(told: Iterable[Path]) -> list[str]:
    """What was acknowledged and is not there."""
    return [f"{path.name} was acknowledged and is not there" for path in told if not path.exists()]


def not_entered(incident: Path, told: Iterable[Path]) -> list[str]:
    """Bundles that were acknowledged and whose creation the incident does not record, and what is wrong with its record."""
    failures = list(verify(incident).faults)
    record = read_incident(incident)
    made = () if record is None else record.custody
    entered = {(event.bundle, event.sha256) for event in made if event.act is CustodyAct.CREATED}
    return failures + [
        f"{path.name} was acknowledged and its digest is not entered"
        for path in told
        if path.is_file() and (path.name, hashlib.sha256(path.read_bytes()).hexdigest()) not in entered
    ]


def _entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []
