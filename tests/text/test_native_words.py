"""No page, template, message or help text reads translated, and percent has one form."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parents[1]
PACKAGE = HERE.parent / "tars_lib"
GOLDEN = sorted((HERE / "workbook" / "golden").glob("*.txt"))
TRANSLATED = re.compile(
    r"harm that no cause|\bharm (?:began|ended|seen)\b|\bstretch(?:es)?\b|\bgo(?:es)? on\b|such stretches|in its own past"
    r"|jointly|stands? out|is to be (?:contained|done|told)|(?:nobody|somebody) is to be|who moves? first|moves before another"
    r"|walk the minutes|\b1 more SLA\b|did it help|none known to|what is to come|cannot be told|is seen to|it came at once"
    r"|the path is walked|left out as|to look back on|nothing moves|in place of|whom to tell|tell now|nobody reports"
    r"|judge (?:again|anew|every)|no cause is (?:named|claimed)|not called for|\b(?:warnings|alerts) stand\b|\bat its level\b"
    r"|by luck|belongs? together|trouble travels|nothing travels|ask (?:on|again)\b|\b1 (?:\w+s)\b of\b"
    r"|\bof 1 (?:causes|SLAs|services|breaches|samples|paths)\b",
    re.IGNORECASE,
)
SPACED_PERCENT = re.compile(r"\d %")
ROOMS = ("engines", "workbook", "figures", "playbook", "reports", "incidents", "cli", "leadership", "text")


def docstrings(tree: ast.AST) -> set[int]:
    """Texts that stand alone: documentation for programmers, but for that of commands."""
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and any("command" in ast.unparse(one) for one in node.decorator_list):
            first = node.body[0]
            if isinstance(first, ast.Expr):
                alone.discard(id(first.value))
    return alone


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """Every text of more than one word in a file, f-strings with a mark for what is filled in."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    alone = docstrings(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = (part.value if isinstance(part, ast.Constant) else "9" for part in node.values)
            text = "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in alone:
            text = node.value
        else:
            continue
        if " " in text.strip():
            yield node.lineno, text


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_page_reads_as_a_native_speaker_writes(path: Path) -> None:
    found = [
        f"{number}: {line.strip()[:120]}"
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if TRANSLATED.search(line) or SPACED_PERCENT.search(line)
    ]
    assert found == [], "\n".join(found)


@pytest.mark.parametrize("room", ROOMS)
def test_a_template_reads_as_a_native_speaker_writes(room: str) -> None:
    found = [
        f"{path.relative_to(PACKAGE)}:{number}: {text.strip()[:120]}"
        for path in sorted((PACKAGE / room).rglob("*.py"))
        for number, text in texts(path)
        if TRANSLATED.search(text) or SPACED_PERCENT.search(text)
    ]
    assert found == [], "\n".join(found)


def test_the_documentation_writes_percent_as_the_pages_do() -> None:
    # what a benchmark prints stands as it is printed
    printed = ("benchmarks.md", "root-causes.md", "openslo.md")
    pages = [
        path for path in (*(HERE.parent / "docs").rglob("*.md"), HERE.parent / "README.md") if path.name not in printed
    ]
    found = [
        f"{path.name}: {hit[0]}" for path in pages for hit in SPACED_PERCENT.finditer(path.read_text(encoding="utf-8"))
    ]
    assert len(pages) > 30
    assert [one for one in found if "style.md" not in one] == []


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_page_says_service(path: Path) -> None:
    # the playbook's own words, and what is typed or read as JSON, keep theirs
    kept = re.compile(
        r"[Ss]ingle repo degradation|to that repo\b|[Cc]ross-repo|\.repo\b|repo\(|'repo'|^\s.*sla_id +repo "
    )
    found = [
        line.strip()[:120]
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(r"\b[Rr]epos?\b", kept.sub("", line))
    ]
    assert found == [], "\n".join(found)


def test_the_scan_finds_what_it_is_for() -> None:
    for said in (
        "Walk the minutes of the response",
        "1 more SLA is breached",
        "Nothing is to be contained.",
        "it goes on",
    ):
        assert TRANSLATED.search(said), said
    assert SPACED_PERCENT.search("96 %")
    assert not TRANSLATED.search("Failing since 08:00, 7 h so far.")
