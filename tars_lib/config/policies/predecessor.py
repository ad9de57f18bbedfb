"""Policy files of the predecessor: `policy_id` with targets, under `policies` or one at the top of a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from tars_lib.config.policies.documents import Document
from tars_lib.config.policies.queries import Reading
from tars_lib.config.policy_units import defined
from tars_lib.config.yaml_file import Key, Number, validate
from tars_lib.errors import ConfigError
from tars_lib.files.limits import MAX_POLICIES
from tars_lib.model.slo import AnyPolicy, ThresholdPolicy
from tars_lib.model.units import COUNT, factor_between, times, unit_of

# A latency objective from here on was probably meant in milliseconds: judgement, for a note only.
_LONG_LATENCY = 100.0


class _Target(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)
    metric_name: Key
    target_value: Number
    warning_threshold: Number | None = None
    breach_threshold: Number | None = None
    higher_is_better: bool | None = None
    unit: Key | None = None


class _Policy(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)
    policy_id: Key
    policy_name: Key | None = None
    sla_type: Key
    targets: tuple[_Target, ...] = Field(min_length=1)
    priority: int = Field(default=3, ge=1)


class _Policies(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)
    policies: tuple[_Policy, ...] = Field(max_length=MAX_POLICIES)


_FLAT = {"name": "policy_name", "type": "sla_type"}
_FLAT_TARGET = {"target": "target_value", "at_risk_threshold": "warning_threshold"}


def is_predecessor(document: Document) -> bool:
    """Return whether a document is one of the predecessor's."""
    entries = document.content.get("policies")
    if isinstance(entries, list):
        return any(isinstance(entry, dict) and "policy_id" in entry for entry in entries)
    return "policy_id" in document.content


def predecessor_policies(documents: Sequence[Document], reading: Reading) -> list[tuple[AnyPolicy, str]]:
    """Return the SLA policies of the predecessor's documents, a target each, with their files.

    Raises
    ------
    ConfigError
        If a document is not valid, a metric has no known direction, or a unit cannot be converted into the metric's own.
    """
    made: list[tuple[AnyPolicy, str]] = []
    for document in documents:
        content = document.content if "policies" in document.content else {"policies": [_named(document.content)]}
        for policy in validate(_Policies, content, document.file).policies:
            made += [(sla, document.file) for sla in _policies(policy, document.file, reading)]
    return made


def _named(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Return a policy that stands alone in its file, its targets by name, in the words of the list."""
    made = {_FLAT.get(key, key): value for key, value in flat.items()}
    if isinstance(targets := made.get("targets"), dict):
        made["targets"] = [
            {"metric_name": name, **{_FLAT_TARGET.get(key, key): value for key, value in target.items()}}
            if isinstance(target, dict)
            else target
            for name, target in targets.items()
        ]
    return made


def _policies(policy: _Policy, label: str, reading: Reading) -> list[ThresholdPolicy]:
    made = []
    for target in policy.targets:
        where = f"{label}: {policy.policy_id}"
        known = defined(target.metric_name, reading.metrics)
        direction = known.higher_is_better if target.higher_is_better is None else target.higher_is_better
        if direction is None:
            raise ConfigError(
                f"{where}: {target.metric_name} has no known direction; add higher_is_better: true or false"
            )
        if known.higher_is_better is not None and direction != known.higher_is_better:
            reading.notes.append(f"{where}: higher_is_better of {target.metric_name} is not the usual direction")
        objective = target.target_value if target.breach_threshold is None else target.breach_threshold
        scale = _scale(target, known.unit, where)
        if known.unit == "s" and target.unit is None and objective >= _LONG_LATENCY:
            reading.notes.append(f"{where}: {objective:g} for {target.metric_name} is read in seconds")
        if known.unit == "ratio" and target.unit is None and 1 < objective <= 100:
            scale = Fraction(1, 100)
            reading.notes.append(f"{where}: {target.metric_name} was given in percent and read as a ratio")
        sla_id = policy.policy_id if len(policy.targets) == 1 else f"{policy.policy_id}:{target.metric_name}"
        made.append(
            ThresholdPolicy(
                sla_id=sla_id,
                sla_name=policy.policy_name or sla_id,
                sla_type=policy.sla_type,
                objective=times(objective, scale),
                priority=policy.priority,
                metric=target.metric_name,
                unit=known.unit or unit_of(target.unit or "").symbol,
                higher_is_better=direction,
                warning=None if target.warning_threshold is None else times(target.warning_threshold, scale),
            )
        )
        refuse_percent(made[-1].objective, known.unit, f"{label}: {sla_id}: objective")
    return made


def _scale(target: _Target, unit: str, where: str) -> Fraction:
    """Return what turns a target's limits into the metric's own unit."""
    if target.unit is None or not unit:
        return Fraction(1)
    given = target.unit.replace("_", " ")
    factor = factor_between(given, unit)
    if factor is not None:
        return factor
    is_counted = unit_of(unit).dimension == COUNT and not unit_of(given).dimension
    if is_counted or (unit == "score" and unit_of(given).symbol == "%"):
        return Fraction(1)
    raise ConfigError(
        f"{where}: unit {target.unit!r} of {target.metric_name} cannot be converted into {unit}, in which it is reported; "
        f"give its limits in {unit}"
    )


def refuse_percent(value: float, unit: str, where: str) -> None:
    """Refuse a share beyond 0 to 1.

    Raises
    ------
    ConfigError
        With what was meant, where it reads as a percentage.
    """
    if unit == "ratio" and not 0 <= value <= 1:
        meant = f"{value / 100:g}, not {value:g}" if value <= 100 else "0.999, not 99.9"
        raise ConfigError(f"{where} {value:g}: 0 to 1 is allowed for a ratio ({meant})")
