"""The shape of the package: small rooms, small files, no circle of imports, tests that mirror it."""

from __future__ import annotations

import ast
import runpy
import statistics
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
LAYOUT = runpy.run_path(str(ROOT / "scripts" / "layout.py"))
MAX_FILES = 15
MAX_LINES = 400
MAX_MEDIAN = 150
# rooms that hold no code of their own kind to be tested: what they do is tested through the rooms that use them
UNMIRRORED = {"_demo", "legacy", "text"}


@cache
def imports() -> Any:
    return LAYOUT["import_graph"]()


def test_no_folder_holds_more_than_one_question() -> None:
    crowded = {folder: number for folder, number in LAYOUT["files_per_folder"]().items() if number > MAX_FILES}
    assert crowded == {}


def test_no_file_holds_two_ideas() -> None:
    sizes = {path.relative_to(ROOT).as_posix(): LAYOUT["lines"](path) for path in LAYOUT["python_files"]()}
    assert {path: number for path, number in sizes.items() if number > MAX_LINES} == {}
    assert statistics.median(sizes.values()) <= MAX_MEDIAN


def test_no_files_import_each_other_in_a_circle() -> None:
    assert LAYOUT["circles"](imports()) == []


def test_a_circle_would_be_found() -> None:
    graph = imports().copy()
    assert graph.has_edge("tars_lib.engines.sla.assess", "tars_lib.engines.sla.verdict")
    graph.add_edge("tars_lib.engines.sla.verdict", "tars_lib.engines.sla.assess")
    assert any("tars_lib.engines.sla.verdict" in circle for circle in LAYOUT["circles"](graph))


def test_nothing_stands_loose_at_the_root() -> None:
    loose = {path.name for path in (ROOT / "tars_lib").iterdir() if path.is_file()}
    assert loose == {"__init__.py", "__init__.pyi", "errors.py", "py.typed"}


def test_tests_mirror_the_rooms() -> None:
    rooms = {path.name for path in (ROOT / "tars_lib").iterdir() if path.is_dir() and path.name != "__pycache__"}
    mirrored = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir()}
    assert rooms - UNMIRRORED <= mirrored


def test_a_type_name_means_one_thing() -> None:
    # forms of configuration files, parts of the zip format and states of one thing: not seen outside their own room
    local = {"Document", "Entry", "Metric", "Span", "State", "Table"}
    names = Counter(
        node.name
        for path in LAYOUT["python_files"]()
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert {name for name, number in names.items() if number > 1} <= local
