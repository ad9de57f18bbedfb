"""Root causes in simulated applications: is the repo with the fault named first, and none where nothing happened?

The incidents of `rca` are real, but few and of one application. These are many and of all sizes, sampling intervals and
amounts of traffic, and their faults include requests that are lost and loads from outside; see `simulated_application`.
Incidents count in which the target's excess is at least five sigmas; methods from papers run on the same data.

    python benchmarks/simulated.py [--sets 60] [--seed 1] [--markdown]

About two minutes on an idle core.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import click
from petshop_dataset import Case
from petshop_peers import by_anomaly_traversal, by_nsigma, by_ranked_correlation, by_robust_scorer
from petshop_score import by_own_excess, calibration_error
from simulated_application import FAULTS, Incident, incident
from tables import printed

from tars_lib.engines.root_causes.ranking import rank_root_causes
from tars_lib.stats.counts import wilson_interval

CLEAR = 5.0
"""Sigmas from which on a target's excess counts as a breach that somebody would ask about."""

FURTHER = ("delay", "retries", "pauses", "given up")
"""Faults that show at callers, or at them alone."""

Method = Callable[[Incident], tuple[list[str], list[float]]]


@dataclass(frozen=True)
class Tally:
    """What a method named: rank of the true cause for each incident (0 where not listed), and each stated confidence with
    whether it was right.
    """

    ranks: list[int]
    stated: list[tuple[float, bool]]


def _case(one: Incident) -> Case:
    return Case("", one.frame, one.target, one.started_at, one.cause)


def _without_calls(one: Incident) -> tuple[list[str], list[float]]:
    causes = rank_root_causes(one.frame, one.baseline, one.target, None, one.started_at)
    return causes["repo"].tolist(), causes["confidence"].tolist()


METHODS: dict[str, Method] = {
    "own excess": lambda one: by_own_excess(_case(one), one.baseline, one.graph),
    "own excess, no calls": _without_calls,
    "ranked correlation": lambda one: by_ranked_correlation(_case(one), one.baseline, one.graph),
    "anomaly traversal": lambda one: by_anomaly_traversal(_case(one), one.baseline, one.graph),
    "N-sigma": lambda one: by_nsigma(_case(one), one.baseline, one.graph),
    "robust scorer": lambda one: by_robust_scorer(_case(one), one.baseline, one.graph),
}


def clear_incidents(fault: str, sets: int, seed: int) -> Iterator[Incident]:
    """So many incidents of one fault whose target breaches clearly."""
    found = 0
    while found < sets:
        one = incident(seed, fault)
        seed += 1
        if one.strength >= CLEAR:
            found += 1
            yield one


def tally(method: Method, incidents: list[Incident]) -> Tally:
    """Ask a method about each incident."""
    ranks, stated = [], []
    for one in incidents:
        named, confidence = method(one)
        ranks.append(named.index(one.cause) + 1 if one.cause in named else 0)
        # where nothing happened any first name is wrong
        ranks[-1] = (0 if named else 1) if not one.cause else ranks[-1]
        stated += [(sure, repo == one.cause) for repo, sure in zip(named, confidence, strict=False)]
    return Tally(ranks, stated)


def _share(hits: int, of: int) -> str:
    low, high = wilson_interval(hits, of)
    return f"{hits / of:.2f} [{low:.2f}, {high:.2f}]"


@click.command()
@click.option("--sets", default=60, show_default=True, help="Incidents of each fault.")
@click.option("--seed", default=1, show_default=True)
@click.option("--markdown", is_flag=True, help="Tables for docs/benchmarks.md.")
def main(sets: int, seed: int, markdown: bool) -> None:
    """Score root causes in simulated applications, beside methods from papers.

    Example: python benchmarks/simulated.py --sets 20
    """
    incidents = {fault: list(clear_incidents(fault, sets, seed * 100_000)) for fault in (*FAULTS, *FURTHER)}
    incidents["nothing"] = [replace(incident(seed * 100_000 + i, ""), cause="") for i in range(2 * sets)]
    first = [["fault", "incidents", *METHODS]]
    third = [["fault", "incidents", *METHODS]]
    ours: list[tuple[float, bool]] = []
    for fault, drawn in incidents.items():
        tallies = {name: tally(method, drawn) for name, method in METHODS.items()}
        ours += tallies["own excess"].stated
        ranks = [one.ranks for one in tallies.values()]
        first.append([fault, str(len(drawn)), *(_share(sum(rank == 1 for rank in of), len(of)) for of in ranks)])
        if fault != "nothing":
            third.append(
                [fault, str(len(drawn)), *(f"{sum(1 <= rank <= 3 for rank in of) / len(of):.2f}" for of in ranks)]
            )
    tables = [
        ("True cause named first, or none where nothing happened; 95 % Wilson interval", first),
        ("True cause among the first three", third),
    ]
    click.echo(printed(tables, markdown=markdown))
    click.echo(f"\nExpected calibration error of {len(ours)} confidences of own excess: {calibration_error(ours):.3f}.")


if __name__ == "__main__":
    main()
