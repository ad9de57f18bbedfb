"""Answers of Google Cloud Monitoring to ``timeSeries.list``, which carry kinds and units.

References
----------
https://cloud.google.com/monitoring/api/ref_v3/rest/v3/TimeSeries
"""

from __future__ import annotations

import json

from tars_lib.errors import InputError
from tars_lib.model.history import to_micros
from tars_lib.model.metrics import COUNTER, COUNTS, GAUGE
from tars_lib.sources.exported.fields import Entry, EntryShape, PlacedEntry, time_of
from tars_lib.sources.exported.samples.points import PointSeries, point_values
from tars_lib.sources.exported.shapes import NO_CHOICES, Choices, Exported
from tars_lib.sources.exported.whose import SeriesName
from tars_lib.text.counts import plural

SHAPE = EntryShape(("timeSeries",), {"metricKind": object, "points": list})
_KINDS = {"GAUGE": GAUGE, "DELTA": COUNTS, "CUMULATIVE": COUNTER}
_VALUES = ("doubleValue", "int64Value")
_UNITS = {
    "1": "",
    "By": "B",
    "10^2.%": "%",
    "ms": "ms",
    "s": "s",
    "us": "us",
    "ns": "ns",
    "%": "%",
    "kBy": "kB",
    "MBy": "MB",
}


def parse(document: object, label: str = "google", choices: Choices = NO_CHOICES) -> Exported:
    """Read series: labels are those of resource and metric, the metric its type.

    Deltas are counts of the interval that begins at their start. Distributions are passed over, which a note says.

    Raises
    ------
    InputError
        If a point has no time or no number, or repo or metric cannot be told.
    """
    by_name: dict[str, PointSeries] = {}
    passed = 0
    whole = PlacedEntry(document, label).text("unit") if isinstance(document, dict) else ""
    for entry in SHAPE.records(document, label, choices):
        metric_kind = entry.text("metricKind")
        if metric_kind not in _KINDS:
            raise InputError(f"{entry.where}: metricKind {metric_kind[:40]!r}; allowed: {', '.join(_KINDS)}")
        name, kind = entry.name("metric.type"), _KINDS[metric_kind]
        labels = {key: str(value) for part in ("resource", "metric") for key, value in _labels(entry, part).items()}
        # a delta that is no whole number sums durations or bytes
        kind = kind if kind == GAUGE or entry.text("valueType") == "INT64" else ""
        unit = entry.text("unit") or whole
        text = f"{name}{json.dumps(labels, sort_keys=True)}"
        series = PointSeries(
            SeriesName(text, name, labels or {"": ""}), "" if unit.startswith("{") else _UNITS.get(unit, unit), kind
        )
        when = "interval.startTime" if metric_kind == "DELTA" else "interval.endTime"
        for point in entry.records("points"):
            value = next((number for key in _VALUES if (number := point.at(f"value.{key}")) is not None), None)
            if value is None:
                passed += 1
                continue
            time = to_micros(time_of(point.at(when), f"{point.where}, {when}", choices))
            series.add(time, point_values([value], point.where)[0])
        if series.times:
            before = by_name.setdefault(text, series)
            if before is not series:
                before.times += series.times
                before.values += series.values
    notes = (
        (f"{label}: {plural(passed, 'point')} without a number, as distributions are, passed over",) if passed else ()
    )
    if not by_name:
        raise InputError(f"{label}: no number in it" + "".join(f"; {note}" for note in notes))
    return Exported(
        series=PointSeries.settled(by_name.values(), choices, label),
        columns="timeSeries; labels of resource and metric",
        zone="as each time says",
        notes=notes,
    )


def _labels(entry: PlacedEntry, part: str) -> Entry:
    labels = entry.at(f"{part}.labels")
    return labels if isinstance(labels, dict) else {}
