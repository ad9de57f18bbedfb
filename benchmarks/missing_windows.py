"""Windows of request counts, simulated and with the traffic of real services, and ways in which part of them gets lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from petshop_dataset import read_scenarios

from tars_lib.model.history import DAY, History, from_micros, to_micros
from tars_lib.model.names import Repo
from tars_lib.model.organisation import OrgData
from tars_lib.model.slo import RatioPolicy, Window
from tars_lib.model.times import read_time

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

START = to_micros(read_time("2026-01-01T00:00:00Z", "benchmark"))
MINUTE = DAY // 1440


@dataclass(frozen=True)
class Case:
    """Counts of requests, the SLA's window being the last rows.

    Attributes
    ----------
    total, part : ndarray of float64, shape (T, R)
        Requests, and those that failed, or succeeded where `counts_good`; NaN is a count that did not arrive.
    harm : ndarray of bool, shape (T, R)
        Where more fails than usual.
    step : int
        Microseconds between rows.
    rows : int
        Rows of the window.
    objective : float
    counts_good : bool
    """

    total: Floats
    part: Floats
    harm: Bools
    step: int
    rows: int
    objective: float
    counts_good: bool


def simulated(rng: np.random.Generator) -> Case:
    """One to five services with a daily course, a rate of failures near the objective, and in most windows an incident."""
    step = int(rng.choice([5, 15, 60])) * MINUTE
    rows = int(rng.choice([6, 24, 24 * 7] if step < 60 * MINUTE else [24, 24 * 7, 24 * 30])) * 60 * MINUTE // step
    past = int(rows * rng.choice([1.0, 1.5, 3.0]))
    repos = int(rng.integers(1, 6))
    times = step * np.arange(past)[:, None]
    busy = 10.0 ** rng.uniform(1.0, 3.5, repos)
    course = 1.0 + rng.uniform(0.0, 0.9) * np.sin(2.0 * np.pi * (times / DAY + rng.uniform(0, 1, repos)))
    return _with_failures(rng, rng.poisson(busy * course).astype(np.float64), step, rows)


def real_traffic(dataset: Path) -> Iterator[tuple[Floats, int]]:
    """Complete request counts (T, R) of the services of the PetShop baseline, and their step; T is 589, two days."""
    for scenario in read_scenarios(dataset):
        totals = scenario.baseline.xs("requests_total", axis=1, level="metric").dropna(axis=1)
        yield totals.to_numpy(dtype=np.float64), 5 * MINUTE


def from_traffic(rng: np.random.Generator, traffic: Floats, step: int) -> Case:
    """Some services of real traffic over a part of it, with failures drawn."""
    rows = int(rng.choice([72, 144, 288]))
    past = int(min(len(traffic), rows * rng.choice([1.0, 1.5, 2.0])))
    first = int(rng.integers(0, len(traffic) - past + 1))
    chosen = rng.permutation(traffic.shape[1])[: int(rng.integers(1, 6))]
    return _with_failures(rng, traffic[first : first + past, chosen].copy(), step, rows)


def _with_failures(rng: np.random.Generator, total: Floats, step: int, rows: int) -> Case:
    """Draw failures: a steady rate below the objective, and an incident that may take retries or an outage with it."""
    objective = float(rng.choice([0.95, 0.99, 0.995, 0.999]))
    rate = np.full(total.shape, (1.0 - objective) * rng.uniform(0.05, 0.9))
    harm = np.zeros(total.shape, dtype=bool)
    if rng.random() < 0.75:
        begin = len(total) - rows + int(rng.integers(0, rows))
        length = max(1, int(rows * rng.choice([0.02, 0.1, 0.3])))
        hit = rng.random(total.shape[1]) < 0.6
        harm[begin : begin + length, hit] = True
        budget = (1.0 - objective) * rows / length
        rate[harm] = min(1.0, budget * rng.choice([0.3, 0.8, 1.5, 5.0]))
        if rng.random() < 0.2:
            total[harm] = np.round(total[harm] * rng.choice([0.3, 2.0, 4.0]))
    failed = rng.binomial(total.astype(np.int64), np.clip(rate, 0.0, 1.0)).astype(np.float64)
    counts_good = bool(rng.random() < 0.5)
    return Case(total, total - failed if counts_good else failed, harm, step, rows, objective, counts_good)


def at_random(rng: np.random.Generator, case: Case, share: float) -> Case:
    """Lose whole samples, each for itself."""
    lost = rng.random(case.total.shape) < share
    lost[: -case.rows] = False
    return _without(case, lost, lost)


def in_blocks(rng: np.random.Generator, case: Case, share: float) -> Case:
    """Lose all services during one to three outages of the monitoring."""
    lost = np.zeros(case.total.shape, dtype=bool)
    blocks = int(rng.integers(1, 4))
    for length in rng.multinomial(int(share * case.rows), np.full(blocks, 1.0 / blocks)):
        begin = len(lost) - case.rows + int(rng.integers(0, case.rows))
        lost[begin : begin + int(length)] = True
    return _without(case, lost, lost)


def during_harm(rng: np.random.Generator, case: Case, share: float) -> Case:
    """Lose samples only while more fails than usual; nothing where nothing does."""
    harmed = case.harm.any(axis=1)
    lost = np.repeat((harmed & (rng.random(harmed.size) < 2 * share))[:, None], case.total.shape[1], axis=1)
    return _without(case, lost, lost)


def one_count(rng: np.random.Generator, case: Case, share: float) -> Case:
    """Lose only one of the two counts, at random or in a block."""
    lost = np.zeros(case.total.shape, dtype=bool)
    if rng.random() < 0.5:
        lost = rng.random(case.total.shape) < share
        lost[: -case.rows] = False
    else:
        begin = len(lost) - case.rows + int(rng.integers(0, max(1, int(case.rows * (1 - share)))))
        lost[begin : begin + int(share * case.rows)] = True
    kept = np.zeros_like(lost)
    return _without(case, lost, kept) if rng.random() < 0.25 else _without(case, kept, lost)


def one_repo(rng: np.random.Generator, case: Case, share: float) -> Case:
    """Lose one service for the last part of the window, or as a whole."""
    lost = np.zeros(case.total.shape, dtype=bool)
    repo = int(rng.integers(0, lost.shape[1]))
    lost[-case.rows if rng.random() < 0.3 else -int(share * case.rows) :, repo] = True
    return _without(case, lost, lost)


LOSSES = {
    "at random": at_random,
    "in blocks": in_blocks,
    "only during harm": during_harm,
    "one count of two": one_count,
    "one service of several": one_repo,
}


def _without(case: Case, total: Bools, part: Bools) -> Case:
    return replace(case, total=np.where(total, np.nan, case.total), part=np.where(part, np.nan, case.part))


def organisation(case: Case) -> OrgData:
    """The case as a root would hold it: what did not arrive is absent."""
    repos = tuple(f"service-{number}" for number in range(case.total.shape[1]))
    metrics = ("requests_good" if case.counts_good else "requests_failed", "requests_total")
    times, values, ends = [], [], [0]
    clock = START + case.step * np.arange(len(case.total), dtype=np.int64)
    for matrix in (case.part, case.total):
        for column in range(len(repos)):
            here = ~np.isnan(matrix[:, column])
            times.append(clock[here])
            values.append(matrix[here, column])
            ends.append(ends[-1] + int(here.sum()))
    history = History(repos, metrics, np.concatenate(times), np.concatenate(values), np.array(ends, dtype=np.int64))
    minutes = case.rows * case.step // MINUTE
    policy = RatioPolicy(
        sla_id="availability",
        sla_name="Availability",
        sla_type="availability",
        objective=case.objective,
        total="requests_total",
        part=metrics[0],
        part_is_good=case.counts_good,
        window=Window(minutes=minutes),
        repos=repos,
    )
    return OrgData("Missing", tuple(Repo(name, name) for name in repos), history, policies=(policy,))


def last_time(case: Case) -> datetime:
    """The time of the last row."""
    return from_micros(START + case.step * (len(case.total) - 1))
