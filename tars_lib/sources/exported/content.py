"""An exported file, read once and looked at by every recogniser: as text, as JSON or YAML, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tars_lib.config.yaml_file import documents_of
from tars_lib.errors import InputError, place
from tars_lib.files.limits import MAX_CONFIG_BYTES, MAX_JSON_BYTES
from tars_lib.files.reading import parse_json, read_exported, refuse_halves
from tars_lib.sources.exported.tables import head_of


@dataclass(frozen=True, slots=True)
class Content:
    """Content of a file.

    Attributes
    ----------
    document : object
        Parsed JSON, a list of what stands in its lines, or YAML; None where it is neither.
    columns : tuple of str
        Of a table; empty where it is none.
    """

    path: Path
    label: str
    text: str
    document: Any = None
    columns: Sequence[str] = ()


def read_content(path: Path, label: str) -> Content:
    """Read a file.

    Raises
    ------
    InputError
        If it cannot be read, is empty, neither UTF-8 nor UTF-16, too large, or begins as JSON and is none.
    """
    text = read_exported(path, label, MAX_JSON_BYTES)
    begin = text[:1000].lstrip()
    if not begin and not text.strip():
        raise InputError(f"{label}: the file is empty")
    if begin[:1] in ("{", "["):
        document = _json(text, label)
        refuse_halves(document, text, label)
        return Content(path, label, text, document)
    if begin.startswith(("apiVersion:", "---")) or "\napiVersion:" in text[:10_000]:
        if len(text) > MAX_CONFIG_BYTES:
            raise InputError(f"{label}: {len(text)} characters of YAML; up to {MAX_CONFIG_BYTES} are allowed")
        return Content(path, label, text, [part for part in documents_of(text, label) if part is not None])
    head = head_of(text)
    return Content(path, label, text, None, () if head is None else head[0])


def _json(text: str, label: str) -> Any:
    """Parse JSON: one value, or a list of the objects that stand a line each, as many tools append them."""
    lines = [(number, line.strip()) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
    if len(lines) > 1 and all(line[0] == "{" and line[-1] == "}" for _, line in lines):
        return [parse_json(line, place(label, row=number)) for number, line in lines]
    return parse_json(text, label)
