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


def typed_in(shell: str, words: list[str], file: Path) -> str:
    """Code that loads a script in its shell and prints what Tab offers after words."""
    typed, number = " ".join(words), len(words)
    if shell == "fish":
        return f"source {file}; complete -C '{typed}'"
    if shell == "zsh":
        # what zsh itself would show is printed
        load = f"autoload -Uz compinit; compinit -D; source {file}"
        shows = "_describe() { print -rl -- ${${(P)3}%%:*} }; compadd() { print -rl -- ${(P)@[-1]} }"
        return f"{load}; {shows}; words=({typed}); CURRENT={number}; _tars_completion"
    named = re.search(r"complete -o nosort -F (\w+) tars", script("bash"))
    assert named is not None
    return (
        f"source {file}; COMP_WORDS=({typed}); COMP_CWORD={number - 1}; "
        f'{named[1]} tars "" ""; printf "%s\\n" "${{COMPREPLY[@]}}"'
    )


@pytest.mark.parametrize("shell", SHELLS)
def test_tab_offers_what_fits(shell: str, tmp_path: Path) -> None:
    if shutil.which(shell) is None or os.name == "nt":
        pytest.skip(f"{shell} is not installed")
    (tmp_path / "tars").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m tars_lib.cli.main "$@"\n', encoding="utf-8")
    (tmp_path / "tars").chmod(0o755)
    file = tmp_path / "completion"
    file.write_text(script(shell), encoding="utf-8")
    env = os.environ | {"PATH": os.pathsep.join((str(tmp_path), os.environ["PATH"])), "HOME": str(tmp_path)}
    plain = {"bash": ["--norc"], "zsh": ["-f"], "fish": ["--no-config"]}[shell]
    for words, offered in {
        "tars export op": ["openmetrics", "openslo"],
        "tars run --out": ["--outdir"],
    }.items():
        code = typed_in(shell, words.split(), file)
        done = subprocess.run([shell, *plain, "-c", code], capture_output=True, text=True, check=False, env=env)
        assert [line.split("\t")[0] for line in done.stdout.splitlines()] == offered, done.stderr


def test_another_shell_is_refused() -> None:
    done = CliRunner().invoke(cli, ["completion", "tcsh"])
    assert done.exit_code == 2
    assert "'bash', 'zsh', 'fish'" in done.stderr
