"""Spoiled org-health roots, read in process: each is accepted, or refused with a documented code and one line.

`python fuzz/roots.py --number 2000 --seed 1` prints how many were accepted and refused by code. A refusal has to name the
file and be one line; a traceback, a warning, or anything left in the root is a failure, and ends the command with 1.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
import warnings
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from spoils import FILES, REPOS, SPOILS, write, write_parquet

from tars_lib.cli.shared.shell import PIPELINE, UNEXPECTED
from tars_lib.errors import MAX_FAULTS, TarsError
from tars_lib.findings.exit_codes import EXIT_CODES
from tars_lib.pipeline import analyze
from tars_lib.pipeline.loading import load_org


@dataclass
class Outcome:
    """What became of the roots: how many by code, and every failure in words."""

    codes: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


def make_root(rng: random.Random, folder: Path) -> None:
    """A sound root of a few repos, with a random choice of its parts."""
    days = rng.randint(1, 12)
    rows = ["timestamp,repo,metric,value"]
    for day in range(days):
        for repo in REPOS:
            time = f"2026-01-{day + 1:02}T00:00:00{rng.choice(('Z', '+00:00', '+05:45'))}"
            rows += [f"{time},{repo},health_score,{rng.randint(0, 100)}", f"{time},{repo},requests_total,1000"]
            rows += [
                f"{time},{repo},requests_failed,{rng.randint(0, 50)}",
                f"{time},{repo},latency_p95,{rng.random():.3f}",
            ]
    contents = {
        "history.csv": rng.choice(("\n", "\r\n")).join(rows) + "\n",
        "history/more.csv": "timestamp,repo,metric,value\n2026-02-01T00:00:00Z,web,lead_time,3\n",
        "org.yaml": "name: Acme\nrepos: {web: {customer_facing: true, tier: 1, tags: [a]}, api: {team: t}}\n"
        "dependencies: [{from: web, to: api}]\nmetrics: {queue: {unit: count, higher_is_better: false, minimum: 0}}\n",
        "events.csv": "timestamp,repo,kind,title,ref,until\n2026-01-02T00:00:00Z,web,deploy,Version 2,r1,\n"
        "2026-01-03T00:00:00Z,,maintenance,Upgrade,,2026-01-03T01:00:00Z\n",
        "sla-policies.yaml": "policies:\n  - {sla_id: a, sla_type: t, good: {total: requests_total, bad: requests_failed}, "
        "objective: 0.99, period_days: 7}\n  - {sla_id: l, sla_type: t, metric: latency_p95, objective: 0.5, window: 3d}\n",
        "alerts.yaml": "rules:\n  - {metric: latency_p95, comparison: '>', threshold: 0.8, for: 15m, severity: high}\n",
        "web/dashboard/health-dashboard.json": json.dumps(
            {
                "repository_score": 80,
                "critical_issues": 1,
                "scan_timestamp": "2026-01-04T12:00:00Z",
                "repository_name": "Web",
            }
        ),
        "web/trends/trend-report.json": json.dumps(
            {
                "overall_trend": "STABLE",
                "history": [{"timestamp": f"2025-12-{d:02}T00:00:00Z", "score": 70} for d in (1, 2)],
            }
        ),
        "web/alerts/alerts.json": json.dumps(
            {"total_alerts": 1, "alerts": [{"severity": "high", "title": "x", "timestamp": "2026-01-04T00:00:00Z"}]}
        ),
    }
    kept = ["history.csv", *(name for name in list(contents)[1:] if rng.random() < 0.5)]
    for name in kept[rng.random() < 0.1 :]:
        write(folder / name, contents[name].encode())
    if rng.random() < 0.15:
        write_parquet(folder / "history.parquet")


def spoil(seed: int, folder: Path) -> None:
    """Make the root of a seed: a sound one with one to three faults."""
    rng = random.Random(seed)  # noqa: S311 - a choice that can be repeated, and no secret
    folder.mkdir()
    make_root(rng, folder)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        rng.choice(SPOILS)(rng, folder)


def judge(seed: int, folder: Path, outcome: Outcome, *, is_whole: bool) -> None:
    """Read a root, and run the engines on it where that is asked for; note the code, and what should not be."""
    before = _listing(folder.parent)
    zone = "Europe/Berlin" if seed % 3 == 0 else None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            org = load_org(folder, assume_tz=zone)
            code = analyze(org).exit_code if is_whole else 0
    except TarsError as error:
        code, said = PIPELINE.of(error), str(error)
        # up to ten faults of one kind, a line each, and a line that counts the rest
        if said.count("\n") > MAX_FAULTS or max(map(len, said.split("\n"))) > 1_000:
            outcome.failures.append(f"root {seed}: not a few short lines: {said[:300]!r}")
        if not _names_a_place(said, folder):
            outcome.failures.append(f"root {seed}: names no file: {said[:300]!r}")
    except Exception as error:  # noqa: BLE001 - whatever else comes is what is looked for
        code = UNEXPECTED
        outcome.failures.append(f"root {seed}: {type(error).__name__}: {str(error)[:300]}")
    if code not in EXIT_CODES:
        outcome.failures.append(f"root {seed}: code {code} is not documented")
    if _listing(folder.parent) != before:
        outcome.failures.append(f"root {seed}: something was written")
    outcome.codes[code] += 1


def _names_a_place(said: str, folder: Path) -> bool:
    return (
        any(said.startswith((name, "history")) for name in FILES)
        or str(folder) in said
        or said.startswith(("we", "Acme"))
    )


def _listing(folder: Path) -> list[tuple[str, int]]:
    return sorted((str(path), path.lstat().st_size) for path in folder.rglob("*"))


def run(number: int, first: int, *, whole_every: int = 10, keep: Path | None = None) -> Outcome:
    """Make and read `number` roots; the engines run on one in `whole_every`."""
    outcome = Outcome()
    for seed in range(first, first + number):
        with tempfile.TemporaryDirectory(prefix="spoiled-") as made:
            folder = Path(made) / "org-health"
            spoil(seed, folder)
            failed = len(outcome.failures)
            judge(seed, folder, outcome, is_whole=seed % whole_every == 0)
            if keep is not None and len(outcome.failures) > failed:
                shutil.copytree(folder, keep / str(seed), symlinks=True, dirs_exist_ok=True)
    return outcome


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--number", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1, help="that of the first root; the others count up")
    parser.add_argument("--whole-every", type=int, default=10, help="run the engines on one root in so many")
    parser.add_argument("--keep", type=Path, help="copy roots that failed here")
    given = parser.parse_args()
    outcome = run(given.number, given.seed, whole_every=given.whole_every, keep=given.keep)
    refused = {code: count for code, count in sorted(outcome.codes.items()) if code in (93, 94, 95)}
    accepted = given.number - sum(refused.values()) - outcome.codes[UNEXPECTED]
    words = ", ".join(f"{code}: {count}" for code, count in refused.items())
    print(f"{given.number} spoiled roots: {accepted} accepted, refused {words}; {len(outcome.failures)} failures")
    for failure in outcome.failures[:50]:
        print(f"  {failure}")
    return 1 if outcome.failures else 0


if __name__ == "__main__":
    sys.exit(main())
