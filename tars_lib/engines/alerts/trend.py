"""Which repos are getting worse for certain, and by enough to matter? Declining trends and changes of level downwards.

Health reports say whether a trend or a change of level is significant. An alert asks for more, so that chance seldom
raises one: the change of level has to stand against the number of repos searched and out of the noise around it, and
the loss has to matter even at the flat end of the trend's interval.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from tars_lib.engines.alerts.score_history import RepoCourse, ScoreCourses, hinge
from tars_lib.engines.health.assess import SHIFT_SAMPLES, TREND_SAMPLES
from tars_lib.engines.health.report import ChangePoint, HealthReport, RepositoryReport
from tars_lib.engines.health.scores import GREEN
from tars_lib.model.history import from_micros, to_micros
from tars_lib.model.names import Trend
from tars_lib.stats.series.robust import MAD_TO_SIGMA

RECENT_SAMPLES = 14
"""A change of level is news for this many samples; judgement: two weeks of daily ones."""
FAMILY_ALPHA = 0.05
"""Chance of one false change of level among all repos (Bonferroni); judgement, on top of what health demands of
each."""
MIN_SIGMAS = 3.5
"""Least change of level in units of the noise around it; judgement: autocorrelated noise alone wanders by two or
three."""
MIN_TREND_SIGMAS = 2.0
"""Least loss over the window of a trend, at the flat end of its interval, in units of the noise around it;
judgement."""
SMALL_LOSS = 2.0
"""Points below which a loss is not worth a line; judgement: a tenth of the width of a tier."""
LARGE_LOSS = 10.0
"""Points from which a loss matters even within GREEN; judgement: half the width of a tier."""


@dataclass(frozen=True, slots=True)
class Decline:
    """Course of a repo that got worse.

    `loss` is in points: of the change of level, or of the trend over its window at the flat end of its 95 % interval.
    `matters`: the repo left GREEN by it or soon will, or lost `LARGE_LOSS`. `is_recent`: it goes on, or has just
    happened.
    """

    repo: str
    since: datetime
    loss: float
    matters: bool
    is_recent: bool
    shift: ChangePoint | None
    slope_per_day: float | None


def find_declines(health: HealthReport, courses: ScoreCourses) -> dict[str, Decline]:
    """Declines of all repos whose score is known, by repo.

    A recent change of level stands before a trend: it is dated better and often makes the trend. An old one gives way
    to a trend that goes on.
    """
    declines = {}
    tests = sum(report.score is not None for report in health.repository_reports)
    for report in health.repository_reports:
        if report.score is None or not (report.trend is Trend.DECLINING or report.change_points):
            continue
        course = courses.of(report.repo)
        shift, trend = _shift(report, course, tests), _trend(report, course)
        decline = shift if trend is None or (shift is not None and shift.is_recent) else trend
        if decline is not None:
            declines[report.repo] = decline
    return declines


def _shift(report: RepositoryReport, course: RepoCourse, tests: int) -> Decline | None:
    """Return the last change of level, if it went down and is no chance."""
    if not report.change_points or report.score is None:
        return None
    last = report.change_points[-1]
    loss = last.before - last.after
    if last.p_value * tests > FAMILY_ALPHA:
        return None
    if loss < max(SMALL_LOSS, MIN_SIGMAS * _noise(course, report.change_points)):
        return None
    after = int(np.count_nonzero(course.times >= to_micros(last.at)))
    return Decline(
        repo=report.repo,
        since=last.at,
        loss=loss,
        matters=last.after < GREEN or loss >= LARGE_LOSS,
        is_recent=after <= RECENT_SAMPLES,
        shift=last,
        slope_per_day=None,
    )


def _noise(course: RepoCourse, shifts: tuple[ChangePoint, ...]) -> float:
    """Robust standard deviation of the samples around the levels between change points."""
    values, times = course.raw[-SHIFT_SAMPLES:], course.times[-SHIFT_SAMPLES:]
    bounds = np.searchsorted(times, [to_micros(shift.at) for shift in shifts])
    parts = [part - np.median(part) for part in np.split(values, bounds) if part.size]
    return MAD_TO_SIGMA * float(np.median(np.abs(np.concatenate(parts))))


def _residual(course: RepoCourse) -> float:
    """Standard deviation around the straight line through the last samples."""
    values = course.raw[-TREND_SAMPLES:]
    time = np.arange(values.size, dtype=np.float64)
    time -= time.mean()
    centred = values - values.mean()
    return float(np.std(centred - time * (time @ centred) / (time @ time)))


def _trend(report: RepositoryReport, course: RepoCourse) -> Decline | None:
    """Return a declining trend whose loss is no trifle even at the flat end of its interval."""
    if report.trend is not Trend.DECLINING or report.trend_interval is None or report.score is None:
        return None
    times = course.times[-TREND_SAMPLES:]
    span_days = float(times[-1] - times[0]) / 86_400e6
    loss = -report.trend_interval[1] * span_days
    if loss < max(SMALL_LOSS, MIN_TREND_SIGMAS * _residual(course)):
        return None
    tail = course.raw[-SHIFT_SAMPLES:]
    began = course.times[-tail.size :][hinge(tail)]
    return Decline(
        repo=report.repo,
        since=from_micros(int(began)),
        loss=loss,
        matters=report.score - loss < GREEN or loss >= LARGE_LOSS,
        is_recent=True,
        shift=None,
        slope_per_day=report.trend_slope_per_day,
    )
