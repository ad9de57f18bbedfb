"""The page on redaction says what the code does."""

from __future__ import annotations

import base64
import re
from pathlib import Path

from tars_lib.redaction.config import read_redaction
from tars_lib.redaction.patterns import BUILT_IN
from tars_lib.redaction.redactor import Redactor
from tars_lib.redaction.rules import Rules

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "redaction.md").read_text(encoding="utf-8")


def test_the_example_file_does_to_the_example_text_what_the_page_says(tmp_path: Path) -> None:
    (example,) = re.findall(r"<!-- file: redaction.yaml -->\n```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    (tmp_path / "redaction.yaml").write_text(example, encoding="utf-8")
    before, after = re.findall(r"With the file above, `([^`]+)` becomes\n`([^`]+)`", PAGE)[0]
    assert Redactor(read_redaction(tmp_path / "redaction.yaml")).text(before) == after


def test_the_page_lists_the_built_in_patterns_in_their_order() -> None:
    listed = re.findall(
        r"`([a-z0-9-]+)`", PAGE.partition("in order of precedence: ")[2].partition("Form and source")[0]
    )
    assert listed == [pattern.name for pattern in BUILT_IN]


def test_what_the_page_says_is_not_found_is_not_found_and_its_neighbour_is() -> None:
    redactor = Redactor(Rules(BUILT_IN, (), (), ""))
    for stays in (
        base64.b32encode(b"ada@example.com").decode(),
        b"ada@exa".hex()[:12],
        "password: abc12",
        "password: expired",
    ):
        assert redactor.text(stays) == stays
    short = base64.b64encode(b"ada@ex").decode()
    assert redactor.text(short) == short
    for goes in (
        "ada%40example.com",
        "ada\\x40example.com",
        "ada\\u0040example.com",
        "YWRhQGV4YW1wbGUuY29t",
        b"ada@example.com".hex(),
    ):
        assert redactor.text(goes) == "[REDACTED-email-1]"
    assert redactor.text("password: correct horse") == "password: [REDACTED-password-1] horse"
