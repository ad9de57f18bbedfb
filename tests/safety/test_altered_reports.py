"""Reports that came from somebody else: what contradicts itself or its manifest is refused by every command that reads it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from run_samples import RunSamples

from tars_lib.cli.main import cli

ENGINES = {"alerts": 104, "correlation": 124, "temporal": 134, "sla": 144}
HEALTH, SLA = "org-health-report.json", "sla-intelligence-report.json"


@pytest.fixture
def run(samples: RunSamples, tmp_path: Path) -> Path:
    folder = tmp_path / samples.run("demo").directory.name
    shutil.copytree(samples.run("demo").directory, folder)
    return folder


def change(path: Path, edit: Callable[[dict[str, Any]], None]) -> None:
    content = json.loads(path.read_text("utf-8"))
    edit(content)
    path.write_text(json.dumps(content), "utf-8")


def reseal(run: Path) -> None:
    """Write the manifest anew, as somebody does who knows it."""

    def edit(manifest: dict[str, Any]) -> None:
        for entry in manifest["files"]:
            content = (run / entry["path"]).read_bytes()
            entry |= {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}

    change(run / "manifest.json", edit)


def call(*words: object) -> Result:
    return CliRunner().invoke(cli, [str(word) for word in words])


def assert_refused(done: Result, code: int, *named: str) -> None:
    assert done.exit_code == code, done.output
    assert [line for line in done.stderr.splitlines() if line.startswith("error: ")] == [done.stderr.splitlines()[-1]]
    assert all(text in done.stderr for text in named), done.stderr


HISTORIES = {
    "no path": (lambda history: history.update(path=None), "history.path is null"),
    "no path and no digest": (lambda history: history.update(path=None, sha256=None), "history.path is null"),
    "another digest": (lambda history: history.update(sha256="0" * 64), "altered"),
    "no digest": (lambda history: history.update(sha256=None), "altered"),
    "a path that leads out": (lambda history: history.update(path=f"../{history['path']}"), "beside the report"),
    "an absolute path": (lambda history: history.update(path="/etc/passwd"), "beside the report"),
    "another number of samples": (lambda history: history.update(samples=0), "says 0"),
    "a number as path": (lambda history: history.update(path=7), "path"),
}


@pytest.mark.parametrize("spoiled", HISTORIES)
def test_a_report_without_its_numbers_is_refused_by_every_engine(run: Path, tmp_path: Path, spoiled: str) -> None:
    edit, named = HISTORIES[spoiled]
    lone = tmp_path / "elsewhere"
    lone.mkdir()
    for path in (HEALTH, "org-health-report.history.parquet"):
        shutil.copy(run / path, lone)
    change(lone / HEALTH, lambda report: edit(report["history"]))
    for engine, code in ENGINES.items():
        assert_refused(call(engine, "--org-report", lone / HEALTH), code, named)


def test_a_report_of_a_run_that_its_manifest_contradicts_is_refused(run: Path) -> None:
    change(run / HEALTH, lambda report: report["policies"][0].update(objective=0.1))
    for engine, code in ENGINES.items():
        assert_refused(call(engine, "--org-report", run / HEALTH), code, "altered since the run was written")
    change(run / "org-alerts.json", lambda report: report.update(alerts=[]))
    shutil.copytree(run, run.parent / "moved")
    done = call("sla", "--org-report", run / HEALTH, "--alerts-report", run / "org-alerts.json")
    assert_refused(done, 144, "altered since the run was written")


def test_classify_believes_no_altered_run_and_no_report_that_contradicts_itself(run: Path, tmp_path: Path) -> None:
    assert "SEV-1" in call("classify", run).stdout
    (tmp_path / "lone.json").write_bytes((run / SLA).read_bytes())
    change(tmp_path / "lone.json", lambda report: report.update(exit_code=0))
    assert_refused(call("classify", tmp_path / "lone.json"), 1, "lists breaches")
    change(run / "status.json", lambda status: [step.update(exit_code=0) for step in status["steps"]])
    assert_refused(call("classify", run), 1, "status.json: altered")
    assert_refused(call("classify", run / "status.json"), 1, "status.json: altered")
    reseal(run)
    assert_refused(call("classify", run), 1, "status.json", "says")


RUNS: dict[str, Callable[[Path], Any]] = {
    "a report that is not listed": lambda run: change(
        run / "manifest.json",
        lambda manifest: manifest.update(files=[entry for entry in manifest["files"] if entry["path"] != SLA]),
    ),
    "a path that leads out": lambda run: change(
        run / "manifest.json", lambda manifest: manifest["files"][0].update(path="../../etc/passwd")
    ),
    "a step with a report of its own": lambda run: (
        change(run / "status.json", lambda status: status["steps"][0].update(report="/etc/passwd")), reseal(run)
    ),
    "another verdict": lambda run: change(run / SLA, lambda report: report.update(breaches=[])),
    "a missing file": lambda run: (run / "executive-summary.md").unlink(),
    "a list as a report": lambda run: ((run / SLA).write_text("[]"), reseal(run)),
}  # fmt: skip


@pytest.mark.parametrize("spoiled", RUNS)
def test_a_spoiled_run_is_one_line_wherever_it_is_read(run: Path, tmp_path: Path, spoiled: str) -> None:
    RUNS[spoiled](run)
    commands = (
        ("classify", run),
        ("report", "welcome", "--run", run, "--output", tmp_path / "out"),
        ("report", "--all", "--run", run, "--output", tmp_path / "out"),
        ("diff", run, run),
        ("package", "--run", run, "--output", tmp_path / "package"),
        ("bundle", "create", "--run-dir", run, "--output-dir", tmp_path / "bundles"),
        ("incident", "open", "--from-run", run, "--incidents-dir", tmp_path / "incidents"),
    )
    for words in commands:
        done = call(*words)
        assert done.exit_code in (1, 95), (words, done.output)
        assert done.stderr.count("error: ") == 1, (words, done.stderr)
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


@pytest.mark.skipif(os.name == "nt", reason="links and pipes of POSIX")
def test_a_link_or_a_pipe_in_place_of_a_file_is_not_read(run: Path) -> None:
    original = (run / SLA).read_bytes()
    (run.parent / "sla.json").write_bytes(original)
    (run / SLA).unlink()
    (run / SLA).symlink_to(run.parent / "sla.json")
    assert_refused(call("classify", run), 1, "altered")
    (run / SLA).unlink()
    os.mkfifo(run / SLA)
    assert_refused(call("classify", run), 1, "altered")
