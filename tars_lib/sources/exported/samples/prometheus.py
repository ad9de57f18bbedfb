"""The answer of Prometheus (Mimir, Thanos, VictoriaMetrics) to a range query.

References
----------
https://prometheus.io/docs/prometheus/latest/querying/api/#range-queries
"""

from __future__ import annotations

from tars_lib.errors import InputError
from tars_lib.model.metrics import COUNTER
from tars_lib.model.units import unit_in_name
from tars_lib.sources.exported.content import Content
from tars_lib.sources.exported.fields import at
from tars_lib.sources.exported.samples.points import point_times, point_values
from tars_lib.sources.exported.shapes import Choices, Exported, SampledSeries
from tars_lib.sources.exported.whose import SeriesName, owners


def is_one(document: object) -> bool:
    """Whether parsed JSON looks like the answer to a query."""
    return (
        isinstance(document, dict)
        and isinstance(at(document, "data.result"), list)
        and "resultType" in document["data"]
    )


def read(content: Content, choices: Choices) -> Exported:
    """Read a file that holds the answer."""
    return parse(content.document, content.label, choices)


def parse(document: object, label: str = "prometheus", choices: Choices | None = None) -> Exported:
    """Read a matrix: the repo is a label, the metric its name, where the query kept one.

    A name that ends in ``_total`` is that of a running total, because functions such as `rate` and `increase` drop the name.

    Raises
    ------
    InputError
        If the server reported an error, the result is no matrix, or repo or metric cannot be told.
    """
    choices = choices or Choices()
    status, kind = at(document, "status") if isinstance(document, dict) else None, None
    if isinstance(document, dict):
        if status not in (None, "success"):
            raise InputError(
                f"{label}: the server said {str(at(document, 'error') or status)[:200]!r}; an answer with success is needed"
            )
        kind = at(document, "data.resultType")
    if not is_one(document) or kind != "matrix" or not isinstance(document, dict):
        raise InputError(
            f"{label}: resultType {str(kind)[:40]!r}; a matrix is needed, the answer of /api/v1/query_range"
        )
    result = at(document, "data.result")
    if not result:
        raise InputError(f"{label}: the query found no series")
    names: list[SeriesName] = []
    for number, one in enumerate(result, start=1):
        labels = at(one, "metric") if isinstance(one, dict) else None
        if not isinstance(labels, dict) or not isinstance(at(one, "values"), list):
            what = (
                "native histograms are not read"
                if isinstance(one, dict) and "histograms" in one
                else "no metric and values"
            )
            raise InputError(f"{label}, series {number}: {what}; a series of numbers is needed")
        texts = {str(key): str(value) for key, value in labels.items()}
        own = texts.get("__name__", "")
        inner = ", ".join(f'{key}="{value}"' for key, value in texts.items() if key != "__name__")
        names.append(SeriesName(f"{own}{{{inner}}}", own, texts or {"": ""}))
    series = []
    warnings = at(document, "warnings")
    for number, (owner, name, one) in enumerate(
        zip(owners(names, choices, label), names, result, strict=True), start=1
    ):
        where = f"{label}, series {number}"
        points = one["values"]
        if not all(isinstance(point, list) and len(point) == 2 for point in points):
            raise InputError(f"{where}: pairs of time and value are needed")
        is_total = name.name.endswith("_total") and not owner.kind
        series.append(
            SampledSeries(
                owner.repo,
                owner.metric,
                point_times([point[0] for point in points], 1, where),
                point_values([point[1] for point in points], where),
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
        columns=f"matrix; {keys}",
        zone="UTC, counted in s since 1970",
        notes=tuple(notes),
    )
