"""The answer of Datadog to a query of time series (`/api/v1/query`), which carries units.

References
----------
https://docs.datadoghq.com/api/latest/metrics/#query-timeseries-points
"""

from __future__ import annotations

from tars_lib.errors import InputError
from tars_lib.model.units import unit_of
from tars_lib.sources.exported.content import Content
from tars_lib.sources.exported.fields import Entry, are_all, at, entries_of, text_at
from tars_lib.sources.exported.samples.points import point_times, point_values
from tars_lib.sources.exported.shapes import Choices, Exported, SampledSeries
from tars_lib.sources.exported.whose import SeriesName, owners

_LISTS = ("series",)
_COUNTS = {"request", "error", "hit", "event", "count", "occurrence", "message", "transaction", "query", "operation"}
"""Units of Datadog that are counts of something."""


def is_one(document: object) -> bool:
    """Whether parsed JSON looks like the answer."""
    return are_all(document, _LISTS, lambda entry: isinstance(entry.get("pointlist"), list))


def read(content: Content, choices: Choices) -> Exported:
    """Read a file that holds the answer."""
    return parse(content.document, content.label, choices)


def parse(document: object, label: str = "datadog", choices: Choices | None = None) -> Exported:
    """Read series: the metric by its name, the repo from the tags of the scope (``service`` unless told otherwise).

    Raises
    ------
    InputError
        If the query failed, a point cannot be read, or repo or metric cannot be told.
    """
    choices = choices or Choices()
    if isinstance(document, dict) and text_at(document, "status") not in ("", "ok"):
        raise InputError(f"{label}: the query failed: {text_at(document, 'error', 'message', 'status')[:200]}")
    found = entries_of(document, _LISTS, label)
    names = [_name(entry, where) for where, entry in found]
    series = []
    for owner, (where, entry) in zip(owners(names, choices, label), found, strict=True):
        points = entry["pointlist"]
        if not isinstance(points, list) or not all(isinstance(point, list) and len(point) == 2 for point in points):
            raise InputError(f"{where}: a pointlist of pairs of time and value is needed")
        series.append(
            SampledSeries(
                owner.repo,
                owner.metric,
                point_times([point[0] for point in points], 1_000, where),
                point_values([point[1] for point in points], where),
                owner.unit or _unit(entry),
                owner.kind,
            )
        )
    return Exported(
        series=tuple(series), columns="metric, scope, pointlist, unit", zone="UTC, counted in ms since 1970"
    )


def _name(entry: Entry, where: str) -> SeriesName:
    scope = text_at(entry, "scope", where=where)
    tags = [tag.partition(":") for tag in scope.split(",") if ":" in tag]
    metric = text_at(entry, "metric", where=where)
    return SeriesName(
        f"{metric}{{{scope}}}", metric, {key.strip(): value.strip() for key, _, value in tags} or {"": ""}
    )


def _unit(entry: Entry) -> str:
    """The unit, and what it is a share of, such as ``request`` per ``second``."""
    unit = at(entry, "unit")
    parts = [text_at(one, "name") if isinstance(one, dict) else "" for one in (unit if isinstance(unit, list) else [])]
    first, per = (*parts, "", "")[:2]
    if not first:
        return ""
    plain = "ratio" if first == "fraction" else "count" if first in _COUNTS else first
    return unit_of(f"{plain}/{per}" if per else plain).symbol
