"""Does the trouble lie with a repo that nobody measures, so that whoever calls it must not be blamed?

What a caller keeps as its own may be that of a callee without a measurement. It is taken to be the callee's where there is
a sign that something happens there or could be seen nowhere: the callee reported before and is silent since the onset; it
is new while another repo fell silent, as after a deployment under a new name; it is in use, since it reports another metric
or calls repos that are measured; or several of its callers are in the same trouble. Other callers that are well, with at
least as many requests, speak for it. A callee that nobody ever saw, at the end of the calls of one caller, leaves the
caller in place: most callers have such a callee.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tars_lib.engines.root_causes.excess import around
from tars_lib.engines.root_causes.series import harm_series, travels
from tars_lib.stats.series.robust import Floats
from tars_lib.text.counts import listed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tars_lib.engines.root_causes.flow import CallGraph
    from tars_lib.engines.root_causes.recording import Cut, Recording

MOST = 0.5
"""Share of the deviation that the callers of an unmeasured repo must keep: most of it."""

SILENCE_ALPHA = 0.01
"""How rare so long a silence must be in the repo's past; the level of the gate."""

TELLING = 0.05
"""Least share of the deviation that a caller must keep to be in the same trouble; judgement: less is no lead."""

IN_USE = 0.5
"""Share of the samples since the cut in which a repo in use gets requests; judgement: rarer calls are not the trouble."""


@dataclass(frozen=True, slots=True)
class Unmeasured:
    """A cause outside what is measured, or one that may lie there as well as at the measured repo that is named.

    Attributes
    ----------
    near : str
        The measured repo next to it, which keeps the deviation.
    calls : tuple of str
        What that repo calls, or is called by, and nobody measures: the places to instrument.
    contribution : float
        Share of the target's deviation that lies there or at the callers, 0-1.
    sentence : str
        All of this for a reader.
    """

    near: str
    calls: tuple[str, ...]
    contribution: float
    sentence: str

    def with_hints(self, hints: Sequence[str]) -> Unmeasured:
        """The same with what changed there in other metrics, for a reader who looks for a place to begin."""
        return replace(self, sentence=f"{self.sentence}; hints, not claims: {listed(hints)}") if hints else self


@dataclass(frozen=True)
class Sight:
    """What is seen of R repos in the metric that deviates.

    Attributes
    ----------
    known, stopped, is_new : ndarray of bool, shape (R,)
        Comparable with a past; silent since the cut as hardly ever before; reporting for the first time.
    alive : frozenset of str
        Repos that are in use since the cut, as other metrics of theirs say.
    travels : bool
        Whether harm in this metric travels along calls, as latency and failures do and the load of a processor does not.
    requests : ndarray, shape (R,)
        Requests since the cut; 0 where nobody counts them.
    """

    known: NDArray[np.bool_]
    stopped: NDArray[np.bool_]
    is_new: NDArray[np.bool_]
    alive: frozenset[str]
    travels: bool
    requests: Floats


def sight(
    recording: Recording,
    metric: str,
    cut: Cut,
    known: NDArray[np.bool_],
    is_new: NDArray[np.bool_],
    higher_is_better: Mapping[str, bool] | None,
) -> Sight:
    """See which repos report what since the cut."""
    base, now, _, _ = harm_series(recording, metric, higher_is_better)
    local, during = around(recording, base, now, cut)
    past = base if len(base) else local
    usually = np.isfinite(past).mean(axis=0) if len(past) else np.zeros(len(known))
    silent = ~np.isfinite(during).any(axis=0)
    rare = (1.0 - usually) ** len(during) <= SILENCE_ALPHA
    requests = np.nan_to_num(recording.values("requests_total")[1][cut.first :]).sum(axis=0)
    return Sight(known, silent & rare, is_new, _in_use(recording, cut), travels(metric), requests)


def _in_use(recording: Recording, cut: Cut) -> frozenset[str]:
    """Repos that got requests in at least half of the samples since the cut; uncounted, those that report anything."""
    values = recording.incident.values[cut.first :]
    counted: dict[str, bool] = {}
    reports: set[str] = set()
    for j, (repo, metric) in enumerate(recording.incident.labels):
        if metric == "requests_total":
            counted[repo] = float(np.mean(np.nan_to_num(values[:, j]) > 0.0)) >= IN_USE
        elif np.isfinite(values[:, j]).any():
            reports.add(repo)
    return frozenset(repo for repo in reports | set(counted) if counted.get(repo, True))


def find_unmeasured(
    graph: CallGraph, repos: Sequence[str], seen: Sight, shares: Floats, established: Floats, target: int
) -> Unmeasured | None:
    """Say next to which repo the cause lies where it is none of the measured ones.

    Parameters
    ----------
    graph : CallGraph
    repos : sequence of str, length R
    seen : Sight
    shares : ndarray, shape (R,)
        Share of the target's deviation that each repo keeps.
    established : ndarray, shape (R,)
        0 (could be chance) to 1 of each repo's excess.
    target : int
        The repo that is in trouble, established by itself or together with a cause.

    Returns
    -------
    Unmeasured or None
        None where the measured repos hold the cause as far as can be told.
    """
    position = {repo: i for i, repo in enumerate(repos)}
    is_well = seen.known & (established == 0.0)
    is_well[target] = False
    callers: dict[str, list[int]] = {}
    for i in np.flatnonzero(seen.known & (shares > 0.0)).tolist():
        for callee in _hidden_callees(graph, repos[i], position, seen.known):
            callers.setdefault(callee, []).append(i)
    candidates = {
        callee: float(shares[above].sum())
        for callee, above in callers.items()
        if shares[above].sum() >= MOST
        and _is_suspect(graph, callee, above, position, seen, shares * established, is_well)
    }
    if not candidates:
        return None
    most = max(candidates.values())
    certainty = {callee: _SIGNS.index(_state(callee, position, seen)) for callee in candidates}
    surest = min(certainty[callee] for callee, kept in candidates.items() if kept >= most - 1e-9)
    likeliest = [c for c, kept in candidates.items() if kept >= most - 1e-9 and certainty[c] == surest]
    above = sorted({i for callee in likeliest for i in callers[callee]}, key=lambda i: -shares[i])
    near = repos[above[0]]
    told = [f"{callee} ({_state(callee, position, seen)})" for callee in likeliest]
    sentence = (
        f"the cause lies in a service that is not measured, next to {near}, which calls {listed(told)}: "
        f"instrument {listed(likeliest)}, and check there and at {near} by hand"
    )
    return Unmeasured(near, tuple(likeliest), min(1.0, most), sentence)


def _hidden_callees(graph: CallGraph, repo: str, position: Mapping[str, int], known: NDArray[np.bool_]) -> list[str]:
    """Callees that cannot be compared with a past, and what they call of that kind."""
    found: dict[str, None] = {}
    pending = list(graph.successors(repo)) if repo in graph else []
    while pending:
        callee = pending.pop()
        i = position.get(callee)
        if callee == repo or callee in found or (i is not None and known[i]):
            continue
        found[callee] = None
        pending.extend(graph.successors(callee))
    return list(found)


def unseen_callees(graph: CallGraph | None, repo: str, labels: Sequence[tuple[str, str]]) -> list[str]:
    """What a repo calls and nobody ever measured in any way.

    Parameters
    ----------
    graph : CallGraph or None
    repo : str
    labels : sequence of (str, str)
        Repo and metric of all that is measured.
    """
    if graph is None or repo not in graph:
        return []
    measured = {owner for owner, _ in labels}
    return [callee for callee in graph.successors(repo) if callee not in measured]


def or_below(repo: str, unseen: Sequence[str], kept: float) -> Unmeasured:
    """The place where the cause may lie as well as at a measured repo that keeps a share, for want of a sign of either.

    Parameters
    ----------
    repo : str
    unseen : sequence of str
        What it calls and nobody measures; none where even the calls may be unknown.
    kept : float
    """
    if unseen:
        where = f"{listed(unseen)}, which {repo} calls and nobody measures: instrument {listed(unseen)}"
    else:
        where = (
            f"a service that {repo} calls and nobody measures or declares: no measured one that it calls explains it"
        )
    return Unmeasured(repo, tuple(unseen), min(1.0, kept), f"the cause may lie as well in {where}")


def or_above(repo: str, silent: Sequence[str], kept: float) -> Unmeasured:
    """The same of callers that report nothing any more, through which a load may have come to a repo.

    Parameters
    ----------
    repo : str
    silent : sequence of str
    kept : float
    """
    where = f"{listed(silent)}, which called {repo} and is silent since the start: the load may have come through it"
    return Unmeasured(repo, tuple(silent), min(1.0, kept), f"the cause may lie as well in {where}")


def may_stem_from_below(graph: CallGraph | None, repo: str, metric: str) -> bool:
    """Return whether harm in a metric may have come to a repo from what it calls, measured or not."""
    return travels(metric) and graph is not None and repo in graph and any(True for _ in graph.successors(repo))


def _is_suspect(
    graph: CallGraph,
    callee: str,
    above: Sequence[int],
    position: Mapping[str, int],
    seen: Sight,
    in_trouble: Floats,
    is_well: NDArray[np.bool_],
) -> bool:
    i = position.get(callee)
    if i is not None and seen.stopped[i]:
        return True
    if i is not None and seen.is_new[i]:
        # a callee that is new alone is a change of its caller
        return bool(seen.stopped.any())
    well = [j for j in _callers(graph, callee, position) if is_well[j]]
    if well and seen.requests[well].sum() >= seen.requests[list(above)].sum():
        # who else calls it is well, and has at least as many requests in which it would have shown
        return False
    if callee in seen.alive:
        return seen.travels
    below = (position.get(further) for further in graph.successors(callee))
    if any(k is not None and seen.known[k] for k in below):
        return True
    return int(sum(in_trouble[j] >= TELLING for j in above)) > 1


_SIGNS = ("silent since the start", "new", "reports other metrics", "reports nothing")
"""In the order in which they point to a callee."""


def _callers(graph: CallGraph, callee: str, position: Mapping[str, int]) -> list[int]:
    return [i for repo, i in position.items() if repo in graph and callee in graph.successors(repo)]


def _state(callee: str, position: Mapping[str, int], seen: Sight) -> str:
    i = position.get(callee)
    if i is not None and seen.stopped[i]:
        return _SIGNS[0]
    if i is not None and seen.is_new[i]:
        return _SIGNS[1]
    return _SIGNS[2] if callee in seen.alive else _SIGNS[3]
