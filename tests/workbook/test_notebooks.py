"""Each notebook runs with a real kernel on two organisations and becomes pages that one can send."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest
import yaml
from pdf_texts import Sheet, sheets
from run_samples import RunSamples

from tars_lib.errors import ReportError
from tars_lib.pipeline import write_report
from tars_lib.reports.notebooks.parameters import declared_parameters

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ("incident_report", "sla_breach", "at_risk_monitoring", "executive_summary", "org_risk")
EVERY = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
PAGES = {"incident_report": 4, "sla_breach": 3, "at_risk_monitoring": 2, "executive_summary": 2, "org_risk": 2}
"""At most so many pages; judgement: what the reader of each will turn."""
TOLD = {
    "incident_report": ("What broke and why", "Is it spreading?", "Alerts, budget and outlook", "How to contain it"),
    "sla_breach": ("Minute 2-5", "Minute 5-8", "Minute 8-12", "Who to notify", "Business impact"),
    "at_risk_monitoring": ("SLAs at risk", "Outlook", "Monitoring escalation"),
    "executive_summary": ("Risk narrative", "SLA scorecard", "Trends"),
    "org_risk": ("What lowers the score", "Mitigation plan", "realistic?"),
}
"""What the playbook asks in the section, in its order."""
BOTTOM, TOP = 60.0, 790.0
"""The lowest and the highest line of text on a page, in points from its bottom: the margins, without the footer."""


def source(name: str) -> dict[str, object]:
    loaded: dict[str, object] = json.loads((ROOT / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8"))
    return loaded


def words(pdf: Path) -> str:
    return " ".join(" ".join(sheet.text for sheet in sheets(pdf)).split())


def reach(sheet: Sheet) -> float:
    """Share of a page, from the top, that is filled down to its lowest line of text."""
    return (TOP - min(height for height in sheet.heights if height > BOTTOM)) / (TOP - BOTTOM)


@pytest.mark.parametrize("name", EVERY)
def test_a_parameters_file_holds_exactly_what_the_notebook_declares_and_says_what_it_is(name: str) -> None:
    cells = [{**cell, "source": "".join(cell["source"])} for cell in source(name)["cells"]]  # type: ignore[attr-defined]
    text = (ROOT / "parameters" / f"{name}.yaml").read_text(encoding="utf-8")
    assert yaml.safe_load(text) == declared_parameters({"cells": cells})
    assert len(re.findall(r"^# .*\n\w+:", text, re.MULTILINE)) == len(yaml.safe_load(text))


@pytest.mark.parametrize("name", EVERY)
def test_a_notebook_is_thin_and_carries_no_outputs(name: str) -> None:
    notebook = source(name)
    for place, cell in enumerate(notebook["cells"]):  # type: ignore[arg-type, var-annotated]
        assert cell["id"] == f"cell-{place}"
        if cell["cell_type"] != "code":
            continue
        assert cell["outputs"] == []
        assert cell["execution_count"] is None
        tree = ast.parse("".join(cell["source"]))
        assert not [
            n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.ClassDef | ast.For | ast.Try | ast.While)
        ]
        if "report" in cell["metadata"]["tags"]:
            assert len(tree.body) == 1


@pytest.mark.slow
@pytest.mark.parametrize("run", ["demo", "cascade"])
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_answers_its_questions_in_order_on_pages_that_are_few_and_filled(
    samples: RunSamples, name: str, run: str
) -> None:
    written = samples.report(name, run)
    text = words(written["pdf"])
    places = [text.find(part) for part in TOLD[name]]
    assert -1 not in places, TOLD[name]
    assert places == sorted(places)
    assert "What to do next" in text
    assert " tars " in text[text.index("What to do next") :]
    pages = sheets(written["pdf"])
    assert len(pages) <= PAGES[name]
    assert reach(pages[0]) >= 0.75 or len(pages) == 1
    assert all(reach(page) >= 0.33 for page in pages)
    assert written["html"].stat().st_size < 1_000_000
    assert written["pdf"].stat().st_size < 500_000


@pytest.mark.slow
@pytest.mark.parametrize("name", NOTEBOOKS[1:])
def test_a_number_and_its_unit_are_not_parted(samples: RunSamples, name: str) -> None:
    html = samples.report(name, "demo")["html"].read_text(encoding="utf-8")
    assert not re.search(r"\d %", html.split("<body", 1)[1])


@pytest.mark.parametrize(
    ("name", "parameter", "value"),
    [("sla_breach", "max_causes", "3"), ("at_risk_monitoring", "check_minutes", 1.5), ("org_risk", "top", 3)],
)
def test_a_parameter_of_another_type_or_name_ends_before_a_kernel_starts(
    samples: RunSamples, tmp_path: Path, name: str, parameter: str, value: object
) -> None:
    with pytest.raises(ReportError, match=parameter):
        write_report(name, samples.run("calm").directory, tmp_path, ("html",), parameters={parameter: value})
    assert not list(tmp_path.iterdir())
