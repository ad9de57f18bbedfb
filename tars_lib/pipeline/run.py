"""A run directory read back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tars_lib.engines.alerts.report import AlertReport
from tars_lib.engines.health.report import HealthReport
from tars_lib.engines.relations.correlation_report import CorrelationReport
from tars_lib.engines.relations.lead_lag_report import TemporalReport
from tars_lib.engines.sla.report import SlaReport
from tars_lib.files.json_records import read_record
from tars_lib.model.organisation import OrgData
from tars_lib.pipeline.health_report import load_report
from tars_lib.pipeline.layout import (
    ALERTS_FILE,
    CORRELATION_FILE,
    HEALTH_FILE,
    SLA_FILE,
    TEMPORAL_FILE,
    RunStatus,
)
from tars_lib.pipeline.sealed import check_run
from tars_lib.reports.blocks.plain_text import plain_text
from tars_lib.reports.pages.html import preview
from tars_lib.reports.summaries.glance import glance

if TYPE_CHECKING:
    from tars_lib.reports.blocks.kinds import Block


@dataclass(frozen=True, slots=True)
class IncidentContext:
    """`incident-context.json`: the five reports under the names that the playbook's dotted paths use."""

    org_health: HealthReport
    org_alerts: AlertReport
    trend_correlation: CorrelationReport
    temporal_intelligence: TemporalReport
    sla_intelligence: SlaReport


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Run:
    """A run directory read back."""

    directory: Path
    status: RunStatus
    org: OrgData
    health: HealthReport
    alerts: AlertReport
    correlation: CorrelationReport
    temporal: TemporalReport
    sla: SlaReport

    @property
    def run_id(self) -> str:
        """Name of the run."""
        return self.status.run_id

    def blocks(self) -> tuple[Block, ...]:
        """What the run found at a glance, as blocks of a report."""
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
    return Run(
        folder,
        status,
        org,
        health,
        read_record(AlertReport, folder / ALERTS_FILE),
        read_record(CorrelationReport, folder / CORRELATION_FILE),
        read_record(TemporalReport, folder / TEMPORAL_FILE),
        read_record(SlaReport, folder / SLA_FILE),
    )
