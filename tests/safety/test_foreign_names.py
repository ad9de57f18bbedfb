"""Files with the names of packages, in the folder in which a command is called: they are data, and none of them runs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from contract.workspaces import cascade
from run_samples import RunSamples
from warm import COLD

from tars_lib.cli.main import cli

REPO = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.xdist_group("foreign names")  # the list of names is made once

TARS = ("-P", "-m", "tars_lib.cli.main")  # the path of an installed `tars`: no current folder on it
TAKEN = """
import analytics.run_org_sla_intelligence
from tars_lib.cli.main import cli
for name in cli.list_commands(None):
    cli.get_command(None, name)
import matplotlib.pyplot, scipy.stats, networkx, pandas, pyarrow.parquet, pydantic, yaml, typst, papermill, nbconvert.exporters
import ipykernel.kernelapp, IPython, ipykernel_launcher, matplotlib_inline.backend_inline, tars_lib.pipeline.reporting
import tars_lib.workbook.pages.incident_report, tars_lib.evidence.bundle, tars_lib.leadership.package
"""


@pytest.fixture(scope="module")
def names() -> list[str]:
    """Every top-level name that the tool imports and Python has not before it looks for the tool."""
    # in a fork, which has what the server has besides: more names than are needed
    found = imported(sys.executable, TAKEN) - imported(COLD, "import runpy")
    assert {"numpy", "matplotlib", "tars_lib", "IPython", "ipykernel", "click", "json", "email"} <= found
    return sorted(found)


def imported(python: str, code: str) -> set[str]:
    """Top-level names of the modules that are there after this code."""
    words = [python, "-P", "-c", f"{code}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"]
    variables = environment() | {"FORKED_CODE": "yes"}
    return set(subprocess.run(words, env=variables, capture_output=True, text=True, check=True).stdout.split())


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(REPO), "PYTHONDONTWRITEBYTECODE": "1"}


def plant(folder: Path, names: list[str]) -> Path:
    """A file and a package of each name; both say in a file beside the folder that they ran."""
    folder.mkdir(parents=True, exist_ok=True)
    marker = folder.with_name("ran")
    code = f"open({str(marker)!r}, 'a').write(__name__ + chr(10))\n"
    for name in names:
        (folder / f"{name}.py").write_text(code)
        package = folder / name
        if not package.exists():
            package.mkdir()
            (package / "__init__.py").write_text(code)
    (folder / "matplotlibrc").write_text("backend: module://numpy\nfigure.facecolor: red\n")
    (folder / "sitecustomize.py").write_text(code)
    return marker


def call(here: Path, *words: object, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [COLD, *map(str, words)]
    return subprocess.run(
        command, cwd=here, env=environment() | variables, capture_output=True, text=True, check=False, timeout=300
    )


@pytest.mark.slow
@pytest.mark.thorough
@pytest.mark.parametrize("command", ["demo", "package"])
def test_a_command_that_makes_reports_runs_nothing_of_the_current_folder(
    samples: RunSamples, tmp_path: Path, names: list[str], command: str
) -> None:
    about = ["--run", samples.run("demo").directory] if command == "package" else []
    marker = plant(tmp_path / "here", names)
    told = call(tmp_path / "here", *TARS, command, *about, "--output", tmp_path / "out")
    assert (told.returncode, marker.exists()) == (0, False), told.stderr


@pytest.mark.slow
@pytest.mark.parametrize("notebook", ["propagation", pytest.param("welcome", marks=pytest.mark.thorough)])
def test_a_run_directory_and_an_unpacked_bundle_are_data(
    samples: RunSamples, tmp_path: Path, names: list[str], notebook: str
) -> None:
    """Called in the folder that a bundle's files are unpacked to, by somebody who has files of their own at every start."""
    data = tmp_path / "b" / "data"
    run = data / "runs" / samples.run("demo").directory.name
    shutil.copytree(samples.run("demo").directory, run)
    marker = plant(data, names)
    plant(run, names)
    at_home = plant(tmp_path / "home", [])
    startup = tmp_path / "home" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    shutil.copy(tmp_path / "home" / "sitecustomize.py", startup / "00-own.py")
    told = call(
        data, *TARS, "report", notebook, "--run", f"runs/{run.name}", "--output", tmp_path / "out",
        IPYTHONDIR=str(tmp_path / "home"), PYTHONSTARTUP=str(startup / "00-own.py"),
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    assert [place for place in (marker, run.with_name("ran"), at_home) if place.exists()] == []


@pytest.mark.parametrize(
    "module",
    [
        "run_org_sla_intelligence",
        *(
            pytest.param(f"run_org_{name}", marks=pytest.mark.thorough)
            for name in ("alerts", "trend_correlation", "temporal_intelligence")
        ),
    ],
)
def test_the_playbooks_commands_run_nothing_of_the_current_folder(
    samples: RunSamples, tmp_path: Path, names: list[str], module: str
) -> None:
    # an `analytics` there is what Python itself was asked for
    marker = plant(tmp_path / "here", [name for name in names if name != "analytics"])
    (tmp_path / "here" / "sitecustomize.py").unlink()
    report = samples.run("cascade").directory / "org-health-report.json"
    told = call(tmp_path / "here", "-m", f"analytics.{module}", "--org-report", report, "--json", "--exit-zero")
    assert (told.returncode, marker.exists()) == (0, False), told.stderr
    assert json.loads(told.stdout)["finding"]


def test_the_playbooks_commands_run_nothing_that_lies_in_the_checkout(
    samples: RunSamples, tmp_path: Path, names: list[str]
) -> None:
    checkout = tmp_path / "checkout"
    marker = plant(checkout, [name for name in names if name not in ("analytics", "tars_lib")])
    (checkout / "sitecustomize.py").unlink()
    for part in ("tars_lib", "analytics", "scripts", "notebooks", "parameters"):
        shutil.copytree(REPO / part, checkout / part, ignore=shutil.ignore_patterns("__pycache__"))
    report = samples.run("cascade").directory / "org-health-report.json"
    words = ["-m", "analytics.run_org_alerts", "--org-report", report, "--json", "--exit-zero"]
    told = call(checkout, *words, PYTHONPATH="")
    assert (told.returncode, marker.exists()) == (0, False), told.stderr
    script = "scripts/run_full_org_governance_pipeline.py"
    told = call(checkout, script, "--root", cascade(tmp_path / "root"), "--outdir", tmp_path / "runs", PYTHONPATH="")
    assert (told.returncode, marker.exists()) == (142, False), told.stderr


@pytest.mark.skipif(os.name == "nt", reason="the program is a shell script")
def test_a_clone_that_names_programs_in_its_settings_runs_none(tmp_path: Path) -> None:
    marker, clone, root = tmp_path / "ran", tmp_path / "clone", tmp_path / "org-health"
    evil = tmp_path / "evil"
    evil.write_text(f"#!/bin/sh\necho ran >> {marker}\nexit 1\n")
    evil.chmod(0o755)

    def git(*words: str, said: str | None = None) -> str:
        command = ["git", "-C", str(clone), *words]
        return subprocess.run(command, input=said, check=True, capture_output=True, text=True).stdout.strip()

    clone.mkdir()
    git("init", "-q", "-b", "main")
    tree = git("mktree", said="")
    who = "a <a@example.org> 1767225600 +0000"
    signed = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n abc\n -----END PGP SIGNATURE-----\n"
    # of two parents one is not there, so that git asks the remote place for it
    text = f"tree {tree}\nparent {'1' * 40}\nparent {'2' * 40}\nauthor {who}\ncommitter {who}\n{signed}\nmerge\n"
    git("update-ref", "refs/heads/main", git("hash-object", "-t", "commit", "-w", "--literally", "--stdin", said=text))
    settings = ("log.showSignature=true", "core.repositoryformatversion=1", "extensions.partialClone=far")
    settings += ("remote.far.promisor=true", f"remote.far.url={clone}", f"remote.far.uploadpack={evil};")
    settings += tuple(f"{name}={evil}" for name in ("gpg.program", "core.fsmonitor", "core.pager", "core.sshCommand"))
    for setting in settings:
        git("config", *setting.split("=", 1))
    root.mkdir()
    source = "{name: web, kind: git, path: ../clone, repo: web, tags: 'v*', merges: true}"
    (root / "sources.yaml").write_text(f"sources: [{source}]\n")
    told = CliRunner().invoke(cli, ["pull", "--root", str(root), "--since", "2026-01-01T00:00:00Z"])
    assert (told.exit_code, marker.exists()) == (95, False), told.output
    assert "git:" in told.output
