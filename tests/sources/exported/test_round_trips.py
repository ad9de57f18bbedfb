"""What is written in any unit, epoch or zone is read back as what it was."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tars_lib.errors import InputError
from tars_lib.model.history import to_micros
from tars_lib.model.metrics import Metric
from tars_lib.model.units import factor_between
from tars_lib.sources.exported.clock import EPOCHS, read_times
from tars_lib.sources.exported.quantities import decimal_mark, read_values
from tars_lib.sources.exported.settled import settle
from tars_lib.sources.exported.shapes import Choices, SampledSeries

NIGHTS = (
    ("Europe/Berlin", datetime(2026, 10, 25, 1, tzinfo=UTC), 60),
    ("America/New_York", datetime(2026, 11, 1, 6, tzinfo=UTC), 60),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 15, tzinfo=UTC), 30),
)
"""Zone, the instant at which its clocks go back, and by how many minutes."""


def place(position: int) -> str:
    """How a message names a cell."""
    return f"row {position}"


def micros(times: Sequence[datetime]) -> list[int]:
    """Times as the history keeps them."""
    return [to_micros(time) for time in times]


@given(
    st.lists(st.integers(946_684_800_000_000, 4_102_444_799_999_999), min_size=1, max_size=20),
    st.sampled_from(sorted(EPOCHS)),
)
def test_a_count_since_1970_is_known_by_its_magnitude(times: list[int], unit: str) -> None:
    cells = [str(time * EPOCHS[unit] // 1_000_000) for time in times]
    read = read_times(cells, place)
    assert f"counted in {unit} since" in read.zone
    exact = [int(Fraction(int(cell), EPOCHS[unit]) * 1_000_000) for cell in cells]
    assert read.micros.tolist() == exact


def test_seconds_with_fractions_keep_them() -> None:
    assert read_times(["1767571200.25", "1767571200.5"], place).micros.tolist() == [1767571200250000, 1767571200500000]


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["86400", "86401"], "row 0: 86400 is a count .* --epoch"),
        (["1767571200", "1767571200000"], "row 1: 1767571200000 counts ms since 1970 .* the rows before count s"),
        (["5000000000000000000000"], "--epoch"),
        (["2026-01-05T00:00:00Z", ""], "row 1: empty; a time is needed"),
        (["2026-01-05T00:00:00Z", "soon"], "row 1: 'soon' is not a time; .* --time-format"),
        (["2026-01-05 00:00"], "row 0: '2026-01-05 00:00' has no time zone; --tz ZONE"),
        (["13/01/2026 00:00", "01/13/2026 00:00"], "row 1: '01/13/2026 00:00' has the month first, row 0 has the day"),
        (["1/2/2026 00:00"], "--time-format"),
        (["2250-01-05T00:00:00Z"], "a time from 1970 to the end of 2199"),
    ],
)
def test_what_no_time_can_be_told_of_is_refused_with_the_option(cells: list[str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_times(cells, place)


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["01/13/2026 1:30 PM"], datetime(2026, 1, 13, 13, 30, tzinfo=UTC)),
        (["01/13/2026 12:30:05 am"], datetime(2026, 1, 13, 0, 30, 5, tzinfo=UTC)),
        (["13/01/2026 13:30"], datetime(2026, 1, 13, 13, 30, tzinfo=UTC)),
        (["2026/01/13 13:30"], datetime(2026, 1, 13, 13, 30, tzinfo=UTC)),
        (["2026-01-13 13:30:00 UTC"], datetime(2026, 1, 13, 13, 30, tzinfo=UTC)),
        (["2026-01-13 13:30:00 +0200"], datetime(2026, 1, 13, 11, 30, tzinfo=UTC)),
    ],
)
def test_other_forms_of_a_time(cells: list[str], expected: datetime) -> None:
    assert read_times(cells, place, zone=ZoneInfo("UTC")).micros.tolist() == micros([expected])


@pytest.mark.parametrize(("name", "back", "minutes"), NIGHTS)
@pytest.mark.parametrize("step", [5, 10, 30])
@pytest.mark.parametrize("is_newest_first", [False, True])
def test_a_night_on_which_clocks_go_back(
    name: str, back: datetime, minutes: int, step: int, is_newest_first: bool
) -> None:
    zone = ZoneInfo(name)
    times = [back + timedelta(minutes=step * k) for k in range(-240 // step, 240 // step)]
    if is_newest_first:
        times = times[::-1]
    cells = [f"{time.astimezone(zone):%Y-%m-%d %H:%M:%S}" for time in times]
    read = read_times(cells, place, zone=zone)
    assert read.micros.tolist() == micros(times)
    assert "because its clocks went back" in read.notes[0]
    # without the second pass nobody knows which one is there
    once = [
        cell for cell, time in zip(cells, times, strict=True) if not back <= time < back + timedelta(minutes=minutes)
    ]
    with pytest.raises(InputError, match="came twice in .* export it in UTC"):
        read_times(once, place, zone=zone)


def test_rows_of_several_series_are_told_apart_on_such_a_night() -> None:
    zone = ZoneInfo("Europe/Berlin")
    times = [datetime(2026, 10, 25, tzinfo=UTC) + timedelta(minutes=30 * k) for k in range(6)]
    cells = [f"{time.astimezone(zone):%Y-%m-%d %H:%M:%S}" for time in times for _ in range(2)]
    doubled = [time for time in times for _ in range(2)]
    read = read_times(cells, place, zone=zone, groups=["web", "api"] * 6)
    assert read.micros.tolist() == micros(doubled)
    with pytest.raises(InputError, match="the rows are in no order"):
        read_times(cells, place, zone=zone)


def test_a_time_that_no_clock_showed_is_refused() -> None:
    with pytest.raises(InputError, match="row 1: '2026-03-29 02:30:00' did not exist in Europe/Berlin"):
        read_times(["2026-03-29 01:30:00", "2026-03-29 02:30:00"], place, zone=ZoneInfo("Europe/Berlin"))


@given(
    st.lists(
        st.tuples(st.integers(0, 10**6), st.sampled_from(["ns", "us", "µs", "ms", "s", "min", "h", "d"])), min_size=1
    )
)
def test_times_in_any_mixture_of_units_are_exact(cells: list[tuple[int, str]]) -> None:
    read = read_values([f"{value / 100} {unit}" for value, unit in cells], place)
    for got, (value, unit) in zip(read.values, cells, strict=True):
        factor = factor_between(unit, read.unit)
        assert factor is not None
        assert got == float(Fraction(str(value / 100)) * factor)


@given(st.lists(st.decimals(-(10**6), 10**6, places=2), min_size=1, max_size=20), st.booleans())
def test_grouped_numbers_with_either_decimal_mark(values: list[object], is_comma: bool) -> None:
    cells = [f"{value:,.2f}" for value in values]
    if is_comma:
        cells = [cell.translate(str.maketrans(",.", ".,")) for cell in cells]
    mark = decimal_mark([(cell, lambda: "row") for cell in cells])
    assert mark == ("," if is_comma else ".")
    assert read_values(cells, place, mark).values.tolist() == [float(str(value)) for value in values]


@pytest.mark.parametrize(
    ("cell", "value", "unit"),
    [
        ("120 ms", 120.0, "ms"),
        ("1.2kB", 1.2, "kB"),
        ("99.5%", 99.5, "%"),
        ("3.4 K", 3400.0, ""),
        ("1.5 Mil", 1_500_000.0, ""),
        ("1.2 K req/s", 1200.0, "req/s"),
        ("12 reqps", 12.0, "req/s"),
        ("3 K/s", 3000.0, "1/s"),
        ("5 mins", 5.0, "min"),
        ("-3", -3.0, ""),
        ("\u22123", -3.0, ""),
        ("1e3", 1000.0, ""),
        (".5", 0.5, ""),
        ("1 234", 1234.0, ""),
        ("1\u00a0234.5 s", 1234.5, "s"),
    ],
)
def test_a_cell_as_people_read_it(cell: str, value: float, unit: str) -> None:
    read = read_values([cell], place)
    assert (read.values.tolist(), read.unit) == ([value], unit)


@pytest.mark.parametrize("cell", ["", "NaN", "null", "N/A", "-", "undefined", "No data", "#N/A", "None"])
def test_a_cell_without_a_value(cell: str) -> None:
    assert np.isnan(read_values([cell], place).values).all()


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["12 m"], "m can be read as thousandths, minutes or metres"),
        (["12 parsecs"], "parsecs is no unit that is known"),
        (["1.2.3"], "'1.2.3' is not a number"),
        (["12 ms", "13"], "row 1: '13' has no unit, and others of the column have \\(ms\\)"),
        (["12 ms", "13 kB"], "row 1: kB does not convert to ms"),
        (["1h 35min"], "is no unit that is known"),
        (["0x10"], "is no unit that is known"),
        (["1e999999"], "beyond every number"),
        (["twelve"], "'twelve' is not a number"),
    ],
)
def test_a_cell_that_cannot_be_read_is_refused_with_its_row(cells: list[str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_values(cells, place)


def test_both_decimal_marks_in_one_table_are_refused_with_both_places() -> None:
    cells = [("1.234,5", lambda: "row 2"), ("1,234.5", lambda: "row 3")]
    with pytest.raises(InputError, match=r"row 2: '1.234,5' has a decimal comma, row 3: '1,234.5' a decimal point"):
        decimal_mark(cells)


@given(
    st.lists(st.floats(-1e12, 1e12, allow_subnormal=False), min_size=1, max_size=20),
    st.sampled_from([("ms", "s"), ("s", "ms"), ("%", "ratio"), ("min", "h"), ("KiB", "B"), ("ns", "d"), ("MB", "kB")]),
)
def test_a_conversion_is_exact_in_decimals(values: list[float], units: tuple[str, str]) -> None:
    given_unit, kept = units
    series = SampledSeries("web", "own", np.arange(len(values)), np.array([*values]), given_unit)
    (moved,), (told,) = settle([series], Choices(), {"own": Metric("own", kept)}, "file")
    factor = factor_between(given_unit, kept)
    assert factor is not None
    assert moved.value.tolist() == [float(Fraction(repr(value)) * factor) for value in values]
    assert (told.unit, told.why) == (kept, f"converted from {given_unit}, as the file says")
