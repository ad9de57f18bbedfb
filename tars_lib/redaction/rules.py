"""Rules of removal: the content of a redaction file, checked."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from tars_lib.redaction.patterns import Pattern

SHORTEST = 3
"""Characters from which a value of a field is removed wherever it stands; judgement: shorter ones are parts of other words."""


@dataclass(frozen=True, slots=True)
class FieldRule:
    """Values of a field of JSON, JSON Lines, CSV or Parquet.

    `path` is a glob over the dotted path (list positions are numbers, ``*`` crosses dots, a leading ``*.`` also matches the
    top level; in CSV and Parquet the path is the column), `file` one over the file's path or its name. With `everywhere` the
    values are removed from all other text, too. `leave` are values that name nobody.
    """

    name: str
    path: str
    file: str = "*"
    everywhere: bool = True
    leave: tuple[str, ...] = ()

    def covers(self, file: str, path: str) -> bool:
        """Return whether a place is meant.

        Examples
        --------
        >>> rule = FieldRule("person", "*.email", "people.json")
        >>> rule.covers("run/people.json", "team.0.email"), rule.covers("people.json", "email"), rule.covers("x.json", "email")
        (True, True, False)
        """
        named = any(fnmatchcase(name, self.file) for name in (file, file.rpartition("/")[2]))
        short = self.path.removeprefix("*.")
        return named and (fnmatchcase(path, self.path) or fnmatchcase(path, short))


@dataclass(frozen=True, slots=True)
class Rules:
    """A redaction file. `words` are (name, text) that are removed wherever they stand; `sha256` is that of the file."""

    patterns: tuple[Pattern, ...]
    fields: tuple[FieldRule, ...]
    words: tuple[tuple[str, str], ...]
    sha256: str
