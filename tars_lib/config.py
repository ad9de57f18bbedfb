"""YAML into plain dataclasses: the edge where text that people write is checked.

pydantic and PyYAML live here alone. Every refusal names the file, the key, the value and what is allowed.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from tars_lib.config_wording import refusal
from tars_lib.errors import ConfigError, TarsError
from tars_lib.intake import read_utf8
from tars_lib.limits import (
    MAX_CONFIG_BYTES,
    MAX_CONFIG_DEPTH,
    MAX_CONFIG_VALUES,
    MAX_METRICS,
    MAX_NAME,
    MAX_POLICIES,
    MAX_REPOS,
    MAX_TEXT,
)
from tars_lib.policies import AGGREGATES, AnyPolicy, RatioPolicy, ThresholdPolicy, Window
from tars_lib.schema import Dependency, Metric, OrgConfig, OrgSlo, Repo, Severity, known_metric
from tars_lib.times import read_zone

# A latency objective from here on was probably meant in milliseconds: judgement, for a note only.
_LONG_LATENCY = 100.0


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError("a finite number is allowed")
    return value


_T = TypeVar("_T", bound=BaseModel)
Number = Annotated[float, AfterValidator(_finite)]
Key = Annotated[str, Field(max_length=MAX_NAME)]
"""A name that other files or pages refer to."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class _Repo(_Model):
    name: Key | None = None
    team: Key | None = None
    tags: tuple[Key, ...] = ()
    customer_facing: bool = False
    tier: int | None = Field(default=None, ge=1)
    external: bool = False
    shares: tuple[Key, ...] = ()


class _Dependency(_Model):
    caller: Key = Field(alias="from")
    callee: Key = Field(alias="to")


class _Metric(_Model):
    unit: Key | None = None
    higher_is_better: bool | None = None
    minimum: Number | None = None
    maximum: Number | None = None
    healthy: Number | None = None
    unhealthy: Number | None = None
    weight: Number = Field(default=1.0, gt=0)

    @model_validator(mode="after")
    def _bounds(self) -> _Metric:
        if (self.healthy is None) != (self.unhealthy is None):
            raise ValueError("healthy and unhealthy go together: give both or neither")
        if self.healthy is not None and self.healthy == self.unhealthy:
            raise ValueError("healthy and unhealthy are equal; two different values are allowed")
        return self


class _Slo(_Model):
    slo_id: Key
    name: Key = ""
    measure: Literal["aggregate_score", "minimum_score", "share_green", "coverage"]
    objective: Number


class _Org(_Model):
    name: Key | None = None
    repos: dict[Key, _Repo | None] = Field(default={}, max_length=MAX_REPOS)
    dependencies: tuple[_Dependency, ...] = ()
    metrics: dict[Key, _Metric] = Field(default={}, max_length=MAX_METRICS)
    slos: tuple[_Slo, ...] = Field(default=(), max_length=MAX_POLICIES)


class _Good(_Model):
    total: Key
    bad: Key | None = None
    good: Key | None = None

    @model_validator(mode="after")
    def _one(self) -> _Good:
        if (self.bad is None) == (self.good is None):
            raise ValueError("one of bad and good is needed, not both")
        return self


class _Policy(_Model):
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

    @model_validator(mode="after")
    def _kind(self) -> _Policy:
        if (self.good is None) == (self.metric is None):
            raise ValueError("one of good (a ratio SLA) and metric (a threshold SLA) is needed, not both")
        if self.good is not None and not 0 < self.objective <= 1:
            raise ValueError(
                f"objective {self.objective:g} of a ratio SLA; above 0 and up to 1 is allowed (0.999, not 99.9)"
            )
        if self.aggregate not in AGGREGATES:
            raise ValueError(f"aggregate {self.aggregate!r}; allowed: {', '.join(AGGREGATES)}")
        if (self.aggregate == "good_share") != (self.threshold is not None):
            raise ValueError(
                "threshold goes with aggregate good_share: a sample is good while it is within the threshold"
            )
        if self.aggregate == "good_share" and not 0 < self.objective <= 1:
            raise ValueError(f"objective {self.objective:g} of a good_share; above 0 and up to 1 is allowed")
        return self


class _Policies(_Model):
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


class _UniqueKeys(yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader):  # type: ignore[misc]
    """The safe loader, which also refuses a key that stands twice: the first would be lost without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Build a mapping; see the class."""
        seen = set()
        for key_node, _ in node.value:
            if key_node.value in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"key {key_node.value!r} stands twice", problem_mark=key_node.start_mark
                )
            seen.add(key_node.value if isinstance(key_node.value, str) else id(key_node))
        return super().construct_mapping(node, deep)  # type: ignore[no-any-return]


def read_yaml(path: Path, label: str) -> Any:
    """Content of a YAML (or JSON) file of one document, None where it is empty.

    Raises
    ------
    ConfigError
        If the file cannot be read or parsed or holds several documents; the message names the row.
    """
    documents = read_documents(path, label)
    if len(documents) > 1:
        raise ConfigError(f"{label}: {len(documents)} YAML documents; one is allowed")
    return documents[0] if documents else None


def read_documents(path: Path, label: str) -> list[Any]:
    """Contents of the documents of a YAML (or JSON) file, with the safe loader.

    Raises
    ------
    ConfigError
        If the file cannot be read or parsed; the message names the row.
    """
    text = read_utf8(path, label, MAX_CONFIG_BYTES, ConfigError)
    try:
        _refuse_traps(text, label)
        return list(yaml.load_all(text, Loader=_UniqueKeys))
    except yaml.MarkedYAMLError as error:
        where = "" if error.problem_mark is None else f", row {error.problem_mark.line + 1}"
        raise ConfigError(f"{label}{where}: not valid YAML: {error.problem}") from error
    except yaml.reader.ReaderError as error:
        row = text.count("\n", 0, error.position) + 1
        raise ConfigError(f"{label}, row {row}: character {_code_point(error)} is not allowed in YAML") from error
    except AttributeError as error:  # PyYAML's own, for a tag such as !!timestamp on something else
        raise ConfigError(f"{label}: not valid YAML: a tag that does not fit what it stands before") from error
    except (yaml.YAMLError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise ConfigError(f"{label}: cannot be read: {' '.join(str(error).split())[:200]}") from error


def _refuse_traps(text: str, label: str) -> None:
    """Refuse what would take all memory once it is built: aliases, depth, and too many values."""
    depth = values = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader):
        row = 1 if event.start_mark is None else event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent):
            raise ConfigError(f"{label}, row {row}: YAML aliases are not allowed; write it out")
        values += isinstance(event, yaml.NodeEvent)
        if isinstance(event, yaml.ScalarEvent) and len(event.value) > MAX_TEXT:
            raise ConfigError(
                f"{label}, row {row}: a text of {len(event.value)} characters; up to {MAX_TEXT} are allowed"
            )
        if values > MAX_CONFIG_VALUES:
            raise ConfigError(f"{label}, row {row}: more than {MAX_CONFIG_VALUES} values; up to that many are allowed")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_CONFIG_DEPTH:
            raise ConfigError(f"{label}, row {row}: nested deeper than {MAX_CONFIG_DEPTH} levels")


def _code_point(error: yaml.reader.ReaderError) -> str:
    number = error.character if isinstance(error.character, int) else ord(str(error.character)[:1] or "\0")
    return f"U+{number:04X}"


def read_org_config(path: Path, label: str) -> OrgConfig:
    """Read `org.yaml`.

    Raises
    ------
    ConfigError
        If the file is not valid YAML, has an unknown key, or a value is not allowed.
    """
    org = validate(_Org, read_yaml(path, label) or {}, label)
    repos = tuple(_repo(name, described or _Repo()) for name, described in org.repos.items())
    metrics = {name: _metric(name, given) for name, given in org.metrics.items()}
    for name, metric in metrics.items():
        if metric.healthy is not None and metric.higher_is_better is None:
            raise ConfigError(
                f"{label}: metrics.{name}: bounds without a direction; add higher_is_better: true or false"
            )
    return OrgConfig(
        name=org.name,
        repos=repos,
        dependencies=tuple(Dependency(edge.caller, edge.callee) for edge in org.dependencies),
        metrics=metrics,
        slos=tuple(OrgSlo(slo.slo_id, slo.measure, slo.objective, slo.name or slo.slo_id) for slo in org.slos),
    )


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
        from tars_lib.config_openslo import openslo_policies

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


def validate(model: type[_T], content: Any, label: str) -> _T:
    """Content of a configuration file as a model.

    Raises
    ------
    ConfigError
        If it does not fit; the message names file, key, value and, for an unknown key, those that are allowed.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise ConfigError(f"{label}: {refusal(error, model)}") from error


def _repo(name: str, given: _Repo) -> Repo:
    return Repo(
        repo=name,
        name=given.name or name,
        team=given.team,
        tags=given.tags,
        customer_facing=given.customer_facing,
        tier=given.tier,
        external=given.external,
        shares=given.shares,
    )


def _metric(name: str, given: _Metric) -> Metric:
    known = known_metric(name)
    chosen = {key: getattr(given, key) for key in given.model_fields_set}
    fields = {
        key: getattr(known, key) for key in ("unit", "higher_is_better", "minimum", "maximum", "healthy", "unhealthy")
    }
    return Metric(metric=name, weight=given.weight, **(fields | {k: v for k, v in chosen.items() if k in fields}))


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
        return RatioPolicy(**common, total=given.good.total, part=part, part_is_good=given.good.good is not None)
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
