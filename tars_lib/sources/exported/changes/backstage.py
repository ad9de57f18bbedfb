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
from tars_lib.sources.exported.fields import EntryShape, PlacedEntry
from tars_lib.sources.exported.shapes import NO_CHOICES, Choices, Exported
from tars_lib.text.counts import plural

SHAPE = EntryShape(("items", "entities"), {"apiVersion": object, "kind": object})
_TIER = re.compile(r"(?:tier[-_ ]?)?([1-9])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Entity:
    kind: str
    name: str
    entry: PlacedEntry


def is_one(document: object) -> bool:
    """Return whether parsed YAML or JSON looks like entities of Backstage."""
    return SHAPE.fits(document) and all(
        str(entry.at("apiVersion")).startswith("backstage.io/") for entry in SHAPE.records(document, "", NO_CHOICES)
    )


def parse(document: object, label: str = "backstage", choices: Choices = NO_CHOICES) -> Exported:
    """Read components as repos with owner, tags and tier, and who depends on whom.

    `dependsOn` another component is a dependency, `dependsOn` a resource is shared infrastructure, and `consumesApis` is a
    dependency on the component that provides the API. The tier is that of the label or annotation ``tier``.

    Raises
    ------
    InputError
        If an entity has no name, or two components have one.
    """
    listed = [document] if isinstance(document, dict) and "kind" in document else document
    entities = [_entity(entry) for entry in SHAPE.records(listed, label, choices)]
    components = [entity for entity in entities if entity.kind == "component"]
    names = [component.name for component in components]
    double = sorted({name for name in names if names.count(name) > 1}) if len(names) < 5_000 else []
    if double:
        raise InputError(f"{label}: component {double[0]!r} stands twice; each is allowed once")
    providers = {
        api: component.name
        for component in components
        for kind, api in _refs(component.entry, "spec.providesApis", "api")
        if kind == "api"
    }
    edges: dict[tuple[str, str], None] = {}
    lost: set[str] = set()
    for component in components:
        for callee in _callees(component, providers, lost):
            edges.setdefault((choices.repo_of(component.name), choices.repo_of(callee)))
    notes = []
    if lost:
        notes.append(
            f"{label}: {plural(len(lost), 'API')} that no component here provides: {', '.join(sorted(lost)[:5])}"
        )
    others = sorted({entity.kind for entity in entities} - {"component", "api", "resource"})
    if others:
        notes.append(f"{label}: entities of kind {', '.join(others)[:100]} say nothing of services and are passed over")
    return Exported(
        repos=tuple(_repo(component, choices) for component in components),
        dependencies=tuple(Dependency(caller, callee) for caller, callee in edges),
        columns="metadata, spec.owner, spec.dependsOn, spec.consumesApis",
        notes=tuple(notes),
    )


def _entity(entry: PlacedEntry) -> _Entity:
    name = entry.name("metadata.name")
    if not name:
        raise InputError(f"{entry.where}, metadata.name: empty; every entity needs a name")
    return _Entity(entry.name("kind").lower(), name, entry)


def _repo(component: _Entity, choices: Choices) -> Repo:
    entry = component.entry
    tags = entry.at("metadata.tags")
    tier = _TIER.fullmatch(entry.name("metadata.labels.tier", "metadata.annotations.tier"))
    return Repo(
        repo=choices.repo_of(component.name),
        name=entry.name("metadata.title") or component.name,
        team=_name_of(entry.name("spec.owner")) or None,
        tags=tuple(dict.fromkeys(tag for tag in tags if isinstance(tag, str))) if isinstance(tags, list) else (),
        tier=int(tier[1]) if tier else None,
        shares=tuple(
            dict.fromkeys(name for kind, name in _refs(entry, "spec.dependsOn", "component") if kind == "resource")
        ),
    )


def _callees(component: _Entity, providers: dict[str, str], lost: set[str]) -> Iterator[str]:
    for kind, name in _refs(component.entry, "spec.dependsOn", "component"):
        if kind == "component" and name != component.name:
            yield name
    for _, api in _refs(component.entry, "spec.consumesApis", "api"):
        if api not in providers:
            lost.add(api)
        elif providers[api] != component.name:
            yield providers[api]


def _refs(entry: PlacedEntry, path: str, usual: str) -> Sequence[tuple[str, str]]:
    """Return the kind and name of the entities that a field refers to."""
    value = entry.at(path)
    refs = [ref for ref in value if isinstance(ref, str)] if isinstance(value, list) else []
    return [(ref.partition(":")[0].lower() if ":" in ref else usual, _name_of(ref)) for ref in refs]


def _name_of(ref: str) -> str:
    """Return the name in a reference such as ``component:default/api``."""
    return ref.rpartition(":")[2].rpartition("/")[2]
