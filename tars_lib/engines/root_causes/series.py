"""Which series of two repos can be compared, and in which form does harm add up along calls?

Harm is turned upwards. Mean latency and the share of failed requests add up once they are weighted with
requests; quantiles and scores do not, and where a repo reports quantiles only, the mean is put together from
them.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from tars_lib.model.metrics import known_metric

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tars_lib.engines.root_causes.recording import Recording
    from tars_lib.stats.series.robust import Floats

FAILURES = frozenset({"availability", "error_rate", "requests_failed"})
"""Metrics that are views of the same failed requests."""

TAIL_SEEN = 0.95
"""Level from which on a quantile shows a fault of a few requests; judgement: at most one in twenty is beyond it."""

_QUANTILE = re.compile(r"latency_p[0-9]{1,4}")


def direction(metric: str, higher_is_better: Mapping[str, bool] | None) -> bool | None:
    """Whether higher is better; None where the metric has no direction.

    Examples
    --------
    >>> direction("availability", None), direction("latency_p99", None), direction("queue", {"queue": False})
    (True, False, False)
    >>> direction("requests_total", None) is None
    True
    """
    if higher_is_better is not None and metric in higher_is_better:
        return higher_is_better[metric]
    if metric == "requests_failed":
        return False
    return known_metric(metric).higher_is_better


def travels(metric: str) -> bool:
    """Whether harm in a metric travels from callee to caller: that of a latency and of failures does.

    Examples
    --------
    >>> travels("latency_p95"), travels("error_rate"), travels("cpu")
    (True, True, False)
    """
    return metric in FAILURES or metric == "latency" or is_quantile(metric)


def is_quantile(metric: str) -> bool:
    """Whether a metric is a quantile of latency."""
    return _QUANTILE.fullmatch(metric) is not None


def sees_tail(used: str) -> bool:
    """Whether the metrics that stand in for the mean, joined by "+", show what few requests wait for.

    Examples
    --------
    >>> sees_tail("latency"), sees_tail("latency_p50+latency_p90"), sees_tail("latency_p50+latency_p99")
    (True, False, True)
    """
    return any(name == "latency" or _level(name) >= TAIL_SEEN for name in used.split("+"))


def own_series(recording: Recording, metric: str, higher_is_better: Mapping[str, bool] | None) -> tuple[Floats, Floats]:
    """Exactly this metric of all repos, baseline (Tb, R) and incident (Ti, R), turned so that harm is
    upwards.

    The views of failed requests (availability, error rate, counts) are one metric: the share of failed
    requests.
    """
    if metric in FAILURES:
        return failure_share(recording)
    sign = -1.0 if direction(metric, higher_is_better) else 1.0
    base, now = recording.values(metric)
    return sign * base, sign * now


def harm_series(
    recording: Recording, metric: str, higher_is_better: Mapping[str, bool] | None
) -> tuple[Floats, Floats, tuple[str, ...], bool]:
    """What is compared between repos: as `own_series`, but in a form that adds up along calls where there is
    one.

    For latencies that is the mean, or what stands in for it where a repo reports quantiles only.

    Returns
    -------
    baseline, incident : ndarray, shape (Tb, R) and (Ti, R)
    used : tuple of str
        The metrics that went into each repo's column.
    adds_up : bool
        Whether excess times requests adds up along calls.
    """
    if metric == "latency" or is_quantile(metric):
        return _latency_series(recording, metric)
    base, now = own_series(recording, metric, higher_is_better)
    return base, now, (metric,) * len(recording.repos), metric in FAILURES


def failure_share(recording: Recording) -> tuple[Floats, Floats]:
    """Share of failed requests (T, R) in baseline and incident: counts first, then error rate, then
    availability.
    """
    views = zip(
        recording.values("requests_total"),
        recording.values("requests_failed"),
        recording.values("error_rate"),
        recording.values("availability"),
        strict=True,
    )
    baseline, incident = (_failure_share(*part) for part in views)
    return baseline, incident


def _failure_share(total: Floats, failed: Floats, error_rate: Floats, availability: Floats) -> Floats:
    share = np.divide(failed, total, out=np.full_like(total, np.nan), where=total > 0.0)
    share = np.where(np.isfinite(share), share, error_rate)
    share = np.where(np.isfinite(share), share, 1.0 - availability)
    return np.clip(share, 0.0, 1.0)


def _latency_series(recording: Recording, metric: str) -> tuple[Floats, Floats, tuple[str, ...], bool]:
    """Mean latency, or its stand-in from quantiles; metric used; whether it adds up over requests."""
    base, now = recording.values("latency")
    used = np.where(np.isfinite(now).any(axis=0), "latency", "").astype(object)
    names = sorted({name for _, name in recording.incident.labels if _QUANTILE.fullmatch(name)}, key=_level)
    have = {name: recording.values(name) for name in names}
    adds_up = bool((used == "latency").any())
    for j in np.flatnonzero(used == ""):
        mine = [name for name in names if np.isfinite(have[name][1][:, j]).any()]
        if not mine:
            continue
        weights = quantile_weights([_level(name) for name in mine])
        base[:, j] = sum(w * have[name][0][:, j] for w, name in zip(weights, mine, strict=True))
        now[:, j] = sum(w * have[name][1][:, j] for w, name in zip(weights, mine, strict=True))
        used[j] = "+".join(mine)
        adds_up = adds_up or len(mine) > 1
    return base, now, tuple(str(name) or metric for name in used), adds_up


def quantile_weights(levels: Sequence[float]) -> list[float]:
    """Weights with which quantiles stand in for the mean.

    The mean is the integral of the quantile function over (0, 1); each known level stands for the stretch
    that is closer to it than to the next one.

    Parameters
    ----------
    levels : sequence of float
        Ascending, each within (0, 1).

    Examples
    --------
    >>> [round(w, 3) for w in quantile_weights([0.5, 0.9])]
    [0.7, 0.3]
    """
    edges = [0.0, *[(a + b) / 2.0 for a, b in pairwise(levels)], 1.0]
    return [b - a for a, b in pairwise(edges)]


def _level(name: str) -> float:
    digits = name.removeprefix("latency_p")
    return float(f"0.{digits}")
