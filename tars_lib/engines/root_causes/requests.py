"""Do a repo's requests say that they were lost on the way to it, or that a load began at it?

Each repo receives requests in proportion to those of its callers. Where far fewer arrive than its callers' requests
lead one to expect while a caller fails by itself, they were lost between the two: what fails at the caller belongs to
the repo that does not answer. Where far more arrive, a load began at the repo, and the repos below it are slow because
of it. Either is claimed only where the repo's own past holds nothing like it.

A caller also makes fewer calls where it gives up: a request that failed at one callee is not taken to the next, and one
that fails before any call is missing at all callees alike. The first are taken off what is missing. Of the second, only a
loss that another callee of the same caller does not share, or that makes several callers fail, is moved; the only callee
of an only failing caller is named second.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tars_lib.engines.root_causes.excess import departure
from tars_lib.stats.series.robust import Floats

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tars_lib.engines.root_causes.flow import CallGraph
    from tars_lib.engines.root_causes.recording import Cut, Recording

LOST = 0.1
"""Least share of requests that must be missing; judgement: below it the mix of callers' requests explains as much."""

SURGE = 1.5
"""Least factor by which requests must have risen for a load; judgement: a busy hour of the day stays below it."""

BEGINS_HERE = 0.5
"""A load begins at a repo where its callers explain less than half of what was added; judgement."""

MOST = 0.5
"""Share of the deviation above which one repo accounts for most of it."""

LEAVES_OPEN = 0.25
"""Part of a caller's own failures that moves to the callees that may have lost their requests where the caller may as well
have failed before it called them. Judgement: below a half, since a caller that fails needs no further assumption."""

BEYOND_OWN = 1.25
"""Factor by which the share of requests missing at a callee must exceed the share that fails at the caller to show that
they were lost after the call; judgement: a caller that fails before it calls leaves the two equal."""

FELT = 0.25
"""Of the requests to a repo that went silent so many must fail at the caller: a repo that nobody measures any more looks
the same, but nothing fails because of it. Judgement."""

WORTH_TELLING = 0.05
"""Least share of the target's deviation that lost requests move; judgement: less is no lead for anybody."""

CLAIM_ALPHA = 0.01
"""How rare a change of requests must be in the repo's own past; the level of the gate."""

COVERED = 0.9
"""Share of baseline samples with requests from which on silence during the incident means that none arrived; judgement."""


@dataclass(frozen=True)
class Losses:
    """Which of R repos miss requests.

    Attributes
    ----------
    lost : ndarray of bool, shape (R,)
        Whether fewer requests arrived than the callers' requests lead one to expect.
    missing : ndarray, shape (R,)
        Number of requests that did not arrive, at least 0, chance or not.
    calls : ndarray, shape (R, R)
        Requests expected at the column's repo from the row's.
    requests : ndarray, shape (R,)
        Number of requests that arrived.
    silent : ndarray of bool, shape (R,)
        Whether the repo reported no requests at all: none arrived, or nobody measured.
    """

    lost: NDArray[np.bool_]
    missing: Floats
    calls: Floats
    requests: Floats
    silent: NDArray[np.bool_]


@dataclass(frozen=True)
class Loads:
    """Which of R repos have many more requests than before.

    Attributes
    ----------
    surge : ndarray, shape (R,)
        Factor by which requests rose; 1 where that is not established.
    from_outside : ndarray, shape (R,)
        Share of the additional requests that the callers' requests do not explain, 0-1; 0 without a surge.
    """

    surge: Floats
    from_outside: Floats

    @property
    def begins(self) -> NDArray[np.bool_]:
        """The repos at which a load begins, as far as their callers' requests tell."""
        return (self.surge > 1.0) & (self.from_outside > BEGINS_HERE)


def losses(recording: Recording, cut: Cut, callers: Sequence[Sequence[int]]) -> Losses:
    """What did not arrive at each repo since the cut.

    Parameters
    ----------
    recording : Recording
    cut : Cut
    callers : sequence of R sequences of positions
    """
    base, now = recording.values("requests_total")
    silent = np.isnan(now[cut.first :]).all(axis=0) & (np.isfinite(base).sum(axis=0) >= COVERED * max(len(base), 1))
    now = np.where(silent & np.isnan(now), 0.0, now)
    usual, got, p_value, weights = _against_callers(recording, cut, (base, now), callers)
    with np.errstate(invalid="ignore", divide="ignore"):
        gone = np.nan_to_num(np.where(usual > 0.0, np.clip(1.0 - got / usual, 0.0, 1.0), 0.0))
    arrived = np.nan_to_num(now[cut.first :]).sum(axis=0)
    calls = weights * arrived[:, np.newaxis] * np.nan_to_num(usual)
    return Losses((gone >= LOST) & (p_value <= CLAIM_ALPHA), gone * calls.sum(axis=0), calls, arrived, silent)


def loads(recording: Recording, cut: Cut, callers: Sequence[Sequence[int]]) -> Loads | None:
    """What arrived at each repo since the cut beyond what it had before; None where no repo has a surge."""
    base, now = recording.values("requests_total")
    load = departure(recording, cut, base, now, SURGE)
    with np.errstate(invalid="ignore", divide="ignore"):
        factor = np.where((load.reference > 0.0) & (load.p_value <= CLAIM_ALPHA), load.level / load.reference, 1.0)
    surge = np.where(np.nan_to_num(factor) >= SURGE, factor, 1.0)
    if (surge == 1.0).all():
        return None
    usual, got, _, _ = _against_callers(recording, cut, (base, now), callers)
    with np.errstate(invalid="ignore", divide="ignore"):
        # got / usual is 1 where the callers' requests explain all of it
        explained = np.where(np.isfinite(got) & (got > 0.0), usual / got, 0.0)
        outside = np.clip(surge * (1.0 - explained) / (surge - 1.0), 0.0, 1.0)
    return Loads(surge, np.where(surge > 1.0, np.nan_to_num(outside), 0.0))


def calls_made(recording: Recording, cut: Cut, callers: Sequence[Sequence[int]]) -> Floats | None:
    """Calls (R, R) that each row's repo makes of each column's since the cut, as its requests and its past lead one to expect.

    None where nobody counts requests.
    """
    if not recording.counts_requests:
        return None
    base, now = recording.values("requests_total")
    made: Floats = _calls_per_request(base, callers) * np.nan_to_num(now[cut.first :]).sum(axis=0)[:, np.newaxis]
    return made


def _against_callers(
    recording: Recording, cut: Cut, requests: tuple[Floats, Floats], callers: Sequence[Sequence[int]]
) -> tuple[Floats, Floats, Floats, Floats]:
    """Requests per request expected, before and since the cut; chance of as large a fall; calls per request."""
    base, now = requests
    weights = _calls_per_request(base, callers)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = departure(recording, cut, -base / _expected(base, weights), -now / _expected(now, weights), 1.0 - LOST)
    return -share.reference, -share.level, share.p_value, weights


def callers_of(repos: Sequence[str], dependencies: CallGraph) -> list[list[int]]:
    """Positions of each repo's direct callers."""
    position = {repo: i for i, repo in enumerate(repos)}
    result: list[list[int]] = [[] for _ in repos]
    for i, repo in enumerate(repos):
        if repo not in dependencies:
            continue
        for callee in dependencies.successors(repo):
            j = position.get(callee)
            if j is not None and j != i:
                result[j].append(i)
    return result


def all_above(callers: Sequence[Sequence[int]], repo: int) -> set[int]:
    """Positions of all repos that call one, directly or not."""
    found: set[int] = set()
    pending = [repo]
    while pending:
        for caller in callers[pending.pop()]:
            if caller not in found:
                found.add(caller)
                pending.append(caller)
    return found


def _expected(requests: Floats, weights: Floats) -> Floats:
    """Requests (T, R) that the callers' requests lead one to expect; NaN without counted callers."""
    result = np.full_like(requests, np.nan)
    for j in np.flatnonzero(weights.any(axis=0)).tolist():
        above = np.flatnonzero(weights[:, j])
        result[:, j] = requests[:, above] @ weights[above, j]
    return np.where(result > 0.0, result, np.nan)


def _calls_per_request(base: Floats, callers: Sequence[Sequence[int]]) -> Floats:
    """Calls (R, R) of the column's repo for each request of the row's, at least 0.

    Least squares over the baseline; while a caller's would be negative, the most negative is left out.
    """
    weights = np.zeros((base.shape[1], base.shape[1]))
    for j, above in enumerate(callers):
        left = [i for i in above if np.isfinite(base[:, i]).any()]
        known = np.isfinite(base[:, [*left, j]]).all(axis=1)
        while left and known.sum() > len(left):
            found = np.asarray(np.linalg.lstsq(base[known][:, left], base[known, j], rcond=None)[0], dtype=np.float64)
            if found.min() > 0.0:
                weights[left, j] = found
                break
            left.pop(int(found.argmin()))
    return weights


def moved_by_loss(shares: Floats, harm: Floats, lost: Losses, callers: Sequence[Sequence[int]]) -> Floats:
    """Shares of the target's deviation after lost requests were given to the repos that they did not reach.

    Parameters
    ----------
    shares : ndarray, shape (R,)
        What each repo keeps as its own.
    harm : ndarray, shape (R,)
        Failed requests of each repo more than before, as far as they are established.
    lost : Losses
    callers : sequence of R sequences of positions

    Returns
    -------
    ndarray, shape (R,)
        The same sum.
    """
    result = shares.copy()
    failing = (shares >= WORTH_TELLING) & (harm > 0.0)
    for i in np.flatnonzero(failing).tolist():
        below = np.flatnonzero([i in above for above in callers] & (lost.calls[i] > 0.0))
        if not lost.lost[below].any():
            continue
        # a request that failed at one callee is not taken to the next
        passed_on = min(float(harm[i]), float(harm[below].sum()))
        missing = np.maximum(lost.missing[below] - passed_on / lost.requests[i] * lost.calls[i, below], 0.0)
        may = lost.lost[below] & (missing > 0.0) & (~lost.silent[below] | (FELT * missing <= harm[i]))
        if not may.any():
            continue
        # requests are lost at the callee, so all its callers miss them alike
        gone = missing / lost.calls.sum(axis=0)[below]
        # nor is a request that is lost at one callee taken to the next, and the order of calls is not known
        alike = may & (gone >= (1.0 - LOST) * gone[may].max())
        part = min(1.0, float(missing[alike].max()) / float(harm[i]))
        if all(np.count_nonzero(failing[callers[j]]) == 1 for j in below[alike].tolist()):
            by_itself = (float(harm[i]) - passed_on) / float(lost.requests[i])
            part *= 1.0 - (1.0 - LEAVES_OPEN) * _before_any_call(by_itself, gone, missing, lost.calls[:, below], i)
        if part * result[i] / np.count_nonzero(alike) >= WORTH_TELLING:
            # what was given up is no more than what was lost, so where most is missing is the likeliest
            result[below[alike]] += part * result[i] * gone[alike] / gone[alike].sum()
            result[i] *= 1.0 - part
    return result


def _before_any_call(by_itself: float, gone: Floats, missing: Floats, calls: Floats, caller: int) -> float:
    """Part of a caller's own failures that may have come before it called any of K callees, 0-1.

    Parameters
    ----------
    by_itself : float
        Share of its requests that the caller fails by itself.
    gone : ndarray, shape (K,)
        Share of its requests that each callee misses.
    missing : ndarray, shape (K,)
        Their number.
    calls : ndarray, shape (R, K)
        Requests expected at each callee from each repo.
    caller : int
    """
    if gone.max() > BEYOND_OWN * by_itself:
        return 0.0
    # such failures are missing at every callee; asked are those of the others where so many would be noticed
    others = (by_itself * calls[caller] >= LOST * calls.sum(axis=0)) & (gone < gone.max())
    return min(1.0, float((missing / calls[caller])[others].min(initial=np.inf)) / by_itself)


def moved_by_load(shares: Floats, load: Loads, callers: Sequence[Sequence[int]], target: int) -> Floats:
    """Shares after what slowed down under a load was given to the repo at which the load began.

    A load that comes through the target stays with a repo that accounts for most of the deviation: that is the one which
    cannot bear it. Where it slows many repos down and none of them most, the load itself is the cause, and the target
    is where it came in.

    Parameters
    ----------
    shares : ndarray, shape (R,)
    load : Loads
    callers : sequence of R sequences of positions
    target : int

    Returns
    -------
    ndarray, shape (R,)
        The same sum.
    """
    result = shares.copy()
    begun = set(np.flatnonzero(load.begins).tolist())
    for j in np.flatnonzero((load.surge > 1.0) & (shares > 0.0)).tolist():
        if j == target or j in begun:
            continue
        origins = sorted(_loaded_callers(j, load, callers, target) & begun)
        if origins:
            moved = result[j] * (1.0 - load.from_outside[j])
            result[j] -= moved
            result[origins] += moved / len(origins)
    slowed = (load.surge > 1.0) & (load.from_outside <= BEGINS_HERE)
    slowed[target] = False
    others = np.delete(result, target)
    if load.surge[target] > 1.0 and others.max(initial=0.0) <= MOST and result[slowed].sum() + result[target] > MOST:
        result[target] += result[slowed].sum()
        result[slowed] = 0.0
    return result


def _loaded_callers(repo: int, load: Loads, callers: Sequence[Sequence[int]], target: int) -> set[int]:
    """Callers above a repo that carry a load, direct or through others that do."""
    seen: set[int] = set()
    stack = [repo]
    while stack:
        for i in callers[stack.pop()]:
            if i not in seen and i not in (repo, target) and load.surge[i] > 1.0:
                seen.add(i)
                stack.append(i)
    return seen
