"""Wrong parameters of any notebook end before a kernel starts, in one sentence with the parameter and what is allowed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
import pytest
from click.testing import CliRunner, Result
from register_samples import opened
from run_samples import RunSamples, cells

from tars_lib.cli.main import cli
from tars_lib.errors import InputError
from tars_lib.reports.notebooks import bulk
from tars_lib.reports.notebooks.execute import NotebookError, find_notebook, notebook_parameters, run_notebook
from tars_lib.reports.notebooks.parameters import declared_ranges
from tars_lib.workbook.pages.lookup import check_given
from tars_lib.workbook.parameters.register import known_incident, open_register

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


ABSENT = {
    "repo": ("correlation_investigation", "chekout", "repo 'chekout': not in ", "did you mean checkout? allowed: "),
    "cluster_id": ("cross_repo_anomaly", "cluster-x", "cluster_id 'cluster-x': not in this run; ", "allowed: cluster-"),
    "runs": ("trend_review", "nowhere-*", "runs 'nowhere-*': nothing found; a pattern of run directories is allowed"),
    **{
        f"incidents_dir of {name}": (
            name,
            "nowhere",
            "incidents_dir 'nowhere': no such folder; a folder of incidents is ",
        )
        for name in NOTEBOOKS
        if name != "welcome"
    },
}
"""Parameter: a notebook that takes it, a value that names nothing, and what is said of it."""


@pytest.mark.parametrize("parameter", ABSENT)
def test_what_is_not_there_is_refused_with_what_is(samples: RunSamples, tmp_path: Path, parameter: str) -> None:
    """By the command, and in one sentence by the notebook's own first cell, which papermill runs without the command."""
    notebook, value, *said = ABSENT[parameter]
    name, run = parameter.partition(" ")[0], samples.run("demo").directory
    refused(report(notebook, "--run", run, "--output", tmp_path / "out", "-p", f"{name}={value}"), *said)
    assert not (tmp_path / "out").exists()
    with pytest.raises(InputError) as caught:
        cells(notebook, run_dir=str(run), **{name: value})
    for part in said:
        assert part in str(caught.value)
    assert caught.value._render_traceback_() == [f"{type(caught.value).__name__}: {caught.value}"]


def test_an_incident_that_the_register_lacks_is_refused_with_those_like_it(
    samples: RunSamples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TARS_INCIDENTS_DIR", str(tmp_path / "incidents"))
    for minute in range(8):
        (tmp_path / "incidents" / f"INC-20260105143{minute}").mkdir(parents=True)
    (tmp_path / "incidents" / "INC-202511221407").mkdir()
    run = samples.run("demo").directory
    said = "incident_id: INC-202511222407: no such incident"
    for notebook in NOTEBOOKS:
        if "incident_id" in notebook_parameters(notebook):
            done = report(notebook, "--run", run, "--incident", "INC-202511222407")
            refused(done, said, "did you mean INC-202511221407? the newest")
            with pytest.raises(InputError, match=said) as caught:
                cells(notebook, run_dir=str(run), incident_id="INC-202511222407")
            assert caught.value._render_traceback_() == [f"InputError: {caught.value}"]


def test_an_id_that_a_page_only_prints_is_free_where_its_incident_is_kept_elsewhere(
    samples: RunSamples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pager's id, one without a register at hand, and that of the folder in which the run stands."""
    run = samples.run("demo").directory
    check_given({"incident_id": "PD-1234"}, {"incident_id"}, run)
    monkeypatch.setenv("TARS_INCIDENTS_DIR", str(tmp_path / "incidents"))
    check_given({"incident_id": "INC-202601051430"}, {"incident_id", "incidents_dir"}, run)
    (tmp_path / "incidents").mkdir()
    check_given({"incident_id": "INC-202601051430"}, {"incident_id"}, tmp_path / "INC-202601051430" / "tars-run-1")
    with pytest.raises(InputError, match="no such incident"):
        check_given({"incident_id": "INC-202601051430"}, {"incident_id"}, run)
    assert known_incident(samples.run("demo"), "PD-1234", "") == "PD-1234"
    named = opened(tmp_path / "other", samples.run("demo")).folder.name
    assert known_incident(samples.run("demo"), named, str(tmp_path / "other")) == named


def test_a_response_page_needs_the_register_of_the_incident_that_is_named(
    samples: RunSamples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TARS_INCIDENTS_DIR", str(tmp_path / "nowhere"))
    for notebook in ("golden_path", "postmortem"):
        done = report(notebook, "--run", samples.run("demo").directory, "--incident", "INC-202601051430")
        refused(done, "incident_id 'INC-202601051430': there is no register of incidents at ", "allowed: an empty text")


def test_a_folder_that_cannot_be_written_is_refused_by_the_name_of_its_option(
    samples: RunSamples, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "out"):
        done = report("sla_breach", "--run", samples.run("demo").directory, "--output", place)
        refused(done, f"output {place}: cannot be written (", "allowed: a folder that is there or can be made")


@pytest.mark.slow
def test_papermill_by_itself_says_it_in_one_sentence(samples: RunSamples, tmp_path: Path) -> None:
    given = {"run_dir": str(samples.run("demo").directory), "repo": "chekout"}
    with pytest.raises(
        NotebookError, match=r"failed in cell 4: InputError: repo 'chekout': not in .*did you mean checkout\?"
    ):
        run_notebook("correlation_investigation", given, tmp_path / "out.ipynb")
    content: Any = nbformat.read(tmp_path / "out.ipynb", as_version=4)
    (error,) = [one for cell in content.cells for one in cell.get("outputs", ()) if one["output_type"] == "error"]
    assert error["traceback"] == [f"InputError: {error['evalue']}"]


def test_commands_name_the_register_as_short_as_it_can_be_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("incidents", "other"):
        (tmp_path / name).mkdir()
    assert open_register(str(tmp_path / "incidents"), "").given_dir is None
    assert open_register(str(tmp_path / "other"), "").given_dir == Path("other")
    monkeypatch.chdir(tmp_path / "other")
    assert open_register(str(tmp_path / "incidents"), "").given_dir == tmp_path / "incidents"
