"""On a phone a figure has fewer columns and the same letters; what cannot become narrower is scrolled."""

from __future__ import annotations

import re

import pytest
from run_samples import RunSamples, cells

from tars_lib.engines.health.score_course import score_course
from tars_lib.figures.health.alerts import draw_priorities
from tars_lib.figures.health.scores import draw_scores, weakest_first
from tars_lib.figures.sla.readiness import draw_readiness
from tars_lib.figures.style.narrow import TEXTS_INSIDE, WIDTH, render_narrow
from tars_lib.figures.style.theme import FULL, render, themed
from tars_lib.reports.blocks.document import Document
from tars_lib.reports.blocks.kinds import FigureBlock, from_json
from tars_lib.reports.pages.html import preview, render_html
from tars_lib.workbook.sections.figure_blocks import figure


def width(svg: bytes) -> float:
    """Inches."""
    found = re.search(rb'<svg[^>]* width="([\d.]+)pt"', svg)
    assert found is not None
    return float(found[1]) / 72


def test_panels_stand_in_fewer_columns_and_each_keeps_its_course_and_labels(samples: RunSamples) -> None:
    run = samples.run("demo")
    course = score_course(run.org, run.sla.as_of)
    assert course is not None
    picture = draw_scores(course, weakest_first(run.health.repository_reports), run.org.changes())
    assert picture is not None
    lines = [axes.lines[0].get_ydata().tolist() for axes in picture.figure.axes]
    sizes = [axes.title.get_fontsize() for axes in picture.figure.axes]
    narrow = render_narrow(picture.figure, picture.phone)
    axes = picture.figure.axes
    assert [one.lines[0].get_ydata().tolist() for one in axes] == lines
    assert [one.title.get_fontsize() for one in axes] == sizes
    assert len({round(one.get_position().x0, 2) for one in axes}) == 2
    assert len({round(one.get_position().y0, 2) for one in axes}) == 4
    assert [bool(one.get_ylabel()) for one in axes] == [True, False] * 4
    assert [any(label.get_visible() for label in one.get_xticklabels()) for one in axes] == [False] * 6 + [True] * 2
    assert width(narrow) < WIDTH * 1.1


@pytest.mark.parametrize("name", [pytest.param("demo", marks=pytest.mark.thorough), "cascade"])
def test_every_full_figure_is_narrow_on_a_phone_or_scrolls(samples: RunSamples, name: str) -> None:
    run = str(samples.run(name).directory)
    shown = [block for block in cells("incident_report", run_dir=run) if isinstance(block, FigureBlock)]
    full = [block for block in shown if block.width == "full"]
    assert full
    for block in full:
        assert block.is_wide or width(block.narrow) < 0.72 * FULL[0], block.alt
        assert from_json(block.to_json()) == block
    assert all(not block.narrow for block in shown if block.width == "half")


def test_the_picture_of_the_pdf_is_as_it_was_and_bytes_repeat(samples: RunSamples) -> None:
    readiness = samples.run("demo").sla.executive_readiness
    first, again = figure(draw_readiness(readiness)), figure(draw_readiness(readiness))
    assert first == again
    assert first.svg == render(draw_readiness(readiness).figure)[0]


def test_the_page_offers_both_and_loads_nothing(samples: RunSamples) -> None:
    run = samples.run("demo")
    alerts = draw_priorities(run.alerts)
    assert alerts is not None
    blocks = [figure(draw_readiness(run.sla.executive_readiness)), figure(alerts)]
    title = cells("executive_summary", run_dir=str(run.directory))[0]
    html = render_html(Document((title, *blocks), run.sla.as_of))
    (source,) = re.findall(r'<source media="\(max-width: 560px\)" srcset="([^"]{30})', html)
    assert source.startswith("data:image/svg+xml;base64,")
    assert html.count('<div class="wide" tabindex="0"') == 1, "a region that scrolls is reached by the keyboard"
    assert html.count("<img alt=") == 2
    assert "<source" not in preview(blocks[0]), "a notebook's output does not carry it a second time"


def test_texts_that_run_to_the_right_stay_within_the_panel_of_a_phone() -> None:
    """Beyond it they would make the whole picture wider, and so all of its text smaller."""
    from matplotlib.figure import Figure

    with themed():
        figure = Figure(figsize=FULL)
        axes = figure.subplots()
        axes.set_gid(TEXTS_INSIDE)
        axes.set_xlim(0.0, 10.0)
        axes.set_xlabel("minutes since the opening, 2026-11-02 15:04 UTC", loc="left")
        said = axes.annotate("in 29 min without progress", (8.0, 0.5), xytext=(8, 0), textcoords="offset points")
    render_narrow(figure, 1)
    assert axes.get_xlim()[1] > 10.0
    assert said.get_window_extent().x1 <= axes.bbox.x1 + 1.0
    assert axes.get_xlabel() == "minutes since the opening,\n2026-11-02 15:04 UTC"
