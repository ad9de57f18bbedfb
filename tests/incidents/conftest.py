"""Runs of the small shop, and the command as a user runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from incident_samples import Runs, write_runs

# the harness that kills writers
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "fuzz"))
# organisations with a planted incident
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "contract"))


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    return write_runs(tmp_path_factory.mktemp("incident-runs"))


@pytest.fixture
def tars(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """The command in a folder of its own."""

    def run(*args: object, stdin: str | None = None, **env: str) -> subprocess.CompletedProcess[str]:
        clean = {k: v for k, v in os.environ.items() if not k.startswith("TARS_") and k != "SOURCE_DATE_EPOCH"}
        return subprocess.run(
            [sys.executable, "-m", "tars_lib.cli.main", *map(str, args)],
            cwd=tmp_path,
            env=clean | {"TARS_ACTOR": "ada"} | env,
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )

    return run
