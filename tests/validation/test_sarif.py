"""SARIF 2.1.0: the structure that the standard requires, places that code hosts can show, hostile text kept harmless."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from tars_lib.cli.main import cli
from tars_lib.validation.notices import KINDS, Notice, Validation
from tars_lib.validation.sarif import MAX_RESULTS, sarif

ROOT = Path(__file__).parents[2]


@pytest.fixture
def bad(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A root below the current folder, with a bad row and a bad policy."""
    monkeypatch.chdir(tmp_path)
    folder = Path("org health")
    folder.mkdir()
    (folder / "history.csv").write_text(
        "timestamp,repo,metric,value\n2026-01-01T00:00:00Z,web,health_score,abc\n", encoding="utf-8"
    )
    (folder / "sla-policies.yaml").write_text("policies:\n  - {sla_id: a}\n", encoding="utf-8")
    return folder


def test_a_log_has_what_the_standard_requires(bad: Path) -> None:
    done = CliRunner().invoke(cli, ["validate", str(bad), "--format", "sarif"])
    assert done.exit_code == 94
    log = json.loads(done.stdout)
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "tars-validate"
    ids = [rule["id"] for rule in driver["rules"]]
    assert ids == [f"tars/{kind}" for kind in KINDS]
    places = []
    for result in run["results"]:
        assert result["ruleId"] == ids[result["ruleIndex"]]
        assert result["level"] in ("error", "warning")
        assert result["message"]["text"]
        (location,) = result["locations"]
        place = location["physicalLocation"]
        assert place["artifactLocation"]["uriBaseId"] == "%SRCROOT%"
        region = place["region"]
        assert region["startLine"] >= 1
        assert region["startColumn"] >= 1
        places.append((place["artifactLocation"]["uri"], region["startLine"], region["startColumn"]))
    assert places == [
        ("org%20health/history.csv", 2, 39),
        ("org%20health/sla-policies.yaml", 2, 5),
        ("org%20health/sla-policies.yaml", 2, 5),
    ]


def test_a_file_elsewhere_is_named_by_its_whole_path(bad: Path, tmp_path: Path) -> None:
    found = Validation(str(bad), (Notice("error", "input", "x", "h.csv", tmp_path.parent / "h.csv"),), "", 95)
    (result,) = json.loads(sarif(found, "1", tmp_path))["runs"][0]["results"]
    artifact = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert artifact == {"uri": (tmp_path.parent / "h.csv").as_uri()}


def test_hidden_characters_are_shown_and_results_bounded(tmp_path: Path) -> None:
    notices = tuple(Notice("error", "input", f"\u202e{n}") for n in range(MAX_RESULTS + 3))
    run = json.loads(sarif(Validation("r", notices, "", 95), "1", tmp_path))["runs"][0]
    assert run["results"][0]["message"]["text"] == "[U+202E]0"
    assert (len(run["results"]), run["properties"]["leftOut"]) == (MAX_RESULTS, 3)


def test_text_and_json_say_the_same(bad: Path) -> None:
    text = CliRunner().invoke(cli, ["validate", str(bad)]).stdout.splitlines()
    document = json.loads(CliRunner().invoke(cli, ["validate", str(bad), "--format", "json"]).stdout)
    assert [line.split(" (row")[0] for line in text[:-1]] == [
        f"{one['level']}: {one['message']}" for one in document["notices"]
    ]
    assert text[1].endswith(" (row 2, column 5)")
    assert text[-1] == f"{bad}: 3 refusals, 0 warnings"
    assert document["exit_code"] == 94


def test_a_log_is_written_whole(bad: Path) -> None:
    done = CliRunner().invoke(cli, ["validate", str(bad), "--format", "sarif", "--output", "made/t.sarif"])
    assert done.stdout == f"{bad}: 3 refusals, 0 warnings; written: {Path('made') / 't.sarif'}\n"
    assert json.loads(Path("made/t.sarif").read_text(encoding="utf-8"))["version"] == "2.1.0"
    assert [path.name for path in Path("made").iterdir()] == ["t.sarif"]


def test_the_hook_calls_the_command() -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert hook["id"] == "tars-validate"
    program, command = hook["entry"].split()
    assert (program, hook["pass_filenames"], hook["language"]) == ("tars", False, "python")
    done = CliRunner().invoke(cli, [command, "--help"])
    assert done.exit_code == 0
