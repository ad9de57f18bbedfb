"""The reports of all engines, each an attribute under the name of its step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from tars_lib.engines.report import Report
from tars_lib.engines.steps import STEPS, Step

if TYPE_CHECKING:
    from tars_lib.engines.alerts.report import AlertReport
    from tars_lib.engines.health.report import HealthReport
    from tars_lib.engines.relations.correlation_report import CorrelationReport
    from tars_lib.engines.relations.lead_lag_report import TemporalReport
    from tars_lib.engines.sla.report import SlaReport

S = TypeVar("S", bound="StepReports")


class StepReports:
    """Common base of `Analysis` and `Run`: `reports`, each of them an attribute too."""

    if TYPE_CHECKING:
        reports: Mapping[str, Report]
        # for type checkers, which cannot read the table
        health: HealthReport
        alerts: AlertReport
        correlation: CorrelationReport
        temporal: TemporalReport
        sla: SlaReport

    def __post_init__(self) -> None:
        # as attributes that are there: JupyterLab completes no others
        for name, report in self.reports.items():
            object.__setattr__(self, name, report)

    def made(self) -> Iterator[tuple[Step, Report]]:
        """Yield each step that was run and its report, in the order of `STEPS`."""
        for step in STEPS.values():
            if step.name in self.reports:
                yield step, self.reports[step.name]

    def with_reports(self: S, **changed: Report) -> S:
        """Return the same with other reports in place of some: ``run.with_reports(sla=other)``."""
        return replace(self, reports={**self.reports, **changed})  # type: ignore[type-var]
