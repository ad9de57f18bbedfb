"""Questions are asked a few at once; answers and errors come in order."""

from __future__ import annotations

import threading

import pytest

from tars_lib.sources.pulled.at_once import in_order


def test_as_many_as_allowed_are_asked_at_once_and_answers_come_in_order() -> None:
    gate = threading.Barrier(3, timeout=5)

    def ask(number: int) -> int:
        gate.wait()  # passes only if three are asked at once
        return number * 10

    assert list(in_order(range(9), ask, 3)) == [number * 10 for number in range(9)]


def test_no_more_than_allowed_wait_to_be_taken() -> None:
    asked: list[int] = []
    answers = in_order(range(100), lambda number: asked.append(number) or number, 2)
    assert next(answers) == 0
    assert len(asked) <= 3


def test_an_error_comes_where_its_answer_would() -> None:
    def ask(number: int) -> int:
        if number == 2:
            raise LookupError("gone")
        return number

    answers = in_order(range(5), ask, 4)
    assert [next(answers), next(answers)] == [0, 1]
    with pytest.raises(LookupError, match="gone"):
        next(answers)
