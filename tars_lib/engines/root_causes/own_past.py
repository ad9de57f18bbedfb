"""How many windows of a repo's own past were as bad as the incident? A count, for the reader; no model.

The past is every sample before the cut that the question came with: the baseline, and where that runs up to the incident,
the samples of the incident frame before the cut too. A window counts where it holds a sample.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tars_lib.engines.root_causes.excess import around, window_lengths
from tars_lib.engines.root_causes.recording import Cut, Recording
from tars_lib.model.history import from_micros
from tars_lib.model.organisation import duration_text
from tars_lib.stats.series import robust
from tars_lib.stats.series.robust import Floats


@dataclass(frozen=True)
class PastWindows:
    """Windows of one repo's past.

    Attributes
    ----------
    length : int
        Samples of each window: those of the incident, or a tenth of the past if that is less.
    windows, reaching : int
        How many there are, and of how many the mean is at least as bad as that of the incident.
    stretches : int
        Runs of windows, one after the other, that reach it.
    samples : int
        Samples of the past with a value.
    levels : (float, float)
        Reference and incident, harm upwards.
    gap : str or None
        Time between the last of these samples and the cut, where it is more than a few intervals.
    """

    length: int
    windows: int
    reaching: int
    stretches: int
    samples: int
    levels: tuple[float, float]
    gap: str | None


def count_past(recording: Recording, cut: Cut, base: Floats, now: Floats) -> PastWindows:
    """Count how often the past of one series shows as much.

    Parameters
    ----------
    recording : Recording
    cut : Cut
    base, now : ndarray, shape (Tb,) and (Ti,)
        Baseline and incident, harm upwards, NaN where missing.
    """
    baseline, incident = base[:, None], now[:, None]
    local, during = around(recording, baseline, incident, cut)
    reference = float(robust.reference_level(local, robust.column_median(baseline))[0])
    level = float(robust.column_mean(during)[0])
    past = np.concatenate([baseline, incident[: cut.first]]) if recording.is_adjacent or not len(baseline) else baseline
    k = min(window_lengths(past, local, during)[0], len(past))
    means = _window_means(past[:, 0], k)
    # rounding of a mean must not part two equal levels
    reaches = means >= level - 1e-9 * max(abs(level), abs(reference))
    return PastWindows(
        length=k,
        windows=int(np.isfinite(means).sum()),
        reaching=int(reaches.sum()),
        stretches=int(np.count_nonzero(np.diff(reaches.astype(int), prepend=0) == 1)),
        samples=int(np.isfinite(past).sum()),
        levels=(reference, level),
        gap=_gap(recording, cut, base, now),
    )


def _window_means(values: Floats, length: int) -> Floats:
    """Mean of all windows of a length without the NaNs; NaN for a window without a value."""
    if length == 0:
        return np.empty(0)
    return robust.column_mean(np.lib.stride_tricks.sliding_window_view(values, length)[:, :, None])[:, 0]


def _gap(recording: Recording, cut: Cut, base: Floats, now: Floats) -> str | None:
    times = np.concatenate([recording.baseline.times, recording.incident.times[: cut.first]])
    known = times[np.isfinite(np.concatenate([base, now[: cut.first]]))]
    if not len(known):
        return None
    last, first = from_micros(int(known.max())), from_micros(int(recording.incident.times[cut.first]))
    is_near = (first - last).total_seconds() * 1e6 <= recording.near
    return None if is_near or first < last else duration_text(first - last)
