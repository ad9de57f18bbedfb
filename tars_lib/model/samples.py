"""Samples as a source reads them, before they enter a history; each knows the file, row and column that it came from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from tars_lib.errors import place


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a run of samples came from: `count` rows of `path`, the first of which is its row `first_row`; 0: `path` says all.

    `line_of` gives the line of a row that is counted from 0, where blank lines or line ends inside quotes set the two apart.
    """

    path: str
    count: int
    first_row: int = 2
    line_of: Callable[[int], int] | None = None

    def where(self, row: int, column: str) -> str:
        """File, row and column of the sample at position `row`, counted from 0."""
        if not self.first_row:
            return self.path
        line = self.first_row + row if self.line_of is None else self.line_of(row)
        return place(self.path, row=line, column=column)


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Samples as a source reads them, before the gate.

    Attributes
    ----------
    repo, metric : ndarray of int32, shape (n,)
        Positions in `repos` and `metrics`; negative where the file had none.
    time : ndarray of int64, shape (n,)
        Microseconds since the epoch, UTC.
    value : ndarray of float64, shape (n,)
        NaN where the file had none.
    notes : tuple of str
        What was read in a particular way.
    zone : ZoneInfo or None
        That was assumed for times that name none.
    """

    repos: tuple[str, ...]
    metrics: tuple[str, ...]
    repo: NDArray[np.int32]
    metric: NDArray[np.int32]
    time: NDArray[np.int64]
    value: NDArray[np.float64]
    origins: tuple[Origin, ...]
    notes: tuple[str, ...] = ()
    zone: ZoneInfo | None = None

    def where(self, row: int, column: str) -> str:
        """File, row and column of the sample at position `row`."""
        for origin in self.origins:
            if row < origin.count:
                return origin.where(row, column)
            row -= origin.count
        raise IndexError(row)
