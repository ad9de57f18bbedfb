"""A real Chromium, driven by Playwright, for the tests of what people see.

The browser is the system's own (Debian's `chromium`, or the one that `TARS_CHROMIUM` names): nothing is downloaded. Where
there is none the tests that need it are left out, and say so.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

GRAVE = ("serious", "critical")
"""Kinds of barriers that axe finds and no page may have."""
_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


def chromium_path() -> str | None:
    """Return the path of an installed Chromium, or None."""
    asked = os.environ.get("TARS_CHROMIUM")
    return asked or next((path for name in _NAMES if (path := shutil.which(name))), None)


@dataclass
class Seen:
    """What a page did: console errors (violations of its content policy among them), requests beyond itself, crashes."""

    console: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def is_quiet(self) -> bool:
        """Whether nothing of the kind happened."""
        return not (self.console or self.requests or self.errors)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start a browser; skips the test where none is installed."""
    path = chromium_path()
    if path is None:
        pytest.skip("no Chromium is installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(browser: Browser, address: str, *, width: int = 1200, height: int = 900) -> Iterator[tuple[Page, Seen]]:
    """Open an address in a window of its own and watch what it does.

    Parameters
    ----------
    browser : Browser
    address : str
        The page's own address is no request; every other one is.
    width, height : int
        Window, in CSS pixels; a phone is 390 wide.
    """
    seen = Seen()
    context = browser.new_context(viewport={"width": width, "height": height})
    page = context.new_page()
    page.on("console", lambda message: seen.console.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: seen.errors.append(str(error)))
    page.on(
        "request",
        lambda request: (
            seen.requests.append(request.url)
            if not request.url.startswith(("data:", "blob:"))
            and request.url.split("#")[0] != address.split("#", maxsplit=1)[0]
            else None
        ),
    )
    try:
        page.goto(address)
        yield page, seen
    finally:
        context.close()


def overflow(page: Page) -> int:
    """Return by how many CSS pixels the page is wider than its window; 0 where it fits."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def grave(browser: Browser, address: str, width: int) -> list[str]:
    """What axe finds of the two worst kinds, each place in a line."""
    with inspected(browser, width) as page:
        page.goto(address)
        return barriers(page)


@contextmanager
def inspected(browser: Browser, width: int) -> Iterator[Page]:
    """A window for axe, which is a script: a page's own policy would refuse it."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme="light", bypass_csp=True, reduced_motion="reduce"
    )
    try:
        yield context.new_page()
    finally:
        context.close()


def barriers(page: Page) -> list[str]:
    """What axe finds of the two worst kinds on the page that stands open, each place in a line."""
    from axe_playwright_python.sync_playwright import Axe

    # places of what is right or cannot be told are not asked for: they take most of the time
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        f"{one['id']} ({one['impact']}): {one['help']}: {node['html'][:160]}: {node['failureSummary'][:200]}"
        for one in found
        if one["impact"] in GRAVE
        for node in one["nodes"]
    ]
