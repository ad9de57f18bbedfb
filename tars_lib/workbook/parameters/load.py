"""The first cell of every notebook: the run that it tells."""

from __future__ import annotations

from tars_lib.errors import InputError
from tars_lib.pipeline import Run, latest_run, load_run
from tars_lib.workbook.parameters.workspace import matches


def run(run_dir: str) -> Run:
    """Load a run directory, or the newest of those that a pattern matches.

    Raises
    ------
    InputError
        If nothing matches.
    """
    found = matches(run_dir)
    if not found:
        raise InputError(f"run_dir {run_dir!r}: nothing found; a run directory that `tars run` wrote is needed")
    return load_run(latest_run(found))
