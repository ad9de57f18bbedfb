"""Layout of a run directory: the names of its files, what two of them say, and what its own name says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tars_lib.engines.steps import STEPS
from tars_lib.errors import ConfigError
from tars_lib.pipeline.stamping import now

HEALTH_FILE = STEPS["health"].file
SLA_FILE = STEPS["sla"].file
CONTEXT_FILE = "incident-context.json"
SUMMARY_FILE = "executive-summary.md"
STATUS_FILE = "status.json"
MANIFEST_FILE = "manifest.json"
RUN_PREFIX = "tars-run-"
_RUN_NAME = re.compile(r"tars-run-(\d{8}-\d{6})(?:-(\d+))?")


@dataclass(frozen=True, slots=True)
class StepStatus:
    """One step of a run: its report file and what it found."""

    step: str
    report: str
    exit_code: int
    finding: str


@dataclass(frozen=True, slots=True)
class RunStatus:
    """`status.json` of a run directory.

    `root` is the org-health folder as it was named to the run, null where nobody named it.
    """

    schema_version: str
    run_id: str
    generated_at: datetime
    as_of: datetime
    tool: str
    exit_code: int
    finding: str
    incident_type: str | None
    severity: str | None
    steps: tuple[StepStatus, ...]
    root: str | None = None


@dataclass(frozen=True, slots=True)
class ManifestEntry:
    """A file of a run directory."""

    path: str
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """`manifest.json`: every other file of a run directory."""

    schema_version: str
    run_id: str
    files: tuple[ManifestEntry, ...]


def run_name(timestamp: str | None = None) -> str:
    """Return the name of a run directory for a time ``YYYYMMDD-HHMMSS``, by default the present one in UTC.

    Raises
    ------
    ConfigError
        If the timestamp has another form.
    """
    name = RUN_PREFIX + (now().strftime("%Y%m%d-%H%M%S") if timestamp is None else timestamp)
    try:
        parsed = datetime.strptime(name, f"{RUN_PREFIX}%Y%m%d-%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        parsed = None
    if parsed is None or parsed.strftime(f"{RUN_PREFIX}%Y%m%d-%H%M%S") != name:
        raise ConfigError(f"timestamp {timestamp!r}: YYYYMMDD-HHMMSS is allowed, such as 20260105-143000")
    return name


def latest_run(matches: Sequence[Path]) -> Path:
    """Return the newest of several run directories, or of files in them, by the time in the directory's name.

    Examples
    --------
    >>> latest_run([Path("tars-run-20260105-143000-10"), Path("tars-run-20260105-143000-9")]).name
    'tars-run-20260105-143000-10'
    """

    def age(path: Path) -> tuple[str, int, str]:
        run_names = [match for part in path.parts if (match := _RUN_NAME.fullmatch(part))]
        return (run_names[-1][1], int(run_names[-1][2] or 1), str(path)) if run_names else ("", 0, str(path))

    return max(matches, key=age)
