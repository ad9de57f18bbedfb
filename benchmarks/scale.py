"""Lead-lag of many services from threads, two processes and a Dask cluster of two workers on this machine.

Time, processor time of all processes, and the largest memory of one, beside threads; and how the processor time grows from
half as many services. Each is measured in a process of its own, one after the other, on the same data, once the libraries are
loaded.

    python benchmarks/scale.py [--sizes 5000x365 15360x365] [--markdown]

    python benchmarks/scale.py --one threads 50000 365
    python benchmarks/scale.py --run 2000x10000
    python benchmarks/scale.py --run 2000x50000 --lacking 0.01 --nightly
    python benchmarks/scale.py --run 50000x365 --every 1440
    python benchmarks/scale.py --run 2000x365 --every 1440 --slas 50
    python benchmarks/scale.py --against REF [--sizes 500x90 5000x365] [--runs 3]

About half a minute on two idle cores. `--one SCHEDULER SERVICES SAMPLES` measures one line and prints it as JSON; `--run`
a whole run on two counts of each service, in a history of parts; `--every` gives the minutes between samples, `--slas` how many
policies judge them, without which it is the packaged ones. `--against` runs `tars run` of this tree and of a wheel, or of a
commit or tag of this repository, in turns on the same folders, and prints the ratio.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pipeline import write_root
from tables import printed
from timing import Command, busy, python, time_in_turns

import tars_lib as tars
from tars_lib.findings.exit_codes import DECISION_ORDER
from tars_lib.pipeline import write_run

SCHEDULERS = ("threads", "processes:2", "dask")
# glibc maps each larger array anew where only the trim threshold is fixed, as Dask does for its workers
MEMORY = {"MALLOC_TRIM_THRESHOLD_": "1000000000", "MALLOC_MMAP_THRESHOLD_": "1000000000"}
# of a cluster as docs/scale.md starts one: it looks at itself once a second, not up to a hundred times
QUIET = {
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "1s",
    "distributed.worker.memory.monitor-interval": "1s",
    "distributed.scheduler.work-stealing": False,
}


def frame_of(samples: int, services: int) -> pd.DataFrame:
    """Noise, with one service that follows another."""
    values = np.random.default_rng(services).standard_normal((samples, services))
    values[3:, 7] += 1.5 * values[:-3, 3]
    return pd.DataFrame(values, columns=[f"service-{number}" for number in range(services)])


def spent(_: object = None) -> float:
    """Processor seconds of this process and of those that it waited for."""
    return float(sum(os.times()[:4]))


def largest_memory() -> int:
    """The most bytes that this process, or one that it waited for, has held."""
    return 1024 * max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def measure(scheduler: str, services: int, samples: int) -> dict[str, float]:
    """Seconds, processor seconds, bytes and the number of leaders found."""
    frame = frame_of(samples, services)
    with ExitStack() as stack:
        workers: dict[str, float] = {}
        given: Any = scheduler
        if scheduler == "dask":
            import dask
            import distributed

            environment = MEMORY | {"OPENBLAS_NUM_THREADS": "1"}
            dask.config.set({"distributed.nanny.pre-spawn-environ": environment} | QUIET)
            made: Any = distributed.LocalCluster
            cluster = stack.enter_context(made(n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0"))
            connect: Any = distributed.Client
            given = stack.enter_context(connect(cluster, set_as_default=False))
        # a cluster stays up: what its workers load once is no part of the comparison, nor is what this process loads
        tars.lead_lag(frame_of(60, 500), scheduler=given)
        if scheduler == "dask":
            workers = given.run(spent)
        began, before = time.perf_counter(), spent()
        found = tars.lead_lag(frame, scheduler=given)
        seconds, mine = time.perf_counter() - began, spent() - before
        peaks = [largest_memory()]
        if workers:
            mine += sum(given.run(spent).values()) - sum(workers.values())
            peaks += given.run(largest_memory).values()
    return {"seconds": seconds, "processor": mine, "bytes": max(peaks), "found": len(found)}


def write_parts(folder: Path, services: int, samples: int, every: int, lacking: float) -> None:
    """Requests and failures of each service, `every` minutes apart, a file for every 500 times or a million samples.

    A share of the times of each service is `lacking`.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    names, rng = [f"service-{number}" for number in range(services)], np.random.default_rng(services)
    minutes = np.datetime64("2025-01-01", "us") + np.arange(samples) * np.timedelta64(every, "m")
    times = max(min(500, 1_000_000 // services), 1)
    for first in range(0, samples, times):
        time = np.repeat(minutes[first : first + times], services)
        repo = np.tile(np.arange(services, dtype=np.int32), time.size // services)
        if lacking:
            there = rng.random(time.size) >= lacking
            time, repo = time[there], repo[there]
        total = rng.poisson(1000.0, time.size).astype(np.float64)
        tables = [
            pa.table(
                {
                    "timestamp": pa.array(time, pa.timestamp("us")).cast(pa.timestamp("us", "UTC")),
                    "repo": pa.DictionaryArray.from_arrays(repo, names),
                    "metric": pa.array([metric])
                    .dictionary_encode()
                    .take(pa.array(np.zeros(time.size, dtype=np.int32))),
                    "value": value,
                }
            )
            for metric, value in (
                ("requests_total", total),
                ("requests_failed", 1.0 * rng.binomial(total.astype(int), 5e-4)),
            )
        ]
        pq.write_table(pa.concat_tables(tables), folder / f"minutes-{first:06d}.parquet")


def write_policies(path: Path, slas: int) -> None:
    """Availability with one objective after another, all on the same counts."""
    policies = [
        {
            "sla_id": f"availability-{number}",
            "sla_type": "availability",
            "good": {"total": "requests_total", "bad": "requests_failed"},
            "objective": 0.99 + 0.0001 * number,
            "period_days": 28,
        }
        for number in range(slas)
    ]
    path.write_text(json.dumps({"policies": policies}), encoding="utf-8")


def measure_run(
    services: int, samples: int, every: int, slas: int, lacking: float, *, nightly: bool
) -> dict[str, float]:
    """Seconds, processor seconds, bytes and samples of a whole run that refers to its history."""
    with tempfile.TemporaryDirectory() as place:
        root = Path(place) / "org-health"
        (root / "history").mkdir(parents=True)
        # in a process of its own, whose memory is not counted
        words = [sys.executable, __file__, "--write", str(root / "history"), f"{services}x{samples}"]
        subprocess.run([*words, "--every", str(every), "--lacking", str(lacking)], check=True)
        if nightly:
            window = {"title": "night", "start": "2025-01-01T02:00:00Z", "duration": "2h", "rrule": "FREQ=DAILY"}
            (root / "org.yaml").write_text(json.dumps({"name": "Scale", "maintenance": [window]}), encoding="utf-8")
        if slas:
            write_policies(root / "sla-policies.yaml", slas)
        began, before = time.perf_counter(), time.process_time()
        org = tars.load_org(root)
        write_run(tars.analyze(org), Path(place) / "runs", root=root, history="reference")
        seconds, mine = time.perf_counter() - began, time.process_time() - before
        peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"seconds": seconds, "processor": mine, "bytes": peak, "samples": len(org.history)}


def apart(scheduler: str, services: int, samples: int) -> dict[str, float]:
    """The measurement in a process of its own."""
    words = [sys.executable, __file__, "--one", scheduler, str(services), str(samples)]
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True)
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def unpacked(version: str, place: Path) -> Path:
    """The package of a wheel, or of a commit of this repository, in a folder to import it from."""
    archive = Path(version)
    if archive.suffix != ".whl":
        archive = place / "commit.zip"
        here = Path(__file__).resolve().parents[1]
        words = ["git", "-C", str(here), "archive", "--format=zip", "-o", str(archive), version]
        if subprocess.run(words, check=False).returncode:
            raise SystemExit(f"{version}: neither a wheel (.whl) nor a commit of this repository")
    with zipfile.ZipFile(archive) as files:
        files.extractall(place / "before")
    return place / "before"


def beside(version: str, sizes: Sequence[str], runs: int) -> list[list[str]]:
    """A table of `tars run` of this tree beside that of an earlier version, each with the packages of this environment."""
    rows = [["services x samples", "processor, s", "before, s", "ratio", "time, ratio"]]
    with tempfile.TemporaryDirectory() as made:
        place = Path(made)
        trees = {"now": Path(__file__).resolve().parents[1], "before": unpacked(version, place)}
        for size in sizes:
            services, samples = map(int, size.split("x"))
            root = write_root(place / size, services, samples, breached=True)
            commands = []
            for name, tree in trees.items():
                start = f"import sys; sys.path[0] = {str(tree)!r}; from tars_lib.cli.main import main; main()"
                words = ["run", "--root", str(root), "--outdir", str(place / name), "--quiet"]
                commands.append(Command(name, [*python(start), *words], (0, *DECISION_ORDER)))
            now, before = time_in_turns(commands, runs)
            used = [statistics.median(timing.cpu) for timing in (now, before)]
            ratios = [used[0] / used[1], now.median / before.median]
            rows.append([size, *(f"{each:.2f}" for each in used), *(f"{ratio:.2f} x" for ratio in ratios)])
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", metavar="SERVICESxSAMPLES")
    parser.add_argument(
        "--one", nargs=3, metavar=("SCHEDULER", "SERVICES", "SAMPLES"), help="measure one and print JSON"
    )
    parser.add_argument("--markdown", action="store_true", help="a table for docs/benchmarks.md")
    parser.add_argument("--run", metavar="SERVICESxSAMPLES", help="measure a whole run and print JSON")
    parser.add_argument("--every", type=int, default=1, metavar="MINUTES", help="between the samples of --run")
    parser.add_argument("--slas", type=int, default=0, metavar="COUNT", help="policies that judge --run")
    parser.add_argument("--against", metavar="REF", help="a wheel, commit or tag to hold `tars run` against")
    parser.add_argument("--runs", type=int, default=3, help="runs of each with --against; default %(default)s")
    parser.add_argument(
        "--lacking", type=float, default=0.0, help="share of the times that each service lacks, with --run"
    )
    parser.add_argument("--nightly", action="store_true", help="two hours of maintenance every night, with --run")
    parser.add_argument("--write", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.write:
        services, samples = map(int, options.write[1].split("x"))
        write_parts(Path(options.write[0]), services, samples, options.every, options.lacking)
        return
    if options.run:
        services, samples = map(int, options.run.split("x"))
        shape = (services, samples, options.every, options.slas, options.lacking)
        print(json.dumps(measure_run(*shape, nightly=options.nightly)))
        return
    if options.one:
        print(json.dumps(measure(options.one[0], *map(int, options.one[1:]))))
        return
    if options.against:
        rows = beside(options.against, options.sizes or ["500x90", "5000x365"], options.runs)
        print(printed([(f"tars run now and of {options.against}; {busy()}", rows)], markdown=options.markdown))
        return
    rows = [
        [
            "services x samples",
            "scheduler",
            "time, s",
            "beside threads",
            "processor, s",
            "beside threads",
            "memory, GB",
            "growth",
        ]
    ]
    for size in options.sizes or ["5000x365", "15360x365"]:
        services, samples = map(int, size.split("x"))
        half = apart("threads", services // 2, samples)
        first: dict[str, float] = {}
        for scheduler in SCHEDULERS:
            found = apart(scheduler, services, samples)
            first = first or found
            if found["found"] != first["found"]:
                raise SystemExit(f"{scheduler} found {found['found']} leaders, threads {first['found']}")
            growth = f"{found['processor'] / half['processor']:.1f} x" if scheduler == "threads" else ""
            ratios = [f"{found[name] / first[name]:.2f} x" for name in ("seconds", "processor")]
            times = [f"{found[name]:.1f}" for name in ("seconds", "processor")]
            rows.append(
                [size, scheduler, times[0], ratios[0], times[1], ratios[1], f"{found['bytes'] / 1e9:.2f}", growth]
            )
    print(
        printed(
            [("Lead-lag over 14 lags; growth is that of the processor time from half as many services", rows)],
            markdown=options.markdown,
        )
    )


if __name__ == "__main__":
    main()
