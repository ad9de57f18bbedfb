"""A block in the words that a page prints: numbers rounded, text made visible, tones worded.

HTML and PDF render the same view, so both say the same. The view is plain JSON data.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable
from typing import Any

from tars_lib.reports.blocks.kinds import (
    Badge,
    Bar,
    Block,
    Callout,
    CauseList,
    Cell,
    Checklist,
    Column,
    FigureBlock,
    Heading,
    KeyFigures,
    PageBreak,
    Prose,
    Table,
    Timeline,
    TitleBlock,
)
from tars_lib.reports.blocks.lengths import LINE_LIMIT, NAME_LIMIT, TEXT_LIMIT, visible
from tars_lib.reports.blocks.parts import TONE_WORDS, Tone
from tars_lib.text.counts import unexplained_text

Text = Callable[[str, int | None], str]

# A number and its unit stay on one line: "99.9" at the end of one and "%" on the next reads like two things.
_UNIT = re.compile(r"(?<=\d) (?=(?:%|ms|s|h|min|d)(?![\w-]))")

# What stands where a number or a word is not known.
UNKNOWN = "unknown"

_BADGE_LIMIT = 40
_MARK_LIMIT = 24

# Characters up to which a number stands large, or right-aligned beside its bar.
_SHORT_NUMBER = 8

# Characters of title and text up to which an entry of a timeline stands in one line (judgement).
_SHORT_ENTRY = 64
_SHORT_LIMIT = 80


def format_number(value: float, decimals: int | None = None) -> str:
    r"""Round a number for a reader.

    Parameters
    ----------
    decimals : int, optional
        Places after the point. None: three significant digits, all digits before the point.

    Examples
    --------
    >>> format_number(0.99123), format_number(12345.6), format_number(2.5, 2), format_number(3.0)
    ('0.991', '12,346', '2.50', '3')
    >>> format_number(-4.2) == "\N{MINUS SIGN}4.2"
    True
    """
    if decimals is not None:
        text = f"{value:,.{decimals}f}"
    elif abs(value) >= 1000:
        text = f"{value:,.0f}"
    else:
        text = f"{value:.3g}"
    return text.replace("-", "\N{MINUS SIGN}", 1) if text.startswith("-") else text


def format_share(value: float) -> str:
    """Print a share as a percentage; a small one is not rounded to nothing, a large one not to all.

    Examples
    --------
    >>> format_share(0.82), format_share(0.004), format_share(0.998), format_share(1.37)
    ('82%', '< 1%', '> 99%', '137%')
    """
    if 0 < value < 0.01:
        return "< 1%"
    if 0.99 < value < 1:
        return "> 99%"
    return f"{value:.0%}"


def views(blocks: Iterable[Block], text: Text = visible) -> list[dict[str, Any]]:
    """Turn blocks into what the templates print.

    Parameters
    ----------
    text : callable
        `visible` for the fonts of the medium: (text, limit) -> text.

    Returns
    -------
    list of dict
        One a block, `kind` first; two half figures in a row become one `figure-row`. A heading of level 2
        before any of level 1 becomes level 1, since a document must not skip a level.
    """
    result: list[dict[str, Any]] = []
    figures = 0
    is_below_section = False
    for block in blocks:
        view = {"kind": block.kind} | _VIEWS[type(block)](
            block, lambda words, limit: _UNIT.sub("\N{NO-BREAK SPACE}", text(words, limit))
        )
        if isinstance(block, Heading):
            view["level"] = block.level if is_below_section else 1
            is_below_section = True
        if isinstance(block, FigureBlock):
            figures += 1
            view["number"] = figures
            row = {"kind": "figure-row", "figures": [view], "width": block.width}
            previous = result[-1] if result else {}
            if block.width == "half" and previous.get("width") == "half" and len(previous["figures"]) == 1:
                previous["figures"].append(view)
                continue
            view = row
        result.append(view)
    return result


def _badge(badge: Badge, text: Text) -> dict[str, str]:
    return {"text": text(badge.text, _BADGE_LIMIT), "tone": badge.tone}


def _word(word: str, tone: Tone, text: Text) -> str:
    return text(word, _BADGE_LIMIT) or TONE_WORDS[tone]


def _bar(bar: Bar, text: Text) -> dict[str, Any]:
    label = text(bar.text, _MARK_LIMIT) or _UNIT.sub("\N{NO-BREAK SPACE}", format_share(bar.value))
    return {
        "type": "bar",
        "text": label,
        "tone": bar.tone,
        "share": round(min(bar.value, 1.0), 4),
        "is_short": len(label) <= _SHORT_NUMBER,
    }


def _share(value: float | None, text: Text) -> dict[str, Any]:
    return {"type": "unknown", "text": UNKNOWN} if value is None else _bar(Bar(value), text)


def _title(block: TitleBlock, text: Text) -> dict[str, Any]:
    return {
        "title": text(block.title, NAME_LIMIT),
        "subtitle": text(block.subtitle, NAME_LIMIT),
        "headline": text(block.headline, 2 * LINE_LIMIT),
        "detail": text(block.detail, 2 * LINE_LIMIT),
        "badges": [_badge(badge, text) for badge in block.badges],
        "facts": [[text(label, _SHORT_LIMIT), text(value, NAME_LIMIT)] for label, value in block.facts],
        "label": text(block.label, _MARK_LIMIT),
        "tone": block.badges[0].tone if block.badges else "neutral",
    }


def _key_figures(block: KeyFigures, text: Text) -> dict[str, Any]:
    items = []
    for item in block.items:
        value = item.value
        if not isinstance(value, str):
            value = UNKNOWN if value is None else format_number(value)
        shown = text(value, _MARK_LIMIT)
        items.append(
            {
                "label": text(item.label, _SHORT_LIMIT),
                "value": shown,
                "is_unknown": item.value is None,
                "is_short": len(shown) <= _SHORT_NUMBER,
                "unit": "" if item.value is None else text(item.unit, _MARK_LIMIT),
                "note": text(item.note, NAME_LIMIT),
                "tone": item.tone,
                "word": _word(item.word, item.tone, text),
            }
        )
    return {"items": items}


def _prose(block: Prose, text: Text) -> dict[str, Any]:
    return {
        "paragraphs": [text(paragraph, TEXT_LIMIT) for paragraph in block.paragraphs],
        "links": [{"text": text(link.text or link.url, NAME_LIMIT), "url": link.url} for link in block.links],
    }


def _callout(block: Callout, text: Text) -> dict[str, Any]:
    return {
        "title": text(block.title, NAME_LIMIT),
        "text": text(block.text, 2 * LINE_LIMIT),
        "tone": block.tone,
        "word": _word(block.word, block.tone, text),
    }


def _cell(cell: Cell, column: Column, text: Text) -> dict[str, Any]:
    if cell is None:
        return {"type": "unknown", "text": UNKNOWN}
    if isinstance(cell, Badge):
        return {"type": "badge"} | _badge(cell, text)
    if isinstance(cell, str) and column.kind == "bar":
        # nothing to draw a bar of, and an empty one would read as zero
        return {"type": "text", "text": text(cell, _MARK_LIMIT)}
    if isinstance(cell, Bar) or column.kind == "bar":
        return _bar(cell if isinstance(cell, Bar) else Bar(float(cell)), text)
    if isinstance(cell, str):
        return {"type": "mono" if column.kind == "mono" else "text", "text": text(cell, NAME_LIMIT)}
    return {"type": "text", "text": format_number(cell, column.decimals)}


def _table(block: Table, text: Text) -> dict[str, Any]:
    columns = [
        {
            "label": text(column.label, _SHORT_LIMIT),
            "kind": column.kind,
            "align": column.align or ("right" if column.kind == "number" else "left"),
        }
        for column in block.columns
    ]
    rows = [[_cell(cell, column, text) for cell, column in zip(row, block.columns, strict=True)] for row in block.rows]
    return {
        "caption": text(block.caption, NAME_LIMIT),
        "columns": columns,
        "rows": rows,
        "note": text(block.note, TEXT_LIMIT),
        "empty": text(block.empty, TEXT_LIMIT),
    }


def _figure(block: FigureBlock, text: Text) -> dict[str, Any]:
    return {
        "svg": base64.b64encode(block.svg).decode("ascii"),
        "narrow": base64.b64encode(block.narrow).decode("ascii"),
        "is_wide": block.is_wide,
        "alt": text(block.alt, TEXT_LIMIT),
        "caption": text(block.caption, TEXT_LIMIT),
        "title": text(block.title, TEXT_LIMIT),
    }


def _timeline(block: Timeline, text: Text) -> dict[str, Any]:
    entries = [
        {
            "time": text(entry.time, _MARK_LIMIT),
            "title": text(entry.title, NAME_LIMIT),
            "text": text(entry.text, 2 * LINE_LIMIT),
            "is_short": len(entry.title) + len(entry.text) <= _SHORT_ENTRY,
            "tone": entry.tone,
            "word": _word(entry.word, entry.tone, text),
        }
        for entry in block.entries
    ]
    return {"title": text(block.title, NAME_LIMIT), "entries": entries, "empty": text(block.empty, TEXT_LIMIT)}


def _checklist(block: Checklist, text: Text) -> dict[str, Any]:
    items = [
        {
            "text": text(item.text, LINE_LIMIT),
            "is_done": item.is_done,
            "owner": text(item.owner, _SHORT_LIMIT),
            "due": text(item.due, _SHORT_LIMIT),
        }
        for item in block.items
    ]
    return {"title": text(block.title, NAME_LIMIT), "items": items, "empty": text(block.empty, TEXT_LIMIT)}


def _cause_list(block: CauseList, text: Text) -> dict[str, Any]:
    causes = [
        {
            "rank": str(cause.rank),
            "cause": text(cause.cause, LINE_LIMIT),
            "repo": text(cause.repo, NAME_LIMIT),
            "confidence": _share(cause.confidence, text),
            "contribution": _share(cause.contribution, text),
            "containment": None if cause.containment is None else _badge(cause.containment, text),
            "evidence": [text(line, LINE_LIMIT) for line in cause.evidence],
        }
        for cause in block.causes
    ]
    return {
        "title": text(block.title, NAME_LIMIT),
        "causes": causes,
        "unexplained": {**_share(block.unexplained, text), "sentence": unexplained_text(block.unexplained)}
        if causes
        else None,
        "note": text(block.note, TEXT_LIMIT),
        "empty": text(block.empty, TEXT_LIMIT),
    }


_VIEWS: dict[type[Block], Callable[[Any, Text], dict[str, Any]]] = {
    TitleBlock: _title,
    KeyFigures: _key_figures,
    Heading: lambda block, text: {"text": text(block.text, NAME_LIMIT)},
    Prose: _prose,
    Callout: _callout,
    Table: _table,
    FigureBlock: _figure,
    Timeline: _timeline,
    Checklist: _checklist,
    CauseList: _cause_list,
    PageBreak: lambda block, text: {},
}
