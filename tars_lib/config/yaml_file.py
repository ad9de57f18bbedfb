"""YAML of a person's into checked values: what every reader of configuration shares.

Every refusal names the file, the key, the value and what is allowed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from tars_lib.config.refusals import refusal
from tars_lib.errors import ConfigError
from tars_lib.files.limits import MAX_CONFIG_BYTES, MAX_CONFIG_DEPTH, MAX_CONFIG_VALUES, MAX_NAME, MAX_TEXT
from tars_lib.files.reading import read_utf8


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError("a finite number is allowed")
    return value


_T = TypeVar("_T", bound=BaseModel)
Number = Annotated[float, AfterValidator(_finite)]
Key = Annotated[str, Field(max_length=MAX_NAME)]
"""A name that other files or pages refer to."""


class Model(BaseModel):
    """A mapping of which every key is known."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not come: its name, how many values stood before it, the deepest level in it."""

    anchor: str | None
    before: int
    deepest: int


class _UniqueKeys(yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader):  # type: ignore[misc]
    """The safe loader, which also refuses a key that stands twice: the first would be lost without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Build a mapping; see the class."""
        seen = set()
        for key_node, _ in node.value:
            if key_node.value in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"key {key_node.value!r} stands twice", problem_mark=key_node.start_mark
                )
            seen.add(key_node.value if isinstance(key_node.value, str) else id(key_node))
        return super().construct_mapping(node, deep)  # type: ignore[no-any-return]


def read_yaml(path: Path, label: str) -> Any:
    """Content of a YAML (or JSON) file of one document, None where it is empty.

    Raises
    ------
    ConfigError
        If the file cannot be read or parsed or holds several documents; the message names the row.
    """
    documents = read_documents(path, label)
    if len(documents) > 1:
        raise ConfigError(f"{label}: {len(documents)} YAML documents; one is allowed")
    return documents[0] if documents else None


def read_documents(path: Path, label: str) -> list[Any]:
    """Contents of the documents of a YAML (or JSON) file, with the safe loader.

    Raises
    ------
    ConfigError
        If the file cannot be read or parsed; the message names the row.
    """
    text = read_utf8(path, label, MAX_CONFIG_BYTES, ConfigError)
    try:
        _refuse_traps(text, label)
        return list(yaml.load_all(text, Loader=_UniqueKeys))
    except yaml.MarkedYAMLError as error:
        where = "" if error.problem_mark is None else f", row {error.problem_mark.line + 1}"
        raise ConfigError(f"{label}{where}: not valid YAML: {error.problem}") from error
    except yaml.reader.ReaderError as error:
        row = text.count("\n", 0, error.position) + 1
        raise ConfigError(f"{label}, row {row}: character {_code_point(error)} is not allowed in YAML") from error
    except AttributeError as error:  # PyYAML's own, for a tag such as !!timestamp on something else
        raise ConfigError(f"{label}: not valid YAML: a tag that does not fit what it stands before") from error
    except (yaml.YAMLError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise ConfigError(f"{label}: cannot be read: {' '.join(str(error).split())[:200]}") from error


def validate(model: type[_T], content: Any, label: str) -> _T:
    """Content of a configuration file as a model.

    Raises
    ------
    ConfigError
        If it does not fit; the message names file, key, value and, for an unknown key, those that are allowed.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise ConfigError(f"{label}: {refusal(error, model)}") from error


def _refuse_traps(text: str, label: str) -> None:
    """Refuse what would take all memory once it is built: depth and too many values, each alias counted as what it names."""
    values = 0
    open_nodes: list[_Open] = []
    named: dict[str, tuple[int, int]] = {}
    for event in yaml.parse(text, Loader=yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader):
        row = 1 if event.start_mark is None else event.start_mark.line + 1
        depth = len(open_nodes)
        if isinstance(event, yaml.AliasEvent):
            if any(node.anchor == event.anchor for node in open_nodes):
                raise ConfigError(
                    f"{label}, row {row}: alias *{event.anchor} stands inside what it names; write it out"
                )
            size, height = named.get(str(event.anchor), (1, 0))
            values += size - 1
            depth += height
        elif isinstance(event, yaml.CollectionEndEvent):
            ended = open_nodes.pop()
            if ended.anchor is not None:
                named[ended.anchor] = values - ended.before, ended.deepest - len(open_nodes)
            depth = ended.deepest
        if isinstance(event, yaml.NodeEvent):
            values += 1
        if isinstance(event, yaml.ScalarEvent):
            if len(event.value) > MAX_TEXT:
                raise ConfigError(
                    f"{label}, row {row}: a text of {len(event.value)} characters; up to {MAX_TEXT} are allowed"
                )
            if event.anchor is not None:
                named[event.anchor] = 1, 0
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            open_nodes.append(_Open(event.anchor, values - 1, depth))
        if open_nodes:
            open_nodes[-1].deepest = max(open_nodes[-1].deepest, depth)
        if values > MAX_CONFIG_VALUES:
            raise ConfigError(f"{label}, row {row}: more than {MAX_CONFIG_VALUES} values; up to that many are allowed")
        if depth > MAX_CONFIG_DEPTH:
            raise ConfigError(f"{label}, row {row}: nested deeper than {MAX_CONFIG_DEPTH} levels")


def _code_point(error: yaml.reader.ReaderError) -> str:
    number = error.character if isinstance(error.character, int) else ord(str(error.character)[:1] or "\0")
    return f"U+{number:04X}"
