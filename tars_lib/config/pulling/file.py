"""`sources.yaml`: which systems `tars pull` asks."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import ConfigDict, Field

from tars_lib.config.pulling.changes import (
    AlertmanagerForm,
    BackstageForm,
    GitForm,
    GithubForm,
    GitlabForm,
    PagerDutyForm,
    StatuspageForm,
)
from tars_lib.config.pulling.series import ParquetForm, PrometheusForm, SqlForm
from tars_lib.config.pulling.values import SourceForm
from tars_lib.config.yaml_file import Model, read_yaml, validate
from tars_lib.errors import ConfigError, listed
from tars_lib.files.limits import MAX_NAME

MAX_SOURCES = 200
"""Judgement: dozens are many."""


class PluginForm(SourceForm):
    """A source of somebody else's package: it reads and checks the keys of its own in `options`."""

    model_config = ConfigDict(extra="allow", frozen=True)

    @property
    def options(self) -> Mapping[str, Any]:
        """Return the fields beside `name`, `kind` and `auth`."""
        return MappingProxyType(dict(self.model_extra or {}))


class _Sources(Model):
    sources: tuple[dict[str, Any], ...] = Field(min_length=1, max_length=MAX_SOURCES)


FORMS: Mapping[str, type[SourceForm]] = MappingProxyType(
    {
        "prometheus": PrometheusForm,
        "sql": SqlForm,
        "parquet": ParquetForm,
        "git": GitForm,
        "github": GithubForm,
        "gitlab": GitlabForm,
        "alertmanager": AlertmanagerForm,
        "pagerduty": PagerDutyForm,
        "statuspage": StatuspageForm,
        "backstage": BackstageForm,
    }
)


def read_sources(path: Path, label: str, plugins: Collection[str] = ()) -> tuple[SourceForm, ...]:
    """Read `sources.yaml`.

    Raises
    ------
    ConfigError
        If it is not valid YAML, a kind or key is not known, a value is not allowed, a secret stands in it, or two sources have
        one name.
    """
    given = validate(_Sources, read_yaml(path, label) or {}, label).sources
    forms: list[SourceForm] = []
    faults: list[str] = []
    for number, entry in enumerate(given):
        where = f"{label}: sources.{number}"
        try:
            form = _form(entry, where, plugins)
        except ConfigError as error:
            faults += error.faults or [str(error)]
            continue
        if form.name.casefold() in {earlier.name.casefold() for earlier in forms}:
            faults.append(f"{where}.name: {form.name!r} stands twice; each needs its own")
        forms.append(form)
    if faults:
        raise ConfigError(listed(faults), faults=faults)
    return tuple(forms)


def _form(entry: dict[str, Any], where: str, plugins: Collection[str]) -> SourceForm:
    kind = entry.get("kind")
    known: dict[str, type[SourceForm]] = {
        **FORMS,
        **dict.fromkeys((name for name in plugins if name not in FORMS), PluginForm),
    }
    if not isinstance(kind, str) or kind not in known:
        shown = "missing; it is needed" if kind is None else f"unknown kind ({str(kind)[:60]!r} was given)"
        raise ConfigError(f"{where}.kind: {shown}; allowed: {', '.join(sorted(known))}"[: MAX_NAME * 2])
    return validate(known[kind], entry, where)
