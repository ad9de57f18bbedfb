"""The workflows of CI: what they call exists, they ask for no more rights than they need, and the commands run."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner

from tars_lib.cli.main import cli
from tars_lib.findings.config import read_exit_policy
from tars_lib.sources.demo import demo_root

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".github" / "workflows"
WORKFLOWS = sorted(FOLDER.glob("*.yml"))
CI_PAGE = ROOT / "docs" / "ci.md"


def read(path: Path) -> dict[str, Any]:
    """A workflow; PyYAML reads the key `on` as true, as YAML 1.1 has it."""
    content: dict[Any, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {"on" if key is True else key: value for key, value in content.items()}


def targets() -> set[str]:
    """Targets of the Makefile."""
    return set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def steps(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    """Steps of all jobs."""
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def lines(workflow: dict[str, Any]) -> list[str]:
    """Shell lines of all steps, parts of a chain apart."""
    whole = [line for step in steps(workflow) for line in step.get("run", "").splitlines()]
    return [part.strip() for line in whole for part in re.split(r"&&|\|\|", line) if part.strip()]


def parse(line: str) -> None:
    """Hold a `tars` line against the command's own parser."""
    name, *rest = shlex.split(line, comments=True)[1:]
    command = cli.get_command(click.Context(cli), name)
    assert command is not None, line
    if isinstance(command, click.Group):
        command = command.commands[rest.pop(0)]
    command.make_context(name, rest)


WRITING = {
    ("benchmark.yml", "comment"): {"pull-requests": "write"},
    ("release.yml", "tag"): {"contents": "write"},
}
"""The jobs that may write, and what."""


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_asks_for_no_more_rights_than_it_needs_and_pins_its_actions(path: Path) -> None:
    workflow = read(path)
    assert workflow["permissions"] == {"contents": "read"}
    for name, job in workflow["jobs"].items():
        assert "timeout-minutes" in job
        assert job.get("permissions") == WRITING.get((path.name, name)), name
        if "permissions" in job:
            # what may write runs no code of the repository, which a pull request brings
            used = " ".join(step.get("uses", "") + step.get("run", "") for step in job["steps"])
            assert "checkout" not in used
            assert not re.search(r"\b(make|python|pip|tars) ", used)
    # the action of this repository is what was checked out
    used = [step["uses"] for step in steps(workflow) if step.get("uses", "./") != "./"]
    assert used
    # by commit, which nobody can move as a tag can be, with the release that a reader knows it by
    text = path.read_text(encoding="utf-8")
    assert len(re.findall(r"uses: actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+\n", text)) == len(used)
    # the second attempt of a run may not take the name of the first one's artifact
    artifacts = [step["with"]["name"] for step in steps(workflow) if "upload-artifact" in step.get("uses", "")]
    assert all("${{ github.run_attempt }}" in name for name in artifacts), artifacts
    assert len(set(artifacts)) == len(artifacts)
    for step in steps(workflow):
        if step.get("uses", "").startswith("actions/checkout"):
            assert step["with"]["persist-credentials"] is False
    assert "secrets." not in path.read_text(encoding="utf-8")
    # what somebody else can choose, such as a branch name, is never put into a shell line
    assert not any("${{" in line for line in lines(workflow))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_what_a_workflow_calls_exists(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "summary.md")
    for line in lines(read(path)):
        if line.startswith("tars "):
            parse(line)
        for target in re.findall(r"^make (\w+)", line):
            assert target in targets()
        for file in re.findall(
            r"\b(?:notebooks|parameters|requirements|scripts|benchmarks|tars_lib|\.github)/\S+", line
        ):
            assert (ROOT / file).exists(), file


def test_the_tests_run_on_every_system_and_python_that_is_promised() -> None:
    matrix = read(FOLDER / "tests.yml")["jobs"]["tests"]["strategy"]["matrix"]
    pairs = {(system, version) for system in matrix["os"] for version in matrix["python"]}
    promised = re.findall(r"Python :: (3\.\d+)", (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert pairs == {(f"{system}-latest", one) for system in ("ubuntu", "macos", "windows") for one in promised}


def test_hooks_call_targets_that_exist_and_hold_types_and_layers() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    calls = {hook["entry"] for repo in hooks if repo["repo"] == "local" for hook in repo["hooks"]}
    assert calls == {"make types", "make layers"}
    assert {call.removeprefix("make ") for call in calls} <= targets()


def test_every_night_runs_what_is_too_long_for_a_commit() -> None:
    workflow = read(FOLDER / "nightly.yml")
    assert "schedule" in workflow["on"]
    assert {line for line in lines(workflow) if line.startswith("make ")} == {
        "make thorough",
        "make coverage",
        "make fuzz",
    }


def test_a_release_is_tagged_after_everything_was_checked() -> None:
    jobs = read(FOLDER / "release.yml")["jobs"]
    assert jobs["tag"]["needs"] == "build"
    said = [step.get("run", "") for step in jobs["build"]["steps"]]
    places = [
        next(n for n, run in enumerate(said) if words in run) for words in ("make test", "build -d dist", "wheel dist")
    ]
    assert places == sorted(places)


def test_steps_after_a_finding_run_unless_nothing_was_judged() -> None:
    """A finding fails its step; a failed installation leaves nothing to show."""
    (job,) = read(FOLDER / "governance.yml")["jobs"].values()
    names = [step.get("id") for step in job["steps"]]
    after = job["steps"][names.index("judge") + 1 :]
    assert after
    assert {step["if"] for step in after} == {"${{ !cancelled() && steps.judge.outcome != 'skipped' }}"}


def test_the_governance_run_judges_tells_github_and_fails_for_what_its_policy_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(demo_root(), tmp_path / "org-health")
    shutil.copytree(ROOT / ".github", tmp_path / ".github")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    (line,) = [line for line in lines(read(FOLDER / "governance.yml")) if line.startswith("tars run")]
    done = CliRunner().invoke(cli, shlex.split(line)[1:])
    assert done.exit_code == 142
    assert "| Build | fails (142)" in (tmp_path / "summary.md").read_text(encoding="utf-8")
    assert "<failure" in (tmp_path / "reports" / "slas.xml").read_text(encoding="utf-8")
    (run,) = (tmp_path / "reports" / "runs").iterdir()
    assert json.loads((run / "status.json").read_text(encoding="utf-8"))["finding"] == "SLA_BREACH"


def test_exit_policies_of_the_page_and_of_the_workflow_are_accepted(tmp_path: Path) -> None:
    found = re.findall(r"<!-- exit-policy -->\n```yaml\n(.*?)^```", CI_PAGE.read_text(encoding="utf-8"), re.M | re.S)
    assert len(found) == 2
    for number, text in enumerate(found):
        place = tmp_path / f"{number}.yaml"
        place.write_text(text, encoding="utf-8")
        policy = read_exit_policy(place)
    assert (policy.codes, set(policy.slas)) == ({142, 132, 122, 102}, {"checkout-latency", "search-latency"})
    assert read_exit_policy(ROOT / ".github" / "exit-policy.yaml").codes == policy.codes


def test_yaml_and_commands_of_the_page_are_accepted() -> None:
    text = CI_PAGE.read_text(encoding="utf-8")
    for block in re.findall(r"^```yaml\n(.*?)^```", text, re.M | re.S):
        assert yaml.safe_load(block)
    found = re.findall(r"(?:- run: |- |run: |bin/)(tars .*)", text)
    found = [part.replace(".venv/bin/", "").strip() for line in found for part in line.split("||")]
    assert len(found) >= 5
    for line in found:
        if line.startswith("tars ") and "`" not in line:
            parse(line.replace("--github-summary", "--github-summary s.md") if line.endswith("summary") else line)
