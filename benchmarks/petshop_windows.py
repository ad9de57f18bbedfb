"""Healthy windows, renamed scenarios, and degraded copies of the cases."""

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


def degraded_cases(scenario: Scenario, seed: int) -> Iterator[tuple[str, Case, pd.DataFrame, nx.DiGraph[str] | None]]:
    """Every case with less to go by: (what is missing, case, baseline, graph). Causes may have become
    unknowable.
    """
    rng = np.random.default_rng(seed)
    for case in scenario.cases:
        base, graph = scenario.baseline, scenario.graph
        yield "no time", replace(case, started_at=pd.NaT), base, graph
        yield (
            "no samples before",
            replace(case, frame=case.frame[case.frame.index >= case.started_at]),
            base,
            graph,
        )
        yield "baseline moved up", case, moved_up(base, case.frame), graph
        yield "baseline of five hours", case, base.iloc[-60:], graph
        yield "no graph", case, base, None
        calls = list(graph.edges)
        thinned = graph.copy()
        thinned.remove_edges_from([calls[i] for i in rng.permutation(len(calls))[: len(calls) // 5]])
        yield "a fifth of the calls unknown", case, base, thinned
        others = sorted(_repos(scenario) - {case.cause, case.target[0]})
        lost = set(rng.permutation(others)[: len(others) // 5].tolist())
        yield "a fifth of the repos unmeasured", replace(case, frame=_without(case.frame, lost)), base, graph
        yield "cause unmeasured", replace(case, frame=_without(case.frame, {case.cause})), base, graph
        if case.target[1] == "latency":
            for kept in (
                ("latency_p90",),
                ("latency_p50", "latency_p90"),
                ("latency_p50", "latency_p95", "latency_p99"),
            ):
                target = (case.target[0], kept[-1])
                yield (
                    "quantiles only",
                    replace(case, frame=_only(case.frame, kept), target=target),
                    _only(base, kept),
                    graph,
                )
        else:
            counted = case.frame.drop(columns="requests_total", level="metric")
            yield "requests not counted", replace(case, frame=counted), base, graph


def moved_up(baseline: pd.DataFrame, incident: pd.DataFrame) -> pd.DataFrame:
    """The baseline with its times moved so that it ends one interval before the incident begins."""
    shift = incident.index[0] - INTERVAL - baseline.index[-1]
    return baseline.set_axis(baseline.index + shift, axis=0)


def _repos(scenario: Scenario) -> set[str]:
    return {repo for case in scenario.cases for repo in case.frame.columns.get_level_values(0)}


def _without(frame: pd.DataFrame, lost: set[str]) -> pd.DataFrame:
    return frame.loc[:, ~frame.columns.get_level_values("repo").isin(lost)]


def _only(frame: pd.DataFrame, latencies: tuple[str, ...]) -> pd.DataFrame:
    names = frame.columns.get_level_values("metric")
    return frame.loc[:, names.isin(latencies) | ~names.str.startswith("latency")]
