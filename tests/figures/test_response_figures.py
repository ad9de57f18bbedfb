"""What the figures of a response draw: clocks and people, lengths against targets, readiness from run to run."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tars_lib.figures.incidents.durations import SHORTEST, LengthRow, draw_lengths, stacked
from tars_lib.figures.incidents.escalation import ClockBar, draw_escalation
from tars_lib.figures.sla.readiness_runs import RunPoint, draw_readiness_runs
from tars_lib.figures.style.theme import BREACH, render
from tars_lib.model.names import ReadinessTier, Severity
from tars_lib.playbook.escalation import Escalation, escalate
from tars_lib.playbook.facts import BreachedSla, Facts, Status, ToldContact

OPENED = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)
FACTS = Facts(
    "INC-202601051430", "Checkout fails", Severity.SEV_1, "SLA Breach", Status.OPEN, OPENED,
    slas=(BreachedSla("availability", "Availability"),), told=(ToldContact("VP Engineering", OPENED + timedelta(minutes=4)),),
)  # fmt: skip


def at(minutes: float) -> datetime:
    return OPENED + timedelta(minutes=minutes)


def clocks(stopped: datetime | None = None) -> list[ClockBar]:
    return [ClockBar("Respond", OPENED, at(15), stopped), ClockBar("Contain", OPENED, at(15), None)]


def marks(found: Escalation, now: datetime) -> list[tuple[str, float, float, str]]:
    """Marker, minutes, row and edge colour of each person."""
    axes = draw_escalation(found, clocks(), OPENED, now).figure.axes[0]
    return [
        (line.get_marker(), line.get_xdata()[0], line.get_ydata()[0], line.get_markeredgecolor())
        for line in axes.lines
        if line.get_marker() in ("o", "D")
    ]


def test_told_overdue_and_upcoming_people_are_drawn_at_their_times() -> None:
    found = escalate(FACTS, at(20))
    assert [rung.contact for rung in found.due] == ["On-call engineer", "Team lead"]
    drawn = marks(found, at(20))
    assert [(mark[0], mark[1]) for mark in drawn] == [("o", 4.0), ("o", 20.0), ("o", 20.0), ("D", 30.0)]
    assert [mark[3] == BREACH for mark in drawn] == [False, True, True, False]
    picture = draw_escalation(found, clocks(), OPENED, at(20))
    labels = [tick.get_text() for tick in picture.figure.axes[0].get_yticklabels()]
    assert labels == [
        "Respond clock",
        "Contain clock",
        "VP Engineering",
        "On-call engineer",
        "Team lead",
        "Engineering manager",
    ]
    assert "2 overdue, On-call engineer by 20 min" in picture.alt
    assert "next Engineering manager in 10 min" in picture.alt
    assert "5 min over the limit to contain" in picture.alt


def test_a_clock_is_a_bar_up_to_now_with_its_time_marked() -> None:
    axes = draw_escalation(escalate(FACTS, at(10)), clocks(at(3)), OPENED, at(10)).figure.axes[0]
    bars = [patch for patch in axes.patches if patch.get_height() == pytest.approx(0.34)]
    assert [bar.get_width() for bar in bars] == [pytest.approx(3.0), pytest.approx(10.0)]
    assert [line.get_xdata()[0] for line in axes.lines if line.get_linewidth() == 1.8] == [15.0, 15.0]
    said = " ".join(text.get_text() for text in axes.texts)
    assert "stopped after 3 min, in time" in said
    assert "5 min left" in said


def test_an_old_incident_does_not_flatten_its_first_hour() -> None:
    late = draw_escalation(escalate(FACTS, at(60 * 24 * 9)), clocks(), OPENED, at(60 * 24 * 9)).figure.axes[0]
    assert late.get_xlim()[1] < 200
    assert any("9 d →" in text.get_text() for text in late.texts)
    assert "minutes since" in late.get_xlabel()


def test_a_resolved_incident_ends_at_its_resolution() -> None:
    over = replace(FACTS, status=Status.RESOLVED, resolved_at=at(12), acknowledged_at=at(2))
    picture = draw_escalation(escalate(over, at(500)), clocks(at(2)), OPENED, at(500), at(12))
    assert any("resolved, 12 min" in text.get_text() for text in picture.figure.axes[0].texts)


ROWS = (
    LengthRow("MTTD", (3.0, 4.0, 45.0), (), 5.0, 52 / 3, 4.0, 36.8),
    LengthRow("MTTR", (), (90.0,), 120.0, None, None, None),
)


def test_each_incident_is_a_dot_and_those_beyond_the_target_are_red() -> None:
    picture = draw_lengths(ROWS)
    assert picture is not None
    axes = picture.figure.axes[0]
    dots = [line for line in axes.lines if line.get_marker() == "o"]
    assert [(line.get_xdata()[0], line.get_color() == BREACH) for line in dots] == [
        (3.0, False),
        (4.0, False),
        (45.0, True),
    ]
    (still,) = [line for line in axes.lines if line.get_marker() == ">"]
    assert still.get_xdata()[0] == 90.0
    assert still.get_markerfacecolor() == "white"
    targets = [
        line.get_xdata()[0] for line in axes.lines if line.get_linewidth() == 1.2 and line.get_linestyle() == "--"
    ]
    assert targets == [5.0, 120.0]
    spread = {
        line.get_linewidth(): line.get_xdata()[0]
        for line in axes.lines
        if line.get_color() == "#16202c" and line.get_marker() == "None"
    }
    assert spread == {2.6: 4.0, 1.2: 36.8}
    assert "MTTD: mean 17 min 20 s, 1 of 3 beyond the target; MTTR: no value yet, 1 open" in picture.alt
    assert "target under 2 h" in " ".join(text.get_text() for text in axes.texts)


def test_no_incident_is_no_figure_and_nothing_is_lost_below_the_scale() -> None:
    assert draw_lengths([replace(row, known=(), running=()) for row in ROWS]) is None
    picture = draw_lengths([replace(ROWS[0], known=(0.0, 0.2), mean=0.1, median=0.1, p90=0.18)])
    assert picture is not None
    dots = [line for line in picture.figure.axes[0].lines if line.get_marker() == "o"]
    assert [line.get_xdata()[0] for line in dots] == [SHORTEST, SHORTEST]
    assert dots[0].get_ydata()[0] != dots[1].get_ydata()[0], "one must not hide the other"


def test_equal_lengths_pile_up() -> None:
    assert [height for _, height in stacked([5.0, 5.0, 60.0, 5.0], 0.1)] == [0, 1, 2, 0]


def points(*scores: float) -> list[RunPoint]:
    tiers = [ReadinessTier.RED if s < 60 else ReadinessTier.YELLOW if s < 80 else ReadinessTier.GREEN for s in scores]
    return [
        RunPoint(f"run-{n}", OPENED + timedelta(days=n), score, tier, 0)
        for n, (score, tier) in enumerate(zip(scores, tiers, strict=True))
    ]


def test_readiness_is_drawn_run_by_run_with_a_shape_a_tier() -> None:
    picture = draw_readiness_runs(points(84, 40, 71))
    assert picture is not None
    axes = picture.figure.axes[0]
    by_mark = {
        line.get_marker(): list(line.get_ydata()) for line in axes.lines if line.get_marker() not in ("None", "")
    }
    assert {mark: values for mark, values in by_mark.items() if values} == {"s": [40], "^": [71], "o": [84]}
    assert [line.get_ydata()[0] for line in axes.lines if line.get_linestyle() == "--"] == [60.0, 80.0]
    assert (
        "Readiness is 71 of 100, yellow, down 13 since 2026-01-05; the lowest of 3 runs was 40 on 2026-01-06"
        in picture.alt
    )
    assert axes.get_ylabel() == "readiness, points of 100"


def test_one_run_is_no_course() -> None:
    assert draw_readiness_runs(points(84)) is None
    assert draw_readiness_runs([]) is None
    assert draw_readiness_runs([replace(one, as_of=OPENED) for one in points(84, 40)]) is None


def test_the_same_facts_give_the_same_bytes() -> None:
    for make in (
        lambda: draw_escalation(escalate(FACTS, at(20)), clocks(), OPENED, at(20)),
        lambda: draw_lengths(ROWS),
        lambda: draw_readiness_runs(points(84, 40)),
    ):
        first, again = make(), make()
        assert first is not None
        assert again is not None
        assert render(first.figure) == render(again.figure)
