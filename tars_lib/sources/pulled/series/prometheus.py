"""Range queries of Prometheus, Mimir, Thanos and VictoriaMetrics, and the service graph of OpenTelemetry.

A range is asked in pieces of at most 11,000 points, several at once, and a piece that is still too much for the server or for
this side is halved. A sample at t speaks of the step that ends at t.

References
----------
HTTP API, range queries, https://prometheus.io/docs/prometheus/latest/querying/api/#range-queries
`increase` extrapolates, https://prometheus.io/docs/prometheus/latest/querying/functions/#increase
Service graphs, https://grafana.com/docs/tempo/latest/metrics-from-traces/service_graphs/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tars_lib.errors import InputError
from tars_lib.files.limits import MAX_REPOS
from tars_lib.model.history import SECOND, to_micros
from tars_lib.model.names import Dependency
from tars_lib.sources.columns import coded, column
from tars_lib.sources.pulled.at_once import in_order
from tars_lib.sources.pulled.protocol import Ask, Pulled, PullOutlook
from tars_lib.sources.pulled.series.prometheus_answer import AnsweredSeries, series_of, values_of
from tars_lib.sources.pulled.web import RefusedError, TooLargeError, Web, basic, bearer

if TYPE_CHECKING:
    import pyarrow as pa

    from tars_lib.config.pulling.series import PrometheusForm, PrometheusMetric

_ANSWER = 16_000_000
"""Bytes of one answer: 600,000 points; more is asked for in halves. Judgement: several are parsed at once."""
_TOO_MUCH = re.compile(
    r"exceeded maximum resolution|too many (samples|points)|too large|maximum .*(samples|series)", re.IGNORECASE
)
_MILLI = 1000
EXTRAPOLATED = (
    "increase() extrapolates to the ends of its range, so counts can be fractions and are rounded to a millionth; "
    "https://prometheus.io/docs/prometheus/latest/querying/functions/#increase"
)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of a range query: points from `first` to `last`, both included, in milliseconds."""

    metric: str
    first: int
    last: int


def read(spec: PrometheusForm, ask: Ask) -> Pulled:
    """Ask for every metric, and for the service graph; see `Source.read`."""
    asked = {name: metric.query for name, metric in spec.metrics.items()}
    if any("increase(" in query for query in asked.values()):
        ask.note(EXTRAPOLATED)
    dependencies: list[Dependency] = []
    if spec.service_graph is not None:
        asked["service_graph"] = _graph_query(spec, ask)
        with _server(spec, ask) as web:
            dependencies = _calls(spec, ask, web)
    return Pulled(asked, _samples(spec, ask) if spec.metrics else None, dependencies=dependencies)


def look(spec: PrometheusForm, ask: Ask) -> PullOutlook:
    """Ask how many series and points there are; see `outlook_of`."""
    first, last = _grid(spec, ask)
    length = max((last - first) // _MILLI, 1)
    series = samples = 0
    with _server(spec, ask) as web:
        for metric in spec.metrics.values():
            step = max(int(spec.step.total_seconds()), 1)
            counted = f"count_over_time(({metric.query})[{length + step}s:{step}s])"
            answered = series_of(
                web.json("/api/v1/query", {"query": counted, "time": _seconds(last)}, form=True), spec.label, "vector"
            )
            series += len(answered)
            samples += int(sum(float(values_of(counts, spec.label)[1].sum()) for counts in answered))
        calls = None if spec.service_graph is None else len(_calls(spec, ask, web))
    return PullOutlook(series=series, samples=samples, dependencies=calls)


def _server(spec: PrometheusForm, ask: Ask) -> Web:
    headers = dict(spec.headers) | bearer(ask, spec.auth)
    return Web(spec.label, spec.url, headers, spec.timeout, ask, auth=basic(ask, spec.auth), at_most=_ANSWER)


def _grid(spec: PrometheusForm, ask: Ask) -> tuple[int, int]:
    """Return the first and last point, in milliseconds, on multiples of the step: the same points whenever it is asked."""
    step = int(spec.step.total_seconds()) * _MILLI
    # rounded up, as a point is in the range from its begin on and before its end
    since, until = (-(-to_micros(time) // (SECOND // _MILLI)) for time in (ask.since, ask.until))
    return -(-since // step) * step, (until - 1) // step * step


def _pieces(spec: PrometheusForm, ask: Ask) -> list[_Piece]:
    first, last = _grid(spec, ask)
    step = int(spec.step.total_seconds()) * _MILLI
    starts = range(first, last + 1, spec.points * step)
    return [
        _Piece(name, start, min(start + (spec.points - 1) * step, last)) for name in spec.metrics for start in starts
    ]


def _samples(spec: PrometheusForm, ask: Ask) -> Iterator[pa.Table]:
    """Yield the answers in order; a few are asked for ahead, so that memory is bounded."""
    pieces = _pieces(spec, ask)
    missing = 0
    with _server(spec, ask) as web:
        answers = in_order(pieces, lambda piece: _piece(spec, web, piece), spec.parallel)
        for number, (table, nothing) in enumerate(answers, start=1):
            missing += nothing
            ask.tell(number, len(pieces))
            yield table
    if missing:
        ask.note(f"{missing} points are NaN, which is no value; they count as missing samples")


def _piece(spec: PrometheusForm, web: Web, piece: _Piece) -> tuple[pa.Table, int]:
    """Return the samples of a piece, and how many points had no value."""
    metric = spec.metrics[piece.metric]
    try:
        content = web.json(
            "/api/v1/query_range",
            {
                "query": metric.query,
                "start": _seconds(piece.first),
                "end": _seconds(piece.last),
                "step": f"{int(spec.step.total_seconds())}",
            },
            form=True,
        )
    except (TooLargeError, RefusedError) as error:
        if piece.first == piece.last or not (isinstance(error, TooLargeError) or _TOO_MUCH.search(error.said)):
            raise InputError(f"{error} (metric {piece.metric})") from error
        return _halved(spec, web, piece)
    return _table(spec, piece, metric, series_of(content, f"{spec.label}, {piece.metric}", "matrix"))


def _halved(spec: PrometheusForm, web: Web, piece: _Piece) -> tuple[pa.Table, int]:
    import pyarrow as pa

    step = int(spec.step.total_seconds()) * _MILLI
    middle = piece.first + (piece.last - piece.first) // step // 2 * step
    first, lost = _piece(spec, web, _Piece(piece.metric, piece.first, middle))
    second, more = _piece(spec, web, _Piece(piece.metric, middle + step, piece.last))
    return pa.concat_tables([first, second]), lost + more


def _table(
    spec: PrometheusForm, piece: _Piece, metric: PrometheusMetric, answered: list[AnsweredSeries]
) -> tuple[pa.Table, int]:
    import pyarrow as pa

    label = f"{spec.label}, {piece.metric}"
    repos: dict[str, int] = {}
    times, values, codes = [], [], []
    missing = 0
    for series in answered:
        repo = _repo_of(series.labels, metric.repo, label)
        if repo in repos:
            raise InputError(
                f"{label}: several series of service {repo[:100]!a}; one a service is allowed, "
                f"such as by sum by ({metric.repo}) (...)"
            )
        repos[repo] = len(repos)
        time, value = values_of(series, label)
        if time.size and not (piece.first <= time.min() and time.max() <= piece.last):
            raise InputError(f"{label}: points outside the range that was asked, from {_iso(piece.first)} on")
        if (np.diff(time) <= 0).any():
            raise InputError(f"{label}: points of service {repo[:100]!a} are not in the order of time")
        known = ~np.isnan(value)
        missing += int((~known).sum())
        if metric.kind == "count" or "increase(" in metric.query:
            value = np.round(value, 6)
        times.append(time[known])
        values.append(value[known])
        codes.append(np.full(int(known.sum()), repos[repo], dtype=np.int32))
    if len(repos) > MAX_REPOS:
        raise InputError(f"{label}: {len(repos)} services; up to {MAX_REPOS} are allowed")
    time = np.concatenate(times) if times else np.zeros(0, dtype=np.int64)
    table = pa.table(
        {
            "timestamp": column(time * (SECOND // _MILLI), pa.timestamp("us", "UTC")),
            "repo": coded(np.concatenate(codes) if codes else np.zeros(0, dtype=np.int32), tuple(repos)),
            "metric": coded(np.zeros(time.size, dtype=np.int32), (piece.metric,)),
            "value": column(np.concatenate(values) if values else np.zeros(0), pa.float64()),
        }
    )
    return table, missing


_FIELD = re.compile(r"\{([a-zA-Z_][a-zA-Z0-9_]*)\}")


def _repo_of(labels: dict[str, str], wanted: str, label: str) -> str:
    """Return the repo of a series: the value of a label, or a template such as ``{namespace}/{service}``."""
    names = _FIELD.findall(wanted) or [wanted]
    for name in names:
        if not labels.get(name):
            shown = ", ".join(sorted(labels)[:10]) or "none"
            raise InputError(f"{label}: a series without the label {name}; its labels: {shown[:300]}")
    return _FIELD.sub(lambda field: labels[field[1]], wanted) if _FIELD.search(wanted) else labels[wanted]


def _graph_query(spec: PrometheusForm, ask: Ask) -> str:
    graph = spec.service_graph
    assert graph is not None  # noqa: S101 - for the type
    length = max(int((ask.until - ask.since).total_seconds()), 1)
    return f"sum by ({graph.client}, {graph.server}) (increase({graph.metric}[{length}s])) > 0"


def _calls(spec: PrometheusForm, ask: Ask, web: Web) -> list[Dependency]:
    """Return who called whom at least once in the range."""
    graph = spec.service_graph
    assert graph is not None  # noqa: S101 - for the type
    label = f"{spec.label}, service_graph"
    content = web.json(
        "/api/v1/query", {"query": _graph_query(spec, ask), "time": f"{to_micros(ask.until) / SECOND:.3f}"}, form=True
    )
    pairs = []
    for series in series_of(content, label, "vector"):
        pair = (_repo_of(series.labels, graph.client, label), _repo_of(series.labels, graph.server, label))
        if pair[0] != pair[1] and not set(pair) & set(graph.leave_out):
            pairs.append(pair)
    return [Dependency(caller, callee) for caller, callee in sorted(set(pairs))]


def _seconds(millis: int) -> str:
    return f"{millis // _MILLI}"


def _iso(millis: int) -> str:
    return str(np.datetime64(millis, "ms")) + "Z"
