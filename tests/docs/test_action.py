"""The composite action: its steps as a runner would take them, with the command of this tree; and the image's definition."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tars_lib.sources.demo import demo_root

ROOT = Path(__file__).resolve().parents[2]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]
needs_bash = pytest.mark.skipif(shutil.which("bash") is None or os.name == "nt", reason="bash on Unix runs the steps")


class Runner:
    """As much of GitHub's runner as the steps need: inputs, outputs of steps, conditions on them."""

    def __init__(self, folder: Path, **inputs: str) -> None:
        self.folder = folder
        self.inputs = {name: str(given.get("default", "")) for name, given in ACTION["inputs"].items()} | inputs
        self.said = ""
        tars = folder / "tars"
        tars.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m tars_lib.cli.main "$@"\n', encoding="utf-8")
        tars.chmod(0o755)
        self.outputs: dict[str, dict[str, str]] = {"install": {"tars": str(tars)}}

    def fill(self, text: str) -> str:
        """Put values in place of expressions."""

        def value(found: re.Match[str]) -> str:
            kind, *path = found[1].strip().split(".")
            if kind == "inputs":
                return self.inputs[path[0]]
            assert (kind, path[1]) == ("steps", "outputs"), found[0]
            return self.outputs[path[0]].get(path[2], "")

        return re.sub(r"\$\{\{(.*?)\}\}", value, text)

    def is_asked_for(self, step: dict[str, Any]) -> bool:
        """Whether the condition of a step holds; those here compare with the empty text."""
        for name, sign in re.findall(r"([\w.-]+) (==|!=) ''", step.get("if", "")):
            if (self.fill("${{ " + name + " }}") == "") != (sign == "=="):
                return False
        return True

    def run(self) -> int:
        """Run the steps of shell after the installation; the code of the first that fails."""
        for step in STEPS:
            if "run" not in step or step.get("id") == "install" or not self.is_asked_for(step):
                continue
            output = self.folder / "output.txt"
            output.write_text("", encoding="utf-8")
            env = {key: value for key, value in os.environ.items() if not key.startswith(("TARS_", "GITHUB_"))}
            env |= {name: self.fill(text) for name, text in step["env"].items()}
            env |= {"GITHUB_OUTPUT": str(output), "RUNNER_TEMP": str(self.folder), "PYTHONPATH": str(ROOT)}
            env |= {"GITHUB_STEP_SUMMARY": str(self.folder / "summary.md")}
            # as GitHub starts `shell: bash`
            done = subprocess.run(
                ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
                cwd=self.folder,
                env=env,
                capture_output=True,
                text=True,
                encoding="utf-8",
                check=False,
            )
            self.said += done.stdout + done.stderr
            if "id" in step:
                found = (line.partition("=") for line in output.read_text(encoding="utf-8").splitlines())
                self.outputs[step["id"]] = {name: value for name, _, value in found}
            if done.returncode:
                return done.returncode
        return 0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(demo_root(), tmp_path / "org health")
    return tmp_path


@pytest.mark.slow
@needs_bash
def test_a_breach_fails_the_build_after_its_page_is_written(folder: Path) -> None:
    runner = Runner(folder, root="org health", outdir="out put", formats="html")
    assert runner.run() == 142, runner.said
    judged = runner.outputs["judge"]
    assert judged["exit-code"] == "142"
    assert (folder / judged["run"] / "status.json").is_file()
    assert (folder / "out put" / "pages" / "executive_summary.html").is_file()
    assert "| Build | fails (142)" in (folder / "summary.md").read_text(encoding="utf-8")
    assert "<failure" in (folder / "out put" / "slas.xml").read_text(encoding="utf-8")


@needs_bash
def test_an_exit_policy_decides_and_no_page_need_be_made(folder: Path) -> None:
    (folder / "lenient.yaml").write_text("fail_on: {}\n", encoding="utf-8")
    runner = Runner(folder, root="org health", report="", **{"exit-policy": "lenient.yaml"})
    assert runner.run() == 0, runner.said
    assert not (folder / "reports" / "pages").exists()


@needs_bash
def test_refused_input_is_told_whole(folder: Path) -> None:
    (folder / "org health" / "events.csv").write_text(
        "timestamp,repo,kind,title\nnever,web,deploy,a\nat dawn,web,deploy,b\n", encoding="utf-8"
    )
    runner = Runner(folder, root="org health")
    assert runner.run() == 95
    assert runner.outputs["judge"]["run"] == ""
    assert "events.csv, row 2" in runner.said
    assert "2 refusals" in runner.said


@needs_bash
def test_an_input_is_never_a_command(folder: Path) -> None:
    hostile = "$(touch hacked); touch hacked"
    runner = Runner(folder, root=hostile, report=hostile, **{"sla-policy": hostile, "assume-tz": hostile})
    assert runner.run() == 95
    assert not (folder / "hacked").exists()


def test_every_input_is_used_and_none_stands_in_a_shell_line() -> None:
    text = (ROOT / "action.yml").read_text(encoding="utf-8")
    assert set(re.findall(r"inputs\.([\w-]+)", text)) == set(ACTION["inputs"])
    assert not any("${{" in step["run"] for step in STEPS if "run" in step)
    assert all(step["shell"] == "bash" for step in STEPS if "run" in step)
    used = [step["uses"] for step in STEPS if "uses" in step]
    assert len(re.findall(r"uses: actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+\n", text)) == len(used)


def test_the_image_holds_what_the_wheel_is_built_from_and_is_not_run_by_root() -> None:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    assert 'ENTRYPOINT ["tars"]' in lines
    assert [line for line in lines if line.startswith("USER")] == ["USER 10001"]
    assert lines.index("USER 10001") < lines.index('ENTRYPOINT ["tars"]')
    kept = {
        line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line.startswith("!")
    }
    assert all((ROOT / name).exists() for name in kept)
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    included = re.findall(r'^"([\w/.]+)" = "tars_lib/', project, re.M)
    assert {name.split("/")[0] for name in included} <= kept
    assert {"README.md", "LICENSE", "pyproject.toml", "tars_lib", "analytics"} <= kept
