"""Somebody who knows nothing has a page of a CSV of their own by the tutorial alone, from the wheel and an empty folder."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from test_docs import BLOCK, DOCS, ROOT

INSTALLS = re.compile(r"pip install|^export PATH", re.MULTILINE)
"""Needs the package index; here the wheel is unpacked beside libraries that are there, and `tars` put on the path."""


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("bash") is None or os.name == "nt", reason="the page is written for bash on Unix")
def test_the_tutorial_leads_from_an_empty_folder_to_a_page(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    site, bin_folder, here = tmp_path / "site", tmp_path / "bin", tmp_path / "here"
    zipfile.ZipFile(wheel).extractall(site)
    bin_folder.mkdir()
    here.mkdir()
    command = bin_folder / "tars"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m tars_lib.cli.main "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("TARS_", "SOURCE_DATE"))}
    env = kept | {"PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(site)}
    said = {}
    text = (DOCS / "tutorial.md").read_text(encoding="utf-8")
    blocks = [block for language, block in BLOCK.findall(text) if language == "bash"]
    assert sum(bool(INSTALLS.search(block)) for block in blocks) == 2
    for block in blocks:
        typed = "tars --version\n" if block.startswith("export PATH") else block
        if INSTALLS.search(typed):
            continue
        done = subprocess.run(
            ["bash", "-c", typed],
            cwd=here,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == (142 if "tars run" in typed else 0), f"{typed}\n{done.stdout}\n{done.stderr}"
        said[typed.split()[1]] = done.stdout
    assert said["run"].startswith("One in seven requests to checkout fails: 900 of 6,400 since ")
    assert "Do now: " in said["incident"]
    assert "CLOSED" in said["contain"]
    (page,) = (here / "out").rglob("incident_report.html")
    assert "One in seven requests to checkout fails" in page.read_text(encoding="utf-8")
    assert list((here / "out").rglob("incident_report.pdf"))
