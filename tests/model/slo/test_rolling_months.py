"""Rolling months: the same local day and hour so many months before, by the calendar and across clock changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tars_lib.errors import ConfigError
from tars_lib.files.json_records import from_json, to_json
from tars_lib.model.slo import Window

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = timedelta(hours=1)
INSTANT = timedelta(0)


@pytest.mark.parametrize(
    ("text", "as_of", "start"),
    [
        ("1M", datetime(2026, 3, 15, 12, tzinfo=UTC), datetime(2026, 2, 15, 12, tzinfo=UTC)),
        ("2M", datetime(2026, 3, 15, 12, tzinfo=UTC), datetime(2026, 1, 15, 12, tzinfo=UTC)),
        ("1Q", datetime(2026, 3, 15, 12, tzinfo=UTC), datetime(2025, 12, 15, 12, tzinfo=UTC)),
        ("1Y", datetime(2026, 3, 15, 12, tzinfo=UTC), datetime(2025, 3, 15, 12, tzinfo=UTC)),
        ("1M", datetime(2026, 3, 31, 12, tzinfo=UTC), datetime(2026, 2, 28, 12, tzinfo=UTC)),
        ("1Y", datetime(2028, 2, 29, 0, tzinfo=UTC), datetime(2027, 2, 28, 0, tzinfo=UTC)),
    ],
)
def test_rolling_months_begin_on_the_same_day(text: str, as_of: datetime, start: datetime) -> None:
    assert Window.rolling(text).span(as_of, ZoneInfo("UTC"), INSTANT) == (start, as_of, False)


def test_the_local_hour_stays_the_same_when_the_clocks_change() -> None:
    # 12:00 in Berlin is 10:00 UTC in summer and 11:00 UTC in winter
    as_of = datetime(2026, 4, 15, 10, tzinfo=UTC)
    start, _, _ = Window.rolling("1M").span(as_of, BERLIN, INSTANT)
    assert start == datetime(2026, 3, 15, 11, tzinfo=UTC)


def test_what_is_no_month_is_read_as_ever() -> None:
    assert Window.rolling("28d") == Window(days=28)
    assert Window.rolling("6h") == Window(minutes=360)


def test_months_have_a_limit_and_a_text_of_their_own() -> None:
    assert (str(Window.rolling("1M")), str(Window.aligned("1M", "2026-01-01"))) == ("1M", "calendar 1M")
    with pytest.raises(ConfigError, match=r"window '11Y' is not allowed; up to 3660 days are"):
        Window.rolling("11Y")
    assert from_json(Window, to_json(Window.rolling("1M")), "report") == Window.rolling("1M")


@pytest.mark.parametrize("text", ["1M", "2M", "1Q", "1Y", " 3M "])
def test_months_are_no_window_of_a_native_policy(text: str) -> None:
    with pytest.raises(ConfigError, match=r"months, quarters and years differ in length; write days, such as 30d"):
        Window.parse(text)


@pytest.mark.parametrize(
    ("text", "window"), [("30D", Window(days=30)), ("6H", Window(minutes=360)), ("4W", Window(days=28))]
)
def test_other_units_are_read_in_either_case(text: str, window: Window) -> None:
    assert Window.parse(text) == window
