"""Kills at random moments: nothing half-written is ever accepted, and nothing that was acknowledged is lost.

`python fuzz/kills.py --number 100` kills what writes runs and bundles while it writes them, in turn and as hard as the system
can, and prints how many things were acknowledged and left unfinished. `fuzz/incident_kills.py` does so to what writes notes,
`fuzz/command_kills.py` to whole commands. POSIX alone: the signal is SIGKILL.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from pickle import UnpicklingError

from judging import leftovers, missing, torn_bundles, torn_runs
from roots import make_root

from tars_lib.evidence.bundle import Bundle, write_bundle
from tars_lib.evidence.sealing.bag import pack
from tars_lib.incidents.store.register import now
from tars_lib.pipeline import analyze, write_run
from tars_lib.pipeline.loading import load_org
from tars_lib.sources.demo import demo_root

Writer_ = Callable[[Connection, Path, Path, str], None]


def write_runs(told: Connection, root: Path, outdir: Path, _: str) -> None:
    """Write runs, and say which are written."""
    analysis = analyze(load_org(root))
    told.send("ready")
    while True:
        told.send(str(write_run(analysis, outdir)))


def write_bundles(told: Connection, run: Path, outdir: Path, name: str) -> None:
    """Write bundles, and say which are written."""
    files = {f"run/{path.name}": path.read_bytes() for path in sorted(run.iterdir())}
    told.send("ready")
    for number in count():
        bundle = Bundle(f"{name}-{number}", pack(f"{name}-{number}", files, {}, now()), ())
        told.send(str(write_bundle(bundle, outdir)))


@dataclass
class Outcome:
    """How many kills of each writer, how many things were acknowledged before, and what should not be."""

    kills: Counter[str] = field(default_factory=Counter)
    told: Counter[str] = field(default_factory=Counter)
    torn: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


def killed(writer: Writer_, source: Path, place: Path, name: str, seconds: float) -> list[str]:
    """Start a writer, wait until it is ready, kill it after so many seconds, and return what it acknowledged."""
    # a server that has imported everything forks the writers, so that a kill costs no start
    context = get_context("forkserver")
    context.set_forkserver_preload(["kills"])
    told, telling = context.Pipe(duplex=False)
    process = context.Process(target=writer, args=(telling, source, place, name), daemon=True)
    process.start()
    telling.close()
    if told.recv() != "ready":
        raise RuntimeError("a writer did not start")
    time.sleep(seconds)
    process.kill()
    process.join()
    lines: list[str] = []
    # what was cut in the pipe was told to nobody
    with told, suppress(EOFError, OSError, UnpicklingError):
        while True:
            lines.append(told.recv())
    return lines


def kill_runs(rng: random.Random, folder: Path, outcome: Outcome) -> None:
    """Kill a pipeline that writes runs: what has a run's name is whole, and the next run succeeds."""
    outdir = folder / "runs"
    root = folder / "org-health"
    if not root.is_dir():
        make_root(random.Random(2), root)  # noqa: S311 - the same small root each time
    told = killed(write_runs, root, outdir, "", rng.uniform(0, 0.6))
    outcome.kills["run"] += 1
    outcome.told["run"] += len(told)
    outcome.torn["run"] += leftovers(outdir)
    outcome.failures += [f"run: {failure}" for failure in (*torn_runs(outdir), *missing(map(Path, told)))]
    shutil.rmtree(outdir, ignore_errors=True)


def kill_bundles(rng: random.Random, folder: Path, outcome: Outcome) -> None:
    """Kill a packer of bundles: what has a bundle's name is intact."""
    source, outdir = folder / "source", folder / "bundles"
    if not source.is_dir():
        write_run(analyze(load_org(demo_root())), source, timestamp="20260101-000000")
    told = killed(write_bundles, next(source.iterdir()), outdir, f"b{outcome.kills['bundle']}", rng.uniform(0, 0.6))
    outcome.kills["bundle"] += 1
    outcome.told["bundle"] += len(told)
    outcome.torn["bundle"] += leftovers(outdir)
    outcome.failures += [f"bundle: {failure}" for failure in (*torn_bundles(outdir), *missing(map(Path, told)))]
    shutil.rmtree(outdir, ignore_errors=True)


def run(number: int, start: int) -> Outcome:
    """Kill so many writers, half of them of runs."""
    rng = random.Random(start)  # noqa: S311 - moments, and no secret
    outcome = Outcome()
    with tempfile.TemporaryDirectory(prefix="kills-") as made:
        for turn in range(number):
            kill = kill_bundles if turn % 2 else kill_runs
            kill(rng, Path(made), outcome)
    return outcome


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--number", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    if os.name == "nt":
        print("kills: Windows has no SIGKILL; left out")
        return 0
    outcome = run(given.number, given.seed)
    words = ", ".join(
        f"{kind} {count} ({outcome.told[kind]} acknowledged, {outcome.torn[kind]} left something unfinished)"
        for kind, count in outcome.kills.items()
    )
    print(f"{given.number} kills: {words}; {len(outcome.failures)} failures")
    for failure in outcome.failures[:50]:
        print(f"  {failure}")
    return 1 if outcome.failures else 0


if __name__ == "__main__":
    sys.exit(main())
