"""On which ways does trouble travel, and is it travelling now?

Ties are leads over the whole course, and changes in order. Paths follow direct ties from the repo that moves first;
along declared calls they run from the callee to the caller. `docs/methods/propagation.md` has the method.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tars_lib.engines.relations.deviation import CALM, LEVEL, UNKNOWN, Deviation, deviation
from tars_lib.engines.relations.joint_changes import Change, JointChange
from tars_lib.engines.relations.pair_evidence import Calls, Evidence
from tars_lib.model.names import LeadEvidence

UNDECLARED = 0.8
"""Confidence in a tie that no declared call explains, relative to one that is declared; judgement."""
MOST_PARENTS = 3
"""Leaders of one follower that changed in the same sample: the clearest of them; judgement."""
MOST_FOLLOWED = 3
"""Ties followed from one repo, declared and sure ones first: paths multiply otherwise; judgement."""
LONGEST = 8
"""Repos on a path at most; judgement."""
MOST_PATHS = 400
"""Paths followed at most; judgement."""
ALL_ORDERED = 20
"""In groups of up to so many changes the indirect ties are listed, too; judgement: they grow with the square."""


_Moment = tuple[int, int, int | None, int | None, int]
"""Column, metric, onset, until, samples ago."""


@dataclass(frozen=True, slots=True)
class Tie:
    """One repo moves before another: columns, the leader's and follower's metric, lag in samples.

    `leader_onset` and `follower_onset` are rows, None for a tie over the whole course; `leader_until` and `follower_until`
    those in which the changes were taken back, None while they stand.
    """

    leader: int
    follower: int
    lag: int
    metric: int
    follower_metric: int
    evidence: LeadEvidence
    correlation: float | None
    n_effective: float | None
    p_value: float
    q_value: float
    is_direct: bool
    is_declared: bool
    leader_onset: int | None
    follower_onset: int | None
    leader_until: int | None = None
    follower_until: int | None = None

    @property
    def confidence(self) -> float:
        """0-1: that there is a tie, and that it is one of cause."""
        return (1.0 - self.q_value) * (1.0 if self.is_declared else UNDECLARED)

    @property
    def spreads(self) -> bool:
        """Return whether the follower goes the leader's way; the opposite is a relation but no spreading of trouble."""
        return self.correlation is None or self.correlation > 0.0


@dataclass(frozen=True, slots=True)
class Way:
    """A chain of direct ties, and what its repos do now: the leader's and each follower's deviation."""

    ties: tuple[Tie, ...]
    deviations: tuple[Deviation, ...]
    is_active: bool

    @property
    def columns(self) -> tuple[int, ...]:
        """Repos in the order in which trouble reaches them."""
        return (self.ties[0].leader, *(tie.follower for tie in self.ties))

    @property
    def total_lag(self) -> int:
        """Samples from the first to the last."""
        return sum(tie.lag for tie in self.ties)

    @property
    def confidence(self) -> float:
        """Product of those of the ties."""
        return float(np.prod([tie.confidence for tie in self.ties]))

    @property
    def is_declining(self) -> bool:
        """Return whether the leader's health is below its level."""
        return self.deviations[0].size < 0.0


def all_ties(evidence: Evidence) -> list[Tie]:
    """Leads over the whole course, strongest first, then those by order of change; one a pair and kind."""
    return [*_leads(evidence), *(tie for group in evidence.groups for tie in ordered_changes(group, evidence))]


def ordered_changes(group: JointChange, evidence: Evidence) -> list[Tie]:
    """Return who changed before whom in a group, as far as the moments are known well enough to tell.

    Only changes whose 84 % intervals do not overlap have an order. A follower's direct leader is the last to change before
    it among the repos that it calls; among those that it depends on through others where none of these changed; else
    among all.

    Returns
    -------
    list of Tie
        Empty where all changed at once.
    """
    ties = []
    for follower in group.members:
        earlier = [
            member
            for member in group.members
            if member.high < follower.low and follower.index - member.index <= evidence.max_lag
        ]
        if not earlier:
            continue
        direct = _last_before(follower, earlier, evidence.calls)
        rest = earlier if len(group.members) <= ALL_ORDERED else direct
        ties += [_ordered(one, follower, group, evidence, is_direct=one in direct) for one in rest]
    return ties


def is_synchronised(group: JointChange) -> bool:
    """Return whether no change of the group can be told to come before another."""
    return not any(member.high < other.low for member in group.members for other in group.members)


def spreading_ways(evidence: Evidence, ties: Sequence[Tie]) -> list[Way]:
    """Every path along direct ties, and where only a part of one is active, that part.

    Returns
    -------
    list of Way
    """
    follow = _followed(ties)
    seen: dict[_Moment, Deviation] = {}
    ways: dict[tuple[int, ...], Way] = {}
    for chain in _chains(follow):
        whole = _way(evidence, chain, seen)
        ways[whole.columns] = whole
        if whole.is_active:
            continue
        part = _active_part(evidence, chain, seen)
        if part is not None:
            ways[part.columns] = part
    return list(ways.values())


def _leads(evidence: Evidence) -> Iterator[Tie]:
    found = evidence.leads
    if found is None:
        return
    tests = found.tests
    for row in range(tests.first.size):
        leader, follower, metric = int(tests.first[row]), int(tests.second[row]), int(found.panel[row])
        yield Tie(
            leader,
            follower,
            int(tests.lag[row]),
            metric,
            metric,
            LeadEvidence.LEAD_LAG,
            float(tests.correlation[row]),
            float(tests.n_effective[row]),
            float(tests.p_value[row]),
            float(found.q_value[row]),
            bool(evidence.is_direct[row]),
            leader in evidence.calls.callees.get(follower, ()),
            None,
            None,
        )


def _last_before(follower: Change, earlier: Sequence[Change], calls: Calls) -> list[Change]:
    called = [one for one in earlier if one.column in calls.callees.get(follower.column, ())]
    if not called and calls:
        below = calls.below(follower.column)
        called = [one for one in earlier if one.column in below]
    candidates = called or list(earlier)
    last = max(one.index for one in candidates)
    tied = [candidate for candidate in candidates if candidate.index == last]
    return sorted(tied, key=lambda one: (-abs(one.size), one.column))[:MOST_PARENTS]


def _ordered(leader: Change, follower: Change, group: JointChange, evidence: Evidence, *, is_direct: bool) -> Tie:
    return Tie(
        leader.column,
        follower.column,
        follower.index - leader.index,
        leader.metric,
        follower.metric,
        LeadEvidence.CHANGE_ORDER,
        None,
        None,
        group.p_value,
        group.p_value,
        is_direct,
        leader.column in evidence.calls.callees.get(follower.column, ()),
        leader.index,
        follower.index,
        leader.until,
        follower.until,
    )


def _followed(ties: Sequence[Tie]) -> dict[int, list[Tie]]:
    """Direct ties by leader, one a pair (changes in order before leads, being about now), declared and sure ones first."""
    best: dict[tuple[int, int], Tie] = {}
    for tie in ties:
        if not (tie.is_direct and tie.spreads):
            continue
        known = best.get((tie.leader, tie.follower))
        if known is None or (known.evidence is LeadEvidence.LEAD_LAG and tie.evidence is LeadEvidence.CHANGE_ORDER):
            best[tie.leader, tie.follower] = tie
    follow: dict[int, list[Tie]] = {}
    for tie in best.values():
        follow.setdefault(tie.leader, []).append(tie)
    for leader, out in follow.items():
        out.sort(key=lambda tie: (not tie.is_declared, -tie.confidence, tie.lag, tie.follower))
        follow[leader] = out
    return follow


def _chains(follow: dict[int, list[Tie]]) -> Iterator[tuple[Tie, ...]]:
    """Chains that cannot be made longer, from repos that follow nobody; then from those in a circle."""
    led = {tie.follower for out in follow.values() for tie in out}
    reached: set[int] = set()
    made = 0
    sources = sorted(set(follow) - led)
    pending = [*sources, *sorted(set(follow) & led, key=lambda column: (-len(follow[column]), column))]
    for position, source in enumerate(pending):
        if position >= len(sources) and source in reached:
            continue
        for chain in _from(source, follow):
            if made >= MOST_PATHS:
                return
            made += 1
            reached.update((chain[0].leader, *(tie.follower for tie in chain)))
            yield chain


def _from(source: int, follow: dict[int, list[Tie]]) -> Iterator[tuple[Tie, ...]]:
    pending: list[tuple[Tie, ...]] = [()]
    while pending:
        chain = pending.pop()
        passed = {source, *(tie.follower for tie in chain)}
        last = chain[-1].follower if chain else source
        # beyond the first step only what still moves forward in time: a change before the last one is not its effect
        onward = [tie for tie in follow.get(last, ()) if tie.follower not in passed and _goes_on(chain, tie)]
        onward = onward if not chain else onward[:MOST_FOLLOWED]
        if chain and (not onward or len(chain) >= LONGEST - 1):
            yield chain
        else:
            pending += [(*chain, tie) for tie in reversed(onward)]


def _goes_on(chain: tuple[Tie, ...], tie: Tie) -> bool:
    if not chain or tie.leader_onset is None or chain[-1].follower_onset is None:
        return True
    return tie.leader_onset == chain[-1].follower_onset


def _way(evidence: Evidence, chain: tuple[Tie, ...], seen: dict[_Moment, Deviation]) -> Way:
    leader, lag = chain[0], sum(tie.lag for tie in chain)
    # within the total lag: the leader may be calm again while its followers are not
    tried = [
        _deviation(evidence, (leader.leader, leader.metric, leader.leader_onset, leader.leader_until, back), seen)
        for back in range(lag + 1)
    ]
    known = [one for one in tried if one is not UNKNOWN]
    first = min(known, key=lambda one: one.p_value) if known else UNKNOWN
    led = [
        _deviation(evidence, (tie.follower, tie.follower_metric, tie.follower_onset, tie.follower_until, 0), seen)
        for tie in chain
    ]
    # the best of several moments is no better evidence than one of them
    stands = first.p_value * max(len(known), 1) <= LEVEL or tried[0].is_anomalous
    follows = all(one.is_anomalous and one.size * first.size > 0.0 for one in led)
    return Way(chain, (first, *led), stands and follows)


def _active_part(evidence: Evidence, chain: tuple[Tie, ...], seen: dict[_Moment, Deviation]) -> Way | None:
    for length in range(len(chain) - 1, 0, -1):
        for start in range(len(chain) - length + 1):
            part = _way(evidence, chain[start : start + length], seen)
            if part.is_active:
                return part
    return None


def _deviation(evidence: Evidence, moment: _Moment, seen: dict[_Moment, Deviation]) -> Deviation:
    """Deviation of a repo some samples ago, computed once; none from a change that was taken back by then."""
    if moment not in seen:
        column, metric, onset, until, back = moment
        values = evidence.movement.values[metric][:, column]
        end = values.size - back
        if until is not None and until < end:
            seen[moment] = CALM
        else:
            seen[moment] = UNKNOWN if onset is not None and onset >= end else deviation(values[:end], onset)
    return seen[moment]
