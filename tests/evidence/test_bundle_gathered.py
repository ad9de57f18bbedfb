"""What is put into a bundle from outside: names that hide something, inputs behind links."""

from __future__ import annotations

import hashlib
import shutil
import tracemalloc
from pathlib import Path

import pytest
from run_samples import RunSamples

from tars_lib.engines.difference import Difference, Direction
from tars_lib.errors import VerificationError
from tars_lib.evidence.gather import difference_text, read_input
from tars_lib.evidence.runs import read_run
from tars_lib.evidence.sealing.stored_zip import MAX_BYTES
from tars_lib.pipeline import load_run


def test_hostile_names_are_shown_in_the_difference_and_do_not_act() -> None:
    change = Difference("repo a\x1b[2Jb\u202ec", next(iter(Direction)), "x\ny\u200b", "\x07z")
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


def test_a_file_that_no_bundle_can_hold_is_named_and_takes_no_memory(samples: RunSamples, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(samples.run("demo").directory, run)
    with (run / "core").open("wb") as file:
        file.truncate(100 * MAX_BYTES)
    packed = read_run(run, "run")
    assert f"run: core has {100 * MAX_BYTES} bytes and was not packed; a bundle holds {MAX_BYTES}" in packed.faults
    assert "core" not in packed.files
    (run / "core").unlink()
    with (run / "executive-summary.md").open("ab") as file:
        file.truncate(300_000_000)
    tracemalloc.start()
    with pytest.raises(VerificationError, match=r"executive-summary\.md: altered"):
        load_run(run)
    assert tracemalloc.get_traced_memory()[1] < 300_000_000
    tracemalloc.stop()
