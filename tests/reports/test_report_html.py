"""The HTML page loads nothing, runs nothing and shows every name as text."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest
from report_samples import HOSTILE

from tars_lib.reports.pages.html import render_html

if TYPE_CHECKING:
    from tars_lib.reports.blocks.document import Document


class Page(HTMLParser):
    """Elements with their attributes, and the text between them."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.style = ""
        self._in_style = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._in_style = tag == "style"

    def handle_endtag(self, tag: str) -> None:
        self._in_style = False

    def handle_data(self, data: str) -> None:
        if self._in_style:
            self.style += data
        else:
            self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def html(document: Document) -> str:
    return render_html(document)


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


@pytest.fixture(scope="module")
def hostile_page(hostile_document: Document) -> Page:
    return Page(render_html(hostile_document))


def test_two_renderings_are_the_same(document: Document, html: str) -> None:
    assert render_html(document) == html


def test_the_page_has_no_script_and_loads_nothing(page: Page) -> None:
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "link", "iframe", "object", "embed", "base", "form", "audio", "video", "source"}
    for tag, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on") or name in ("style", "srcset")]
        source = attributes.get("src")
        assert source is None or source.startswith("data:image/svg+xml;base64,"), tag
    assert [link["href"] for link in page.all("a")] == ["https://example.org/runbook"]
    assert not re.search(r"url\(|@import|@font-face", page.style)


def test_the_figures_inside_load_nothing_either(page: Page) -> None:
    pictures = [base64.b64decode((image["src"] or "").partition(",")[2]) for image in page.all("img")]
    assert len(pictures) == 3
    for picture in pictures:
        outside = re.findall(rb'(?:href|src)="(?!#)[^"]*"|url\((?!#)[^)]*\)|<script|<!DOCTYPE', picture)
        assert outside == []


def test_the_policy_admits_this_style_and_nothing_else(page: Page) -> None:
    (policy,) = [meta["content"] or "" for meta in page.all("meta") if "http-equiv" in meta]
    digest = base64.b64encode(hashlib.sha256(page.style.encode()).digest()).decode()
    assert policy.startswith("default-src 'none'; ")
    assert f"style-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy


def test_the_page_is_accessible(page: Page) -> None:
    assert page.all("html") == [{"lang": "en"}]
    assert len(page.all("h1")) == len(page.all("main")) == len(page.all("title")) == 1
    assert all(image["alt"] for image in page.all("img"))
    assert all(cell.get("scope") in ("col", "row") for cell in page.all("th"))
    assert len(page.all("caption")) == len(page.all("table")) == 1


def test_every_block_is_on_the_page(page: Page) -> None:
    for text in (
        "Checkout breached its SLA",
        "Synthetic data",
        "SLAs breached",
        "unknown",
        "Every SLA",
        "1.12",
        "137%",
        "Breached",
        "No channel is configured.",
        "Roll back",
        "payments-db: slow.",
        "82%",
        "74%",
        "z = 54",
        "26%",
        "CASCADING_FAILURE",
        "It rises.",
        "Deploy 4.12",
        "Freeze",
        "Done:",
        "Open:",
        "SRE · today",
        "Second.",
        "Runbook",
        "generated 2026-03-06 08:00 UTC",
    ):
        assert text in page.text.replace("\u00a0", " "), text
    assert "</" not in page.text
    assert "&lt;" not in page.text


def test_the_page_prints_on_paper_and_fits_a_telephone(page: Page) -> None:
    assert "@page" in page.style
    assert "@media print" in page.style
    assert "max-width: 620px" in page.style


@pytest.mark.parametrize("kind", ["script", "attribute", "typst", "formula", "markup", "emoji"])
def test_hostile_names_stay_text(hostile_page: Page, kind: str) -> None:
    assert hostile_page.text.count(HOSTILE[kind]) >= 5
    assert not hostile_page.all("script")
    assert all("onmouseover" not in name for _, attributes in hostile_page.elements for name in attributes)


def test_overrides_are_shown_and_long_names_cut(hostile_page: Page) -> None:
    assert "\u202e" not in hostile_page.text
    assert "invoice[U+202E]gpj.exe" in hostile_page.text
    assert "n" * 4001 not in hostile_page.text
    assert "… (10,000 characters)" in hostile_page.text


def test_a_report_is_small_enough_for_mail(html: str) -> None:
    assert len(html) < 200_000
