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
from tars_lib.sources.exported.content import Content
from tars_lib.sources.exported.fields import Entry, entries_of, text_at, time_of
from tars_lib.sources.exported.samples.points import point_times, point_values
from tars_lib.sources.exported.shapes import Choices, Exported, SampledSeries
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


def read(content: Content, choices: Choices) -> Exported:
    """Read a file that holds an answer."""
    return parse(content.document, content.label, choices)


def parse(document: object, label: str = "cloudwatch", choices: Choices | None = None) -> Exported:
    """Read series by their labels: ``service/metric``, or one of the two, and the user says the other.

    Raises
    ------
    InputError
        If an answer is not complete, has several statistics or units, or it cannot be told whose a series is.
    """
    choices = choices or Choices()
    if isinstance(document, dict) and "Datapoints" in document:
        return _statistics(document, label, choices)
    found = entries_of(document, ("MetricDataResults",), label)
    for where, entry in found:
        code = text_at(entry, "StatusCode")
        if code not in ("", "Complete"):
            raise InputError(
                f"{where}: StatusCode {code}: the answer is not whole; ask for the next pages (NextToken) and join them"
            )
    joined: dict[str, list[tuple[str, Entry]]] = {}
    for where, entry in found:
        joined.setdefault(text_at(entry, "Label", "Id", where=where), []).append((where, entry))
    whose = owners([series_name(name) for name in joined], choices, label)
    series = []
    for owner, parts in zip(whose, joined.values(), strict=True):
        times: list[int] = []
        values: list[object] = []
        for where, entry in parts:
            given, told = entry.get("Timestamps"), entry.get("Values")
            if not isinstance(given, list) or not isinstance(told, list) or len(given) != len(told):
                raise InputError(f"{where}: Timestamps and Values of one length are needed")
            times += [_micros(time, f"{where}, Timestamps", choices) for time in given]
            values += told
        series.append(
            SampledSeries(
                owner.repo,
                owner.metric,
                np.array(times, dtype=np.int64),
                point_values(values, label),
                owner.unit,
                owner.kind,
            )
        )
    return Exported(series=tuple(series), columns="Label, Timestamps, Values", zone="as each time says")


def _statistics(document: Entry, label: str, choices: Choices) -> Exported:
    points = [(where, {**entry, **_shares(entry)}) for where, entry in entries_of(document, ("Datapoints",), label)]
    statistics = dict.fromkeys((*_STATISTICS, *(key for _, entry in points for key in _shares(entry))))
    names = [key for key in statistics if any(key in entry for _, entry in points)]
    units = sorted({text_at(entry, "Unit") for _, entry in points})
    if len(names) != 1 or len(units) != 1:
        what = f"statistics {', '.join(names) or 'none'}" if len(names) != 1 else f"units {', '.join(units)}"
        raise InputError(f"{label}: {what}; one of them is needed: ask for each by itself (--statistics)")
    if units[0] not in _UNITS:
        raise InputError(f"{label}: unit {units[0][:40]!r} is not known; allowed: {', '.join(_UNITS)}")
    (owner,) = owners([series_name(text_at(document, "Label"))], choices, label)
    times = [_micros(entry.get("Timestamp"), f"{where}, Timestamp", choices) for where, entry in points]
    values = point_values([entry.get(names[0]) for _, entry in points], label)
    unit = unit_of(_UNITS[units[0]]).symbol if _UNITS[units[0]] else owner.unit
    one = SampledSeries(owner.repo, owner.metric, np.array(times, dtype=np.int64), values, unit, owner.kind)
    return Exported(series=(one,), columns=f"Label, Timestamp, {names[0]}, Unit", zone="as each time says")


def _shares(entry: Entry) -> Entry:
    """Percentiles and the like, such as ``p95``."""
    found = entry.get("ExtendedStatistics")
    return found if isinstance(found, dict) else {}


def _micros(time: object, where: str, choices: Choices) -> int:
    """A time in text, or as the answer carries it on the wire: seconds since 1970."""
    if isinstance(time, int | float) and not isinstance(time, bool):
        return int(point_times([time], 1, where)[0])
    return to_micros(time_of(time, where, choices))
