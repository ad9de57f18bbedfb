"""`tars classify` answers by the organisation's playbook, named or found beside the incidents."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from tars_lib.cli.main import cli
from tars_lib.playbook.config import read_playbook
from tars_lib.playbook.packaged import packaged

OWN = """
version: ours-3
exit_codes:
  142: {severity: SEV-2}
  199: {incident_type: Broken Monitoring, severity: SEV-2}
decision_tree:
  sla-breach: {codes: [142], question: "Promise broken?", severity: SEV-2, path: Call the desk, contain_within: 45m}
triage:
  Call the desk:
    - {title: Ring, points: [Say what is broken]}
severities:
  SEV-2: {response_time: five minutes, respond_within: 5m}
"""


def classify(*words: str) -> str:
    done = CliRunner().invoke(cli, ["classify", *words])
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TARS_INCIDENTS_DIR", raising=False)
    path = tmp_path / "own.yaml"
    path.write_text(OWN, encoding="utf-8")
    return path


def test_the_organisations_tree_severities_and_clocks_are_the_answer(own: Path) -> None:
    page = classify("--exit-code", "142", "--playbook", str(own))
    for line in (
        "Severity:       SEV-2",
        "  YES  Promise broken?",
        "Go to:          Call the desk",
        "Respond within: five minutes",
        "Contain within: 45 min",
        f"Playbook:       ours-3, sha256 {read_playbook(own).playbook.sha256[:12]}",
    ):
        assert line in page.splitlines()
    assert "Incident type:  Broken Monitoring" in classify("--exit-code", "199", "--playbook", str(own))


def test_a_playbook_beside_the_incidents_is_in_force_without_being_named(own: Path, tmp_path: Path) -> None:
    before = classify("--exit-code", "142")
    assert "Severity:       SEV-1" in before
    for folder in ("incidents", "elsewhere"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / ".playbook.yaml").write_text(OWN, encoding="utf-8")
    assert "Call the desk" in classify("--exit-code", "142")
    (tmp_path / "incidents" / ".playbook.yaml").unlink()
    assert classify("--exit-code", "142") == before
    assert "Call the desk" in classify("--exit-code", "142", "--incidents-dir", "elsewhere")
    shown = CliRunner().invoke(cli, ["playbook", "show", "--incidents-dir", "elsewhere", "--section", "version"]).stdout
    assert shown.startswith("playbook ours-3")
    assert "from elsewhere/.playbook.yaml, row 2" in shown.replace("\\", "/")


def test_json_names_the_playbook_and_the_time_to_contain(own: Path) -> None:
    document = json.loads(classify("--exit-code", "142", "--json"))
    assert document["playbook"] == {"version": packaged().version, "sha256": packaged().sha256}
    assert document["contain_within"] == "15 min"
