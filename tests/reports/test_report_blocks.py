"""A block holds only what can be rendered, and survives its JSON."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_samples import HOSTILE

from tars_lib.errors import ReportError
from tars_lib.reports.blocks import kinds as b
from tars_lib.reports.blocks.view import views


def test_the_sample_shows_every_kind(blocks: tuple[b.Block, ...]) -> None:
    assert {block.kind for block in blocks} == set(b.KINDS)


def test_a_block_survives_its_json(blocks: tuple[b.Block, ...]) -> None:
    for block in blocks:
        assert b.from_json(json.loads(json.dumps(block.to_json()))) == block


@given(st.lists(st.tuples(st.text(), st.none() | st.floats(allow_nan=False, allow_infinity=False)), min_size=1))
def test_any_table_survives_utf8_json(rows: list[tuple[str, float | None]]) -> None:
    table = b.Table("t", [b.Column("a"), b.Column("n", "number")], rows)
    assert b.from_json(json.loads(json.dumps(table.to_json(), ensure_ascii=False).encode())) == table


def test_a_lone_surrogate_does_not_break_files() -> None:
    assert b.Heading("a\ud800b").text == "a[U+D800]b"


def test_numpy_numbers_become_plain_numbers() -> None:
    table = b.Table("t", [b.Column("n", "number"), b.Column("i", "number")], [[np.float64(0.5), np.int64(3)]])
    assert json.dumps(table.to_json()["rows"]) == "[[0.5, 3.0]]"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: b.Badge("x", "red"), "Badge.tone.*'red'.*critical, warning, good"),  # type: ignore[arg-type]
        (lambda: b.Badge(" ", "critical"), "word, never by colour alone"),
        (lambda: b.Prose("text"), "Prose.paragraphs: got 'text', expected a list"),
        (lambda: b.KeyFigures([b.KeyFigure("a", float("nan"))]), "an unknown one is None"),
        (lambda: b.CandidateCause(1, "c", "r", confidence=1.2), "CandidateCause.confidence: got 1.2, expected 0 to 1"),
        (lambda: b.CauseList([], unexplained=-0.1), "CauseList.unexplained"),
        (lambda: b.Table("t", [b.Column("n", "number")], [[[1]]]), r"rows\[0\], column 'n'"),
        (lambda: b.Table("t", [b.Column("n", "badge")], [["Breached"]]), "expected Badge"),
        (lambda: b.Table("t", [b.Column("n")], [["a", "b"]]), "got 2 cells, expected 1"),
        (lambda: b.Table("t", [b.Column("n")]), "`empty` must say why"),
        (lambda: b.Table("", [b.Column("n")], [["a"]]), "caption is empty"),
        (lambda: b.Table("t", [], []), "at least one column"),
        (lambda: b.TitleBlock(""), "title is empty"),
        (lambda: b.FigureBlock(b"<svg/>", b"GIF89a", "alt"), "expected a PNG"),
        (lambda: b.Bar(-0.1), "expected 0 or more"),
        (lambda: b.Heading("h", 3), "expected one of 1, 2"),  # type: ignore[arg-type]
    ],
)
def test_a_refusal_names_field_value_and_what_is_allowed(make: Any, message: str) -> None:
    with pytest.raises(ReportError, match=message):
        make()


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "//example.org", "https://", " https://a"]
)
def test_links_go_to_http_https_and_mailto_only(url: str) -> None:
    with pytest.raises(ReportError, match="expected http"):
        b.Link("x", url)


@pytest.mark.parametrize("url", ["http://a", "https://example.org/x?y=1#z", "mailto:a@example.org"])
def test_ordinary_links_pass(url: str) -> None:
    assert b.Link("x", url).url == url


@pytest.mark.parametrize(
    "inside",
    [
        b"<script>alert(1)</script>",
        b'<image href="file:///etc/passwd"/>',
        b'<image xlink:href="http://evil.example/x.png"/>',
        b"<foreignObject/>",
        b"<style>@import 'x'</style>",
    ],
)
def test_a_figure_that_reaches_outside_is_refused(inside: bytes, half_picture: tuple[bytes, bytes]) -> None:
    with pytest.raises(ReportError, match="no script or outside reference"):
        b.FigureBlock(b"<svg>" + inside + b"</svg>", half_picture[1], "alt")


def test_a_figure_needs_words_for_those_who_do_not_see_it(half_picture: tuple[bytes, bytes]) -> None:
    with pytest.raises(ReportError, match="alt is empty"):
        b.FigureBlock(*half_picture, alt="  ")


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"kind": "poem", "version": 1}, "unknown kind of block 'poem'; allowed: title, key-figures"),
        ({"kind": "heading", "version": 2, "text": "a"}, "'heading': unknown version 2; allowed: 1"),
        ({"kind": "heading", "version": True, "text": "a"}, "unknown version True"),
        ({"kind": "heading", "version": 1, "text": "a", "colour": 1}, "unknown field 'colour'; allowed: text"),
        ({"kind": "heading", "version": 1}, "field 'text' is missing"),
        ({"kind": "title", "version": 1, "title": "t", "badges": [{"text": "a", "x": 1}]}, r"badges\[0\].*'x'"),
        (["heading"], "a block is a JSON object"),
        ({"kind": "figure", "version": 1, "svg": "!", "png": "!", "alt": "a"}, "FigureBlock.svg.*base64"),
    ],
)
def test_reading_json_names_what_is_unknown(document: object, message: str) -> None:
    with pytest.raises(ReportError, match=message):
        b.from_json(document)


def test_a_cell_may_be_unknown_but_never_nothing() -> None:
    (view,) = views([b.Table("t", [b.Column("n", "number")], [[None], [0.0]])])
    assert [row[0]["text"] for row in view["rows"]] == ["unknown", "0"]


def test_an_unknown_key_figure_cannot_wear_another_tone() -> None:
    figure = b.KeyFigure("Restore", None, tone="good", word="Fine")
    assert (figure.tone, figure.word) == ("unknown", "")


def test_every_tone_but_neutral_brings_a_word() -> None:
    callouts = [b.Callout("t", tone=tone) for tone in b.TONE_WORDS]
    words = [view["word"] for view in views(callouts)]
    assert words == ["Critical", "Warning", "Good", "Info", "Unknown", ""]


def test_half_figures_stand_in_pairs(half_picture: tuple[bytes, bytes]) -> None:
    half = b.FigureBlock(*half_picture, alt="a", width="half")
    full = b.FigureBlock(*half_picture, alt="a")
    rows = views([half, half, half, full, half, b.Heading("h"), half])
    assert [len(row.get("figures", ())) for row in rows] == [2, 1, 1, 1, 0, 1]
    assert [item["number"] for row in rows for item in row.get("figures", ())] == [1, 2, 3, 4, 5, 6]


def test_a_document_never_skips_a_level_of_heading() -> None:
    levels = [view["level"] for view in views([b.Heading("a", 2), b.Heading("b", 2), b.Heading("c")])]
    assert levels == [1, 2, 1]


def test_a_notebook_gets_json_preview_and_plain_text(blocks: tuple[b.Block, ...]) -> None:
    for block in blocks:
        bundle = block._repr_mimebundle_()
        assert set(bundle) == {b.MIME_TYPE, "text/html", "text/plain"}
        assert bundle[b.MIME_TYPE] == block.to_json()
        assert bundle["text/plain"].strip()


def test_previews_escape_names() -> None:
    for name in (HOSTILE["script"], HOSTILE["attribute"]):
        bundle = b.Callout(name, name)._repr_mimebundle_()
        assert "<script" not in bundle["text/html"]
        assert '"onmouseover' not in bundle["text/html"]
        assert name in bundle["text/plain"]
