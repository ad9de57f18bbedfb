"""Events of what `org.yaml` says comes again: maintenance, and the time outside operating hours."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from tars_lib.errors import ConfigError
from tars_lib.files.limits import MAX_EVENTS
from tars_lib.model.names import Event
from tars_lib.model.organisation import MAINTENANCE
from tars_lib.model.recurrence import CLOSED, Recurring, Span, outside


def recurring_events(
    maintenance: Sequence[Recurring],
    hours: Sequence[Recurring],
    repos: Sequence[str],
    first: datetime,
    last: datetime,
    label: str,
) -> list[Event]:
    """Return the maintenance events that touch the time of the samples.

    Parameters
    ----------
    maintenance, hours : sequence of Recurring
        What is maintenance, and what alone is not.
    first, last : datetime
        Times of the first and the last sample, UTC.

    Raises
    ------
    ConfigError
        If there are more than the limit of events.
    """
    # the last sample stands for what follows it, a day at most
    last += timedelta(days=1)
    made: list[Event] = []

    def add(title: str, spans: Sequence[Span], of: Sequence[str | None]) -> None:
        if len(made) + len(spans) * len(of) > MAX_EVENTS:
            raise ConfigError(f"{label}: {title}: more than {MAX_EVENTS} occurrences; up to that many are allowed")
        made.extend(Event(start, repo, MAINTENANCE, title, None, end) for start, end in spans for repo in of)

    for rule in maintenance:
        add(rule.title, rule.spans(first, last, MAX_EVENTS), rule.repos or (None,))
    groups: dict[tuple[Recurring, ...], list[str]] = {}
    for repo in repos:
        own = tuple(rule for rule in hours if not rule.repos or repo in rule.repos)
        if own:
            groups.setdefault(own, []).append(repo)
    for rules, members in groups.items():
        is_open = [span for rule in rules for span in rule.spans(first, last, MAX_EVENTS)]
        add(CLOSED, outside(is_open, first, last), (None,) if len(members) == len(repos) else members)
    return made
