"""The benchmarks print what docs/benchmarks.md takes over."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def load(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))

    def module(name):
        spec = importlib.util.spec_from_file_location(name, BENCHMARKS / f"{name}.py")
        found = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, name, found)
        spec.loader.exec_module(found)
        return found

    return module


def run(script, *arguments):
    return subprocess.run(
        [sys.executable, BENCHMARKS / script, *arguments], capture_output=True, text=True, check=True
    ).stdout


@pytest.mark.slow
def test_the_edges_benchmark_prints_one_row_a_kind_and_names_no_edge_in_calm_weekends():
    out = run("edges.py", "--sets", "2", "--samples", "30", "--only", "null", "--no-peers", "--markdown")
    rows = [line.split(" | ") for line in out.splitlines() if line.startswith("| ")]
    assert rows[0][0] == "| kind"
    assert len(rows) == 1 + 2 * 10
    assert any(row[0] == "| weekend" and row[3].strip().startswith("0.0 [") for row in rows)


@pytest.mark.slow
def test_the_pairs_benchmark_prints_ratios_that_follow_from_its_seconds():
    out = run("pairs.py", "--sizes", "40x60", "--repeat", "1", "--markdown")
    tables = [part for part in out.split("\n\n") if part.startswith("| ")]
    assert len(tables) == 3
    cells = [cell.strip() for cell in tables[0].splitlines()[2].strip("|").split("|")]
    assert cells[0] == "40x60"
    seconds, holed = float(cells[2].removesuffix(" s")), float(cells[4].removesuffix(" s"))
    assert float(cells[5]) == pytest.approx(holed / seconds, rel=0.2)


def test_a_table_is_aligned_for_a_terminal_and_escaped_in_markdown(load):
    tables = load("tables")
    table = [("Title", [["kind", "n"], ["a|b", "100"]])]
    assert tables.printed(table, markdown=False) == "Title\nkind    n\n a|b  100"
    assert tables.printed(table, markdown=True) == "Title:\n\n| kind | n |\n|---|---:|\n| a\\|b | 100 |"


def test_sections_that_are_not_run_again_stay_as_they_are(load, monkeypatch, tmp_path):
    write = load("write")
    page = tmp_path / "benchmarks.md"
    page.write_text("# Benchmarks\n\nold words\n\n## Start-up\n\nold figures\n\n## Loading\n\nkept figures\n")
    monkeypatch.setattr(write, "PAGE", page)
    monkeypatch.setattr(write, "section", lambda one, extra: f"## {one.title}\n\nnew figures\n")
    monkeypatch.setattr(sys, "argv", ["write.py", "--only", "startup"])
    write.main()
    text = page.read_text(encoding="utf-8")
    assert text.index("## Loading") < text.index("## Start-up")
    assert "kept figures" in text
    assert "new figures" in text
    assert "old" not in text


def test_the_ceiling_of_lags_is_near_but_below_all():
    out = run("edges.py", "--only", "ceiling", "--sets", "10", "--no-peers", "--markdown")
    rows = [line.strip("|").split(" | ") for line in out.splitlines() if " leads " in line]
    assert [row[1] for row in rows] == ["3", "1", "6", "10"]
    assert all(90.0 < float(row[2].split("[")[0]) < 100.0 for row in rows)
