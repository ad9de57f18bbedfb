"""Recipes for extending the package, followed to the letter: what the page says to write is written and used.

A block below ``<!-- file: PLACE -->`` is a file, one below ``<!-- line: PLACE -->`` a line of a table.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import re
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from click.testing import CliRunner
from org_samples import RootBuilder, series

import tars_lib.engines.health
from tars_lib.cli.main import cli, commands
from tars_lib.engines.steps import STEPS, Step
from tars_lib.pipeline import analyze, load_run, write_run

ROOT = Path(__file__).resolve().parents[2]
MARKED = re.compile(r"<!-- (file|line): (\S+) -->\n```py\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def recipe(heading: str) -> dict[str, str]:
    """Place to what the recipe says to write there."""
    text = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")
    section = text.split(f"\n### {heading}\n", 1)[1].split("\n### ", 1)[0]
    return {place: code for _, place, code in MARKED.findall(section)}


def docs_module(name: str) -> ModuleType:
    """A script of the docs, loaded as a module."""
    spec = importlib.util.spec_from_file_location(f"docs_{name}", ROOT / "docs" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def tars(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli, words)
    return done.exit_code, done.output


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """The engine of the recipe: its file where the package finds it, its line in the table."""
    written = recipe("Add an engine")
    monkeypatch.setattr(tars_lib.engines.health, "__path__", [*tars_lib.engines.health.__path__, str(tmp_path)])
    (tmp_path / "silence.py").write_text(written["tars_lib/engines/health/silence.py"], encoding="utf-8")
    importlib.invalidate_caches()
    step: Step = eval(written["tars_lib/engines/steps.py"], {"Step": Step})  # noqa: S307 - the project's own page
    monkeypatch.setitem(STEPS, step.name, step)
    yield written
    sys.modules.pop("tars_lib.engines.health.silence", None)
    vars(tars_lib.engines.health).pop("silence", None)


def made_runs(root: RootBuilder, folder: Path) -> list[Path]:
    """Two runs of one organisation: api reports until the 7th, web until the 10th of January."""
    root.add(series("web", "health_score", [90.0] * 10)).add(series("api", "health_score", [90.0] * 7))
    org = root.load()
    return [
        write_run(analyze(org, f"2026-01-{day}T00:00:00Z"), folder, timestamp=f"202601{day}-000000")
        for day in ("07", "10")
    ]


def test_the_engines_own_test_holds(engine: dict[str, str], tmp_path: Path) -> None:
    place = tmp_path / "test_silence.py"
    place.write_text(engine["tests/engines/health/test_silence.py"], encoding="utf-8")
    tests = [value for name, value in runpy.run_path(str(place)).items() if name.startswith("test_")]
    assert len(tests) == 1
    for test in tests:
        test()


def test_a_new_engine_is_in_the_run_its_status_and_its_context(
    engine: dict[str, str], root: RootBuilder, tmp_path: Path
) -> None:
    before, after = made_runs(root, tmp_path / "runs")
    report = json.loads((after / "silence-report.json").read_text(encoding="utf-8"))
    assert report["silent"] == ["api"]
    status = json.loads((after / "status.json").read_text(encoding="utf-8"))
    expected = {"step": "silence", "report": "silence-report.json", "exit_code": 0, "finding": "NONE"}
    assert status["steps"][-1] == expected
    context = json.loads((after / "incident-context.json").read_text(encoding="utf-8"))
    assert context["silence"] == report
    run: Any = load_run(after)
    assert (run.silence.silent, load_run(before).reports["silence"].exit_code) == (("api",), 0)
    assert list(run.silence.frame["repo"]) == ["api"]
    assert "silence" in dir(run)


def test_a_new_engine_is_compared_and_has_a_command(engine: dict[str, str], root: RootBuilder, tmp_path: Path) -> None:
    before, after = made_runs(root, tmp_path / "runs")
    code, text = tars("diff", str(before), str(after))
    assert (code, "WORSE    api: reporting -> silent" in text) == (0, True)
    assert commands()["silence"] == "List the repos that have stopped reporting."
    code, text = tars("silence", "--org-report", str(after / "org-health-report.json"), "--json")
    assert (code, json.loads(text)["silent"]) == (0, ["api"])
    code, text = tars("silence", "--org-report", str(tmp_path / "nowhere.json"))
    assert (code, len(text.splitlines())) == (1, 1)


def test_a_new_engine_is_in_the_generated_docs(engine: dict[str, str]) -> None:
    generate = docs_module("generate")
    schema = json.loads(generate.pages()["schemas/silence-report.schema.json"]())
    assert schema["description"] == "Repos that reported at some time, and nothing in the day before `as_of`."
    assert "silence" in generate.schema("incident-context")["required"]
    assert "- `tars silence`: 0, 1, 2 or 199." in generate.exit_codes_page()
    assert "\n## tars silence\n" in docs_module("generate_site").commands_page()


def test_a_run_that_was_made_before_an_engine_was_added_reads_back(
    engine: dict[str, str], root: RootBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as earlier:
        earlier.delitem(STEPS, "silence")
        before, _ = made_runs(root, tmp_path / "earlier")
    _, after = made_runs(root, tmp_path / "later")
    run: Any = load_run(before)
    assert (hasattr(run, "silence"), list(run.reports)) == (False, [name for name in STEPS if name != "silence"])
    code, text = tars("diff", str(before), str(after))
    assert (code, "silent" in text) == (0, False)


def test_without_the_line_there_is_no_such_engine() -> None:
    assert "silence" not in commands()
    assert not hasattr(tars_lib.engines.health, "silence")
