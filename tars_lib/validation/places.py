"""The place that a message names: its file, and there row and column."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tars_lib.config.yaml_places import YamlPlaces
from tars_lib.errors import TarsError
from tars_lib.files.limits import MAX_CONFIG_BYTES
from tars_lib.files.reading import read_utf8

_ROW = re.compile(r", row (\d+)")
_FIELD = re.compile(r", column ([^:,]+)")
_YAML = (".yaml", ".yml")
_SEPARATORS = ",;\t|"
_HEAD = 20
"""Lines among which the names of columns are looked for; judgement: blank lines may stand before them."""
_MAX_BYTES = 50_000_000
"""Size of a table up to which columns are counted in characters; judgement: it is held in memory for that."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in a file; None where it is unknown."""

    file: str | None = None
    path: Path | None = None
    row: int | None = None
    column: int | None = None
    field: str | None = None


class Locator:
    """Finds the places that messages name.

    Parameters
    ----------
    files : mapping of str to Path
        By the names that messages use.
    """

    def __init__(self, files: Mapping[str, Path]) -> None:
        self._files = dict(sorted(files.items(), key=lambda pair: -len(pair[0])))
        self._lines = cache(_lines)
        self._yaml = cache(_yaml)

    def of(self, sentence: str) -> Spot:
        """Return the place that a sentence begins with."""
        label = next((name for name in self._files if sentence.startswith((f"{name},", f"{name}:"))), None)
        if label is None:
            return Spot()
        path, rest = self._files[label], sentence[len(label) :]
        row = field = column = None
        if match := _ROW.match(rest):
            row, rest = int(match[1]), rest[match.end() :]
        if match := _FIELD.match(rest):
            field = match[1].strip()
        if row is None and path.suffix in _YAML:
            row, column = self._yaml(path).of(rest.removeprefix(": ")) or (None, None)
        elif row is not None and field is not None and path.suffix == ".csv":
            column = self._in_table(path, row, field)
        return Spot(label, path, row, column, field)

    def _in_table(self, path: Path, row: int, field: str) -> int | None:
        """Column, in characters, at which a field of a row begins."""
        lines = self._lines(path)
        head = next((line for line in lines[:_HEAD] if field in line), None)
        if head is None or row > len(lines):
            return None
        separator = next((mark for mark in _SEPARATORS if field in _fields(head, mark)), None)
        return None if separator is None else _begin(lines[row - 1], separator, _fields(head, separator).index(field))


def _yaml(path: Path) -> YamlPlaces:
    try:
        return YamlPlaces(read_utf8(path, path.name, MAX_CONFIG_BYTES))
    except TarsError:
        return YamlPlaces("")


def _lines(path: Path) -> list[str]:
    """Lines of a file; none where there are too many to hold."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            return []
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            return [line.rstrip("\r\n") for line in file]
    except OSError:
        return []


def _fields(line: str, separator: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])]
    except csv.Error:
        return []


def _begin(line: str, separator: str, number: int) -> int | None:
    """Column, from 1, at which a field of a line begins; None where the line has fewer."""
    is_quoted, passed, begin = False, 0, 0
    for position, char in enumerate(line):
        if passed == number:
            break
        if char == '"':
            is_quoted = not is_quoted
        elif char == separator and not is_quoted:
            passed, begin = passed + 1, position + 1
    if passed < number:
        return None
    return begin + 1 + len(line[begin:]) - len(line[begin:].lstrip(" \t" if separator != "\t" else " "))
