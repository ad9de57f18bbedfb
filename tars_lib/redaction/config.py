"""The file of `--redact`: which built-in patterns are on, and what an organisation removes besides."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from pydantic import Field

from tars_lib.config.yaml_file import Strict, read_yaml, validate
from tars_lib.errors import ConfigError
from tars_lib.files.reading import sha256_of
from tars_lib.redaction.patterns import BUILT_IN, Pattern
from tars_lib.redaction.rules import FieldRule, Rules

RuleName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
# Longer expressions are refused: judgement, the longest built-in has about 300 characters.
_LONGEST = 2000


class _Named(Strict):
    name: RuleName


class _OwnPattern(_Named):
    regex: str = Field(min_length=1, max_length=_LONGEST)
    ignore_case: bool = False


class _OwnField(_Named):
    path: str = Field(min_length=1, max_length=200)
    file: str = Field(default="*", min_length=1, max_length=200)
    everywhere: bool = True
    leave: tuple[str, ...] = ()


class _OwnWords(_Named):
    words: tuple[Annotated[str, Field(min_length=1, max_length=_LONGEST)], ...]


class _File(Strict):
    built_in: dict[str, bool] = Field(default_factory=dict)
    patterns: tuple[_OwnPattern, ...] = ()
    fields: tuple[_OwnField, ...] = ()
    words: tuple[_OwnWords, ...] = ()


def read_redaction(path: Path) -> Rules:
    """Read a redaction file.

    Returns
    -------
    Rules
        The organisation's own patterns come before the built-in ones; all of these are on unless the file says no.

    Raises
    ------
    ConfigError
        If the file is not valid, a pattern is no regular expression or matches nothing at all, or a built-in is not known.
    """
    named = str(path)
    content = validate(_File, read_yaml(path, named) or {}, named)
    known = {pattern.name for pattern in BUILT_IN}
    for name in content.built_in:
        if name not in known:
            raise ConfigError(f"{named}: built_in.{name}: no such pattern; allowed: {', '.join(sorted(known))}")
    rules: tuple[_Named, ...] = (*content.patterns, *content.fields, *content.words)
    for rule in rules:
        if rule.name in known:
            raise ConfigError(f"{named}: {rule.name}: a built-in pattern has this name; another one is needed")
    own = tuple(_pattern(own_pattern, named) for own_pattern in content.patterns)
    return Rules(
        patterns=(*own, *(pattern for pattern in BUILT_IN if content.built_in.get(pattern.name, True))),
        fields=tuple(
            FieldRule(field.name, field.path, field.file, field.everywhere, field.leave) for field in content.fields
        ),
        words=tuple((group.name, word) for group in content.words for word in group.words),
        sha256=sha256_of(path),
    )


def _pattern(own: _OwnPattern, label: str) -> Pattern:
    try:
        regex = re.compile(own.regex, re.IGNORECASE if own.ignore_case else 0)
    except re.error as error:
        raise ConfigError(
            f"{label}: patterns.{own.name}: {own.regex[:60]!r} is no regular expression: {error}"
        ) from error
    if regex.match(""):
        raise ConfigError(f"{label}: patterns.{own.name}: {own.regex[:60]!r} matches the empty text")
    return Pattern(own.name, regex, "redaction file")
