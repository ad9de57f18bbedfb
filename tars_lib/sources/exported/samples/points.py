"""Series of points in JSON: names and values that a server gave, checked one by one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tars_lib.errors import InputError
from tars_lib.files.limits import EARLIEST, LATEST, MAX_ROWS
from tars_lib.model.history import SECOND

_MOST = int(LATEST.timestamp())
_LEAST = int(EARLIEST.timestamp())


def point_times(given: Sequence[object], per_second: int, where: str) -> NDArray[np.int64]:
    """Counts since 1970 as microseconds.

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
    """Numbers, or texts that hold one, as Prometheus writes them; null and NaN are no value.

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
