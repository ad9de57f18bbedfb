"""Stamp of a report, its time and version: the one place where reports look at the clock."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from tars_lib.engines.report import Stamp
from tars_lib.errors import ConfigError

_REFUSED = "SOURCE_DATE_EPOCH {!r}: a whole number of seconds since 1970 is allowed"


def now() -> datetime:
    """Return the time that reports are stamped with, to the second: `SOURCE_DATE_EPOCH` where it is set, else the clock.

    Raises
    ------
    ConfigError
        If `SOURCE_DATE_EPOCH` is not a number of seconds.
    """
    pinned = os.environ.get("SOURCE_DATE_EPOCH")
    if not pinned:
        return datetime.now(UTC).replace(microsecond=0)
    if not pinned.isascii():
        raise ConfigError(_REFUSED.format(pinned[:60]))
    try:
        time = datetime.fromtimestamp(int(pinned), UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise ConfigError(_REFUSED.format(pinned[:60])) from error
    if time.timestamp() < 0:
        raise ConfigError(_REFUSED.format(pinned[:60]))
    return time


def clock() -> datetime:
    """The present time, by which samples of the future are known: `SOURCE_DATE_EPOCH`, which pins reports, does not move it."""
    return datetime.now(UTC)


def stamp() -> Stamp:
    """Clock and version for the head of reports."""
    from tars_lib import __version__

    return Stamp(now(), f"tars-incident-workbook {__version__}")
