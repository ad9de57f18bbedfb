"""A column of times: counts since 1970 by magnitude, ISO 8601, days with slashes, local times, nights on which clocks change.

What cannot be told for certain is refused with the option that tells it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from tars_lib.errors import MAX_FAULTS, InputError, listed
from tars_lib.files.limits import EARLIEST, LATEST
from tars_lib.model.history import SECOND, to_micros
from tars_lib.model.times import skipped_hour
from tars_lib.sources.cells import EPOCHS
from tars_lib.sources.exported.written_times import as_iso, half_day

_FIRST, _LAST = 946_684_800, 4_102_444_800
"""Years 2000 to 2100: counts of s, ms, us and ns in them do not overlap, so that the magnitude is certain."""
_NUMBER = re.compile(r"\d+([.,]\d*)?([eE][+]?\d+)?")
_SLASHES = re.compile(
    r"(\d{1,4})([/.])(\d{1,2})\2(\d{1,4})(?:[ ,T]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?(?: ?([AaPp][Mm]))?)?"
)

Where = Callable[[int], str]


@dataclass(frozen=True, slots=True)
class ReadTimes:
    """Times as microseconds since 1970, which zone they were in and how that is known, and what a reader should know."""

    micros: NDArray[np.int64]
    zone: str
    notes: tuple[str, ...] = ()


def read_times(
    cells: Sequence[str],
    where: Where,
    *,
    zone: ZoneInfo | None = None,
    epoch: str = "",
    time_format: str = "",
    groups: Sequence[Hashable] | None = None,
) -> ReadTimes:
    """Read a column of times.

    Parameters
    ----------
    where : callable
        File, row and column of a cell by its position.
    epoch : str
        What numbers count: s, ms, us or ns; empty: their magnitude says it.
    time_format : str
        Of times that are not ISO 8601.
    groups : sequence, optional
        The series that each cell belongs to: the order within a series tells the two passes of a repeated hour apart.

    Raises
    ------
    InputError
        If a time cannot be read or cannot be told for certain; the message names up to ten rows and the option.
    """
    if not cells:
        return ReadTimes(np.zeros(0, dtype=np.int64), "none")
    if not time_format and all(_NUMBER.fullmatch(cell) for cell in cells):
        return _counts(cells, where, epoch)
    times, style = _parsed(cells, where, time_format)
    naive = [position for position, time in enumerate(times) if time.tzinfo is None]
    notes: tuple[str, ...] = ()
    if naive:
        if zone is None:
            first = naive[0]
            raise InputError(
                f"{where(first)}: {cells[first][:60]!r} has no time zone; --tz ZONE names the one that the tool showed, "
                "such as Europe/Berlin or UTC"
            )
        times, notes = _in_zone(times, naive, zone, where, groups)
    micros = np.array([to_micros(time.astimezone(UTC)) for time in times], dtype=np.int64)
    _refuse_beyond(micros, cells, where)
    told = f"{zone.key}, as --tz says" if naive and zone is not None else "as each time says"
    return ReadTimes(micros, f"{told}{style}", notes)


def _counts(cells: Sequence[str], where: Where, epoch: str) -> ReadTimes:
    """Return the counts since 1970."""
    numbers = []
    for position, cell in enumerate(cells):
        try:
            numbers.append(Decimal(cell.replace(",", ".")))
        except InvalidOperation as error:  # the pattern allows no other text
            raise InputError(f"{where(position)}: {cell[:60]!r} is not a number") from error
    if not epoch:
        known = [_magnitude(number) for number in numbers]
        unclear = next((position for position, unit in enumerate(known) if not unit), None)
        if unclear is not None:
            raise InputError(
                f"{where(unclear)}: {cells[unclear][:60]} is a count since 1970 of which the magnitude does not say of what; "
                f"--epoch s, ms, us or ns says it"
            )
        if len(set(known)) > 1:
            other = next(position for position, unit in enumerate(known) if unit != known[0])
            raise InputError(
                f"{where(other)}: {cells[other][:60]} counts {known[other]} since 1970 by its magnitude, the rows before count "
                f"{known[0]}; one of them in a column is allowed"
            )
        epoch = known[0]
    per_second = EPOCHS[epoch]
    least, most = int(EARLIEST.timestamp()) * per_second, int(LATEST.timestamp()) * per_second
    for position, number in enumerate(numbers):
        if not least <= number <= most:
            raise InputError(
                f"{where(position)}: {cells[position][:60]} {epoch} since 1970 is not allowed: a time from {EARLIEST.year} "
                f"to the end of {LATEST.year - 1} is"
            )
    micros = np.array([int(number * SECOND / per_second) for number in numbers], dtype=np.int64)
    return ReadTimes(micros, f"UTC, counted in {epoch} since 1970")


def _magnitude(number: Decimal) -> str:
    return next((unit for unit, scale in EPOCHS.items() if _FIRST * scale <= number < _LAST * scale), "")


def _parsed(cells: Sequence[str], where: Where, time_format: str) -> tuple[list[datetime], str]:
    day_first = _day_first(cells, where) if not time_format else None
    times: list[datetime] = []
    faults: list[str] = []
    for position, cell in enumerate(cells):
        try:
            times.append(_one(cell, time_format, day_first))
        except ValueError:
            shown = "empty; a time is needed" if not cell else f"{cell[:60]!r} is not a time"
            allowed = f"{time_format!r}, as --time-format says" if time_format else "ISO 8601 or a count since 1970"
            faults.append(f"{where(position)}: {shown}; allowed: {allowed}; --time-format names another form")
            times.append(datetime(1970, 1, 1))  # noqa: DTZ001 - refused below
    if faults:
        raise InputError(listed(faults[:MAX_FAULTS], len(faults)))
    order = "" if day_first is None else f", {'day' if day_first else 'month'} first"
    return times, order


def _one(cell: str, time_format: str, day_first: bool | None) -> datetime:
    if time_format:
        return datetime.strptime(cell, time_format)  # noqa: DTZ007 - a zone is looked for by the caller
    slashed = _SLASHES.fullmatch(cell)
    if slashed is None:
        return datetime.fromisoformat(as_iso(cell))
    left, _, middle, right, hour, minute, second, half = slashed.groups()
    if len(left) == 4:
        year, month, day = left, middle, right
    else:
        year, month, day = (right, middle, left) if day_first else (right, left, middle)
    if len(year) != 4:
        raise ValueError("a year of two digits")
    number = half_day(int(hour or 0), half)
    if number is None:
        raise ValueError("no hour of a half day")
    return datetime(int(year), int(month), int(day), number, int(minute or 0), int(second or 0))  # noqa: DTZ001


def _day_first(cells: Sequence[str], where: Where) -> bool | None:
    """Tell if days with slashes or dots put the day first; None where there are none, or the year is."""
    matches = [(position, _SLASHES.fullmatch(cell)) for position, cell in enumerate(cells)]
    parts = [
        (position, int(match[1]), match[2], int(match[3])) for position, match in matches if match and len(match[1]) < 4
    ]
    if not parts:
        return None
    days = next((position for position, first, _, _ in parts if first > 12), None)
    months = next((position for position, _, _, second in parts if second > 12), None)
    if days is not None and months is not None:
        raise InputError(
            f"{where(months)}: {cells[months][:60]!r} has the month first, {where(days)} has the day first"
        )
    if parts[0][2] == "." and months is None:
        return True  # with dots the day is first wherever dots are used
    if days is None and months is None:
        at = parts[0][0]
        clock = " %H:%M" if ":" in cells[at] else ""
        raise InputError(
            f"{where(at)}: {cells[at][:60]!r} can be read with the day or the month first; --time-format '%d/%m/%Y{clock}' or "
            f"'%m/%d/%Y{clock}'{' (with :%S for seconds)' if clock else ''} says which"
        )
    return days is not None


def _refuse_beyond(micros: NDArray[np.int64], cells: Sequence[str], where: Where) -> None:
    strange = np.flatnonzero((micros < to_micros(EARLIEST)) | (micros > to_micros(LATEST)))
    if strange.size:
        at = int(strange[0])
        raise InputError(
            f"{where(at)}: {cells[at][:60]!r} is not allowed: a time from {EARLIEST.year} to the end of {LATEST.year - 1} is"
        )


def _in_zone(
    times: Sequence[datetime], naive: Sequence[int], zone: ZoneInfo, where: Where, groups: Sequence[Hashable] | None
) -> tuple[list[datetime], tuple[str, ...]]:
    """Local times in their zone; the order of a series tells the two passes of an hour that the clocks repeated."""
    told = list(times)
    by_series: dict[Hashable, list[int]] = {}
    for position in naive:
        local = times[position].replace(tzinfo=zone)
        if local.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != times[position]:
            raise InputError(f"{where(position)}: {skipped_hour(times[position], zone)}")
        told[position] = local
        by_series.setdefault(None if groups is None else groups[position], []).append(position)
    resolved: set[datetime] = set()
    for positions in by_series.values():
        resolved |= _settle_passes(told, positions, zone, where)
    if not resolved:
        return told, ()
    night = min(resolved)
    return told, (
        f"{zone.key} had {night:%Y-%m-%d %H:%M} and the times after it twice, because its clocks went back: both passes are "
        "in the file, and their order tells them apart",
    )


def _settle_passes(told: list[datetime], positions: list[int], zone: ZoneInfo, where: Where) -> set[datetime]:
    """Put the second pass of each repeated hour of a series where it belongs; the times that were resolved.

    Raises
    ------
    InputError
        If only one of the passes is there, or the rows are in no order.
    """
    twice = [p for p in positions if told[p].utcoffset() != told[p].replace(fold=1).utcoffset()]
    if not twice:
        return set()
    bare = {p: told[p].replace(tzinfo=None) for p in positions}
    if bare[positions[0]] > bare[positions[-1]]:
        positions = positions[::-1]
    doubled = set(twice)
    by_night: dict[object, list[int]] = {}
    for before, after in zip([None, *positions], positions, strict=False):
        if before is not None and bare[after] <= bare[before] and not (after in doubled and before in doubled):
            raise InputError(f"{where(after)}: {_unclear(bare[twice[0]], zone)}: the rows are in no order")
        if after in doubled:
            by_night.setdefault(bare[after].date(), []).append(after)
    for night in by_night.values():
        passes = [0] * len(night)
        for k in range(1, len(night)):
            passes[k] = passes[k - 1] + (bare[night[k]] <= bare[night[k - 1]])
        if passes[-1] != 1:
            raise InputError(f"{where(night[0])}: {_unclear(bare[night[0]], zone)}")
        for k, position in enumerate(night):
            told[position] = told[position].replace(fold=passes[k])
    return {bare[position] for position in twice}


def _unclear(time: datetime, zone: ZoneInfo) -> str:
    return (
        f"{time:%Y-%m-%d %H:%M} came twice in {zone.key}, because its clocks went back, and the file does not show both: "
        "export it in UTC (and give --tz UTC), or with offsets"
    )
