"""Fields of blocks: each is checked against its annotation when the block is made.

One check serves both ways in, the constructor that a notebook calls and the JSON that an exporter reads, so a
block that exists is a block that can be rendered. A refusal names the block, the field, the value and what is
allowed.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import numbers
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from tars_lib.errors import ReportError

# Longest excerpt of a refused value in a message (judgement: names the value without flooding a terminal).
EXCERPT = 60

_TYPE_WORDS: dict[type, str] = {str: "text", bool: "true or false", float: "a number", int: "a whole number"}


@dataclasses.dataclass(frozen=True)
class Between:
    """Bounds of a numeric field, both included."""

    low: float
    high: float


# A share of a whole, a confidence or a probability.
Share = Annotated[float, Between(0.0, 1.0)]


class Checked:
    """Base of blocks and of their parts: a frozen dataclass whose fields are checked when it is made."""

    def __post_init__(self) -> None:
        cls: Any = type(self)
        for name, hint in field_hints(cls).items():
            value = checked(getattr(self, name), hint, f"{type(self).__name__}.{name}")
            object.__setattr__(self, name, value)

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any], where: str) -> Self:
        """Build one from a mapping of its fields, as read from JSON.

        Parameters
        ----------
        fields : mapping
            Field name to value; fields with a default may be missing.

        Raises
        ------
        ReportError
            A field is unknown, missing, or holds something that is not allowed.
        """
        known = [field.name for field in dataclasses.fields(cls)]  # type: ignore[arg-type]
        for name in fields:
            if name not in known:
                raise ReportError(f"{where}: unknown field {excerpt(name)}; allowed: {', '.join(known)}")
        for field in dataclasses.fields(cls):  # type: ignore[arg-type]
            if field.default is dataclasses.MISSING and field.name not in fields:
                raise ReportError(f"{where}: field {field.name!r} is missing")
        return cls(**fields)


@functools.cache
def field_hints(cls: type) -> dict[str, Any]:
    """Resolved annotations of a dataclass's fields, in order."""
    hints = typing.get_type_hints(cls, include_extras=True)
    return {field.name: hints[field.name] for field in dataclasses.fields(cls)}


def excerpt(value: object) -> str:
    """Return a value as messages show it: its repr, cut at `EXCERPT` characters.

    Examples
    --------
    >>> excerpt("x" * 100)
    "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx..."
    """
    text = repr(value)
    return text if len(text) <= EXCERPT else text[:EXCERPT] + "..."


def checked(value: Any, hint: Any, where: str) -> Any:
    """Return the value in the form that its annotation asks for.

    Parameters
    ----------
    hint : object
        A resolved annotation: `str`, `bool`, `int`, `float`, `bytes`, `None`, a `Literal`, a `Checked` class,
        a union, `Annotated[float, Between(...)]`, `tuple[A, B]`, `Sequence[X]` or `Any`.

    Returns
    -------
    object
        Sequences become tuples, mappings become their `Checked` class, numpy numbers become Python's.

    Raises
    ------
    ReportError
        The value does not fit; NaN and infinity never fit (an unknown number is None, where that is allowed).

    Examples
    --------
    >>> checked([1, 2], Sequence[float], "KeyFigures.items")
    (1.0, 2.0)
    """
    origin = typing.get_origin(hint)
    if hint is Any:
        return value
    if origin is Annotated:
        return _checked_bounds(value, hint, where)
    if origin is Literal:
        if isinstance(value, str | int) and value in typing.get_args(hint):
            return value
        raise _refusal(value, "one of " + ", ".join(map(str, typing.get_args(hint))), where)
    if origin in (types.UnionType, typing.Union):
        return _checked_union(value, hint, where)
    if origin is tuple:
        return _checked_pair(value, typing.get_args(hint), where)
    if origin is not None and issubclass(origin, Sequence):
        if isinstance(value, str | bytes | Mapping) or not isinstance(value, Sequence):
            raise _refusal(value, "a list", where)
        (inner,) = typing.get_args(hint)
        return tuple(checked(entry, inner, f"{where}[{index}]") for index, entry in enumerate(value))
    return _checked_single(value, hint, where)


def _checked_single(value: Any, hint: Any, where: str) -> Any:
    if issubclass(hint, Checked):
        if isinstance(value, Mapping):
            return hint.from_fields(value, where)
        if isinstance(value, hint):
            return value
    elif hint is str:
        if isinstance(value, str):
            # A lone surrogate has no UTF-8 form and would break every file that it enters.
            return value if value.isascii() else _without_surrogates(str(value))
    elif hint in (float, int):
        kind = numbers.Integral if hint is int else numbers.Real
        if isinstance(value, kind) and not isinstance(value, bool):
            if math.isfinite(value):
                return hint(value)
            raise _refusal(value, "a finite number (an unknown one is None)", where)
    elif isinstance(value, hint):
        return value
    raise _refusal(value, _TYPE_WORDS.get(hint, hint.__name__), where)


def _without_surrogates(text: str) -> str:
    return "".join(f"[U+{ord(char):04X}]" if 0xD800 <= ord(char) <= 0xDFFF else char for char in text)


def _checked_bounds(value: Any, hint: Any, where: str) -> Any:
    inner, bounds = typing.get_args(hint)
    number = checked(value, inner, where)
    if not bounds.low <= number <= bounds.high:
        raise _refusal(value, f"{bounds.low:g} to {bounds.high:g}", where)
    return number


def _checked_union(value: Any, hint: Any, where: str) -> Any:
    options = typing.get_args(hint)
    if value is None and types.NoneType in options:
        return None
    options = tuple(option for option in options if option is not types.NoneType)
    if len(options) == 1:
        return checked(value, options[0], where)
    refusals = []
    for option in options:
        try:
            return checked(value, option, where)
        except ReportError as error:
            refusals.append(str(error).rpartition("expected ")[2])
    raise _refusal(value, " or ".join(refusals), where)


def _checked_pair(value: Any, hints: tuple[Any, ...], where: str) -> tuple[Any, ...]:
    if isinstance(value, str) or not isinstance(value, Sequence) or len(value) != len(hints):
        raise _refusal(value, f"{len(hints)} values", where)
    return tuple(checked(entry, hint, where) for entry, hint in zip(value, hints, strict=True))


def _refusal(value: object, allowed: str, where: str) -> ReportError:
    return ReportError(f"{where}: got {excerpt(value)}, expected {allowed}")
