"""Reading ahead: one thread fetches what comes next while what came is worked on, a few pieces at most."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterator
from typing import TypeVar

T = TypeVar("T")
PIECES = 8
"""Pieces that wait; judgement: of 131,072 rows each they fill a chunk while the one before is written."""
_POLL, _PATIENCE = 0.1, 1.0
"""Seconds."""


def ahead(pieces: Iterator[T], at_most: int = PIECES) -> Generator[T, None, None]:
    """Yield the pieces of an iterator, which is run by a thread of its own.

    An error of the iterator is raised here. Closing this closes the iterator.

    Examples
    --------
    >>> list(ahead(iter("abc")))
    ['a', 'b', 'c']
    """
    waiting: queue.Queue[tuple[T | None, BaseException | None, bool]] = queue.Queue(at_most)
    stopped = threading.Event()

    def put(item: tuple[T | None, BaseException | None, bool]) -> None:
        while not stopped.is_set():
            try:
                waiting.put(item, timeout=_POLL)
            except queue.Full:
                continue
            return

    def run() -> None:
        try:
            for piece in pieces:
                put((piece, None, False))
                if stopped.is_set():
                    break
        except BaseException as error:  # noqa: BLE001 - raised on the other side
            put((None, error, True))
        else:
            put((None, None, True))
        finally:
            close = getattr(pieces, "close", None)
            if close is not None:
                close()

    reader = threading.Thread(target=run, name="tars-pull", daemon=True)
    reader.start()
    try:
        while True:
            piece, error, is_end = waiting.get()
            if error is not None:
                raise error
            if is_end:
                return
            yield piece  # type: ignore[misc]
    finally:
        stopped.set()
        # who waits for a server that is silent ends with the process
        reader.join(_PATIENCE)
