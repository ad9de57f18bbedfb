"""Several exporters that report one series: aligned and said, or left with their reason."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from org_samples import T0, Row, counts, history_of, series

from tars_lib.errors import InputError
from tars_lib.model.history import SECOND, History
from tars_lib.model.metrics import Metric

STEP = timedelta(minutes=5)
N = 100
TRAFFIC = 1000 + 50 * (np.arange(N) * 7 % 11)


def one(total: float, failed: float, late: float = 0.0) -> list[Row]:
    """One exporter's counts, so many seconds late."""
    return counts("web", total * TRAFFIC // 1000, failed + TRAFFIC * 0, start=T0 + timedelta(seconds=late), step=STEP)


def total_of(history: History) -> tuple[np.ndarray, np.ndarray]:
    return history.series("requests_total", "web")


def test_exporters_that_differ_share_the_interval_and_add_up() -> None:
    history = history_of(one(1000, 30) + one(700, 1, late=1))
    time, total = total_of(history)
    assert np.diff(time).tolist()[1:] == [150 * SECOND] * (2 * N - 2)
    assert total.sum() == TRAFFIC.sum() + (700 * TRAFFIC // 1000).sum()
    assert time[-1] == history_of(one(700, 1, late=1)).end, "nothing moves into the future"
    assert (history.series("requests_failed", "web")[0] == time).all()
    assert any("groups of 2, 1 s apart, every 300 s" in note and "counts add up" in note for note in history.notes)


def test_three_exporters_and_one_that_was_added_share_the_interval_too() -> None:
    time, _ = total_of(history_of(one(1000, 3) + one(700, 3, late=1) + one(500, 3, late=2)))
    assert set(np.diff(time).tolist()[2:]) == {100 * SECOND}
    late = [row for row in one(700, 3, late=1) if row[0] > T0 + 80 * STEP]
    time, _ = total_of(history_of(one(1000, 3) + late))
    assert set(np.diff(time).tolist()) == {300 * SECOND, 151 * SECOND, 150 * SECOND}


def test_of_replicas_one_is_read() -> None:
    history = history_of(one(1000, 3) + one(1000, 3, late=2))
    assert total_of(history)[1].tolist() == TRAFFIC.tolist()
    assert any("say the same" in note for note in history.notes)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            one(1000, 3) + series("web", "requests_total", TRAFFIC + 1, T0 + timedelta(seconds=1), STEP),
            "counted against",
        ),
        (one(1000, 3) + one(700, 3, late=90), "most of the time is not covered"),
    ],
    ids=["one-count-of-two", "minutes-apart"],
)
def test_what_is_not_certain_stays_and_is_named(rows: list[Row], said: str) -> None:
    history = history_of(rows)
    assert len(history) == len(rows)
    assert any(said in note and "requests_total of web" in note for note in history.notes)
    assert len(set(np.diff(total_of(history)[0]).tolist())) == 2


@pytest.mark.parametrize("kept", [np.arange(N) % 5 != 3, np.arange(N) < 60, np.arange(N) // 12 % 2 == 0])
def test_a_series_with_gaps_is_none_of_several_exporters(kept: np.ndarray) -> None:
    rows = [row for row, is_kept in zip(series("web", "load", TRAFFIC, step=STEP), kept, strict=True) if is_kept]
    history = history_of(rows)
    assert history.notes == ()
    assert history.series("load", "web")[0].tolist() == sorted(history.series("load", "web")[0].tolist())


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("", "what each of 2 exporters reports only grows"),
        ("counter", "groups of 2: give each exporter a service of its own"),
    ],
)
def test_running_totals_of_two_exporters_are_refused(kind: str, said: str) -> None:
    grown = np.cumsum(TRAFFIC)
    rows = series("web", "requests_total", grown, step=STEP)
    rows += series("web", "requests_total", grown // 2 + 7, T0 + timedelta(seconds=1), STEP)
    with pytest.raises(InputError, match=said):
        history_of(rows, {"requests_total": Metric("requests_total", "count", kind=kind)})
