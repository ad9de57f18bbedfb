"""Metrics of OpenTelemetry in JSON: a request of OTLP, or the lines of the collector's file exporter.

References
----------
https://opentelemetry.io/docs/specs/otel/metrics/data-model/
https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tars_lib.errors import InputError
from tars_lib.model.metrics import COUNTER, COUNTS, GAUGE
from tars_lib.sources.exported.fields import Entry, PlacedEntry, records_of
from tars_lib.sources.exported.samples.points import PointSeries, point_times, point_values
from tars_lib.sources.exported.shapes import NO_CHOICES, Choices, Exported
from tars_lib.sources.exported.whose import SeriesName
from tars_lib.text.counts import plural

_LISTS = ("resourceMetrics",)
_DELTA, _CUMULATIVE = 1, 2
_TEMPORALITIES = {"AGGREGATION_TEMPORALITY_DELTA": _DELTA, "AGGREGATION_TEMPORALITY_CUMULATIVE": _CUMULATIVE}
_UNITS = {
    "1": "",
    "By": "B",
    "KBy": "kB",
    "kBy": "kB",
    "MBy": "MB",
    "GBy": "GB",
    "KiBy": "KiB",
    "MiBy": "MiB",
    "GiBy": "GiB",
}
"""Of the Unified Code for Units of Measure, where they are written in another way here."""
_NO_VALUE = 1
"""The flag of a point that has no recorded value."""


def is_one(document: object) -> bool:
    """Return whether parsed JSON holds metrics of OpenTelemetry."""
    parts = document if isinstance(document, list) else [document]
    return bool(parts) and all(isinstance(part, dict) and isinstance(part.get(_LISTS[0]), list) for part in parts)


def parse(document: object, label: str = "otlp", choices: Choices = NO_CHOICES) -> Exported:
    """Read gauges and sums: the repo is the resource's ``service.name`` or another attribute, the metric its name.

    Cumulative sums are running totals, delta sums counts of the interval that ends at their time. Histograms and summaries are
    passed over, which a note says.

    Raises
    ------
    InputError
        If a point has no time or no number, a sum no temporality, or repo or metric cannot be told.
    """
    by_name: dict[str, PointSeries] = {}
    passed: Counter[str] = Counter()
    for resource, metric in _metrics(document, label):
        name, kind = metric.name("name"), ""
        data = metric.entry.get("gauge")
        if not isinstance(data, dict):
            data = metric.entry.get("sum")
            if not isinstance(data, dict):
                passed[name] += 1
                continue
            kind = _kind(data, f"{metric.where}, {name}")
        unit = metric.text("unit")
        unit = "" if unit.startswith("{") and "/" not in unit else _UNITS.get(unit, unit)
        for point in records_of(data, ("dataPoints",), f"{metric.where}, {name}"):
            labels = {**resource, **_attributes(point)}
            value = point.entry.get("asDouble", point.entry.get("asInt"))
            flags = point.entry.get("flags")
            if value is None and not (isinstance(flags, int) and flags & _NO_VALUE):
                raise InputError(f"{point.where}: asDouble or asInt is needed")
            text = f"{name}{{{', '.join(f'{key}={told!r}' for key, told in sorted(labels.items()))}}}"
            series = by_name.setdefault(text, PointSeries(SeriesName(text, name, labels or {"": ""}), unit, kind))
            time = point_times([_nanos(point)], 1_000_000_000, point.where)[0]
            series.add(time, point_values([value], point.where)[0])
    notes = (
        [f"{label}: {plural(sum(passed.values()), 'metric')} with histograms or summaries passed over"]
        if passed
        else []
    )
    if not by_name:
        raise InputError(f"{label}: no gauge and no sum" + "".join(f"; {note}" for note in notes))
    return Exported(
        series=PointSeries.settled(by_name.values(), choices, label),
        columns=f"resourceMetrics; repo {choices.repo or f'from attribute {choices.repo_from or _SERVICE}'}",
        zone="UTC, counted in ns since 1970",
        stamp_at_end=True,
        notes=tuple(notes),
    )


_SERVICE = "service.name"


def _metrics(document: object, label: str) -> Iterator[tuple[dict[str, str], PlacedEntry]]:
    for entry in records_of(document, _LISTS, label):
        resource = entry.entry.get("resource")
        labels = _attributes(PlacedEntry(resource, entry.where)) if isinstance(resource, dict) else {}
        if _SERVICE in labels:
            labels["service"] = labels.pop(_SERVICE)
        for scope in entry.records("scopeMetrics"):
            for metric in records_of(scope.entry, ("metrics",), entry.where):
                yield labels, metric


def _kind(data: Entry, where: str) -> str:
    told = data.get("aggregationTemporality")
    temporality = _TEMPORALITIES.get(told, 0) if isinstance(told, str) else told
    if temporality not in (_DELTA, _CUMULATIVE):
        raise InputError(f"{where}: aggregationTemporality {str(told)[:40]!r}; delta or cumulative is needed")
    if data.get("isMonotonic") is True:
        return COUNTER if temporality == _CUMULATIVE else COUNTS
    if temporality == _DELTA:
        raise InputError(f"{where}: changes of a level are not read; export cumulative sums")
    return GAUGE


def _attributes(entry: PlacedEntry) -> dict[str, str]:
    """Attributes that are texts, numbers or yes and no, as labels."""
    labels = {}
    for attribute in entry.inner("attributes"):
        value = attribute.at("value")
        plain = next(iter(value.values()), None) if isinstance(value, dict) else None
        if isinstance(plain, str | int | float):
            labels[attribute.name("key")] = str(plain)
    return labels


def _nanos(point: PlacedEntry) -> object:
    """Return the time of a point, a whole number in text."""
    stamp = point.entry.get("timeUnixNano")
    if isinstance(stamp, str) and stamp.isascii() and stamp.isdigit() and len(stamp) < 30:
        return int(stamp)
    if not isinstance(stamp, int | float):
        raise InputError(f"{point.where}: timeUnixNano is needed")
    return stamp
