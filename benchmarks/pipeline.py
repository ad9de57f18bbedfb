"""What `tars run` costs beside `python -c "import pandas, scipy.stats"`: reading, judging, explaining, writing.

The organisations are synthetic: daily health score, request counts, latency and lead time, repos that call each other
in a tree, two SLAs. In the one with a breach the deepest repo fails in the last week, and causes are ranked. The
limit is for 50 repos x 120 days; 500 repos x 90 days is for information.

Usage: python benchmarks/pipeline.py [--runs 7]
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import yaml
from timing import Command, busy, comparison, python, tars, time_in_turns

from tars_lib.exit_codes import DECISION_ORDER

LIMIT = 3.0
"""Largest ratio that the project allows itself."""
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
    start = np.datetime64("2026-01-01")
    with (folder / "history.csv").open("w", encoding="utf-8", newline="") as file:
        file.write("timestamp,repo,metric,value\n")
        for day in range(days):
            for position in range(repos):
                file.writelines(
                    f"{start + day}T00:00:00Z,repo-{position:03d},{name},{values[day, position]:.6g}\n"
                    for name, values in metrics.items()
                )
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
    runs = parser.parse_args().runs
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
        large = run("500 repos x 90 days, breach", 500, 90, breached=True)
        (alone,) = time_in_turns([large], 1, warm_up=False)
        print(f"for information: {large.label}: {alone.median:.2f} s, {alone.median / yardstick.median:.2f} x")


if __name__ == "__main__":
    main()
