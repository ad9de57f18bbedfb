"""What reading a large history costs beside pyarrow's bare read of the same file, in time and in peak memory.

By default 5000 repos x 365 days x 5 metrics: 9.1 million rows, made in a temporary folder as Parquet and as CSV. Each
read happens in a process of its own. pyarrow's read ends with a table as it stands in the file; `load_org` ends with a
history that is checked, sorted and digested. The clock includes the import of what the read needs.

Usage: python benchmarks/loading.py [--repos 5000] [--days 365] [--runs 3]
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.csv as pv
import pyarrow.parquet as pq
from timing import busy, verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

METRICS = ("health_score", "latency", "lead_time", "requests_failed", "requests_total")
LIMITS = {"parquet": 4.0, "csv": 8.0}
"""Seconds that the project allows itself on two cores for the default size."""
MEMORY_LIMIT = 1.5
"""Gigabytes (10^9 bytes) at the peak."""

_MEASURED = """
import json, sys, time
began = time.perf_counter()
{read}
seconds = time.perf_counter() - began
try:
    import resource
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
except ImportError:
    peak = None
print(json.dumps([seconds, peak, rows]))
"""
_OURS = "import tars_lib\nrows = len(tars_lib.load_org(sys.argv[1]).history)"
_BARE = {
    "parquet": "import pyarrow.parquet as pq\nrows = pq.read_table(sys.argv[1] + '/history.parquet').num_rows",
    "csv": "import pyarrow.csv as pv\nrows = pv.read_csv(sys.argv[1] + '/history.csv').num_rows",
}


def tables(repos: int, days: int) -> Iterator[pa.Table]:
    """The history, day by day: each repo's five metrics, as a collector would append them."""
    rng = np.random.default_rng(1)
    names = pa.array([f"repo-{position:04d}" for position in range(repos)])
    repo = names.take(pa.array(np.repeat(np.arange(repos), len(METRICS))))
    metric = pa.array(METRICS).take(pa.array(np.tile(np.arange(len(METRICS)), repos)))
    for day in range(days):
        values = np.empty((repos, len(METRICS)))
        values[:, 0] = np.clip(rng.normal(85.0, 4.0, repos), 0.0, 100.0)
        values[:, 1] = rng.lognormal(-2.0, 0.3, repos)
        values[:, 2] = rng.lognormal(3.0, 0.4, repos)
        values[:, 4] = rng.poisson(50_000, repos)
        values[:, 3] = rng.binomial(values[:, 4].astype(np.int64), 2e-4)
        time = np.full(values.size, np.datetime64("2025-01-01", "us") + np.timedelta64(day, "D"))
        yield pa.table(
            {
                "timestamp": pa.array(time).cast(pa.timestamp("us", "UTC")),
                "repo": repo,
                "metric": metric,
                "value": values.ravel(),
            }
        )


def write_roots(folder: Path, repos: int, days: int) -> dict[str, Path]:
    """Write the same history as `parquet/history.parquet` and `csv/history.csv`."""
    roots = {kind: folder / kind for kind in LIMITS}
    for root in roots.values():
        root.mkdir()
    schema = next(tables(repos, 1)).schema
    with (
        pq.ParquetWriter(roots["parquet"] / "history.parquet", schema) as parquet,
        pv.CSVWriter(
            roots["csv"] / "history.csv",
            schema.set(0, pa.field("timestamp", pa.string())),
            write_options=pv.WriteOptions(quoting_style="none"),
        ) as csv,
    ):
        pending: list[pa.Table] = []
        for day, table in enumerate(tables(repos, days)):
            stamp = f"{np.datetime64('2025-01-01') + day}T00:00:00Z"
            csv.write_table(table.set_column(0, "timestamp", pa.array([stamp] * table.num_rows)))
            pending.append(table)
            if len(pending) == 30:
                parquet.write_table(pa.concat_tables(pending))
                pending = []
        if pending:
            parquet.write_table(pa.concat_tables(pending))
    return roots


def measured(code: str, root: Path) -> tuple[float, float | None, int]:
    """Seconds, peak bytes (None where the system does not say) and rows of one read in its own process."""
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED.format(read=code), str(root)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{root}: exit code {done.returncode}\n{done.stderr[-2000:]}")
    seconds, peak, rows = json.loads(done.stdout)
    return seconds, peak, rows


def main() -> None:
    """Make the files, read them in turns, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repos", type=int, default=5000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--runs", type=int, default=3, help="reads of each; default %(default)s")
    given = parser.parse_args()
    rows = given.repos * given.days * len(METRICS)
    with tempfile.TemporaryDirectory() as made:
        roots = write_roots(Path(made), given.repos, given.days)
        print(f"loading {rows:,} rows, {given.runs} reads of each in turns; medians")
        print(f"{'':8} {'file MB':>8}  {'bare s':>7} {'ours s':>7} {'ratio':>6} {'limit s':>8}        "
              f"{'bare GB':>7} {'ours GB':>7} {'ratio':>6} {'limit GB':>8}")  # fmt: skip
        for kind, root in roots.items():
            size = (root / f"history.{kind}").stat().st_size / 1e6
            bare, ours = [], []
            for _ in range(given.runs):
                bare.append(measured(_BARE[kind], root))
                ours.append(measured(_OURS, root))
            if {read[2] for read in (*bare, *ours)} != {rows}:
                raise SystemExit(f"{kind}: {ours[0][2]:,} rows were read, {rows:,} were written")
            fast, slow = (statistics.median(read[0] for read in reads) for reads in (bare, ours))
            line = f"{kind:8} {size:8.0f}  {fast:7.2f} {slow:7.2f} {slow / fast:6.2f} {LIMITS[kind]:8.1f}"
            line += f" {verdict(slow, LIMITS[kind]):4}"
            lean, fat = (max((read[1] or 0) for read in reads) / 1e9 for reads in (bare, ours))
            if lean and fat:
                line += f"   {lean:7.2f} {fat:7.2f} {fat / lean:6.2f} {MEMORY_LIMIT:8.1f} {verdict(fat, MEMORY_LIMIT)}"
            print(line)
        print(busy())


if __name__ == "__main__":
    main()
