"""The course of the scores is that in which the change points were found."""

from __future__ import annotations

import numpy as np
import pytest
from org_samples import STAMP, org_of, series
from run_samples import RunSamples

from tars_lib.engines.health.assess import assess_health
from tars_lib.engines.health.score_course import score_course
from tars_lib.model.history import to_micros


def test_reported_scores_are_drawn_as_they_are() -> None:
    values = [90.0, 91.0, 50.0]
    org, as_of = org_of(series("api", "health_score", values)).at(None)
    course = score_course(org, as_of)
    assert course is not None
    assert course.by_repo["api"].tolist() == values


def test_change_points_stand_in_the_course_where_they_were_found(samples: RunSamples) -> None:
    run = samples.run("cascade")
    course = score_course(run.org, run.health.as_of)
    assert course is not None
    ledger = next(report for report in run.health.repository_reports if report.repo == "ledger")
    point = ledger.change_points[-1]
    at = course.times.tolist().index(to_micros(point.at))
    after = course.by_repo["ledger"][at:]
    assert float(np.mean(after)) == pytest.approx(point.after)


def test_without_scored_metrics_there_is_no_course() -> None:
    org, as_of = org_of(series("api", "queue_depth", [1.0, 2.0, 3.0])).at(None)
    assert score_course(org, as_of) is None
    assert assess_health(org, as_of, STAMP).aggregate_score is None
