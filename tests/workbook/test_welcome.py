"""The welcome notebook: what it shows is true of the demo organisation and of any run, and its widgets are not exported."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pypdf
import pytest
from run_samples import RunSamples, told

import tars_lib as tars
from tars_lib.errors import InputError
from tars_lib.pipeline import Analysis, Run
from tars_lib.workbook.pages import welcome
from tars_lib.workbook.widgets import controls as widgets

ROOT = Path(__file__).resolve().parents[2]


def cells() -> list[dict[str, object]]:
    loaded: dict[str, list[dict[str, object]]] = json.loads((ROOT / "notebooks" / "welcome.ipynb").read_text("utf-8"))
    return loaded["cells"]


def source(cell: dict[str, object]) -> str:
    return "".join(cell["source"])  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def demo() -> welcome.Found:
    return welcome.load("")


def page(found: welcome.Found) -> str:
    blocks = [welcome.title(found), welcome.questions(found), *welcome.why(found), *welcome.course(found)]
    return told([*blocks, *welcome.verdicts_moved(found), welcome.next_action(found)])


def test_it_begins_with_the_demo_organisation_judged_here(demo: welcome.Found, samples: RunSamples) -> None:
    assert isinstance(demo, Analysis)
    assert demo.exit_code == samples.run("demo").status.exit_code
    assert demo.sla.compliance_results == samples.run("demo").sla.compliance_results
    assert (welcome.worst_repo(demo), welcome.worst_sla(demo)) == ("checkout", "availability")


def test_it_tells_a_run_in_its_place(samples: RunSamples) -> None:
    found = welcome.load(str(samples.run("cascade").directory))
    assert isinstance(found, Run)
    assert "ledger" in told(welcome.why(found))
    with pytest.raises(InputError, match="run_dir 'nowhere'"):
        welcome.load("nowhere")


def test_the_page_shows_the_planted_change_and_what_would_have_moved(demo: welcome.Found) -> None:
    text = page(demo)
    assert "error_rate of checkout: median" in text
    assert "before deploy 'Connection pool rewrite'" in text
    assert "2 of 4 SLA verdicts change Excluded from all services: 2026-11-02 08:00 to 2026-11-02 16:00 UTC" in text
    assert "99.912%" in text


@pytest.mark.parametrize("name", ["calm", "artefacts"])
def test_it_has_something_true_to_say_of_every_run(samples: RunSamples, name: str) -> None:
    text = page(samples.run(name))
    assert "What to do next" in text
    if name == "calm":
        assert "Nothing to draw" in text
        assert "No verdict changes" in text


def test_every_question_that_it_teaches_is_answered_when_typed(demo: welcome.Found, samples: RunSamples) -> None:
    names = {"tars": tars, "org": demo.org, "analysis": demo}
    typed = [str(row[1]) for row in welcome.questions(demo).rows]
    assert len(typed) == 9
    for line in typed:
        if "org-health" in line or "tars-run-" in line or line.startswith("analysis ="):
            continue
        answer = eval(line, names)  # noqa: S307 - the page's own examples
        assert answer is not None, line
    assert tars.load_run(samples.run("demo").directory).run_id in repr(samples.run("demo"))


def test_interactive_cells_are_not_exported_and_nothing_of_a_widget_is_saved() -> None:
    code = [cell for cell in cells() if cell["cell_type"] == "code"]
    interactive = [cell for cell in code if "welcome.explore(" in source(cell) or "welcome.try_out(" in source(cell)]
    assert len(interactive) == 2
    assert all(cell["metadata"] == {"tags": []} for cell in interactive)
    assert "widgets" not in json.loads((ROOT / "notebooks" / "welcome.ipynb").read_text("utf-8"))["metadata"]


def test_without_ipywidgets_the_cells_say_what_is_missing(monkeypatch: pytest.MonkeyPatch, demo: welcome.Found) -> None:
    monkeypatch.setattr(welcome, "has_widgets", lambda: False)
    for shown in (welcome.explore(demo.org), welcome.try_out(demo.org)):
        assert widgets.INSTALL in told(shown)  # type: ignore[arg-type]


@pytest.mark.slow
def test_it_exports_in_three_pages_without_its_widgets(samples: RunSamples) -> None:
    written = samples.report("welcome", "demo")
    assert len(pypdf.PdfReader(written["pdf"]).pages) <= 3
    html = written["html"].read_text(encoding="utf-8")
    assert "widget" not in html.split("<body", 1)[1].replace("ipywidgets", "")
    executed = nbformat.read(written["notebook"], as_version=4)
    assert "widgets" not in executed.metadata
    outputs = [output for cell in executed.cells if cell.cell_type == "code" for output in cell.outputs]
    assert not any("application/vnd.jupyter.widget-view+json" in output.get("data", {}) for output in outputs)
