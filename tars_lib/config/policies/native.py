"""Form of native policy files: the keys of an SLA, of which each further kind brings its own."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_type_hints

from pydantic import Field, create_model, model_validator

from tars_lib.config.policies.documents import Document
from tars_lib.config.yaml_file import Key, Model, Number, validate
from tars_lib.files.limits import MAX_POLICIES
from tars_lib.model.slo import AGGREGATES, KINDS, AnyPolicy, Policy, RatioPolicy, ThresholdPolicy

_CHECKED = {float: Number, str: Key}
"""How a number and a name of a further kind are read."""
_COMMON = (
    "sla_id", "sla_name", "sla_type", "objective", "window", "period_days", "time_zone", "repos", "priority",
    "severity_on_breach",
)  # fmt: skip
"""Keys of every kind of SLA."""


class _Good(Model):
    total: Key
    bad: Key | None = None
    good: Key | None = None

    @model_validator(mode="after")
    def _one(self) -> _Good:
        if (self.bad is None) == (self.good is None):
            raise ValueError("one of bad and good is needed, not both")
        if self.total in (self.bad, self.good):
            always = "0%" if self.bad else "100%"
            raise ValueError(
                f"{'bad' if self.bad else 'good'} and total are the same metric, {self.total}: {always} for ever"
            )
        return self


class NativePolicy(Model):
    """An SLA that counts events (`good`) or looks at samples (`metric`)."""

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
    def _kind(self) -> NativePolicy:
        if (self.good is None) == (self.metric is None):
            raise ValueError("one of good (a ratio SLA) and metric (a threshold SLA) is needed, not both")
        if (self.good is not None or self.aggregate == "good_share") and not 0 < self.objective <= 1:
            kind = "a ratio SLA" if self.good is not None else "a good_share"
            meant = (
                f"{self.objective / 100:g}, not {self.objective:g}" if 1 < self.objective <= 100 else "0.999, not 99.9"
            )
            raise ValueError(f"objective {self.objective:g} of {kind}; above 0 and up to 1 is allowed ({meant})")
        if self.good is not None:
            self._refuse_without_effect()
        if self.missing == "zero" and self.good is None:
            raise ValueError("missing: zero goes with good (a ratio SLA): a metric that is absent has no value")
        if self.aggregate not in AGGREGATES:
            raise ValueError(f"aggregate {self.aggregate!r}; allowed: {', '.join(AGGREGATES)}")
        if (self.aggregate == "good_share") != (self.threshold is not None):
            raise ValueError(
                "threshold goes with aggregate good_share: a sample is good while it is within the threshold"
            )
        return self

    def _refuse_without_effect(self) -> None:
        """Refuse what a ratio SLA has no use for: read in silence, an objective of errors would be one of good events."""
        if self.higher_is_better is False:
            raise ValueError(
                "higher_is_better: false of a ratio SLA: its objective is the least share of good events; for at most 1% bad "
                "ones write 0.99"
            )
        if self.unit not in (None, "ratio"):
            raise ValueError(f"unit {self.unit!r} of a ratio SLA: its objective is a share from 0 to 1; leave it out")
        for key, is_given in (("aggregate", self.aggregate != "mean"), ("warning", self.warning is not None)):
            if is_given:
                raise ValueError(f"{key}: without effect for good (a ratio SLA); leave it out")


class _Policies(Model):
    policies: tuple[NativePolicy, ...] = Field(max_length=MAX_POLICIES)


def read_native(document: Document) -> Sequence[NativePolicy]:
    """Read the policies of a native document.

    Raises
    ------
    ConfigError
        If a key or value is not allowed.
    """
    entries = document.content["policies"]
    forms = [NativePolicy if kind is None else _form_of(kind) for kind in map(_further, entries)]
    # as many forms as policies only where they differ, so that a message counts the policies all the same
    model = _Policies if all(form is NativePolicy for form in forms) else _policies_of(forms)
    policies: Sequence[NativePolicy] = validate(model, document.content, document.file).policies  # type: ignore[attr-defined]
    return policies


def of_kind(given: NativePolicy, common: Mapping[str, Any]) -> AnyPolicy | None:
    """Build a policy of a further kind; None where it is of none.

    Raises
    ------
    ValueError
        If the kind refuses it.
    """
    kind = getattr(given, "kind", None)
    if kind is None:
        return None
    own = given.model_fields_set - {*_COMMON, "kind"}
    policy = KINDS[kind](**common, **{name: getattr(given, name) for name in own})
    if policy.is_share and not 0 < policy.objective <= policy.whole:
        raise ValueError(f"objective {policy.objective:g} of a share; above 0 and up to {policy.whole:g} is allowed")
    return policy


def _further(entry: object) -> str | None:
    """Name of the kind of a policy that says `kind`; None where it says none, or one that says itself by its keys."""
    kind = entry.get("kind") if isinstance(entry, Mapping) else None
    return kind if isinstance(kind, str) and KINDS.get(kind) not in (None, RatioPolicy, ThresholdPolicy) else None


def _form_of(kind: str) -> type[Model]:
    """Return the keys of a further kind: the fields that it adds, and those that it needs."""
    cls = KINDS[kind]
    hints, shared = get_type_hints(cls), {field.name for field in dataclasses.fields(Policy)}
    own = [
        field
        for field in dataclasses.fields(cls)
        if field.init and field.name not in shared and (field.name in inspect.get_annotations(cls) or _is_needed(field))
    ]
    keys: dict[str, Any] = {
        name: (field.annotation, field) for name, field in NativePolicy.model_fields.items() if name in _COMMON
    }
    keys |= {
        field.name: (_CHECKED.get(hints[field.name], hints[field.name]), ... if _is_needed(field) else field.default)
        for field in own
    }
    return create_model(f"{cls.__name__}Form", __base__=Model, kind=(str, ...), **keys)


def _is_needed(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _policies_of(forms: Sequence[type[Model]]) -> type[Model]:
    kinds: Any = tuple[tuple(forms)]  # type: ignore[misc]
    return create_model("_Policies", __base__=Model, policies=(kinds, ...))
