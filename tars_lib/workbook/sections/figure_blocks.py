"""Figures as blocks of a report."""

from __future__ import annotations

from tars_lib.figures.style.narrow import render_narrow
from tars_lib.figures.style.picture import Picture
from tars_lib.figures.style.theme import render
from tars_lib.reports.blocks.kinds import FigureBlock


def figures(*pictures: Picture | None) -> list[FigureBlock]:
    """Render the pictures that there are, in order; a figure function returns None where there is nothing to draw."""
    return [figure(picture) for picture in pictures if picture is not None]


def figure(picture: Picture) -> FigureBlock:
    """Render a picture."""
    svg, png = render(picture.figure)
    # a half figure is as wide as a phone already
    is_narrowed = picture.width == "full" and picture.phone > 0
    narrow = render_narrow(picture.figure, picture.phone) if is_narrowed else b""
    return FigureBlock(svg, png, picture.alt, picture.caption, picture.width, narrow, picture.phone == 0, picture.title)
