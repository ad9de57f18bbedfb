"""Databases: parameters are bound and never put into the text, types are kept, and errors are one line."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from worlds import World

from tars_lib.config.pulling.series import SqlForm
from tars_lib.errors import ConfigError, InputError
from tars_lib.sources.pulled.series.sql import look, read
from tars_lib.sources.pulled.series.sql_text import bound

RANGE = "where ts >= :since and ts < :until"
QUERY = f"select ts as timestamp, service as repo, metric, value from samples {RANGE}"  # noqa: S608 - a name of this file


def spec(url: str, query: str = QUERY, **fields: Any) -> SqlForm:
    return SqlForm.model_validate({"name": "db", "kind": "sql", "url": url, "query": query} | fields)


def table(form: SqlForm, root: Path) -> pa.Table:
    samples = read(form, World(root).ask).samples
    assert samples is not None
    return pa.concat_tables(list(samples))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("a >= :since and b < :until", "a >= ? and b < ?"),
        ("a >= :since\nand ':until' = x and b < :until;", "a >= ?\nand ':until' = x and b < ?"),
        ('":since" > :since -- :until\n and :until', '":since" > ? -- :until\n and ?'),
        ("/* :x */ :since::date < :until::timestamptz", "/* :x */ ?::date < ?::timestamptz"),
        ("$$ :since $$ < :since and $q$ :until $q$ < :until", "$$ :since $$ < ? and $q$ :until $q$ < ?"),
        ("'it''s :x' = :since and v:field = :until", "'it''s :x' = ? and v:field = ?"),
    ],
)
def test_parameters_are_found_where_they_are_some(query: str, expected: str) -> None:
    assert bound(f"with {query}", lambda name: "?", "query") == (f"with {expected}", ("since", "until"))


@pytest.mark.parametrize(
    ("query", "needed"),
    [
        ("select 1", ":since and :until are missing"),
        ("select a > :since", ":until is missing"),
        ("select a > :since and b < :until and c = :zone", "parameter :zone is not known; allowed: :since, :until"),
        ("select a > :since and b < :until; drop table x", "several statements; one query is allowed"),
        ("-- select\ncopy (select :since, :until) to 'x'", "begins with copy; a query that reads is allowed"),
        ("attach 'x' || :since || :until as e", "begins with attach"),
        ("vacuum into 'x' || :since || :until", "begins with vacuum"),
        ("--", "begins with nothing"),
    ],
)
def test_a_query_that_asks_for_no_range_is_refused(query: str, needed: str) -> None:
    with pytest.raises(ConfigError, match=needed):
        bound(query, lambda name: "?", "query")


@pytest.fixture
def sqlite(tmp_path: Path) -> Path:
    pytest.importorskip("adbc_driver_sqlite", reason="adbc-driver-sqlite is not installed")
    with sqlite3.connect(tmp_path / "a.sqlite") as connection:
        connection.execute("create table samples (ts, service, metric, value)")
    connection.close()
    return tmp_path


def fill(folder: Path, *rows: tuple[Any, ...]) -> None:
    with sqlite3.connect(folder / "a.sqlite") as connection:
        connection.executemany("insert into samples values (?, ?, ?, ?)", rows)
    connection.close()


def test_only_the_range_is_read(sqlite: Path) -> None:
    days = ("2025-12-31T23:59:59Z", "2026-01-01T00:00:00Z", "2026-01-01T23:59:59Z", "2026-01-02T00:00:00Z")
    fill(sqlite, *((day, "web", "load", float(n)) for n, day in enumerate(days)))
    assert table(spec("sqlite:///a.sqlite"), sqlite)["value"].to_pylist() == [1.0, 2.0]


def test_numbers_of_an_epoch_are_times_once_it_is_said_of_which(sqlite: Path) -> None:
    begin = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
    fill(sqlite, (begin * 1000, "web", "load", 1.5), ((begin + 90_000) * 1000, "web", "load", 2.5))
    found = table(spec("sqlite:///a.sqlite", time="epoch_ms"), sqlite)
    assert found["timestamp"].to_pylist() == [datetime(2026, 1, 1, tzinfo=UTC)]
    with pytest.raises(InputError, match="column timestamp: numbers; time: epoch_s"):
        table(spec("sqlite:///a.sqlite", QUERY.replace("ts < :until", "ts <> :until").replace(">=", "<>")), sqlite)


def test_wide_tables_become_long(sqlite: Path) -> None:
    fill(sqlite, ("2026-01-01T01:00:00Z", "web", 7.0, 0.25))
    query = f"select ts as timestamp, service as repo, metric as total, value as wait from samples {RANGE}"  # noqa: S608
    metrics = {"requests_total": {"column": "total"}, "latency": {"column": "wait", "unit": "s"}}
    form = spec("sqlite:///a.sqlite", query, metrics=metrics)
    found = table(form, sqlite)
    assert list(zip(found["metric"].to_pylist(), found["value"].to_pylist(), strict=True)) == [
        ("requests_total", 7.0),
        ("latency", 0.25),
    ]
    outlook = look(form, World(sqlite).ask)
    assert (outlook.samples, outlook.series) == (2, 2)


@pytest.mark.parametrize(
    ("url", "query", "needed"),
    [
        ("sqlite:///b.sqlite", QUERY, "b.sqlite: no such file; a database is needed"),
        ("sqlite://a.sqlite", QUERY, "sqlite:///FILE is needed"),
        ("sqlite:///a.sqlite", QUERY.replace("samples", "nowhere"), "no such table: nowhere"),
        (
            "sqlite:///a.sqlite",
            QUERY.replace("service as repo", "service"),
            "no column repo; there: timestamp, service",
        ),
        ("sqlite:///a.sqlite", QUERY.replace("value from", "value, value from"), "column value stands twice"),
        (
            "sqlite:///a.sqlite",
            QUERY.replace(QUERY.partition(" where")[0], "with x as (select 1) delete from samples"),
            "attempt to write a readonly database",
        ),
    ],
)
def test_what_is_wrong_is_told_in_one_line(sqlite: Path, url: str, query: str, needed: str) -> None:
    fill(sqlite, ("2026-01-01T01:00:00Z", "web", "load", 7.0))
    with pytest.raises((InputError, ConfigError)) as error:
        table(spec(url, query), sqlite)
    assert needed in str(error.value)
    assert str(error.value).startswith("source db: ")
    assert "\n" not in str(error.value)


def test_duckdb_compares_times_without_a_zone_in_the_zone_that_is_told(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed")
    with duckdb.connect(str(tmp_path / "a.duckdb")) as connection:
        connection.execute(
            "create table samples as select timestamp '2026-01-01 00:00:00' + h * interval 1 hour as ts, 'web' as service, "
            "'load' as metric, h::double as value from range(-2, 30) r(h)"
        )
    for zone, first in ((None, 0.0), ("Europe/Berlin", 1.0)):
        found = table(spec("duckdb:///a.duckdb", time_zone=zone), tmp_path)
        assert found["value"].to_pylist() == [first + hour for hour in range(24)]
    with pytest.raises(InputError, match="read-only"):
        table(
            spec("duckdb:///a.duckdb", "with x as (select 1) insert into samples select :since, :until, '', 0"),
            tmp_path,
        )


def test_settings_reach_duckdb(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed")
    duckdb.connect(str(tmp_path / "a.duckdb")).close()
    query = (
        "select :since as timestamp, 'web' as repo, 'threads' as metric, current_setting('threads')::double as value "
        "where :since < :until"
    )
    found = table(spec("duckdb:///a.duckdb", query, options={"threads": "3", "memory_limit": "1GB"}), tmp_path)
    assert found["value"].to_pylist() == [3.0]
    with pytest.raises(InputError, match="source db: .*memorylimit"):
        table(spec("duckdb:///a.duckdb", query, options={"memorylimit": "1GB"}), tmp_path)


@pytest.mark.parametrize(
    ("url", "package"), [("snowflake://x/y", "adbc-driver-snowflake"), ("bigquery://p", "adbc-driver-bigquery")]
)
def test_the_library_that_is_missing_is_named(
    tmp_path: Path, url: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, package.replace("-", "_"), None)
    with pytest.raises(ConfigError, match=f"{package} is not installed; pip install {package}"):
        table(spec(url), tmp_path)
