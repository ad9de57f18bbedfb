"""`tars run` as a user runs it: a real process, its exit code, what it prints and what it leaves behind."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from contract.workspaces import cascade
from warm import COLD

from tars_lib.cli.main import commands
from tars_lib.findings.exit_codes import EXIT_CODES
from tars_lib.sources.demo import demo_root


def tars(*args: object, cwd: Path, python: str | None = None, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the command; the terminal's own settings do not reach it."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("TARS_") and k != "SOURCE_DATE_EPOCH"}
    return subprocess.run(
        [python or sys.executable, "-m", "tars_lib.cli.main", *map(str, args)],
        cwd=cwd,
        env=clean | env,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return Path(shutil.copytree(demo_root(), tmp_path / "org-health"))


def test_a_breach_gives_142_and_a_whole_run_directory(root: Path, tmp_path: Path) -> None:
    words = ("run", "--root", root, "--outdir", "runs", "--timestamp", "20260105-143000", "--print-paths")
    done = tars(*words, cwd=tmp_path)
    assert done.returncode == 142
    run = tmp_path / "runs" / "tars-run-20260105-143000"
    names = {path.name for path in run.iterdir()}
    assert names == {
        "org-health-report.json",
        "org-health-report.history.parquet",
        "org-alerts.json",
        "trend-correlation-report.json",
        "temporal-intelligence-report.json",
        "sla-intelligence-report.json",
        "incident-context.json",
        "executive-summary.md",
        "status.json",
        "manifest.json",
    }
    assert {Path(line).name for line in done.stdout.splitlines()} >= names
    status = json.loads((run / "status.json").read_text(encoding="utf-8"))
    assert (status["exit_code"], status["finding"], status["severity"]) == (142, "SLA_BREACH", "SEV-1")
    context = json.loads((run / "incident-context.json").read_text(encoding="utf-8"))
    assert context["sla_intelligence"]["breaches"][0]["root_causes"][0]["repo"] == "ledger"
    assert [path.name for path in (tmp_path / "runs").iterdir()] == [run.name]


def test_the_playbooks_script_does_the_same(root: Path, tmp_path: Path) -> None:
    script = Path(__file__).resolve().parents[2] / "scripts" / "run_full_org_governance_pipeline.py"
    done = subprocess.run(
        [sys.executable, str(script), "--root", str(root), "--outdir", str(tmp_path / "INC-1"), "--print-paths"],
        cwd=tmp_path, capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert done.returncode == 142
    assert len(list((tmp_path / "INC-1").glob("tars-run-*"))) == 1


def test_two_runs_of_one_time_do_not_overwrite_each_other(root: Path, tmp_path: Path) -> None:
    for _ in range(2):
        tars("run", "--root", root, "--outdir", "runs", "--timestamp", "20260105-143000", cwd=tmp_path)
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == [
        "tars-run-20260105-143000",
        "tars-run-20260105-143000-2",
    ]


def test_same_input_gives_the_same_bytes(root: Path, tmp_path: Path) -> None:
    runs = []
    # a fork has the seed of hashes that the session drew, and relations from memory; the other one computes them
    for name, around in (("a", {"TZ": "Asia/Kathmandu"}), ("b", {"TZ": "UTC", "PYTHONHASHSEED": "2"})):
        done = tars(
            "run", "--root", root, "--outdir", name, "--timestamp", "20260105-143000", cwd=tmp_path,
            SOURCE_DATE_EPOCH="1767620000", **around,
        )  # fmt: skip
        assert done.returncode == 142
        folder = tmp_path / name / "tars-run-20260105-143000"
        runs.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert runs[0] == runs[1]


def test_an_empty_root_gives_93_and_one_line(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = tars("run", "--root", "empty", "--outdir", "runs", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (93, "")
    assert done.stderr.count("\n") == 1
    assert "no service found" in done.stderr
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("spoil", "code", "says"),
    [
        ({"org.yaml": "repos: {web: {nmae: x}}"}, 94, "nmae"),
        (
            {"sla-policies.yaml": "policies: [{sla_id: a, sla_type: b, metric: latency, objective: fast}]"},
            94,
            "objective",
        ),
        ({"events.csv": "timestamp,repo,kind,title\n2026-01-01T00:00:00,web,deploy,x\n"}, 95, "events.csv, row 2"),
        (
            {"history.csv": "timestamp,repo,metric,value\n2026-01-01T00:00:00Z,web,latency,quick\n"},
            95,
            "history.csv, row 2",
        ),
    ],
)
def test_refused_input_names_the_place_and_leaves_nothing(
    root: Path, tmp_path: Path, spoil: dict[str, str], code: int, says: str
) -> None:
    for name, text in spoil.items():
        (root / name).write_text(text, encoding="utf-8")
    done = tars("run", "--root", root, "--outdir", "runs", cwd=tmp_path)
    assert done.returncode == code
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "runs").exists()


def test_an_unwritable_outdir_gives_1_and_one_line(root: Path, tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file stands here", encoding="utf-8")
    done = tars("run", "--root", root, "--outdir", "runs", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith(("error: runs", "WARNING"))
    assert (tmp_path / "runs").read_text(encoding="utf-8") == "a file stands here"


def test_dry_run_writes_nothing(root: Path, tmp_path: Path) -> None:
    done = tars("run", "--root", root, "--outdir", "runs", "--dry-run", cwd=tmp_path)
    assert done.returncode == 0
    assert "12 services" in done.stdout
    assert not (tmp_path / "runs").exists()


def test_debug_logging_goes_to_stderr_and_says_what_was_read_and_decided(root: Path, tmp_path: Path) -> None:
    done = tars("run", "--root", root, "--outdir", "runs", cwd=tmp_path, TARS_LOG_LEVEL="DEBUG")
    assert "history.parquet" in done.stderr
    assert "sla availability: BREACHED" in done.stderr
    assert "DEBUG" not in done.stdout


def test_as_of_judges_what_was_known_then(root: Path, tmp_path: Path) -> None:
    done = tars("run", "--root", root, "--outdir", "runs", "--as-of", "2026-11-02T06:00:00Z", cwd=tmp_path)
    assert done.returncode in (0, 91, 92, 141)
    assert "none is breached" in done.stdout
    late = tars("run", "--root", root, "--outdir", "runs", "--as-of", "2020-01-01T00:00:00Z", cwd=tmp_path)
    assert late.returncode == 95
    assert "before the first sample" in late.stderr


def test_what_cannot_be_judged_is_no_all_clear(tmp_path: Path) -> None:
    root = tmp_path / "org-health"
    root.mkdir()
    (root / "history.csv").write_text("timestamp,repo,metric,value\n2026-01-05T00:00:00Z,web,health_score,\n")
    (tmp_path / "policy.yaml").write_text("fail_on: {codes: [142]}\n")
    for words, code in ((), 96), (("--exit-policy", "policy.yaml"), 96), (("--exit-zero",), 0):
        assert tars("run", "--root", root, "--outdir", "runs", *words, cwd=tmp_path).returncode == code, words
    report = tars("health", "--root-dir", root, "--output", "report.json", cwd=tmp_path)
    sla = tars("sla", "--org-report", "report.json", cwd=tmp_path)
    assert (report.returncode, sla.returncode) == (96, 96)


def test_exit_zero_keeps_errors(root: Path, tmp_path: Path) -> None:
    assert tars("run", "--root", root, "--outdir", "runs", "--exit-zero", cwd=tmp_path).returncode == 0
    assert tars("run", "--root", "nowhere", "--exit-zero", cwd=tmp_path).returncode == 95


def test_a_wrong_option_gives_2(tmp_path: Path) -> None:
    assert tars("run", "--rot", "x", cwd=tmp_path).returncode == 2


@pytest.mark.parametrize("command", [(), *((name,) for name in commands()), ("bundle", "create"), ("bundle", "verify")])
def test_every_command_has_help_with_an_example(command: tuple[str, ...], tmp_path: Path) -> None:
    done = tars(*command, "--help", cwd=tmp_path)
    assert done.returncode == 0
    assert "Example: tars" in done.stdout


def test_the_command_line_starts_without_the_heavy_libraries() -> None:
    code = (
        "import sys; import tars_lib.cli.main as m; m.cli.get_command(None, 'run');"
        "print([n for n in ('numpy', 'pandas', 'scipy', 'pyarrow', 'pydantic', 'yaml', 'matplotlib') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_run_and_an_answer_load_no_library_that_they_do_not_need(tmp_path: Path) -> None:
    heavy = "('pandas', 'pyarrow.compute', 'scipy.stats', 'matplotlib', 'networkx', 'jinja2', *unneeded)"
    code = (
        "import sys; from click.testing import CliRunner; from tars_lib.cli.main import cli\n"
        "unneeded, *words = sys.argv[1:]; unneeded = unneeded.split(','); done = CliRunner().invoke(cli, words)\n"
        f"print([name for name in {heavy} if name in sys.modules],"
        " done.output[-300:] if done.exit_code not in (0, 121, 122, 142) else '')"
    )

    def loaded(unneeded: str, *words: str) -> str:
        command = [sys.executable, "-c", code, unneeded, *words]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout.strip()

    root = cascade(tmp_path / "org-health")
    assert loaded("papermill", "run", "--root", str(root), "--outdir", "runs", "--quiet") == "[]"
    (report,) = tmp_path.glob("runs/tars-run-*/org-health-report.json")
    assert loaded("pydantic,yaml", "correlation", "--org-report", str(report), "--json") == "[]"


def test_every_code_returned_here_is_in_the_table() -> None:
    assert {0, 1, 2, 91, 92, 93, 94, 95, 141, 142, 199} <= set(EXIT_CODES)


def test_health_by_the_playbooks_name_prints_one_document_and_writes_a_report_that_loads(
    root: Path, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "analytics.run_org_health", "--root-dir", str(root), "--json", "--output", "h.json"],
        cwd=tmp_path, capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert done.returncode == 92
    assert json.loads(done.stdout)["risk_tier"] == "CRITICAL"
    assert (tmp_path / "h.history.parquet").is_file()


def test_an_error_with_json_is_a_document_and_a_sentence(tmp_path: Path) -> None:
    done = tars("health", "--root-dir", "nowhere", "--json", cwd=tmp_path)
    assert done.returncode == 95
    assert json.loads(done.stdout)["exit_code"] == 95
    assert "nowhere" in done.stderr


@pytest.mark.parametrize(("value", "code"), [("soon", 94), ("-5", 94), ("9" * 17, 94), ("", 142)])
def test_a_pinned_time_that_is_none_is_refused_before_a_library_trips_over_it(
    value: str, code: int, tmp_path: Path
) -> None:
    """With a cold start: numpy reads the variable when it is imported."""
    words = ("run", "--root", demo_root(), "--outdir", "runs", "--quiet")
    done = tars(*words, cwd=tmp_path, python=COLD if code == 94 else None, SOURCE_DATE_EPOCH=value)
    assert done.returncode == code, done.stderr
    if code == 94:
        assert done.stderr == f"error: SOURCE_DATE_EPOCH {value!r}: a whole number of seconds since 1970 is allowed\n"
        assert list(tmp_path.iterdir()) == []


def test_a_pinned_time_that_is_none_keeps_nobody_from_opening_an_incident(tmp_path: Path) -> None:
    words = ("incident", "open", "--severity", "sev-2", "--title", "Slow")
    done = tars(*words, cwd=tmp_path, SOURCE_DATE_EPOCH="soon")
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "incidents").iterdir())) == 1
