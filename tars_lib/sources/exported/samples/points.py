"""Series of points in JSON: names and values that a server gave, checked one by one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tars_lib.errors import InputError, place
from tars_lib.files.limits import EARLIEST, LATEST, MAX_ROWS
from tars_lib.model.history import SECOND
from tars_lib.sources.exported.shapes import Choices, SampledSeries
from tars_lib.sources.exported.whose import SeriesName, owners

_MOST = int(LATEST.timestamp())
_LEAST = int(EARLIEST.timestamp())


def point_times(given: Sequence[object], per_second: int, where: str) -> NDArray[np.int64]:
    """Return the counts since 1970 as microseconds.

    Raises
    ------
    InputError
        If one is no number, or outside the years of a sample.
    """
    if len(given) > MAX_ROWS:
        raise InputError(f"{where}: {len(given)} points; up to {MAX_ROWS} are allowed")
    micros = np.empty(len(given), dtype=np.int64)
    for position, value in enumerate(given):
        if isinstance(value, bool) or not isinstance(value, int | float) or not _LEAST <= value / per_second <= _MOST:
            raise InputError(
                f"{where}, point {position + 1}: {str(value)[:60]!r} is not a time; a count since 1970 is, before {LATEST.year}"
            )
        # in whole numbers where they are: a float of nanoseconds would lose digits
        micros[position] = (
            value * SECOND // per_second if isinstance(value, int) else round(value * (SECOND / per_second))
        )
    return micros


def point_values(given: Sequence[object], where: str) -> NDArray[np.float64]:
    """Return the numbers, or texts that hold one, as Prometheus writes them; null and NaN are no value.

    Raises
    ------
    InputError
        If one is neither.
    """
    values = np.full(len(given), np.nan)
    for position, value in enumerate(given):
        if value is None:
            continue
        said = f"{where}, point {position + 1}: {str(value)[:60]!r} is not a number"
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise InputError(said)
        try:
            values[position] = float(value)
        except (ValueError, OverflowError) as error:
            raise InputError(said) from error
    return values


Points = tuple[NDArray[np.int64], NDArray[np.float64], str, str]
"""Times, values, and the unit and kind that hold where the user says none."""


def owned_series(
    names: Sequence[SeriesName], points: Iterable[Points], choices: Choices, label: str
) -> tuple[SampledSeries, ...]:
    """Return the series with their repos and metrics; points are read once it is known whose they are.

    Raises
    ------
    InputError
        If it cannot be told whose a series is.
    """
    return tuple(
        SampledSeries(owner.repo, owner.metric, times, values, owner.unit or unit, owner.kind or kind)
        for owner, (times, values, unit, kind) in zip(owners(names, choices, label), points, strict=True)
    )


@dataclass(slots=True)
class PointSeries:
    """Points of one series, as they are met in a file."""

    name: SeriesName
    unit: str = ""
    kind: str = ""
    times: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    def add(self, time: int, value: float) -> None:
        """Add a point, its time in microseconds since 1970."""
        self.times.append(time)
        self.values.append(value)

    @property
    def points(self) -> Points:
        """Return what was added."""
        return np.array(self.times, dtype=np.int64), np.array(self.values, dtype=np.float64), self.unit, self.kind

    @staticmethod
    def settled(met: Collection[PointSeries], choices: Choices, label: str) -> tuple[SampledSeries, ...]:
        """Return the series with their repos and metrics, as `owned_series` finds them."""
        return owned_series([series.name for series in met], (series.points for series in met), choices, label)


@dataclass(slots=True)
class WrittenSeries:
    """Samples of one series as a text has them, as they are met; a line is 0 where the text has none that matters."""

    name: SeriesName
    times: list[str] = field(default_factory=list)
    values: list[object] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)

    def add(self, time: str, value: object, line: int) -> None:
        """Add a sample."""
        self.times.append(time)
        self.values.append(value)
        self.lines.append(line)

    def place_in(self, label: str) -> Callable[[int], str]:
        """Return what tells the place of a sample by its position, for messages."""
        return lambda at: place(label, row=self.lines[at]) if self.lines[at] else f"{label}, {self.name.text[:100]}"

    @property
    def rows(self) -> NDArray[np.int64] | None:
        """Return the lines, where they matter."""
        return np.array(self.lines, dtype=np.int64) if any(self.lines) else None
