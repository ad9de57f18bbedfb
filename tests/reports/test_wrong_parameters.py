"""Wrong parameters of any notebook end before a kernel starts, in one sentence with the parameter and what is allowed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
import pytest
from click.testing import CliRunner, Result
from run_samples import RunSamples

from tars_lib.cli.main import cli
from tars_lib.reports import bulk
from tars_lib.reports.notebooks import find_notebook, notebook_parameters
from tars_lib.reports.parameters import declared_ranges

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))


@pytest.fixture(autouse=True)
def no_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here may get as far as running a notebook."""

    def started(*given: object, **named: object) -> None:
        raise AssertionError("a kernel was about to start")

    monkeypatch.setattr(bulk, "run_notebook", started)


def report(*words: object) -> Result:
    """Call `tars report`."""
    return CliRunner().invoke(cli, ["report", *map(str, words)])


def refused(done: Result, *parts: str) -> None:
    """Hold a refusal against what it has to say."""
    assert done.exit_code == 1, done.output
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    for part in parts:
        assert part in done.stderr


def ranges(notebook: str) -> Mapping[str, tuple[int, int]]:
    """Whole numbers that a notebook admits."""
    content: Any = nbformat.read(find_notebook(notebook), as_version=4)
    return declared_ranges(content)


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_an_unknown_name_is_refused_with_those_that_are_known(samples: RunSamples, notebook: str) -> None:
    done = report(notebook, "--run", samples.run("calm").directory, "-p", "nonsense=1")
    refused(done, "unknown parameter 'nonsense'; allowed: ", *notebook_parameters(notebook))


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_a_missing_run_and_a_folder_that_is_none_are_refused(tmp_path: Path, notebook: str) -> None:
    refused(report(notebook, "--run", tmp_path / "tars-run-*"), "--run: ", "tars-run-*: nothing found; a run directory")
    refused(report(notebook, "--run", tmp_path), "no run directory; allowed: a folder that `tars run` wrote")


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_paths_outside_are_refused(samples: RunSamples, notebook: str) -> None:
    """A report is never written into a sealed run, and an id is never a path."""
    run = samples.run("calm").directory
    refused(
        report(notebook, "--run", run, "--output", run / "out"),
        "lies inside the run directory",
        "allowed: any other folder",
    )
    if "incident_id" in notebook_parameters(notebook):
        refused(
            report(notebook, "--run", run, "--incident", "../elsewhere"), "incident_id '../elsewhere'", "is allowed"
        )


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_values_of_another_type_or_out_of_range_are_refused(samples: RunSamples, tmp_path: Path, notebook: str) -> None:
    run, known = samples.run("calm").directory, notebook_parameters(notebook)
    whole = {name for name, default in known.items() if isinstance(default, int) and not isinstance(default, bool)}
    assert set(ranges(notebook)) == whole, "every whole number has a range"
    for name, (low, high) in ranges(notebook).items():
        assert low <= known[name] <= high
        refused(
            report(notebook, "--run", run, "-p", f"{name}=many"), f"parameter {name!r}: got 'many', expected a whole"
        )
        for value in (low - 1, high + 1):
            allowed = f"parameter {name!r}: got {value}; a whole number from {low} to {high} is allowed"
            refused(report(notebook, "--run", run, "-p", f"{name}={value}"), allowed)
    for name in known.keys() - {"run_dir"}:
        file = tmp_path / f"{name}.yaml"
        file.write_text(f"{name}: {{a: 1}}\n", encoding="utf-8")
        refused(report(notebook, "--run", run, "--parameters", file), name)


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_the_comment_in_the_parameters_file_says_the_range(notebook: str) -> None:
    text = (ROOT / "parameters" / f"{notebook}.yaml").read_text(encoding="utf-8")
    for name, (low, high) in ranges(notebook).items():
        comment = re.search(rf"((?:^#.*\n)+)^{name}:", text, re.MULTILINE)
        assert comment is not None
        assert re.search(rf"\b{low} to {high}\b", comment[1]), name
