"""What do the repos of a cluster have in common that the others have not?

Callees, infrastructure and teams are counted inside and outside: a factor counts only where so many of the members would
hardly have it by luck (a hypergeometric test), so that what most of the organisation shares is no evidence. Changes just
before the onset are held against how often the members change anyway.

References
----------
Tarone (1990), A modified Bonferroni method for discrete data, https://doi.org/10.2307/2531456
Rivals et al. (2007), Enrichment or depletion of a GO category within a class of genes: which test?,
https://doi.org/10.1093/bioinformatics/btl633
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from scipy import special

from tars_lib.engines.relations.correlation_report import CommonFactor
from tars_lib.engines.relations.pair_evidence import Calls
from tars_lib.model.history import from_micros
from tars_lib.model.names import FactorKind
from tars_lib.model.organisation import OrgData, duration_text
from tars_lib.stats.multiplicity import adjusted_p_values
from tars_lib.text.times import MINUTES

FACTOR_RATE = 0.1
"""False discovery rate over a cluster's candidate factors; judgement: a factor is where to look first, and its confidence
is printed."""
EVENT_SAMPLES = 3
"""A change counts when it happened at most this many samples, and at least an hour, before the onset; judgement, as for
the causes of a breach."""
EVENT_CHANCE = 0.2
"""Members that change so often that one in five stretches of that length holds a change: no factor; judgement, as for the
causes of a breach."""
PRIOR_EVENTS = 0.5
"""Changes added to those seen before (the prior of Jeffreys): none seen is not a rate of zero."""
MOST = 8
"""Factors listed for a cluster, the likeliest first; judgement."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    kind: FactorKind
    factor: str
    having: int
    carriers: int
    p_value: float
    text: str


def common_factors(
    org: OrgData,
    calls: Calls,
    columns: Sequence[int],
    onset: datetime | None,
    step: timedelta,
    changed: frozenset[int] = frozenset(),
    calm: frozenset[int] = frozenset(),
) -> tuple[CommonFactor, ...]:
    """Common factors of a cluster, the likeliest first.

    Parameters
    ----------
    org : OrgData
    calls : Calls
        Of the organisation's repos, by column.
    columns : sequence of int
        The members.
    onset : datetime or None
        Changes before it are looked at.
    step : timedelta
        Sampling interval.
    changed : frozenset of int
        Columns that changed at the onset: of equally likely callees, one that itself changed comes first.
    calm : frozenset of int
        Members that stand at their own level while the others do not: said of a callee that is one of them.
    """
    # a factor that could not be significant however many members had it is no test and costs the others nothing (Tarone)
    candidates = [
        one
        for one in (*_shared_callees(org, calls, columns), *_shared_marks(org, columns))
        if luck(len(org.repos), one.carriers, len(columns), min(one.carriers, len(columns))) <= FACTOR_RATE
    ]
    found = []
    calm_repos = {org.repos[column].repo for column in calm}
    if candidates:
        q_values = adjusted_p_values(np.array([candidate.p_value for candidate in candidates]), len(candidates))
        for one, q_value in zip(candidates, q_values.tolist(), strict=True):
            if q_value <= FACTOR_RATE and one.having > 1:
                chance = f"probability of that by chance: {_percent(one.p_value)}"
                confidence = (1.0 - q_value) * one.having / len(columns)
                at_level = one.factor in calm_repos and one.kind in (FactorKind.EXTERNAL, FactorKind.SHARED_DEPENDENCY)
                itself = (f"{one.factor} itself is at its usual level",) if at_level else ()
                found.append(CommonFactor(one.factor, one.kind, confidence, (*itself, one.text, chance)))
    if onset is not None:
        found += _changes(org, columns, onset, step)
    moved = {org.repos[column].repo for column in changed}
    return tuple(sorted(found, key=lambda one: (-one.confidence, one.factor not in moved, one.kind, one.factor))[:MOST])


def luck(repos: int, carriers: int, members: int, having: int) -> float:
    """Chance that at least `having` of `members` repos drawn at random are among the `carriers` of `repos`.

    Examples
    --------
    >>> round(luck(12, 3, 3, 3) * 220, 6)
    1.0
    >>> luck(12, 12, 3, 3)
    1.0
    """
    most = min(carriers, members)
    each = np.arange(having, most + 1, dtype=np.float64)
    logs = (
        _log_choose(float(carriers), each)
        + _log_choose(float(repos - carriers), members - each)
        - _log_choose(float(repos), np.array([float(members)]))
    )
    return float(min(1.0, np.exp(logs).sum()))


def _log_choose(n: float, k: np.ndarray) -> np.ndarray:
    possible = (k >= 0.0) & (k <= n)
    inside = np.where(possible, k, 0.0)
    value = special.gammaln(n + 1.0) - special.gammaln(inside + 1.0) - special.gammaln(n - inside + 1.0)
    return np.asarray(np.where(possible, value, -np.inf))


def _shared_callees(org: OrgData, calls: Calls, columns: Sequence[int]) -> list[_Candidate]:
    """A repo that the members call, or are; directly, and through others."""
    if not calls:
        return []
    members = set(columns)
    direct = Counter(callee for column in columns for callee in {column, *calls.callees.get(column, ())})
    reached = Counter(callee for column in columns for callee in {column, *calls.below(column)})
    found = []
    for callee in sorted(reached):
        if not calls.callers.get(callee):
            continue
        ways = []
        for counted, carriers, how in (
            (direct, {callee, *calls.callers[callee]}, "call"),
            (reached, {callee, *calls.above(callee)}, "depend on"),
        ):
            p_value = luck(len(org.repos), len(carriers), len(members), counted[callee])
            ways.append((p_value, -counted[callee], how, counted[callee], len(carriers)))
        p_value, _, how, having, carriers_found = min(ways)
        repo = org.repos[callee]
        kind = FactorKind.EXTERNAL if repo.external else FactorKind.SHARED_DEPENDENCY
        itself = " or are that service" if callee in members else ""
        text = (
            f"{having} of {len(members)} members {how} {repo.repo}{itself}, against {carriers_found} of "
            f"{len(org.repos)} services overall"
        )
        tried = len({(counted, carriers) for _, _, _, counted, carriers in ways})
        found.append(_Candidate(kind, repo.repo, having, carriers_found, min(1.0, tried * p_value), text))
    return found


def _shared_marks(org: OrgData, columns: Sequence[int]) -> list[_Candidate]:
    """Infrastructure and teams that are written down."""
    found = []
    for kind, words, marks in (
        (FactorKind.SHARED_INFRASTRUCTURE, "use", [set(repo.shares) for repo in org.repos]),
        (FactorKind.SHARED_TEAM, "belong to", [{repo.team} - {None} for repo in org.repos]),
    ):
        everywhere = Counter(mark for listed in marks for mark in listed)
        inside = Counter(mark for column in columns for mark in marks[column])
        for mark in sorted(inside, key=str):
            having, carriers = inside[mark], everywhere[mark]
            p_value = luck(len(org.repos), carriers, len(columns), having)
            text = f"{having} of {len(columns)} members {words} {mark}, against {carriers} of {len(org.repos)} services overall"
            found.append(_Candidate(kind, str(mark), having, carriers, p_value, text))
    return found


def _changes(org: OrgData, columns: Sequence[int], onset: datetime, step: timedelta) -> list[CommonFactor]:
    """The last change before the onset, of a member or of all, unless they change so often that it says nothing."""
    members = {org.repos[column].repo for column in columns}
    changes = [event for event in org.changes() if event.repo is None or event.repo in members]
    reach = max(EVENT_SAMPLES * step, timedelta(hours=1))
    # a sample covers the time up to its own stamp or after it: one interval of slack on the late side
    near = [event for event in changes if onset - reach <= event.timestamp < onset + step]
    start = org.history.start
    if not near or start is None:
        return []
    past = sum(event.timestamp < onset - reach for event in changes)
    length = max((onset - reach - from_micros(start)).total_seconds(), 1.0)
    chance = -math.expm1(-(past + PRIOR_EVENTS) / length * (reach + step).total_seconds())
    if chance >= EVENT_CHANCE:
        return []
    event = near[-1]
    where = "all services" if event.repo is None else event.repo
    gap = onset - event.timestamp
    when = f"{duration_text(gap)} before the start" if gap > timedelta(0) else "within the first sample"
    ref = f" ({event.ref})" if event.ref else ""
    evidence = (
        f"{event.kind} {event.title!r}{ref} of {where} at {event.timestamp:{MINUTES}}, {when}",
        f"{_percent(chance)} of comparable windows include a change to a member",
    )
    return [CommonFactor(f"{event.kind} {event.title!r} of {where}", FactorKind.CHANGE_EVENT, 1.0 - chance, evidence)]


def _percent(chance: float) -> str:
    return f"{100.0 * chance:.1f}%" if chance >= 0.001 else "less than 0.1%"
