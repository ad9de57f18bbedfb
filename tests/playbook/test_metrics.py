"""The metrics to track, by hand-computed cases and by simulation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from case_samples import BARE, CAUSE, FULL, at

from tars_lib.playbook.facts import Facts, Status
from tars_lib.playbook.metrics import MetricValue, MetricVerdict, by_month, fingerprint, measure, median_interval
from tars_lib.playbook.tables import MetricId


def incident(n: int, minutes: float, **changes: object) -> Facts:
    """The n-th incident, a day after the one before, resolved after that many minutes."""
    day = n * 1440
    facts = replace(
        FULL,
        incident_id=f"INC-{n}",
        opened_at=at(day),
        started_at=at(day - 3),
        detected_at=at(day),
        resolved_at=at(day + minutes),
        sla_restored_at=at(day + minutes - 1),
        causes=(replace(CAUSE, repo=f"repo-{n}"),),
    )
    return replace(facts, **changes)


def value(incidents: Sequence[Facts], metric: str) -> MetricValue:
    (found,) = [row for row in measure(incidents, at(100_000)) if row.metric_id is MetricId(metric)]
    return found


def test_durations_by_hand() -> None:
    found = value([incident(n, minutes) for n, minutes in enumerate((10, 20, 30, 40, 50, 500))], "MTTR")
    assert (found.n, found.value, found.median) == (6, pytest.approx(650 / 6), 35)
    assert found.p90 == pytest.approx(np.percentile([10, 20, 30, 40, 50, 500], 90))
    assert (found.low, found.high) == (10, 500)
    assert found.verdict is MetricVerdict.MET


@pytest.mark.parametrize(
    ("metric", "met", "missed"),
    [
        ("MTTD", {"started_at": at(-4.9)}, {"started_at": at(-5)}),
        ("MTTR", {"resolved_at": at(119.9)}, {"resolved_at": at(120)}),
        ("SLA_RECOVERY", {"sla_restored_at": at(236.9)}, {"sla_restored_at": at(237)}),
    ],
)
def test_a_target_is_met_below_it_and_missed_at_it(
    metric: str, met: dict[str, object], missed: dict[str, object]
) -> None:
    assert value([incident(0, 30, **met)], metric).verdict is MetricVerdict.MET
    assert value([incident(0, 30, **missed)], metric).verdict is MetricVerdict.MISSED


def test_without_incidents_nothing_is_claimed() -> None:
    for row in measure([], at(0)):
        assert (row.n, row.value, row.verdict) == (0, None, MetricVerdict.UNKNOWN)


def test_open_incidents_are_reported_apart_with_their_age() -> None:
    found = value([incident(0, 60), replace(BARE, incident_id="INC-9", opened_at=at(99_000))], "MTTR")
    assert (found.n, found.open_incidents, found.longest_open) == (1, ("INC-9",), 1000)


def test_a_missing_or_reversed_time_is_unknown_and_never_zero() -> None:
    found = value([incident(0, 60, started_at=None), incident(1, 60, started_at=at(1441))], "MTTD")
    assert (found.n, found.unknown_incidents) == (0, ("INC-0", "INC-1"))


def test_sla_recovery_concerns_incidents_with_a_breached_sla() -> None:
    found = value([incident(0, 60), incident(1, 60, slas=())], "SLA_RECOVERY")
    assert (found.n, found.unknown_incidents) == (1, ())


@pytest.mark.parametrize(("days", "is_again"), [(1, True), (90, True), (91, False)])
def test_a_recurrence_is_the_same_cause_within_90_days(days: int, is_again: bool) -> None:
    pair = [incident(0, 30, causes=(CAUSE,)), incident(days, 30, causes=(CAUSE,))]
    assert value(pair, "RECURRENCE").value == (0.5 if is_again else 0.0)
    assert value(pair[::-1], "RECURRENCE").value == (0.5 if is_again else 0.0)


def test_two_incidents_of_one_minute_are_one_recurrence() -> None:
    pair = [incident(0, 30, causes=(CAUSE,)), incident(0, 30, causes=(CAUSE,), incident_id="INC-0-2")]
    assert value(pair, "RECURRENCE").value == 0.5


def test_an_incident_without_a_cause_is_not_counted_as_new() -> None:
    found = value([incident(0, 30), incident(1, 30, causes=()), replace(BARE, incident_id="x")], "RECURRENCE")
    assert (found.n, found.unknown_incidents, found.open_incidents) == (1, ("INC-1",), ("x",))


@pytest.mark.parametrize(("repeated", "verdict"), [(0, "MET"), (2, "MISSED")])
def test_the_recurrence_rate_is_held_against_ten_percent(repeated: int, verdict: str) -> None:
    incidents = [incident(n, 30) for n in range(17)] + [
        incident(20 + n, 30, causes=(CAUSE,)) for n in range(repeated + 1)
    ]
    assert value(incidents, "RECURRENCE").verdict is MetricVerdict(verdict)


def test_a_fingerprint_is_of_the_cause_and_not_of_its_words() -> None:
    base = fingerprint(FULL)
    assert fingerprint(replace(FULL, causes=(replace(CAUSE, cause="api: other words", confidence=0.1),))) == base
    assert fingerprint(replace(FULL, causes=(replace(CAUSE, repo="web"),))) != base
    assert fingerprint(BARE) is None


def test_months_are_those_of_the_opening_in_utc_and_see_the_past() -> None:
    first = incident(0, 30, causes=(CAUSE,))
    second = incident(27, 30, causes=(CAUSE,))
    found = by_month([second, first], at(100_000))
    assert list(found) == ["2026-01", "2026-02"]
    rates = {
        month: next(row.value for row in rows if row.metric_id is MetricId.RECURRENCE) for month, rows in found.items()
    }
    assert rates == {"2026-01": 0.0, "2026-02": 1.0}


@pytest.mark.parametrize("n", [6, 11, 25])
def test_the_interval_of_the_median_covers_it_at_least_as_often_as_it_says(n: int) -> None:
    draws = np.random.default_rng(n).lognormal(3.0, 1.2, size=(2000, n))
    inside = 0
    for draw in draws:
        low, high = median_interval(draw.tolist())
        assert low is not None
        assert high is not None
        inside += low <= np.exp(3.0) <= high
    # 0.95 less three standard errors of 2,000 draws
    assert inside / 2000 >= 0.95 - 3 * (0.95 * 0.05 / 2000) ** 0.5


def test_a_reopened_incident_is_open() -> None:
    found = value([incident(0, 30, status=Status.OPEN, resolved_at=None)], "MTTR")
    assert (found.n, found.open_incidents) == (0, ("INC-0",))
    assert found.longest_open == timedelta(minutes=100_000).total_seconds() / 60
