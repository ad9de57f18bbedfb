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
from tars_lib.sources.exported.fields import EntryShape, time_of
from tars_lib.sources.exported.samples.points import PointSeries, point_values
from tars_lib.sources.exported.shapes import NO_CHOICES, Choices, Exported
from tars_lib.sources.exported.whose import SeriesName

SHAPE = EntryShape(("value",), {"timeseries": list, "unit": object})
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
    """Return whether parsed JSON looks like the answer."""
    return isinstance(document, dict) and SHAPE.fits(document)


def parse(document: object, label: str = "azure", choices: Choices = NO_CHOICES) -> Exported:
    """Read series: labels are the dimensions that the query split by, the metric its name.

    Raises
    ------
    InputError
        If there are several aggregates, a unit is not known, or repo or metric cannot be told.
    """
    read_series: list[PointSeries] = []
    for metric in SHAPE.records(document, label, choices):
        unit = metric.text("unit")
        if unit not in _UNITS:
            raise InputError(f"{metric.where}: unit {unit[:40]!r} is not known; allowed: {', '.join(_UNITS)}")
        for series in metric.records("timeseries"):
            points = series.records("data")
            kinds = [name for name in _AGGREGATES if any(name in point.entry for point in points)]
            if len(kinds) > 1:
                raise InputError(
                    f"{series.where}: aggregates {', '.join(kinds)}; one is needed: ask for each by itself (--aggregation)"
                )
            kind = COUNTS if kinds in (["total"], ["count"]) and _UNITS[unit] == "count" else ""
            name = metric.name("name.value")
            labels = {pair.name("name.value"): str(pair.at("value")) for pair in series.inner("metadatavalues")}
            text = f"{name}{json.dumps(labels, sort_keys=True)}"
            split = PointSeries(SeriesName(text, name, labels), "count" if kinds == ["count"] else _UNITS[unit], kind)
            for point in points:
                time = to_micros(time_of(point.entry.get("timeStamp"), f"{point.where}, timeStamp", choices))
                split.add(time, point_values([point.entry.get(kinds[0]) if kinds else None], point.where)[0])
            if split.times:
                read_series.append(split)
    return Exported(
        series=PointSeries.settled(read_series, choices, label),
        columns="value, timeseries, data; labels of metadatavalues",
        zone="as each time says",
    )
