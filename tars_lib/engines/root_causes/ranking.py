"""Which repo caused the target's deviation, how sure is that, and how much of it does it explain?

First a gate: does the target deviate from its own past at all? Then every repo's excess over its own past,
from which the part that its callees explain is taken away along the calls. Nothing reads a name.

The method, its assumptions and its measured accuracy: docs/methods/root-causes.md.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tars_lib.engines.root_causes import other_kinds
from tars_lib.engines.root_causes.confidence import calibrated, shared
from tars_lib.engines.root_causes.evidence_sentences import (
    Wording,
    cause_sentences,
    hint_text,
    kind_sentences,
    quiet_sentence,
)
from tars_lib.engines.root_causes.finding import REAL_ALPHA, TOLD_APART, Finding, Question, weigh
from tars_lib.engines.root_causes.flow import CallGraph, dependents
from tars_lib.engines.root_causes.recording import Recording, find_cut, read_recording
from tars_lib.engines.root_causes.requests import callers_of
from tars_lib.engines.root_causes.series import FAILURES, direction, is_quantile, own_series, sees_tail, travels
from tars_lib.engines.root_causes.telemetry import with_ends, with_names_kept, without_incidents
from tars_lib.engines.root_causes.unmeasured import (
    MOST,
    Unmeasured,
    may_stem_from_below,
    or_above,
    or_below,
    unseen_callees,
)
from tars_lib.errors import InputError
from tars_lib.model.history import to_micros
from tars_lib.model.metrics import known_metric
from tars_lib.stats.series.robust import Floats
from tars_lib.text.counts import listed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import networkx as nx
    import pandas as pd

COLUMNS = ("repo", "metric", "score", "confidence", "contribution", "evidence")

TRACE_WEIGHT = 0.01
"""Weight in the score of harm that only passes through a repo: it orders those that explain nothing of their
own, and places them below those that do. Judgement."""

QUANTILE_ALTERNATIVES = 1.5
"""Causes that one quantile, or several without a high one, leave open for each that they name: one does not add up along calls,
and a fault of a few requests is in none of them. Of 42 real and simulated answers to p90 or p99 alone 28 were right."""

LOST_ALTERNATIVES = 4 / 3
"""Causes that requests which did not arrive leave open for each that they name: their caller may have failed before it called.
Of 105 simulated answers that rest on them 75 % were right. The same where callers alone show the harm, or in another form: of
those answers more were right, but in a simulation, where nothing else changes at the same time."""


def rank_root_causes(
    incident: pd.DataFrame,
    baseline: pd.DataFrame,
    target: tuple[str, str],
    dependencies: nx.DiGraph[str] | None = None,
    started_at: datetime | None = None,
    *,
    higher_is_better: Mapping[str, bool] | None = None,
) -> pd.DataFrame:
    """Rank the repos that can have caused the target's deviation.

    Parameters
    ----------
    incident : DataFrame
        Samples around or during the incident: DatetimeIndex with a time zone, columns MultiIndex (repo,
        metric). Latencies in seconds (`latency` is the mean, `latency_p50` ... quantiles), `availability` and
        `error_rate` 0-1, `requests_total` and `requests_failed` counts per interval, `health_score` 0-100;
        NaN where missing. Samples before `started_at` serve as the reference just before.
    baseline : DataFrame
        The past, same form and sampling interval. It may end just before the incident frame or be of another
        day.
    target : (str, str)
        Repo and metric that deviate.
    dependencies : DiGraph, optional
        Caller -> callee. Only repos that the target depends on, directly or not, and the target itself are
        ranked. Without it every repo that deviates no later than the target is a candidate.
    started_at : datetime, optional
        When the breach was noticed, with a time zone. Without it the onset is estimated.
    higher_is_better : mapping, optional
        Direction of metrics beyond the known ones.

    Returns
    -------
    DataFrame
        `repo`, `metric`, `score` (0-1), `confidence` (0-1, calibrated: of causes given 0.8 about 80 % are
        right), `contribution` (0-1, share of the target's deviation; sums to at most 1), `evidence` (tuple of
        sentences); best first. Empty where the target shows no real deviation. ``attrs``: `unexplained` (0-1,
        1.0 when empty), `onset` (UTC Timestamp or None), `reason` (why empty, else None), `chance` (p-value
        of the claim), `unmeasured` (where the cause lies if it is none of the measured repos; beside causes, where it may
        lie as well as at the first, which is given at most half then; else None).

    Raises
    ------
    InputError
        If a frame is malformed, the target is not in it, its metric has no direction, or `started_at` has no
        zone.

    Examples
    --------
    >>> import networkx as nx, numpy as np, pandas as pd
    >>> rng = np.random.default_rng(0)
    >>> columns = pd.MultiIndex.from_product([["web", "api"], ["latency"]], names=["repo", "metric"])
    >>> time = pd.date_range("2024-01-01", periods=103, freq="5min", tz="UTC")
    >>> values = 0.1 + 0.01 * rng.random((103, 2))
    >>> values[100:] += 0.5
    >>> frame = pd.DataFrame(values, index=time, columns=columns)
    >>> causes = rank_root_causes(frame[100:], frame[:100], ("web", "latency"), nx.DiGraph([("web", "api")]))
    >>> causes["repo"].iloc[0]
    'api'
    """
    recording = read_recording(incident, baseline)
    began = None if started_at is None else _micros(started_at)
    ranking = rank(recording, target, dependencies, began, higher_is_better, known_metric(target[1]).unit)
    return _frame(ranking)


@dataclass(frozen=True, slots=True)
class RankedCause:
    """One row of a ranking; see `rank_root_causes`."""

    repo: str
    metric: str
    score: float
    confidence: float
    contribution: float
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ranking:
    """Causes, best first; `onset` in microseconds since 1970; `reason` says why there are none."""

    causes: tuple[RankedCause, ...]
    unexplained: float
    onset: int | None
    reason: str | None
    chance: float
    unmeasured: Unmeasured | None = None


def rank(
    recording: Recording,
    target: tuple[str, str],
    dependencies: CallGraph | None,
    started_at: int | None,
    higher_is_better: Mapping[str, bool] | None,
    unit: str,
) -> Ranking:
    """The same as `rank_root_causes` on tables; `started_at` in microseconds since 1970, `unit` that of the target."""
    position = _check_target(recording, target, higher_is_better)
    recording = with_ends(recording, started_at)
    base, now = own_series(recording, target[1], higher_is_better)
    if not np.isfinite(now[:, position]).any():
        return _empty(f"{target[0]} reports no {target[1]} during the incident")
    noticed = None if started_at is None else int(np.searchsorted(recording.incident.times, started_at))
    cut = find_cut(base[:, position], now[:, position], noticed, recording.is_adjacent)
    recording, dependencies = with_names_kept(recording, target, cut, dependencies, higher_is_better)
    position = recording.repos.index(target[0])
    within = dependents(recording.repos, dependencies, position)
    calm = without_incidents(recording, target[1], position, within, higher_is_better)
    question = Question(calm, target[1], position, cut, dependencies, higher_is_better)
    finding = weigh(question)
    if not finding.excess.known[position]:
        return _empty(f"{target[0]} has no past {target[1]} to compare with")
    is_turned = direction(target[1], higher_is_better) is True
    wording = Wording(recording, cut, target, finding, is_turned, unit, higher_is_better)
    work = other_kinds.of_its_work(question)
    # that its past shows as much in 5 % of windows suffices to ask what its work shows
    for asked in work if finding.is_claimed or finding.own_chance <= REAL_ALPHA else ():
        other = rank(recording, asked, dependencies, started_at, higher_is_better, known_metric(asked[1]).unit)
        if other.causes or other.unmeasured is not None:
            note = other_kinds.along(asked, target)
            return replace(other, causes=tuple(replace(one, evidence=(*one.evidence, note)) for one in other.causes))
    if not finding.is_claimed:
        return _empty(quiet_sentence(wording, position, finding.own_chance))
    if work and (begun := other_kinds.origins(question)):
        return _by_other_kinds(question, finding, begun)
    changes = other_kinds.changes_elsewhere(question, finding, within)
    claims = other_kinds.claimed(changes, has_calls=dependencies is not None)
    labels = (*recording.incident.labels, *recording.baseline.labels)
    # who calls what nobody sees may show no more than its trouble
    if claims and not unseen_callees(dependencies, recording.repos[claims[0].repo], labels):
        return _by_other_kinds(question, finding, claims)
    hints = [hint_text(recording.repos[one.repo], one) for one in other_kinds.hinted(changes)]
    if finding.unmeasured is not None:
        hidden = finding.unmeasured.with_hints(hints)
        return Ranking((), 1.0, int(recording.incident.times[cut.first]), hidden.sentence, finding.chance, hidden)
    ranking = _assemble(question, finding, wording)
    if not hints:
        return ranking
    first, *others = ranking.causes
    told = f"hints, not claims: {listed(hints)}"
    return replace(ranking, causes=(replace(first, evidence=(*first.evidence, told)), *others))


def _by_other_kinds(question: Question, finding: Finding, claims: list[other_kinds.Sign]) -> Ranking:
    """The ranking where other metrics lead to a repo; none of the deviation is explained by it."""
    target = question.recording.repos[question.position]
    causes = tuple(
        RankedCause(
            repo=question.recording.repos[one.repo],
            metric=one.metric,
            score=sure,
            confidence=sure,
            contribution=0.0,
            evidence=kind_sentences(one, target, question.metric),
        )
        for one, sure in zip(claims, other_kinds.confidences(claims), strict=True)
    )
    onset = int(question.recording.incident.times[question.cut.first])
    return Ranking(causes, 1.0, onset, None, finding.chance)


def _assemble(question: Question, finding: Finding, wording: Wording) -> Ranking:
    excess, contribution, passing = finding.excess, finding.contribution, finding.passing
    trace = passing / passing.sum() if passing.sum() > 0.0 else passing
    # rounding makes the order independent of the order in which columns were summed
    score = np.round((1.0 - TRACE_WEIGHT) * contribution + TRACE_WEIGHT * trace, 9)
    listed = np.flatnonzero(score > 0.0)
    alike, weight = _alike(question, finding), score
    is_target = np.arange(len(score)) == question.position
    if alike.any():
        # nothing tells these apart: they share what they explain, and the target comes last
        contribution = np.where(alike, contribution[alike].mean(), contribution)
        score = np.where(alike, score[alike].max(), score)
    harm = np.round(excess.harm / max(excess.harm.max(), 1e-300), 9)
    keys = (excess.onset, excess.p_value, -weight, -harm, is_target & alike, -score)
    best_first = listed[np.lexsort(tuple(key[listed] for key in keys))]
    itself = is_target & may_stem_from_below(
        question.dependencies, question.recording.repos[question.position], question.metric
    )
    confidence = calibrated(
        contribution[best_first], finding.chance, itself[best_first], has_calls=question.dependencies is not None
    )
    confidence = shared(confidence, _alternatives(question, finding, alike)[best_first])
    first = int(best_first[0])
    place = (
        _or_above(question, finding, first)
        or _or_below(question, finding, first)
        or _or_below(question, finding, question.position)
    )
    if place is not None:
        confidence[0] = min(confidence[0], 0.5)
    causes = tuple(
        RankedCause(
            repo=question.recording.repos[j],
            metric=wording.metric(j),
            score=float(score[j]),
            confidence=float(sure),
            contribution=float(contribution[j]),
            evidence=cause_sentences(wording, j, float(contribution[j]), question.dependencies),
        )
        for j, sure in zip(best_first.tolist(), confidence, strict=True)
    )
    return Ranking(
        causes=causes,
        unexplained=float(np.clip(1.0 - contribution.sum(), 0.0, 1.0)),
        onset=int(question.recording.incident.times[question.cut.first]),
        reason=None,
        chance=finding.chance,
        unmeasured=place,
    )


def _or_below(question: Question, finding: Finding, j: int) -> Unmeasured | None:
    """Where the cause may lie as well as at a repo: at what it calls and nobody ever saw, in the target's case of any."""
    graph, recording = question.dependencies, question.recording
    repo, kept = recording.repos[j], float(finding.kept[j])
    unseen = unseen_callees(graph, repo, (*recording.incident.labels, *recording.baseline.labels))
    if unseen and finding.contribution[j] > 0.0:
        return or_below(repo, unseen, kept)
    # a load that comes in at the target is its own
    is_load = finding.load is not None and finding.load.surge[j] > 1.0
    if j == question.position and kept >= MOST and not is_load and may_stem_from_below(graph, repo, question.metric):
        return or_below(repo, (), kept)
    return None


def _or_above(question: Question, finding: Finding, j: int) -> Unmeasured | None:
    """The callers of a repo at which a load seems to begin that report no requests any more: it may have come through them."""
    load, recording = finding.load, question.recording
    if question.dependencies is None or load is None or not load.begins[j]:
        return None
    base, now = recording.values("requests_total")
    has_fallen_silent = np.isfinite(base).any(axis=0) & ~np.isfinite(now[question.cut.first :]).any(axis=0)
    above = set(np.flatnonzero(has_fallen_silent).tolist()).intersection(
        callers_of(recording.repos, question.dependencies)[j]
    )
    silent = [recording.repos[i] for i in sorted(above)]
    return or_above(recording.repos[j], silent, float(finding.kept[j])) if silent else None


def _alike(question: Question, finding: Finding) -> NDArray[np.bool_]:
    """Without a call graph, the repos that explain as much as the first and deviate when it does, itself included; (R,).

    All False where there is no other.
    """
    contribution, onset = finding.contribution, finding.excess.onset
    first = int(np.argmax(contribution))
    if question.dependencies is not None or not contribution[first] > 0.0:
        return np.zeros(len(onset), dtype=np.bool_)
    alike = (contribution * TOLD_APART >= contribution[first]) & (np.abs(onset - onset[first]) <= 1)
    return alike if np.count_nonzero(alike) > 1 else np.zeros_like(alike)


def _alternatives(question: Question, finding: Finding, alike: NDArray[np.bool_]) -> Floats:
    """How many candidates, each repo itself included, nothing tells from it; shape (R,)."""
    result = np.where(alike, float(np.count_nonzero(alike)), 1.0)
    if finding.unknown_call is not None:
        # the call may not exist, and its caller be the cause
        result[list(finding.unknown_call)] += 1.0
    used = finding.excess.metric[question.position]
    if is_quantile(question.metric) and (not finding.excess.adds_up or not sees_tail(used)):
        result *= QUANTILE_ALTERNATIVES
    lost = finding.lost
    if lost is not None:
        result[lost.lost & (finding.excess.p_value > REAL_ALPHA)] *= LOST_ALTERNATIVES
    others = np.arange(len(result)) != question.position
    if question.dependencies is None and not finding.excess.known[others].any():
        # nobody else could have shown it
        result[question.position] += 1.0
    for j in np.flatnonzero(finding.contribution > 0.0).tolist():
        if _or_below(question, finding, j) is not None:
            result[j] += 1.0
    at_callers = finding.is_shared | finding.in_other_form
    if lost is None and travels(question.metric):
        # whether what fails at a caller arrived at its callees, or waited on the way, nobody can see
        graph, repos = question.dependencies, question.recording.repos
        at_callers |= [graph is None or may_stem_from_below(graph, repo, question.metric) for repo in repos]
    result[at_callers] = np.maximum(result[at_callers], LOST_ALTERNATIVES)
    return result


def _empty(reason: str) -> Ranking:
    return Ranking((), 1.0, None, reason, 1.0)


def _frame(ranking: Ranking) -> pd.DataFrame:
    import pandas as pd

    if ranking.causes:
        rows = [tuple(getattr(cause, name) for name in COLUMNS) for cause in ranking.causes]
        causes = pd.DataFrame(rows, columns=list(COLUMNS))
    else:
        kinds = {"score": float, "confidence": float, "contribution": float}
        causes = pd.DataFrame({name: pd.Series(dtype=kinds.get(name, object)) for name in COLUMNS})
    onset = None if ranking.onset is None else pd.Timestamp(ranking.onset, unit="us", tz="UTC")
    causes.attrs.update(
        unexplained=ranking.unexplained,
        onset=onset,
        reason=ranking.reason,
        chance=ranking.chance,
        unmeasured=ranking.unmeasured,
    )
    return causes


def _micros(started_at: datetime) -> int:
    if started_at.tzinfo is None:
        raise InputError(f"started_at {started_at} has no time zone; allowed is a time with one, as in +00:00")
    return to_micros(started_at)


def _check_target(recording: Recording, target: tuple[str, str], higher_is_better: Mapping[str, bool] | None) -> int:
    """Position of the target's repo."""
    repo, metric = target
    if repo not in recording.repos:
        some = ", ".join(map(str, recording.repos[:10])) + (", ..." if len(recording.repos) > 10 else "")
        raise InputError(f"target {repo!r} is not in the incident or baseline frame; there are: {some}")
    labels = (*recording.incident.labels, *recording.baseline.labels)
    metrics = sorted({name for owner, name in labels if owner == repo})
    views = FAILURES if metric in FAILURES else {metric}
    if not views & set(metrics):
        raise InputError(f"target {repo!r} has no metric {metric!r}; it has: {', '.join(metrics)}")
    if direction(metric, higher_is_better) is None:
        raise InputError(f"metric {metric!r} of target {repo!r} has no direction; name it in higher_is_better")
    return recording.repos.index(repo)
