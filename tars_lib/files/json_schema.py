"""JSON Schema of every report, generated from the dataclasses that write and read it.

The published files under `docs/schemas/` are this module's output; a test holds the two together.
"""

from __future__ import annotations

import dataclasses
import inspect
import types
import typing
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any

from tars_lib.files.json_records import variants

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_of(cls: type, title: str) -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a dataclass.

    Parameters
    ----------
    cls : type
        A dataclass whose annotations `records.from_json` understands.
    title : str
        Name of the file that holds such a document.

    Returns
    -------
    dict
        Nested dataclasses stand once each under ``$defs``, with their docstring's first paragraph as description. Further
        properties are allowed, as the reader allows them: a later version may add some.

    Examples
    --------
    >>> from tars_lib.model.names import InputFile
    >>> schema_of(InputFile, "input")["required"]
    ['path', 'sha256']
    """
    definitions: dict[str, Any] = {}
    schema = _object(cls, definitions)
    return {"$schema": DIALECT, "title": title, **schema, "$defs": dict(sorted(definitions.items()))}


def _object(cls: type, definitions: dict[str, Any]) -> dict[str, Any]:
    hints = typing.get_type_hints(cls, include_extras=True)
    properties: dict[str, Any] = {}
    required = []
    for field in dataclasses.fields(cls):
        key = str(field.metadata.get("key", field.name))
        properties[key] = _schema(hints[field.name], definitions)
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            required.append(key)
    description = " ".join((inspect.getdoc(cls) or "").split("\n\n")[0].split())
    return {
        "type": "object",
        "description": description,
        "properties": dict(sorted(properties.items())),
        "required": sorted(required),
    }


def _schema(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        arguments = variants(kind)
    if origin in (typing.Annotated, typing.Union, types.UnionType):
        return _either([_schema(option, definitions) for option in arguments])
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        if kind.__name__ not in definitions:
            definitions[kind.__name__] = {}
            definitions[kind.__name__] = _object(kind, definitions)
        return {"$ref": f"#/$defs/{kind.__name__}"}
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
        return {"type": "array", "items": _schema(arguments[0], definitions)}
    if origin is tuple:
        items = [_schema(argument, definitions) for argument in arguments]
        return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}
    if origin is not None and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": _schema(arguments[1], definitions)}
    return _scalar(kind)


def _either(options: list[dict[str, Any]]) -> dict[str, Any]:
    simple = [option["type"] for option in options if set(option) == {"type"} and isinstance(option["type"], str)]
    if len(simple) == len(options):
        return {"type": sorted(simple, key=lambda name: name == "null")}
    return {"anyOf": options}


def _scalar(kind: Any) -> dict[str, Any]:
    if kind is type(None):
        return {"type": "null"}
    if kind is datetime:
        return {"type": "string", "format": "date-time"}
    if isinstance(kind, type) and issubclass(kind, Enum):
        return {"type": "string", "enum": [str(member.value) for member in kind]}
    names = {str: "string", bool: "boolean", int: "integer", float: "number"}
    if kind in names:
        return {"type": names[kind]}
    raise TypeError(f"{kind} has no JSON Schema here")
