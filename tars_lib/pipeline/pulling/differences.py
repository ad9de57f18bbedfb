"""Differences between a source and `org.yaml`: `org.yaml` stays, the reader is told, and units are converted."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from tars_lib.errors import ConfigError
from tars_lib.model.names import OrgConfig
from tars_lib.model.units import factor_between, units_like
from tars_lib.sources.pulled.protocol import Pulled

if TYPE_CHECKING:
    from tars_lib.config.pulling.values import SourceForm

_SHOWN = 20
"""Differences that are told of one source; judgement."""


def differences(config: OrgConfig, answer: Pulled, source: str) -> tuple[str, ...]:
    """Return a sentence for each fact of a repo of which `org.yaml` says something else than the source."""
    sentences = list(_of_repos(config, answer, source))
    more = len(sentences) - _SHOWN
    return (*sentences[:_SHOWN], f"and {more} more differences") if more > 0 else tuple(sentences)


def _of_repos(config: OrgConfig, answer: Pulled, source: str) -> Iterator[str]:
    known = {repo.repo: repo for repo in config.repos}
    for theirs in answer.repos:
        ours = known.get(theirs.repo)
        for key in ("team", "tier") if ours is not None else ():
            mine, given = getattr(ours, key), getattr(theirs, key)
            if mine is not None and given is not None and mine != given:
                what = f"{key} of {theirs.repo}"
                yield f"org.yaml says {mine} for {what}, {source} says {given}; org.yaml is kept"


def factors(config: OrgConfig, spec: SourceForm) -> dict[str, Fraction]:
    """Return what the values of a source's metrics are multiplied by, to be in the units that `org.yaml` declares.

    Raises
    ------
    ConfigError
        If a unit does not convert, or the kinds differ.
    """
    by_metric: dict[str, Fraction] = {}
    for name, metric in getattr(spec, "metrics", {}).items():
        ours = config.metrics.get(name)
        if ours is None:
            continue
        where = f"sources.yaml: {spec.name}: metrics.{name}"
        if metric.kind is not None and ours.kind and metric.kind != ours.kind:
            raise ConfigError(f"{where}.kind: {metric.kind}, but org.yaml says {ours.kind}; one of them is meant")
        if metric.unit is not None and ours.unit:
            factor = factor_between(metric.unit, ours.unit)
            if factor is None:
                raise ConfigError(
                    f"{where}.unit: {metric.unit}, but org.yaml says {ours.unit}; allowed: {units_like(ours.unit)}"
                )
            by_metric[name] = factor
    return {name: factor for name, factor in by_metric.items() if factor != 1}
