"""The head that all reports have in common."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tars_lib.files.json_records import time_text
from tars_lib.findings.exit_codes import EXIT_CODES
from tars_lib.model.names import InputFile
from tars_lib.text.counts import plural
from tars_lib.text.sentences import Telling, Told
from tars_lib.text.times import MINUTES

SCHEMA_VERSION = "1.0"


@dataclass(frozen=True, slots=True)
class Stamp:
    """Time and maker of a report: the caller's clock and this package's version."""

    generated_at: datetime
    tool: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Report(Telling):
    """Common head of every report.

    `report_id` depends on kind, inputs, `as_of` and tool alone: the same input gives the same id.
    """

    schema_version: str
    report_id: str
    generated_at: datetime
    as_of: datetime
    tool: str
    inputs: tuple[InputFile, ...]
    warnings: tuple[str, ...]
    exit_code: int
    finding: str

    def told(self) -> Told:
        """Say what was found, as of when, and how to ask on."""
        finding = self.finding.replace("_", " ")
        noted = f"{plural(len(self.warnings), 'warning')}: see .warnings." if self.warnings else ""
        return Told.of(
            (
                f"{type(self).__name__} as of {self.as_of:{MINUTES}}: {finding} (exit code {self.exit_code}).",
                noted,
                "Next: .frame is its table.",
            )
        )


def head(
    kind: str, stamp: Stamp, as_of: datetime, inputs: Iterable[InputFile], warnings: Iterable[str], exit_code: int
) -> dict[str, Any]:
    """Keyword arguments of a report's head."""
    listed = tuple(inputs)
    digest = hashlib.sha256()
    for part in (kind, stamp.tool, time_text(as_of), *(f"{file.path}\0{file.sha256}" for file in listed)):
        digest.update(part.encode("utf-8") + b"\0")
    return {
        "schema_version": SCHEMA_VERSION,
        "report_id": f"{kind}-{digest.hexdigest()[:16]}",
        "generated_at": stamp.generated_at,
        "as_of": as_of,
        "tool": stamp.tool,
        "inputs": listed,
        "warnings": tuple(dict.fromkeys(warnings)),
        "exit_code": exit_code,
        "finding": EXIT_CODES[exit_code].finding,
    }
