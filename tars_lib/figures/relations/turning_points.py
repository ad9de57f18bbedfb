"""Who turned when, and by how much?"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from tars_lib.figures.style.picture import Picture
from tars_lib.figures.style.theme import (
    BREACH,
    CHANGE,
    CONTEXT,
    FULL,
    INCIDENT_SHADE,
    INK,
    MUTED,
    label,
    label_ends,
    label_times,
    themed,
)
from tars_lib.model.history import from_micros
from tars_lib.model.organisation import duration_text
from tars_lib.text.quantities import value_text
from tars_lib.text.times import MINUTES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from matplotlib.axes import Axes

    from tars_lib.engines.relations.turning_points import Turn, Unfolding
    from tars_lib.model.names import Event

MAX_ROWS = 8
"""Courses that stay readable on half a page; judgement."""
_DEPTH = 0.6
_WORDS = 0.84
"""Of a row's height: the course, and the top of its words above it."""
MAX_NAMED = 4
_BETTER_SHADE = "#e8edf2"
_MANY = 60
"""Samples from which single ones are not dotted."""


def draw_unfolding(shown: Unfolding, changes: Sequence[Event] = ()) -> Picture:
    """Draw the course of each repo in the order in which they turned, each on its own scale, worse as it was measured.

    Parameters
    ----------
    shown : Unfolding
        At least one repo of it turned.
    changes : sequence of Event
        Marked in the rows of their repos.
    """
    from matplotlib.figure import Figure

    turns = shown.turns[:MAX_ROWS]
    first = turns[0].at
    with themed():
        figure = Figure(figsize=(FULL[0], 0.52 * len(turns) + 0.62))
        axes = figure.subplots()
        for row, turn in enumerate(turns):
            _draw_row(axes, turn, -row, shown, first, [event for event in changes if event.repo == turn.repo])
        for (upper, one), (lower, other) in pairwise(enumerate(turn for turn in turns if turn.at is not None)):
            if one.at == other.at:
                continue
            axes.annotate(
                "", (other.at, -lower + 0.5 * _DEPTH), (one.at, -upper + 0.5 * _DEPTH),
                arrowprops={"arrowstyle": "-|>", "color": BREACH, "lw": 1.1, "shrinkA": 3, "shrinkB": 3}, zorder=5,
            )  # fmt: skip  # type: ignore[arg-type]
        axes.set_ylim(-len(turns) + 0.88, 1.22)
        axes.set_yticks(
            [0.5 * _DEPTH - row for row in range(len(turns))], [label_ends(turn.repo, 32) for turn in turns]
        )
        axes.tick_params(axis="y", labelcolor=INK, labelsize=7.8)
        axes.grid(visible=False)
        axes.spines["left"].set_visible(False)
        axes.margins(x=0.01)
        label_times(axes, 5)
        axes.set_xlabel("time, UTC")
    order = _order(shown)
    more = len(shown.turns) - len(turns)
    return Picture(
        figure,
        alt=f"Courses of {len(turns)} services, one above the other. {order}. "
        + "; ".join(
            f"{label_ends(turn.repo, 40)}: {turn.metric} {_levels(turn)}" for turn in turns if turn.at is not None
        )
        + ".",
        title=order,
        caption="Each row has its own scale; numbers are medians before and after the turn"
        + (f"; {more} more are not drawn." if more > 0 else "."),
    )


def _order(shown: Unfolding) -> str:
    """Return the finding in words; repos that turned in one sample have no order."""
    groups: dict[datetime, list[str]] = {}
    for turn in shown.turned:
        assert turn.at is not None  # noqa: S101 - it turned
        groups.setdefault(turn.at, []).append(label_ends(turn.repo, 40))
    first = min(groups)
    parts = [f"{_together(groups.pop(first))} turned at {first:{MINUTES}}"]
    parts += [f"{_together(names)} {duration_text(at - first)} later" for at, names in sorted(groups.items())]
    still = len(shown.turns) - len(shown.turned)
    return ", ".join(parts) + (f"; {still} did not turn" if still else "")


def _together(names: list[str]) -> str:
    """Return names as they stand in a sentence; of many the first and how many more."""
    if len(names) > MAX_NAMED:
        return f"{', '.join(names[:MAX_NAMED])} and {len(names) - MAX_NAMED} more in the same sample"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]} (in the same sample)"


def _draw_row(
    axes: Axes, turn: Turn, base: float, shown: Unfolding, first: datetime | None, changes: Sequence[Event]
) -> None:
    times = [from_micros(int(time)) for time in turn.times]
    finite = turn.values[np.isfinite(turn.values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    scaled = base + _DEPTH * (turn.values - low) / ((high - low) or 1.0)
    colour = BREACH if turn.is_worse else INK if turn.at is not None else CONTEXT
    if turn.at is not None:
        lasts = [turn.at, max(turn.until or shown.as_of, turn.at)]
        shade = INCIDENT_SHADE if turn.is_worse else _BETTER_SHADE
        axes.fill_between(lasts, base, base + _DEPTH, color=shade, lw=0, zorder=0)  # type: ignore[arg-type]
        axes.plot([turn.earliest, turn.latest], [base, base], color=colour, lw=3.0, zorder=2)  # type: ignore[arg-type]
        axes.plot([turn.at, turn.at], [base, base + _DEPTH], color=colour, lw=0.9, ls=":", zorder=2)  # type: ignore[arg-type]
    marker = "o" if len(times) <= _MANY else ""
    axes.plot(times, scaled, color=colour, lw=1.2, marker=marker, ms=1.8, zorder=3)  # type: ignore[arg-type]
    axes.axhline(base - 0.06, color="#eef1f4", lw=0.7, zorder=0)
    when = ""
    if turn.at is not None and first is not None:
        after = turn.at - first
        when = f"{turn.at:%m-%d %H:%M}" if not after else f"+{duration_text(after)}"
    axes.annotate(
        f"{label(turn.metric, 22)} {_levels(turn)}{', ' + when if when else ''}", (0.0, base + _WORDS),
        xycoords=("axes fraction", "data"), xytext=(2, 0), textcoords="offset points", va="top", fontsize=7.2,
        color=INK if turn.at is not None else MUTED, bbox={"fc": "white", "ec": "none", "pad": 0.8, "alpha": 0.85},
        zorder=6,
    )  # fmt: skip
    for event in changes:
        if times and times[0] <= event.timestamp <= shown.as_of:
            axes.plot([event.timestamp], [base], marker="^", ms=5, color=CHANGE, zorder=6, clip_on=False)  # type: ignore[arg-type]
            axes.annotate(
                label(f"{event.kind}: {event.title}", 34), (event.timestamp, base), xytext=(-5, 2),
                textcoords="offset points", ha="right", va="bottom", fontsize=7.0, color=CHANGE, zorder=6,
                bbox={"fc": "white", "ec": "none", "pad": 0.6, "alpha": 0.85},
            )  # fmt: skip  # type: ignore[arg-type]


def _levels(turn: Turn) -> str:
    levels = [value_text(v, turn.unit) if np.isfinite(v) else "unknown" for v in (turn.before, turn.after)]
    return levels[0] if turn.at is None else " → ".join(levels)
