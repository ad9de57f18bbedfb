"""Is there an incident at all, and whose own is how much of it?

References
----------
Sidak (1967), https://doi.org/10.1080/01621459.1967.10482935
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tars_lib.engines.root_causes.excess import (
    ALPHA,
    JOINT_TARGET_ALPHA,
    Excess,
    chance,
    in_another_form,
    measure,
    together,
)
from tars_lib.engines.root_causes.flow import (
    CallGraph,
    forward_calls,
    measured_callees,
    nearest,
    own_parts,
    own_shares,
    reachable,
    rise_over_usual,
    shares_without_calls,
)
from tars_lib.engines.root_causes.recording import Cut, Recording
from tars_lib.engines.root_causes.requests import (
    Loads,
    Losses,
    all_above,
    callers_of,
    calls_made,
    loads,
    losses,
    moved_by_load,
    moved_by_loss,
)
from tars_lib.engines.root_causes.seen_by_callers import OtherForm, in_use, moved_to_shared, other_form
from tars_lib.engines.root_causes.series import FAILURES, harm_series, travels
from tars_lib.engines.root_causes.uncounted import felt, views
from tars_lib.engines.root_causes.unmeasured import MOST, Unmeasured, find_unmeasured, sight
from tars_lib.stats.pairs.significance import sidak
from tars_lib.stats.series.robust import Floats

REAL_ALPHA = 0.05
"""Excess with p at or above this moves no harm; below it counts with weight 1 - p / 0.05. Judgement."""

ALIKE = 1.25
"""Factor within which two repos' harm is the same; judgement, the spread of a mean over a few samples."""

TOLD_APART = 1.5
"""Without a call graph, factor in what they explain from which on two repos are told apart; judgement: a caller and a callee
whose usual levels are closer may stand in either order."""

LATE_WEIGHT = 0.1
"""Without a call graph each sample of delay behind the target leaves this much of a repo's weight: what turned later is
hardly the cause, but an onset in noise may be off by a sample. Judgement; between 0 and 0.5 the figures do not move."""

LATEST_ONSET = 30
"""Samples of delay that are counted at most."""


@dataclass(frozen=True)
class Question:
    """What was asked, checked: `position` is the target's among ``recording.repos``."""

    recording: Recording
    metric: str
    position: int
    cut: Cut
    dependencies: CallGraph | None
    higher_is_better: Mapping[str, bool] | None


@dataclass(frozen=True)
class Finding:
    """What is known about every repo, before it is put into words.

    Attributes
    ----------
    excess : Excess
    contribution : ndarray, shape (R,)
        Share of the target's deviation that is each repo's own and established; at least 0, sum at most 1.
    passing : ndarray, shape (R,)
        Established harm of repos that the target depends on, its own or not.
    own_chance : float
        How often the target's past shows as much.
    chance : float
        How often there would be as much by chance: the target alone, or target and cause together.
    lost : Losses, optional
        What did not arrive; None for other metrics than failures, without call graph, or where nobody counts requests.
    load : Loads, optional
        What arrived beyond the usual; None for failures, without a call graph, or where requests rose nowhere.
    form : OtherForm, optional
        What callers keep that is explained by the other form of harm at what they call.
    is_shared : ndarray of bool, shape (R,)
        The repos that are well themselves and on the way to which it lies.
    unmeasured : Unmeasured, optional
        Where the cause lies if it is none of the measured repos.
    unknown_call : (int, int), optional
        Caller and callee of a call that the graph lacks and that would explain what the caller keeps.
    kept : ndarray, shape (R,)
        Share of the target's deviation that each repo keeps, established or not; sum 1.
    within : ndarray of bool, shape (R,)
        The repos that may explain the target.
    """

    excess: Excess
    contribution: Floats
    passing: Floats
    own_chance: float
    chance: float
    lost: Losses | None
    load: Loads | None
    form: OtherForm | None
    is_shared: NDArray[np.bool_]
    unmeasured: Unmeasured | None
    unknown_call: tuple[int, int] | None
    kept: Floats
    within: NDArray[np.bool_]

    @property
    def in_other_form(self) -> NDArray[np.bool_]:
        """The repos most of whose share shows at their callers in another form; shape (R,)."""
        return np.zeros(len(self.kept), dtype=np.bool_) if self.form is None else self.form.given > MOST * self.kept

    @property
    def is_claimed(self) -> bool:
        """Whether the target really deviates."""
        return self.chance <= ALPHA


def weigh(question: Question) -> Finding:
    """Measure every repo, follow the target's harm along the calls, and judge whether it is chance.

    Raises nothing: a target without a past yields a finding with chance 1.
    """
    position = question.position
    excess = measure(question.recording, question.metric, question.cut, question.higher_is_better)
    own = chance(question.recording, question.metric, question.cut, position, question.higher_is_better)
    established = np.clip(1.0 - excess.p_value / REAL_ALPHA, 0.0, 1.0)
    established[position] = max(float(established[position]), 1.0 - own / REAL_ALPHA)
    callees = _callees(question, excess)
    if question.dependencies is None:
        late = np.clip(excess.onset - max(int(excess.onset[position]), 0), 0, LATEST_ONSET)
        late[position] = 0
        established = established * LATE_WEIGHT**late
    finding = _follow(question, excess, callees, established, own)
    if question.dependencies is not None and not finding.is_claimed:
        finding = _past_noise(question, excess, callees, finding)
    if finding.unmeasured is not None or question.dependencies is None:
        return finding
    # whom harm can come from: along calls between repos that deviate
    passed = reachable([[c for c in found if established[c] > 0.0] for found in callees], position)
    unknown = _unknown_call(question, finding, passed)
    if unknown is None:
        return finding
    caller, callee = unknown
    callees[caller] = [*callees[caller], callee]
    callees = forward_calls(callees, position)
    return replace(_follow(question, excess, callees, established, own), unknown_call=unknown)


def _past_noise(question: Question, excess: Excess, callees: list[list[int]], finding: Finding) -> Finding:
    """The same where only repos far beyond their own past count, the others being looked through, if that makes a claim.

    Noisy branches take part of the share otherwise, and a caller that feels little ends the way to what it calls.
    """
    candidates = finding.within.copy()
    candidates[question.position] = False
    among = int(candidates.sum())
    corrected = sidak(excess.p_value, among)
    if finding.own_chance > JOINT_TARGET_ALPHA or not (candidates & (corrected <= ALPHA)).any():
        return finding
    established = np.where(candidates, np.clip(1.0 - corrected / REAL_ALPHA, 0.0, 1.0), 0.0)
    callees = nearest(callees, established > 0.0)
    established[question.position] = max(0.0, 1.0 - finding.own_chance / REAL_ALPHA)
    other = _follow(question, excess, callees, established, finding.own_chance, among)
    # the second of two looks
    other = replace(other, chance=min(1.0, 2.0 * other.chance))
    return other if other.is_claimed else finding


def _follow(
    question: Question,
    excess: Excess,
    callees: list[list[int]],
    established: Floats,
    own: float,
    among: int | None = None,
) -> Finding:
    """Follow the target's harm along the calls, and judge whether it is chance; `among` repos could have been it."""
    within = reachable(callees, question.position)
    shares = _shares(question, excess, callees, established)
    among = among or int(within.sum())
    joint = 1.0
    if own <= JOINT_TARGET_ALPHA:
        joint = together(
            question.recording,
            question.metric,
            question.cut,
            question.position,
            (excess, within, shares),
            own,
            among,
            question.higher_is_better,
        )
    # the target alone, and together with a cause: two looks where there is anybody else
    chance_of_claim = min(1.0, min(own, joint) * (2.0 if np.count_nonzero(within) > 1 else 1.0))
    load = _load(question)
    is_shared = np.zeros(len(shares), dtype=np.bool_)
    if question.metric not in FAILURES:
        # a network that is slow makes callers fail as well, so what is slow is looked at before what fails
        shares, is_shared = _by_shared_callee(question, excess, (callees, established), shares, load)
    form = _other_form(question, shares, excess) if chance_of_claim <= ALPHA else None
    if chance_of_claim > ALPHA and own <= REAL_ALPHA and question.metric in FAILURES:
        # a third look, past what fails below: where so little does, it is noise, and its onset too
        at_target = np.eye(len(shares))[question.position]
        form = _other_form(question, at_target, replace(excess, onset=np.maximum(excess.onset, 0)))
        if form is not None:
            chance_of_claim = min(chance_of_claim, 3.0 * in_another_form(form.given, form.excess, own, among))
        form = form if chance_of_claim <= ALPHA else None
    shares = shares if form is None else form.left
    lost, moved = _by_requests(question, excess, shares, established, load)
    # what requests moved is as real as their change, and may lead to a repo that went silent
    established = np.where(moved > shares, 1.0, established)
    shares = moved
    if question.metric in FAILURES:
        shares, is_shared = _by_shared_callee(question, excess, (callees, established), shares, load)
    established = np.where(is_shared, 1.0, established)
    if form is not None:
        established = np.where(form.given > 0.0, np.maximum(established, form.established), established)
        established = np.where(form.is_shared, 1.0, established)
        shares, is_shared = shares + form.given, is_shared | form.is_shared
    within = within | (shares > 0.0)
    return Finding(
        excess=excess,
        contribution=np.where(within, shares * established, 0.0),
        passing=np.where(within, excess.harm * established, 0.0),
        own_chance=own,
        chance=chance_of_claim,
        lost=lost,
        load=load,
        form=form,
        is_shared=is_shared,
        unmeasured=_unmeasured(question, excess, shares, established),
        unknown_call=None,
        kept=shares,
        within=within,
    )


def _shares(question: Question, excess: Excess, callees: list[list[int]], established: Floats) -> Floats:
    """The share of the target's deviation that each repo keeps."""
    position, adds_up = question.position, excess.adds_up
    if question.dependencies is None:
        rise = rise_over_usual(question.recording, question.metric, excess, question.higher_is_better)
        return shares_without_calls(rise, excess.harm, established, position, adds_up=adds_up)
    felt_there = _felt(question, excess, callees)
    return own_shares(excess.harm, established, callees, position, adds_up=adds_up, felt=felt_there)


def _felt(
    question: Question, excess: Excess, callees: list[list[int]]
) -> Callable[[int, Sequence[int]], Floats] | None:
    """How much of a callee is felt at a caller; None where requests tell, or no calls are known."""
    if excess.adds_up or question.dependencies is None:
        return None
    base, _, _, _ = harm_series(question.recording, question.metric, question.higher_is_better)
    seen = views(callees, excess.p_value <= ALPHA, excess.level, excess.onset)
    return lambda caller, below: np.where(seen[list(below)], 0.0, felt(base, question.metric, caller, below))


def _other_form(question: Question, kept: Floats, excess: Excess) -> OtherForm | None:
    """What repos keep that lies at what they call, in the other form of harm."""
    return other_form(
        question.recording,
        question.metric,
        question.cut,
        question.dependencies,
        (kept, excess),
        question.position,
        question.higher_is_better,
    )


def _load(question: Question) -> Loads | None:
    """What arrived beyond the usual; None for failures, without a call graph, or where requests rose nowhere."""
    recording = question.recording
    if question.metric in FAILURES or question.dependencies is None or not recording.counts_requests:
        return None
    return loads(recording, question.cut, callers_of(recording.repos, question.dependencies))


def _by_requests(
    question: Question, excess: Excess, shares: Floats, established: Floats, load: Loads | None
) -> tuple[Losses | None, Floats]:
    """Lost requests, and the shares after them or after a load."""
    recording, cut = question.recording, question.cut
    if question.dependencies is None or not recording.counts_requests:
        return None, shares
    callers = callers_of(recording.repos, question.dependencies)
    if question.metric in FAILURES:
        lost = losses(recording, cut, callers)
        return lost, moved_by_loss(shares, excess.harm * established, lost, callers)
    return None, shares if load is None else moved_by_load(shares, load, callers, question.position)


def _by_shared_callee(
    question: Question, excess: Excess, follow: tuple[list[list[int]], Floats], shares: Floats, load: Loads | None
) -> tuple[Floats, NDArray[np.bool_]]:
    """The shares after those of several callers went to what they call in common, and to whom they went."""
    recording, (callees, established) = question.recording, follow
    if question.dependencies is None or not travels(question.metric):
        return shares, np.zeros(len(shares), dtype=np.bool_)
    parts = own_parts(excess.harm, established, callees, adds_up=excess.adds_up)
    if load is not None:
        # who is asked more often is slow for that
        parts = np.where(load.surge > 1.0, 0.0, parts)
    callers = callers_of(recording.repos, question.dependencies)
    traffic = in_use(recording, question.cut), calls_made(recording, question.cut, callers)
    return moved_to_shared(shares, excess, parts, callers, traffic)


def _unmeasured(question: Question, excess: Excess, shares: Floats, established: Floats) -> Unmeasured | None:
    if question.dependencies is None:
        return None
    recording = question.recording
    seen = sight(recording, question.metric, question.cut, excess.known, excess.is_new, question.higher_is_better)
    return find_unmeasured(question.dependencies, recording.repos, seen, shares, established, question.position)


def _unknown_call(question: Question, finding: Finding, passed: NDArray[np.bool_]) -> tuple[int, int] | None:
    """A call that the graph lacks and that would explain what a repo keeps: caller and callee."""
    excess = finding.excess
    caller = int(np.argmax(finding.kept))
    if finding.kept[caller] < MOST or not excess.harm[caller] > 0.0:
        return None
    outside = excess.known & ~passed
    above = sorted(_callers_above(question, caller))
    # what calls it from elsewhere owes it a part of its harm; with as much, the call may lead the other way
    outside[above] &= excess.adds_up & (ALIKE * excess.harm[above] >= excess.harm[caller])
    # as rare as the gate asks for, although any of these could have been it
    level = -np.expm1(np.log1p(-ALPHA) / max(int(outside.sum()), 1))
    part = excess.harm / excess.harm[caller]
    fits = outside & (excess.p_value <= level) & (part >= MOST) & (excess.onset <= excess.onset[caller] + 1)
    # no earlier either: without a call in between nothing but time tells it from what was bad before
    fits &= excess.onset >= 0
    # the nearest of those that call one another
    for j in np.flatnonzero(fits).tolist():
        fits[j] = fits[j] and not any(fits[i] for i in _callers_above(question, j) if i != j)
    if not fits.any():
        return None
    return caller, int(np.lexsort((excess.p_value, -np.minimum(part, 1.0), ~fits))[0])


def _callers_above(question: Question, repo: int) -> set[int]:
    """Positions of all repos that call one, directly or not."""
    if question.dependencies is None:
        return set()
    return all_above(callers_of(question.recording.repos, question.dependencies), repo)


def _callees(question: Question, excess: Excess) -> list[list[int]]:
    """Measured callees of each repo; without a call graph everything measured may explain the target."""
    if question.dependencies is not None:
        measured = measured_callees(question.dependencies, question.recording.repos, excess.known)
        return forward_calls(measured, question.position)
    callees: list[list[int]] = [[] for _ in question.recording.repos]
    callees[question.position] = [j for j in np.flatnonzero(excess.known).tolist() if j != question.position]
    return callees
