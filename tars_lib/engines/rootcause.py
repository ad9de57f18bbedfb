"""Which repo caused the target's deviation, how sure is that, and how much of it does it explain?

First a gate: does the target deviate from its own past at all? Then every repo's excess over its own past, from
which the part that its callees explain is taken away along the calls. Nothing reads a name.

The method, its assumptions and its measured accuracy: docs/methods/root-causes.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tars_lib.engines.rootcause_confidence import calibrated
from tars_lib.engines.rootcause_evidence import Wording, cause_sentences, quiet_sentence
from tars_lib.engines.rootcause_excess import FAILURES, Excess, chance, direction, measure, own_series
from tars_lib.engines.rootcause_flow import measured_callees, own_shares, reachable
from tars_lib.engines.rootcause_frames import Cut, Recording, find_cut, read_recording
from tars_lib.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import networkx as nx
    import pandas as pd

    from tars_lib.stats.robust import Floats

COLUMNS = ("repo", "metric", "score", "confidence", "contribution", "evidence")

ALPHA = 0.01
"""The target deviates where its own past shows as much in at most 1 % of windows, or where target and cause together
(Fisher's combination) are that rare; the 1 % level that anomalous clusters are judged at, too."""

JOINT_TARGET_ALPHA = 0.35
"""For the joint test the target itself must still be among the worst third of its past; judgement. A handful of
failures at a busy entry point is nothing by itself, and unmistakable at the one callee that never failed before."""

JOINT_SHARE = 0.5
"""For the joint test the cause must account for at least half of the target's deviation; judgement."""

REAL_ALPHA = 0.05
"""Excess with p at or above this moves no harm; below it counts with weight 1 - p / 0.05. Judgement."""


@dataclass(frozen=True)
class _Finding:
    """What is known about every repo, before it is put into words; arrays have shape (R,)."""

    excess: Excess
    established: Floats
    shares: Floats
    within: np.ndarray[tuple[int], np.dtype[np.bool_]]
    target_chance: float
    joint_chance: float

    @property
    def chance(self) -> float:
        """How often there would be as much by chance: the target alone, or target and cause together."""
        if self.target_chance > JOINT_TARGET_ALPHA:
            return self.target_chance
        return min(self.target_chance, self.joint_chance)


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
        Samples around or during the incident: DatetimeIndex with a time zone, columns MultiIndex (repo, metric).
        Latencies in seconds (`latency` is the mean, `latency_p50` ... quantiles), `availability` and `error_rate`
        0-1, `requests_total` and `requests_failed` counts per interval, `health_score` 0-100; NaN where missing.
        Samples before `started_at` serve as the reference just before.
    baseline : DataFrame
        The past, same form and sampling interval. It may end just before the incident frame or be of another day.
    target : (str, str)
        Repo and metric that deviate.
    dependencies : DiGraph, optional
        Caller -> callee. Only repos that the target depends on, directly or not, and the target itself are ranked.
        Without it every repo that deviates no later than the target is a candidate.
    started_at : datetime, optional
        When the breach was noticed, with a time zone. Without it the onset is estimated.
    higher_is_better : mapping, optional
        Direction of metrics beyond the known ones.

    Returns
    -------
    DataFrame
        `repo`, `metric`, `score` (0-1), `confidence` (0-1, calibrated: of causes given 0.8 about 80 % are right),
        `contribution` (0-1, share of the target's deviation; sums to at most 1), `evidence` (tuple of sentences);
        best first. Empty where the target shows no real deviation. ``attrs``: `unexplained` (0-1, 1.0 when empty),
        `onset` (UTC Timestamp or None), `reason` (why empty, else None).

    Raises
    ------
    InputError
        If a frame is malformed, the target is not in it, its metric has no direction, or `started_at` has no zone.

    Examples
    --------
    >>> import networkx as nx, numpy as np, pandas as pd
    >>> rng = np.random.default_rng(0)
    >>> columns = pd.MultiIndex.from_tuples([("web", "latency"), ("api", "latency")], names=["repo", "metric"])
    >>> time = pd.date_range("2024-01-01", periods=103, freq="5min", tz="UTC")
    >>> values = 0.1 + 0.01 * rng.random((103, 2))
    >>> values[100:] += 0.5
    >>> frame = pd.DataFrame(values, index=time, columns=columns)
    >>> causes = rank_root_causes(frame[100:], frame[:100], ("web", "latency"), nx.DiGraph([("web", "api")]))
    >>> causes["repo"].iloc[0]
    'api'
    """
    recording = read_recording(incident, baseline)
    position = _check_target(recording, target, higher_is_better)
    base, now = own_series(recording, target[1], higher_is_better)
    if not np.isfinite(now[:, position]).any():
        return _empty(f"{target[0]} reports no {target[1]} during the incident")
    noticed = None if started_at is None else _first_row(recording, started_at)
    cut = find_cut(base[:, position], now[:, position], noticed, recording.is_adjacent)
    excess = measure(recording, target[1], cut, higher_is_better)
    if not excess.known[position]:
        return _empty(f"{target[0]} has no past {target[1]} to compare with")
    own_chance = chance(recording, target[1], cut, position, higher_is_better)
    finding = _weigh(recording, excess, own_chance, position, dependencies)
    wording = Wording(recording, cut, target, direction(target[1], higher_is_better) is True, excess)
    if finding.chance > ALPHA:
        return _empty(quiet_sentence(wording, position, own_chance))
    return _assemble(recording, cut, wording, finding, dependencies)


def _weigh(
    recording: Recording,
    excess: Excess,
    own_chance: float,
    position: int,
    dependencies: nx.DiGraph[str] | None,
) -> _Finding:
    established = np.clip(1.0 - excess.p_value / REAL_ALPHA, 0.0, 1.0)
    established[position] = max(established[position], 1.0 - own_chance / REAL_ALPHA)
    harm = excess.harm
    if dependencies is None:
        # without calls everything else may explain the target, the less so the later it began
        callees: list[list[int]] = [[] for _ in recording.repos]
        callees[position] = [j for j in np.flatnonzero(excess.known).tolist() if j != position]
        late = np.clip(excess.onset - max(int(excess.onset[position]), 0), 0, 30)
        established = np.where(np.arange(len(late)) == position, established, established * 0.5**late)
    else:
        callees = measured_callees(dependencies, recording.repos, excess.known)
    within = reachable(callees, position)
    shares = own_shares(harm, established, callees, position, excess.adds_up)
    # Sidak (1967), https://doi.org/10.1080/01621459.1967.10482935, over the repos that could have been it
    corrected = -np.expm1(int(within.sum()) * np.log1p(-np.minimum(excess.p_value, 1.0 - 1e-12)))
    candidates = within & (shares >= JOINT_SHARE)
    candidates[position] = False
    product = np.maximum(own_chance * np.where(candidates, corrected, 1.0), 1e-300)
    joint = float(np.min(np.where(candidates, product * (1.0 - np.log(product)), 1.0)))
    return _Finding(excess, established, shares, within, own_chance, joint)


def _assemble(
    recording: Recording,
    cut: Cut,
    wording: Wording,
    finding: _Finding,
    dependencies: nx.DiGraph[str] | None,
) -> pd.DataFrame:
    import pandas as pd

    excess = finding.excess
    contribution = np.where(finding.within, finding.shares * finding.established, 0.0)
    harm = np.where(finding.within, excess.harm * finding.established, 0.0)
    trace = harm / harm.sum() if harm.sum() > 0.0 else harm
    # those that explain nothing of their own stand below all that do, in order of what passes through them
    score = np.round(0.99 * contribution + 0.01 * trace, 9)
    listed = np.flatnonzero(score > 0.0)
    order = np.lexsort((excess.onset[listed], -excess.harm[listed], excess.p_value[listed], -score[listed]))
    confidence = np.zeros(len(score))
    confidence[listed] = calibrated(contribution[listed], finding.chance, has_calls=dependencies is not None)
    rows = [
        (
            recording.repos[j],
            wording.metric(j),
            float(score[j]),
            float(confidence[j]),
            float(contribution[j]),
            cause_sentences(wording, j, float(contribution[j]), dependencies),
        )
        for j in listed[order]
    ]
    causes = pd.DataFrame(rows, columns=list(COLUMNS))
    causes.attrs["unexplained"] = float(np.clip(1.0 - contribution.sum(), 0.0, 1.0))
    causes.attrs["onset"] = recording.incident.index[cut.first]
    causes.attrs["reason"] = None
    causes.attrs["chance"] = finding.chance
    return causes


def _empty(reason: str) -> pd.DataFrame:
    import pandas as pd

    kinds = {"repo": object, "metric": object, "score": float, "confidence": float, "contribution": float}
    causes = pd.DataFrame({name: pd.Series(dtype=kinds.get(name, object)) for name in COLUMNS})
    causes.attrs.update(unexplained=1.0, onset=None, reason=reason)
    return causes


def _first_row(recording: Recording, started_at: datetime) -> int:
    if started_at.tzinfo is None:
        raise InputError(f"started_at {started_at} has no time zone; allowed is a time with one, as in +00:00")
    return int(recording.incident.index.searchsorted(started_at))


def _check_target(
    recording: Recording, target: tuple[str, str], higher_is_better: Mapping[str, bool] | None
) -> int:
    """Position of the target's repo."""
    repo, metric = target
    if repo not in recording.repos:
        some = ", ".join(map(str, recording.repos[:10])) + (", ..." if len(recording.repos) > 10 else "")
        raise InputError(f"target {repo!r} is not in the incident or baseline frame; there are: {some}")
    frames = (recording.incident.columns, recording.baseline.columns)
    metrics = sorted({str(name) for columns in frames for owner, name in columns if owner == repo})
    views = FAILURES if metric in FAILURES else {metric}
    if not views & set(metrics):
        raise InputError(f"target {repo!r} has no metric {metric!r}; it has: {', '.join(metrics)}")
    if direction(metric, higher_is_better) is None:
        raise InputError(f"metric {metric!r} of target {repo!r} has no direction; name it in higher_is_better")
    return recording.repos.index(repo)
