"""Answers of Azure Monitor to a query of metrics, by REST or ``az monitor metrics list``, which carry units.

References
----------
https://learn.microsoft.com/rest/api/monitor/metrics/list
"""

from __future__ import annotations

import json

from tars_lib.errors import InputError
from tars_lib.model.history import to_micros
from tars_lib.model.metrics import COUNTS
from tars_lib.sources.exported.fields import Entry, are_all, at, entries_of, name_at, text_at, time_of
from tars_lib.sources.exported.samples.points import PointSeries, point_values
from tars_lib.sources.exported.shapes import Choices, Exported
from tars_lib.sources.exported.whose import SeriesName

_LISTS = ("value",)
_AGGREGATES = ("total", "average", "minimum", "maximum", "count")
_UNITS = {
    "Count": "count",
    "Bytes": "B",
    "Seconds": "s",
    "MilliSeconds": "ms",
    "Percent": "%",
    "CountPerSecond": "count/s",
    "BytesPerSecond": "B/s",
    "Unspecified": "",
}


def is_one(document: object) -> bool:
    """Whether parsed JSON looks like the answer."""
    return isinstance(document, dict) and are_all(
        document, _LISTS, lambda entry: isinstance(entry.get("timeseries"), list) and "unit" in entry
    )


def parse(document: object, label: str = "azure", choices: Choices | None = None) -> Exported:
    """Read series: labels are the dimensions that the query split by, the metric its name.

    Raises
    ------
    InputError
        If there are several aggregates, a unit is not known, or repo or metric cannot be told.
    """
    choices = choices or Choices()
    found: list[PointSeries] = []
    for where, metric in entries_of(document, _LISTS, label):
        unit = text_at(metric, "unit", where=where)
        if unit not in _UNITS:
            raise InputError(f"{where}: unit {unit[:40]!r} is not known; allowed: {', '.join(_UNITS)}")
        for here, series in entries_of(metric, ("timeseries",), where):
            points = entries_of(series, ("data",), here)
            kinds = [name for name in _AGGREGATES if any(name in point for _, point in points)]
            if len(kinds) > 1:
                raise InputError(
                    f"{here}: aggregates {', '.join(kinds)}; one is needed: ask for each by itself (--aggregation)"
                )
            kind = COUNTS if kinds in (["total"], ["count"]) and _UNITS[unit] == "count" else ""
            name, labels = name_at(metric, "name.value", where=where), _dimensions(series)
            text = f"{name}{json.dumps(labels, sort_keys=True)}"
            one = PointSeries(SeriesName(text, name, labels), "count" if kinds == ["count"] else _UNITS[unit], kind)
            for place, point in points:
                time = to_micros(time_of(point.get("timeStamp"), f"{place}, timeStamp", choices))
                one.add(time, point_values([point.get(kinds[0]) if kinds else None], place)[0])
            if one.times:
                found.append(one)
    return Exported(
        series=PointSeries.settled(found, choices, label),
        columns="value, timeseries, data; labels of metadatavalues",
        zone="as each time says",
    )


def _dimensions(series: Entry) -> dict[str, str]:
    given = series.get("metadatavalues")
    pairs = [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []
    return {name_at(one, "name.value"): str(at(one, "value")) for one in pairs}
