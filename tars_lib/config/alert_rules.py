"""`alerts.yaml`: alert rules of the user's own, checked like every other file that people write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from tars_lib.config.yaml_file import Key, Number, read_yaml, validate
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


class _Rules(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    rules: tuple[_Rule, ...] = Field(default=(), max_length=MAX_RULES)


def read_rules(path: Path, label: str) -> tuple[AlertRule, ...]:
    """Read the user's alert rules.

    Parameters
    ----------
    path : Path
    label : str
        How messages name the file.

    Returns
    -------
    tuple of AlertRule
        In the order of the file; empty for an empty file.

    Raises
    ------
    ConfigError
        If the file is not valid, a value is not allowed, or two rules have one `rule_id`.
    """
    rules = tuple(_rule(given, label) for given in validate(_Rules, read_yaml(path, label) or {}, label).rules)
    seen: set[str] = set()
    for rule in rules:
        if rule.rule_id in seen:
            raise ConfigError(f"{label}: rule_id {rule.rule_id!r} stands twice; each rule needs its own")
        seen.add(rule.rule_id)
    return rules


def _rule(given: _Rule, label: str) -> AlertRule:
    # a rule without a name is known by what it says, so that its alerts keep their fingerprint
    name = given.rule_id or f"{given.metric} {given.comparison} {given.threshold:g}"
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
        threshold=given.threshold,
        for_minutes=0 if length is None else round(length.total_seconds() / 60),
        severity=severity,
        repos=given.repos,
        title=given.title,
    )
