"""A document that holds every kind of block, and one made of names that try to be more than names."""

from __future__ import annotations

import pytest
from report_samples import GENERATED_AT, HOSTILE, picture

from tars_lib.reports.blocks.document import Document
from tars_lib.reports.blocks.kinds import (
    Badge,
    Bar,
    Block,
    Callout,
    CandidateCause,
    CauseList,
    Checklist,
    ChecklistItem,
    Column,
    FigureBlock,
    Heading,
    KeyFigure,
    KeyFigures,
    Link,
    PageBreak,
    Prose,
    Table,
    Timeline,
    TimelineEntry,
    TitleBlock,
)


@pytest.fixture(scope="session")
def half_picture() -> tuple[bytes, bytes]:
    return picture()


@pytest.fixture(scope="session")
def blocks(half_picture: tuple[bytes, bytes]) -> tuple[Block, ...]:
    half = FigureBlock(*half_picture, alt="Latency rises.", caption="It rises.", width="half")
    return (
        TitleBlock(
            "Checkout breached its SLA",
            subtitle="Acme",
            headline="Latency is 1.12 s against 0.50 s; payments-db is the likely cause.",
            badges=[Badge("SEV-1", "critical")],
            facts=[("Incident", "INC-202603060641"), ("Data as of", "2026-03-06 08:00 UTC")],
            label="Synthetic data",
        ),
        KeyFigures([KeyFigure("SLAs breached", 2, "of 6", tone="critical"), KeyFigure("Restore", None)]),
        Heading("Scorecard"),
        Table(
            "Every SLA",
            [
                Column("SLA"),
                Column("Measured", "number", decimals=2),
                Column("Budget", "bar"),
                Column("Service", "mono"),
                Column("Status", "badge"),
            ],
            [
                ["Latency", 1.12, Bar(1.37, tone="critical"), "checkout", Badge("Breached", "critical")],
                ["Freshness", None, None, None, Badge("Unknown", "unknown")],
            ],
            note="Freshness is reported by nobody.",
        ),
        Table("Alerts", [Column("Channel")], empty="No channel is configured."),
        Callout("Roll back", "It takes 6 minutes.", tone="warning"),
        Heading("Causes"),
        CauseList(
            [
                CandidateCause(
                    1, "payments-db: slow.", "payments-db", 0.82, 0.74, Badge("CASCADING_FAILURE"), ["z = 54"]
                )
            ],
            unexplained=0.26,
        ),
        Heading("Detail", 2),
        FigureBlock(*half_picture, alt="Latency of checkout over time.", caption="Full."),
        half,
        half,
        PageBreak(),
        Timeline([TimelineEntry("06:12 UTC", "Deploy 4.12", "To production.", "info")], title="What happened"),
        Checklist([ChecklistItem("Freeze", True, "SRE", "today"), ChecklistItem("Review")], title="To do"),
        Prose(["First paragraph.", "Second."], links=[Link("Runbook", "https://example.org/runbook")]),
    )


@pytest.fixture(scope="session")
def document(blocks: tuple[Block, ...]) -> Document:
    return Document(blocks, GENERATED_AT)


@pytest.fixture(scope="session")
def hostile_document() -> Document:
    names = list(HOSTILE.values())
    return Document(
        (
            TitleBlock(
                names[0],
                subtitle=names[2],
                headline=" ".join(names[:6]),
                badges=[Badge(name) for name in names],
                facts=[(name, name) for name in names],
                label=names[6],
            ),
            KeyFigures([KeyFigure(name, name, name, name) for name in names]),
            *(Heading(name) for name in names),
            Table(
                names[0],
                [Column(names[1]), Column("m", "mono"), Column("n", "number"), Column("b", "badge")],
                [[name, name, name, Badge(name)] for name in names],
            ),
            *(Callout(name, name) for name in names),
            Timeline([TimelineEntry(name, name, name) for name in names]),
            Checklist([ChecklistItem(name, owner=name) for name in names]),
            CauseList([CandidateCause(1, name, name, 0.5, evidence=names) for name in names]),
            Prose(names, links=[Link(name, "https://example.org/") for name in names]),
        ),
        GENERATED_AT,
        author=names[0],
    )
