"""Has a series that used to move stood still since some time, as one does whose source repeats its last answer?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FEWEST = 20
"""Equal samples at the end from which a series stands; judgement."""
LONGER = 5
"""How many times longer that is than it ever stood before; judgement: of numbers in few steps some repeat."""
MOVED = 20
"""Samples before, from which they show how long the series usually stands; judgement."""


def standing(value: NDArray[np.float64]) -> int:
    """Count the equal samples at the end of a series where it never stood for nearly so long before; else 0.

    A series that stands at 0 says that nothing happens, which is told elsewhere; so it counts as moving.

    Parameters
    ----------
    value : ndarray, shape (n,)
        In time order.

    Examples
    --------
    >>> moving = np.arange(30.0) % 7
    >>> standing(np.append(moving, np.full(24, 3.5))), standing(np.append(moving, np.full(24, 0.0))), standing(moving)
    (24, 0, 0)
    """
    if value.size < FEWEST + MOVED or value[-1] == 0.0 or (value[-FEWEST:] != value[-1]).any():
        return 0
    starts = np.concatenate(([0], np.flatnonzero(value[1:] != value[:-1]) + 1))
    lengths = np.diff(np.append(starts, value.size))
    last = int(lengths[-1])
    if value.size - last < MOVED or last < LONGER * int(lengths[:-1].max()):
        return 0
    return last
