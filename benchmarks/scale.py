"""Lead-lag of many services from threads, two processes and a Dask cluster of two workers on this machine.

Time, processor time of all processes, and the largest memory of one, beside threads; and how the processor time grows from
half as many services. Each is measured in a process of its own, one after the other, on the same data.

    python benchmarks/scale.py [--sizes 5000x365 15360x365] [--markdown]

    python benchmarks/scale.py --one threads 50000 365

About half a minute on two idle cores. `--one SCHEDULER SERVICES SAMPLES` measures one line and prints it as JSON.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import json
import subprocess
import sys
import time
from contextlib import ExitStack
from typing import Any

import numpy as np
import pandas as pd
from tables import printed

import tars_lib as tars

SCHEDULERS = ("threads", "processes:2", "dask")
# glibc maps each larger array anew where only the trim threshold is fixed, as Dask does for its workers
MEMORY = {"MALLOC_TRIM_THRESHOLD_": "1000000000", "MALLOC_MMAP_THRESHOLD_": "1000000000"}


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
    import resource

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

            dask.config.set({"distributed.nanny.pre-spawn-environ": MEMORY | {"OPENBLAS_NUM_THREADS": "1"}})
            made: Any = distributed.LocalCluster
            cluster = stack.enter_context(made(n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0"))
            connect: Any = distributed.Client
            given = stack.enter_context(connect(cluster, set_as_default=False))
            workers = given.run(spent)
        began, before = time.perf_counter(), spent()
        found = tars.lead_lag(frame, scheduler=given)
        seconds, mine = time.perf_counter() - began, spent() - before
        peaks = [largest_memory()]
        if workers:
            mine += sum(given.run(spent).values()) - sum(workers.values())
            peaks += given.run(largest_memory).values()
    return {"seconds": seconds, "processor": mine, "bytes": max(peaks), "found": len(found)}


def apart(scheduler: str, services: int, samples: int) -> dict[str, float]:
    """The measurement in a process of its own."""
    words = [sys.executable, __file__, "--one", scheduler, str(services), str(samples)]
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True)
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", default=["5000x365", "15360x365"], metavar="SERVICESxSAMPLES")
    parser.add_argument(
        "--one", nargs=3, metavar=("SCHEDULER", "SERVICES", "SAMPLES"), help="measure one and print JSON"
    )
    parser.add_argument("--markdown", action="store_true", help="a table for docs/benchmarks.md")
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one[0], *map(int, options.one[1:]))))
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
    for size in options.sizes:
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
