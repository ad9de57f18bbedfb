"""Reading ahead changes nothing but the time that it takes."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from tars_lib.pipeline.pulling.ahead import PIECES, ahead


def test_pieces_come_in_order_and_from_another_thread() -> None:
    seen = []

    def pieces() -> Iterator[int]:
        for number in range(100):
            seen.append(threading.current_thread().name)
            yield number

    assert list(ahead(pieces())) == list(range(100))
    assert set(seen) == {"tars-pull"}


def test_an_error_comes_after_the_pieces_before_it() -> None:
    def pieces() -> Iterator[int]:
        yield 1
        raise LookupError("gone")

    coming = ahead(pieces())
    assert next(coming) == 1
    with pytest.raises(LookupError, match="gone"):
        next(coming)


def test_no_more_is_fetched_than_fits_and_closing_ends_it() -> None:
    made = []
    closed = threading.Event()

    def pieces() -> Iterator[int]:
        try:
            for number in range(10_000):
                made.append(number)
                yield number
        finally:
            closed.set()

    coming = ahead(pieces())
    assert next(coming) == 0
    coming.close()
    assert closed.wait(5)
    assert len(made) <= PIECES + 3
