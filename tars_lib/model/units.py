"""Units of measure: how they are spelt, which can be turned into each other, and which one a metric's name tells.

A unit that is not known here (`messages`, `EUR`) is a unit of its own: it is printed as given and converts to nothing else.

References
----------
OpenMetrics 1.0, Units and Base Units, https://prometheus.io/docs/specs/om/open_metrics_spec/#units-and-base-units
IEC 80000-13 (binary prefixes)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from types import MappingProxyType

TIME, SHARE, BYTES, RATE, COUNT, SCORE = "time", "share", "bytes", "rate", "count", "score"


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit.

    Attributes
    ----------
    symbol : str
        As it is printed.
    dimension : str
        Units of one dimension convert into each other; empty: a unit of its own.
    factor : Fraction
        How many of the dimension's base units one of it is; exact.
    """

    symbol: str
    dimension: str = ""
    factor: Fraction = Fraction(1)


_UNITS: tuple[tuple[str, str, Fraction, tuple[str, ...]], ...] = (
    ("ns", TIME, Fraction(1, 10**9), ("nanosecond", "nanoseconds", "nsec")),
    ("us", TIME, Fraction(1, 10**6), ("µs", "μs", "microsecond", "microseconds", "usec")),
    ("ms", TIME, Fraction(1, 1000), ("millisecond", "milliseconds", "msec", "millis")),
    ("s", TIME, Fraction(1), ("second", "seconds", "sec", "secs")),
    ("min", TIME, Fraction(60), ("minute", "minutes", "mins")),
    ("h", TIME, Fraction(3600), ("hour", "hours", "hr", "hrs")),
    ("d", TIME, Fraction(86_400), ("day", "days")),
    ("w", TIME, Fraction(604_800), ("week", "weeks", "wk")),
    ("ratio", SHARE, Fraction(1), ("share", "fraction", "proportion", "0-1")),
    ("%", SHARE, Fraction(1, 100), ("percent", "pct", "percentage", "per cent", "0-100 %")),
    ("score", SCORE, Fraction(1), ("points", "0-100")),
    ("count", COUNT, Fraction(1), ("counts", "number", "1")),
    ("B", BYTES, Fraction(1), ("byte", "bytes")),
    *((f"{p}B", BYTES, Fraction(1000**n), (f"{p.lower()}b", f"{long}byte", f"{long}bytes"))
      for n, p, long in ((1, "k", "kilo"), (2, "M", "mega"), (3, "G", "giga"), (4, "T", "tera"))),
    *((f"{p}iB", BYTES, Fraction(1024**n), (f"{p.lower()}ib", f"{long}byte", f"{long}bytes"))
      for n, p, long in ((1, "K", "kibi"), (2, "M", "mebi"), (3, "G", "gibi"), (4, "T", "tebi"))),
)  # fmt: skip
_BY_SYMBOL: Mapping[str, Unit] = MappingProxyType(
    {symbol: Unit(symbol, dimension, factor) for symbol, dimension, factor, _ in _UNITS}
)
_BY_WORD: Mapping[str, Unit] = MappingProxyType(
    {word: _BY_SYMBOL[symbol] for symbol, _, _, spellings in _UNITS for word in (*spellings, symbol.lower())}
)
_PER_SECOND = {"rps": "req/s", "qps": "req/s", "tps": "req/s", "hz": "1/s"}
_RATE = re.compile(r"(.+?)\s*(?:/|\bper\b|\ba\b)\s*([^/\s]+)")

# What a name may end in after its unit: how the samples were put together.
_AGGREGATE = re.compile(r"_(total|p\d{1,4}|mean|avg|average|median|max|sum)$")
_SUFFIXES: Mapping[str, str] = MappingProxyType(
    {word: word for word in ("ns", "us", "ms", "kb", "mb", "gb", "tb", "kib", "mib", "gib", "tib", "ratio", "pct")}
    | {
        word: word
        for symbol, kind, _, spellings in _UNITS
        if kind in (TIME, BYTES)
        for word in spellings
        if word.endswith("s")
    }
    | {"percent": "%", "sec": "s", "µs": "us"}
)


@lru_cache(maxsize=512)
def unit_of(text: str) -> Unit:
    """Read a unit in any of its spellings.

    Examples
    --------
    >>> unit_of("Milliseconds").symbol, unit_of("percent").symbol, unit_of("KiB").factor, unit_of("messages").dimension
    ('ms', '%', Fraction(1024, 1), '')
    >>> unit_of("req/s").dimension, unit_of("deploys per week").factor
    ('rate', Fraction(1, 604800))
    """
    plain = " ".join(text.split())
    known = _BY_SYMBOL.get(plain) or _BY_WORD.get(plain.lower())
    if known is not None:
        return known
    plain = _PER_SECOND.get(plain.lower(), plain)
    parts = _RATE.fullmatch(plain)
    if parts is not None and (length := unit_of(parts[2])).dimension == TIME:
        counted = unit_of(parts[1])
        dimension = f"{counted.dimension} a time" if counted.dimension not in ("", COUNT) else RATE
        return Unit(plain, dimension, counted.factor / length.factor)
    return Unit(plain)


def factor_between(unit: str, wanted: str) -> Fraction | None:
    """Return how many `wanted` one `unit` is; None where the two do not convert.

    Examples
    --------
    >>> factor_between("min", "h"), factor_between("ms", "ratio"), factor_between("EUR", "EUR")
    (Fraction(1, 60), None, Fraction(1, 1))
    """
    source, other = unit_of(unit), unit_of(wanted)
    if source.symbol == other.symbol:
        return Fraction(1)
    if not source.dimension or source.dimension != other.dimension:
        return None
    return source.factor / other.factor


def times(value: float, factor: Fraction) -> float:
    """A number times a factor, exact in decimals: 99.95 % is 0.9995, not its neighbour.

    Examples
    --------
    >>> times(99.95, Fraction(1, 100))
    0.9995
    """
    return value if factor == 1 else float(Fraction(repr(float(value))) * factor)


def units_like(unit: str) -> str:
    """Units that convert into one, for messages.

    Examples
    --------
    >>> units_like("ratio"), units_like("messages")
    ('ratio, %', 'messages')
    """
    mine = unit_of(unit)
    return ", ".join(row[0] for row in _UNITS if row[1] == mine.dimension) or mine.symbol


def unit_in_name(name: str) -> tuple[str, str]:
    """Split a metric's name into the name without its unit, and the unit; empty where it names none.

    Examples
    --------
    >>> unit_in_name("latency_ms_p95"), unit_in_name("error_rate_percent"), unit_in_name("jobs_total")
    (('latency_p95', 'ms'), ('error_rate', '%'), ('jobs', 'count'))
    >>> unit_in_name("availability"), unit_in_name("sent_bytes_total")
    (('availability', ''), ('sent', 'B'))
    """
    base, ends = name, ""
    while (ending := _AGGREGATE.search(base)) is not None:
        base, ends = base[: ending.start()], ending[0] + ends
    stem, _, last = base.rpartition("_")
    aggregates = ends.removesuffix("_total")
    if stem and last.lower() in _SUFFIXES:
        return stem + aggregates, unit_of(_SUFFIXES[last.lower()]).symbol
    return (base + aggregates, "count") if ends.endswith("_total") else (name, "")
