"""The ordered steps from an organisation to a run directory and to reports of it, in process.

Each name is imported when it is first used: a command that wants the name of a file in a run starts no engine.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tars_lib.pipeline.layout import ALERTS_FILE as ALERTS_FILE
    from tars_lib.pipeline.layout import CONTEXT_FILE as CONTEXT_FILE
    from tars_lib.pipeline.layout import CORRELATION_FILE as CORRELATION_FILE
    from tars_lib.pipeline.layout import HEALTH_FILE as HEALTH_FILE
    from tars_lib.pipeline.layout import MANIFEST_FILE as MANIFEST_FILE
    from tars_lib.pipeline.layout import RUN_PREFIX as RUN_PREFIX
    from tars_lib.pipeline.layout import SLA_FILE as SLA_FILE
    from tars_lib.pipeline.layout import STATUS_FILE as STATUS_FILE
    from tars_lib.pipeline.layout import SUMMARY_FILE as SUMMARY_FILE
    from tars_lib.pipeline.layout import TEMPORAL_FILE as TEMPORAL_FILE
    from tars_lib.pipeline.layout import Manifest as Manifest
    from tars_lib.pipeline.layout import ManifestEntry as ManifestEntry
    from tars_lib.pipeline.layout import RunStatus as RunStatus
    from tars_lib.pipeline.layout import StepStatus as StepStatus
    from tars_lib.pipeline.layout import latest_run as latest_run
    from tars_lib.pipeline.layout import run_name as run_name
    from tars_lib.pipeline.reporting import write_report as write_report
    from tars_lib.pipeline.reporting import write_reports as write_reports
    from tars_lib.pipeline.reporting import write_reports_of as write_reports_of
    from tars_lib.pipeline.run import IncidentContext as IncidentContext
    from tars_lib.pipeline.run import Run as Run
    from tars_lib.pipeline.run import load_run as load_run
    from tars_lib.pipeline.single import Upstream as Upstream
    from tars_lib.pipeline.single import analyze_alerts as analyze_alerts
    from tars_lib.pipeline.single import analyze_correlation as analyze_correlation
    from tars_lib.pipeline.single import analyze_slas as analyze_slas
    from tars_lib.pipeline.single import analyze_temporal as analyze_temporal
    from tars_lib.pipeline.single import read_upstream as read_upstream
    from tars_lib.pipeline.stamping import now as now
    from tars_lib.pipeline.stamping import stamp as stamp
    from tars_lib.pipeline.steps import Analysis as Analysis
    from tars_lib.pipeline.steps import analyze as analyze
    from tars_lib.pipeline.writing import write_run as write_run

_PUBLIC = {
    "stamping": ("now", "stamp"),
    "steps": ("Analysis", "analyze"),
    "single": (
        "Upstream",
        "analyze_alerts",
        "analyze_correlation",
        "analyze_slas",
        "analyze_temporal",
        "read_upstream",
    ),
    "layout": (
        "ALERTS_FILE",
        "CONTEXT_FILE",
        "CORRELATION_FILE",
        "HEALTH_FILE",
        "MANIFEST_FILE",
        "RUN_PREFIX",
        "SLA_FILE",
        "STATUS_FILE",
        "SUMMARY_FILE",
        "TEMPORAL_FILE",
        "Manifest",
        "ManifestEntry",
        "RunStatus",
        "StepStatus",
        "latest_run",
        "run_name",
    ),
    "run": ("IncidentContext", "Run", "load_run"),
    "writing": ("write_run",),
    "reporting": ("write_report", "write_reports", "write_reports_of"),
}
_MODULE_OF = {name: module for module, names in _PUBLIC.items() for name in names}

if not TYPE_CHECKING:  # a type checker would take any name for one that is there

    def __getattr__(name: str) -> object:
        if name not in _MODULE_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted(_MODULE_OF)
