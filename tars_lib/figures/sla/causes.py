"""Which repo caused the breach, how sure is that, and how much is left unexplained?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tars_lib.engines.sla.thresholds import STANDS_OUT
from tars_lib.figures.style.picture import Picture
from tars_lib.figures.style.theme import BREACH, CONTEXT, HALF, INK, MUTED, SERIES, label, themed
from tars_lib.text.counts import plural, unexplained_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from tars_lib.engines.sla.report import Breach

MAX_CAUSES = 5


def draw_causes(breach: Breach) -> Picture | None:
    """Draw the confidence of each cause and the share of the impact that it explains; the last row is what no cause explains.

    Returns
    -------
    Picture or None
        None where no cause is named.
    """
    from matplotlib.figure import Figure

    causes = breach.root_causes[:MAX_CAUSES]
    if not causes:
        return None
    rows = [*(label(cause.repo, 18) for cause in causes), *(["unexplained"] if breach.is_weighed else [])]
    with themed():
        figure = Figure(figsize=HALF)
        sure, share = figure.subplots(1, 2, sharey=True)
        best = BREACH if causes[0].confidence >= STANDS_OUT else SERIES[0]
        for row, cause in enumerate(causes):
            colour = best if row == 0 else CONTEXT
            for axes, value in ((sure, cause.confidence), (share, cause.contribution))[: 2 if breach.is_weighed else 1]:
                axes.barh(row, 100.0 * value, height=0.55, color=colour, zorder=2)
                _number(axes, 100.0 * value, row, row == 0)
        if breach.is_weighed:
            rest = 100.0 * breach.unexplained
            share.barh(len(causes), rest, height=0.55, color="white", edgecolor=MUTED, hatch="////", lw=0.8, zorder=2)
            _number(share, rest, len(causes), False)
        else:
            share.text(3.0, 0.0, "not measured", color=MUTED, fontsize=7.4, va="center")
        for axes, title, side in ((sure, "Confidence", "left"), (share, "Share of impact", "right")):
            axes.set_xlim(0.0, 135.0)
            axes.set_xticks([0, 50, 100])
            axes.grid(visible=True, axis="x")
            axes.grid(visible=False, axis="y")
            axes.set_xlabel("%")
            # from the outer edges inward: beside long names the panels are narrower than their titles
            axes.set_title(title, fontsize=8.4, loc=side)
        sure.set_ylim(max(len(causes), 2.6) + 0.6, -0.6)
        sure.set_yticks(range(len(rows)), rows)
        sure.tick_params(axis="y", labelcolor=INK, labelsize=7.4)
    first = causes[0]
    said = (
        f"{label(breach.sla_name)}: {label(first.repo)} is the cause ({first.confidence:.0%} confidence) and explains "
        f"{first.contribution:.0%} of the impact"
        if first.confidence >= STANDS_OUT and breach.is_weighed
        else f"{label(breach.sla_name)}: {label(first.repo)} is the likely cause ({first.confidence:.0%} confidence)"
        if first.confidence >= STANDS_OUT
        else f"{label(breach.sla_name)}: no clear cause yet; check first: {label(first.repo)} ({first.confidence:.0%})"
    )
    left = breach.unexplained if breach.is_weighed else None
    more = len(breach.root_causes) - len(causes)
    return Picture(
        figure,
        alt=f"Ranking of {plural(len(causes), 'cause')}. {said}. {unexplained_text(left)}.",
        title=said,
        caption=f"{plural(more, 'weaker cause')} not drawn." if more else "",
        width="half",
    )


def _number(axes: Axes, value: float, row: int, is_first: bool) -> None:
    axes.text(
        value + 3.0, row, f"{value:.0f}", color=INK, fontsize=7.4, va="center", weight="bold" if is_first else "normal"
    )
