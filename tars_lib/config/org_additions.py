"""Additions to an `org.yaml` that people keep: lines are put in, and no line that stands there is changed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import yaml

from tars_lib.errors import ConfigError
from tars_lib.model.names import Dependency, Repo

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
_WORDS = {"y", "n", "yes", "no", "true", "false", "on", "off", "null", "none", "nan", "inf"}
HEADER = "# Names, teams, dependencies and metrics; docs/data-format.md says what each key means.\n"


@dataclass(frozen=True, slots=True)
class OrgAdditions:
    """Additions to `org.yaml`; `metrics` has unit and kind by metric, `stamp_at_end` says what counts stand for."""

    repos: tuple[Repo, ...] = ()
    dependencies: tuple[Dependency, ...] = ()
    metrics: Mapping[str, Mapping[str, str | float | bool]] = field(default_factory=dict)
    stamp_at_end: bool = False


def yaml_scalar(value: str | float | bool) -> str:
    """Return a value as YAML in one line, in quotes where it could be read as something else.

    Examples
    --------
    >>> yaml_scalar("web"), yaml_scalar("on"), yaml_scalar("%"), yaml_scalar(True), yaml_scalar("12")
    ('web', '"on"', '"%"', 'true', '"12"')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    return value if _PLAIN.fullmatch(value) and value.lower() not in _WORDS else json.dumps(value, ensure_ascii=True)


def with_additions(text: str, additions: OrgAdditions, label: str) -> str:
    """Return the text with what it does not say yet.

    Parameters
    ----------
    text : str
        A valid `org.yaml`, or nothing.

    Raises
    ------
    ConfigError
        If a part has a form into which no line can be put (an alias, or something else than a mapping or list).
    """
    root = yaml.compose(text, Loader=yaml.SafeLoader) if text.strip() else None
    if root is not None and not isinstance(root, yaml.MappingNode):
        raise ConfigError(f"{label}: a mapping is needed")
    there = (
        {}
        if root is None
        else {key.value: (key, value) for key, value in root.value if isinstance(key, yaml.ScalarNode)}
    )
    edits: list[tuple[int, str]] = []
    behind: list[str] = []
    repos = {addition.repo: _repo_fields(addition) for addition in additions.repos}
    metrics = {name: dict(given) for name, given in additions.metrics.items()}
    for part, wanted in (("repos", repos), ("metrics", metrics)):
        entries = {
            name: "{" + ", ".join(f"{key}: {_scalar_or_list(item)}" for key, item in given.items()) + "}"
            for name, given in wanted.items()
        }
        if part not in there:
            behind += _block(part, [f"{yaml_scalar(name)}: {entry}" for name, entry in entries.items()])
            continue
        edits += _into_mapping(there[part], wanted, entries, text, f"{label}: {part}")
    edges = [
        f"{{from: {yaml_scalar(addition.caller)}, to: {yaml_scalar(addition.callee)}}}"
        for addition in additions.dependencies
    ]
    if "dependencies" not in there:
        behind += _block("dependencies", [f"- {edge}" for edge in edges])
    else:
        edits += _into_list(there["dependencies"], additions.dependencies, edges, text, f"{label}: dependencies")
    if additions.stamp_at_end and "samples" not in there:
        behind += _block("samples", ["stamp: end"])
    for offset, put in sorted(edits, key=lambda edit: -edit[0]):
        text = text[:offset] + put + text[offset:]
    if behind:
        begin = HEADER if not text.strip() else text if text.endswith("\n") else f"{text}\n"
        text = begin + "\n".join(behind) + "\n"
    return text


def _repo_fields(repo: Repo) -> dict[str, str | float | bool | tuple[str, ...]]:
    fields: dict[str, str | float | bool | tuple[str, ...]] = {}
    if repo.name and repo.name != repo.repo:
        fields["name"] = repo.name
    if repo.team:
        fields["team"] = repo.team
    if repo.tags:
        fields["tags"] = repo.tags
    if repo.tier is not None:
        fields["tier"] = repo.tier
    if repo.shares:
        fields["shares"] = repo.shares
    return fields


def _scalar_or_list(item: str | float | bool | tuple[str, ...]) -> str:
    return f"[{', '.join(map(yaml_scalar, item))}]" if isinstance(item, tuple) else yaml_scalar(item)


def _block(part: str, lines: Sequence[str]) -> list[str]:
    return [f"{part}:", *(f"  {line}" for line in lines)] if lines else []


def _into_mapping(
    pair: tuple[yaml.Node, yaml.Node],
    wanted: Mapping[str, Mapping[str, str | float | bool | tuple[str, ...]]],
    entries: Mapping[str, str],
    text: str,
    where: str,
) -> list[tuple[int, str]]:
    """Put entries that are missing into a mapping, and keys that are missing into those that are there."""
    key, node = pair
    there = (
        {key_node.value: (key_node, value) for key_node, value in node.value}
        if isinstance(node, yaml.MappingNode)
        else {}
    )
    new = [f"{yaml_scalar(name)}: {entry}" for name, entry in entries.items() if name not in there]
    edits = _put(key, node, new, text, where)
    for name in entries:
        if name not in there:
            continue
        inner_key, inner = there[name]
        has = {key_node.value for key_node, _ in inner.value} if isinstance(inner, yaml.MappingNode) else set()
        more = [
            f"{key_node}: {_scalar_or_list(item)}" for key_node, item in wanted[name].items() if key_node not in has
        ]
        edits += _put(inner_key, inner, more, text, f"{where}.{name}")
    return edits


def _into_list(
    entry: tuple[yaml.Node, yaml.Node], wanted: Sequence[Dependency], edges: Sequence[str], text: str, where: str
) -> list[tuple[int, str]]:
    key, node = entry
    there = set()
    for item in node.value if isinstance(node, yaml.SequenceNode) else ():
        ends = {known.value: value.value for known, value in item.value} if isinstance(item, yaml.MappingNode) else {}
        there.add((ends.get("from"), ends.get("to")))
    new = [edge for known, edge in zip(wanted, edges, strict=True) if (known.caller, known.callee) not in there]
    return _put(key, node, new, text, where, dash="- ")


def _put(
    key: yaml.Node, node: yaml.Node, new: Sequence[str], text: str, where: str, dash: str = ""
) -> list[tuple[int, str]]:
    """Return the edit that puts entries before the first one of a mapping or list."""
    if not new:
        return []
    kinds = yaml.SequenceNode if dash else yaml.MappingNode
    is_empty = isinstance(node, yaml.ScalarNode) and not node.value
    if not is_empty and (not isinstance(node, kinds) or node.start_mark.index < key.end_mark.index):
        raise ConfigError(f"{where}: has a form into which nothing can be put; add by hand: {'; '.join(new)[:300]}")
    if is_empty:
        indent = " " * (key.start_mark.column + 2)
        return [(key.end_mark.index + 1, "".join(f"\n{indent}{dash}{line}" for line in new))]
    at = node.start_mark.index
    if getattr(node, "flow_style", False):
        return [(at + 1, ", ".join(new) + (", " if node.value else ""))]
    indent = " " * node.start_mark.column
    return [(text.rindex("\n", 0, at) + 1, "".join(f"{indent}{dash}{line}\n" for line in new))]
