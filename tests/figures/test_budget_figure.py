"""What the burn-down draws: the course, the windows that fire, and what it says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.dates import date2num
from run_samples import RunSamples

from tars_lib.engines.sla.budget_course import Spending, spending
from tars_lib.engines.sla.report import ComplianceResult
from tars_lib.figures.sla.error_budget import distinct_pairs, draw_burn_down
from tars_lib.figures.style.theme import BREACH, render
from tars_lib.pipeline import Run


def spent(run: Run) -> tuple[Spending, ComplianceResult]:
    result = run.sla["availability"]
    course = spending(run.org, result, run.sla.as_of)
    assert course is not None
    return course, result


def test_the_course_ends_at_what_is_left_and_the_incident_is_shaded(samples: RunSamples) -> None:
    run = samples.run("demo")
    course, result = spent(run)
    onset = run.sla.breaches[0].started_at
    picture = draw_burn_down(course, result, onset)
    left, right = picture.figure.axes
    drawn = max(left.lines, key=lambda line: len(line.get_xdata()))
    assert result.error_budget is not None
    assert result.error_budget.consumed_share is not None
    assert drawn.get_ydata()[-1] == pytest.approx(100.0 * (1.0 - result.error_budget.consumed_share))
    assert drawn.get_color() == BREACH
    shade = left.patches[0].get_extents().transformed(left.transData.inverted())
    assert onset is not None
    assert shade.x0 == pytest.approx(date2num(onset))
    assert (left.get_ylabel(), left.get_xlabel()) == ("of the budget, %", "time, UTC")
    assert [tick.get_text() for tick in right.get_yticklabels()] == [
        "1h fires", "6h / 1h fires", "1d / 2h fires", "3d / 6h fires"
    ]  # fmt: skip
    for words in ("overspent, 316% of the error budget used", "gone at 2026-11-02 11:00 UTC", "4 of 4"):
        assert words in picture.alt


def test_both_rates_and_the_threshold_of_each_window_are_drawn(samples: RunSamples) -> None:
    course, result = spent(samples.run("demo"))
    right = draw_burn_down(course, result).figure.axes[1]
    points = {
        (line.get_marker(), line.get_ydata()[0]): line.get_xdata()[0]
        for line in right.lines
        if line.get_marker() in "oD"
    }
    for row, rate in enumerate(result.burn_rates):
        assert points["o", row] == pytest.approx(rate.long_rate)
        assert points["D", row] == pytest.approx(rate.short_rate)
    assert right.get_xscale() == "log"
    assert [text.get_text() for text in right.texts] == ["14.4", "6", "3", "1"]


def test_a_budget_that_is_left_is_not_drawn_as_spent(samples: RunSamples) -> None:
    course, result = spent(samples.run("at-risk"))
    picture = draw_burn_down(course, result)
    drawn = max(picture.figure.axes[0].lines, key=lambda line: len(line.get_xdata()))
    assert drawn.get_color() != BREACH
    assert "12% of the error budget left" in picture.alt
    assert "No burn-rate window fires; 4 of 4 could." in picture.alt
    assert "gone at" not in picture.alt


def test_what_is_missing_is_a_bar_at_the_end(samples: RunSamples) -> None:
    course, result = spent(samples.run("at-risk"))
    allowed = 1.0 - result.objective
    ends = {"value_low": 1.0 - 1.5 * allowed, "value_high": 1.0 - 0.5 * allowed}
    bounded = replace(result, missing=("samples of web cover 90% of the window",), **ends)
    picture = draw_burn_down(course, bounded)
    (bar,) = picture.figure.axes[0].collections
    (ends,) = bar.get_segments()
    assert ends[:, 1] == pytest.approx((-50.0, 50.0))
    assert ends[:, 0] == pytest.approx(date2num(course.end))
    for text in (picture.alt, picture.caption):
        assert (
            "Whatever the missing data hold, \N{MINUS SIGN}50% to 50% of the budget is left: the bar at the end."
            in text
        )
    assert "Whatever" not in draw_burn_down(course, result).caption


def test_windows_that_have_become_the_same_are_drawn_once(samples: RunSamples) -> None:
    _, result = spent(samples.run("cascade"))
    assert [(pair.long_window, pair.threshold) for pair in distinct_pairs(list(result.burn_rates))] == [
        ("1d", 3.0),
        ("3d", 1.0),
    ]


def test_rates_that_are_zero_or_not_known_do_not_break_the_scale(samples: RunSamples) -> None:
    course, result = spent(samples.run("demo"))
    rates = (replace(result.burn_rates[0], long_rate=0.0, short_rate=None, is_firing=False), *result.burn_rates[1:])
    right = draw_burn_down(course, replace(result, burn_rates=rates)).figure.axes[1]
    low, _ = right.get_xlim()
    drawn = [line.get_xdata()[0] for line in right.lines if line.get_marker() in "oD"]
    assert len(drawn) == 7
    assert min(drawn) > low > 0


def test_an_sla_without_burn_rates_has_the_course_alone(samples: RunSamples) -> None:
    course, result = spent(samples.run("demo"))
    picture = draw_burn_down(course, replace(result, burn_rates=()))
    assert len(picture.figure.axes) == 1
    assert "window" not in picture.alt


def test_the_figure_is_the_same_bytes_every_time(samples: RunSamples) -> None:
    course, result = spent(samples.run("demo"))
    assert render(draw_burn_down(course, result).figure) == render(draw_burn_down(course, result).figure)
    assert np.all(np.diff(course.times) > 0)
