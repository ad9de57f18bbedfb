"""The leadership package: one run, one folder, the same numbers in every form, whole or not at all."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pypdf
import pytest
from browsing import chromium, opened, overflow
from click.testing import CliRunner
from contract.test_same_numbers import flat, page
from in_process import cells_in_kernels
from register_samples import begun, walked
from run_samples import EPOCH, RunSamples
from warm import COLD

from tars_lib.cli.main import cli
from tars_lib.errors import InputError, ReportError, VerificationError
from tars_lib.files.csv_cells import FORMULA, csv_text
from tars_lib.leadership.numbers import numbers_of
from tars_lib.leadership.package import PackageRequest, reports_for, write_package
from tars_lib.reports.blocks.kinds import TitleBlock
from tars_lib.reports.pages.contents import ContentsEntry, ContentsGroup, render_contents
from tars_lib.text.quantities import value_text


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def tables(samples: RunSamples, name: str) -> dict[str, list[dict[str, str]]]:
    return {table.name: rows(table.content) for table in numbers_of(samples.run(name))}


def document(samples: RunSamples, name: str, file: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((samples.run(name).directory / file).read_text(encoding="utf-8"))
    return loaded


@pytest.mark.parametrize("name", ["demo", "cascade", "artefacts", "calm"])
def test_numbers_are_those_of_the_json_to_the_last_digit(samples: RunSamples, name: str) -> None:
    found = tables(samples, name)
    sla, health = (
        document(samples, name, "sla-intelligence-report.json"),
        document(samples, name, "org-health-report.json"),
    )
    summary = {row["key"]: row["value"] for row in found["summary"]}
    assert float(summary["readiness_score"]) == sla["executive_readiness"]["readiness_score"]
    assert summary["readiness_tier"] == sla["executive_readiness"]["tier"]
    assert summary["aggregate_score"] == ("" if health["aggregate_score"] is None else repr(health["aggregate_score"]))
    assert summary["risk_tier"] == health["risk_tier"]
    assert [(row["sla_id"], row["value"], row["unexplained"]) for row in found["breaches"]] == [
        (b["sla_id"], "" if b["value"] is None else repr(b["value"]), repr(b["unexplained"])) for b in sla["breaches"]
    ]
    assert [(row["breach_id"], float(row["confidence"]), float(row["contribution"])) for row in found["causes"]] == [
        (b["breach_id"], c["confidence"], c["contribution"]) for b in sla["breaches"] for c in b["root_causes"]
    ]
    assert {row["repo"]: row["score"] for row in found["repos"]} == {
        one["repo"]: "" if one["score"] is None else repr(one["score"]) for one in health["repository_reports"]
    }
    assert len(found["scorecard"]) == len(sla["compliance_results"])


@pytest.mark.parametrize("start", FORMULA)
def test_a_name_is_never_a_formula_and_a_number_is_one(samples: RunSamples, start: str) -> None:
    text = csv_text(("name", "slope"), [(f"{start}HYPERLINK(1)", -1.5)])
    (_, (name, slope)) = csv.reader(io.StringIO(text, newline=""))
    assert name.startswith("'")
    assert slope == "-1.5"
    run = samples.run("demo")
    breach = replace(run.sla.breaches[0], target=f"{start}cmd", repos=(f"{start}cmd", "web"))
    hostile = run.with_reports(sla=replace(run.sla, breaches=(breach,)))
    (row,) = rows(numbers_of(hostile)[2].content)
    assert row["target"].startswith("'")
    assert row["repos"].startswith("'")


def test_a_link_out_of_the_folder_is_refused(samples: RunSamples) -> None:
    head = [TitleBlock("x")]
    for path in ("../x", "/etc/passwd", "javascript:alert(1)", "a/../b", "http://x"):
        with pytest.raises(ReportError, match="inside the folder"):
            render_contents(
                head, [ContentsGroup("g", (ContentsEntry("a", (("b", path),)),))], samples.run("demo").sla.as_of
            )


def test_the_index_escapes_what_it_shows(samples: RunSamples) -> None:
    html = render_contents(
        [TitleBlock("<script>alert(1)</script>")],
        [ContentsGroup("Figures", (ContentsEntry("<img src=x onerror=y>", (("SVG", "figures/a.svg"),)),))],
        samples.run("demo").sla.as_of,
    )
    assert "<script" not in html
    assert "<img" not in html


def test_the_response_belongs_to_the_package_where_the_register_knows_the_incident(
    samples: RunSamples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = samples.run("demo")
    monkeypatch.setenv("TARS_INCIDENTS_DIR", str(tmp_path / "none"))
    going, over = begun(tmp_path / "a", run).folder, walked(tmp_path / "b", run).folder
    asked = [
        PackageRequest(run.directory),
        PackageRequest(run.directory, going.name, going.parent),
        PackageRequest(run.directory, over.name, over.parent),
    ]
    assert [reports_for(one)[2:] for one in asked] == [(), ("golden_path",), ("postmortem",)]
    assert reports_for(PackageRequest(run.directory, "Vorfall 7"))[2:] == ()
    with pytest.raises(InputError, match="incidents_dir '.*none': no such folder"):
        reports_for(PackageRequest(run.directory, going.name, tmp_path / "none"))
    # the id of a pager is none of the register's
    assert reports_for(PackageRequest(run.directory, "PD-1234", going.parent))[2:] == ()
    with pytest.raises(InputError, match="no such incident"):
        reports_for(PackageRequest(run.directory, "INC-209901010000", going.parent))


def test_what_is_not_a_package_is_never_replaced(samples: RunSamples, tmp_path: Path) -> None:
    run = samples.run("demo").directory
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ReportError, match="is no package; allowed: a new or empty folder"):
        write_package(PackageRequest(run), tmp_path)
    with pytest.raises(ReportError, match="which is sealed"):
        write_package(PackageRequest(run), run / "package")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_an_altered_run_is_not_packed(samples: RunSamples, tmp_path: Path) -> None:
    run = samples.run("demo").directory
    copy = Path(shutil.copytree(run, tmp_path / run.name))
    with (copy / "org-alerts.json").open("a") as file:
        file.write(" ")
    with pytest.raises(VerificationError, match="org-alerts.json: altered"):
        write_package(PackageRequest(copy), tmp_path / "package")
    assert not (tmp_path / "package").exists()


@pytest.fixture(scope="module")
def package(samples: RunSamples, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command itself, for an incident that is over."""
    folder = tmp_path_factory.mktemp("package")
    run = samples.run("demo").directory
    incident = walked(folder / "incidents", samples.run("demo")).folder.name
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOURCE_DATE_EPOCH", EPOCH)
        patch.chdir(folder)
        done = CliRunner().invoke(cli, ["package", "--run", str(run), "--incident", incident])
    assert done.exit_code == 0, done.stderr
    place = Path("release/leadership") / run.name
    assert done.stdout == f"{place / 'index.html'}\n"
    return folder / place


@pytest.mark.slow
def test_everything_is_there_listed_and_linked(package: Path) -> None:
    told = json.loads((package / "package.json").read_text(encoding="utf-8"))
    files = {path.relative_to(package).as_posix() for path in package.rglob("*") if path.is_file()}
    assert {entry["path"] for entry in told["files"]} | {"package.json"} == files
    for entry in told["files"]:
        assert hashlib.sha256((package / entry["path"]).read_bytes()).hexdigest() == entry["sha256"]
    assert {
        f"{name}.{form}" for name in ("executive_summary", "incident_report", "postmortem") for form in ("html", "pdf")
    } <= files
    assert {
        f"numbers/{name}.csv" for name in ("summary", "scorecard", "breaches", "causes", "repos", "readiness")
    } <= files
    figures = {name for name in files if name.startswith("figures/")}
    assert {name[:-4] for name in figures if name.endswith(".svg")} == {
        name[:-4] for name in figures if name.endswith(".png")
    }
    assert len(figures) >= 12
    index = (package / "index.html").read_text(encoding="utf-8")
    linked = set(re.findall(r'href="([^"]+)"', index))
    assert linked == files - {"index.html", "package.json"}
    # the page that leads to the reports says of the incident what they say
    assert "Resolved at 2026-11-02 16:39 UTC by ada" in index
    assert "<script" not in index
    assert "default-src 'none'" in index
    assert [path.name for path in package.parent.iterdir()] == [package.name], "nothing half made stands beside it"


@pytest.mark.slow
def test_page_one_of_two_to_four_decides(package: Path, samples: RunSamples) -> None:
    pages = pypdf.PdfReader(package / "executive_summary.pdf").pages
    assert 2 <= len(pages) <= 4
    first = flat(pages[0].extract_text())
    sla = samples.run("demo").sla
    # the incident is over: its end takes the place of the headline, and the narrative says what was breached and why
    assert flat("Resolved at 2026-11-02 16:39 UTC by ada: The deploy was rolled back.") in first
    assert sla.risk_narrative.text.replace(" ", "") in first.replace(" ", "")
    for words in ("SEV-1", "Readiness red", "SLA scorecard", f"{sla.executive_readiness.readiness_score:.0f} of 100"):
        assert words in first
    assert len(pypdf.PdfReader(package / "incident_report.pdf").pages) > len(pages)


@pytest.mark.slow
def test_score_tier_breach_value_and_confidence_are_the_same_in_csv_json_html_and_pdf(
    package: Path, samples: RunSamples
) -> None:
    summary = {row["key"]: row["value"] for row in rows((package / "numbers" / "summary.csv").read_bytes())}
    breach = rows((package / "numbers" / "breaches.csv").read_bytes())[0]
    cause = rows((package / "numbers" / "causes.csv").read_bytes())[0]
    told = json.loads((package / "package.json").read_text(encoding="utf-8"))["numbers"]
    kept = document(samples, "demo", "sla-intelligence-report.json")
    health = document(samples, "demo", "org-health-report.json")
    assert (
        float(summary["readiness_score"]) == told["readiness_score"] == kept["executive_readiness"]["readiness_score"]
    )
    assert summary["readiness_tier"] == told["readiness_tier"] == kept["executive_readiness"]["tier"]
    assert float(summary["aggregate_score"]) == told["aggregate_score"] == health["aggregate_score"]
    assert float(breach["value"]) == kept["breaches"][0]["value"]
    assert float(cause["confidence"]) == kept["breaches"][0]["root_causes"][0]["confidence"]
    measured, objective = (value_text(float(breach[name]), breach["unit"]) for name in ("value", "objective"))
    value = re.compile(f"{re.escape(measured)} against (an objective of )?{re.escape(objective)}")
    for name in (
        "executive_summary.html",
        "executive_summary.pdf",
        "incident_report.html",
        "incident_report.pdf",
        "index.html",
    ):
        text = page(package / name)
        for words in (
            f"{float(summary['readiness_score']):.0f} of 100", f"Readiness {summary['readiness_tier'].lower()}",
            f"{float(summary['aggregate_score']):.0f} of 100", f"{summary['risk_tier'].capitalize()} risk",
            f"{float(cause['confidence']):.0%} confidence",
        ):  # fmt: skip
            assert words in text, (name, words)
        # the incident is resolved, which is what the head of the index says; the reports behind it hold the value
        assert value.search(text) or name == "index.html", (name, value.pattern)


@pytest.mark.slow
def test_the_index_is_quiet_and_fits_a_phone(package: Path) -> None:
    with chromium() as browser:
        for width in (390, 1200):
            with opened(browser, (package / "index.html").as_uri(), width=width) as (shown, seen):
                assert not overflow(shown)
                assert shown.get_by_role("link").count() >= 20
                assert seen.is_quiet, seen


@pytest.mark.slow
def test_a_report_that_fails_leaves_nothing_and_what_was_there_stays(
    package: Path, samples: RunSamples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kernels that cannot draw, where an earlier package stands already."""
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "sitecustomize.py").write_text("import sys\nsys.modules['matplotlib.figure'] = None\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "broken"))
    monkeypatch.setattr("sys.executable", COLD)  # a warm kernel has it imported already
    place = Path(shutil.copytree(package, tmp_path / "out" / "package"))
    before = (place / "package.json").read_bytes()
    with cells_in_kernels():
        done = CliRunner().invoke(cli, ["package", "--run", str(samples.run("demo").directory), "--output", str(place)])
    assert done.exit_code == 1
    assert "executive_summary.ipynb failed in cell" in done.stderr
    assert "`tars report executive_summary --run" in done.stderr
    assert done.stderr.count("\n") == 1
    assert (place / "package.json").read_bytes() == before
    assert [path.name for path in place.parent.iterdir()] == ["package"]
