"""A notebook gets only what it declares, runs in this interpreter, and fails loudly."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from report_samples import GENERATED_AT, HOSTILE
from warm import COLD

from tars_lib.errors import ReportError
from tars_lib.reports.blocks.document import read_blocks
from tars_lib.reports.blocks.kinds import TitleBlock
from tars_lib.reports.notebooks.execute import NotebookError, export, find_notebook, run_notebook
from tars_lib.reports.notebooks.parameters import check_parameters, declared_parameters

pytestmark = pytest.mark.usefixtures("kernels")

PARAMETERS = 'name = "web"\ncount: int = 3\nshare = 0.5\nis_final = False\nrepos = ["a"]\nsince = None'
REPORT = """from tars_lib.reports.blocks.kinds import TitleBlock, Heading, show
show([TitleBlock(name, subtitle=sys.executable, facts=[("count", str(count))]), Heading(name)])"""


def write(path: Path, *cells: tuple[str, list[str]]) -> Path:
    node = new_notebook(cells=[new_code_cell(source, metadata={"tags": tags}) for source, tags in cells])
    nbformat.write(node, path)
    return path


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("notebooks")
    return write(folder / "sample.ipynb", (PARAMETERS, ["parameters"]), ("import sys", []), (REPORT, ["report"]))


@pytest.fixture(scope="module")
def executed(notebook: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("run {braces}") / "deep" / "sample.ipynb"
    return run_notebook(notebook, {"name": HOSTILE["script"], "share": 1}, output, generated_at=GENERATED_AT)


@pytest.mark.slow
def test_it_runs_in_this_interpreter_with_the_given_parameters(executed: Path) -> None:
    title, _ = read_blocks(nbformat.read(executed, as_version=4))
    assert isinstance(title, TitleBlock)
    assert (title.title, title.facts) == (HOSTILE["script"], (("count", "3"),))
    assert title.subtitle in (COLD, sys.executable)


@pytest.mark.slow
def test_a_second_run_gives_the_same_bytes(notebook: Path, executed: Path, tmp_path: Path) -> None:
    parameters = {"name": HOSTILE["script"], "share": 1}
    again = run_notebook(notebook, parameters, tmp_path / "sample.ipynb", generated_at=GENERATED_AT)
    assert again.read_bytes() == executed.read_bytes()


@pytest.mark.parametrize(("failures", "starts"), [(1, 2), (9, 2)])
def test_a_kernel_that_ends_before_it_answers_is_started_once_more(
    failures: int, starts: int, notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, python = tmp_path / "starts", tmp_path / "python"
    python.write_text(
        f'#!/bin/sh\necho >> "{log}"\n[ $(wc -l < "{log}") -gt {failures} ] || exit 3\nexec "{sys.executable}" "$@"\n'
    )
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    output = tmp_path / "out" / "sample.ipynb"
    if failures == 1:
        assert run_notebook(notebook, {}, output) == output
    else:
        with pytest.raises(NotebookError, match="before its first cell: DeadKernelError: Kernel died before"):
            run_notebook(notebook, {}, output)
    assert len(log.read_text().splitlines()) == starts


def test_a_kernel_is_reached_by_sockets_of_its_private_folder_and_by_ports_only_where_their_path_is_too_long(
    notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tempfile

    ask = 'from ipykernel.connect import get_connection_info\nprint(get_connection_info(unpack=True)["transport"])'
    asking = write(tmp_path / "asking.ipynb", ("", ["parameters"]), (ask, []))
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    said = []
    for folder in (tempfile.gettempdir(), str(deep)):
        monkeypatch.setattr(tempfile, "tempdir", folder)
        done = nbformat.read(run_notebook(asking, {}, tmp_path / "asked.ipynb"), as_version=4)
        said.append(done.cells[-1].outputs[0].text.strip())
    assert said == ["ipc", "tcp"]


@pytest.mark.slow
def test_both_exports_appear_whole_and_reproducibly(executed: Path, tmp_path: Path) -> None:
    first = export(executed, ["html", "pdf"], tmp_path / "a")
    second = export(executed, ["html", "pdf"], tmp_path / "b")
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["sample.html", "sample.pdf"]
    assert [first[form].read_bytes() for form in first] == [second[form].read_bytes() for form in second]
    assert first["pdf"].read_bytes().startswith(b"%PDF-")
    assert "&lt;script&gt;" in first["html"].read_text(encoding="utf-8")


@pytest.mark.slow
def test_nbconvert_gives_the_same_page(executed: Path, tmp_path: Path) -> None:
    import subprocess

    command = [sys.executable, "-m", "nbconvert", "--to", "tars-html", "--output-dir", str(tmp_path), str(executed)]
    subprocess.run(command, check=True, capture_output=True)
    ours = export(executed, ["html"], tmp_path / "ours")["html"]
    assert (tmp_path / "sample.html").read_bytes().strip() == ours.read_bytes().strip()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("import sys; sys.exit(0)", "SystemExit"),
        ("1 / 0", "ZeroDivisionError"),
        ("import os; os._exit(0)", "DeadKernelError"),
    ],
)
def test_a_failure_names_its_cell_and_keeps_the_notebook(code: str, error: str, tmp_path: Path) -> None:
    source = write(tmp_path / "bad.ipynb", ("x = 1", []), (code, ["report"]), ("y = 2", []))
    output = tmp_path / "out" / "bad.ipynb"
    with pytest.raises(NotebookError, match=r"bad\.ipynb failed in cell 2") as failure:
        run_notebook(source, {}, output)
    assert (failure.value.cell, failure.value.error_name) == (1, error)
    assert failure.value.notebook == output
    assert output.is_file()
    with pytest.raises(ReportError, match=r"failed|not been executed"):
        export(output, ["html"], tmp_path / "pages")
    assert not (tmp_path / "pages").exists()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"nmae": "x"}, "unknown parameter 'nmae'; allowed: name, count, share, is_final, repos, since"),
        ({"name; import os": "x"}, "unknown parameter"),
        ({"name": 7}, "parameter 'name': got 7 .int., expected str"),
        ({"count": "007"}, "parameter 'count': got '007' .str., expected int"),
        ({"count": True}, "parameter 'count'"),
        ({"count": 1.5}, "parameter 'count'"),
        ({"is_final": 1}, "parameter 'is_final'"),
        ({"repos": "a"}, "parameter 'repos': got 'a' .str., expected list"),
        ({"since": object()}, "parameter 'since'.*expected a literal"),
        ({"repos": [Path("x")]}, "expected a literal"),
    ],
)
def test_a_parameter_is_refused_before_a_kernel_starts(
    given: dict[str, Any], message: str, notebook: Path, tmp_path: Path
) -> None:
    with pytest.raises(ReportError, match=message):
        run_notebook(notebook, given, tmp_path / "out.ipynb")
    assert not list(tmp_path.iterdir())


def test_values_of_the_declared_types_pass() -> None:
    declared = {"name": "web", "share": 0.5, "repos": ["a"], "since": None}
    given = {"name": "007", "share": 1, "repos": ("b",), "since": {"x": [1, None, "y"]}}
    check_parameters(given, declared, "sample.ipynb")


@pytest.mark.parametrize("source", ["x = f()", "import os", "a = b = 1", "x: int"])
def test_a_parameters_cell_holds_literals_only(source: str) -> None:
    node = new_notebook(cells=[new_code_cell(source, metadata={"tags": ["parameters"]})])
    with pytest.raises(ReportError, match="literal"):
        declared_parameters(node)


def test_an_unknown_notebook_or_format_is_named(executed: Path, tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="unknown notebook 'no_such_report'; allowed: "):
        find_notebook("no_such_report")
    with pytest.raises(ReportError, match="no such file"):
        find_notebook(str(tmp_path / "x.ipynb"))
    with pytest.raises(ReportError, match="unknown format 'docx'; allowed: html, pdf"):
        export(executed, ["docx"], tmp_path)
