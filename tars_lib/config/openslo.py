"""OpenSLO v1 documents as SLA policies.

What a document says is honoured exactly or refused with a sentence that names document and field; what changes no verdict
(labels, alert policies, data sources) is left out, and a note says so where a reader could expect more.

References
----------
OpenSLO specification v1, https://github.com/OpenSLO/OpenSLO
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tars_lib.config.yaml_file import Key, Number, validate
from tars_lib.errors import ConfigError, TarsError
from tars_lib.model.slo import AnyPolicy, RatioPolicy, ThresholdPolicy, Window
from tars_lib.model.times import read_zone

VERSION = "openslo/v1"
REPOS = "tars/repos"
"""Annotation that names the repos, separated by commas, or all with `*`; else the SLO's `service` is the repo."""
NAMES = ("metric", "metricName", "query")
"""Fields of a metric source's `spec` that may hold the name of a metric."""
_OTHER_KINDS = ("Service", "DataSource", "AlertPolicy", "AlertCondition", "AlertNotificationTarget")
_PLAIN = re.compile(r"[A-Za-z_][\w.:/-]*")
_ROLLING = re.compile(r"[1-9]\d{0,4}[mhdw]")
_SLICED = ("Timeslices", "RatioTimeslices")


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Metadata(_Model):
    name: Key = Field(min_length=1)
    displayName: Key | None = None  # noqa: N815 - the specification's names
    labels: dict[str, Any] = {}
    annotations: dict[str, str] = {}


class _MetricSource(_Model):
    metricSourceRef: str | None = None  # noqa: N815
    type: str | None = None
    spec: dict[str, Any]


class _Metric(_Model):
    metricSource: _MetricSource  # noqa: N815


class _Ratio(_Model):
    counter: bool | None = None
    good: _Metric | None = None
    bad: _Metric | None = None
    total: _Metric | None = None
    rawType: Literal["success", "failure"] | None = None  # noqa: N815
    raw: _Metric | None = None

    @model_validator(mode="after")
    def _one(self) -> _Ratio:
        parts = [name for name in ("good", "bad", "total", "raw", "rawType") if getattr(self, name) is not None]
        if parts not in (["good", "total"], ["bad", "total"], ["raw", "rawType"]):
            given = " and ".join(parts) or "nothing"
            raise ValueError(f"{given} was given; allowed: good and total, bad and total, or raw and rawType")
        return self


class _SliSpec(_Model):
    description: str | None = None
    thresholdMetric: _Metric | None = None  # noqa: N815
    ratioMetric: _Ratio | None = None  # noqa: N815

    @model_validator(mode="after")
    def _one(self) -> _SliSpec:
        if (self.thresholdMetric is None) == (self.ratioMetric is None):
            raise ValueError("one of thresholdMetric and ratioMetric is needed, not both")
        return self


class _Indicator(_Model):
    metadata: _Metadata | None = None
    spec: _SliSpec


class _Calendar(_Model):
    startTime: datetime | date | str  # noqa: N815
    timeZone: str  # noqa: N815


class _TimeWindow(_Model):
    duration: str
    isRolling: bool | None = None  # noqa: N815
    calendar: _Calendar | None = None

    @model_validator(mode="after")
    def _one(self) -> _TimeWindow:
        if (self.isRolling is True) == (self.calendar is not None):
            raise ValueError("one of isRolling: true and calendar is needed, not both")
        return self


class _Objective(_Model):
    displayName: Key | None = None  # noqa: N815
    op: Literal["lt", "lte", "gt", "gte"] | None = None
    value: Number | None = None
    target: Number | None = Field(default=None, gt=0, le=1)
    targetPercent: Number | None = Field(default=None, gt=0, le=100)  # noqa: N815
    timeSliceTarget: Number | None = Field(default=None, gt=0, le=1)  # noqa: N815
    timeSliceWindow: int | str | None = None  # noqa: N815

    @model_validator(mode="after")
    def _one(self) -> _Objective:
        if (self.target is None) == (self.targetPercent is None):
            raise ValueError("one of target and targetPercent is needed, not both")
        return self

    @property
    def share(self) -> float:
        """The target as a share, exact in decimals: 99.95 % is 0.9995."""
        if self.target is not None:
            return self.target
        return float(Decimal(repr(self.targetPercent)) / 100)


class _SloSpec(_Model):
    description: str | None = None
    service: Key = Field(min_length=1)
    indicator: _Indicator | None = None
    indicatorRef: str | None = None  # noqa: N815
    timeWindow: tuple[_TimeWindow, ...] = Field(default=(), max_length=1)  # noqa: N815
    budgetingMethod: Literal["Occurrences", "Timeslices", "RatioTimeslices"]  # noqa: N815
    objectives: tuple[_Objective, ...] = Field(min_length=1)
    alertPolicies: tuple[Any, ...] = ()  # noqa: N815

    @model_validator(mode="after")
    def _one(self) -> _SloSpec:
        if (self.indicator is None) == (self.indicatorRef is None):
            raise ValueError("one of indicator and indicatorRef is needed, not both")
        return self


class _Document(_Model):
    apiVersion: Literal["openslo/v1"]  # noqa: N815
    kind: Literal["SLO", "SLI"]
    metadata: _Metadata


class _Sli(_Document):
    spec: _SliSpec


class _Slo(_Document):
    spec: _SloSpec


@dataclass(frozen=True, slots=True)
class _Goal:
    """One objective of an SLO with all that its policy is made from; `where` begins each message."""

    where: str
    objective: _Objective
    method: str
    common: Mapping[str, Any]
    notes: list[str]

    def refuse(self, field: str, why: str) -> ConfigError:
        return ConfigError(f"{self.where}: {field}: {why}")


def openslo_policies(documents: Sequence[Any], label: str) -> tuple[tuple[AnyPolicy, ...], tuple[str, ...]]:
    """SLA policies of the documents of one file, an objective each.

    Parameters
    ----------
    documents : sequence
        As YAML gives them, in the order of the file; empty ones are passed over.
    label : str
        How messages name the file.

    Returns
    -------
    policies : tuple of AnyPolicy
    notes : tuple of str
        What was read in a particular way or not at all, for the report's warnings.

    Raises
    ------
    ConfigError
        If a document is not valid, or says what cannot be honoured exactly; the message names document and field.
    """
    slos: list[_Slo] = []
    slis: dict[str, _Sli] = {}
    left: Counter[str] = Counter()
    for number, document in enumerate((d for d in documents if d is not None), start=1):
        where = _named(document, number, label)
        kind = document["kind"]
        if kind in _OTHER_KINDS:
            left[kind] += 1
        elif kind == "SLI":
            sli = validate(_Sli, document, where)
            if sli.metadata.name in slis:
                raise ConfigError(f"{where}: metadata.name stands twice; each SLI needs its own")
            slis[sli.metadata.name] = sli
        else:
            slos.append(validate(_Slo, document, where))
    if not slos:
        raise ConfigError(f"{label}: no document of kind SLO; at least one is needed")
    notes = [f"{label}: {count} of kind {kind} not read" for kind, count in sorted(left.items())]
    return tuple(policy for slo in slos for policy in _policies(slo, slis, label, notes)), tuple(notes)


def _named(document: Any, number: int, label: str) -> str:
    """File and document for messages; refuses what no later step could name."""
    if not isinstance(document, dict):
        raise ConfigError(f"{label}: document {number}: a mapping with apiVersion and kind is needed")
    metadata = document.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    kind = document.get("kind")
    where = f"{label}: document {number}" if not name else f"{label}: {kind} {name}"
    if document.get("apiVersion") != VERSION:
        raise ConfigError(f"{where}: apiVersion: {document.get('apiVersion')!r} was given; allowed: {VERSION}")
    if kind not in ("SLO", "SLI", *_OTHER_KINDS):
        allowed = ", ".join(("SLO", "SLI", *_OTHER_KINDS))
        raise ConfigError(f"{where}: kind: {kind!r} was given; allowed: {allowed}")
    return where


def _policies(slo: _Slo, slis: Mapping[str, _Sli], label: str, notes: list[str]) -> list[AnyPolicy]:
    where, spec, name = f"{label}: SLO {slo.metadata.name}", slo.spec, slo.metadata.name
    if spec.alertPolicies:
        notes.append(f"{where}: alertPolicies are not evaluated; burn rates are judged as documented")
    indicator = spec.indicator or slis.get(spec.indicatorRef or "")
    if indicator is None:
        known = ", ".join(sorted(slis)) or "none"
        raise ConfigError(f"{where}: spec.indicatorRef: no SLI {spec.indicatorRef!r} in this file; there are: {known}")
    window, zone = _window(spec, where, notes)
    made: list[AnyPolicy] = []
    for number, objective in enumerate(spec.objectives):
        alone = len(spec.objectives) == 1
        own = objective.displayName or str(number + 1)
        common = {
            "sla_id": name if alone else f"{name}:{own}",
            "sla_name": (slo.metadata.displayName or name) + ("" if alone else f", {own}"),
            "sla_type": name if indicator.metadata is None else indicator.metadata.name,
            "objective": objective.share,
            "window": window,
            "period_days": max(window.days, 1),
            "time_zone": zone,
            "repos": _repos(slo),
        }
        goal = _Goal(f"{where}: spec.objectives.{number}", objective, spec.budgetingMethod, common, notes)
        _check_slices(goal)
        made.append(_policy(goal, indicator.spec, f"{where}: indicator"))
    return made


def _repos(slo: _Slo) -> tuple[str, ...]:
    given = slo.metadata.annotations.get(REPOS)
    if given is None:
        return (slo.spec.service,)
    return () if given.strip() == "*" else tuple(part.strip() for part in given.split(",") if part.strip())


def _window(spec: _SloSpec, where: str, notes: list[str]) -> tuple[Window, str]:
    """The window and the zone that its days are cut in."""
    if not spec.timeWindow:
        notes.append(f"{where}: no timeWindow: 30 days, rolling, are taken")
        return Window(days=30), "UTC"
    given, field = spec.timeWindow[0], f"{where}: spec.timeWindow.0"
    try:
        if given.calendar is not None:
            start = given.calendar.startTime
            if isinstance(start, date) and not isinstance(start, datetime):
                start = datetime.combine(start, time())
            text = start.isoformat() if isinstance(start, datetime) else start
            read_zone(given.calendar.timeZone)
            return Window.aligned(given.duration, text), given.calendar.timeZone
    except TarsError as error:
        raise ConfigError(f"{field}: {error}") from error
    if not _ROLLING.fullmatch(given.duration):
        raise ConfigError(
            f"{field}.duration: {given.duration!r} was given; for a rolling window a number with m, h, d or w is allowed, "
            "such as 28d (months, quarters and years differ in length: give them a calendar)"
        )
    return Window.parse(given.duration), "UTC"


def _check_slices(goal: _Goal) -> None:
    """Slices are honoured where a sample is a slice, which the note says; elsewhere their fields would be without effect."""
    objective = goal.objective
    if goal.method not in _SLICED:
        for field in ("timeSliceTarget", "timeSliceWindow"):
            if getattr(objective, field) is not None:
                raise goal.refuse(field, f"without effect for budgetingMethod {goal.method}; leave it out")
        return
    if objective.timeSliceWindow is None:
        raise goal.refuse("timeSliceWindow", f"needed for budgetingMethod {goal.method}")
    if goal.method == "Timeslices" and objective.timeSliceTarget is None:
        raise goal.refuse("timeSliceTarget", "needed for budgetingMethod Timeslices")
    if goal.method == "RatioTimeslices" and objective.timeSliceTarget is not None:
        raise goal.refuse("timeSliceTarget", "without effect for budgetingMethod RatioTimeslices; leave it out")
    text = str(objective.timeSliceWindow)
    if not _ROLLING.fullmatch(text + "m" if text.isdigit() else text):
        raise goal.refuse("timeSliceWindow", f"{text!r} was given; minutes, or a number with m, h, d or w, are allowed")
    goal.notes.append(f"{goal.where}: each sample is taken as one time slice; it should span timeSliceWindow {text}")


def _policy(goal: _Goal, sli: _SliSpec, where: str) -> AnyPolicy:
    objective = goal.objective
    if sli.thresholdMetric is not None:
        if objective.op is None or objective.value is None:
            raise goal.refuse("op" if objective.op is None else "value", "needed for a thresholdMetric")
        is_floor = objective.op in ("gt", "gte")
        bound = objective.value
        if objective.op in ("gt", "lt"):
            # strictly beyond a number is at or beyond its neighbour, exactly
            bound = math.nextafter(bound, math.inf if is_floor else -math.inf)
        metric = _metric(sli.thresholdMetric, f"{where}.thresholdMetric")
        return _good_share(goal, metric, bound, is_floor=is_floor)
    ratio = sli.ratioMetric
    if ratio is None:
        raise ConfigError(f"{where}: one of thresholdMetric and ratioMetric is needed")
    for field in ("op", "value"):
        if getattr(objective, field) is not None:
            raise goal.refuse(field, "without effect for a ratioMetric; leave it out")
    if ratio.raw is not None:
        return _from_raw(goal, ratio, _metric(ratio.raw, f"{where}.ratioMetric.raw"))
    if goal.method in _SLICED:
        raise goal.refuse(
            "timeSliceWindow",
            f"budgetingMethod {goal.method} of counts is not supported; Occurrences is, or a raw ratio in place of counts",
        )
    part, total = ratio.good or ratio.bad, ratio.total
    if part is None or total is None:
        raise ConfigError(f"{where}.ratioMetric: good or bad, and total, are needed")
    if ratio.counter:
        goal.notes.append(f"{goal.where}: counter: true, but the history holds counts per interval and is read so")
    return RatioPolicy(
        **goal.common,
        total=_metric(total, f"{where}.ratioMetric.total"),
        part=_metric(part, f"{where}.ratioMetric.{'good' if ratio.good else 'bad'}"),
        part_is_good=ratio.good is not None,
    )


def _from_raw(goal: _Goal, ratio: _Ratio, metric: str) -> ThresholdPolicy:
    """A ratio that is a metric already: slices of it can be judged, single events cannot."""
    is_success = ratio.rawType == "success"
    if goal.method == "Occurrences":
        raise ConfigError(
            f"{goal.where}: budgetingMethod Occurrences needs counts, and a raw ratio has none; give good or bad and total, "
            "or use Timeslices or RatioTimeslices"
        )
    if goal.method == "Timeslices" and goal.objective.timeSliceTarget is not None:
        wanted = goal.objective.timeSliceTarget
        return _good_share(goal, metric, wanted if is_success else _rest(wanted), is_floor=is_success)
    share = goal.objective.share
    given = {**goal.common, "objective": share if is_success else _rest(share)}
    return ThresholdPolicy(**given, metric=metric, aggregate="mean", unit="ratio", higher_is_better=is_success)


def _good_share(goal: _Goal, metric: str, bound: float, *, is_floor: bool) -> ThresholdPolicy:
    return ThresholdPolicy(
        **goal.common, metric=metric, aggregate="good_share", threshold=bound, threshold_is_floor=is_floor
    )


def _rest(share: float) -> float:
    """One less a share, exact in decimals."""
    return float(1 - Decimal(repr(share)))


def _metric(given: _Metric, where: str) -> str:
    """Name of the metric in the history."""
    spec, field = given.metricSource.spec, f"{where}.metricSource.spec"
    if len(spec) != 1 or next(iter(spec)) not in NAMES:
        found = ", ".join(sorted(map(str, spec))) or "nothing"
        raise ConfigError(f"{field}: {found} was given; exactly one of {', '.join(NAMES)} is allowed")
    key, value = next(iter(spec.items()))
    if not isinstance(value, str) or not _PLAIN.fullmatch(value):
        raise ConfigError(
            f"{field}.{key}: {str(value)[:60]!r} is no plain name of a metric in the history; queries are not evaluated"
        )
    return value
