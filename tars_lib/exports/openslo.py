"""SLA policies as OpenSLO v1 documents that this package reads back to equal policies.

Fields of OpenSLO say what they can; what it has no field for stands in annotations that begin with `tars/`, which other tools
pass over. Each document is read back while it is made, and one that would come back changed is refused by name.

References
----------
OpenSLO specification v1, https://github.com/OpenSLO/OpenSLO
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from tars_lib.config.policies.documents import split_documents
from tars_lib.config.policies.openslo import openslo_policies
from tars_lib.config.policies.openslo_annotations import PREFIX
from tars_lib.config.policies.openslo_versions import V1
from tars_lib.config.policies.queries import Reading
from tars_lib.config.policies.shares import rest
from tars_lib.config.policy_units import defined, in_units_of_metrics
from tars_lib.config.yaml_writing import yaml_text
from tars_lib.errors import ConfigError, listed
from tars_lib.files.reading import sha256_hex
from tars_lib.model.metrics import COUNTER, Metric, percent_of
from tars_lib.model.names import Severity
from tars_lib.model.slo import AnyPolicy, RatioPolicy, ThresholdPolicy

ALL = "organisation"
"""The `service` of an SLA that is judged in every repo, or in several."""
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
_NAME_LENGTH = 63
_READS_AS = {"mean": 0.5, "median": 0.5, "last": 0.5, "max": 1.0}
"""Share of samples within the value that other tools read: half are where the median is, all where the worst one is."""


def openslo(policies: Sequence[AnyPolicy], metrics: Mapping[str, Metric], query_map: Mapping[str, str]) -> str:
    """Return policies as the documents of an OpenSLO file.

    Parameters
    ----------
    policies : sequence of AnyPolicy
    metrics : mapping of str to Metric
        Definitions of the organisation.
    query_map : mapping of str to str
        `slo-metrics.yaml`, query to metric: the one query of a metric is written in place of its name.

    Raises
    ------
    ConfigError
        If a policy has no form in OpenSLO; the message names each.
    """
    if not policies:
        raise ConfigError("no SLA policies, so there is nothing to write")
    queries: dict[str, list[str]] = {}
    for query, metric in query_map.items():
        queries.setdefault(metric, []).append(query)
    known = {metric: texts[0] for metric, texts in queries.items() if len(texts) == 1}
    documents, faults = [], []
    for policy in policies:
        document = _document(policy, metrics, known)
        why = _difference(policy, document, metrics, query_map)
        documents.append(document)
        if why:
            faults.append(f"{policy.sla_id}: has no form in OpenSLO: {why}")
    if faults:
        raise ConfigError(listed(faults))
    head = "Made by `tars export openslo`; annotations tars/... are what OpenSLO has no field for."
    return yaml_text(documents, [head])


def _document(policy: AnyPolicy, metrics: Mapping[str, Metric], queries: Mapping[str, str]) -> dict[str, Any]:
    name = _name(policy.sla_id)
    own = _annotations(policy, name)
    metadata: dict[str, Any] = {"name": name}
    if policy.sla_name != name:
        metadata["displayName"] = policy.sla_name
    if own:
        metadata["annotations"] = {f"{PREFIX}{key}": value for key, value in own.items()}
    indicator, objective, method, said = _indicator(policy, metrics, queries)
    spec: dict[str, Any] = {} if said is None else {"description": said}
    spec |= {
        "service": policy.repos[0] if len(policy.repos) == 1 else ALL,
        "indicator": {"metadata": {"name": policy.sla_type or name}, "spec": indicator},
        "timeWindow": [_window(policy)],
        "budgetingMethod": method,
        "objectives": [objective],
    }
    return {"apiVersion": V1, "kind": "SLO", "metadata": metadata, "spec": spec}


def _name(sla_id: str) -> str:
    """Return the id as OpenSLO allows names, told apart by a digest where it is changed."""
    if _NAME.fullmatch(sla_id) and len(sla_id) <= _NAME_LENGTH:
        return sla_id
    mark = sha256_hex(sla_id.encode("utf-8", "surrogatepass"))[:8]
    stem = re.sub(r"[^a-z0-9]+", "-", sla_id.lower()).strip("-")[: _NAME_LENGTH - 9].strip("-")
    return f"{stem or 'sla'}-{mark}"


def _annotations(policy: AnyPolicy, name: str) -> dict[str, str]:
    """Collect what differs from what a reader of the fields alone would take; text, as Kubernetes wants annotations."""
    zone = "UTC" if policy.window.anchor == "" else policy.time_zone
    values = {
        "repos": "" if len(policy.repos) == 1 else ",".join(policy.repos) or "*",
        "sla_id": "" if policy.sla_id == name else policy.sla_id,
        "priority": "" if policy.priority == 3 else str(policy.priority),
        "severity_on_breach": "" if policy.severity_on_breach is Severity.SEV_1 else policy.severity_on_breach.value,
        "period_days": "" if policy.period_days == max(policy.window.days, 1) else str(policy.period_days),
        "time_zone": "" if policy.time_zone == zone else policy.time_zone,
    }
    if isinstance(policy, RatioPolicy):
        values["missing"] = "zero" if policy.missing_is_zero else ""
    else:
        is_aggregate = policy.slices is None and policy.aggregate != "good_share"
        values["aggregate"] = policy.aggregate if is_aggregate else ""
        values["unit"] = policy.unit if is_aggregate else ""
        values["warning"] = "" if policy.warning is None else repr(policy.warning)
    return {key: value for key, value in values.items() if value} | ({} if policy.sla_type else {"sla_type": ""})


def _window(policy: AnyPolicy) -> dict[str, Any]:
    window = policy.window
    if window.anchor:
        calendar = {"startTime": window.anchor, "timeZone": policy.time_zone}
        return {"duration": window.period, "isRolling": False, "calendar": calendar}
    return {"duration": str(window), "isRolling": True}


def _indicator(
    policy: AnyPolicy, metrics: Mapping[str, Metric], queries: Mapping[str, str]
) -> tuple[dict[str, Any], dict[str, Any], str, str | None]:
    """Return the SLI's spec, the objective, the budgeting method, and what a reader of other tools needs to know."""

    def source(metric: str) -> dict[str, Any]:
        spec = {"query": queries[metric]} if metric in queries else {"metric": metric}
        return {"metricSource": {"spec": spec}}

    objective: dict[str, Any] = {"target": policy.objective}
    method = "Occurrences"
    if policy.slices is not None:
        method = "RatioTimeslices" if policy.slices.target is None else "Timeslices"
        objective["timeSliceWindow"] = f"{policy.slices.minutes}m"
        if policy.slices.target is not None:
            objective["timeSliceTarget"] = policy.slices.target
    if isinstance(policy, RatioPolicy):
        ratio: dict[str, Any] = {}
        if all(metric in metrics and metrics[metric].kind == COUNTER for metric in policy.needs):
            ratio["counter"] = True
        ratio["good" if policy.part_is_good else "bad"] = source(policy.part)
        ratio["total"] = source(policy.total)
        return {"ratioMetric": ratio}, objective, method, None
    if policy.aggregate == "good_share":
        op = "gte" if policy.threshold_is_floor else "lte"
        objective = {"op": op, "value": policy.threshold, **objective}
        return {"thresholdMetric": source(policy.metric)}, objective, method, None
    if policy.slices is not None:
        whole = percent_of(defined(policy.metric, metrics).unit) or 1.0
        return {"ratioMetric": _raw(policy, objective, source(policy.metric), whole)}, objective, method, None
    op = "gte" if policy.higher_is_better else "lte"
    share = _READS_AS[policy.aggregate]
    said = f"T.A.R.S. judges the {policy.aggregate} of the samples; other tools judge whether {share:.0%} of them are within."
    objective = {"op": op, "value": policy.objective, "target": share}
    return {"thresholdMetric": source(policy.metric)}, objective, method, said


def _raw(policy: ThresholdPolicy, objective: dict[str, Any], source: dict[str, Any], whole: float) -> dict[str, Any]:
    """Return a ratio that is a metric already; its limit as a share of `whole`, turned where the metric counts failures."""
    slices = policy.slices
    target = None if slices is None else slices.target
    is_success = policy.higher_is_better if slices is None or target is None else slices.target_is_floor
    key, limit = ("target", policy.objective) if target is None else ("timeSliceTarget", target)
    objective[key] = limit / whole if is_success else rest(limit / whole)
    return {"rawType": "success" if is_success else "failure", "raw": source}


def _difference(
    policy: AnyPolicy, document: dict[str, Any], metrics: Mapping[str, Metric], query_map: Mapping[str, str]
) -> str:
    """Read a document back and say what would come back changed; empty where nothing does."""
    reading = Reading(dict(query_map), metrics=metrics)
    try:
        made = openslo_policies(split_documents([document], "it"), reading)
        reading.refuse_lacking()
        (back,) = in_units_of_metrics(made, metrics)
    except ConfigError as error:
        return str(error)
    if back == policy:
        return ""
    fields = [name for name in policy.__dataclass_fields__ if getattr(back, name, None) != getattr(policy, name)]
    return f"{', '.join(fields) or 'its kind'} would be read back otherwise"
