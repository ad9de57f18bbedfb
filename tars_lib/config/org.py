"""`org.yaml`: names, teams, dependencies, definitions of metrics, the organisation's own objectives."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from tars_lib.config.recurrence import Recurrence, recurring
from tars_lib.config.yaml_file import Key, Model, Number, read_yaml, validate
from tars_lib.errors import ConfigError
from tars_lib.files.limits import MAX_METRICS, MAX_POLICIES, MAX_REPOS
from tars_lib.model.metrics import COUNTER, COUNTS, KNOWN_METRICS, Metric, in_unit, known_metric, of_unit
from tars_lib.model.names import Dependency, OrgConfig, OrgSlo, Repo
from tars_lib.model.units import COUNT, factor_between, unit_of, units_like


class _Repo(Model):
    name: Key | None = None
    team: Key | None = None
    tags: tuple[Key, ...] = ()
    customer_facing: bool = False
    tier: int | None = Field(default=None, ge=1)
    external: bool = False
    shares: tuple[Key, ...] = ()
    quiet: bool = False


class _Dependency(Model):
    caller: Key = Field(alias="from")
    callee: Key = Field(alias="to")


class _Metric(Model):
    unit: Key | None = None
    higher_is_better: bool | None = None
    minimum: Number | None = None
    maximum: Number | None = None
    healthy: Number | None = None
    unhealthy: Number | None = None
    weight: Number = Field(default=1.0, gt=0)
    kind: Literal["gauge", "count", "counter"] | None = None

    @model_validator(mode="after")
    def _bounds(self) -> _Metric:
        if (self.healthy is None) != (self.unhealthy is None):
            raise ValueError("healthy and unhealthy go together: give both or neither")
        if self.healthy is not None and self.healthy == self.unhealthy:
            raise ValueError("healthy and unhealthy are equal; two different values are allowed")
        if self.minimum is not None and self.maximum is not None and self.minimum >= self.maximum:
            raise ValueError(f"minimum {self.minimum:g} is not below maximum {self.maximum:g}")
        return self


class _Slo(Model):
    slo_id: Key
    name: Key = ""
    measure: Literal["aggregate_score", "minimum_score", "share_green", "coverage"]
    objective: Number

    @model_validator(mode="after")
    def _scale(self) -> _Slo:
        """A share of 80 can never be met, and a score of 0.8 always is."""
        given = self.objective
        if self.measure in ("share_green", "coverage"):
            if not 0 <= given <= 1:
                meant = f" ({given:g} % is {given / 100:g})" if 1 < given <= 100 else ""
                raise ValueError(f"objective {given:g} of {self.measure}, a share: 0 to 1 is allowed{meant}")
        elif not 0 <= given <= 100:
            raise ValueError(f"objective {given:g} of {self.measure}, a score: 0 to 100 is allowed")
        elif 0 < given <= 1:
            raise ValueError(
                f"objective {given:g} of {self.measure}, a score from 0 to 100: was {100 * given:g} meant?"
            )
        return self


class _Samples(Model):
    stamp: Literal["start", "end"] = "start"


class _Org(Model):
    name: Key | None = None
    repos: dict[Key, _Repo | None] = Field(default={}, max_length=MAX_REPOS)
    dependencies: tuple[_Dependency, ...] = ()
    metrics: dict[Key, _Metric] = Field(default={}, max_length=MAX_METRICS)
    slos: tuple[_Slo, ...] = Field(default=(), max_length=MAX_POLICIES)
    maintenance: tuple[Recurrence, ...] = Field(default=(), max_length=MAX_POLICIES)
    operating_hours: tuple[Recurrence, ...] = Field(default=(), max_length=MAX_POLICIES)
    samples: _Samples = _Samples()


def read_org_config(path: Path, label: str) -> OrgConfig:
    """Read `org.yaml`.

    Raises
    ------
    ConfigError
        If the file is not valid YAML, has an unknown key, or a value is not allowed.
    """
    content = read_yaml(path, label) or {}
    if isinstance(content, dict) and "slo_policies" in content:
        raise ConfigError(
            f"{label}: slo_policies is a form of the predecessor's; write the organisation's objectives under slos, each as "
            "{slo_id, measure, objective}, and those of a metric into sla-policies.yaml"
        )
    org = validate(_Org, content, label)
    doubled = [
        slo.slo_id
        for number, slo in enumerate(org.slos)
        if slo.slo_id in {earlier.slo_id for earlier in org.slos[:number]}
    ]
    if doubled:
        raise ConfigError(f"{label}: slos: slo_id {doubled[0]!r} stands twice; each objective needs its own")
    repos = tuple(_repo(name, described or _Repo()) for name, described in org.repos.items())
    metrics = {name: _metric(name, given, f"{label}: metrics.{name}") for name, given in org.metrics.items()}
    return OrgConfig(
        name=org.name,
        repos=repos,
        dependencies=tuple(Dependency(edge.caller, edge.callee) for edge in org.dependencies),
        metrics=metrics,
        slos=tuple(OrgSlo(slo.slo_id, slo.measure, slo.objective, slo.name or slo.slo_id) for slo in org.slos),
        maintenance=tuple(
            recurring(given, "maintenance", f"{label}: maintenance.{number}")
            for number, given in enumerate(org.maintenance)
        ),
        operating_hours=tuple(
            recurring(given, "operating hours", f"{label}: operating_hours.{number}")
            for number, given in enumerate(org.operating_hours)
        ),
        stamp_at_end=org.samples.stamp == "end",
    )


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
        quiet=given.quiet,
    )


def _metric(name: str, given: _Metric, where: str) -> Metric:
    """Return the definition as declared; what it leaves out is that of the known metric, in the declared unit."""
    chosen = {key: getattr(given, key) for key in given.model_fields_set}
    metric = _inherited(name, None if given.unit is None else unit_of(given.unit).symbol, where)
    if given.kind in (COUNTS, COUNTER) and metric.minimum is None:
        metric = replace(metric, minimum=0.0)
    if given.higher_is_better not in (None, metric.higher_is_better):
        # bounds of the other direction would score the best as the worst
        metric = replace(metric, healthy=None, unhealthy=None)
    declared = {key: value for key, value in chosen.items() if key not in ("unit", "kind")}
    metric = replace(metric, metric=name, kind=given.kind or "", **declared)
    if metric.healthy is not None and metric.unhealthy is not None:
        if metric.higher_is_better is None:
            raise ConfigError(f"{where}: bounds without a direction; add higher_is_better: true or false")
        if metric.higher_is_better != (metric.healthy > metric.unhealthy):
            side = "above" if metric.higher_is_better else "below"
            raise ConfigError(
                f"{where}: healthy {metric.healthy:g} and unhealthy {metric.unhealthy:g} with higher_is_better: "
                f"{str(metric.higher_is_better).lower()}; healthy {side} unhealthy is allowed"
            )
    return metric


def _inherited(name: str, unit: str | None, where: str) -> Metric:
    """Return the definition that the name alone implies, in the declared unit.

    Raises
    ------
    ConfigError
        If the engines know the metric in a unit that the declared one does not convert to.
    """
    known = known_metric(name)
    if unit is None or unit == known.unit:
        return known
    factor = factor_between(known.unit, unit)
    if factor is not None:
        return in_unit(known, unit, factor)
    is_word = unit_of(known.unit).dimension == COUNT and not unit_of(unit).dimension
    if name in KNOWN_METRICS and not is_word:
        raise ConfigError(f"{where}.unit: {unit} is no unit of {name}; allowed: {units_like(known.unit)}")
    return replace(known if is_word else of_unit(unit), unit=unit, higher_is_better=known.higher_is_better)
