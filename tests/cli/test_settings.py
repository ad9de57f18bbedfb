"""`tars.toml` and `[tool.tars]`: command line before environment before file, the nearest file, one line for what is wrong."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from warm import COLD

from tars_lib.cli.main import cli
from tars_lib.cli.shared.settings import SETTINGS
from tars_lib.sources.demo import demo_root

ROWS = "timestamp,repo,metric,value\n" + "".join(
    f"2026-01-{day:02d}T00:00:00,web,health_score,{60 + day}\n" for day in range(1, 29)
)
Call = Callable[..., Result]


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with two roots and a folder in it, which is the current one."""
    for setting in SETTINGS.values():
        monkeypatch.delenv(setting.variable, raising=False)
    (tmp_path / ".git").mkdir()
    (tmp_path / "sub" / "deep").mkdir(parents=True)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "history.csv").write_text(ROWS.replace("00:00,", "00:00Z,"), encoding="utf-8")
    (tmp_path / "naive").mkdir()
    (tmp_path / "naive" / "history.csv").write_text(ROWS, encoding="utf-8")
    monkeypatch.chdir(tmp_path / "sub")
    return tmp_path


def call(*words: str) -> Result:
    return CliRunner().invoke(cli, words)


def test_command_line_goes_before_environment_and_that_before_the_file(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert call("validate").exit_code == 2
    (repo / "tars.toml").write_text('root = "one"\n', encoding="utf-8")
    assert call("validate").stdout.splitlines()[-1].startswith(str(Path("..") / "one: accepted"))
    monkeypatch.setenv("TARS_ROOT", str(repo / "two"))
    assert call("validate").stdout.splitlines()[-1].startswith(str(repo / "two: accepted"))
    assert call("validate", str(repo / "one")).stdout.splitlines()[-1].startswith(str(repo / "one: accepted"))


@pytest.mark.parametrize("command", ["validate", "run --dry-run", "health", "export openslo"])
def test_a_root_is_the_default_of_every_command_that_needs_one(command: str, repo: Path) -> None:
    assert call(*command.split()).exit_code == 2
    (repo / "tars.toml").write_text('root = "one"\n', encoding="utf-8")
    assert call(*command.split()).exit_code == 0


def test_a_root_of_the_file_gives_way_to_a_run(repo: Path) -> None:
    (repo / "tars.toml").write_text('root = "one"\nassume-tz = "Europe/Berlin"\n', encoding="utf-8")
    run = call("run", "--quiet", "--print-paths", "--outdir", "runs").stdout.splitlines()[0]
    assert call("export", "openslo", "--run", str(Path(run).parent)).exit_code == 0
    assert call("export", "openslo", "--run", str(Path(run).parent), "--root", "x").exit_code == 2


def test_the_zone_of_times_without_one(repo: Path) -> None:
    assert call("validate", str(repo / "naive")).exit_code == 95
    (repo / "tars.toml").write_text('assume-tz = "Europe/Berlin"\n', encoding="utf-8")
    assert call("validate", str(repo / "naive")).exit_code == 0


def test_incidents_actor_and_the_readers_zone(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (repo / "tars.toml").write_text('incidents-dir = "kept"\nactor = "ada"\ntz = "Asia/Kathmandu"\n', encoding="utf-8")
    done = call("incident", "open", "--severity", "SEV-2", "--title", "Slow")
    assert done.exit_code == 0, done.output
    (incident,) = [path for path in (repo / "kept").iterdir() if path.name.startswith("INC-")]
    shown = call("incident", "timeline", incident.name).stdout
    assert "ada" in shown
    assert "Kathmandu" in shown or "+05:45" in shown or "+0545" in shown
    monkeypatch.setenv("TARS_ACTOR", "bob")
    call("incident", "note", incident.name, "seen")
    assert "bob" in call("incident", "timeline", incident.name).stdout


def test_the_environment_is_left_as_it_was(repo: Path) -> None:
    (repo / "tars.toml").write_text('actor = "ada"\nscheduler = "processes:2"\n', encoding="utf-8")
    seen: list[str | None] = []

    @click.command("peek")
    def peek() -> None:
        import os

        seen.extend(os.environ.get(name) for name in ("TARS_ACTOR", "TARS_SCHEDULER"))

    from tars_lib.cli.shared.settings import use_settings

    with click.Context(cli) as context:
        use_settings(context, "peek", peek)
        peek.callback()  # type: ignore[misc]
    import os

    assert seen == ["ada", "processes:2"]
    assert not {"TARS_ACTOR", "TARS_SCHEDULER"} & set(os.environ)


def test_the_nearest_file_counts_up_to_the_repository(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (repo.parent / "tars.toml").write_text("wrong = 1\n", encoding="utf-8")
    (repo / "pyproject.toml").write_text('[project]\nname = "x"\n[tool.tars]\nroot = "one"\n', encoding="utf-8")
    assert call("validate").stdout.splitlines()[-1].startswith(str(Path("..") / "one: accepted"))
    (repo / "tars.toml").write_text('root = "two"\n', encoding="utf-8")
    assert call("validate").stdout.splitlines()[-1].startswith(str(Path("..") / "two: accepted"))
    (repo / "sub" / "tars.toml").write_text('root = "../naive"\n', encoding="utf-8")
    assert call("validate").exit_code == 95
    monkeypatch.chdir(repo / "sub" / "deep")
    assert call("validate").exit_code == 95
    # without a repository above nothing above is looked at
    shutil.rmtree(repo / ".git")
    assert call("validate").exit_code == 2
    (repo.parent / "tars.toml").unlink()


def test_a_project_file_of_others_is_not_judged(repo: Path) -> None:
    (repo / "sub" / "pyproject.toml").write_text("[tool.other]\nnot toml at all = = =\n", encoding="utf-8")
    assert call("validate", str(repo / "one")).exit_code == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rot = 'x'\n", "unknown key 'rot'; allowed: root, incidents-dir, actor, assume-tz, tz, scheduler"),
        ("root = 3\n", "root: text in quotes is needed ('3' was given)"),
        ("root = ''\n", "root: text in quotes is needed"),
        ("[run]\nroot = 'x'\n", "unknown key 'run'"),
        ("root = \n", "not valid TOML"),
        ("root = 'a\udcff'\n", "not valid TOML"),
    ],
)
def test_what_is_wrong_is_one_line_with_the_file(text: str, said: str, repo: Path) -> None:
    (repo / "tars.toml").write_text(text, encoding="utf-8", errors="surrogateescape")
    done = call("run", "--root", "x")
    assert (done.exit_code, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: {Path('..') / 'tars.toml'}: ")
    assert said in line
    assert call("run", "--help").exit_code == 0


def test_an_error_names_the_file_that_a_value_came_from(repo: Path) -> None:
    origin = Path("..") / "tars.toml"
    (repo / "tars.toml").write_text('root = "gone"\nassume-tz = "Mars/Base"\n', encoding="utf-8")
    assert call("run").stderr.endswith(f"an org-health folder is needed (root is from {origin})\n")
    assert f"(assume-tz is from {origin})" in call("run", "--root", str(repo / "one")).stderr
    assert "is from" not in call("run", "--root", "nowhere", "--assume-tz", "UTC").stderr
    (repo / "tars.toml").write_text('incidents-dir = "one/history.csv"\n', encoding="utf-8")
    assert f"(incidents-dir is from {origin})" in call("incident", "status", "INC-202601011200").stderr
    typed = ("--incidents-dir", str(Path("..") / "one" / "history.csv"))
    assert "is from" not in call("incident", "status", "INC-202601011200", *typed).stderr


def test_the_playbooks_own_commands_read_no_file(repo: Path) -> None:
    (repo / "sub" / "tars.toml").write_text("wrong = 1\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "analytics.run_org_health", "--root-dir", str(demo_root()), "--summary-only"],
        capture_output=True,
        text=True,
        check=False,
        cwd=repo / "sub",
    )
    assert done.returncode == 92, done.stderr


def test_help_loads_no_reader_of_toml() -> None:
    code = (
        "import sys; from tars_lib.cli.main import cli; cli.main(['--help'], standalone_mode=False); "
        "print([name for name in ('tomllib', 'numpy', 'yaml') if name in sys.modules])"
    )
    done = subprocess.run([COLD, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_every_key_is_told_by_the_help() -> None:
    said = " ".join(call("--full").stdout.split())
    assert all(key in said for key in SETTINGS)
