"""What is written in another form is found as if it were plain: percent signs, escapes, entities and base64."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from urllib.parse import quote

import pytest
from redaction_samples import ADDRESS, MAIL, TOKEN

from tars_lib.redaction.encoded import (
    MAX_UNPACKED,
    SHORTEST_BASE64,
    SHORTEST_HEX,
    as_read,
    texts_in_base64,
    texts_in_hex,
)
from tars_lib.redaction.patterns import BUILT_IN
from tars_lib.redaction.redactor import Redactor
from tars_lib.redaction.rules import Rules


def redactor(*words: str) -> Redactor:
    return Redactor(Rules(BUILT_IN, (), tuple(("codename", word) for word in words), ""))


def escaped(text: str) -> str:
    return "".join(f"\\u{ord(char):04x}" for char in text)


def percented(text: str) -> str:
    return "".join(f"%{octet:02X}" for octet in text.encode())


def in_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize("value", [MAIL, ADDRESS, TOKEN])
@pytest.mark.parametrize(
    "write",
    [
        escaped, percented, in_base64, lambda text: quote(text, safe=""),
        lambda text: escaped(text).upper().replace("\\U", "\\u"),
        lambda text: "".join(f"\\x{ord(char):02x}" for char in text),
        lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
        lambda text: in_base64(f"owner: {text}; team: search"),
        lambda text: in_base64(in_base64(text)),
        lambda text: text.encode().hex(), lambda text: text.encode().hex().upper(),
        lambda text: f"0x{text.encode().hex()}", lambda text: text.encode().hex(":"), lambda text: text.encode().hex(" ", -2),
        lambda text: in_base64(f"key {text}".encode().hex()),
        lambda text: base64.b64encode(gzip.compress(f"owner: {text}".encode())).decode(),
        lambda text: zlib.compress(f"owner: {text} {text}".encode()).hex(),
        lambda text: quote(in_base64(f"{text}??>"), safe=""),
        lambda text: json.dumps(json.dumps({"note": escaped(text)})),
    ],
)  # fmt: skip
def test_a_secret_is_found_in_any_form_and_the_text_around_it_stays(value: str, write: object) -> None:
    assert callable(write)
    made = redactor().text(f"before: {write(value)} after")
    assert made.startswith("before: ")
    assert made.endswith(" after")
    assert "[REDACTED-" in made
    assert write(value).strip('"') not in made


def test_one_value_has_one_placeholder_whatever_it_is_written_in() -> None:
    made = redactor().text(" ".join([MAIL, percented(MAIL), escaped(MAIL), in_base64(MAIL)]))
    assert made == " ".join(["[REDACTED-email-1]"] * 4)


@pytest.mark.parametrize("written", ["Blue%20Heron", "blue+heron", "blue%2Dheron", "Blue\\u0020Heron", "BLUE\\nHERON"])
def test_words_are_found_in_queries_and_escapes(written: str) -> None:
    # an escaped line break is one in JSON alone, and there it is resolved before
    made = redactor("Blue Heron").text(f"?q={written}&x=1")
    assert (made == "?q=[REDACTED-codename-1]&x=1") == (written != "BLUE\\nHERON")


def test_a_word_in_base64_goes_with_what_stands_around_it() -> None:
    whole = in_base64("deploy of the Blue Heron release to production, by night " * 4)
    lines = "\n".join(whole[place : place + 64] for place in range(0, len(whole), 64))
    for written in (whole, lines, f"/srv/{whole}"):
        made = redactor("Blue Heron").text(f"data: {written} end")
        assert made in ("data: [REDACTED-codename-1] end", "data: /srv/[REDACTED-codename-1] end")


@pytest.mark.parametrize(
    "text",
    [
        "sha256 a94638b446d2eee0fdbfc31453684b1b8d7c79789d853b057b258480f0bf7da5",
        "tars_lib/evidence/carried/verify.py", "CorrelationInvestigationNotebookParameters", "100%25 of 5%",
        "C:\\xampp\\users",
        "tars-run-20260105-143000", in_base64("nothing in here is secret, and so it stays"),
        base64.b64encode(bytes(range(256)) + MAIL.encode()).decode(),
        "2026-01-05 14:30:00 2026-01-05 14:30:01", "00:1a:2b:3c:4d:5e", b"nothing in here is secret".hex(),
        gzip.compress(b"nothing in here is secret", mtime=0).hex(),
    ],
)  # fmt: skip
def test_what_only_looks_encoded_stays(text: str) -> None:
    assert redactor("Blue Heron", "Ada").text(text) == text


def test_short_base64_is_a_word_like_any_other() -> None:
    for length in (6, 7):
        said = "q7w9e2r"[:length]
        assert bool(list(texts_in_base64(in_base64(said), 0, 12))) == (len(in_base64(said)) >= SHORTEST_BASE64)


def test_digits_are_read_from_the_same_length_on_and_in_whole_octets_alone() -> None:
    for length in (6, 7):
        assert bool(list(texts_in_hex(b"q7w9e2r"[:length].hex(), 0, 14))) == (length >= SHORTEST_HEX)
    assert list(texts_in_hex(f"{MAIL.encode().hex()}a", 0, 99)) == []


def test_a_bomb_in_a_text_is_unpacked_as_far_as_the_limit_and_no_further() -> None:
    packed = base64.b64encode(gzip.compress(b"a" * 50_000_000)).decode()
    ((_, _, said),) = texts_in_base64(packed, 0, len(packed))
    assert len(said) == MAX_UNPACKED


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("%C3%A4%E2%82%AC", "ä€"), ("%ff%40", "ÿ@"), ("\\ud83d\\ude00!", "😀!"), ("\\U0001F600", "😀"),
        ("&lt;%40\\u0040", "<@@"),
        ("&ngE;x", "≧̸x"), ("\\ud83d alone", "\ud83d alone"),
    ],
)  # fmt: skip
def test_every_character_keeps_its_place(text: str, read: str) -> None:
    found = as_read(text)
    assert found is not None
    shown, starts, ends = found
    assert shown == read
    assert len(starts) == len(ends) == len(shown)
    assert all(0 <= start < end <= len(text) for start, end in zip(starts, ends, strict=True))
    assert starts == sorted(starts)
    assert ends[-1] == len(text)


def test_long_texts_take_no_time_out_of_proportion() -> None:
    import time

    began = time.process_time()
    texts = ["A" * 400_000, "%41" * 100_000, "/abc" * 100_000, "\\u0041" * 50_000, "a" * 76 + "\n" * 200_000]
    texts += ["61 " * 50_000 + "6", "61" * 50_000 + "6", ("61" * 30 + "\n") * 2_000, "6161 " * 20_000 + "6"]
    for text in texts:
        redactor("Blue Heron").text(text)
    assert time.process_time() - began < 10
