"""Choice of the runs that belong in a bundle: those that were named, and those that an incident's record rests on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tars_lib.errors import InputError
from tars_lib.evidence.gather import Request
from tars_lib.files.reading import real, sha256_of
from tars_lib.incidents.store.journal import RECORD_FILE, read_incident
from tars_lib.incidents.store.record import RunReference
from tars_lib.incidents.store.register import is_incident_id, runs_in
from tars_lib.pipeline import MANIFEST_FILE, latest_run


def incident_around(run: Path) -> Path | None:
    """Return the incident in whose folder a run stands; None where there is none with a record."""
    folder = real(run).parent
    return folder if is_incident_id(folder.name) and (folder / RECORD_FILE).is_file() else None


def choose(base: Request, *, run: Path | None = None, before: Path | None = None, after: Path | None = None) -> Request:
    """Fill in the runs of a request.

    Parameters
    ----------
    base : Request
        Its `incident` says which runs lie before and after containment where none is named.
    run, before, after : Path, optional
        A run for itself, and two to compare; `run` takes the place of the one that is not named.

    Returns
    -------
    Request
        With `runs` oldest first, the two that are compared, and in `faults` what the record knows of and is not there.

    Raises
    ------
    InputError
        If neither a run nor an incident is named, or the incident's folder has no record.
    """
    faults: list[str] = []
    if base.incident is not None:
        incident = read_incident(base.incident)
        if incident is None:
            raise InputError(
                f"{base.incident}: no record in it yet; `tars incident open --adopt {base.incident.name}` makes one"
            )
        before = before or _recorded("before", incident.before, base.incident, faults)
        after = after or _recorded("after", incident.after, base.incident, faults)
        if (run, before, after) == (None, None, None) and runs_in(base.incident):
            run = latest_run(runs_in(base.incident))
    runs: list[Path] = []
    for run_dir in (before, run, after):
        if run_dir is not None and real(run_dir) not in [real(chosen_run) for chosen_run in runs]:
            runs.append(run_dir)
    if not runs and base.incident is None:
        raise InputError("nothing to pack: a run directory or an incident is needed")
    if len(runs) > 1:
        return replace(base, runs=tuple(runs), before=runs[0], after=runs[-1], faults=tuple(faults))
    return replace(base, runs=tuple(runs), faults=tuple(faults))


def _recorded(name: str, reference: RunReference | None, folder: Path, faults: list[str]) -> Path | None:
    """Return a run of the record; one that is gone or is not the one that was recorded is a fault."""
    if reference is None:
        return None
    run_dir = folder / reference.path
    manifest = run_dir / MANIFEST_FILE
    if not manifest.is_file():
        faults.append(f"{reference.run_id}: the run {name} containment is not where the record says")
        return run_dir if run_dir.is_dir() else None
    if sha256_of(manifest) != reference.manifest_sha256:
        faults.append(f"{reference.run_id}: the run {name} containment is not the one that was recorded")
    return run_dir
