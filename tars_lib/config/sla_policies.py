"""`sla-policies.yaml`: SLAs in the native form and in the predecessor's; OpenSLO documents are passed on."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tars_lib.config.yaml_file import Key, Model, Number, read_documents, validate
from tars_lib.errors import ConfigError, TarsError
from tars_lib.files.limits import MAX_POLICIES
from tars_lib.model.names import Severity, known_metric
from tars_lib.model.slo import AGGREGATES, AnyPolicy, RatioPolicy, ThresholdPolicy, Window
from tars_lib.model.times import read_zone

# A latency objective from here on was probably meant in milliseconds: judgement, for a note only.
_LONG_LATENCY = 100.0


class _Good(Model):
    total: Key
    bad: Key | None = None
    good: Key | None = None

    @model_validator(mode="after")
    def _one(self) -> _Good:
        if (self.bad is None) == (self.good is None):
            raise ValueError("one of bad and good is needed, not both")
        return self


class _Policy(Model):
    sla_id: Key = Field(min_length=1)
    sla_name: Key | None = None
    sla_type: Key
    good: _Good | None = None
    metric: Key | None = None
    objective: Number
    higher_is_better: bool | None = None
    unit: Key | None = None
    aggregate: str = "mean"
    threshold: Number | None = None
    warning: Number | None = None
    window: str | int | None = None
    period_days: int = Field(default=30, ge=1, le=3660)
    time_zone: str = "UTC"
    repos: tuple[Key, ...] = ()
    priority: int = Field(default=3, ge=1)
    severity_on_breach: str = "SEV-1"
    missing: Literal["unknown", "zero"] = "unknown"

    @model_validator(mode="after")
    def _kind(self) -> _Policy:
        if (self.good is None) == (self.metric is None):
            raise ValueError("one of good (a ratio SLA) and metric (a threshold SLA) is needed, not both")
        if self.good is not None and not 0 < self.objective <= 1:
            raise ValueError(
                f"objective {self.objective:g} of a ratio SLA; above 0 and up to 1 is allowed (0.999, not 99.9)"
            )
        if self.missing == "zero" and self.good is None:
            raise ValueError("missing: zero goes with good (a ratio SLA): a metric that is absent has no value")
        if self.aggregate not in AGGREGATES:
            raise ValueError(f"aggregate {self.aggregate!r}; allowed: {', '.join(AGGREGATES)}")
        if (self.aggregate == "good_share") != (self.threshold is not None):
            raise ValueError(
                "threshold goes with aggregate good_share: a sample is good while it is within the threshold"
            )
        if self.aggregate == "good_share" and not 0 < self.objective <= 1:
            raise ValueError(f"objective {self.objective:g} of a good_share; above 0 and up to 1 is allowed")
        return self


class _Policies(Model):
    policies: tuple[_Policy, ...] = Field(max_length=MAX_POLICIES)


class _LegacyTarget(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)
    metric_name: Key
    target_value: Number
    warning_threshold: Number | None = None
    breach_threshold: Number | None = None
    higher_is_better: bool | None = None


class _LegacyPolicy(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)
    policy_id: Key
    policy_name: Key | None = None
    sla_type: Key
    targets: tuple[_LegacyTarget, ...] = Field(min_length=1)
    priority: int = Field(default=3, ge=1)


class _LegacyPolicies(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)
    policies: tuple[_LegacyPolicy, ...] = Field(max_length=MAX_POLICIES)


def read_policies(path: Path, label: str) -> tuple[tuple[AnyPolicy, ...], tuple[str, ...]]:
    """Read SLA policies: native, OpenSLO v1 documents, or of the predecessor.

    Returns
    -------
    policies : tuple of AnyPolicy
    notes : tuple of str
        What was converted, for the report's warnings.

    Raises
    ------
    ConfigError
        If the file is not valid, or two policies have one `sla_id`.
    """
    documents = read_documents(path, label)
    if any(isinstance(document, dict) and {"apiVersion", "kind"} & set(document) for document in documents):
        from tars_lib.config.openslo import openslo_policies

        return _distinct(*openslo_policies(documents, label), label)
    if len(documents) > 1:
        raise ConfigError(f"{label}: {len(documents)} YAML documents; one is allowed, or several of OpenSLO")
    content = documents[0] if documents else None
    entries = content.get("policies") if isinstance(content, dict) else None
    if not isinstance(entries, list):
        raise ConfigError(f"{label}: a list under the key policies is needed")
    notes: list[str] = []
    if any(isinstance(entry, dict) and "policy_id" in entry for entry in entries):
        legacy = validate(_LegacyPolicies, content, label)
        policies: tuple[AnyPolicy, ...] = tuple(
            made for policy in legacy.policies for made in _from_legacy(policy, label, notes)
        )
    else:
        policies = tuple(_policy(given, label) for given in validate(_Policies, content, label).policies)
    return _distinct(policies, tuple(notes), label)


def _distinct(
    policies: tuple[AnyPolicy, ...], notes: tuple[str, ...], label: str
) -> tuple[tuple[AnyPolicy, ...], tuple[str, ...]]:
    """The same, once no two policies have one `sla_id`."""
    if len(policies) > MAX_POLICIES:
        raise ConfigError(f"{label}: {len(policies)} policies; up to {MAX_POLICIES} are allowed")
    seen: set[str] = set()
    for policy in policies:
        if policy.sla_id in seen:
            raise ConfigError(f"{label}: sla_id {policy.sla_id!r} stands twice; each policy needs its own")
        seen.add(policy.sla_id)
    return policies, notes


def _policy(given: _Policy, label: str) -> AnyPolicy:
    where = f"{label}: policies.{given.sla_id}"
    try:
        window = Window(days=given.period_days) if given.window is None else Window.parse(given.window)
        severity = Severity.parse(given.severity_on_breach)
        read_zone(given.time_zone)
    except TarsError as error:
        raise ConfigError(f"{where}: {error}") from error
    common: dict[str, Any] = {
        "sla_id": given.sla_id,
        "sla_name": given.sla_name or given.sla_id,
        "sla_type": given.sla_type,
        "objective": given.objective,
        "window": window,
        "period_days": given.period_days,
        "time_zone": given.time_zone,
        "repos": given.repos,
        "priority": given.priority,
        "severity_on_breach": severity,
    }
    if given.good is not None:
        part = given.good.good or given.good.bad
        if part is None:
            raise ConfigError(f"{where}: good needs bad or good")
        return RatioPolicy(
            **common,
            total=given.good.total,
            part=part,
            part_is_good=given.good.good is not None,
            missing_is_zero=given.missing == "zero",
        )
    if given.metric is None:
        raise ConfigError(f"{where}: metric is needed")
    return _threshold(given, given.metric, common, where)


def _threshold(given: _Policy, name: str, common: dict[str, Any], where: str) -> ThresholdPolicy:
    known = known_metric(name)
    direction = known.higher_is_better if given.higher_is_better is None else given.higher_is_better
    if direction is None:
        raise ConfigError(f"{where}: metric {name!r} has no known direction; add higher_is_better: true or false")
    if given.aggregate == "good_share":
        return ThresholdPolicy(
            **common,
            metric=name,
            aggregate=given.aggregate,
            threshold=given.threshold,
            threshold_is_floor=direction,
            warning=given.warning,
        )
    unit = known.unit if given.unit is None else given.unit
    _refuse_percent(given.objective, unit, f"{where}: objective")
    return ThresholdPolicy(
        **common,
        metric=name,
        aggregate=given.aggregate,
        warning=given.warning,
        unit=unit,
        higher_is_better=direction,
    )


def _refuse_percent(value: float, unit: str, where: str) -> None:
    if unit == "ratio" and not 0 <= value <= 1:
        raise ConfigError(f"{where} {value:g}: 0 to 1 is allowed for a ratio (0.999, not 99.9)")


def _from_legacy(policy: _LegacyPolicy, label: str, notes: list[str]) -> list[ThresholdPolicy]:
    made = []
    for target in policy.targets:
        known = known_metric(target.metric_name)
        direction = known.higher_is_better if target.higher_is_better is None else target.higher_is_better
        if direction is None:
            raise ConfigError(
                f"{label}: {policy.policy_id}: {target.metric_name} has no known direction; add higher_is_better: true or false"
            )
        if known.higher_is_better is not None and direction != known.higher_is_better:
            notes.append(
                f"{label}: {policy.policy_id}: higher_is_better of {target.metric_name} is not the usual direction"
            )
        objective = target.target_value if target.breach_threshold is None else target.breach_threshold
        if known.unit == "s" and objective >= _LONG_LATENCY:
            notes.append(f"{label}: {policy.policy_id}: {objective:g} for {target.metric_name} is read in seconds")
        scale = 1.0
        if known.unit == "ratio" and 1 < objective <= 100:
            scale = 0.01
            notes.append(f"{label}: {policy.policy_id}: {target.metric_name} was given in percent and read as a ratio")
        sla_id = policy.policy_id if len(policy.targets) == 1 else f"{policy.policy_id}:{target.metric_name}"
        made.append(
            ThresholdPolicy(
                sla_id=sla_id,
                sla_name=policy.policy_name or sla_id,
                sla_type=policy.sla_type,
                objective=objective * scale,
                priority=policy.priority,
                metric=target.metric_name,
                unit=known.unit,
                higher_is_better=direction,
                warning=None if target.warning_threshold is None else target.warning_threshold * scale,
            )
        )
        _refuse_percent(made[-1].objective, known.unit, f"{label}: {sla_id}: objective")
    return made
