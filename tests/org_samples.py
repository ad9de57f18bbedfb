"""Small organisations with known truth, in memory and as org-health roots on disk."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from tars_lib.engines.report import Stamp
from tars_lib.model.admission import admit
from tars_lib.model.history import History, to_micros
from tars_lib.model.metrics import Metric
from tars_lib.model.names import Repo
from tars_lib.model.organisation import OrgData
from tars_lib.model.samples import Origin, Samples
from tars_lib.model.slo import AnyPolicy, RatioPolicy, ThresholdPolicy, Window
from tars_lib.pipeline import Analysis, analyze
from tars_lib.pipeline.loading import load_org

T0 = datetime(2026, 1, 1, tzinfo=UTC)
DAILY = timedelta(days=1)
FIVE_MINUTES = timedelta(minutes=5)
STAMP = Stamp(datetime(2026, 6, 1, tzinfo=UTC), "tars-incident-workbook test")
HEADER = "timestamp,repo,metric,value\n"

Row = tuple[datetime, str, str, float]


def series(repo: str, metric: str, values: Iterable[float], start: datetime = T0, step: timedelta = DAILY) -> list[Row]:
    """Evenly spaced samples."""
    return [(start + n * step, repo, metric, float(value)) for n, value in enumerate(values)]


def counts(
    repo: str, total: Iterable[float], failed: Iterable[float], start: datetime = T0, step: timedelta = DAILY
) -> list[Row]:
    """Requests and how many of them failed."""
    return series(repo, "requests_total", total, start, step) + series(repo, "requests_failed", failed, start, step)


def samples_of(rows: Sequence[Row]) -> Samples:
    """Rows as a source hands them to the gate, in the order given."""
    repos = tuple(dict.fromkeys(row[1] for row in rows))
    metrics = tuple(dict.fromkeys(row[2] for row in rows))
    return Samples(
        repos,
        metrics,
        np.array([repos.index(row[1]) for row in rows], dtype=np.int32),
        np.array([metrics.index(row[2]) for row in rows], dtype=np.int32),
        np.array([to_micros(row[0]) for row in rows], dtype=np.int64),
        np.array([row[3] for row in rows], dtype=np.float64),
        (Origin("history.csv", len(rows)),),
    )


def history_of(rows: Sequence[Row], metrics: Mapping[str, Metric] | None = None) -> History:
    """Rows through the gate."""
    return admit(samples_of(rows), metrics or {})


def org_of(rows: Sequence[Row], *policies: AnyPolicy, repos: Sequence[Repo] = (), **fields: Any) -> OrgData:
    """An organisation in memory; repos that are not described get their key as name."""
    history = history_of(rows, fields.get("metrics"))
    described = {repo.repo: repo for repo in repos}
    names = tuple(sorted({*history.repos, *described}))
    return OrgData(
        name="Acme",
        repos=tuple(described.get(name, Repo(name, name)) for name in names),
        history=history.over(names),
        policies=policies,
        **fields,
    )


def ratio(objective: float = 0.999, **fields: Any) -> RatioPolicy:
    """An availability SLA over requests."""
    given = {"sla_id": "availability", "sla_name": "Availability", "sla_type": "availability"} | fields
    given = {"total": "requests_total", "part": "requests_failed"} | given
    return RatioPolicy(objective=objective, **given)


def threshold(metric: str = "latency_p95", objective: float = 0.5, **fields: Any) -> ThresholdPolicy:
    """An SLA on a metric, lower is better."""
    given = {"sla_id": metric, "sla_name": metric, "sla_type": "latency", "unit": "s", "higher_is_better": False}
    return ThresholdPolicy(metric=metric, objective=objective, **(given | fields))


def days(number: int) -> Window:
    """A window of days."""
    return Window(days=number)


@dataclass
class RootBuilder:
    """Writes an org-health root step by step."""

    folder: Path
    rows: list[Row] = field(default_factory=list)

    def add(self, rows: Iterable[Row]) -> RootBuilder:
        """Samples for `history.csv`."""
        self.rows += rows
        return self

    def file(self, name: str, content: str | bytes | Mapping[str, Any]) -> RootBuilder:
        """Any file of the root; a mapping is written as JSON."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Mapping):
            content = json.dumps(content)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return self

    def write(self) -> Path:
        """Write `history.csv` if there are samples, and name the folder."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.rows:
            with (self.folder / "history.csv").open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(HEADER.strip().split(","))
                writer.writerows(
                    (time.isoformat(), repo, metric, repr(value)) for time, repo, metric, value in self.rows
                )
        return self.folder

    def load(self, **options: Any) -> OrgData:
        """Read the root back."""
        return load_org(self.write(), **options)

    def analyze(self, as_of: datetime | None = None, **options: Any) -> Analysis:
        """Run the engines over the root."""
        return analyze(self.load(**options), as_of)
