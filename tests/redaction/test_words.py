"""Words of a redaction file and values of its fields go however they are written, and take nothing else with them."""

from __future__ import annotations

import unicodedata

import pytest

from tars_lib.redaction.patterns import BUILT_IN
from tars_lib.redaction.redactor import Redactor
from tars_lib.redaction.rules import Rules

RULES = Rules((), (), (("codename", "Blue Heron"), ("product", "heron"), ("product", "my_tool")), "")
GONE = "[REDACTED-codename-1]"


@pytest.mark.parametrize(
    "written",
    [
        "Blue Heron",
        "BLUE HERON",
        "blue heron",
        "Blue  Heron",
        "Blue\nHeron",
        "Blue\u00a0Heron",
        "blue_heron",
        "blue-heron",
    ],
)
@pytest.mark.parametrize("around", ["{}", "the {} is late", "x_{}_api", "({})", "{}-db.internal"])
def test_a_word_goes_in_any_case_and_whatever_parts_it(written: str, around: str) -> None:
    redactor = Redactor(RULES)
    assert redactor.text(around.format(written)) == around.format(GONE)
    assert list(redactor.placeholders) == ["Blue Heron"]


def test_a_word_joined_by_underscores_goes_alone() -> None:
    assert Redactor(RULES).text("heron_api and HERON_DB, my tool") == (
        "[REDACTED-product-1]_api and [REDACTED-product-1]_DB, [REDACTED-product-2]"
    )


@pytest.mark.parametrize("text", ["Blue Herons", "blueheron", "herons", "Blue, Heronry", "a bluer hero n", "my tools"])
def test_parts_of_longer_words_stay(text: str) -> None:
    assert Redactor(RULES).text(text) == text


def test_a_learned_value_of_one_word_goes_as_written_and_one_of_several_in_any_case() -> None:
    redactor = Redactor(Rules((), (), (), ""))
    redactor.add_word("person", "Will")
    redactor.add_word("person", "Grace Hopper")
    assert redactor.text("Will will call GRACE HOPPER at will_power") == (
        "[REDACTED-person-1] will call [REDACTED-person-2] at will_power"
    )


def test_digits_do_not_go_from_the_middle_of_numbers_and_digests() -> None:
    redactor = Redactor(Rules(BUILT_IN, (), (), ""))
    redactor.add_word("account", "4711")
    text = "0.4711, 4711.25, 14711, e3b04711c442, tars-run-20264711-1; 4711."
    assert redactor.text(text) == text.replace("; 4711.", "; [REDACTED-account-1].")


def test_a_picture_in_a_page_stays_and_a_text_that_calls_itself_one_does_not() -> None:
    redactor = Redactor(Rules(BUILT_IN, (), (("who", "Ada"),), ""))
    picture = "<img src='data:image/png;base64,iVBORw0KGgo/Ada/Ada+Ab=='>"
    assert redactor.text(picture) == picture
    key = "AK" + "IAIOSFODNN7EXAMPLE"
    for head in (
        "data:text/plain;base64,",
        "data:application/json;base64,",
        "data:image/png;base64,",
        "data:x;base64,",
    ):
        assert redactor.text(f"{head}{key}") == f"{head}[REDACTED-aws-key-id-1]"
    assert redactor.text(f"data:image/gif;base64,R0lGOD==Ada/{key}") == (
        "data:image/gif;base64,R0lGOD==[REDACTED-who-1]/[REDACTED-aws-key-id-1]"
    )


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("rule", ["NFC", "NFD"])
def test_an_accent_is_found_whether_it_is_a_character_of_its_own_or_not(rule: str, form: str) -> None:
    redactor = Redactor(Rules((), (), (("person", unicodedata.normalize(rule, "Jos\u00e9 N\u00fa\u00f1ez")),), ""))
    made = redactor.text(unicodedata.normalize(form, "by Jos\u00e9 N\u00fa\u00f1ez, Jos\u00e9_N\u00fa\u00f1ez.csv"))
    assert made == "by [REDACTED-person-1], [REDACTED-person-1].csv"
    assert (
        redactor.placeholder("person", unicodedata.normalize(form, "Jos\u00e9 N\u00fa\u00f1ez"))
        == "[REDACTED-person-1]"
    )
    assert redactor.text("Jos\u00e9 and e\u0301 stay") == "Jos\u00e9 and e\u0301 stay"
