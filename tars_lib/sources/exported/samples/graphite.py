"""What Graphite's render interface gives with ``format=json``: series with their tags, values before times.

References
----------
https://graphite.readthedocs.io/en/stable/render_api.html#json
"""

from __future__ import annotations

from tars_lib.errors import InputError
from tars_lib.sources.exported.fields import EntryShape, PlacedEntry
from tars_lib.sources.exported.samples.points import Points, owned_series, point_times, point_values
from tars_lib.sources.exported.shapes import NO_CHOICES, Choices, Exported
from tars_lib.sources.exported.whose import SeriesName, series_name

SHAPE = EntryShape((), {"target": str, "datapoints": list})
_MILLIS = 100_000_000_000
"""Times from here on count milliseconds, as data sources of Grafana that speak this form have them; as seconds: year 5138."""


def is_one(document: object) -> bool:
    """Return whether parsed JSON looks like the answer."""
    return isinstance(document, list) and SHAPE.fits(document)


def parse(document: object, label: str = "graphite", choices: Choices = NO_CHOICES) -> Exported:
    """Read series: repo and metric by tags, else the target is the name as any other is.

    Raises
    ------
    InputError
        If a point is no pair of value and time, or repo or metric cannot be told.
    """
    entries = SHAPE.records(document, label, choices)
    series = owned_series([_name(entry) for entry in entries], map(_points, entries), choices, label)
    return Exported(series=series, columns="target, datapoints, tags", zone="UTC, counted since 1970")


def _points(entry: PlacedEntry) -> Points:
    pairs = entry.entry["datapoints"]
    if not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
        raise InputError(f"{entry.where}: datapoints that are pairs of value and time are needed")
    times = [pair[1] for pair in pairs]
    is_millis = all(isinstance(time, int | float) and time >= _MILLIS for time in times)
    micros = point_times(times, 1_000 if is_millis else 1, entry.where)
    return micros, point_values([pair[0] for pair in pairs], entry.where), "", ""


def _name(entry: PlacedEntry) -> SeriesName:
    target, tagged = entry.name("target"), entry.entry.get("tags")
    tags = {key: str(value) for key, value in tagged.items()} if isinstance(tagged, dict) else {}
    metric = tags.pop("name", target)
    return SeriesName(target, metric, tags) if tags else series_name(target)
