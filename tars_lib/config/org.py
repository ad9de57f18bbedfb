"""`org.yaml`: names, teams, dependencies, definitions of metrics, the organisation's own objectives."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from tars_lib.config.yaml_file import Key, Model, Number, read_yaml, validate
from tars_lib.errors import ConfigError
from tars_lib.files.limits import MAX_METRICS, MAX_POLICIES, MAX_REPOS
from tars_lib.model.names import Dependency, Metric, OrgConfig, OrgSlo, Repo, known_metric


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

    @model_validator(mode="after")
    def _bounds(self) -> _Metric:
        if (self.healthy is None) != (self.unhealthy is None):
            raise ValueError("healthy and unhealthy go together: give both or neither")
        if self.healthy is not None and self.healthy == self.unhealthy:
            raise ValueError("healthy and unhealthy are equal; two different values are allowed")
        return self


class _Slo(Model):
    slo_id: Key
    name: Key = ""
    measure: Literal["aggregate_score", "minimum_score", "share_green", "coverage"]
    objective: Number


class _Samples(Model):
    stamp: Literal["start", "end"] = "start"


class _Org(Model):
    name: Key | None = None
    repos: dict[Key, _Repo | None] = Field(default={}, max_length=MAX_REPOS)
    dependencies: tuple[_Dependency, ...] = ()
    metrics: dict[Key, _Metric] = Field(default={}, max_length=MAX_METRICS)
    slos: tuple[_Slo, ...] = Field(default=(), max_length=MAX_POLICIES)
    samples: _Samples = _Samples()


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


def _metric(name: str, given: _Metric) -> Metric:
    known = known_metric(name)
    chosen = {key: getattr(given, key) for key in given.model_fields_set}
    fields = {
        key: getattr(known, key) for key in ("unit", "higher_is_better", "minimum", "maximum", "healthy", "unhealthy")
    }
    return Metric(metric=name, weight=given.weight, **(fields | {k: v for k, v in chosen.items() if k in fields}))
