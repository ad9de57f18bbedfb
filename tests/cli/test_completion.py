"""`tars completion`: scripts that their shells take, and Tab that offers commands, options and values."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from tars_lib.cli.main import cli

SHELLS = ("bash", "zsh", "fish")


def script(shell: str) -> str:
    done = CliRunner().invoke(cli, ["completion", shell])
    assert done.exit_code == 0
    return done.stdout


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_takes_its_script(shell: str, tmp_path: Path) -> None:
    text = script(shell)
    assert "_TARS_COMPLETE" in text
    assert "%(" not in text
    program = shutil.which(shell)
    if program is None or os.name == "nt":
        pytest.skip(f"{shell} is not installed")
    file = tmp_path / "completion"
    file.write_text(text, encoding="utf-8")
    done = subprocess.run([program, "-n", str(file)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(shutil.which("bash") is None or os.name == "nt", reason="bash is not installed")
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("tars val", ["validate"]),
        ("tars export op", ["openmetrics", "openslo"]),
        ("tars run --out", ["--outdir"]),
        ("tars completion z", ["zsh"]),
    ],
)
def test_tab_in_bash_offers_what_fits(words: str, offered: list[str], tmp_path: Path) -> None:
    listed = words.split()
    (tmp_path / "tars").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m tars_lib.cli.main "$@"\n', encoding="utf-8")
    (tmp_path / "tars").chmod(0o755)
    (tmp_path / "completion").write_text(script("bash"), encoding="utf-8")
    named = re.search(r"complete -o nosort -F (\w+) tars", script("bash"))
    assert named is not None
    typed = " ".join(listed)
    code = (
        f"source {tmp_path / 'completion'}; COMP_WORDS=({typed}); COMP_CWORD={len(listed) - 1}; "
        f'{named[1]} tars "" ""; printf "%s\\n" "${{COMPREPLY[@]}}"'
    )
    env = os.environ | {"PATH": os.pathsep.join((str(tmp_path), os.environ["PATH"]))}
    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=False, env=env)
    assert done.stdout.split() == offered, done.stderr


def test_another_shell_is_refused() -> None:
    done = CliRunner().invoke(cli, ["completion", "tcsh"])
    assert done.exit_code == 2
    assert "'bash', 'zsh', 'fish'" in done.stderr
