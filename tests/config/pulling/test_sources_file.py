"""`sources.yaml`: what is read, what is refused by name, and that no secret stands in it or in a message."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from tars_lib.config.pulling.file import FORMS, PluginForm, read_sources
from tars_lib.config.pulling.series import ParquetForm, PrometheusForm, SqlForm
from tars_lib.config.pulling.values import SourceForm, length_of
from tars_lib.errors import ConfigError
from tars_lib.sources.pulled.table import SOURCES

CONTRACT = """
sources:
  - name: prod
    kind: prometheus
    url: http://localhost:9090
    auth: {bearer_env: PROM_TOKEN}
    step: 5m
    metrics:
      requests_total: {query: 'sum by (service) (increase(http_requests_total[5m]))', repo: service}
  - name: warehouse
    kind: sql
    url: duckdb:///warehouse.duckdb
    query: "select ts as timestamp, service as repo, metric, value from samples where ts >= :since and ts < :until"
  - name: lake
    kind: parquet
    url: s3://bucket/metrics/
    columns: {timestamp: time, repo: service}
"""
PROM: dict[str, Any] = {
    "name": "prod",
    "kind": "prometheus",
    "url": "http://localhost:9090",
    "step": "5m",
    "metrics": {"load": {"query": "up"}},
}
SQL: dict[str, Any] = {"name": "db", "kind": "sql", "url": "duckdb:///x", "query": "select :since, :until"}


def read(tmp_path: Path, content: str | list[dict[str, Any]], plugins: tuple[str, ...] = ()) -> tuple[SourceForm, ...]:
    path = tmp_path / "sources.yaml"
    text = content if isinstance(content, str) else yaml.safe_dump({"sources": content})
    path.write_text(text, encoding="utf-8")
    return read_sources(path, "sources.yaml", plugins)


def test_the_contracts_own_example_is_read(tmp_path: Path) -> None:
    prod, warehouse, lake = read(tmp_path, CONTRACT)
    assert isinstance(prod, PrometheusForm)
    assert (prod.step, prod.stamp, prod.points) == (timedelta(minutes=5), "end", 11_000)
    assert prod.metrics["requests_total"].repo == "service"
    assert isinstance(warehouse, SqlForm)
    assert isinstance(lake, ParquetForm)
    assert (lake.column("timestamp"), lake.column("value")) == ("time", "value")


def test_every_kind_has_a_form_and_a_module() -> None:
    assert FORMS.keys() == SOURCES.keys()


def test_a_kind_of_another_package_keeps_its_own_keys(tmp_path: Path) -> None:
    (found,) = read(tmp_path, [{"name": "x", "kind": "influx", "bucket": "b"}], ("influx",))
    assert isinstance(found, PluginForm)
    assert dict(found.options) == {"bucket": "b"}


def in_metric(**fields: Any) -> dict[str, Any]:
    return PROM | {"metrics": {"load": {"query": "up"} | fields}}


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"name": "x"}, "sources.0.kind: missing; it is needed; allowed: alertmanager, backstage"),
    ({"name": "x", "kind": "promtheus"}, "unknown kind ('promtheus' was given); allowed: alertmanager"),
    (PROM | {"stepp": "5m"}, "stepp: unknown key; allowed: name, kind, auth, url, step"),
    (in_metric(label="x"), "metrics.load.label: unknown key; allowed: unit, kind"),
    (PROM | {"step": "5"}, "step: a length of time is needed, such as 30s, 5m, 1h or 7d"),
    (PROM | {"name": "../x"}, "name: a name of letters, digits, - and _ is needed"),
    (PROM | {"url": "ftp://x"}, "url: an address is needed that begins with http:// or https://"),
    (PROM | {"metrics": {}}, "metrics: missing; metrics or service_graph is needed"),
    (in_metric(kind="total"), "metrics.load.kind: allowed: 'gauge', 'count' or 'counter'"),
    (PROM | {"points": 11_001}, "points: up to 11000 is allowed"),
    (in_metric(query="increase(x[1h])"), "an increase over [1h] every 5m counts some requests twice or never"),
    (in_metric(query="sum(increase(x{a='b'}[1m]))"), "an increase over [1m] every 5m"),
    (PROM | {"headers": {"Authorization": "x"}}, "Authorization carries a secret; auth"),
    (PROM | {"headers": {"X-Api-Key": "x"}}, "X-Api-Key carries a secret"),
    (PROM | {"headers": {"X-Scope-OrgID": "a\nb"}}, "one line of ASCII"),
    (SQL | {"url": "mysql://x/y"}, "url: an address of a database is needed: duckdb:///FILE"),
    (SQL | {"query": ""}, "query: text that is not empty is needed"),
    (SQL | {"metrics": {"a": {"column": "x"}, "b": {}}}, "metrics: every metric needs its column, or none"),
    (SQL | {"metrics": {"a": {"column": "x"}}, "columns": {"value": "v"}}, "columns: metric and value are not needed"),
    (SQL | {"columns": {"time": "ts"}}, "columns.time: allowed: 'timestamp', 'repo', 'metric' or 'value'"),
    (PROM | {"auth": {"bearer_env": "A", "bearer_file": "b"}}, "bearer_env and bearer_file: one of them is allowed"),
    (PROM | {"auth": {"token_env": "A"}}, "auth.token_env: unknown key; allowed: user, user_env, password_env"),
]


@pytest.mark.parametrize(("entry", "needed"), REFUSED, ids=[needed[:40] for _, needed in REFUSED])
def test_what_is_wrong_is_named_with_what_is_allowed(tmp_path: Path, entry: dict[str, Any], needed: str) -> None:
    with pytest.raises(ConfigError) as error:
        read(tmp_path, [entry])
    assert str(error.value).startswith("sources.yaml: sources.0")
    assert needed in str(error.value)
    assert "\n" not in str(error.value)


HIDDEN = "s3cr3t"


@pytest.mark.parametrize(
    ("entry", "needed"),
    [
        (PROM | {"auth": {"bearer": HIDDEN}}, "bearer_env names the environment variable"),
        (PROM | {"auth": {"password": HIDDEN}}, "password_env names the environment variable"),
        (PROM | {"auth": {"token": HIDDEN}}, "token: a secret is not allowed in this file; bearer_env"),
        (PROM | {"auth": {"bearer_env": HIDDEN}}, "the name of an environment variable is needed, in capitals"),
        (PROM | {"url": f"https://me:{HIDDEN}@host/"}, "a password is not allowed in this file"),
        (PROM | {"url": f"https://host/?access_token={HIDDEN}"}, "a secret such as access_token is not allowed"),
        (SQL | {"url": f"postgresql://me:{HIDDEN}@host/db"}, "a password is not allowed in this file"),
        (SQL | {"url": f"postgresql://host/db?password={HIDDEN}"}, "a secret such as password is not allowed"),
    ],
)
def test_a_secret_is_refused_and_not_repeated(tmp_path: Path, entry: dict[str, Any], needed: str) -> None:
    with pytest.raises(ConfigError) as error:
        read(tmp_path, [entry])
    assert needed in str(error.value)
    assert HIDDEN not in str(error.value)


def test_increases_that_a_subquery_puts_together_are_its_own_affair(tmp_path: Path) -> None:
    (found,) = read(tmp_path, [in_metric(query="sum_over_time(increase(x[1m])[5m:1m])")])
    assert isinstance(found, PrometheusForm)


def test_two_sources_of_one_name_would_share_a_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'Prod' stands twice"):
        read(tmp_path, [PROM, PROM | {"name": "Prod"}])


@pytest.mark.parametrize("content", ["", "sources: []", "sources: 3", "other: 1", "sources: [1]"])
def test_a_file_without_sources_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(ConfigError, match=r"^sources\.yaml: "):
        read(tmp_path, content)


def test_lengths() -> None:
    assert [length_of(text) for text in ("30s", "2w", "0d", "1y", "5 m")] == [
        timedelta(seconds=30),
        timedelta(days=14),
        None,
        None,
        None,
    ]
