"""Every notebook's page in a real browser: it is quiet, it fits a desk and a telephone, and everyone can read it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browsing import chromium, grave, opened, overflow
from run_samples import RunSamples

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NOTEBOOKS = sorted(path.stem for path in (Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))
SAMPLE = ("executive_summary", "golden_path", "incident_report", "trend_review")
"""Pages that hold every kind of block between them; `make thorough` opens every page."""
RUN = "cascade"
"""The run with every finding of the decision tree, so that every page has all that it can show."""
WIDTHS = (1200, 390)

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("pages in a browser")]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


def hidden(page: Page) -> int:
    """How many tables scroll by themselves, which hides what is in them just as an overflow does."""
    return int(page.locator(".table").evaluate_all("all => all.filter(o => o.scrollWidth > o.clientWidth + 1).length"))


@pytest.mark.parametrize(
    "name", [name if name in SAMPLE else pytest.param(name, marks=pytest.mark.thorough) for name in NOTEBOOKS]
)
def test_a_page_is_quiet_fits_its_window_and_has_no_grave_barrier(
    browser: Browser, samples: RunSamples, name: str
) -> None:
    address = samples.report(name, RUN)["html"].as_uri()
    for width in WIDTHS:
        with opened(browser, address, width=width) as (page, seen):
            assert page.locator("h1").count() == 1
            assert page.locator("img").evaluate_all("all => all.filter(one => !one.naturalWidth).length") == 0
            assert seen.is_quiet, (width, seen)
            assert (overflow(page), hidden(page)) == (0, 0), width
    # colours, names and alternatives are those of any width
    assert grave(browser, address, WIDTHS[-1]) == []


def test_what_would_be_wrong_is_found(browser: Browser, tmp_path: Path) -> None:
    bad = tmp_path / "bad.html"
    bad.write_text(
        '<!DOCTYPE html><html lang="en"><head><title>Bad</title>'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"></head>"
        '<body><main><h1>Bad</h1><p style="color:#ddd;background:#fff">pale</p><img src="missing.png">'
        '<div class="table" style="width:9em;overflow-x:auto"><div style="width:20em">wide</div></div>'
        '<div style="width:2000px">wider</div><script>1</script></main></body></html>',
        encoding="utf-8",
    )
    with opened(browser, bad.as_uri()) as (page, seen):
        assert (overflow(page) > 0, hidden(page)) == (True, 1)
        assert any("Content Security Policy" in line for line in seen.console)
    found = {line.split(" ", maxsplit=1)[0] for line in grave(browser, bad.as_uri(), 1200)}
    assert {"color-contrast", "image-alt"} <= found
