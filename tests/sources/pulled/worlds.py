"""What a source is asked in tests: a day, in a world where waiting takes no time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from tars_lib.sources.pulled.protocol import Ask


class World:
    """What an `Ask` may use: waiting takes no time and is written down."""

    def __init__(self, root: Path, environment: dict[str, str] | None = None, clock: Callable[[], float] = lambda: 0.0):
        self.waited: list[float] = []
        self.notes: list[str] = []
        self.ask = Ask(
            datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC), root, environment or {},
            lambda done, total: None, self.notes.append, self.waited.append, clock,
        )  # fmt: skip
