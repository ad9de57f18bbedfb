"""Cells as people read them: `120 ms`, `1.2 kB`, `99.5%`, `3.4 K`, `1.234,5`, and the ways to write that nothing is there."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from tars_lib.errors import MAX_FAULTS, InputError, listed
from tars_lib.model.units import BYTES, SHARE, TIME, factor_between, unit_of
from tars_lib.sources.cells import NO_VALUE
from tars_lib.sources.exported.clock import Where

NO_VALUES = frozenset(
    {
        *NO_VALUE,
        "-",
        "–",
        "n/a",
        "#N/A",
        "undefined",
        "No data",
        "no data",
        "none",
        "nil",
        "NAN",
        "<nil>",
        "(null)",
        "\\N",
        "--",
    }
)
"""What tools write where there is no value, beside the spellings of a tidy history."""
_CELL = re.compile(
    r"([+\-\u2212]?)\s?(\d[\d.,'\u2019\u00a0\u202f ]*|\.\d+)((?<=[\d.])[eE][+-]?\d+)?\s*([^\d\s].*)?", re.DOTALL
)
_THOUSANDS = re.compile(r"[1-9]\d{0,2}\.\d{3}")
_SPACES = re.compile(r"['\u2019\u00a0\u202f ]")
_INFINITE = re.compile(r"[+-]?inf(inity)?", re.IGNORECASE)
_SCALES = {"k": 3, "K": 3, "M": 6, "Mil": 6, "G": 9, "Bil": 9, "T": 12, "Tri": 12}
"""Of Grafana's `short` and SI formats (https://grafana.com/docs/grafana/latest/panels-visualizations/configure-standard-options/)."""
_UNCLEAR = {"m": "thousandths, minutes or metres", "b": "bits or bytes"}
_WORDS = {"reqps": "req/s", "ops": "ops/s", "rps": "req/s", "pps": "packets/s", "percentunit": "ratio", "c": "count"}
_MOST, _MOST_DIGITS = 10**300, 400
"""What a binary64 holds, with room for the scale of a unit."""
_BASES = {TIME: "s", BYTES: "B", SHARE: "ratio"}


@dataclass(frozen=True, slots=True)
class ReadValues:
    """Numbers of a column in one unit; NaN where there is none. `is_rounded`: they were written for people, with a unit."""

    values: NDArray[np.float64]
    unit: str
    is_rounded: bool


def decimal_mark(cells: Iterable[tuple[str, Callable[[], str]]], chosen: str = "", *, is_local: bool = False) -> str:
    """Find which mark parts whole numbers from fractions, by what the cells of a table show together.

    Parameters
    ----------
    cells : iterable of (str, callable)
        Each with its place.
    chosen : str
        ``,`` or ``.`` as the user says; empty: the cells say it.
    is_local : bool
        The table is parted by semicolons, as programs do where the comma is the decimal mark: a point may part thousands.

    Raises
    ------
    InputError
        If some cells need a comma and others a point, or all with a comma can be read both ways.
    """
    if chosen:
        return chosen
    seen: dict[str, tuple[str, Callable[[], str]]] = {}
    for text, where in cells:
        if "," not in text and text.count(".") < (1 if is_local else 2):
            continue
        parts = _CELL.fullmatch(text)
        if parts is None:
            continue
        number = _SPACES.sub("", parts[2])
        mark = _mark_of(number)
        if is_local and not mark and not parts[3]:
            mark = "?." if _THOUSANDS.fullmatch(number) else "."
        if mark:
            seen.setdefault(mark, (text, where))
    if "," in seen and "." in seen:
        (with_comma, there), (with_point, here) = seen[","], seen["."]
        raise InputError(
            f"{there()}: {with_comma[:60]!r} has a decimal comma, {here()}: {with_point[:60]!r} a decimal point; one is allowed"
        )
    for mark, name in (("?", "comma"), ("?.", "point")):
        if list(seen) == [mark]:
            text, where = seen[mark]
            raise InputError(
                f"{where()}: {text[:60]!r} can be read with a decimal {name} or a {name} between thousands; --decimal comma or "
                "--decimal point says which"
            )
    return "," if "," in seen else "."


def _mark_of(number: str) -> str:
    """Return the decimal mark that a number shows, ``?`` where it can be either, empty where it shows none."""
    commas, points = number.count(","), number.count(".")
    if commas and points:
        return "," if number.rindex(",") > number.rindex(".") else "."
    if points > 1:
        return ","
    if commas > 1:
        return "."
    if commas == 1:
        whole, _, part = number.partition(",")
        return "?" if len(part) == 3 and 1 <= len(whole) <= 3 and whole.lstrip("0") else ","
    return ""


def read_values(cells: Sequence[str], where: Where, decimal: str = ".") -> ReadValues:
    """Read a column of quantities.

    Raises
    ------
    InputError
        If a cell is no number, has a unit that can be read in two ways, or units of several dimensions stand in the column; up
        to ten rows are named.
    """
    plain = _plain(cells) if decimal == "." else None
    if plain is not None:
        return ReadValues(plain, "", False)
    # each different cell is read once
    known = {cell: _read(cell, decimal) for cell in dict.fromkeys(cells)}
    wrong = {cell: read for cell, read in known.items() if isinstance(read, str)}
    if wrong:
        faults = [f"{where(position)}: {wrong[cell]}" for position, cell in enumerate(cells) if cell in wrong]
        raise InputError(listed(faults[:MAX_FAULTS], len(faults)))
    read_in = {cell: read for cell, read in known.items() if not isinstance(read, str)}
    named = dict.fromkeys(unit for _, unit in read_in.values() if unit)

    def first_of(unit: str) -> str:
        cell = next(cell for cell, (_, own) in read_in.items() if own == unit)
        return where(cells.index(cell))

    unit = _common(named, first_of)
    made = {}
    for cell, (number, own) in read_in.items():
        if named and not own and number:
            raise InputError(
                f"{where(cells.index(cell))}: {cell[:60]!r} has no unit, and others of the column have ({', '.join(named)})"
            )
        factor = factor_between(own, unit) if own else Fraction(1)
        if isinstance(number, Fraction):
            made[cell] = float(number * (factor or 1))
        else:
            made[cell] = math.nan if number is None else number
    return ReadValues(np.array([made[cell] for cell in cells], dtype=np.float64), unit, bool(named))


def _plain(cells: Sequence[str]) -> NDArray[np.float64] | None:
    """Return the numbers without units all at once; None where one is written in another way."""
    given = ["nan" if cell in NO_VALUES else cell for cell in cells]
    if any("_" in cell for cell in given):  # Python's own grouping of digits, not a number in any file
        return None
    try:
        values = np.array(given, dtype=np.float64)
    except (ValueError, OverflowError):
        return None
    return None if np.isinf(values).any() else values


def _common(named: dict[str, None], where: Callable[[str], str]) -> str:
    """Return the unit of a column: the only one, else the base unit of their dimension."""
    if len(named) <= 1:
        return next(iter(named), "")
    first = next(iter(named))
    dimension = unit_of(first).dimension
    base = _BASES.get(dimension, first)
    for name in named:
        if factor_between(name, base) is None:
            raise InputError(f"{where(name)}: {name} does not convert to {first}, which others of the column are in")
    return base


def _read(cell: str, decimal: str) -> tuple[Fraction | float | None, str] | str:
    """Return the number and unit of a cell, None for no value; a text says what is wrong."""
    text = cell.strip()
    if text in NO_VALUES:
        return None, ""
    if _INFINITE.fullmatch(text):
        return float("-inf") if text.startswith("-") else float("inf"), ""
    parts = _CELL.fullmatch(text)
    if parts is None:
        return (
            f"{text[:60]!r} is not a number; allowed: a number, with or without a unit, or nothing where it is missing"
        )
    first, *groups = _SPACES.split(parts[2].strip())
    if groups and (not 1 <= len(first) <= 3 or any(re.match(r"\d{3}(?!\d)", group) is None for group in groups)):
        return f"{text[:60]!r} is not one number; digits between blanks stand in threes"
    sign, digits, exponent, rest = parts[1], _SPACES.sub("", parts[2]), parts[3] or "", (parts[4] or "").strip()
    other = "." if decimal == "," else ","
    whole, _, part = digits.partition(decimal)
    groups = whole.split(other)
    if other in part or decimal in part or (len(groups) > 1 and any(len(group) != 3 for group in groups[1:])):
        return f"{text[:60]!r} is not a number with a decimal {'comma' if decimal == ',' else 'point'}"
    if len(exponent) > 4 or len(digits) > _MOST_DIGITS:
        return f"{text[:60]!r} is beyond every number that is allowed"
    number = Fraction(f"{''.join(groups) or '0'}.{part or '0'}{exponent}") * (-1 if sign in ("-", "\u2212") else 1)
    if abs(number) > _MOST:
        return f"{text[:60]!r} is beyond every number that is allowed"
    scale, unit = _scaled(rest)
    if unit and not unit_of(unit).dimension and unit not in _UNCLEAR:
        return f"{text[:60]!r}: {unit[:20]} is no unit that is known; export raw values and give --unit"
    if unit in _UNCLEAR:
        return f"{text[:60]!r}: {unit} can be read as {_UNCLEAR[unit]}; export raw values and give --unit"
    return number * scale, unit


def _scaled(rest: str) -> tuple[int, str]:
    """Return the power of ten and the unit that stand behind a number."""
    first, _, more = rest.partition(" ")
    if first in _SCALES:
        return 10 ** _SCALES[first], _spelt(more.strip())
    counted, _, per = rest.partition("/")
    if counted in _SCALES:
        return 10 ** _SCALES[counted], _spelt(f"1/{per}")
    return 1, _spelt(rest)


def _spelt(unit: str) -> str:
    if not unit or unit in _UNCLEAR:
        return unit
    return unit_of(_WORDS.get(unit, unit)).symbol
