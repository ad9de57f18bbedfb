"""What `stress` does to an incident: one function a row, each in the way telemetry goes wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import networkx as nx
import numpy as np
import pandas as pd
from petshop_dataset import Case
from petshop_windows import moved_up

SEED = 11

EARLIER_INCIDENTS = 10


@dataclass(frozen=True)
class Asked:
    """One question: `culprit` is the repo that something is done to, also in healthy windows; `number` seeds what is drawn;
    `renamed` maps new names to old ones, `incident` is that of the same kind as a healthy window.
    """

    case: Case
    baseline: pd.DataFrame
    graph: nx.DiGraph[str]
    culprit: str
    number: int
    renamed: tuple[tuple[str, str], ...] = ()
    has_graph: bool = True
    incident: Case | None = None

    @property
    def rng(self) -> np.random.Generator:
        """Random numbers of this question alone."""
        return np.random.default_rng([SEED, self.number])

    def names(self, repos: Iterable[str]) -> list[str]:
        """Names as they were before anything was renamed."""
        old = dict(self.renamed)
        return [old.get(repo, repo) for repo in repos]


Change = Callable[[Asked], Asked | None]
"""None where the row does not concern the incident."""


@dataclass(frozen=True)
class Row:
    """A row of the table; `is_measured`: the cause can still be seen."""

    change: Change
    is_measured: bool = True


def _framed(asked: Asked, frame: pd.DataFrame, baseline: pd.DataFrame | None = None) -> Asked:
    return replace(
        asked,
        case=replace(asked.case, frame=frame),
        baseline=asked.baseline if baseline is None else baseline,
    )


def _columns(frame: pd.DataFrame, repos: Iterable[str], metrics: Iterable[str] | None = None) -> pd.Series[bool]:
    chosen = frame.columns.get_level_values("repo").isin(list(repos))
    if metrics is not None:
        chosen = chosen & frame.columns.get_level_values("metric").isin(list(metrics))
    return chosen


def nothing(asked: Asked) -> Asked:
    """The incidents as they are."""
    return asked


def stopped(asked: Asked) -> Asked:
    """The cause reports nothing during the incident."""
    return _framed(asked, asked.case.frame.loc[:, ~_columns(asked.case.frame, [asked.culprit])])


def never(asked: Asked) -> Asked:
    """The cause never reported anything; the calls to it are known."""
    frame, base = asked.case.frame, asked.baseline
    return _framed(
        asked, frame.loc[:, ~_columns(frame, [asked.culprit])], base.loc[:, ~_columns(base, [asked.culprit])]
    )


def lacks_metric(asked: Asked) -> Asked:
    """The cause reports its requests alone, before and during."""

    def thin(frame: pd.DataFrame) -> pd.DataFrame:
        kept = frame.columns.get_level_values("metric") == "requests_total"
        return frame.loc[:, ~_columns(frame, [asked.culprit]) | kept]

    return _framed(asked, thin(asked.case.frame), thin(asked.baseline))


def unknown(asked: Asked) -> Asked:
    """The cause never reported anything, and no call to it is known."""
    hidden = never(asked)
    graph = asked.graph.copy()
    if asked.culprit in graph:
        graph.remove_node(asked.culprit)
    return replace(hidden, graph=graph)


def redeployed(asked: Asked) -> Asked:
    """The cause has a new name in the incident, and the calls lead to both."""
    new = f"{asked.culprit}-7d9f"
    frame = asked.case.frame.rename(columns={asked.culprit: new}, level="repo")
    graph = asked.graph.copy()
    if asked.culprit in graph:
        graph.add_edges_from([(caller, new) for caller in list(graph.predecessors(asked.culprit))])
        graph.add_edges_from([(new, callee) for callee in list(graph.successors(asked.culprit))])
    return replace(_framed(asked, frame), graph=graph, renamed=((new, asked.culprit),))


def without_edges(share: float) -> Change:
    """A share of the calls is unknown."""

    def change(asked: Asked) -> Asked:
        calls, graph = list(asked.graph.edges), asked.graph.copy()
        chosen = asked.rng.permutation(len(calls))[: round(share * len(calls))]
        graph.remove_edges_from([calls[i] for i in chosen])
        return replace(asked, graph=graph)

    return change


def without_way(asked: Asked) -> Asked:
    """The calls to the cause are unknown, the cause itself is measured."""
    graph = asked.graph.copy()
    graph.remove_edges_from(list(asked.graph.in_edges(asked.culprit)))
    return replace(asked, graph=graph)


def reversed_edges(asked: Asked) -> Asked:
    """A fifth of the calls points the wrong way."""
    calls, graph = list(asked.graph.edges), asked.graph.copy()
    for i in asked.rng.permutation(len(calls))[: len(calls) // 5]:
        graph.remove_edge(*calls[i])
        graph.add_edge(*calls[i][::-1])
    return replace(asked, graph=graph)


def no_graph(asked: Asked) -> Asked:
    """Nobody knows who calls whom."""
    return replace(asked, has_graph=False)


def no_counts(asked: Asked) -> Asked:
    """Nobody counts requests."""
    return _framed(
        asked,
        asked.case.frame.drop(columns="requests_total", level="metric"),
        asked.baseline.drop(columns="requests_total", level="metric"),
    )


def quantiles(*kept: str) -> Change:
    """Latency by some quantiles alone; the target is the highest."""

    def change(asked: Asked) -> Asked | None:
        if asked.case.target[1] != "latency" or (asked.case.target[0], kept[-1]) not in asked.case.frame:
            return None

        def only(frame: pd.DataFrame) -> pd.DataFrame:
            names = frame.columns.get_level_values("metric")
            return frame.loc[:, names.isin(kept) | ~names.str.startswith("latency")]

        case = replace(asked.case, frame=only(asked.case.frame), target=(asked.case.target[0], kept[-1]))
        return replace(asked, case=case, baseline=only(asked.baseline))

    return change


def skewed(asked: Asked) -> Asked:
    """The clocks of half of the repos are one sample late, the target's is right."""
    repos = sorted(set(asked.case.frame.columns.get_level_values("repo")) - {asked.case.target[0]})
    late = asked.rng.permutation(repos)[: len(repos) // 2].tolist()

    def shift(frame: pd.DataFrame) -> pd.DataFrame:
        shifted = frame.copy()
        chosen = _columns(frame, late)
        shifted.loc[:, chosen] = frame.loc[:, chosen].shift(1)
        return shifted

    return _framed(asked, shift(asked.case.frame), shift(asked.baseline))


def begins_late(asked: Asked) -> Asked:
    """The frame begins with the breach: no sample before it."""
    return _framed(asked, asked.case.frame[asked.case.frame.index >= asked.case.started_at])


def one_sample(asked: Asked) -> Asked:
    """One sample of the incident alone."""
    frame = asked.case.frame
    return _framed(asked, frame.iloc[: frame.index.searchsorted(asked.case.started_at) + 1])


def no_time(asked: Asked) -> Asked:
    """Nobody knows when the breach was noticed."""
    return replace(asked, case=replace(asked.case, started_at=None))


def last_partial(asked: Asked) -> Asked:
    """A further sample at the end holds a third of the requests of everybody, and latency of a few of them."""
    frame = asked.case.frame
    row = frame.iloc[-1:].copy()
    row.index = row.index + (frame.index[-1] - frame.index[-2])
    counts = row.columns.get_level_values("metric").isin(["requests_total", "requests_failed"])
    row.loc[:, counts] = np.floor(row.loc[:, counts] / 3.0)
    return _framed(asked, pd.concat([frame, row]))


def last_zero(asked: Asked) -> Asked:
    """In the last sample the request counts of four fifths of the repos are zero: not there yet."""
    return _late(asked, 0.0)


def last_missing(asked: Asked) -> Asked:
    """In the last sample four fifths of the repos report nothing yet."""
    return _late(asked, np.nan)


def _late(asked: Asked, value: float) -> Asked:
    frame = asked.case.frame.copy()
    repos = sorted(set(frame.columns.get_level_values("repo")))
    late = asked.rng.permutation(repos)[: 4 * len(repos) // 5].tolist()
    chosen = _columns(frame, late, ["requests_total"] if value == 0.0 else None)
    frame.loc[frame.index[-1], chosen] = value
    return _framed(asked, frame)


def earlier(asked: Asked) -> Asked | None:
    """Ten copies of the incident stand in the past, with a healthy time between: in place of samples of the baseline.

    A healthy window has ten of the incident with its target.
    """
    kind = asked.case if asked.case.cause else asked.incident
    if kind is None:
        return None
    base = asked.baseline.copy()
    # a tenth of the past at most
    burst = (
        kind.frame.loc[kind.started_at :]
        .iloc[: max(len(base) // (10 * EARLIER_INCIDENTS), 1)]
        .reindex(columns=base.columns)
    )
    for start in np.linspace(30, len(base) - 30, EARLIER_INCIDENTS).astype(int):
        block = base.iloc[start : start + len(burst)]
        base.iloc[start : start + len(burst)] = np.where(burst.notna(), burst, block)
    return replace(asked, baseline=base)


def adjacent(asked: Asked) -> Asked:
    """The baseline runs up to the incident."""
    return replace(asked, baseline=moved_up(asked.baseline, asked.case.frame)) if asked.case.cause else asked


def doubled(asked: Asked) -> Asked | None:
    """A bystander that the target does not depend on was bad before the incident, and is still."""
    frame = asked.case.frame.copy()
    metric = asked.case.target[1]
    below = nx.descendants(asked.graph, asked.case.target[0]) - {asked.culprit}
    below -= nx.descendants(asked.graph, asked.culprit) | nx.ancestors(asked.graph, asked.culprit)
    there = sorted(repo for repo in below if (repo, metric) in frame.columns and frame[repo, metric].notna().all())
    if not there:
        return None
    bystander = str(asked.rng.choice(there))
    level = frame[bystander, metric]
    frame[bystander, metric] = level * 5.0 if metric == "latency" else level * 0.7
    return _framed(asked, frame)


ROWS: dict[str, Row] = {
    "as they are": Row(nothing),
    "baseline runs up to the incident": Row(adjacent),
    "no time of notice": Row(no_time),
    "frame begins with the breach": Row(begins_late),
    "one sample of the incident": Row(one_sample),
    "last sample is partial": Row(last_partial),
    "last sample: counts of most are zero": Row(last_zero),
    "last sample: most are missing": Row(last_missing),
    "ten such incidents in the past": Row(earlier),
    "a bystander was bad before": Row(doubled),
    "clocks of half one sample late": Row(skewed),
    "no request counts": Row(no_counts),
    "p99 alone": Row(quantiles("latency_p99")),
    "p50, p90 and p99 alone": Row(quantiles("latency_p50", "latency_p90", "latency_p99")),
    "p90 alone": Row(quantiles("latency_p90")),
    "p50 and p90 alone": Row(quantiles("latency_p50", "latency_p90")),
    "a fifth of the calls unknown": Row(without_edges(0.2)),
    "calls to the cause unknown": Row(without_way),
    "a fifth of the calls reversed": Row(reversed_edges),
    "no graph": Row(no_graph),
    "cause stopped reporting": Row(stopped, is_measured=False),
    "cause never reported": Row(never, is_measured=False),
    "cause reports requests alone": Row(lacks_metric, is_measured=False),
    "cause has a new name": Row(redeployed, is_measured=False),
    "cause unknown to the graph too": Row(unknown, is_measured=False),
}
"""In the order of the table."""
