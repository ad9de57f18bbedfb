"""Answers of Prometheus (Mimir, Thanos, VictoriaMetrics) to queries, what `promtool` prints, and exported lines.

References
----------
https://prometheus.io/docs/prometheus/latest/querying/api/#expression-query-result-formats
https://docs.victoriametrics.com/#how-to-export-data-in-json-line-format
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tars_lib.errors import InputError
from tars_lib.model.metrics import COUNTER
from tars_lib.model.units import unit_in_name
from tars_lib.sources.exported.fields import at
from tars_lib.sources.exported.samples.points import point_times, point_values
from tars_lib.sources.exported.shapes import NO_CHOICES, Choices, Exported, SampledSeries
from tars_lib.sources.exported.whose import SeriesName, owners


def is_one(document: object) -> bool:
    """Return whether parsed JSON looks like the answer to a query."""
    kind, result, _ = _answer(document)
    return bool(kind) and isinstance(result, list)


def parse(document: object, label: str = "prometheus", choices: Choices = NO_CHOICES) -> Exported:
    """Read a matrix or a vector: the repo is a label, the metric its name, where the query kept one.

    A name that ends in ``_total`` is that of a running total, because functions such as `rate` and `increase` drop the name.

    Raises
    ------
    InputError
        If the server reported an error, the result is a scalar or text, or repo or metric cannot be told.
    """
    status = at(document, "status") if isinstance(document, dict) else None
    if isinstance(document, dict) and status not in (None, "success"):
        raise InputError(
            f"{label}: the server said {str(at(document, 'error') or status)[:200]!r}; an answer with success is needed"
        )
    kind, result, warnings = _answer(document)
    if not isinstance(result, list) or kind not in ("matrix", "vector"):
        raise InputError(
            f"{label}: resultType {str(kind)[:40]!r}; a matrix is needed, the answer of /api/v1/query_range, or a vector"
        )
    if not result:
        raise InputError(f"{label}: the query found no series")
    names: list[SeriesName] = []
    for number, entry in enumerate(result, start=1):
        labels = at(entry, "metric") if isinstance(entry, dict) else None
        if not isinstance(labels, dict) or not isinstance(at(entry, "values" if kind == "matrix" else "value"), list):
            what = (
                "native histograms are not read"
                if isinstance(entry, dict) and "histograms" in entry
                else "no metric and values"
            )
            raise InputError(f"{label}, series {number}: {what}; a series of numbers is needed")
        texts = {str(key): str(value) for key, value in labels.items()}
        own = texts.get("__name__", "")
        inner = ", ".join(f'{key}="{value}"' for key, value in texts.items() if key != "__name__")
        names.append(SeriesName(f"{own}{{{inner}}}", own, texts or {"": ""}))
    series = []
    for number, (owner, name, entry) in enumerate(
        zip(owners(names, choices, label), names, result, strict=True), start=1
    ):
        where = f"{label}, series {number}"
        times, values = _points(entry, kind, where)
        is_total = name.name.endswith("_total") and not owner.kind
        series.append(
            SampledSeries(
                owner.repo,
                owner.metric,
                times,
                point_values(values, where),
                owner.unit or unit_in_name(name.name)[1],
                COUNTER if is_total else owner.kind,
            )
        )
    notes = (
        [f"{label}: the server warned: {str(said)[:200]}" for said in warnings or ()]
        if isinstance(warnings, list)
        else []
    )
    keys = f"repo {choices.repo}" if choices.repo else f"repo from label {choices.repo_from or 'service'}"
    # a range selector looks back from its time, https://prometheus.io/docs/prometheus/latest/querying/basics/
    return Exported(
        stamp_at_end=True,
        series=tuple(series),
        columns=f"{kind}; {keys}",
        zone="UTC, counted in s since 1970",
        notes=tuple(notes),
    )


def _answer(document: object) -> tuple[str, object, object]:
    """Return the kind of a result, its series, and warnings; the kind is empty where it is none of Prometheus."""
    if isinstance(document, dict) and "metric" in document:
        document = [document]
    if isinstance(document, list):
        if not document or not all(
            isinstance(entry, dict) and isinstance(entry.get("metric"), dict) for entry in document
        ):
            return "", None, None
        return "matrix" if "values" in document[0] else "vector", document, None
    if not isinstance(document, dict):
        return "", None, None
    inner = document["data"] if isinstance(document.get("data"), dict) else document
    return str(inner.get("resultType") or ""), inner.get("result"), document.get("warnings")


def _points(entry: Mapping[str, object], kind: str, where: str) -> tuple[NDArray[np.int64], list[object]]:
    """Return the times and values of a series: pairs in seconds, or two lists, the times of which are in milliseconds."""
    given, stamps = entry["values"] if kind == "matrix" else [entry["value"]], entry.get("timestamps")
    assert isinstance(given, list)  # noqa: S101 - looked at by the caller
    if isinstance(stamps, list):
        if len(stamps) != len(given):
            raise InputError(f"{where}: values and timestamps of one length are needed")
        return point_times(stamps, 1_000, where), given
    if not all(isinstance(point, list) and len(point) == 2 for point in given):
        raise InputError(f"{where}: pairs of time and value are needed")
    return point_times([point[0] for point in given], 1, where), [point[1] for point in given]
