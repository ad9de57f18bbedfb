"""How did the breached SLI go in the repos that matter, and what was changed when?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tars_lib.engines.sla.sli_course import Course, Courses
from tars_lib.figures.style.picture import Picture
from tars_lib.figures.style.theme import (
    BREACH,
    CHANGE,
    CONTEXT,
    FULL,
    INCIDENT_SHADE,
    INK,
    MUTED,
    OBJECTIVE,
    SERIES,
    label,
    label_times,
    themed,
)
from tars_lib.model.history import from_micros
from tars_lib.model.metrics import is_time, percent_of
from tars_lib.text.counts import plural
from tars_lib.text.quantities import value_text
from tars_lib.text.times import MINUTES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from tars_lib.engines.sla.report import Breach
    from tars_lib.model.names import Event

MAX_PANELS = 6
_ROW_HEIGHT = 1.4
_LATE = 0.8
"""Share of a panel from which the incident's word stands before its shade; judgement: a fifth of a narrow panel holds it."""


def draw_trends(shown: Courses, breach: Breach, changes: Sequence[Event]) -> Picture:
    """Draw the breached SLI as small multiples: the target, the cause and the other affected repos.

    The incident is shaded, the objective dashed, changes of the repo are marked.

    Parameters
    ----------
    shown : Courses
        Around the onset of `breach`.
    breach : Breach
    changes : sequence of Event
        All changes of the organisation; each panel marks those of its repo.
    """
    from matplotlib.figure import Figure

    repos = panel_repos(shown, breach)
    rows = -(-len(repos) // 2)
    columns = min(2, len(repos))
    with themed():
        figure = Figure(figsize=(FULL[0], _ROW_HEIGHT * rows + 0.35))
        grid = figure.subplots(rows, columns, squeeze=False, sharex=True)
        for position, axes in enumerate(grid.flat):
            if position >= len(repos):
                axes.set_visible(False)
                continue
            mine = [event for event in changes if event.repo == repos[position]]
            _panel(axes, shown, shown.by_repo[repos[position]], _role(repos[position], breach), mine, position == 0)
        for axes in grid[:, 0]:
            axes.set_ylabel(_axis_label(shown))
        for column in range(columns):
            bottom = [axes for axes in grid[:, column] if axes.get_visible()][-1]
            bottom.tick_params(labelbottom=True)
            bottom.set_xlabel("time, UTC")
    moved = moved_text(shown, breach)
    half = sum(shown.by_repo[repo].half_times.size for repo in repos)
    bars = (
        f" Grey bars: at {plural(half, 'time')} one count is absent, and this is what it leaves open." if half else ""
    )
    return Picture(
        figure,
        alt=f"{plural(len(repos), 'panel')} of {shown.metric} over time. {moved} at {shown.onset:{MINUTES}}.{bars}",
        title=moved,
        caption=f"Medians before and since the start. Shaded: the incident. Dashed: the objective.{bars}",
    )


def moved_text(shown: Courses, breach: Breach) -> str:
    """Say how the SLI of the target went: medians before and since the start."""
    target = shown.by_repo[breach.target]
    is_share = shown.unit == "share of failures"
    unit, what = ("ratio", "Failed requests") if is_share else (shown.unit, shown.metric)
    return f"{what} of {label(breach.target)} went from {_level(target.before, unit)} to {_level(target.during, unit)}"


def panel_repos(shown: Courses, breach: Breach) -> list[str]:
    """Return the repos that get a panel: target, best cause, further causes, affected repos; at most `MAX_PANELS`."""
    wanted = [breach.target, *(cause.repo for cause in breach.root_causes[:1]), *breach.repos]
    wanted += [cause.repo for cause in breach.root_causes[1:] if cause.contribution >= 0.05]
    return [repo for repo in dict.fromkeys(wanted) if repo in shown.by_repo][:MAX_PANELS]


def _panel(axes: Axes, shown: Courses, course: Course, role: str, changes: Sequence[Event], names_things: bool) -> None:
    scale = 100.0 if shown.unit in ("share of failures", "ratio") else 1.0
    times = [from_micros(int(time)) for time in course.times]
    values = course.values * scale
    colour = BREACH if role.startswith("cause") else SERIES[0]
    axes.axvspan(shown.onset, max(shown.end, shown.onset), color=INCIDENT_SHADE, lw=0, zorder=0)  # type: ignore[arg-type]
    axes.plot(times, values, color=colour, lw=1.4, marker="o" if len(times) <= 60 else "", ms=2.2, zorder=3)  # type: ignore[arg-type]
    limit = shown.limit * scale
    finite = values[np.isfinite(values)]
    if course.half_times.size:
        half_times = [from_micros(int(time)) for time in course.half_times]
        low_end, high_end = course.half_low * scale, course.half_high * scale
        finite = np.concatenate((finite, low_end, high_end))
        axes.vlines(half_times, low_end, high_end, color=MUTED, lw=2.4, alpha=0.5, zorder=1)  # type: ignore[arg-type]
    is_judged = course.repo in shown.scope
    top = max(float(finite.max(initial=0.0)), limit if is_judged else 0.0) or 1.0
    from_zero = is_time(shown.unit) or shown.unit in ("count", "share of failures")
    low = 0.0 if from_zero else min(float(finite.min()), limit)
    if percent_of(shown.unit):
        low = min(float(finite.min(initial=limit)), limit)
    room = (top - low) or 1.0
    axes.set_ylim(low - (0.0 if low == 0 else 0.08 * room), top + 0.28 * room)
    if is_judged:
        axes.axhline(limit, color=OBJECTIVE, lw=0.9, ls=(0, (4, 3)), zorder=2)
    axes.margins(x=0.01)
    label_times(axes, 5)
    axes.set_title(label(course.repo, 24), color=BREACH if role.startswith("cause") else INK)
    axes.set_title(role, loc="right", fontsize=7.5, fontweight="normal", color=MUTED)
    start, end = axes.get_xlim()
    if names_things:
        axes.annotate(
            "objective", (start, limit), xytext=(3, 3), textcoords="offset points", color=OBJECTIVE, fontsize=7.2
        )
        is_late = bool(times) and shown.onset > times[0] + _LATE * (times[-1] - times[0])
        axes.annotate(
            "incident", (shown.onset, 1.0), xycoords=("data", "axes fraction"), xytext=(-3 if is_late else 3, -9),
            textcoords="offset points", color=BREACH, fontsize=7.2, ha="right" if is_late else "left",
        )  # fmt: skip  # type: ignore[arg-type]
    for event in changes:
        if not times or not times[0] <= event.timestamp <= shown.as_of:
            continue
        axes.axvline(event.timestamp, color=CHANGE, lw=1.0, ls=":", zorder=2)  # type: ignore[arg-type]
        axes.annotate(
            label(f"{event.kind}: {event.title}", 36), (event.timestamp, 1.0), xycoords=("data", "axes fraction"),
            xytext=(-3, -9), textcoords="offset points", ha="right", color=CHANGE, fontsize=7.2,
        )  # fmt: skip  # type: ignore[arg-type]
    if np.isfinite(course.before):
        axes.axhline(course.before * scale, color=CONTEXT, lw=0.8, zorder=1)
    axes.set_xlim(start, end)
    axes.tick_params(axis="y", labelcolor=MUTED)


def _role(repo: str, breach: Breach) -> str:
    best = breach.root_causes[0] if breach.root_causes else None
    parts = []
    if best is not None and best.repo == repo:
        parts.append(f"cause ({best.confidence:.0%})")
    if repo == breach.target:
        parts.append("breached")
    elif repo in breach.repos:
        parts.append("affected")
    return ", ".join(parts) or "contributes"


def _axis_label(shown: Courses) -> str:
    if shown.unit == "share of failures":
        return "failed, %"
    if shown.unit == "ratio":
        return f"{label(shown.metric, 24)}, %"
    return f"{label(shown.metric, 24)}, {shown.unit}" if shown.unit else label(shown.metric, 24)


def _level(value: float, unit: str) -> str:
    return "unknown" if not np.isfinite(value) else value_text(value, unit)
