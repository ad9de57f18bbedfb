"""A small shop whose api fails for six hours, its runs, and the command as a user runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from org_samples import RootBuilder, counts

from tars_lib.pipeline import Run, analyze, load_run, write_run
from tars_lib.sources.root import load_org

HOUR = timedelta(hours=1)
START = datetime(2026, 3, 1, tzinfo=UTC)
BREAK = 600
"""Hours of calm, enough of them for a cause to stand out from its own past."""
DURING, STILL, OVER, LATER = (START + timedelta(hours=hours) for hours in (604, 605, 612, 656))
ORG = """
name: Shop
repos:
  web: {customer_facing: true}
  api: {}
  mail: {}
dependencies: [{from: web, to: api}]
"""
POLICIES = """
policies:
  - sla_id: availability
    sla_name: Availability
    sla_type: availability
    good: {total: requests_total, bad: requests_failed}
    objective: 0.99
    period_days: 2
"""


@dataclass(frozen=True)
class Runs:
    """Run directories by what they show: before and in the breach, its end within the window, its end beyond it."""

    quiet: Path
    during: Path
    still: Path
    over: Path
    later: Path

    def load(self, name: str) -> Run:
        return load_run(getattr(self, name))


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    folder = tmp_path_factory.mktemp("incident-runs")
    builder = RootBuilder(folder / "org-health")
    hours = 660
    for repo, share in (("api", 0.3), ("web", 0.25), ("mail", 0.0)):
        failed = [1000 * share if BREAK <= hour < BREAK + 6 else 1 + hour % 3 for hour in range(hours)]
        builder.add(counts(repo, [1000] * hours, failed, START, HOUR))
    root = builder.file("org.yaml", ORG).file("sla-policies.yaml", POLICIES).write()
    org = load_org(root)
    times = {"quiet": START + timedelta(hours=590), "during": DURING, "still": STILL, "over": OVER, "later": LATER}
    places = {name: write_run(analyze(org, time), folder / name) for name, time in times.items()}
    return Runs(**places)


@pytest.fixture
def tars(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """The command in a folder of its own."""

    def run(*args: object, stdin: str | None = None, **env: str) -> subprocess.CompletedProcess[str]:
        clean = {k: v for k, v in os.environ.items() if not k.startswith("TARS_") and k != "SOURCE_DATE_EPOCH"}
        return subprocess.run(
            [sys.executable, "-m", "tars_lib.cli.main", *map(str, args)],
            cwd=tmp_path,
            env=clean | {"TARS_ACTOR": "ada"} | env,
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )

    return run
