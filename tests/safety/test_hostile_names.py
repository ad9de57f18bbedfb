"""Names that want to be code are text: in a browser, in CSV, and to a shell."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browsing import chromium, opened
from safety_samples import FACING, FAILING, INCIDENT, ORG, TEAM, Session

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Dialog

# on Python 3.11 and 3.12 apprise imports a module that later ones have not
pytestmark = [
    pytest.mark.xdist_group("hostile names"),
    pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning"),
]

_ACTIVE = "script, iframe, object, embed, link, base, form, [onerror], [onload], [onmouseover], a[href^='javascript']"
_LISTEN = "addEventListener('securitypolicyviolation', one => window.violated = (window.violated || []).concat(one.blockedURI))"


def pages(session: Session) -> list[Path]:
    """HTML of the report, and of all findings in the bundle."""
    return sorted([*(session.folder / "pages").rglob("*.html"), *(session.folder / "unpacked").rglob("*.html")])


@dataclass
class Watched:
    """What a page did and shows: dialogs, errors, requests and violations of its content policy; active elements; its text."""

    events: list[str]
    active: int
    images: list[str]
    text: str


def watch(browser: Browser, path: Path) -> Watched:
    """Open a page and move over it."""
    dialogs: list[str] = []

    def dismiss(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    with opened(browser, "about:blank") as (page, seen):
        page.on("dialog", dismiss)
        page.add_init_script(_LISTEN)
        page.goto(path.as_uri())
        page.mouse.move(300, 300)
        requests = [url for url in seen.requests if url.split("#")[0] != path.as_uri()]
        violations = page.evaluate("window.violated || []")
        return Watched(
            [*dialogs, *seen.console, *seen.errors, *requests, *violations],
            page.locator(_ACTIVE).count(),
            page.evaluate("[...document.images].map(one => one.src.slice(0, 11))"),
            page.evaluate("document.body.innerText").replace("\u200b", "").replace("\u00ad", ""),
        )


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.mark.slow
def test_hostile_names_are_inert_text_in_a_browser(session: Session, browser: Browser) -> None:
    listed = pages(session)
    assert len(listed) >= 4
    shown = ""
    for path in listed:
        found = watch(browser, path)
        assert (found.events, found.active) == ([], 0), path.name
        # the pictures are the figures' own; none came out of a name
        assert set(found.images) <= {"data:image/"}, path.name
        assert FAILING in found.text, path.name
        assert "\u202e" not in found.text, path.name
        shown += found.text
    assert "{{7*7}}" in shown
    assert '#read("/etc/passwd")' in shown


@pytest.mark.slow
def test_a_page_that_runs_a_name_would_be_noticed(tmp_path: Path, browser: Browser) -> None:
    """The same watch over the same policy: what the test above looks for does show."""
    policy = "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'\">"
    (tmp_path / "bad.html").write_text(f"{policy}<p>{FAILING}<img src=x onerror=alert(2)>", encoding="utf-8")
    (tmp_path / "open.html").write_text(f"<p>{FAILING}", encoding="utf-8")
    refused, run = watch(browser, tmp_path / "bad.html"), watch(browser, tmp_path / "open.html")
    assert any("Content Security Policy" in event for event in refused.events)
    assert "inline" in refused.events
    assert refused.active >= 2
    assert run.events == ["1"]


@pytest.mark.slow
def test_the_names_of_the_organisation_are_shown_as_they_are_written(session: Session, browser: Browser) -> None:
    with opened(browser, (session.folder / "pages" / "incident_report.html").as_uri()) as (page, seen):
        text = page.evaluate("document.body.innerText").replace("\u200b", "").replace("\u00ad", "")
        assert seen.is_quiet
    for name in (ORG, FAILING, FACING):
        assert name in text, name


@pytest.mark.slow
def test_no_cell_of_a_table_begins_a_formula(session: Session) -> None:
    tables = [
        path for path in session.folder.rglob("*.csv") if "org-health" not in path.parts and "inputs" not in path.parts
    ]
    assert tables
    for path in tables:
        with path.open(encoding="utf-8-sig", newline="") as file:
            cells = [cell for row in csv.reader(file) for cell in row]
        assert cells
        assert not [cell for cell in cells if re.match(r"[=+\-@\t\r]", cell)], path.name
        assert any(TEAM in cell for cell in cells), path.name


@pytest.mark.slow
def test_no_name_was_run_by_a_shell(session: Session) -> None:
    assert not [path for path in session.folder.rglob("*") if path.name in ("x", "y")]
    assert (session.folder / "incidents" / INCIDENT / "incident.json").is_file()
