"""Where the metric that deviates is not reported, do other kinds of metric say where something happened?

Processor, memory, queues or threads of a repo do not travel along calls, and nothing says in which direction they go when it
fails. So either direction counts, each repo and metric asked is corrected for, and what is left says that something changed
there when the target's trouble began, not that it was the cause: confidence stays below that of a cause that was followed along
the calls. What the correction does not let pass is a hint and no claim.

Two changes are effects. What follows from more or fewer requests: a level between the usual one and what its requests would
make of that in proportion is no change. And waiting: where a repo changed upwards, so do the sockets, threads and memory of
those that wait for it, and of two such changes that of the callee comes first.

The other way round, a queue's age or a processor's load at the target does not travel either, but comes from its work: from its
latency and its failures, which are followed along the calls, or from the requests that its callers make of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tars_lib.engines.root_causes.excess import Departure, around, departure, window_lengths
from tars_lib.engines.root_causes.flow import dependents
from tars_lib.engines.root_causes.requests import callers_of, loads
from tars_lib.engines.root_causes.series import FAILURES, is_quantile, travels
from tars_lib.engines.root_causes.unmeasured import MOST
from tars_lib.model.metrics import KNOWN_METRICS
from tars_lib.stats.pairs.significance import sidak
from tars_lib.stats.series import robust
from tars_lib.stats.series.robust import Floats

if TYPE_CHECKING:
    from tars_lib.engines.root_causes.finding import Finding, Question
    from tars_lib.engines.root_causes.flow import CallGraph
    from tars_lib.engines.root_causes.recording import Cut, Recording

CLAIM_ALPHA = 0.01
"""How rare the largest change of all repos and metrics must be by chance; the level of the gate."""

SURE = 0.6
"""Confidence in the one repo that changed most: judgement, well below what counts as sure."""

CLOSE = 2.0
"""Factor within which two changes, in standard deviations of each repo's past, are as large; judgement."""

HINT_ALPHA = 0.5
"""Chance up to which a change is worth a hint: chance is the less likely of the two."""

MOST_HINTS = 3
"""Repos that are told as a hint, and that may share a claim; judgement: a longer list is no place to begin."""

SEVERAL_REPOS = 2
"""Repos from which on their pasts are one null for changes of a metric."""

MOST_WINDOWS = 20_000
"""Windows of the past of all repos that are kept, evenly: the tail is 2,000 then, and 1,000 repos take no longer than 30."""

STEADY = 0.01
"""Part of its level by which any metric is taken to vary: one that hardly ever moved did not change most because it moved now.
Judgement: what a gauge is rounded to."""


@dataclass(frozen=True, slots=True)
class Sign:
    """The largest change of one repo in a metric of another kind.

    Attributes
    ----------
    repo : int
    metric : str
    before, during : float
    sigmas : float
        Size of the change in robust standard deviations of the past.
    chance : float
        How often the past changes as much in either direction, corrected for the series asked.
    is_steady : bool
        Whether its past is one value.
    is_effect : bool
        Whether it rose with something that the repo waits for.
    """

    repo: int
    metric: str
    before: float
    during: float
    sigmas: float
    chance: float
    is_steady: bool
    is_effect: bool = False

    @property
    def is_claim(self) -> bool:
        """Whether chance would not show it among all that was asked."""
        return self.chance <= CLAIM_ALPHA


def changes_elsewhere(question: Question, finding: Finding, within: NDArray[np.bool_]) -> list[Sign]:
    """What other metrics say of repos without the target's, where it is there that the cause must be looked for."""
    excess, position = finding.excess, question.position
    if finding.unmeasured is None and (question.dependencies is not None or finding.kept[position] < MOST):
        return []
    unseen = within & ~excess.known
    if not travels(question.metric) or not unseen.any():
        return []
    # the target's own may have changed more than theirs
    unseen[position] = True
    found = signs(question.recording, question.cut, unseen, question.dependencies, position)
    if not (found and found[0].repo == position and found[0].is_claim):
        return found
    others = [one for one in found[1:] if one.is_claim and one.sigmas * CLOSE >= found[0].sigmas]
    # of those that changed alike the target is the likeliest to wait for the rest
    return (
        [*others, replace(found[0], is_effect=True), *(one for one in found[1:] if one not in others)] if others else []
    )


def signs(recording: Recording, cut: Cut, among: NDArray[np.bool_], graph: CallGraph | None, target: int) -> list[Sign]:
    """Each repo's largest change in a metric of another kind; those that chance does not show come first, effects after them.

    Parameters
    ----------
    recording : Recording
    cut : Cut
    among : ndarray of bool, shape (R,)
        The repos asked.
    graph : CallGraph or None
    target : int
        The repo whose requests stand for those of repos that do not count theirs.
    """
    found: list[Sign] = []
    asked = 0
    load = _load(recording, cut, target)
    for metric in sorted({name for _, name in recording.incident.labels}):
        if metric in KNOWN_METRICS or travels(metric):
            continue
        base, now = (np.where(among, values, np.nan) for values in recording.values(metric))
        during = robust.column_mean(now[cut.first :])
        asked += int((np.isfinite(base).any(axis=0) & np.isfinite(during)).sum())
        scale, is_steady = _scale(base)
        usual = np.nan_to_num(robust.column_median(base))
        for sign, factor in ((1.0, np.maximum(load, 1.0)), (-1.0, np.minimum(load, 1.0))):
            own = now.copy()
            own[cut.first :] -= usual * (factor - 1.0)
            series = (sign * base, sign * own)
            change = departure(recording, cut, *series, 1.0)
            pooled = _among_all(recording, cut, series, change, scale)
            change = replace(change, p_value=np.where(is_steady, change.p_value, pooled))
            found += _of_metric(metric, sign, change, during, (scale, is_steady))
    # each series was asked in two directions
    found = [replace(one, chance=float(sidak(one.chance, 2 * asked))) for one in found]
    best: dict[int, Sign] = {}
    for one in sorted(found, key=lambda one: (not one.is_claim, -one.sigmas, one.chance)):
        best.setdefault(one.repo, one)
    claims = [one for one in best.values() if one.is_claim]
    changes = [replace(one, is_effect=_waits(one, claims, recording.repos, graph)) for one in best.values()]
    return sorted(changes, key=lambda one: (not one.is_claim, one.is_effect))


def hinted(changes: list[Sign]) -> list[Sign]:
    """The changes worth looking at, although they name nobody."""
    return [one for one in changes if one.chance <= HINT_ALPHA][:MOST_HINTS]


def claimed(changes: list[Sign], *, has_calls: bool) -> list[Sign]:
    """The changes that name a repo: none where so many are as large that a load or a deployment is the likelier reason.

    Where no calls are known, nothing tells those who wait from what they wait for, and however many share the claim.
    """
    claims = [one for one in changes if one.is_claim]
    return claims if claims and (_alike(claims) <= MOST_HINTS or not has_calls) else []


def of_its_work(question: Question) -> list[tuple[str, str]]:
    """The metrics of the target in which its trouble may have come to it along calls, where the one asked does not travel.

    One of its latency and one of its failures, as far as it reports them.
    """
    if travels(question.metric) or question.metric in KNOWN_METRICS:
        return []
    repo = question.recording.repos[question.position]
    own = sorted(metric for owner, metric in question.recording.incident.labels if owner == repo)
    latency = [metric for metric in own if metric == "latency" or is_quantile(metric)]
    failures = [metric for metric in own if metric in FAILURES]
    return [(repo, metric) for metric in (*latency[:1], *failures[:1])]


def along(asked: tuple[str, str], target: tuple[str, str]) -> str:
    """Sentence of a cause that was found by another metric of the target than the one in question."""
    return f"followed along {asked[1]} of {asked[0]}, since {target[1]} itself goes along no calls"


def origins(question: Question) -> list[Sign]:
    """Where the load begins that comes to the target through its callers, as changes of their requests; largest first."""
    recording, cut, position = question.recording, question.cut, question.position
    if question.dependencies is None or not recording.counts_requests:
        return []
    callers = callers_of(recording.repos, question.dependencies)
    load = loads(recording, cut, callers)
    if load is None or load.begins[position]:
        return []
    above: set[int] = set()
    pending = [position]
    while pending:
        more = [i for i in callers[pending.pop()] if load.surge[i] > 1.0 and i not in above]
        above.update(more)
        pending.extend(more)
    base, now = recording.values("requests_total")
    among = np.isin(np.arange(len(recording.repos)), [i for i in above if load.begins[i]])
    change = departure(recording, cut, np.where(among, base, np.nan), np.where(among, now, np.nan), 1.0)
    during = robust.column_mean(now[cut.first :])
    found = _of_metric("requests_total", 1.0, change, during, _scale(base))
    asked = int(np.isfinite(during).sum())
    return sorted(
        (replace(one, chance=float(sidak(one.chance, asked))) for one in found), key=lambda one: (-one.sigmas, one.repo)
    )


def _alike(claims: list[Sign]) -> int:
    return sum(one.sigmas * CLOSE >= claims[0].sigmas for one in claims if not one.is_effect)


def confidences(claims: list[Sign]) -> list[float]:
    """Confidence in each claim: shared among those as large as the first, and what is left among the others."""
    alike = _alike(claims)
    first = min(SURE, 1.0 / alike)
    left = (1.0 - first * alike) / (len(claims) - alike + 1.0)
    return [first if i < alike else min(first, left) for i in range(len(claims))]


def _load(recording: Recording, cut: Cut, target: int) -> Floats:
    """Requests of each repo since the cut, in those before; (R,). The target's where they are not counted, 1 where none are."""
    base, now = recording.values("requests_total")
    local, during = around(recording, base, now, cut)
    usual = robust.reference_level(local, robust.column_median(base))
    with np.errstate(invalid="ignore", divide="ignore"):
        load = np.where(usual > 0.0, robust.column_mean(during) / usual, np.nan)
    instead = load[target] if np.isfinite(load[target]) else 1.0
    result: Floats = np.where(np.isfinite(load), load, instead)
    return result


def _scale(base: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Standard deviation of each repo's past in one metric, robust, and where all of it is one value; both (R,).

    Where that is zero, the typical repo's stands in.
    """
    centre, spread = robust.centre_and_scale(base)
    scale = np.maximum(spread, STEADY * np.abs(centre))
    is_some = scale > 0.0
    typical = float(np.median(scale[is_some])) if is_some.any() else 0.0
    return np.where(is_some, scale, typical), spread == 0.0


def _among_all(
    recording: Recording, cut: Cut, series: tuple[Floats, Floats], change: Departure, scale: Floats
) -> Floats:
    """How often the past of all repos together shows as large a change, each in its own standard deviations; (R,).

    The few windows of one repo say little of its tail, and hundreds of tails are asked; those of all repos say more. A repo
    that changes more often than others is in there with its part, so that over all of them no more errors are made. Where one
    repo alone reports the metric its own past has to do.
    """
    local, during = around(recording, *series, cut)
    past = series[0] if len(series[0]) else local
    k, m = window_lengths(past, local if len(series[0]) else local[:0], during)
    with np.errstate(invalid="ignore", divide="ignore"):
        size = (change.level - change.reference) / scale
        windows = robust.matched_excess(past, k, m) / scale
    repos = int(np.isfinite(windows).any(axis=0).sum())
    null = windows[np.isfinite(windows)]
    if repos < SEVERAL_REPOS:
        return change.p_value
    null = null[:: 1 + len(null) // MOST_WINDOWS]
    result = np.where(np.isfinite(size), 1.0, change.p_value)
    # what the past often shows is nothing
    for j in np.flatnonzero(size > np.quantile(null, 1.0 - robust.TAIL_SHARE)).tolist():
        result[j] = min(1.0, cut.looks * robust.tail_probability(null, float(size[j]), repos * len(past) / k))
    return result


def _waits(one: Sign, claims: Sequence[Sign], repos: Sequence[str], graph: CallGraph | None) -> bool:
    """Whether a rise goes with one of a repo that this one calls, directly or not, and that does not call it."""
    if graph is None or one.during <= one.before:
        return False
    below = dependents(repos, graph, one.repo)
    return any(
        below[other.repo] and other.during > other.before and not dependents(repos, graph, other.repo)[one.repo]
        for other in claims
        if other.repo != one.repo
    )


def _of_metric(
    metric: str, sign: float, change: Departure, during: Floats, past: tuple[Floats, NDArray[np.bool_]]
) -> list[Sign]:
    scale, is_steady = past
    size = change.level - change.reference
    return [
        Sign(
            repo=j,
            metric=metric,
            before=sign * float(change.reference[j]),
            during=float(during[j]),
            sigmas=float(size[j] / scale[j]) if scale[j] > 0.0 else np.inf,
            chance=float(change.p_value[j]),
            is_steady=bool(is_steady[j]),
        )
        for j in np.flatnonzero(size > 0.0).tolist()
    ]
