"""A reader finds any room in two steps: the picture of the rooms, then the room's row in the table."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

ROOT = Path(__file__).resolve().parents[2]
DRAWN = runpy.run_path(str(ROOT / "docs" / "generate_rooms.py"))
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| `([\w.]+?)(?:/|\.py)` \| (.+) \|$", PAGE, re.MULTILINE))
ROOMS = sorted(path.parent.name for path in (ROOT / "tars_lib").glob("*/__init__.py"))
SVG = "{http://www.w3.org/2000/svg}"


def test_the_picture_is_what_the_script_draws() -> None:
    committed = (ROOT / "docs" / "images" / "rooms.svg").read_text(encoding="utf-8")
    assert committed == DRAWN["picture"](), "docs/images/rooms.svg is not what `python docs/generate_rooms.py` writes"


def test_the_page_opens_with_the_picture() -> None:
    first = PAGE.split("\n\n")[1]
    assert first.startswith("![From the top down, each resting on those below: cli, ")
    assert first.endswith("](images/rooms.svg)")
    assert all(room in first for room in ROOMS)


@pytest.mark.parametrize("room", [*ROOMS, "errors"])
def test_a_room_is_in_the_picture_and_in_the_table(room: str) -> None:
    picture = ET.fromstring(DRAWN["picture"]())  # noqa: S314 - our own picture
    names = [text.text for text in picture.iter(f"{SVG}text") if text.get("font-weight") == "bold"]
    assert names.count(room) == 1
    assert room in ROWS
    for folder in (ROOT / "tars_lib" / room).glob("*/__init__.py"):
        if room != "cli" or folder.parent.name != "shared":
            assert f"`{folder.parent.name}/`" in ROWS[room], f"{room}: the table does not name {folder.parent.name}"


def test_nothing_in_the_picture_runs_out_of_it_or_into_something_else() -> None:
    picture = ET.fromstring(DRAWN["picture"]())  # noqa: S314 - our own picture
    boxes = [
        tuple(float(box.get(side, "")) for side in ("x", "y", "width", "height"))
        for box in picture.iter(f"{SVG}rect")
        if box.get("fill-opacity")
    ]
    assert len(boxes) == len(ROOMS) + 1
    for left, top, width, height in boxes:
        assert left + width <= DRAWN["WIDTH"] - DRAWN["MARGIN"] + 1
        assert sum(left < x + w and x < left + width and top < y + h and y < top + height for x, y, w, h in boxes) == 1
    texts = [text for text in picture.iter(f"{SVG}text") if text.get("transform") is None]
    for text in texts[len(DRAWN["KINDS"]) :]:
        x, y, said = float(text.get("x", "")), float(text.get("y", "")), text.text or ""
        inside = [box for box in boxes if box[0] < x < box[0] + box[2] and box[1] < y < box[1] + box[3]]
        assert len(inside) == 1, said
        assert x + len(said) * DRAWN["LETTER"] * float(text.get("font-size", "")) <= inside[0][0] + inside[0][2], said


def test_every_room_has_a_question() -> None:
    for rooms in DRAWN["floors"]():
        for room in rooms:
            assert room.question.endswith("."), room.name
