"""A run directory read back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, make_dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tars_lib.engines.report import Report
from tars_lib.engines.steps import STEPS
from tars_lib.files.json_records import read_record
from tars_lib.model.organisation import OrgData
from tars_lib.pipeline.health_report import load_report
from tars_lib.pipeline.layout import (
    HEALTH_FILE,
    RunStatus,
)
from tars_lib.pipeline.sealed import check_run
from tars_lib.pipeline.step_reports import StepReports
from tars_lib.reports.blocks.plain_text import plain_text
from tars_lib.reports.pages.html import preview
from tars_lib.reports.summaries.glance import glance

if TYPE_CHECKING:
    from tars_lib.reports.blocks.kinds import Block


def context_type() -> type:
    """Return the type of `incident-context.json`: a dataclass with one report a step."""
    described = (
        "`incident-context.json`: the report of every engine under the name that the playbook's dotted paths use."
    )
    fields = [(step.context, step.load_report_type()) for step in STEPS.values()]
    return make_dataclass("IncidentContext", fields, namespace={"__doc__": described}, frozen=True)


@dataclass(frozen=True, eq=False, repr=False)
class Run(StepReports):
    """A run directory read back.

    Parameters
    ----------
    reports : mapping
        Name of a step to its report; each is an attribute too: ``.health``, ``.sla``.
    """

    directory: Path
    status: RunStatus
    org: OrgData
    reports: Mapping[str, Report]

    @property
    def run_id(self) -> str:
        """Return the name of the run."""
        return self.status.run_id

    def blocks(self) -> tuple[Block, ...]:
        """Return what the run found at a glance, as blocks of a report."""
        return glance(self.health, self.alerts, self.sla, self.status.exit_code)

    def __repr__(self) -> str:
        return f"{self.run_id}\n" + "\n".join(plain_text(block) for block in self.blocks())

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": preview(*self.blocks())}


def load_run(directory: str | Path) -> Run:
    """Read a run directory.

    Raises
    ------
    InputError
        If it is not a run directory or a file in it cannot be read.
    VerificationError
        If a file is not what the manifest says, or is not listed in it, or the status contradicts a report.
    """
    folder = Path(directory)
    status = check_run(folder)
    org, health = load_report(folder / HEALTH_FILE)
    # an engine that was added later has no report in an older run
    made = {step.step for step in status.steps}
    reports: dict[str, Report] = {"health": health}
    for step in STEPS.values():
        if step.name in made - reports.keys():
            reports[step.name] = read_record(step.load_report_type(), folder / step.file)
    return Run(folder, status, org, reports)
