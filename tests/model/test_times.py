"""Times have a zone, or are refused."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tars_lib.errors import ConfigError, InputError
from tars_lib.model.times import read_duration, read_local, read_time, read_zone


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-01-05T00:00:00Z", "2026-01-05T00:00:00+00:00"),
        ("2026-01-05 05:45:00+05:45", "2026-01-05T00:00:00+00:00"),
        ("2026-01-04T14:30:00-09:30", "2026-01-05T00:00:00+00:00"),
        (" 2026-01-05T00:00:00.000001Z ", "2026-01-05T00:00:00.000001+00:00"),
        ("20260105T000000Z", "2026-01-05T00:00:00+00:00"),
    ],
)
def test_any_offset_is_read_as_utc(text: str, utc: str) -> None:
    assert read_time(text, "x").isoformat() == utc


@pytest.mark.parametrize("text", ["2026-01-05T00:00:00", "2026-01-05", date(2026, 1, 5), datetime(2026, 1, 5)])  # noqa: DTZ001
def test_a_time_without_a_zone_is_refused_with_its_place_and_the_way_out(text: object) -> None:
    with pytest.raises(InputError, match=r"^events.csv, row 7: '2026-01-05.*has no time zone.*--assume-tz"):
        read_time(text, "events.csv, row 7")


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01T00:00:00Z", "1767225600", None, 12.5])
def test_what_is_no_time_is_refused_with_its_place_and_what_is_allowed(text: object) -> None:
    with pytest.raises(InputError, match=r"^a.json, entry 1: .* is not a time; allowed: ISO 8601"):
        read_time(text, "a.json, entry 1")


def test_a_time_before_year_one_in_utc_is_refused() -> None:
    with pytest.raises(InputError, match="outside the years"):
        read_time("0001-01-01T00:00:00+14:00", "x")


def test_an_assumed_zone_applies_only_where_none_is_named() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert read_time("2026-07-01T12:00:00", "x", berlin) == datetime(2026, 7, 1, 10, tzinfo=UTC)
    assert read_time("2026-07-01T12:00:00Z", "x", berlin) == datetime(2026, 7, 1, 12, tzinfo=UTC)


def test_an_hour_that_daylight_saving_repeats_is_its_first_pass() -> None:
    assert read_time("2026-10-25T02:30:00", "x", ZoneInfo("Europe/Berlin")) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize("name", ["Mars/Base", "", "../etc/passwd", "/etc/localtime", "UTC+1"])
def test_an_unknown_zone_is_refused_with_examples(name: str) -> None:
    with pytest.raises(ConfigError, match=r"is not known; allowed: IANA names such as Europe/Berlin"):
        read_zone(name)


@given(
    st.datetimes(datetime(1970, 1, 3), datetime(2199, 12, 30), timezones=st.timezones())  # noqa: DTZ001
)
def test_reading_what_was_written_gives_the_same_moment(time: datetime) -> None:
    offset = time.utcoffset()
    assert offset is not None
    assert read_time(time.isoformat(), "x") == time.astimezone(UTC)


@pytest.mark.parametrize("text", ["1969-12-31T23:59:59Z", "2200-01-01T00:00:01Z", "0001-01-01T00:00:00Z"])
def test_a_time_of_a_broken_clock_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"^x: '.*' is not allowed: a time from 1970 to the end of 2199 is$"):
        read_time(text, "x")


@pytest.mark.parametrize(
    ("text", "utc", "twice"),
    [
        ("2026-10-25T02:30:00", "2026-10-25T00:30:00+00:00", True),
        ("2026-10-25T01:30:00", "2026-10-24T23:30:00+00:00", False),
        ("2026-10-25T03:00:00", "2026-10-25T02:00:00+00:00", False),
    ],
)
def test_an_hour_that_the_clocks_showed_twice_is_its_first_pass_and_said(text: str, utc: str, twice: bool) -> None:
    time, is_twice = read_local(text, "x", read_zone("Europe/Berlin"))
    assert (time.isoformat(), is_twice) == (utc, twice)


def test_an_hour_that_the_clocks_left_out_is_refused_with_the_zone() -> None:
    with pytest.raises(InputError, match="^x: '2026-03-29 02:30:00' did not exist in Europe/Berlin, whose clocks went"):
        read_time("2026-03-29T02:30:00", "x", read_zone("Europe/Berlin"))


@pytest.mark.parametrize("text", ["P9999999999999999999999999999991D", f"PT{'9' * 5000}S", "P1000000000D", "P1W", "1D"])
def test_a_duration_beyond_the_calendar_or_of_another_form_is_refused_on_one_short_line(text: str) -> None:
    with pytest.raises(InputError, match="is not a duration; allowed: ") as refused:
        read_duration(text)
    assert len(str(refused.value)) < 200
