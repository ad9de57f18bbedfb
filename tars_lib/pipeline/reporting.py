"""Execute notebooks on run directories and export them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tars_lib.errors import ReportError
from tars_lib.files.reading import real
from tars_lib.pipeline.run import load_run

if TYPE_CHECKING:
    from tars_lib.reports.notebooks.bulk import Job, Outcome


def write_report(
    notebook: str,
    run: Path,
    output: Path | None,
    formats: tuple[str, ...],
    *,
    parameters: Mapping[str, object] | None = None,
) -> dict[str, Path]:
    """Execute a notebook on a run directory and export it.

    Parameters
    ----------
    notebook : str
        Name of a packaged notebook, or the path of one.
    run : Path
        Run directory; checked before a kernel starts.
    output : Path or None
        Folder for the executed notebook and the exports; default ``outputs/<run>``.
    formats : tuple of str
        ``html``, ``pdf``.
    parameters : mapping, optional
        Beyond `run_dir`.

    Returns
    -------
    dict of str to Path
        ``notebook`` and one entry a format.

    Raises
    ------
    InputError, VerificationError
        If the run cannot be read or was altered.
    ReportError
        If the notebook fails; it is kept, and not exported.
    """
    (outcome,) = write_reports({notebook: parameters or {}}, run, output, formats)
    if outcome.error is not None:
        raise outcome.error
    return dict(outcome.files)


def write_reports(
    notebooks: Mapping[str, Mapping[str, object]],
    run: Path,
    output: Path | None,
    formats: tuple[str, ...],
    *,
    workers: int = 2,
    on_done: Callable[[Outcome], None] | None = None,
) -> tuple[Outcome, ...]:
    """Execute several notebooks on a run directory and export them; one that fails stops no other.

    Parameters
    ----------
    notebooks : mapping
        Name or path of each to its parameters beyond `run_dir`.

    Returns
    -------
    tuple of Outcome
        In the order of `notebooks`.

    Raises
    ------
    InputError, VerificationError, ReportError
        If the run cannot be read, `output` lies inside it, or a parameter is not allowed; no kernel was started then.
    """
    return write_reports_of({run: notebooks}, output, formats, workers=workers, on_done=on_done)


def write_reports_of(
    runs: Mapping[Path, Mapping[str, Mapping[str, object]]],
    output: Path | None,
    formats: tuple[str, ...],
    *,
    workers: int = 2,
    on_done: Callable[[Outcome], None] | None = None,
) -> tuple[Outcome, ...]:
    """Execute notebooks on several run directories and export them; all are checked before the first kernel starts.

    Parameters
    ----------
    runs : mapping
        Run directory to what `write_reports` takes for it.
    output : Path or None
        Of one run its folder; of several each gets ``<output>/<run>``. Default ``outputs/<run>``.

    Returns
    -------
    tuple of Outcome
        Run by run, in the order of `runs`.

    Raises
    ------
    InputError, VerificationError, ReportError
        As for `write_reports`.
    """
    from tars_lib.reports.notebooks.bulk import run_jobs

    jobs = [job for run, notebooks in runs.items() for job in _jobs(run, notebooks, output, is_one=len(runs) == 1)]
    return run_jobs(jobs, formats, workers=workers, on_done=on_done)


def _jobs(run: Path, notebooks: Mapping[str, Mapping[str, object]], output: Path | None, *, is_one: bool) -> list[Job]:
    from tars_lib.reports.notebooks.bulk import Job

    checked = load_run(run)
    folder = Path("outputs") / checked.run_id if output is None else output if is_one else output / checked.run_id
    sealed = real(run)
    if sealed in (real(folder), *real(folder).parents):
        raise ReportError(
            f"output {folder}: lies inside the run directory {run}, which is sealed; allowed: any other folder"
        )
    return [
        Job(name, {"run_dir": str(sealed), **parameters}, folder, checked.status.generated_at)
        for name, parameters in notebooks.items()
    ]
