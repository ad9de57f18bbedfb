"""Roots on a temporary folder, and the data sets that stand beside the project."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings
from org_samples import RootBuilder
from run_samples import RunSamples

# The same examples on every machine and no clock: a red build is a changed promise, not a slow or unlucky run.
settings.register_profile("tars", deadline=None, derandomize=True)
settings.load_profile("tars")


@pytest.fixture
def root(tmp_path: Path) -> RootBuilder:
    """An empty org-health root to be filled."""
    return RootBuilder(tmp_path / "org-health")


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> RunSamples:
    """Runs with planted truth, and the reports on them; every worker of pytest-xdist has a folder beside the others'."""
    base = tmp_path_factory.getbasetemp()
    return RunSamples((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "samples")


@pytest.fixture(scope="session")
def petshop() -> Path:
    """Folder of the PetShop data set; `TARS_SHARED` names the folder that holds `petshop`, or `data/petshop`."""
    shared = Path(os.environ.get("TARS_SHARED", Path(__file__).resolve().parents[1].parent / "shared"))
    folders = [shared / "data" / "petshop", shared / "petshop"]
    for folder in folders:
        if (folder / "low_traffic" / "graph.csv").is_file():
            return folder
    pytest.skip(f"the PetShop data set is not at {folders[0]}; TARS_SHARED names the folder that holds data/petshop")
