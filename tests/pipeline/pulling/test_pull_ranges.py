"""From when to when a pull asks: thirty days by default, a length, or times with a zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tars_lib.errors import ConfigError, InputError
from tars_lib.pipeline.pulling.ranges import Range, range_of

DAY = timedelta(days=1)


def test_ranges() -> None:
    now = datetime(2026, 3, 31, tzinfo=UTC)
    assert range_of(None, None, now) == Range(now - 30 * DAY, now)
    assert range_of("2d", "2026-03-30T00:00Z", now) == Range(now - 3 * DAY, now - DAY)
    with pytest.raises(ConfigError, match="not before the end"):
        range_of("2026-04-01T00:00Z", None, now)
    with pytest.raises(InputError, match="no time zone|zone"):
        range_of("2026-03-01T00:00", None, now)
