"""The verdicts of several runs, for what looks at their course: read without their histories, and checked all the same."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from tars_lib.engines.sla.report import SlaReport
from tars_lib.errors import InputError, TarsError, VerificationError
from tars_lib.figures.sla.readiness_runs import RunPoint
from tars_lib.files.json_records import read_record
from tars_lib.pipeline import MANIFEST_FILE, RUN_PREFIX, SLA_FILE, STATUS_FILE, Manifest, Run
from tars_lib.workbook.parameters.workspace import matches

MAX_RUNS = 200
"""Newest runs that are read; judgement: eight days of hourly checks, or most of a year of daily ones."""


@dataclass(frozen=True, slots=True)
class PastRuns:
    """Runs, oldest data first; those that cannot be read with the reason; how many older ones were left out."""

    points: tuple[RunPoint, ...]
    unreadable: tuple[tuple[str, str], ...]
    left_out: int


def past_runs(run: Run, pattern: object) -> PastRuns:
    """Return the readiness of the runs that stand beside a run, or that a pattern matches; the run itself is among them.

    Parameters
    ----------
    run : Run
    pattern : object
        A glob; empty: the runs in the same folder.

    Raises
    ------
    InputError
        If the pattern is no text, or matches nothing; the message names the parameter.
    """
    here = run.directory.resolve()
    others = {path.resolve(): path for path in places(run, pattern) if (path / STATUS_FILE).is_file()}
    others.pop(here, None)
    newest = sorted(others, key=lambda path: path.name, reverse=True)
    points, unreadable = [_point(run.run_id, run.sla)], []
    for path in newest[: MAX_RUNS - 1]:
        try:
            points.append(_point(path.name, _verdict(path)))
        except (TarsError, OSError) as error:
            unreadable.append((path.name, str(error)))
    points.sort(key=lambda point: (point.as_of, point.run_id))
    return PastRuns(tuple(points), tuple(unreadable), max(0, len(newest) - MAX_RUNS + 1))


def places(run: Run, pattern: object) -> list[Path]:
    """Return the paths of the runs that a pattern matches, or that stand beside a run; see `past_runs`."""
    if not isinstance(pattern, str):
        raise InputError(f"runs {pattern!r}: a pattern such as reports/runs/tars-run-* is allowed, or an empty text")
    if not pattern:
        return list(run.directory.parent.glob(f"{RUN_PREFIX}*"))
    found = matches(pattern)
    if not found:
        raise InputError(f"runs {pattern!r}: nothing found; a pattern of run directories is allowed, or an empty text")
    return found


def _verdict(folder: Path) -> SlaReport:
    """Return the SLA report of a run, compared with the manifest.

    Raises
    ------
    InputError, VerificationError
        If it cannot be read, or is not what the manifest says.
    """
    manifest = read_record(Manifest, folder / MANIFEST_FILE)
    listed = {entry.path: entry.sha256 for entry in manifest.files}
    path = folder / SLA_FILE
    if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != listed.get(SLA_FILE):
        raise VerificationError(f"{path}: {'altered' if path.exists() else 'missing'} since the run was written")
    return read_record(SlaReport, path)


def _point(run_id: str, sla: SlaReport) -> RunPoint:
    readiness = sla.executive_readiness
    return RunPoint(run_id, sla.as_of, readiness.readiness_score, readiness.tier, sla.summary.breached)
