"""The pages tell the truth: links lead somewhere, examples work, and tables are those of the code."""

from __future__ import annotations

import dataclasses
import importlib.util
import re
import shlex
import typing
from pathlib import Path

import click
import pytest

from tars_lib.cli.main import cli
from tars_lib.engines.alerts.report import AlertReport
from tars_lib.engines.health.report import HealthReport
from tars_lib.engines.relations.correlation_report import CorrelationReport
from tars_lib.engines.relations.lead_lag_report import TemporalReport
from tars_lib.engines.report import Report
from tars_lib.engines.sla.report import SlaReport
from tars_lib.findings.exit_codes import DECISION_ORDER, EXIT_CODES
from tars_lib.model.metrics import KNOWN_METRICS
from tars_lib.model.names import SlaStatus
from tars_lib.pipeline import analyze, write_run
from tars_lib.pipeline.loading import load_org
from tars_lib.sources.demo import copy_demo

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXAMPLE = re.compile(r"<!-- file: (\S+) -->\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[(?:[^\[\]]|!\[[^\]]*\]\([^)]*\))*\]\(([^()\s]+)\)|!\[[^\]]*\]\(([^()\s]+)\)")


def name_of(page: Path) -> str:
    """A page as test ids show it."""
    return page.relative_to(ROOT).as_posix()


def anchors(page: Path) -> set[str]:
    """Anchors of a page's headings, as GitHub makes them."""
    prose = BLOCK.sub("", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.+)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(page: Path) -> list[str]:
    """Targets of a page's links and pictures."""
    prose = BLOCK.sub("", page.read_text(encoding="utf-8"))
    return [target for pair in LINK.findall(prose) for target in pair if target]


def blocks(page: Path, *languages: str) -> list[str]:
    """Fenced blocks of a page in these languages."""
    return [code for language, code in BLOCK.findall(page.read_text(encoding="utf-8")) if language in languages]


def commands() -> list[tuple[str, str]]:
    """Every command line that begins with `tars`, with its page: from shell blocks and from inline code."""
    found = []
    for page in PAGES:
        lines = [line for block in blocks(page, "bash", "sh", "") for line in block.splitlines()]
        prose = BLOCK.sub("", page.read_text(encoding="utf-8"))
        # inline code names a command without all that it needs, so only whole lines with an option are taken
        inline = re.findall(r"`(tars \w[^`]*--[^`]*)`", prose)
        for line in [*lines, *inline]:
            bare = re.sub(r"^(\w+=\S+ )+", "", line.strip()).removeprefix(".venv/bin/")
            if bare.startswith("tars "):
                found.append((name_of(page), bare))
    return found


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in links(page):
        if re.match(r"https?://|mailto:", target):
            continue
        file, _, anchor = target.partition("#")
        place = (page.parent / file).resolve() if file else page
        assert place.exists(), f"{target} leads nowhere"
        assert place.is_relative_to(ROOT), f"{target} leads out of the repository"
        if anchor:
            assert anchor in anchors(place), f"{target}: no such heading"


def test_readme_and_index_lead_to_every_page() -> None:
    reached, pending = set(), [ROOT / "README.md"]
    while pending:
        page = pending.pop()
        if page in reached:
            continue
        reached.add(page)
        inside = [t.partition("#")[0] for t in links(page) if not re.match(r"https?://", t)]
        pending += [(page.parent / t).resolve() for t in inside if t.endswith(".md")]
    assert reached >= set(PAGES), f"no link leads to {sorted(map(name_of, set(PAGES) - reached))}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_pages_are_plain_text_and_name_no_place_on_one_machine(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"(?<![\w.])/(home|work|root|Users)/", text)
    assert not re.search(r"[\u2013\u2014\U0001f300-\U0001faff]", text), "a long dash or an emoji"
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert len(re.findall(r"^```", text, re.MULTILINE)) % 2 == 0, "a fence is not closed"


def test_readme_is_short_and_its_picture_small() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) < 150
    picture = (DOCS / "images" / "report-page-1.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert picture[24] == 8, "8 bits a channel"
    assert len(picture) < 300_000


def test_every_notebook_has_a_picture_of_its_page_and_all_are_small() -> None:
    pictures = {path.stem: path.read_bytes() for path in (DOCS / "images" / "pages").iterdir()}
    assert set(pictures) == {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert all(content.startswith(b"\x89PNG") for content in pictures.values())
    assert sum(map(len, pictures.values())) < 400_000


def test_commands_are_found_in_the_pages() -> None:
    assert len(commands()) >= 10


@pytest.mark.parametrize(("page", "line"), commands())
def test_command_lines_in_the_pages_are_accepted(page: str, line: str) -> None:
    words = shlex.split(re.split(r" (?:\|\|?|&&|>>?) ", line)[0], comments=True)[1:]
    name, rest = words[0], words[1:]
    if name in {option for parameter in cli.params for option in parameter.opts}:
        return
    command = cli.get_command(click.Context(cli), name)
    assert command is not None, f"{page}: tars has no command {name}"
    if isinstance(command, click.Group):
        name, rest = f"{name} {rest[0]}", rest[1:]
        command = command.commands.get(name.split()[1])
        assert command is not None, f"{page}: there is no command tars {name}"
    known = {option for parameter in command.params for option in parameter.opts}
    given = {word.partition("=")[0] for word in rest if word.startswith("--")}
    assert given <= known, f"{page}: tars {name} does not know {sorted(given - known)}"
    if line in re.findall(r"`([^`]*)`", (ROOT / page).read_text(encoding="utf-8")):
        return  # inline code may leave out what the sentence is not about
    command.make_context(name, list(rest), resilient_parsing=False)


def test_every_example_of_the_data_format_loads(tmp_path: Path) -> None:
    found = EXAMPLE.findall((DOCS / "data-format.md").read_text(encoding="utf-8"))
    names = {name for name, _ in found}
    assert {"history.csv", "org.yaml", "events.csv", "sla-policies.yaml"} <= names
    for name, content in found:
        place = tmp_path / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content, encoding="utf-8")
    org = load_org(tmp_path)
    assert [repo.repo for repo in org.repos] == ["api", "cards", "web"]
    assert len(org.history) == 7
    assert [event.kind for event in org.events] == ["deploy", "maintenance", "config"]
    assert [rule.rule_id for rule in org.rules] == ["slow-web", "queue"]
    assert [policy.sla_id for policy in org.policies] == ["availability", "latency", "fast-samples"]
    assert len(org.dependencies) == 2
    # two days of daily samples are under half of any of the windows
    assert {result.status for result in analyze(org).sla.compliance_results} == {SlaStatus.UNKNOWN}

    legacy = load_org(tmp_path / "artefacts", sla_policy=tmp_path / "legacy" / "sla-policies.yaml")
    assert [(repo.repo, repo.name) for repo in legacy.repos] == [("web", "Web shop")]
    times, scores = legacy.history.series("health_score", "web")
    assert scores.tolist() == [83.0, 82.2, 81.5]
    assert len(times) == 3
    assert [alert.severity for alert in legacy.reported_alerts] == ["HIGH"]
    (policy,) = legacy.policies
    assert (policy.sla_id, policy.objective, policy.priority) == ("web-health", 75.0, 2)


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")], ids=name_of)
def test_python_examples_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = copy_demo(tmp_path / "outputs" / "demo" / "org-health")
    write_run(analyze(load_org(root)), tmp_path / "reports" / "runs", timestamp="20260105-143000")
    monkeypatch.chdir(tmp_path)
    for code in blocks(page, "python"):
        exec(compile(code, name_of(page), "exec"), {})  # noqa: S102 - the project's own pages


def test_generated_pages_are_current() -> None:
    spec = importlib.util.spec_from_file_location("docs_generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    for name, make in generate.pages().items():
        committed = (DOCS / name).read_text(encoding="utf-8")
        assert committed == make(), f"docs/{name} is not what `python docs/generate.py` writes"


def test_readme_names_the_codes_that_a_run_returns_with_their_meaning() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    named = {int(code) for row in re.findall(r"^\| ([\d, ]+) \|", text, re.MULTILINE) for code in row.split(",")}
    assert named == {0, 1, 2, 93, 94, 95, 199, *DECISION_ORDER}
    assert named <= set(EXIT_CODES)


def fields_of(kind: type) -> set[str]:
    """Names of all fields of a dataclass and of those that it is made of, as JSON carries them."""
    names: set[str] = set()
    # names that stand under TYPE_CHECKING alone are of no field
    for field, annotation in ((f, typing.get_type_hints(kind)[f.name]) for f in dataclasses.fields(kind)):
        names.add(field.metadata.get("key", field.name))
        for part in parts_of(annotation):
            if dataclasses.is_dataclass(part) and part.__module__.startswith("tars_lib.engines"):
                names |= fields_of(typing.cast("type", part))
    return names


def parts_of(annotation: object) -> list[object]:
    """Types that an annotation is made of."""
    inner = typing.get_args(annotation)
    if not inner:
        return [annotation]
    return [part for one in inner for part in parts_of(one)]


@pytest.mark.parametrize("report", [Report, HealthReport, AlertReport, CorrelationReport, TemporalReport, SlaReport])
def test_glossary_explains_every_field_of_the_reports(report: type) -> None:
    explained = set(re.findall(r"`(\w+)`", (DOCS / "glossary.md").read_text(encoding="utf-8")))
    assert fields_of(report) - explained == set()


def test_glossary_gives_every_known_metric_as_the_code_does() -> None:
    text = (DOCS / "glossary.md").read_text(encoding="utf-8")
    rows = {}
    for cells in (line.strip("| ").split(" | ") for line in text.splitlines() if line.count(" | ") == 5):
        rows[cells[0].strip("`").split("`")[0]] = [cell.strip() for cell in cells]
    for metric in KNOWN_METRICS.values():
        row = rows[metric.metric]
        assert row[1].split(",")[0].split(" ")[0] == metric.unit
        assert row[2] == {True: "up", False: "down", None: "none"}[metric.higher_is_better]
        low, high = metric.minimum, metric.maximum
        assert row[3] == ("0 or more" if high is None else f"{low:g}-{high:g}")
        if metric.is_scored:
            bounds = [float(n) / float(d or 1) for n, _, d in (cell.partition("/") for cell in row[4:6])]
            assert bounds == [metric.healthy, metric.unhealthy]
        else:
            assert row[4] in ("-", "is the score")


def test_architecture_names_every_room() -> None:
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    package = ROOT / "tars_lib"
    rooms = [f"{p.name}/" for p in package.iterdir() if (p / "__init__.py").is_file()]
    modules = [p.name for p in package.glob("*.py") if p.stem != "__init__"]
    missing = [name for name in (*rooms, *modules) if f"`{name}`" not in text]
    assert missing == []
