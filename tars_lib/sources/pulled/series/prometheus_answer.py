"""The JSON of Prometheus' query API, which may hold anything, as labels and arrays.

https://prometheus.io/docs/prometheus/latest/querying/api/#expression-query-result-formats
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tars_lib.errors import InputError
from tars_lib.files.limits import EARLIEST, LATEST, MAX_NAME, MAX_SERIES

_MAX_LABELS = 200


@dataclass(frozen=True, slots=True)
class AnsweredSeries:
    """One series as it was answered: its labels are text, its points unread."""

    labels: dict[str, str]
    points: list[Any]


def series_of(content: Any, label: str, kind: str) -> list[AnsweredSeries]:
    """Return the series of an answer.

    Parameters
    ----------
    kind : str
        ``matrix`` of a range query or ``vector`` of an instant query.

    Raises
    ------
    InputError
        If the answer has another form.
    """
    if not isinstance(content, dict) or content.get("status") != "success":
        raise InputError(f"{label}: the answer is none of Prometheus: no status of success in it")
    data = content.get("data")
    if not isinstance(data, dict) or data.get("resultType") != kind or not isinstance(data.get("result"), list):
        shown = data.get("resultType") if isinstance(data, dict) else None
        raise InputError(f"{label}: the query gives {str(shown)[:40]!a}; a {kind} is needed")
    if len(data["result"]) > MAX_SERIES:
        raise InputError(f"{label}: {len(data['result'])} series; up to {MAX_SERIES} are allowed")
    return [_series(item, label, kind) for item in data["result"]]


def _series(item: Any, label: str, kind: str) -> AnsweredSeries:
    labels = item.get("metric") if isinstance(item, dict) else None
    if not isinstance(labels, dict) or len(labels) > _MAX_LABELS:
        raise InputError(f"{label}: the answer is none of Prometheus: a series without labels")
    if not all(isinstance(text, str) and len(text) <= MAX_NAME for text in labels.values()):
        raise InputError(f"{label}: a label that is no text of up to {MAX_NAME} characters")
    if "histogram" in item or "histograms" in item:
        raise InputError(
            f"{label}: a native histogram is not allowed; a number is, such as by histogram_quantile(0.95, ...)"
        )
    points = [item.get("value")] if kind == "vector" else item.get("values")
    if not isinstance(points, list):
        raise InputError(f"{label}: the answer is none of Prometheus: a series without values")
    return AnsweredSeries(labels, points)


def values_of(series: AnsweredSeries, label: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the times in milliseconds and values of a series, NaN included.

    Raises
    ------
    InputError
        If a point is no pair of a time and a number in text, or beyond the calendar.
    """
    points = series.points
    if not all(type(point) is list and len(point) == 2 for point in points):
        raise InputError(f"{label}: the answer is none of Prometheus: a point that is no pair of time and value")
    times, texts = ([], []) if not points else zip(*points, strict=True)
    if not all(type(time) in (int, float) for time in times) or not all(type(text) is str for text in texts):
        raise InputError(
            f"{label}: the answer is none of Prometheus: a time that is no number, or a value that is no text"
        )
    try:
        seconds = np.array(times, dtype=np.float64)
    except OverflowError as error:
        raise InputError(f"{label}: a time that no calendar has") from error
    if seconds.size and not (EARLIEST.timestamp() <= seconds.min() and seconds.max() <= LATEST.timestamp()):
        raise InputError(f"{label}: a time from {EARLIEST.year} to the end of {LATEST.year - 1} is allowed")
    try:
        values = np.array([float(text) for text in texts], dtype=np.float64)
    except ValueError as error:
        raise InputError(f"{label}: {' '.join(str(error).split())[:100]}; a number is needed") from error
    if any("_" in text for text in texts) or np.isinf(values).any():
        at = int(np.argmax(np.isinf(values)))
        raise InputError(
            f"{label}: {texts[at][:40]} at {np.datetime64(int(seconds[at]), 's')}Z; "
            "a finite number is allowed, and NaN where it is missing"
        )
    return np.round(seconds * 1000).astype(np.int64), values
