"""Warning on a report's first page that the evidence behind it is not whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from tars_lib.reports.blocks.document import Document
from tars_lib.reports.blocks.kinds import Badge, Block, Callout, Table, TitleBlock
from tars_lib.reports.blocks.parts import Column

WORD = "PARTIAL"
SHOWN = 5
"""Reasons named on the first page; judgement: more would push the finding off it. The bundle's index lists all."""


def marked(blocks: Sequence[Block], reasons: Sequence[str]) -> tuple[Block, ...]:
    """Return a report's blocks with the mark in the head of every page, and the reasons below the title."""
    head = blocks[0]
    if not reasons or not isinstance(head, TitleBlock):
        return tuple(blocks)
    label = WORD if not head.label else f"{WORD} - {head.label}"
    more = f" And {len(reasons) - SHOWN} more: see the index of the bundle." if len(reasons) > SHOWN else ""
    return (
        replace(head, badges=(Badge(WORD, "critical"), *head.badges), label=label),
        Callout("This evidence is not whole", f"{'; '.join(reasons[:SHOWN])}.{more}", "critical", WORD),
        *blocks[1:],
    )


def cover(run: str, reasons: Sequence[str], generated_at: datetime) -> dict[str, bytes]:
    """A page, as "html" and "pdf", in place of the report on a run that cannot be read; `run` is its name in the bundle."""
    from tars_lib.reports.pages.html import render_html
    from tars_lib.reports.pages.pdf import render_pdf

    title = TitleBlock(
        title=f"Partial evidence: {run}",
        headline="No report could be made on this run: its reports cannot be read.",
        facts=(("Run", run),),
    )
    table = Table("What is wrong", (Column("Fault"),), tuple((reason,) for reason in reasons))
    document = Document(marked((title, table), reasons), generated_at)
    return {"html": render_html(document).encode(), "pdf": render_pdf(document)}
