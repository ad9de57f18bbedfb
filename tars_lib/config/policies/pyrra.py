"""Pyrra's `ServiceLevelObjective` as an SLA policy.

References
----------
https://github.com/pyrra-dev/pyrra, `kubernetes/api/v1alpha1/servicelevelobjective_types.go`
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import AliasChoices, Field, model_validator

from tars_lib.config.policies.documents import Document
from tars_lib.config.policies.openslo_annotations import REPOS, named_repos
from tars_lib.config.policies.openslo_form import Metadata
from tars_lib.config.policies.queries import Reading
from tars_lib.config.policies.shares import prometheus_window, share_of_percent
from tars_lib.config.yaml_file import Strict, validate
from tars_lib.errors import ConfigError
from tars_lib.model.slo import AnyPolicy, RatioPolicy, ThresholdPolicy

API_VERSION = "pyrra.dev/v1alpha1"
KIND = "ServiceLevelObjective"


class _Query(Strict):
    metric: str


class _Ratio(Strict):
    errors: _Query
    total: _Query
    grouping: tuple[str, ...] = ()


class _Latency(Strict):
    success: _Query
    total: _Query
    grouping: tuple[str, ...] = ()


class _Gauge(Strict):
    metric: str
    grouping: tuple[str, ...] = ()


class _Indicator(Strict):
    ratio: _Ratio | None = None
    latency: _Latency | None = None
    gauge: _Gauge | None = Field(default=None, validation_alias=AliasChoices("bool_gauge", "boolGauge"))
    native: Any = Field(default=None, validation_alias=AliasChoices("latencyNative", "latency_native"))

    @model_validator(mode="after")
    def _one(self) -> _Indicator:
        if self.native is not None:
            raise ValueError("latencyNative reads a native histogram, which a history has not; latency is allowed")
        if sum(part is not None for part in (self.ratio, self.latency, self.gauge)) != 1:
            raise ValueError("one of ratio, latency and bool_gauge is needed")
        return self


class _Spec(Strict):
    target: Any
    window: str
    description: str | None = None
    latency: Any = None
    indicator: _Indicator
    alerting: Any = None
    performance_over_accuracy: Any = None


class _Slo(Strict):
    apiVersion: str  # noqa: N815 - the specification's names
    kind: str
    metadata: Metadata
    spec: _Spec
    status: Any = None


def is_pyrra(document: Document) -> bool:
    """Return whether a document is one of Pyrra's."""
    return document.version == API_VERSION


def pyrra_policies(documents: Sequence[Document], reading: Reading) -> list[tuple[AnyPolicy, str]]:
    """Return the SLA policies of Pyrra's documents, with their files.

    Pyrra names no service: every repo that has the metric is judged, or those of the annotation `tars/repos`.

    Raises
    ------
    ConfigError
        If a document is not valid, or its indicator needs a native histogram.
    """
    return [(_policy(document, reading), document.file) for document in documents]


def _policy(document: Document, reading: Reading) -> AnyPolicy:
    where = document.where
    if document.content.get("kind") != KIND:
        raise ConfigError(f"{where}: kind: {document.content.get('kind')!r} was given; allowed: {KIND}")
    slo = validate(_Slo, document.content, where)
    spec, indicator = slo.spec, slo.spec.indicator
    if spec.alerting is not None:
        reading.notes.append(f"{where}: alerting is not evaluated; burn rates are judged as documented")
    part = indicator.ratio or indicator.latency or indicator.gauge
    if part is not None and part.grouping:
        reading.notes.append(
            f"{where}: grouping by {', '.join(part.grouping)} is not read; each service is judged alone, and all together"
        )
    repos = str(slo.metadata.annotations.get(REPOS, "*"))
    window = prometheus_window(spec.window, f"{where}: spec.window")
    common: dict[str, Any] = {
        "sla_id": slo.metadata.name,
        "sla_name": slo.metadata.name,
        "sla_type": slo.metadata.name,
        "objective": share_of_percent(spec.target, f"{where}: spec.target"),
        "window": window,
        "period_days": max(window.days, 1),
        "repos": named_repos(repos),
    }
    at = f"{where}: spec.indicator"
    if indicator.gauge is not None:
        metric = reading.metric(indicator.gauge.metric, f"{at}.bool_gauge.metric")
        return ThresholdPolicy(**common, metric=metric, aggregate="mean")
    if indicator.ratio is not None:
        name, given, total = "ratio.errors", indicator.ratio.errors, indicator.ratio.total
    elif indicator.latency is not None:
        name, given, total = "latency.success", indicator.latency.success, indicator.latency.total
    else:
        raise ConfigError(f"{at}: one of ratio, latency and bool_gauge is needed")
    counted = reading.metric(given.metric, f"{at}.{name}.metric")
    all_events = reading.metric(total.metric, f"{at}.{name.partition('.')[0]}.total.metric")
    if counted == all_events:
        raise ConfigError(f"{at}.{name} and total are the same metric, {counted}: one value for ever")
    return RatioPolicy(**common, total=all_events, part=counted, part_is_good=indicator.latency is not None)
