"""Tasks for the schedulers' workers, which import them by name."""

from __future__ import annotations

import os
import signal
from pathlib import Path


def last_digits(shared: int, item: int) -> int:
    """The last six digits of a product."""
    return shared * item % 1_000_000


def die_once(shared: str, item: int) -> int:
    """End the worker at item 3, the first time; `shared` is a file that remembers."""
    if item == 3 and not Path(shared).exists():
        Path(shared).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return item * item


def die(shared: str, item: int) -> int:
    """End the worker, each time."""
    del shared, item
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def fail(shared: str, item: int) -> int:
    """Raise what a task may raise."""
    raise ValueError(f"{shared} {item}")
