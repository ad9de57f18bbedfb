"""How did executive readiness go from run to run?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from tars_lib.engines.sla.readiness import GREEN, YELLOW
from tars_lib.figures.style.picture import Picture
from tars_lib.figures.style.theme import BREACH, CONTEXT, FULL, INK, MUTED, SERIES, label_times, themed
from tars_lib.model.names import ReadinessTier

if TYPE_CHECKING:
    from collections.abc import Sequence

_MARKS = {
    ReadinessTier.RED: ("s", BREACH),
    ReadinessTier.YELLOW: ("^", SERIES[1]),
    ReadinessTier.GREEN: ("o", SERIES[2]),
    ReadinessTier.UNKNOWN: ("X", MUTED),
}
"""A shape a tier, so that grey print tells them apart."""


@dataclass(frozen=True, slots=True)
class RunPoint:
    """Readiness of one run, 0-100, judged as of a time; `breached` SLAs."""

    run_id: str
    as_of: datetime
    score: float
    tier: ReadinessTier
    breached: int


def draw_readiness_runs(points: Sequence[RunPoint]) -> Picture | None:
    """Draw readiness over the time that each run judged.

    Parameters
    ----------
    points : sequence of RunPoint
        Oldest first.

    Returns
    -------
    Picture or None
        None where the runs judged fewer than two moments: one point is no course, however often it was judged.
    """
    from matplotlib.figure import Figure

    if len({point.as_of for point in points}) < 2:
        return None
    with themed():
        figure = Figure(figsize=(FULL[0], 2.15))
        axes = figure.subplots()
        axes.plot([point.as_of for point in points], [point.score for point in points], color=CONTEXT, lw=1.2, zorder=2)  # type: ignore[arg-type]
        for tier, (marker, colour) in _MARKS.items():
            mine = [point for point in points if point.tier is tier]
            axes.plot(
                [point.as_of for point in mine], [point.score for point in mine], marker=marker, color=colour, ms=5.6, ls="",  # type: ignore[arg-type]
                mec="white", mew=0.6, zorder=4,
            )  # fmt: skip
        for bound, word in ((YELLOW, "red below"), (GREEN, "green from")):
            axes.axhline(bound, color=CONTEXT, lw=0.9, ls=(0, (4, 3)), zorder=1)
            axes.annotate(
                f"{word} {bound:.0f}", (1.0, bound), xycoords=("axes fraction", "data"), xytext=(3, 0),
                textcoords="offset points", fontsize=7.0, color=MUTED, va="center",
            )  # fmt: skip
        lowest = min(points, key=lambda one: one.score)
        named = {points[0].run_id: points[0], lowest.run_id: lowest, points[-1].run_id: points[-1]}
        for one in named.values():
            axes.annotate(
                f"{one.score:.0f} {one.tier.value.lower()}", (one.as_of, one.score), xytext=(0, -12 if one.score > 20 else 7),
                textcoords="offset points", fontsize=7.4, color=INK, ha="center",
                weight="bold" if one is points[-1] else "normal",
                bbox={"fc": "white", "ec": "none", "pad": 0.4, "alpha": 0.8}, zorder=5,
            )  # fmt: skip
        axes.set_ylim(0.0, 104.0)
        axes.margins(x=0.06)
        label_times(axes, 6)
        axes.set_ylabel("readiness, points of 100")
        axes.set_xlabel("data as of, UTC")
    first, last = points[0], points[-1]
    moved = last.score - first.score
    way = "unchanged" if abs(moved) < 0.5 else f"{'up' if moved > 0 else 'down'} {abs(moved):.0f}"
    said = (
        f"Readiness is {last.score:.0f} of 100, {last.tier.value.lower()}, {way} since {first.as_of:%Y-%m-%d}; "
        f"the lowest of {len(points)} runs was {lowest.score:.0f} on {lowest.as_of:%Y-%m-%d}"
    )
    return Picture(
        figure,
        alt=f"Readiness over {len(points)} runs. {said}.",
        title=said,
        caption="Square: red; triangle: yellow; dot: green; cross: unknown.",
    )
