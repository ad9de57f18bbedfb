"""Windows of the calendar: where the present period begins, and what no period may be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tars_lib.errors import ConfigError
from tars_lib.model.slo import Window


@pytest.mark.parametrize(
    ("duration", "anchor", "zone", "as_of", "start"),
    [
        ("1M", "2020-01-31T00:00:00", "UTC", "2026-03-01T00:00:00", "2026-02-28T00:00:00"),
        ("1M", "2020-01-31T00:00:00", "UTC", "2026-02-27T23:59:00", "2026-01-31T00:00:00"),
        ("1Q", "2026-01-01T00:00:00", "UTC", "2026-05-05T00:00:00", "2026-04-01T00:00:00"),
        ("1Y", "2024-02-29T00:00:00", "UTC", "2026-02-28T00:00:00", "2026-02-28T00:00:00"),
        ("1w", "2026-01-05T00:00:00", "UTC", "2026-01-18T23:00:00", "2026-01-12T00:00:00"),
        ("10d", "2026-01-01T12:00:00", "UTC", "2026-01-11T11:59:00", "2026-01-01T12:00:00"),
        ("1M", "2030-01-01T00:00:00", "UTC", "2026-01-01T00:00:00", "2026-01-01T00:00:00"),
        ("1M", "2026-01-01T00:00:00", "Asia/Kathmandu", "2026-01-31T18:15:00", "2026-01-31T18:15:00"),
        ("1M", "2026-01-01T00:00:00", "Europe/Berlin", "2026-04-15T00:00:00", "2026-03-31T22:00:00"),
    ],
)
def test_a_period_begins_where_the_calendar_says(duration: str, anchor: str, zone: str, as_of: str, start: str) -> None:
    time = datetime.fromisoformat(as_of).replace(tzinfo=UTC)
    begin, end, _ = Window.aligned(duration, anchor).span(time, ZoneInfo(zone), timedelta(hours=1))
    assert (begin, end) == (datetime.fromisoformat(start).replace(tzinfo=UTC), time)


@given(
    st.datetimes(datetime(2001, 1, 1), datetime(2040, 1, 1)),  # noqa: DTZ001 - hypothesis takes naive bounds
    st.datetimes(datetime(2001, 1, 1), datetime(2040, 1, 1)),  # noqa: DTZ001
    st.sampled_from(["1d", "2w", "1M", "5M", "1Q", "1Y"]),
    st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kathmandu"]),
)
def test_a_time_lies_in_its_own_period(anchor: datetime, naive: datetime, period: str, zone: str) -> None:
    window, as_of = Window.aligned(period, anchor.replace(microsecond=0).isoformat()), naive.replace(tzinfo=UTC)
    start, end, _ = window.span(as_of, ZoneInfo(zone), timedelta(hours=1))
    # a clock that is put back repeats an hour, which belongs to both days
    assert start <= end + timedelta(hours=1)
    longest = {"1d": 1, "2w": 14, "1M": 31, "5M": 153, "1Q": 92, "1Y": 366}[period]
    assert end - start <= timedelta(days=longest, hours=1)


def test_a_calendar_window_is_partial_until_the_last_sample_of_its_period() -> None:
    window, hour = Window.aligned("1M", "2026-01-01T00:00:00"), timedelta(hours=1)
    for as_of, is_partial in (
        (datetime(2026, 1, 31, 22, tzinfo=UTC), True),
        (datetime(2026, 1, 31, 23, tzinfo=UTC), False),
    ):
        assert window.span(as_of, ZoneInfo("UTC"), hour)[2] is is_partial


@pytest.mark.parametrize(
    ("period", "anchor", "message"),
    [
        ("1h", "2026-01-01", "period '1h' is not allowed; a number with d, w, M, Q or Y is"),
        ("0M", "2026-01-01", "period '0M' is not allowed"),
        ("1M", "soon", "start 'soon' is not a time"),
        ("1M", "2026-01-01T00:00:00Z", "names a zone; a local time is allowed"),
    ],
)
def test_another_period_or_start_is_refused(period: str, anchor: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Window.aligned(period, anchor)
