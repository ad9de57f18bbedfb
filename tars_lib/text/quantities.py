"""Numbers with their units, for sentences: rounded for the reader only."""

from __future__ import annotations

import math


def value_text(value: float | None, unit: str) -> str:
    """Return a value as a reader writes it.

    Ratios of one half and more are shown in percent with as many digits as it takes to tell them from 100%.

    Examples
    --------
    >>> value_text(0.99912, "ratio"), value_text(0.0123, "ratio"), value_text(1.9432, "s"), value_text(None, "s")
    ('99.912%', '1.23%', '1.94 s', 'unknown')
    >>> value_text(87.31, "score"), value_text(0.0042, "s")
    ('87.3', '4.2 ms')
    >>> value_text(99.95, "%"), value_text(1500000.0, "B"), value_text(2.5, "1/day"), value_text(5400.0, "s")
    ('99.95%', '1,500,000 B', '2.5 a day', '5,400 s')
    """
    if value is None:
        return "unknown"
    if unit == "ratio":
        return f"{_significant(100.0 * value, 100.0)}%"
    if unit == "%":
        return f"{_significant(value, 100.0)}%"
    if unit == "s":
        return f"{_plain(1000.0 * value)} ms" if abs(value) < 0.1 else f"{_plain(value)} s"
    if unit in ("score", ""):
        return _plain(value)
    if unit.startswith("1/"):
        return f"{_plain(value)} a {unit[2:]}"
    return f"{_plain(value)} {unit}"


def between_text(value: float, low: float, high: float, unit: str) -> str:
    """Return a value with its interval, all in the unit that fits the value.

    Examples
    --------
    >>> between_text(0.119, 0.037, 0.201, "s"), between_text(0.9968, 0.9967, 0.9969, "ratio")
    ('0.119 s (0.037 – 0.201)', '99.68% (99.67 – 99.69)')
    """
    scale = 1000.0 if unit == "s" and abs(value) < 0.1 else 1.0
    if unit in ("ratio", "%"):
        ends = [value_text(end, unit).removesuffix("%") for end in (low, high)]
    else:
        ends = [_plain(scale * end) for end in (low, high)]
    return f"{value_text(value, unit)} ({ends[0]} – {ends[1]})"


def days_text(value: float, low: float, high: float | None) -> str:
    """Return the days from now with their range, whole ones; `high` None is out of sight.

    Examples
    --------
    >>> days_text(14.0, 9.6, 20.0), days_text(1.0, 1.0, 1.0), days_text(12.0, 8.0, None)
    ('about 14 days (10 to 20)', 'about 1 day', 'about 12 days (8 or more)')
    """
    middle, first = (f"{number:.0f}" for number in (value, low))
    said = f"about {middle} day{'' if middle == '1' else 's'}"
    if high is None:
        return f"{said} ({first} or more)"
    return said if first == f"{high:.0f}" else f"{said} ({first} to {high:.0f})"


def _plain(value: float) -> str:
    """Three significant digits, all of those before the point, and no exponent."""
    if abs(value) >= 999.5:
        return f"{value:,.0f}"
    if 0.0 < abs(value) < 1e-4:
        return f"{value:.{2 - math.floor(math.log10(abs(value)))}f}".rstrip("0")
    return f"{value:.3g}"


def _significant(percent: float, ceiling: float) -> str:
    """Two digits of what is missing to the ceiling, where little is; else three of the number itself."""
    missing = ceiling - percent
    if 0.0 < missing < 1.0:
        digits = min(1 - math.floor(math.log10(missing)), 6)
        return f"{percent:.{digits}f}".rstrip("0").rstrip(".")
    return f"{percent:.3g}"
