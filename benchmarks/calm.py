"""How often does a calm organisation give a finding? False alarms of every engine on noise, with 95 % intervals.

12 repos without dependencies, one sample a day: health scores as white noise, AR(1) 0.5, AR(1) 0.9 or a random walk within
bounds (scores) and request counts at a steady rate. A finding is any exit code but 0. Health and SLAs judge levels, so a
random walk that leaves its level is rightly found by them: its figures stand in brackets.

Usage: python benchmarks/calm.py [--seeds 100] [--days 30 90 365]
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
from numpy.typing import NDArray

from tars_lib.engines.steps import STEPS
from tars_lib.model.history import DAY, History, to_micros
from tars_lib.model.names import Repo
from tars_lib.model.organisation import OrgData
from tars_lib.model.slo import RatioPolicy
from tars_lib.model.times import read_time
from tars_lib.pipeline import analyze
from tars_lib.stats.counts import wilson_interval

REPOS = 12
LIMIT = 0.05
"""Largest share of organisations with a finding from correlation or temporal that the project allows itself."""
KINDS = {"white noise": 0.0, "AR(1) 0.5": 0.5, "AR(1) 0.9": 0.9, "random walk": 1.0}
ENGINES = tuple(STEPS)

Floats = NDArray[np.float64]


def calm(phi: float, days: int, rng: np.random.Generator) -> OrgData:
    """An organisation in which nothing happens."""
    shocks = rng.standard_normal((days + 200, REPOS))
    values = np.zeros_like(shocks)
    for row in range(1, len(values)):
        values[row] = phi * values[row - 1] + shocks[row]
    values = values[-days:]
    walk = 90.0 + 0.1 * (values - values[0])
    scores = walk if phi == 1.0 else 90.0 + 2.0 * values * np.sqrt(1.0 - phi**2)
    total = rng.poisson(50_000, (days, REPOS)).astype(np.float64)
    failed = rng.binomial(total.astype(np.int64), 2e-4).astype(np.float64)
    matrices: dict[str, Floats] = {
        "health_score": np.clip(scores, 0.0, 100.0),
        "requests_failed": failed,
        "requests_total": total,
    }
    names = tuple(f"repo-{number:02d}" for number in range(REPOS))
    times = to_micros(read_time("2026-01-01T00:00:00Z", "benchmark")) + DAY * np.arange(days, dtype=np.int64)
    columns = [matrix[:, column] for matrix in matrices.values() for column in range(REPOS)]
    history = History(
        names,
        tuple(matrices),
        np.tile(times, len(columns)),
        np.concatenate(columns),
        days * np.arange(len(columns) + 1, dtype=np.int64),
    )
    policy = RatioPolicy(
        sla_id="availability",
        sla_name="Availability",
        sla_type="availability",
        objective=0.999,
        total="requests_total",
        part="requests_failed",
    )
    return OrgData("Calm", tuple(Repo(name, name) for name in names), history, policies=(policy,))


def main() -> None:
    """Count findings and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=100, help="organisations of each kind; default %(default)s")
    parser.add_argument("--days", type=int, nargs="+", default=[30, 90, 365], help="default 30 90 365")
    given = parser.parse_args()
    print(f"share of {given.seeds} calm organisations with a finding; limit {LIMIT:.0%} for correlation and temporal")
    print(f"{'':12} {'days':>5}  " + "  ".join(f"{name:>20}" for name in ENGINES))
    for kind, phi in KINDS.items():
        for days in given.days:
            found = dict.fromkeys(ENGINES, 0)
            for seed in range(given.seeds):
                if sys.stderr.isatty():
                    print(f"\r{kind}, {days} days: {seed + 1} of {given.seeds}", end="", file=sys.stderr)
                analysis = analyze(calm(phi, days, np.random.default_rng([seed, days])))
                for name in ENGINES:
                    found[name] += getattr(analysis, name).exit_code != 0
            cells = []
            for name in ENGINES:
                low, high = wilson_interval(found[name], given.seeds)
                text = f"{found[name] / given.seeds:.3f} ({low:.2f}-{high:.2f})"
                drifts = phi == 1.0 and name in ("health", "alerts", "sla")
                cells.append(f"[{text}]" if drifts else text)
            print(f"{kind:12} {days:>5}  " + "  ".join(f"{cell:>20}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
