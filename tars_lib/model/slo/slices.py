"""Time slices: samples gathered into stretches of equal length before they are judged."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Slices:
    """How the samples of a window are gathered.

    The SLI of a slice is measured as that of a window would be: good events of all, good samples of all, or the mean.
    With a target a slice is good or bad as a whole, and the SLI of the window is the share of good slices; without one it is
    the mean over the slices.

    Attributes
    ----------
    minutes : int
        Length.
    target : float or None
        SLI from which on a slice is good.
    target_is_floor : bool
        Whether a good slice is at or above the target, or at or below it.

    References
    ----------
    OpenSLO v1, budgeting methods Timeslices and RatioTimeslices, https://github.com/OpenSLO/OpenSLO
    """

    minutes: int
    target: float | None = None
    target_is_floor: bool = True
