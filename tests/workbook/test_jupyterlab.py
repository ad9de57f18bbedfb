"""JupyterLab in a real browser: the welcome notebook runs through, and its widgets redraw what they show."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browsing import chromium, opened

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "only-this-test"  # noqa: S105 - of a server that ends with the test
PATIENCE = 180.0
"""Seconds for a server or a page to come up, and for all cells to run, on a machine with much else to do."""
ATTEMPTS = 4
TALL = 7000
"""Window in CSS pixels: JupyterLab draws the cells that are in it."""

pytestmark = pytest.mark.slow


@contextmanager
def jupyterlab(folder: Path) -> Iterator[str]:
    """Start a server as `make lab` does, with settings of its own; gives the address that opens the notebook."""
    (folder / "notebooks").mkdir()
    shutil.copy(ROOT / "notebooks" / "welcome.ipynb", folder / "notebooks")
    own = {
        f"JUPYTER{name}_DIR": str(folder / name.lower())
        for name in ("_CONFIG", "_DATA", "_RUNTIME", "LAB_SETTINGS", "LAB_WORKSPACES")
    }
    environment = os.environ | own | {"PYTHONPATH": str(ROOT), "IPYTHONDIR": str(folder / "ipython")}
    command = [sys.executable, "-m", "jupyterlab", "notebooks/welcome.ipynb", "--no-browser", "--allow-root"]
    command += ["--ServerApp.ip=127.0.0.1", "--ServerApp.port=0", f"--IdentityProvider.token={TOKEN}"]
    command += ["--LabApp.news_url=None"]
    command += ["--LabApp.check_for_updates_class=jupyterlab.handlers.announcements.NeverCheckForUpdate"]
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
        try:
            yield f"{address_of(server, folder)}lab/tree/welcome.ipynb?token={TOKEN}"
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

    first = page.locator(".jp-CodeCell .jp-InputPrompt", has_text=re.compile(r"\[\d+\]")).first
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
def pictured(page: Page, folder: Path) -> Iterator[None]:
    """Keep a picture of the page where a test fails, or where `TARS_SCREENSHOTS` names a folder for it."""
    try:
        yield
    except BaseException:
        page.screenshot(path=folder / "failed.png")
        raise
    if asked := os.environ.get("TARS_SCREENSHOTS"):
        page.screenshot(path=Path(asked) / "jupyterlab.png")


def test_the_welcome_notebook_runs_and_the_explorer_redraws_its_figure(tmp_path: Path) -> None:
    with (
        chromium() as browser,
        jupyterlab(tmp_path) as address,
        opened(browser, address, width=1300, height=TALL) as (page, _),
        pictured(page, tmp_path),
    ):
        page.set_default_timeout(PATIENCE * 1000)
        page.get_by_role("heading", name="Welcome", exact=True).wait_for()
        # a kernel that has answered: the cells are not sent into the void
        page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for(state="attached")
        run_all(page)

        explorer = page.locator(".tars-picture img")
        explorer.wait_for()
        assert "error_rate of checkout" in str(explorer.get_attribute("alt"))
        before = explorer.get_attribute("src")
        page.get_by_label("Repo", exact=True).select_option("ledger")
        page.locator('.tars-picture img[alt*="of ledger"]').wait_for()
        assert explorer.get_attribute("src") != before
        page.get_by_label("Event", exact=True).select_option(
            "2026-11-02 07:50 deploy: Connection pool rewrite (ledger)"
        )
        page.get_by_text("since. Dotted: events.").last.wait_for()

        panel = page.locator(".widget-vbox").filter(has=page.get_by_label("Leave out", exact=True))
        panel.get_by_text("No verdict moves").wait_for()
        for label, time_of_day in (("Leave out", "2026-11-02T08:00Z"), ("until", "2026-11-02T15:01Z")):
            panel.get_by_label(label, exact=True).fill(time_of_day)
            panel.get_by_label(label, exact=True).press("Enter")
        panel.get_by_text("2 of 4 SLAs move").wait_for()

        last = page.locator(".jp-CodeCell").last
        last.get_by_text("What to do next").wait_for()
        assert page.locator("[data-mime-type='application/vnd.jupyter.error']").count() == 0
        assert page.locator("[data-mime-type='application/vnd.jupyter.stderr']").count() == 0
        numbers = page.locator(".jp-CodeCell .jp-InputPrompt").all_inner_texts()
        notebook = json.loads((tmp_path / "notebooks" / "welcome.ipynb").read_text(encoding="utf-8"))
        assert len(numbers) == sum(cell["cell_type"] == "code" for cell in notebook["cells"])
        assert all(re.fullmatch(r"\[\d+\]:", number.strip()) for number in numbers), numbers
