"""Definitions of metrics: unit, direction, range and kind, by the name alone or as `org.yaml` declares it."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from types import MappingProxyType

from tars_lib.model.units import BYTES, COUNT, SHARE, TIME, factor_between, times, unit_in_name, unit_of

GAUGE, COUNTS, COUNTER = "gauge", "count", "counter"
KINDS = (GAUGE, COUNTS, COUNTER)
"""A level that is measured; events of an interval, which add up; a running total, whose increases are events."""


@dataclass(frozen=True, slots=True)
class Metric:
    """Definition of a metric: what it measures and in which unit.

    Attributes
    ----------
    metric : str
        Name as it stands in the history.
    unit : str
        ``s``, ``h``, ``ratio``, ``count``, ``1/day``, ``score`` or the user's own, in one spelling.
    higher_is_better : bool or None
        None where the metric has no direction (traffic volume).
    minimum, maximum : float or None
        Values outside are refused by the gate.
    healthy, unhealthy : float or None
        Where a component score reaches 100 and 0. None: the metric is not scored.
    weight : float
        Weight among a repo's components.
    kind : str
        One of `KINDS` as `org.yaml` declares it; empty where nobody did. The history of a counter holds its increases.
    """

    metric: str
    unit: str = ""
    higher_is_better: bool | None = None
    minimum: float | None = None
    maximum: float | None = None
    healthy: float | None = None
    unhealthy: float | None = None
    weight: float = 1.0
    kind: str = ""

    @property
    def is_count(self) -> bool:
        """Return whether samples that fall into one interval add up instead of averaging."""
        if self.kind:
            return self.kind in (COUNTS, COUNTER)
        return self.metric in _REQUESTS or self.metric.endswith("_total")

    @property
    def is_scored(self) -> bool:
        """Return whether the metric has the two bounds that a component score needs."""
        return self.healthy is not None and self.unhealthy is not None and self.higher_is_better is not None

    @property
    def allowed(self) -> str:
        """The range, for a reader; empty where there is none."""
        if self.minimum is None:
            return "" if self.maximum is None else f"up to {self.maximum:g}"
        return f"{self.minimum:g} or more" if self.maximum is None else f"{self.minimum:g} to {self.maximum:g}"

    def holds(self, value: float) -> bool:
        """Return whether a value lies in the range."""
        return (self.minimum is None or value >= self.minimum) and (self.maximum is None or value <= self.maximum)


_REQUESTS = frozenset({"requests_total", "requests_failed"})

# Bounds follow the four keys of DORA (https://dora.dev/guides/dora-metrics-four-keys/): `healthy` is where its best
# group of performers begins, `unhealthy` where its worst begins. Availability and error rate: judgement (three nines
# are healthy, five failures in a hundred are not). Latency has no bound that fits every repo, so it is not scored
# unless org.yaml gives one.
_KNOWN: tuple[Metric, ...] = (
    Metric("health_score", "score", True, 0.0, 100.0),
    Metric("availability", "ratio", True, 0.0, 1.0, 0.999, 0.95),
    Metric("requests_total", "count", None, 0.0),
    Metric("requests_failed", "count", None, 0.0),
    Metric("error_rate", "ratio", False, 0.0, 1.0, 0.001, 0.05),
    Metric("latency", "s", False, 0.0),
    Metric("change_failure_rate", "ratio", False, 0.0, 1.0, 0.05, 0.40),
    Metric("deployment_frequency", "1/day", True, 0.0, None, 1.0, 1 / 180),
    Metric("lead_time", "h", False, 0.0, None, 24.0, 4320.0),
    Metric("time_to_restore", "h", False, 0.0, None, 1.0, 168.0),
    Metric("incident_response_time", "h", False, 0.0),
    Metric("critical_issues", "count", False, 0.0),
    Metric("total_issues", "count", False, 0.0),
)
KNOWN_METRICS: Mapping[str, Metric] = MappingProxyType({metric.metric: metric for metric in _KNOWN})

_LATENCY = re.compile(r"latency_.+")


def known_metric(name: str) -> Metric:
    """Definition of a metric by its name alone, in the unit that the name tells.

    Parameters
    ----------
    name : str
        Name as it stands in the history.

    Returns
    -------
    Metric
        For a name that is not known and tells no unit: no unit, no direction, no bounds.

    Examples
    --------
    >>> known_metric("latency_p95").unit, known_metric("latency_ms").unit, known_metric("latency_p95").higher_is_better
    ('s', 'ms', False)
    >>> known_metric("error_rate_percent").maximum, known_metric("queue_depth").higher_is_better is None
    (100.0, True)
    """
    if name in KNOWN_METRICS:
        return KNOWN_METRICS[name]
    base, unit = unit_in_name(name)
    known = KNOWN_METRICS.get(base)
    if known is None and _LATENCY.fullmatch(name):
        known = Metric(name, "s", False, 0.0)
    if known is not None and unit and (factor := factor_between(known.unit, unit)) is not None:
        return replace(in_unit(known, unit, factor), metric=name)
    if known is not None and not unit:
        return replace(known, metric=name)
    return replace(of_unit(unit), metric=name)


def of_unit(unit: str) -> Metric:
    """Return the range that a unit alone implies: shares lie in 0 to 1, sizes, counts and times are not negative.

    A percentage may be of anything (growth, cores), so it has no range unless somebody gives one.
    """
    dimension = unit_of(unit).dimension if unit else ""
    least = 0.0 if dimension in (BYTES, COUNT) or unit == "ratio" else None
    return Metric("", unit, None, least, 1.0 if unit == "ratio" else None)


def in_unit(metric: Metric, unit: str, factor: Fraction) -> Metric:
    """The same definition in another unit, `factor` of which are one of its own."""
    bounds = (metric.minimum, metric.maximum, metric.healthy, metric.unhealthy)
    least, most, healthy, unhealthy = (None if bound is None else times(bound, factor) for bound in bounds)
    return replace(metric, unit=unit, minimum=least, maximum=most, healthy=healthy, unhealthy=unhealthy)


def is_time(unit: str) -> bool:
    """Return whether a unit is one of time."""
    return unit_of(unit).dimension == TIME


@functools.cache
def percent_of(unit: str) -> float:
    """Return the whole in a unit of shares: 1 for a ratio, 100 for per cent; 0 for any other unit."""
    kind = unit_of(unit)
    return float(1 / kind.factor) if kind.dimension == SHARE else 0.0
