"""Places in a YAML file: the row and column of the key path or object that a sentence begins with."""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml

from tars_lib.config.policies.documents import LISTS

_IDS = ("sla_id", "slo_id", "rule_id", "policy_id", "name")
"""Keys by which messages name an item of a list."""
_NUMBER = re.compile(r"\d+")
_DOCUMENT = re.compile(r"document (\d+)(?=: )")
_ENDS = (".", ":", ",", " (", " ")


class YamlPlaces:
    r"""Finds places in one file, which is parsed once.

    Parameters
    ----------
    text : str
        The file; of one that is no YAML no place is found.

    Examples
    --------
    >>> policies = YamlPlaces("policies:\n  - sla_id: fast\n    objective: 2\n")
    >>> policies.of("policies.0.objective: 2 is not allowed"), policies.of("policies.fast: aggregate 'min'")
    ((3, 16), (2, 5))
    """

    def __init__(self, text: str) -> None:
        loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
        try:
            documents = list(yaml.compose_all(text, Loader=loader))
        except (yaml.YAMLError, ValueError, RecursionError):
            documents = []
        self._items = [item for document in documents if document is not None for item in _items(document)]

    def of(self, sentence: str) -> tuple[int, int] | None:
        """Return row and column, from 1, of what a sentence about the file begins with; None where that is not found.

        Parameters
        ----------
        sentence : str
            Without the name of the file: ``policies.0.objective: ...``, ``SLO web: spec.service: ...``, ``latency: ...``.
        """
        node_at = _named(self._items, sentence)
        if node_at is None:
            walked = (_walk(item, sentence) for item in self._items)
            node_at = next((node for node, is_moved in walked if is_moved), None)
        return None if node_at is None else (node_at.start_mark.line + 1, node_at.start_mark.column + 1)


def _items(node: yaml.Node) -> Iterator[yaml.Node]:
    """Yield the objects of a document, as `split_documents` counts them."""
    if isinstance(node, yaml.SequenceNode):
        yield from node.value
    elif _scalar(node, "kind") in LISTS and isinstance(listed := _child(node, "items"), yaml.SequenceNode):
        yield from listed.value
    else:
        yield node


def _named(items: list[yaml.Node], sentence: str) -> yaml.Node | None:
    """Return the node within an object that the sentence names by number, by kind and name, or by the id of an SLA."""
    if (numbered := _DOCUMENT.match(sentence)) and 0 < int(numbered[1]) <= len(items):
        return _walk(items[int(numbered[1]) - 1], sentence[numbered.end() :])[0]
    for item in items:
        kind, name = _scalar(item, "kind"), _scalar(_child(item, "metadata"), "name")
        for title in (f"{kind} {name}", name):
            if name and _begins(sentence, title):
                return _walk(item, sentence[len(title) :])[0]
    for item in items:
        for listed in (_child(item, "policies"), _child(item, "slos"), item):
            for entry in _entries(listed):
                own = next((identifier for key in _IDS if (identifier := _scalar(entry, key))), "")
                if own and _begins(sentence, own):
                    return _walk(entry, sentence[len(own) :])[0]
    return None


def _entries(listed: yaml.Node | None) -> list[yaml.Node]:
    if listed is None:
        return []
    return list(listed.value) if isinstance(listed, yaml.SequenceNode) else [listed]


def _walk(node: yaml.Node, rest: str) -> tuple[yaml.Node, bool]:
    """Follow the key path that a text begins with, as far as it leads; and whether it leads anywhere."""
    is_moved = False
    while True:
        if rest.startswith(" (") and "): " in rest:
            rest = rest[rest.index("): ") + 1 :]
        rest = rest.removeprefix(".").removeprefix(": ")
        step = _step(node, rest)
        if step is None:
            return node, is_moved
        node, rest, is_moved = *step, True


def _step(node: yaml.Node, rest: str) -> tuple[yaml.Node, str] | None:
    if isinstance(node, yaml.MappingNode):
        keys = [(key.value, value) for key, value in node.value if isinstance(key, yaml.ScalarNode)]
        for key, value in sorted(keys, key=lambda pair: -len(pair[0])):
            if key and _begins(rest, key):
                return value, rest[len(key) :]
    if isinstance(node, yaml.SequenceNode):
        number = _NUMBER.match(rest)
        if number and _begins(rest, number[0]) and int(number[0]) < len(node.value):
            return node.value[int(number[0])], rest[number.end() :]
        for item in node.value:
            own = next((identifier for key in _IDS if (identifier := _scalar(item, key))), "")
            if own and _begins(rest, own):
                return item, rest[len(own) :]
    return None


def _begins(text: str, name: str) -> bool:
    """Return whether a text begins with a name and something else follows."""
    after = text[len(name) :]
    return text.startswith(name) and (not after or after.startswith(_ENDS))


def _child(node: yaml.Node | None, name: str) -> yaml.Node | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((value for key, value in node.value if getattr(key, "value", None) == name), None)


def _scalar(node: yaml.Node | None, name: str) -> str:
    child = _child(node, name)
    return str(child.value) if isinstance(child, yaml.ScalarNode) else ""
