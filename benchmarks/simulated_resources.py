"""A made-up application in which only the entry reports latency and failures, and all others resources alone.

Every other repo reports processor, memory, requests, disk and sockets, each of them left out here and there. Requests enter
by a daily cycle, or from a fixed number of users who wait for their answers, so that a slow answer brings fewer requests for
everybody. A repo is slower the more of its processor is in use; whoever waits keeps its sockets open. Memory wanders and
collects garbage, processors have bursts, disks flush. A fault at one repo below the entry is one of:

* cpu: something else takes 30 to 90 % of what its processor has left;
* memory: a leak that grows over the incident to 1.5 to 4 times the usual, and slows the repo down as it does;
* disk: its disk writes 5 to 100 times as much, and it waits for it;
* network delay: each exchange with it takes 20 ms to 0.5 s longer, its own calls included;
* packet loss: 5 to 40 % of packets are sent again after 0.2 s, and a few exchanges fail;
* lock: it is 3 to 30 times as slow, and waits: nothing but sockets shows it.

How large each is, is drawn; nothing here is taken from the method that is measured with it.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import networkx as nx
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from simulated_application import Drawn, Floats, as_frame, failing_shares, random_calls, strengths, wandering

FAULTS = ("cpu", "memory", "disk", "network delay", "packet loss", "lock")

RESENT_AFTER = 0.2
"""Seconds until a lost packet is sent again, as in common TCP stacks."""

ROUNDS = 6
"""In which users and their waiting settle."""

MISSING = 0.1
"""Share of a repo's metrics that nobody reports."""


@dataclass
class _State:
    """What goes wrong, and what repos are, in (T, R) or (R,)."""

    hog: Floats
    slower: Floats
    added: Floats
    delay: Floats
    error: Floats
    gone: Floats
    leak: Floats
    written: Floats


def resource_incident(seed: int, fault: str) -> Drawn:
    """Simulate one application with one fault, or with none where `fault` is empty.

    8 to 40 repos, samples 1 s to 1 min apart, 150 to 600 of them before, 10 to 120 during the incident.
    """
    rng = np.random.default_rng([seed, zlib.crc32(fault.encode()), 5])
    repos, seconds = int(rng.choice([8, 12, 20, 40])), float(rng.choice([1.0, 5.0, 15.0, 60.0]))
    before, during = int(rng.choice([150, 300, 600])), int(rng.choice([10, 30, 60, 120]))
    rows = before + during
    calls = random_calls(rng, repos)
    nx.set_edge_attributes(calls, 1, "attempts")
    cause = int(rng.choice(sorted(nx.descendants(calls, 0))))
    state = _faulted(rng, fault, cause, (rows, repos), before)
    columns = _observed(rng, calls, state, seconds, rng.permutation(2**18)[:repos].tolist())
    times = pd.date_range("2024-03-01", periods=rows, freq=f"{int(seconds)}s", tz="UTC")
    frame = as_frame(columns, times)
    codes = list(dict.fromkeys(repo for repo, _ in columns))
    entry = [frame[codes[0], name].to_numpy() for name in ("latency", "requests_total", "requests_failed")]
    latency, failures = strengths(*entry, before)
    return Drawn(
        frame=frame[before:],
        baseline=frame[:before],
        graph=nx.relabel_nodes(calls, dict(enumerate(codes))),
        target=(codes[0], "latency" if latency >= failures else "availability"),
        started_at=frame.index[before],
        fault=fault,
        causes=(codes[cause],) if fault else (),
        strength=max(latency, failures),
    )


def _faulted(rng: np.random.Generator, fault: str, cause: int, shape: tuple[int, int], before: int) -> _State:
    rows, repos = shape
    state = _State(*(np.full(shape, 1.0 if name == "slower" else 0.0) for name in _State.__dataclass_fields__))
    state.error[:] = 10.0 ** rng.uniform(-5.0, -3.0, repos)
    since = np.arange(rows) >= before
    ramp = np.clip((np.arange(rows) - before + 1.0) / (rows - before), 0.0, 1.0)
    if fault == "cpu":
        state.hog[since, cause] = rng.choice([0.3, 0.6, 0.9])
    if fault == "memory":
        state.leak[:, cause] = ramp * rng.choice([0.5, 1.0, 3.0])
        state.slower[:, cause] += ramp**2 * rng.choice([1.0, 4.0, 15.0])
        state.hog[:, cause] = ramp * rng.choice([0.0, 0.3])
        state.error[:, cause] += (ramp > 0.75) * rng.choice([0.0, 0.0, 0.2])
    if fault == "disk":
        state.written[since, cause] = rng.choice([5.0, 20.0, 100.0])
        state.slower[since, cause] += rng.choice([0.5, 2.0, 10.0])
        state.hog[since, cause] = rng.uniform(0.0, 0.2)
    if fault == "network delay":
        state.delay[since, cause] = rng.choice([0.02, 0.1, 0.5])
    if fault == "packet loss":
        lost = rng.choice([0.05, 0.15, 0.4])
        state.delay[since, cause] = RESENT_AFTER * lost / (1.0 - lost)
        state.gone[since, cause] = lost**3
    if fault == "lock":
        state.slower[since, cause] += rng.choice([2.0, 9.0, 29.0])
    return state


def _observed(
    rng: np.random.Generator, calls: nx.DiGraph[int], state: _State, seconds: float, numbers: list[int]
) -> dict[tuple[str, str], NDArray[np.generic]]:
    rows, repos = state.hog.shape
    order = list(nx.topological_sort(calls))
    visits = np.zeros(repos)
    visits[0] = 1.0
    for repo in order:
        for callee in calls.successors(repo):
            visits[callee] += visits[repo] * calls[repo][callee]["calls"]
    typical = np.exp(rng.normal(np.log(0.02), 1.0, repos))
    noise = np.exp(rng.uniform(0.03, 0.15, repos) * wandering(rng, rows, repos, 0.6))
    usual_rate = 10.0 ** rng.uniform(0.5, 2.5)
    wanted = usual_rate * (1.0 + 0.3 * np.sin(2.0 * np.pi * (np.arange(rows) * seconds / 86400.0 + rng.random())))
    wanted = wanted * np.exp(rng.uniform(0.02, 0.2) * wandering(rng, rows, 1, 0.7)[:, 0])
    is_closed, usually_busy = bool(rng.random() < 0.5), rng.uniform(0.05, 0.6, repos)
    thinking = rng.uniform(0.2, 5.0)
    rate, usual = wanted, np.nan
    for _ in range(ROUNDS):
        busy = usually_busy * rate[:, None] / usual_rate
        used = np.minimum(busy + state.hog * np.maximum(1.0 - busy, 0.0), 0.97)
        own = typical * noise * state.slower / (1.0 - used)
        latency = np.zeros((rows, repos))
        for repo in reversed(order):
            latency[:, repo] = own[:, repo]
            for callee in calls.successors(repo):
                call = calls[repo][callee]
                exchange = latency[:, callee] + state.delay[:, callee] + state.delay[:, repo]
                latency[:, repo] += call["calls"] * call["waits"] * exchange
        usual = float(np.median(latency[: rows // 2, 0]))
        if is_closed:
            rate = 0.5 * rate + 0.5 * wanted * (thinking + usual) / (thinking + latency[:, 0])
    arrived = rng.poisson(np.maximum(rate[:, None] * visits * seconds, 0.0))
    codes = [f"{number:05x}" for number in numbers]
    failed = rng.binomial(arrived[:, 0], np.clip(failing_shares(calls, state.error, state.gone)[:, 0], 0.0, 1.0))
    spread = rng.uniform(0.3, 1.4) / np.sqrt(np.maximum(arrived[:, 0], 1))
    total, measured = arrived[:, 0], np.maximum(latency[:, 0] * (1.0 + spread * rng.standard_normal(rows)), 1e-4)
    columns: dict[tuple[str, str], NDArray[np.generic]] = {
        (codes[0], "latency"): np.where(total > 0, measured, np.nan),
        (codes[0], "requests_total"): total,
        (codes[0], "requests_failed"): failed,
        (codes[0], "availability"): np.where(total > 0, 1.0 - failed / np.maximum(total, 1), np.nan),
    }
    requests = "requests_total" if rng.random() < 0.5 else "requests"
    for repo, code in enumerate(codes):
        waiting = latency[:, repo] + state.delay[:, repo]
        for callee in calls.successors(repo):
            call = calls[repo][callee]
            waiting = waiting + call["calls"] * (latency[:, callee] + state.delay[:, callee])
        open_sockets = rate * visits[repo] * waiting
        all_of_it = _resources(rng, state, repo, arrived[:, repo], used[:, repo], open_sockets)
        for name, values in all_of_it.items():
            if repo == 0 and name == "requests":
                continue
            if rng.random() >= MISSING:
                columns[code, requests if name == "requests" else name] = values
    return columns


def _resources(
    rng: np.random.Generator, state: _State, repo: int, arrived: NDArray[np.int64], used: Floats, waiting: Floats
) -> dict[str, NDArray[np.generic]]:
    rows = len(arrived)
    share = arrived / max(float(np.median(arrived)), 1.0)
    bursts = (rng.random(rows) < rng.uniform(0.0, 0.03)) * rng.uniform(0.05, 0.3, rows)
    cpu = rng.uniform(0.001, 0.03) + used * (1.0 + rng.uniform(0.03, 0.15) * rng.standard_normal(rows)) + bursts
    sockets = rng.integers(2, 50) + rng.poisson(np.maximum(waiting, 0.0))
    collected = rng.uniform(0.0, 0.15) * ((np.arange(rows) / rng.uniform(10.0, 80.0) + rng.random()) % 1.0)
    wander = 10.0 ** rng.uniform(-4.0, -1.5) * wandering(rng, rows, 1, 0.95)[:, 0]
    memory = 10.0 ** rng.uniform(7.5, 9.5) * (1.0 + collected + wander + state.leak[:, repo])
    memory = memory + 10.0 ** rng.uniform(3.0, 5.5) * sockets
    disk = np.zeros(rows)
    if rng.random() < 0.6 or state.written[:, repo].any():
        flush = (rng.random(rows) < rng.uniform(0.01, 0.2)) * np.exp(rng.normal(1.0, 1.0, rows))
        usual = share * np.exp(rng.uniform(0.1, 0.4) * rng.standard_normal(rows)) + flush
        disk = 10.0 ** rng.uniform(3.0, 6.0) * (usual + state.written[:, repo] * rng.uniform(0.7, 1.3, rows))
    return {"cpu": np.minimum(cpu, 1.0), "memory": memory, "requests": arrived, "disk": disk, "sockets": sockets}
