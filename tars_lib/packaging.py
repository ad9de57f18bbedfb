"""Packs what a run found, and the report on it, into one bundle that an outsider can verify."""

from __future__ import annotations

import platform
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tars_lib.errors import TarsError, VerificationError
from tars_lib.pipeline import load_run, now, write_report
from tars_lib.records import dumps, write_bytes
from tars_lib.reports.bundle import bundle_name, pack

_PACKAGES = (
    "tars-incident-workbook",
    "numpy",
    "pandas",
    "scipy",
    "pyarrow",
    "matplotlib",
    "networkx",
    "typst",
    "nbconvert",
    "papermill",
)


def write_bundle(run_dir: Path, output_dir: Path, name: str | None = None, *, allow_partial: bool = False) -> Path:
    """Write the evidence bundle of a run.

    Parameters
    ----------
    run_dir : Path
        Run directory; every file is checked against its manifest first.
    output_dir : Path
        Made if need be; the bundle is there whole or not at all.
    name : str, optional
        Default ``tars-evidence-<run>``.
    allow_partial : bool
        Pack also what was altered or could not be reported on, marked as such.

    Returns
    -------
    Path
        The zip.

    Raises
    ------
    VerificationError, InputError, ReportError
        If the run is not whole, or the report failed, and `allow_partial` is not set.
    """
    chosen = bundle_name(name or f"tars-evidence-{run_dir.resolve().name}")
    faults: list[str] = []
    payload: dict[str, bytes] = {}
    made_at = now()
    try:
        run = load_run(run_dir)
        made_at = run.status.generated_at
        with tempfile.TemporaryDirectory(prefix="tars-evidence-") as folder:
            for path in write_report("incident_report", run_dir, Path(folder), ("html", "pdf")).values():
                if path.suffix != ".ipynb":
                    payload[f"report/{path.name}"] = path.read_bytes()
    except TarsError as error:
        if not allow_partial:
            raise VerificationError(f"{error}; --allow-partial packs it all the same, marked as partial") from error
        faults.append(str(error))
    payload |= {f"run/{path.name}": path.read_bytes() for path in sorted(run_dir.iterdir()) if path.is_file()}
    payload["environment.json"] = dumps(_environment()).encode("utf-8")
    info = {
        "Source-Organization": "T.A.R.S. incident workbook",
        "External-Identifier": run_dir.resolve().name,
        "Tars-Partial": "; ".join(faults) if faults else "no",
    }
    place = output_dir / f"{chosen}.zip"
    write_bytes(place, pack(chosen, payload, info, made_at))
    return place


def _environment() -> dict[str, object]:
    packages = {}
    for package in _PACKAGES:
        try:
            packages[package] = version(package)
        except PackageNotFoundError:
            packages[package] = "not installed"
    return {"python": sys.version.split()[0], "platform": platform.platform(), "packages": packages}
