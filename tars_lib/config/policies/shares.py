"""Objectives as shares: what one form writes in percent and the next as a fraction, and what was meant by the wrong one."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any

from tars_lib.errors import ConfigError
from tars_lib.model.slo import Window

_PERIOD = re.compile(r"(\d{1,6})(ms|[ywdhms])")
_MINUTES = {"y": 525_600, "w": 10_080, "d": 1_440, "h": 60, "m": 1}


def share_of_percent(given: Any, where: str) -> float:
    """Return a percentage as a share, exact in decimals: 99.95 is 0.9995.

    A percentage of 1 or less is refused: 0.999 % is an objective that nobody has, 0.999 one that many do.

    Raises
    ------
    ConfigError
        If it is no number above 1 and up to 100.

    Examples
    --------
    >>> share_of_percent("99.95", "slo.yaml: objective")
    0.9995
    """
    number = _number(given, where, "a percentage such as 99.9")
    if not 0 < number <= 100:
        raise ConfigError(f"{where}: {given} was given; a percentage above 1 and up to 100 is allowed")
    if number <= 1:
        raise ConfigError(
            f"{where}: {given} was given and is in percent: above 1 and up to 100 is allowed "
            f"({_plain(number * 100)} for {given})"
        )
    return float(number / 100)


def share(given: Any, where: str) -> float:
    """Return a share of 1 as it stands.

    Raises
    ------
    ConfigError
        If it is no number above 0 and up to 1; a percentage is named as such.

    Examples
    --------
    >>> share(0.999, "slo.yaml: goal")
    0.999
    """
    number = _number(given, where, "a share such as 0.999")
    if not 0 < number <= 1:
        meant = f", {_plain(number / 100)} for {given} percent" if 1 < number <= 100 else ""
        raise ConfigError(f"{where}: {given} was given; above 0 and up to 1 is allowed{meant}")
    return float(number)


def rest(part: float) -> float:
    """Return one less a share, exact in decimals.

    Examples
    --------
    >>> rest(0.999)
    0.001
    """
    return float(1 - Decimal(repr(part)))


def prometheus_window(given: Any, where: str) -> Window:
    """Read a rolling window in the notation of Prometheus: `4w`, `28d`, `1w2d`.

    Raises
    ------
    ConfigError
        If it is another text, or shorter than a minute.

    Examples
    --------
    >>> str(prometheus_window("1w2d", "slo.yaml: window"))
    '9d'
    """
    text = str(given)
    parts = _PERIOD.findall(text)
    if not parts or "".join(amount + unit for amount, unit in parts) != text or any(u in ("s", "ms") for _, u in parts):
        raise ConfigError(f"{where}: {text[:60]!r} was given; a duration such as 28d, 4w or 6h is allowed")
    minutes = sum(int(amount) * _MINUTES[unit] for amount, unit in parts)
    try:
        return Window.parse(f"{minutes // 1440}d" if minutes % 1440 == 0 else f"{minutes}m")
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from error


def _number(given: Any, where: str, allowed: str) -> Decimal:
    if isinstance(given, bool):
        raise ConfigError(f"{where}: {given} was given; {allowed} is needed")
    try:
        number = Decimal(repr(given) if isinstance(given, float) else str(given).strip())
    except InvalidOperation as error:
        raise ConfigError(f"{where}: {str(given)[:60]!r} was given; {allowed} is needed") from error
    if not number.is_finite():
        raise ConfigError(f"{where}: {str(given)[:60]!r} was given; {allowed} is needed")
    return number


def _plain(number: Decimal) -> str:
    """Return a decimal without an exponent and without zeros at its end."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
