"""Samples that are held up to a number of rows, and read again beyond it."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from org_samples import DAILY, T0, samples_of, series

from tars_lib.errors import InputError
from tars_lib.model.admission import admit
from tars_lib.model.history import to_micros
from tars_lib.model.samples import Gathering, Parted, Samples, merge

ONE = samples_of(series("web", "load", [1.0, 2.0, np.nan]))
TWO = samples_of(series("api", "load", [3.0, 4.0]) + series("web", "errors", [5.0]))


def rows_of(samples: Samples | Parted) -> list[tuple[str, str, float]]:
    return [
        (part.repos[repo], part.metrics[metric], value)
        for part in samples.parts()
        for repo, metric, value in zip(part.repo.tolist(), part.metric.tolist(), part.value.tolist(), strict=True)
        if value == value
    ]


def gathered(held: int, *parts: Samples) -> Samples | Parted:
    found = Gathering(held)
    for part in parts:
        assert found.add(lambda part=part: [part]) == len(part)
    return found.all()


@pytest.mark.parametrize("held", [0, 3, 5, 100])
def test_the_samples_are_the_same_however_many_are_held(held: int) -> None:
    whole, found = merge((ONE, TWO)), gathered(held, ONE, TWO)
    assert isinstance(found, Samples if held == 100 else Parted)
    assert (found.repos, found.metrics, len(found), found.last) == (whole.repos, whole.metrics, 6, whole.last)
    assert rows_of(found) == rows_of(whole) == rows_of(found)  # as often as somebody asks
    assert found.counts().tolist() == whole.counts().tolist() == [[2, 2], [1, 0]]
    assert (found.where(4, "value"), found.where(0, "value")) == (whole.where(4, "value"), whole.where(0, "value"))


def test_nothing_is_no_samples() -> None:
    nothing = Gathering().all()
    assert (len(nothing), nothing.last, nothing.repos) == (0, None, ())


@pytest.mark.parametrize(
    "later",
    [
        replace(ONE, repos=("other",)),
        replace(ONE, value=ONE.value[:2], repo=ONE.repo[:2], metric=ONE.metric[:2], time=ONE.time[:2]),
    ],
)
def test_a_file_that_changes_between_two_readings_is_refused(later: Samples) -> None:
    answers = iter((ONE, later))
    found = Gathering(0)
    found.add(lambda: [next(answers)])
    with pytest.raises(InputError, match=r"history\.csv: changed while it was read"):
        rows_of(found.all())


def test_what_was_held_and_what_was_not_keep_their_order() -> None:
    found = gathered(4, ONE, TWO, samples_of(series("db", "load", [9.0])))
    assert [row[0] for row in rows_of(found)] == ["web", "web", "api", "api", "web", "db"]


def test_the_gate_admits_parts_as_it_admits_the_whole() -> None:
    early, late = series("web", "load", [1.0, 2.0]), series("web", "load", [3.0, 4.0], T0 + 2 * DAILY)
    nothing = samples_of(series("api", "load", [np.nan]))
    whole = admit(samples_of(early + late), {})
    # out of the order of time, and with a part that holds no value
    parted = admit(gathered(0, samples_of(late), nothing, samples_of(early)), {})
    assert parted.series("load", "web")[0].tolist() == whole.series("load", "web")[0].tolist()
    assert parted.series("load", "web")[1].tolist() == [1.0, 2.0, 3.0, 4.0]


# the rows of each part: which series, and the days at which all of those have a sample
of_parts = st.lists(
    st.lists(
        st.tuples(st.sets(st.sampled_from("abcd"), min_size=1), st.lists(st.integers(0, 30), min_size=1, max_size=4)),
        min_size=1,
        max_size=3,
    ),
    min_size=1,
    max_size=5,
)


@given(of_parts, st.integers(-1, 31))
@settings(max_examples=150)
def test_series_that_share_times_say_what_each_alone_would(
    parts: list[list[tuple[set[str], list[int]]]], day: int
) -> None:
    expected: dict[str, dict[int, float]] = {name: {} for name in "abcd"}
    files = []
    for groups in parts:
        rows = []
        for names, days in groups:
            for name, at in itertools.product(sorted(names), days):
                if at not in expected[name]:
                    expected[name][at] = float(len(rows) + 100 * len(files))
                    rows.append((T0 + at * DAILY, name, "load", expected[name][at]))
        files.append(samples_of(rows))
    found = admit(gathered(0, *files), {})
    until = to_micros(T0 + day * DAILY)
    for name in found.repos:
        points = [(to_micros(T0 + at * DAILY), value) for at, value in sorted(expected[name].items())]
        series_of = found.series("load", name), found.until(until).over((name,)).series("load", name)
        assert [list(zip(*(part.tolist() for part in each), strict=True)) for each in series_of] == [
            points,
            [point for point in points if point[0] <= until],
        ]
    assert found.with_own_times().time.tolist() == found.times(0, found.starts.size).tolist()


def test_times_that_all_series_share_are_held_once() -> None:
    names = [f"service-{number}" for number in range(20)]
    days = [[row for name in names for row in series(name, "load", [1.0, 2.0], T0 + 2 * n * DAILY)] for n in range(4)]
    errors = [[(time, repo, "errors", value) for time, repo, _, value in part] for part in days]
    found = admit(gathered(0, *map(samples_of, [*days, *errors])), {})
    assert (found.time.size, len(found)) == (8, 2 * 20 * 8)
    assert found.have_same_times("load", "errors")
    # a series that lacks one sample has times of its own from there on
    fewer = admit(gathered(0, *map(samples_of, [days[0], days[1][1:], *days[2:]])), {})
    assert fewer.time.size == 8 + 7


@pytest.mark.parametrize(
    ("spoiled", "said"),
    [
        (
            replace(ONE, repo=np.array([0, -1, 0], dtype=np.int32)),
            "row 3, column repo: empty; every sample needs a repo",
        ),
        (replace(ONE, repos=("w" * 3000,)), "a name of 3000 characters; up to"),
        (replace(ONE, time=ONE.time * 1000), "is not allowed: a time from 1970 to the end of"),
        (
            replace(ONE, value=np.array([1.0, np.inf, 1.0])),
            "row 3, column value: inf is not allowed: a finite number is",
        ),
        (replace(ONE, value=np.array([1.0, 1e300, 1.0])), "column value: 1e\\+300 is not allowed: -1e"),
    ],
)
def test_what_no_sample_may_be_is_refused_with_its_place(spoiled: Samples, said: str) -> None:
    with pytest.raises(InputError, match=said):
        admit(spoiled, {})
