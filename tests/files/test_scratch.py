"""Folders for work in between: private, gone at the end, and after a kill gone with the next one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tars_lib.files.scratch import LOCK_FILE, SETTLING_SECONDS, scratch


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_folder_is_empty_private_named_after_its_use_and_gone_at_the_end(temporary: Path) -> None:
    with scratch("pdf") as folder:
        assert list(folder.iterdir()) == []
        (named,) = temporary.iterdir()
        assert re.fullmatch("tars-pdf-[a-z0-9_]{8}", named.name)
        assert os.name == "nt" or named.stat().st_mode & 0o077 == 0
        (folder / "deep").mkdir()
    assert list(temporary.iterdir()) == []


def test_what_a_killed_process_left_is_swept_and_what_a_living_one_uses_stays(temporary: Path) -> None:
    code = "import os, tempfile; from tars_lib.files.scratch import scratch\n"
    code += f"tempfile.tempdir = {str(temporary)!r}\nheld = scratch('evidence'); held.__enter__(); os._exit(9)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 9
    (left,) = temporary.iterdir()
    assert (left / LOCK_FILE).is_file()
    with scratch("kernel") as used:
        assert [path.name for path in temporary.iterdir()] == [used.parent.name]
        with scratch("pdf"):
            assert used.is_dir()


def test_what_is_just_being_made_and_what_is_not_ours_stays(temporary: Path) -> None:
    young, old, other = (temporary / name for name in ("tars-pdf-abcdefgh", "tars-pdf-ijklmnop", "tars-mine-abcdefgh"))
    for folder in (young, old, other):
        folder.mkdir()
        past = folder.stat().st_mtime - (0 if folder is young else SETTLING_SECONDS + 1)
        os.utime(folder, (past, past))
    if os.name != "nt":
        (temporary / "tars-pdf-qrstuvwx").symlink_to(other)
    with scratch("pdf"):
        pass
    assert (young.is_dir(), old.is_dir(), other.is_dir()) == (True, False, True)


def test_many_at_once_take_nothing_from_each_other(temporary: Path) -> None:
    def once(_: int) -> bool:
        with scratch("pdf") as folder:
            (folder / "kept").touch()
            return (folder / "kept").is_file()

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(once, range(200)))
    assert list(temporary.iterdir()) == []
