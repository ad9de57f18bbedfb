"""Which SLA was breached from when to when, and what was changed before?"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from tars_lib.figures.style.picture import Picture
from tars_lib.figures.style.theme import BREACH, CHANGE, CONTEXT, HALF, INK, MUTED, label, label_times, themed
from tars_lib.model.organisation import duration_text
from tars_lib.text.counts import active_text
from tars_lib.text.times import MINUTES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from tars_lib.engines.sla.report import Breach
    from tars_lib.model.names import Event

MAX_ROWS = 6
MAX_CHANGES = 3
"""Changes that stay readable in half a page's width; judgement."""


def draw_breach_timeline(
    breaches: Sequence[Breach], changes: Sequence[Event], as_of: datetime, *, is_settled: bool = False
) -> Picture | None:
    """Draw a bar for each breached SLA, from its onset to its last sample beyond the objective; changes before it as marks.

    Parameters
    ----------
    breaches : sequence of Breach
        Those without an onset are named in the caption, not drawn.
    changes : sequence of Event
        Those near the onset are drawn.
    as_of : datetime
        Time of the data; a breach that is active then ends there with an arrow.
    is_settled : bool
        Told of what is past: how long a breach lasted at least, not that it is active.

    Returns
    -------
    Picture or None
        None where no breach has an onset.
    """
    from matplotlib.figure import Figure

    dated = [breach for breach in breaches if breach.started_at is not None][:MAX_ROWS]
    if not dated:
        return None
    first = min(breach.started_at for breach in dated if breach.started_at is not None)
    span = max(as_of - first, timedelta(minutes=1))
    near = near_changes(changes, first, as_of, span)
    begin = min([first - 0.35 * span, *(event.timestamp - 0.08 * span for event in near)])
    with themed():
        figure = Figure(figsize=HALF)
        axes = figure.subplots()
        axes.grid(visible=False)
        axes.spines["left"].set_visible(False)
        for row, breach in enumerate(dated):
            start, end = breach.started_at or first, breach.ended_at or as_of
            width = end - start
            axes.barh(row, width, left=start, height=0.36, color=BREACH, zorder=2)  # type: ignore[arg-type]
            if breach.started_before:
                axes.plot(start, row, marker="<", ms=7, color=BREACH, zorder=3)  # type: ignore[arg-type]
            if breach.ended_at is None:
                axes.plot(end, row, marker=">", ms=7, color=BREACH, zorder=3, clip_on=False)  # type: ignore[arg-type]
            open_word = f"at least {duration_text(width)}" if is_settled else f"{duration_text(width)}, still active"
            said = f"{duration_text(width)}, over" if breach.ended_at else open_word
            axes.annotate(
                f"{label(breach.sla_name, 26)}: {said}", (begin, row - 0.2), xytext=(0, 1.5),
                textcoords="offset points", color=INK, fontsize=7.4, va="bottom", annotation_clip=False,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.4},
            )  # fmt: skip
        for position, event in enumerate(near):
            low = len(dated) + 0.45 * position
            axes.plot(event.timestamp, low, marker="D", ms=5, color=CHANGE, zorder=3)  # type: ignore[arg-type]
            axes.plot([event.timestamp] * 2, [0.0, low], color=CHANGE, lw=0.8, ls=":", zorder=1)  # type: ignore[arg-type]
            is_late = event.timestamp > begin + 0.4 * (as_of - begin)
            axes.annotate(
                label(f"{event.kind} {event.repo or 'all'}: {event.title}", 34), (event.timestamp, low),
                xytext=(-7 if is_late else 7, 0), textcoords="offset points", color=CHANGE, fontsize=7.0,
                ha="right" if is_late else "left", va="center", annotation_clip=False,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.4}, zorder=2,
            )  # fmt: skip
        axes.axvline(as_of, color=CONTEXT, lw=0.9)  # type: ignore[arg-type]
        axes.set_ylim(len(dated) - 0.1 + 0.45 * len(near), -0.75)
        axes.set_xlim(begin, as_of + 0.03 * (as_of - begin))  # type: ignore[arg-type]
        axes.set_yticks([])
        label_times(axes, 4)
        axes.tick_params(axis="x", labelcolor=MUTED)
        axes.set_xlabel("time, UTC")
    lasting = sum(breach.ended_at is None for breach in dated)
    undated = len(breaches) - len(dated)
    began = f"{'The' if len(dated) == 1 else 'The first'} breach began {first:{MINUTES}}"
    said = active_text(lasting, len(dated), as_of)
    if is_settled:
        said = said.replace(" is active", " was active").replace(" are active", " were active")
    last = near[-1] if near else None
    why = (
        f", {duration_text(first - last.timestamp)} after {last.kind} of {label(last.repo or 'all services')}"
        if last is not None and last.timestamp <= first
        else ""
    )
    return Picture(
        figure,
        alt=f"Timeline of breaches. {began}{why}; {said}.",
        title=f"{began}{why}",
        caption=f"{said[:1].upper()}{said[1:]}." + (f" {undated} more are not drawn." if undated else ""),
        width="half",
    )


def near_changes(changes: Sequence[Event], first: datetime, as_of: datetime, span: timedelta) -> list[Event]:
    """Return the last changes before the first onset and soon after, oldest first: what may have to do with it."""
    reach = max(span, timedelta(hours=3))
    close = [event for event in changes if first - reach <= event.timestamp <= min(as_of, first + 0.1 * span)]
    return sorted(close, key=lambda event: event.timestamp)[-MAX_CHANGES:]
