"""What can be said of one scope (a repo, or the organisation) over one window, whatever is missing of it?

The value is bounded over all completions of what is missing. What is half reported (one of two counts, or a whole repo) is in
question: it decides that nothing is known as soon as it could change the verdict and is more than a trifle. Time in which
nothing was reported is no evidence either way: from half of the window on the rest decides.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tars_lib.engines.sla.sli import Measurement, in_scope
from tars_lib.engines.sla.window.missing import coverage_text, half_text, idle_text
from tars_lib.model.names import SlaStatus
from tars_lib.model.organisation import OrgData
from tars_lib.model.slo import AnyPolicy, Bounds, Track

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]

MIN_COVERAGE = 0.5
MAX_ASKED = 0.02
MAX_IDLE = 0.5
AT_RISK_SHARE = 0.8
"""The four thresholds are decided in the contract of the formats."""
IDLE_TOLD = 1 / 3
"""Share of the window without traffic from which it is told beside the verdict; judgement: more than the nights."""
_BINARY_SLACK = 1e-9
"""An objective such as 0.9 has no exact binary form, so 80 % of its budget may come out a hair below 0.8."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One scope (a repo by position, or None for the organisation) over one window.

    Attributes
    ----------
    value, low, high : float or None
        As measured, and over all completions of what is missing; None where nothing was seen, or nothing bounds it.
    n, bad : int, float
        Events or samples, and the bad ones (NaN for a metric that is no share).
    is_certain : bool
        Whether every completion gives this verdict.
    is_completed : bool
        Whether `value`, `bad` and `n` are those of a completion, as what was measured is none of any.
    takes_part : bool
        Whether the verdict of the SLA heeds this one: not where there are merely too few events.
    missing : tuple of str
        What is missing though it does not decide.
    """

    column: int | None
    status: SlaStatus
    value: float | None
    n: int
    coverage: float
    reason: str | None
    low: float | None = None
    high: float | None = None
    bad: float = math.nan
    is_certain: bool = False
    takes_part: bool = True
    is_completed: bool = False
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Seen:
    """Observation of a scope, and the value over all completions: of what is half reported, and of everything."""

    value: float
    half: tuple[float, float]
    whole: tuple[float, float]
    in_question: float
    events: float
    known: float
    bad: float
    best: tuple[float, float] = (math.nan, math.nan)
    worst: tuple[float, float] = (math.nan, math.nan)


@dataclass(frozen=True, slots=True, eq=False)
class ScopeJudge:
    """One window of one SLA, ready to be judged in any scope; by position the repos half reported and those without a gap."""

    org: OrgData
    policy: AnyPolicy
    track: Track
    measured: Measurement
    bounds: Bounds | None
    half_bounds: Bounds | None
    is_half: Flags
    is_plain: Flags

    @classmethod
    def of(cls, org: OrgData, policy: AnyPolicy, track: Track, measured: Measurement) -> ScopeJudge:
        """Return the judge of a window; what each judgement takes from all repos is computed once."""
        half, share = (
            time / np.maximum(measured.length, 1.0) for time in (measured.half, measured.half + measured.uncounted)
        )
        limits = limits_of(org, policy)
        whole, open_ones = (
            policy.bounds(track, measured.keep, measured.reading, np.minimum(part, 1.0), limits)
            for part in (share, half)
        )
        is_half = np.zeros(half.size, dtype=bool)
        if track.half is not None:
            is_half[track.half.column[measured.half_keep]] = True
        plain = np.zeros(half.size, dtype=bool)
        if policy.adds_up:
            # nothing is missing, unseen or in question, and there is enough
            plain = (measured.missing == 0) & (measured.unseen == 0) & (measured.length > 0) & ~is_half
            plain &= (measured.idle < IDLE_TOLD) & (measured.samples > 0)
            plain &= measured.reading.events >= max(policy.fewest, 1)
        return cls(org, policy, track, measured, whole, open_ones, is_half, plain)

    def judge(self, column: int | None, scope: Ints) -> Judged:
        """Return the verdict on a repo by position, or on all of a scope (None)."""
        if column is not None and self.is_plain[column]:
            return self._plain(column)
        columns = scope if column is None else np.array([column])
        policy, measured = self.policy, self.measured
        samples, length = int(measured.samples[columns].sum()), float(measured.length[columns].sum())
        coverage = 1.0 - float(measured.missing[columns].sum()) / length if length > 0 else 0.0
        seen = self._seen(column, columns)
        value = None if not math.isfinite(seen.value) else seen.value
        low, high = (bound if math.isfinite(bound) else None for bound in seen.whole)
        count = round(seen.events)
        blank = Judged(column, SlaStatus.UNKNOWN, value, count, coverage, None, low, high, seen.bad)
        half = self._half(columns, seen) if self.is_half[columns].any() else None
        is_quiet = all(self.org.repos[int(number)].quiet for number in columns)
        idle = self._idle(columns)
        if samples == 0 and half is None and idle <= MAX_IDLE:
            return replace(blank, reason=f"no data in the window: {self._coverage(columns)}", takes_part=not is_quiet)
        enough = seen.known if policy.adds_up else samples
        if enough < policy.fewest and half is not None and samples == 0:
            return replace(blank, reason=half)
        if enough < policy.fewest and idle > MAX_IDLE and coverage >= MIN_COVERAGE:
            return replace(blank, reason=self._idle_text(columns, idle), takes_part=not is_quiet)
        if enough < policy.fewest:
            least = f"{count} {policy.counted}, fewer than {policy.fewest}"
            if coverage >= MIN_COVERAGE:
                return replace(blank, reason=least, takes_part=False)
            return replace(blank, reason=f"{least}; {self._coverage(columns)}", takes_part=not is_quiet)
        is_certain = policy.is_met_by(seen.whole[0]) == policy.is_met_by(seen.whole[1])
        in_doubt = policy.is_met_by(seen.half[0]) != policy.is_met_by(seen.half[1])
        if half is None and seen.in_question > 0:
            half = self._half(columns, seen)
        if not is_certain and coverage < MIN_COVERAGE:
            return replace(blank, reason=self._coverage(columns), takes_part=not is_quiet)
        if not is_certain and in_doubt and (seen.in_question > MAX_ASKED or value is None):
            return replace(blank, reason=half or self._coverage(columns))
        if value is None:
            # only what is half reported says anything, and it says it in every completion
            value = seen.half[1] if policy.is_met_by(seen.half[1]) == policy.higher_is_better else seen.half[0]
        measured_value, value = value, min(max(value, seen.half[0]), seen.half[1])
        if value != measured_value and policy.adds_up:
            # what is half reported decides: its events are those of the completion that is told
            bad, events = seen.best if value == seen.half[1] else seen.worst
            blank = replace(blank, bad=bad, n=round(events), is_completed=True)
        sentences = [] if half is None or seen.in_question == 0 else [half]
        if coverage < 1.0 - MAX_ASKED:
            sentences.append(self._coverage(columns))
        if idle >= IDLE_TOLD and not is_quiet:
            sentences.append(self._idle_text(columns, idle))
        known = replace(blank, value=value, is_certain=is_certain, missing=tuple(sentences))
        if not policy.is_met_by(value):
            return replace(known, status=SlaStatus.BREACHED)
        if idle > MAX_IDLE and not is_quiet:
            return replace(known, is_certain=False, reason=self._idle_text(columns, idle), missing=())
        return self._met(known, value)

    def interval(self, judged: Judged) -> tuple[float, float] | None:
        """Return the 95 % interval of a verdict's value, unless that is one of a completion; the whole is what is judged."""
        if judged.value is None or judged.is_completed:
            return None
        policy, track, measured, limits = self.policy, self.track, self.measured, limits_of(self.org, self.policy)
        columns = in_scope(self.org, policy, track) if judged.column is None else judged.column
        if policy.adds_up:
            # of events the sums suffice
            return policy.interval(judged.bad, float(measured.reading.events[columns].sum()), track.raw[:0], limits)
        mine = columns[track.column] if isinstance(columns, np.ndarray) else track.of(columns)
        seen = track.raw[mine][measured.keep[mine]]
        return policy.interval(judged.bad, float(seen.size), seen, limits)

    def _plain(self, column: int) -> Judged:
        """Return the verdict on a repo of which nothing is missing: the value is what was measured in every completion."""
        reading = self.measured.reading
        value, bad, events = (float(part[column]) for part in (reading.value, reading.bad, reading.events))
        status, reason = self._status(value) if self.policy.is_met_by(value) else (SlaStatus.BREACHED, None)
        return Judged(column, status, value, round(events), 1.0, reason, value, value, bad, is_certain=True)

    def _met(self, known: Judged, value: float) -> Judged:
        """Return a verdict on a value that meets the objective: at risk, or compliant."""
        status, reason = self._status(value)
        return replace(known, status=status, reason=reason)

    def _status(self, value: float) -> tuple[SlaStatus, str | None]:
        """Return the status of a value that meets the objective, and why it is not compliant."""
        share = self.policy.consumed_share(value)
        if share is not None and share >= AT_RISK_SHARE - _BINARY_SLACK:
            return SlaStatus.AT_RISK, f"{share:.0%} of the error budget is used"
        warning = self.policy.warns_at(value)
        return (SlaStatus.COMPLIANT, None) if warning is None else (SlaStatus.AT_RISK, warning)

    def _seen(self, column: int | None, columns: Ints) -> _Seen:
        reading = self.measured.reading
        bad, events = float(reading.bad[columns].sum()), float(reading.events[columns].sum())
        if self.bounds is not None and self.half_bounds is not None:
            value = float(reading.value[columns[0]])
            ends, half = (
                (float(bounds.low[columns[0]]), float(bounds.high[columns[0]]))
                for bounds in (self.bounds, self.half_bounds)
            )
            in_question = float(self.measured.half[columns[0]]) / max(float(self.measured.length[columns[0]]), 1.0)
            return _Seen(value, half, ends, in_question, events, events, bad)
        worst, best, in_question = self._half_sums(columns)
        seen = np.array([bad, events])
        worst, best = worst + seen, best + seen
        unseen = np.where([self.org.repos[int(number)].quiet for number in columns], 0.0, self.measured.unseen[columns])
        # a repo that is silent is in question as a whole: what it does is not what the others do
        length = np.maximum(self.measured.length[columns], 1.0)
        is_silent = (self.measured.missing[columns] / length > 1.0 - MIN_COVERAGE) & (column is None)
        silent, rest = float(unseen[is_silent].sum()), float(unseen[~is_silent].sum())
        half, whole = (
            (_share(worst[0] + more, worst[1] + more, 0.0), _share(best[0], best[1] + more, 1.0))
            for more in (silent, silent + rest)
        )
        in_question += silent
        value = (events - bad) / events if events > 0 else math.nan
        share_in_question = (
            1.0 if math.isinf(in_question) else in_question / (events + in_question) if in_question > 0 else 0.0
        )
        known = events + min(float(worst[1] - events), float(best[1] - events))
        at_best, at_worst = ((float(sums[0]), float(sums[1])) for sums in (best, worst))
        return _Seen(value, half, whole, share_in_question, events, known, bad, at_best, at_worst)

    def _half_sums(self, columns: Ints) -> tuple[Floats, Floats, float]:
        """Bad and all events of what is half reported in its worst and best completion, and the events in question."""
        half = self.track.half
        if half is None or not self.is_half[columns].any():
            return np.zeros(2), np.zeros(2), 0.0
        mine = self.measured.half_keep & np.isin(half.column, columns)
        weight = half.weight[mine]
        parts = (half.worst_bad, half.worst_total, half.best_bad, half.best_total, half.in_question, half.shortfall)
        sums = np.array([float((part[mine] * weight).sum()) for part in parts])
        worst, best, short = sums[:2], sums[2:4], max(float(sums[5]), 0.0)
        if half.short_is_bad:
            best = best + short
        else:
            worst[1] += short
        return worst, best, float(sums[4])

    def _idle(self, columns: Ints) -> float:
        """Share of the seen time without an event, of repos whose past has some; the least of all repos of a scope."""
        reported = self.measured.length[columns] > self.measured.missing[columns]
        seen = columns[self.measured.busy[columns] & reported]
        return float(self.measured.idle[seen].min()) if seen.size else 0.0

    def _half(self, columns: Ints, seen: _Seen) -> str:
        return half_text(self.org, self.policy, self.track, self.measured, columns, seen.in_question, seen.half)

    def _coverage(self, columns: Ints) -> str:
        return coverage_text(self.org, self.policy, self.track, self.measured, columns)

    def _idle_text(self, columns: Ints, idle: float) -> str:
        return idle_text(self.org, self.policy, columns, idle)


def limits_of(org: OrgData, policy: AnyPolicy) -> tuple[float | None, float | None]:
    """Return the smallest and the largest value that a policy's metric can have."""
    if policy.slices is not None and policy.slices.target is not None:
        return 0.0, 1.0
    metric = org.metric(policy.subject)
    return metric.minimum, metric.maximum


def _share(bad: float, total: float, without: float) -> float:
    """Return the share of good events; with any number of events that of those without bound."""
    if math.isinf(bad):
        return 0.0
    if math.isinf(total):
        return 1.0
    return float((total - bad) / total) if total > 0 else without
