"""Score, tier, breach value and confidence are the same in the reports' JSON, the commands, the notebook, HTML and PDF."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from pdf_texts import sheets
from run_samples import RunSamples

from tars_lib.engines.queries.impact_text import lead
from tars_lib.text.quantities import value_text

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
RUNS = ("demo", "cascade")
NOTEBOOKS = ("incident_report", "sla_breach", "executive_summary")


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def flat(text: str) -> str:
    """A text with one space for whatever parts its words."""
    return " ".join(text.replace("\u200b", "").replace("\u00a0", " ").split())


def page(path: Path) -> str:
    if path.suffix == ".pdf":
        return flat(" ".join(sheet.text for sheet in sheets(path)))
    parser = _Words()
    parser.feed(path.read_text(encoding="utf-8"))
    return flat(" ".join(parser.words))


def report(samples: RunSamples, run: str, name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((samples.run(run).directory / name).read_text(encoding="utf-8"))
    return loaded


def blocks(notebook: Path) -> list[dict[str, Any]]:
    """The truth of every block that an executed notebook shows."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    shown = [output["data"] for cell in cells for output in cell.get("outputs", ()) if "data" in output]
    return [data["application/vnd.tars.block+json"] for data in shown if "application/vnd.tars.block+json" in data]


def command(*words: str) -> dict[str, Any]:
    env = {k: v for k, v in os.environ.items() if not k.startswith("TARS_")} | {"PYTHONPATH": str(ROOT)}
    line = [sys.executable, "-m", "tars_lib.cli.main", *words, "--json"]
    done = subprocess.run(line, env=env, capture_output=True, text=True, encoding="utf-8", check=False)
    answer: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == answer["exit_code"]
    return answer


@pytest.mark.parametrize("run", RUNS)
def test_commands_answer_with_the_numbers_of_the_run_unrounded(samples: RunSamples, run: str) -> None:
    health = samples.run(run).directory / "org-health-report.json"
    said, kept = command("sla", "--org-report", str(health)), report(samples, run, "sla-intelligence-report.json")
    assert said["executive_readiness"] == kept["executive_readiness"]
    assert [(b["sla_id"], b["value"], b["root_causes"]) for b in said["breaches"]] == [
        (b["sla_id"], b["value"], b["root_causes"]) for b in kept["breaches"]
    ]
    root = samples.folder / f"{run}-health" if run == "cascade" else ROOT / "tars_lib" / "_demo" / "org-health"
    said, kept = command("health", "--root-dir", str(root)), json.loads(health.read_text(encoding="utf-8"))
    assert (said["aggregate_score"], said["risk_tier"]) == (kept["aggregate_score"], kept["risk_tier"])
    assert said["repository_scores"] == kept["repository_scores"]


@pytest.mark.parametrize("run", RUNS)
def test_the_notebook_holds_the_confidence_of_the_json_to_the_last_digit(samples: RunSamples, run: str) -> None:
    kept = report(samples, run, "sla-intelligence-report.json")["breaches"][0]
    for name in ("incident_report", "sla_breach"):
        lists = [block for block in blocks(samples.report(name, run)["notebook"]) if block["kind"] == "cause-list"]
        first = lists[0]["causes"][0]
        best = kept["root_causes"][0]
        assert (first["repo"], first["confidence"], first["contribution"]) == (
            best["repo"], best["confidence"], best["contribution"]
        )  # fmt: skip
        assert lists[0]["unexplained"] == kept["unexplained"]


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_pages_print_the_same_number_rounded_once(samples: RunSamples, run: str, name: str) -> None:
    sla = report(samples, run, "sla-intelligence-report.json")
    health = report(samples, run, "org-health-report.json")
    readiness, breach = sla["executive_readiness"], sla["breaches"][0]
    written = samples.report(name, run)
    expected = [
        f"Readiness {readiness['tier'].lower()}",
        f"Readiness is {readiness['readiness_score']:.0f} of 100" if name != "incident_report" else "Readiness",
        f"{value_text(breach['value'], breach['unit'])} against {value_text(breach['objective'], breach['unit'])}",
        f"({breach['root_causes'][0]['confidence']:.0%} confidence)",
    ]
    if name != "sla_breach":
        expected += [f"{health['aggregate_score']:.0f} of 100", f"{readiness['readiness_score']:.0f} of 100"]
        expected.append(f"{health['risk_tier'].capitalize()} risk")
    for form in ("html", "pdf"):
        text = page(written[form])
        for words in expected:
            assert words in text, (form, words)
    told = flat(" ".join(str(block) for block in blocks(written["notebook"])))
    assert expected[0] in told
    assert expected[2] in told
    assert expected[3] in told


@pytest.mark.parametrize("run", RUNS)
def test_the_headline_is_one_sentence_everywhere(samples: RunSamples, run: str) -> None:
    # the impact in human terms, then the headline of the report without the start that the impact has said
    sla = samples.run(run).sla
    headline = flat(lead(sla))
    since = f" since {sla.breaches[0].started_at:%Y-%m-%d %H:%M} UTC"
    said = flat(report(samples, run, "sla-intelligence-report.json")["risk_narrative"]["headline"])
    assert headline.endswith(said.replace(since, ""))
    assert headline.count(since) == 1
    for name in NOTEBOOKS:
        written = samples.report(name, run)
        assert headline in page(written["html"])
        assert headline in page(written["pdf"])
        title = next(block for block in blocks(written["notebook"]) if block["kind"] == "title")
        assert flat(f"{title['headline']} {title['detail']}") == headline
