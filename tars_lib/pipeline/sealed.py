"""Is a run directory as it was written? Asked before anything in it is believed: it may have come from somebody else."""

from __future__ import annotations

from pathlib import Path

from tars_lib.engines.steps import STEPS
from tars_lib.errors import InputError, VerificationError
from tars_lib.files.json_records import read_json, read_record
from tars_lib.files.reading import sha256_of
from tars_lib.pipeline.layout import (
    HEALTH_FILE,
    MANIFEST_FILE,
    SLA_FILE,
    STATUS_FILE,
    Manifest,
    ManifestEntry,
    RunStatus,
)


def check_run(folder: Path) -> RunStatus:
    """Compare a run directory with its manifest, and its status with its reports.

    Raises
    ------
    InputError
        If it is no run directory, or its status or manifest cannot be read.
    VerificationError
        If a file is not what the manifest says, a report is not listed there, or the status contradicts a report.
    """
    if not (folder / STATUS_FILE).is_file():
        raise InputError(f"{folder}: no run directory; one has {STATUS_FILE}, {MANIFEST_FILE} and the reports")
    status = read_record(RunStatus, folder / STATUS_FILE)
    manifest = folder / MANIFEST_FILE
    listed = {entry.path: entry for entry in read_record(Manifest, manifest).files}
    for path, entry in listed.items():
        if Path(path).name != path or path in ("", "..", "."):
            raise VerificationError(f"{manifest}: lists {path!r}; names of files in the same folder are allowed")
        _compare(folder / path, entry)
    # an engine that was added later has no report in an older run
    reports = {step.file for step in STEPS.values()}
    for name in dict.fromkeys((STATUS_FILE, HEALTH_FILE, SLA_FILE, *(step.report for step in status.steps))):
        if name not in listed:
            raise VerificationError(f"{manifest}: does not list {name}, so nothing says that it is as it was written")
    for step in status.steps:
        if step.report not in reports:
            raise VerificationError(
                f"{folder / STATUS_FILE}: step {step.step} names {step.report!r}, which is no report"
            )
        said = read_json(folder / step.report)
        code = said.get("exit_code") if isinstance(said, dict) else None
        if code != step.exit_code:
            raise VerificationError(
                f"{folder / STATUS_FILE}: exit_code {step.exit_code} of step {step.step}, but {step.report} says {code}"
            )
    return status


def refuse_altered(report: Path) -> None:
    """Refuse a file of a run directory that is not what the manifest beside it says; any other file may be anything.

    Raises
    ------
    InputError
        If the manifest cannot be read, or has another digest for the file.
    """
    beside = report.parent / MANIFEST_FILE
    if not beside.is_file() or not (report.parent / STATUS_FILE).is_file():
        return
    for entry in read_record(Manifest, beside).files:
        if entry.path == report.name:
            try:
                _compare(report, entry)
            except VerificationError as error:
                raise InputError(str(error)) from error


def _compare(path: Path, entry: ManifestEntry) -> None:
    # what is longer than it was is altered, however long it would take to read
    if path.is_symlink() or not path.is_file() or path.stat().st_size > entry.bytes or sha256_of(path) != entry.sha256:
        raise VerificationError(f"{path}: {'altered' if path.exists() else 'missing'} since the run was written")
