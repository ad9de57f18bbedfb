"""Root causes in simulated applications of further kinds: queues, two faults at once, resources alone, deploys that rename.

Beside `simulated`, whose applications have one fault and report everything: consumers behind queues (`simulated_queues`),
two repos that fail at the same time, of which either is right, applications in which nobody but the entry reports latency
(`simulated_resources`), and a deployment that gives a repo another name as the incident begins. Methods from papers run on
the same data; those that look at all metrics are not shown the target's own where it cannot be the cause.

    python benchmarks/simulated_kinds.py [--sets 40] [--seed 17] [--kind NAME]... [--markdown]

Rules were chosen on seeds 1, 3, 5, 7 to 9 and 11 to 13, and the table of seed 2 was seen; the published one is of seed 17.
About four minutes on an idle core.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import click
import networkx as nx
import numpy as np
import pandas as pd
from petshop_dataset import Case
from petshop_peers import by_anomaly_traversal, by_nsigma, by_ranked_correlation, by_robust_scorer
from simulated import CLEAR
from simulated_application import Drawn, Incident, incident
from simulated_queues import FAULTS as QUEUE_FAULTS
from simulated_queues import queue_incident
from simulated_resources import FAULTS as RESOURCE_FAULTS
from simulated_resources import resource_incident
from tables import printed

from tars_lib.engines.root_causes.ranking import rank_root_causes

PAIRS = ("slow", "errors", "timeouts")
"""Faults of which two are drawn; faults that a deployment brings."""

MOST_TOLD = 4
"""Services at most that an answer without a claim may tell of so that the cause among them counts as told."""

DIRECTIONS = {"queue_age": False, "queue_length": False}

PEERS = {
    "ranked correlation": by_ranked_correlation,
    "anomaly traversal": by_anomaly_traversal,
    "N-sigma": by_nsigma,
    "robust scorer": by_robust_scorer,
}

Draw = Callable[[int], Drawn]


@dataclass(frozen=True)
class Kind:
    """A row: how one is drawn; whether a graph is known, whether the target may be the cause, and whether there are two."""

    draw: Draw
    has_graph: bool = True
    itself: bool = True
    two: bool = False


@dataclass
class Said:
    """What was said about all incidents of a row."""

    asked: int = 0
    right: int = 0
    another: int = 0
    sure_wrong: int = 0
    told: int = 0
    both: int = 0


def two_faults(seed: int) -> Drawn:
    """Two repos with a fault of the same time."""
    rng = np.random.default_rng([seed, 8])
    first, second = rng.choice(PAIRS, 2).tolist()
    one = incident(seed, first, second)
    return _drawn(one, f"{first} and {second}", (one.cause, one.other))


def renamed(seed: int, fault: str, *, is_cause: bool) -> Drawn:
    """A deployment gives the cause, or somebody else below the entry, another name as the incident begins."""
    rng = np.random.default_rng([seed, 9])
    one = incident(seed, fault)
    below = sorted(nx.descendants(one.graph, one.target[0]) - {one.cause})
    old = one.cause if is_cause and one.cause != one.target[0] else str(rng.choice(below or [one.target[0]]))
    new = f"{int(rng.integers(2**18, 2**19)):05x}"
    # either name is right
    drawn = _drawn(one, fault, () if not fault else (new, old) if old == one.cause else (one.cause,))
    frame = drawn.frame.rename(columns={old: new}, level="repo")
    # who deploys declares the new name beside the old one, or in its place
    graph = nx.relabel_nodes(drawn.graph, {old: new})
    if rng.random() < 0.5:
        graph = nx.compose(drawn.graph, graph)
    target = (new if drawn.target[0] == old else drawn.target[0], drawn.target[1])
    # in one frame both have columns, each with gaps where it is not there
    both = pd.concat([drawn.baseline, frame])
    before = len(drawn.baseline)
    return replace(drawn, frame=both.iloc[before:], baseline=both.iloc[:before], graph=graph, target=target)


def _drawn(one: Incident, fault: str, causes: tuple[str, ...]) -> Drawn:
    return Drawn(one.frame, one.baseline, one.graph, one.target, one.started_at, fault, causes, one.strength)


def _resources(fault: str) -> Draw:
    return lambda seed: resource_incident(seed, fault)


def _queues(fault: str, *, at_entry: bool = False) -> Draw:
    return lambda seed: queue_incident(seed, fault, at_entry=at_entry)


KINDS: dict[str, Kind] = {
    **{f"queue: {fault}": Kind(_queues(fault)) for fault in QUEUE_FAULTS},
    "two at once": Kind(two_faults, two=True),
    "bystander renamed": Kind(lambda seed: renamed(seed, PAIRS[seed % 3], is_cause=False)),
    "cause renamed": Kind(lambda seed: renamed(seed, PAIRS[seed % 3], is_cause=True)),
    **{f"resources: {fault}": Kind(_resources(fault), itself=False) for fault in RESOURCE_FAULTS},
    **{
        f"resources, no calls: {fault}": Kind(_resources(fault), has_graph=False, itself=False)
        for fault in RESOURCE_FAULTS
    },
}
HEALTHY: dict[str, Kind] = {
    "queue": Kind(_queues("")),
    "queue stalls, the entry is asked": Kind(_queues("slow", at_entry=True)),
    "somebody is renamed": Kind(lambda seed: renamed(seed, "", is_cause=False)),
    "resources": Kind(_resources("")),
    "resources, no calls": Kind(_resources(""), has_graph=False),
}


def drawn_incidents(kind: Kind, sets: int, seed: int) -> Iterator[Drawn]:
    """So many incidents of one kind whose target breaches clearly."""
    found = 0
    while found < sets:
        one = kind.draw(seed)
        seed += 1
        if one.strength >= CLEAR:
            found += 1
            yield one


def ours(one: Drawn, kind: Kind) -> pd.DataFrame:
    """Answer of the package."""
    calls = one.graph if kind.has_graph else None
    return rank_root_causes(one.frame, one.baseline, one.target, calls, one.started_at, higher_is_better=DIRECTIONS)


def theirs(name: str, one: Drawn, kind: Kind) -> list[str]:
    """Answer of a method from a paper."""
    repos = one.baseline.columns.get_level_values("repo")
    shown = [True] * len(repos) if kind.itself or name not in ("N-sigma", "robust scorer") else repos != one.target[0]
    frame, baseline = one.frame.loc[:, one.frame.columns.isin(one.baseline.columns[shown])], one.baseline.loc[:, shown]
    return PEERS[name](Case("", frame, one.target, one.started_at, ""), baseline, one.graph)[0]


def score(kind: Kind, questions: list[Drawn]) -> tuple[Said, list[str]]:
    """What the package said, and each answer that is not right in a line."""
    said, notes = Said(), []
    for number, one in enumerate(questions):
        causes = ours(one, kind)
        names = causes["repo"].tolist()
        unmeasured, reason = causes.attrs["unmeasured"], causes.attrs["reason"] or ""
        said.asked += 1
        said.right += bool(names) and names[0] in one.causes
        said.another += bool(names) and names[0] not in one.causes
        said.sure_wrong += bool(names) and names[0] not in one.causes and causes["confidence"].iloc[0] >= 0.8
        hints = reason.partition("hints, not claims: ")[2]
        few = (unmeasured.near, *unmeasured.calls) if unmeasured is not None else ()
        told = len(few) <= MOST_TOLD and set(one.causes) & set(few)
        said.told += not names and bool(told or any(f"{cause} (" in hints for cause in one.causes))
        said.both += kind.two and set(one.causes) <= set(names)
        if not names or names[0] not in one.causes:
            first = causes.iloc[0][["repo", "metric", "confidence"]].tolist() if names else f"none, {reason[:200]}"
            notes.append(f"  {number} {one.fault} for {one.causes}: {first}, {len(names)}")
    return said, notes


def _share(hits: int, of: int) -> str:
    return f"{hits / of:.2f}"


@click.command()
@click.option("--sets", default=40, show_default=True, help="Incidents of each kind.")
@click.option("--seed", default=17, show_default=True)
@click.option("--kind", "only", multiple=True, metavar="NAME", help="Rows whose name begins so; repeatable.")
@click.option("--no-peers", is_flag=True, help="The package's own method alone.")
@click.option("--cases", "show", is_flag=True, help="Also each answer that is not right.")
@click.option("--markdown", is_flag=True, help="Tables for docs/benchmarks.md.")
def main(sets: int, seed: int, only: tuple[str, ...], no_peers: bool, show: bool, markdown: bool) -> None:
    """Score root causes in simulated applications of further kinds, beside methods from papers.

    Example: python benchmarks/simulated_kinds.py --kind queue --no-peers
    """
    peers = () if no_peers else tuple(PEERS)
    incidents = [
        ["kind", "incidents", "cause first", "another first", "sure and wrong", "told without a claim", "both", *peers]
    ]
    healthy = [["healthy", "windows", "own excess", *peers]]
    notes: list[str] = []
    for name, kind in KINDS.items():
        if only and not name.startswith(only):
            continue
        questions = list(drawn_incidents(kind, sets, seed * 100_000))
        said, wrong = score(kind, questions)
        first = [
            sum(theirs(peer, one, kind)[:1] in [[cause] for cause in one.causes] for one in questions) for peer in peers
        ]
        both = _share(said.both, said.asked) if kind.two else ""
        ours_ = [_share(said.right, said.asked), str(said.another), str(said.sure_wrong), str(said.told), both]
        incidents.append([name, str(said.asked), *ours_, *(_share(hits, said.asked) for hits in first)])
        notes += [name, *wrong]
    for name, kind in HEALTHY.items():
        if only and not name.startswith(only):
            continue
        questions = [kind.draw(seed * 100_000 + i) for i in range(2 * sets)]
        quiet = sum(ours(one, kind).empty for one in questions)
        others = [sum(not theirs(peer, one, kind) for one in questions) for peer in peers]
        healthy.append([name, str(len(questions)), *(_share(hits, len(questions)) for hits in (quiet, *others))])
    tables = [("True cause named first", incidents), ("None named where nothing happened to the target", healthy)]
    click.echo(printed([(title, rows) for title, rows in tables if len(rows) > 1], markdown=markdown))
    if show:
        click.echo("\n".join(notes))


if __name__ == "__main__":
    main()
