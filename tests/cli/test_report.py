"""`tars report` on one notebook and on many: what is refused before a kernel starts, and what a failure leaves behind."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner, Result
from contract.workspaces import cascade
from nbformat.v4 import new_code_cell, new_notebook
from warm import CELLS_HERE, COLD

import tars_lib as tars
from tars_lib.cli.report import report
from tars_lib.findings.exit_codes import DECISION_ORDER
from tars_lib.pipeline import write_run
from tars_lib.playbook.pages import ALWAYS, PAGE_OF, pages_for

pytestmark = pytest.mark.xdist_group("reports in bulk")

MINE = ("propagation", "critical_alerts")
FAILING = 'figures = {}\n"""\n::error::</details>\n"""\nfigures["no such\u202e figure"]'


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    analysis = tars.analyze(tars.load_org(cascade(folder / "org-health")))
    return write_run(analysis, folder / "reports", timestamp="20260105-143000")


def asked(*arguments: object) -> Result:
    return CliRunner().invoke(report, [str(argument) for argument in arguments])


def notebook(path: Path, *sources: str) -> Path:
    first = new_code_cell('run_dir = ""\nlimit = 3', metadata={"tags": ["parameters"]})
    cells = [new_code_cell(source, metadata={"tags": ["report"]}) for source in sources]
    node = new_notebook(cells=[first, *cells])
    nbformat.write(node, path)
    return path


@dataclass(frozen=True)
class Bulk:
    done: subprocess.CompletedProcess[str]
    folder: Path


@pytest.fixture(scope="module")
def bulk(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Bulk:
    """Two pages and one that fails, by the command itself on two workers, with warnings as errors."""
    folder = tmp_path_factory.mktemp("bulk")
    failing = notebook(folder / "failing.ipynb", FAILING)
    output = folder / "out"
    output.mkdir()
    (output / "failing.pdf").write_text("of an earlier run")
    command = [
        COLD,
        "-W",
        "error",
        CELLS_HERE,
        "report",
        str(failing),
        *MINE,
        "--run",
        str(run),
    ]
    done = subprocess.run(
        [*command, "--output", str(output), "-p", "incident_id=007", "-p", "max_paths=3",
         "--github-summary", str(folder / "summary.md")],
        capture_output=True, text=True, encoding="utf-8", check=False, env=os.environ | {"SOURCE_DATE_EPOCH": "1767620000"},
    )  # fmt: skip
    return Bulk(done, output)


@pytest.mark.slow
def test_one_failing_notebook_stops_no_other_and_gives_1(bulk: Bulk) -> None:
    assert bulk.done.returncode == 1
    assert "2 of 3 reports written; 1 failed" in bulk.done.stderr
    for name in MINE:
        assert (bulk.folder / f"{name}.html").is_file()
        assert (bulk.folder / f"{name}.pdf").read_bytes().startswith(b"%PDF-")
    assert {Path(line).name for line in bulk.done.stdout.splitlines()} == {
        f"{name}.{ending}" for name in MINE for ending in ("ipynb", "html", "pdf")
    }


@pytest.mark.slow
def test_the_failing_cell_is_shown_and_its_report_is_not_exported(bulk: Bulk) -> None:
    assert "failing.ipynb failed in cell 3: KeyError" in bulk.done.stderr
    assert '    figures["no such[U+202E] figure"]' in bulk.done.stderr
    assert "Traceback" not in bulk.done.stderr
    assert (bulk.folder / "failing.ipynb").is_file()
    assert not (bulk.folder / "failing.html").exists()
    assert not (bulk.folder / "failing.pdf").exists(), "an export of an earlier run passes for this one's"


@pytest.mark.slow
def test_a_build_server_is_told_which_reports_there_are_and_why_one_is_not(bulk: Bulk) -> None:
    text = (bulk.folder.parent / "summary.md").read_text(encoding="utf-8")
    assert "### SLA scorecard\n\n| SLA | Status |" in text
    assert "### Reports: 2 of 3 written, **1 failed**" in text
    for name in MINE:
        assert f"| {name.replace('_', chr(92) + '_')} | html, pdf | " in text
    assert "| failing | FAILED: failing.ipynb failed in cell 3: KeyError" in text
    assert '### failing failed in this cell\n\n    figures = {}\n    """\n    ::error::' in text
    (command,) = [line for line in bulk.done.stderr.splitlines() if line.lstrip().startswith("::")]
    assert command.startswith("::error title=Report failed%3A failing::failing.ipynb failed in cell 3: KeyError")


@pytest.mark.parametrize("words", [("propagation", "-p", "nmae=x"), ("--all", "--run", "nowhere-*")])
def test_what_is_refused_is_told_to_the_build_server(run: Path, tmp_path: Path, words: tuple[str, ...]) -> None:
    places = () if "--run" in words else ("--run", run)
    done = asked(*words, *places, "--github-summary", tmp_path / "summary.md")
    assert done.exit_code == 1
    assert "This is no all-clear." in (tmp_path / "summary.md").read_text(encoding="utf-8")
    assert "::error title=tars report judged nothing::" in done.stderr


@pytest.mark.slow
def test_no_bar_and_no_warning_is_printed_without_a_terminal(bulk: Bulk) -> None:
    assert "Warning" not in bulk.done.stderr
    assert "it/s" not in bulk.done.stderr


@pytest.mark.slow
def test_typed_parameters_keep_the_type_that_the_notebook_declares(bulk: Bulk) -> None:
    for name in MINE:
        cells = nbformat.read(bulk.folder / f"{name}.ipynb", as_version=4).cells
        (injected,) = [cell.source for cell in cells if "injected-parameters" in cell.metadata.get("tags", ())]
        assert 'incident_id = "007"' in injected
        assert ("max_paths = 3" in injected) == (name == "propagation")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("-p", "nmae=x"), "unknown parameter 'nmae'; allowed: incident_id, incidents_dir, max_paths, run_dir"),
        (("-p", "max_paths=many"), "parameter 'max_paths': got 'many', expected a whole number, such as its default 8"),
        (("-p", "incident_id=../../etc"), "incident_id '../../etc': the name of a folder is allowed"),
        (("--incident", "a/b"), "incident_id 'a/b'"),
        (("-p", "run_dir=elsewhere"), "run_dir: --run says"),
    ],
)
def test_wrong_parameters_end_before_a_kernel_starts(
    arguments: tuple[str, ...], says: str, run: Path, tmp_path: Path
) -> None:
    done = asked("propagation", "--run", run, "--output", tmp_path / "out", *arguments)
    assert done.exit_code == 1
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("max_paths: '8'", "parameter 'max_paths': got '8' (str), expected int"),
        ("incident_id: 7", "incident_id 7: a text is allowed"),
        ("incident_id: 007", "row 1: incident_id: '007' begins with 0"),
        ("max_path: 8", "unknown parameter 'max_path'"),
        ("- 1", "expected lines of the form name: value"),
        ("max_paths: 1\nmax_paths: 2", "max_paths"),
        ("run_dir: 5", "run_dir: got 5 (int), expected the path of a run directory"),
        ("run_dir: no/such/run", "run_dir: no/such/run: nothing found"),
    ],
)
def test_a_wrong_parameters_file_ends_before_a_kernel_starts(
    content: str, says: str, run: Path, tmp_path: Path
) -> None:
    (tmp_path / "p.yaml").write_text(content, encoding="utf-8")
    chosen = () if "run_dir" in content else ("--run", run)
    done = asked("propagation", "--parameters", tmp_path / "p.yaml", "--output", tmp_path / "out", *chosen)
    assert done.exit_code == 1
    assert says in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_missing_run_is_named_with_the_option(tmp_path: Path) -> None:
    done = asked("propagation", "--run", tmp_path / "nowhere")
    assert (done.exit_code, done.stderr.startswith("error: --run: ")) == (1, True)
    done = asked("propagation", "--run", tmp_path)
    assert "--run: " in done.stderr
    assert "no run directory" in done.stderr


def test_output_inside_the_sealed_run_is_refused(run: Path) -> None:
    before = sorted(run.rglob("*"))
    done = asked("propagation", "--run", run, "--output", run / "report")
    assert done.exit_code == 1
    assert "lies inside the run directory" in done.stderr
    assert sorted(run.rglob("*")) == before


def test_all_are_checked_before_the_first_one_runs(run: Path, tmp_path: Path) -> None:
    done = asked("propagation", "no_such_page", "--run", run, "--output", tmp_path / "out")
    assert done.exit_code == 1
    assert "unknown notebook 'no_such_page'; allowed: " in done.stderr
    assert not (tmp_path / "out").exists()


def test_two_notebooks_of_one_name_would_overwrite_each_other(run: Path, tmp_path: Path) -> None:
    other = notebook(tmp_path / "propagation.ipynb", "1")
    done = asked("propagation", other, "--run", run, "--output", tmp_path / "out")
    assert done.exit_code == 1
    assert "propagation is asked for 2 times" in done.stderr


@pytest.mark.parametrize("arguments", [(), ("--all", "propagation"), ("propagation",), ("propagation", "-p", "x")])
def test_a_command_that_says_too_little_or_too_much_gives_2(arguments: tuple[str, ...]) -> None:
    assert asked(*arguments).exit_code == 2


def test_every_finding_of_the_decision_tree_has_a_page() -> None:
    assert set(PAGE_OF) == set(DECISION_ORDER)


def test_a_runs_findings_choose_its_pages_in_the_trees_order() -> None:
    assert pages_for([92, 102, 122, 132, 142]) == (
        *ALWAYS,
        "sla_breach",
        "propagation",
        "cross_repo_anomaly",
        "critical_alerts",
        "org_risk",
    )
    assert pages_for([0, 0, 121, 131, 0]) == (*ALWAYS, "correlation_investigation")
    assert pages_for([104, 1]) == ALWAYS


def test_one_wrong_run_of_several_ends_before_a_kernel_starts(run: Path, tmp_path: Path) -> None:
    done = asked("propagation", "--run", run, "--run", tmp_path / "nowhere", "--output", tmp_path / "out")
    assert done.exit_code == 1
    assert "nowhere" in done.stderr
    done = asked(
        "propagation", "--run", run, "--run", run.parent / "tars-run-*", "-p", "run_dir=x", "--output", tmp_path / "out"
    )
    assert "--run names 2 runs and -p run_dir 'x'; give one of them" in done.stderr
    copy = shutil.copytree(run, tmp_path / run.name)
    done = asked("propagation", "--run", run, "--run", copy, "--output", tmp_path / "out")
    assert done.exit_code == 1
    assert "propagation is asked for 2 times in" in done.stderr, "one must not overwrite the other"
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_several_runs_are_reported_at_once_each_into_its_folder(run: Path, tmp_path: Path) -> None:
    analysis = tars.analyze(tars.load_org(run.parent.parent / "org-health"), "2026-03-20T00:00:00Z")
    other = write_run(analysis, tmp_path / "reports", timestamp="20260101-000000")
    done = asked(
        "propagation", "--run", run, "--run", other, "--run", run, "--format", "html", "--output", tmp_path / "out"
    )
    assert done.exit_code == 0, done.stderr
    pages = [tmp_path / "out" / one.name / "propagation.html" for one in (run, other)]
    assert [Path(line) for line in done.stdout.splitlines() if line.endswith(".html")] == pages
    for page, one in zip(pages, (run, other), strict=True):
        assert one.name in page.read_text(encoding="utf-8")
