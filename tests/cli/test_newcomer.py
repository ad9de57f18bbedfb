"""Somebody with a CSV of Grafana and nothing else has a verdict on a page after three commands."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from contract.workspaces import write_panel

from tars_lib.cli.main import cli

COMMANDS = (
    "import grafana.csv --root my-org --metric latency_p95 --unit ms",
    "init --root my-org",
    "run --root my-org --html",
)


@pytest.mark.slow
def test_from_a_panel_to_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1769644800")
    write_panel(tmp_path / "grafana.csv")
    outputs = []
    for command, code in zip(COMMANDS, (0, 0, 142), strict=True):
        done = CliRunner().invoke(cli, command.split())
        assert done.exit_code == code, done.output
        outputs.append(done.output)
    assert "latency_p95 of checkout is breached in checkout" in outputs[-1]
    assert "most likely cause: checkout" in outputs[-1]
    (page,) = (line.partition(": ")[2] for line in outputs[-1].splitlines() if line.startswith("page: "))
    text = Path(page).read_text(encoding="utf-8")
    assert "<html" in text
    assert "latency_p95 of checkout" in text
