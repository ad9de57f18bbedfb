"""How did the repos' health go, where did it change, and what happened then?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tars_lib.engines.health.scores import GREEN, YELLOW
from tars_lib.figures.style.picture import Picture
from tars_lib.figures.style.theme import (
    BREACH,
    CHANGE,
    CONTEXT,
    FULL,
    INCIDENT_SHADE,
    INK,
    MUTED,
    SERIES,
    label,
    label_times,
    themed,
)
from tars_lib.model.history import from_micros
from tars_lib.text.counts import plural
from tars_lib.text.times import MINUTES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from matplotlib.axes import Axes

    from tars_lib.engines.health.report import RepositoryReport
    from tars_lib.engines.health.score_course import ScoreCourse
    from tars_lib.model.names import Event

MAX_PANELS = 8
COLUMNS = 4
_ROW_HEIGHT = 1.12


def draw_scores(
    shown: ScoreCourse, reports: Sequence[RepositoryReport], events: Sequence[Event], since: datetime | None = None
) -> Picture | None:
    """Draw the health scores as small multiples on one scale, with the change points and events of each repo.

    Parameters
    ----------
    shown : ScoreCourse
    reports : sequence of RepositoryReport
        In the order in which they are drawn; at most `MAX_PANELS` of them.
    events : sequence of Event
        Each panel marks those of its repo.
    since : datetime, optional
        Begin of the incident, shaded to the end.

    Returns
    -------
    Picture or None
        None where no repo has a course.
    """
    from matplotlib.figure import Figure

    drawn = [report for report in reports if report.repo in shown.by_repo][:MAX_PANELS]
    if not drawn:
        return None
    columns = min(COLUMNS, len(drawn))
    rows = -(-len(drawn) // columns)
    with themed():
        figure = Figure(figsize=(FULL[0], _ROW_HEIGHT * rows + 0.35))
        grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
        for position, axes in enumerate(grid.flat):
            if position >= len(drawn):
                axes.set_visible(False)
                continue
            mine = [event for event in events if event.repo == drawn[position].repo]
            _panel(axes, shown, drawn[position], mine, since)
            axes.tick_params(labelbottom=position + columns >= len(drawn))
        for axes in grid[:, 0]:
            axes.set_ylabel("score, 0-100", fontsize=7.2)
        figure.supxlabel("time, UTC", fontsize=7.6, color=MUTED)
    changed = [report for report in drawn if report.change_points]
    said = _said(drawn, changed)
    return Picture(
        figure,
        alt=f"{plural(len(drawn), 'panel')} of health scores over time. {said}",
        title=said.rstrip("."),
        caption="Triangles: changes of level. Dotted: changes and other events."
        + (" Shaded: the incident." if since is not None else "")
        + (" Grey bar at the end: the score, whatever is not known." if any(map(score_between, drawn)) else ""),
        phone=2,
    )


def _panel(
    axes: Axes, shown: ScoreCourse, report: RepositoryReport, events: Sequence[Event], since: datetime | None
) -> None:
    times = [from_micros(int(time)) for time in shown.times]
    values = shown.by_repo[report.repo]
    is_low = report.score is not None and report.score < YELLOW
    colour = BREACH if is_low else SERIES[0]
    if since is not None and since < times[-1]:
        axes.axvspan(max(since, times[0]), times[-1], color=INCIDENT_SHADE, lw=0, zorder=0)  # type: ignore[arg-type]
    axes.plot(times, values, color=colour, lw=1.3, zorder=3)  # type: ignore[arg-type]
    for bound in (YELLOW, GREEN):
        axes.axhline(bound, color=CONTEXT, lw=0.7, ls=(0, (4, 3)), zorder=1)
    for point in report.change_points:
        if point.at >= times[0]:
            marker = "v" if point.after < point.before else "^"
            axes.plot(point.at, 108.0, marker=marker, ms=4.6, color=INK, zorder=4, clip_on=False)  # type: ignore[arg-type]
    if (between := score_between(report)) is not None:
        axes.vlines(times[-1], *between, color=MUTED, lw=3.0, alpha=0.6, zorder=2)  # type: ignore[arg-type]
    for event in events:
        if times[0] <= event.timestamp <= times[-1]:
            axes.axvline(event.timestamp, color=CHANGE, lw=1.0, ls=":", zorder=2)  # type: ignore[arg-type]
    axes.set_ylim(-4.0, 112.0)
    axes.set_yticks([0, 60, 80, 100])
    axes.margins(x=0.01)
    label_times(axes, 3)
    axes.tick_params(labelsize=6.6)
    axes.set_title(_short(report.repo), fontsize=8.0, color=BREACH if is_low else INK)
    now = "unknown" if report.score is None else f"{report.score:.0f}"
    axes.set_title(now, loc="right", fontsize=8.0, color=BREACH if is_low else MUTED)


def score_between(report: RepositoryReport) -> tuple[float, float] | None:
    """Return least and most that a score may be over all values of the components that are unknown; None where all are."""
    weight = sum(component.weight for component in report.components)
    unknown = sum(component.weight for component in report.components if component.score is None)
    if report.score is None or not 0 < unknown < weight:
        return None
    known = report.score * (1.0 - unknown / weight)
    return known, known + 100.0 * unknown / weight


def _short(repo: str) -> str:
    """Return a name for a narrow panel, cut in the middle, since names of one family differ at their end."""
    return label(repo if len(repo) <= 15 else f"{repo[:6]}…{repo[-8:]}")


def _said(drawn: Sequence[RepositoryReport], changed: Sequence[RepositoryReport]) -> str:
    low = [report for report in drawn if report.score is not None and report.score < YELLOW]
    level = f"{len(low)} of {len(drawn)} services drawn are below {YELLOW:.0f} points" if low else (
        f"None of the {len(drawn)} services drawn is below {YELLOW:.0f} points"
    )  # fmt: skip
    if not changed:
        return f"{level}; no change of level is seen."
    last = max((report for report in changed), key=lambda report: report.change_points[-1].at)
    point = last.change_points[-1]
    return (
        f"{level}; last change: {label(last.repo)} from {point.before:.0f} to {point.after:.0f} at "
        f"{point.at:{MINUTES}}."
    )


def weakest_first(reports: Sequence[RepositoryReport]) -> list[RepositoryReport]:
    """Return the repos to be drawn: lowest score first, then those whose level changed last."""

    def changed(report: RepositoryReport) -> float:
        return report.change_points[-1].at.timestamp() if report.change_points else -np.inf

    return sorted(reports, key=lambda r: (r.score is None, min(r.score or 0.0, GREEN), -changed(r), r.repo))
