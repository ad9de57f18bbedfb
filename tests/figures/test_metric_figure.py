"""The course of one metric: levels around an event, objectives, gaps that stay gaps."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from org_samples import T0, counts, org_of, ratio, series, threshold

from tars_lib.engines.queries.metric_course import metric_course, window_of
from tars_lib.errors import InputError, UnknownNameError
from tars_lib.figures.health.metric import draw_metric
from tars_lib.model.names import Event
from tars_lib.model.organisation import OrgData

HOUR = timedelta(hours=1)
STEP = T0 + 24 * HOUR
DEPLOY = Event(STEP, "web", "deploy", "Pool rewrite", "v2")
END = T0 + 47 * HOUR


@pytest.fixture(scope="module")
def org() -> OrgData:
    values = [0.2] * 24 + [0.6] * 24
    rows = [row for n, row in enumerate(series("web", "latency_p95", values, step=HOUR)) if not 5 <= n < 8]
    rows += counts("web", [1000.0] * 48, [10.0] * 48, step=HOUR)
    rows += counts("api", [1000.0] * 48, [0.0] * 48, step=HOUR)
    slow = threshold(objective=0.5, sla_id="latency", sla_name="Latency")
    share = threshold(objective=0.99, sla_id="share", sla_name="Fast", aggregate="good_share", threshold=0.4)
    other = threshold(objective=0.1, sla_id="other", sla_name="Of the API", repos=("api",))
    return org_of(rows, slow, share, other, ratio(), events=(DEPLOY,))


def test_levels_are_the_medians_on_either_side_of_the_event(org: OrgData) -> None:
    course = metric_course(org, "web", "latency_p95", T0, END, DEPLOY)
    assert (course.before, course.after) == (0.2, 0.6)
    assert course.limits == (("Latency", 0.5), ("Fast", 0.4))
    picture = draw_metric(course, org.events)
    assert picture is not None
    assert picture.caption.startswith(
        "latency_p95 of web: median 0.2 s before deploy 'Pool rewrite', 0.6 s since."
    )  # fmt: skip
    assert "Dashed: objectives. Dotted: events." in picture.caption
    (axes,) = picture.figure.axes
    assert axes.get_ylabel() == "latency_p95, s"
    texts = [text.get_text() for text in axes.texts]
    assert "objective: Latency" in texts
    assert "deploy: Pool rewrite" in texts
    level_lines = [line for line in axes.lines if len(line.get_xdata()) == 2 and line.get_linestyle() == "-"]
    assert [float(line.get_ydata()[0]) for line in level_lines] == [0.2, 0.6]  # type: ignore[index]
    assert STEP in [line.get_xdata()[0] for line in axes.lines if line.get_linestyle() == ":"]  # type: ignore[index]


def test_a_gap_breaks_the_line_and_is_said(org: OrgData) -> None:
    course = metric_course(org, "web", "latency_p95", T0, END)
    assert int(np.isnan(course.values).sum()) == 1
    assert course.seen.size == 45
    picture = draw_metric(course)
    assert picture is not None
    assert "The line breaks at 1 gap in the data." in picture.alt
    drawn = picture.figure.axes[0].lines[0].get_ydata()
    assert np.isnan(np.asarray(drawn, dtype=float)).sum() == 1


def test_a_derived_rate_is_drawn_in_percent(org: OrgData) -> None:
    picture = draw_metric(metric_course(org, "web", "error_rate", T0, END))
    assert picture is not None
    (axes,) = picture.figure.axes
    assert axes.get_ylabel() == "error_rate, %"
    assert float(np.nanmax(np.asarray(axes.lines[0].get_ydata(), dtype=float))) == pytest.approx(1.0)
    assert picture.caption.startswith("error_rate of web: median 1%, from 1% to 1%, 48 samples.")


def test_without_samples_there_is_no_picture(org: OrgData) -> None:
    assert draw_metric(metric_course(org, "api", "latency_p95", T0, END)) is None
    assert draw_metric(metric_course(org, "web", "latency_p95", END + HOUR, END + 2 * HOUR)) is None


def test_a_level_that_nothing_was_seen_of_is_unknown(org: OrgData) -> None:
    picture = draw_metric(metric_course(org, "web", "latency_p95", STEP, END, DEPLOY))
    assert picture is not None
    assert "median unknown before deploy 'Pool rewrite', 0.6 s since." in picture.caption


def test_what_is_not_there_is_refused_with_what_is(org: OrgData) -> None:
    with pytest.raises(UnknownNameError, match="metric 'nope' is not reported in Acme; reported: latency_p95, req"):
        metric_course(org, "web", "nope", T0, END)
    with pytest.raises(UnknownNameError, match="service 'nope' is not in Acme"):
        metric_course(org, "nope", "latency_p95", T0, END)
    with pytest.raises(InputError, match="not after its start"):
        metric_course(org, "web", "latency_p95", END, T0)


def test_a_window_lies_around_its_event_else_at_the_end(org: OrgData) -> None:
    assert window_of(org, None, DEPLOY) == (T0, END)
    assert window_of(org, 10 * HOUR, None) == (END - 10 * HOUR, END)
    assert window_of(org, 10 * HOUR, DEPLOY) == (STEP - 5 * HOUR, STEP + 5 * HOUR)
    assert window_of(org, 50 * HOUR, DEPLOY) == (END - 50 * HOUR, END)
