"""Which repo caused the target's deviation, how sure is that, and how much of it does it explain?

First a gate: does the target deviate from its own past at all? Then every repo's excess over its own past,
from which the part that its callees explain is taken away along the calls. Nothing reads a name.

The method, its assumptions and its measured accuracy: docs/methods/root-causes.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tars_lib.engines.rootcause_confidence import calibrated
from tars_lib.engines.rootcause_evidence import Wording, cause_sentences, quiet_sentence
from tars_lib.engines.rootcause_finding import Finding, Question, weigh
from tars_lib.engines.rootcause_frames import Recording, find_cut, read_recording
from tars_lib.engines.rootcause_series import FAILURES, direction, own_series
from tars_lib.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import networkx as nx
    import pandas as pd

COLUMNS = ("repo", "metric", "score", "confidence", "contribution", "evidence")

TRACE_WEIGHT = 0.01
"""Weight in the score of harm that only passes through a repo: it orders those that explain nothing of their
own, and places them below those that do. Judgement."""


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
        of the claim).

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
    position = _check_target(recording, target, higher_is_better)
    base, now = own_series(recording, target[1], higher_is_better)
    if not np.isfinite(now[:, position]).any():
        return _empty(f"{target[0]} reports no {target[1]} during the incident")
    noticed = None if started_at is None else _first_row(recording, started_at)
    cut = find_cut(base[:, position], now[:, position], noticed, recording.is_adjacent)
    question = Question(recording, target[1], position, cut, dependencies, higher_is_better)
    finding = weigh(question)
    if not finding.excess.known[position]:
        return _empty(f"{target[0]} has no past {target[1]} to compare with")
    is_turned = direction(target[1], higher_is_better) is True
    wording = Wording(recording, cut, target, finding.excess, is_turned)
    if not finding.is_claimed:
        return _empty(quiet_sentence(wording, position, finding.own_chance))
    return _assemble(question, finding, wording)


def _assemble(question: Question, finding: Finding, wording: Wording) -> pd.DataFrame:
    import pandas as pd

    excess, contribution, passing = finding.excess, finding.contribution, finding.passing
    trace = passing / passing.sum() if passing.sum() > 0.0 else passing
    # rounding makes the order independent of the order in which columns were summed
    score = np.round((1.0 - TRACE_WEIGHT) * contribution + TRACE_WEIGHT * trace, 9)
    listed = np.flatnonzero(score > 0.0)
    order = np.lexsort((excess.onset[listed], -excess.harm[listed], excess.p_value[listed], -score[listed]))
    best_first = listed[order]
    confidence = calibrated(contribution[best_first], finding.chance, has_calls=question.dependencies is not None)
    rows = [
        (
            question.recording.repos[j],
            wording.metric(j),
            float(score[j]),
            float(sure),
            float(contribution[j]),
            cause_sentences(wording, j, float(contribution[j]), question.dependencies),
        )
        for j, sure in zip(best_first.tolist(), confidence, strict=True)
    ]
    causes = pd.DataFrame(rows, columns=list(COLUMNS))
    causes.attrs["unexplained"] = float(np.clip(1.0 - contribution.sum(), 0.0, 1.0))
    causes.attrs["onset"] = question.recording.incident.index[question.cut.first]
    causes.attrs["reason"] = None
    causes.attrs["chance"] = finding.chance
    return causes


def _empty(reason: str) -> pd.DataFrame:
    import pandas as pd

    kinds = {"repo": object, "metric": object, "score": float, "confidence": float, "contribution": float}
    causes = pd.DataFrame({name: pd.Series(dtype=kinds.get(name, object)) for name in COLUMNS})
    causes.attrs.update(unexplained=1.0, onset=None, reason=reason, chance=1.0)
    return causes


def _first_row(recording: Recording, started_at: datetime) -> int:
    if started_at.tzinfo is None:
        raise InputError(f"started_at {started_at} has no time zone; allowed is a time with one, as in +00:00")
    return int(recording.incident.index.searchsorted(started_at))


def _check_target(recording: Recording, target: tuple[str, str], higher_is_better: Mapping[str, bool] | None) -> int:
    """Position of the target's repo."""
    repo, metric = target
    if repo not in recording.repos:
        some = ", ".join(map(str, recording.repos[:10])) + (", ..." if len(recording.repos) > 10 else "")
        raise InputError(f"target {repo!r} is not in the incident or baseline frame; there are: {some}")
    frames = (recording.incident.columns, recording.baseline.columns)
    metrics = sorted({str(label[1]) for columns in frames for label in columns.tolist() if label[0] == repo})
    views = FAILURES if metric in FAILURES else {metric}
    if not views & set(metrics):
        raise InputError(f"target {repo!r} has no metric {metric!r}; it has: {', '.join(metrics)}")
    if direction(metric, higher_is_better) is None:
        raise InputError(f"metric {metric!r} of target {repo!r} has no direction; name it in higher_is_better")
    return recording.repos.index(repo)
