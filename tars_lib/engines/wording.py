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


def _significant(percent: float, ceiling: float) -> str:
    """Two digits of what is missing to the ceiling, where little is; else three of the number itself."""
    missing = ceiling - percent
    if 0.0 < missing < 1.0:
        digits = min(1 - math.floor(math.log10(missing)), 6)
        return f"{percent:.{digits}f}".rstrip("0").rstrip(".")
    return f"{percent:.3g}"
