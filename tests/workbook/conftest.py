"""Runs whose truth is known, made once for all tests of what notebooks show."""

from __future__ import annotations

from pathlib import Path

import pytest
from contract.workspaces import cascade

import tars_lib as tars
from tars_lib.pipeline import Run, load_run, write_run
from tars_lib.sources.demo import demo_root

STAMP = "20260105-143000"


def run_of(root: Path, outdir: Path, as_of: str | None = None) -> Run:
    """Engines over a root, and the run read back."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOURCE_DATE_EPOCH", "1767620000")
        return load_run(write_run(tars.analyze(tars.load_org(root), as_of), outdir, timestamp=STAMP))


@pytest.fixture(scope="session")
def spread(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The planted path ledger -> payments -> checkout, and every finding of the decision tree."""
    folder = tmp_path_factory.mktemp("spread")
    return run_of(cascade(folder / "org-health"), folder / "reports")


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The demo organisation: one incident without an order in time."""
    return run_of(demo_root(), tmp_path_factory.mktemp("demo") / "reports")


@pytest.fixture(scope="session")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The demo organisation before its incident."""
    return run_of(demo_root(), tmp_path_factory.mktemp("calm") / "reports", "2026-10-20T00:00:00Z")
