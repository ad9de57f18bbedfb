"""What `tars pull` costs beside the driver's own read of the same rows, in time and in peak memory.

By default 10 million samples (100 services, two metrics, one a minute) in DuckDB and, where it is installed, in PostgreSQL.
Each read happens in a process of its own, in turns. `read` takes every Arrow batch from the driver and keeps none;
`read, write` hands them to pyarrow's Parquet writer as they come; `tars pull` also binds the range, passes the gate, and puts
the file into place.
The clock includes the import of what the read needs.

Usage: python benchmarks/pull.py [--rows 10000000] [--runs 3]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from timing import busy

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

BAR = 1.5
"""Times that a pull may take of the driver's own read, on two cores."""
MEMORY_LIMIT = 1.0
"""Gigabytes (10^9 bytes) at the peak; judgement: what the driver and a million samples take, whatever the number of rows."""
_SERIES = 200
_QUERY = "select ts as timestamp, service as repo, metric, value from samples where ts >= {since} and ts < {until}"
_RANGE = ("2026-01-01T00:00:00+00:00", "2027-01-01T00:00:00+00:00")
_MEASURED = """
import json, sys, time
began = time.perf_counter()
{read}
seconds = time.perf_counter() - began
import resource
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
print(json.dumps([seconds, peak, rows, time.process_time()]))
"""
_BATCHES = {
    "DuckDB": """
import duckdb
connection = duckdb.connect(sys.argv[1] + "/warehouse.duckdb", read_only=True)
connection.execute("set TimeZone = 'UTC'; set enable_progress_bar = false")
batches = connection.sql({query!r}).to_arrow_reader(131072)
""",
    "PostgreSQL": """
import os
import adbc_driver_postgresql.dbapi
connection = adbc_driver_postgresql.dbapi.connect(os.environ["BENCHMARK_URL"])
cursor = connection.cursor()
cursor.execute({query!r})
batches = cursor.fetch_record_batch()
""",
}
_READ = "rows = sum(batch.num_rows for batch in batches)"
_WRITE = """
import pyarrow.parquet as pq
rows = 0
with pq.ParquetWriter(sys.argv[1] + "/bare.parquet", batches.schema) as writer:
    for batch in batches:
        writer.write_batch(batch)
        rows += batch.num_rows
"""
_OURS = """
import os
from datetime import datetime
from pathlib import Path
from tars_lib.pipeline.pulling.pull import World, pull
from tars_lib.pipeline.pulling.ranges import Range
wanted = Range(*(datetime.fromisoformat(text) for text in {range!r}))
(outcome,) = pull(Path(sys.argv[1]), wanted, (), World(os.environ))
assert not outcome.error, outcome.error
rows = outcome.rows
"""


def rows_of(number: int, cast: str, each: str) -> str:
    """SQL that makes the samples: the same in both databases but for a cast and how numbers are counted."""
    return (
        f"select timestamptz '2026-01-01 00:00:00+00' + (i / {_SERIES}) {cast} * interval '1 minute' as ts, "  # noqa: S608
        "'service-' || (i % 100) as service, case when (i / 100) % 2 = 0 then 'requests_total' else 'latency' end as metric, "
        f"cast((i * 7919) % 100003 as double precision) / 100 as value from {each} as r(i)"
    )


@contextmanager
def databases(folder: Path, number: int) -> Iterator[dict[str, Path]]:
    """A root for each database that is there, with the samples in it."""
    import servers

    found = {"DuckDB": folder / "duckdb"}
    _duckdb(found["DuckDB"], number)
    try:
        with servers.postgresql() as url:
            os.environ["BENCHMARK_URL"], os.environ["BENCHMARK_SECRET"] = url.replace("tars@", "tars:s3cret@"), "s3cret"
            found["PostgreSQL"] = folder / "postgresql"
            _postgresql(found["PostgreSQL"], number, url)
            yield found
    except BaseException as error:
        if type(error).__name__ != "Skipped":
            raise
        print(error)
        yield found


def _root(root: Path, url: str, auth: str) -> None:
    query = _QUERY.format(since=":since", until=":until")
    root.mkdir()
    source = f'  - name: samples\n    kind: sql\n    url: "{url}"\n    query: "{query}"\n    auth: {auth}\n'
    (root / "sources.yaml").write_text(f"sources:\n{source}", encoding="utf-8")


def _duckdb(root: Path, number: int) -> None:
    import duckdb

    _root(root, "duckdb:///warehouse.duckdb", "{}")
    with duckdb.connect(str(root / "warehouse.duckdb")) as connection:
        whole = rows_of(number, "::bigint", f"range({number})").replace("i / ", "i // ")
        connection.execute(f"create table samples as {whole}")


def _postgresql(root: Path, number: int, url: str) -> None:
    import adbc_driver_postgresql.dbapi

    _root(root, url, "{password_env: BENCHMARK_SECRET}")
    with adbc_driver_postgresql.dbapi.connect(os.environ["BENCHMARK_URL"]) as connection:
        with connection.cursor() as cursor:
            each = f"generate_series(0::bigint, {number - 1})"
            cursor.execute(f"create unlogged table samples as {rows_of(number, '', each)}")
        connection.commit()


def measured(code: str, root: Path) -> tuple[float, float, int, float]:
    """Seconds, peak bytes, rows and processor seconds of one read in its own process; those of a server are not among them."""
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED.format(read=code), str(root)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{root}: exit code {done.returncode}\n{done.stderr[-2000:]}")
    seconds, peak, rows, processor = json.loads(done.stdout)
    return seconds, peak, rows, processor


def main() -> None:
    """Fill the databases, read them in turns, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    bound = {"since": f"timestamptz '{_RANGE[0]}'", "until": f"timestamptz '{_RANGE[1]}'"}
    query = _QUERY.format(**bound)
    with tempfile.TemporaryDirectory() as made, databases(Path(made), given.rows) as roots:
        print(f"{given.rows:,} samples, median of {given.runs}; {busy()}")
        print("| database | what | seconds | times the read | times read, write | cpu s | peak, GB |")
        print("|---|---|---|---|---|---|---|")
        for name, root in roots.items():
            batches = _BATCHES[name].format(query=query)
            codes = {"read": batches + _READ, "read, write": batches + _WRITE, "tars pull": _OURS.format(range=_RANGE)}
            found: dict[str, list[tuple[float, float, int, float]]] = {what: [] for what in codes}
            for _ in range(given.runs):
                for what, code in codes.items():
                    found[what].append(measured(code, root))
            came = {rows for runs in found.values() for _, _, rows, _ in runs}
            if came != {given.rows}:
                raise SystemExit(f"{name}: {came} rows came")
            seconds = {what: statistics.median(run[0] for run in runs) for what, runs in found.items()}
            for what, runs in found.items():
                ratios = [seconds[what] / seconds[other] for other in ("read", "read, write")]
                peak = max(run[1] for run in runs) / 1e9
                cells = [f"{seconds[what]:.2f}", *(f"{ratio:.2f}" for ratio in ratios)]
                cells += [f"{statistics.median(run[3] for run in runs):.2f}", f"{peak:.2f}"]
                print(f"| {name} | {what} | {' | '.join(cells)} |")
        print(f"allowed: {BAR} times, {MEMORY_LIMIT} GB")


if __name__ == "__main__":
    main()
