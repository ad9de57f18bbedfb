"""What is put into a bundle from outside: names that hide something, inputs behind links."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tars_lib.engines.difference import Change, Direction
from tars_lib.packaging.gather import difference_text, read_input


def test_hostile_names_are_shown_in_the_difference_and_do_not_act() -> None:
    change = Change("repo a\x1b[2Jb\u202ec", next(iter(Direction)), "x\ny\u200b", "\x07z")
    text = difference_text("one", "two", [change])
    assert text.endswith(f"\n\n{change.direction.value}: repo a[U+001B][2Jb[U+202E]c: x y[U+200B] -> [U+0007]z\n")
    assert difference_text("one", "two", []) == "before: one\nafter:  two\n\nnothing changed\n"


def test_an_input_behind_a_link_in_the_root_is_packed_and_one_that_leads_out_is_not(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "real.csv").write_bytes(b"1")
    (tmp_path / "outside.csv").write_bytes(b"1")
    try:
        (root / "linked.csv").symlink_to("real.csv")
        (root / "out.csv").symlink_to("../outside.csv")
    except OSError:
        pytest.skip("links are not allowed here")
    digest = hashlib.sha256(b"1").hexdigest()
    assert read_input(root, "linked.csv", digest) == (b"1", "")
    assert read_input(root, "out.csv", digest) == (None, "input out.csv: leads out of the root")
    assert read_input(root, "linked.csv", "0" * 64) == (None, "input linked.csv: altered since the run read it")
    assert read_input(root, "gone.csv", digest) == (None, "input gone.csv: not in the root any more")
