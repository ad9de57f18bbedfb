"""OpenSLO v1alpha and v2alpha documents in the words of v1.

Nothing is checked here: what has another shape passes through, and the reader of v1 refuses it.

References
----------
v1alpha: https://github.com/OpenSLO/OpenSLO/tree/main/pkg/openslo/v1alpha; v2alpha:
https://github.com/OpenSLO/OpenSLO/blob/main/enhancements/v2alpha.md
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

V1 = "openslo/v1"
_UNITS = {"Minute": "m", "Hour": "h", "Day": "d", "Week": "w", "Month": "M", "Quarter": "Q", "Year": "Y"}


def as_v1(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document of any version that `READ` names in the words of v1, fields without a value left out.

    An empty field (`description:`) is how tools write that there is none.
    """
    document: dict[str, Any] = _without_nulls(content)
    change = READ.get(str(document.get("apiVersion")))
    if change is None or not isinstance(document.get("spec"), dict):
        return document
    return {**change(document), "apiVersion": V1}


def _from_v1alpha(document: dict[str, Any]) -> dict[str, Any]:
    spec = dict(document["spec"])
    if "timeWindows" in spec:
        spec["timeWindow"] = _each(spec.pop("timeWindows"), _window_of_v1alpha)
    if isinstance(indicator := spec.get("indicator"), dict):
        spec["indicator"] = {"spec": {key: _metric_of_v1alpha(metric) for key, metric in indicator.items()}}
    objectives = _each(spec.get("objectives"), _objective_of_v1alpha)
    ratios = [goal.get("indicator") for goal in objectives if isinstance(goal, dict)] if _is_list(objectives) else []
    if ratios and ratios[0] is not None and all(ratio == ratios[0] for ratio in ratios) and "indicator" not in spec:
        spec["indicator"] = ratios[0]
        for goal in objectives:
            del goal["indicator"]
    spec["objectives"] = objectives
    return {**document, "spec": spec}


def _window_of_v1alpha(window: dict[str, Any]) -> dict[str, Any]:
    made = dict(window)
    unit, count = made.pop("unit", None), made.pop("count", None)
    made["duration"] = f"{count}{_UNITS.get(str(unit), f' {unit}')}"
    return made


def _objective_of_v1alpha(objective: dict[str, Any]) -> dict[str, Any]:
    made = dict(objective)
    ratio = made.pop("ratioMetrics", None)
    if isinstance(ratio, dict):
        parts = {key: _metric_of_v1alpha(value) for key, value in ratio.items()}
        for older in ("incremental", "counter"):
            if older in parts:
                parts["counter"] = parts.pop(older)
        made["indicator"] = {"spec": {"ratioMetric": parts}}
        # v1alpha requires a value beside a ratio, where nothing is compared with it
        made.pop("value", None)
    return made


def _metric_of_v1alpha(metric: Any) -> Any:
    if not isinstance(metric, dict):
        return metric
    spec = {key: value for key, value in metric.items() if key not in ("source", "queryType")}
    source = {} if metric.get("source") is None else {"type": metric["source"]}
    return {"metricSource": {**source, "spec": spec}}


def _from_v2alpha(document: dict[str, Any]) -> dict[str, Any]:
    spec = dict(document["spec"])
    if document.get("kind") == "SLI":
        return {**document, "spec": _sli_of_v2alpha(spec)}
    if document.get("kind") != "SLO":
        return document
    spec = _with_indicator(spec)
    spec["objectives"] = _each(spec.get("objectives"), _with_indicator)
    return {**document, "spec": spec}


def _with_indicator(holder: dict[str, Any]) -> dict[str, Any]:
    made = dict(holder)
    if "sliRef" in made:
        made["indicatorRef"] = made.pop("sliRef")
    if "sli" in made:
        sli = made.pop("sli")
        if isinstance(sli, dict) and isinstance(sli.get("spec"), dict):
            sli = {**sli, "spec": _sli_of_v2alpha(sli["spec"])}
        made["indicator"] = sli
    return made


def _sli_of_v2alpha(spec: dict[str, Any]) -> dict[str, Any]:
    made = dict(spec)
    if "thresholdMetric" in made:
        made["thresholdMetric"] = _metric_of_v2alpha(made["thresholdMetric"])
    if isinstance(ratio := made.get("ratioMetric"), dict):
        made["ratioMetric"] = {key: _metric_of_v2alpha(value) for key, value in ratio.items()}
    return made


def _metric_of_v2alpha(metric: Any) -> Any:
    if not isinstance(metric, dict) or "metricSource" in metric:
        return metric
    source: dict[str, Any] = {}
    if isinstance(metric.get("dataSourceRef"), str):
        source["metricSourceRef"] = metric["dataSourceRef"]
    # the connection, which stands under dataSource, dataSourceSpec or the name of the source, changes no verdict
    return {"metricSource": {**source, **({"spec": metric["spec"]} if "spec" in metric else {})}}


def _each(items: Any, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    return [change(item) if isinstance(item, dict) else item for item in items] if _is_list(items) else items


def _is_list(items: Any) -> bool:
    return isinstance(items, list)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(part) for key, part in value.items() if part is not None}
    if isinstance(value, list):
        return [_without_nulls(part) for part in value]
    return value


READ: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    V1: lambda document: document,
    "openslo/v1alpha": _from_v1alpha,
    "openslo.com/v2alpha": _from_v2alpha,
    "openslo.com/v2alpha1": _from_v2alpha,
    "openslo/v2alpha1": _from_v2alpha,
}
"""Versions that are read, and how each becomes v1."""
