"""Hostile names come out of every command as text: no control character, nothing reordered, no formula."""

from __future__ import annotations

import csv
import io
import json
import logging
import re
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from org_samples import RootBuilder, counts, series

from tars_lib.cli.shared.terminal import ShownFormatter, ShownStream, shown
from tars_lib.files.json_records import dumps
from tars_lib.playbook.documents.tickets import Ticket, TicketKind, as_csv
from tars_lib.text.visible import HIDDEN_CATEGORIES

HOSTILE = "=cmd|'/C calc'!A1 \x1b[31m\x9b2J\u202egpj\u2066\rX\x07\x7f\u200b"


def hidden(text: str) -> list[str]:
    """Characters that a reader would not see, or that a terminal would obey."""
    unseen = (char for char in text if unicodedata.category(char) in HIDDEN_CATEGORIES and char not in "\n\t")
    return sorted({f"U+{ord(char):04X}" for char in unseen})


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a root, a run and a health report in which everything has a hostile name."""
    folder = tmp_path_factory.mktemp("hostile")
    rows = counts("x", [1000] * 40, [0] * 39 + [900]) + series("x", "health_score", [90] * 39 + [10])
    lines = io.StringIO()
    writer = csv.writer(lines)
    writer.writerow(("timestamp", "repo", "metric", "value"))
    writer.writerows((time.isoformat(), HOSTILE, metric, value) for time, _, metric, value in rows)
    root = RootBuilder(folder / "org-health").file("history.csv", lines.getvalue())
    root.file("org.yaml", json.dumps({"name": HOSTILE, "repos": {HOSTILE: {"team": HOSTILE, "customer_facing": True}}}))
    good = {"total": "requests_total", "bad": "requests_failed"}
    policy = {"sla_id": HOSTILE, "sla_type": HOSTILE, "sla_name": HOSTILE, "good": good, "objective": 0.999}
    root.file("sla-policies.yaml", json.dumps({"policies": [policy]})).write()
    tars(folder, "health", "--root-dir", "org-health", "--output", "health.json")
    tars(folder, "run", "--root", "org-health", "--timestamp", "20260101-000000")
    return folder


def tars(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "tars_lib.cli.main", *arguments], cwd=folder, capture_output=True, check=False
    )
    assert done.returncode not in (1, 2, 199), done.stderr
    said = (done.stdout + done.stderr).decode("utf-8")
    assert b"\r" not in (done.stdout + done.stderr).replace(b"\r\n", b"\n")
    assert hidden(said) == []
    return said


COMMANDS = (
    "health --root-dir org-health --verbose",
    "health --root-dir org-health --json",
    "alerts --org-report health.json",
    "correlation --org-report health.json --json",
    "sla --org-report health.json",
    "sla --org-report health.json --json",
    "classify reports/runs/tars-run-20260101-000000",
    "diff reports/runs/tars-run-20260101-000000 reports/runs/tars-run-20260101-000000",
    "incident open --from-run reports/runs/tars-run-20260101-000000",
)

NAMED = ("health --root-dir org-health --json", "sla --org-report health.json --json")
"""Documents that hold a name, which has to come back whole."""


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_shows_hostile_names_as_text(report: Path, command: str) -> None:
    said = tars(report, *command.split())
    if command in NAMED:
        assert HOSTILE in _texts(json.loads(said))


def _texts(content: object) -> list[str]:
    if isinstance(content, dict):
        return [text for key, value in content.items() for text in (key, *_texts(value))]
    if isinstance(content, list):
        return [text for value in content for text in _texts(value)]
    return [content] if isinstance(content, str) else []


def test_a_refusal_shows_a_hostile_value_as_text(report: Path) -> None:
    (report / "bad").mkdir()
    (report / "bad" / "org.yaml").write_text(json.dumps({"repos": {"a": {"tier": HOSTILE}}}), encoding="utf-8")
    said = tars(report, "run", "--root", "bad")
    assert said.count("\n") == 1
    assert "org.yaml: repos.a.tier: a whole number is needed" in said


@given(st.text())
def test_whatever_is_written_to_the_terminal_hides_nothing(text: str) -> None:
    stream = io.StringIO(newline="")
    ShownStream(stream).write(text)
    assert hidden(stream.getvalue().replace("\r\n", "\n")) == []


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"])))
def test_what_can_be_seen_is_written_as_it_is(text: str) -> None:
    assert shown(text) == text


def test_log_lines_hide_nothing_and_a_traceback_keeps_its_lines() -> None:
    record = logging.LogRecord("x", logging.INFO, "x", 1, "%s", (HOSTILE,), None)
    assert hidden(ShownFormatter().format(record)) == []
    assert shown("a\n  b\r\n\tc") == "a\n  b\r\n\tc"


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_json_hides_nothing_and_says_the_same(text: str) -> None:
    written = dumps({"text": text})
    assert hidden(written) == []
    assert json.loads(written) == {"text": text}


@given(st.text(st.sampled_from("=+-@\t\r\n x'\"\u202e\x00\x1b,;1")))
def test_no_cell_of_a_csv_is_a_formula_or_hides_anything(text: str) -> None:
    ticket = Ticket(text, TicketKind.SLO_UPDATE, text, text, owner=text, labels=(text,))
    written = as_csv([ticket])
    assert hidden(written.replace("\r\n", "\n")) == []
    for row in list(csv.reader(io.StringIO(written, newline="")))[1:]:
        for cell in row:
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))


def test_csv_is_written_in_one_place_and_written_back_in_another() -> None:
    """Redaction writes the rows of an input back as they were read, and so do those who add rows to an input."""
    sources = Path(__file__).resolve().parents[2] / "tars_lib"
    writers = re.compile(r"csv\.(writer|DictWriter)|to_csv\(")
    found = {path.name for path in sources.rglob("*.py") if writers.search(path.read_text(encoding="utf-8"))}
    assert found == {"csv_cells.py", "formats.py", "csv_additions.py"}
