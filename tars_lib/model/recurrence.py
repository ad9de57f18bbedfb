"""Times that come again: maintenance and operating hours, by the recurrence rules of calendars.

References
----------
RFC 5545, sections 3.3.5, 3.3.6 and 3.3.10, https://www.rfc-editor.org/rfc/rfc5545
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

Span = tuple[datetime, datetime]
CLOSED = "outside operating hours"
"""Title of the maintenance that operating hours leave."""


@dataclass(frozen=True, slots=True)
class Recurring:
    """A stretch of time that comes again, or once.

    Attributes
    ----------
    title : str
    start : datetime
        First begin, local time without a zone.
    days, minutes : int
        How long: whole local days, which clock changes make longer or shorter, and exact minutes.
    rule : str
        Recurrence rule of RFC 5545 without its name (`FREQ=WEEKLY;BYDAY=TU`), `UNTIL` in local time; empty: once.
    time_zone : str
        IANA name.
    repos : tuple of str
        Empty: all.
    """

    title: str
    start: datetime
    days: int
    minutes: int
    rule: str
    time_zone: str
    repos: tuple[str, ...] = ()

    def spans(self, low: datetime, high: datetime, at_most: int) -> list[Span]:
        """Return the occurrences that touch a stretch of time, in order.

        A local time that the clocks skip is read with the offset before the gap, one that they show twice as its first pass
        (RFC 5545, section 3.3.5).

        Parameters
        ----------
        low, high : datetime
            UTC.
        at_most : int
            Where there are more, one more than this is returned.

        Returns
        -------
        list of (datetime, datetime)
            Start, and end that does not belong to it; UTC.
        """
        zone = ZoneInfo(self.time_zone)
        last = high.astimezone(zone).replace(tzinfo=None)
        starts: Iterable[datetime] = [self.start]
        if self.rule:
            starts = rrulestr(self.rule, dtstart=self.start)
        spans: list[Span] = []
        for start in starts:
            if start > last + timedelta(days=1):
                break
            begin = start.replace(tzinfo=zone).astimezone(UTC)
            end = (start + timedelta(days=self.days)).replace(tzinfo=zone).astimezone(UTC) + timedelta(
                minutes=self.minutes
            )
            if end > low and begin <= high:
                spans.append((begin, end))
            if len(spans) > at_most:
                break
        return spans


def outside(spans: Sequence[Span], low: datetime, high: datetime) -> list[Span]:
    """Return what a stretch of time holds beside spans, which may overlap and stand in any order.

    Examples
    --------
    >>> day = [datetime(2026, 1, 5, hour, tzinfo=UTC) for hour in range(24)]
    >>> [(a.hour, b.hour) for a, b in outside([(day[8], day[12]), (day[10], day[18])], day[0], day[23])]
    [(0, 8), (18, 23)]
    """
    gaps: list[Span] = []
    reached = low
    for start, end in sorted(spans):
        if start > reached:
            gaps.append((reached, min(start, high)))
        reached = max(reached, end)
        if reached >= high:
            break
    if reached < high:
        gaps.append((reached, high))
    return gaps
