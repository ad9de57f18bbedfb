"""Which names of a column are one, by samples made by hand."""

from __future__ import annotations

from datetime import timedelta

import pytest
from org_samples import T0, Row, samples_of, series

from tars_lib.model.spelling import respelt, spellings, trimmed

HOURLY, HOUR = timedelta(hours=1), timedelta(hours=1)


def load(repo: str, first: int, number: int = 6, metric: str = "load") -> list[Row]:
    return series(repo, metric, [1.0] * number, T0 + first * HOUR, HOURLY)


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("a\u200db", "ab"),  # a joiner between letters of ASCII joins nothing
        ("\u0915\u094d\u200d\u0937", "\u0915\u094d\u200d\u0937"),  # between letters of Devanagari it does
        ("web \u3000 shop", "web shop"),
        ("e\u0301", "\u00e9"),
        (" web ", "web"),
    ],
)
def test_what_cannot_be_seen_makes_no_other_name(name: str, read: str) -> None:
    assert trimmed(name) == read


def test_a_case_that_goes_on_where_the_other_ends_is_the_same_service() -> None:
    samples = samples_of(load("web", 0, 4) + load("Web", 4, 6))
    found = spellings(samples, "repo", ())
    assert found.read_as == {"web": "Web"}  # the one with more samples
    assert found.notes == (
        "1 repo name is read in another spelling: 'web' as 'Web': their letter case alone differs, and their samples fit "
        "into one series",
    )
    assert respelt(samples, found, spellings(samples, "metric", ())).repos == ("Web", "Web")


@pytest.mark.parametrize("other", [load("Web", 2), series("Web", "load", [1.0] * 6, T0 + 0.25 * HOUR, HOURLY)])
def test_two_cases_that_report_at_once_or_in_between_are_two_services(other: list[Row]) -> None:
    found = spellings(samples_of(load("web", 0) + other), "repo", ())
    assert (found.read_as, found.notes) == (
        {},
        ("repos 'Web' and 'web' differ only in letter case and are two; one spelling would join them",),
    )


def test_what_is_declared_stands_before_any_other_spelling() -> None:
    samples = samples_of(load("web\u200b", 0, 4) + load("WEB", 4, 6))
    assert spellings(samples, "repo", ("Web",)).read_as == {"web\u200b": "Web", "WEB": "Web"}
    # two that are declared are two, even where one has no sample
    assert spellings(samples_of(load("web", 0)), "repo", ("web", "Web")).read_as == {}
    # an odd spelling that is declared is followed
    assert spellings(samples_of(load("web", 0)), "repo", ("web ",)).read_as == {"web": "web "}


def test_metrics_are_joined_by_their_services_and_known_names_are_no_news() -> None:
    rows = load("web", 0, metric="Latency") + load("api", 0, metric="latency")
    found = spellings(samples_of(rows), "metric", (), ("latency",))
    assert found.read_as == {"Latency": "latency"}
    assert found.notes[0].startswith("1 metric name is read in another spelling: 'Latency' as 'latency'")


def test_letters_of_other_scripts_that_look_alike_are_told_and_not_joined() -> None:
    found = spellings(samples_of(load("web", 0) + load("w\u0435b", 6)), "repo", ())
    assert (found.of("w\u0435b"), found.notes) == (
        "w\u0435b",
        ("repos 'web' and 'w\\u0435b' read alike and are two; one spelling would join them",),
    )
    # one of two that are declared alone is no news
    assert spellings(samples_of(load("api", 0)), "repo", ("web", "w\u0435b")).notes == ()


def test_a_long_list_is_cut() -> None:
    samples = samples_of([row for number in range(7) for row in load(f" s{number}", 0, 1)])
    (note,) = spellings(samples, "repo", ()).notes
    assert note.startswith("7 repo names are read in another spelling: ' s0' as 's0', ")
    assert "' s4' as 's4' and 2 more: blanks at the ends" in note


def test_spellings_that_take_turns_at_one_pace_are_one_service() -> None:
    rows = [series(("web", "WEB", "Web")[n % 3], "load", [1.0], T0 + n * HOUR, HOURLY)[0] for n in range(9)]
    assert set(spellings(samples_of(rows), "repo", ()).read_as) == {"WEB", "Web"}
