"""Common ground of all SLA policies, and the length of their windows."""

from __future__ import annotations

import calendar
import math
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import ClassVar
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from tars_lib.errors import ConfigError
from tars_lib.files.limits import EARLIEST, LATEST, MAX_WINDOW_DAYS
from tars_lib.model.metrics import percent_of
from tars_lib.model.names import Severity
from tars_lib.model.slo.slices import Slices
from tars_lib.model.slo.track import Track

_WINDOW = re.compile(r"(\d{1,5})\s*([mhdwHDW])")
_MONTHLY = re.compile(r"(\d{1,4})\s*[MQY]")
_MINUTES = {"m": 1, "h": 60}
_DAYS = {"d": 1, "w": 7}
_PERIOD = re.compile(r"([1-9]\d{0,3})([dwMQY])")
_MONTHS = {"M": 1, "Q": 3, "Y": 12}
_MONTH_DAYS = 365.25 / 12
_SAME = 1e-12
"""Relative distance below which values differ by rounding alone; judgement: a mean of a million floats is exact to 1e-13."""
_MOST_ALLOWED = 0.5
"""Share that may be bad below which an SLI in per cent has an error budget; judgement: nearer to its ideal than not."""


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time that ends at `as_of`: whole local days, minutes, months, or the calendar period that `as_of` lies in.

    A calendar window has a `period` (`1w`, `1M`, `1Q`, `1Y`) and an `anchor`, the local time at which one of its periods
    began (ISO 8601 without a zone); `days` is then its nominal length. Rolling months have a `period` and no `anchor`.

    Examples
    --------
    >>> Window.parse("30d").days, str(Window.parse("2h"))
    (30, '2h')
    >>> str(Window.aligned("1M", "2026-01-01T00:00:00"))
    'calendar 1M'
    """

    days: int = 0
    minutes: int = 0
    period: str = ""
    anchor: str = ""

    @classmethod
    def parse(cls, text: str | int) -> Window:
        """Read `30m`, `6h`, `30d`, `4w`, or a number of days.

        Raises
        ------
        ConfigError
            For anything else, and for a length of zero.
        """
        length = str(text).strip() + ("d" if isinstance(text, int) else "")
        if _MONTHLY.fullmatch(length):
            minutes = f", or {length.lower()} for minutes" if length.endswith("M") else ""
            raise ConfigError(
                f"window {text!r} is not allowed: months, quarters and years differ in length; write days, such as 30d{minutes}"
            )
        match = _WINDOW.fullmatch(length)
        if match is None or int(match[1]) == 0:
            raise ConfigError(f"window {text!r} is not allowed; a number with m, h, d or w is, such as 30m, 6h, 30d")
        amount, unit = int(match[1]), match[2].lower()
        if amount * (_DAYS[unit] if unit in _DAYS else _MINUTES[unit] / 1440) > MAX_WINDOW_DAYS:
            raise ConfigError(f"window {text!r} is not allowed; up to {MAX_WINDOW_DAYS} days are")
        if unit in _DAYS:
            return cls(days=amount * _DAYS[unit])
        return cls(minutes=amount * _MINUTES[unit])

    @classmethod
    def aligned(cls, period: str, anchor: str) -> Window:
        """Calendar window of a period such as `1M`, of which one began at a local time.

        Raises
        ------
        ConfigError
            For another period, or an anchor that is no time or names a zone.
        """
        match = _PERIOD.fullmatch(period)
        if match is None:
            raise ConfigError(f"period {period!r} is not allowed; a number with d, w, M, Q or Y is, such as 1M")
        try:
            began = datetime.fromisoformat(anchor)
        except ValueError as error:
            raise ConfigError(f"start {anchor!r} is not a time; allowed: ISO 8601, 2026-01-01T00:00:00") from error
        if began.tzinfo is not None:
            raise ConfigError(f"start {anchor!r} names a zone; a local time is allowed, as the zone stands beside it")
        amount, unit = int(match[1]), match[2]
        days = amount * _DAYS[unit] if unit in _DAYS else round(amount * _MONTHS[unit] * _MONTH_DAYS)
        if days > MAX_WINDOW_DAYS:
            raise ConfigError(f"period {period!r} is not allowed; up to {MAX_WINDOW_DAYS} days are")
        if not EARLIEST.year <= began.year < LATEST.year:
            raise ConfigError(f"start {anchor!r} is not allowed; a time from {EARLIEST.year} to {LATEST.year - 1} is")
        return cls(days=days, period=period, anchor=began.isoformat())

    @classmethod
    def rolling(cls, text: str) -> Window:
        """Read `6h`, `30d`, `4w` as `parse` does, and `1M`, `1Q`, `1Y`: from the same local day and hour so many months before.

        Raises
        ------
        ConfigError
            As `parse` does.

        Examples
        --------
        >>> str(Window.rolling("1Q")), Window.rolling("1M").days
        ('1Q', 30)
        """
        match = _PERIOD.fullmatch(text)
        if match is None or match[2] not in _MONTHS:
            return cls.parse(text)
        days = round(int(match[1]) * _MONTHS[match[2]] * _MONTH_DAYS)
        if days > MAX_WINDOW_DAYS:
            raise ConfigError(f"window {text!r} is not allowed; up to {MAX_WINDOW_DAYS} days are")
        return cls(days=days, period=text)

    def __str__(self) -> str:
        if self.period:
            return f"calendar {self.period}" if self.anchor else self.period
        if self.days:
            return f"{self.days}d"
        return f"{self.minutes // 60}h" if self.minutes % 60 == 0 else f"{self.minutes}m"

    @property
    def length(self) -> timedelta:
        """Nominal length."""
        return timedelta(days=self.days, minutes=self.minutes)

    def span(self, as_of: datetime, zone: ZoneInfo, interval: timedelta) -> tuple[datetime, datetime, bool]:
        """Start, end and whether the window is cut short.

        A rolling window is the time just before `as_of`; one of days begins at the same local time so many days before,
        so that daylight saving neither adds nor drops an hour. A calendar window begins where its present period did.

        Parameters
        ----------
        as_of : datetime
            UTC.
        zone : ZoneInfo
            The SLA's own zone.
        interval : timedelta
            Distance between samples: a daily sample stands for its whole day.

        Returns
        -------
        start, end : datetime
            UTC. `end` is `as_of`; a rolling window does not hold its start, a calendar window does.
        is_partial : bool
            True where further samples of the calendar period are still to come.
        """
        if self.period and not self.anchor:
            local = as_of.astimezone(zone)
            start = instant(_months_later(local.replace(tzinfo=None), -self._months), zone, fold=local.fold)
            return start, as_of, False
        if self.period:
            start, following = self._present(as_of, zone)
            return start, as_of, as_of + interval < following
        if not self.days:
            return as_of - self.length, as_of, False
        local = as_of.astimezone(zone)
        start = instant(local.replace(tzinfo=None) - timedelta(days=self.days), zone, fold=local.fold)
        return start, as_of, False

    @property
    def _months(self) -> int:
        return int(self.period[:-1]) * _MONTHS[self.period[-1]]

    def _present(self, as_of: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """Begin of the calendar period that a time lies in, and of the next one; UTC."""
        anchor = datetime.fromisoformat(self.anchor)
        amount, unit = int(self.period[:-1]), self.period[-1]

        def begin(number: int) -> datetime:
            if unit in _DAYS:
                return instant(anchor + timedelta(days=number * amount * _DAYS[unit]), zone)
            return instant(_months_later(anchor, number * self._months), zone)

        local = as_of.astimezone(zone).replace(tzinfo=None)
        number = int((local - anchor) / timedelta(days=self.days))
        # compared as instants: a local time may come twice, or not at all
        while begin(number) > as_of:
            number -= 1
        while begin(number + 1) <= as_of:
            number += 1
        return begin(number), begin(number + 1)


def instant(local: datetime, zone: ZoneInfo, fold: int = 0) -> datetime:
    """Instant of a local time: the first of two where clocks go back, the end of the gap where they go forward.

    Examples
    --------
    >>> instant(datetime(2025, 3, 9, 2, 30), ZoneInfo("America/New_York")).isoformat()
    '2025-03-09T07:00:00+00:00'
    """
    aware = local.replace(tzinfo=zone, fold=fold)
    time = aware.astimezone(UTC)
    if time.astimezone(zone).replace(tzinfo=None) == local:
        return time
    # in a gap the two folds lie on either side of it: the offset that holds after it tells when it ends
    early, late = (local.replace(tzinfo=zone, fold=side).utcoffset() or timedelta() for side in (0, 1))
    missing = abs(late - early)
    before = (local - missing).replace(tzinfo=zone)
    low, high = before.astimezone(UTC), (local + missing).replace(tzinfo=zone).astimezone(UTC)
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        low, high = (middle, high) if middle.astimezone(zone).utcoffset() == before.utcoffset() else (low, middle)
    return high.replace(microsecond=0)


def _months_later(time: datetime, months: int) -> datetime:
    """Return the same day and hour so many months later, or of the last day of a shorter month."""
    year, month = divmod(time.year * 12 + time.month - 1 + months, 12)
    return time.replace(year=year, month=month + 1, day=min(time.day, calendar.monthrange(year, month + 1)[1]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Terms that every kind of SLA states.

    Attributes
    ----------
    sla_id, sla_name, sla_type : str
        `sla_type` is the user's free text.
    objective : float
        In the SLI's unit.
    window : Window
        The window whose measured value decides; by default the period.
    period_days : int
        Days for which the error budget is given.
    time_zone : str
        IANA name; windows of days are cut there.
    repos : tuple of str
        Empty: every repo that has the metric.
    priority : int
        1 is the most important.
    severity_on_breach : Severity
        SEV-1 unless the policy says otherwise, as the playbook maps an SLA breach.
    unit : str
        Unit of value and objective.
    higher_is_better : bool
        Whether the SLA is met at or above the objective, or at or below it.
    slices : Slices or None
        Stretches of time that are judged in place of samples or events.
    kind, counted : str
        Name of the kind, as reports carry it, and what it counts.
    fewest : int
        Events or samples below which nothing is judged, decided in the contract of the formats.
    adds_up : bool
        Whether the repos add up to a value of the organisation.
    """

    sla_id: str
    sla_name: str
    sla_type: str
    objective: float
    window: Window = field(default_factory=lambda: Window(days=30))
    period_days: int = 30
    time_zone: str = "UTC"
    repos: tuple[str, ...] = ()
    priority: int = 3
    severity_on_breach: Severity = Severity.SEV_1
    unit: str = "ratio"
    higher_is_better: bool = True
    slices: Slices | None = None

    kind: ClassVar[str] = ""
    counted: ClassVar[str] = "samples"
    fewest: ClassVar[int] = 3
    adds_up: ClassVar[bool] = False

    @property
    def same_samples(self) -> tuple[object, ...] | None:
        """Return a key equal for policies that judge the same samples; None of a kind that never shares them."""
        return None

    def is_met_by(self, value: float) -> bool:
        """Return whether an unrounded value meets the objective; equality, as far as floats can tell, does."""
        if math.isclose(value, self.objective, rel_tol=_SAME, abs_tol=0.0):
            return True
        return value >= self.objective if self.higher_is_better else value <= self.objective

    @property
    def counts(self) -> tuple[str, ...]:
        """Metrics that are counted against each other, the total and its part; none of an SLI of samples."""
        return ()

    @property
    def counts_good(self) -> bool:
        """Return whether the part that is counted is that of the good events."""
        return False

    @property
    def higher_sample_is_better(self) -> bool:
        """Return whether more of the metric is better."""
        return self.higher_is_better

    @property
    def limit(self) -> float | None:
        """Value that the metric's own samples are held against; None where no single one is."""
        return None

    @property
    def is_level(self) -> bool:
        """Return whether the objective is a value of the metric, and no share of events or samples."""
        return False

    @property
    def is_share(self) -> bool:
        """Return whether the SLI is a share with an ideal of none or all, so that what may be bad is a budget.

        A ratio is one; per cent are where less than half may be bad: 80 % of a processor is a level, and no budget.
        """
        return self.unit == "ratio" or (self.whole > 0 and self.allowed < _MOST_ALLOWED)

    @property
    def whole(self) -> float:
        """All of it in the SLI's unit: 1 of a ratio, 100 of per cent; 0 in a unit of no shares."""
        return percent_of(self.unit)

    @property
    def allowed(self) -> float:
        """Share that may be bad, from 0 to 1, of an SLI that is a share."""
        return self.used(self.objective)

    def used(self, value: float) -> float:
        """Share that is bad, from 0 to 1, of an SLI that is a share."""
        return (self.whole - value if self.higher_is_better else value) / self.whole

    def consumed_share(self, value: float) -> float | None:
        """Share of the error budget that is used; None without a budget."""
        return self.used(value) / self.allowed if self.is_share and self.allowed > 0 else None

    def beyond(self, value: float) -> float:
        """Measure how far a value is beyond the objective, relative to what that allows; infinite where nothing is."""
        distance = self.objective - value if self.higher_is_better else value - self.objective
        if self.objective == 0:
            return math.inf if distance > 0 else distance
        return distance / abs(self.objective)

    def share_of_time(self, track: Track, keep: NDArray[np.bool_], n: int) -> NDArray[np.float64] | None:
        """For which share of the time the kept samples are good, for each repo; None of an SLI that shares out no samples."""
        del track, keep, n
        return None

    def warns_at(self, value: float) -> str | None:
        """Say why a value that meets the objective is at risk all the same."""
        del value
        return None
