"""YAML of a person's into checked values: what every reader of configuration shares.

Every refusal names the file, the key, the value and what is allowed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from tars_lib.config.refusals import refusal, refusals
from tars_lib.errors import ConfigError
from tars_lib.files.limits import MAX_CONFIG_BYTES, MAX_CONFIG_DEPTH, MAX_CONFIG_VALUES, MAX_NAME, MAX_TEXT
from tars_lib.files.reading import read_utf8


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError("a finite number is allowed")
    return value


def _no_truth_value(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("a number is needed; true, yes and on are truth values in YAML")  # noqa: TRY004 - pydantic's own
    return value


_T = TypeVar("_T", bound=BaseModel)
Number = Annotated[float, BeforeValidator(_no_truth_value), AfterValidator(_finite)]
Key = Annotated[str, Field(max_length=MAX_NAME)]
"""A name that other files or pages refer to."""


class Strict(BaseModel):
    """A mapping of which every key is known."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Model(Strict):
    """A mapping of which every key is known, and a number is no truth value."""

    model_config = ConfigDict(populate_by_name=True)

    @field_validator("*", mode="before")
    @classmethod
    def _refuse_truth_values(cls, value: object, info: ValidationInfo) -> object:
        """Refuse true and false for a number: pydantic would read 1 and 0."""
        kinds = set(_leaves(cls.model_fields[info.field_name or ""].annotation))
        return _no_truth_value(value) if kinds & {int, float} and bool not in kinds else value


def _leaves(annotation: Any) -> Iterator[Any]:
    """Yield the types that a union or an annotated type is made of."""
    parts = [part for part in get_args(annotation) if isinstance(part, type) or get_args(part)]
    if isinstance(annotation, type) or not parts:
        yield annotation
    else:
        for part in parts:
            yield from _leaves(part)


class _OddNumberError(yaml.MarkedYAMLError):
    """A number that readers of YAML read differently."""


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not come: its name, how many values stood before it, the deepest level in it."""

    anchor: str | None
    before: int
    deepest: int


class _UniqueKeys(yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader):  # type: ignore[misc]
    """The safe loader, which refuses what YAML 1.1 reads otherwise than it is meant.

    A key that stands twice, of which the first would be lost without a word; 030, which is 24 in YAML 1.1 and 30 in YAML 1.2;
    1:30, which is 90 (https://yaml.org/type/int.html).
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Build a mapping; see the class."""
        rows: dict[str, int] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                continue
            key, row = key_node.value, key_node.start_mark.line + 1
            if key in rows and key_node.tag != _MERGE:
                problem = f"key {key!r} stands twice, first in row {rows[key]}; one of them is meant"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key_node.start_mark)
            rows[key] = row
            _refuse_odd_number(value_node, f"{key}: ")
        return super().construct_mapping(node, deep)  # type: ignore[no-any-return]

    def construct_yaml_number(self, node: yaml.ScalarNode) -> int | float:
        """Build a number; see the class."""
        _refuse_odd_number(node)
        return self.construct_yaml_int(node) if node.tag == _INT else self.construct_yaml_float(node)  # type: ignore[no-any-return]


_INT, _FLOAT, _MERGE = "tag:yaml.org,2002:int", "tag:yaml.org,2002:float", "tag:yaml.org,2002:merge"
_OCTAL = re.compile(r"[-+]?0[0-7_]+")
_UniqueKeys.add_constructor(_INT, _UniqueKeys.construct_yaml_number)
_UniqueKeys.add_constructor(_FLOAT, _UniqueKeys.construct_yaml_number)


def _refuse_odd_number(node: yaml.Node, key: str = "") -> None:
    if not isinstance(node, yaml.ScalarNode) or node.tag not in (_INT, _FLOAT):
        return
    text = str(node.value)
    problem = ""
    if node.tag == _INT and _OCTAL.fullmatch(text):
        plain = text.replace("_", "").lstrip("+-0") or "0"
        problem = f"{text!r} begins with 0, which some readers take for octal; write {plain}, or quotes if it is a name"
    elif ":" in text:
        problem = f"{text!r} is a number to base 60 in YAML 1.1; put it in quotes, or write a plain number"
    if problem:
        raise _OddNumberError(problem=key + problem, problem_mark=node.start_mark)


def read_yaml(path: Path, label: str) -> Any:
    """Return the content of a YAML (or JSON) file of one document, None where it is empty.

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
    """Return the contents of the documents of a YAML (or JSON) file, with the safe loader.

    Raises
    ------
    ConfigError
        If the file cannot be read or parsed; the message names the row.
    """
    return documents_of(read_utf8(path, label, MAX_CONFIG_BYTES, ConfigError), label)


def documents_of(text: str, label: str) -> list[Any]:
    """As `read_documents`, of a text."""
    try:
        _refuse_traps(text, label)
        return list(yaml.load_all(text, Loader=_UniqueKeys))
    except yaml.MarkedYAMLError as error:
        where = "" if error.problem_mark is None else f", row {error.problem_mark.line + 1}"
        what = "" if isinstance(error, _OddNumberError) else "not valid YAML: "
        hint = "; it holds {{ and may be a template: render it first" if "{{" in text and what else ""
        raise ConfigError(f"{label}{where}: {what}{error.problem}{hint}") from error
    except yaml.reader.ReaderError as error:
        row = text.count("\n", 0, error.position) + 1
        raise ConfigError(f"{label}, row {row}: character {_code_point(error)} is not allowed in YAML") from error
    except AttributeError as error:  # PyYAML's own, for a tag such as !!timestamp on something else
        raise ConfigError(f"{label}: not valid YAML: a tag that does not fit what it stands before") from error
    except (yaml.YAMLError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise ConfigError(f"{label}: cannot be read: {' '.join(str(error).split())[:200]}") from error


def validate(model: type[_T], content: Any, label: str) -> _T:
    """Return the content of a configuration file as a model.

    Raises
    ------
    ConfigError
        If it does not fit; the message names file, key, value and, for an unknown key, those that are allowed.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        all_ = [f"{label}: {sentence}" for sentence in refusals(error, model)]
        raise ConfigError(f"{label}: {refusal(error, model)}", faults=all_) from error


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
