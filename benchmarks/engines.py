"""What each engine's `--json` costs beside `python -c "import pandas"`, on a report of 50 repos x 120 days with a breach.

The other engines rest on the health report alone: alerts judge health and SLAs first, temporal intelligence the
correlations, and `sla` everything. `health` reads the org-health root itself, whose CSV and YAML take longer than a report.

Usage: python benchmarks/engines.py [--runs 9]
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from pathlib import Path

from pipeline import write_root
from timing import Command, busy, comparison, python, tars, time_in_turns

from tars_lib.findings.exit_codes import DECISION_ORDER

LIMITS = {"health": 2.0, "alerts": 2.0, "correlation": 2.0, "temporal": 2.0, "sla": 3.0}
"""Largest ratios that the project allows itself; `sla` runs the others."""


def main() -> None:
    """Write the report, time in turns, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=9, help="runs of each command; default %(default)s")
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as made:
        root, report = write_root(Path(made) / "root", 50, 120, breached=True), Path(made) / "report.json"
        subprocess.run(
            tars("health", "--root-dir", str(root), "--output", str(report), "--quiet", "--exit-zero"), check=True
        )
        commands = [Command('python -c "import pandas"', python("import pandas"))]
        for engine in LIMITS:
            given = ("--root-dir", str(root)) if engine == "health" else ("--org-report", str(report))
            commands.append(Command(f"tars {engine} --json", tars(engine, *given, "--json"), (0, *DECISION_ORDER)))
        yardstick, *timed = time_in_turns(commands, runs)
    print(f"engines, 50 repos x 120 days, {runs} runs of each in turns")
    for limit in sorted(set(LIMITS.values())):
        chosen = [timing for timing, engine in zip(timed, LIMITS, strict=True) if LIMITS[engine] == limit]
        print(comparison(chosen, yardstick, limit))
    print(busy())


if __name__ == "__main__":
    main()
