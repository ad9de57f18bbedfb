"""Every number that a reason or an evidence sentence quotes is recomputed here, from the frames alone."""

import re

import numpy as np
import pandas as pd
import pytest

from tars_lib.engines.root_causes.ranking import rank_root_causes

TIME = pd.date_range("2025-03-03", periods=240, freq="1min", tz="UTC")


def frame_of(values, metric="availability", times=TIME):
    columns = pd.MultiIndex.from_tuples([("web", metric)], names=["repo", "metric"])
    return pd.DataFrame(np.asarray(values, dtype=float)[:, None], index=times, columns=columns)


def asked(values, first, metric="availability", times=TIME, lead=20):
    whole = frame_of(values, metric, times)
    return rank_root_causes(
        whole[first - lead :],
        whole[: first - lead],
        ("web", metric),
        started_at=times[first],
        higher_is_better={metric: metric == "availability"},
    )


def as_bad(values, first, level, length):
    """Windows of the past, one by one, whose mean is at least as bad; and how many windows there are."""
    past = [float(np.mean(values[i : i + length])) for i in range(first - length + 1)]
    return sum(mean >= level - 1e-9 for mean in past), len(past)


def test_an_earlier_dip_is_counted_window_by_window():
    availability = np.ones(240)
    availability[100:103] = 0.5
    availability[237:] = 0.9
    reason = asked(availability, 237).attrs["reason"]
    # by hand: windows that begin at 98, 99, 100, 101 and 102 hold one, two or three of the bad minutes
    assert "5 of 235 earlier windows of 3 samples were as bad (2.1%), all in one episode" in reason
    assert "0.00% to 10.00%" in reason


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("rise", [0.5, 1.0, 1.5, 40.0])
def test_the_count_is_that_of_a_loop_over_the_past(seed, rise):
    rng = np.random.default_rng(seed)
    queue = 10.0 + rng.standard_normal(240)
    queue[234:] += rise
    causes = asked(queue, 234, "queue")
    text = causes.attrs["reason"] if causes.empty else causes["evidence"].iloc[0][0]
    # the search for the onset may have moved back by up to three samples
    first = 240 - int(re.search(r"windows of (\d+) samples?", text)[1])
    assert 231 <= first <= 234
    hits, windows = as_bad(queue, first, queue[first:].mean(), len(queue) - first)
    if hits:
        told = re.search(r"(\d+) of (\d+) earlier windows of (\d+) samples? (?:was|were) as bad \((.+)%\)", text)
        assert told is not None, text
        assert [int(told[i]) for i in (1, 2, 3)] == [hits, windows, len(queue) - first]
        assert float(told[4]) == pytest.approx(100.0 * hits / windows, rel=0.06)
    else:
        assert f"worse than any of the {windows} earlier windows of {len(queue) - first} samples" in text
    before, during = map(float, re.search(r"queue went from ([\d.]+) to ([\d.]+)", text).groups())
    assert during == pytest.approx(queue[first:].mean(), rel=0.005)
    local = np.append(queue[first - (240 - first) : first], np.median(queue[:214]))
    assert before == pytest.approx(np.median(local), rel=0.005)


def test_what_may_be_chance_names_the_model_and_no_count():
    rng = np.random.default_rng(3)
    queue = 10.0 + rng.standard_normal(40)
    queue[-4:] += 2.0
    reason = asked(queue, 36, "queue", TIME[:40], lead=4).attrs["reason"]
    assert reason is not None
    if "possibly by chance" in reason:
        assert "puts the chance at" in reason
    assert "own past shows" not in reason


def test_a_steady_rhythm_is_a_past_from_which_a_jump_is_told():
    queue = np.tile([8.0, 9.0, 10.0, 11.0], 60)
    queue[200:] = 480.0
    causes = asked(queue, 200, "queue")
    assert causes["repo"].tolist() == ["web"]
    assert "worse than any of the" in causes["evidence"].iloc[0][0]


def test_a_past_behind_a_gap_is_a_past_and_says_so():
    queue = 10.0 + np.random.default_rng(1).standard_normal(240)
    queue[230:] = 12.0
    times = TIME[:230].append(TIME[230:] + pd.Timedelta(days=5) - pd.Timedelta(minutes=1))
    causes = asked(queue, 230, "queue", times, lead=0)
    text = causes.attrs["reason"] or causes["evidence"].iloc[0][0]
    assert "ends 5 d earlier" in text
    assert "no history" not in text
