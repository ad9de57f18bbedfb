"""The formats that are known, each with how it is recognised and read: the one table of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from operator import attrgetter

from tars_lib.errors import ConfigError, InputError
from tars_lib.sources.exported.content import Content
from tars_lib.sources.exported.shapes import Choices, Exported

_HERE = "tars_lib.sources.exported"


@dataclass(frozen=True, slots=True)
class ExportFormat:
    """A format.

    Attributes
    ----------
    says : str
        What it is, in a line.
    module, recognise, read : str
        Where its functions are; the module is imported when a file is looked at.
    of : str
        ``document`` where the functions take parsed JSON or YAML, ``table`` where the file is one, else ``text``.
    """

    name: str
    says: str
    module: str
    recognise: str = "SHAPE.fits"
    read: str = "parse"
    of: str = "document"

    def fits(self, content: Content) -> bool:
        """Return whether a file looks like this format."""
        if self.of == "document":
            return content.document is not None and bool(self._function(self.recognise)(content.document))
        if self.of == "table" and not content.columns:
            return False
        return content.document is None and bool(self._function(self.recognise)(content))

    def reads(self, content: Content, choices: Choices) -> Exported:
        """Read what the file holds."""
        if self.of == "document":
            exported = self._function(self.read)(content.document, content.label, choices)
        else:
            exported = self._function(self.read)(content, choices)
        assert isinstance(exported, Exported)  # noqa: S101 - a promise of every reader
        return exported

    def _function(self, name: str) -> Callable[..., object]:
        function: Callable[..., object] = attrgetter(name)(import_module(f"{_HERE}.{self.module}"))
        return function


FORMATS: tuple[ExportFormat, ...] = (
    ExportFormat(
        "prometheus", "Prometheus query JSON (Mimir, Thanos, VictoriaMetrics)", "samples.prometheus", "is_one"
    ),
    ExportFormat(
        "cloudwatch", "CloudWatch get-metric-data or get-metric-statistics JSON", "samples.cloudwatch", "is_one"
    ),
    ExportFormat("datadog", "Datadog query JSON", "samples.datadog", "is_one"),
    ExportFormat("otlp", "OpenTelemetry metrics (OTLP), JSON or its lines", "samples.otlp", "is_one"),
    ExportFormat("influx", "InfluxQL answer, JSON", "samples.influx", "is_answer", "read_answer"),
    ExportFormat("newrelic", "New Relic NRQL answer with TIMESERIES, JSON", "samples.newrelic", "is_one"),
    ExportFormat("google", "Google Cloud Monitoring timeSeries.list JSON", "samples.google"),
    ExportFormat("azure", "Azure Monitor metrics JSON", "samples.azure", "is_one"),
    ExportFormat("graphite", "Graphite render JSON", "samples.graphite", "is_one"),
    ExportFormat("alertmanager", "Alertmanager webhook payloads or API answer", "incidents.alertmanager"),
    ExportFormat("pagerduty", "PagerDuty incidents or analytics JSON", "incidents.pagerduty", "is_one"),
    ExportFormat("opsgenie", "Opsgenie alerts JSON", "incidents.opsgenie"),
    ExportFormat("statuspage", "Statuspage history JSON", "incidents.statuspage"),
    ExportFormat("github", "GitHub deployments JSON", "changes.code_hosts", "GITHUB.fits", "read_github"),
    ExportFormat("gitlab", "GitLab deployments JSON", "changes.code_hosts", "GITLAB.fits", "read_gitlab"),
    ExportFormat("backstage", "Backstage catalog-info.yaml or entities", "changes.backstage", "is_one"),
    ExportFormat("records", "records with a time, JSON or its lines", "samples.records", "is_one"),
    ExportFormat(
        "openmetrics", "OpenMetrics or Prometheus text with times", "samples.openmetrics", "is_one", "read", "text"
    ),
    ExportFormat("influx-csv", "Flux annotated CSV", "samples.influx", "is_annotated", "read_annotated", "text"),
    ExportFormat("influx-lines", "InfluxDB line protocol", "samples.influx", "is_lines", "read_lines", "text"),
    ExportFormat("locust", "Locust stats history CSV", "samples.locust", "is_one", "read", "table"),
    ExportFormat(
        "pagerduty-csv", "PagerDuty incidents report CSV", "incidents.pagerduty", "is_report", "read_report", "table"
    ),
    ExportFormat("opsgenie-csv", "Opsgenie alerts CSV", "incidents.opsgenie", "is_report", "read_report", "table"),
    ExportFormat(
        "devlake", "DevLake deployments or issues CSV", "changes.dora_tables", "is_devlake", "read_devlake", "table"
    ),
    ExportFormat(
        "four-keys",
        "four-keys deployments or incidents CSV",
        "changes.dora_tables",
        "is_four_keys",
        "read_four_keys",
        "table",
    ),
    ExportFormat("tidy", "tidy CSV: timestamp, repo, metric, value", "samples.wide", "is_tidy", "read", "table"),
    ExportFormat("grafana", "Grafana panel CSV, any of its forms", "samples.wide", "is_grafana", "read", "table"),
    ExportFormat(
        "csv", "any table: one column a series, or one row a sample", "samples.wide", "is_table", "read", "table"
    ),
)
"""Looked through from the top: the first that fits a file is its format."""


def format_of(content: Content, name: str = "") -> ExportFormat:
    """Return the format of a file: that of the name, else the first that its content fits.

    Raises
    ------
    ConfigError
        If there is no format of the name.
    InputError
        If no format fits, or not the one that was named.
    """
    known = ", ".join(export_format.name for export_format in FORMATS)
    if name:
        named = [export_format for export_format in FORMATS if export_format.name == name]
        if not named:
            raise ConfigError(f"--format {name}: not known; allowed: {known}")
        needs_document = named[0].of == "document"
        if needs_document and content.document is None:
            raise InputError(f"{content.label}: neither JSON nor a catalogue in YAML; {name} is one")
        if named[0].of == "table" and not content.columns:
            raise InputError(f"{content.label}: no table with names of columns; {name} is one")
        return named[0]
    fitting = next((export_format for export_format in FORMATS if export_format.fits(content)), None)
    if fitting is None:
        what = "JSON of no known form" if content.document is not None else "text of no known form"
        raise InputError(f"{content.label}: {what}; --format NAME says what it is: {known}")
    return fitting
