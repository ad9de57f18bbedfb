"""Annotations `tars/...`: what this project says of an SLA and OpenSLO has no field for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from pydantic import Field

from tars_lib.config.policies.queries import Reading
from tars_lib.config.policy_units import Terms, settle
from tars_lib.config.yaml_file import Key, Model, Number, validate
from tars_lib.errors import ConfigError, TarsError
from tars_lib.model.names import Severity
from tars_lib.model.slo import AnyPolicy, RatioPolicy, ThresholdPolicy
from tars_lib.model.times import read_zone

PREFIX = "tars/"
REPOS = f"{PREFIX}repos"
"""Annotation that names the repos, separated by commas, or all with `*`; else the SLO's `service` is the repo."""


class Own(Model):
    """The annotations, without their prefix; all values may be text, as Kubernetes wants them."""

    repos: str | None = None
    sla_id: Key | None = Field(default=None, min_length=1)
    sla_name: Key | None = None
    sla_type: Key | None = None
    priority: int | None = Field(default=None, ge=1)
    severity_on_breach: str | None = None
    period_days: int | None = Field(default=None, ge=1, le=3660)
    time_zone: str | None = None
    missing: Literal["unknown", "zero"] | None = None
    aggregate: Literal["mean", "median", "max", "last"] | None = None
    unit: Key | None = None
    warning: Number | None = None


def named_repos(text: str) -> tuple[str, ...]:
    """Return the repos that the annotation names; none where it means every one."""
    return () if text.strip() == "*" else tuple(name.strip() for name in text.split(",") if name.strip())


def own_annotations(annotations: Mapping[str, Any], where: str) -> Own:
    """Read the annotations of this project; others are passed over.

    Raises
    ------
    ConfigError
        If one is unknown or has a value that is not allowed; the message names it.
    """
    given = {name.removeprefix(PREFIX): value for name, value in annotations.items() if name.startswith(PREFIX)}
    return validate(Own, given, f"{where}: metadata.annotations, tars")


def with_annotations(policy: AnyPolicy, own: Own, *, is_alone: bool, where: str, reading: Reading) -> AnyPolicy:
    """Return the policy as the annotations complete it.

    Parameters
    ----------
    reading : Reading
        Its definitions of metrics decide about units.

    Raises
    ------
    ConfigError
        If an annotation does not fit the kind of SLA.
    """
    where = f"{where}: metadata.annotations"
    if own.sla_id is not None and not is_alone:
        raise ConfigError(f"{where}: tars/sla_id goes with one objective; each of several needs an id of its own")
    names = ("sla_id", "sla_name", "sla_type", "priority", "period_days")
    changes: dict[str, Any] = {name: value for name in names if (value := getattr(own, name)) is not None}
    try:
        if own.severity_on_breach is not None:
            changes["severity_on_breach"] = Severity.parse(own.severity_on_breach)
        if own.time_zone is not None:
            read_zone(own.time_zone)
            changes["time_zone"] = own.time_zone
    except TarsError as error:
        raise ConfigError(f"{where}: {error}") from error
    if own.time_zone is not None and policy.window.anchor:
        raise ConfigError(f"{where}: tars/time_zone goes with a rolling window; a calendar window names its zone")
    if isinstance(policy, RatioPolicy):
        for name in ("aggregate", "unit", "warning"):
            if getattr(own, name) is not None:
                raise ConfigError(f"{where}: tars/{name} goes with a thresholdMetric")
        if own.missing is not None:
            changes["missing_is_zero"] = own.missing == "zero"
        return replace(policy, **changes)
    if own.missing is not None:
        raise ConfigError(f"{where}: tars/missing goes with a ratioMetric of counts")
    made = replace(policy, **changes)
    return _threshold(made, own, where, reading)


def _threshold(policy: ThresholdPolicy, own: Own, where: str, reading: Reading) -> ThresholdPolicy:
    """Return the policy with its aggregate, whose objective is then the document's `value`."""
    if own.aggregate is None:
        if own.unit is not None:
            raise ConfigError(f"{where}: tars/unit goes with tars/aggregate; a threshold is in the metric's unit")
        return policy if own.warning is None else replace(policy, warning=own.warning)
    if policy.threshold is None or policy.slices is not None:
        raise ConfigError(f"{where}: tars/aggregate goes with a thresholdMetric and budgetingMethod Occurrences")
    terms = Terms(own.unit, policy.threshold_is_floor, {"objective": policy.threshold, "warning": own.warning})
    settled = settle(policy.metric, terms, reading.metrics, where, reading.notes)
    objective = settled.limits["objective"]
    if objective is None:
        raise ConfigError(f"{where}: value is needed")
    return replace(
        policy,
        aggregate=own.aggregate,
        objective=objective,
        threshold=None,
        threshold_is_floor=False,
        warning=settled.limits["warning"],
        unit=settled.unit,
        higher_is_better=settled.higher_is_better,
    )
