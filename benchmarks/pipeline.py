"""What `tars run` costs beside `python -c "import pandas, scipy.stats"`: reading, judging, explaining, writing.

The organisations are synthetic: daily health score, request counts, latency and lead time, repos that call each other
in a tree, two SLAs. In the one with a breach the deepest repo fails in the last week, and causes are ranked. 500 repos x 90
days and, with `--large`, 5,000 x 365 (9.1 million samples, Parquet) are held against limits of time and memory.

Usage: python benchmarks/pipeline.py [--runs 7] [--large]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import yaml
from pyarrow import csv, parquet
from timing import CAN_MEASURE_CPU, Command, busy, comparison, python, tars, time_in_turns

from tars_lib.findings.exit_codes import DECISION_ORDER

LIMIT = 3.0
"""Largest ratio that the project allows itself."""
LARGE = ((500, 90, 10.0, 1.0), (5000, 365, 120.0, 6.0))
"""Repos, days, and the largest number of seconds and of GB (1e9 bytes) that the project allows itself."""
CSV_REPOS = 500
"""Up to here the history is CSV, beyond it Parquet."""
CALLEES = 3
"""Callees of each repo in the tree."""


def write_root(folder: Path, repos: int, days: int, *, breached: bool, seed: int = 1) -> Path:
    """Write a synthetic org-health root with the five metrics, one sample a day."""
    rng = np.random.default_rng(seed)
    shape = (days, repos)
    total = rng.poisson(50_000, shape)
    latency = 0.12 * np.exp(0.1 * rng.standard_normal(shape))
    share = np.full(shape, 2e-4)
    if breached:
        # the last repo and all that wait for it, up to the first
        position, harm = repos - 1, 1.0
        while True:
            share[-7:, position] += 0.02 * harm
            latency[-7:, position] += 0.4 * harm
            if position == 0:
                break
            position, harm = (position - 1) // CALLEES, 0.9 * harm
    metrics = {
        "health_score": np.clip(88.0 + rng.standard_normal(shape), 0.0, 100.0),
        "requests_total": total,
        "requests_failed": rng.binomial(total, share),
        "latency": latency,
        "lead_time": rng.lognormal(3.0, 0.4, shape),
    }
    folder.mkdir(parents=True)
    names = [f"repo-{position:03d}" for position in range(repos)]
    times = np.datetime64("2025-01-01T00:00:00", "us") + np.arange(days).astype("timedelta64[D]")
    table = pa.concat_tables(
        pa.table(
            {
                "timestamp": pa.array(np.repeat(times, repos), pa.timestamp("us", "UTC")),
                "repo": pa.DictionaryArray.from_arrays(np.tile(np.arange(repos, dtype=np.int32), days), names),
                "metric": pa.DictionaryArray.from_arrays(np.zeros(days * repos, dtype=np.int32), [name]),
                "value": values.ravel().astype(np.float64),
            }
        )
        for name, values in metrics.items()
    ).unify_dictionaries()
    if repos <= CSV_REPOS:
        csv.write_csv(
            table.set_column(0, "timestamp", pc.strftime(table["timestamp"], "%Y-%m-%dT%H:%M:%SZ")),
            folder / "history.csv",
        )
    else:
        parquet.write_table(table, folder / "history.parquet")
    org = {
        "name": "Benchmark",
        "repos": {f"repo-{position:03d}": {"customer_facing": position == 0} for position in range(repos)},
        "dependencies": [
            {"from": f"repo-{(position - 1) // CALLEES:03d}", "to": f"repo-{position:03d}"}
            for position in range(1, repos)
        ],
    }
    policies = [
        {
            "sla_id": "availability",
            "sla_type": "availability",
            "good": {"total": "requests_total", "bad": "requests_failed"},
            "objective": 0.999,
        },
        {"sla_id": "latency", "sla_type": "latency", "metric": "latency", "objective": 0.5},
    ]
    (folder / "org.yaml").write_text(yaml.safe_dump(org), encoding="utf-8")
    (folder / "sla-policies.yaml").write_text(yaml.safe_dump({"policies": policies}), encoding="utf-8")
    return folder


def main() -> None:
    """Write the roots, time in turns, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=7, help="runs of each command; default %(default)s")
    parser.add_argument("--large", action="store_true", help="5,000 repos x 365 days, too; takes minutes")
    given = parser.parse_args()
    runs = given.runs
    with tempfile.TemporaryDirectory() as made:
        place = Path(made)

        def run(label: str, repos: int, days: int, *, breached: bool) -> Command:
            root = write_root(place / label.replace(" ", "-"), repos, days, breached=breached)
            arguments = tars("run", "--root", str(root), "--outdir", str(place / "runs"), "--quiet")
            return Command(f"tars run, {label}", arguments, (0, *DECISION_ORDER))

        imports = Command('python -c "import pandas, scipy.stats"', python("import pandas, scipy.stats"))
        small = [
            run("50 repos x 120 days", 50, 120, breached=False),
            run("50 repos x 120 days, breach", 50, 120, breached=True),
        ]
        yardstick, *timed = time_in_turns([imports, *small], runs)
        print(f"pipeline, {runs} runs of each in turns")
        print(comparison(timed, yardstick, LIMIT))
        print(busy())
        for repos, days, seconds, memory in LARGE[: 2 if given.large else 1]:
            large = run(f"{repos} repos x {days} days, breach", repos, days, breached=True)
            used, peak = _alone(large)
            print(
                f"{large.label}: {used / seconds:.2f} x the limit of {seconds:g} s, {peak / memory:.2f} x that of {memory:g} GB"
            )


def _alone(command: Command) -> tuple[float, float]:
    """Seconds and largest resident memory in GB of one run; memory is NaN where the system does not say."""
    began = time.perf_counter()
    process = subprocess.Popen(command.arguments, stdout=subprocess.DEVNULL)
    peak = float("nan")
    if CAN_MEASURE_CPU:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        peak = usage.ru_maxrss / (1e9 if sys.platform == "darwin" else 1e6 / 1.024)
    if process.wait() not in command.codes:
        raise SystemExit(f"{command.label} ended with {process.returncode}")
    return time.perf_counter() - began, peak


if __name__ == "__main__":
    main()
