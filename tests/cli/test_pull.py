"""`tars pull` and `tars run --pull`: what they print, which code they end with, and that nothing is judged on old data."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result
from servers import scripted

from tars_lib.cli.data import pull as module
from tars_lib.cli.main import cli

NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root beside a lake with a score an hour of the last days."""
    times = [NOW - timedelta(hours=hour) for hour in range(1, 101)]
    lake = tmp_path / "lake"
    lake.mkdir()
    rows = {"timestamp": times, "repo": ["web"] * 100, "metric": ["health_score"] * 100, "value": [90.0] * 100}
    pq.write_table(pa.table(rows), lake / "part.parquet")
    root = tmp_path / "org-health"
    root.mkdir()
    (root / "sources.yaml").write_text("sources:\n  - {name: lake, kind: parquet, url: ../lake}\n", encoding="utf-8")
    return root


def tars(*words: object) -> Result:
    return CliRunner().invoke(cli, [str(word) for word in words])


def test_a_pull_says_what_came(root: Path) -> None:
    done = tars("pull", "--root", root)
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.startswith("lake: 100 samples of 1 series from ")
    done = tars("pull", "--root", root, "--since", (NOW - timedelta(hours=24)).isoformat())
    assert "24 samples of 1 series" in done.stdout
    assert "76 earlier samples kept" in done.stdout


def test_a_check_says_what_would_come(root: Path) -> None:
    done = tars("pull", "--root", root, "--check", "--source", "lake")
    assert (done.exit_code, done.stdout) == (0, "lake: reached; would give 100 samples, 1 series\n")
    assert sorted(path.name for path in root.iterdir()) == ["sources.yaml"]


def test_a_source_that_fails_is_95_and_one_line(root: Path) -> None:
    text = (root / "sources.yaml").read_text(encoding="utf-8")
    (root / "sources.yaml").write_text(text + "  - {name: gone, kind: parquet, url: ../gone}\n", encoding="utf-8")
    done = tars("pull", "--root", root)
    assert done.exit_code == 95
    assert done.stdout.startswith("lake: 100 samples")
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: source gone: ../gone: ")
    assert tars("pull", "--root", root, "--source", "lake").exit_code == 0


def test_a_file_that_is_not_acceptable_is_94(root: Path) -> None:
    (root / "sources.yaml").write_text("sources: [{name: x, kind: csv}]", encoding="utf-8")
    done = tars("pull", "--root", root)
    assert done.exit_code == 94
    assert "sources.0.kind: unknown kind ('csv' was given); allowed: alertmanager" in done.stderr
    assert tars("pull", "--root", root, "--since", "soon").exit_code == 95


def test_a_run_may_pull_first(root: Path, tmp_path: Path) -> None:
    done = tars("run", "--pull", "--root", root, "--outdir", tmp_path / "runs")
    assert "lake: 100 samples of 1 series" in done.stderr
    assert "run: " in done.stdout
    assert len(list((tmp_path / "runs").iterdir())) == 1


def test_a_run_that_only_looks_pulls_nothing(root: Path, tmp_path: Path) -> None:
    assert tars("pull", "--root", root).exit_code == 0
    before = (root / "pulled.json").read_bytes()
    done = tars("run", "--pull", "--dry-run", "--root", root, "--outdir", tmp_path / "runs")
    assert done.exit_code == 0
    assert "would give 100 samples" in done.stderr
    assert (root / "pulled.json").read_bytes() == before


def test_nothing_is_judged_where_a_source_failed(root: Path, tmp_path: Path) -> None:
    assert tars("pull", "--root", root).exit_code == 0
    for part in (tmp_path / "lake").iterdir():
        part.unlink()
    done = tars("run", "--pull", "--root", root, "--outdir", tmp_path / "runs")
    assert done.exit_code == 95
    assert "nothing was judged, tars run without --pull judges what is there" in done.stderr
    assert not (tmp_path / "runs").exists()


def test_the_bar_counts_on_a_terminal_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with module._bar(quiet=False) as tell:
        tell("lake", 1, 3)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with module._bar(quiet=False) as tell:
        tell("lake", 1, 3)
        tell("lake", 3, 3)
    assert "lake" in capsys.readouterr().err


def test_every_option_changes_something(root: Path, tmp_path: Path) -> None:
    shutil.copytree(root, tmp_path / "other")
    for part in (tmp_path / "lake").iterdir():
        table = pq.read_table(part)
    pq.write_table(table.slice(0, 7), tmp_path / "few.parquet")
    few = (root / "sources.yaml").read_text(encoding="utf-8").replace("../lake", "../few.parquet")
    (tmp_path / "other" / "sources.yaml").write_text(few, encoding="utf-8")
    two = (root / "sources.yaml").read_text(encoding="utf-8") + few.partition("\n")[2].replace(
        "name: lake", "name: few"
    )
    (root / "sources.yaml").write_text(two, encoding="utf-8")
    half = (NOW - timedelta(hours=50)).isoformat()

    def seen(*words: object) -> tuple[int, str, str, bool]:
        done = tars("pull", *words)
        made = (root / "history").exists() or (tmp_path / "other" / "history").exists()
        for folder in (root, tmp_path / "other"):
            shutil.rmtree(folder / "history", ignore_errors=True)
            (folder / "pulled.json").unlink(missing_ok=True)
        return done.exit_code, done.stdout, done.stderr, made

    base = ("--root", root)
    assert seen(*base) == seen(*base), "the comparison is of no use where the same call differs"
    changed = [
        ("--root", tmp_path / "other"),
        (*base, "--since", half),
        (*base, "--until", half),
        (*base, "--source", "few"),
        (*base, "--check"),
        (*base, "--quiet"),
    ]
    answers = [seen(*base), *(seen(*words) for words in changed)]
    assert len({answer[1:] for answer in answers}) == len(answers)
    (root / "sources.yaml").write_text("sources: 3", encoding="utf-8")
    assert "Traceback" in tars("pull", *base, "--verbose").stderr
    assert "Traceback" not in tars("pull", *base).stderr


def test_every_option_is_among_them() -> None:
    named = {option.opts[0] for option in module.pull.params}
    assert named == {"--root", "--since", "--until", "--source", "--check", "--quiet", "--verbose"}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signal")
def test_a_termination_ends_a_pull_that_waits_for_a_silent_server(root: Path) -> None:
    over = threading.Event()
    with scripted(lambda connection: over.wait(30)) as server:
        source = f"{{name: p, kind: prometheus, url: '{server.url}', step: 1h, metrics: {{load: {{query: up}}}}}}"
        (root / "sources.yaml").write_text(f"sources: [{source}]", encoding="utf-8")
        words = [sys.executable, "-m", "tars_lib.cli.main", "pull", "--root", str(root)]
        process = subprocess.Popen(words, stderr=subprocess.PIPE)
        end = time.monotonic() + 20
        while not server.asked and time.monotonic() < end:
            time.sleep(0.02)
        process.terminate()
        assert process.wait(10) == 143
        over.set()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()
    assert {path.name for path in root.rglob("*") if path.is_file()} <= {".pull.lock", "sources.yaml"}
