"""How much worse than its own past is each repo during the incident, and could that be chance?

Harm is counted upwards. Where a mean adds up (mean latency, failures) and requests are counted it is a total:
extra request-seconds, failed requests. Quantiles and scores do not add up over requests, so their harm is the
excess itself. A repo that has no past cannot have changed: it says nothing here, and its caller, which began
to call it, is where the change is looked for.

The target deviates where its own past shows as much in at most 1 % of windows. A weaker deviation is believed where a repo
that accounts for a quarter of it deviates with it, and both are that rare together: by Fisher's combination of the two
p-values, or by the windows of the past in which both showed as much.

Fisher (1932), Statistical Methods for Research Workers, section 21.1: -2 ln q of the product q of two p-values is
chi-squared with 4 degrees of freedom, so that the combination is q (1 - ln q)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tars_lib.engines.root_causes.series import FAILURES, harm_series, own_series
from tars_lib.stats import counts
from tars_lib.stats.pairs.significance import sidak
from tars_lib.stats.series import robust
from tars_lib.stats.series.robust import Floats

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tars_lib.engines.root_causes.recording import Cut, Recording

FREQUENT_FAILURES = 60
"""From this many baseline samples with a failure on, the past itself is the null; below, counts are modelled.
Judgement: the tail of the null needs a few dozen distinct values."""

NULL_SHARE = 10
"""Matched windows are at most a tenth of the baseline, so that about ten of them are independent; judgement.
A longer incident is then compared with shorter windows, which vary more: the error is on the careful side."""


ALPHA = 0.01
"""Level of the gate; the 1 % at which a cluster of repos is called anomalous, too."""

JOINT_TARGET_ALPHA = 0.35
"""For the joint test the target itself must still be among the worst third of its past; judgement. A handful
of failures at a busy entry point is nothing by itself, and unmistakable at the one callee that never failed
before."""

JOINT_SHARE = 0.25
"""For the joint test the cause must account for at least a quarter of the target's deviation; judgement."""

UNHEARD = 2.5
"""For the joint test, harm in units of the target's above which nobody waits for a repo; calls side by side add some."""

EARLIEST_ONSET = 1
"""Samples by which a repo may deviate before the target and still deviate with it, for the joint test: clocks are off by one.
What was bad for longer before was bad without the target."""


@dataclass(frozen=True)
class Excess:
    """Excess of each of R repos in one kind of metric.

    Attributes
    ----------
    metric : tuple of str
        The metrics that went into each repo's column, joined by "+".
    reference, level : ndarray, shape (R,)
        Before and during the incident, turned so that harm is upwards; NaN where unknown.
    harm : ndarray, shape (R,)
        Total over the incident, counted upwards, at least 0; 0 where unknown.
    p_value : ndarray, shape (R,)
        How often the repo's own past shows as much; 1 where unknown or not worse.
    onset : ndarray, shape (R,)
        First sample with half of the largest excess, counted from the cut; negative before it.
    known : ndarray, shape (R,)
        Whether there is a level before and during.
    is_new : ndarray, shape (R,)
        Reports now, never reported before.
    adds_up : bool
        Whether harm is a total over requests.
    samples : int
        Samples since the cut.
    """

    metric: tuple[str, ...]
    reference: Floats
    level: Floats
    harm: Floats
    p_value: Floats
    onset: NDArray[np.int64]
    known: NDArray[np.bool_]
    is_new: NDArray[np.bool_]
    adds_up: bool
    samples: int


def measure(recording: Recording, metric: str, cut: Cut, higher_is_better: Mapping[str, bool] | None = None) -> Excess:
    """Excess of every repo since the cut.

    Parameters
    ----------
    recording : Recording
    metric : str
        The target's metric.
    cut : Cut
    higher_is_better : mapping, optional
        Direction of metrics beyond the known ones.
    """
    base, now, used, adds_up = harm_series(recording, metric, higher_is_better)
    local, during = around(recording, base, now, cut)
    reference = robust.reference_level(local, robust.column_median(base))
    level = robust.column_mean(during)
    extra = during - reference
    known = np.isfinite(reference) & np.isfinite(level)
    requests = _requests(recording, cut) if adds_up else None
    weighted = extra if requests is None else extra * requests
    harm = np.where(np.isfinite(weighted), weighted, 0.0).sum(axis=0)
    return Excess(
        metric=used,
        reference=reference,
        level=level,
        harm=np.where(known & (harm > 0.0), harm, 0.0),
        p_value=_p_values(recording, metric in FAILURES, (base, local, during), reference, cut),
        onset=_onsets(np.concatenate([local, during]) - reference, len(local)),
        known=known,
        is_new=np.isfinite(level) & ~np.isfinite(reference),
        adds_up=requests is not None,
        samples=len(during),
    )


@dataclass(frozen=True)
class Departure:
    """How any series of R repos departs upwards from its own past; see `departure`."""

    reference: Floats
    level: Floats
    p_value: Floats


def departure(recording: Recording, cut: Cut, base: Floats, now: Floats, factor: float) -> Departure:
    """Level before and since the cut of any series, and how often its own past rises as much.

    Parameters
    ----------
    recording : Recording
    cut : Cut
    base, now : ndarray, shape (Tb, R) and (Ti, R)
        Baseline and incident, NaN where unknown.
    factor : float
        Chance is computed where the level is at least so many times the reference, and 1 elsewhere.
    """
    local, during = around(recording, base, now, cut)
    reference = robust.reference_level(local, robust.column_median(base))
    level = robust.column_mean(during)
    p_value = np.ones(len(level))
    asked = np.flatnonzero(level >= factor * reference)
    if len(asked):
        parts = (base[:, asked], local[:, asked], during[:, asked])
        p_value[asked] = _p_values(recording, False, parts, reference[asked], cut)
    return Departure(reference, level, p_value)


def chance(
    recording: Recording,
    metric: str,
    cut: Cut,
    column: int,
    higher_is_better: Mapping[str, bool] | None = None,
) -> float:
    """How often the past of one repo shows as much excess in exactly this metric as the incident does."""
    base, now = own_series(recording, metric, higher_is_better)
    only = slice(column, column + 1)
    local, during = around(recording, base[:, only], now[:, only], cut)
    reference = robust.reference_level(local, robust.column_median(base[:, only]))
    parts = (base[:, only], local, during)
    return float(_p_values(recording, metric in FAILURES, parts, reference, cut, only)[0])


def joint_chance(
    recording: Recording,
    metric: str,
    cut: Cut,
    columns: tuple[int, int],
    higher_is_better: Mapping[str, bool] | None = None,
) -> float:
    """How often two repos showed as much excess as now in one and the same window of their past.

    Two repos that burst now and then, but never together, are told from two that fluctuate as one; no
    independence is assumed. No less than 1 / (n + 1) over the n matched windows.
    """
    base, now, _, _ = harm_series(recording, metric, higher_is_better)
    pair = list(columns)
    local, during = around(recording, base[:, pair], now[:, pair], cut)
    observed = robust.column_mean(during) - robust.reference_level(local, robust.column_median(base[:, pair]))
    k, m = window_lengths(base, local, during)
    null = robust.matched_excess(base[:, pair], k, m)
    null = null[np.isfinite(null).all(axis=1)]
    hits = int(np.count_nonzero((null >= observed).all(axis=1)))
    independent = min(float(len(null)), len(base) / k)
    return min(1.0, cut.looks * robust.share_reaching(hits, len(null), independent))


def together(
    recording: Recording,
    metric: str,
    cut: Cut,
    target: int,
    follow: tuple[Excess, NDArray[np.bool_], Floats],
    own: float,
    among: int,
    higher_is_better: Mapping[str, bool] | None = None,
) -> float:
    """How often chance shows as much as the target and a repo that it is due to.

    Parameters
    ----------
    recording : Recording
    metric : str
        The target's.
    cut : Cut
    target : int
    follow : (Excess; ndarray of bool, shape (R,); ndarray, shape (R,))
        Excess of all repos, those that may explain the target, and the share that each keeps.
    own : float
        How often the target's past shows as much.
    among : int
        Repos that it could have been.
    """
    excess, within, shares = follow
    candidates = within & (shares >= JOINT_SHARE) & (excess.onset >= -EARLIEST_ONSET)
    candidates[target] = False
    if excess.adds_up and metric not in FAILURES:
        candidates &= excess.harm <= UNHEARD * excess.harm[target]
    best = 1.0
    for j in np.flatnonzero(candidates).tolist():
        counted = joint_chance(
            recording,
            metric,
            cut,
            (target, j),
            higher_is_better,
        )
        best = min(best, _both(own, excess.p_value[j], among), counted * int(candidates.sum()))
    return float(best)


def in_another_form(given: Floats, other: Excess, own: float, among: int) -> float:
    """How often chance shows as much as the target and a repo that deviates in another form of harm.

    Parameters
    ----------
    given : ndarray, shape (R,)
        Share of the target's deviation that went to each repo; who was given less than a quarter is not asked.
    other : Excess
        In the other form.
    own : float
        How often the target's past shows as much.
    among : int
        Repos that it could have been, in the target's metric; in the other form those that are known in it.
    """
    among = max(among, int(other.known.sum()))
    likely = np.flatnonzero(given >= JOINT_SHARE).tolist()
    return min((_both(own, other.p_value[j], among) for j in likely), default=1.0)


def _both(own: float, other: float, among: int) -> float:
    """Fisher's combination of the target's p-value and that of one of so many repos."""
    product = max(own * float(sidak(other, among)), 1e-300)
    return float(product * (1.0 - np.log(product)))


def window_lengths(past: Floats, local: Floats, during: Floats) -> tuple[int, int]:
    """Return the lengths of the matched windows and of their local reference."""
    most = len(past) // NULL_SHARE
    return max(1, min(len(during), most)), min(len(local), most)


def around(recording: Recording, base: Floats, now: Floats, cut: Cut) -> tuple[Floats, Floats]:
    """Return the local reference (m, R) and the incident (K, R)."""
    local = now[: cut.first]
    if recording.is_adjacent:
        local = np.concatenate([base, local])
    return local[max(len(local) - cut.local, 0) :], now[cut.first :]


def _requests(recording: Recording, cut: Cut) -> Floats | None:
    """Requests (K, R) that each sample's excess concerns; None where nobody counts them."""
    base, now = recording.values("requests_total")
    during = now[cut.first :]
    typical = robust.column_median(np.concatenate([base, now]))
    if not np.isfinite(typical).any():
        return None
    # a repo that does not count its requests is taken to have as many as the typical repo that does
    typical = np.where(np.isfinite(typical), typical, np.nanmedian(typical))
    return np.where(np.isfinite(during), during, typical)


def _p_values(
    recording: Recording,
    is_failure: bool,
    parts: tuple[Floats, Floats, Floats],
    reference: Floats,
    cut: Cut,
    columns: slice = slice(None),
) -> Floats:
    """P-value of each column's mean excess, corrected for the number of onsets tried; 1 where there is no
    excess.
    """
    base, local, during = parts
    past = base if len(base) else local
    k, m = window_lengths(past, local if len(base) else local[:0], during)
    null = robust.matched_excess(past, k, m)
    observed = robust.column_mean(during) - reference
    result = np.ones(during.shape[1])
    for j in np.flatnonzero(observed > 0.0):
        known = past[np.isfinite(past[:, j]), j]
        slack = 1e-9 * max(abs(float(reference[j])), abs(float(observed[j])))
        if known.size and np.ptp(known) <= slack:
            # a constant past: by the law of succession a sample beyond it has at most the rate 1 / (n + 2)
            beyond = int(np.count_nonzero(during[:, j] > known[0] + slack))
            present = int(np.isfinite(during[:, j]).sum())
            result[j] = counts.binomial_tail(beyond, present, 1.0 / (known.size + 2.0))
        else:
            windows = null[np.isfinite(null[:, j]), j]
            if windows.size and np.ptp(windows) <= slack:
                # windows of a steady rhythm are all alike; its single samples spread more and are the wider null
                windows = known - np.median(known)
            result[j] = robust.tail_probability(windows, float(observed[j]), len(past) / k)
    if is_failure:
        counted = _count_p_values(recording, (base, local, during), cut, columns)
        result = np.where(np.isfinite(counted) & (observed > 0.0), counted, result)
    return np.minimum(1.0, result * cut.looks)


def _count_p_values(recording: Recording, parts: tuple[Floats, Floats, Floats], cut: Cut, columns: slice) -> Floats:
    """Beta-binomial predictive p-value of the failures since the cut.

    NaN where requests are not counted, or where failures are so common that the past itself is the better
    null. A baseline of another day is updated with the local samples; an adjacent one holds them already.
    """
    base, local, during = parts
    total_base, total_now = (values[:, columns] for values in recording.values("requests_total"))
    n_local, n_during = around(recording, total_base, total_now, cut)
    # blocks as long as the incident, but at least a few of them; what is left over is a shorter block, never dropped
    k = max(1, min(len(during), len(base) // NULL_SHARE))
    edges = np.arange(0, len(base), k)
    result = np.full(during.shape[1], np.nan)
    for j in range(during.shape[1]):
        events, trials = _sum_counts(during[:, j], n_during[:, j])
        failed, asked = _counts(base[:, j], total_base[:, j])
        if trials == 0.0 or np.count_nonzero(failed) >= FREQUENT_FAILURES:
            continue
        a, b = counts.fit_beta(np.add.reduceat(failed, edges), np.add.reduceat(asked, edges))
        if not recording.is_adjacent:
            more, seen = _sum_counts(local[:, j], n_local[:, j])
            a, b = a + more, b + seen - more
        result[j] = counts.beta_binomial_tail(round(events), round(trials), a, b)
    return result


def _counts(share: Floats, total: Floats) -> tuple[Floats, Floats]:
    """Failed and all requests of each sample, whole numbers, 0 where either is unknown."""
    known = np.isfinite(share) & np.isfinite(total)
    failed: Floats = np.rint(np.where(known, share * total, 0.0))
    asked: Floats = np.rint(np.where(known, total, 0.0))
    return failed, asked


def _sum_counts(share: Floats, total: Floats) -> tuple[float, float]:
    failed, asked = _counts(share, total)
    return float(failed.sum()), float(asked.sum())


def _onsets(extra: Floats, local: int) -> NDArray[np.int64]:
    """First sample with half of the largest excess, counted from the cut (negative: before it)."""
    filled = np.where(np.isfinite(extra), extra, -np.inf)
    peak = filled.max(axis=0, initial=-np.inf)
    reached = filled >= np.where(peak > 0.0, 0.5 * peak, np.inf)
    first: NDArray[np.int64] = np.argmax(reached, axis=0).astype(np.int64) - local
    return first
