"""What Graphite's render interface gives with ``format=json``: series with their tags, values before times.

References
----------
https://graphite.readthedocs.io/en/stable/render_api.html#json
"""

from __future__ import annotations

from tars_lib.errors import InputError
from tars_lib.sources.exported.fields import Entry, are_all, entries_of, name_at
from tars_lib.sources.exported.samples.points import point_times, point_values
from tars_lib.sources.exported.shapes import Choices, Exported, SampledSeries
from tars_lib.sources.exported.whose import SeriesName, owners, series_name

_MILLIS = 100_000_000_000
"""Times from here on count milliseconds, as data sources of Grafana that speak this form have them; as seconds: year 5138."""


def is_one(document: object) -> bool:
    """Whether parsed JSON looks like the answer."""
    return isinstance(document, list) and are_all(
        document, (), lambda entry: isinstance(entry.get("target"), str) and isinstance(entry.get("datapoints"), list)
    )


def parse(document: object, label: str = "graphite", choices: Choices | None = None) -> Exported:
    """Read series: repo and metric by tags, else the target is the name as any other is.

    Raises
    ------
    InputError
        If a point is no pair of value and time, or repo or metric cannot be told.
    """
    choices = choices or Choices()
    found = entries_of(document, (), label)
    series = []
    for owner, (where, entry) in zip(owners([_name(one, at) for at, one in found], choices, label), found, strict=True):
        points = entry["datapoints"]
        if not all(isinstance(point, list) and len(point) == 2 for point in points):
            raise InputError(f"{where}: datapoints that are pairs of value and time are needed")
        times = [point[1] for point in points]
        is_millis = all(isinstance(time, int | float) and time >= _MILLIS for time in times)
        series.append(
            SampledSeries(
                owner.repo,
                owner.metric,
                point_times(times, 1_000 if is_millis else 1, where),
                point_values([point[0] for point in points], where),
                owner.unit,
                owner.kind,
            )
        )
    return Exported(series=tuple(series), columns="target, datapoints, tags", zone="UTC, counted since 1970")


def _name(entry: Entry, where: str) -> SeriesName:
    target, given = name_at(entry, "target", where=where), entry.get("tags")
    tags = {key: str(value) for key, value in given.items()} if isinstance(given, dict) else {}
    metric = tags.pop("name", target)
    return SeriesName(target, metric, tags) if tags else series_name(target)
