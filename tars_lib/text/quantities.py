"""Numbers with their units, for sentences: rounded for the reader only."""

from __future__ import annotations

import math


def value_text(value: float | None, unit: str) -> str:
    """A value as a reader writes it.

    Ratios of one half and more are shown in percent with as many digits as it takes to tell them from 100 %.

    Examples
    --------
    >>> value_text(0.99912, "ratio"), value_text(0.0123, "ratio"), value_text(1.9432, "s"), value_text(None, "s")
    ('99.912 %', '1.23 %', '1.94 s', 'unknown')
    >>> value_text(87.31, "score"), value_text(0.0042, "s")
    ('87.3', '4.2 ms')
    """
    if value is None:
        return "unknown"
    if unit == "ratio":
        return f"{_significant(100.0 * value, 100.0)} %"
    if unit == "s":
        return f"{1000.0 * value:.3g} ms" if abs(value) < 0.1 else f"{value:.3g} s"
    if unit in ("score", ""):
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
    return f"{value:.3g} {unit}"


def between_text(value: float, low: float, high: float, unit: str) -> str:
    """A value with its interval, all in the unit that fits the value.

    Examples
    --------
    >>> between_text(0.119, 0.037, 0.201, "s"), between_text(0.9968, 0.9967, 0.9969, "ratio")
    ('0.119 s (0.037 – 0.201)', '99.68 % (99.67 – 99.69)')
    """
    scale = 1000.0 if unit == "s" and abs(value) < 0.1 else 1.0
    if unit == "ratio":
        ends = [value_text(end, unit).removesuffix(" %") for end in (low, high)]
    else:
        ends = [f"{scale * end:.3g}" for end in (low, high)]
    return f"{value_text(value, unit)} ({ends[0]} – {ends[1]})"


def days_text(value: float, low: float, high: float | None) -> str:
    """Days from now with their range, whole ones; `high` None is out of sight.

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


def _significant(percent: float, ceiling: float) -> str:
    """Two digits of what is missing to the ceiling, where little is; else three of the number itself."""
    missing = ceiling - percent
    if 0.0 < missing < 1.0:
        digits = min(1 - math.floor(math.log10(missing)), 6)
        return f"{percent:.{digits}f}".rstrip("0").rstrip(".")
    return f"{percent:.3g}"
