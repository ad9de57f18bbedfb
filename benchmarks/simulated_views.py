"""The same simulated application as other telemetry shows it: quantiles, the caller's view of a call, processors and memory.

Each view takes an incident of `simulated_application` and gives it with another frame and baseline, and where it adds what is
measured, another call graph. What is drawn is drawn anew for each incident, from the view's own seed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import networkx as nx
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from simulated_application import Floats, Incident, as_frame

DRAWN = 200
"""Requests drawn a sample for its quantiles."""

View = Callable[[Incident], Incident]


def with_quantiles(one: Incident) -> Incident:
    """Latency by p50 and p90 beside the mean: each sample draws requests and what they wait for."""
    inside, rng = one.inside, _rng(one, 1)
    rows = len(inside.own)
    drawn: dict[int, Floats] = {}
    columns: dict[tuple[str, str], NDArray[np.generic]] = {}
    for repo in reversed(list(nx.topological_sort(inside.calls))):
        shape = rng.uniform(0.3, 1.0)
        taken = inside.own[:, repo, None] * np.exp(shape * rng.standard_normal((rows, DRAWN)) - shape**2 / 2.0)
        for callee in inside.calls.successors(repo):
            call = inside.calls[repo][callee]
            often = np.floor(call["calls"] + rng.random((rows, DRAWN)))
            waited = rng.permuted(drawn[callee], axis=1) + inside.delay[:, callee, None]
            taken = taken + call["waits"] * often * waited
        drawn[repo] = taken
        there = inside.requests[:, repo] > 0
        for name, level in (("latency_p50", 0.5), ("latency_p90", 0.9)):
            columns[inside.codes[repo], name] = np.where(there, np.quantile(taken, level, axis=1), np.nan)
    return _joined(one, columns)


def with_client_views(one: Incident) -> Incident:
    """A node for a fifth of the calls, beside the service that is called: what its caller saw of a few of them, as traces that
    end at the border show. They are called by the caller and call nobody.
    """
    inside, rng = one.inside, _rng(one, 2)
    columns: dict[tuple[str, str], NDArray[np.generic]] = {}
    graph = one.graph.copy()
    for caller, callee in inside.calls.edges:
        if rng.random() > 0.2:
            continue
        seen = rng.binomial(inside.made[caller, callee], rng.choice([0.02, 0.1, 0.5]))
        # a call that did not arrive failed as well
        arrived = inside.requests[:, callee] / np.maximum(inside.sent(callee), 1)
        share = np.divide(inside.failed[:, callee], np.maximum(inside.requests[:, callee], 1))
        failed = rng.binomial(seen, np.clip(1.0 - np.minimum(arrived, 1.0) * (1.0 - share), 0.0, 1.0))
        spread = rng.uniform(0.3, 1.4) / np.sqrt(np.maximum(seen, 1))
        took = 1.3 * (inside.latency[:, callee] + inside.delay[:, callee]) + 0.002
        took = took * np.maximum(1.0 + spread * rng.standard_normal(len(took)), 0.1)
        code = f"{inside.codes[caller]}-{inside.codes[callee]}"
        graph.add_edge(inside.codes[caller], code)
        columns[code, "latency"] = np.where(seen > 0, took, np.nan)
        columns[code, "requests_total"] = seen
        columns[code, "requests_failed"] = failed
        columns[code, "availability"] = np.where(seen > 0, 1.0 - failed / np.maximum(seen, 1), np.nan)
    return replace(_joined(one, columns), graph=graph)


def at_the_caller(one: Incident) -> Incident:
    """Latency of each repo as its callers see it, the network included."""
    inside, rng = one.inside, _rng(one, 3)
    network = 0.001 * np.exp(0.3 * rng.standard_normal(inside.own.shape))
    seen = inside.latency + inside.delay + network
    return _joined(one, {(code, "latency"): seen[:, repo] for repo, code in enumerate(inside.codes)})


def resources_below(one: Incident) -> Incident:
    """Nobody but the target reports what it does; the others report processor, memory and threads in use.

    A slow repo uses more of its processor or waits with more threads, one that fails restarts with little memory or stays as
    it was. All three follow the load.
    """
    inside, rng = one.inside, _rng(one, 4)
    columns: dict[tuple[str, str], NDArray[np.generic]] = {}
    rows = len(inside.own)
    first = len(one.baseline)
    for repo, code in enumerate(inside.codes):
        if code == one.target[0]:
            continue
        noise = rng.standard_normal((rows, 3))
        cpu = inside.busy[:, repo] * rng.uniform(0.5, 1.0) * (1.0 + 0.05 * noise[:, 0])
        memory = rng.uniform(1e8, 1e9) * (1.0 + 0.002 * np.cumsum(noise[:, 1]) / np.sqrt(rows))
        threads = inside.requests[:, repo] * np.nan_to_num(inside.latency[:, repo]) / 60.0 * (1.0 + 0.05 * noise[:, 2])
        if code == one.cause and one.fault in {"slow", "timeouts"} and rng.random() < 0.7:
            cpu[first:] *= rng.choice([1.5, 3.0, 6.0])
        if code == one.cause and one.fault in {"errors", "timeouts"}:
            memory[first:] *= rng.choice([0.5, 1.0, 1.5, 3.0])
        columns[code, "cpu"], columns[code, "memory"], columns[code, "threads"] = np.minimum(cpu, 1.0), memory, threads
    keep = one.baseline.columns.get_level_values("repo") == one.target[0]
    thin = replace(one, frame=one.frame.loc[:, keep], baseline=one.baseline.loc[:, keep])
    return _joined(thin, columns)


VIEWS: Mapping[str, View] = {
    "as simulated": lambda one: one,
    "quantiles": with_quantiles,
    "client views": with_client_views,
    "at the caller": at_the_caller,
    "resources": resources_below,
}


def _rng(one: Incident, number: int) -> np.random.Generator:
    return np.random.default_rng([number, int(one.target[0], 16), len(one.baseline)])


def _joined(one: Incident, columns: Mapping[tuple[str, str], NDArray[np.generic]]) -> Incident:
    """Both frames with further columns, or others in place of those of the same name."""
    times = one.baseline.index.append(one.frame.index)
    added = as_frame(columns, times) if columns else pd.DataFrame(index=times)

    def join(frame: pd.DataFrame) -> pd.DataFrame:
        kept = frame.loc[:, ~frame.columns.isin(list(columns))]
        return pd.concat([kept, added.loc[frame.index]], axis=1).rename_axis(columns=["repo", "metric"])

    return replace(one, frame=join(one.frame), baseline=join(one.baseline))
