"""Along which calls does the target's harm come from where?

A walk starts with the whole deviation at the target. At each repo the part that its callees' excess can
account for moves on to them, in proportion to their excess; the rest is the repo's own. What each repo keeps
is its share of the target's deviation: shares add up to one, whatever the scale of the metric, and a callee
nobody measured leaves its share with its caller instead of losing it.

The idea that a node is anomalous only beyond what its parents explain is that of Budhathoki et al. (2022),
Causal structure-based root cause analysis of outliers, https://proceedings.mlr.press/v162/budhathoki22a.html;
additivity of mean latency and failures replaces their learned mechanisms, which three samples could not
support.
"""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Protocol

import numpy as np

from tars_lib.engines.root_causes.series import FAILURES, harm_series

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from tars_lib.engines.root_causes.excess import Excess
    from tars_lib.engines.root_causes.recording import Recording
    from tars_lib.stats.series.robust import Floats

UNCOUNTED_CALLS = 3.0
"""Where requests are not counted, a callee's excess may be felt up to this many times in one request of its
caller. Judgement: too small leaves the callee's fault with its caller, too large hides a caller's own behind
a callee's."""


class CallGraph(Protocol):
    """Who calls whom: what is needed of a networkx DiGraph, caller to callee."""

    def __contains__(self, repo: object, /) -> bool:
        """Whether the graph knows a repo."""
        ...

    def successors(self, repo: str, /) -> Iterable[str]:
        """The repos that one calls."""
        ...


def measured_callees(graph: CallGraph, repos: Sequence[str], known: NDArray[np.bool_]) -> list[list[int]]:
    """For each repo the measured callees: direct, or reached through callees that nobody measured.

    Parameters
    ----------
    graph : CallGraph
        Caller -> callee; may have cycles, and nodes without data.
    repos : sequence of str, length R
    known : ndarray, shape (R,)
        Whether a repo is measured.

    Returns
    -------
    list of R lists of positions in `repos`
    """
    position = {repo: i for i, repo in enumerate(repos)}
    result: list[list[int]] = []
    for repo in repos:
        found: set[int] = set()
        seen = {repo}
        stack = list(graph.successors(repo)) if repo in graph else []
        while stack:
            node = stack.pop()
            if node in seen:
                continue
            seen.add(node)
            i = position.get(node)
            if i is not None and known[i]:
                found.add(i)
            else:
                stack.extend(graph.successors(node))
        result.append(sorted(found))
    return result


def nearest(callees: Sequence[Sequence[int]], wanted: NDArray[np.bool_]) -> list[list[int]]:
    """For each repo the nearest wanted ones along the calls, the others being looked through.

    Examples
    --------
    >>> import numpy as np
    >>> nearest([[1], [2], [], [1]], np.array([False, False, True, False]))
    [[2], [2], [], [2]]
    """
    result: list[list[int]] = []
    for direct in callees:
        found: set[int] = set()
        seen: set[int] = set()
        stack = list(direct)
        while stack:
            i = stack.pop()
            if i not in seen:
                seen.add(i)
                if wanted[i]:
                    found.add(i)
                else:
                    stack.extend(callees[i])
        result.append(sorted(found))
    return result


def forward_calls(callees: Sequence[Sequence[int]], target: int) -> list[list[int]]:
    """The calls without those that lead back: within a cycle only calls that lead away from the target.

    Harm in a cycle would pass from repo to repo for ever, and none would keep it. Outside cycles nothing
    changes.

    Examples
    --------
    >>> forward_calls([[1], [2], [1, 0]], target=0)
    [[1], [2], []]
    """
    try:
        TopologicalSorter(dict(enumerate(callees))).prepare()
    except CycleError:
        return _without_ways_back(callees, target)
    return [list(found) for found in callees]


def _without_ways_back(callees: Sequence[Sequence[int]], target: int) -> list[list[int]]:
    import networkx as nx

    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from(range(len(callees)))
    graph.add_edges_from((caller, callee) for caller, found in enumerate(callees) for callee in found)
    distance = nx.single_source_shortest_path_length(graph, target)
    component = {i: k for k, members in enumerate(nx.strongly_connected_components(graph)) for i in members}
    return [
        [
            callee
            for callee in found
            if component[callee] != component[caller] or distance.get(callee, 0) > distance.get(caller, 0)
        ]
        for caller, found in enumerate(callees)
    ]


def reachable(callees: Sequence[Sequence[int]], target: int) -> NDArray[np.bool_]:
    """Which repos the target depends on, itself included; shape (R,)."""
    result = np.zeros(len(callees), dtype=np.bool_)
    stack = [target]
    while stack:
        i = stack.pop()
        if not result[i]:
            result[i] = True
            stack.extend(callees[i])
    return result


def dependents(repos: Sequence[str], graph: CallGraph | None, target: int) -> NDArray[np.bool_]:
    """Which repos the target depends on by the calls, itself included; all of them where no call is known; shape (R,)."""
    if graph is None:
        return np.ones(len(repos), dtype=np.bool_)
    position = {repo: i for i, repo in enumerate(repos)}
    result = np.zeros(len(repos), dtype=np.bool_)
    seen: set[str] = set()
    stack = [repos[target]]
    while stack:
        repo = stack.pop()
        if repo in seen:
            continue
        seen.add(repo)
        if repo in position:
            result[position[repo]] = True
        stack.extend(graph.successors(repo) if repo in graph else ())
    return result


def own_shares(
    harm: Floats,
    established: Floats,
    callees: Sequence[Sequence[int]],
    target: int,
    *,
    adds_up: bool,
    felt: Callable[[int, Sequence[int]], Floats] | None = None,
) -> Floats:
    """Share of the target's deviation that each repo keeps as its own.

    Parameters
    ----------
    harm : ndarray, shape (R,)
        At least 0.
    established : ndarray, shape (R,)
        0 (could be chance) to 1 (certainly real); a callee's harm counts with this weight.
    callees : sequence of R sequences of positions
    target : int
    adds_up : bool
        Whether harm is a total. A shared callee's total is then divided among its callers in proportion to
        their own harm; otherwise every caller sees all of it.
    felt : callable, optional
        Of a caller and its callees: how much of each is felt in a request, by which what moves on is divided among them where
        harm is no total.

    Returns
    -------
    ndarray, shape (R,)
        At least 0, sum 1.

    Examples
    --------
    A target with 10 s of extra time, of which one callee accounts for 8 s:

    >>> import numpy as np
    >>> own_shares(np.array([10.0, 8.0, 0.0]), np.ones(3), [[1, 2], [], []], target=0, adds_up=True)
    array([0.2, 0.8, 0. ])
    """
    n = len(harm)
    move = _moves(harm, established, callees, adds_up=adds_up, felt=felt)
    own = 1.0 - move.sum(axis=1)
    mass = np.zeros(n)
    mass[target] = 1.0
    kept = np.zeros(n)
    for _ in range(4 * n):  # longer than any path; what still circulates then is in a cycle without an own excess
        kept += mass * own
        mass = mass @ move
        if mass.sum() < 1e-9:
            break
    return kept + mass


def own_parts(harm: Floats, established: Floats, callees: Sequence[Sequence[int]], *, adds_up: bool) -> Floats:
    """Part of each repo's own harm that its callees do not account for, 0-1, shape (R,); as in `own_shares`."""
    return np.asarray(1.0 - _moves(harm, established, callees, adds_up=adds_up, felt=None).sum(axis=1))


def _moves(
    harm: Floats,
    established: Floats,
    callees: Sequence[Sequence[int]],
    *,
    adds_up: bool,
    felt: Callable[[int, Sequence[int]], Floats] | None,
) -> Floats:
    """Part of each repo's harm that moves on to each callee; shape (R, R)."""
    n = len(harm)
    real = harm * established
    seen_by = np.zeros(n)
    for caller, targets in enumerate(callees):
        for callee in targets:
            seen_by[callee] += real[caller]
    move = np.zeros((n, n))
    for caller, targets in enumerate(callees):
        if harm[caller] <= 0.0 or not targets:
            continue
        part = np.array(
            [
                real[c] * (_portion(harm[caller], real[caller], seen_by[c]) if adds_up else UNCOUNTED_CALLS)
                for c in targets
            ]
        )
        total = float(part.sum())
        if total > 0.0:
            moved = 1.0 if total >= harm[caller] else total / harm[caller]
            if felt is not None and np.count_nonzero(part) > 1:
                part = part * felt(caller, targets)
            move[caller, list(targets)] = part / part.sum() * moved
    return move


def shares_without_calls(rise: Floats, harm: Floats, established: Floats, target: int, *, adds_up: bool) -> Floats:
    """Share of the target's deviation that begins at each repo, where nobody knows who calls whom.

    What a repo does to those that call it is thinned out on the way: by their own work, and by requests of theirs that do not
    need it. So of those whose harm could be all of the target's, the one that rose most over its usual level is the likeliest.

    Parameters
    ----------
    rise : ndarray, shape (R,)
        Excess in units of the usual level; at least 0, 0 where unknown.
    harm, established : ndarray, shape (R,)
        As for `own_shares`.
    target : int
    adds_up : bool
        Whether harm is a total; otherwise it may be felt `UNCOUNTED_CALLS` times in one request.

    Returns
    -------
    ndarray, shape (R,)
        At least 0, sum 1.

    Examples
    --------
    A store three times as slow explains all of what its caller takes longer; the third explains a tenth of it at most:

    >>> import numpy as np
    >>> rise, harm = np.array([0.5, 2.0, 4.0]), np.array([10.0, 10.0, 1.0])
    >>> shares_without_calls(rise, harm, np.ones(3), 0, adds_up=True).round(2)
    array([0.2 , 0.79, 0.02])
    """
    felt = harm if adds_up else UNCOUNTED_CALLS * harm
    explained = np.minimum(1.0, felt / harm[target]) if harm[target] > 0.0 else np.zeros(len(harm))
    weight = established * explained**2 * rise
    total = float(weight.sum())
    result: Floats = weight / total if total > 0.0 else np.eye(len(harm))[target]
    return result


def _portion(harm: float, real: float, seen_by: float) -> float:
    """A caller's part of a callee's total; its own harm counts in full even where it could be chance."""
    return harm / (seen_by - real + harm)


def rise_over_usual(
    recording: Recording, metric: str, excess: Excess, higher_is_better: Mapping[str, bool] | None
) -> Floats:
    """Excess of every repo in units of what is usual at it; shape (R,), at least 0, 0 where unknown.

    Usual is the reference, and for failures the share of the past: at least one failure in all requests of the repo that got
    the fewest, since less cannot be told from none.
    """
    if metric in FAILURES:
        base, _, _, _ = harm_series(recording, metric, higher_is_better)
        known = np.isfinite(base)
        requests = np.nan_to_num(recording.values("requests_total")[0])
        if not recording.counts_requests:
            # the smallest share that was seen is one failure
            requests = np.full_like(base, 1.0 / base[base > 0.0].min(initial=1.0))
        asked = np.where(known, requests, 0.0).sum(axis=0)
        usual = np.where(known, base * requests, 0.0).sum(axis=0) / np.maximum(asked, 1.0)
        some = asked[(excess.harm > 0.0) & (asked > 0.0)]
        usual = np.maximum(usual, 1.0 / some.min()) if some.size else np.ones(len(asked))
    else:
        usual = np.abs(excess.reference)
    is_some = np.isfinite(usual) & (usual > 0.0)
    # what is usually 0 rose from no more than the least that is usual anywhere
    least = float(usual[is_some].min()) if is_some.any() else 1.0
    rise = (excess.level - excess.reference) / np.where(is_some, usual, least)
    result: Floats = np.where(excess.known & (rise > 0.0), rise, 0.0)
    return result
