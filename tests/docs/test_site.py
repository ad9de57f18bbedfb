"""The site builds without a warning, loads nothing from elsewhere, and its made pages are those of the code."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from browsing import barriers, chromium, inspected, opened, overflow

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
OF_THE_PLAYBOOK = (
    "OPS_RUNBOOK.md",
    "POST_GA_GOVERNANCE.md",
    "ORG_SLA_INTELLIGENCE_ENGINE.md",
    "ORG_TEMPORAL_INTELLIGENCE_ENGINE.md",
)
"""What the playbook's page links under "Related Documentation", beside itself."""

KINDS = ("index.html", "commands.html", "benchmarks.html", "methods/sla.html")
"""Prose, made tables of commands, long tables, and formulas."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site."""
    pytest.importorskip("mkdocs", reason="the documentation's builder is not installed")
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return folder


def test_pages_made_from_playbook_commands_and_notebooks_are_current() -> None:
    spec = importlib.util.spec_from_file_location("docs_generate_site", DOCS / "generate_site.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    for name, make in made.PAGES.items():
        committed = (DOCS / name).read_text(encoding="utf-8")
        assert committed == make(), f"docs/{name} is not what `python docs/generate_site.py` writes"


def test_the_playbooks_links_to_other_documents_lead_somewhere() -> None:
    for name in OF_THE_PLAYBOOK:
        assert (DOCS / name).is_file()
        assert f"]({name})" in (DOCS / "playbook.md").read_text(encoding="utf-8")


def names_in(nav: Any) -> list[str]:
    """Files of a navigation tree."""
    if isinstance(nav, str):
        return [nav]
    parts = nav.values() if isinstance(nav, dict) else nav
    return [name for part in parts for name in names_in(part)]


def test_every_page_can_be_reached_from_the_navigation() -> None:
    """Decisions stand behind their own list."""
    named = set(names_in(yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]))
    pages = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    assert named <= pages
    assert {page for page in pages - named if not page.startswith("decisions/")} == set()


@pytest.mark.slow
def test_the_site_loads_nothing_from_elsewhere(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 30
    loads = (
        r"<(?:script|img|iframe)[^>]*\ssrc=\"([^\"]+)\"|<link[^>]*rel=\"(?:stylesheet|icon|preload|preconnect)\"[^>]*>"
    )
    for page in pages:
        for found in re.finditer(loads, page.read_text(encoding="utf-8")):
            assert not re.search(r"(?:src|href)=\"(?:https?:)?//", found[0]), (page.name, found[0])


@pytest.fixture(params=["a page of each kind", pytest.param("every page", marks=pytest.mark.thorough)])
def pages(site: Path, request: pytest.FixtureRequest) -> list[str]:
    """Addresses within the site; the page for what is not found loads its parts from the root of a server."""
    if request.param == "every page":
        return sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html") if path.name != "404.html")
    return list(KINDS)


@pytest.mark.slow
def test_a_page_is_quiet_and_fits_a_desk_and_a_phone(site: Path, pages: list[str]) -> None:
    wrong: list[str] = []
    with chromium() as browser:
        for name in pages:
            with opened(browser, (site / name).as_uri(), width=1200) as (page, seen):
                for width in (1200, 390):
                    page.set_viewport_size({"width": width, "height": 900})
                    if beyond := overflow(page):
                        wrong.append(f"{name}: {beyond} px wider than a window of {width}")
            wrong += [f"{name}: asks for {one}" for one in seen.requests if not one.startswith("file:")]
            wrong += [f"{name}: {one}" for one in seen.errors]
    assert wrong == []


@pytest.mark.slow
def test_a_page_has_no_grave_barrier(site: Path, pages: list[str]) -> None:
    """What axe finds of its two worst kinds, on a telephone, where tables scroll; at a desk of a page of each kind."""
    desk = [] if pages == list(KINDS) else KINDS
    wrong: list[str] = []
    with chromium() as browser:
        for width, names in ((390, pages), (1200, desk)):
            with inspected(browser, width) as page:
                for name in names:
                    page.goto((site / name).as_uri())
                    wrong += [f"{name} at {width}: {one}" for one in barriers(page)]
    assert wrong == []
