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
from tars_lib.sources.exported.fields import Entry, at, counted, entries_of, name_at, text_at
from tars_lib.sources.exported.samples.points import PointSeries, point_times, point_values
from tars_lib.sources.exported.shapes import Choices, Exported
from tars_lib.sources.exported.whose import SeriesName

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
    return bool(parts) and all(isinstance(one, dict) and isinstance(one.get(_LISTS[0]), list) for one in parts)


def parse(document: object, label: str = "otlp", choices: Choices | None = None) -> Exported:
    """Read gauges and sums: the repo is the resource's ``service.name`` or another attribute, the metric its name.

    Cumulative sums are running totals, delta sums counts of the interval that ends at their time. Histograms and summaries are
    passed over, which a note says.

    Raises
    ------
    InputError
        If a point has no time or no number, a sum no temporality, or repo or metric cannot be told.
    """
    choices = choices or Choices()
    found: dict[str, PointSeries] = {}
    passed: Counter[str] = Counter()
    for where, resource, metric in _metrics(document, label):
        name, kind = name_at(metric, "name", where=where), ""
        data = metric.get("gauge")
        if not isinstance(data, dict):
            data = metric.get("sum")
            if not isinstance(data, dict):
                passed[name] += 1
                continue
            kind = _kind(data, f"{where}, {name}")
        unit = text_at(metric, "unit", where=where)
        unit = "" if unit.startswith("{") and "/" not in unit else _UNITS.get(unit, unit)
        for here, point in entries_of(data, ("dataPoints",), f"{where}, {name}"):
            labels = {**resource, **_attributes(point)}
            value = point.get("asDouble", point.get("asInt"))
            flags = point.get("flags")
            if value is None and not (isinstance(flags, int) and flags & _NO_VALUE):
                raise InputError(f"{here}: asDouble or asInt is needed")
            text = f"{name}{{{', '.join(f'{key}={told!r}' for key, told in sorted(labels.items()))}}}"
            one = found.setdefault(text, PointSeries(SeriesName(text, name, labels or {"": ""}), unit, kind))
            one.add(point_times([_nanos(point, here)], 1_000_000_000, here)[0], point_values([value], here)[0])
    notes = (
        [f"{label}: {counted(sum(passed.values()), 'metric')} with histograms or summaries passed over"]
        if passed
        else []
    )
    if not found:
        raise InputError(f"{label}: no gauge and no sum" + "".join(f"; {note}" for note in notes))
    return Exported(
        series=PointSeries.settled(found.values(), choices, label),
        columns=f"resourceMetrics; repo {choices.repo or f'from attribute {choices.repo_from or _SERVICE}'}",
        zone="UTC, counted in ns since 1970",
        stamp_at_end=True,
        notes=tuple(notes),
    )


_SERVICE = "service.name"


def _metrics(document: object, label: str) -> Iterator[tuple[str, dict[str, str], Entry]]:
    for where, entry in entries_of(document, _LISTS, label):
        resource = entry.get("resource")
        labels = _attributes(resource) if isinstance(resource, dict) else {}
        if _SERVICE in labels:
            labels["service"] = labels.pop(_SERVICE)
        for _, scope in entries_of(entry, ("scopeMetrics",), where):
            for here, metric in entries_of(scope, ("metrics",), where):
                yield here, labels, metric


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


def _attributes(entry: Entry) -> dict[str, str]:
    """Attributes that are texts, numbers or yes and no, as labels."""
    found = {}
    given = entry.get("attributes")
    for one in given if isinstance(given, list) else []:
        value = at(one, "value") if isinstance(one, dict) else None
        plain = next(iter(value.values()), None) if isinstance(value, dict) else None
        if isinstance(plain, str | int | float):
            found[name_at(one, "key")] = str(plain)
    return found


def _nanos(point: Entry, where: str) -> object:
    """The time of a point, a whole number in text."""
    given = point.get("timeUnixNano")
    if isinstance(given, str) and given.isascii() and given.isdigit() and len(given) < 30:
        return int(given)
    if not isinstance(given, int | float):
        raise InputError(f"{where}: timeUnixNano is needed")
    return given
