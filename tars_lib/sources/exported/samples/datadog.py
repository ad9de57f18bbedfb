"""Answers of Datadog to a query of time series (`/api/v1/query`, `/api/v2/query/timeseries`), which carry units.

References
----------
https://docs.datadoghq.com/api/latest/metrics/#query-timeseries-points
https://docs.datadoghq.com/api/latest/metrics/#query-timeseries-data-across-multiple-products
"""

from __future__ import annotations

from tars_lib.errors import InputError
from tars_lib.model.units import unit_of
from tars_lib.sources.exported.fields import Entry, EntryShape, PlacedEntry, at, records_of
from tars_lib.sources.exported.samples.points import Points, owned_series, point_times, point_values
from tars_lib.sources.exported.shapes import NO_CHOICES, Choices, Exported
from tars_lib.sources.exported.whose import SeriesName

SHAPE = EntryShape(("series",), {"pointlist": list})
_ZONE = "UTC, counted in ms since 1970"
_COUNTS = {"request", "error", "hit", "event", "count", "occurrence", "message", "transaction", "query", "operation"}
"""Units of Datadog that are counts of something."""


def is_one(document: object) -> bool:
    """Return whether parsed JSON looks like one of the answers."""
    return _second(document) is not None or SHAPE.fits(document)


def parse(document: object, label: str = "datadog", choices: Choices = NO_CHOICES) -> Exported:
    """Read series: the metric by its name, the repo from the tags of the scope (``service`` unless told otherwise).

    Raises
    ------
    InputError
        If the query failed, a point cannot be read, or repo or metric cannot be told.
    """
    answer = PlacedEntry(document if isinstance(document, dict) else {}, label)
    if answer.text("status") not in ("", "ok"):
        raise InputError(f"{label}: the query failed: {answer.text('error', 'message', 'status')[:200]}")
    further = _second(document)
    if further is not None:
        return _of_lists(further, label, choices)
    entries = SHAPE.records(document, label, choices)
    names = [_name(entry.text("scope"), entry.text("metric")) for entry in entries]
    series = owned_series(names, map(_points, entries), choices, label)
    return Exported(series=series, columns="metric, scope, pointlist, unit", zone=_ZONE)


def _points(entry: PlacedEntry) -> Points:
    pairs = entry.entry.get("pointlist")
    if not isinstance(pairs, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
        raise InputError(f"{entry.where}: a pointlist of pairs of time and value is needed")
    times = point_times([pair[0] for pair in pairs], 1_000, entry.where)
    return times, point_values([pair[1] for pair in pairs], entry.where), _unit(entry), ""


def _second(document: object) -> Entry | None:
    """Read an answer of the interface's second version: series, their times and values in lists beside each other."""
    attributes = at(document, "data.attributes") if isinstance(document, dict) else None
    return attributes if isinstance(attributes, dict) and {"series", "times", "values"} <= set(attributes) else None


def _of_lists(answer: Entry, label: str, choices: Choices) -> Exported:
    """Return the series of the second version; it names no metric, and the repo by the tags of its group."""
    entries = records_of(answer, SHAPE.keys, label, choices)
    times, values = answer["times"], answer["values"]
    if not isinstance(times, list) or not isinstance(values, list) or len(values) != len(entries):
        raise InputError(f"{label}: times, and values for each of {len(entries)} series, are needed")
    micros = point_times(times, 1_000, label)

    def points(entry: PlacedEntry, numbers: object) -> Points:
        if not isinstance(numbers, list) or len(numbers) != len(times):
            raise InputError(f"{entry.where}: {len(times)} values are needed, one a time")
        return micros, point_values(numbers, entry.where), _unit(entry), ""

    tags = [entry.entry.get("group_tags") for entry in entries]
    names = [_name(",".join(map(str, scope)) if isinstance(scope, list) else "", "") for scope in tags]
    series = owned_series(names, map(points, entries, values), choices, label)
    return Exported(series=series, columns="group_tags, times, values, unit", zone=_ZONE)


def _name(scope: str, metric: str) -> SeriesName:
    tags = [tag.partition(":") for tag in scope.split(",") if ":" in tag]
    labels = {key.strip(): value.strip() for key, _, value in tags}
    return SeriesName(f"{metric}{{{scope}}}", metric, labels or {"": ""})


def _unit(entry: PlacedEntry) -> str:
    """Return the unit, and what it is a share of, such as ``request`` per ``second``."""
    unit = entry.at("unit")
    parts = [
        PlacedEntry(part, entry.where).text("name") if isinstance(part, dict) else ""
        for part in (unit if isinstance(unit, list) else [])
    ]
    first, per = (*parts, "", "")[:2]
    if not first:
        return ""
    plain = "ratio" if first == "fraction" else "count" if first in _COUNTS else first
    return unit_of(f"{plain}/{per}" if per else plain).symbol
