"""Forms of the sources that give samples: Prometheus, SQL, Parquet; what their metrics measure."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from tars_lib.config.pulling.values import Address, Length, SourceForm, length_of, matching, refuse_secret_headers
from tars_lib.config.yaml_file import Key, Model, Number
from tars_lib.files.limits import MAX_METRICS, MAX_TEXT

Query = Annotated[str, Field(min_length=1, max_length=MAX_TEXT)]
Headers = Annotated[dict[Key, Key], AfterValidator(refuse_secret_headers)]
Seconds = Annotated[float, Field(gt=0, le=3600)]
_MetricName = Annotated[str, matching(r"[a-zA-Z_:][a-zA-Z0-9_:]*", "the name of a metric is needed")]
_LabelName = Annotated[str, matching(r"[a-zA-Z_][a-zA-Z0-9_]*", "the name of a label is needed")]
_Database = Annotated[
    str,
    matching(
        r"(duckdb|sqlite|postgresql|postgres|snowflake|bigquery):.+",
        "an address of a database is needed: duckdb:///FILE, sqlite:///FILE, postgresql://HOST/NAME, snowflake://..., bigquery://...",
    ),
]
_SUBQUERY = re.compile(r"\[\s*\w+\s*:")
_INCREASE = re.compile(r"\b(?:increase|delta)\s*\([^()\[\]]*(?:\{[^{}]*\})?\s*\[\s*(\w+)\s*\]")


class MetricForm(Model):
    """Measurement of a metric of a source; it becomes the metric's definition in `org.yaml`."""

    unit: Key | None = None
    kind: Literal["gauge", "count", "counter"] | None = None
    higher_is_better: bool | None = None
    minimum: Number | None = None
    maximum: Number | None = None

    @property
    def definition(self) -> dict[str, object]:
        """Return the keys that `org.yaml` knows, as far as they are given."""
        given = {name: getattr(self, name) for name in MetricForm.model_fields}
        return {name: value for name, value in given.items() if value is not None}


class PrometheusMetric(MetricForm):
    """A metric of Prometheus: the query, and the label or template that names the repo."""

    query: Query
    repo: Key = "service"


class ColumnMetric(MetricForm):
    """A metric of a table; with `column` its values stand in a column of their own."""

    column: Key | None = None


class ServiceGraph(Model):
    """The service graph that OpenTelemetry's connector and Tempo write: who calls whom."""

    metric: _MetricName = "traces_service_graph_request_total"
    client: _LabelName = "client"
    server: _LabelName = "server"
    leave_out: tuple[Key, ...] = ("user",)


class PrometheusForm(SourceForm):
    """`kind: prometheus`; Mimir, Thanos and VictoriaMetrics speak the same protocol."""

    kind: Literal["prometheus"]
    url: Address
    step: Length
    stamp: Literal["start", "end"] = "end"
    metrics: dict[Key, PrometheusMetric] = Field(default={}, max_length=MAX_METRICS)
    service_graph: ServiceGraph | None = None
    headers: Headers = Field(default={})
    timeout: Seconds = 60.0
    parallel: Annotated[int, Field(ge=1, le=32)] = 4
    points: Annotated[int, Field(ge=1, le=11_000)] = 11_000

    @property
    def interval(self) -> timedelta:
        """Return the time that one sample stands for: the step."""
        return self.step

    @model_validator(mode="after")
    def _counts_whole_steps(self) -> PrometheusForm:
        """Refuse increases over another range than the step: they count twice, or leave out."""
        if not self.metrics and self.service_graph is None:
            raise ValueError("metrics: missing; metrics or service_graph is needed")
        for name, metric in self.metrics.items():
            for text, length in _ranges(metric.query):
                if length != self.step:
                    raise ValueError(
                        f"metrics.{name}.query: an increase over [{text}] every {_text(self.step)} counts some requests twice "
                        f"or never; [{_text(self.step)}] is allowed, or step: {text}"
                    )
        return self


def _ranges(query: str) -> list[tuple[str, timedelta]]:
    """Ranges that increases are taken over; none where a subquery puts them together itself."""
    if _SUBQUERY.search(query):
        return []
    ranges = ((text, length_of(text)) for text in _INCREASE.findall(query))
    return [(text, length) for text, length in ranges if length is not None]


def _text(length: timedelta) -> str:
    seconds = int(length.total_seconds())
    for unit, size in (("d", 86_400), ("h", 3600), ("m", 60)):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


class TableForm(SourceForm):
    """Fields that SQL and Parquet share: which column is which, and how times are written."""

    columns: dict[Literal["timestamp", "repo", "metric", "value"], Key] = Field(default={})
    metrics: dict[Key, ColumnMetric] = Field(default={}, max_length=MAX_METRICS)
    time: Literal["timestamp", "text", "epoch_s", "epoch_ms", "epoch_us", "epoch_ns"] = "timestamp"
    time_zone: Key | None = None
    interval: Length | None = None
    stamp: Literal["start", "end"] = "start"

    @model_validator(mode="after")
    def _wide_or_long(self) -> TableForm:
        wide = [name for name, metric in self.metrics.items() if metric.column is not None]
        if wide and len(wide) < len(self.metrics):
            raise ValueError("metrics: every metric needs its column, or none, where metric and value are columns")
        if wide and {"metric", "value"} & set(self.columns):
            raise ValueError("columns: metric and value are not needed where every metric has a column of its own")
        return self

    def column(self, name: str) -> str:
        """Return the name in the source of one of the four columns."""
        return self.columns.get(name, name)  # type: ignore[call-overload, no-any-return]

    @property
    def wide(self) -> dict[str, str]:
        """Metric to its column; empty where metric and value are columns."""
        return {name: metric.column for name, metric in self.metrics.items() if metric.column is not None}


class SqlForm(TableForm):
    """`kind: sql`: a database and the query whose rows are samples."""

    kind: Literal["sql"]
    url: _Database
    query: Query
    options: dict[Key, Key] = Field(default={})


class ParquetForm(TableForm):
    """`kind: parquet`: a file, a folder or a part of an object store."""

    kind: Literal["parquet"]
    url: Key
    partitions: Literal["hive", "none"] = "hive"
    date_partition: Key | None = None
    region: Key | None = None
    endpoint: Address | None = None
    anonymous: bool = False
