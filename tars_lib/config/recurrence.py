"""Maintenance and operating hours that come again, as `org.yaml` writes them.

References
----------
RFC 5545, section 3.3.10, https://www.rfc-editor.org/rfc/rfc5545#section-3.3.10
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr
from pydantic import Field

from tars_lib.config.yaml_file import Key, Model
from tars_lib.errors import ConfigError, TarsError
from tars_lib.files.limits import EARLIEST, LATEST
from tars_lib.model.recurrence import Recurring
from tars_lib.model.times import read_zone

_DURATION = re.compile(r"([1-9]\d{0,4})([mhdw])")
_MINUTES = {"m": 1, "h": 60}
_DAYS = {"d": 1, "w": 7}
_OFTEN = ("SECONDLY", "MINUTELY", "HOURLY")
_UNTIL = re.compile(r"UNTIL=(\d{8}T\d{6})Z")


class Recurrence(Model):
    """An entry under `maintenance` or `operating_hours`."""

    title: Key | None = None
    start: datetime | date | str
    duration: str
    rrule: str = Field(default="", max_length=500)
    time_zone: Key | None = None
    repos: tuple[Key, ...] = ()


def recurring(given: Recurrence, title: str, where: str) -> Recurring:
    """Return an entry as the model has it.

    Parameters
    ----------
    title : str
        Where the entry has none.

    Raises
    ------
    ConfigError
        If the start names no zone, the duration or the rule cannot be read, or the rule comes again within a day.
    """
    start, zone = _start(given, where)
    duration = _DURATION.fullmatch(given.duration)
    if duration is None:
        raise ConfigError(
            f"{where}.duration: {given.duration[:60]!r} was given; a number with m, h, d or w is allowed, such as 2h"
        )
    amount, unit = int(duration[1]), duration[2]
    return Recurring(
        title=given.title or title,
        start=start,
        days=amount * _DAYS.get(unit, 0),
        minutes=amount * _MINUTES.get(unit, 0),
        rule=_rule(given.rrule, start, zone, f"{where}.rrule"),
        time_zone=zone.key,
        repos=given.repos,
    )


def _start(given: Recurrence, where: str) -> tuple[datetime, ZoneInfo]:
    """Return the local time of the first begin, and its zone."""
    start: datetime | date | str = given.start
    if isinstance(start, str):
        text = start.strip()
        try:
            start = datetime.fromisoformat(text)
        except ValueError as error:
            raise ConfigError(f"{where}.start: {text[:60]!r} is not a time; allowed: ISO 8601") from error
    if not isinstance(start, datetime):
        start = datetime.combine(start, time())
    if not EARLIEST.year <= start.year < LATEST.year:
        raise ConfigError(
            f"{where}.start: {start.isoformat()} is not allowed; a time from {EARLIEST.year} to {LATEST.year - 1} is"
        )
    try:
        zone = read_zone(given.time_zone or "UTC")
    except TarsError as error:
        raise ConfigError(f"{where}: {error}") from error
    if start.tzinfo is not None:
        return start.astimezone(zone).replace(tzinfo=None), zone
    if given.time_zone is None:
        raise ConfigError(f"{where}.start: {start.isoformat()} has no time zone; add time_zone, such as Europe/Berlin")
    return start, zone


def _rule(text: str, start: datetime, zone: ZoneInfo, where: str) -> str:
    """Return a rule that can be followed, its UNTIL in local time."""
    rule = text.strip().upper().removeprefix("RRULE:")
    if not rule:
        return ""
    if any(f"FREQ={often}" in rule for often in _OFTEN):
        raise ConfigError(
            f"{where}: {text[:60]!r} comes again within a day; DAILY, WEEKLY, MONTHLY and YEARLY are allowed"
        )

    def local(match: re.Match[str]) -> str:
        until = datetime.strptime(match[1], "%Y%m%dT%H%M%S").replace(tzinfo=UTC).astimezone(zone)
        return f"UNTIL={until:%Y%m%dT%H%M%S}"

    try:
        rule = _UNTIL.sub(local, rule)
        rrulestr(rule, dtstart=start)
    except (ValueError, TypeError, AttributeError, KeyError, OverflowError) as error:
        raise ConfigError(
            f"{where}: {text[:60]!r} is no recurrence rule of RFC 5545; allowed: such as FREQ=WEEKLY;BYDAY=TU"
        ) from error
    return rule
