"""What a report costs beside the same cells run as a plain script, and what all notebooks of one run cost on two workers.

python benchmarks/report.py [--runs 3] [--notebook incident_report] [--run RUN_DIR]

The script holds the notebook's own cells with the same parameters, in one process without a kernel; it writes no page.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

from timing import Command, busy, comparison, tars, time_in_turns, verdict

LIMIT = 2.0
"""Largest ratio of a report (papermill, HTML, PDF) to its cells as a script."""
ALL_LIMIT = 60.0
"""Seconds for all notebooks of one run on two workers."""
SIZES = {"html": 1_000_000, "pdf": 500_000}
"""Largest bytes of a page."""
NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
WORKERS = 2


def script_of(notebook: str, run: Path) -> str:
    """The cells of a notebook as a script, its run injected where papermill injects it."""
    lines = []
    for cell in json.loads((NOTEBOOKS / f"{notebook}.ipynb").read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            lines.append("".join(cell["source"]))
            if "parameters" in cell["metadata"]["tags"]:
                lines.append(f"run_dir = {str(run)!r}")
    return "\n\n".join(lines) + "\n"


def demo_run(folder: Path) -> Path:
    """A run of the demo organisation."""
    from tars_lib.pipeline import analyze, write_run
    from tars_lib.pipeline.loading import load_org
    from tars_lib.sources.demo import demo_root

    return write_run(analyze(load_org(demo_root())), folder)


def one_report(notebook: str, run: Path, folder: Path, runs: int) -> None:
    """Time the script and the command in turns and print the table."""
    import sys

    script = folder / f"{notebook}.py"
    script.write_text(script_of(notebook, run), encoding="utf-8")
    yardstick, timed = time_in_turns(
        [
            Command(f"{notebook} as a script", [sys.executable, str(script)]),
            Command(
                f"tars report {notebook}", tars("report", notebook, "--run", str(run), "--output", str(folder / "one"))
            ),
        ],
        runs,
    )
    print(f"one report, {runs} runs of each in turns")
    print(comparison([timed], yardstick, LIMIT))


def all_notebooks(run: Path, folder: Path) -> None:
    """Time all notebooks on two workers, and print the sizes of what they wrote."""
    names = sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb") if path.stem != "welcome")
    from tars_lib.pipeline import write_reports

    began = time.perf_counter()
    outcomes = write_reports({name: {} for name in names}, run, folder / "all", ("html", "pdf"), workers=WORKERS)
    seconds = time.perf_counter() - began
    failed = [outcome.job.name for outcome in outcomes if outcome.error is not None]
    print(f"\n{len(names)} notebooks of one run on {WORKERS} workers, {len(failed)} failed")
    print(f"{seconds:.1f} s, {seconds / len(names):.2f} s each; limit {ALL_LIMIT:.0f} s: {verdict(seconds, ALL_LIMIT)}")
    width = max(map(len, names))
    print(f"{'':{width}}  HTML KB  of limit   PDF KB  of limit")
    for outcome in outcomes:
        line = f"{outcome.job.name:{width}}"
        for form, limit in SIZES.items():
            size = outcome.files[form].stat().st_size if form in outcome.files else 0
            line += f"  {size / 1000:7.0f}  {size / limit:8.2f}{'' if size <= limit else ' over'}"
        print(line)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3, help="runs of each command; default %(default)s")
    parser.add_argument("--notebook", default="incident_report", help="the one report; default %(default)s")
    parser.add_argument("--run", type=Path, help="run directory; default one of the demo organisation")
    asked = parser.parse_args()
    # two workers on two cores: what numpy's own threads would add is waiting
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    with tempfile.TemporaryDirectory(prefix="tars-bench-") as name:
        folder = Path(name)
        run = asked.run or demo_run(folder / "runs")
        one_report(asked.notebook, run, folder, asked.runs)
        all_notebooks(run, folder)
    print(busy())


if __name__ == "__main__":
    main()
