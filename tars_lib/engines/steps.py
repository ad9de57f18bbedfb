"""The one table of engines: running, writing, reading back, comparing, the commands and the docs derive from it.

To add an engine, write `engines/<question>/<name>.py` and add its line here (the recipe is in `docs/recipes.md`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """An engine: how it is called, what it makes, and what it rests on.

    Code is named as ``module:name`` and imported when it is first used.

    Parameters
    ----------
    name : str
        Of the step in `status.json`, of the attribute of a run and of the command ``tars <name>``.
    engine : str
        Function of an `EngineInput` that returns the report.
    report : str
        Type of the report, which is also its schema.
    file : str
        In a run directory.
    context : str
        Key in `incident-context.json`.
    purpose : str
        What the command does, in one line of help.
    upstream : tuple of str
        Steps whose reports the engine asks for.
    differences : str
        Function of two reports (before, after) that yields each `Difference`; by default the finding alone is compared.
    """

    name: str
    engine: str
    report: str
    file: str
    context: str
    purpose: str
    upstream: tuple[str, ...] = ()
    differences: str = "tars_lib.engines.queries.run_difference:finding_changes"

    def load_engine(self) -> Callable[[Any], Any]:
        """Return the function that makes the report."""
        engine: Callable[[Any], Any] = resolve_name(self.engine)
        return engine

    def load_report_type(self) -> type:
        """Return the type of the report."""
        report: type = resolve_name(self.report)
        return report

    def load_differences(self) -> Callable[[Any, Any], Any]:
        """Return the function that compares two reports."""
        differences: Callable[[Any, Any], Any] = resolve_name(self.differences)
        return differences


_TABLE = (
    Step(
        name="health",
        engine="tars_lib.engines.judging:report_health",
        report="tars_lib.engines.health.report:HealthReport",
        file="org-health-report.json",
        context="org_health",
        purpose="Score every service and the organisation.",
        differences="tars_lib.engines.queries.run_difference:health_changes",
    ),
    Step(
        name="alerts",
        engine="tars_lib.engines.judging:report_alerts",
        report="tars_lib.engines.alerts.report:AlertReport",
        file="org-alerts.json",
        context="org_alerts",
        purpose="Raise alerts, in the playbook's order of priority.",
        upstream=("health",),
        differences="tars_lib.engines.queries.run_difference:alert_changes",
    ),
    Step(
        name="correlation",
        engine="tars_lib.engines.judging:report_correlation",
        report="tars_lib.engines.relations.correlation_report:CorrelationReport",
        file="trend-correlation-report.json",
        context="trend_correlation",
        purpose="Find services that move together, and what they share.",
    ),
    Step(
        name="temporal",
        engine="tars_lib.engines.judging:report_temporal",
        report="tars_lib.engines.relations.lead_lag_report:TemporalReport",
        file="temporal-intelligence-report.json",
        context="temporal_intelligence",
        purpose="Find leaders, followers and propagation paths.",
        upstream=("health", "correlation"),
        differences="tars_lib.engines.queries.run_difference:path_changes",
    ),
    Step(
        name="sla",
        engine="tars_lib.engines.judging:report_slas",
        report="tars_lib.engines.sla.report:SlaReport",
        file="sla-intelligence-report.json",
        context="sla_intelligence",
        purpose="Judge the SLAs and explain the breaches.",
        upstream=("health", "alerts", "correlation", "temporal"),
        differences="tars_lib.engines.queries.run_difference:sla_changes",
    ),
)

STEPS: dict[str, Step] = {step.name: step for step in _TABLE}
"""Name to engine, in the order in which they run: none before what it rests on."""
