"""The pages on propagation, anomalies, alerts and correlations under papermill with their own parameters files."""

from __future__ import annotations

import pypdf
import pytest
import yaml
from run_samples import RunSamples

from tars_lib.playbook.pages import ALWAYS, PAGE_OF
from tars_lib.reports.notebooks.execute import find_notebook, notebook_parameters

PAGES = ("propagation", "cross_repo_anomaly", "critical_alerts", "correlation_investigation")


@pytest.mark.parametrize("name", PAGES)
def test_the_parameters_file_is_what_the_notebook_declares_and_is_documented(name: str) -> None:
    text = (find_notebook(name).parents[1] / "parameters" / f"{name}.yaml").read_text(encoding="utf-8")
    assert yaml.safe_load(text) == notebook_parameters(name)
    lines = [line for line in text.splitlines() if line]
    for place, line in enumerate(lines):
        assert line.startswith("#") or lines[place - 1].startswith("#"), f"{line!r} is not documented"


@pytest.mark.parametrize("name", PAGES)
def test_cells_hold_calls_alone(name: str) -> None:
    import ast

    import nbformat

    cells = nbformat.read(find_notebook(name), as_version=4).cells
    code = [cell for cell in cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
    kinds = (
        ast.FunctionDef,
        ast.ClassDef,
        ast.For,
        ast.Try,
        ast.While,
        ast.If,
        ast.With,
        ast.comprehension,
        ast.Lambda,
    )
    found = [node for cell in code for node in ast.walk(ast.parse(cell.source)) if isinstance(node, kinds)]
    assert not found


@pytest.mark.slow
@pytest.mark.parametrize("name", PAGES)
def test_each_page_runs_and_exports_on_the_demo_organisation(name: str, samples: RunSamples) -> None:
    written = samples.report(name, "demo")
    assert 1 <= len(pypdf.PdfReader(written["pdf"]).pages) <= 4
    assert written["pdf"].stat().st_size < 500_000
    assert written["html"].stat().st_size < 1_000_000


@pytest.mark.parametrize("name", [*ALWAYS, *sorted(set(PAGE_OF.values()))])
def test_every_page_that_a_finding_calls_for_is_there(name: str) -> None:
    assert find_notebook(name).is_file()
    assert "run_dir" in notebook_parameters(name)
