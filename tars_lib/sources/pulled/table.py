"""The one table of sources: kind to the module that asks; other packages add kinds by the entry-point group `tars.sources`."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

from tars_lib.errors import ConfigError

if TYPE_CHECKING:
    from tars_lib.sources.pulled.protocol import Source

GROUP = "tars.sources"
"""Entry points of this group name a kind and an object that is a `Source`."""
_HERE = "tars_lib.sources.pulled"
SOURCES: Mapping[str, str] = MappingProxyType(
    {
        "prometheus": f"{_HERE}.series.prometheus",
        "sql": f"{_HERE}.series.sql",
        "parquet": f"{_HERE}.series.lake",
        "git": f"{_HERE}.hosts.git",
        "github": f"{_HERE}.hosts.github",
        "gitlab": f"{_HERE}.hosts.gitlab",
        "alertmanager": f"{_HERE}.hosts.alertmanager",
        "pagerduty": f"{_HERE}.hosts.pagerduty",
        "statuspage": f"{_HERE}.hosts.statuspage",
        "backstage": f"{_HERE}.hosts.backstage",
    }
)
"""Kind to its module, which is imported when it is asked."""


def plugins() -> tuple[str, ...]:
    """Kinds that other packages bring; one that is built in cannot be replaced."""
    from importlib.metadata import entry_points

    return tuple(sorted({entry.name for entry in entry_points(group=GROUP)} - SOURCES.keys()))


def source_of(kind: str) -> Source:
    """Return the source of a kind.

    Raises
    ------
    ConfigError
        If there is none, or the package that brings it cannot be imported.
    """
    if kind in SOURCES:
        return cast("Source", import_module(SOURCES[kind]))
    from importlib.metadata import entry_points

    for entry in entry_points(group=GROUP, name=kind):
        try:
            source = entry.load()
        except (ImportError, AttributeError) as error:
            raise ConfigError(f"kind {kind}: {entry.value} cannot be loaded: {type(error).__name__}") from error
        return cast("Source", source)
    raise ConfigError(f"unknown kind {kind[:60]!r}; allowed: {', '.join(sorted([*SOURCES, *plugins()]))}")
