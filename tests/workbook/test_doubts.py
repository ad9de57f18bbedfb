"""What changes a conclusion stands on the page for leadership, in the words of terminal, summary and JSON."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import numpy as np
from click.testing import CliRunner
from org_samples import RootBuilder, counts

from tars_lib.cli.main import cli
from tars_lib.pipeline import load_run
from tars_lib.reports.blocks.kinds import Table
from tars_lib.workbook.pages import executive_summary
from tars_lib.workbook.sections.doubts import MOST, doubtful

POLICY = """policies:
  - {sla_id: av, sla_type: availability, good: {total: requests_total, bad: requests_failed}, objective: 0.99, window: 7d}
"""


def test_the_sentence_is_one_in_terminal_summary_json_and_page(tmp_path: Path) -> None:
    total = np.full(240, 1000.0)
    total[-6:] = 3.0
    rows = counts("web", total, total * 0, step=timedelta(hours=1))
    root = RootBuilder(tmp_path / "root").add([*rows, rows[0]]).file("sla-policies.yaml", POLICY).write()
    ran = CliRunner().invoke(cli, ["run", "--root", str(root), "--outdir", str(tmp_path / "runs")])
    folder = next((tmp_path / "runs").glob("tars-run-*"))
    told = json.loads((folder / "sla-intelligence-report.json").read_text())
    said = next(warning for warning in told["warnings"] if "most of the traffic of web is gone" in warning)
    assert said.removeprefix("SLA av: ") in told["compliance_results"][0]["missing"]
    assert said in ran.output
    assert said in (folder / "executive-summary.md").read_text().replace("\\", "")
    sla = CliRunner().invoke(cli, ["sla", "--org-report", str(folder / "org-health-report.json")])
    assert said.removeprefix("SLA av: ") in sla.output
    table = next(block for block in executive_summary.narrative(load_run(folder)) if isinstance(block, Table))
    assert [row[0] for row in table.rows] == [said], "and not the duplicate, which changes nothing"
    assert any("duplicate" in warning for warning in told["warnings"])


def test_few_are_shown_those_on_an_sla_first() -> None:
    warnings = ["12 identical duplicate samples were dropped", *(f"metric {n} is odd" for n in range(6)), "SLA a: half"]
    assert doubtful(warnings)[0] == "SLA a: half"
    assert len(doubtful(warnings)) == 7 > MOST
