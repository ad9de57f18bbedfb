"""Time slices: samples gathered into stretches of equal length before they are judged."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tars_lib.errors import ConfigError
from tars_lib.model.slo.rows import Rows
from tars_lib.model.slo.track import Floats, Track, Traffic

MINUTE = 60_000_000
"""Microseconds."""


@dataclass(frozen=True, slots=True)
class Slices:
    """Division of a window into slices of samples.

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


def in_slices(track: Track, slices: Slices, good: Floats, all_: Floats, sla_id: str) -> Track:
    """Gather samples into slices, each of which then counts as one event or sample.

    Slices begin at whole multiples of their length since 1970 (UTC). One of which less than half was seen is left out: it is
    missing time. One in which something is half reported may be as good or as bad as any.

    Parameters
    ----------
    track : Track
        Samples as they were reported.
    slices : Slices
    good, all_ : ndarray, shape (n,)
        What is good of each sample, and what it is a share of: events, or the mean's weight.
    sla_id : str
        For the refusal.

    Returns
    -------
    Track
        `raw` holds the bad share of each slice and `raw_total` ones, for a ratio; else `raw` holds the slice's SLI. With a
        target both are 0 or 1.

    Raises
    ------
    ConfigError
        If a repo is sampled at longer intervals than a slice.
    """
    length = slices.minutes * MINUTE
    seen = track.rows.counts > 0
    if seen.any():
        longest = int(track.step[seen].max())
        if longest > length:
            raise ConfigError(
                f"SLA {sla_id}: samples every {longest / MINUTE:g} min cannot be gathered into slices of {slices.minutes} min; "
                "a longer slice (timeSliceWindow) or finer samples are needed"
            )
    key = np.stack([track.column, track.time // length])
    (column, number), slice_index = np.unique(key, axis=1, return_inverse=True)
    slice_index = slice_index.reshape(-1)
    n = column.size
    covered = np.bincount(slice_index, weights=track.span, minlength=n)
    whole = np.bincount(slice_index, weights=all_, minlength=n)
    with np.errstate(invalid="ignore", divide="ignore"):
        sli = np.bincount(slice_index, weights=good, minlength=n) / whole
    if slices.target is not None:
        met = sli >= slices.target if slices.target_is_floor else sli <= slices.target
        # a mean that rounding alone parts from the target meets it, as an objective is met
        met |= np.isclose(sli, slices.target, rtol=1e-12, atol=0.0)
        sli = np.where(np.isnan(sli), np.nan, met.astype(np.float64))
    half = track.half
    # a slice without an event is no evidence, and was seen all the same
    is_empty = np.isnan(sli) & (track.total is not None)
    keep = (covered >= length / 2) & (np.isfinite(sli) | is_empty)
    if half is not None and half.time.size:
        spoilt = np.unique(np.stack([half.column, half.time // length]), axis=1)
        known = {(int(repo), int(slot)) for repo, slot in spoilt.T}
        keep &= np.array(
            [(int(repo), int(slot)) not in known for repo, slot in zip(column, number, strict=True)], dtype=bool
        )
        m = spoilt.shape[1]
        half = replace(
            half, column=spoilt[0], time=spoilt[1] * length, span=np.full(m, length), weight=np.ones(m),
            worst_bad=np.ones(m), worst_total=np.ones(m), best_bad=np.zeros(m), best_total=np.ones(m),
            shortfall=np.zeros(m), in_question=np.ones(m), lacks=np.resize(half.lacks, m),
        )  # fmt: skip
    size = int(keep.sum())
    value, empty = np.where(is_empty, 1.0, sli)[keep], is_empty[keep]
    rate = np.full(track.step.size, 1.0 / length)
    return replace(
        track,
        rows=Rows.of(column[keep], number[keep] * length, track.step.size),
        span=np.full(size, length, dtype=np.int64),
        raw=value if track.raw_total is None else 1.0 - value,
        raw_total=None if track.raw_total is None else np.where(empty, 0.0, 1.0),
        step=np.full(track.step.size, length, dtype=np.int64),
        half=half,
        traffic=None if track.traffic is None else Traffic(rate, rate, rate),
    )
