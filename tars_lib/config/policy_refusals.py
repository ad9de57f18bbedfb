"""Every refusal of a set of policy files, where reading them stops at the first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from tars_lib.config.policies.documents import Document
from tars_lib.config.policies.queries import Reading, read_query_map
from tars_lib.config.policy_units import Definitions, in_units_of_metrics
from tars_lib.config.sla_policies import FORMS, documents_in, form_of, native_readers, refuse_doubles
from tars_lib.errors import ConfigError
from tars_lib.model.slo import AnyPolicy

_T = TypeVar("_T")
_NATIVE = "native"


class _Refusals:
    """Refusals in the order in which they are met."""

    def __init__(self) -> None:
        self.met: list[ConfigError] = []

    def kept(self, read: Callable[[], _T]) -> _T | None:
        """Return what is read, None where it is refused, which is kept."""
        try:
            return read()
        except ConfigError as error:
            self.met.append(error)
            return None


def policy_refusals(
    files: Sequence[tuple[Path, str]], maps: Sequence[tuple[Path, str]], metrics: Definitions
) -> list[ConfigError]:
    """Return all that is wrong with policy files, which `read_policy_set` refuses; what follows from a refusal is left out.

    Parameters
    ----------
    files, maps : sequence of (Path, str)
        Policy files and maps of queries, each with its label.
    """
    refusals = _Refusals()
    queries = refusals.kept(partial(read_query_map, maps)) or {}
    is_map_read = not refusals.met
    reading = Reading(queries, metrics=metrics)
    of_form: dict[str, list[Document]] = {name: [] for name in FORMS}
    for path, label in files:
        for document in refusals.kept(partial(documents_in, path, label)) or []:
            name = refusals.kept(partial(form_of, document))
            if name:
                of_form[name].append(document)
    made: list[tuple[AnyPolicy, str]] = []
    for name, documents in of_form.items():
        made += (
            _native(documents, reading, refusals) if name == _NATIVE else _others(name, documents, reading, refusals)
        )
    if is_map_read:
        refusals.kept(reading.refuse_lacking)
    refusals.kept(partial(refuse_doubles, made))
    for policy in made:
        refusals.kept(partial(in_units_of_metrics, [policy], metrics))
    if not refusals.met:
        refusals.kept(partial(in_units_of_metrics, made, metrics))
    return refusals.met


def _native(documents: Sequence[Document], reading: Reading, refusals: _Refusals) -> list[tuple[AnyPolicy, str]]:
    """Read each policy by itself."""
    made: list[tuple[AnyPolicy, str]] = []
    for document in documents:
        for read in refusals.kept(partial(native_readers, document, reading)) or []:
            policy = refusals.kept(read)
            if policy is not None:
                made.append((policy, document.file))
    return made


def _others(
    name: str, documents: Sequence[Document], reading: Reading, refusals: _Refusals
) -> list[tuple[AnyPolicy, str]]:
    """Read documents that may refer to each other: after a refusal again without the one that it names."""
    rest = list(documents)
    while rest:
        lacking = len(reading.lacking)
        try:
            return FORMS[name][1](rest, reading)
        except ConfigError as error:
            refusals.met.append(error)
            named = [document for document in rest if str(error).startswith(document.where)]
            # without an SLI, those that refer to it would be refused for nothing
            if len(named) != 1 or named[0].content.get("kind") == "SLI":
                return []
            rest.remove(named[0])
            del reading.lacking[lacking:]
    return []
