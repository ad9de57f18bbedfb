"""The last cells of each notebook are an analyst's own: data, calculation, figure. They work, and no report runs them."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from matplotlib.colorbar import Colorbar
from register_samples import begun, walked
from run_samples import RunSamples
from workbook.test_notebooks import EVERY

SKIPPED = "skip-execution"
"""The tag that papermill and nbconvert leave out: https://nbclient.readthedocs.io/en/latest/reference/nbclient.html"""


def sources(name: str) -> tuple[list[str], list[str]]:
    """The cells that prepare a page, those for its reader left out, and the analyst's own."""
    path = Path(__file__).resolve().parents[2] / "notebooks" / f"{name}.ipynb"
    cells = [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
    own = ["".join(cell["source"]) for cell in cells if SKIPPED in cell["metadata"]["tags"]]
    return ["".join(cell["source"]) for cell in cells if not {SKIPPED, "report"} & set(cell["metadata"]["tags"])], own


@pytest.mark.parametrize("name", EVERY)
def test_the_cells_of_an_analyst_show_data_a_calculation_and_a_figure(
    name: str, samples: RunSamples, tmp_path: Path
) -> None:
    prepare, own = sources(name)
    assert [source.partition(":")[0] for source in own] == ["# Data", "# Calculation", "# Figure"]
    names: dict[str, object] = {}
    exec(prepare[0], names)  # noqa: S102 - our own notebooks
    names["run_dir"] = str(samples.run("demo").directory)
    if "incidents_dir" in names:
        act = begun if name == "golden_path" else walked
        names["incidents_dir"] = str(act(tmp_path / "incidents", samples.run("demo")).folder.parent)
    exec(prepare[1], names)  # noqa: S102 - as above
    shown = []
    for source in own:
        *lines, last = ast.parse(source).body
        assert isinstance(last, ast.Expr)
        exec(compile(ast.Module(lines, []), name, "exec"), names)  # noqa: S102 - as above
        shown.append(eval(compile(ast.Expression(last.value), name, "eval"), names))  # noqa: S307 - as above
    plt.close("all")
    data, calculation, figure = shown
    for table in (data, calculation):
        assert isinstance(table, pd.DataFrame)
        assert len(table) or name == "propagation", "nothing leads in the demo"
    assert hasattr(figure, "figure") or isinstance(figure, Colorbar), figure


@pytest.mark.parametrize("name", ["org_risk"])
def test_a_report_leaves_them_out(name: str, samples: RunSamples) -> None:
    cells = json.loads(samples.report(name, "demo")["notebook"].read_text(encoding="utf-8"))["cells"]
    own = [cell for cell in cells if SKIPPED in cell["metadata"].get("tags", ())]
    assert len(own) == 3
    assert all(cell["outputs"] == [] for cell in own)
