"""The composite action: its steps as a runner would take them, with the command of this tree; and the image's definition."""

from __future__ import annotations

import json
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
        self.outputs: dict[str, dict[str, str]] = {
            "install": {"tars": str(tars)},
            "python": {"python-path": sys.executable},
        }

    def fill(self, text: str) -> str:
        """Put values in place of expressions."""

        def value(found: re.Match[str]) -> str:
            kind, *path = found[1].strip().split(".")
            if kind == "inputs":
                return self.inputs[path[0]]
            if found[1].strip() == "github.action_path":
                return str(ROOT)
            assert (kind, path[1]) == ("steps", "outputs"), found[0]
            return self.outputs[path[0]].get(path[2], "")

        return re.sub(r"\$\{\{(.*?)\}\}", value, text)

    def is_asked_for(self, step: dict[str, Any]) -> bool:
        """Whether the condition of a step holds; those here compare with the empty text."""
        for name, sign in re.findall(r"([\w.-]+) (==|!=) ''", step.get("if", "")):
            if (self.fill("${{ " + name + " }}") == "") != (sign == "=="):
                return False
        return True

    def run(self, *, installs: bool = False) -> int:
        """Run the steps of shell, those after the installation unless that is asked for; the code of the first that fails."""
        for step in STEPS:
            if "run" not in step or (step.get("id") == "install" and not installs) or not self.is_asked_for(step):
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


@pytest.mark.thorough
@needs_bash
def test_the_action_installs_what_it_then_runs(folder: Path) -> None:
    """From the lock file, by its hashes: this needs the package index."""
    (folder / "lenient.yaml").write_text("fail_on: {}\n", encoding="utf-8")
    runner = Runner(folder, root="org health", report="", **{"exit-policy": "lenient.yaml"})
    assert runner.run(installs=True) == 0, runner.said
    assert runner.outputs["install"]["tars"] == str(folder / "tars-action" / "bin" / "tars")


@pytest.mark.thorough
@needs_bash
def test_every_step_of_the_image_is_run(tmp_path: Path) -> None:
    """Where no Docker is: one instruction after the other, an environment in place of a base, a folder in place of `/`."""
    root, bin_path, env, place, wrapped = tmp_path / "root", Path(), dict(os.environ), Path(), tmp_path / "bin"
    wrapped.mkdir()
    (wrapped / "useradd").write_text("#!/bin/sh\n", encoding="utf-8")
    # the owner is one of the image's
    (wrapped / "install").write_text('#!/bin/sh\nshift 5\nmkdir -p "$@"\n', encoding="utf-8")
    for made in wrapped.iterdir():
        made.chmod(0o755)
    env.pop("PYTHONPATH", None)
    ran: list[str] = []
    entry: list[str] = []

    def here(text: str) -> str:
        return re.sub(r"(?<![\w./])/(src|wheels|tmp|data)\b", lambda found: f"{root}/{found[1]}", text)

    lines = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text(encoding="utf-8")).splitlines()
    for what, rest in (line.split(" ", 1) for line in lines if line and not line.startswith("#")):
        if what == "FROM":
            bin_path = tmp_path / f"python{len(ran)}" / "bin"
            subprocess.run([sys.executable, "-m", "venv", str(bin_path.parent)], check=True)
            env["PATH"] = os.pathsep.join([str(wrapped), str(bin_path), os.defpath])
            place = root
        elif what == "WORKDIR":
            place = Path(here(rest))
            place.mkdir(parents=True, exist_ok=True)
        elif what == "ENV":
            env |= dict(pair.split("=", 1) for pair in rest.split())
        elif what == "COPY":
            *flags, given, to = rest.split()
            target = place / here(to)
            if given == ".":
                for name in sorted(kept_in_image()):
                    (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, target / name)
            elif flags != ["--from=build"]:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / given, target)
            else:
                shutil.copytree(here(given), target)
        elif what == "RUN":
            ran.append(rest)
            done = subprocess.run(
                ["sh", "-c", here(rest)], cwd=place, env=env, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, f"{rest}\n{done.stdout}{done.stderr}"
        elif what == "ENTRYPOINT":
            entry = json.loads(rest)
        else:
            assert what in ("LABEL", "USER", "CMD"), what
    assert len(ran) == 2
    shutil.copytree(demo_root(), root / "data" / "org-health")
    done = subprocess.run(
        [str(bin_path / entry[0]), "run", "--root", "org-health"],
        cwd=place,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 142, done.stdout + done.stderr
    assert not (root / "tmp" / "wheels").exists()
    packages = next(bin_path.parent.glob("lib/python*/site-packages/tars_lib"))
    assert packages.is_dir()


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


def kept_in_image() -> set[str]:
    """What `.dockerignore` lets through."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    return {line[1:] for line in lines if line.startswith("!")}


def test_the_image_holds_what_the_wheel_is_built_from_and_is_not_run_by_root() -> None:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    assert 'ENTRYPOINT ["tars"]' in lines
    assert [line for line in lines if line.startswith("USER")] == ["USER 10001"]
    assert lines.index("USER 10001") < lines.index('ENTRYPOINT ["tars"]')
    kept = kept_in_image()
    assert all((ROOT / name).exists() for name in kept)
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    included = re.findall(r'^"([\w/.]+)" = "tars_lib/', project, re.M)
    assert {name.split("/")[0] for name in included} <= kept
    assert {"README.md", "LICENSE", "pyproject.toml", "tars_lib", "analytics"} <= kept
