"""A made-up application of random calls, with a fault at one repo, and what its metrics show of it.

Requests enter at one repo with a daily cycle and are passed down a random graph without cycles; each call is made so many
times a request. A repo's mean latency is its own, which wanders and grows with its load as in a queue of one server, and
what it waits for; its failures are its own and those that it passes on. Half of the repos call one callee after another
and stop at the first failure that they pass on. A fault is one of:

* slow: the repo's own latency is 3 to 31 times as long;
* errors: 5 to 90 % of its own requests fail, half of the times before it calls anybody;
* timeouts: both;
* loss: 30 to 90 % of the requests to it do not arrive, and fail at its callers;
* load: 2 to 8 times the requests come in at it, from outside;
* delay: its callers wait 0.1 to 2 s more for each answer, and it does not notice;
* retries: as errors, and everybody makes a call that failed again, up to twice;
* pauses: as retries, and everybody waits 0.05 to 1 s before a call is made again;
* given up: as slow, and nobody waits for it longer than 4 to 8 times as long as it usually takes: the call has failed then,
  and the repo does not notice.

Nothing here is taken from the method that is measured with it, and none of its constants was chosen by these figures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import networkx as nx
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]

FAULTS = ("slow", "errors", "timeouts", "loss", "load")

REPEATED = frozenset({"retries", "pauses"})
"""Faults in which everybody makes a call that failed again."""

ATTEMPTS = 3
"""Of a call that fails, where calls are repeated."""

SHAPE = 0.5
"""Of the log-normal latency of single requests where somebody gives up waiting."""

WARM_UP = 100
DAY_MINUTES = 1440.0


@dataclass(frozen=True)
class Incident:
    """One simulated incident, as `rank_root_causes` takes it; `fault` and `cause` are empty where nothing happened.

    `strength` is the target's mean excess in robust sigmas of its past (latency), or in standard deviations of a Poisson
    count (failures); `target` has the metric that shows more. `other` is the repo of a second fault of the same time.
    """

    frame: pd.DataFrame
    baseline: pd.DataFrame
    graph: nx.DiGraph[str]
    target: tuple[str, str]
    started_at: pd.Timestamp
    fault: str
    cause: str
    strength: float
    inside: Inside
    other: str = ""


@dataclass(frozen=True)
class Drawn:
    """The same of any kind of application, without what happens inside; any of `causes` is right, none is where nothing
    happened.
    """

    frame: pd.DataFrame
    baseline: pd.DataFrame
    graph: nx.DiGraph[str]
    target: tuple[str, str]
    started_at: pd.Timestamp
    fault: str
    causes: tuple[str, ...]
    strength: float


@dataclass(frozen=True)
class Inside:
    """What happens in a simulated application, by numbers of repos: what other telemetry can be made of.

    `own` (T, R) is the latency of a repo without its callees, `delay` what callers wait beyond its latency, `busy` the share
    of its capacity in use; `made` (T,) are the calls of each edge, arrived or not; `codes` are the names.
    """

    calls: nx.DiGraph[int]
    codes: list[str]
    own: Floats
    delay: Floats
    busy: Floats
    latency: Floats
    requests: NDArray[np.int64]
    failed: NDArray[np.int64]
    made: Mapping[tuple[int, int], NDArray[np.int64]]

    def sent(self, callee: int) -> NDArray[np.int64]:
        """Calls (T,) made to a repo by all others."""
        return np.sum([calls for (_, to), calls in self.made.items() if to == callee], axis=0)


@dataclass(frozen=True)
class _Faulted:
    """Where and when what goes wrong."""

    fault: str
    repo: int
    since: slice


def incident(seed: int, fault: str, second: str = "") -> Incident:
    """Simulate one application with one fault, or with none where `fault` is empty; with a `second` elsewhere.

    A second one slows a repo down, fails its requests, or both.

    8 to 60 repos, samples 15 s to 5 min apart, 150 to 800 of them before, 3 to 40 during the incident, 10 to 10,000
    requests a minute.
    """
    rng = np.random.default_rng([seed, len(fault)])
    repos = int(rng.choice([8, 15, 30, 60]))
    minutes = float(rng.choice([0.25, 1.0, 5.0]))
    before, during = int(rng.choice([150, 400, 800])), int(rng.choice([3, 6, 12, 40]))
    calls = random_calls(rng, repos)
    nx.set_edge_attributes(calls, ATTEMPTS if fault in REPEATED else 1, "attempts")
    dependents = sorted({0, *nx.descendants(calls, 0)})
    since = slice(before, before + during)
    faults = [_Faulted(fault, int(rng.choice(dependents)), since)]
    if second:
        faults.append(_Faulted(second, int(rng.choice([r for r in dependents if r != faults[0].repo])), since))
    entering = minutes * 10.0 ** rng.uniform(1.0, 4.0) * _daily(rng, before + during, minutes)
    measured = _measured(rng, calls, faults, rng.poisson(entering))
    codes = measured.codes
    frame = _frame(measured, minutes)
    first = measured.latency[:, 0], measured.requests[:, 0], measured.failed[:, 0]
    latency, failures = strengths(*first, before)
    return Incident(
        frame=frame[before:],
        baseline=frame[:before],
        graph=nx.relabel_nodes(calls, dict(enumerate(codes))),
        target=(codes[0], "latency" if latency >= failures else "availability"),
        started_at=frame.index[before],
        fault=fault,
        cause=codes[faults[0].repo] if fault else "",
        strength=max(latency, failures),
        inside=measured,
        other=codes[faults[1].repo] if second else "",
    )


def random_calls(rng: np.random.Generator, repos: int) -> nx.DiGraph[int]:
    """Draw calls from higher to lower layers: calls a request, part of failures passed on, whether the caller waits."""
    layer = np.sort(rng.integers(0, max(3, repos // 5), repos))
    layer[0] = -1
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from(range(repos))
    for callee in range(1, repos):
        above = np.flatnonzero(layer < layer[callee])
        for caller in rng.choice(above, size=min(len(above), int(rng.integers(1, 3))), replace=False).tolist():
            graph.add_edge(
                caller,
                callee,
                calls=float(rng.choice([0.3, 0.5, 1.0, 1.0, 1.0, 2.0])),
                passes=float(rng.choice([0.0, 0.5, 1.0, 1.0])),
                waits=bool(rng.random() < 0.9),
            )
    return graph


def _daily(rng: np.random.Generator, rows: int, minutes: float) -> Floats:
    cycle = 1.0 + 0.4 * np.sin(2.0 * np.pi * (np.arange(rows) * minutes / DAY_MINUTES + rng.random()))
    return np.asarray(cycle * np.exp(0.1 * wandering(rng, rows, 1, 0.8)[:, 0]))


def wandering(rng: np.random.Generator, rows: int, columns: int, phi: float) -> Floats:
    """AR(1) noise of variance one."""
    shocks = rng.standard_normal((rows + WARM_UP, columns)) * np.sqrt(1.0 - phi**2)
    for row in range(1, len(shocks)):
        shocks[row] += phi * shocks[row - 1]
    return np.asarray(shocks[WARM_UP:])


def _measured(
    rng: np.random.Generator, calls: nx.DiGraph[int], faults: Sequence[_Faulted], entering: NDArray[np.int64]
) -> Inside:
    rows, repos = len(entering), len(calls)
    typical = np.exp(rng.normal(np.log(0.02), 1.0, repos))
    own = typical * np.exp(rng.uniform(0.03, 0.15, repos) * wandering(rng, rows, repos, 0.6))
    error = np.tile(10.0 ** rng.uniform(-4.5, -2.5, repos), (rows, 1))
    gone, delay = np.zeros((rows, repos)), np.zeros((rows, repos))
    what = faults[0]
    for one in faults:
        if one.fault in {"slow", "timeouts", "given up"}:
            own[one.since, one.repo] += typical[one.repo] * float(rng.choice([2.0, 5.0, 10.0, 30.0]))
        if one.fault in {"errors", "timeouts", *REPEATED}:
            error[one.since, one.repo] = float(rng.choice([0.05, 0.2, 0.5, 0.9]))
        if one.fault == "loss":
            gone[one.since, one.repo] = float(rng.choice([0.3, 0.6, 0.9]))
        if one.fault == "delay":
            delay[one.since, one.repo] = float(rng.choice([0.1, 0.5, 2.0]))
    pause = float(rng.choice([0.05, 0.2, 1.0])) if what.fault == "pauses" else 0.0
    patience = float(rng.uniform(4.0, 8.0)) if what.fault == "given up" else np.inf
    late = np.zeros((rows, repos))
    if what.fault == "given up":
        late[:, what.repo] = _longer(own[:, what.repo], patience * typical[what.repo])
    failing = failing_shares(calls, error, 1.0 - (1.0 - gone) * (1.0 - late))
    served, made = _served(rng, calls, what, entering, _Failures(error, gone, late, failing))
    capacity = np.maximum(served[: what.since.start].max(axis=0), 1) * rng.uniform(1.2, 4.0, repos)
    busy = np.minimum(served / capacity, 0.97)
    own = own / (1.0 - busy)
    latency = np.zeros((rows, repos))
    for repo in reversed(list(nx.topological_sort(calls))):
        spread = rng.uniform(0.3, 1.4) / np.sqrt(np.maximum(served[:, repo], 1))
        waited = own[:, repo] * (1.0 + spread * rng.standard_normal(rows))
        for callee in calls.successors(repo):
            call = calls[repo][callee]
            fails = 1.0 - (1.0 - failing[:, callee]) * (1.0 - gone[:, callee]) * (1.0 - late[:, callee])
            again = sum(fails**k for k in range(1, call["attempts"]))
            answer = latency[:, callee] + delay[:, callee]
            if what.fault == "given up" and callee == what.repo:
                answer = np.minimum(
                    answer, (1.0 - late[:, callee]) * answer + late[:, callee] * patience * typical[callee]
                )
            waited = waited + call["calls"] * call["waits"] * (answer + again * pause)
        latency[:, repo] = np.maximum(waited, 1e-4)
    failed = rng.binomial(served, np.clip(failing, 0.0, 1.0))
    codes = [f"{code:05x}" for code in rng.permutation(2**18)[:repos]]
    return Inside(calls, codes, own, delay, busy, np.where(served > 0, latency, np.nan), served, failed, made)


@dataclass(frozen=True)
class _Failures:
    """Shares (T, R) of requests that fail: by the repo itself, on the way to it, unnoticed by it because nobody waits for the
    answer, and at it for whatever reason.
    """

    own: Floats
    gone: Floats
    late: Floats
    all: Floats

    def seen_by_callers(self, repo: int) -> Floats:
        """Share (T,) of the calls to a repo that fail."""
        return 1.0 - (1.0 - self.all[:, repo]) * (1.0 - self.gone[:, repo]) * (1.0 - self.late[:, repo])


def failing_shares(calls: nx.DiGraph[int], own: Floats, gone: Floats) -> Floats:
    """Share (T, R) of requests that fail at each repo, its callees' failures included."""
    result = np.zeros_like(own)
    for repo in reversed(list(nx.topological_sort(calls))):
        succeeds = 1.0 - own[:, repo]
        for callee in calls.successors(repo):
            succeeds = succeeds * (1.0 - _passed_on(calls[repo][callee], result[:, callee], gone[:, callee]))
        result[:, repo] = 1.0 - succeeds
    return result


def _longer(mean: Floats, limit: float) -> Floats:
    """Share (T,) of log-normal latencies of a mean that are longer than a limit."""
    return np.asarray(special.ndtr((np.log(mean / limit) - SHAPE**2 / 2.0) / SHAPE))


def _passed_on(call: dict[str, float], failing: Floats, gone: Floats) -> Floats:
    """Share (T,) of the caller's requests that fail because of one callee."""
    fails = (1.0 - (1.0 - failing) * (1.0 - gone)) ** call["attempts"]
    return np.asarray(min(1.0, call["calls"]) * call["passes"] * fails)


def _served(
    rng: np.random.Generator, calls: nx.DiGraph[int], what: _Faulted, entering: NDArray[np.int64], failures: _Failures
) -> tuple[NDArray[np.int64], dict[tuple[int, int], NDArray[np.int64]]]:
    """Requests (T, R) that arrive at each repo, and the calls (T,) that each edge made."""
    made: dict[tuple[int, int], NDArray[np.int64]] = {}
    sent = np.zeros(failures.own.shape, dtype=np.int64)
    sent[:, 0] = entering
    served = sent.copy()
    for repo in nx.topological_sort(calls):
        if what.fault == "load" and repo == what.repo:
            more = float(rng.choice([2.0, 4.0, 8.0])) - 1.0
            sent[what.since, repo] += rng.poisson(sent[what.since, repo] * more)
        served[:, repo] = rng.binomial(sent[:, repo], 1.0 - failures.gone[:, repo])
        is_early, gives_up = rng.random(2) < 0.5
        calling = served[:, repo] * (1.0 - failures.own[:, repo] * is_early)
        for callee in rng.permutation(list(calls.successors(repo))).tolist():
            call = calls[repo][callee]
            again = failures.seen_by_callers(callee)
            made[repo, callee] = rng.poisson(calling * call["calls"] * sum(again**k for k in range(call["attempts"])))
            sent[:, callee] += made[repo, callee]
            if gives_up:
                unanswered = 1.0 - (1.0 - failures.gone[:, callee]) * (1.0 - failures.late[:, callee])
                calling = calling * (1.0 - _passed_on(call, failures.all[:, callee], unanswered))
    return served, made


def _frame(measured: Inside, minutes: float) -> pd.DataFrame:
    columns: dict[tuple[str, str], NDArray[np.float64] | NDArray[np.int64]] = {}
    for repo, code in enumerate(measured.codes):
        total, failed = measured.requests[:, repo], measured.failed[:, repo]
        columns[code, "latency"] = measured.latency[:, repo]
        columns[code, "requests_total"] = total
        columns[code, "requests_failed"] = failed
        columns[code, "availability"] = np.where(total > 0, 1.0 - failed / np.maximum(total, 1), np.nan)
    times = pd.date_range("2024-03-01", periods=len(measured.latency), freq=f"{int(minutes * 60)}s", tz="UTC")
    return as_frame(columns, times)


def as_frame(columns: Mapping[tuple[str, str], NDArray[np.generic]], times: pd.DatetimeIndex) -> pd.DataFrame:
    """A frame as `rank_root_causes` takes it, of columns by repo and metric."""
    frame = pd.DataFrame(columns, index=times)
    return frame.set_axis(pd.MultiIndex.from_tuples(frame.columns, names=["repo", "metric"]), axis=1)


def strengths(latency: Floats, total: NDArray[np.int64], failed: NDArray[np.int64], before: int) -> tuple[float, float]:
    """By how much one repo's latency and its failures leave what they were; see `Incident`."""
    usual = np.nanmedian(latency[:before])
    spread = 1.4826 * np.nanmedian(np.abs(latency[:before] - usual))
    expected = failed[:before].sum() / max(total[:before].sum(), 1) * total[before:].sum()
    return (
        float((np.nanmean(latency[before:]) - usual) / spread),
        float((failed[before:].sum() - expected) / np.sqrt(expected + 1.0)),
    )
