"""Reading of times: ISO 8601 with a zone, or with a zone that the caller assumes."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tars_lib.errors import ConfigError, InputError
from tars_lib.files.limits import EARLIEST, LATEST

_DURATION = re.compile(r"P(T?)(\d+(?:\.\d+)?)([DHMS])")
_COUNT = re.compile(r"\d{9,20}(\.\d+)?")
_UNIT = {"D": timedelta(days=1), "TH": timedelta(hours=1), "TM": timedelta(minutes=1), "TS": timedelta(seconds=1)}


class BeyondCalendarError(InputError):
    """A time that is one, but lies outside the years that samples and events may be of."""


def read_zone(name: str) -> ZoneInfo:
    """Time zone by its IANA name.

    Raises
    ------
    ConfigError
        If there is no such zone.

    Examples
    --------
    >>> read_zone("Asia/Kathmandu").key
    'Asia/Kathmandu'
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigError(
            f"time zone {name!r} is not known; allowed: IANA names such as Europe/Berlin or UTC"
        ) from error


def read_time(text: object, where: str, assume_tz: ZoneInfo | None = None) -> datetime:
    """One time as UTC.

    Parameters
    ----------
    text : object
        ISO 8601 text, or the datetime or date that a YAML reader already made of it.
    where : str
        File, row and column for the message.
    assume_tz : ZoneInfo, optional
        Zone of a time that names none. An hour that daylight saving repeats is read as its first pass.

    Returns
    -------
    datetime
        Aware, UTC.

    Raises
    ------
    InputError
        If the text is not a time, is beyond the limits, or names no zone and none is assumed, or one whose clocks went forward
        over it.

    Examples
    --------
    >>> read_time("2026-01-05T01:00:00+01:00", "events.csv, row 2").isoformat()
    '2026-01-05T00:00:00+00:00'
    """
    return read_local(text, where, assume_tz)[0]


def read_local(text: object, where: str, assume_tz: ZoneInfo | None = None) -> tuple[datetime, bool]:
    """One time as UTC, and whether the clocks of the assumed zone showed it twice.

    Raises
    ------
    InputError
        As `read_time` does.
    """
    try:
        time = text if isinstance(text, datetime) else datetime.fromisoformat(str(text).strip())
    except ValueError as error:
        epoch = "; a count since 1970 does not say of what" if _COUNT.fullmatch(str(text).strip()) else ""
        raise InputError(
            f"{where}: {str(text)[:60]!r} is not a time; allowed: ISO 8601, 2026-01-05T00:00:00Z{epoch}"
        ) from error
    is_twice = False
    try:
        if time.tzinfo is None:
            if assume_tz is None:
                raise InputError(
                    f"{where}: {str(text)[:60]!r} has no time zone; add Z or an offset, or give --assume-tz ZONE"
                )
            local = time.replace(tzinfo=assume_tz)
            if local.astimezone(UTC).astimezone(assume_tz).replace(tzinfo=None) != time:
                raise InputError(f"{where}: {skipped_hour(time, assume_tz)}")
            is_twice = local.utcoffset() != local.replace(fold=1).utcoffset()
            time = local
        utc = time.astimezone(UTC)
    except (OverflowError, ValueError) as error:
        raise BeyondCalendarError(f"{where}: {str(text)[:60]!r} is outside the years 1 to 9999") from error
    if not EARLIEST <= utc <= LATEST:
        raise BeyondCalendarError(
            f"{where}: {str(text)[:60]!r} is not allowed: a time from {EARLIEST.year} to the end of {LATEST.year - 1} is"
        )
    return utc, is_twice


def skipped_hour(time: datetime, zone: ZoneInfo) -> str:
    """Say what is wrong with a local time that no clock showed.

    Examples
    --------
    >>> skipped_hour(datetime(2026, 3, 29, 2, 30), ZoneInfo("Europe/Berlin"))  # doctest: +ELLIPSIS
    "'2026-03-29 02:30:00' did not exist in Europe/Berlin, whose clocks went forward over it; ..."
    """
    return (
        f"'{time:%Y-%m-%d %H:%M:%S}' did not exist in {zone.key}, whose clocks went forward over it; "
        "add an offset, or assume the zone that the times were written in"
    )


def read_duration(text: str) -> timedelta:
    """An ISO 8601 duration in the one unit in which reports write it.

    Raises
    ------
    InputError
        If it has another form, or is longer than the calendar.

    Examples
    --------
    >>> read_duration("PT5M"), read_duration("P2D")
    (datetime.timedelta(seconds=300), datetime.timedelta(days=2))
    """
    match = _DURATION.fullmatch(text)
    unit = None if match is None else _UNIT.get(f"{match[1]}{match[3]}")
    if match is None or unit is None:
        raise InputError(f"{text[:60]!r} is not a duration; allowed: one of P1D, PT1H, PT1M and PT1S with any number")
    try:
        return float(match[2]) * unit
    except OverflowError as error:
        raise InputError(f"{text[:60]!r} is not a duration; allowed: at most {timedelta.max.days} days") from error
