"""What a change costs: the same commands of two checkouts in turns, and the ratio of one to the other.

python benchmarks/ratios.py --base DIR [--runs 5] [--markdown FILE]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tables import Table, head, printed
from timing import Command, Timing, busy, time_in_turns

HERE = Path(__file__).resolve().parents[1]
NOTICED = 1.10
"""A ratio from here on is marked: on a shared machine medians of five differ by some 5 % by themselves; judgement."""
_START = "import sys; sys.path.insert(0, sys.argv.pop(1)); from tars_lib.cli.main import main; main()"


def of(checkout: Path, *words: str) -> list[str]:
    """Return a `tars` command of a checkout, run by this interpreter with its libraries."""
    return [sys.executable, "-c", _START, str(checkout), *words]


def commands(folder: Path) -> list[tuple[str, Sequence[str], tuple[int, ...]]]:
    """Return what is timed: label, words and the codes with which it did its work."""
    root = str(HERE / "tars_lib" / "_demo" / "org-health")
    run = ("run", "--root", root, "--quiet", "--outdir")
    return [
        ("tars --help", ("--help",), (0,)),
        ("tars health", ("health", "--root-dir", root, "--summary-only"), (91, 92)),
        ("tars run", (*run, str(folder / "runs")), (142,)),
        (
            "tars report",
            ("report", "incident_report", "--run", str(folder / "run"), "--output", str(folder / "out")),
            (0,),
        ),
    ]


def row(base: Timing, changed: Timing) -> list[str]:
    """Return a line of the table: medians, ratio of processor time, which says more on a shared machine, and of wall-clock."""
    used = [statistics.median(timing.cpu) for timing in (base, changed)]
    ratio = used[1] / used[0]
    return [
        base.command.label,
        f"{used[0]:.2f} s",
        f"{used[1]:.2f} s",
        f"{ratio:.2f}{' (more)' if ratio >= NOTICED else ' (less)' if ratio <= 1 / NOTICED else ''}",
        f"{changed.median / base.median:.2f}",
    ]


def compared(base: Path, runs: int) -> Table:
    """Time every command of both checkouts in turns."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        _write_run(folder / "run")
        pairs = [
            Command(label, of(checkout, *words), codes)
            for label, words, codes in commands(folder)
            for checkout in (base, HERE)
        ]
        timings = time_in_turns(pairs, runs)
    rows = [row(timings[place], timings[place + 1]) for place in range(0, len(timings), 2)]
    return (
        f"Processor time, medians of {runs} runs in turns",
        [["command", "before", "after", "ratio", "ratio of wall-clock"], *rows],
    )


def _write_run(place: Path) -> None:
    sys.path.insert(0, str(HERE))
    from tars_lib.pipeline import analyze, write_run
    from tars_lib.pipeline.loading import load_org
    from tars_lib.sources.demo import demo_root

    write_run(analyze(load_org(demo_root())), place.parent / "made").rename(place)


def main() -> None:
    """Print the table, in Markdown into a file as well."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", type=Path, required=True, help="checkout to compare with")
    parser.add_argument("--runs", type=int, default=5, help="runs of each command; default %(default)s")
    parser.add_argument("--markdown", type=Path, help="file for the table in Markdown")
    asked = parser.parse_args()
    if not (asked.base / "tars_lib" / "cli" / "main.py").is_file():
        raise SystemExit(f"error: --base {asked.base}: no checkout of this project is there")
    table = compared(asked.base.resolve(), asked.runs)
    print(printed([table], markdown=False))
    print(busy())
    if asked.markdown is not None:
        text = f"### What this change costs\n\n{printed([table], markdown=True)}\n\n{head()}\n"
        asked.markdown.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
