"""JupyterLab in a real browser, as `make lab` starts it: notebooks run through, and their widgets redraw what they show."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browsing import Seen, chromium, opened
from register_samples import opened as opened_incident
from run_samples import RunSamples

from tars_lib.incidents.response.acts import Writer, acknowledge

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "only-this-test"  # noqa: S105 - of a server that ends with the test
PATIENCE = 180.0
"""Seconds for a server or a page to come up, and for all cells to run, on a machine with much else to do."""
ATTEMPTS = 4
SHOWN = ".jp-NotebookPanel:not(.lm-mod-hidden)"
"""The notebook on top: JupyterLab opens again, behind it, what was open before."""
TALL = 7000
"""Window in CSS pixels: JupyterLab draws the cells that are in it."""

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("jupyterlab")]


def made_by() -> list[str]:
    """What `make lab` gives to JupyterLab."""
    (line,) = re.findall(
        r"^\t\$\(BIN\)/jupyter lab (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
    )
    return str(line).split()


@contextmanager
def jupyterlab(folder: Path) -> Iterator[str]:
    """Start a server as `make lab` does, with settings of its own; gives its address."""
    for name in ("notebooks", "parameters"):
        shutil.copytree(ROOT / name, folder / name)
    # as the wheel installs it
    extension = folder / "_data" / "labextensions" / "tars-incident-workbook"
    shutil.copytree(ROOT / "tars_lib" / "workbook" / "launcher", extension)
    shutil.copytree(ROOT / "notebooks", extension / "static" / "notebooks")
    # the kernels' imports take longer than what they compute
    kernel = folder / "_first" / "kernels" / "python3" / "kernel.json"
    kernel.parent.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    kernel.write_text(json.dumps({"argv": argv, "display_name": "Python 3", "language": "python"}), encoding="utf-8")
    own = {
        f"JUPYTER{name}_DIR": str(folder / name.lower())
        for name in ("_CONFIG", "_DATA", "_RUNTIME", "LAB_SETTINGS", "LAB_WORKSPACES")
    }
    own["JUPYTER_PATH"] = str(folder / "_first")
    environment = os.environ | own | {"PYTHONPATH": str(ROOT), "IPYTHONDIR": str(folder / "ipython")}
    command = [sys.executable, "-m", "jupyterlab", *made_by(), "--no-browser", "--allow-root"]
    command += ["--ServerApp.ip=127.0.0.1", "--ServerApp.port=0", f"--IdentityProvider.token={TOKEN}"]
    command += ["--LabApp.news_url=None"]
    command += ["--LabApp.check_for_updates_class=jupyterlab.handlers.announcements.NeverCheckForUpdate"]
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
        try:
            yield address_of(server, folder)
        finally:
            server.terminate()
            try:
                server.wait(30)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def address_of(server: subprocess.Popen[bytes], folder: Path) -> str:
    """Where the server listens, once it says so."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        for path in (folder / "_runtime").glob("jpserver-*.json"):
            text = path.read_text(encoding="utf-8")
            if text.endswith("}"):
                return str(json.loads(text)["url"])
        assert server.poll() is None, (folder / "server.log").read_text(encoding="utf-8")
        time.sleep(0.1)
    raise AssertionError((folder / "server.log").read_text(encoding="utf-8"))


def run_all(page: Page) -> None:
    """As a reader of the notebook is told: Run, Run All Cells; again where a kernel just begun did not hear it."""
    from playwright.sync_api import TimeoutError as Unheard

    first = page.locator(f"{SHOWN} .jp-CodeCell .jp-InputPrompt", has_text=re.compile(r"\[\d+\]")).first
    for _ in range(ATTEMPTS):
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        try:
            first.wait_for(timeout=PATIENCE / ATTEMPTS * 1000)
        except Unheard:
            continue
        return
    raise AssertionError(f"no cell ran: {page.locator('.jp-CodeCell .jp-InputPrompt').all_inner_texts()}")


@contextmanager
def pictured(page: Page, folder: Path, name: str) -> Iterator[None]:
    """Keep a picture of the page where a test fails, or where `TARS_SCREENSHOTS` names a folder for it."""
    try:
        yield
    except BaseException:
        page.screenshot(path=folder / f"failed-{name}.png")
        raise
    if asked := os.environ.get("TARS_SCREENSHOTS"):
        page.screenshot(path=Path(asked) / f"jupyterlab-{name}.png")


def chosen(asks: Locator) -> None:
    """Press Select, where the list of kernels did not come after all and close the dialog."""
    from playwright.sync_api import TimeoutError as Gone

    with suppress(Gone):
        asks.get_by_role("button", name="Select", exact=True).click(timeout=2000)


@contextmanager
def notebook(browser: Browser, server: str, name: str, folder: Path) -> Iterator[tuple[Page, Seen]]:
    """A notebook opened, with a kernel that answers, and all its cells on their way."""
    with (
        opened(browser, f"{server}lab/tree/notebooks/{name}.ipynb?token={TOKEN}", width=1300, height=TALL) as (
            page,
            seen,
        ),
        pictured(page, folder, name),
    ):
        page.set_default_timeout(PATIENCE * 1000)
        # a busy server may be late with the list of kernels: JupyterLab then asks, as it would a person
        asks = page.get_by_role("dialog").filter(has_text="Select Kernel")
        page.add_locator_handler(asks, lambda _: chosen(asks))
        page.locator(f"{SHOWN} .jp-MarkdownCell h1").first.wait_for()
        # a kernel that has answered: the cells are not sent into the void
        page.locator(f"{SHOWN} .jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for(state="attached")
        run_all(page)
        yield page, seen


def ran(page: Page, name: str) -> None:
    """All cells of the notebook on top have run, and none failed or warned."""
    page.locator(f"{SHOWN} .jp-CodeCell").get_by_text("What to do next").first.wait_for()
    last = page.locator(f"{SHOWN} .jp-CodeCell").last.locator(".jp-InputPrompt")
    last.get_by_text(re.compile(r"\[\d+\]")).wait_for()
    assert page.locator("[data-mime-type='application/vnd.jupyter.error']").count() == 0
    assert page.locator("[data-mime-type='application/vnd.jupyter.stderr']").count() == 0
    numbers = page.locator(f"{SHOWN} .jp-CodeCell .jp-InputPrompt").all_inner_texts()
    content = json.loads((ROOT / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8"))
    assert len(numbers) == sum(cell["cell_type"] == "code" for cell in content["cells"])
    assert all(re.fullmatch(r"\[\d+\]:", number.strip()) for number in numbers), numbers


def explore(page: Page) -> None:
    """The explorer's figure is another one, and the panel's verdicts move."""
    explorer = page.locator(".tars-picture img")
    explorer.wait_for()
    assert "error_rate of checkout" in str(explorer.get_attribute("alt"))
    before = explorer.get_attribute("src")
    page.get_by_label("Service", exact=True).select_option("ledger")
    page.locator('.tars-picture img[alt*="of ledger"]').wait_for()
    assert explorer.get_attribute("src") != before
    page.get_by_label("Event", exact=True).select_option("2026-11-02 07:50 deploy: Connection pool rewrite (ledger)")
    page.get_by_text("since. Dotted: events.").last.wait_for()

    panel = page.locator(".widget-vbox").filter(has=page.get_by_label("Exclude", exact=True))
    panel.get_by_text("No verdict changes").wait_for()
    for label, time_of_day in (("Exclude", "2026-11-02T08:00Z"), ("until", "2026-11-02T15:01Z")):
        panel.get_by_label(label, exact=True).fill(time_of_day)
        panel.get_by_label(label, exact=True).press("Enter")
    panel.get_by_text("2 of 4 SLA verdicts change").wait_for()


def offered(page: Page) -> None:
    """Press Tab until the repo is offered: a server that is busy may not hear it."""
    from playwright.sync_api import TimeoutError as Unheard

    item = page.locator(".jp-Completer-item", has_text="fraud-check")
    for _ in range(ATTEMPTS):
        page.keyboard.press("Tab")
        try:
            item.wait_for(timeout=PATIENCE / ATTEMPTS * 1000)
        except Unheard:
            continue
        return
    raise AssertionError("Tab within the brackets offers nothing")


def complete(page: Page) -> None:
    """Tab within the brackets offers the repos."""
    editor = page.locator(f"{SHOWN} .jp-CodeCell .cm-content").last
    editor.click()
    page.keyboard.press("Control+End")
    page.keyboard.press("Enter")
    page.keyboard.type('org["fr')
    offered(page)
    page.keyboard.press("Enter")
    page.locator(".cm-content", has_text='org["fraud-check').wait_for()


def walk(page: Page, writer: Writer) -> None:
    """A step is picked and shown, and what somebody records meanwhile moves the panel on by itself."""
    detail = page.locator(f"{SHOWN} .widget-html-content").last
    detail.get_by_text("Minute 0-2, Acknowledge").wait_for()
    detail.get_by_text(f"tars incident ack {writer.folder.name}").wait_for()
    page.get_by_role("button", name="Next step").click()
    detail.get_by_text("Minute 2-5, Identify Breach").wait_for()
    page.get_by_role("button", name="12-15 Escalate & Document").click()
    detail.get_by_text("Notify: ").wait_for()
    page.get_by_role("button", name="Next step").click()
    detail.get_by_text("Minute 0-2, Acknowledge").wait_for()
    acknowledge(writer)
    detail.get_by_text("Minute 8-12, Contain").wait_for()


def launch(page: Page, seen: Seen, folder: Path) -> None:
    """A card of the launcher copies its notebook and opens the copy; no click on another one's work."""
    page.locator(".jp-BreadCrumbs-home").first.click()
    page.locator(".jp-DirListing-item", has_text="outputs").dblclick()
    page.locator(".jp-BreadCrumbs-item", has_text="outputs").wait_for()
    template = json.loads((ROOT / "notebooks" / "postmortem.ipynb").read_text(encoding="utf-8"))
    for number in ("", "-2"):
        page.get_by_role("button", name=re.compile("New Launcher")).first.click()
        page.locator(".jp-LauncherCard:visible", has_text="Postmortem").last.click()
        page.locator(f"{SHOWN} .jp-MarkdownCell h1", has_text="Postmortem").wait_for()
        copy = folder / "outputs" / f"postmortem{number}.ipynb"
        page.get_by_role("tab", name=copy.name).wait_for()
        cells = json.loads(copy.read_text(encoding="utf-8"))["cells"]
        assert [cell["source"] for cell in cells] == [cell["source"] for cell in template["cells"]]
    assert [line for line in seen.console if "tars" in line] == []


def point_and_zoom(page: Page) -> None:
    """In the explorer's frame: the pointer shows a value, a drag moves both figures, an event shows what moved."""
    editor = page.locator(f"{SHOWN} .jp-CodeCell .cm-content").last
    editor.click()
    page.keyboard.press("Control+A")
    page.keyboard.type("tars.analyze(org).explorer()")
    page.keyboard.press("Control+Enter")
    frame = page.frame_locator("iframe[title=Explorer]")
    figures = frame.locator("svg")
    figures.last.wait_for()
    spans = [figures.nth(place).get_attribute("aria-label") for place in (0, 1)]
    figures.first.hover(position={"x": 300, "y": 80})
    assert all("UTC: " in said for said in frame.locator("output").all_inner_texts())
    box = figures.first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 200, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 330, box["y"] + 60, steps=5)
    page.mouse.up()
    assert all(figures.nth(place).get_attribute("aria-label") != spans[place] for place in (0, 1))
    frame.locator("#events button", has_text="Connection pool rewrite").click()
    frame.locator("#moved button", has_text="ledger").first.wait_for()
    assert "ledger" in str(figures.first.get_attribute("aria-label"))


def test_the_launcher_offers_every_notebook() -> None:
    script = (ROOT / "tars_lib" / "workbook" / "launcher" / "static" / "launcher.js").read_text(encoding="utf-8")
    listed = re.findall(r"^    (\w+): \"", script, re.MULTILINE)
    assert sorted(listed) == sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("walks", [False, pytest.param(True, marks=pytest.mark.thorough)])
def test_notebooks_run_from_the_workspace_and_their_widgets_show_what_is_chosen(
    samples: RunSamples, tmp_path: Path, walks: bool
) -> None:
    run = samples.run("demo")
    shutil.copytree(run.directory, tmp_path / "outputs" / "demo" / "runs" / run.run_id)
    writer = opened_incident(tmp_path / "incidents", run, datetime.now(UTC).replace(microsecond=0))
    with chromium() as browser, jupyterlab(tmp_path) as server:
        if walks:
            with notebook(browser, server, "golden_path", tmp_path) as (page, _):
                walk(page, writer)
                ran(page, "golden_path")
            return
        with notebook(browser, server, "welcome", tmp_path) as (page, seen):
            explore(page)
            complete(page)
            point_and_zoom(page)
            ran(page, "welcome")
            for folder in ("parameters", "outputs", "incidents"):
                listed = page.request.get(f"{server}api/contents/{folder}?token={TOKEN}")
                assert listed.ok, f"{folder} is out of reach"
            launch(page, seen, tmp_path)
