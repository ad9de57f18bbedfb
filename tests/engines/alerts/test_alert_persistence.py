"""An alert is raised at the threshold, held near it, and cleared only beyond it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tars_lib.engines.alerts.persistence import CLEAR_SAMPLES, Persistence, hold, sample_credit
from tars_lib.engines.alerts.score_history import hinge, trailing_median


def naive_hold(beyond: list[bool], clear: list[bool], credit: list[int], needed: int) -> Persistence | None:
    """The state machine, sample by sample."""
    first = last = None
    run, began, calm, is_active = 0, 0, 0, False
    for n, is_beyond in enumerate(beyond):
        if is_beyond:
            began = n if run == 0 else began
            run += credit[n]
            last = n
            if not is_active and run >= needed:
                is_active, first = True, began
        else:
            run = 0
        calm = calm + 1 if clear[n] else 0
        if calm >= CLEAR_SAMPLES:
            is_active = False
    if not is_active or first is None or last is None:
        return None
    return Persistence(first, last, is_clearing=not beyond[-1])


@given(st.lists(st.sampled_from(["bad", "between", "good"]), max_size=25), st.integers(0, 4))
def test_the_fast_form_equals_the_state_machine(states: list[str], needed: int) -> None:
    beyond, clear = [s == "bad" for s in states], [s == "good" for s in states]
    credit = [1] * len(states)
    fast = hold(np.array(beyond, dtype=bool), np.array(clear, dtype=bool), np.array(credit, dtype=np.int64), needed)
    assert fast == naive_hold(beyond, clear, credit, needed)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([61, 60, 60], None),
        ([61, 59, 59], Persistence(1, 2, False)),
        ([59, 63, 59], Persistence(0, 2, False)),
        ([59, 61, 61, 61], Persistence(0, 0, True)),
        ([59, 62, 61, 62], Persistence(0, 0, True)),
        ([59, 62, 62], None),
        ([59, 62, 62, 59], Persistence(3, 3, False)),
        ([], None),
    ],
)
def test_raised_below_60_and_cleared_by_two_samples_at_62(values: list[float], expected: Persistence | None) -> None:
    series = np.array(values, dtype=float)
    assert hold(series < 60, series >= 62) == expected


def test_time_in_a_gap_is_credited_to_nobody_and_jitter_counts_as_an_interval() -> None:
    assert sample_credit(np.array([0, 6, 10, 40, 41], dtype=np.int64), 5).tolist() == [5, 5, 5, 5, 1]
    assert sample_credit(np.zeros(0, dtype=np.int64), 5).tolist() == []


def test_a_score_at_each_time_is_the_median_of_the_last_three() -> None:
    values = np.array([90.0, 70.0, 80.0, 10.0, 60.0, 50.0])
    naive = [float(np.median(values[max(n - 2, 0) : n + 1])) for n in range(6)]
    assert trailing_median(values).tolist() == naive
    assert trailing_median(values[:1]).tolist() == [90.0]
    assert trailing_median(values[:0]).tolist() == []


@pytest.mark.parametrize("bend", [10, 30, 60])
def test_the_bend_of_a_noisy_broken_line_is_found_within_a_few_samples(bend: int) -> None:
    noise = np.random.default_rng(bend).normal(size=90)
    found = hinge(95.0 - 0.8 * np.maximum(np.arange(90) - bend, 0) + noise)
    assert abs(found - bend) <= 6


def test_a_line_without_a_bend_moves_from_its_start() -> None:
    assert hinge(95.0 - np.arange(40.0)) == 0
    assert hinge(np.array([1.0, 2.0])) == 0
