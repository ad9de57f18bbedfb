"""The answer of New Relic to a query with TIMESERIES, by NerdGraph or as a list of its results; it carries no units.

That of the older Insights interface is read too.

References
----------
https://docs.newrelic.com/docs/apis/nerdgraph/examples/nerdgraph-nrql-tutorial/
"""

from __future__ import annotations

from collections.abc import Iterator

from tars_lib.errors import InputError
from tars_lib.sources.exported.fields import Entry, EntryShape, at
from tars_lib.sources.exported.samples.points import Points, owned_series, point_times, point_values
from tars_lib.sources.exported.shapes import NO_CHOICES, Choices, Exported
from tars_lib.sources.exported.whose import SeriesName

_BEGIN, _END = "beginTimeSeconds", "endTimeSeconds"
_FACETS, _SERIES = "facets", "timeSeries"
SHAPE = EntryShape(("results",), {_BEGIN: object, _END: object})
_NERDGRAPH = "data.actor.account.nrql"


def is_one(document: object) -> bool:
    """Return whether parsed JSON looks like the answer."""
    return SHAPE.fits(_inner(document))


def parse(document: object, label: str = "newrelic", choices: Choices = NO_CHOICES) -> Exported:
    """Read series: the repo from the facet, or the field that `repo_from` names; the metric by the function that was asked for.

    Raises
    ------
    InputError
        If an entry has no time, a value is no number, or repo or metric cannot be told.
    """
    points: dict[tuple[str, str], list[tuple[str, object, object]]] = {}
    for entry in SHAPE.records(_inner(document), label, choices):
        repo = entry.name(choices.repo_from or "facet")
        if choices.repo_from and not repo:
            raise InputError(
                f"{entry.where}: --repo-from {choices.repo_from}: no such field; found: {', '.join(entry.entry)[:200]}"
            )
        for metric, value in _values(entry.entry):
            points.setdefault((repo, metric), []).append((entry.where, entry.entry[_BEGIN], value))
    names = [_name(repo, metric, choices) for repo, metric in points]
    series = owned_series(names, (_points(key[1], rows) for key, rows in points.items()), choices, label)
    return Exported(series=series, columns=f"facet, {_BEGIN}, values", zone="UTC, counted in s since 1970")


def _points(metric: str, rows: list[tuple[str, object, object]]) -> Points:
    where, unit = rows[0][0], "count" if metric == "count" else ""
    times, values = [row[1] for row in rows], [row[2] for row in rows]
    return point_times(times, 1, where), point_values(values, where), unit, unit


def _inner(document: object) -> object:
    answer = at(document, _NERDGRAPH) if isinstance(document, dict) else None
    inner = document if answer is None else answer
    return {SHAPE.keys[0]: list(_flat(inner))} if isinstance(inner, dict) and _is_older(inner) else inner


def _is_older(answer: Entry) -> bool:
    """Return whether an answer is one of the Insights query interface: series below each facet, the numbers in a list."""
    return any(
        shape.fits(answer)
        for shape in (EntryShape((_SERIES,), {_BEGIN: object}), EntryShape((_FACETS,), {_SERIES: list}))
    )


def _flat(answer: Entry) -> Iterator[object]:
    """Yield the entries of an older answer as NerdGraph writes them."""
    parts = answer.get(_FACETS)
    for part in parts if isinstance(parts, list) else [answer]:
        name = part.get("name") if isinstance(part, dict) else None
        facet = ", ".join(map(str, name)) if isinstance(name, list) else name
        for entry in part[_SERIES]:
            told = entry.get("results") if isinstance(entry, dict) else None
            numbers = [number for number in told if isinstance(number, dict)] if isinstance(told, list) else []
            if isinstance(entry, dict):
                yield {
                    **({} if facet is None else {"facet": facet}),
                    **{key: entry.get(key) for key in (_BEGIN, _END)},
                    **{key: value for number in numbers for key, value in number.items()},
                }


def _values(entry: Entry) -> Iterator[tuple[str, object]]:
    """Yield the numbers of an entry by the function that gave them; those of a percentile have one for each."""
    for key, value in entry.items():
        if isinstance(value, dict):
            yield from ((f"{key}.{inner}", number) for inner, number in value.items())
        elif key not in (_BEGIN, _END) and (value is None or not isinstance(value, str | bool | list)):
            yield key, value


def _name(repo: str, metric: str, choices: Choices) -> SeriesName:
    label = choices.repo_from or "service"
    return SeriesName(f"{metric} of {repo}" if repo else metric, metric, {label: repo} if repo else {})
