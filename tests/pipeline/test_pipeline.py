"""From a root to a run directory, whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from org_samples import DAILY, T0, RootBuilder, counts, series

from tars_lib.engines.steps import STEPS
from tars_lib.errors import ConfigError, InputError, VerificationError
from tars_lib.pipeline import Analysis, analyze, latest_run, load_run, now, write_run, writing

FILES = {
    "org-health-report.json", "org-health-report.history.parquet", "org-alerts.json", "trend-correlation-report.json",
    "temporal-intelligence-report.json", "sla-intelligence-report.json", "incident-context.json", "executive-summary.md",
    "status.json", "manifest.json",
}  # fmt: skip
STAMPED = "20260105-143000"


@pytest.fixture
def analysis(root: RootBuilder, monkeypatch: pytest.MonkeyPatch) -> Analysis:
    """A breach with a cause, in two repos that call each other."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1780000000")
    rng = np.random.default_rng(1)
    root.file(
        "org.yaml",
        "repos: {'<script>alert(1)</script>': {customer_facing: true}}\n"
        "dependencies: [{from: '<script>alert(1)</script>', to: api}]\n",
    )
    root.file(
        "sla-policies.yaml",
        "policies: [{sla_id: a, sla_type: t, objective: 0.99, good: {total: requests_total, bad: requests_failed}}]",
    )
    for repo in ("<script>alert(1)</script>", "api"):
        root.add(counts(repo, [1000] * 90, rng.poisson(1, 90) + 200 * (np.arange(90) >= 85)))
        root.add(series(repo, "health_score", 90 - 60 * (np.arange(90) >= 85)))
    return root.analyze()


def test_a_run_directory_holds_every_file_and_nothing_else(analysis: Analysis, tmp_path: Path) -> None:
    run = write_run(analysis, tmp_path / "runs", timestamp=STAMPED)
    assert run.name == f"tars-run-{STAMPED}"
    assert {path.name for path in run.iterdir()} == FILES
    assert [path.name for path in run.parent.iterdir()] == [run.name]


def test_the_exit_code_is_the_finding_highest_in_the_decision_tree(analysis: Analysis, tmp_path: Path) -> None:
    assert (analysis.health.exit_code, analysis.sla.exit_code, analysis.exit_code) == (92, 142, 142)
    status = load_run(write_run(analysis, tmp_path)).status
    assert (status.exit_code, status.finding, status.incident_type, status.severity) == (
        142,
        "SLA_BREACH",
        "SLA Breach",
        "SEV-1",
    )
    codes = [("health", 92), ("alerts", 102), ("correlation", 122), ("temporal", 0), ("sla", 142)]
    assert [(step.step, step.exit_code) for step in status.steps] == codes
    assert status.as_of == analysis.as_of


def test_a_name_that_is_taken_gets_the_next_suffix(analysis: Analysis, tmp_path: Path) -> None:
    names = [write_run(analysis, tmp_path, timestamp=STAMPED).name for _ in range(3)]
    assert names == [f"tars-run-{STAMPED}", f"tars-run-{STAMPED}-2", f"tars-run-{STAMPED}-3"]
    assert latest_run([tmp_path / name for name in names]).name == names[2]
    assert latest_run([tmp_path / "tars-run-20260106-000000", tmp_path / names[2]]).name == "tars-run-20260106-000000"


def test_the_default_name_is_the_present_time(analysis: Analysis, tmp_path: Path) -> None:
    assert write_run(analysis, tmp_path).name == f"tars-run-{datetime.fromtimestamp(1780000000, UTC):%Y%m%d-%H%M%S}"


@pytest.mark.parametrize(
    "timestamp",
    ["", "2026", "20260105-1430", "20260105_143000", "20261305-143000", "../20260105-143000", "20260105-143000x"],
)
def test_a_timestamp_of_another_form_is_refused_and_nothing_is_made(
    analysis: Analysis, tmp_path: Path, timestamp: str
) -> None:
    with pytest.raises(ConfigError, match="YYYYMMDD-HHMMSS is allowed, such as 20260105-143000"):
        write_run(analysis, tmp_path / "runs", timestamp=timestamp)
    assert not (tmp_path / "runs").exists()


def test_every_file_stands_in_the_manifest_with_digest_and_size(analysis: Analysis, tmp_path: Path) -> None:
    run = write_run(analysis, tmp_path)
    manifest = json.loads((run / "manifest.json").read_text())
    assert {entry["path"] for entry in manifest["files"]} == FILES - {"manifest.json"}
    for entry in manifest["files"]:
        content = (run / entry["path"]).read_bytes()
        assert (entry["sha256"], entry["bytes"]) == (hashlib.sha256(content).hexdigest(), len(content))


def test_the_context_holds_the_reports_under_the_playbooks_names(analysis: Analysis, tmp_path: Path) -> None:
    run = write_run(analysis, tmp_path)
    context = json.loads((run / "incident-context.json").read_text())
    assert context["org_health"] == json.loads((run / "org-health-report.json").read_text())
    assert context["org_alerts"] == json.loads((run / "org-alerts.json").read_text())
    assert context["trend_correlation"] == json.loads((run / "trend-correlation-report.json").read_text())
    assert context["temporal_intelligence"] == json.loads((run / "temporal-intelligence-report.json").read_text())
    assert context["sla_intelligence"] == json.loads((run / "sla-intelligence-report.json").read_text())


def test_a_run_reads_back_as_it_was_analysed(analysis: Analysis, tmp_path: Path) -> None:
    run = load_run(write_run(analysis, tmp_path, timestamp=STAMPED))
    assert run.run_id == f"tars-run-{STAMPED}"
    assert (run.sla, run.alerts, run.temporal) == (analysis.sla, analysis.alerts, analysis.temporal)
    assert run.correlation == analysis.correlation
    assert run.health.repository_reports == analysis.health.repository_reports
    np.testing.assert_array_equal(run.org.history.value, analysis.org.history.value)


@pytest.mark.parametrize("name", sorted(FILES - {"manifest.json"}))
def test_a_file_that_was_altered_or_lost_is_named(analysis: Analysis, tmp_path: Path, name: str) -> None:
    run = write_run(analysis, tmp_path)
    content = (run / name).read_bytes()
    (run / name).write_bytes(content + b" ")
    with pytest.raises(VerificationError, match=rf"{re.escape(str(run / name))}: altered since the run was written"):
        load_run(run)
    (run / name).unlink()
    with pytest.raises((VerificationError, InputError), match="missing since the run was written|no run directory"):
        load_run(run)


def test_what_is_no_run_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no run directory; one has status.json, manifest.json and the reports"):
        load_run(tmp_path)


def test_an_outdir_that_cannot_be_written_to_is_an_error_and_leaves_nothing(analysis: Analysis, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OSError, match="file"):
        write_run(analysis, tmp_path / "file" / "runs")
    assert (tmp_path / "file").read_text() == "x"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_outdir_is_an_error_and_leaves_nothing(analysis: Analysis, tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir(mode=0o555)
    with pytest.raises(PermissionError):
        write_run(analysis, tmp_path / "runs")
    assert list((tmp_path / "runs").iterdir()) == []


def test_a_disk_that_fails_half_way_leaves_nothing_behind(
    analysis: Analysis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.fsync
    calls = []

    def full(handle: int) -> None:
        calls.append(handle)
        if len(calls) == 5:
            raise OSError(28, "No space left on device")
        real(handle)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_run(analysis, tmp_path / "runs")
    assert list((tmp_path / "runs").iterdir()) == []


def test_a_report_that_cannot_be_made_leaves_nothing_behind(
    analysis: Analysis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "runs" / "kept").mkdir(parents=True)
    monkeypatch.setattr(writing, "executive_summary", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_run(analysis, tmp_path / "runs")
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["kept"]


def test_the_summary_says_the_verdict_first_and_shows_names_as_text(analysis: Analysis, tmp_path: Path) -> None:
    text = (write_run(analysis, tmp_path) / "executive-summary.md").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line]
    assert lines[0] == "# Executive summary: org-health"
    assert re.search("(is|was) breached", lines[1])
    assert "<script>" not in text
    assert "Breached: 1. At risk: 0. Unknown: 0." in text


def test_as_of_judges_what_was_known_then(root: RootBuilder) -> None:
    root.add(series("a", "health_score", [90] * 20 + [10] * 20))
    org = root.load()
    assert analyze(org, "2026-01-20T00:00:00Z").health.aggregate_score == 90.0
    assert analyze(org, T0 + 39 * DAILY).health.aggregate_score == 10.0
    with pytest.raises(InputError, match="as_of: '2026-01-20T00:00:00' has no time zone"):
        analyze(org, "2026-01-20T00:00:00")


def test_each_step_is_told_before_it_begins(root: RootBuilder) -> None:
    told: list[str] = []
    analyze(root.add(series("a", "health_score", [90] * 9)).load(), on_step=told.append)
    assert told == list(STEPS)


@pytest.mark.parametrize("value", ["soon", "1.5", "-5", "99999999999999999999", "١٢٣"])
def test_a_pinned_time_that_is_no_number_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", value)
    with pytest.raises(ConfigError, match="SOURCE_DATE_EPOCH .*: a whole number of seconds since 1970 is allowed"):
        now()


SCRIPT = """
import sys
from tars_lib.pipeline import analyze, write_run
from tars_lib.pipeline.loading import load_org
write_run(analyze(load_org(sys.argv[1]), "2026-03-31T00:00:00Z"), sys.argv[2], timestamp="20260105-143000")
"""


def test_the_same_input_gives_the_same_bytes_in_any_process(
    analysis: Analysis, root: RootBuilder, tmp_path: Path
) -> None:
    contents = []
    for seed in ("0", "1"):
        out = tmp_path / f"out-{seed}"
        environment = os.environ | {
            "PYTHONHASHSEED": seed,
            "SOURCE_DATE_EPOCH": "1780000000",
            "TZ": "Asia/Kathmandu" if seed == "1" else "UTC",
        }
        subprocess.run(
            [sys.executable, "-W", "error", "-c", SCRIPT, str(root.folder), str(out)],
            check=True,
            env=environment,
            timeout=120,
        )
        contents.append({path.name: path.read_bytes() for path in (out / f"tars-run-{STAMPED}").iterdir()})
    assert set(contents[0]) == FILES
    assert contents[0] == contents[1]


def test_only_generated_at_depends_on_the_clock(
    analysis: Analysis, root: RootBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tars_lib.files.json_records import to_json

    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1790000000")
    later = root.analyze()
    for name in STEPS:
        one, other = getattr(analysis, name), getattr(later, name)
        first, second = to_json(one), to_json(other)
        assert isinstance(first, dict)
        assert isinstance(second, dict)
        assert first.pop("generated_at") != second.pop("generated_at")
        assert first == second


def test_a_run_is_named_as_its_directory_in_every_file_that_names_it(analysis: Analysis, tmp_path: Path) -> None:
    run = write_run(analysis, tmp_path, timestamp=STAMPED)
    assert load_run(run).run_id == run.name
    assert json.loads((run / "manifest.json").read_bytes())["run_id"] == run.name


def test_a_run_whose_name_was_taken_is_named_with_its_suffix(analysis: Analysis, tmp_path: Path) -> None:
    for name in (f"tars-run-{STAMPED}", f"tars-run-{STAMPED}-2"):
        run = load_run(write_run(analysis, tmp_path, timestamp=STAMPED))
        assert (run.directory.name, run.run_id) == (name, name)
        assert json.loads((run.directory / "manifest.json").read_bytes())["run_id"] == name
    assert not list(tmp_path.glob(".*")), "nothing is left beside"


def test_many_that_finish_at_once_each_get_a_name_and_are_named_so(analysis: Analysis, tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        places = list(pool.map(lambda _: write_run(analysis, tmp_path, timestamp=STAMPED), range(8)))
    assert len(set(places)) == 8
    assert [load_run(place).run_id for place in places] == [place.name for place in places]


def test_a_run_names_its_root_as_it_was_given_and_none_where_nobody_did(analysis: Analysis, tmp_path: Path) -> None:
    assert load_run(write_run(analysis, tmp_path / "a", root="../org health")).status.root == "../org health"
    assert load_run(write_run(analysis, tmp_path / "b")).status.root is None
