"""Counts agree with their nouns, and shares are said as people say them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tars_lib.text.counts import active_text, one_in, plural, unexplained_text

END = datetime(2026, 11, 2, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 breaches"), (1, "1 breach"), (2, "2 breaches"), (12345, "12,345 breaches")]
)
def test_a_count_agrees_with_its_noun(count: int, said: str) -> None:
    assert plural(count, "breach", "breaches") == said


@pytest.mark.parametrize("share", [0.003, 0.0143, 0.0198, 0.1, 0.165, 0.25, 0.333, 0.42, 0.5, 0.74, 0.97, 0.9999])
def test_a_share_in_words_is_within_a_tenth_of_the_share(share: float) -> None:
    said = one_in(share, "request")
    words = {
        "one": 1,
        "two": 2,
        "three": 3,
        "four": 4,
        "five": 5,
        "six": 6,
        "seven": 7,
        "eight": 8,
        "nine": 9,
        "ten": 10,
    }
    if said.startswith("One in "):
        number = said.split()[2].replace(",", "")
        assert 1.0 / (words.get(number) or int(number)) == pytest.approx(share, rel=0.1)
    else:
        assert float(said.partition("%")[0]) / 100.0 == pytest.approx(share, rel=0.1)


def test_a_share_below_all_is_never_all_and_above_none_never_none() -> None:
    assert one_in(0.9999, "request") == "99% of requests"
    assert one_in(1e-9, "request") == "One in 1,000,000,000 requests"


@pytest.mark.parametrize(
    ("active", "total", "said"),
    [
        (1, 1, "the breach is active as of 2026-11-02 15:00 UTC"),
        (0, 2, "both breaches are over"),
        (2, 3, "2 of 3 breaches are active as of 2026-11-02 15:00 UTC"),
    ],
)
def test_breaches_are_counted_as_of_the_end_of_the_data(active: int, total: int, said: str) -> None:
    assert active_text(active, total, END) == said


def test_a_rest_is_never_rounded_away() -> None:
    assert unexplained_text(0.0) == "The causes explain all of the impact"
    assert unexplained_text(1e-6).startswith("Less than 1%")
    assert unexplained_text(0.9999).startswith("More than 99%")
    assert unexplained_text(1.0).startswith("100%")
