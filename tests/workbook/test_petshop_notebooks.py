"""A real incident, exported from the PetShop data set, as pages: the names of a cloud provider, and little of everything."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from pdf_texts import sheets
from run_samples import EPOCH, drawn
from workbook.test_notebooks import reach, words

from tars_lib.pipeline import analyze, load_run, write_reports, write_run
from tars_lib.pipeline.loading import load_org

ROOT = Path(__file__).resolve().parents[2]
ISSUE = "low_traffic/test/issue_4"
CAUSE = "payforadoption_AWS::ECS::Container"
"""The root cause that the data set gives for the incident."""

pytestmark = [pytest.mark.slow, pytest.mark.thorough]  # what the causes are, tests/benchmarks/test_petshop.py holds


def test_a_real_incident_becomes_pages_that_name_its_cause(petshop: Path, tmp_path: Path) -> None:
    export = [sys.executable, str(ROOT / "benchmarks" / "petshop.py"), "export", "--dataset", str(petshop)]
    done = subprocess.run(
        [*export, "--issue", ISSUE, "--out", str(tmp_path / "org-health")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    with drawn() as patch:
        patch.setenv("SOURCE_DATE_EPOCH", EPOCH)
        run = load_run(write_run(analyze(load_org(tmp_path / "org-health")), tmp_path / "runs"))
        names = ("incident_report", "executive_summary")
        outcomes = write_reports({name: {} for name in names}, run.directory, tmp_path / "out", ("html", "pdf"))
    best = run.sla.breaches[0].root_causes[0]
    assert best.repo == CAUSE
    for outcome in outcomes:
        assert outcome.error is None, outcome.error
        html = outcome.files["html"]
        pages = sheets(outcome.files["pdf"])
        text = words(outcome.files["pdf"]).replace("\N{ZERO WIDTH SPACE}", "").replace(" ", "")
        assert CAUSE in text
        assert f"({best.confidence:.0%}confidence)" in text
        assert html.stat().st_size < 1_000_000
        assert outcome.files["pdf"].stat().st_size < 500_000
        assert len(pages) <= 5
        # what follows the figures of the first page is kept whole, and does not always fit below them
        assert reach(pages[0]) >= 0.7
        assert reach(pages[-1]) >= 0.3
