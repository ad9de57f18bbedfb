"""What the figures of a verdict draw: breaches in time, ranked causes, what takes readiness away, scores."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from matplotlib.dates import date2num
from run_samples import RunSamples

from tars_lib.engines.health.score_course import score_course
from tars_lib.figures.health.scores import draw_scores, weakest_first
from tars_lib.figures.sla.breaches import draw_breach_timeline, near_changes
from tars_lib.figures.sla.causes import draw_causes
from tars_lib.figures.sla.readiness import draw_readiness, losses
from tars_lib.figures.style.theme import BREACH, render
from tars_lib.model.names import Event

ONSET = datetime(2026, 11, 2, 8, tzinfo=UTC)


def test_a_bar_goes_from_the_onset_to_the_end_of_the_data_while_the_breach_goes_on(samples: RunSamples) -> None:
    run = samples.run("demo")
    picture = draw_breach_timeline(run.sla.breaches, run.org.changes(), run.sla.as_of)
    assert picture is not None
    axes = picture.figure.axes[0]
    bars = [patch for patch in axes.patches if patch.get_height() > 0]
    assert [bar.get_x() for bar in bars] == [pytest.approx(date2num(ONSET))] * 2
    assert bars[0].get_x() + bars[0].get_width() == pytest.approx(date2num(run.sla.as_of))
    assert sum(line.get_marker() == ">" for line in axes.lines) == 2
    shown = " ".join(text.get_text() for text in axes.texts)
    assert "Availability: 7 h, still active" in shown
    assert "Connection pool" in shown
    assert "10 min after deploy of ledger" in picture.alt


def test_a_breach_that_is_over_ends_where_it_ended(samples: RunSamples) -> None:
    run = samples.run("demo")
    over = replace(run.sla.breaches[0], ended_at=ONSET + timedelta(hours=2), started_before=True)
    picture = draw_breach_timeline([over], (), run.sla.as_of)
    assert picture is not None
    axes = picture.figure.axes[0]
    assert axes.patches[0].get_width() == pytest.approx(2 / 24)
    assert [line.get_marker() for line in axes.lines if line.get_marker() in "<>"] == ["<"]
    assert "the breach is over" in picture.alt
    settled = draw_breach_timeline(run.sla.breaches, (), run.sla.as_of, is_settled=True)
    assert settled is not None
    assert "Availability: at least 7 h" in " ".join(text.get_text() for text in settled.figure.axes[0].texts)
    assert "were active" in settled.caption


def test_without_an_onset_there_is_no_timeline(samples: RunSamples) -> None:
    run = samples.run("demo")
    assert draw_breach_timeline([replace(run.sla.breaches[0], started_at=None)], (), run.sla.as_of) is None
    assert draw_breach_timeline((), (), run.sla.as_of) is None


def test_only_changes_near_the_onset_are_drawn() -> None:
    def change(hours: float) -> Event:
        return Event(ONSET + timedelta(hours=hours), "api", "deploy", f"{hours}")

    events = [change(hours) for hours in (-200, -6, -3, -2, -1, 5)]
    near = near_changes(events, ONSET, ONSET + timedelta(hours=7), timedelta(hours=7))
    assert [event.title for event in near] == ["-3", "-2", "-1"]


def test_causes_are_drawn_with_confidence_share_and_what_is_unexplained(samples: RunSamples) -> None:
    breach = samples.run("artefacts").sla.breaches[0]
    picture = draw_causes(breach)
    assert picture is not None
    sure, share = picture.figure.axes
    assert [patch.get_width() for patch in sure.patches] == pytest.approx(
        [100 * c.confidence for c in breach.root_causes]
    )
    widths = [patch.get_width() for patch in share.patches]
    assert widths == pytest.approx([*(100 * c.contribution for c in breach.root_causes), 100 * breach.unexplained])
    assert share.patches[-1].get_hatch() == "////"
    assert [tick.get_text() for tick in sure.get_yticklabels()] == ["ledger", "payments", "checkout", "unexplained"]
    assert f"ledger is the cause ({breach.root_causes[0].confidence:.0%} confidence)" in picture.alt
    assert f"{breach.unexplained:.0%} of the impact has no known cause" in picture.alt


def test_a_cause_that_does_not_stand_out_is_not_called_the_cause(samples: RunSamples) -> None:
    breach = samples.run("demo").sla.breaches[0]
    weak = replace(breach, root_causes=tuple(replace(cause, confidence=0.3) for cause in breach.root_causes))
    picture = draw_causes(weak)
    assert picture is not None
    assert "no clear cause yet" in picture.alt
    assert all(patch.get_facecolor() != _rgba(BREACH) for patch in picture.figure.axes[0].patches)
    assert draw_causes(replace(breach, root_causes=())) is None


@pytest.mark.parametrize("name", ["demo", "cascade", "artefacts", "at-risk", "calm"])
def test_the_waterfall_goes_from_100_to_the_score(samples: RunSamples, name: str) -> None:
    readiness = samples.run(name).sla.executive_readiness
    assert 100.0 - sum(lost for _, lost, _ in losses(readiness)) == pytest.approx(readiness.readiness_score, abs=0.05)
    bars = draw_readiness(readiness).figure.axes[0].patches
    assert bars[0].get_width() == 100.0
    assert bars[-1].get_width() == pytest.approx(readiness.readiness_score)
    assert [bar.get_hatch() == "////" for bar in bars[1:-1]] == [unknown for _, _, unknown in losses(readiness)]


def test_many_components_are_drawn_as_few_steps(samples: RunSamples) -> None:
    readiness = samples.run("demo").sla.executive_readiness
    part = readiness.components[0]
    many = replace(readiness, components=tuple(replace(part, component=f"SLA s{n}", weight=0.02) for n in range(30)))
    steps = losses(many)
    assert len(steps) == 8
    assert steps[-1][0] == "23 further components"
    assert sum(step[1] for step in steps) == pytest.approx(60.0)


def test_scores_are_drawn_with_change_points_and_events_of_their_repo(samples: RunSamples) -> None:
    run = samples.run("cascade")
    course = score_course(run.org, run.health.as_of)
    assert course is not None
    reports = weakest_first(run.health.repository_reports)
    picture = draw_scores(course, reports, run.org.events, ONSET)
    assert picture is not None
    panels = [axes for axes in picture.figure.axes if axes.get_visible()]
    assert [axes.get_title(loc="left") for axes in panels[:3]] == ["ledger", "payments", "checkout"]
    falls = [line for line in panels[0].lines if line.get_marker() == "v"]
    assert falls[-1].get_xdata()[0] == reports[0].change_points[-1].at
    dotted = [sum(line.get_linestyle() == ":" for line in axes.lines) for axes in panels]
    assert dotted == [1, 0, 0, 0, 0, 0, 0, 0]
    assert not any(line.get_marker() == "v" for line in panels[5].lines)
    assert "2 of 8 services drawn are below 60 points" in picture.alt
    assert panels[0].get_ylabel() == "score, 0-100"


def test_scores_without_a_change_say_so_and_without_scores_nothing_is_drawn(samples: RunSamples) -> None:
    run = samples.run("calm")
    course = score_course(run.org, run.health.as_of)
    assert course is not None
    quiet = [replace(report, change_points=()) for report in run.health.repository_reports]
    picture = draw_scores(course, quiet, ())
    assert picture is not None
    assert "None of the 8 services drawn is below 60 points; no change of level is seen." in picture.alt
    assert draw_scores(course, [], ()) is None


def test_figures_are_the_same_bytes_every_time(samples: RunSamples) -> None:
    readiness = samples.run("demo").sla.executive_readiness
    assert render(draw_readiness(readiness).figure) == render(draw_readiness(readiness).figure)


def _rgba(colour: str) -> tuple[float, ...]:
    from matplotlib.colors import to_rgba

    return to_rgba(colour)
