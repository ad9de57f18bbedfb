"""Reports made side by side leave the current folder alone: relative paths of other threads keep their meaning."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from tars_lib.reports.notebooks.bulk import Job, run_jobs

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("kernels")]


def test_no_report_enters_a_folder_in_this_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = new_code_cell("day = 1", metadata={"tags": ["parameters"]})  # type: ignore[no-untyped-call]
    jobs = []
    for name in ("left", "right"):
        page = tmp_path / f"{name}.ipynb"
        nbformat.write(new_notebook(cells=[first]), page)  # type: ignore[no-untyped-call]
        jobs.append(Job(str(page), {"day": 2}, Path("pages"), datetime(2026, 1, 1, tzinfo=UTC)))
    monkeypatch.chdir(tmp_path)
    entered: list[object] = []
    watching = True

    def hook(event: str, about: tuple[object, ...]) -> None:
        if watching and event == "os.chdir":
            entered.append(about[0])

    sys.addaudithook(hook)
    outcomes = run_jobs(jobs, ())
    watching = False
    assert entered == []
    assert [outcome.error for outcome in outcomes] == [None, None]
    assert sorted(path.name for path in (tmp_path / "pages").iterdir()) == ["left.ipynb", "right.ipynb"]
