"""Policy files: SLAs in the native form; the other forms are passed on to their readers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from pydantic import Field, model_validator

from tars_lib.config.policies.documents import Document, documents_of, policy_files
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
from tars_lib.config.yaml_file import Key, Model, Number, validate
from tars_lib.errors import ConfigError, TarsError
from tars_lib.files.limits import MAX_POLICIES
from tars_lib.files.reading import is_there
from tars_lib.model.names import Severity
from tars_lib.model.slo import AGGREGATES, AnyPolicy, RatioPolicy, ThresholdPolicy, Window
from tars_lib.model.times import read_zone

_NO_DEFINITIONS: Definitions = MappingProxyType({})


class _Good(Model):
    total: Key
    bad: Key | None = None
    good: Key | None = None

    @model_validator(mode="after")
    def _one(self) -> _Good:
        if (self.bad is None) == (self.good is None):
            raise ValueError("one of bad and good is needed, not both")
        if self.total in (self.bad, self.good):
            always = "0%" if self.bad else "100%"
            raise ValueError(
                f"{'bad' if self.bad else 'good'} and total are the same metric, {self.total}: {always} for ever"
            )
        return self


class _Policy(Model):
    sla_id: Key = Field(min_length=1)
    sla_name: Key | None = None
    sla_type: Key
    good: _Good | None = None
    metric: Key | None = None
    objective: Number
    higher_is_better: bool | None = None
    unit: Key | None = None
    aggregate: str = "mean"
    threshold: Number | None = None
    warning: Number | None = None
    window: str | int | None = None
    period_days: int = Field(default=30, ge=1, le=3660)
    time_zone: str = "UTC"
    repos: tuple[Key, ...] = ()
    priority: int = Field(default=3, ge=1)
    severity_on_breach: str = "SEV-1"
    missing: Literal["unknown", "zero"] = "unknown"

    @model_validator(mode="after")
    def _kind(self) -> _Policy:
        if (self.good is None) == (self.metric is None):
            raise ValueError("one of good (a ratio SLA) and metric (a threshold SLA) is needed, not both")
        if (self.good is not None or self.aggregate == "good_share") and not 0 < self.objective <= 1:
            kind = "a ratio SLA" if self.good is not None else "a good_share"
            meant = (
                f"{self.objective / 100:g}, not {self.objective:g}" if 1 < self.objective <= 100 else "0.999, not 99.9"
            )
            raise ValueError(f"objective {self.objective:g} of {kind}; above 0 and up to 1 is allowed ({meant})")
        if self.good is not None:
            self._refuse_without_effect()
        if self.missing == "zero" and self.good is None:
            raise ValueError("missing: zero goes with good (a ratio SLA): a metric that is absent has no value")
        if self.aggregate not in AGGREGATES:
            raise ValueError(f"aggregate {self.aggregate!r}; allowed: {', '.join(AGGREGATES)}")
        if (self.aggregate == "good_share") != (self.threshold is not None):
            raise ValueError(
                "threshold goes with aggregate good_share: a sample is good while it is within the threshold"
            )
        return self

    def _refuse_without_effect(self) -> None:
        """Refuse what a ratio SLA has no use for: read in silence, an objective of errors would be one of good events."""
        if self.higher_is_better is False:
            raise ValueError(
                "higher_is_better: false of a ratio SLA: its objective is the least share of good events; for at most 1 % bad "
                "ones write 0.99"
            )
        if self.unit not in (None, "ratio"):
            raise ValueError(f"unit {self.unit!r} of a ratio SLA: its objective is a share from 0 to 1; leave it out")
        for key, is_given in (("aggregate", self.aggregate != "mean"), ("warning", self.warning is not None)):
            if is_given:
                raise ValueError(f"{key}: without effect for good (a ratio SLA); leave it out")


class _Policies(Model):
    policies: tuple[_Policy, ...] = Field(max_length=MAX_POLICIES)


@dataclass(frozen=True, slots=True)
class PolicySet:
    """The SLA policies of one or many files.

    Attributes
    ----------
    policies : tuple of AnyPolicy
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
    given: Sequence[tuple[Path, str]],
    maps: Sequence[tuple[Path, str]] = (),
    metrics: Definitions = _NO_DEFINITIONS,
) -> tuple[PolicySet, list[Path]]:
    """Read the policy files and folders that were given, with the `slo-metrics.yaml` in and beside them.

    Parameters
    ----------
    given : sequence of (Path, str)
        Files or folders, each with its label.
    maps : sequence of (Path, str)
        Further maps.
    metrics : mapping of str to Metric, optional
        Definitions of `org.yaml`.

    Returns
    -------
    policies : PolicySet
    files : list of Path
        All that were read.

    Raises
    ------
    ConfigError
        As `read_policy_set` does, and if a path does not exist.
    """
    files, all_maps = policy_paths(given, maps)
    return read_policy_set(files, all_maps, metrics), [path for path, _ in (*files, *all_maps)]


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
    found = read_policy_set([(path, label)], metrics=metrics)
    return found.policies, found.notes


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
    raise ConfigError(f"{document.file}: a list under the key policies is needed")


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
    given = validate(_Policies, document.content, document.file).policies
    return [partial(_policy, one, document.file, reading) for one in given]


def _policy(given: _Policy, label: str, reading: Reading) -> AnyPolicy:
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


def _limits(given: _Policy) -> dict[str, float | None]:
    """The numbers that are in the metric's unit: a `good_share` has its objective in shares."""
    if given.aggregate == "good_share":
        return {"threshold": given.threshold}
    return {"objective": given.objective, "warning": given.warning}


def _threshold(given: _Policy, name: str, common: dict[str, Any], settled: Settled) -> ThresholdPolicy:
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
