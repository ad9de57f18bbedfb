"""The playbook's commands, exactly as typed, print the whole answer that the page promises.

The blocks are read from the playbook where it stands beside the project, else from the copy of their text in this folder.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from workspaces import artefacts, cascade

ROOT = Path(__file__).resolve().parents[2]
COPY = Path(__file__).with_name("playbook_blocks.json")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("playbook"),
    pytest.mark.usefixtures("cells_in_commands"),
    pytest.mark.skipif(shutil.which("bash") is None, reason="the blocks are written for bash"),
]
needs_jq = pytest.mark.skipif(shutil.which("jq") is None, reason="the playbook pipes into jq, which is not installed")


def playbook() -> list[dict[str, str]]:
    """Fenced blocks of the page, in order: language and text."""
    page = Path(os.environ.get("TARS_SHARED", ROOT.parent / "shared")) / "playbook.md"
    if not page.is_file():
        found: list[dict[str, str]] = json.loads(COPY.read_text(encoding="utf-8"))
        return found
    blocks = []
    for match in re.finditer(r"^( *)```(bash|powershell)\n(.*?)^\1```", page.read_text(encoding="utf-8"), re.M | re.S):
        lines = [line.removeprefix(match[1]) for line in match[3].splitlines(keepends=True)]
        blocks.append({"language": match[2], "text": "".join(lines)})
    return blocks


BLOCKS = [block["text"] for block in playbook() if block["language"] == "bash"]
TIMES = ("20260401-143000", "20260401-153000")


def prepare(folder: Path, make: Callable[[Path], Path], runs: int) -> Path:
    """A folder as the page assumes it: org-health/, scripts/, earlier runs and a health report."""
    make(folder / "org-health")
    shutil.copytree(ROOT / "scripts", folder / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    for time in TIMES[:runs]:
        done = sh(
            folder, f"python scripts/run_full_org_governance_pipeline.py --root org-health --timestamp {time} --quiet"
        )
        assert (done.returncode, done.stdout) == (142, "")
    done = sh(folder, "python -m analytics.run_org_health --root-dir org-health --output org-health-report.json")
    assert done.returncode == 92, done.stderr
    return folder


@pytest.fixture(scope="module")
def two_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The planted cascade, after two runs."""
    return prepare(tmp_path_factory.mktemp("two"), cascade, 2)


@pytest.fixture(scope="module")
def one_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The planted cascade, after one run."""
    return prepare(tmp_path_factory.mktemp("one"), cascade, 1)


@pytest.fixture(scope="module")
def old_layout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same scores in the predecessor's artefacts alone, after one run."""
    return prepare(tmp_path_factory.mktemp("old"), artefacts, 1)


@pytest.fixture(params=["one_run", "two_runs"])
def runs(request: pytest.FixtureRequest) -> Path:
    """The planted cascade after one and after two runs, for the blocks with a pattern."""
    folder: Path = request.getfixturevalue(request.param)
    return folder


def sh(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    """Run a block unchanged, from a fresh shell."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("TARS_") and k != "SOURCE_DATE_EPOCH"}
    env["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), env["PATH"]])
    env["PYTHONPATH"] = str(ROOT)
    return subprocess.run(
        ["bash", "-c", text], cwd=folder, env=env, capture_output=True, text=True, encoding="utf-8", check=False
    )


def block(*words: str) -> str:
    """The one block that holds all these words."""
    found = [text for text in BLOCKS if all(word in text for word in words)]
    assert len(found) == 1, (words, len(found))
    return found[0]


def documents(text: str) -> list[Any]:
    """The JSON documents that jq printed one after the other."""
    decoder, found, at, text = json.JSONDecoder(), [], 0, text.strip()
    while at < len(text):
        document, at = decoder.raw_decode(text, at)
        found.append(document)
        at += len(text[at:]) - len(text[at:].lstrip())
    return found


def test_the_page_has_its_fifteen_blocks() -> None:
    assert len(BLOCKS) == 15


def test_acknowledge_prints_the_incident_id(tmp_path: Path) -> None:
    done = sh(tmp_path, block("# Notify team immediately"))
    assert re.search(r"Incident INC-\d{12}: SLA Breach Detected", done.stdout)


def test_identify_breach_prints_every_breached_sla(runs: Path) -> None:
    done = sh(runs, block("# Find which SLAs are breached"))
    assert done.stdout.splitlines() == ["BREACHED: availability - availability"]
    newest = rf"the newest is used: \S*tars-run-{TIMES[1]}.org-health-report.json"
    assert bool(re.search(newest, done.stderr)) == (len(list((runs / "reports" / "runs").iterdir())) == 2)


def test_determine_root_cause_prints_cause_and_confidence(runs: Path) -> None:
    done = sh(runs, block("# Check breach attribution", "Cause:"))
    lines = done.stdout.splitlines()
    assert lines[0] == "SLA: availability"
    assert lines[1].startswith("  Cause: ledger: deploy 'Connection pool rewrite' (v41)")
    assert re.search(r"\(confidence: 0\.[89]\d*\)$", lines[1])


def test_escalate_and_document_leaves_a_run_and_a_bundle(two_runs: Path) -> None:
    """Also when the incident's folder holds an earlier run: of several the newest is packed."""
    done = sh(two_runs, f'INCIDENT_ID="INC-202604011500"\n{block("# Package for leadership")}')
    paths = done.stdout.replace("\\", "/")
    assert "incidents/INC-202604011500/tars-run-" in paths
    bundles = list((two_runs / "release" / "executive").glob("tars-evidence-tars-run-*.zip"))
    assert len(bundles) == 1, done.stderr
    assert bundles[0].name in paths
    shutil.rmtree(two_runs / "incidents")
    shutil.rmtree(two_runs / "release")


def test_gather_context_writes_two_documents_with_what_step_three_reads(two_runs: Path) -> None:
    sh(two_runs, block("# Generate summary reports in JSON mode"))
    sla = json.loads((two_runs / "incident-context.json").read_text(encoding="utf-8"))
    assert {"compliance_results", "breaches", "executive_readiness", "summary"} <= set(sla)
    assert sla["executive_readiness"]["tier"] == "RED"
    temporal = json.loads((two_runs / "temporal-context.json").read_text(encoding="utf-8"))
    assert any(found["is_active"] and found["repos"][0] == "ledger" for found in temporal["temporal_anomalies"])
    assert temporal["propagation_paths"][0]["path"] == ["ledger", "payments", "checkout"]


@needs_jq
def test_breached_slas_by_jq(two_runs: Path) -> None:
    (found,) = documents(sh(two_runs, block('select(.status == "BREACHED")')).stdout)
    assert (found["sla_id"], found["objective"], found["status"]) == ("availability", 0.999, "BREACHED")
    assert 0.998 < found["value"] < 0.999


@needs_jq
def test_breach_attribution_by_jq(two_runs: Path) -> None:
    (found,) = documents(sh(two_runs, block("{sla_id, root_causes}")).stdout)
    assert found["sla_id"] == "availability"
    first = found["root_causes"][0]
    assert (first["repo"], first["cause_type"]) == ("ledger", "CHANGE_EVENT")
    assert first["containment_type"] == "CASCADING_FAILURE"
    assert first["confidence"] > 0.8


@needs_jq
def test_leaders_by_jq(two_runs: Path) -> None:
    (found,) = documents(sh(two_runs, block('select(.classification == "LEADER")')).stdout)
    assert (found["repo"], found["leads"]) == ("ledger", ["payments"])


@needs_jq
def test_propagation_paths_by_jq(two_runs: Path) -> None:
    ((found,),) = documents(sh(two_runs, block("jq '.propagation_paths'")).stdout)
    assert (found["path"], found["is_active"]) == (["ledger", "payments", "checkout"], True)
    assert found["impact_score"] > 50


@needs_jq
def test_anomalous_clusters_by_jq(two_runs: Path) -> None:
    (found,) = documents(sh(two_runs, block("select(.is_anomalous == true)")).stdout)
    assert set(found["repos"]) == {"checkout", "ledger", "payments"}
    assert (found["direction"], found["onset"]) == ("DECLINE", "2026-03-26T00:00:00Z")
    assert {"SHARED_DEPENDENCY", "CHANGE_EVENT"} <= {factor["kind"] for factor in found["common_factors"]}


@needs_jq
def test_critical_alerts_by_jq(two_runs: Path) -> None:
    (found,) = documents(sh(two_runs, block('select(.severity == "CRITICAL")')).stdout)
    assert (found["type"], found["impact"]) == ("SLO_VIOLATION", "CUSTOMER_FACING")
    assert "Availability" in found["title"]


@needs_jq
def test_risk_tier_and_score_by_jq(two_runs: Path) -> None:
    tier, score = documents(sh(two_runs, block(".risk_tier, .aggregate_score")).stdout)
    assert tier == "HIGH"
    assert 75 < score < 80


def test_standard_evidence_bundle(two_runs: Path) -> None:
    done = sh(two_runs, block("(recommended)", "$(date"))
    assert done.returncode == 0, done.stderr
    assert len(list((two_runs / "release" / "executive").glob("incident-evidence-INC-*.zip"))) == 1


def test_manual_evidence_collection_writes_five_reports(one_run: Path) -> None:
    done = sh(one_run, block("# Collect all reports"))
    folders = [path for path in (one_run / "incidents").iterdir() if (path / "org-health-report.json").is_file()]
    assert len(folders) == 1, done.stderr
    names = {path.name for path in folders[0].glob("*.json")}
    assert names == {
        "org-health-report.json",
        "org-alerts.json",
        "trend-correlation.json",
        "temporal-intelligence.json",
        "sla-intelligence.json",
    }
    sla = json.loads((folders[0] / "sla-intelligence.json").read_text(encoding="utf-8"))
    assert sla["breaches"][0]["root_causes"][0]["repo"] == "ledger"
    assert {Path(entry["path"]).name for entry in sla["inputs"]} >= {"org-alerts.json", "trend-correlation.json"}


def test_json_and_summary_modes(two_runs: Path) -> None:
    sh(two_runs, block("# Summary-only for human communication"))
    assert json.loads((two_runs / "sla-summary.json").read_text(encoding="utf-8"))["exit_code"] == 142
    summary = (two_runs / "sla-summary.txt").read_text(encoding="utf-8")
    assert "BREACHED: availability" in summary
    assert "Cause: ledger" in summary


def test_artefacts_alone_answer_what_can_be_known(old_layout: Path) -> None:
    """Without counts availability is UNKNOWN; scores alone still give the breached SLA, its cause, tier and score."""
    done = sh(old_layout, block("# Find which SLAs are breached"))
    assert done.stdout.splitlines() == ["BREACHED: health - health"]
    lines = sh(old_layout, block("# Check breach attribution", "Cause:")).stdout.splitlines()
    assert lines[0] == "SLA: health"
    assert lines[1].startswith("  Cause: ledger: health_score")
    sh(old_layout, block("# Generate summary reports in JSON mode"))
    sla = json.loads((old_layout / "incident-context.json").read_text(encoding="utf-8"))
    status = {result["sla_id"]: result["status"] for result in sla["compliance_results"]}
    assert status == {"availability": "UNKNOWN", "latency-p95": "UNKNOWN", "health": "BREACHED"}
    assert sla["executive_readiness"]["unknown_share"] > 0
    temporal = json.loads((old_layout / "temporal-context.json").read_text(encoding="utf-8"))
    assert temporal["propagation_paths"][0]["path"] == ["ledger", "payments", "checkout"]


@needs_jq
def test_artefacts_alone_answer_the_triage_by_jq(old_layout: Path) -> None:
    (leader,) = documents(sh(old_layout, block('select(.classification == "LEADER")')).stdout)
    assert leader["repo"] == "ledger"
    (cluster,) = documents(sh(old_layout, block("select(.is_anomalous == true)")).stdout)
    assert set(cluster["repos"]) == {"checkout", "ledger", "payments"}
    alerts = documents(sh(old_layout, block('select(.severity == "CRITICAL")')).stdout)
    assert "Pool exhausted" in [alert["title"] for alert in alerts]
    tier, score = documents(sh(old_layout, block(".risk_tier, .aggregate_score")).stdout)
    assert tier == "HIGH"
    assert 75 < score < 80


@pytest.mark.parametrize("words", [("# Find which SLAs are breached",), ("# Check breach attribution", "Cause:")])
def test_without_a_run_a_block_says_what_was_looked_for(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = sh(tmp_path, block(*words).split("|", maxsplit=1)[0])
    assert done.returncode == 144
    assert done.stderr.count("\n") == 1
    assert "./reports/runs/tars-run-*/org-health-report.json: nothing found" in done.stderr
    assert json.loads(done.stdout)["exit_code"] == 144


COMMANDS = {
    "run_org_health": 95,
    "run_org_alerts": 104,
    "run_org_trend_correlation": 124,
    "run_org_temporal_intelligence": 134,
    "run_org_sla_intelligence": 144,
}


def test_without_a_report_each_command_of_the_page_ends_with_its_code_and_one_sentence(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    command = r"python (?:-m analytics\.|scripts/)\w+[^|>\n\\]*(?:\\\n[^|>\n\\]*)+"
    commands = sorted(set(re.findall(command, "".join(BLOCKS))))
    assert len(commands) > 8
    for command in commands:
        done = sh(tmp_path, f"INCIDENT_ID=INC-1\n{command}")
        engine = re.search(r"run_org_\w+", command)
        expected = COMMANDS[engine[0]] if engine else 95 if "pipeline" in command else 1
        assert done.returncode == expected, (command, done.stderr)
        assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert not (tmp_path / "incidents").exists()


def test_the_powershell_block_calls_only_what_exists() -> None:
    (text,) = [block["text"] for block in playbook() if block["language"] == "powershell"]
    scripts = re.findall(r"python (scripts/\S+\.py)", text)
    assert len(scripts) == 2
    assert all((ROOT / script).is_file() for script in scripts)
    options = set(re.findall(r"(--[a-z-]+)", text))
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tars_lib" / "cli").rglob("*.py"))
    assert options
    assert all(f'"{option}"' in sources for option in options)


@pytest.mark.skipif(shutil.which("pwsh") is None, reason="PowerShell is not installed")
def test_the_powershell_block_runs(tmp_path: Path) -> None:
    folder = prepare(tmp_path, cascade, 0)
    (text,) = [block["text"] for block in playbook() if block["language"] == "powershell"]
    env = os.environ | {"PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}
    done = subprocess.run(
        ["pwsh", "-NoProfile", "-Command", text], cwd=folder, env=env, capture_output=True, text=True, check=False
    )
    assert len(list((folder / "release" / "executive").glob("incident-evidence-INC-*.zip"))) == 1, done.stderr
