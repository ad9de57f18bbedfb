"""Answers of CloudWatch: `aws cloudwatch get-metric-data` and `get-metric-statistics`, as the command line prints them.

References
----------
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html
"""

from __future__ import annotations

import numpy as np

from tars_lib.errors import InputError
from tars_lib.model.history import to_micros
from tars_lib.model.units import unit_of
from tars_lib.sources.exported.fields import Entry, PlacedEntry, records_of, time_of
from tars_lib.sources.exported.samples.points import Points, owned_series, point_times, point_values
from tars_lib.sources.exported.shapes import NO_CHOICES, Choices, Exported, SampledSeries
from tars_lib.sources.exported.whose import owners, series_name

_STATISTICS = ("Average", "Sum", "Minimum", "Maximum", "SampleCount")
_UNITS = {
    "None": "",
    "Percent": "%",
    "Seconds": "s",
    "Milliseconds": "ms",
    "Microseconds": "us",
    "Count": "count",
    "Bytes": "B",
    "Kilobytes": "kB",
    "Megabytes": "MB",
    "Gigabytes": "GB",
    "Terabytes": "TB",
    "Count/Second": "count/s",
}


def is_one(document: object) -> bool:
    """Return whether parsed JSON looks like one of the two answers."""
    return isinstance(document, dict) and (
        isinstance(document.get("MetricDataResults"), list)
        or (isinstance(document.get("Datapoints"), list) and "Label" in document)
    )


def parse(document: object, label: str = "cloudwatch", choices: Choices = NO_CHOICES) -> Exported:
    """Read series by their labels: ``service/metric``, or one of the two, and the user says the other.

    Raises
    ------
    InputError
        If an answer is not complete, has several statistics or units, or it cannot be told whose a series is.
    """
    if isinstance(document, dict) and "Datapoints" in document:
        return _statistics(document, label, choices)
    joined: dict[str, list[PlacedEntry]] = {}
    for part in records_of(document, ("MetricDataResults",), label, choices):
        code = part.text("StatusCode")
        if code not in ("", "Complete"):
            raise InputError(
                f"{part.where}: StatusCode {code}: the answer is not whole; ask for the next pages (NextToken) and join them"
            )
        joined.setdefault(part.text("Label", "Id"), []).append(part)
    names = [series_name(name) for name in joined]
    series = owned_series(names, (_joined(parts, label) for parts in joined.values()), choices, label)
    return Exported(series=series, columns="Label, Timestamps, Values", zone="as each time says")


def _joined(parts: list[PlacedEntry], label: str) -> Points:
    """Return the points of all parts of a series."""
    times: list[int] = []
    values: list[object] = []
    for part in parts:
        stamps, numbers = part.entry.get("Timestamps"), part.entry.get("Values")
        if not isinstance(stamps, list) or not isinstance(numbers, list) or len(stamps) != len(numbers):
            raise InputError(f"{part.where}: Timestamps and Values of one length are needed")
        times += [_micros(time, f"{part.where}, Timestamps", part.choices) for time in stamps]
        values += numbers
    return np.array(times, dtype=np.int64), point_values(values, label), "", ""


def _statistics(document: Entry, label: str, choices: Choices) -> Exported:
    points = records_of(document, ("Datapoints",), label, choices)
    # percentiles and the like, such as p95, stand apart
    cells = [{**point.entry, **_extended(point)} for point in points]
    statistics = dict.fromkeys((*_STATISTICS, *(key for point in points for key in _extended(point))))
    names = [key for key in statistics if any(key in row for row in cells)]
    units = sorted({point.text("Unit") for point in points})
    if len(names) != 1 or len(units) != 1:
        what = f"statistics {', '.join(names) or 'none'}" if len(names) != 1 else f"units {', '.join(units)}"
        raise InputError(f"{label}: {what}; one of them is needed: ask for each by itself (--statistics)")
    if units[0] not in _UNITS:
        raise InputError(f"{label}: unit {units[0][:40]!r} is not known; allowed: {', '.join(_UNITS)}")
    (owner,) = owners([series_name(PlacedEntry(document, label).text("Label"))], choices, label)
    times = [_micros(point.entry.get("Timestamp"), f"{point.where}, Timestamp", choices) for point in points]
    values = point_values([row.get(names[0]) for row in cells], label)
    unit = unit_of(_UNITS[units[0]]).symbol if _UNITS[units[0]] else owner.unit
    series = SampledSeries(owner.repo, owner.metric, np.array(times, dtype=np.int64), values, unit, owner.kind)
    return Exported(series=(series,), columns=f"Label, Timestamp, {names[0]}, Unit", zone="as each time says")


def _extended(point: PlacedEntry) -> Entry:
    extended = point.entry.get("ExtendedStatistics")
    return extended if isinstance(extended, dict) else {}


def _micros(time: object, where: str, choices: Choices) -> int:
    """Return a time in text, or as the answer carries it on the wire: seconds since 1970."""
    if isinstance(time, int | float) and not isinstance(time, bool):
        return int(point_times([time], 1, where)[0])
    return to_micros(time_of(time, where, choices))
