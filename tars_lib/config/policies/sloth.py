"""Sloth's specifications as SLA policies: `version: prometheus/v1`, and `PrometheusServiceLevel` of Kubernetes.

References
----------
https://sloth.dev/specs/default/ and https://sloth.dev/specs/k8s/, for the names of fields and the period of 30 days
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import AliasChoices, Field, model_validator

from tars_lib.config.policies.documents import Document
from tars_lib.config.policies.queries import Reading
from tars_lib.config.policies.shares import rest, share_of_percent
from tars_lib.config.yaml_file import Key, Strict, validate
from tars_lib.errors import ConfigError
from tars_lib.model.slo import AnyPolicy, RatioPolicy, ThresholdPolicy

VERSION = "prometheus/v1"
API_VERSION = "sloth.slok.dev/v1"
KIND = "PrometheusServiceLevel"


class _Events(Strict):
    error: str = Field(validation_alias=AliasChoices("error_query", "errorQuery"))
    total: str = Field(validation_alias=AliasChoices("total_query", "totalQuery"))


class _Raw(Strict):
    error_ratio: str = Field(validation_alias=AliasChoices("error_ratio_query", "errorRatioQuery"))


class _Sli(Strict):
    events: _Events | None = None
    raw: _Raw | None = None
    plugin: Any = None

    @model_validator(mode="after")
    def _one(self) -> _Sli:
        if self.plugin is not None:
            raise ValueError("plugin is code and is not run; write its queries as events or raw")
        if (self.events is None) == (self.raw is None):
            raise ValueError("one of events and raw is needed, not both")
        return self


class _Slo(Strict):
    name: Key = Field(min_length=1)
    description: str | None = None
    objective: Any
    labels: Any = None
    sli: _Sli
    alerting: Any = None
    plugins: Any = None


class _Spec(Strict):
    version: str | None = None
    service: Key = Field(min_length=1)
    labels: Any = None
    slos: tuple[_Slo, ...] = Field(min_length=1)
    slo_plugins: Any = Field(default=None, validation_alias=AliasChoices("slo_plugins", "sloPlugins"))


def is_sloth(document: Document) -> bool:
    """Return whether a document is one of Sloth's."""
    return document.version in (VERSION, API_VERSION)


def sloth_policies(documents: Sequence[Document], reading: Reading) -> list[tuple[AnyPolicy, str]]:
    """Return the SLA policies of Sloth's documents with their files, each with Sloth's own id: service and name.

    Raises
    ------
    ConfigError
        If a document is not valid, or an SLI is a plugin.
    """
    return [(policy, document.file) for document in documents for policy in _policies(document, reading)]


def _policies(document: Document, reading: Reading) -> list[AnyPolicy]:
    where, content = document.where, document.content
    if document.version == API_VERSION:
        if content.get("kind") != KIND:
            raise ConfigError(f"{where}: kind: {content.get('kind')!r} was given; allowed: {KIND}")
        content = content.get("spec", {})
    spec = validate(_Spec, content, where)
    made: list[AnyPolicy] = []
    if spec.slo_plugins is not None or any(slo.plugins is not None for slo in spec.slos):
        reading.notes.append(f"{where}: plugins are code and are not run; the SLIs are read as they stand")
    for number, slo in enumerate(spec.slos):
        at = f"{where}: slos.{number} ({slo.name})"
        objective = share_of_percent(slo.objective, f"{at}: objective")
        if slo.alerting is not None:
            reading.notes.append(f"{at}: alerting is not evaluated; burn rates are judged as documented")
        common: dict[str, Any] = {
            "sla_id": f"{spec.service}-{slo.name}",
            "sla_name": slo.name,
            "sla_type": slo.name,
            "repos": (spec.service,),
        }
        if slo.sli.events is not None:
            total = reading.metric(slo.sli.events.total, f"{at}: sli.events.total_query")
            bad = reading.metric(slo.sli.events.error, f"{at}: sli.events.error_query")
            if total == bad:
                raise ConfigError(f"{at}: sli.events: errors and total are the same metric, {total}: 0 % for ever")
            made.append(RatioPolicy(**common, objective=objective, total=total, part=bad))
        elif slo.sli.raw is not None:
            metric = reading.metric(slo.sli.raw.error_ratio, f"{at}: sli.raw.error_ratio_query")
            made.append(
                ThresholdPolicy(
                    **common, objective=rest(objective), metric=metric, aggregate="mean", higher_is_better=False
                )
            )
    return made
