"""Healthy windows and renamed scenarios."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import networkx as nx
import numpy as np
import pandas as pd
from petshop_dataset import INTERVAL, Case, Scenario

if TYPE_CHECKING:
    from collections.abc import Iterator

FIRST_HEALTHY = 150
"""Samples of baseline before the first healthy window: half a day and a bit, enough for a past."""

WINDOWS_PER_CASE = 6
"""Healthy windows for each case; their positions differ from case to case and together cover the baseline."""


def healthy_windows(scenario: Scenario) -> Iterator[tuple[Case, pd.DataFrame]]:
    """For every case windows of its length and target cut from the baseline, each with all that came before
    it.

    Positions are an even grid over the baseline behind its first 150 samples; one grid over all cases, so
    that no two windows are the same. The case's cause is empty: nothing should be named.
    """
    count = len(scenario.cases) * WINDOWS_PER_CASE
    longest = max(len(case.frame) for case in scenario.cases)
    grid = np.linspace(FIRST_HEALTHY, len(scenario.baseline) - longest, count).astype(int)
    for i, case in enumerate(scenario.cases):
        before = int(case.frame.index.searchsorted(case.started_at))
        for start in grid[i :: len(scenario.cases)]:
            frame = scenario.baseline.iloc[start : start + len(case.frame)]
            started_at = frame.index[min(before, len(frame) - 1)]
            yield replace(case, frame=frame, started_at=started_at, cause=""), scenario.baseline.iloc[:start]


def renamed(scenario: Scenario, seed: int) -> Scenario:
    """The same scenario with random codes for names and all columns in another order."""
    rng = np.random.default_rng(seed)
    names = sorted({*scenario.graph, *scenario.baseline.columns.get_level_values(0)} | _repos(scenario))
    codes = dict(zip(names, [f"{code:08x}" for code in rng.permutation(2**20)[: len(names)]], strict=True))

    def recode(frame: pd.DataFrame) -> pd.DataFrame:
        shuffled = frame.iloc[:, rng.permutation(frame.shape[1])]
        tuples = [(codes[repo], metric) for repo, metric in shuffled.columns]
        return shuffled.set_axis(pd.MultiIndex.from_tuples(tuples, names=["repo", "metric"]), axis=1)

    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(rng.permutation([codes[node] for node in scenario.graph]).tolist())
    graph.add_edges_from((codes[a], codes[b]) for a, b in scenario.graph.edges)
    cases = tuple(
        replace(
            case,
            frame=recode(case.frame),
            target=(codes[case.target[0]], case.target[1]),
            cause=codes[case.cause],
        )
        for case in scenario.cases
    )
    return Scenario(scenario.name, graph, recode(scenario.baseline), cases)


def moved_up(baseline: pd.DataFrame, incident: pd.DataFrame) -> pd.DataFrame:
    """The baseline with its times moved so that it ends one interval before the incident begins."""
    shift = incident.index[0] - INTERVAL - baseline.index[-1]
    return baseline.set_axis(baseline.index + shift, axis=0)


def _repos(scenario: Scenario) -> set[str]:
    return {repo for case in scenario.cases for repo in case.frame.columns.get_level_values(0)}
