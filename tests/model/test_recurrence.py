"""What comes again: by local time across clock changes, within a stretch of time, and what lies outside."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tars_lib.model.recurrence import Recurring, outside

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def nightly(
    start: str, rule: str = "FREQ=DAILY", *, days: int = 0, minutes: int = 120, zone: str = "Europe/Berlin"
) -> Recurring:
    return Recurring("night", datetime.fromisoformat(start), days, minutes, rule, zone)


def test_an_hour_stays_where_it_is_in_local_time() -> None:
    # Berlin goes from +1 to +2 on 29 March 2026, at 01:00 UTC
    spans = nightly("2026-03-28T22:00").spans(at("2026-03-28"), at("2026-03-31"), 99)
    assert spans == [
        (at("2026-03-28T21:00"), at("2026-03-28T23:00")),
        (at("2026-03-29T20:00"), at("2026-03-29T22:00")),
        (at("2026-03-30T20:00"), at("2026-03-30T22:00")),
    ]


def test_a_time_that_the_clocks_skip_is_read_with_the_offset_before_the_gap() -> None:
    # 02:30 does not exist on 29 March: with +1 it is 01:30 UTC, which the clocks show as 03:30
    spans = nightly("2026-03-28T02:30").spans(at("2026-03-28"), at("2026-03-30T12:00"), 99)
    assert [start for start, _ in spans] == [at("2026-03-28T01:30"), at("2026-03-29T01:30"), at("2026-03-30T00:30")]


def test_a_time_that_the_clocks_show_twice_is_its_first_pass_and_minutes_are_exact() -> None:
    # 02:30 comes twice on 25 October: first with +2
    (_, span, _) = nightly("2026-10-24T02:30").spans(at("2026-10-24"), at("2026-10-26T12:00"), 99)
    assert span == (at("2026-10-25T00:30"), at("2026-10-25T02:30"))


def test_a_day_is_as_long_as_the_clocks_make_it() -> None:
    (spring,) = nightly("2026-03-29T00:00", "", days=1, minutes=0).spans(at("2026-03-01"), at("2026-04-01"), 99)
    (autumn,) = nightly("2026-10-25T00:00", "", days=1, minutes=0).spans(at("2026-10-01"), at("2026-11-01"), 99)
    assert (spring[1] - spring[0], autumn[1] - autumn[0]) == (23 * HOUR, 25 * HOUR)


def test_only_what_touches_the_stretch_is_returned() -> None:
    rule = nightly("2020-01-01T23:00", zone="UTC")
    spans = rule.spans(at("2026-01-05T00:30"), at("2026-01-06T23:00"), 99)
    assert [start for start, _ in spans] == [at("2026-01-04T23:00"), at("2026-01-05T23:00"), at("2026-01-06T23:00")]
    assert rule.spans(at("2019-01-01"), at("2019-02-01"), 99) == []


def test_there_is_an_end_to_what_is_returned() -> None:
    assert len(nightly("2020-01-01T23:00").spans(at("2020-01-01"), at("2030-01-01"), 10)) == 11


@pytest.mark.parametrize(
    ("rule", "days"),
    [
        ("FREQ=WEEKLY;BYDAY=TU,TH", [6, 8, 13]),
        ("FREQ=MONTHLY;BYDAY=2TU", [13]),
        ("FREQ=DAILY;INTERVAL=5", [6, 11]),
        ("FREQ=DAILY;COUNT=2", [6, 7]),
        ("FREQ=DAILY;UNTIL=20260108T120000", [6, 7, 8]),
        ("", [6]),
    ],
)
def test_rules_of_calendars(rule: str, days: list[int]) -> None:
    # 6 January 2026 is a Tuesday
    spans = nightly("2026-01-06T12:00", rule, zone="UTC").spans(at("2026-01-01"), at("2026-01-14"), 99)
    assert [start.day for start, _ in spans] == days


hours = st.integers(0, 72)


@given(st.lists(st.tuples(hours, st.integers(1, 30)), max_size=8), st.integers(0, 40), st.integers(1, 40))
def test_outside_is_every_hour_that_no_span_holds(spans: list[tuple[int, int]], first: int, length: int) -> None:
    zero = at("2026-01-05")
    found = outside(
        [(zero + a * HOUR, zero + (a + b) * HOUR) for a, b in spans],
        zero + first * HOUR,
        zero + (first + length) * HOUR,
    )
    free = {h for h in range(first, first + length) if not any(a <= h < a + b for a, b in spans)}
    assert {h for h in range(200) if any(a <= zero + h * HOUR < b for a, b in found)} == free
