"""Every command of the pages is run, block by block, as somebody types it who reads from the top.

Each page has a folder of its own with what the pages assume: an organisation in trouble, a health report, runs, an
incident and an incident's run. What cannot run here is named below with the reason, and is parsed all the same.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from contract.workspaces import cascade, write_panel
from run_samples import RunSamples
from test_docs import BLOCK, PAGES, ROOT, name_of

from tars_lib.findings.exit_codes import EXIT_CODES

INCIDENT = "INC-202601051430"
RUN, LATER = "tars-run-20260105-143000", "tars-run-20260105-150000"

NOT_HERE = {
    r"^python3 -m venv|^uv |\bpip install\b": "needs the package index; tests/docs/test_tutorial.py installs the wheel",
    r"^make \w+": "builds or fills .venv; the targets call what other tests call",
    r"\btars (report|demo|package)\b": "starts kernels; tests/reports/test_report_end_to_end.py runs it",
    r"\btars bundle create\b": "starts a kernel for the report inside; tests of packaging run it",
    r"\btars bundle (verify|export|log|transfer)\b": "needs a bundle; tests of packaging run it",
    r"^papermill |^jupyter ": "starts a kernel; tests/reports/test_report_notebooks.py runs both",
    r"^tars pull\b|^tars run .*--pull\b": "needs systems that have data; tests/docs/test_pull_page.py runs them",
    r"\bpdftoppm\b": "needs poppler; made by hand for a release",
    r"--send\b": "needs a channel; tests/cli/test_notify.py runs it against a server on the loopback",
    r"^dask |--scheduler tcp:": "needs a cluster; tests/stats/test_scheduler.py runs one",
    r"^tars watch(?!.*--rounds 1\b)": "waits between rounds; one round runs",
}
"""What is not run, by the line, and why."""
NEEDS_JQ = shutil.which("jq") is None
FINDINGS = {code for code, entry in EXIT_CODES.items() if entry.severity is not None and code < 199} - {
    code for code, entry in EXIT_CODES.items() if entry.incident_type == "Monitoring Failure"
}


def lines_of(block: str) -> list[str]:
    """Commands of a block, those over several lines joined, without comments."""
    joined = re.sub(r"\\\n\s*", " ", block)
    return [line.strip() for line in joined.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def reason(line: str) -> str | None:
    """Why a line is not run; None: it is."""
    return next((why for pattern, why in NOT_HERE.items() if re.search(pattern, bare(line))), None)


def bare(line: str) -> str:
    """A line without settings before the command and without the folder of the environment."""
    return re.sub(r"^(?:\w+=\S+ )+", "", line).removeprefix(".venv/bin/")


def shown(page: Path) -> list[str]:
    """Commands of a page's shell blocks, from the top down."""
    text = page.read_text(encoding="utf-8")
    return [line for language, block in BLOCK.findall(text) if language in ("bash", "sh") for line in lines_of(block)]


# the tutorial begins with nothing: tests/docs/test_tutorial.py
WITH_COMMANDS = [
    page for page in PAGES if page.name != "tutorial.md" and any(reason(line) is None for line in shown(page))
]


def typed(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    """Run a text unchanged, from a fresh shell; its code is that of the last command, as for somebody who types it."""
    env = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("TARS_", "GITHUB_")) and key != "SOURCE_DATE_EPOCH"
    }
    env |= {"PATH": os.pathsep.join([str(Path(sys.executable).parent), env["PATH"]]), "PYTHONPATH": str(ROOT)}
    env |= {"TARS_ACTOR": "ada", "SLACK_TOKENS": "T1/B2/C3"}
    return subprocess.run(
        ["bash", "-c", text],
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )


def exported(folder: Path) -> None:
    """What the page on imports takes from other tools: files of the test data, a month of a panel, a map file and its table."""
    for name, file in {
        "datadog.json": "datadog-query.json",
        "newrelic.json": "newrelic-nrql.json",
        "otlp.jsonl": "otlp.jsonl",
        "influx.lp": "influx.lp",
        "google.json": "google-time-series.json",
        "azure.json": "azure-metrics.json",
        "graphite.json": "graphite-render.json",
        "cloudwatch.json": "cloudwatch-get-metric-data.json",
        "prometheus.json": "prometheus-no-name.json",
        "openmetrics.txt": "openmetrics.txt",
        "pagerduty.json": "pagerduty-incidents.json",
        "statuspage.json": "statuspage-history.json",
        "alertmanager.json": "alertmanager-webhook.json",
        "deployments.json": "github-deployments.json",
        "catalog-info.yaml": "catalog-info.yaml",
    }.items():
        shutil.copy(ROOT / "tests" / "data" / "exported" / file, folder / name)
    write_panel(folder / "grafana.csv")
    text = (ROOT / "docs" / "import.md").read_text(encoding="utf-8")
    for name, mapped in re.findall(r"<!-- map: (\S+) -->\n```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        (folder / name).write_text(mapped, encoding="utf-8")
    (folder / "table.csv").write_text("when,Shop p95,remarks\n2026-01-05T00:00:00Z,412,fine\n", encoding="utf-8")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory, samples: RunSamples) -> Path:
    """What the pages assume, made once and copied for each."""
    folder = tmp_path_factory.mktemp("prepared")
    cascade(folder / "org-health")
    shutil.copytree(ROOT / "scripts", folder / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "parameters", folder / "parameters")
    shutil.copy(ROOT / "parameters" / "retention.yaml", folder)
    found = samples.run("cascade").directory
    for place in (Path("reports", "runs", RUN), Path("reports", "runs", LATER), Path("incidents", INCIDENT, RUN)):
        shutil.copytree(found, folder / place)
    for name in ("org-health-report.json", "org-health-report.history.parquet"):
        shutil.copy(found / name, folder)
    text = (folder / "org-health" / "sla-policies.yaml").read_text(encoding="utf-8")
    (folder / "stricter.yaml").write_text(text.replace("0.999", "0.9999"), encoding="utf-8")
    (folder / "exit-policy.yaml").write_text("fail_on: {codes: [142], findings: [HIGH_ORG_RISK]}\n", encoding="utf-8")
    (folder / "our-playbook.yaml").write_text("escalation: {matrix: {SEV-3: [Service desk]}}\n", encoding="utf-8")
    exported(folder)
    (folder / "update.txt").write_text("SLA breach: checkout\n", encoding="utf-8")
    (folder / "channels.txt").write_text("json://127.0.0.1:9/\n", encoding="utf-8")
    done = typed(folder, f"tars incident open --from-run incidents/{INCIDENT}/{RUN} && tars incident ack {INCIDENT}")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.xdist_group("page commands")
@pytest.mark.skipif(shutil.which("bash") is None or os.name == "nt", reason="the pages are written for bash on Unix")
@pytest.mark.parametrize("page", WITH_COMMANDS, ids=name_of)
def test_commands_of_the_page_run_as_typed(page: Path, prepared: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(prepared, tmp_path / "here", dirs_exist_ok=True))
    if page.name == "README.md":
        # it opens the only incident that there is
        shutil.rmtree(folder / "incidents")
    for line in shown(page):
        if reason(line) is not None or (NEEDS_JQ and re.search(r"\bjq\b", line)):
            continue
        done = typed(folder, f"set -o pipefail\n{line}")
        assert "Traceback" not in done.stderr, f"{line}\n{done.stderr}"
        # a finding is an answer; 1 is one of those commands that say that something is due
        allowed = {0, *FINDINGS} | ({1} if re.search(r"--overdue|tars review", line) else set())
        # the list of commands is in the order of the alphabet, not of an incident
        allowed |= {1} if page.name == "commands.md" and "is possible while it is" in done.stderr else set()
        assert done.returncode in allowed, (
            f"{line}\nended with {done.returncode}\n{done.stdout[-500:]}\n{done.stderr[-1500:]}"
        )


def test_what_is_not_run_is_still_shown_somewhere() -> None:
    """A reason that no line needs any more is out of date."""
    lines = [bare(line) for page in PAGES for line in shown(page)]
    assert [pattern for pattern in NOT_HERE if not any(re.search(pattern, line) for line in lines)] == []


def test_make_targets_of_the_pages_exist() -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {name for page in PAGES for line in shown(page) for name in re.findall(r"\bmake ([a-z]+)", line)}
    assert named
    assert named <= targets


def test_scripts_of_the_pages_exist() -> None:
    named = {name for page in PAGES for line in shown(page) for name in re.findall(r"\b(\w+/\w+\.py)", line)}
    assert [name for name in sorted(named) if not (ROOT / name).is_file()] == []
