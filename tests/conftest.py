"""Roots on a temporary folder, and the data sets that stand beside the project."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import servers
from hypothesis import settings
from in_process import cells_in_kernels, cells_in_process
from org_samples import RootBuilder
from remembered import PAIRS, remember_pairs
from run_samples import RunSamples
from warm import warm_python

# The same examples on every machine and no clock: a red build is a changed promise, not a slow or unlucky run.
settings.register_profile("tars", deadline=None, derandomize=True, max_examples=30)
settings.register_profile("thorough", settings.get_profile("tars"), max_examples=300)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--renew-golden", action="store_true", help="write what is shown into the golden files; look at the diff"
    )


def pytest_configure(config: pytest.Config) -> None:
    settings.load_profile("tars" if config.option.markexpr == "not thorough" else "thorough")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of what a module makes once on one worker, and begin what takes longest first."""
    for item in items:
        if isinstance(item, pytest.Function) and item.get_closest_marker("xdist_group") is None and _shares(item):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
    items.sort(
        key=lambda item: (item.get_closest_marker("xdist_group") is None, item.get_closest_marker("slow") is None)
    )
    if "PYTEST_XDIST_WORKER" in os.environ:
        for item in items:
            _name_group(item)


def _name_group(item: pytest.Item) -> None:
    """Write the group behind the test's name, where the scheduler of `--dist loadgroup` looks for it.

    pytest-xdist 3.8 does so itself, in an attribute that pytest has no longer from 9.2 on, so that groups were torn apart.
    """
    group = item.get_closest_marker("xdist_group")
    if group is not None and hasattr(item, "_id"):
        item._id = type(item._id).parse(f"{item.nodeid}@{group.args[0]}")


def _shares(item: pytest.Function) -> bool:
    """Whether a test asks for a fixture that its own module makes once."""
    made = item._fixtureinfo.name2fixturedefs.values()
    return any(one[-1].scope == "module" and one[-1].baseid == item.nodeid.partition("::")[0] for one in made)


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with the file of that name in `golden/` beside the test; `--renew-golden` writes it anew."""
    folder = request.path.parent / "golden"

    def compare(name: str, text: str) -> None:
        path = folder / f"{name}.txt"
        if request.config.getoption("--renew-golden"):
            folder.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        assert path.is_file(), f"{path.name} is not there: make golden"
        assert text == path.read_text(encoding="utf-8"), f"{path.name} differs; if it is right so: make golden"

    return compare


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the session; with pytest-xdist that of all workers, so what one has made the others find."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session", autouse=True)
def _warm_python(shared: Path) -> Iterator[None]:
    """Commands and kernels that tests start by `sys.executable` are forked where they can be; see `warm`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "executable", warm_python(shared / "warm"))
        yield


@pytest.fixture(scope="session", autouse=True)
def _remembered_pairs(shared: Path) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        remember_pairs(patch, shared / PAIRS)
        yield


@pytest.fixture(scope="session", autouse=True)
def _cells_in_process() -> Iterator[None]:
    with cells_in_process():
        yield


@pytest.fixture(scope="module")
def kernels(_cells_in_process: None) -> Iterator[None]:
    """Notebooks run in kernels, as they do for users."""
    with cells_in_kernels():
        yield


@pytest.fixture(scope="module")
def cells_in_commands() -> Iterator[None]:
    """Commands that are forked run the cells of notebooks themselves; for tests of what the commands write, not of kernels."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NOTEBOOK_CELLS", "here")
        yield


@pytest.fixture
def forked_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """Code that a test gives to `sys.executable -c` runs in a fork; for tests of what many processes do, not of their start."""
    monkeypatch.setenv("FORKED_CODE", "yes")


@pytest.fixture
def root(tmp_path: Path) -> RootBuilder:
    """An empty org-health root to be filled."""
    return RootBuilder(tmp_path / "org-health")


@pytest.fixture(scope="session")
def samples(shared: Path) -> RunSamples:
    """Runs with planted truth, and the reports on them: each made once, for all workers."""
    return RunSamples(shared / "samples")


@pytest.fixture(scope="session")
def petshop() -> Path:
    """Folder of the PetShop data set; `TARS_SHARED` names the folder that holds `petshop`, or `data/petshop`."""
    shared = Path(os.environ.get("TARS_SHARED", Path(__file__).resolve().parents[1].parent / "shared"))
    folders = [shared / "data" / "petshop", shared / "petshop"]
    for folder in folders:
        if (folder / "low_traffic" / "graph.csv").is_file():
            return folder
    pytest.skip(f"the PetShop data set is not at {folders[0]}; TARS_SHARED names the folder that holds data/petshop")


@pytest.fixture(scope="session")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Prometheus with the demo's samples; a test that asks for it is of the group `servers`."""
    with servers.prometheus(tmp_path_factory.mktemp("prometheus")) as url:
        yield url


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    with servers.postgresql() as url:
        yield url


@pytest.fixture(scope="session")
def object_store() -> Iterator[str]:
    with servers.object_store() as url:
        yield url


@pytest.fixture(scope="session")
def alertmanager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with servers.alertmanager(tmp_path_factory.mktemp("alertmanager")) as url:
        yield url
