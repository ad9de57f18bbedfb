"""The PetShop dataset in the form that `rank_root_causes` takes.

Hardt et al. (2024), The PetShop Dataset - Finding Causes of Performance Issues across Microservices,
https://proceedings.mlr.press/v236/hardt24a.html; data:
https://github.com/amazon-science/petshop-root-cause-analysis
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import networkx as nx
import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from pathlib import Path

METRICS = {
    ("latency", "Average"): "latency",
    ("latency", "p50"): "latency_p50",
    ("latency", "p90"): "latency_p90",
    ("latency", "p95"): "latency_p95",
    ("latency", "p99"): "latency_p99",
    ("requests", "Sum"): "requests_total",
    ("availability", "Average"): "availability",
}
"""(metric, statistic) of the dataset -> metric here; availability in percent becomes a ratio."""

INTERVAL = pd.Timedelta("5min")


class DatasetError(Exception):
    """The folder is not a PetShop dataset, or lacks what was asked for."""


@dataclass(frozen=True)
class Case:
    """One injected incident: `target` is (repo, metric), `cause` the truth, `frame` as `rank_root_causes`
    takes it.
    """

    issue: str
    frame: pd.DataFrame
    target: tuple[str, str]
    started_at: pd.Timestamp
    cause: str


@dataclass(frozen=True)
class Scenario:
    """One traffic level: call graph, baseline without an issue, and its incidents."""

    name: str
    graph: nx.DiGraph[str]
    baseline: pd.DataFrame
    cases: tuple[Case, ...]


def read_metrics(path: Path) -> pd.DataFrame:
    """A `metrics.csv`: UTC index, columns (repo, metric); columns that are not known are left out."""
    raw = pd.read_csv(path, header=[0, 1, 2], index_col=0)
    kept = [column for column in raw.columns if (column[1], column[2]) in METRICS]
    frame = raw[kept].astype(float)
    frame.columns = pd.MultiIndex.from_tuples(
        [(repo, METRICS[metric, statistic]) for repo, metric, statistic in kept], names=["repo", "metric"]
    )
    frame.index = pd.DatetimeIndex(
        pd.to_datetime(raw.index.to_numpy(dtype="int64"), unit="s", utc=True), name="timestamp"
    )
    ratio = frame.columns.get_level_values("metric") == "availability"
    frame.loc[:, ratio] = frame.loc[:, ratio] / 100.0
    return frame


def read_case(dataset: Path, issue: str) -> Case:
    """One incident by its folder below the dataset, as in ``low_traffic/test/issue_4``."""
    folder = dataset / issue
    if not (folder / "target.json").is_file():
        raise DatasetError(f"{folder} holds no target.json; an issue is named like low_traffic/test/issue_4")
    truth = json.loads((folder / "target.json").read_text(encoding="utf-8"))
    target = truth["target"]
    metric = METRICS.get((target["metric"], target["agg"]))
    if metric is None:
        raise DatasetError(f"{folder}: target {target['metric']} {target['agg']} is not one of {sorted(METRICS)}")
    started_at = pd.Timestamp(target["timestamp"], unit="s", tz="UTC")
    frame = read_metrics(folder / "metrics.csv")
    return Case(issue, frame, (target["node"], metric), started_at, truth["root_cause"]["node"])


def read_scenarios(dataset: Path) -> tuple[Scenario, ...]:
    """Every scenario of the dataset with its incidents, in order of their names."""
    scenarios = [_read_scenario(dataset, path.parent.name) for path in sorted(dataset.glob("*/graph.csv"))]
    if not scenarios:
        raise DatasetError(f"{dataset} holds no scenario; expected folders with graph.csv, noissue, train, test")
    return tuple(scenarios)


def read_baseline(dataset: Path, scenario: str) -> tuple[nx.DiGraph[str], pd.DataFrame]:
    """Call graph (caller -> callee) and baseline of one scenario."""
    adjacency = pd.read_csv(dataset / scenario / "graph.csv", index_col=0)
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(adjacency.index)
    rows, columns = np.nonzero(adjacency.to_numpy() > 0)
    graph.add_edges_from((adjacency.index[i], adjacency.columns[j]) for i, j in zip(rows, columns, strict=True))
    return graph, read_metrics(dataset / scenario / "noissue" / "metrics.csv")


def _read_scenario(dataset: Path, name: str) -> Scenario:
    graph, baseline = read_baseline(dataset, name)
    issues = [path.parent.relative_to(dataset).as_posix() for path in (dataset / name).glob("*/*/target.json")]
    issues.sort(key=lambda issue: [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", issue)])
    return Scenario(name, graph, baseline, tuple(read_case(dataset, issue) for issue in issues))
