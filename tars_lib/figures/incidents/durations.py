"""How long did it take to detect, to resolve and to recover, incident by incident, against the playbook's targets?"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from tars_lib.figures.style.picture import Picture
from tars_lib.figures.style.theme import BREACH, FULL, GRID, INK, MUTED, OBJECTIVE, SERIES, label, themed
from tars_lib.playbook.wording import length_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

SHORTEST = 1.0
"""Minutes at the left end of the scale; shorter lengths are drawn there. Judgement: nobody acts faster."""
_TICKS = (
    (1, "1 min"),
    (5, "5 min"),
    (15, "15 min"),
    (60, "1 h"),
    (240, "4 h"),
    (1440, "1 d"),
    (10080, "1 week"),
    (43200, "30 d"),
)
_STEP = 0.13
_COLUMNS = 60
"""Dots nearer than a sixtieth of the width are drawn above one another; judgement."""


@dataclass(frozen=True, slots=True)
class LengthRow:
    """One metric: minutes of each incident, ages of those under way, and the playbook's target in minutes."""

    name: str
    known: tuple[float, ...]
    running: tuple[float, ...]
    target: float | None
    mean: float | None
    median: float | None
    p90: float | None


def draw_lengths(rows: Sequence[LengthRow]) -> Picture | None:
    """Draw each incident as a dot on a scale of powers; median, 90th percentile, mean and target as marks; open ones apart.

    Returns
    -------
    Picture or None
        None where no incident has a length or an age.
    """
    import math

    from matplotlib.figure import Figure

    everything = [value for row in rows for value in (*row.known, *row.running)]
    if not everything:
        return None
    targets = [row.target for row in rows if row.target is not None]
    top = max([*everything, *targets, 60.0]) * 2.2
    step = math.log(top / SHORTEST) / _COLUMNS
    with themed():
        figure = Figure(figsize=(FULL[0], 0.8 * len(rows) + 0.62))
        axes = figure.subplots()
        axes.set_xscale("log")
        axes.set_xlim(SHORTEST / 1.25, top)
        for position, row in enumerate(rows):
            _draw_row(axes, position, row, step)
        axes.set_ylim(len(rows) - 0.42, -0.66)
        axes.set_yticks(range(len(rows)), [label(row.name, 18) for row in rows])
        axes.tick_params(axis="y", labelcolor=INK, labelsize=8.2)
        axes.minorticks_off()
        shown = [(value, text) for value, text in _TICKS if value <= top]
        axes.set_xticks([value for value, _ in shown], [text for _, text in shown])
        axes.grid(visible=False, axis="y")
        axes.grid(visible=True, axis="x", color=GRID)
        axes.set_xlabel("duration (log scale)")
    said = "; ".join(_said(row) for row in rows)
    return Picture(
        figure,
        alt=f"Durations of incidents against targets. {said}.",
        title=said,
        caption="Dot: an incident; red: beyond the target. Thick line: median; thin: 90th percentile; diamond: "
        "the mean, which is compared with the target. Hollow triangle: still open, so far.",
    )


def stacked(values: Sequence[float], step: float) -> list[tuple[float, int]]:
    """Return each value with its height in a pile of those that would cover it; values in order.

    Parameters
    ----------
    values : sequence of float
        Minutes.
    step : float
        Width of a pile in natural logarithms of minutes.
    """
    import math

    piles: dict[int, int] = defaultdict(int)
    placed = []
    for value in sorted(values):
        pile = round(math.log(max(value, SHORTEST)) / step)
        placed.append((value, piles[pile]))
        piles[pile] += 1
    return placed


def _draw_row(axes: Axes, place: int, row: LengthRow, step: float) -> None:
    tallest = max((height for _, height in stacked(row.known, step)), default=0)
    rise = min(_STEP, 0.4 / max(tallest, 1))
    for value, height in stacked(row.known, step):
        is_over = row.target is not None and value >= row.target
        axes.plot(
            [max(value, SHORTEST)], [place - height * rise], marker="o", ms=4.4, ls="", zorder=4,
            color=BREACH if is_over else SERIES[0], mec="white", mew=0.5,
        )  # fmt: skip
    for value in row.running:
        axes.plot(
            [max(value, SHORTEST)], [place + 0.3], marker=">", ms=5.0, ls="", zorder=4, mfc="white", mec=MUTED, mew=1.1
        )
    if row.target is not None:
        axes.plot([row.target] * 2, [place - 0.44, place + 0.4], color=OBJECTIVE, lw=1.2, ls=(0, (4, 3)), zorder=2)
        axes.annotate(
            f"target under {length_text(timedelta(minutes=row.target))}", (row.target, place - 0.46), xytext=(2, 0),
            textcoords="offset points", fontsize=7.0, color=OBJECTIVE, va="bottom",
        )  # fmt: skip
    for mark, width in ((row.median, 2.6), (row.p90, 1.2)):
        if mark is not None:
            axes.plot([max(mark, SHORTEST)] * 2, [place + 0.08, place + 0.24], color=INK, lw=width, zorder=5)
    if row.mean is not None:
        axes.plot(
            [max(row.mean, SHORTEST)],
            [place + 0.16],
            marker="D",
            ms=4.6,
            mfc="white",
            mec=INK,
            mew=1.2,
            zorder=6,
            ls="",
        )
    else:
        axes.annotate(
            "no value yet",
            (SHORTEST, place),
            xytext=(4, 0),
            textcoords="offset points",
            fontsize=7.4,
            color=MUTED,
            va="center",
        )


def _said(row: LengthRow) -> str:
    if row.mean is None:
        said = f"{row.name}: no value yet"
    else:
        over = sum(row.target is not None and value >= row.target for value in row.known)
        said = (
            f"{row.name}: mean {length_text(timedelta(minutes=row.mean))}, {over} of {len(row.known)} beyond the target"
        )
    return said + (f", {len(row.running)} open" if row.running else "")
