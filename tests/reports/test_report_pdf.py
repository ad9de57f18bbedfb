"""The PDF is archival, accessible, reproducible, and shows every name as text."""

from __future__ import annotations

import io
import re

import pypdf
import pytest
from pypdf.generic import IndirectObject
from report_samples import GENERATED_AT, HOSTILE

from tars_lib.reports.blocks.document import Document
from tars_lib.reports.blocks.kinds import Callout, Column, Heading, Prose, Table, TitleBlock
from tars_lib.reports.pages.pdf import render_pdf


@pytest.fixture(scope="module")
def pdf(document: Document) -> bytes:
    return render_pdf(document)


@pytest.fixture(scope="module")
def reader(pdf: bytes) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(pdf))


@pytest.fixture(scope="module")
def hostile_reader(hostile_document: Document) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(render_pdf(hostile_document)))


def text_of(reader: pypdf.PdfReader) -> str:
    return "\n".join(page.extract_text() for page in reader.pages)


def without_breaks(text: str) -> str:
    return re.sub(r"\s", "", text)


def test_two_renderings_are_the_same_bytes(document: Document, pdf: bytes) -> None:
    assert render_pdf(document) == pdf


def test_another_time_gives_another_document(document: Document, pdf: bytes) -> None:
    later = Document(document.blocks, document.generated_at.replace(hour=9))
    assert render_pdf(later) != pdf


def test_a_clock_with_fractions_of_a_second_will_do(document: Document, pdf: bytes) -> None:
    assert render_pdf(Document(document.blocks, document.generated_at.replace(microsecond=7))) == pdf


def test_it_claims_pdf_a_2a_and_pdf_ua_1(reader: pypdf.PdfReader) -> None:
    metadata = reader.trailer["/Root"]["/Metadata"].get_data().decode()
    assert re.search(r"pdfaid:part>2<", metadata)
    assert re.search(r"pdfaid:conformance>A<", metadata)
    assert re.search(r"pdfuaid:part>1<", metadata)


def test_it_is_tagged_titled_and_in_a_language(reader: pypdf.PdfReader) -> None:
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert reader.metadata is not None
    assert reader.metadata.title == "Checkout breached its SLA"
    assert reader.metadata.author == "T.A.R.S. incident workbook"
    assert str(reader.metadata.creation_date).startswith("2026-03-06 08:00:00")


def structure_types(node: object) -> list[str]:
    if isinstance(node, IndirectObject):
        node = node.get_object()
    if isinstance(node, list):
        return [kind for entry in node for kind in structure_types(entry)]
    if not isinstance(node, dict):
        return []
    own = [str(node["/S"])] if "/S" in node else []
    return own + (structure_types(node["/K"]) if "/K" in node else [])


def test_tables_and_figures_are_tagged_as_such(reader: pypdf.PdfReader) -> None:
    kinds = structure_types(reader.trailer["/Root"]["/StructTreeRoot"])
    # the other table has no rows, so that it is a sentence
    assert kinds.count("/Table") == 1
    assert kinds.count("/TH") == 5
    assert kinds.count("/Figure") == 3
    assert {"/Caption", "/H1", "/Link", "/L"} <= set(kinds)


@pytest.mark.parametrize("paragraphs", [20, 24, 28])
def test_a_small_table_stays_on_one_page_with_its_heading_and_a_long_one_leaves_no_row_alone(paragraphs: int) -> None:
    def table(name: str, rows: int) -> Table:
        return Table(name, [Column("Row")], [[f"{name} {row}."] for row in range(rows)])

    filler = Prose([f"Paragraph {number}." for number in range(paragraphs)])
    blocks = [TitleBlock("T"), filler, Heading("Evidence"), table("small", 9), Heading("All"), table("long", 40)]
    pages = [
        page.extract_text() for page in pypdf.PdfReader(io.BytesIO(render_pdf(Document(blocks, GENERATED_AT)))).pages
    ]
    (place,) = [number for number, text in enumerate(pages) if "small 0." in text]
    assert "Evidence" in pages[place]
    assert "small 8." in pages[place]
    counts = [len(re.findall(r"long \d+\.", text)) for text in pages]
    assert sum(counts) == 40
    assert 1 not in counts


def test_the_outline_holds_the_headings(reader: pypdf.PdfReader) -> None:
    def titles(entries: list[object]) -> list[object]:
        return [titles(entry) if isinstance(entry, list) else entry["/Title"] for entry in entries]  # type: ignore[index]

    assert titles(reader.outline) == ["Scorecard", "Causes", ["Detail"]]


def test_every_font_is_embedded_and_shipped(reader: pypdf.PdfReader) -> None:
    names = set()
    for page in reader.pages:
        for font in page["/Resources"]["/Font"].values():
            (descendant,) = font.get_object()["/DescendantFonts"]
            descriptor = descendant.get_object()["/FontDescriptor"].get_object()
            assert {"/FontFile2", "/FontFile3"} & set(descriptor)
            names.add(descriptor["/FontName"].partition("+")[2])
    assert {name.partition("-")[0] for name in names} == {"Inter", "NotoSansMono"}


def test_every_block_is_in_the_text(reader: pypdf.PdfReader) -> None:
    text = without_breaks(text_of(reader))
    for part in (
        "Checkout breached its SLA",
        "SYNTHETIC DATA",
        "SLAs breached",
        "Every SLA",
        "1.12",
        "137%",
        "Breached",
        "No channel is configured.",
        "Warning",
        "payments-db: slow.",
        "82%",
        "26%",
        "CASCADING_FAILURE",
        "It rises.",
        "Deploy 4.12",
        "Done",
        "SRE · today",
        "Second.",
        "Runbook",
        "generated 2026-03-06 08:00 UTC",
    ):
        assert without_breaks(part) in text, part


def test_every_page_says_which_of_how_many_it_is(reader: pypdf.PdfReader) -> None:
    count = len(reader.pages)
    assert count >= 2
    for number, page in enumerate(reader.pages, start=1):
        assert f"{number} / {count}" in page.extract_text()


def test_links_lead_where_they_say(reader: pypdf.PdfReader) -> None:
    actions = [note.get_object()["/A"]["/URI"] for page in reader.pages for note in page.get("/Annots", ())]
    assert set(actions) == {"https://example.org/runbook"}


@pytest.mark.parametrize("kind", ["script", "attribute", "typst", "formula", "markup"])
def test_hostile_names_stay_text(hostile_reader: pypdf.PdfReader, kind: str) -> None:
    text = without_breaks(text_of(hostile_reader))
    assert text.count(without_breaks(HOSTILE[kind])) >= 5
    assert "root:" not in text


def test_hidden_and_undrawable_characters_show_their_number(hostile_reader: pypdf.PdfReader) -> None:
    text = without_breaks(text_of(hostile_reader))
    assert "invoice[U+202E]gpj.exe" in text
    assert "rocket[U+1F680]" in text
    assert "\u202e" not in text


def test_long_names_are_cut_visibly_and_stay_searchable(hostile_reader: pypdf.PdfReader) -> None:
    text = text_of(hostile_reader)
    assert "\u200b" not in text
    assert "…(10,000characters)" in without_breaks(text)


def test_a_long_table_repeats_its_head_and_splits_no_row() -> None:
    from tars_lib.reports.blocks.kinds import Column

    rows = [[f"repo-{index:03}", "one two three " * 8 + f"end-{index:03}"] for index in range(120)]
    head = TitleBlock("Long")
    table = Table("Many services", [Column("Service", "mono"), Column("Remark")], rows)
    pages = pypdf.PdfReader(io.BytesIO(render_pdf(Document((head, Heading("H"), table), GENERATED_AT)))).pages
    assert len(pages) >= 3
    for page in pages:
        text = page.extract_text()
        assert "Remark" in text
        starts, ends = re.findall(r"repo-(\d{3})", text), re.findall(r"end-(\d{3})", text)
        assert sorted(starts) == sorted(ends)


def callouts_by_page(count: int) -> list[int]:
    blocks = (TitleBlock("Many"), *(Callout(f"Remark {n}", "One line.") for n in range(count)))
    pages = pypdf.PdfReader(io.BytesIO(render_pdf(Document(blocks, GENERATED_AT)))).pages
    return [page.extract_text().count("One line.") for page in pages]


def test_blocks_move_closer_where_that_saves_a_page_and_keep_their_space_where_it_does_not() -> None:
    full = next(count for count in range(8, 40) if len(callouts_by_page(count)) == 2) - 1
    loose = callouts_by_page(full + 1)[0]
    assert callouts_by_page(full) == [full]
    assert loose < full


def test_blocks_move_apart_where_that_fills_a_last_page_that_cannot_be_saved() -> None:
    full = next(count for count in range(8, 40) if len(callouts_by_page(count)) == 2) - 1
    first, last = callouts_by_page(full + 1)
    assert last >= 0.25 * full, "one that no longer fits takes others with it"
    assert callouts_by_page(full + 4)[0] == first, "and never opens a further page"
