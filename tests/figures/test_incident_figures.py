"""What the incident's figures draw: data, marks and words, not pixels."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.dates import date2num
from matplotlib.patches import FancyBboxPatch
from org_samples import counts, days, org_of, ratio

import tars_lib as tars
from tars_lib.engines.health.report import Component
from tars_lib.engines.health.score_course import score_course
from tars_lib.engines.sla.sli_course import Courses, courses
from tars_lib.figures.health.scores import draw_scores, score_between
from tars_lib.figures.health.trends import draw_trends, panel_repos
from tars_lib.figures.sla.harm import draw_harm, place_boxes
from tars_lib.figures.style.theme import render
from tars_lib.pipeline import Analysis
from tars_lib.sources.demo import demo_root

ONSET = datetime(2026, 11, 2, 8, tzinfo=UTC)


@pytest.fixture(scope="module")
def found() -> Analysis:
    return tars.analyze(tars.load_org(demo_root()))


def shown_for(found: Analysis, sla_id: str) -> tuple[Courses, object]:
    breach = next(breach for breach in found.sla.breaches if breach.sla_id == sla_id)
    shown = courses(found.org, breach, found.as_of)
    assert shown is not None
    return shown, breach


def test_levels_are_medians_on_either_side_of_the_onset(found: Analysis) -> None:
    shown, _ = shown_for(found, "checkout-latency")
    series = found.org.frame("latency_p95")["checkout"]
    assert shown.by_repo["checkout"].during == pytest.approx(series[series.index >= ONSET].median())
    assert shown.by_repo["checkout"].before == pytest.approx(series[series.index < ONSET][-288:].median())


def test_trends_show_target_and_cause_with_incident_objective_and_change(found: Analysis) -> None:
    shown, breach = shown_for(found, "checkout-latency")
    picture = draw_trends(shown, breach, found.org.changes())
    panels = [axes for axes in picture.figure.axes if axes.get_visible()]
    assert [axes.get_title(loc="left") for axes in panels] == panel_repos(shown, breach) == ["checkout", "ledger"]
    target, cause = panels
    drawn = max(target.lines, key=lambda line: len(line.get_xdata())).get_ydata()
    assert np.allclose(drawn, shown.by_repo["checkout"].values)
    assert [line.get_ydata()[0] for line in target.lines if line.get_linestyle() == "--"] == [0.8]
    # the SLA judges checkout alone, so its objective is not drawn where it does not apply
    assert not [line for line in cause.lines if line.get_linestyle() == "--"]
    shade = target.patches[0].get_extents().transformed(target.transData.inverted())
    assert shade.x0 == pytest.approx(date2num(ONSET))
    assert any("Connection pool rewrite" in text.get_text() for text in cause.texts)
    assert not any("Connection pool rewrite" in text.get_text() for text in target.texts)
    assert target.get_ylabel() == "latency_p95, s"
    assert "checkout went from" in picture.alt


def test_a_ratio_is_drawn_as_failed_share_in_percent(found: Analysis) -> None:
    shown, breach = shown_for(found, "availability")
    axes = draw_trends(shown, breach, ()).figure.axes[0]
    assert axes.get_ylabel() == "failed, %"
    assert [line.get_ydata()[0] for line in axes.lines if line.get_linestyle() == "--"] == [pytest.approx(0.1)]


def test_what_is_half_reported_is_drawn_between_its_bounds() -> None:
    total, failed = [1000.0] * 40, [1.0] * 30 + [100.0] * 7
    org = org_of(counts("web", total, failed), ratio(0.99, window=days(10)))
    found = tars.analyze(org)
    shown = courses(found.org, found.sla.breaches[0], found.as_of)
    assert shown is not None
    web = shown.by_repo["web"]
    assert (web.half_times.size, web.half_low.tolist(), web.half_high.tolist()) == (3, [0.0] * 3, [1.0] * 3)
    picture = draw_trends(shown, found.sla.breaches[0], ())
    bars = [lines for lines in picture.figure.axes[0].collections if isinstance(lines, LineCollection)]
    assert [segment[:, 1].tolist() for segment in bars[0].get_segments()] == [[0.0, 100.0]] * 3
    assert "at 3 times one count is absent" in picture.alt
    assert picture.figure.axes[0].get_ylim()[1] > 100.0


def test_a_score_is_bounded_by_the_weight_that_is_not_known(found: Analysis) -> None:
    report = found.health.repository_reports[0]
    parts = [Component("a", 1.0, "s", 80.0, 3.0, 1.0), Component("b", None, "s", None, 1.0, 0.0)]
    assert score_between(replace(report, score=80.0, components=tuple(parts))) == (60.0, 85.0)
    assert score_between(replace(report, score=80.0, components=tuple(parts[:1]))) is None
    course = score_course(found.org, found.as_of)
    assert course is not None
    drawn = draw_scores(course, [replace(report, score=80.0, components=tuple(parts))], ())
    assert drawn is not None
    assert "Grey bar at the end" in drawn.caption


def test_harm_is_placed_along_the_calls_and_darkest_where_it_begins(found: Analysis) -> None:
    shown, breach = shown_for(found, "availability")
    boxes = place_boxes(shown, breach, found.org.graph)
    assert {repo: boxes[repo].column for repo in ("checkout", "payments", "ledger", "fraud-check")} == {
        "checkout": 0,
        "payments": 1,
        "ledger": 2,
        "fraud-check": 2,
    }
    assert max(boxes.values(), key=lambda box: box.share).repo == "ledger"
    picture = draw_harm(shown, breach, found.org.graph)
    assert picture is not None
    patches = [patch for patch in picture.figure.axes[0].patches if isinstance(patch, FancyBboxPatch)]
    assert len(patches) == len(boxes)
    marked = [patch for patch in patches if patch.get_linewidth() > 1]
    assert len(marked) == 1
    assert "checkout -> payments -> ledger" in picture.alt


def test_a_target_that_calls_nobody_has_no_harm_figure(found: Analysis) -> None:
    import networkx as nx

    shown, breach = shown_for(found, "availability")
    alone: nx.DiGraph[str] = nx.DiGraph()
    alone.add_node("checkout")
    assert draw_harm(shown, breach, alone) is None


def test_figures_are_the_same_bytes_every_time(found: Analysis) -> None:
    shown, breach = shown_for(found, "checkout-latency")
    assert render(draw_trends(shown, breach, ()).figure) == render(draw_trends(shown, breach, ()).figure)
