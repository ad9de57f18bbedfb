"""Who was told when, who is overdue, who comes next, and how much time do the two clocks leave?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from tars_lib.figures.style.narrow import TEXTS_INSIDE
from tars_lib.figures.style.picture import Picture
from tars_lib.figures.style.theme import (
    BREACH,
    CONTEXT,
    FULL,
    INCIDENT_SHADE,
    INK,
    MUTED,
    OBJECTIVE,
    PAST_SHADE,
    SERIES,
    label,
    themed,
)
from tars_lib.playbook.wording import length_text
from tars_lib.text.times import MINUTES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from tars_lib.playbook.escalation import Escalation, Rung

_MINUTE = timedelta(minutes=1)
_LEAST = 20.0
"""Minutes that the axis shows at least: the fifteen of the golden path and what comes just after."""
_UNITS = ((3 * 1440.0, 1440.0, "days"), (240.0, 60.0, "hours"), (0.0, 1.0, "minutes"))
"""From so many minutes on, minutes of the axis's unit, and its name; judgement: at most about a dozen ticks."""


@dataclass(frozen=True, slots=True)
class ClockBar:
    """A clock: `due_at` None where no time is set, `stopped_at` None while it runs."""

    name: str
    started_at: datetime
    due_at: datetime | None
    stopped_at: datetime | None

    def is_late(self, now: datetime) -> bool:
        """Return whether it ran, or runs, beyond its time."""
        return self.due_at is not None and (self.stopped_at or now) > self.due_at


def draw_escalation(
    found: Escalation, clocks: Sequence[ClockBar], opened_at: datetime, now: datetime, ended_at: datetime | None = None
) -> Picture:
    """Draw the clocks and the people to be told, in rows over the time since the opening.

    Parameters
    ----------
    found : Escalation
    clocks : sequence of ClockBar
    opened_at, now : datetime
        `now` is drawn as a line; where it lies far beyond everything else, as an arrow at the edge.
    ended_at : datetime, optional
        When the incident was resolved.

    Returns
    -------
    Picture
        Filled dot: notified. Hollow red circle: overdue. Hollow diamond: pending. Bar: a clock up to its time.
    """
    from matplotlib.figure import Figure

    rungs = [*found.told, *found.due, *found.upcoming]
    stop = ended_at or now
    end, is_cut = _extent(rungs, clocks, opened_at, stop)
    _, unit, name = next(row for row in _UNITS if end >= row[0])
    rows = len(clocks) + len(rungs)
    with themed():
        figure = Figure(figsize=(FULL[0], 0.27 * rows + 0.72))
        axes = figure.subplots()

        def at(time: datetime) -> float:
            return min((time - opened_at) / _MINUTE, end) / unit

        last = at(stop)
        axes.axvspan(0.0, last, color=INCIDENT_SHADE if ended_at is None else PAST_SHADE, lw=0, zorder=0)
        for row, clock in enumerate(clocks):
            _draw_clock(axes, row, clock, (at(clock.started_at), at(clock.stopped_at or stop)), stop)
            if clock.due_at is not None:
                axes.plot([at(clock.due_at)] * 2, [row - 0.32, row + 0.32], color=OBJECTIVE, lw=1.8, zorder=4)
        for row, rung in enumerate(rungs, start=len(clocks)):
            is_due = rung.told_at is None and rung.due_at <= now
            when = rung.told_at or (stop if is_due else rung.due_at)
            _draw_rung(axes, row, rung, at(rung.due_at), at(when), is_due=is_due)
            _say(axes, row, at(when), _words(rung, opened_at, now), is_hot=is_due)
        axes.axvline(last, color=INK, lw=0.9, zorder=2)
        word = "resolved" if ended_at is not None else "now"
        axes.annotate(
            f"{word}, {length_text(stop - opened_at)}{' →' if is_cut else ''}", (last, -0.62), xytext=(3, 0),
            textcoords="offset points", fontsize=7.2, color=INK, va="bottom", weight="bold",
        )  # fmt: skip
        axes.set_ylim(rows - 0.45, -0.6)
        axes.set_xlim(0.0, end / unit * 1.52)
        axes.set_yticks(
            range(rows), [*(f"{clock.name} clock" for clock in clocks), *(label(r.contact, 24) for r in rungs)]
        )
        axes.tick_params(axis="y", labelcolor=INK)
        axes.grid(visible=False, axis="y")
        axes.grid(visible=True, axis="x")
        ticks = [tick for tick in axes.get_xticks() if 0 <= tick <= end / unit]
        axes.set_xticks(ticks)
        axes.set_xlim(0.0, end / unit * 1.52)
        axes.set_xlabel(f"{name} since the opening, {opened_at:{MINUTES}}", loc="left")
        axes.set_gid(TEXTS_INSIDE)
    said = _said(found, clocks, now)
    return Picture(
        figure,
        alt=f"Escalation clock. {said}",
        title=said.rstrip("."),
        caption="Filled dot: notified. Hollow red circle: overdue. Hollow diamond: pending. "
        "Red line in a row: the time that the playbook sets.",
    )


def _extent(
    rungs: Sequence[Rung], clocks: Sequence[ClockBar], opened_at: datetime, stop: datetime
) -> tuple[float, bool]:
    """Return the minutes on the axis, and whether the last moment lies beyond: a week's age must not flatten an hour."""
    times = [time for rung in rungs for time in (rung.due_at, rung.told_at) if time is not None]
    times += [time for clock in clocks for time in (clock.due_at, clock.stopped_at) if time is not None]
    marks = max([_LEAST, *((time - opened_at) / _MINUTE for time in times)])
    last = (stop - opened_at) / _MINUTE
    return (marks * 1.15, True) if last > 3 * marks else (max(marks, last) * 1.02, False)


def _draw_clock(axes: Axes, row: int, clock: ClockBar, span: tuple[float, float], stop: datetime) -> None:
    is_late = clock.is_late(stop)
    colour = BREACH if is_late else SERIES[0] if clock.stopped_at is None else CONTEXT
    start, end = span
    axes.barh(row, max(end - start, 0.0), left=start, height=0.34, color=colour, zorder=3)
    if clock.due_at is None:
        words = "no time set" if clock.stopped_at is None else "done"
    elif clock.stopped_at is not None:
        late = f", {length_text(clock.stopped_at - clock.due_at)} late" if is_late else ", in time"
        words = f"stopped after {length_text(clock.stopped_at - clock.started_at)}{late}"
    else:
        words = (
            f"overdue by {length_text(stop - clock.due_at)}" if is_late else f"{length_text(clock.due_at - stop)} left"
        )
    _say(axes, row, end, words, is_hot=is_late and clock.stopped_at is None)


def _draw_rung(axes: Axes, row: int, rung: Rung, due: float, when: float, *, is_due: bool) -> None:
    axes.plot([due, due], [row - 0.24, row + 0.24], color=OBJECTIVE, lw=1.4, zorder=3)
    if when > due:
        axes.plot([due, when], [row, row], color=BREACH if is_due else CONTEXT, lw=1.1, zorder=2)
    if rung.told_at is not None:
        axes.plot([when], [row], marker="o", ms=5.6, color=SERIES[0], ls="", zorder=4)
    elif is_due:
        axes.plot([when], [row], marker="o", ms=6.4, mfc="white", mec=BREACH, mew=1.5, ls="", zorder=4)
    else:
        axes.plot([when], [row], marker="D", ms=5.0, mfc="white", mec=MUTED, mew=1.2, ls="", zorder=4)


def _say(axes: Axes, row: int, at: float, words: str, *, is_hot: bool) -> None:
    axes.annotate(
        words, (at, row), xytext=(8, 0), textcoords="offset points", va="center", fontsize=7.4, zorder=5,
        color=BREACH if is_hot else INK, weight="bold" if is_hot else "normal",
        bbox={"fc": "white", "ec": "none", "pad": 0.6, "alpha": 0.85},
    )  # fmt: skip


def _words(rung: Rung, opened_at: datetime, now: datetime) -> str:
    if rung.told_at is not None:
        after = rung.told_at - opened_at
        return f"notified after {length_text(after)}" if after >= _MINUTE else "notified at once"
    if rung.due_at <= now:
        late = now - rung.due_at
        return (
            f"{'tell' if not rung.is_task else 'do'} now, overdue by {length_text(late)}" if late >= _MINUTE else "now"
        )
    return f"in {length_text(rung.due_at - now)} without progress"


def _said(found: Escalation, clocks: Sequence[ClockBar], now: datetime) -> str:
    told = f"{len(found.told)} notified" if found.told else "Nobody notified"
    parts = [told]
    late = [rung for rung in found.due if now - rung.due_at >= _MINUTE]
    if late:
        worst = late[0]
        parts.append(f"{len(late)} overdue, {worst.contact} by {length_text(now - worst.due_at)}")
    elif found.due:
        parts.append(f"{len(found.due)} to notify now")
    if found.upcoming:
        parts.append(f"next {found.upcoming[0].contact} in {length_text(found.upcoming[0].due_at - now)}")
    if not found.due and not found.upcoming:
        parts.append("nobody left to notify")
    running = [clock for clock in clocks if clock.stopped_at is None and clock.due_at is not None]
    parts += [
        f"{length_text(now - clock.due_at)} over the limit to {clock.name.lower()}"
        if clock.is_late(now)
        else f"{length_text(clock.due_at - now)} left to {clock.name.lower()}"
        for clock in running
        if clock.due_at is not None
    ]
    return f"{label('; '.join(parts), 400)}."
