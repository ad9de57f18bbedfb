"""`alerts.yaml`: alert rules of the user's own, checked like every other file that people write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from tars_lib.config.policy_units import Definitions, Terms, defined, settle
from tars_lib.config.yaml_file import Key, Number, Strict, read_yaml, validate
from tars_lib.errors import ConfigError, TarsError
from tars_lib.files.limits import MAX_RULES
from tars_lib.model.names import COMPARISONS, AlertRule, AlertSeverity
from tars_lib.model.slo import Window

_IN_WORDS = {"above": ">", "at_least": ">=", "below": "<", "at_most": "<="}


class _Rule(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    rule_id: str = Field(default="", max_length=200)
    metric: Key = Field(min_length=1)
    comparison: str
    threshold: Number
    unit: Key | None = None
    held_for: str | None = Field(default=None, alias="for")
    duration: str | None = None
    severity: str = "MEDIUM"
    repos: tuple[Key, ...] = ()
    title: Key = ""

    @field_validator("comparison", mode="before")
    @classmethod
    def _compares(cls, given: Any) -> Any:
        given = _IN_WORDS.get(given, given) if isinstance(given, str) else given
        if given not in COMPARISONS:
            allowed = ", ".join(f"'{sign}'" for sign in COMPARISONS)
            raise ValueError(f"comparison {str(given)!r}; allowed, in quotes: {allowed}")
        return given

    @field_validator("held_for", "duration", mode="before")
    @classmethod
    def _lasts(cls, given: Any) -> Any:
        if given is not None and not isinstance(given, str):
            raise ValueError("a number with m, h, d or w is allowed, such as 15m; leave it out for a single sample")
        return given


class _Rules(Strict):
    rules: tuple[_Rule, ...] = Field(default=(), max_length=MAX_RULES)


def read_rules(path: Path, label: str, metrics: Definitions | None) -> tuple[tuple[AlertRule, ...], tuple[str, ...]]:
    """Read the user's alert rules.

    Parameters
    ----------
    metrics : mapping of str to Metric, or None
        Of `org.yaml`; thresholds are brought into their units. None where it was refused: they are not looked at.

    Returns
    -------
    rules : tuple of AlertRule
        In the order of the file; empty for an empty file.
    notes : tuple of str
        What was converted, or may be meant otherwise.

    Raises
    ------
    ConfigError
        If the file is not valid, a value is not allowed, two rules have one `rule_id`, a unit does not convert to the metric's,
        or a threshold lies outside the metric's range, so that it would never or always be passed.
    """
    notes: list[str] = []
    rules = tuple(
        _rule(given, label, metrics, notes) for given in validate(_Rules, read_yaml(path, label) or {}, label).rules
    )
    seen: set[str] = set()
    for rule in rules:
        if rule.rule_id in seen:
            raise ConfigError(f"{label}: rule_id {rule.rule_id!r} stands twice; each rule needs its own")
        seen.add(rule.rule_id)
    return rules, tuple(notes)


def _rule(given: _Rule, label: str, metrics: Definitions | None, notes: list[str]) -> AlertRule:
    # a rule without a name is known by what it says, so that its alerts keep their fingerprint
    name = given.rule_id or f"{given.metric} {given.comparison} {given.threshold:g}{given.unit or ''}"
    try:
        severity = AlertSeverity.parse(given.severity)
        held = given.duration if given.held_for is None else given.held_for
        length = None if held is None else Window.parse(held).length
    except TarsError as error:
        raise ConfigError(f"{label}: rules.{name}: {error}") from error
    if given.duration is not None and given.held_for is not None:
        raise ConfigError(f"{label}: rules.{name}: `for` and `duration` mean the same; one of them is allowed")
    return AlertRule(
        rule_id=name,
        metric=given.metric,
        comparison=given.comparison,
        threshold=given.threshold if metrics is None else _threshold(given, metrics, f"{label}: rules.{name}", notes),
        for_minutes=0 if length is None else round(length.total_seconds() / 60),
        severity=severity,
        repos=given.repos,
        title=given.title,
    )


def _threshold(given: _Rule, metrics: Definitions, where: str, notes: list[str]) -> float:
    """Return the threshold in the unit of the metric."""
    better = defined(given.metric, metrics).higher_is_better
    # a rule says by its comparison what it waits for, so that a metric without a direction has the opposite of it
    terms = Terms(
        given.unit, given.comparison.startswith("<") if better is None else better, {"threshold": given.threshold}
    )
    return settle(given.metric, terms, metrics, where, notes).limits["threshold"] or 0.0
