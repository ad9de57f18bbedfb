"""Files that a writer fills itself, and those that get their names together."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tars_lib.files.atomic import LEFTOVER_SECONDS, staged_file, write_together


def test_a_staged_file_gets_its_name_with_the_others(tmp_path: Path) -> None:
    target, other = tmp_path / "history" / "a.parquet", tmp_path / "b.json"
    with staged_file(target) as staged:
        staged.write_bytes(b"rows")
        assert not target.exists()
        write_together({target: staged, other: b"{}"})
    assert (target.read_bytes(), other.read_bytes()) == (b"rows", b"{}")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.parquet", "b.json", "history"]


def test_a_staged_file_that_is_not_needed_is_gone(tmp_path: Path) -> None:
    target = tmp_path / "a.parquet"
    target.write_bytes(b"old")

    def fail() -> None:
        with staged_file(target) as staged:
            staged.write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert [path.name for path in tmp_path.iterdir()] == ["a.parquet"]
    assert target.read_bytes() == b"old"


def test_nothing_gets_its_name_where_one_cannot_be_written(tmp_path: Path) -> None:
    target = tmp_path / "a.parquet"
    (tmp_path / "file").write_bytes(b"")
    with staged_file(target) as staged, pytest.raises(OSError, match="no folder"):
        write_together({target: staged, tmp_path / "file" / "b.json": b"{}"})
    assert not target.exists()


def test_what_a_writer_that_died_left_is_removed_after_a_day(tmp_path: Path) -> None:
    target = tmp_path / "a.parquet"
    left = tmp_path / ".a.parquet.0123456789abcdef.partial"
    left.write_bytes(b"half")
    with staged_file(target):
        assert left.exists()
    old = left.stat().st_mtime - LEFTOVER_SECONDS - 60
    os.utime(left, (old, old))
    with staged_file(target):
        assert not left.exists()
