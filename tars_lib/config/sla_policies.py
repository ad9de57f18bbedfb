"""Policy files: SLAs in the native form; the other forms are passed on to their readers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tars_lib.config.policies.documents import Document, documents_of, policy_files
from tars_lib.config.policies.native import NativePolicy, of_kind, read_native
from tars_lib.config.policies.openslo import is_openslo, openslo_policies
from tars_lib.config.policies.openslo_versions import READ
from tars_lib.config.policies.predecessor import is_predecessor, predecessor_policies
from tars_lib.config.policies.pyrra import API_VERSION as PYRRA
from tars_lib.config.policies.pyrra import is_pyrra, pyrra_policies
from tars_lib.config.policies.queries import MAP_NAME, Reading, read_query_map
from tars_lib.config.policies.slo_generator import API_VERSION as SLO_GENERATOR
from tars_lib.config.policies.slo_generator import is_slo_generator, slo_generator_policies
from tars_lib.config.policies.sloth import API_VERSION, is_sloth, sloth_policies
from tars_lib.config.policies.sloth import VERSION as SLOTH
from tars_lib.config.policy_units import Definitions, Settled, Terms, in_units_of_metrics, settle
from tars_lib.errors import ConfigError, TarsError
from tars_lib.files.limits import MAX_POLICIES
from tars_lib.files.reading import is_there
from tars_lib.model.names import Severity
from tars_lib.model.slo import AnyPolicy, RatioPolicy, ThresholdPolicy, Window
from tars_lib.model.times import read_zone

_NO_DEFINITIONS: Definitions = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class PolicySet:
    """The SLA policies of one or many files.

    Attributes
    ----------
    notes : tuple of str
        What was converted or not read, for the report's warnings.
    counters : mapping of str to str
        Metrics that a document declares to be running totals, and the document.
    """

    policies: tuple[AnyPolicy, ...]
    notes: tuple[str, ...] = ()
    counters: Mapping[str, str] = field(default_factory=dict)


def read_policy_set(
    files: Sequence[tuple[Path, str]],
    maps: Sequence[tuple[Path, str]] = (),
    metrics: Definitions = _NO_DEFINITIONS,
) -> PolicySet:
    """Read SLA policies of any form: native, the predecessor's, OpenSLO, Sloth, Pyrra, slo-generator.

    Parameters
    ----------
    files : sequence of (Path, str)
        Each with its label; objects may refer to each other across files.
    maps : sequence of (Path, str)
        Files that turn queries into metrics (`slo-metrics.yaml`).
    metrics : mapping of str to Metric, optional
        Definitions of `org.yaml`: unit, direction and range of what the policies measure.

    Raises
    ------
    ConfigError
        If a file is not valid, a query has no metric, or two policies have one `sla_id`.
    """
    reading = Reading(read_query_map(maps), metrics=metrics)
    of_form: dict[str, list[Document]] = {name: [] for name in FORMS}
    for path, label in files:
        for document in documents_in(path, label):
            of_form[form_of(document)].append(document)
    made: list[tuple[AnyPolicy, str]] = []
    for name, (_, read) in FORMS.items():
        if of_form[name]:
            made += read(of_form[name], reading)
    reading.refuse_lacking()
    refuse_doubles(made)
    return PolicySet(in_units_of_metrics(made, metrics), tuple(reading.notes), reading.counters)


def read_policy_paths(
    given: Sequence[tuple[Path, str]], metrics: Definitions = _NO_DEFINITIONS
) -> tuple[PolicySet, list[Path]]:
    """Read the policy files and folders that were given, with the `slo-metrics.yaml` in and beside them.

    Parameters
    ----------
    given : sequence of (Path, str)
        Files or folders, each with its label.

    Returns
    -------
    files : list of Path
        All that were read.

    Raises
    ------
    ConfigError
        As `read_policy_set` does, and if a path does not exist.
    """
    files, maps = policy_paths(given)
    return read_policy_set(files, maps, metrics), [path for path, _ in (*files, *maps)]


def policy_paths(
    given: Sequence[tuple[Path, str]], maps: Sequence[tuple[Path, str]] = ()
) -> tuple[list[tuple[Path, str]], list[tuple[Path, str]]]:
    """Return the policy files of files and folders, and the maps of queries in and beside them; each with its label.

    Raises
    ------
    ConfigError
        If a path does not exist, or a folder holds no policy file.
    """
    files: dict[Path, str] = {}
    all_maps = {path.resolve(): (path, label) for path, label in maps}
    for path, label in given:
        if not is_there(path, str(path), ConfigError):
            raise ConfigError(f"{path}: no such file; --sla-policy needs a policy file or a folder of them")
        for file, name in policy_files(path, label):
            files.setdefault(file, name)
        beside = (path if path.is_dir() else path.parent) / MAP_NAME
        if is_there(beside, MAP_NAME, ConfigError):
            all_maps.setdefault(beside.resolve(), (beside, MAP_NAME))
    return list(files.items()), list(all_maps.values())


def read_policies(
    path: Path, label: str, metrics: Definitions = _NO_DEFINITIONS
) -> tuple[tuple[AnyPolicy, ...], tuple[str, ...]]:
    """Read the SLA policies and the notes of one file; see `read_policy_set`."""
    policy_set = read_policy_set([(path, label)], metrics=metrics)
    return policy_set.policies, policy_set.notes


def documents_in(path: Path, label: str) -> list[Document]:
    """Read the documents of a policy file, of which there must be one.

    Raises
    ------
    ConfigError
        As `documents_of` does, and if there is none.
    """
    documents = documents_of(path, label)
    if not documents:
        raise ConfigError(f"{label}: a list under the key policies is needed")
    return documents


def form_of(document: Document) -> str:
    """Return the name in `FORMS` of the form that a document is written in.

    Raises
    ------
    ConfigError
        If it is none of them.
    """
    for name, (is_written_so, _) in FORMS.items():
        if is_written_so(document):
            return name
    if {"apiVersion", "kind", "version"} & set(document.content):
        key = "apiVersion" if "apiVersion" in document.content or "kind" in document.content else "version"
        allowed = ", ".join((*READ, API_VERSION, PYRRA, SLO_GENERATOR))
        raise ConfigError(
            f"{document.where}: {key}: {document.content.get(key)!r} was given; allowed: {allowed}, and version: {SLOTH}"
        )
    hint = next((f": {said}" for key, said in _FOREIGN.items() if key in document.content), "")
    raise ConfigError(f"{document.file}: a list under the key policies is needed{hint}")


_FOREIGN = {
    "slo_target": "this is slo-generator's form before version 2, which slo-generator migrate rewrites",
    "error_budget_policies": "these are slo-generator's settings, of which no SLO is made",
    "groups": "these are rules of Prometheus, which hold queries and no objective; give what they were made from",
}
"""Keys of files that are often beside policies and are none."""


def refuse_doubles(made: Sequence[tuple[AnyPolicy, str]]) -> None:
    """Refuse too many policies, and two of one id.

    Raises
    ------
    ConfigError
    """
    if len(made) > MAX_POLICIES:
        raise ConfigError(f"{made[-1][1]}: {len(made)} policies; up to {MAX_POLICIES} are allowed")
    seen: dict[str, str] = {}
    for policy, label in made:
        if policy.sla_id in seen:
            other = "" if seen[policy.sla_id] == label else f", in {seen[policy.sla_id]} too"
            raise ConfigError(f"{label}: sla_id {policy.sla_id!r} stands twice{other}; each policy needs its own")
        seen[policy.sla_id] = label


def _native(documents: Sequence[Document], reading: Reading) -> list[tuple[AnyPolicy, str]]:
    return [
        (read_policy(), document.file) for document in documents for read_policy in native_readers(document, reading)
    ]


def native_readers(document: Document, reading: Reading) -> list[Callable[[], AnyPolicy]]:
    """Return what reads each policy of a native document, once its keys and values are allowed.

    Raises
    ------
    ConfigError
        If they are not.
    """
    return [partial(_policy, given, document.file, reading) for given in read_native(document)]


def _policy(given: NativePolicy, label: str, reading: Reading) -> AnyPolicy:
    where = f"{label}: policies.{given.sla_id}"
    try:
        window = Window(days=given.period_days) if given.window is None else Window.parse(given.window)
        severity = Severity.parse(given.severity_on_breach)
        read_zone(given.time_zone)
    except TarsError as error:
        raise ConfigError(f"{where}: {error}") from error
    common: dict[str, Any] = {
        "sla_id": given.sla_id,
        "sla_name": given.sla_name or given.sla_id,
        "sla_type": given.sla_type,
        "objective": given.objective,
        "window": window,
        "period_days": given.period_days,
        "time_zone": given.time_zone,
        "repos": given.repos,
        "priority": given.priority,
        "severity_on_breach": severity,
    }
    try:
        further = of_kind(given, common)
    except (ValueError, TarsError) as error:
        raise ConfigError(f"{where}: {error}") from error
    if further is not None:
        return further
    if given.good is not None:
        part = given.good.good or given.good.bad
        if part is None:
            raise ConfigError(f"{where}: good needs bad or good")
        return RatioPolicy(
            **common,
            total=given.good.total,
            part=part,
            part_is_good=given.good.good is not None,
            missing_is_zero=given.missing == "zero",
        )
    if given.metric is None:
        raise ConfigError(f"{where}: metric is needed")
    terms = Terms(given.unit, given.higher_is_better, _limits(given))
    settled = settle(given.metric, terms, reading.metrics, where, reading.notes)
    return _threshold(given, given.metric, common, settled)


def _limits(given: NativePolicy) -> dict[str, float | None]:
    """Return the numbers that are in the metric's unit: a `good_share` has its objective in shares."""
    if given.aggregate == "good_share":
        return {"threshold": given.threshold}
    return {"objective": given.objective, "warning": given.warning}


def _threshold(given: NativePolicy, name: str, common: dict[str, Any], settled: Settled) -> ThresholdPolicy:
    if given.aggregate == "good_share":
        return ThresholdPolicy(
            **common,
            metric=name,
            aggregate=given.aggregate,
            threshold=settled.limits["threshold"],
            threshold_is_floor=settled.higher_is_better,
            warning=given.warning,
        )
    return ThresholdPolicy(
        **common | {"objective": settled.limits["objective"]},
        metric=name,
        aggregate=given.aggregate,
        warning=settled.limits["warning"],
        unit=settled.unit,
        higher_is_better=settled.higher_is_better,
    )


FORMS: Mapping[str, tuple[Callable[[Document], bool], Callable[..., list[tuple[AnyPolicy, str]]]]] = {
    "predecessor": (is_predecessor, predecessor_policies),
    "native": (lambda document: isinstance(document.content.get("policies"), list), _native),
    "openslo": (is_openslo, openslo_policies),
    "sloth": (is_sloth, sloth_policies),
    "pyrra": (is_pyrra, pyrra_policies),
    "slo-generator": (is_slo_generator, slo_generator_policies),
}
"""Form: how a document of it is known, and what reads all of them."""
