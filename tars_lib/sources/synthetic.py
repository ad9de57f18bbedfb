"""A synthetic organisation with known truth: request flow, latency and failures through a call graph.

Callers wait for their callees and pass on their failures, so that harm planted in one repo surfaces where it would in a
real system. Everything comes from a seeded generator; the demo organisation that ships with the package is one of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tars_lib.model.times import read_time

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Node:
    """One repo: its own latency (s), share of failures, requests an hour at noon, and which callees it waits for.

    `calls` maps a callee to the calls made for each request, at most 1.
    """

    repo: str
    latency: float
    failures: float
    requests: float
    calls: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plant:
    """Harm planted in one repo from `start` to `end`: its own latency times `slower`, and `failing` more failures."""

    repo: str
    start: datetime
    end: datetime
    slower: float = 1.0
    failing: float = 0.0


def synthesize(
    nodes: Sequence[Node],
    times: pd.DatetimeIndex,
    plants: Sequence[Plant],
    rng: np.random.Generator,
    silent: Mapping[str, datetime] | None = None,
) -> pd.DataFrame:
    """Return the history of an organisation.

    Parameters
    ----------
    nodes : sequence of Node
        Callees before callers or after, any order without cycles.
    times : DatetimeIndex
        UTC, even.
    silent : mapping, optional
        Repos that stop reporting at a time.

    Returns
    -------
    DataFrame
        Tidy: ``timestamp, repo, metric, value`` with requests_total, requests_failed, latency and latency_p95.
    """
    import pandas as pd

    hours = (times[1] - times[0]).total_seconds() / 3600.0
    latency: dict[str, Floats] = {}
    failing: dict[str, Floats] = {}
    by_name = {node.repo: node for node in nodes}

    def settle(node: Node) -> None:
        if node.repo in latency:
            return
        for callee in node.calls:
            settle(by_name[callee])
        own = node.latency * np.exp(0.08 * _red_noise(rng, len(times)))
        share = node.failures * np.exp(0.25 * _red_noise(rng, len(times)))
        for plant in plants:
            if plant.repo == node.repo:
                hit = (times >= pd.Timestamp(plant.start)) & (times < pd.Timestamp(plant.end))
                own = np.where(hit, own * plant.slower * np.exp(0.1 * rng.normal(size=len(times))), own)
                share = np.where(hit, share + plant.failing * np.exp(0.1 * rng.normal(size=len(times))), share)
        good = 1.0 - share
        for callee, calls in node.calls.items():
            own = own + calls * latency[callee]
            good = good * (1.0 - calls * failing[callee])
        latency[node.repo] = own
        failing[node.repo] = 1.0 - good

    frames = []
    for node in nodes:
        settle(node)
        total = rng.poisson(node.requests * hours * _rhythm(times) * np.exp(0.05 * _red_noise(rng, len(times))))
        failed = rng.binomial(total, np.clip(failing[node.repo], 0.0, 1.0))
        values = {
            "requests_total": total.astype(np.float64),
            "requests_failed": failed.astype(np.float64),
            "latency": latency[node.repo],
            "latency_p95": latency[node.repo] * 2.1 * np.exp(0.06 * rng.normal(size=len(times))),
        }
        keep = times < pd.Timestamp((silent or {}).get(node.repo, times[-1] + pd.Timedelta("1D")))
        frames += [
            pd.DataFrame({"timestamp": times[keep], "repo": node.repo, "metric": metric, "value": value[keep]})
            for metric, value in values.items()
        ]
    return pd.concat(frames, ignore_index=True)


def demo_history(seed: int = 20261102) -> pd.DataFrame:
    """Return the history of the demo organisation: 36 days, hourly, with one incident planted in `ledger` in its last hours."""
    import pandas as pd

    at = read_time("2026-11-02T08:00:00Z", "demo")
    times = pd.date_range("2026-09-28T00:00:00Z", "2026-11-02T15:00:00Z", freq="1h", tz="UTC")
    plants = (
        Plant("ledger", at, read_time("2026-11-03T00:00:00Z", "demo"), slower=9.0, failing=0.16),
        Plant(
            "search",
            read_time("2026-10-24T01:00:00Z", "demo"),
            read_time("2026-10-24T05:00:00Z", "demo"),
            slower=1.0,
            failing=0.6,
        ),
    )
    return synthesize(
        _SHOP,
        times,
        plants,
        np.random.default_rng(seed),
        {"recommendations": read_time("2026-11-01T09:00:00Z", "demo")},
    )


_SHOP = (
    Node("ledger", 0.040, 0.00008, 5_000),
    Node("fraud-check", 0.090, 0.00010, 5_000),
    Node("payments", 0.060, 0.00006, 5_000, {"ledger": 1.0, "fraud-check": 1.0}),
    Node("notifications", 0.030, 0.00010, 5_500),
    Node("inventory", 0.025, 0.00008, 12_000),
    Node("checkout", 0.070, 0.00008, 6_000, {"payments": 0.85, "inventory": 1.0, "notifications": 0.9}),
    Node("cart", 0.030, 0.00005, 8_000, {"inventory": 0.8}),
    Node("catalog", 0.045, 0.00083, 30_000),
    Node("search", 0.080, 0.00012, 25_000, {"catalog": 0.3}),
    Node("recommendations", 0.050, 0.00015, 20_000),
    Node("accounts", 0.035, 0.00006, 9_000),
    Node(
        "web",
        0.060,
        0.00005,
        60_000,
        {
            "search": 0.40,
            "catalog": 0.35,
            "recommendations": 0.30,
            "accounts": 0.15,
            "cart": 0.12,
            "checkout": 0.10,
        },
    ),
)


def _rhythm(times: pd.DatetimeIndex) -> Floats:
    """Return the share of the noon traffic: low at night, a little lower on week-ends."""
    hour = times.hour.to_numpy() + times.minute.to_numpy() / 60.0
    daily = 0.55 - 0.45 * np.cos(2.0 * np.pi * (hour - 2.0) / 24.0)
    return daily * np.where(times.dayofweek.to_numpy() >= 5, 0.85, 1.0)


def _red_noise(rng: np.random.Generator, n: int, phi: float = 0.6) -> Floats:
    """AR(1) noise with unit variance."""
    steps = rng.normal(size=n)
    noise = np.empty(n)
    noise[0] = steps[0]
    for i in range(1, n):
        noise[i] = phi * noise[i - 1] + np.sqrt(1.0 - phi**2) * steps[i]
    return noise
