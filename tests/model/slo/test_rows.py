"""Repo and time of samples: what is made of them is the same whether the history holds equal times once or for each repo."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from org_samples import DAILY, T0, counts, history_of, ratio

from tars_lib.model.history import History
from tars_lib.model.slo import Track, summed_by_time
from tars_lib.model.slo import rows as track_rows
from tars_lib.model.slo.rows import Rows
from tars_lib.stats.series.spans import spans


def counted(*repos: str) -> History:
    """Counts of some repos on the same days, and of one more that began later."""
    rng = np.random.default_rng(5)
    days = [row for repo in repos for row in counts(repo, rng.poisson(500, 12), rng.poisson(4, 12))]
    return history_of([*days, *counts("late", [300, 310, 290], [2, 0, 1], start=T0 + 9 * DAILY)])


@given(
    st.lists(st.lists(st.integers(0, 40), unique=True, max_size=9).map(sorted), min_size=1, max_size=5),
    st.integers(1, 12),
    st.booleans(),
)
def test_parts_are_the_slices_of_the_whole(times: list[list[int]], block: int, at_end: bool) -> None:
    column = np.repeat(np.arange(len(times), dtype=np.int32), [len(part) for part in times])
    time = np.array([moment for part in times for moment in part], dtype=np.int64)
    rows = Rows.of(column, time, len(times))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(track_rows, "BLOCK", block)
        blocks = list(rows.blocks())
        np.testing.assert_array_equal(rows.spans(7, at_end=at_end), spans(column, time, 7, at_end=at_end))
    assert [first for first, _ in blocks] + [len(times)] == [0] + [end for _, end in blocks]
    parts = [rows.part(*each) for each in blocks]
    np.testing.assert_array_equal(np.concatenate([part.column for part in parts]), column)
    np.testing.assert_array_equal(np.concatenate([part.time for part in parts]), time)
    assert rows.earliest == min(time.tolist(), default=None)
    assert [rows.of_repo(repo).tolist() for repo in range(len(times))] == times


@pytest.mark.parametrize("part_is_good", [False, True])
def test_times_that_are_held_once_give_the_track_of_times_of_their_own(part_is_good: bool) -> None:
    history, policy = counted("a", "b", "c"), ratio(part_is_good=part_is_good)
    assert history.time.size < len(history)
    once, own = policy.track(history), policy.track(history.with_own_times())
    assert once is not None
    assert own is not None
    assert np.shares_memory(once.rows.held, history.time)
    for name in ("column", "time", "span", "value", "total", "weight", "step"):
        np.testing.assert_array_equal(getattr(once, name), getattr(own, name), err_msg=name)
    for field in dataclasses.fields(own.traffic):
        np.testing.assert_array_equal(getattr(once.traffic, field.name), getattr(own.traffic, field.name))
    assert once.half is None
    assert own.half is not None
    assert not own.half.time.size


def test_sums_by_time_are_those_of_all_samples_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    track = ratio().track(counted("a", "b", "c"))
    assert track is not None
    assert track.total is not None
    monkeypatch.setattr(track_rows, "BLOCK", 5)

    def columns(part: Track) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        assert part.total is not None
        return part.time, part.value, part.total

    time, bad, total = summed_by_time(columns(part) for _, part in track.parts())
    assert time.tolist() == sorted(set(track.time.tolist()))
    assert bad.tolist() == [track.value[track.time == moment].sum() for moment in time]
    assert total.tolist() == [track.total[track.time == moment].sum() for moment in time]


@pytest.mark.parametrize("missing_is_zero", [False, True])
@pytest.mark.parametrize("part_is_good", [False, True])
@pytest.mark.parametrize("at_end", [False, True])
def test_half_reported_counts_are_joined_alike_whether_some_repos_or_all_at_a_time(
    part_is_good: bool, missing_is_zero: bool, at_end: bool
) -> None:
    rng = np.random.default_rng(8)
    gaps = [row for row in counts("a", rng.poisson(500, 30), rng.poisson(4, 30)) if rng.random() > 0.2]
    whole = counts("b", rng.poisson(500, 30), rng.poisson(4, 30))
    late = [(moment + timedelta(hours=6), "c", *rest) for moment, _, *rest in counts("c", [0] * 30, rng.poisson(4, 30))]
    shifted = [row for row in counts("c", rng.poisson(500, 30), [0] * 30) if row[2] == "requests_total"]
    shifted += [row for row in late if row[2] == "requests_failed"]
    fine = [(T0 + n * DAILY / 4, "d", "requests_failed", 1.0) for n in range(120)]
    fine += [row for row in counts("d", rng.poisson(500, 30), [0] * 30) if row[2] == "requests_total"]
    totals_alone = [row for row in counts("e", rng.poisson(500, 30), [0] * 30) if row[2] == "requests_total"]
    history = history_of([*gaps, *whole, *shifted, *fine, *totals_alone])
    policy = ratio(part_is_good=part_is_good, missing_is_zero=missing_is_zero)
    at_once = policy.track(history, at_end=at_end)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(track_rows, "BLOCK", 7)
        by_repo = policy.track(history, at_end=at_end)
    assert at_once is not None
    assert at_once.half is not None
    assert by_repo is not None
    assert at_once.half.time.size
    assert len(at_once.rows)
    for name in ("column", "time", "span", "value", "total", "weight", "step", "impossible", "notes", "noted"):
        np.testing.assert_equal(getattr(by_repo, name), getattr(at_once, name), err_msg=name)
    for part in ("half", "traffic"):
        for field in dataclasses.fields(getattr(at_once, part)):
            values = (getattr(getattr(track, part), field.name) for track in (by_repo, at_once))
            np.testing.assert_equal(*values, err_msg=field.name)
