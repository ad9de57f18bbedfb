"""How did one metric of one repo go, and did an event change it?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tars_lib.engines.queries.metric_course import MetricCourse
from tars_lib.figures.style.picture import Picture
from tars_lib.figures.style.theme import CHANGE, CONTEXT, FULL, MUTED, OBJECTIVE, SERIES, label, label_times, themed
from tars_lib.model.history import from_micros
from tars_lib.text.quantities import value_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from tars_lib.model.names import Event

_FEW = 60
"""Up to so many samples each is marked; judgement: beyond, marks hide the line."""


def draw_metric(shown: MetricCourse, events: Sequence[Event] = ()) -> Picture | None:
    """Draw a metric over time: objectives dashed, events dotted, levels before and after the chosen event as thin lines.

    Parameters
    ----------
    shown : MetricCourse
    events : sequence of Event
        Marked where they lie within the stretch; the course's own event is named.

    Returns
    -------
    Picture or None
        None where there is no sample.
    """
    from matplotlib.figure import Figure

    if not shown.seen.size:
        return None
    with themed():
        figure = Figure(figsize=FULL)
        axes = figure.subplots()
        draw_course(axes, shown, events)
        unit = "%" if shown.unit == "ratio" else shown.unit
        axes.set_ylabel(f"{label(shown.metric, 24)}, {unit}" if unit else label(shown.metric, 24))
        axes.set_xlabel("time, UTC")
        axes.set_title(f"{label(shown.metric)} of {label(shown.repo)}")
    said = _said(shown)
    missing = int(np.isnan(shown.values).sum())
    gaps = f" The line breaks at {missing} gap{'s' if missing > 1 else ''} in the data." if missing else ""
    marks = [" Dashed: objectives." if shown.limits else "", " Dotted: events." if _inside(shown, events) else ""]
    return Picture(figure, alt=f"A line of {shown.metric} of {shown.repo} over time. {said}{gaps}",
                   caption=f"{said}{''.join(marks)}{gaps}")  # fmt: skip


def draw_course(axes: Axes, shown: MetricCourse, events: Sequence[Event] = ()) -> None:
    """Draw a metric that has samples into axes: line, objectives, events, levels."""
    scale = 100.0 if shown.unit == "ratio" else 1.0
    _draw_line(axes, shown, scale)
    _draw_limits(axes, shown, scale)
    _draw_events(axes, shown, events)
    _draw_levels(axes, shown, scale)


def _draw_line(axes: Axes, shown: MetricCourse, scale: float) -> None:
    times = [from_micros(int(time)) for time in shown.times]
    marker = "o" if shown.seen.size <= _FEW else ""
    axes.plot(times, shown.values * scale, color=SERIES[0], lw=1.3, marker=marker, ms=2.4, zorder=3)  # type: ignore[arg-type]
    axes.set_xlim(shown.start, shown.end)  # type: ignore[arg-type]
    low, high = float(shown.seen.min()) * scale, float(shown.seen.max()) * scale
    near = [limit * scale for _, limit in shown.limits]
    low, high = min([low, *near]), max([high, *near])
    room = (high - low) or abs(high) or 1.0
    floor = 0.0 if 0.0 <= low < room else low - 0.06 * room
    axes.set_ylim(floor, high + 0.24 * room)
    label_times(axes, 6)


def _draw_limits(axes: Axes, shown: MetricCourse, scale: float) -> None:
    for name, limit in shown.limits:
        axes.axhline(limit * scale, color=OBJECTIVE, lw=0.9, ls=(0, (4, 3)), zorder=2)
        axes.annotate(
            f"objective: {label(name, 30)}", (0.0, limit * scale), xycoords=("axes fraction", "data"), xytext=(3, 3),
            textcoords="offset points", color=OBJECTIVE, fontsize=7.2,
        )  # fmt: skip


def _draw_events(axes: Axes, shown: MetricCourse, events: Sequence[Event]) -> None:
    for event in _inside(shown, events):
        is_chosen = event == shown.event
        axes.axvline(event.timestamp, color=CHANGE, lw=1.5 if is_chosen else 0.9, ls=":", zorder=2)  # type: ignore[arg-type]
        if is_chosen:
            axes.annotate(
                label(f"{event.kind}: {event.title}", 40), (event.timestamp, 1.0), xycoords=("data", "axes fraction"),
                xytext=(-3, -9), textcoords="offset points", ha="right", color=CHANGE, fontsize=7.6,
            )  # fmt: skip  # type: ignore[arg-type]


def _draw_levels(axes: Axes, shown: MetricCourse, scale: float) -> None:
    if shown.event is None:
        return
    at = shown.event.timestamp
    # the level before stands at its begin, the one since beside the axes: there it hides nothing
    for level, first, last, is_now in ((shown.before, shown.start, at, False), (shown.after, at, shown.end, True)):
        if not np.isfinite(level):
            continue
        axes.plot([first, last], [level * scale] * 2, color=CONTEXT, lw=1.0, zorder=2)  # type: ignore[arg-type]
        axes.annotate(
            value_text(level, shown.unit), (1.0 if is_now else 0.0, level * scale), xycoords=("axes fraction", "data"),
            xytext=(4, -2 if is_now else 3), textcoords="offset points", color=MUTED, fontsize=7.4,
        )  # fmt: skip


def _inside(shown: MetricCourse, events: Sequence[Event]) -> list[Event]:
    chosen = [shown.event] if shown.event is not None else []
    return [event for event in dict.fromkeys([*events, *chosen]) if shown.start <= event.timestamp <= shown.end]


def _said(shown: MetricCourse) -> str:
    what = f"{label(shown.metric)} of {label(shown.repo)}"
    if shown.event is not None:
        levels = [value_text(v, shown.unit) if np.isfinite(v) else "unknown" for v in (shown.before, shown.after)]
        return f"{what}: median {levels[0]} before {shown.event.kind} {label(shown.event.title)!r}, {levels[1]} since."
    seen = shown.seen
    low, middle, high = (value_text(float(v), shown.unit) for v in (seen.min(), np.median(seen), seen.max()))
    return f"{what}: median {middle}, from {low} to {high}, {seen.size} samples."
