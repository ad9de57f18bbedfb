"""The limits of SLA policies in the unit of their metric: converted where the policy names another, else refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from tars_lib.errors import ConfigError
from tars_lib.model.admission import LONG_LATENCY
from tars_lib.model.metrics import Metric, known_metric
from tars_lib.model.slo import AnyPolicy, RatioPolicy, ThresholdPolicy
from tars_lib.model.units import factor_between, times, unit_in_name, unit_of, units_like

Definitions = Mapping[str, Metric]
"""Of `org.yaml`; a name that it lacks has the known definition."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Statements of a policy on its metric, as written; None where it says nothing."""

    unit: str | None
    higher_is_better: bool | None
    limits: Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class Settled:
    """The same in the unit and direction of the metric."""

    unit: str
    higher_is_better: bool
    limits: Mapping[str, float | None]


def defined(name: str, metrics: Definitions) -> Metric:
    """Return the definition of a metric: of `org.yaml`, else the known one."""
    return metrics.get(name) or known_metric(name)


def settle(name: str, terms: Terms, metrics: Definitions, where: str, notes: list[str]) -> Settled:
    """Return the direction, unit and limits of a threshold policy.

    Parameters
    ----------
    notes : list of str
        What was converted, for the report's warnings, is added.

    Raises
    ------
    ConfigError
        If nobody says which direction is better, if the policy contradicts `org.yaml`, if its unit does not convert to
        the metric's, or if a limit lies outside the metric's range.
    """
    metric = defined(name, metrics)
    direction = _direction(metric, terms.higher_is_better, where, notes)
    unit, limits = metric.unit, dict(terms.limits)
    if terms.unit is not None:
        given = unit_of(terms.unit).symbol
        unit = metric.unit or given
        factor = _factor(metric, given, where)
        limits = {key: None if value is None else times(value, factor) for key, value in limits.items()}
        if factor != 1:
            changed = ", ".join(
                f"{key} {terms.limits[key]:g} {given} is {value:g}{'' if unit == 'ratio' else ' ' + unit}"
                for key, value in limits.items()
                if value is not None
            )
            notes.append(f"{where}: {changed}, as {name} is {'a ratio' if unit == 'ratio' else 'in ' + unit}")
    for key, value in limits.items():
        if value is not None:
            _check_limit(replace(metric, unit=unit), key, value, terms, where, notes)
    objective, warning = limits.get("objective"), limits.get("warning")
    if objective is not None and warning is not None and (warning <= objective if direction else warning >= objective):
        notes.append(f"{where}: warning {warning:g} is not within the objective {objective:g}, so that it never warns")
    return Settled(unit, direction, limits)


def _direction(metric: Metric, given: bool | None, where: str, notes: list[str]) -> bool:
    known = metric.higher_is_better
    if given is None and known is None:
        raise ConfigError(
            f"{where}: metric {metric.metric!r} has no known direction; add higher_is_better: true or false"
        )
    if given is not None and known is not None and given != known:
        if known != known_metric(metric.metric).higher_is_better:
            raise ConfigError(
                f"{where}: higher_is_better: {str(given).lower()}, but org.yaml says {str(known).lower()} of "
                f"{metric.metric}; leave it out here, or change it there"
            )
        notes.append(f"{where}: higher_is_better of {metric.metric} is not the usual direction")
    return bool(known if given is None else given)


def _factor(metric: Metric, given: str, where: str) -> Fraction:
    if not metric.unit or (metric.unit == "score" and given == "%"):
        return Fraction(1)
    factor = factor_between(given, metric.unit)
    if factor is None:
        raise ConfigError(
            f"{where}: unit {given}, but {metric.metric} is in {metric.unit}; allowed: {units_like(metric.unit)}"
        )
    return factor


def _check_limit(metric: Metric, key: str, value: float, terms: Terms, where: str, notes: list[str]) -> None:
    name = metric.metric
    is_share = metric.unit == "ratio" and (metric.maximum is None or metric.maximum <= 1)
    if is_share and not 0 <= value <= 1:
        raise ConfigError(f"{where}: {key} {value:g}: 0 to 1 is allowed for a ratio (0.999, not 99.9)")
    if not metric.holds(value):
        raise ConfigError(
            f"{where}: {key} {value:g}: {metric.allowed} is allowed for {name} ({metric.unit or 'no unit'})"
        )
    if terms.unit is None and _is_share_of_whole(metric, value):
        raise ConfigError(
            f"{where}: {key} {value:g} of {name}, which goes from {metric.allowed} ({metric.unit}): was {100 * value:g} meant? "
            f"unit: '{metric.unit}' takes it as it stands"
        )
    is_silent = terms.unit is None and metric.unit == "s" and metric == known_metric(name) and not unit_in_name(name)[1]
    if is_silent and name.startswith("latency") and value >= LONG_LATENCY:
        notes.append(f"{where}: {value:g} for {name} is read in seconds")


def _is_share_of_whole(metric: Metric, value: float) -> bool:
    """Return whether a limit of at most 1 is given for what goes up to 100, where 100 is best."""
    is_best_whole = metric.maximum == 100.0 and metric.higher_is_better and metric.unit in ("%", "score")
    return bool(is_best_whole and 0 < value <= 1)


def in_units_of_metrics(made: Sequence[tuple[AnyPolicy, str]], metrics: Definitions) -> tuple[AnyPolicy, ...]:
    """Return the policies, each in the unit of what it measures.

    Raises
    ------
    ConfigError
        If good and total are one metric or differ in unit, if a share is asked of a metric that is none, if a threshold lies
        outside the metric's range, if no value can miss a limit, or if two policies give one metric that nobody defined
        different units.
    """
    said: dict[str, str] = {}
    settled: list[AnyPolicy] = []
    for policy, label in made:
        where = f"{label}: {policy.sla_id}"
        if isinstance(policy, RatioPolicy):
            _check_counts(policy, metrics, where)
            settled.append(policy)
            continue
        metric = defined(policy.metric, metrics)
        if policy.aggregate == "good_share":
            _check_threshold(policy, metric, where)
        elif not metric.unit:
            other = said.setdefault(policy.metric, policy.unit)
            if policy.unit and other and policy.unit != other:
                raise ConfigError(
                    f"{where}: unit {policy.unit}, but another policy says {other} of {policy.metric}; "
                    "declare its unit in org.yaml"
                )
        elif policy.unit not in ("", metric.unit):
            policy = _in_unit_of(metric, policy, _factor(metric, policy.unit, where))  # noqa: PLW2901
        _refuse_certain(policy, metric, where)
        settled.append(policy)
    return tuple(settled)


def _in_unit_of(metric: Metric, policy: ThresholdPolicy, factor: Fraction) -> ThresholdPolicy:
    """Convert the limit that samples are compared with: of slices their own, and the share of good ones stays a share."""
    if policy.slices is not None and policy.slices.target is not None:
        return replace(policy, slices=replace(policy.slices, target=times(policy.slices.target, factor)))
    return replace(policy, unit=metric.unit, objective=times(policy.objective, factor))


def _refuse_certain(policy: ThresholdPolicy, metric: Metric, where: str) -> None:
    """Refuse a limit at the end of the metric's range that every value keeps to."""
    is_share_of_good = policy.aggregate == "good_share"
    value, key = (policy.threshold, "threshold") if is_share_of_good else (policy.objective, "objective")
    is_floor = policy.threshold_is_floor if is_share_of_good else policy.higher_is_better
    end = metric.minimum if is_floor else metric.maximum
    if value is None or end is None or not (value <= end if is_floor else value >= end):
        return
    percent = f"; for 1 %, write {0.99 if is_floor else 0.01:g}" if metric.unit == "ratio" and value == 1 else ""
    raise ConfigError(
        f"{where}: {key} {value:g} of {metric.metric}, which goes from {metric.allowed}, can never be missed; one within "
        f"the range is allowed{percent}"
    )


def _check_counts(policy: RatioPolicy, metrics: Definitions, where: str) -> None:
    if policy.total == policy.part:
        word = "good" if policy.part_is_good else "bad"
        raise ConfigError(
            f"{where}: {word} and total are the same metric, {policy.total}, so that the SLA says one thing for ever; "
            "two metrics are needed"
        )
    units = [defined(name, metrics).unit for name in policy.needs]
    if all(units) and units[0] != units[1]:
        raise ConfigError(
            f"{where}: {policy.total} is in {units[0]} and {policy.part} in {units[1]}; both in one unit are allowed"
        )


def _check_threshold(policy: ThresholdPolicy, metric: Metric, where: str) -> None:
    value = policy.threshold
    if value is not None and _is_share_of_whole(metric, value):
        raise ConfigError(
            f"{where}: threshold {value:g} of {metric.metric}, which goes from {metric.allowed} ({metric.unit}): "
            f"{100 * value:g} is meant, or nearly every sample is good"
        )
    if value is None or metric.holds(value):
        return
    meant = " (0.999, not 99.9)" if metric.unit == "ratio" and value > 1 else ""
    raise ConfigError(
        f"{where}: threshold {value:g}: {metric.allowed} is allowed for {metric.metric} ({metric.unit or 'no unit'}){meant}"
    )
