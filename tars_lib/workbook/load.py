"""The first cell of every notebook: the run that it tells."""

from __future__ import annotations

from glob import glob
from pathlib import Path

from tars_lib.errors import InputError
from tars_lib.pipeline import Run, latest_run, load_run


def run(run_dir: str) -> Run:
    """Load a run directory, or the newest of those that a pattern matches.

    Raises
    ------
    InputError
        If nothing matches.
    """
    found = [Path(match) for match in sorted(glob(run_dir))] or [Path(run_dir)]  # noqa: PTH207 - the pattern may be absolute
    if not found[0].exists():
        raise InputError(f"run_dir {run_dir!r}: nothing found; a run directory that `tars run` wrote is needed")
    return load_run(latest_run(found))
