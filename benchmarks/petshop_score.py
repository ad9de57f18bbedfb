"""How often is the true cause named first, and how often none where nothing happened? Of any method."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from petshop_dataset import Case, Scenario
from petshop_windows import healthy_windows

from tars_lib.engines.root_causes.ranking import rank_root_causes

if TYPE_CHECKING:
    import networkx as nx

BINS = 5

Method = Callable[[Case, pd.DataFrame, "nx.DiGraph[str]"], tuple[list[str], list[float]]]


@dataclass(frozen=True)
class Answer:
    """What a method said about one case; `cause` is empty for a healthy window."""

    issue: str
    target: str
    cause: str
    ranked: tuple[str, ...]
    confidence: tuple[float, ...]
    seconds: float

    @property
    def rank(self) -> int | None:
        """1-based rank of the true cause; None where it is not listed."""
        return self.ranked.index(self.cause) + 1 if self.cause in self.ranked else None


@dataclass(frozen=True)
class Figures:
    """Summary of a method; `calibration_error` is None for a method that gives no confidence."""

    cases: int
    healthy: int
    top1: float
    top3: float
    quiet: float
    calibration_error: float | None
    median_s: float
    max_s: float


def by_own_excess(case: Case, baseline: pd.DataFrame, graph: nx.DiGraph[str]) -> tuple[list[str], list[float]]:
    """The method of this package."""
    causes = rank_root_causes(case.frame, baseline, case.target, graph, case.started_at)
    return causes["repo"].tolist(), causes["confidence"].tolist()


def run(method: Method, scenarios: Sequence[Scenario]) -> tuple[list[Answer], list[Answer]]:
    """Answers to all cases and to all healthy windows; the first call, which imports, is not timed."""
    first = scenarios[0]
    method(first.cases[0], first.baseline, first.graph)
    cases, healthy = [], []
    for scenario in scenarios:
        cases += [_answer(method, case, scenario.baseline, scenario.graph) for case in scenario.cases]
        healthy += [_answer(method, case, past, scenario.graph) for case, past in healthy_windows(scenario)]
    return cases, healthy


def summarise(cases: Sequence[Answer], healthy: Sequence[Answer]) -> Figures:
    """Figures over all answers; in the calibration whatever is named in a healthy window is wrong."""
    stated = [(c, name == a.cause) for a in [*cases, *healthy] for name, c in zip(a.ranked, a.confidence, strict=False)]
    seconds = [answer.seconds for answer in cases]
    return Figures(
        cases=len(cases),
        healthy=len(healthy),
        top1=float(np.mean([answer.rank == 1 for answer in cases])),
        top3=float(np.mean([answer.rank is not None and answer.rank <= 3 for answer in cases])),
        quiet=float(np.mean([not answer.ranked for answer in healthy])),
        calibration_error=calibration_error(stated) if stated else None,
        median_s=float(np.median(seconds)),
        max_s=float(np.max(seconds)),
    )


def calibration_error(stated: Sequence[tuple[float, bool]]) -> float:
    """Expected calibration error: mean over five equal bins of |share right - mean confidence|, weighted by
    count.

    Naeini et al. (2015), Obtaining well calibrated probabilities using Bayesian binning,
    https://doi.org/10.1609/aaai.v29i1.9602
    """
    confidence = np.array([c for c, _ in stated])
    right = np.array([float(r) for _, r in stated])
    chosen = np.minimum((confidence * BINS).astype(int), BINS - 1)
    return float(
        sum(abs(right[chosen == b].sum() - confidence[chosen == b].sum()) for b in range(BINS)) / len(confidence)
    )


def _answer(method: Method, case: Case, baseline: pd.DataFrame, graph: nx.DiGraph[str]) -> Answer:
    begun = time.perf_counter()
    ranked, confidence = method(case, baseline, graph)
    took = time.perf_counter() - begun
    return Answer(case.issue, case.target[1], case.cause, tuple(ranked), tuple(confidence), took)
