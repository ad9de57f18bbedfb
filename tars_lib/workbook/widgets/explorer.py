"""The explorer: pick repo, metric, window and event, and the figure of the reports is drawn anew."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import numpy as np

from tars_lib.engines.health.assess import assess_health
from tars_lib.engines.health.score_course import ScoreCourse, score_course
from tars_lib.engines.queries.metric_course import metric_course, window_of
from tars_lib.engines.report import Stamp
from tars_lib.errors import UnknownNameError
from tars_lib.figures.health.metric import draw_metric
from tars_lib.figures.health.scores import draw_scores
from tars_lib.figures.style.picture import Picture
from tars_lib.model.history import to_micros
from tars_lib.model.names import Event
from tars_lib.model.organisation import OrgData
from tars_lib.text.times import MINUTES
from tars_lib.workbook.sections.labels import label_of
from tars_lib.workbook.widgets.controls import Shown, message_html, picture_html, widgets

HEALTH = "health score, 0-100"
"""The choice that draws the score of the health engine in place of a metric."""
WINDOWS = {"1 day": 1, "3 days": 3, "7 days": 7, "30 days": 30, "all data": None}
START = "7 days"
NO_EVENT = -1


class Explorer(Shown):
    """Four choices and a figure.

    Attributes
    ----------
    repo, metric, window, event : ipywidgets.Dropdown
        Setting a `value` draws anew. `event` holds a position in `events`, or `NO_EVENT`.
    events : tuple of Event
        Newest first.
    picture : Picture or None
        What is shown; None where nothing was reported, which `figure` then says.
    figure : ipywidgets.HTML
    view : ipywidgets.VBox
    """

    def __init__(self, org: OrgData, repo: str = "", metric: str = "", window: str = START) -> None:
        library: Any = widgets()
        self.org, self._as_of = org.at(None)
        self.events: tuple[Event, ...] = tuple(sorted(self.org.events, key=lambda e: e.timestamp, reverse=True))
        repos = [one.repo for one in self.org.repos]
        metrics = [HEALTH, *self.org.history.metrics]
        if self.org.history.has("error_rate") and "error_rate" not in metrics:
            metrics.append("error_rate")
        seen = next((one.repo for one in self.org.repos if one.customer_facing), repos[0])
        self.repo = _choice(library, "Service", repos, repo or seen)
        self.metric = _choice(library, "Metric", metrics, metric or metrics[-1])
        self.window = _choice(library, "Window", list(WINDOWS), window)
        named = [("none: the end of the data", NO_EVENT)]
        named += [(event_name(event), place) for place, event in enumerate(self.events)]
        self.event = library.Dropdown(description="Event", options=named, value=NO_EVENT)
        self.figure = library.HTML()
        self.picture: Picture | None = None
        for choice in self._choices():
            choice.observe(lambda _: self.redraw(), names="value")
        self.view = library.VBox([library.HBox(self._choices(), layout={"flex_flow": "row wrap"}), self.figure])
        self.redraw()

    def _choices(self) -> list[Any]:
        return [self.repo, self.metric, self.window, self.event]

    def redraw(self) -> None:
        """Draw what is chosen."""
        days = WINDOWS[self.window.value]
        event = None if self.event.value == NO_EVENT else self.events[self.event.value]
        start, end = window_of(self.org, None if days is None else timedelta(days=days), event)
        if self.metric.value == HEALTH:
            self.picture = self._health(start, end)
        else:
            course = metric_course(self.org, self.repo.value, self.metric.value, start, end, event)
            mine = [one for one in self.events if one.repo in (self.repo.value, None)]
            self.picture = draw_metric(course, mine)
        if self.picture is None:
            span = f"from {start:%Y-%m-%d %H:%M} to {end:{MINUTES}}"
            self.figure.value = message_html(f"{self.repo.value} reported no {self.metric.value} {span}.")
        else:
            self.figure.value = picture_html(self.picture)

    def _health(self, start: Any, end: Any) -> Picture | None:
        course = score_course(self.org, self._as_of)
        if course is None or self.repo.value not in course.by_repo:
            return None
        inside = (course.times >= to_micros(start)) & (course.times <= to_micros(end))
        values = course.by_repo[self.repo.value][inside]
        if not np.isfinite(values).any():
            return None
        cut = ScoreCourse(course.times[inside], {self.repo.value: values})
        report = assess_health(self.org, self._as_of, Stamp(self._as_of, ""))
        mine = [one for one in report.repository_reports if one.repo == self.repo.value]
        return draw_scores(cut, mine, self.events)


def event_name(event: Event) -> str:
    """Return an event as a choice: time, kind, title, repo."""
    title = f"{event.timestamp:%Y-%m-%d %H:%M} {event.kind}: {label_of(event.title)}"
    return f"{title} ({event.repo or 'all services'})"


def _choice(library: Any, name: str, options: Sequence[str], value: str) -> Any:
    if value not in options:
        raise UnknownNameError(f"{name.lower()} {value!r} is not there; there are: {', '.join(options)}")
    return library.Dropdown(description=name, options=options, value=value)
