"""Does what callers keep lie at what they call, although that does not deviate as they do?

**In another form.** A caller that waits for an answer only so long fails where its callee is slow, and the callee,
which answers late, counts no failure. A caller that makes failed calls again is slow where its callee fails, and
fails itself only where every attempt does. In the target's own metric such a caller keeps what is its callee's. So
what a repo keeps is held against the other form of harm at what it calls: where a callee deviates in that form, from
the same time on and as its own past hardly ever does, the share goes there, and along the calls to where that form of
harm begins.

**On the way.** A slow or lossy network, a proxy or a name server in front of a repo shows at its callers alone: each
of them waits or fails, and the repo answers as it always did. One such caller looks like a cause of its own; that
several began at once, and that they have this callee in common and none of its callers is well, does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tars_lib.engines.root_causes.excess import Excess, departure, measure
from tars_lib.engines.root_causes.flow import (
    CallGraph,
    forward_calls,
    measured_callees,
    own_parts,
    own_shares,
    shares_without_calls,
)
from tars_lib.engines.root_causes.requests import CLAIM_ALPHA, LOST, MOST, WORTH_TELLING, callers_of, calls_made, loads
from tars_lib.engines.root_causes.series import FAILURES, travels
from tars_lib.engines.root_causes.telemetry import USUAL_REQUESTS
from tars_lib.stats.pairs.significance import sidak
from tars_lib.stats.series.robust import Floats

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tars_lib.engines.root_causes.recording import Cut, Recording

REAL_ALPHA = 0.05
"""From this p-value on what lies below such a callee moves nothing; that of the walk in the target's own metric."""

SLOWER = 1.5
"""Factor in latency from which on somebody may have lost patience; judgement: less is within what patience allows for."""

MUCH_SLOWER = 3.0
"""Factor from which on it is taken that somebody did, whose own latency need not show it; judgement: who sets a limit to
waiting sets it to a few times what is usual."""

TWICE = 2.0
"""The same where the callee's requests are counted and it fails no more than usual; judgement: else other requests than
usual may make its mean longer, and a callee that fails is found by that."""

FAILING = 0.01
"""Share of a callee's requests that must fail beyond the usual to make its caller slow; judgement: with fewer, attempts would
have to take a hundred times the wait that is felt."""

BY_ITSELF = 0.25
"""Least part of a caller's harm that what it calls does not account for; judgement: less may be what a call takes beyond what
its callee measures."""

SEVERAL = 2
"""Callers from which on it is no coincidence."""

LIKELIER = 2.0
"""Factor by which the harm of callers must fit their calls of one callee better than those of another to tell the two apart;
judgement."""

MOST_ALIKE = 3
"""Callees that may share the answer; judgement: a longer list is no place to begin."""

EARLIEST_ONSET = 1
"""Samples by which a callee may deviate before its caller: clocks are off by one. What was bad for longer did not matter."""


@dataclass(frozen=True)
class OtherForm:
    """What moved to callees that are in trouble in the other form.

    Attributes
    ----------
    metric : str
        The kind of metric that tells it.
    excess : Excess
        Of all R repos in that metric.
    given : ndarray, shape (R,)
        Share of the target's deviation that each repo was given; at least 0.
    established : ndarray, shape (R,)
        0 (could be chance) to 1, in that metric.
    calls : tuple of (int, int)
        Callers that kept a share, and the callees to which it went.
    left : ndarray, shape (R,)
        What each repo keeps in the target's own metric.
    is_shared : ndarray of bool, shape (R,)
        The repos on the way to which it lies.
    """

    metric: str
    excess: Excess
    given: Floats
    established: Floats
    calls: tuple[tuple[int, int], ...]
    left: Floats
    is_shared: NDArray[np.bool_]


def other_form(
    recording: Recording,
    metric: str,
    cut: Cut,
    graph: CallGraph | None,
    kept: tuple[Floats, Excess],
    target: int,
    higher_is_better: Mapping[str, bool] | None,
) -> OtherForm | None:
    """Follow what callers keep to callees that deviate in the other form of harm.

    Parameters
    ----------
    recording : Recording
    metric : str
        The target's.
    cut : Cut
    graph : CallGraph or None
    kept : (ndarray, shape (R,); Excess)
        What each repo keeps of the target's deviation, and its excess in the target's metric.
    target : int
    higher_is_better : mapping, optional

    Returns
    -------
    OtherForm or None
        None where nothing moves: the metric does not travel along calls, no callee is in such trouble, or no calls are known
        and the metric is no failure.
    """
    if not travels(metric):
        return None
    shares, onset = kept[0], kept[1].onset
    other = "latency" if metric in FAILURES else "availability"
    excess = measure(recording, other, cut, higher_is_better)
    is_counted = np.isfinite(recording.values("requests_total")[1][cut.first :]).any(axis=0)
    much = np.where(is_counted & kept[1].known & (kept[1].p_value > REAL_ALPHA), TWICE, MUCH_SLOWER)
    if graph is None:
        return _without_calls(recording, cut, kept, (excess, much), target) if other == "latency" else None
    callees = forward_calls(measured_callees(graph, recording.repos, excess.known), target)
    suspects, clear = _suspects(excess, other, much)
    suspects &= ~_loaded(recording, cut, graph, other)
    established = np.clip(1.0 - excess.p_value / REAL_ALPHA, 0.0, 1.0)
    callers = callers_of(recording.repos, graph)
    parts = own_parts(excess.harm, established, callees, adds_up=excess.adds_up)
    traffic = in_use(recording, cut), calls_made(recording, cut, callers)
    given, left = np.zeros(len(shares)), shares.copy()
    is_shared = np.zeros(len(shares), dtype=np.bool_)
    calls: list[tuple[int, int]] = []
    for caller in np.flatnonzero(shares >= WORTH_TELLING).tolist():
        below = np.array(callees[caller], dtype=np.int64)
        rare = sidak(excess.p_value[below], len(below)) <= CLAIM_ALPHA
        late = (excess.onset[below] < -EARLIEST_ONSET) | (excess.onset[below] > onset[caller] + 1)
        chosen = below[suspects[below] & rare & ~late]
        far = chosen[clear[chosen]]
        if far.size:
            weight = excess.harm[far] / excess.harm[far].sum()
            where = weight @ [
                own_shares(excess.harm, established, callees, callee, adds_up=excess.adds_up) for callee in far
            ]
        elif other == "latency" and excess.p_value[caller] <= CLAIM_ALPHA and (excess.adds_up or not chosen.size):
            # who waited and lost patience is slow as well, and tells by how much
            ways = [*callees]
            ways[caller] = chosen.tolist()
            where = own_shares(excess.harm, established, ways, caller, adds_up=excess.adds_up)
        else:
            continue
        where, on_the_way = moved_to_shared(where, excess, parts, callers, traffic)
        is_shared |= on_the_way
        # what the caller keeps in this form too is its own
        left[caller] = shares[caller] * where[caller]
        where[caller] = 0.0
        given += shares[caller] * where
        calls += [(caller, int(callee)) for callee in np.flatnonzero(where >= WORTH_TELLING)]
    return OtherForm(other, excess, given, established, tuple(calls), left, is_shared) if calls else None


def _without_calls(
    recording: Recording, cut: Cut, kept: tuple[Floats, Excess], slow: tuple[Excess, Floats], target: int
) -> OtherForm | None:
    """The same of failures where any repo may be one that nobody waits longer for."""
    (shares, failing), (excess, much) = kept, slow
    _, chosen = _suspects(excess, "latency", much)
    base, now = recording.values("requests_total")
    chosen &= excess.reference > 0.0
    # a load makes slow
    chosen &= departure(recording, cut, base, now, 1.0 + LOST).p_value > CLAIM_ALPHA
    chosen &= sidak(excess.p_value, int(excess.known.sum())) <= CLAIM_ALPHA
    chosen &= (excess.onset >= -EARLIEST_ONSET) & (excess.onset <= failing.onset[target] + 1)
    if not chosen.any():
        return None
    rise = np.zeros(len(shares))
    rise[chosen] = excess.level[chosen] / excess.reference[chosen] - 1.0
    first = int(np.argmax(rise * excess.harm))
    if failing.p_value[first] <= REAL_ALPHA:
        # who fails by itself is found by that
        return None
    where = shares_without_calls(rise, excess.harm, chosen.astype(float), first, adds_up=excess.adds_up)
    callers = np.flatnonzero(shares >= WORTH_TELLING).tolist()
    left = np.where(shares >= WORTH_TELLING, 0.0, shares)
    calls = tuple((i, int(j)) for i in callers for j in np.flatnonzero(where >= WORTH_TELLING))
    return OtherForm(
        "latency", excess, (shares - left).sum() * where, chosen.astype(float), calls, left, np.zeros_like(chosen)
    )


def _loaded(recording: Recording, cut: Cut, graph: CallGraph, metric: str) -> NDArray[np.bool_]:
    """Which repos are slow because their callers, who are asked more often, ask them more often; shape (R,)."""
    load = None
    if metric not in FAILURES and recording.counts_requests:
        load = loads(recording, cut, callers_of(recording.repos, graph))
    if load is None:
        return np.zeros(len(recording.repos), dtype=np.bool_)
    return (load.surge > 1.0) & ~load.begins


def _suspects(excess: Excess, metric: str, much: Floats) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which repos are in trouble that can have made their callers fail or wait, and which so that they must, being so
    much slower; shape (R,).
    """
    risen = excess.known & (excess.harm > 0.0)
    if metric in FAILURES:
        fail = risen & (excess.level - excess.reference >= FAILING)
        return fail, fail
    return risen & (excess.level >= SLOWER * excess.reference), risen & (excess.level >= much * excess.reference)


def in_use(recording: Recording, cut: Cut) -> NDArray[np.bool_]:
    """Which repos get so many requests that what happens to them shows, all of them where nobody counts; shape (R,)."""
    _, now = recording.values("requests_total")
    during = np.nan_to_num(now[cut.first :])
    if not during.any():
        return np.ones(len(recording.repos), dtype=np.bool_)
    return np.asarray(during.mean(axis=0) >= USUAL_REQUESTS)


def moved_to_shared(
    shares: Floats,
    excess: Excess,
    parts: Floats,
    callers: Sequence[Sequence[int]],
    traffic: tuple[NDArray[np.bool_], Floats | None],
) -> tuple[Floats, NDArray[np.bool_]]:
    """Shares of the target's deviation after those of several callers went to what they call in common.

    Parameters
    ----------
    shares : ndarray, shape (R,)
        What each repo keeps as its own.
    excess : Excess
    parts : ndarray, shape (R,)
        Part of each repo's own harm that its callees do not account for.
    callers : sequence of R sequences of positions
    traffic : (ndarray of bool, shape (R,); ndarray, shape (R, R), or None)
        Which repos get so many requests that they speak against it where they are well; calls from each to each since the cut.

    Returns
    -------
    shares : ndarray, shape (R,)
        The same sum.
    is_shared : ndarray of bool, shape (R,)
        The repos on the way to which it lies.
    """
    used, calls = traffic
    is_well = excess.known & (excess.p_value > REAL_ALPHA)
    in_trouble = (excess.p_value <= CLAIM_ALPHA) & (parts >= BY_ITSELF)
    kept = np.zeros(len(shares))
    for callee in np.flatnonzero(is_well).tolist():
        above = [i for i in callers[callee] if in_trouble[i]]
        speaks_against = any(is_well[i] and used[i] for i in callers[callee])
        if len(above) >= SEVERAL and not speaks_against and np.ptp(excess.onset[above]) <= 1:
            kept[callee] = shares[above].sum()
    most = kept.max(initial=0.0)
    alike = (kept >= most - 1e-9) & (kept >= MOST)
    if calls is not None and excess.adds_up and np.count_nonzero(alike) > 1:
        # each call takes as much longer, so that callers are hurt in proportion to their calls
        unlike = np.full(len(shares), np.inf)
        for callee in np.flatnonzero(alike).tolist():
            above = [i for i in callers[callee] if in_trouble[i]]
            with np.errstate(divide="ignore", invalid="ignore"):
                unlike[callee] = np.ptp(np.log(excess.harm[above] * parts[above]) - np.log(calls[above, callee]))
        alike &= ~(unlike > unlike.min() + np.log(LIKELIER))
    if not 1 <= np.count_nonzero(alike) <= MOST_ALIKE:
        return shares, np.zeros(len(shares), dtype=np.bool_)
    result = shares.copy()
    above = sorted({i for j in np.flatnonzero(alike).tolist() for i in callers[j] if in_trouble[i]})
    result[alike] += shares[above].sum() / np.count_nonzero(alike)
    result[above] = 0.0
    return result, alike
