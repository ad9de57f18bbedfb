"""One engine by itself: what it rests on is given as reports, or made in memory.

A command loads the engines that it runs, and no others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from tars_lib.engines.engine_input import EngineInput
from tars_lib.engines.report import Report
from tars_lib.engines.steps import STEPS
from tars_lib.files.json_records import read_record
from tars_lib.files.reading import sha256_of
from tars_lib.model.names import InputFile
from tars_lib.model.organisation import OrgData
from tars_lib.pipeline.sealed import refuse_altered
from tars_lib.pipeline.stamping import stamp
from tars_lib.playbook.escalation import NOTHING_OVERDUE
from tars_lib.text.times import MINUTES

if TYPE_CHECKING:
    from tars_lib.model.slo import Window
    from tars_lib.playbook.escalation import Overdue

R = TypeVar("R", bound=Report)


@dataclass(frozen=True, slots=True, eq=False)
class Upstream:
    """Reports of other engines that were given, by the name of their step, and their files."""

    reports: Mapping[str, Report] = field(default_factory=dict)
    inputs: tuple[InputFile, ...] = ()

    def mark(self, report: R) -> R:
        """Return the report with these files among its inputs, and a warning where one is of another time."""
        notes = [
            f"{given.report_id} was judged as of {given.as_of:{MINUTES}}, this report as of {report.as_of:{MINUTES}}"
            for given in self.reports.values()
            if given.as_of != report.as_of
        ]
        return replace(report, inputs=(*report.inputs, *self.inputs), warnings=(*report.warnings, *notes))


def read_upstream(**files: Path | None) -> Upstream:
    """Read reports of other engines: the name of each step, and its file where there is one.

    Raises
    ------
    InputError
        If one cannot be read, or lies in a run directory and is not as it was written.
    """
    given = {name: path for name, path in files.items() if path is not None}
    for path in given.values():
        refuse_altered(path)
    return Upstream(
        {name: read_record(STEPS[name].load_report_type(), path) for name, path in given.items()},
        tuple(InputFile(path.name, sha256_of(path)) for path in given.values()),
    )


def run_engine(
    engine: Callable[[EngineInput], R],
    org: OrgData,
    as_of: datetime,
    upstream: Upstream | None = None,
    *,
    overdue: Overdue = NOTHING_OVERDUE,
    windows: tuple[Window, ...] | None = None,
    max_lag: int | None = None,
) -> R:
    """Run one engine; what it rests on and was not given is made in memory."""
    others = upstream or Upstream()
    results = {STEPS[name].load_engine(): report for name, report in others.reports.items()}
    given = EngineInput(org, as_of, stamp(), overdue, windows, max_lag, dict(results))
    return others.mark(given.result(engine))
