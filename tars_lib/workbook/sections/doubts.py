"""What may another reader conclude from the same verdicts? The warnings that change that, and how many more there are."""

from __future__ import annotations

from collections.abc import Iterable

from tars_lib.pipeline import Run
from tars_lib.reports.blocks.kinds import Block, Column, Table
from tars_lib.text.counts import plural

MOST = 4
"""Warnings on a page for leadership; judgement: as many as are read. The incident report has all."""
TOLD_ELSEWHERE = (
    " is UNKNOWN: ",
    "reports nothing, so its state is unknown",
    "have no known score",
    " old; judged as of ",
)
"""Parts of warnings that the narrative, the scorecard or the head of the page tell."""
HARMLESS = (
    "identical duplicate samples were dropped",
    "rows have no value and count as missing samples",
    " apart and are joined",
    "the finer is summed over each interval of the coarser",
)
"""Parts of warnings on how data were read that leave each value what it is."""


def doubts(run: Run) -> list[Block]:
    """Return a table of what the verdicts leave open; nothing where nothing does."""
    warnings = doubtful((*run.sla.warnings, *run.health.warnings))
    if not warnings:
        return []
    more = len(warnings) - MOST
    return [
        Table(
            caption="Before these verdicts are relied on",
            columns=(Column("What they leave open"),),
            rows=tuple((f"{text[:1].upper()}{text[1:]}",) for text in warnings[:MOST]),
            note=f"{plural(more, 'more warning')} in the incident report." if more > 0 else "",
        )
    ]


def doubtful(warnings: Iterable[str]) -> tuple[str, ...]:
    """Return the warnings that change what may be concluded, those on an SLA first."""
    kept = [text for text in dict.fromkeys(warnings) if not any(part in text for part in (*TOLD_ELSEWHERE, *HARMLESS))]
    return tuple(sorted(kept, key=lambda text: not text.startswith(("SLA ", "SLAs "))))
