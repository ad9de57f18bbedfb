"""The explorer page is small, offline and quiet: a value under the pointer, one zoom for both, from an event to what moved."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from browsing import chromium, opened

from tars_lib.errors import InputError
from tars_lib.model.names import Event
from tars_lib.model.organisation import OrgData
from tars_lib.pipeline.loading import load_org
from tars_lib.reports.pages import explorer_page as page_module
from tars_lib.reports.pages.explorer_page import explorer_page
from tars_lib.sources.demo import demo_root


@pytest.fixture(scope="module")
def org() -> OrgData:
    return load_org(demo_root())


def test_a_page_is_small_and_nothing_in_a_name_is_markup(org: OrgData, monkeypatch: pytest.MonkeyPatch) -> None:
    page = explorer_page(org)
    assert len(page.html.encode()) < 1_500_000, "twelve services, five weeks by the hour"
    assert "<iframe" in page._repr_html_()
    first = org.events[0]
    evil = Event(first.timestamp, None, "deploy", "</script><script>alert(1)</script>\u202e", None)
    html = explorer_page(replace(org, name="<b>x", events=(evil,))).html
    assert "alert(1)</script>" not in html
    assert "<b>x" not in html
    assert "\u202e" not in html
    monkeypatch.setattr(page_module, "MAX_SAMPLES", 100)
    with pytest.raises(InputError, match="up to 100 are allowed"):
        explorer_page(org)


@pytest.mark.slow
def test_a_browser_shows_values_zooms_both_figures_and_goes_from_an_event_to_what_moved(
    org: OrgData, tmp_path: Path
) -> None:
    address = explorer_page(org).save(tmp_path / "explorer.html").as_uri()
    with chromium() as browser, opened(browser, address) as (page, seen):
        figures = page.locator("svg")
        box = figures.nth(0).bounding_box()
        assert box is not None
        middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(*middle)
        for place in (0, 1):
            assert re.match(r"20\d\d-\d\d-\d\d \d\d:\d\d UTC: [\d.,]+", page.locator("output").nth(place).inner_text())
        before = [figures.nth(place).get_attribute("aria-label") for place in (0, 1)]
        page.mouse.down()
        page.mouse.move(middle[0] + 100, middle[1])
        page.mouse.up()
        after = [figures.nth(place).get_attribute("aria-label") or "" for place in (0, 1)]
        assert all(one != other for one, other in zip(before, after, strict=True))
        assert after[0].partition(", ")[2] == after[1].partition(", ")[2], "one time axis"
        page.get_by_role("button", name="Connection pool rewrite").click()
        assert "14 of 55 metrics moved" in page.locator("#said").inner_text()
        metrics = page.locator("#moved button")
        assert metrics.count() == 14
        assert (figures.nth(0).get_attribute("aria-label") or "").startswith(metrics.nth(0).inner_text())
        metrics.nth(5).click()
        assert (figures.nth(0).get_attribute("aria-label") or "").startswith(metrics.nth(5).inner_text())
        page.screenshot(path=tmp_path / "explorer.png", full_page=True)
    assert seen.is_quiet, seen
