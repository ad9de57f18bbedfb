"""Which metrics turned after an event? Each against every window of its own past; a count, and no model.

A metric has moved where the mean since the event is farther from its usual level than that of any earlier window of the same
length. Of many metrics some do so by chance, and `expected` says about how many.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from tars_lib.errors import InputError, UnknownNameError
from tars_lib.model.history import to_micros
from tars_lib.model.names import Event
from tars_lib.model.organisation import OrgData, duration_text
from tars_lib.stats.series import robust
from tars_lib.text.counts import plural
from tars_lib.text.quantities import value_text
from tars_lib.text.sentences import Telling, Told
from tars_lib.text.times import MINUTES

if TYPE_CHECKING:
    import pandas as pd

COUNT = "count"
LENGTH = timedelta(hours=24)
"""How long after the event is looked at, where nobody says; judgement: a day holds every hour once."""
MIN_WINDOWS = 20
"""Fewer earlier windows show nothing; judgement: one in twenty is the usual level."""
MAX_TOLD = 8
"""Metrics told in sentences, the farthest first; judgement. `frame` has all."""
_COLUMNS = ("repo", "metric", "before", "after", "unit", "times_usual", "reaching", "windows", "is_moved")


@dataclass(frozen=True, slots=True)
class MovedMetric:
    """One metric of one repo around an event.

    Attributes
    ----------
    before, after : float
        Median before the event, mean since.
    times_usual : float
        How far it is from `before`, as a multiple of how far an earlier window usually is; infinite where none ever was.
    windows, reaching : int
        Earlier windows of the same length, and how many were as far from `before`.
    """

    repo: str
    metric: str
    unit: str
    before: float
    after: float
    times_usual: float
    windows: int
    reaching: int

    @property
    def is_moved(self) -> bool:
        """Return whether no earlier window was as far off."""
        return self.reaching == 0 and self.windows >= MIN_WINDOWS

    @property
    def levels(self) -> str:
        """Return both levels in words."""
        unit = "" if self.unit == COUNT else self.unit
        return f"{value_text(self.after, unit)} since, {value_text(self.before, unit)} before"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Moved(Telling):
    """Every metric around an event, the one that is farthest from its usual first.

    Attributes
    ----------
    until : datetime
        End of what was looked at.
    expected : float
        How many would have moved by chance, about.
    """

    event: Event
    until: datetime
    metrics: tuple[MovedMetric, ...]
    expected: float

    @property
    def frame(self) -> pd.DataFrame:
        """Return a row a metric: repo, metric, before, after, unit, times_usual, reaching, windows, is_moved."""
        import pandas as pd

        rows = [{name: getattr(metric, name) for name in _COLUMNS} for metric in self.metrics]
        return pd.DataFrame(rows, columns=list(_COLUMNS))

    def told(self) -> Told:
        """Return what moved, and how much of it is expected by chance."""
        moved_ones = [metric for metric in self.metrics if metric.is_moved]
        of = f"{self.event.kind} '{self.event.title}'{f' of {self.event.repo}' if self.event.repo else ''}"
        yet = f"{len(moved_ones)} of {plural(len(self.metrics), 'metric')} moved"
        return Told.of(
            (
                f"{of}, {self.event.timestamp:{MINUTES}}: {yet} by {self.until:{MINUTES}}; "
                f"about {self.expected:.1f} would by chance.",
                *(
                    f"{metric.metric} of {metric.repo}: {metric.levels}; beyond all {metric.windows} earlier windows."
                    for metric in moved_ones[:MAX_TOLD]
                ),
                f"{len(moved_ones) - MAX_TOLD} more in .frame." if len(moved_ones) > MAX_TOLD else "",
            )
        )


def event_of(org: OrgData, event: Event | str) -> Event:
    """Find an event by its title or its ref; of several the latest.

    Raises
    ------
    UnknownNameError
        If there is none; the message lists the latest.
    """
    if isinstance(event, Event):
        return event
    wanted = event.strip().casefold()
    matching = [
        candidate
        for candidate in org.events
        if wanted in (candidate.title.casefold(), (candidate.ref or "").casefold())
    ]
    if not matching:
        latest = sorted(org.events, key=lambda candidate: candidate.timestamp, reverse=True)[:5]
        there = ", ".join(repr(candidate.title) for candidate in latest) or "none"
        raise UnknownNameError(f"event {event!r} is not in {org.name}; the latest are: {there}")
    return max(matching, key=lambda candidate: candidate.timestamp)


def moved(org: OrgData, event: Event | str, length: timedelta = LENGTH) -> Moved:
    """Say which metrics turned after an event.

    Parameters
    ----------
    event : Event or str
        An event, or its title or ref.
    length : timedelta
        How long after it is looked at, as far as the data go.

    Raises
    ------
    UnknownNameError
        If there is no such event.
    InputError
        If `length` is not positive, or no sample follows the event.
    """
    chosen = event_of(org, event)
    if length <= timedelta(0):
        raise InputError(f"length {length}: more than nothing is needed, such as {duration_text(LENGTH)}")
    until = min(chosen.timestamp + length, org.at(None)[1])
    if until < chosen.timestamp:
        raise InputError(f"event '{chosen.title}': no sample follows {chosen.timestamp:{MINUTES}}")
    begin, end = to_micros(chosen.timestamp), to_micros(until)
    metrics: list[MovedMetric] = []
    chance = 0.0
    derived = ("error_rate",) if org.history.has("error_rate") else ()
    for metric in dict.fromkeys((*org.history.metrics, *derived)):
        grid = org.history.grid(metric)
        if grid is None:
            continue
        before, after = grid.times < begin, (grid.times >= begin) & (grid.times <= end)
        for column, repo in enumerate(org.history.repos):
            past, since = grid.values[before, column], grid.values[after, column]
            if np.isfinite(since).any() and np.isfinite(past).any():
                around = _around(past, since, repo, metric, org.metric(metric).unit)
                metrics.append(around)
                # windows overlap, so that so many are independent
                chance += min(1.0, len(since) / around.windows) if around.windows >= MIN_WINDOWS else 0.0
    metrics.sort(key=lambda around: (not around.is_moved, -around.times_usual, around.repo, around.metric))
    return Moved(chosen, until, tuple(metrics), chance)


def _around(past: robust.Floats, since: robust.Floats, repo: str, metric: str, unit: str) -> MovedMetric:
    usual, level = float(np.nanmedian(past)), float(np.nanmean(since))
    size = min(len(since), len(past))
    means = robust.column_mean(np.lib.stride_tricks.sliding_window_view(past, size)[:, :, None])[:, 0]
    off, far = np.abs(means[np.isfinite(means)] - usual), abs(level - usual)
    typical = float(np.median(off)) if off.size else 0.0
    # rounding of a mean must not part two equal levels
    reaching = int((off >= far - 1e-9 * max(abs(level), abs(usual))).sum())
    multiple = far / typical if typical > 0.0 else float("inf") if far > 0.0 else 0.0
    return MovedMetric(repo, metric, unit, usual, level, multiple, int(off.size), reaching)
