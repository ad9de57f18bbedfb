"""A command that is killed takes its kernels along."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from run_samples import RunSamples
from warm import COLD

REPO = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="/proc names processes")
def test_the_kernel_of_a_killed_command_ends_by_itself(samples: RunSamples, tmp_path: Path) -> None:
    words = ["report", "welcome", "--run", samples.run("demo").directory, "--output", tmp_path / "out"]
    env = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(REPO)}
    command = subprocess.Popen([COLD, "-m", "tars_lib.cli.main", *map(str, words)], env=env, stderr=subprocess.DEVNULL)
    try:
        assert until(lambda: kernels(tmp_path)), "no kernel was started"
    finally:
        command.kill()
        command.wait()
    assert until(lambda: not kernels(tmp_path)), "the kernel lives on"


def kernels(folder: Path) -> list[int]:
    """Processes that were given a connection file in the folder."""
    found = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = place.read_bytes().split(b"\0")
        except OSError:  # it has ended
            continue
        if any(word.startswith(os.fsencode(folder)) and b"tars-kernel-" in word for word in words):
            found.append(int(place.parent.name))
    return found


def until(holds: Callable[[], object]) -> bool:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.05)
    return False
