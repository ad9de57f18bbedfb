"""Figures look alike everywhere and are the same bytes on every run."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from matplotlib.dates import num2date
from matplotlib.figure import Figure

from tars_lib.figures.style import theme


def draw() -> Figure:
    with theme.themed():
        figure = Figure(figsize=theme.HALF)
        axes = figure.subplots()
        axes.plot([0.0, 1.0, 2.0], [0.123456, 0.2, 1.1])
        axes.fill_between([0.0, 1.0], 0, 1, color=theme.INCIDENT_SHADE)
        axes.set_title("Price: $5 against $7, Ж → ≥")
    return figure


def test_the_same_figure_gives_the_same_bytes() -> None:
    assert theme.render(draw()) == theme.render(draw())


def test_the_svg_stands_alone() -> None:
    svg, png = theme.render(draw())
    assert svg.startswith(b"<svg")
    assert png.startswith(b"\x89PNG")
    assert not re.search(rb"<text|<script|<metadata|<!DOCTYPE|\b20\d\d-\d\d-\d\d", svg)
    assert all(link.startswith(b"#") for link in re.findall(rb'href="([^"]*)"', svg))


def test_the_theme_ends_with_its_context() -> None:
    import matplotlib as mpl

    before = mpl.rcParams["axes.spines.top"], mpl.rcParams["font.family"]
    with theme.themed():
        assert mpl.rcParams["axes.spines.top"] is False
    assert (mpl.rcParams["axes.spines.top"], mpl.rcParams["font.family"]) == before


@pytest.mark.parametrize(
    ("text", "shown"),
    [("a\u202eb", "a[U+202E]b"), ("支", "[U+652F]"), ("x" * 41, "x" * 40 + "…"), ("web → api", "web → api")],
)
def test_names_from_outside_are_drawable(text: str, shown: str) -> None:
    assert theme.label(text) == shown


def lightness(colour: str) -> float:
    red, green, blue = (int(part, 16) for part in re.findall("..", colour[1:]))
    return 0.299 * red + 0.587 * green + 0.114 * blue


def test_neighbouring_series_stay_apart_in_grey_print() -> None:
    shades = [lightness(colour) for colour in theme.SERIES]
    assert min(abs(one - two) for one, two in pairwise(shades)) > 20


@pytest.mark.parametrize(
    ("begin", "days"),
    [
        (datetime(2026, 10, 27, tzinfo=UTC), 6),
        (datetime(2026, 10, 5, tzinfo=UTC), 28),
        (datetime(2026, 1, 30, tzinfo=UTC), 30),
    ],
)
def test_each_day_on_an_axis_of_times_has_its_own_month(begin: datetime, days: int) -> None:
    with theme.themed():
        axes = Figure().subplots()
        axes.plot([begin, begin + timedelta(days=days)], [0, 1])  # type: ignore[list-item]
        theme.label_times(axes, 3)
        axes.figure.canvas.draw()
        ticks = {
            float(place): tick.get_text() for place, tick in zip(axes.get_xticks(), axes.get_xticklabels(), strict=True)
        }
    assert len(ticks) >= 2
    for place, said in ticks.items():
        assert said == f"{num2date(place):%b-%d}"
    assert len({round(later - sooner, 6) for sooner, later in pairwise(ticks)}) == 1, "no two stand in each other"
