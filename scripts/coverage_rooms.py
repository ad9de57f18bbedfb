"""Print how many branches of each room the last measured tests took; with a limit, fail where a room is below it.

``python scripts/coverage_rooms.py [--limit 90]`` after ``pytest --cov``
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

ROOMS = ("stats", "engines", "model")
"""Rooms whose every decision changes a verdict."""
WORST = 5
"""Files named a room."""


def measured() -> dict[str, dict[str, int]]:
    """Return the branches of each file below `tars_lib`: how many there are and how many were taken."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "coverage.json"
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-m", "coverage", "json", "--quiet", "-o", str(path)],
            stdout=subprocess.DEVNULL,
            check=False,
        )
        if done.returncode or not path.is_file():
            raise SystemExit("error: nothing was measured here; make coverage runs the tests first")
        files = json.loads(path.read_text(encoding="utf-8"))["files"]
    return {name.replace("\\", "/"): content["summary"] for name, content in files.items()}


def main() -> int:
    """Print one line a room, and the files that miss most."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--limit", type=float, default=0.0, help="least share of branches, in percent; default %(default)s"
    )
    limit = parser.parse_args().limit
    rooms: dict[str, list[tuple[str, int, int]]] = defaultdict(list)
    for name, summary in measured().items():
        parts = name.split("/")
        if len(parts) > 2 and parts[0] == "tars_lib" and parts[1] in ROOMS and summary["num_branches"]:
            rooms[parts[1]].append((name, summary["covered_branches"], summary["num_branches"]))
    is_enough = set(rooms) == set(ROOMS)
    for room in ROOMS:
        taken = sum(row[1] for row in rooms[room])
        there = sum(row[2] for row in rooms[room])
        share = 100.0 * taken / there if there else 0.0
        is_enough = is_enough and share >= limit
        print(f"{room}: {taken} of {there} branches, {share:.1f} %")
        for name, covered, count in sorted(rooms[room], key=lambda row: row[1] - row[2])[:WORST]:
            print(f"  {count - covered:>3} not taken in {name}")
    return 0 if is_enough else 1


if __name__ == "__main__":
    sys.exit(main())
