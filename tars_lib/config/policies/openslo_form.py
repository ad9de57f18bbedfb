"""The fields of OpenSLO v1 documents, as far as they change a verdict or could.

References
----------
OpenSLO specification v1, https://github.com/OpenSLO/OpenSLO
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from pydantic import Field, model_validator

from tars_lib.config.yaml_file import Key, Model, Number

OTHER_KINDS = ("Service", "DataSource", "AlertPolicy", "AlertCondition", "AlertNotificationTarget")


class Metadata(Model):
    """Names, and what Kubernetes adds to an object that it stores."""

    name: Key = Field(min_length=1)
    displayName: Key | None = None  # noqa: N815 - the specification's names
    labels: Any = None
    annotations: dict[str, Any] = Field(default_factory=dict)
    namespace: Key | None = None
    project: Key | None = None
    uid: Any = None
    generation: Any = None
    resourceVersion: Any = None  # noqa: N815
    creationTimestamp: Any = None  # noqa: N815
    managedFields: Any = None  # noqa: N815


class MetricSource(Model):
    """Source of a metric; `spec` is whatever its source understands."""

    metricSourceRef: str | None = None  # noqa: N815
    type: str | None = None
    metricSourceType: str | None = None  # noqa: N815
    spec: dict[str, Any]


class Metric(Model):
    """One metric."""

    metricSource: MetricSource  # noqa: N815


class Ratio(Model):
    """Good or bad events out of all, or a ratio that is a metric already."""

    counter: bool | None = None
    good: Metric | None = None
    bad: Metric | None = None
    total: Metric | None = None
    rawType: Literal["success", "failure"] | None = None  # noqa: N815
    raw: Metric | None = None

    @model_validator(mode="after")
    def _one(self) -> Ratio:
        parts = [name for name in ("good", "bad", "total", "raw", "rawType") if getattr(self, name) is not None]
        if parts not in (["good", "total"], ["bad", "total"], ["raw", "rawType"], ["rawType", "raw"]):
            given = " and ".join(parts) or "nothing"
            raise ValueError(f"{given} was given; allowed: good and total, bad and total, or raw and rawType")
        return self


class SliSpec(Model):
    """The measurement."""

    description: str | None = None
    thresholdMetric: Metric | None = None  # noqa: N815
    ratioMetric: Ratio | None = None  # noqa: N815

    @model_validator(mode="after")
    def _one(self) -> SliSpec:
        if (self.thresholdMetric is None) == (self.ratioMetric is None):
            raise ValueError("one of thresholdMetric and ratioMetric is needed, not both")
        return self


class Indicator(Model):
    """An SLI that stands inside an SLO."""

    metadata: Metadata | None = None
    spec: SliSpec


class _Calendar(Model):
    startTime: datetime | date | str  # noqa: N815
    timeZone: str  # noqa: N815


class TimeWindow(Model):
    """A rolling window, or one that begins anew with each period of the calendar."""

    duration: str
    isRolling: bool | None = None  # noqa: N815
    calendar: _Calendar | None = None

    @model_validator(mode="after")
    def _one(self) -> TimeWindow:
        if (self.isRolling is True) == (self.calendar is not None):
            raise ValueError("one of isRolling: true and calendar is needed, not both")
        return self


class Objective(Model):
    """The promise; with an indicator of its own where the SLO is a composite."""

    displayName: Key | None = None  # noqa: N815
    labels: Any = None
    op: Literal["lt", "lte", "gt", "gte"] | None = None
    value: Number | None = None
    target: Number | None = None
    targetPercent: Number | None = None  # noqa: N815
    timeSliceTarget: Number | None = Field(default=None, gt=0, le=1)  # noqa: N815
    timeSliceWindow: int | str | None = None  # noqa: N815
    indicator: Indicator | None = None
    indicatorRef: str | None = None  # noqa: N815
    compositeWeight: Number | None = Field(default=None, gt=0)  # noqa: N815

    @model_validator(mode="after")
    def _one(self) -> Objective:
        if (self.target is None) == (self.targetPercent is None):
            raise ValueError("one of target and targetPercent is needed, not both")
        if self.indicator is not None and self.indicatorRef is not None:
            raise ValueError("one of indicator and indicatorRef is allowed, not both")
        return self

    @property
    def has_indicator(self) -> bool:
        """Return whether the objective is part of a composite."""
        return self.indicator is not None or self.indicatorRef is not None


class SloSpec(Model):
    """A service, its indicator, the window and the objectives."""

    description: str | None = None
    service: Key = Field(min_length=1)
    indicator: Indicator | None = None
    indicatorRef: str | None = None  # noqa: N815
    timeWindow: tuple[TimeWindow, ...] = Field(default=(), max_length=1)  # noqa: N815
    budgetingMethod: Literal["Occurrences", "Timeslices", "RatioTimeslices"]  # noqa: N815
    objectives: tuple[Objective, ...] = Field(min_length=1)
    alertPolicies: tuple[Any, ...] = ()  # noqa: N815

    @model_validator(mode="after")
    def _one(self) -> SloSpec:
        own = [objective.has_indicator for objective in self.objectives]
        given = (self.indicator is not None) + (self.indicatorRef is not None)
        if not any(own) and given != 1:
            raise ValueError("one of indicator and indicatorRef is needed, not both")
        if any(own) and given:
            raise ValueError("indicator stands in the SLO and in an objective; one of the two is allowed")
        if any(own) and not all(own):
            raise ValueError("an indicator or indicatorRef is needed in each objective of a composite, or in none")
        if not any(own) and any(objective.compositeWeight is not None for objective in self.objectives):
            raise ValueError("compositeWeight is allowed with an indicator in each objective")
        return self


class _Document(Model):
    apiVersion: Literal["openslo/v1"]  # noqa: N815
    kind: Literal["SLO", "SLI"]
    metadata: Metadata
    status: Any = None


class Sli(_Document):
    """An SLI that SLOs refer to by name."""

    spec: SliSpec


class Slo(_Document):
    """An SLO."""

    spec: SloSpec
