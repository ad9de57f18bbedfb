"""A PetShop incident as an org-health root."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import yaml
from petshop_dataset import Case, DatasetError, read_baseline, read_case
from petshop_windows import moved_up

if TYPE_CHECKING:
    import networkx as nx

WINDOW_SAMPLES = 6
"""Thirty minutes of five-minute samples."""

UNITS = {"latency": ("s", False), "availability": ("ratio", True)}


def export(dataset: Path, issue: str, out: Path) -> None:
    """Write the root: it appears whole, or not at all.

    Raises
    ------
    DatasetError
        If the issue is not there, or `out` exists and is not an empty folder.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise DatasetError(f"{out} exists and is not empty; allowed is a new or empty folder")
    case = read_case(dataset, issue)
    graph, baseline = read_baseline(dataset, Path(issue).parts[0])
    past = moved_up(baseline, case.frame)
    history = tidy(pd.concat([past, case.frame]))
    repos = history["repo"].drop_duplicates().tolist()
    out.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        staging.chmod(0o755)
        history.to_csv(staging / "history.csv", index=False, lineterminator="\n")
        _write(staging / "org.yaml", organisation(case, graph, repos, sorted(set(history["metric"]))))
        _write(staging / "sla-policies.yaml", {"policies": [policy(case, past)]})
        if out.exists():
            out.rmdir()
        staging.rename(out)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise


def tidy(frame: pd.DataFrame) -> pd.DataFrame:
    """History rows `timestamp, repo, metric, value`; failures are counted where both their parts are known."""
    long = frame.melt(ignore_index=False).dropna().reset_index()
    wide = long.pivot_table(index=["timestamp", "repo"], columns="metric", values="value", sort=False)
    failed = (wide["requests_total"] * (1.0 - wide["availability"])).round().dropna().rename("value").reset_index()
    rows = pd.concat([long, failed.assign(metric="requests_failed")])
    rows = rows.sort_values(["timestamp", "repo", "metric"], kind="stable")
    rows["timestamp"] = rows["timestamp"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    return rows[["timestamp", "repo", "metric", "value"]]


def organisation(case: Case, graph: nx.DiGraph[str], repos: list[str], metrics: list[str]) -> dict[str, object]:
    """Content of `org.yaml`: repos with data, the calls between them, the metrics used."""
    known = set(repos)
    entries = {repo: {"name": repo, "customer_facing": repo == case.target[0]} for repo in sorted(repos)}
    calls = [{"from": a, "to": b} for a, b in sorted(graph.edges) if a in known and b in known]
    described = {}
    for metric in metrics:
        unit, better = UNITS.get(metric.partition("_")[0], ("count", None))
        described[metric] = {"unit": unit} | ({} if better is None else {"higher_is_better": better})
    return {"name": f"PetShop {case.issue}", "repos": entries, "dependencies": calls, "metrics": described}


def policy(case: Case, past: pd.DataFrame) -> dict[str, object]:
    """The target's SLA: 30-minute mean no worse than in 99 % of the baseline's 30-minute windows."""
    repo, metric = case.target
    is_ratio = metric == "availability"
    means = past[case.target].rolling(WINDOW_SAMPLES, min_periods=WINDOW_SAMPLES // 2).mean().dropna()
    return {
        "sla_id": metric if is_ratio else "latency",
        "sla_name": f"{'Availability' if is_ratio else 'Latency'} of {repo}",
        "sla_type": "availability" if is_ratio else "latency",
        "metric": metric,
        "objective": float(means.quantile(0.01 if is_ratio else 0.99)),
        "higher_is_better": is_ratio,
        "unit": "ratio" if is_ratio else "s",
        "aggregate": "mean",
        "window": "30m",
        "repos": [repo],
        "priority": 1,
    }


def _write(path: Path, content: dict[str, object]) -> None:
    path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")
