"""The demo's data, out of every kind of system that has samples, give the five reports that its files give."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
import servers
import yaml

from tars_lib.files.json_records import to_json
from tars_lib.pipeline import analyze
from tars_lib.pipeline.loading import load_org
from tars_lib.pipeline.pulling.pull import PulledSource, World, pull
from tars_lib.pipeline.pulling.ranges import Range
from tars_lib.sources.demo import demo_root

pytestmark = pytest.mark.xdist_group("servers")

WHOLE = Range(datetime(2026, 9, 28, tzinfo=UTC), datetime(2026, 11, 2, 16, tzinfo=UTC))
ROWS, SERIES = 40_964, 48
ENGINES = ("health", "alerts", "correlation", "temporal", "sla")
BESIDE = {"report_id", "generated_at", "inputs"}
LONG = "select ts as timestamp, service as repo, metric, value from samples where ts >= :since and ts < :until"
BY_HOUR = (
    "select date_trunc('hour', ts) as timestamp, service as repo, metric, sum(value) as value from parts "
    "where ts >= :since and ts < :until group by 1, 2, 3"
)


def root_of(folder: Path, **source: Any) -> Path:
    """The demo without its samples, and a source for them."""
    folder.mkdir()
    for name in ("org.yaml", "events.csv", "sla-policies.yaml"):
        (folder / name).write_bytes((demo_root() / name).read_bytes())
    text = yaml.safe_dump({"sources": [{"name": "prod", **source}]}, sort_keys=False)
    (folder / "sources.yaml").write_text(text, encoding="utf-8")
    return folder


def pulled(root: Path, environment: Mapping[str, str] | None = None, **options: Any) -> PulledSource:
    """The outcome of the one source."""
    (outcome,) = pull(root, WHOLE, (), World(environment or {}), **options)
    assert outcome.error == ""
    return outcome


def reports(root: Path) -> dict[str, Any]:
    """The five reports without ids, time of making and input digests."""
    analysis = analyze(load_org(root))
    found = {name: to_json(getattr(analysis, name)) for name in ENGINES}
    return {name: {k: v for k, v in report.items() if k not in BESIDE} for name, report in found.items()}  # type: ignore[union-attr]


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    return reports(demo_root())


def same(root: Path, expected: dict[str, Any], outcome: PulledSource) -> None:
    """Everything came, and says the same."""
    assert (outcome.rows, outcome.series) == (ROWS, SERIES)
    assert reports(root) == expected


def metrics_of_prometheus() -> dict[str, Any]:
    """Counts by their increase, levels as they are."""
    counts = {m: {"query": f"sum by (service) (increase({n}[1h]))"} for m, n in servers.COUNTERS.items()}
    levels = {m: {"query": f"max by (service) ({n})", "repo": "{service}"} for m, n in servers.GAUGES.items()}
    return counts | levels


def test_prometheus(work: Path, prometheus: str, expected: dict[str, Any]) -> None:
    source = {"kind": "prometheus", "url": prometheus, "step": "1h", "metrics": metrics_of_prometheus(), "points": 300}
    root = root_of(work, **source)
    outlook = pulled(root, check=True).outlook
    assert outlook is not None
    assert (outlook.samples, outlook.series) == (ROWS, SERIES)
    assert not (root / "history").exists()
    same(root, expected, pulled(root))
    (entry,) = json.loads((root / "pulled.json").read_text(encoding="utf-8"))["sources"].values()
    assert "extrapolates" in entry["notes"][0]
    assert entry["asked"]["latency"] == "max by (service) (latency_seconds)"


def plain(table: pa.Table) -> pa.Table:
    """The table with its names as plain text, which is what a database takes."""
    names = [pa.field(name, pa.string()) for name in ("service", "metric")]
    return table.cast(pa.schema([table.schema.field("ts"), *names, table.schema.field("value")]))


def test_postgresql(work: Path, postgresql: str, expected: dict[str, Any]) -> None:
    driver = pytest.importorskip("adbc_driver_postgresql.dbapi", reason="adbc-driver-postgresql is not installed")
    # halves of each count, and of latencies, so that there is something to sum
    table = pq.read_table(demo_root() / "history.parquet").rename_columns(["ts", "service", "metric", "value"])
    with driver.connect(postgresql.replace("tars@", "tars:s3cret@")) as connection:
        with connection.cursor() as cursor:
            cursor.adbc_ingest("samples", plain(table))
            cursor.execute(
                "create table parts as select ts + interval '1 minute' * n as ts, service, metric, "
                "value * (case n when 0 then 0.25 else 0.75 end) as value from samples, (values (0), (59)) as part (n)"
            )
        connection.commit()
    source = {"kind": "sql", "url": postgresql, "auth": {"password_env": "PGSECRET"}, "query": BY_HOUR}
    root = root_of(work, **source)
    outlook = pulled(root, {"PGSECRET": "s3cret"}, check=True).outlook
    assert outlook is not None
    assert (outlook.samples, outlook.series) == (ROWS, SERIES)
    same(root, expected, pulled(root, {"PGSECRET": "s3cret"}))
    (refused,) = pull(root, WHOLE, (), World({"PGSECRET": "wr0ng"}))
    assert "password authentication failed" in refused.error
    assert "wr0ng" not in refused.error
    (unset,) = pull(root, WHOLE, (), World({}))
    assert "environment variable PGSECRET is not set" in unset.error


def test_sqlite(work: Path, expected: dict[str, Any]) -> None:
    pytest.importorskip("adbc_driver_sqlite", reason="adbc-driver-sqlite is not installed")
    root = root_of(work, kind="sql", url="sqlite:///warehouse.sqlite", query=LONG, time="text")
    with sqlite3.connect(root / "warehouse.sqlite") as connection:
        connection.execute("create table samples (ts text, service text, metric text, value real)")
        rows = [
            (f"{r['timestamp']:%Y-%m-%dT%H:%M:%SZ}", r["repo"], r["metric"], r["value"]) for r in servers.demo_rows()
        ]
        connection.executemany("insert into samples values (?, ?, ?, ?)", rows)
    connection.close()
    same(root, expected, pulled(root))


def test_duckdb(work: Path, expected: dict[str, Any]) -> None:
    duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed")
    root = root_of(work, kind="sql", url="duckdb:///warehouse.duckdb", query=LONG)
    with duckdb.connect(str(root / "warehouse.duckdb")) as connection:
        place = str(demo_root() / "history.parquet")
        connection.execute(
            "create table samples as select timestamp as ts, repo as service, metric, value from read_parquet($place)",
            {"place": place},
        )
    same(root, expected, pulled(root))


def lake_table() -> pa.Table:
    """The demo's samples, one column a metric, and the day of each row."""
    rows: dict[tuple[Any, str], dict[str, Any]] = {}
    for row in servers.demo_rows():
        found = rows.setdefault((row["timestamp"], row["repo"]), {"time": row["timestamp"], "service": row["repo"]})
        found[row["metric"]] = row["value"]
        found["date"] = f"{row['timestamp']:%Y-%m-%d}"
    return pa.Table.from_pylist(list(rows.values()))


WIDE = {name: {"column": name} for name in ("requests_total", "requests_failed", "latency", "latency_p95")}


def test_parquet_folder(work: Path, expected: dict[str, Any]) -> None:
    columns = {"timestamp": "time", "repo": "service"}
    source = {"kind": "parquet", "url": "lake", "columns": columns, "metrics": WIDE, "date_partition": "date"}
    root = root_of(work, **source)
    ds.write_dataset(
        lake_table(),
        root / "lake",
        format="parquet",
        partitioning=["date"],
        partitioning_flavor="hive",
        max_partitions=99,
    )
    same(root, expected, pulled(root))


def test_object_store(work: Path, object_store: str, expected: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    from pyarrow import fs

    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    scheme, _, host = object_store.partition("://")
    secrets = {"LAKE_KEY": "one", "LAKE_SECRET": "two"}
    store = fs.S3FileSystem(
        access_key="one", secret_key=secrets["LAKE_SECRET"], endpoint_override=host, scheme=scheme, region="us-east-1",
        allow_bucket_creation=True,
    )  # fmt: skip
    store.create_dir("lake")
    pq.write_table(pq.read_table(demo_root() / "history.parquet"), "lake/metrics/part-0.parquet", filesystem=store)
    source = {
        "kind": "parquet",
        "url": "s3://lake/metrics/",
        "endpoint": object_store,
        "region": "us-east-1",
        "auth": {"access_key_env": "LAKE_KEY", "secret_key_env": "LAKE_SECRET"},
    }
    root = root_of(work, **source)
    same(root, expected, pulled(root, secrets))
    (root / "sources.yaml").write_text(
        (root / "sources.yaml").read_text(encoding="utf-8").replace("lake/metrics", "lake/nothing"),
        encoding="utf-8",
    )
    (refused,) = pull(root, WHOLE, (), World(secrets))
    assert "s3://lake/nothing/" in refused.error


def test_postgresql_numbers_of_any_kind_become_numbers(work: Path, postgresql: str) -> None:
    pytest.importorskip("adbc_driver_postgresql", reason="adbc-driver-postgresql is not installed")
    query = (
        "select timestamp '2026-10-01 12:00' + n * interval '1 hour' as timestamp, 'web' as repo, kind as metric, value "
        "from generate_series(0, 1) as r(n), (values ('sums', 0.125::numeric), ('counts', 7::bigint)) as v(kind, value) "
        "where timestamp '2026-10-01 12:00' + n * interval '1 hour' >= :since and timestamp '2026-10-01' < :until"
    )
    source = {"kind": "sql", "url": postgresql, "auth": {"password_env": "PGSECRET"}, "query": query}
    root = root_of(work, **source)
    (refused,) = pull(root, WHOLE, (), World({"PGSECRET": "s3cret"}))
    assert "zone" in refused.error
    root_of_again(root, **source, time_zone="Europe/Berlin")
    pulled(root, {"PGSECRET": "s3cret"})
    rows = pq.read_table(root / "history" / "prod.parquet").to_pylist()
    found = sorted((row["timestamp"], row["metric"], row["value"]) for row in rows)
    assert [row[1:] for row in found] == [("counts", 7.0), ("sums", 0.125)] * 2
    assert found[0][0] == datetime(2026, 10, 1, 10, tzinfo=UTC)


def root_of_again(root: Path, **source: Any) -> None:
    """Another source in the same root."""
    text = yaml.safe_dump({"sources": [{"name": "prod", **source}]}, sort_keys=False)
    (root / "sources.yaml").write_text(text, encoding="utf-8")


def test_the_service_graph_of_a_real_prometheus(work: Path, prometheus: str) -> None:
    source = {"kind": "prometheus", "url": prometheus, "step": "1h", "service_graph": {}}
    root = root_of(work, **source)
    assert pulled(root).dependencies == 2
    edges = yaml.safe_load((root / "org.yaml").read_text(encoding="utf-8"))["dependencies"]
    assert {"from": "web", "to": "audit"} in edges
    assert edges.count({"from": "web", "to": "search"}) == 1


def test_a_query_that_a_real_prometheus_does_not_understand(work: Path, prometheus: str) -> None:
    metrics = {"load": {"query": "sum by (service) (("}}
    root = root_of(work, kind="prometheus", url=prometheus, step="1h", metrics=metrics)
    (refused,) = pull(root, WHOLE, (), World({}))
    assert "HTTP status 400: " in refused.error
    assert "parse error" in refused.error
    assert refused.error.endswith("(metric load)")


def test_more_points_than_a_real_prometheus_gives_at_once(work: Path, prometheus: str) -> None:
    """Five weeks of minutes are 51,000 points a series; the server refuses more than 11,000 at once."""
    metrics = {"load": {"query": "max by (service) (last_over_time(latency_seconds{service='web'}[2h]))"}}
    root = root_of(work, kind="prometheus", url=prometheus, step="1m", metrics=metrics)
    assert pulled(root).rows > 50_000


def test_alerts_of_a_real_alertmanager(work: Path, alertmanager: str) -> None:
    import urllib.request

    alert = {
        "labels": {"alertname": "Slow", "service": "web", "severity": "page"},
        "annotations": {"summary": "Web is slow"},
        "startsAt": "2026-10-01T10:00:00Z",
        "endsAt": "2199-01-01T00:00:00Z",
    }
    request = urllib.request.Request(  # noqa: S310 - an address of this machine
        f"{alertmanager}/api/v2/alerts", json.dumps([alert]).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=5):  # noqa: S310
        pass
    root = root_of(work, kind="alertmanager", url=alertmanager)
    assert pulled(root).incidents == 1
    assert pulled(root).incidents == 1
    (row,) = (root / "incidents.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert row.startswith("2026-10-01T10:00:00Z,web,Web is slow,CRITICAL,,,,alertmanager,")
