"""Runs the benchmarks and writes docs/benchmarks.md from what they print, each section with machine, versions and date.

    python benchmarks/write.py [--only pairs edges] [--sets 200] [--dataset DIR]

Without `--only` about half an hour on two idle cores; statsmodels (the `bench` extra) takes part where it is installed. With
`--only` the other sections stay as they are.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tables import head

from tars_lib.files.atomic import write_text

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "benchmarks.md"
OPENING = """# Benchmarks

Every figure on this page was printed by a script in `benchmarks/`; `python benchmarks/write.py` runs them and writes the
page. A ratio compares two things that ran in turns in the same process or on the same machine; seconds alone say as much
about the machine. What the methods do is described under [methods](methods/correlation-and-lead-lag.md).
"""


@dataclass(frozen=True)
class Section:
    """A benchmark: its arguments, whether it prints Markdown or lines for a terminal, its script if not `name`'s."""

    name: str
    title: str
    arguments: tuple[str, ...] = ()
    is_markdown: bool = False
    needs_dataset: bool = False
    script: str = ""

    @property
    def path(self) -> str:
        """Of the script, from the top of the repository."""
        return f"benchmarks/{self.script or self.name}.py"


SECTIONS = (
    Section("rca", "Root causes of real incidents", is_markdown=True, needs_dataset=True),
    Section("stress", "Root causes in worse telemetry", ("--markdown",), is_markdown=True, needs_dataset=True),
    Section(
        "calibrate",
        "What the confidence of a root cause is worth",
        ("calibrate",),
        is_markdown=True,
        needs_dataset=True,
        script="petshop",
    ),
    Section("simulated", "Root causes in simulated applications", ("--markdown",), is_markdown=True),
    Section(
        "kinds",
        "Root causes in simulated applications of further kinds",
        ("--markdown",),
        is_markdown=True,
        script="simulated_kinds",
    ),
    Section("missing", "Verdicts where data are missing", ("--markdown",), is_markdown=True, needs_dataset=True),
    Section("edges", "Correlation and lead-lag: error rate and power", ("--no-peers", "--markdown"), is_markdown=True),
    Section(
        "peers",
        "Correlation and lead-lag: beside other methods",
        ("--sets", "20", "--granger-sets", "5", "--samples", "90", "--markdown"),
        is_markdown=True,
        script="edges",
    ),
    Section(
        "ceiling",
        "Lead-lag: how well the lag of a noisy copy can be told at all",
        ("--only", "ceiling"),
        script="edges",
    ),
    Section("pairs", "Correlation and lead-lag: speed", ("--markdown",), is_markdown=True),
    Section("scale", "Large organisations", ("--markdown",), is_markdown=True),
    Section("planted", "Propagation and clusters that were planted"),
    Section("calm", "False alarms in calm organisations"),
    Section("outlooks", "Forecasts of breaches", ("--seeds", "40")),
    Section("engines", "The engines"),
    Section("pipeline", "The pipeline", ("--large",)),
    Section("loading", "Loading"),
    Section("pull", "Pulling"),
    Section("startup", "Start-up"),
    Section("report", "Reports"),
)


def section(one: Section, extra: list[str]) -> str:
    """Heading, command, head and output of one benchmark.

    Raises
    ------
    SystemExit
        If the benchmark fails for another reason than a limit that it reports as missed (code 1 with output).
    """
    script = one.path
    arguments = [*one.arguments, *extra]
    done = subprocess.run(
        [sys.executable, ROOT / script, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode not in (0, 1) or not done.stdout.strip():
        raise SystemExit(f"{script}: exit code {done.returncode}\n{done.stderr[-2000:]}")
    shown = " ".join(["python", script, *(one.arguments if one.needs_dataset else arguments)])
    shown += " --dataset DIR" if one.needs_dataset else ""
    body = done.stdout.strip() if one.is_markdown else f"```text\n{done.stdout.strip()}\n```"
    return f"## {one.title}\n\n`{shown}`\n\n{head()}\n\n{body}\n"


def kept(page: str) -> dict[str, str]:
    """Title to section of the page as it is."""
    parts = page.split("\n## ")[1:]
    return {part.partition("\n")[0]: f"## {part.strip()}\n" for part in parts}


def main() -> None:
    """Run what was asked for and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", choices=[one.name for one in SECTIONS], metavar="NAME")
    parser.add_argument("--sets", type=int, default=200, help="data sets of each kind for edges")
    parser.add_argument("--dataset", type=Path, help="folder of the PetShop data; left out without it")
    options = parser.parse_args()
    texts = kept(PAGE.read_text(encoding="utf-8")) if PAGE.is_file() else {}
    for one in SECTIONS:
        if options.only is not None and one.name not in options.only:
            continue
        if not (ROOT / one.path).is_file() or (one.needs_dataset and options.dataset is None):
            print(f"{one.name}: left out", file=sys.stderr)
            continue
        extra = ["--dataset", str(options.dataset)] if one.needs_dataset else []
        extra += ["--sets", str(options.sets)] if one.name == "edges" else []
        print(f"{one.name} ...", file=sys.stderr, flush=True)
        texts[one.title] = section(one, extra)
        ordered = [texts[each.title] for each in SECTIONS if each.title in texts]
        write_text(PAGE, "\n".join([OPENING, *ordered]))


if __name__ == "__main__":
    main()
