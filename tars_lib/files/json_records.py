"""Dataclasses to versioned JSON and back, and writing that leaves nothing half done: the only serialiser.

Keys are sorted, enumerations stand by value, times as ISO 8601 in UTC, NaN and infinity as null. Reading checks every
field against its annotation and names the one that does not fit.
"""

from __future__ import annotations

import dataclasses
import json
import math
import re
import types
import typing
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from tars_lib.errors import InputError
from tars_lib.files import reading as intake
from tars_lib.files.limits import MAX_JSON_BYTES
from tars_lib.text.visible import HIDDEN_CATEGORIES

T = TypeVar("T")
LARGE = 5_000_000
"""Characters from which a report is written a record a line; judgement: nobody reads so many a value a line."""
LINE = 4_000
"""Characters of such a line at most, unless one text is longer; judgement: the record of a service takes 700."""
_CLOSE = (",", ":")
# beyond ASCII, and the one control character in it that JSON does not escape
_UNUSUAL = re.compile(r"[\x7f-\U0010ffff]")


@dataclasses.dataclass(frozen=True)
class OneOf:
    """Mark of an annotation: the value is of one of the dataclasses of a table, which may grow."""

    table: Mapping[str, type]


Json = dict[str, Any] | list[Any] | str | float | int | bool | None


def to_json(value: object) -> Json:
    """Return a dataclass (or anything inside one) as JSON-ready values.

    Examples
    --------
    >>> to_json((1.5, float("nan"), datetime(2026, 1, 5, tzinfo=UTC)))
    [1.5, None, '2026-01-05T00:00:00Z']
    """
    if value is None or (isinstance(value, bool | int | str) and not isinstance(value, Enum)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, datetime):
        return time_text(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {_key(field): to_json(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no JSON form here")


def time_text(time: datetime) -> str:
    """ISO 8601 in UTC with a Z, to the second, or to the microsecond where there is one."""
    utc = time.astimezone(UTC).replace(tzinfo=None)
    return utc.isoformat(timespec="microseconds" if utc.microsecond else "seconds") + "Z"


def dumps(value: object, *, indent: int | None = 1, ensure_ascii: bool = False) -> str:
    """JSON text with sorted keys and a final newline; in ASCII alone where each value must survive any encoding."""
    content = to_json(value)
    if indent == 1 and not ensure_ascii:
        return _text(content)
    text = json.dumps(content, sort_keys=True, indent=indent, ensure_ascii=ensure_ascii, allow_nan=False)
    return _escaped(text) + "\n"


def record_text(record: object) -> str:
    """JSON text of a report, checked against its own type before it leaves.

    Raise InputError if a field holds what its annotation does not allow, such as NaN where a number is promised; the
    message names it.
    """
    content = to_json(record)
    from_json(type(record), content, type(record).__name__)
    return _text(content)


def _text(content: Json) -> str:
    """JSON text for people, a value a line; of a large report a record a line, which takes a third less and half the time."""
    short = json.dumps(content, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=_CLOSE)
    if len(short) > LARGE:
        return _escaped(_by_record(content)) + "\n"
    return _escaped(json.dumps(content, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False)) + "\n"


def _by_record(content: Json) -> str:
    """JSON text in which what fits into a line stands in one."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=_CLOSE)
    if len(text) <= LINE or not isinstance(content, dict | list):
        return text
    if isinstance(content, list):
        return "[\n" + ",\n".join(map(_by_record, content)) + "\n]"
    members = (f"{json.dumps(key, ensure_ascii=False)}:{_by_record(content[key])}" for key in sorted(content))
    return "{\n" + ",\n".join(members) + "\n}"


def _escaped(text: str) -> str:
    """JSON text in which characters that hide or reorder others stand as escapes, which mean the same."""
    return _UNUSUAL.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    if unicodedata.category(match[0]) not in HIDDEN_CATEGORIES:
        return match[0]
    return json.dumps(match[0])[1:-1] if match[0] != "\x7f" else "\\u007f"


def from_json(cls: type[T], data: object, where: str) -> T:
    """Build a dataclass from JSON values.

    Parameters
    ----------
    cls : type
        A dataclass whose annotations say what each key holds.
    where : str
        File, for the message; the key is added.

    Raises
    ------
    InputError
        If a key is missing or holds something else than its annotation; the message names it.
    """
    return typing.cast("T", _build(cls, data, where))


def read_record(cls: type[T], path: Path) -> T:
    """Read a JSON file into a dataclass.

    Raise InputError if it cannot be read, is not JSON, or does not fit the dataclass.
    """
    return from_json(cls, read_json(path), str(path))


def read_json(path: Path) -> Any:
    """Return the content of a JSON file.

    Raise InputError if it cannot be read, is not JSON, or is larger or nested deeper than allowed; the message names the
    row.
    """
    label = str(path)
    text = intake.read_utf8(path, label, MAX_JSON_BYTES)
    content = intake.parse_json(text, label)
    intake.refuse_halves(content, text, label)
    return content


def _key(field: dataclasses.Field[Any]) -> str:
    return str(field.metadata.get("key", field.name))


@cache
def _fields(cls: type) -> tuple[tuple[str, str, Any, bool], ...]:
    hints = typing.get_type_hints(cls, include_extras=True)
    missing = dataclasses.MISSING
    return tuple(
        (f.name, _key(f), hints[f.name], f.default is not missing or f.default_factory is not missing)
        for f in dataclasses.fields(cls)
        if f.init
    )


def _build(kind: Any, data: object, where: str) -> object:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        return _build_union(variants(kind), data, where)
    if origin in (typing.Union, types.UnionType):
        return _build_union(arguments, data, where)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return _build_dataclass(kind, data, where)
    if origin is tuple:
        if not isinstance(data, list):
            raise _unfit(data, "a list", where)
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return tuple(_build(arguments[0], item, f"{where}[{n}]") for n, item in enumerate(data))
        if len(data) != len(arguments):
            raise _unfit(data, f"a list of {len(arguments)}", where)
        return tuple(
            _build(kind_, item, f"{where}[{n}]") for n, (kind_, item) in enumerate(zip(arguments, data, strict=True))
        )
    if origin is not None and issubclass(origin, Mapping):
        if not isinstance(data, dict):
            raise _unfit(data, "an object", where)
        return {key: _build(arguments[1], item, f"{where}.{key}") for key, item in data.items()}
    return _build_scalar(kind, data, where)


def variants(annotation: Any) -> tuple[Any, ...]:
    """Return the dataclasses that an annotation with a `OneOf` stands for."""
    return tuple(kind for mark in annotation.__metadata__ if isinstance(mark, OneOf) for kind in mark.table.values())


def _build_union(options: tuple[Any, ...], data: object, where: str) -> object:
    if data is None and type(None) in options:
        return None
    chosen = [option for option in options if option is not type(None)]
    if len(chosen) == 1:
        return _build(chosen[0], data, where)
    if isinstance(data, dict):
        # dataclasses of a union are told apart by the keys that they need: the one that needs most of what is there
        needed = [{key for _, key, _, optional in _fields(option) if not optional} for option in chosen]
        there = [(len(keys), option) for keys, option in zip(needed, chosen, strict=True) if keys <= set(data)]
        if there:
            return _build(max(there, key=lambda pair: pair[0])[1], data, where)
    raise _unfit(data, " or ".join(getattr(option, "__name__", str(option)) for option in chosen), where)


def _build_dataclass(cls: type, data: object, where: str) -> object:
    if not isinstance(data, dict):
        raise _unfit(data, "an object", where)
    values = {}
    for name, key, kind, optional in _fields(cls):
        if key in data:
            values[name] = _build(kind, data[key], f"{where}.{key}")
        elif not optional:
            raise InputError(f"{where}.{key}: missing")
    return cls(**values)


def _build_scalar(kind: Any, data: object, where: str) -> object:
    if kind is float and isinstance(data, int | float) and not isinstance(data, bool):
        return float(data)
    if kind is int and isinstance(data, int) and not isinstance(data, bool):
        return data
    if kind in (str, bool) and isinstance(data, kind):
        return data
    if kind is datetime and isinstance(data, str):
        try:
            time = datetime.fromisoformat(data)
        except ValueError as error:
            raise _unfit(data, "a time", where) from error
        if time.tzinfo is None:
            raise _unfit(data, "a time with its zone", where)
        return time.astimezone(UTC)
    if isinstance(kind, type) and issubclass(kind, Enum) and isinstance(data, str):
        for member in kind:
            if str(member.value) == data.upper():
                return member
        raise _unfit(data, "one of " + ", ".join(str(member.value) for member in kind), where)
    if kind is Any:
        return data
    raise _unfit(data, getattr(kind, "__name__", str(kind)), where)


def _unfit(data: object, needed: str, where: str) -> InputError:
    shown = type(data).__name__ if isinstance(data, dict | list) else repr(data)[:60]
    return InputError(f"{where}: {shown} is not allowed; {needed} is needed")
