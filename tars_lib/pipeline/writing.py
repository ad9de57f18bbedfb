"""Write a run directory, whole or not at all: it is filled beside its place and renamed."""

from __future__ import annotations

import os
from dataclasses import replace
from itertools import count
from pathlib import Path

from tars_lib.engines.health.report import HistoryFile
from tars_lib.engines.report import SCHEMA_VERSION
from tars_lib.errors import ReportError
from tars_lib.files.atomic import flush_folder, staged_folder, write_text
from tars_lib.files.json_records import dumps, record_text
from tars_lib.files.reading import sha256_of
from tars_lib.findings.exit_codes import EXIT_CODES
from tars_lib.model.history import History
from tars_lib.pipeline.history_file import parts_of, write_history
from tars_lib.pipeline.layout import (
    CONTEXT_FILE,
    HEALTH_FILE,
    MANIFEST_FILE,
    RUN_PREFIX,
    STATUS_FILE,
    SUMMARY_FILE,
    Manifest,
    ManifestEntry,
    RunStatus,
    StepStatus,
    run_name,
)
from tars_lib.pipeline.run import Run
from tars_lib.pipeline.steps import Analysis
from tars_lib.reports.summaries.executive_summary import executive_summary


def write_run(
    analysis: Analysis,
    outdir: str | Path,
    *,
    timestamp: str | None = None,
    root: str | Path | None = None,
    history: str = "copy",
) -> Path:
    """Write a run directory, whole or not at all.

    Parameters
    ----------
    timestamp : str, optional
        ``YYYYMMDD-HHMMSS`` for the directory's name; default the present time in UTC.
    root : path, optional
        The org-health folder, to be written down as it is given here: whoever makes the next run needs it.
    history : {"copy", "reference"}
        Whether the samples are written beside the reports, or stay in the files of the root and are referred to by digest.

    Returns
    -------
    Path
        The run directory; its name gets a suffix ``-2``, ``-3``... where it is taken, and is the run's id.

    Raises
    ------
    ConfigError
        If the timestamp has another form, or samples that are to be referred to are not all in history files.
    OSError
        If `outdir` cannot be written to; nothing is left behind.
    """
    name = run_name(timestamp)
    folder = Path(outdir)
    with staged_folder(folder, f".{RUN_PREFIX}") as staged:
        own = staged.lstat()
        _fill(staged, analysis, folder / name if history == "reference" else None)
        if not os.path.samestat(own, staged.lstat()):
            raise ReportError(f"{staged}: exchanged for something else while the run was written; nothing was kept")
        return _settle(staged, folder, analysis, name, None if root is None else str(root))


def _fill(staged: Path, analysis: Analysis, referred_from: Path | None) -> None:
    extent = analysis.health.history
    if referred_from is None:
        extent = _beside(analysis.org.history, extent, staged)
    else:
        extent = replace(extent, parts=parts_of(analysis.org, referred_from))
    written = analysis.with_reports(health=replace(analysis.health, history=extent))
    for step, report in written.made():
        write_text(staged / step.file, record_text(report))
    write_text(staged / CONTEXT_FILE, dumps({step.context: report for step, report in written.made()}))
    write_text(staged / SUMMARY_FILE, executive_summary(written.health, written.sla))


def _beside(history: History, extent: HistoryFile, folder: Path) -> HistoryFile:
    beside = HEALTH_FILE.replace(".json", ".history.parquet")
    return replace(extent, path=beside, sha256=write_history(history, folder / beside), parts=None)


def embed_history(run: Run, folder: Path) -> None:
    """Turn a run in `folder` that refers to the samples of `run` into one that holds them."""
    extent = _beside(run.org.history, run.health.history, folder)
    write_text(folder / HEALTH_FILE, record_text(replace(run.health, history=extent)))
    _seal(folder, run.run_id)


def _settle(staged: Path, folder: Path, analysis: Analysis, name: str, root: str | None) -> Path:
    """Name the finished directory and rename it into place; a name that is taken gets the next suffix."""
    for number in count(1):
        run_dir = folder / (name if number == 1 else f"{name}-{number}")
        if os.path.lexists(run_dir):
            continue
        _name(staged, analysis, run_dir.name, root)
        try:
            staged.rename(run_dir)
        except OSError:
            if not os.path.lexists(run_dir):
                raise
            continue
        flush_folder(folder)
        return run_dir
    raise AssertionError  # count() does not end


def _name(staged: Path, analysis: Analysis, name: str, root: str | None) -> None:
    """Write the two files that name the run."""
    write_text(staged / STATUS_FILE, record_text(_status(analysis, name, root)))
    _seal(staged, name)


def _seal(folder: Path, name: str) -> None:
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.name != MANIFEST_FILE)
    entries = tuple(ManifestEntry(path.name, sha256_of(path), path.stat().st_size) for path in files)
    write_text(folder / MANIFEST_FILE, dumps(Manifest(SCHEMA_VERSION, name, entries)))


def _status(analysis: Analysis, name: str, root: str | None) -> RunStatus:
    entry = EXIT_CODES[analysis.exit_code]
    return RunStatus(
        schema_version=SCHEMA_VERSION,
        run_id=name,
        generated_at=analysis.sla.generated_at,
        as_of=analysis.as_of,
        tool=analysis.sla.tool,
        exit_code=entry.code,
        finding=entry.finding,
        incident_type=entry.incident_type,
        severity=None if entry.severity is None else entry.severity.value,
        steps=tuple(
            StepStatus(step.name, step.file, report.exit_code, report.finding) for step, report in analysis.made()
        ),
        root=root,
    )
