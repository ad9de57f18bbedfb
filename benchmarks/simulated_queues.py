"""A made-up application in which a part of the calls goes through queues: the caller does not wait, and no failure comes back.

A consumer takes messages from its queue as fast as it and what it calls allow, usually 1.1 to 2.5 times as many as ever came;
what it fails comes back into the queue.
Consumers report the length of their queue and the age of the oldest message beside what all report. The target is the queue
that ages most, or with `at_entry` the entry's latency or failures, which do not feel what happens behind a queue. Faults:

* slow: a consumer, or what it calls, is 3 to 31 times as slow;
* errors: it fails 20 to 90 % of what it is asked;
* load: the producer sends 2 to 8 times as many messages, which come in from outside.
"""

from __future__ import annotations

import zlib

import networkx as nx
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from simulated_application import Drawn, Floats, as_frame, failing_shares, random_calls, strengths, wandering

FAULTS = ("slow", "errors", "load")

QUEUED = 0.4
"""Share of calls that go through a queue, at most one into each consumer and none below another consumer's callees."""


def queue_incident(seed: int, fault: str, *, at_entry: bool = False) -> Drawn:
    """Simulate one application with one fault at a consumer or at what it calls, or none where `fault` is empty.

    8 to 40 repos, samples 15 s to 5 min apart, 150 to 600 of them before, 6 to 40 during the incident.
    """
    rng = np.random.default_rng([seed, zlib.crc32(fault.encode()), 7])
    repos, seconds = int(rng.choice([8, 15, 40])), float(rng.choice([15.0, 60.0, 300.0]))
    before, during = int(rng.choice([150, 300, 600])), int(rng.choice([6, 12, 40]))
    calls, consumers = _with_queues(rng, repos)
    since = slice(before, before + during)
    behind = sorted({repo for consumer in consumers for repo in (consumer, *_waited_for(calls, consumer))})
    producers = sorted({next(iter(calls.predecessors(consumer))) for consumer in consumers})
    if at_entry:
        # what the entry waits for as well would be a cause
        behind = [repo for repo in behind if repo not in _waited_for(calls, 0)] or consumers[:1]
    cause = int(rng.choice(producers if fault == "load" else behind))
    simulated = _simulated(rng, calls, (fault, cause, since), (before + during, seconds))
    age, length, latency, total, failed = simulated
    codes = [f"{code:05x}" for code in rng.permutation(2**18)[:repos]]
    columns: dict[tuple[str, str], NDArray[np.generic]] = {}
    for repo, code in enumerate(codes):
        columns[code, "latency"] = np.where(total[:, repo] > 0, latency[:, repo], np.nan)
        columns[code, "requests_total"], columns[code, "requests_failed"] = total[:, repo], failed[:, repo]
        share = 1.0 - failed[:, repo] / np.maximum(total[:, repo], 1)
        columns[code, "availability"] = np.where(total[:, repo] > 0, share, np.nan)
        if repo in consumers:
            columns[code, "queue_age"], columns[code, "queue_length"] = age[:, repo], length[:, repo]
    frame = as_frame(columns, pd.date_range("2024-03-01", periods=before + during, freq=f"{int(seconds)}s", tz="UTC"))
    if at_entry:
        first, second = strengths(latency[:, 0], total[:, 0], failed[:, 0], before)
        target, strength = (codes[0], "latency" if first >= second else "availability"), max(first, second)
    else:
        # a queue that the fault does not concern may age as well, as queues do
        reached = nx.descendants(calls, cause) if fault == "load" else {cause}
        concerned = [repo for repo in consumers if not fault or reached & {repo, *_waited_for(calls, repo)}]
        rises = {repo: strengths(age[:, repo], total[:, repo], failed[:, repo], before)[0] for repo in concerned}
        oldest = max(rises, key=lambda repo: rises[repo])
        target, strength = (codes[oldest], "queue_age"), rises[oldest]
    return Drawn(
        frame=frame[before:],
        baseline=frame[:before],
        graph=nx.relabel_nodes(calls, dict(enumerate(codes))),
        target=target,
        started_at=frame.index[before],
        fault=fault,
        causes=() if at_entry or not fault else (codes[cause],),
        strength=strength,
    )


def _with_queues(rng: np.random.Generator, repos: int) -> tuple[nx.DiGraph[int], list[int]]:
    """Calls of which some are queues, each of them the one way to its consumer."""
    calls = random_calls(rng, repos)
    nx.set_edge_attributes(calls, 1, "attempts")
    nx.set_edge_attributes(calls, True, "waits")
    single = [callee for callee in range(1, repos) if calls.in_degree(callee) == 1]
    consumers = [callee for callee in single if rng.random() < QUEUED] or single[:1]
    for consumer in consumers:
        producer = next(iter(calls.predecessors(consumer)))
        calls[producer][consumer].update(waits=False, passes=0.0)
    return calls, consumers


def _waited_for(calls: nx.DiGraph[int], repo: int) -> list[int]:
    """What a repo waits for, directly or not."""
    waits = nx.DiGraph([(a, b) for a, b, waits in calls.edges(data="waits") if waits])
    return sorted(nx.descendants(waits, repo)) if repo in waits else []


def _simulated(
    rng: np.random.Generator, calls: nx.DiGraph[int], what: tuple[str, int, slice], shape: tuple[int, float]
) -> tuple[Floats, Floats, Floats, NDArray[np.int64], NDArray[np.int64]]:
    """Age and length of queues, latency, requests and failures, each (T, R)."""
    (fault, cause, since), (rows, seconds), repos = what, shape, len(calls)
    typical = np.exp(rng.normal(np.log(0.02), 1.0, repos))
    own = typical * np.exp(rng.uniform(0.03, 0.15, repos) * wandering(rng, rows, repos, 0.6))
    error = np.tile(10.0 ** rng.uniform(-4.5, -2.5, repos), (rows, 1))
    if fault == "slow":
        own[since, cause] += typical[cause] * rng.choice([2.0, 5.0, 10.0, 30.0])
    if fault == "errors":
        error[since, cause] = rng.choice([0.2, 0.5, 0.9])
    failing = failing_shares(calls, error, np.zeros_like(error))
    order = list(nx.topological_sort(calls))
    latency = own.copy()
    for repo in reversed(order):
        for callee in calls.successors(repo):
            latency[:, repo] += calls[repo][callee]["waits"] * calls[repo][callee]["calls"] * latency[:, callee]
    sent = np.zeros((rows, repos))
    cycle = 1.0 + 0.4 * np.sin(2.0 * np.pi * (np.arange(rows) * seconds / 86400.0 + rng.random()))
    sent[:, 0] = seconds * 10.0 ** rng.uniform(-0.5, 2.0) * cycle * np.exp(0.1 * wandering(rng, rows, 1, 0.8)[:, 0])
    total, failed = np.zeros((rows, repos), dtype=np.int64), np.zeros((rows, repos), dtype=np.int64)
    age, length = np.zeros((rows, repos)), np.zeros((rows, repos))
    for repo in order:
        arriving = rng.poisson(sent[:, repo])
        is_consumer = any(not calls[caller][repo]["waits"] for caller in calls.predecessors(repo))
        if fault == "load" and repo == cause:
            arriving[since] *= int(rng.choice([2, 4, 8]))
        if is_consumer:
            usual = arriving[: since.start] if fault else arriving
            most = max(int(usual.max()), 1) * rng.uniform(1.1, 2.5)
            capacity = most * np.median(latency[: since.start, repo]) / latency[:, repo]
            queue = _queue(rng, arriving, capacity, failing[:, repo])
            length[:, repo], total[:, repo], failed[:, repo] = queue
            age[:, repo] = seconds * length[:, repo] / np.maximum(capacity, 1e-9) + latency[:, repo]
        else:
            total[:, repo] = arriving
            failed[:, repo] = rng.binomial(arriving, failing[:, repo])
        for callee in calls.successors(repo):
            sent[:, callee] += total[:, repo] * calls[repo][callee]["calls"]
    spread = rng.uniform(0.3, 1.4, repos) / np.sqrt(np.maximum(total, 1))
    latency = np.maximum(latency * (1.0 + spread * rng.standard_normal((rows, repos))), 1e-4)
    return age, length, latency, total, failed


def _queue(
    rng: np.random.Generator, arriving: NDArray[np.int64], capacity: Floats, failing: Floats
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Length at the end of each sample, messages taken, and those of them that failed and came back; each (T,)."""
    length, taken, failed = (np.zeros(len(arriving), dtype=np.int64) for _ in range(3))
    waiting = 0
    for row, new in enumerate(arriving.tolist()):
        taken[row] = min(waiting + new, rng.poisson(capacity[row]))
        failed[row] = rng.binomial(taken[row], failing[row])
        waiting += new - int(taken[row]) + int(failed[row])
        length[row] = waiting
    return length, taken, failed
