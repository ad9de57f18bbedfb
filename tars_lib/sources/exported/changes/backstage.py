"""The catalogue of Backstage: `catalog-info.yaml`, or the entities of its API.

References
----------
https://backstage.io/docs/features/software-catalog/descriptor-format
https://backstage.io/docs/features/software-catalog/well-known-relations
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tars_lib.errors import InputError
from tars_lib.model.names import Dependency, Repo
from tars_lib.sources.exported.fields import Entry, are_all, at, counted, entries_of, name_at
from tars_lib.sources.exported.shapes import Choices, Exported

_LISTS = ("items", "entities")
_TIER = re.compile(r"(?:tier[-_ ]?)?([1-9])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Entity:
    kind: str
    name: str
    entry: Entry


def is_one(document: object) -> bool:
    """Return whether parsed YAML or JSON looks like entities of Backstage."""
    return are_all(
        document, _LISTS, lambda entry: str(entry.get("apiVersion", "")).startswith("backstage.io/") and "kind" in entry
    )


def parse(document: object, label: str = "backstage", choices: Choices | None = None) -> Exported:
    """Read components as repos with owner, tags and tier, and who depends on whom.

    `dependsOn` another component is a dependency, `dependsOn` a resource is shared infrastructure, and `consumesApis` is a
    dependency on the component that provides the API. The tier is that of the label or annotation ``tier``.

    Parameters
    ----------
    document : object
        A list of entities.

    Raises
    ------
    InputError
        If an entity has no name, or two components have one.
    """
    choices = choices or Choices()
    entities = [_entity(entry, where) for where, entry in entries_of(_listed(document), _LISTS, label)]
    components = [one for one in entities if one.kind == "component"]
    names = [one.name for one in components]
    double = sorted({name for name in names if names.count(name) > 1}) if len(names) < 5_000 else []
    if double:
        raise InputError(f"{label}: component {double[0]!r} stands twice; each is allowed once")
    providers = {
        api: one.name
        for one in components
        for kind, api in _refs(one.entry, "spec.providesApis", "api")
        if kind == "api"
    }
    edges: dict[tuple[str, str], None] = {}
    lost: list[str] = []
    for one in components:
        for callee in _callees(one, providers, lost):
            edges.setdefault((choices.repo_of(one.name), choices.repo_of(callee)))
    notes = []
    if lost:
        notes.append(
            f"{label}: {counted(len(set(lost)), 'API')} that no component here provides: {', '.join(sorted(set(lost))[:5])}"
        )
    others = sorted({one.kind for one in entities} - {"component", "api", "resource"})
    if others:
        notes.append(f"{label}: entities of kind {', '.join(others)[:100]} say nothing of services and are passed over")
    return Exported(
        repos=tuple(_repo(one, choices) for one in components),
        dependencies=tuple(Dependency(caller, callee) for caller, callee in edges),
        columns="metadata, spec.owner, spec.dependsOn, spec.consumesApis",
        notes=tuple(notes),
    )


def _listed(document: object) -> object:
    return [document] if isinstance(document, dict) and "kind" in document else document


def _entity(entry: Entry, where: str) -> _Entity:
    name = name_at(entry, "metadata.name", where=where)
    if not name:
        raise InputError(f"{where}, metadata.name: empty; every entity needs a name")
    return _Entity(name_at(entry, "kind", where=where).lower(), name, entry)


def _repo(one: _Entity, choices: Choices) -> Repo:
    entry = one.entry
    tags = at(entry, "metadata.tags")
    tier = _TIER.fullmatch(name_at(entry, "metadata.labels.tier", "metadata.annotations.tier"))
    owner = name_at(entry, "spec.owner")
    return Repo(
        repo=choices.repo_of(one.name),
        name=name_at(entry, "metadata.title") or one.name,
        team=_name_of(owner) or None,
        tags=tuple(dict.fromkeys(tag for tag in tags if isinstance(tag, str))) if isinstance(tags, list) else (),
        tier=int(tier[1]) if tier else None,
        shares=tuple(
            dict.fromkeys(name for kind, name in _refs(entry, "spec.dependsOn", "component") if kind == "resource")
        ),
    )


def _callees(one: _Entity, providers: dict[str, str], lost: list[str]) -> Iterator[str]:
    for kind, name in _refs(one.entry, "spec.dependsOn", "component"):
        if kind == "component" and name != one.name:
            yield name
    for _, api in _refs(one.entry, "spec.consumesApis", "api"):
        if api not in providers:
            lost.append(api)
        elif providers[api] != one.name:
            yield providers[api]


def _refs(entry: Entry, path: str, usual: str) -> Sequence[tuple[str, str]]:
    """Kind and name of the entities that a field refers to."""
    value = at(entry, path)
    found = [ref for ref in value if isinstance(ref, str)] if isinstance(value, list) else []
    return [(ref.partition(":")[0].lower() if ":" in ref else usual, _name_of(ref)) for ref in found]


def _name_of(ref: str) -> str:
    """The name in a reference such as ``component:default/api``."""
    return ref.rpartition(":")[2].rpartition("/")[2]
