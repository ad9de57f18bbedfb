"""Only a notebook that ran to its end, and only its blocks, become a report."""

from __future__ import annotations

from typing import Any

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from report_samples import GENERATED_AT

from tars_lib.errors import ReportError
from tars_lib.reports.blocks.document import Document, read_blocks
from tars_lib.reports.blocks.kinds import MIME_TYPE, Block, Heading, TitleBlock
from tars_lib.reports.pages.exporters import TarsHTMLExporter, TarsPDFExporter


def shown(*blocks: Block) -> list[Any]:
    return [new_output("display_data", data={MIME_TYPE: block.to_json(), "text/plain": ""}) for block in blocks]


def cell(source: str = "show()", outputs: Any = (), tags: Any = ("report",), count: int | None = 1) -> Any:
    return new_code_cell(source, outputs=list(outputs), execution_count=count, metadata={"tags": list(tags)})


def notebook(*cells: Any, **metadata: Any) -> Any:
    return new_notebook(cells=list(cells), metadata=metadata)


TITLE = shown(TitleBlock("Title"))


def test_blocks_come_in_the_order_of_cells_and_outputs() -> None:
    first = cell(outputs=[*TITLE, *shown(Heading("a"))])
    quiet = cell("private", [new_output("stream", name="stdout", text="secret")], tags=())
    last = cell(outputs=shown(Heading("b")))
    assert read_blocks(notebook(first, quiet, last)) == (TitleBlock("Title"), Heading("a"), Heading("b"))


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (
            cell("print(1)", [new_output("stream", name="stderr", text="w")]),
            r"cell 2 \('print\(1\)'\) writes to stderr",
        ),
        (cell("1", [new_output("execute_result", data={"text/plain": "1"})]), "cell 2 .* shows text/plain"),
        (
            cell("h()", [new_output("display_data", data={MIME_TYPE: {"kind": "poem", "version": 1}})]),
            "cell 2 .*unknown kind of block 'poem'",
        ),
        (cell("1/0", [new_output("error", ename="E", evalue="v")], tags=()), "cell 2 .* failed .E: v.*not exported"),
        (cell("later()", count=None, tags=()), "cell 2 .* has not been executed"),
        (new_markdown_cell("# Hi", metadata={"tags": ["report"]}), "cell 2 .* no code cell"),
    ],
)
def test_a_refusal_names_the_cell(bad: Any, message: str) -> None:
    with pytest.raises(ReportError, match=message):
        read_blocks(notebook(cell(outputs=TITLE), bad))


def test_an_empty_cell_need_not_be_executed() -> None:
    assert len(read_blocks(notebook(cell(outputs=TITLE), cell("  ", count=None, tags=())))) == 1


def test_a_notebook_without_report_cells_is_refused() -> None:
    with pytest.raises(ReportError, match="none of the notebook's 1 cells is tagged 'report'"):
        read_blocks(notebook(cell(tags=())))


@pytest.mark.parametrize("blocks", [(), (Heading("a"),), (Heading("a"), TitleBlock("t")), (TitleBlock("t"),) * 2])
def test_a_report_begins_with_its_one_title(blocks: tuple[Block, ...]) -> None:
    with pytest.raises(ReportError, match="begins with its one TitleBlock"):
        Document(blocks, GENERATED_AT)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ReportError, match="expected a time with a zone"):
        Document((TitleBlock("t"),), GENERATED_AT.replace(tzinfo=None))


def test_the_time_is_that_of_the_option_then_the_notebook_then_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plain = notebook(cell(outputs=TITLE))
    dated = notebook(cell(outputs=TITLE), tars={"generated_at": "2026-01-02T03:04:00+00:00"})

    def generated(node: Any, **options: str) -> str:
        return TarsHTMLExporter(**options).read_document(node).generated

    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert generated(plain) == "2023-11-14 22:13 UTC"
    assert generated(dated) == "2026-01-02 03:04 UTC"
    assert generated(dated, generated_at="2025-05-05T05:05+02:00") == "2025-05-05 03:05 UTC"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    with pytest.raises(ReportError, match="SOURCE_DATE_EPOCH: got 'yesterday'"):
        generated(plain)
    with pytest.raises(ReportError, match="generated_at: got 'noon'"):
        generated(plain, generated_at="noon")


def test_language_and_author_come_from_the_notebook() -> None:
    node = notebook(cell(outputs=TITLE), tars={"lang": "de-AT", "author": "SRE"})
    page, _ = TarsHTMLExporter().from_notebook_node(node)
    assert '<html lang="de-AT">' in page
    assert "SRE · generated" in page


def test_nbconvert_knows_both_exporters() -> None:
    from nbconvert.exporters import get_exporter

    assert get_exporter("tars-html") is TarsHTMLExporter
    assert get_exporter("tars-pdf") is TarsPDFExporter
