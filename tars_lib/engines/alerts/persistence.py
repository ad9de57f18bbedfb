"""Does a condition hold at the end of a series, and since when? With hysteresis, so that an alert does not flap.

An alert is raised once its condition has held for long enough, and is cleared only after two samples in a row that are
beyond the threshold by a margin on the good side. Samples in between neither raise nor clear. A missing sample is no
sample: it neither holds nor clears.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

CLEAR_SAMPLES = 2
"""Samples in a row that clear an alert; judgement: one may be chance, three of daily data delay the all-clear by half a
week."""


@dataclass(frozen=True, slots=True)
class Persistence:
    """The present occurrence of a condition, by position in the series.

    `first` is the sample with which it began, `last` the last sample for which the condition itself was true.
    `is_clearing`: later samples are on the good side, but not far or not long enough to clear.
    """

    first: int
    last: int
    is_clearing: bool


def hold(beyond: Bools, clear: Bools, credit: Ints | None = None, needed: int = 0) -> Persistence | None:
    """Find the occurrence that lasts until the end of a series.

    Parameters
    ----------
    beyond : ndarray of bool, shape (n,)
        Whether each sample meets the alert's condition.
    clear : ndarray of bool, shape (n,)
        Whether each sample is on the good side by the margin; never together with `beyond`.
    credit : ndarray of int64, shape (n,), optional
        Time that each sample stands for.
    needed : int
        Time for which consecutive samples have to meet the condition, in the unit of `credit`; 0: one sample is enough.

    Returns
    -------
    Hold or None
        None where the condition was never met for long enough, or has been cleared since.

    Examples
    --------
    >>> values = np.array([70.0, 59.0, 60.5, 59.5, 60.5])
    >>> hold(values < 60.0, values >= 62.0)
    Persistence(first=1, last=3, is_clearing=True)
    """
    if not beyond.any():
        return None
    fires = beyond if credit is None or needed <= 0 else beyond & (_held_so_far(beyond, credit) >= needed)
    start = _cleared_until(clear)
    fired = np.flatnonzero(fires[start:])
    if not fired.size:
        return None
    fire = start + int(fired[0])
    quiet = np.flatnonzero(~beyond[:fire])
    first = int(quiet[-1]) + 1 if quiet.size else 0
    last = int(np.flatnonzero(beyond)[-1])
    return Persistence(first, last, is_clearing=last < beyond.size - 1)


def sample_credit(times: Ints, step: int) -> Ints:
    """Time that each sample stands for, shape (n,): its sampling interval, or less where samples are closer together.

    A gap in the series is credited to nobody. Distances from half to one and a half intervals are jitter and count as
    one.

    Examples
    --------
    >>> sample_credit(np.array([0, 5, 10, 30, 31]), 5).tolist()
    [5, 5, 5, 5, 1]
    """
    credit = np.full(times.size, step, dtype=np.int64)
    gaps = np.diff(times)
    close = gaps < step / 2
    credit[1:][close] = gaps[close]
    return credit


def _held_so_far(beyond: Bools, credit: Ints) -> Ints:
    """Credit summed over the run of consecutive samples that each sample ends; 0 where the condition is not met."""
    total = np.cumsum(np.where(beyond, credit, 0))
    before = np.maximum.accumulate(np.where(beyond, 0, total))
    return np.where(beyond, total - before, 0)


def _cleared_until(clear: Bools) -> int:
    """Return the position after the last run of `CLEAR_SAMPLES` clear samples; 0 where there is none."""
    if clear.size < CLEAR_SAMPLES:
        return 0
    windows = np.lib.stride_tricks.sliding_window_view(clear, CLEAR_SAMPLES).all(axis=1)
    cleared = np.flatnonzero(windows)
    return int(cleared[-1]) + CLEAR_SAMPLES if cleared.size else 0
