"""A block as plain text, for terminals and for readers of the raw notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tars_lib.reports.blocks.view import views

if TYPE_CHECKING:
    from collections.abc import Callable

    from tars_lib.reports.blocks.kinds import Block


def plain_text(block: Block) -> str:
    """Print a block as lines of text.

    Examples
    --------
    >>> from tars_lib.reports.blocks.kinds import Callout
    >>> print(plain_text(Callout("Two SLAs are breached", "Since 06:31 UTC.", tone="critical")))
    [Critical] Two SLAs are breached
    Since 06:31 UTC.
    """
    (view,) = views([block])
    return "\n".join(line for line in _LINES[view["kind"]](view) if line)


def _title(view: dict[str, Any]) -> list[str]:
    badges = " ".join(f"[{badge['text']}]" for badge in view["badges"])
    facts = [f"{label}: {value}" for label, value in view["facts"]]
    return [badges, view["title"], view["subtitle"], view["headline"], view["detail"], *facts]


def _key_figures(view: dict[str, Any]) -> list[str]:
    return [
        " ".join(part for part in (f"{item['label']}:", item["value"], item["unit"], _bracket(item)) if part)
        + (f" ({item['note']})" if item["note"] else "")
        for item in view["items"]
    ]


def _callout(view: dict[str, Any]) -> list[str]:
    return [f"{_bracket(view)} {view['title']}".strip(), view["text"]]


def _table(view: dict[str, Any]) -> list[str]:
    cells = [[column["label"] for column in view["columns"]]]
    cells += [[cell["text"] for cell in row] for row in view["rows"]]
    widths = [max(len(row[index]) for row in cells) for index in range(len(view["columns"]))]
    lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    return [view["caption"], *lines, "" if view["rows"] else view["empty"], view["note"]]


def _figure_row(view: dict[str, Any]) -> list[str]:
    return [
        line for figure in view["figures"] for line in (figure["title"], f"[Figure] {figure['alt']}", figure["caption"])
    ]


def _timeline(view: dict[str, Any]) -> list[str]:
    lines = [
        f"{entry['time']}  {_bracket(entry)} {entry['title']}".replace("   ", "  ")
        + (f": {entry['text']}" if entry["text"] else "")
        for entry in view["entries"]
    ]
    return [view["title"], *(lines or [view["empty"]])]


def _checklist(view: dict[str, Any]) -> list[str]:
    lines = [
        f"[{'x' if item['is_done'] else ' '}] "
        + ", ".join(part for part in (item["text"], item["owner"], item["due"]) if part)
        for item in view["items"]
    ]
    return [view["title"], *(lines or [view["empty"]])]


def _cause_list(view: dict[str, Any]) -> list[str]:
    lines = [view["title"]]
    for cause in view["causes"]:
        lines.append(f"{cause['rank']}. {cause['cause']} (confidence {cause['confidence']['text']})")
        lines += [f"   - {line}" for line in cause["evidence"]]
    if not view["causes"]:
        lines.append(view["empty"])
    elif view["unexplained"]:
        lines.append(view["unexplained"]["sentence"])
    return [*lines, view["note"]]


def _bracket(view: dict[str, Any]) -> str:
    return f"[{view['word']}]" if view["word"] else ""


_LINES: dict[str, Callable[[dict[str, Any]], list[str]]] = {
    "title": _title,
    "key-figures": _key_figures,
    "heading": lambda view: ["#" * view["level"] + " " + view["text"]],
    "prose": lambda view: [*view["paragraphs"], *(f"{link['text']} <{link['url']}>" for link in view["links"])],
    "callout": _callout,
    "table": _table,
    "figure-row": _figure_row,
    "timeline": _timeline,
    "checklist": _checklist,
    "cause-list": _cause_list,
    "page-break": lambda view: ["(page break)"],
}
