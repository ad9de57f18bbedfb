"""Refusals of pydantic in the words of this project: what is needed or allowed, never the library's own sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from tars_lib.errors import MAX_KEPT

_SHOWN = 60
"""Characters of a refused value that a message shows; judgement: enough to find it."""

# pydantic's error types, https://docs.pydantic.dev/latest/errors/validation_errors/; the braces are filled from its context
_WORDS: Mapping[str, str] = {
    "missing": "missing; it is needed",
    "string_type": "text is needed",
    "string_unicode": "text in UTF-8 is needed",
    "string_too_short": "text that is not empty is needed",
    "string_too_long": "up to {max_length} characters are allowed",
    "int_type": "a whole number is needed",
    "int_parsing": "a whole number is needed",
    "int_parsing_size": "a whole number is needed, and not one of thousands of digits",
    "int_from_float": "a whole number is needed",
    "float_type": "a number is needed",
    "float_parsing": "a number is needed",
    "finite_number": "a finite number is allowed",
    "bool_type": "true or false is needed",
    "bool_parsing": "true or false is needed",
    "tuple_type": "a list is needed",
    "list_type": "a list is needed",
    "dict_type": "a mapping of keys to values is needed",
    "mapping_type": "a mapping of keys to values is needed",
    "model_type": "a mapping of keys to values is needed",
    "model_attributes_type": "a mapping of keys to values is needed",
    "invalid_key": "a key of text is needed",
    "none_required": "nothing is allowed here",
    "literal_error": "allowed: {expected}",
    "enum": "allowed: {expected}",
    "greater_than": "more than {gt} is allowed",
    "greater_than_equal": "{ge} or more is allowed",
    "less_than": "less than {lt} is allowed",
    "less_than_equal": "up to {le} is allowed",
    "too_short": "at least {min_length} is needed",
    "too_long": "up to {max_length} is allowed",
}
_TIMES = ("datetime", "date", "time")


def refusal(error: ValidationError, model: type[BaseModel]) -> str:
    """Return the first thing that is wrong: key, what is allowed, and the value that was given.

    Parameters
    ----------
    model : type
        That the content was to fit, for the keys that are allowed.
    """
    return _sentence(error.errors(include_url=False)[0], model)


def refusals(error: ValidationError, model: type[BaseModel]) -> tuple[str, ...]:
    """Return all that is wrong, in the order of the file; see `refusal`."""
    return tuple(dict.fromkeys(_sentence(detail, model) for detail in error.errors(include_url=False)[:MAX_KEPT]))


def _sentence(detail: Mapping[str, Any], model: type[BaseModel]) -> str:
    key = ".".join(_short(part) for part in detail["loc"] if part != "[key]") or "top level"
    return f"{key}: {_message(detail, model)}{_value(detail)}"


def _message(detail: Mapping[str, Any], model: type[BaseModel]) -> str:
    kind = str(detail["type"])
    if kind == "extra_forbidden":
        return "unknown key" + _allowed_keys(model, detail["loc"])
    if kind in ("value_error", "assertion_error"):
        # a sentence of our own
        return str(detail["msg"]).partition(", ")[2]
    if kind.startswith(_TIMES):
        return "a time in ISO 8601 is needed, such as 2026-01-05T00:00:00"
    words = _WORDS.get(kind, "not allowed here")
    return words.format_map(dict(detail.get("ctx") or {}))


def _value(detail: Mapping[str, Any]) -> str:
    value = detail.get("input")
    if isinstance(value, dict | list) or detail["type"] == "missing":
        return ""
    shown = repr(str(value)[:_SHOWN]) if not isinstance(value, int) or value.bit_length() < 200 else "a huge number"
    return f" ({shown} was given)"


def _short(part: int | str) -> str:
    text = str(part)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _allowed_keys(model: type[BaseModel], loc: tuple[int | str, ...]) -> str:
    nested = model
    for part in loc[:-1]:
        known_field = nested.model_fields.get(str(part))
        if known_field is not None:
            nested = next(_models(known_field.annotation), nested)
    return "; allowed: " + ", ".join(field.alias or name for name, field in nested.model_fields.items())


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Models that an annotation mentions, such as that of the items of a tuple."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)
