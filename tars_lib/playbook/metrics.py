"""How fast do we detect, resolve and recover, and how often does the same cause come back?

The page's metrics are means, so the mean is held against the target. Median, 90th percentile and the interval of the
median stand beside it, because a mean of few incidents is ruled by the longest one. The interval is that of order
statistics: exact whatever the distribution is (Hahn and Meeker 1991, Statistical Intervals, section 5.2). Open incidents
have no duration yet; they are counted apart with their age, never dropped and never averaged.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import attrgetter

from tars_lib.files.reading import sha256_hex
from tars_lib.model.names import Name
from tars_lib.playbook.facts import Facts
from tars_lib.playbook.packaged import packaged
from tars_lib.playbook.tables import MetricId, MetricRow, Playbook

RECURRENCE_WINDOW = timedelta(days=90)
"""How far back the same cause makes an incident a recurrence: the contract."""

CONFIDENCE = 0.95
"""Least coverage of the intervals: convention."""


class MetricVerdict(Name):
    """Verdict on whether a target is met."""

    MET = "MET"
    MISSED = "MISSED"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class MetricValue:
    """A metric over a set of incidents.

    Attributes
    ----------
    unit : str
        "min" for durations, "ratio" for the recurrence rate.
    n : int
        Incidents that have a value.
    value : float or None
        Mean, or the rate; what is held against the target. None without an incident.
    median, p90 : float or None
        None for the rate and without an incident.
    low, high : float or None
        95 % interval of the median (of the rate: Wilson's). An end that so few incidents cannot give is None.
    open_incidents : tuple of str
        Incidents that are under way and have no value yet.
    longest_open : float or None
        Age of the oldest of them in minutes; None for the rate and where none is open.
    unknown_incidents : tuple of str
        Incidents that are over and lack a time or a cause.
    """

    metric_id: MetricId
    name: str
    definition: str
    target: str
    unit: str
    n: int
    value: float | None
    median: float | None
    p90: float | None
    low: float | None
    high: float | None
    verdict: MetricVerdict
    open_incidents: tuple[str, ...]
    longest_open: float | None
    unknown_incidents: tuple[str, ...]


def fingerprint(facts: Facts) -> str | None:
    """Return a text equal for the same root cause: kind, repo, metric and containment of the first cause.

    None without a cause, or where only its sentence is known. The sentence, the confidence and the severity differ from time
    to time and are not part of it.
    """
    if not facts.causes:
        return None
    first = facts.causes[0]
    if first.repo is None and first.containment_type is None:
        return None
    kinds = (first.cause_type, first.containment_type)
    cause_type, containment = ("" if kind is None else kind.value for kind in kinds)
    parts = (cause_type, first.repo or "", first.metric or "", containment)
    return sha256_hex("\0".join(parts).encode(errors="surrogatepass"))[:16]


@dataclass(frozen=True, slots=True)
class Lengths:
    """Durations of one metric, incident by incident.

    Attributes
    ----------
    known : tuple of (str, float)
        Incident and minutes.
    running : tuple of (str, float)
        Incident that has no value yet, and its age in minutes.
    unknown : tuple of str
        Incidents that are over and lack a time.
    """

    known: tuple[tuple[str, float], ...]
    running: tuple[tuple[str, float], ...]
    unknown: tuple[str, ...]


def lengths(metric_id: MetricId, incidents: Sequence[Facts], now: datetime) -> Lengths:
    """Return the durations that a metric is the mean of, each with its incident.

    Parameters
    ----------
    metric_id : MetricId
        One of durations; the recurrence rate has none.
    """
    _, begin, end = _DURATIONS[metric_id]
    known: list[tuple[str, float]] = []
    running: list[tuple[str, float]] = []
    unknown: list[str] = []
    for facts in incidents:
        start, stop = begin(facts), end(facts)
        if metric_id is MetricId.SLA_RECOVERY and not facts.slas:
            continue
        if start is not None and stop is not None and stop >= start:
            known.append((facts.incident_id, (stop - start).total_seconds() / 60))
        elif stop is None and not facts.is_over:
            running.append((facts.incident_id, (now - (start or facts.opened_at)).total_seconds() / 60))
        else:
            unknown.append(facts.incident_id)
    return Lengths(tuple(known), tuple(running), tuple(unknown))


def measure(incidents: Sequence[Facts], now: datetime, playbook: Playbook | None = None) -> tuple[MetricValue, ...]:
    """Return all metrics over the given incidents, in the playbook's order."""
    playbook = playbook or packaged()
    return tuple(_metric(row, incidents, incidents, now) for row in playbook.metrics)


def by_month(
    incidents: Sequence[Facts], now: datetime, playbook: Playbook | None = None
) -> dict[str, tuple[MetricValue, ...]]:
    """Return the metrics by the UTC month in which the incidents were opened, oldest first.

    A recurrence is looked for in all incidents, so that one on the first of a month still has its past.
    """
    playbook = playbook or packaged()
    months: dict[str, list[Facts]] = {}
    for facts in sorted(incidents, key=lambda facts: facts.opened_at):
        months.setdefault(f"{facts.opened_at.astimezone(UTC):%Y-%m}", []).append(facts)
    return {
        month: tuple(_metric(row, chosen, incidents, now) for row in playbook.metrics)
        for month, chosen in months.items()
    }


def median_interval(values: Sequence[float], confidence: float = CONFIDENCE) -> tuple[float | None, float | None]:
    """Return the interval of the median from order statistics, symmetric in rank.

    Parameters
    ----------
    confidence : float
        Least coverage.

    Returns
    -------
    low, high : float or None
        None, None where even the smallest and the largest value do not reach the coverage (under six values for 95 %).

    Examples
    --------
    >>> median_interval([1, 2, 3, 4, 5, 6])
    (1, 6)
    >>> median_interval([1, 2, 3, 4, 5])
    (None, None)
    """
    ordered, n = sorted(values), len(values)
    best: tuple[float | None, float | None] = (None, None)
    tail = 0.0
    for rank in range(n // 2):
        # P(median lies below the value of this rank) = P(Binomial(n, 1/2) <= rank)
        tail += math.comb(n, rank) / 2**n
        if 1 - 2 * tail < confidence:
            break
        best = (ordered[rank], ordered[n - 1 - rank])
    return best


def _metric(row: MetricRow, chosen: Sequence[Facts], everything: Sequence[Facts], now: datetime) -> MetricValue:
    if row.metric_id is MetricId.RECURRENCE:
        return _recurrence(row, chosen, everything)
    measured = lengths(row.metric_id, chosen, now)
    values = [minutes for _, minutes in measured.known]
    mean = math.fsum(values) / len(values) if values else None
    low, high = median_interval(values)
    limit = None if row.below is None else row.below.total_seconds() / 60
    return MetricValue(
        metric_id=row.metric_id,
        name=row.metric,
        definition=_DURATIONS[row.metric_id][0],
        target=row.target,
        unit="min",
        n=len(values),
        value=mean,
        median=_quantile(values, 0.5),
        p90=_quantile(values, 0.9),
        low=low,
        high=high,
        verdict=_verdict(mean, limit),
        open_incidents=tuple(name for name, _ in measured.running),
        longest_open=max((age for _, age in measured.running), default=None),
        unknown_incidents=measured.unknown,
    )


def _recurrence(row: MetricRow, chosen: Sequence[Facts], everything: Sequence[Facts]) -> MetricValue:
    from tars_lib.stats.counts import wilson_interval

    past = [(fingerprint(facts), facts.opened_at, facts.incident_id) for facts in everything]
    known, again = 0, 0
    running: list[str] = []
    unknown: list[str] = []
    for facts in chosen:
        mark = fingerprint(facts)
        if mark is None:
            (unknown if facts.is_over else running).append(facts.incident_id)
            continue
        known += 1
        again += any(
            other == mark
            and facts.opened_at - RECURRENCE_WINDOW <= opened
            and (opened, name) < (facts.opened_at, facts.incident_id)
            for other, opened, name in past
        )
    rate = again / known if known else None
    low, high = wilson_interval(again, known, CONFIDENCE) if known else (None, None)
    return MetricValue(
        metric_id=row.metric_id,
        name=row.metric,
        definition="incidents whose cause was that of another one in the 90 days before / incidents with a known cause",
        target=row.target,
        unit="ratio",
        n=known,
        value=rate,
        median=None,
        p90=None,
        low=low,
        high=high,
        verdict=_verdict(rate, row.below_share),
        open_incidents=tuple(running),
        longest_open=None,
        unknown_incidents=tuple(unknown),
    )


def _verdict(value: float | None, limit: float | None) -> MetricVerdict:
    if value is None or limit is None:
        return MetricVerdict.UNKNOWN
    return MetricVerdict.MET if value < limit else MetricVerdict.MISSED


def _quantile(values: Sequence[float], share: float) -> float | None:
    """Linear between order statistics (type 7 of Hyndman and Fan 1996, numpy's default)."""
    if not values:
        return None
    ordered = sorted(values)
    position = share * (len(ordered) - 1)
    below = math.floor(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (position - below) * (ordered[above] - ordered[below])


def _alerted(facts: Facts) -> datetime:
    return facts.detected_at or facts.opened_at


_Time = Callable[[Facts], datetime | None]
_STARTED = attrgetter("started_at")
_DURATIONS: dict[MetricId, tuple[str, _Time, _Time]] = {
    MetricId.MTTD: ("time of the alert - start of impact", _STARTED, _alerted),
    MetricId.MTTR: ("resolution - time of the alert", _alerted, attrgetter("resolved_at")),
    MetricId.SLA_RECOVERY: ("every breached SLA met again - start of impact", _STARTED, attrgetter("sla_restored_at")),
}
