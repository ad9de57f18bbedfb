"""What sources know of repos, calls and metrics, added to the text of `org.yaml` without touching a word of it.

The user's own words win: what `org.yaml` says already stays, and a difference is a note. New entries stand before the first of
their list or mapping, in its style, so that comments and order are kept. What comes out is read again and must say what was
there and what was added, nothing else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from tars_lib.config.yaml_file import UniqueKeys
from tars_lib.errors import ConfigError

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_/.-]*")
_WORDS = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}


@dataclass(frozen=True, slots=True)
class Additions:
    """What is to be added, each in the keys that `org.yaml` has.

    Attributes
    ----------
    repos : mapping of str to mapping
        Repo to what is known of it, such as its team.
    dependencies : sequence of (caller, callee)
    metrics : mapping of str to mapping
        Metric to unit, kind and so on.
    """

    repos: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    dependencies: Sequence[tuple[str, str]] = ()
    metrics: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def with_additions(text: str, wanted: Additions, source: str) -> tuple[str, tuple[str, ...]]:
    """The text of `org.yaml` with what is new in it.

    Parameters
    ----------
    text : str
        Accepted by `read_org_config`; may be empty.
    wanted : Additions
    source : str
        Name of the source, for notes.

    Returns
    -------
    text : str
        As given where nothing is new.
    notes : tuple of str
        Where `org.yaml` says something else than the source.

    Raises
    ------
    ConfigError
        If it is written in a way that nothing can be added to safely, such as by aliases; the message shows what to add.
    """
    content = _read(text)
    found = _Edits(text)
    expected = dict(content)
    notes: list[str] = []
    for section, entries in (("repos", wanted.repos), ("metrics", wanted.metrics)):
        known: dict[str, Any] = dict(content.get(section) or {})
        fresh = {name: dict(facts) for name, facts in entries.items() if name not in known}
        for name in (name for name in entries if name in known):
            there = known[name] or {}
            missing = {key: value for key, value in entries[name].items() if key not in there}
            found.add((section, name), [_pair(key, value) for key, value in missing.items()], is_list=False)
            known[name] = there | missing
            notes += [
                _kept(name, key, there[key], value, source)
                for key, value in entries[name].items()
                if key in there and there[key] != value
            ]
        found.add((section,), [_pair(name, facts) for name, facts in fresh.items()], is_list=False)
        if entries:
            expected[section] = known | fresh
    edges = list(content.get("dependencies") or ())
    calls = {(edge.get("from"), edge.get("to")) for edge in edges}
    new = [
        {"from": caller, "to": callee}
        for caller, callee in dict.fromkeys(wanted.dependencies)
        if (caller, callee) not in calls
    ]
    found.add(("dependencies",), [_flow(edge) for edge in new], is_list=True)
    if new:
        expected["dependencies"] = [*new, *edges]
    added = found.applied()
    if _sorted(_read(added)) != _sorted(expected):
        raise ConfigError(
            f"org.yaml: cannot be added to as it is written, by aliases for instance; add by hand what {source} knows: "
            f"{json.dumps({'repos': wanted.repos, 'metrics': wanted.metrics, 'dependencies': new}, ensure_ascii=False)[:300]}"
        )
    return added, tuple(notes)


class _Edits:
    """What is put into a text, by place; applied from the end, so that places stay what they are."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tree = yaml.compose(text, Loader=yaml.SafeLoader)
        self._edits: list[tuple[int, int, str]] = []
        self._sections: list[str] = []

    def add(self, path: Sequence[str], entries: Sequence[str], *, is_list: bool) -> None:
        """Put entries before the first of a mapping or list; make the section where it is missing."""
        if not entries:
            return
        node = self._at(path)
        if node is None:
            self._sections.append(
                f"{path[0]}:\n" + "".join(f"  {'- ' if is_list else ''}{entry}\n" for entry in entries)
            )
            return
        start, end = node.start_mark.index, node.end_mark.index
        whole = ", ".join(entries)
        if isinstance(node, yaml.ScalarNode) or not node.value:  # nothing, in one of its spellings
            before = " " if self._text[start - 1 : start] == ":" else ""
            self._edits.append((start, end, f"{before}[{whole}]" if is_list else f"{before}{{{whole}}}"))
        elif isinstance(node, yaml.CollectionNode) and node.flow_style:
            self._edits.append((start + 1, start + 1, f"{whole}, "))
        else:
            lines = (f"{'- ' if is_list else ''}{entry}\n{' ' * node.start_mark.column}" for entry in entries)
            self._edits.append((start, start, "".join(lines)))

    def applied(self) -> str:
        """Return the text with everything in it."""
        text = self._text
        for start, end, put in sorted(self._edits, reverse=True):
            text = text[:start] + put + text[end:]
        if self._sections and text and not text.endswith("\n"):
            text += "\n"
        return text + "".join(self._sections)

    def _at(self, path: Sequence[str]) -> yaml.Node | None:
        """The value that stands at a path of keys; None where there is none."""
        node = self._tree
        for key in path:
            if not isinstance(node, yaml.MappingNode):
                return None
            node = next((value for name, value in node.value if name.value == key), None)
        return node


def _pair(key: str, value: object) -> str:
    return f"{_flow(key)}: {_flow(value)}"


def _kept(name: str, key: str, ours: object, theirs: object, source: str) -> str:
    return f"org.yaml says {_flow(ours)} for {key} of {name}, {source} says {_flow(theirs)}; org.yaml is kept"


def _read(text: str) -> dict[str, Any]:
    return yaml.load(text, Loader=UniqueKeys) or {}  # noqa: S506 - the safe loader, which refuses doubled keys


def _sorted(content: dict[str, Any]) -> str:
    listed = {**content, "dependencies": sorted(json.dumps(edge) for edge in content.get("dependencies") or ())}
    return json.dumps(listed, sort_keys=True, default=str)


def _flow(value: object) -> str:
    """A value in the short form of YAML, quoted wherever a reader might take it for something else."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_flow(str(key))}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_flow(item) for item in value) + "]"
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    # every JSON text is YAML
    return json.dumps(value, ensure_ascii=True)
