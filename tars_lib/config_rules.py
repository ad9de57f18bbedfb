"""`alerts.yaml`: alert rules of the user's own, checked like every other file that people write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from tars_lib.config import Number, read_yaml, validate
from tars_lib.errors import ConfigError, TarsError
from tars_lib.policies import Window
from tars_lib.schema import COMPARISONS, AlertRule, AlertSeverity


class _Rule(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    rule_id: str = Field(min_length=1)
    metric: str = Field(min_length=1)
    comparison: str
    threshold: Number
    held_for: str | None = Field(default=None, alias="for")
    severity: str = "MEDIUM"
    repos: tuple[str, ...] = ()
    title: str = ""

    @field_validator("comparison", mode="before")
    @classmethod
    def _compares(cls, given: Any) -> Any:
        if given not in COMPARISONS:
            allowed = ", ".join(f"'{sign}'" for sign in COMPARISONS)
            raise ValueError(f"comparison {str(given)!r}; allowed, in quotes: {allowed}")
        return given

    @field_validator("held_for", mode="before")
    @classmethod
    def _lasts(cls, given: Any) -> Any:
        if given is not None and not isinstance(given, str):
            raise ValueError("a number with m, h, d or w is allowed, such as 15m; leave it out for a single sample")
        return given


class _Rules(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    rules: tuple[_Rule, ...] = ()


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
    try:
        severity = AlertSeverity.parse(given.severity)
        length = None if given.held_for is None else Window.parse(given.held_for).length
    except TarsError as error:
        raise ConfigError(f"{label}: rules.{given.rule_id}: {error}") from error
    return AlertRule(
        rule_id=given.rule_id,
        metric=given.metric,
        comparison=given.comparison,
        threshold=given.threshold,
        for_minutes=0 if length is None else round(length.total_seconds() / 60),
        severity=severity,
        repos=given.repos,
        title=given.title,
    )
