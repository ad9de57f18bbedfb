"""How times are read: ISO 8601 with a zone, or with a zone that the caller assumes."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tars_lib.errors import ConfigError, InputError

_DURATION = re.compile(r"P(T?)(\d+(?:\.\d+)?)([DHMS])")
_UNIT = {
    "D": timedelta(days=1),
    "TH": timedelta(hours=1),
    "TM": timedelta(minutes=1),
    "TS": timedelta(seconds=1),
}


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
        If the text is not a time, or names no zone and none is assumed.

    Examples
    --------
    >>> read_time("2026-01-05T01:00:00+01:00", "events.csv, row 2").isoformat()
    '2026-01-05T00:00:00+00:00'
    """
    try:
        time = text if isinstance(text, datetime) else datetime.fromisoformat(str(text).strip())
    except ValueError as error:
        raise InputError(
            f"{where}: {str(text)[:60]!r} is not a time; allowed: ISO 8601, 2026-01-05T00:00:00Z"
        ) from error
    if time.tzinfo is None:
        if assume_tz is None:
            raise InputError(
                f"{where}: {str(text)[:60]!r} has no time zone; add Z or an offset, or give --assume-tz ZONE"
            )
        time = time.replace(tzinfo=assume_tz)
    try:
        return time.astimezone(UTC)
    except OverflowError as error:
        raise InputError(f"{where}: {str(text)[:60]!r} is outside the years 1 to 9999") from error


def read_duration(text: str) -> timedelta:
    """An ISO 8601 duration in the one unit in which reports write it.

    Raises
    ------
    InputError
        If it has another form.

    Examples
    --------
    >>> read_duration("PT5M"), read_duration("P2D")
    (datetime.timedelta(seconds=300), datetime.timedelta(days=2))
    """
    found = _DURATION.fullmatch(text)
    unit = None if found is None else _UNIT.get(f"{found[1]}{found[3]}")
    if found is None or unit is None:
        raise InputError(f"{text!r} is not a duration; allowed: one of P1D, PT1H, PT1M and PT1S with any number")
    return float(found[2]) * unit
