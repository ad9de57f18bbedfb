"""`pulled.json`: what was asked of which source, for which range, and what came."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tars_lib.config.yaml_file import read_yaml
from tars_lib.errors import ConfigError
from tars_lib.files.json_records import dumps
from tars_lib.files.reading import is_there, read_json, sha256_hex

if TYPE_CHECKING:
    from tars_lib.config.pulling.values import SourceForm

NAME = "pulled.json"
SOURCES_FILE = "sources.yaml"
_FORMAT = 1
# what changes no answer
_BESIDE = {"auth", "timeout", "parallel", "points", "headers"}


def read_record(root: Path) -> dict[str, dict[str, Any]]:
    """Return the entries of `pulled.json` by source; empty where there is none, or it is no record.

    Raises
    ------
    InputError
        If it cannot be read as JSON.
    """
    path = root / NAME
    if not is_there(path, NAME):
        return {}
    content = read_json(path, NAME)
    sources = content.get("sources") if isinstance(content, dict) else None
    return {key: value for key, value in (sources or {}).items() if isinstance(value, dict)}


def pulled_names(root: Path) -> frozenset[str]:
    """Names of the sources of a root in small letters: those of `sources.yaml`, and those that were pulled before."""
    path = root / SOURCES_FILE
    given = read_yaml(path, SOURCES_FILE) if is_there(path, SOURCES_FILE, ConfigError) else None
    listed = given.get("sources") if isinstance(given, dict) else None
    named = (
        [source.get("name") for source in listed or () if isinstance(source, dict)] if isinstance(listed, list) else []
    )
    return frozenset(str(name).casefold() for name in [*named, *read_record(root)])


def record_bytes(entries: Mapping[str, Mapping[str, Any]]) -> bytes:
    """`pulled.json` of these entries."""
    return dumps({"format": _FORMAT, "sources": dict(entries)}).encode("utf-8")


def digest_of(spec: SourceForm, shift: timedelta, factors: Mapping[str, Fraction]) -> str:
    """Digest of what is asked and how it is written: a source for which that changes keeps nothing of what it gave before."""
    asked = spec.model_dump(mode="json", exclude=_BESIDE)
    written = {"shift": shift.total_seconds(), "factors": {name: str(factor) for name, factor in factors.items()}}
    return sha256_hex(json.dumps([asked, written], sort_keys=True, default=str).encode())
