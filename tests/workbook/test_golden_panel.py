"""The golden path's panel without a browser: a step is picked, the record goes on, and what is shown is that of the page."""

from __future__ import annotations

import asyncio
import html
import json
import re
import sys
from pathlib import Path

import pytest
from register_samples import begun, later, opened, walked
from run_samples import RunSamples, told

from tars_lib.incidents.response.acts import acknowledge
from tars_lib.pipeline import Run
from tars_lib.workbook.pages import golden_panel
from tars_lib.workbook.pages.golden_panel import GoldenPanel, step_blocks
from tars_lib.workbook.pages.golden_path import walk
from tars_lib.workbook.parameters.register import case_to_respond, case_to_review, open_register
from tars_lib.workbook.widgets import controls as widgets

ROOT = Path(__file__).resolve().parents[2]
READ = "2026-11-02T15:28:00Z"


@pytest.fixture(scope="module")
def run(samples: RunSamples) -> Run:
    return samples.run("demo")


def words(markup: str) -> str:
    """What a reader sees of HTML."""
    visible = re.sub(r"<style.*?</style>|<[^>]+>", " ", markup.replace("<wbr>", ""), flags=re.DOTALL)
    return " ".join(html.unescape(visible).replace("\u200b", "").split())


def test_the_step_that_comes_now_is_shown_with_its_command_and_the_clocks(run: Run, tmp_path: Path) -> None:
    name = begun(tmp_path, run).folder.name
    panel = GoldenPanel(run, str(tmp_path), READ)
    assert panel.case is not None
    path = walk(panel.register, panel.case)
    assert panel.step.value == path.current == 3
    assert [label for label, _ in panel.step.options][3] == "8-12 Contain"
    assert "Minute 8-12, Contain:" in words(panel.detail.value)
    assert f"tars incident contain {name} --done A1 --incidents-dir " in words(panel.detail.value)
    assert "Contain clock 9 min Overdue" in words(panel.clocks.value)
    assert panel.follow.disabled, "a time that was given does not go by"


def test_a_step_that_is_picked_is_shown_and_the_button_goes_on(run: Run, tmp_path: Path) -> None:
    begun(tmp_path, run)
    panel = GoldenPanel(run, str(tmp_path), READ)
    seen = []
    for _ in range(5):
        panel.further.click()
        seen.append(panel.step.value)
        assert panel.case is not None
        step = walk(panel.register, panel.case).steps[panel.step.value]
        assert f"Minute {step.start_minute}-{step.end_minute}, {step.name}" in words(panel.detail.value)
        for line in () if step.step_id == "contain" else step.recorded:
            assert " ".join(line.split()) in words(panel.detail.value)
    assert seen == [4, 3, 4, 3, 4]
    panel.step.value = 0
    assert "acknowledged by ada" in words(panel.detail.value)
    assert "The record has everything this step asks for." in words(panel.detail.value)
    panel.step.value = 3
    assert "The playbook's row for this cause" in words(panel.detail.value)
    assert "Roll back deploy 'Connection pool rewrite' of ledger ada · started 15:13 UTC" in words(panel.detail.value)
    panel.step.value = 4
    assert "Notify: " in words(panel.detail.value)


def test_the_panel_goes_on_from_what_was_recorded_elsewhere(run: Run, tmp_path: Path) -> None:
    first = opened(tmp_path, run)
    panel = GoldenPanel(run, str(tmp_path), READ)
    assert panel.step.value == 0
    assert "tars incident ack" in words(panel.detail.value)
    acknowledge(later(first, 3))
    panel.again.click()
    assert panel.step.value == 3, "what the run found and why is recorded with the opening"
    panel.step.value = 1
    panel.read()
    assert panel.step.value == 1, "a step that somebody looks at stays"


def test_without_an_incident_the_steps_are_there_and_the_command_that_opens_one(run: Run, tmp_path: Path) -> None:
    panel = GoldenPanel(run, str(tmp_path), READ)
    for number in range(5):
        panel.step.value = number
        assert "tars incident open --from-run" in words(panel.detail.value)
        assert "Not started" in words(panel.detail.value)
    begun(tmp_path, run)
    panel.step.value = 0
    panel.again.click()
    assert panel.step.value == 3


def test_a_run_that_found_nothing_opens_no_incident(samples: RunSamples, tmp_path: Path) -> None:
    shown = told(step_blocks(samples.run("calm"), open_register(str(tmp_path), READ), None, 0))
    assert "incident open" not in shown


def test_an_incident_that_is_over_shows_its_steps_as_done_or_left_out(run: Run, tmp_path: Path) -> None:
    walked(tmp_path, run)
    register = open_register(str(tmp_path), "2026-11-03T15:28:00Z")
    assert case_to_respond(register, "") is None
    case = case_to_review(register, "")
    states = [told(step_blocks(run, register, case, number)) for number in range(5)]
    assert all("Now" not in state.split() for state in states)
    panel = GoldenPanel(run, str(tmp_path), "2026-11-03T15:28:00Z", next(tmp_path.glob("INC-*")).name)
    assert panel.step.value == 4


def test_a_record_that_was_altered_is_said_in_the_panel(run: Run, tmp_path: Path) -> None:
    folder = begun(tmp_path, run).folder
    panel = GoldenPanel(run, str(tmp_path), READ, folder.name)
    timeline = folder / "timeline.jsonl"
    timeline.write_text(timeline.read_text(encoding="utf-8").replace("ada", "eve", 1), encoding="utf-8")
    panel.again.click()
    assert "timeline.jsonl" in words(panel.detail.value)


def test_clocks_and_record_are_followed_by_the_panel_that_was_made_last(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(golden_panel, "BEAT", 0.01)
    first = opened(tmp_path, run)

    async def watch() -> tuple[int, int]:
        old, new = GoldenPanel(run, str(tmp_path)), GoldenPanel(run, str(tmp_path))
        new.follow.value = False
        acknowledge(later(first, 3))
        await asyncio.sleep(0.1)
        assert new.step.value == 0, "nothing is read while it is not ticked"
        new.follow.value = True
        for _ in range(1000):
            if new.step.value:
                break
            await asyncio.sleep(0.01)
        return old.step.value, new.step.value

    assert asyncio.run(watch()) == (0, 3)


def test_the_cell_is_not_exported_and_says_what_is_missing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    cells = json.loads((ROOT / "notebooks" / "golden_path.ipynb").read_text("utf-8"))["cells"]
    (cell,) = [one for one in cells if "golden_panel.panel(" in "".join(one["source"]) and one["cell_type"] == "code"]
    assert cell["metadata"] == {"tags": []}
    monkeypatch.setattr(golden_panel, "has_widgets", lambda: False)
    assert widgets.INSTALL in told(golden_panel.panel(run))  # type: ignore[arg-type]
    assert "ipywidgets" in sys.modules
