"""Plain values as YAML text that this package and others read back to the same values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml

_WIDTH = 10_000
"""Characters of a line before it is folded; judgement: a query stays on one line and can be searched for."""


class _Plain(yaml.SafeDumper):
    """Writes every list and mapping out: an alias is one more thing that a reader may not know."""

    def ignore_aliases(self, data: object) -> bool:
        """Always write a value twice that stands twice."""
        return True


def yaml_text(documents: Iterable[Any], comment: Iterable[str] = ()) -> str:
    """Return documents as YAML, in the order of their keys.

    Parameters
    ----------
    documents : iterable
        Mappings, lists, texts, numbers, truth values and None.
    comment : iterable of str
        Lines for the head of the file; hidden characters and line ends must have been made visible.

    Examples
    --------
    >>> print(yaml_text([{"a": "yes"}, {"b": 1}], ["made by hand"]), end="")
    # made by hand
    a: 'yes'
    ---
    b: 1
    """
    made = [
        yaml.dump(document, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=_WIDTH) for document in documents
    ]
    return "".join(f"# {line}\n" for line in comment) + "---\n".join(made)
