"""How long a window is and where its days are cut."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tars_lib.errors import ConfigError
from tars_lib.model.slo import Window

BERLIN, KATHMANDU, UTC_ZONE = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kathmandu"), ZoneInfo("UTC")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("text", "window"),
    [
        ("30m", Window(minutes=30)),
        ("6h", Window(minutes=360)),
        ("30d", Window(days=30)),
        ("4w", Window(days=28)),
        (" 30 D ", Window(days=30)),
        (7, Window(days=7)),
    ],
)
def test_a_window_is_read_in_minutes_hours_days_or_weeks(text: str | int, window: Window) -> None:
    assert Window.parse(text) == window


@pytest.mark.parametrize("text", ["", "0d", "0", 0, -3, "30", "1.5h", "30s", "P30D", "d", "999999d", "m30"])
def test_anything_else_is_refused_with_what_is_allowed(text: str | int) -> None:
    with pytest.raises(ConfigError, match=r"is not allowed; a number with m, h, d or w is, such as 30m, 6h, 30d"):
        Window.parse(text)


@given(st.sampled_from("mhdw"), st.integers(1, 522))
def test_a_windows_text_reads_back_as_the_window(unit: str, amount: int) -> None:
    window = Window.parse(f"{amount}{unit}")
    assert Window.parse(str(window)) == window
    assert window.length.total_seconds() == amount * {"m": 60, "h": 3600, "d": 86400, "w": 604800}[unit]


def test_minutes_reach_back_from_as_of_whatever_the_zone() -> None:
    as_of = datetime(2026, 3, 29, 2, 10, tzinfo=UTC)
    assert Window.parse("30m").span(as_of, BERLIN, HOUR) == (as_of - timedelta(minutes=30), as_of, False)


def test_days_trail_from_the_same_local_time() -> None:
    as_of = datetime(2026, 1, 10, 20, 0, tzinfo=UTC)
    for zone in (KATHMANDU, UTC_ZONE):
        assert Window(days=1).span(as_of, zone, HOUR) == (as_of - DAY, as_of, False)


@pytest.mark.parametrize(
    ("as_of", "hours"),
    [
        (datetime(2026, 3, 29, 21, 30, tzinfo=UTC), 23),
        (datetime(2026, 10, 25, 22, 30, tzinfo=UTC), 25),
        (datetime(2026, 6, 1, 21, 30, tzinfo=UTC), 24),
    ],
)
def test_a_day_on_which_the_clock_changes_has_23_or_25_hours(as_of: datetime, hours: int) -> None:
    start, end, _ = Window(days=1).span(as_of, BERLIN, HOUR)
    assert end - start == timedelta(hours=hours)


def test_a_window_across_the_change_begins_at_the_same_local_time() -> None:
    # 14:00 in Berlin on both days: 12:00 UTC in summer, 13:00 in winter
    start, _, _ = Window(days=30).span(datetime(2026, 4, 10, 12, tzinfo=UTC), BERLIN, DAY)
    assert start == datetime(2026, 3, 11, 13, tzinfo=UTC)


def test_a_local_time_that_the_clocks_left_out_begins_where_they_go_on() -> None:
    # 02:30 on 29 March does not exist in Berlin; clocks go on at 01:00 UTC
    start, _, _ = Window(days=1).span(datetime(2026, 3, 30, 0, 30, tzinfo=UTC), BERLIN, HOUR)
    assert start == datetime(2026, 3, 29, 1, tzinfo=UTC)


@given(
    st.datetimes(datetime(2000, 1, 2), datetime(2040, 1, 1)),  # noqa: DTZ001 - hypothesis takes naive bounds
    st.integers(1, 100),
    st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns"]),
)
def test_a_window_of_days_begins_that_many_local_dates_before(naive: datetime, number: int, name: str) -> None:
    zone, as_of = ZoneInfo(name), naive.replace(tzinfo=UTC)
    start, end, is_partial = Window(days=number).span(as_of, zone, HOUR)
    assert (end, is_partial) == (as_of, False)
    assert (end.astimezone(zone).date() - start.astimezone(zone).date()).days == number
