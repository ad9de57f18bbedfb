"""Answers of Datadog to a query of time series (`/api/v1/query`, `/api/v2/query/timeseries`), which carry units.

References
----------
https://docs.datadoghq.com/api/latest/metrics/#query-timeseries-points
https://docs.datadoghq.com/api/latest/metrics/#query-timeseries-data-across-multiple-products
"""

from __future__ import annotations

from tars_lib.errors import InputError
from tars_lib.model.units import unit_of
from tars_lib.sources.exported.content import Content
from tars_lib.sources.exported.fields import Entry, are_all, at, entries_of, text_at
from tars_lib.sources.exported.samples.points import point_times, point_values
from tars_lib.sources.exported.shapes import Choices, Exported, SampledSeries
from tars_lib.sources.exported.whose import SeriesName, owners

_LISTS = ("series",)
_ZONE = "UTC, counted in ms since 1970"
_COUNTS = {"request", "error", "hit", "event", "count", "occurrence", "message", "transaction", "query", "operation"}
"""Units of Datadog that are counts of something."""


def is_one(document: object) -> bool:
    """Return whether parsed JSON looks like one of the answers."""
    return _second(document) is not None or are_all(
        document, _LISTS, lambda entry: isinstance(entry.get("pointlist"), list)
    )


def read(content: Content, choices: Choices) -> Exported:
    """Read a file that holds the answer."""
    return parse(content.document, content.label, choices)


def parse(document: object, label: str = "datadog", choices: Choices | None = None) -> Exported:
    """Read series: the metric by its name, the repo from the tags of the scope (``service`` unless told otherwise).

    Raises
    ------
    InputError
        If the query failed, a point cannot be read, or repo or metric cannot be told.
    """
    choices = choices or Choices()
    if isinstance(document, dict) and text_at(document, "status") not in ("", "ok"):
        raise InputError(f"{label}: the query failed: {text_at(document, 'error', 'message', 'status')[:200]}")
    further = _second(document)
    if further is not None:
        return _of_lists(further, label, choices)
    found = entries_of(document, _LISTS, label)
    names = [_name(entry, where) for where, entry in found]
    series = []
    for owner, (where, entry) in zip(owners(names, choices, label), found, strict=True):
        points = entry["pointlist"]
        if not isinstance(points, list) or not all(isinstance(point, list) and len(point) == 2 for point in points):
            raise InputError(f"{where}: a pointlist of pairs of time and value is needed")
        series.append(
            SampledSeries(
                owner.repo,
                owner.metric,
                point_times([point[0] for point in points], 1_000, where),
                point_values([point[1] for point in points], where),
                owner.unit or _unit(entry),
                owner.kind,
            )
        )
    return Exported(series=tuple(series), columns="metric, scope, pointlist, unit", zone=_ZONE)


def _second(document: object) -> Entry | None:
    """Read an answer of the interface's second version: series, their times and values in lists beside each other."""
    found = at(document, "data.attributes") if isinstance(document, dict) else None
    return found if isinstance(found, dict) and {"series", "times", "values"} <= set(found) else None


def _of_lists(answer: Entry, label: str, choices: Choices) -> Exported:
    """Series of the second version; it names no metric, and the repo by the tags of its group."""
    found = entries_of(answer, _LISTS, label)
    times, values = answer["times"], answer["values"]
    if not isinstance(times, list) or not isinstance(values, list) or len(values) != len(found):
        raise InputError(f"{label}: times, and values for each of {len(found)} series, are needed")
    micros = point_times(times, 1_000, label)
    names = []
    for where, entry in found:
        tags = entry.get("group_tags")
        scope = ",".join(str(tag) for tag in tags) if isinstance(tags, list) else ""
        names.append(_name({"scope": scope, "metric": ""}, where))
    series = []
    for owner, (where, entry), told in zip(owners(names, choices, label), found, values, strict=True):
        if not isinstance(told, list) or len(told) != len(times):
            raise InputError(f"{where}: {len(times)} values are needed, one a time")
        series.append(
            SampledSeries(
                owner.repo,
                owner.metric,
                micros,
                point_values(told, where),
                owner.unit or _unit(entry),
                owner.kind,
            )
        )
    return Exported(series=tuple(series), columns="group_tags, times, values, unit", zone=_ZONE)


def _name(entry: Entry, where: str) -> SeriesName:
    scope = text_at(entry, "scope", where=where)
    tags = [tag.partition(":") for tag in scope.split(",") if ":" in tag]
    metric = text_at(entry, "metric", where=where)
    return SeriesName(
        f"{metric}{{{scope}}}", metric, {key.strip(): value.strip() for key, _, value in tags} or {"": ""}
    )


def _unit(entry: Entry) -> str:
    """The unit, and what it is a share of, such as ``request`` per ``second``."""
    unit = at(entry, "unit")
    parts = [text_at(one, "name") if isinstance(one, dict) else "" for one in (unit if isinstance(unit, list) else [])]
    first, per = (*parts, "", "")[:2]
    if not first:
        return ""
    plain = "ratio" if first == "fraction" else "count" if first in _COUNTS else first
    return unit_of(f"{plain}/{per}" if per else plain).symbol
