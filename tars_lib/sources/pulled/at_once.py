"""Several questions at once, their answers in order, by threads that no end of the process waits for."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")


class _Job(Generic[Q, A]):
    """One question in a thread of its own."""

    def __init__(self, ask: Callable[[Q], A], question: Q) -> None:
        self._ask, self._question = ask, question
        self._answers: list[A] = []
        self._error: BaseException | None = None
        # a pool's threads would be waited for when a signal ends the process, however long a server is silent
        self._thread = threading.Thread(target=self._run, name="tars-pull-ask", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._answers.append(self._ask(self._question))
        except BaseException as error:  # noqa: BLE001 - raised where the answer is waited for
            self._error = error

    def answer(self) -> A:
        """Wait for the answer; raise what asking raised."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._answers[0]


def in_order(questions: Sequence[Q], ask: Callable[[Q], A], at_once: int) -> Iterator[A]:
    """Yield the answers to questions, of which a few are asked at once.

    Parameters
    ----------
    ask : callable
        Safe to call from several threads.
    at_once : int
        Questions that are asked, or answered and not yet taken, at any time.

    Examples
    --------
    >>> list(in_order("abc", str.upper, 2))
    ['A', 'B', 'C']
    """
    running: deque[_Job[Q, A]] = deque()
    for question in questions:
        if len(running) == at_once:
            yield running.popleft().answer()
        running.append(_Job(ask, question))
    while running:
        yield running.popleft().answer()
