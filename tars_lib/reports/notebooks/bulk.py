"""Several notebooks at once: all are checked before the first kernel starts, and one that fails stops no other."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tars_lib.errors import ReportError
from tars_lib.files.atomic import make_folder
from tars_lib.files.reading import real
from tars_lib.reports.notebooks.execute import check_notebook, export, run_notebook
from tars_lib.stats.scheduler import Scheduler, elsewhere

WORKERS = 2
"""Kernels at once: the two cores of a small machine; judgement."""


@dataclass(frozen=True, slots=True)
class Job:
    """One notebook to be executed and exported.

    `notebook` is a name or a path, `parameters` what is injected, `folder` where the executed notebook and the exports go,
    `generated_at` the time that the report prints. `cwd` is the kernel's working folder, None: the current one.
    """

    notebook: str
    parameters: Mapping[str, Any]
    folder: Path
    generated_at: datetime
    cwd: Path | None = None

    @property
    def name(self) -> str:
        """Stem of every file that it writes."""
        return Path(self.notebook).stem


@dataclass(frozen=True, slots=True)
class Outcome:
    """Outcome of a job.

    `files` holds `notebook` and one entry a format; empty where it failed. `error` says why; a `NotebookError` where a cell
    did.
    """

    job: Job
    files: Mapping[str, Path]
    error: Exception | None


def run_jobs(
    jobs: Sequence[Job],
    formats: Sequence[str],
    *,
    workers: int = WORKERS,
    on_done: Callable[[Outcome], None] | None = None,
) -> tuple[Outcome, ...]:
    """Execute and export notebooks.

    Parameters
    ----------
    workers : int
        Kernels at once, at least 1.
    on_done : callable, optional
        Told each outcome as it comes, in the caller's thread.

    Returns
    -------
    tuple of Outcome
        In the order of the jobs. A notebook that failed is kept, and neither exported nor left beside an older export.

    Raises
    ------
    ReportError
        A notebook is not there, a parameter is not declared or of another type, two jobs write the same files, or a folder
        cannot be written; no kernel was started then.
    """
    if workers < 1:
        raise ReportError(f"workers: got {workers}, expected a whole number of at least 1")
    for job in jobs:
        check_notebook(job.notebook, job.parameters)
    for (folder, name), times in Counter((real(job.folder), job.name) for job in jobs).items():
        if times > 1:
            raise ReportError(f"{name} is asked for {times} times in {folder}; one report of a name fits in a folder")
    for folder in dict.fromkeys(job.folder for job in jobs):
        _open(folder)
    away = elsewhere()
    if away is not None:
        return _run_elsewhere(away, jobs, formats, on_done)
    # the work is done in the kernels' processes; threads wait for them
    pool = ThreadPoolExecutor(max_workers=min(workers, max(len(jobs), 1)))
    try:
        running = {
            pool.submit(_run, job, formats, has_bar=len(jobs) == 1): position for position, job in enumerate(jobs)
        }
        outcomes: dict[int, Outcome] = {}
        for future in as_completed(running):
            position = running[future]
            error = future.exception()
            if error is not None and not isinstance(error, Exception):
                raise error
            outcome = Outcome(jobs[position], {} if error is not None else future.result(), error)
            if error is not None:
                _forget_exports(outcome.job, formats)
            outcomes[position] = outcome
            if on_done is not None:
                on_done(outcome)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return tuple(outcomes[position] for position in range(len(jobs)))


def _run_elsewhere(
    scheduler: Scheduler, jobs: Sequence[Job], formats: Sequence[str], on_done: Callable[[Outcome], None] | None
) -> tuple[Outcome, ...]:
    """Execute the notebooks where the scheduler has its workers; they see the same folders."""
    outcomes = []
    for job, (files, error) in zip(jobs, scheduler.map(_attempt, tuple(formats), jobs), strict=True):
        if error is not None:
            _forget_exports(job, formats)
        outcomes.append(Outcome(job, files, error))
        if on_done is not None:
            on_done(outcomes[-1])
    return tuple(outcomes)


def _attempt(formats: tuple[str, ...], job: Job) -> tuple[dict[str, Path], Exception | None]:
    try:
        return _run(job, formats, has_bar=False), None
    except Exception as error:  # noqa: BLE001 - told beside the other outcomes
        return {}, error


def _open(folder: Path) -> None:
    """Make the folder of a report, before a kernel has worked for one that cannot be written."""
    try:
        make_folder(folder)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise ReportError(
            f"output {folder}: cannot be written ({why}); allowed: a folder that is there or can be made"
        ) from error


def _run(job: Job, formats: Iterable[str], *, has_bar: bool) -> dict[str, Path]:
    from tars_lib.reports.notebooks.kernel import close_event_loop

    notebook_path = job.folder / f"{job.name}.ipynb"
    try:
        executed = run_notebook(
            job.notebook, job.parameters, notebook_path, generated_at=job.generated_at, cwd=job.cwd, has_bar=has_bar
        )
    finally:
        close_event_loop()
    return {"notebook": executed, **export(executed, formats, job.folder)}


def _forget_exports(job: Job, formats: Iterable[str]) -> None:
    """An export of an earlier run beside a failed notebook would pass for this run's."""
    for form in formats:
        (job.folder / f"{job.name}.{form}").unlink(missing_ok=True)
