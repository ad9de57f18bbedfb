"""How did one metric go in several services at once, and did an event change it? A panel a service, one time axis."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from tars_lib.engines.queries.metric_course import metric_course, window_of
from tars_lib.engines.queries.moved_metrics import event_of
from tars_lib.errors import InputError
from tars_lib.figures.health.metric import draw_course
from tars_lib.figures.style.picture import Picture
from tars_lib.figures.style.theme import FULL, label, themed

if TYPE_CHECKING:
    from tars_lib.model.names import Event
    from tars_lib.model.organisation import OrgData

MAX_PANELS = 8
"""Services in one figure; judgement: more become too flat to read."""
AROUND = timedelta(days=2)
"""Time shown around an event where nobody says; judgement: the day before and the day after."""


def plot(
    org: OrgData,
    metric: str,
    repos: Sequence[str] | str = (),
    around: Event | str | None = None,
    window: timedelta | None = None,
) -> Picture:
    """Draw a metric of some services.

    Parameters
    ----------
    org : OrgData
    metric : str
        `error_rate` is derived where nobody reports it.
    repos : sequence of str or str
        Services; default all that report the metric.
    around : Event or str, optional
        An event, or its title or ref; it stands in the middle.
    window : timedelta, optional
        Length shown, from minutes; default two days around an event, else all of the data.

    Raises
    ------
    UnknownNameError
        If metric, service or event is not there.
    InputError
        If no service reports the metric, or more than eight are asked for.
    """
    from matplotlib.figure import Figure

    event = None if around is None else event_of(org, around)
    start, end = window_of(org, window or (None if event is None else AROUND), event)
    named = [repos] if isinstance(repos, str) else list(repos)
    courses = [metric_course(org, repo, metric, start, end, event) for repo in named or [one.repo for one in org.repos]]
    # who does not report it is no empty panel, unless somebody asked
    shown = [one for one in courses if one.seen.size]
    if not shown:
        raise InputError(f"metric {metric!r}: no sample of {', '.join(named) or 'any service'} from {start} to {end}")
    if len(shown) > MAX_PANELS:
        raise InputError(f"{len(shown)} services report {metric}; name up to {MAX_PANELS} of them")
    with themed():
        width, height = FULL
        figure = Figure(figsize=(width, height if len(shown) == 1 else 1.05 * len(shown) + 0.9))
        panels = figure.subplots(len(shown), 1, sharex=True, squeeze=False)[:, 0]
        for axes, course in zip(panels, shown, strict=True):
            draw_course(axes, course, org.events)
            axes.set_title(label(course.repo))
        unit = "%" if shown[0].unit == "ratio" else shown[0].unit
        figure.supylabel(f"{label(metric)}, {unit}" if unit else label(metric))
        panels[-1].set_xlabel("time, UTC")
    names = ", ".join(course.repo for course in shown)
    what = "" if event is None else f" around {event.kind} '{event.title}'"
    silent = [course.repo for course in courses if not course.seen.size and course.repo in named]
    missing = f" No sample of {', '.join(silent)}." if silent else ""
    return Picture(figure, alt=f"Lines of {metric} of {names}{what}.", caption=f"{metric} of {names}{what}.{missing}")
