"""One thing that is not as it was in an earlier report of the same kind."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Direction(StrEnum):
    """Direction in which a line changed."""

    BETTER = "BETTER"
    WORSE = "WORSE"
    CHANGED = "CHANGED"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it was; numbers are null where they are unknown or there are none."""

    subject: str
    direction: Direction
    before: str
    after: str
    delta: float | None = None


def sense_of(delta: float, higher_is_better: bool) -> Direction:
    """Return whether a number that moved by `delta` got better.

    Examples
    --------
    >>> sense_of(-2.0, higher_is_better=False).value
    'BETTER'
    """
    if delta == 0:
        return Direction.CHANGED
    return Direction.BETTER if (delta > 0) == higher_is_better else Direction.WORSE
