"""A map file of `tars import`: what the columns, repos and metrics of an exported file are called here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from tars_lib.config.yaml_file import Key, Model, read_yaml, validate
from tars_lib.files.limits import MAX_COLUMNS, MAX_METRICS, MAX_REPOS


@dataclass(frozen=True, slots=True)
class MetricChoice:
    """Choices for a metric that a file names: its name here, unit and kind; empty where nothing is said."""

    metric: str = ""
    unit: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class ColumnChoice:
    """Choice for a column: whose samples it holds, or that it holds times, repos, metrics or values, or nothing.

    `use` is ``time``, ``repo``, ``metric``, ``value``, ``skip`` or empty.
    """

    repo: str = ""
    metric: str = ""
    unit: str = ""
    kind: str = ""
    use: str = ""


@dataclass(frozen=True, slots=True)
class ImportMap:
    """A map file as read."""

    columns: Mapping[str, ColumnChoice] = field(default_factory=dict)
    repos: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, MetricChoice] = field(default_factory=dict)
    environments: tuple[str, ...] = ()


class _MappedMetric(Model):
    metric: Key = ""
    unit: Key = ""
    kind: Literal["", "gauge", "count", "counter"] = ""


class _MappedColumn(_MappedMetric):
    repo: Key = ""
    use: Literal["", "time", "repo", "metric", "value", "skip"] = ""

    @model_validator(mode="after")
    def _one_use(self) -> _MappedColumn:
        if self.use and (self.repo or self.metric or self.kind):
            raise ValueError("a column has a use, or the repo and metric of its samples, not both")
        return self


class _Map(Model):
    columns: dict[Key, _MappedColumn | Literal["time", "repo", "metric", "value", "skip"]] = Field(
        default={}, max_length=MAX_COLUMNS
    )
    repos: dict[Key, Key] = Field(default={}, max_length=MAX_REPOS)
    metrics: dict[Key, _MappedMetric] = Field(default={}, max_length=MAX_METRICS)
    environments: tuple[Key, ...] = ()


def read_import_map(path: Path, label: str) -> ImportMap:
    """Read a map file.

    Raises
    ------
    ConfigError
        If it is not valid YAML, has an unknown key, or a value is not allowed.
    """
    given = validate(_Map, read_yaml(path, label) or {}, label)
    return ImportMap(
        columns={
            name: ColumnChoice(use=choice)
            if isinstance(choice, str)
            else ColumnChoice(choice.repo, choice.metric, choice.unit, choice.kind, choice.use)
            for name, choice in given.columns.items()
        },
        repos=given.repos,
        metrics={name: MetricChoice(choice.metric, choice.unit, choice.kind) for name, choice in given.metrics.items()},
        environments=given.environments,
    )
