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
from tars_lib.sources.exported.fields import Entry, are_all, at, counted, entries_of, name_at, text_at, time_of
from tars_lib.sources.exported.samples.points import PointSeries, point_values
from tars_lib.sources.exported.shapes import Choices, Exported
from tars_lib.sources.exported.whose import SeriesName

_LISTS = ("timeSeries",)
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


def is_one(document: object) -> bool:
    """Whether parsed JSON looks like the answer."""
    return are_all(document, _LISTS, lambda entry: "metricKind" in entry and isinstance(entry.get("points"), list))


def parse(document: object, label: str = "google", choices: Choices | None = None) -> Exported:
    """Read series: labels are those of resource and metric, the metric its type.

    Deltas are counts of the interval that begins at their start. Distributions are passed over, which a note says.

    Raises
    ------
    InputError
        If a point has no time or no number, or repo or metric cannot be told.
    """
    choices = choices or Choices()
    found: dict[str, PointSeries] = {}
    passed = 0
    whole = text_at(document, "unit") if isinstance(document, dict) else ""
    for where, entry in entries_of(document, _LISTS, label):
        told = text_at(entry, "metricKind", where=where)
        if told not in _KINDS:
            raise InputError(f"{where}: metricKind {told[:40]!r}; allowed: {', '.join(_KINDS)}")
        name, kind = name_at(entry, "metric.type", where=where), _KINDS[told]
        labels = {key: str(value) for part in ("resource", "metric") for key, value in _labels(entry, part).items()}
        # a delta that is no whole number sums durations or bytes
        kind = kind if kind == GAUGE or text_at(entry, "valueType") == "INT64" else ""
        unit = text_at(entry, "unit", where=where) or whole
        text = f"{name}{json.dumps(labels, sort_keys=True)}"
        one = PointSeries(
            SeriesName(text, name, labels or {"": ""}), "" if unit.startswith("{") else _UNITS.get(unit, unit), kind
        )
        for here, point in entries_of(entry, ("points",), where):
            value = next((at(point, f"value.{key}") for key in _VALUES if at(point, f"value.{key}") is not None), None)
            if value is None:
                passed += 1
                continue
            when = "interval.startTime" if told == "DELTA" else "interval.endTime"
            one.add(to_micros(time_of(at(point, when), f"{here}, {when}", choices)), point_values([value], here)[0])
        if one.times:
            joined = found.setdefault(text, one)
            if joined is not one:
                joined.times += one.times
                joined.values += one.values
    notes = (
        (f"{label}: {counted(passed, 'point')} without a number, as distributions are, passed over",) if passed else ()
    )
    if not found:
        raise InputError(f"{label}: no number in it" + "".join(f"; {note}" for note in notes))
    return Exported(
        series=PointSeries.settled(found.values(), choices, label),
        columns="timeSeries; labels of resource and metric",
        zone="as each time says",
        notes=notes,
    )


def _labels(entry: Entry, part: str) -> Entry:
    found = at(entry, f"{part}.labels")
    return found if isinstance(found, dict) else {}
