"""Range of a pull: `--since 30d`, a time, and whole intervals alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from tars_lib.config.pulling.values import length_of
from tars_lib.errors import ConfigError
from tars_lib.model.times import read_time
from tars_lib.text.times import SECONDS

SINCE = "30d"
"""How far back a pull asks unless it is told; the window of the packaged SLAs."""


@dataclass(frozen=True, slots=True)
class Range:
    """From `since` on, before `until`; UTC."""

    since: datetime
    until: datetime


def range_of(since: str | None, until: str | None, now: datetime) -> Range:
    """Return the range that options name.

    Parameters
    ----------
    since, until : str, optional
        A time in ISO 8601, or a length such as 30d before the end.

    Raises
    ------
    ConfigError
        If one is neither, or the begin is not before the end.
    """
    last = now if until is None else _time(until, "--until", now)
    first = _time(since or SINCE, "--since", last)
    if first >= last:
        raise ConfigError(f"--since {first:{SECONDS}}: not before the end, {last:{SECONDS}}")
    return Range(first, last)


def _time(text: str, option: str, end: datetime) -> datetime:
    length = length_of(text)
    if length is not None:
        try:
            return end - length
        except OverflowError as error:
            raise ConfigError(f"{option} {text}: longer than the calendar") from error
    return read_time(text, option)


@dataclass(frozen=True, slots=True)
class Stamps:
    """Rule by which the samples of a source are asked for and written.

    Attributes
    ----------
    asked : Range
        In the source's own time stamps.
    kept : Range
        In those of the root.
    shift : timedelta
        From the source's to the root's.
    """

    asked: Range
    kept: Range
    shift: timedelta


def stamps_of(spec: object, wanted: Range, *, root_at_end: bool, label: str) -> Stamps:
    """Return which times to ask a source for: those of intervals that begin in the range and have ended by its end.

    Parameters
    ----------
    spec : SourceForm
        Its `interval` is what a sample stands for, its `stamp` where that lies; a source without them is asked for the range.
    root_at_end : bool
        Whether the samples of the root are stamped at the end of their intervals.

    Raises
    ------
    ConfigError
        If source and root stamp differently, and no interval says by how much.
    """
    interval: timedelta | None = getattr(spec, "interval", None)
    own_at_end = getattr(spec, "stamp", None) == "end"
    if not hasattr(spec, "stamp"):
        return Stamps(wanted, wanted, timedelta(0))
    if own_at_end != root_at_end and interval is None:
        own, ours = ("end" if at_end else "start" for at_end in (own_at_end, root_at_end))
        raise ConfigError(
            f"{label}: interval is needed: samples are stamped at the {own} of an interval, those of org.yaml at the {ours}"
        )
    length = interval or timedelta(0)
    # begins of intervals that are over, whatever is stamped where
    begins = Range(wanted.since, max(wanted.until - length + timedelta(microseconds=1 if length else 0), wanted.since))
    back, ahead = (length if at_end else timedelta(0) for at_end in (own_at_end, root_at_end))
    return Stamps(_moved(begins, back), _moved(begins, ahead), ahead - back)


def _moved(given: Range, by: timedelta) -> Range:
    return Range(given.since + by, given.until + by)
