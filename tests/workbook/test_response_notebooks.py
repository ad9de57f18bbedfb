"""The golden path, the postmortem and the trend review under papermill, on a register with a history."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pdf_texts import sheets
from register_samples import begun, history, walked
from run_samples import EPOCH, RunSamples, drawn, shown
from workbook.test_notebooks import reach, words

from tars_lib.pipeline import write_reports

CALLS = {
    "golden_path": ("begun", "2026-11-02T15:28:00Z"),
    "postmortem": ("walked", "2026-11-05T15:28:00Z"),
    "trend_review": ("many", "2027-02-12T15:28:00Z"),
}
"""Notebook: register and time."""

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("pages on a response")]


@pytest.fixture(scope="module")
def written(samples: RunSamples, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Path]]:
    folder, run = tmp_path_factory.mktemp("response"), samples.run("demo")
    begun(folder / "begun", run)
    walked(folder / "walked", run)
    history(folder / "many", run, samples.run("calm"))
    asked = {name: {"incidents_dir": str(folder / root), "as_of": time} for name, (root, time) in CALLS.items()}
    with drawn() as patch:
        patch.setenv("SOURCE_DATE_EPOCH", EPOCH)
        outcomes = write_reports(asked, run.directory, folder / "out", ("html", "pdf"))
    for outcome in outcomes:
        assert outcome.error is None, outcome.error
    return {outcome.job.name: dict(outcome.files) for outcome in outcomes}


@pytest.mark.parametrize("name", CALLS)
def test_the_pages_tell_the_incident_and_are_few_and_filled(
    written: dict[str, dict[str, Path]], samples: RunSamples, golden: Callable[[str, str], None], name: str
) -> None:
    files = written[name]
    golden(name, shown(files["notebook"], files["notebook"].parents[1], samples.folder))
    pages = sheets(files["pdf"])
    assert "What to do next" in words(files["pdf"])
    # commands wrap with the length of the folder's path, which may take the last table to a third page
    assert len(pages) in {2, 3}
    assert all(reach(page) >= 0.7 for page in pages[:-1])
    assert reach(pages[-1]) >= 0.5
    assert files["html"].stat().st_size < 1_000_000
    assert files["pdf"].stat().st_size < 500_000
