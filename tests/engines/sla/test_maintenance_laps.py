"""Which samples lie in maintenance, and by how much: as each sample and each stretch, one by one, say."""

from __future__ import annotations

import tracemalloc

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tars_lib.engines.sla.window.maintenance import Planned, laps

SECOND = 1_000_000
moments = st.integers(-40, 40).flatmap(
    lambda at: st.sampled_from((0, 1, SECOND // 2)).map(lambda more: at * SECOND + more)
)
stretches = st.builds(
    lambda column, begin, length: Planned(column, begin, begin + length),
    st.none() | st.integers(0, 4),
    moments,
    st.integers(0, 30 * SECOND),
)


@given(
    st.lists(st.lists(moments, unique=True, max_size=8).map(sorted), min_size=1, max_size=4),
    st.lists(stretches, max_size=5),
    st.data(),
    st.booleans(),
)
def test_samples_in_maintenance(
    times: list[list[int]], planned: list[Planned], data: st.DataObject, at_end: bool
) -> None:
    column = np.repeat(np.arange(len(times), dtype=np.int32), [len(part) for part in times])
    time = np.array([moment for part in times for moment in part], dtype=np.int64)
    span = np.array(
        data.draw(st.lists(st.integers(0, 9 * SECOND), min_size=time.size, max_size=time.size)), dtype=np.int64
    )
    expected = {}
    for at in range(time.size):
        begin = int(time[at] - span[at]) if at_end else int(time[at])
        for which, stretch in enumerate(planned):
            lap = min(begin + int(span[at]), stretch.finish) - max(begin, stretch.begin)
            if lap > 0 and stretch.column in (None, column[at]):
                expected[at, which] = lap
    found = laps(planned, column, time, span, at_end=at_end)
    assert {(at, which): lap for at, which, lap in zip(*(part.tolist() for part in found), strict=True)} == expected


def test_one_repo_that_is_seldom_sampled_does_not_make_all_others_candidates() -> None:
    days, minute = 60, 60 * SECOND
    time = np.concatenate([np.arange(days * 1440) * minute, [0, days * 720 * minute]])
    column = np.repeat(np.array([0, 1], dtype=np.int32), [days * 1440, 2])
    span = np.full(time.size, minute)
    span[-2:] = days * 720 * minute
    nightly = [Planned(None, day * 1440 * minute, (day * 1440 + 60) * minute) for day in range(days)]
    tracemalloc.start()
    at, _, _ = laps(nightly, column, time, span, at_end=False)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.count_nonzero(at < days * 1440) == days * 60
    assert peak < 20_000_000
