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
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

import pytest
from click.testing import CliRunner
from org_samples import RootBuilder, series
from servers import said, scripted

import tars_lib.config.pulling
import tars_lib.config.pulling.file
import tars_lib.engines.health
import tars_lib.model.slo
import tars_lib.sources.pulled.series
import tars_lib.sources.pulled.table
from tars_lib.cli.main import cli, commands
from tars_lib.engines.steps import STEPS, Step
from tars_lib.errors import ConfigError
from tars_lib.exports.openslo import openslo
from tars_lib.model.slo import KINDS
from tars_lib.pipeline import analyze, load_run, write_run
from tars_lib.pipeline.loading import load_org

ROOT = Path(__file__).resolve().parents[2]
MARKED = re.compile(r"<!-- (file|line): (\S+) -->\n```(?:py|yaml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


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


@contextmanager
def placed(folder: Path, package: ModuleType, *files: tuple[str, str]) -> Iterator[None]:
    """Modules of a recipe, each by its place and text, where the package finds them."""
    made = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(package, "__path__", [*package.__path__, str(folder)])
        for place, text in files:
            (folder / Path(place).name).write_text(text, encoding="utf-8")
            made.append(Path(place).stem)
        importlib.invalidate_caches()
        yield
        for name in made:
            sys.modules.pop(f"{package.__name__}.{name}", None)
            vars(package).pop(name, None)


def passed(text: str, place: Path) -> int:
    """Run the tests of a recipe; how many there are."""
    place.write_text(text, encoding="utf-8")
    tests = [value for name, value in runpy.run_path(str(place)).items() if name.startswith("test_")]
    for test in tests:
        test()
    return len(tests)


def line(text: str, **known: Any) -> dict[str, Any]:
    """The line of a table, evaluated where its names are known."""
    made: dict[str, Any] = eval(f"{{{text}}}", known)  # noqa: S307 - the project's own page
    return made


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """The engine of the recipe: its file where the package finds it, its line in the table."""
    written = recipe("Add an engine")
    place = "tars_lib/engines/health/silence.py"
    with placed(tmp_path, tars_lib.engines.health, (place, written[place])):
        step: Step = eval(written["tars_lib/engines/steps.py"], {"Step": Step})  # noqa: S307 - the project's own page
        monkeypatch.setitem(STEPS, step.name, step)
        yield written


def made_runs(root: RootBuilder, folder: Path) -> list[Path]:
    """Two runs of one organisation: api reports until the 7th, web until the 10th of January."""
    root.add(series("web", "health_score", [90.0] * 10)).add(series("api", "health_score", [90.0] * 7))
    org = root.load()
    return [
        write_run(analyze(org, f"2026-01-{day}T00:00:00Z"), folder, timestamp=f"202601{day}-000000")
        for day in ("07", "10")
    ]


def test_the_engines_own_test_holds(engine: dict[str, str], tmp_path: Path) -> None:
    assert passed(engine["tests/engines/health/test_silence.py"], tmp_path / "test_silence.py") == 1


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


@pytest.fixture
def band(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """The kind of SLA of the recipe."""
    written = recipe("Add a kind of SLA")
    place = "tars_lib/model/slo/band.py"
    with placed(tmp_path, tars_lib.model.slo, (place, written[place])):
        kind = importlib.import_module("tars_lib.model.slo.band").BandPolicy
        for name, cls in line(written["tars_lib/model/slo/__init__.py"], BandPolicy=kind).items():
            monkeypatch.setitem(KINDS, name, cls)
        yield written


def test_the_kinds_own_tests_hold(band: dict[str, str], tmp_path: Path) -> None:
    assert passed(band["tests/model/slo/test_band.py"], tmp_path / "test_band.py") == 2


def load_root(root: RootBuilder, written: dict[str, str]) -> RootBuilder:
    """A service whose load lies in the band at three of five samples."""
    root.add(series("web", "load", [0.1, 0.2, 0.5, 0.7, 0.8] * 6))
    return root.file("sla-policies.yaml", written["sla-policies.yaml"])


def test_a_new_kind_is_read_judged_written_and_read_back(
    band: dict[str, str], root: RootBuilder, tmp_path: Path
) -> None:
    code, text = tars(
        "run", "--root", str(load_root(root, band).write()), "--outdir", str(tmp_path / "runs"), "--print-paths"
    )
    assert code == 142, text
    (place,) = (tmp_path / "runs").glob("tars-run-*")
    (policy,) = load_run(place).health.policies
    assert (policy.kind, policy.lower, policy.upper) == ("band", 0.2, 0.7)  # type: ignore[union-attr]
    (result,) = load_run(place).sla.compliance_results
    assert result.error_budget is not None
    assert (result.kind, result.value, result.error_budget.consumed) == ("band", 0.6, pytest.approx(0.4))
    assert json.loads((place / "sla-intelligence-report.json").read_text("utf-8"))["breaches"][0]["repos"] == ["web"]


def test_the_schema_and_the_exports_know_a_new_kind(band: dict[str, str], root: RootBuilder) -> None:
    schema = docs_module("generate").schema("org-health-report")
    assert {"$ref": "#/$defs/BandPolicy"} in schema["properties"]["policies"]["items"]["anyOf"]
    org = load_root(root, band).load()
    with pytest.raises(ConfigError, match="load: has no form in OpenSLO"):
        openslo(org.policies, org.metrics, {})


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("lower: 0.2", "lower: 0.9", "policies.load: lower 0.9 is above upper 0.7"),
        ("lower: 0.2", "lower: yes", "policies.0.lower"),
        ("lower: 0.2, ", "", "policies.0.lower"),
        ("metric: load", "metric: load, aggregate: max", "policies.0.aggregate"),
        ("objective: 0.8", "objective: 80", "policies.load: objective 80 of a share; above 0 and up to 1 is allowed"),
        ("kind: band", "kind: bend", "policies.0.kind"),
    ],
)
def test_what_a_new_kind_does_not_take_is_refused(
    band: dict[str, str], root: RootBuilder, old: str, new: str, said: str
) -> None:
    written = band | {"sla-policies.yaml": band["sla-policies.yaml"].replace(old, new)}
    code, text = tars("run", "--root", str(load_root(root, written).write()), "--dry-run")
    assert (code, said in text) == (94, True), text


@pytest.fixture
def graphite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """The source of the recipe."""
    written = recipe("Add a system to pull from")
    module, form = "tars_lib/sources/pulled/series/graphite.py", "tars_lib/config/pulling/graphite.py"
    folders = [tmp_path / name for name in ("module", "form")]
    for folder in folders:
        folder.mkdir()
    table, file = tars_lib.sources.pulled.table, tars_lib.config.pulling.file
    with (
        placed(folders[0], tars_lib.sources.pulled.series, (module, written[module])),
        placed(folders[1], tars_lib.config.pulling, (form, written[form])),
    ):
        entry = line(written["tars_lib/sources/pulled/table.py"], _HERE="tars_lib.sources.pulled")
        monkeypatch.setattr(table, "SOURCES", MappingProxyType({**table.SOURCES, **entry}))
        kind = importlib.import_module("tars_lib.config.pulling.graphite").GraphiteForm
        entry = line(written["tars_lib/config/pulling/file.py"], GraphiteForm=kind)
        monkeypatch.setattr(file, "FORMS", MappingProxyType({**file.FORMS, **entry}))
        yield written


def test_the_sources_own_tests_hold(graphite: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "tests" / "sources" / "pulled")
    assert passed(graphite["tests/sources/pulled/test_graphite.py"], tmp_path / "test_graphite.py") == 2


def test_a_new_source_is_pulled(graphite: dict[str, str], root: RootBuilder) -> None:
    points = [[0.2 + hour / 100, 1767225600 + 3600 * hour] for hour in range(24)]
    folder = root.add(series("api", "latency_p95", [0.1] * 3)).write()
    with scripted(said([{"target": "web", "datapoints": points}])) as server:
        entry = {
            "name": "old",
            "kind": "graphite",
            "url": server.url,
            "metrics": {"latency_p95": {"target": "stats.web"}},
        }
        (folder / "sources.yaml").write_text(json.dumps({"sources": [entry]}), encoding="utf-8")
        code, text = tars(
            "pull", "--root", str(folder), "--since", "2026-01-01T00:00:00Z", "--until", "2026-01-01T12:00:00Z"
        )
    assert (code, "old: 12 samples of 1 series" in text) == (0, True), text
    assert len(load_org(folder).history.series("latency_p95", "web")[0]) == 12
