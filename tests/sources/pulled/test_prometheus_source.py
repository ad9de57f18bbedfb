"""What Prometheus is asked, what it may answer, and what is refused in one line."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from servers import Scripted, said, scripted
from worlds import World

from tars_lib.config.pulling.series import PrometheusForm
from tars_lib.errors import InputError
from tars_lib.sources.pulled.protocol import Ask
from tars_lib.sources.pulled.series.prometheus import read
from tars_lib.sources.pulled.series.prometheus_answer import series_of, values_of

DAY = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
HOUR = 3600


def answer(*series: tuple[dict[str, str], list[Any]], kind: str = "matrix") -> bytes:
    """An answer of Prometheus."""
    key = "value" if kind == "vector" else "values"
    result = [{"metric": labels, key: points} for labels, points in series]
    return said({"status": "success", "data": {"resultType": kind, "result": result}})


def spec(server: Scripted, query: str = "up", **fields: Any) -> PrometheusForm:
    given = {"name": "prod", "kind": "prometheus", "url": server.url, "step": "1h", "parallel": 1}
    metric = {"repo": fields.pop("repo")} if "repo" in fields else {}
    metrics = {"load": {"query": query, **metric}}
    return PrometheusForm.model_validate(given | {"metrics": metrics} | fields)


def asked_for(server: Scripted) -> list[dict[str, str]]:
    """Parameters of the requests."""
    return [{key: value[0] for key, value in parse_qs(text.partition("\r\n\r\n")[2]).items()} for text in server.asked]


def table(server: Scripted, ask: Ask, **fields: Any) -> pa.Table:
    samples = read(spec(server, **fields), ask).samples
    assert samples is not None
    return pa.concat_tables(list(samples))


def test_a_range_is_asked_for_in_pieces_of_no_more_points_than_allowed(tmp_path: Path) -> None:
    point = answer(({"service": "web"}, []))
    with scripted(point) as server:
        table(server, World(tmp_path).ask, points=10)
        pieces = [(int(one["start"]) - DAY, int(one["end"]) - DAY) for one in asked_for(server)]
    # 24 points, each once
    assert pieces == [(0, 9 * HOUR), (10 * HOUR, 19 * HOUR), (20 * HOUR, 23 * HOUR)]


def test_the_limit_of_the_server_itself_is_met(tmp_path: Path) -> None:
    """11,000 points are asked for at once and not one more, over a year of five minutes."""
    ask = World(tmp_path).ask
    year = Ask(datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC), *ask_rest(ask))
    with scripted(answer(({"service": "web"}, []))) as server:
        table(server, year, step="5m")
        counts = [(int(one["end"]) - int(one["start"])) // 300 + 1 for one in asked_for(server)]
    assert max(counts) == 11_000
    assert sum(counts) == 365 * 288


def ask_rest(ask: Ask) -> tuple[Any, ...]:
    return ask.root, ask.environment, ask.tell, ask.note, ask.pause, ask.clock


@pytest.mark.parametrize(
    "too_much",
    [
        said({"status": "error", "error": "exceeded maximum resolution of 5 points per timeseries"}, "400 Bad Request"),
        said({"status": "error", "error": "query processing would load too many samples"}, "422 Unprocessable"),
        said(b" " * 17_000_000),
    ],
)
def test_what_is_too_much_is_asked_for_in_halves(tmp_path: Path, too_much: bytes) -> None:
    first, second = (answer(({"service": "web"}, [[DAY + hour * HOUR, "1"]])) for hour in (0, 12))
    with scripted(too_much, first, second) as server:
        found = table(server, World(tmp_path).ask)
        pieces = [(int(one["start"]) - DAY, int(one["end"]) - DAY) for one in asked_for(server)]
    assert pieces == [(0, 23 * HOUR), (0, 11 * HOUR), (12 * HOUR, 23 * HOUR)]
    assert found.num_rows == 2


def test_labels_name_repos_and_numbers_keep_their_last_digit(tmp_path: Path) -> None:
    labels = {"namespace": "shop", "service": "web"}
    points = [[DAY, "0.1"], [DAY + 2.5 * HOUR, "NaN"], [float(DAY + 3 * HOUR), "1e-05"]]
    world = World(tmp_path)
    with scripted(answer((labels, points))) as server:
        found = table(server, world.ask, repo="{namespace}/{service}")
    assert found["repo"].to_pylist() == ["shop/web", "shop/web"]
    assert found["metric"].to_pylist() == ["load", "load"]
    assert found["value"].to_pylist() == [0.1, 1e-05]
    assert found["timestamp"].to_pylist() == [datetime(2026, 1, 1, hour, tzinfo=UTC) for hour in (0, 3)]
    assert world.notes == ["1 points are NaN, which is no value; they count as missing samples"]


def test_increases_are_rounded_to_a_millionth_and_the_reader_is_told_why(tmp_path: Path) -> None:
    world = World(tmp_path)
    with scripted(answer(({"service": "web"}, [[DAY, "99.99999999"]]))) as server:
        found = table(server, world.ask, query="increase(x[1h])")
    assert found["value"].to_pylist() == [100.0]
    assert "increase() extrapolates to the ends of its range" in world.notes[0]


WEB = {"service": "web"}


@pytest.mark.parametrize(
    ("content", "needed"),
    [
        (said({"status": "error"}), "no status of success"),
        (said([1]), "no status of success"),
        (answer((WEB, [[DAY, "1"]]), kind="vector"), "the query gives 'vector'; a matrix is needed"),
        (answer(({"pod": "a"}, [[DAY, "1"]])), "a series without the label service; its labels: pod"),
        (answer(({}, [[DAY, "1"]])), "a series without the label service; its labels: none"),
        (answer((WEB, [[DAY, "1"]]), (WEB, [[DAY, "2"]])), "several series of service 'web'; one a service is allowed"),
        (answer((WEB, [[DAY, "+Inf"]])), "+Inf at 2026-01-01T00:00:00Z; a finite number is allowed"),
        (answer((WEB, [[DAY, "many"]])), "could not convert string to float: 'many'"),
        (answer((WEB, [[DAY, "1_000"]])), "1_000 at 2026-01-01T00:00:00Z; a finite number is allowed"),
        (answer((WEB, [[DAY, 1]])), "a value that is no text"),
        (answer((WEB, [[str(DAY), "1"]])), "a time that is no number"),
        (answer((WEB, [[True, "1"]])), "a time that is no number"),
        (answer((WEB, [[10**400, "1"]])), "a time that no calendar has"),
        (answer((WEB, [[10**12, "1"]])), "a time from 1970 to the end of 2199 is allowed"),
        (answer((WEB, [[DAY]])), "a point that is no pair"),
        (answer((WEB, ["12"])), "a point that is no pair"),
        (answer((WEB, [[DAY - HOUR, "1"]])), "points outside the range that was asked"),
        (answer((WEB, [[DAY + HOUR, "1"], [DAY, "1"]])), "points of service 'web' are not in the order of time"),
        (answer(({"service": "w" * 1001}, [])), "a label that is no text of up to 1000 characters"),
        (said({"status": "success", "data": {"resultType": "matrix", "result": [7]}}), "a series without labels"),
        (
            said({"status": "success", "data": {"resultType": "matrix", "result": [{"metric": WEB, "histograms": []}]}}),
            "a native histogram is not allowed",
        ),
    ],
)  # fmt: skip
def test_a_lying_server_is_told_in_one_line(tmp_path: Path, content: bytes, needed: str) -> None:
    with scripted(content) as server, pytest.raises(InputError, match=re.escape(needed)) as error:
        table(server, World(tmp_path).ask)
    assert "\n" not in str(error.value)
    assert str(error.value).startswith("source prod")


def test_who_calls_whom_is_read_from_the_service_graph(tmp_path: Path) -> None:
    def edge(client: str, server: str) -> tuple[dict[str, str], list[Any]]:
        return {"client": client, "server": server}, [DAY, "5"]

    edges = answer(edge("web", "api"), edge("user", "web"), edge("web", "web"), edge("api", "db"), kind="vector")
    with scripted(edges) as server:
        found = read(spec(server, service_graph={}, metrics={}), World(tmp_path).ask)
        (asked,) = asked_for(server)
    assert [(one.caller, one.callee) for one in found.dependencies] == [("api", "db"), ("web", "api")]
    assert asked["query"] == "sum by (client, server) (increase(traces_service_graph_request_total[86400s])) > 0"
    assert found.samples is None


def test_several_pieces_are_asked_for_at_once_and_come_in_order(tmp_path: Path) -> None:
    with scripted(answer(({"service": "web"}, []))) as server:
        form = spec(server, points=1, parallel=4)
        samples = read(form, World(tmp_path).ask).samples
        assert samples is not None
        assert sum(1 for _ in samples) == 24
        starts = sorted(int(one["start"]) for one in asked_for(server))
    assert np.diff(starts).tolist() == [HOUR] * 23


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["status", "data", "result", "resultType", "metric", "values", "service"]), inner
        )
    ),
    max_leaves=12,
)
POINTS = st.lists(
    st.tuples(st.integers() | st.floats() | st.text(max_size=3), st.text(max_size=6) | st.floats()).map(list)
)


@given(ANY | POINTS.map(lambda points: {
    "status": "success",
    "data": {"resultType": "matrix", "result": [{"metric": {"service": "web"}, "values": points}]},
}))  # fmt: skip
def test_any_document_is_read_or_refused(document: Any) -> None:
    try:
        for one in series_of(document, "source prod", "matrix"):
            time, value = values_of(one, "source prod")
            assert time.shape == value.shape
            assert not np.isinf(value).any()
    except InputError as error:
        assert "\n" not in str(error)  # noqa: PT017 - either is allowed
