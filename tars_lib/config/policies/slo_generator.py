"""slo-generator's `ServiceLevelObjective` (v2) as an SLA policy.

References
----------
https://github.com/google/slo-generator, `docs/` and `samples/`
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tars_lib.config.policies.documents import Document
from tars_lib.config.policies.openslo_form import Metadata
from tars_lib.config.policies.queries import Reading
from tars_lib.config.policies.shares import share
from tars_lib.config.yaml_file import Key, Strict, validate
from tars_lib.errors import ConfigError
from tars_lib.model.slo import AnyPolicy, RatioPolicy, ThresholdPolicy

API_VERSION = "sre.google.com/v2"
KIND = "ServiceLevelObjective"
_SERVICE = ("service_name", "service")
_GOOD, _VALID, _BAD = (tuple(f"{form}_{part}" for form in ("filter", "query")) for part in ("good", "valid", "bad"))
_EXPRESSION = ("expression", "query")
_ALLOWED = "good_bad_ratio and query_sli"


class _Spec(Strict):
    description: str | None = None
    backend: Any = None
    method: Key
    exporters: Any = None
    error_budget_policy: Any = None
    service_level_indicator: dict[str, Any]
    goal: Any
    frequency: Any = None


class _Slo(Strict):
    apiVersion: str  # noqa: N815 - the specification's names
    kind: str
    metadata: Metadata
    spec: _Spec


def is_slo_generator(document: Document) -> bool:
    """Return whether a document is one of slo-generator's."""
    return document.version == API_VERSION


def slo_generator_policies(documents: Sequence[Document], reading: Reading) -> list[tuple[AnyPolicy, str]]:
    """Return the SLA policies of slo-generator's documents, with their files.

    The windows stand in slo-generator's shared configuration, under error budget policies; 30 days are taken, with a note.

    Raises
    ------
    ConfigError
        If a document is not valid, or its method needs more than counts or a ratio.
    """
    return [(_policy(document, reading), document.file) for document in documents]


def _policy(document: Document, reading: Reading) -> AnyPolicy:
    where = document.where
    if document.content.get("kind") != KIND:
        raise ConfigError(f"{where}: kind: {document.content.get('kind')!r} was given; allowed: {KIND}")
    slo = validate(_Slo, document.content, where)
    spec, sli = slo.spec, slo.spec.service_level_indicator
    reading.notes.append(f"{where}: the windows stand in the error budget policy: 30 days, rolling, are taken")
    labels = slo.metadata.labels if isinstance(slo.metadata.labels, dict) else {}
    service = next((str(labels[label]) for label in _SERVICE if labels.get(label)), None)
    common: dict[str, Any] = {
        "sla_id": slo.metadata.name,
        "sla_name": slo.metadata.name,
        "sla_type": str(labels.get("slo_name") or slo.metadata.name),
        "objective": share(spec.goal, f"{where}: spec.goal"),
        "repos": () if service is None else (service,),
    }
    at = f"{where}: spec.service_level_indicator"
    if spec.method == "query_sli":
        metric = reading.metric(*_one_of(sli, _EXPRESSION, at))
        return ThresholdPolicy(**common, metric=metric, aggregate="mean")
    if spec.method != "good_bad_ratio":
        raise ConfigError(
            f"{where}: spec.method: {spec.method} is not supported, as a history has counts and no distributions; "
            f"{_ALLOWED} are"
        )
    if any(key in sli for key in _GOOD) and any(key in sli for key in _BAD):
        raise ConfigError(
            f"{at}: good and bad were given, and all events are their sum; give {' or '.join(_VALID)} for one"
        )
    is_good = any(key in sli for key in _GOOD)
    part = reading.metric(*_one_of(sli, _GOOD if is_good else _BAD, at))
    total = reading.metric(*_one_of(sli, _VALID, at))
    if part == total:
        raise ConfigError(
            f"{at}: {'good' if is_good else 'bad'} and valid are the same metric, {part}: one value for ever"
        )
    return RatioPolicy(**common, total=total, part=part, part_is_good=is_good)


def _one_of(sli: Mapping[str, Any], names: tuple[str, ...], where: str) -> tuple[object, str]:
    """Return the one field of several that is given, and where it stands."""
    given = [name for name in names if sli.get(name) is not None]
    if len(given) != 1:
        named = ", ".join(sorted(map(str, sli))) or "nothing"
        raise ConfigError(f"{where}: {named} was given; exactly one of {', '.join(names)} is needed")
    return sli[given[0]], f"{where}.{given[0]}"
