"""A small shop whose api fails for six hours, and what its runs show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from org_samples import RootBuilder, counts

from tars_lib.pipeline import Run, analyze, load_run, write_run
from tars_lib.pipeline.loading import load_org

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


def write_runs(folder: Path) -> Runs:
    """Judge the shop at five times."""
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
