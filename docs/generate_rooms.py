"""Draws the rooms of the package, one floor above the other: `python docs/generate_rooms.py` writes `images/rooms.svg`.

The floors are the layers of the import contract in `pyproject.toml`, a room's question is the first line of its docstring, and
the words at its foot are the folders within it. A test compares the committed picture with what this makes.
"""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
PACKAGE = ROOT / "tars_lib"
PICTURE = DOCS / "images" / "rooms.svg"

WIDTH, MARGIN, GAP, PAD = 1000, 20, 10, 12
GUTTER = 34
"""Width of the arrow at the left, in pixels."""
LINE, NAME, SMALL = 17, 16, 13
"""Distance of lines, size of a room's name and size of all else, in pixels."""
LETTER = 0.55
"""Width of a letter in ems, at most: that of wide sans-serif fonts such as Verdana is 0.58, of Arial 0.5."""
FONT = "Inter, 'Segoe UI', Helvetica, Arial, sans-serif"

KINDS = {
    "What people call": ("#0072b2", ("cli",)),
    "What people keep and hand on": ("#009e73", ("retention", "evidence", "leadership", "workbook", "incidents")),
    "How a run is made": ("#d55e00", ("pipeline",)),
    "Where data come in and pages go out": (
        "#e69f00",
        ("legacy", "validation", "sources", "figures", "reports", "channels", "exports"),
    ),
    "What follows from the data": ("#cc79a7", ("engines", "playbook", "redaction", "findings")),
    "The words, and what all rest on": ("#556170", ("config", "model", "stats", "files", "text", "errors")),
}
"""Colours (Okabe and Ito's palette, safe for colour blindness) and what they stand for."""


@dataclass(frozen=True)
class Room:
    """A room: its name, the question that it answers, and the folders within it."""

    name: str
    question: str
    folders: tuple[str, ...]


def floors() -> list[list[Room]]:
    """Return the rooms of each floor, from the top down, as the import contract has them."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    (layers,) = (contract["layers"] for contract in contracts if contract.get("containers") == ["tars_lib"])
    return [[_room(name.strip()) for name in layer.split("|")] for layer in layers]


def _room(name: str) -> Room:
    folder = PACKAGE / name
    source = folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")
    docstring = ast.get_docstring(ast.parse(source.read_text(encoding="utf-8"))) or ""
    inside = sorted(path.parent.name for path in folder.glob("*/__init__.py"))
    return Room(name, " ".join(docstring.split("\n\n")[0].replace("`", "").split()), tuple(inside))


def picture() -> str:
    """Return the picture as SVG text."""
    body, top = list(_legend()), 96
    first = top
    for rooms in floors():
        width = (WIDTH - 2 * MARGIN - GUTTER - GAP * (len(rooms) - 1)) / len(rooms)
        texts = [_wrapped(room.question, width - 2 * PAD - (140 if len(rooms) == 1 else 0)) for room in rooms]
        folders = [_wrapped("  ".join(room.folders), width - 2 * PAD) if room.folders else [] for room in rooms]
        heights = [_height(*lines, alone=len(rooms) == 1) for lines in zip(texts, folders, strict=True)]
        for column, room in enumerate(rooms):
            left = MARGIN + GUTTER + column * (width + GAP)
            body += _box(room, left, top, width, max(heights), texts[column], folders[column], alone=len(rooms) == 1)
        top += max(heights) + GAP
    body += _arrow(first, top - GAP)
    named = ", ".join(room.name for rooms in floors() for room in rooms)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{top + MARGIN - GAP}" '
            f'viewBox="0 0 {WIDTH} {top + MARGIN - GAP}" role="img" font-family="{FONT}" font-size="{SMALL}">',
            "<title>The rooms of tars_lib</title>",
            f"<desc>From the top down, each resting on those below it: {named}.</desc>",
            f'<rect width="{WIDTH}" height="{top + MARGIN - GAP}" fill="#ffffff"/>',
            *body,
            "</svg>\n",
        ]
    )


def _height(text: list[str], folders: list[str], *, alone: bool) -> int:
    return 2 * PAD + LINE * (len(text) + len(folders) + (0 if alone else 1)) - 2


def _legend() -> Iterator[str]:
    for number, (meaning, (colour, _)) in enumerate(KINDS.items()):
        left, top = MARGIN + GUTTER + number % 3 * 316, 28 + number // 3 * 26
        yield f'<rect x="{left}" y="{top - 11}" width="14" height="14" rx="3" fill="{colour}"/>'
        yield _text(left + 22, top, meaning, colour="#16202c")


def _box(
    room: Room, left: float, top: int, width: float, height: int, text: list[str], folders: list[str], *, alone: bool
) -> Iterator[str]:
    (colour,) = (colour for colour, names in KINDS.values() if room.name in names)
    shape = f'x="{left:.0f}" y="{top}" width="{width:.0f}" height="{height}" rx="6"'
    yield f'<rect {shape} fill="{colour}" fill-opacity="0.09" stroke="{colour}" stroke-width="1.2"/>'
    yield f'<rect x="{left:.0f}" y="{top}" width="5" height="{height}" rx="2.5" fill="{colour}"/>'
    base = top + PAD + LINE - 5
    yield _text(left + PAD + 3, base, room.name, size=NAME, weight="bold")
    start, indent = (base, 140) if alone else (base + LINE, 3)
    for number, line in enumerate(text):
        yield _text(left + PAD + indent, start + number * LINE, line)
    for number, line in enumerate(folders):
        yield _text(left + PAD + indent, start + (len(text) + number) * LINE, line, colour="#556170", style="italic")


def _arrow(top: int, bottom: int) -> Iterator[str]:
    middle = MARGIN + 8
    yield f'<path d="M{middle} {top} V{bottom - 8}" stroke="#556170" stroke-width="1.5"/>'
    yield f'<path d="M{middle - 5} {bottom - 10} L{middle} {bottom} L{middle + 5} {bottom - 10} Z" fill="#556170"/>'
    turned = f'transform="rotate(-90 {middle + 15} {(top + bottom) // 2})" text-anchor="middle"'
    yield _text(middle + 15, (top + bottom) // 2, "imports lead down, never up", colour="#556170", more=turned)


def _text(
    left: float,
    base: float,
    text: str,
    *,
    size: int = SMALL,
    colour: str = "#16202c",
    weight: str = "normal",
    style: str = "normal",
    more: str = "",
) -> str:
    attributes = f'x="{left:.0f}" y="{base:.0f}" font-size="{size}" font-weight="{weight}" font-style="{style}"'
    return f'<text {attributes} fill="{colour}" xml:space="preserve" {more}>{escape(text)}</text>'.replace(" >", ">")


def _wrapped(text: str, width: float) -> list[str]:
    """Break a text into lines that fit, by the widest that letters are; two spaces stay together."""
    limit, lines = int(width / (LETTER * SMALL)), [""]
    for word in text.split(" "):
        if len(lines[-1]) + len(word) + 1 > limit and lines[-1]:
            lines[-1] = lines[-1].rstrip()
            lines.append("")
        lines[-1] += f" {word}" if lines[-1] else word
    return lines


def main() -> None:
    """Write the picture."""
    PICTURE.write_text(picture(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
