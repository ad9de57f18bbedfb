"""Units: spellings, exact factors, and what a metric's name says."""

from __future__ import annotations

from fractions import Fraction

import pytest

from tars_lib.model.metrics import known_metric, percent_of
from tars_lib.model.units import factor_between, times, unit_in_name, unit_of
from tars_lib.text.quantities import between_text, value_text


@pytest.mark.parametrize(
    ("spelling", "symbol"),
    [
        ("milliseconds", "ms"), ("MS", "ms"), ("µs", "us"), ("seconds", "s"), ("Minutes", "min"), ("hrs", "h"),
        ("percent", "%"), ("pct", "%"), ("fraction", "ratio"), ("bytes", "B"), ("kb", "kB"), ("kib", "KiB"),
        ("messages", "messages"), ("EUR", "EUR"), ("rps", "req/s"), ("1/day", "1/day"),
    ],
)  # fmt: skip
def test_a_unit_is_known_in_its_spellings(spelling: str, symbol: str) -> None:
    assert unit_of(spelling).symbol == symbol


@pytest.mark.parametrize(
    ("given", "wanted", "factor"),
    [
        ("us", "ms", Fraction(1, 1000)), ("ms", "s", Fraction(1, 1000)), ("min", "h", Fraction(1, 60)),
        ("days", "h", Fraction(24)), ("%", "ratio", Fraction(1, 100)), ("KiB", "B", Fraction(1024)),
        ("MB", "kB", Fraction(1000)), ("MiB", "KiB", Fraction(1024)), ("req/s", "req/min", Fraction(60)),
        ("1/week", "1/day", Fraction(1, 7)), ("MB/s", "kB/s", Fraction(1000)), ("EUR", "EUR", Fraction(1)),
    ],
)  # fmt: skip
def test_units_of_one_dimension_convert_exactly(given: str, wanted: str, factor: Fraction) -> None:
    assert factor_between(given, wanted) == factor


@pytest.mark.parametrize(
    ("given", "wanted"), [("ms", "ratio"), ("messages", "EUR"), ("B", "s"), ("MB/s", "req/s"), ("score", "%")]
)
def test_units_of_two_dimensions_do_not_convert(given: str, wanted: str) -> None:
    assert factor_between(given, wanted) is None


def test_a_conversion_is_exact_in_decimals() -> None:
    assert times(99.95, Fraction(1, 100)) == 0.9995
    assert times(500, Fraction(1, 1000)) == 0.5


@pytest.mark.parametrize(
    ("name", "unit", "direction", "maximum"),
    [
        ("latency_ms", "ms", False, None), ("latency_p99_us", "us", False, None), ("latency_ms_p95", "ms", False, None),
        ("latency_seconds", "s", False, None), ("availability_percent", "%", True, 100.0),
        ("error_rate_ratio", "ratio", False, 1.0), ("time_to_restore_minutes", "min", False, None),
        ("cache_hit_ratio", "ratio", None, 1.0), ("cpu_percent", "%", None, None), ("heap_bytes", "B", None, None),
        ("jobs_total", "count", None, None), ("sent_bytes_total", "B", None, None), ("queue_depth", "", None, None),
    ],
)  # fmt: skip
def test_a_name_tells_unit_direction_and_range(
    name: str, unit: str, direction: bool | None, maximum: float | None
) -> None:
    metric = known_metric(name)
    assert (metric.unit, metric.higher_is_better, metric.maximum) == (unit, direction, maximum)


def test_bounds_of_a_known_metric_are_in_the_unit_of_the_name() -> None:
    restore = known_metric("time_to_restore_minutes")
    assert (restore.healthy, restore.unhealthy) == (60.0, 10_080.0)
    assert unit_in_name("time_to_restore") == ("time_to_restore", "")


def test_the_whole_of_a_share() -> None:
    assert [percent_of(unit) for unit in ("ratio", "%", "s", "")] == [1.0, 100.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (47.5, "ms", "47.5 ms"), (1234.5, "ms", "1,234 ms"), (99.95, "%", "99.95%"), (0.925, "%", "0.925%"),
        (3.2e9, "B", "3,200,000,000 B"), (12.5, "messages", "12.5 messages"), (2.0, "1/week", "2 a week"),
        (7200.0, "s", "7,200 s"), (0.00001, "MB", "0.00001 MB"), (250.0, "req/s", "250 req/s"),
    ],
)  # fmt: skip
def test_a_value_is_printed_in_its_unit_without_an_exponent(value: float, unit: str, text: str) -> None:
    assert value_text(value, unit) == text


def test_an_interval_is_printed_in_the_unit_of_its_value() -> None:
    assert between_text(1500.0, 1400.0, 1600.0, "ms") == "1,500 ms (1,400 – 1,600)"
    assert between_text(99.5, 99.25, 99.75, "%") == "99.5% (99.25 – 99.75)"
