"""The same figure for a screen as narrow as a phone's: panels in fewer columns, text at the size that it has."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from tars_lib.figures.style.theme import slim, themed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 3.75
"""Inches: 360 CSS pixels, what a window of 390 leaves between margins."""
TEXTS_INSIDE = "texts-inside"
"""Mark of axes whose texts begin at a point and run to the right: on a narrow screen the axis is lengthened until they fit."""
_PANEL = 0.86
"""Height of a panel that gets the whole width, as a share of what it had beside others; judgement."""


def render_narrow(figure: Figure, columns: int) -> bytes:
    """Draw a figure anew for a narrow screen; the figure is changed, so this comes after everything else.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Made within `themed()`.
    columns : int
        Columns of panels, at least 1. A figure of one panel becomes narrower.

    Returns
    -------
    bytes
        SVG as `render` makes it. What stands beside the axes is never cut off: the picture is as wide as it has to be.
    """
    with themed():
        _reflow(figure, columns)
        out = io.BytesIO()
        figure.savefig(
            out, format="svg", bbox_inches="tight", pad_inches=0.03,
            metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")),
        )  # fmt: skip
    return slim(out.getvalue())


def _reflow(figure: Figure, columns: int) -> None:
    places = {axes: axes.get_subplotspec() for axes in figure.axes if axes.get_visible()}
    shown = [axes for axes, place in places.items() if place is not None]
    width, height = figure.get_size_inches()
    grids = {place.get_gridspec() for place in places.values() if place is not None}
    had = max((grid.ncols for grid in grids), default=1)
    if len(grids) != 1 or had <= columns:
        figure.set_size_inches(min(width, WIDTH), height)
        for axes in figure.axes:
            if axes.get_gid() == TEXTS_INSIDE:
                _make_room(figure, axes)
        return
    before = -(-len(shown) // had)
    rows = -(-len(shown) // columns)
    figure.set_size_inches(WIDTH, height / before * rows * _PANEL)
    for axes in figure.axes:
        if axes not in shown:
            axes.remove()
    grid = figure.add_gridspec(rows, columns)
    for place, axes in enumerate(shown):
        axes.set_subplotspec(grid[place // columns, place % columns])
        _label(axes, shown, is_left=place % columns == 0, is_lowest=place + columns >= len(shown))


def _make_room(figure: Figure, axes: Axes) -> None:
    """Lengthen the axis of x so that no text runs beyond the panel, and break its label at the comma."""
    from matplotlib.text import Annotation

    axes.set_xlabel(axes.get_xlabel().replace(", ", ",\n", 1), loc="left")
    figure.canvas.draw()
    start, end = axes.get_xlim()
    wide, ends = axes.bbox.width, [end]
    for text in axes.texts:
        # the place of an annotation is that of its arrow's tip; what stands right of it is as wide as it was
        at = float(text.xy[0] if isinstance(text, Annotation) else text.get_position()[0])
        beyond = text.get_window_extent().x1 - axes.transData.transform((at, 0.0))[0]
        if 0.0 < beyond < wide:
            ends.append(start + (at - start) * wide / (wide - beyond))
    axes.set_xlim(start, max(ends))


def _label(axes: Axes, shown: list[Axes], *, is_left: bool, is_lowest: bool) -> None:
    """Set tick and axis labels for where the panel stands now; panels with one scale have them once a row and a column."""
    first = shown[0]
    shares_x = axes.get_shared_x_axes().joined(axes, first)
    if axes.get_shared_y_axes().joined(axes, first):
        axes.tick_params(labelleft=is_left)
        axes.set_ylabel(first.get_ylabel() if is_left else "", fontsize=first.yaxis.label.get_fontsize())
    if shares_x and len(shown) > 1:
        text = next((panel.get_xlabel() for panel in shown if panel.get_xlabel()), "")
        axes.tick_params(labelbottom=is_lowest)
        axes.set_xlabel(text if is_lowest else "")
